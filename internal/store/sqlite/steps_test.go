package sqlite

import (
	"bytes"
	"fmt"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/storetest"
)

// countSteps returns how many steps SQLite made for the reads of f. It says how many rows were looked at, whatever else the
// machine does.
func countSteps(s *Store, f func()) (steps int) {
	s.steps()
	f()
	return s.steps()
}

// steps returns how many steps the readers' statements made since it was called last.
func (s *Store) steps() (total int) {
	for _, r := range s.allReaders() {
		connections := r.all()
		for _, c := range connections {
			tls := (*libc.TLS)(reflect.ValueOf(c.conn).Elem().FieldByName("tls").UnsafePointer())
			for _, q := range c.queries {
				stmt := uintptr(reflect.ValueOf(q.stmt).Elem().FieldByName("stmt").Uint())
				total += int(lib.Xsqlite3_stmt_status(tls, stmt, lib.SQLITE_STMTSTATUS_VM_STEP, 1))
			}
		}
		r.release(connections)
	}
	return total
}

// TestDeletedEndpointsCostNothing lists, and looks for work, beside few deleted endpoints and beside thousands, which one
// tenant makes in seconds.
func TestDeletedEndpointsCostNothing(t *testing.T) {
	t.Parallel()
	s := openAt(t, filepath.Join(t.TempDir(), "bellwire.db"))
	leases, err := s.RenewLeases(t.Context(), "node")
	check(t, err)
	check(t, s.CreateTenant(t.Context(), &bellwire.Tenant{ID: "acme"}))
	check(t, s.CreateEndpoint(t.Context(), &bellwire.Endpoint{ID: "living", Tenant: "acme"}, bellwire.ChangeNote{}))
	deliver(t, s, "living", 300)
	removed := 0
	remove := func(until int) {
		for ; removed < until; removed++ {
			id := fmt.Sprint("gone", removed)
			check(t, s.CreateEndpoint(t.Context(), &bellwire.Endpoint{ID: id, Tenant: "acme"}, bellwire.ChangeNote{}))
			deliver(t, s, id, 1)
			check(t, s.DeleteEndpoint(t.Context(), "acme", id, time.Now(), bellwire.ChangeNote{}))
			_, err := s.CancelOpen(t.Context(), id, "", time.Now(), 10)
			check(t, err)
		}
	}
	events, err := s.Events(t.Context(), bellwire.EventFilter{Tenant: "acme"}, bellwire.Page{Limit: 1})
	check(t, err)
	reads := map[string]func() error{
		"endpoints": func() error {
			_, err := s.Endpoints(t.Context(), bellwire.EndpointFilter{Tenant: "acme"}, bellwire.Page{Limit: 50})
			return err
		},
		"an explanation": func() error {
			_, err := s.Explain(t.Context(), "acme", events.Items[0].ID, bellwire.Page{Limit: 50})
			return err
		},
		"a history": func() error {
			_, err := s.EndpointHistory(t.Context(), "acme", "living", bellwire.Page{Limit: 50})
			return err
		},
		"all endpoints": func() error { _, _, err := s.TenantEndpoints(t.Context(), "acme"); return err },
		"events": func() error {
			_, err := s.Events(t.Context(), bellwire.EventFilter{Tenant: "acme"}, bellwire.Page{Limit: 50})
			return err
		},
		"all deliveries": func() error { _, err := s.AllDeliveries(t.Context(), bellwire.Page{Limit: 50}); return err },
		"what is due":    func() error { _, err := storetest.DueEndpoints(t.Context(), s, leases); return err },
		"the backlog":    func() error { _, err := s.Backlog(t.Context()); return err },
	}
	for _, status := range append([]bellwire.DeliveryStatus{""}, bellwire.DeliveryStatuses...) {
		f := bellwire.DeliveryFilter{Tenant: "acme", Status: status}
		reads["deliveries "+string(status)] = func() error { _, err := s.Deliveries(t.Context(), f, bellwire.Page{Limit: 50}); return err }
		later := bellwire.MakeCursor(endOfPage(t, s, f))
		reads["older deliveries "+string(status)] = func() error {
			_, err := s.Deliveries(t.Context(), f, bellwire.Page{Limit: 50, After: later})
			return err
		}
	}
	measure := func() map[string]int {
		steps := make(map[string]int)
		for name, read := range reads {
			steps[name] = countSteps(s, func() { check(t, read()) })
		}
		return steps
	}
	remove(60)
	few := measure()
	remove(600)
	for name, steps := range measure() {
		if few[name] == 0 || steps > 3*few[name]/2 {
			t.Errorf("%s: %d steps beside 60 deleted endpoints, %d beside 600", name, few[name], steps)
		}
	}
	purge := func() {
		n, err := s.Purge(t.Context(), time.Now(), time.Time{}, 300)
		check(t, err)
		if n != 0 {
			t.Errorf("%d rows were deleted, and deliveries refer to all of them", n)
		}
	}
	purge()
	if steps := countSteps(s, purge); steps > 1000 {
		t.Errorf("to look for deleted endpoints again took %d steps", steps)
	}
}

