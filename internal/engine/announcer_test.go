package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/testenv"
)

// operators makes the tenant that operational events are published to, with an endpoint that gets them.
func (w *world) operators(answer int) *receiver {
	w.t.Helper()
	must(w.t, w.store.CreateTenant(w.t.Context(), &bellwire.Tenant{
		ID: bellwire.OperationsTenant, OperationalEvents: true, CreatedAt: now(), UpdatedAt: now(),
	}))
	w.endpoint("ops", once, func(ep *bellwire.Endpoint) { ep.Tenant, ep.Events = bellwire.OperationsTenant, []string{"bellwire.*"} })
	return w.receiver("ops", answers(answer))
}

// operational lists the operational events of a tenant as they are stored, oldest first: each type with the tenant that it is
// about.
func (w *world) operational(tenant string) (types []string) {
	w.t.Helper()
	list, err := w.store.Events(w.t.Context(), bellwire.EventFilter{Tenant: tenant, OldestFirst: true}, bellwire.Page{Limit: 10_000})
	must(w.t, err)
	for _, e := range list.Items {
		if bellwire.IsOperational(e.Type) {
			var d bellwire.OperationalData
			must(w.t, json.Unmarshal(e.Data, &d))
			types = append(types, e.Type[len(bellwire.OperationalPrefix):]+" "+d.Tenant)
			if !e.OccurredAt.Equal(d.At) {
				w.t.Errorf("%s occurred at %s, its data says %s", e.Type, e.OccurredAt, d.At)
			}
		}
	}
	return types
}

func expectTexts(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\ngot  %q\nwant %q", what, got, want)
	}
}

// What happens to an endpoint is told to operators and to a tenant that wants it, and nothing of what comes of telling it.
func TestOperationalEvents(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		acme, err := w.store.Tenant(t.Context(), "acme")
		must(t, err)
		acme.OperationalEvents = true
		must(t, w.store.UpdateTenant(t.Context(), acme))
		ops := w.operators(500) // the failures of its own endpoint are told to nobody
		a := w.receiver("a", answers(500))
		w.endpoint("a", once, func(ep *bellwire.Endpoint) { ep.Events = []string{"ping", "bellwire.endpoint.*"} })
		w.pass(time.Minute)
		w.publish(1)
		w.pass(time.Minute)
		a.now(answers(200))
		w.publish(3)
		w.pass(time.Hour)
		// The endpoint began to fail with the delivery of an operational event, so that no event tells of that.
		want := []string{"endpoint.created acme", "delivery.exhausted acme", "endpoint.recovered acme"}
		expectTexts(t, "what the tenant got", w.operational("acme"), want...)
		expectTexts(t, "what operators got", w.operational(bellwire.OperationsTenant), want...)
		if got, sent := len(ops.got()), len(w.operational(bellwire.OperationsTenant)); got != sent {
			t.Errorf("the endpoint of operators got %d requests for %d events", got, sent)
		}
	})
}

// An endpoint that subscribes to everything gets operational events only if its tenant asked for them: nobody gets new kinds of
// events because there are some now.
func TestOperationalEventsAreAskedFor(t *testing.T) {
	for asked, want := range map[bool]int{false: 0, true: 2} {
		t.Run(fmt.Sprint(asked), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				acme, err := w.store.Tenant(t.Context(), "acme")
				must(t, err)
				acme.OperationalEvents = asked
				must(t, w.store.UpdateTenant(t.Context(), acme))
				ops := w.operators(200)
				all := w.receiver("all", answers(200))
				w.endpoint("all", func(ep *bellwire.Endpoint) { ep.Events = []string{"*"} })
				w.receiver("a", answers(500))
				w.endpoint("a", once, func(ep *bellwire.Endpoint) { ep.Events = []string{"ping"} })
				w.pass(time.Minute)
				before := len(all.got()) // that endpoints were created
				w.publish(1)
				w.pass(time.Minute)
				if got := len(all.got()) - before - 1; got != want { // beside what was published
					t.Errorf("it got %d operational events, want %d", got, want)
				}
				if !asked && before > 0 {
					t.Errorf("it got %d events before any was published", before)
				}
				if len(ops.got()) == 0 {
					t.Error("operators got none")
				}
			})
		})
	}
}

// crashingStore ends the world at one point of publishing an operational event.
type crashingStore struct {
	bellwire.Store
	point   string
	crashed chan struct{}
	once    sync.Once
	dead    bool
}

func (s *crashingStore) at(point string) error {
	if s.dead || point == s.point {
		s.dead = true
		s.once.Do(func() { close(s.crashed) })
		return bellwire.Errorf(bellwire.CodeUnavailable, "the process is dead")
	}
	return nil
}

func (s *crashingStore) TakeOperational(ctx context.Context, but []string, limit int) ([]*bellwire.OperationalEvent, error) {
	events, err := s.Store.TakeOperational(ctx, but, limit)
	if len(events) > 0 {
		err = s.at("taken")
	}
	return events, err
}

