package engine_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine"
)

// changingStore is a store in which the configuration changes right before each append, as another node may change it.
type changingStore struct {
	bellwire.Store
	change  atomic.Pointer[func()] // nil: nobody does
	appends atomic.Int64
}

func (s *changingStore) AppendEvents(ctx context.Context, appends []*bellwire.Append) ([]bellwire.AppendResult, error) {
	s.appends.Add(1)
	if change := s.change.Load(); change != nil {
		(*change)()
	}
	return s.Store.AppendEvents(ctx, appends)
}

// withChangingStore has the world's engine append to a changing store.
func withChangingStore(w *world) *changingStore {
	s := new(changingStore)
	w.stop()
	w.wrap = func(store bellwire.Store) bellwire.Store {
		s.Store = store
		return s
	}
	w.start()
	return s
}

// Whoever changes an endpoint all the time does not keep its platform from publishing.
func TestChangesNeverRefuseAPublish(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		s := withChangingStore(w)
		changing, other := w.endpoint("a"), w.endpoint("b")
		w.receiver("a", answers(200))
		w.receiver("b", answers(200))
		change := func() {
			ep, err := w.store.Endpoint(t.Context(), changing.ID)
			must(t, err)
			must(t, w.store.UpdateEndpoint(t.Context(), ep, bellwire.ChangeNote{}))
		}
		w.publish(1)
		s.change.Store(&change)
		s.appends.Store(0)
		w.publish(20)
		if n := s.appends.Load(); n > 40 {
			t.Errorf("20 events took %d appends; each must be stored with the second", n)
		}
		s.change.Store(nil)
		w.pass(time.Minute)
		for _, ep := range []*bellwire.Endpoint{changing, other} {
			if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != 21 || len(got) != 1 {
				t.Errorf("the deliveries of %s are %v", ep.URL, got)
			}
		}
	})
}

// An endpoint that is deleted right before an event is stored does not get that event.
func TestADeletedEndpointsLastDeliveriesAreCanceled(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		s := withChangingStore(w)
		kept := w.endpoint("b")
		w.receiver("b", answers(200))
		w.receiver("a", answers(500))
		var doomed []*bellwire.Endpoint
		remove := func() {
			if len(doomed) == 0 {
				return
			}
			gone := doomed[0]
			doomed = doomed[1:]
			must(t, w.store.DeleteEndpoint(t.Context(), "acme", gone.ID, now(), bellwire.ChangeNote{}))
			w.directory.ForgetTenant("acme")
			w.engine.Refresh(gone.ID)
		}
		all := []*bellwire.Endpoint{w.endpoint("a"), w.endpoint("a"), w.endpoint("a")}
		doomed = all
		s.change.Store(&remove)
		w.publish(1)
		s.change.Store(nil)
		w.pass(time.Hour)
		if got := w.statuses(kept.ID); got[bellwire.DeliverySucceeded] != 1 || len(got) != 1 {
			t.Errorf("the deliveries of the endpoint that stayed are %v", got)
		}
		canceled := 0
		for _, ep := range all[:2] {
			for status, n := range w.statuses(ep.ID) {
				if status != bellwire.DeliveryCanceled {
					t.Errorf("a delivery of a deleted endpoint is %s", status)
				}
				canceled += n
			}
		}
		if canceled != 1 { // of the second, which was deleted before the second append
			t.Errorf("%d deliveries were canceled, want 1", canceled)
		}
	})
}

// slowSchemas is a directory in which the checks of one tenant stand still.
type slowSchemas struct {
	engine.Directory
	tenant string
	resume chan struct{}
}

func (d slowSchemas) Schemas(ctx context.Context, tenant string) (bellwire.Schemas, int64, error) {
	schemas, revision, err := d.Directory.Schemas(ctx, tenant)
	if tenant == d.tenant {
		schemas = waitingSchemas{schemas, d.resume}
	}
	return schemas, revision, err
}

// waitingSchemas check nothing before they may.
type waitingSchemas struct {
	bellwire.Schemas
	resume chan struct{}
}

func (s waitingSchemas) Check(ctx context.Context, e *bellwire.Event) error {
	select {
	case <-s.resume:
		return s.Schemas.Check(ctx, e)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A tenant whose events take for ever to be checked holds up none of the others', and loses nothing.
func TestSlowTenantsUnmatchedEventsDelayNoOthers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		resume := make(chan struct{})
		w.around = func(d engine.Directory) engine.Directory { return slowSchemas{d, "slow", resume} }
		in := withOutbox(w)
		must(t, w.store.CreateTenant(t.Context(), &bellwire.Tenant{ID: "slow", CreatedAt: now(), UpdatedAt: now()}))
		in.put("1", "2", "3")
		in.mu.Lock()
		for _, u := range in.waiting {
			u.Event.Tenant = "slow"
		}
		in.mu.Unlock()
		w.pass(time.Second)
		for range 5 {
			in.put("4", "5")
			w.pass(2 * time.Second)
		}
		if got := len(in.look().stored); got != 10 {
			t.Errorf("%d events of the others are stored, want 10", got)
		}
		close(resume)
		w.pass(2 * time.Second)
		if got := len(in.look().stored); got != 13 {
			t.Errorf("%d events are stored in the end, want 13", got)
		}
	})
}
