package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/live"
	"github.com/bellwire/bellwire/internal/service"
)

const tagLive = "Live"

// The pace of live streams.
const (
	heartbeat   = 15 * time.Second // between comments, which keep proxies from closing a silent stream
	validate    = 2 * time.Second  // between two looks at the caller's key or session
	reconnect   = 2 * time.Second  // how long a browser waits before it comes back
	streamBytes = 64 << 10         // that a stream is charged for
)

// stream adds the live streams. They do not use Huma, which responds at once.
func (a *api) stream() {
	tenants := a.documentStream(&huma.Operation{
		OperationID: "watch-tenant", Path: "/tenants/{tenant}/live", Summary: "Watch a tenant's attempts",
	})
	operators := a.documentStream(&huma.Operation{
		OperationID: "watch", Path: "/live", Summary: "Watch the attempts of all tenants",
	})
	a.mux.HandleFunc("GET "+base+"/tenants/{tenant}/live", func(w http.ResponseWriter, r *http.Request) { a.watch(w, r, tenants, service.Read) })
	a.mux.HandleFunc("GET "+base+"/live", func(w http.ResponseWriter, r *http.Request) { a.watch(w, r, operators, service.Manage) })
}

// watch serves a stream until the client leaves, the caller's key or session ends, or the server stops.
func (a *api) watch(w http.ResponseWriter, r *http.Request, op *huma.Operation, need service.Permission) {
	ctx := bellwire.WithCall(r.Context(), httpx.CallOf(w, r))
	caller, stream, err := a.beginStream(ctx, w, r, op, need)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	defer stream.Close()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	events := &eventWriter{w: w, control: http.NewResponseController(w)}
	// The server's read timeout is for requests, and would end the stream. Only test servers cannot change it.
	_ = events.control.SetReadDeadline(time.Time{})
	fmt.Fprintf(&events.buffer, "retry: %d\n\n", reconnect.Milliseconds())
	if events.flush() == nil {
		a.follow(ctx, caller, stream, events)
	}
}

func (a *api) beginStream(ctx context.Context, w http.ResponseWriter, r *http.Request, op *huma.Operation, need service.Permission) (service.Caller, *live.Stream, error) {
	caller, err := a.authenticate(r)
	if err == nil {
		err = httpx.Confirm(r, caller.Owner())
	}
	if err == nil {
		err = a.svc.Permit(ctx, caller, need, r.PathValue("tenant"))
	}
	if err == nil {
		err = checkParameters(op, r.URL.RawQuery)
	}
	if err == nil {
		err = httpx.Charge(w, streamBytes)
	}
	if err != nil {
		return caller, nil, err
	}
	query := r.URL.Query()
	filter := live.Filter{
		Tenant: query.Get("tenant"), Endpoint: query.Get("endpoint"), Type: query.Get("type"), Dialect: query.Get("dialect"),
		Outcome: bellwire.Outcome(query.Get("outcome")),
	}
	if tenant := r.PathValue("tenant"); tenant != "" {
		filter.Tenant = tenant
	}
	filter.Status, _ = strconv.Atoi(query.Get("status")) // checked before
	stream, err := a.svc.WatchLive(ctx, caller, filter, r.Header.Get("Last-Event-ID"))
	return caller, stream, err
}

// follow writes what is new as it comes.
func (a *api) follow(ctx context.Context, caller service.Caller, stream *live.Stream, events *eventWriter) {
	beat, check := time.NewTicker(heartbeat), time.NewTicker(validate)
	defer beat.Stop()
	defer check.Stop()
	for {
		select {
		case <-stream.Ready():
			events.batch(stream.Take())
		case <-beat.C:
			events.buffer.WriteString(":\n\n")
		case <-check.C:
			// While the store does not answer, nobody can end the session either.
			if err := a.svc.StillValid(ctx, caller); bellwire.CodeOf(err) == bellwire.CodeUnauthenticated {
				events.event("end", "", problemOf(httpx.AsError(err)))
				_ = events.flush() // the client may be gone
				return
			}
		case <-stream.Ended():
			return
		case <-ctx.Done():
			return
		}
		if events.flush() != nil {
			return
		}
	}
}

// eventWriter writes server-sent events.
type eventWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	buffer  bytes.Buffer
}

// batch writes what is new in a stream.
func (e *eventWriter) batch(b live.Batch) {
	if b.Gap {
		e.event("gap", "", struct{}{})
	}
	for _, attempt := range b.Attempts {
		e.raw("attempt", attempt.ID, attempt.Data)
	}
	if b.Sampled > 0 || b.Dropped > 0 {
		e.event("skipped", "", map[string]int{"sampled": b.Sampled, "dropped": b.Dropped})
	}
	if b.Counters != nil {
		e.raw("counters", "", *b.Counters)
	}
}

