package engine_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine"
)

// outbox holds events that were published in the store's database, as a store on PostgreSQL does.
type outbox struct {
	bellwire.Store

	mu        sync.Mutex
	waiting   []bellwire.Unmatched
	postponed map[bellwire.EventID]time.Time
	seen

	refuse func(data string) error // what is appended; nil: nothing
}

// seen records the calls that the engine made to an outbox.
type seen struct {
	stored    []bellwire.Event
	problems  map[bellwire.EventID]string
	announced int
	looks     int
}

// look returns the calls so far.
func (in *outbox) look() seen {
	in.mu.Lock()
	defer in.mu.Unlock()
	now := in.seen
	now.stored, now.problems = slices.Clone(now.stored), maps.Clone(now.problems)
	return now
}

// withOutbox restarts the world with an outbox.
func withOutbox(w *world) *outbox {
	in := &outbox{postponed: map[bellwire.EventID]time.Time{}, seen: seen{problems: map[bellwire.EventID]string{}}}
	w.stop()
	w.wrap = func(s bellwire.Store) bellwire.Store {
		in.Store = s
		return in
	}
	w.config.Outbox = in
	w.start()
	return in
}

// put publishes events of the type "ping" inside the database.
func (in *outbox) put(data ...string) (ids []bellwire.EventID) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, d := range data {
		id := bellwire.NewID[bellwire.EventKind](now())
		in.waiting = append(in.waiting, bellwire.Unmatched{Event: &bellwire.Event{
			ID: id, Tenant: "acme", Type: "ping", Data: []byte(d), CreatedAt: now(),
		}})
		ids = append(ids, id)
	}
	return ids
}

func (in *outbox) Unmatched(_ context.Context, _ *bellwire.Leases, but []string) ([]bellwire.Unmatched, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.looks++
	var due, again []bellwire.Unmatched
	for _, u := range in.waiting {
		if slices.Contains(but, u.Event.Tenant) {
			continue
		}
		until, postponed := in.postponed[u.Event.ID]
		switch {
		case !postponed:
			due = append(due, u)
		case !time.Now().Before(until):
			u.Again = true
			again = append(again, u)
		}
	}
	return append(due, again...), nil
}

func (in *outbox) PostponeUnmatched(_ context.Context, id bellwire.EventID, problem string, wait time.Duration) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.postponed[id], in.problems[id] = time.Now().Add(wait), problem
	return nil
}

func (in *outbox) AnnouncePolling(context.Context, string, time.Duration) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.announced++
	return nil
}

func (in *outbox) LimitEvents(context.Context, int) error { return nil }

func (in *outbox) AppendEvents(ctx context.Context, appends []*bellwire.Append) ([]bellwire.AppendResult, error) {
	for _, a := range appends {
		for _, e := range a.Events {
			if in.refuse == nil {
				continue
			}
			if err := in.refuse(string(e.Event.Data)); err != nil {
				return nil, err
			}
		}
	}
	unmatched := make(map[*bellwire.NewEvent]bool)
	for _, a := range appends {
		for _, e := range a.Events {
			unmatched[e], e.Unmatched = e.Unmatched, false // the store has no outbox
		}
	}
	results, err := in.Store.AppendEvents(ctx, appends)
	in.mu.Lock()
	defer in.mu.Unlock()
	for i, a := range appends {
		for _, e := range a.Events {
			if e.Unmatched = unmatched[e]; err == nil && results[i].Err == nil && e.Unmatched {
				in.stored = append(in.stored, e.Event)
				in.waiting = slices.DeleteFunc(in.waiting, func(u bellwire.Unmatched) bool { return u.Event.ID == e.Event.ID })
			}
		}
	}
	return results, err
}

func idsOf(events []bellwire.Event) (ids []bellwire.EventID) {
	for _, e := range events {
		ids = append(ids, e.ID)
	}
	return ids
}

func putSchema(t *testing.T, w *world, schema string) {
	t.Helper()
	_, err := w.store.PutEventType(t.Context(), &bellwire.EventType{Name: "ping", Schema: []byte(schema), CreatedAt: now(), UpdatedAt: now()})
	must(t, err)
}

func TestUnmatchedEventsAreDelivered(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		in := withOutbox(w)
		ep := w.endpoint("a", func(ep *bellwire.Endpoint) { ep.Ordering = bellwire.OrderingFIFO })
		r := w.receiver("a", answers(200))
		var data []string
		for n := range 300 {
			data = append(data, fmt.Sprint(n))
		}
		ids := in.put(data...)
		w.pass(2 * time.Second)
		if diff := cmp.Diff(ids, idsOf(in.look().stored)); diff != "" {
			t.Errorf("they were stored in another order, or as others:\n%.500s", diff)
		}
		if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != 300 || len(got) != 1 {
			t.Errorf("the deliveries are %v", got)
		}
		if diff := cmp.Diff(texts(ids), r.ids()); diff != "" {
			t.Errorf("they came in another order:\n%.500s", diff)
		}
	})
}

