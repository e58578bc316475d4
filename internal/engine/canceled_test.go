package engine_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// neighbored is a store on which another node works, of which the engine is notified.
type neighbored struct {
	bellwire.Store
	notices chan bellwire.Notification
}

func (s *neighbored) Watch(ctx context.Context, f func(bellwire.Notification)) error {
	for {
		select {
		case n := <-s.notices:
			f(n)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// withNeighbor restarts the world with another node.
func (w *world) withNeighbor() *neighbored {
	s := &neighbored{notices: make(chan bellwire.Notification)}
	w.stop()
	w.wrap = func(store bellwire.Store) bellwire.Store { s.Store = store; return s }
	w.start()
	return s
}

// cancel cancels a delivery, and returns what the owner is told of it.
func (s *neighbored) cancel(t *testing.T, d *bellwire.Delivery) bellwire.Notification {
	t.Helper()
	_, err := s.CancelDelivery(t.Context(), d.Tenant, d.ID, bellwire.ReasonCanceledOnRequest, now())
	must(t, err)
	return bellwire.Notification{Endpoints: []string{d.Endpoint}, Canceled: []bellwire.DeliveryID{d.ID}}
}

// What waits in memory is not sent once another node has canceled it.
func TestCanceledByAnotherNode(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		s := w.withNeighbor()
		receiver := w.receiver("a", answers(200))
		ep := w.endpoint("a", func(ep *bellwire.Endpoint) { ep.RateLimit = 1 })
		w.publish(4)
		w.pass(100 * time.Millisecond)
		deliveries := w.deliveries(ep.ID)
		first, second := s.cancel(t, deliveries[1]), s.cancel(t, deliveries[2])
		first.Canceled = append(first.Canceled, second.Canceled...)
		s.notices <- first
		w.pass(time.Hour)
		if got := len(receiver.got()); got != 2 {
			t.Errorf("%d requests, want 2", got)
		}
		if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != 2 || got[bellwire.DeliveryCanceled] != 2 {
			t.Error("deliveries:", got)
		}
	})
}

// A request that is in flight when another node cancels its delivery is not aborted, and its success counts.
func TestCanceledByAnotherNodeInFlight(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		s := w.withNeighbor()
		answer := make(chan struct{})
		w.receiver("slow", func(int, http.ResponseWriter, *http.Request) { <-answer })
		ep := w.endpoint("slow")
		w.publish(1)
		w.pass(time.Second)
		s.notices <- s.cancel(t, w.deliveries(ep.ID)[0])
		w.pass(time.Second)
		if got := w.statuses(ep.ID); got[bellwire.DeliveryCanceled] != 1 {
			t.Error("while it is in flight:", got)
		}
		close(answer)
		w.pass(time.Hour)
		if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != 1 {
			t.Error("after the answer:", got)
		}
	})
}

// A delivery that was canceled, restarted and claimed before the owner hears of the cancellation is sent, and in its place in the
// order.
func TestCancellationIsHeardAfterTheRestart(t *testing.T) {
	for name, change := range map[string]func(*bellwire.Endpoint){"in any order": func(*bellwire.Endpoint) {}, "FIFO": fifo} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				s := w.withNeighbor()
				receiver := w.receiver("a", answers(200))
				ep := w.endpoint("a", change, func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointPaused })
				ids := w.publish(4)
				canceled := w.deliveries(ep.ID)[1]
				late := s.cancel(t, canceled)
				_, err := w.store.RestartDelivery(t.Context(), "acme", canceled.ID, now())
				must(t, err)
				w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.Status, ep.RateLimit = bellwire.EndpointEnabled, 1 })
				w.pass(100 * time.Millisecond) // the first is sent, and the others are in memory
				late.Endpoints = []string{ep.ID}
				s.notices <- late
				w.publish(1)
				w.pass(time.Hour)
				if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != 5 || len(receiver.got()) != 5 {
					t.Errorf("%v, and %d requests", got, len(receiver.got()))
				}
				if name == "FIFO" {
					want := texts([]bellwire.EventID{ids[0], ids[2], ids[3], ids[1]})
					if diff := cmp.Diff(want, receiver.ids()[:min(4, len(receiver.ids()))]); diff != "" {
						t.Error("order of first receipt (-want +got):", diff)
					}
				}
			})
		})
	}
}