func (e *eventWriter) event(name, id string, data any) {
	encoded, err := marshal(nil, data)
	if err != nil { // they are ours
		panic(err)
	}
	e.raw(name, id, encoded)
}

// raw writes an event with JSON, which has no line breaks.
func (e *eventWriter) raw(name, id string, data json.RawMessage) {
	fmt.Fprintf(&e.buffer, "event: %s\n", name)
	if id != "" {
		fmt.Fprintf(&e.buffer, "id: %s\n", id)
	}
	fmt.Fprintf(&e.buffer, "data: %s\n\n", data)
}

// flush sends what was written. It fails if the client is gone, or has read nothing for long.
func (e *eventWriter) flush() error {
	if e.buffer.Len() == 0 {
		return nil
	}
	_, err := e.w.Write(e.buffer.Bytes())
	e.buffer.Reset()
	if err != nil {
		return err
	}
	return e.control.Flush()
}

// documentStream adds a stream to the documentation.
func (a *api) documentStream(op *huma.Operation) *huma.Operation {
	op.Method, op.Tags = http.MethodGet, []string{tagLive}
	op.Description = "Responds with server-sent events (`text/event-stream`), until the client leaves or its key or session ends. " +
		"`attempt`: an attempt that has ended, at any node. At most 200 per second; of more, some are left out. " +
		"`skipped`: how many were left out since the last time, because there are so many (`sampled`) or because the client reads slowly (`dropped`). " +
		"`counters`: each second, the attempts of the second before, and for operators the published events; the filters other than `tenant` do not apply to them. " +
		"`gap`: the attempt in `Last-Event-ID` is not remembered any more, so some may be missing. `end`: the problem for which the stream ends. " +
		"A stream begins with what ends from now on, or after the attempt in `Last-Event-ID`."
	describe(op)
	text := func(name, doc, example string) *huma.Param {
		return &huma.Param{Name: name, In: "query", Description: doc, Example: example, Schema: &huma.Schema{Type: huma.TypeString}}
	}
	outcomes := []any{string(live.Failed)}
	for _, o := range bellwire.Outcomes {
		outcomes = append(outcomes, string(o))
	}
	least, most := 100.0, 999.0
	op.Parameters = []*huma.Param{
		text("endpoint", "Only attempts at this endpoint.", "ep_0198c7a3f2e47d0a9b1c2d3e4f506172"),
		text("type", "Only attempts for this event type, or with * at its end for those that begin with it.", "invoice.*"),
		text("dialect", "Only attempts in this dialect.", "standard"),
		{Name: "outcome", In: "query", Description: "Only attempts with this outcome; failed: all but ok.", Schema: &huma.Schema{Type: huma.TypeString, Enum: outcomes}},
		{Name: "status", In: "query", Description: "Only attempts with this status in the response.", Example: 503, Schema: &huma.Schema{Type: huma.TypeInteger, Minimum: &least, Maximum: &most}},
		{Name: "Last-Event-ID", In: "header", Description: "The id of the last attempt that was seen, to continue after it. Browsers send it when they come back.", Schema: &huma.Schema{Type: huma.TypeString}},
	}
	if op.OperationID == "watch-tenant" {
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: "tenant", In: "path", Required: true, Description: "The tenant's id.", Example: "acme", Schema: &huma.Schema{Type: huma.TypeString},
		})
	} else {
		op.Description = "For admin keys. " + op.Description
		op.Parameters = append(op.Parameters, text("tenant", "Only attempts of this tenant.", "acme"))
	}
	op.Responses = map[string]*huma.Response{"200": {
		Description: http.StatusText(http.StatusOK),
		Content: map[string]*huma.MediaType{"text/event-stream": {
			Schema:  &huma.Schema{Type: huma.TypeString},
			Example: "event: attempt\nid: att_0198c7a3f2e47d0a9b1c2d3e4f506172\ndata: {\"tenant\":\"acme\",\"endpoint\":\"ep_…\",\"outcome\":\"ok\",\"status\":200}\n\n",
		}},
	}}
	doc := a.huma.OpenAPI()
	addErrors(doc, op, op.Errors...)
	addErrors(doc, op, http.StatusInternalServerError, http.StatusUnprocessableEntity)
	doc.AddOperation(op)
	return op
}