// The schema that counts is the one of the moment of matching, whatever this node knew before.
func TestUnmatchedEventsThatDoNotFit(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		in := withOutbox(w)
		ep := w.endpoint("a")
		w.receiver("a", answers(200))
		in.put(`"first"`)
		w.pass(2 * time.Second) // the catalogue is known without a schema
		putSchema(t, w, `{"type": "number"}`)
		ids := in.put("1", `"one"`, "2")
		w.pass(2 * time.Second)
		var problems []string
		for _, e := range in.look().stored {
			problems = append(problems, e.Problem)
		}
		if len(problems) != 4 || !strings.HasPrefix(problems[2], "data") || !strings.Contains(problems[2], `schema of event type "ping"`) {
			t.Errorf("problems: %q", problems)
			return
		}
		problems[2] = ""
		if diff := cmp.Diff([]string{"", "", "", ""}, problems); diff != "" {
			t.Error("problems of events that fit (-want +got):", diff)
		}
		if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != 3 || len(got) != 1 {
			t.Errorf("the deliveries are %v", got)
		}
		if e, err := w.store.Event(t.Context(), "acme", ids[1]); err != nil || e.Deliveries != 0 {
			t.Errorf("what does not fit is %+v: %v", e, err)
		}
	})
}

// badSchemas is a directory whose schemas fail for some data.
type badSchemas struct {
	engine.Directory
	fault func(data string) error
}

func (b badSchemas) Schemas(ctx context.Context, tenant string) (bellwire.Schemas, int64, error) {
	schemas, revision, err := b.Directory.Schemas(ctx, tenant)
	return faultySchemas{schemas, b.fault}, revision, err
}

// faultySchemas fail for some data.
type faultySchemas struct {
	bellwire.Schemas
	fault func(data string) error
}

func (f faultySchemas) Check(ctx context.Context, e *bellwire.Event) error {
	if err := f.fault(string(e.Data)); err != nil {
		return err
	}
	return f.Schemas.Check(ctx, e)
}

// An event that cannot be matched by a fault of ours waits apart, and those behind it go ahead.
func TestUnmatchedEventsOfAFault(t *testing.T) {
	t.Parallel()
	internal := func() error {
		return bellwire.Wrap(bellwire.CodeInternal, errors.New("secret"), "the database refused an operation")
	}
	for name, fault := range map[string]struct {
		schemas, store func() error
	}{
		"a schema that cannot be used": {schemas: internal},
		"a check that panics":          {schemas: func() error { panic("secret") }},
		"a store that refuses it":      {store: internal},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				var mended atomic.Bool
				at13 := func(data string, fault func() error) error {
					if data != "13" || fault == nil || mended.Load() {
						return nil
					}
					return fault()
				}
				w.around = func(d engine.Directory) engine.Directory {
					return badSchemas{d, func(data string) error { return at13(data, fault.schemas) }}
				}
				in := withOutbox(w)
				in.refuse = func(data string) error { return at13(data, fault.store) }
				ep := w.endpoint("a")
				w.receiver("a", answers(200))
				ids := in.put("12", "13", "14")
				w.pass(5 * time.Second)
				if diff := cmp.Diff([]bellwire.EventID{ids[0], ids[2]}, idsOf(in.look().stored)); diff != "" {
					t.Error(diff)
				}
				problem := in.look().problems[ids[1]]
				if len(in.look().problems) != 1 || !strings.HasPrefix(problem, "could not be matched yet: ") || strings.Contains(problem, "secret") {
					t.Errorf("the problems are %q", in.look().problems)
				}
				mended.Store(true)
				w.pass(2 * time.Minute)
				if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != 3 || len(got) != 1 {
					t.Errorf("when the fault is gone the deliveries are %v", got)
				}
			})
		})
	}
}

// While there is much to do, publishers need not wake the node; when there is nothing, it looks once a second.
func TestOutboxIsPolled(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		in := withOutbox(w)
		w.pass(time.Minute)
		if in.look().announced != 0 || in.look().looks > 70 || in.look().looks < 50 {
			t.Errorf("in a quiet minute it looks %d times and announces polling %d times", in.look().looks, in.look().announced)
		}
		for range 500 {
			in.put("1")
			w.pass(10 * time.Millisecond)
		}
		if in.look().announced < 3 || in.look().announced > 6 {
			t.Errorf("in five busy seconds it announces polling %d times", in.look().announced)
		}
		w.pass(time.Minute)
		announced, looks := in.look().announced, in.look().looks
		w.pass(time.Minute)
		if in.look().announced != announced || in.look().looks > looks+70 {
			t.Errorf("in a quiet minute after that it looks %d times and announces polling %d times", in.look().looks-looks, in.look().announced-announced)
		}
	})
}