// A request that was in flight when its delivery was canceled and restarted fails. The new schedule goes on as if it had not.
func TestLateFailureAfterARestart(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("slow", func(n int, w http.ResponseWriter, r *http.Request) {
			time.Sleep(5 * time.Second)
			answers(500, 200)(n, w, r)
		})
		ep := w.endpoint("slow", once)
		w.publish(1)
		w.pass(500 * time.Millisecond)
		d := w.deliveries(ep.ID)[0]
		_, err := w.store.CancelDelivery(t.Context(), d.Tenant, d.ID, bellwire.ReasonCanceledOnRequest, now())
		must(t, err)
		w.engine.Forget(ep.ID, d.ID)
		_, err = w.store.RestartDelivery(t.Context(), d.Tenant, d.ID, now())
		must(t, err)
		w.engine.Refresh(ep.ID)
		w.pass(4900 * time.Millisecond)
		if d = w.deliveries(ep.ID)[0]; d.Status != bellwire.DeliveryPending || d.Attempts != 1 || len(r.got()) != 2 {
			t.Errorf("after the old failure it is %s with %d attempts, of %d requests", d.Status, d.Attempts, len(r.got()))
		}
		w.pass(time.Minute)
		if d = w.deliveries(ep.ID)[0]; d.Status != bellwire.DeliverySucceeded || d.Attempts != 2 {
			t.Errorf("after the new request it is %s with %d attempts", d.Status, d.Attempts)
		}
	})
}

// A manual retry that waits for its turn is not sent once its delivery was canceled or its event erased.
func TestManualRetryOfCanceled(t *testing.T) {
	for name, cancel := range map[string]func(*world, *bellwire.Delivery) error{
		"canceled": func(w *world, d *bellwire.Delivery) error {
			_, err := w.store.CancelDelivery(w.t.Context(), d.Tenant, d.ID, bellwire.ReasonCanceledOnRequest, now())
			w.engine.Forget(d.Endpoint, d.ID)
			return err
		},
		"erased": func(w *world, d *bellwire.Delivery) error {
			_, err := w.store.EraseEvent(w.t.Context(), d.Tenant, d.Event, bellwire.Erasure{At: now()})
			w.engine.ForgetEvent(d.Endpoint, d.Event)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				r := w.receiver("slow", answers(500))
				ep := w.endpoint("slow", every(time.Hour, 3), func(ep *bellwire.Endpoint) { ep.MaxInFlight = 1 })
				w.publish(1)
				w.pass(time.Second)
				retried := w.deliveries(ep.ID)[0]
				r.now(func(int, http.ResponseWriter, *http.Request) { time.Sleep(10 * time.Second) })
				w.publish(1)
				w.pass(time.Second)
				_, err := w.store.RequestRetry(t.Context(), "acme", retried.ID)
				must(t, err)
				w.engine.Refresh(ep.ID)
				w.pass(time.Second)
				must(t, cancel(w, retried))
				w.pass(time.Minute)
				if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != 1 || got[bellwire.DeliveryCanceled] != 1 || len(r.got()) != 2 {
					t.Errorf("%v, and %d requests", got, len(r.got()))
				}
			})
		})
	}
}

// A disabled endpoint does not get manual retries that were requested before, but could not be made.
func TestManualRetryAtDisabledEndpoint(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", answers(500))
		ep := w.endpoint("a", once)
		w.publish(1)
		w.pass(time.Second)
		w.pause(true, ep)
		_, err := w.store.RequestRetry(t.Context(), "acme", w.deliveries(ep.ID)[0].ID)
		must(t, err)
		w.engine.Refresh(ep.ID)
		w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointDisabled })
		w.pass(time.Minute)
		w.pause(false, ep)
		w.pass(time.Minute)
		d := w.deliveries(ep.ID)[0]
		if d.Status != bellwire.DeliveryExhausted || d.Attempts != 1 || d.Requested || len(r.got()) != 1 {
			t.Errorf("it is %s with %d attempts; a retry is requested: %t; %d requests", d.Status, d.Attempts, d.Requested, len(r.got()))
		}
		w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointEnabled })
		w.pass(time.Hour)
		if got := len(r.got()); got != 1 {
			t.Errorf("%d requests after it was enabled", got)
		}
	})
}
