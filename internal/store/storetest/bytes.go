package storetest

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var bytesTests = []test{
	{name: "Lists/EndAtTheirBytes", need: thorough, run: func(w *world) {
		large := make(map[string]string) // as JSON, 150 KiB
		for n := range bellwire.MaxMetadata {
			large[fmt.Sprint(n)] = strings.Repeat("\x01", bellwire.MaxMetadataLength)
		}
		t := w.tenant()
		for range 40 {
			other := &bellwire.Tenant{ID: w.name("tenant"), Metadata: large, CreatedAt: w.now}
			w.check(w.store.CreateTenant(w.ctx, other))
			w.endpoint(t, func(ep *bellwire.Endpoint) { ep.Metadata = large })
			_, err := w.store.PutEventType(w.ctx, &bellwire.EventType{
				Name: w.name("type"), Example: json.RawMessage(`"` + strings.Repeat("x", 200<<10) + `"`),
			})
			w.check(err)
		}
		for range 400 {
			e := w.auditEntry(t.ID)
			e.Principal = strings.Repeat("\x02", 1024)
			e.Justification = e.Principal
			w.check(w.store.AppendAudit(w.ctx, e, 1000))
		}
		fill(w, "tenants", 41, func(page bellwire.Page) (*bellwire.List[*bellwire.Tenant], error) {
			return w.store.Tenants(w.ctx, page)
		})
		fill(w, "endpoints", 40, func(page bellwire.Page) (*bellwire.List[*bellwire.Endpoint], error) {
			return w.store.Endpoints(w.ctx, bellwire.EndpointFilter{Tenant: t.ID}, page)
		})
		fill(w, "event types", 40, func(page bellwire.Page) (*bellwire.List[*bellwire.EventType], error) {
			return w.store.EventTypes(w.ctx, page)
		})
		fill(w, "audit entries", 400, func(page bellwire.Page) (*bellwire.List[*bellwire.AuditEntry], error) {
			return w.store.AuditEntries(w.ctx, bellwire.AuditFilter{Tenant: t.ID}, page)
		})
	}},
	{name: "Attempts/EndAtTheirBytes", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		w.publish(ep)
		d := w.take(ep)
		const made = 250
		for range made / 50 {
			var results []*bellwire.Result
			for range 50 {
				r := w.manualResult(d, bellwire.TriggerManual, bellwire.Transition{})
				r.Attempt.Response = &bellwire.AttemptResponse{Status: 500, Body: []byte(strings.Repeat("\x01", bellwire.MaxStoredBody))}
				results = append(results, r)
			}
			w.record(results...)
		}
		attempts := w.attempts(d.ID)
		if size := jsonSize(w, attempts); size > bellwire.MaxPageBytes+bellwire.MaxPageBytes/10 || size < bellwire.MaxPageBytes/2 {
			w.Errorf("%d attempts take %d bytes", len(attempts), size)
		}
		w.equal("the last", attempts[len(attempts)-1].Number, made)
		w.equal("the first", attempts[0].Number, made+1-len(attempts))
	}},
}

// fill reads a list of large things to its end, and expects that no page is much larger than it may be, and none but the
// last much smaller.
func fill[T any](w *world, what string, count int, read func(bellwire.Page) (*bellwire.List[T], error)) {
	w.Helper()
	short, err := read(bellwire.Page{Limit: 1000, Bytes: 1})
	w.check(err)
	w.equal("items of the shortest page of "+what, len(short.Items), 1)
	got := 0
	for page := (bellwire.Page{Limit: 1000}); ; {
		list, err := read(page)
		w.check(err)
		got += len(list.Items)
		size := jsonSize(w, list.Items)
		if size > bellwire.MaxPageBytes+bellwire.MaxPageBytes/8 || list.Next != "" && size < bellwire.MaxPageBytes/2 {
			w.Errorf("a page of %d %s has %d bytes", len(list.Items), what, size)
		}
		if list.Next == "" {
			break
		}
		page.After = list.Next
	}
	w.equal(what, got, count)
}

// jsonSize returns how many bytes something takes as JSON. Bytes are counted as the text that they are.
func jsonSize(w *world, v any) int {
	w.Helper()
	if attempts, ok := v.([]*bellwire.Attempt); ok {
		size := 0
		for _, a := range attempts {
			body, err := json.Marshal(string(a.Response.Body))
			w.check(err)
			size += len(body)
		}
		return size
	}
	encoded, err := json.Marshal(v)
	w.check(err)
	return len(encoded)
}