// A tenant that deletes endpoints with thousands of deliveries each is listed in as many steps as before, once Purge has settled
// them. Its lists have every delivery once, in between too.
func TestDeletedEndpointsWithManyDeliveriesAreSettled(t *testing.T) {
	t.Parallel()
	s := openAt(t, filepath.Join(t.TempDir(), "bellwire.db"))
	_, err := s.RenewLeases(t.Context(), "node")
	check(t, err)
	check(t, s.CreateTenant(t.Context(), &bellwire.Tenant{ID: "acme"}))
	check(t, s.CreateEndpoint(t.Context(), &bellwire.Endpoint{ID: "living", Tenant: "acme"}, bellwire.ChangeNote{}))
	deliver(t, s, "living", 30)
	list := func(limit int, after bellwire.Cursor) *bellwire.List[*bellwire.Delivery] {
		page, err := s.Deliveries(t.Context(), bellwire.DeliveryFilter{Tenant: "acme"}, bellwire.Page{Limit: limit, After: after})
		check(t, err)
		return page
	}
	newest := func() int { return countSteps(s, func() { list(1, "") }) }
	before := newest()
	const endpoints, each = 4, maxSettled + 10
	for i := range endpoints {
		check(t, s.CreateEndpoint(t.Context(), &bellwire.Endpoint{ID: fmt.Sprint("gone", i), Tenant: "acme"}, bellwire.ChangeNote{}))
		deliver(t, s, fmt.Sprint("gone", i), each)
	}
	for i := range endpoints {
		check(t, s.DeleteEndpoint(t.Context(), "acme", fmt.Sprint("gone", i), time.Now(), bellwire.ChangeNote{}))
	}
	inOrder := func(what string) {
		t.Helper()
		var last bellwire.DeliveryID
		listed := 0
		for page := list(200, ""); ; page = list(200, page.Next) {
			for _, d := range page.Items {
				if listed > 0 && bytes.Compare(d.ID[:], last[:]) >= 0 {
					t.Fatalf("%s: %s is listed after %s", what, d.ID, last)
				}
				last = d.ID
				listed++
			}
			if page.Next == "" {
				break
			}
		}
		if want := 30 + endpoints*each; listed != want {
			t.Errorf("%s: %d deliveries are listed, want %d", what, listed, want)
		}
	}
	inOrder("unsettled")
	if unsettled := newest(); unsettled <= 3*before/2 {
		t.Errorf("a list takes %d steps beside unsettled endpoints, and took %d before: it cannot tell what settling saves", unsettled, before)
	}
	const limit = 30
	purge := func() int {
		n, err := s.Purge(t.Context(), time.Now(), time.Time{}, limit)
		check(t, err)
		if n > limit {
			t.Errorf("%d rows were settled, the limit is %d", n, limit)
		}
		return n
	}
	purge()
	inOrder("some settled")
	settled := 0
	for n := limit; n > 0; settled += n {
		n = purge()
	}
	if settled == 0 {
		t.Error("nothing was settled")
	}
	inOrder("settled")
	if after := newest(); after > 3*before/2 {
		t.Errorf("a list takes %d steps beside deleted endpoints, and took %d before", after, before)
	}
}

// endOfPage returns the cursor after the first page of a list of deliveries.
func endOfPage(t *testing.T, s *Store, f bellwire.DeliveryFilter) []byte {
	t.Helper()
	list, err := s.Deliveries(t.Context(), f, bellwire.Page{Limit: 100})
	check(t, err)
	if len(list.Items) == 0 {
		return make([]byte, 16)
	}
	id := list.Items[len(list.Items)-1].ID
	return id[:]
}

// deliver stores so many events with a delivery each, of which half succeed.
func deliver(t *testing.T, s *Store, endpoint string, n int) {
	t.Helper()
	var (
		appends  []*bellwire.Append
		outcomes []*bellwire.Result
	)
	now := time.Now()
	for i := range n {
		id := bellwire.NewID[bellwire.EventKind](now)
		d := bellwire.NewDelivery{ID: bellwire.DeliveryOf(id, 0), Endpoint: endpoint, Epoch: s.leases.epoch.Load()}
		appends = append(appends, &bellwire.Append{Events: []*bellwire.NewEvent{{
			Event:      bellwire.Event{ID: id, Tenant: "acme", Type: "a", Data: []byte("1"), CreatedAt: now},
			Deliveries: []bellwire.NewDelivery{d},
		}}})
		if i%2 == 0 {
			outcomes = append(outcomes, &bellwire.Result{
				Delivery: d.ID, Epoch: d.Epoch, Trigger: bellwire.TriggerSchedule, EndedAt: now, Endpoint: endpoint,
				Transition: bellwire.Transition{Status: bellwire.DeliverySucceeded},
			})
		}
	}
	results, err := s.AppendEvents(t.Context(), appends)
	check(t, err)
	for _, r := range results {
		check(t, r.Err)
	}
	_, err = s.RecordResults(t.Context(), outcomes)
	check(t, err)
}