func (s *crashingStore) AppendEvents(ctx context.Context, appends []*bellwire.Append) ([]bellwire.AppendResult, error) {
	if !bellwire.IsOperational(appends[0].Events[0].Event.Type) {
		return s.Store.AppendEvents(ctx, appends)
	}
	if err := s.at("before the event is stored"); err != nil {
		return nil, err
	}
	results, err := s.Store.AppendEvents(ctx, appends)
	if err == nil {
		err = s.at("after it is stored")
	}
	return results, err
}

func (s *crashingStore) EndOperational(ctx context.Context, numbers []int64) error {
	if err := s.at("before it is forgotten"); err != nil {
		return err
	}
	if err := s.Store.EndOperational(ctx, numbers); err != nil {
		return err
	}
	return s.at("after it is forgotten")
}

// The process dies while it publishes operational events: the next one publishes each once in all.
func TestOperationalEventsSurviveCrashes(t *testing.T) {
	for _, point := range []string{"taken", "before the event is stored", "after it is stored", "before it is forgotten", "after it is forgotten"} {
		t.Run(point, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				ops := w.operators(200)
				w.receiver("a", answers(500))
				w.endpoint("a", once)
				w.pass(time.Minute)
				w.stop()
				crashing := &crashingStore{point: point, crashed: make(chan struct{})}
				w.wrap = func(s bellwire.Store) bellwire.Store {
					crashing.Store = s
					return crashing
				}
				w.start()
				w.publish(1)
				<-crashing.crashed
				w.crash()
				w.wrap = nil
				w.start()
				w.pass(time.Hour)
				expectTexts(t, "what operators got", w.operational(bellwire.OperationsTenant),
					"endpoint.created acme", "delivery.exhausted acme", "endpoint.failing acme")
				if got := len(ops.ids()); got != 3 {
					t.Errorf("the endpoint got %d messages, want 3", got)
				}
			})
		})
	}
}

// The deliveries of a dead endpoint end, thousands at once: each is told of once, and events share them.
func TestOperationalEventsOfManyDeliveries(t *testing.T) {
	testenv.Long(t)
	inWorld(t, func(t *testing.T, w *world) {
		ops := w.operators(200)
		w.receiver("a", answers(500))
		w.endpoint("a", once)
		const ended = 2000
		for range ended / 1000 {
			w.batch(1000)
		}
		w.pass(time.Hour)
		events, err := w.store.Events(t.Context(), bellwire.EventFilter{
			Tenant: bellwire.OperationsTenant, Type: bellwire.OperationalExhausted,
		}, bellwire.Page{Limit: 10_000})
		must(t, err)
		told := make(map[bellwire.DeliveryID]int)
		for _, e := range events.Items {
			var d bellwire.OperationalData
			must(t, json.Unmarshal(e.Data, &d))
			for _, delivery := range d.Deliveries {
				told[delivery.ID]++
			}
		}
		for id, n := range told {
			if n != 1 {
				t.Errorf("%s is told of %d times", id, n)
			}
		}
		if len(told) != ended || len(events.Items) > ended/20 {
			t.Errorf("%d events tell of %d deliveries, want %d in few events", len(events.Items), len(told), ended)
		}
		if got, want := len(ops.ids()), len(w.operational(bellwire.OperationsTenant)); got != want {
			t.Errorf("the endpoint got %d messages of %d", got, want)
		}
	})
}

// refusingStore takes no operational events for one tenant.
type refusingStore struct {
	bellwire.Store
	tenant string
	tries  atomic.Int64
}

func (s *refusingStore) AppendEvents(ctx context.Context, appends []*bellwire.Append) ([]bellwire.AppendResult, error) {
	var results []bellwire.AppendResult
	for _, a := range appends {
		if first := a.Events[0].Event; first.Tenant == s.tenant && bellwire.IsOperational(first.Type) && s.tries.Add(-1) >= 0 {
			results = append(results, bellwire.AppendResult{Err: bellwire.Errorf(bellwire.CodeRateLimited, "too much waits")})
			continue
		}
		one, err := s.Store.AppendEvents(ctx, []*bellwire.Append{a})
		if err != nil {
			return nil, err
		}
		results = append(results, one...)
	}
	return results, nil
}

// A tenant that can take no event now gets its own later, and does not hold up those of others.
func TestOperationalEventsWait(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.operators(200)
		acme, err := w.store.Tenant(t.Context(), "acme")
		must(t, err)
		acme.OperationalEvents = true
		must(t, w.store.UpdateTenant(t.Context(), acme))
		refusing := &refusingStore{tenant: "acme"}
		refusing.tries.Store(1 << 30)
		w.stop()
		w.wrap = func(s bellwire.Store) bellwire.Store {
			refusing.Store = s
			return refusing
		}
		w.start()
		w.receiver("a", answers(200))
		w.endpoint("a")
		w.pass(time.Minute)
		expectTexts(t, "what operators got", w.operational(bellwire.OperationsTenant), "endpoint.created acme")
		expectTexts(t, "what the tenant got", w.operational("acme"))
		refusing.tries.Store(0)
		w.pass(time.Minute)
		expectTexts(t, "what the tenant got", w.operational("acme"), "endpoint.created acme")
	})
}
