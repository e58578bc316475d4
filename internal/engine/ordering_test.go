package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine"
	"github.com/bellwire/bellwire/internal/testenv"
)

func byKey(ep *bellwire.Endpoint) { ep.Ordering = bellwire.OrderingKey }

// publishKeys publishes an event with each of the ordering keys, in one batch.
func (w *world) publishKeys(keys ...string) []string {
	w.t.Helper()
	p := &engine.Publication{Tenant: "acme"}
	for _, key := range keys {
		p.Events = append(p.Events, engine.Draft{Type: "ping", Data: []byte("1"), OrderingKey: key})
	}
	receipts, err := w.engine.Publish(w.t.Context(), p)
	must(w.t, err)
	var ids []string
	for _, r := range receipts {
		ids = append(ids, r.Event.String())
	}
	return ids
}

// inKeyOrder reports an event that was first received before an earlier one with its key.
func inKeyOrder(t *testing.T, published map[string][]string, received []string) {
	t.Helper()
	keyOf := make(map[string]string)
	for key, ids := range published {
		for _, id := range ids {
			keyOf[id] = key
		}
	}
	got := make(map[string][]string)
	for _, id := range received {
		got[keyOf[id]] = append(got[keyOf[id]], id)
	}
	for key, want := range published {
		if diff := cmp.Diff(want, got[key]); diff != "" && key != "" {
			t.Errorf("order of first receipt of the key %s (-want +got):\n%s", key, diff)
		}
	}
}

// Events are published with random keys to an endpoint that fails at random, while processes end in good order or are killed, and the
// store fails. Each key is in order, and all is delivered.
func TestKeysAreInOrder(t *testing.T) {
	testenv.Long(t)
	for _, seed := range []uint64{1, 2, 3} {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				random := rand.New(rand.NewPCG(seed, 0))
				f := w.withFaults()
				var (
					mu     sync.Mutex
					answer = rand.New(rand.NewPCG(seed, 1))
					broken = rand.New(rand.NewPCG(seed, 2))
				)
				sound := false
				f.record = func(ctx context.Context, results []*bellwire.Result) ([]bellwire.Recorded, error) {
					mu.Lock()
					fails := !sound && broken.IntN(5) == 0
					mu.Unlock()
					if fails {
						return nil, bellwire.Errorf(bellwire.CodeUnavailable, "the database does not answer")
					}
					return f.Store.RecordResults(ctx, results)
				}
				r := w.receiver("a", func(_ int, rw http.ResponseWriter, _ *http.Request) {
					mu.Lock()
					status := []int{200, 200, 200, 500, 503}[answer.IntN(5)]
					wait := time.Duration(answer.IntN(300)) * time.Millisecond
					mu.Unlock()
					time.Sleep(wait)
					rw.WriteHeader(status)
				})
				ep := w.endpoint("a", byKey, func(ep *bellwire.Endpoint) {
					ep.Retry = bellwire.RetryPolicy{Interval: bellwire.Duration(20 * time.Second), Count: 50}
				})
				published := make(map[string][]string)
				for range 40 {
					var keys []string
					for range random.IntN(12) + 1 {
						keys = append(keys, []string{"", "a", "b", "c", "d", "e"}[random.IntN(6)])
					}
					for i, id := range w.publishKeys(keys...) {
						published[keys[i]] = append(published[keys[i]], id)
					}
					switch w.pass(time.Duration(random.IntN(2000)) * time.Millisecond); random.IntN(12) {
					case 0:
						w.stop()
						w.start()
					case 1:
						w.crash()
						w.start()
					}
				}
				mu.Lock()
				sound = true
				mu.Unlock()
				w.pass(3 * time.Hour)
				inKeyOrder(t, published, r.ids())
				if got := w.statuses(ep.ID); len(got) != 1 || got[bellwire.DeliverySucceeded] == 0 {
					t.Error("deliveries by status:", got)
				}
			})
		})
	}
}

// A key that is stuck holds up nobody else, and its next delivery goes ahead as soon as the one before it has ended, however it ends.
func TestStuckKeyHoldsUpItselfAlone(t *testing.T) {
	for name, end := range map[string]func(w *world, r *receiver, stuck *bellwire.Delivery){
		"it is acknowledged": func(w *world, r *receiver, _ *bellwire.Delivery) {
			r.now(answers(200))
			w.pass(time.Hour)
		},
		"it is canceled": func(w *world, r *receiver, stuck *bellwire.Delivery) {
			r.now(answers(200))
			_, err := w.store.CancelDelivery(w.t.Context(), "acme", stuck.ID, "because", now())
			must(w.t, err)
			w.engine.Forget(stuck.Endpoint, stuck.ID)
		},
		"its event is erased": func(w *world, r *receiver, stuck *bellwire.Delivery) {
			r.now(answers(200))
			_, err := w.store.EraseEvent(w.t.Context(), "acme", stuck.Event, bellwire.Erasure{At: now()})
			must(w.t, err)
			w.engine.ForgetEvent(stuck.Endpoint, stuck.Event)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				var (
					mu    sync.Mutex
					first string
				)
				r := w.receiver("a", func(_ int, rw http.ResponseWriter, req *http.Request) {
					mu.Lock()
					defer mu.Unlock()
					if first == "" {
						first = req.Header.Get("webhook-id")
					}
					if req.Header.Get("webhook-id") == first {
						rw.WriteHeader(500)
					}
				})
				ep := w.endpoint("a", byKey, func(ep *bellwire.Endpoint) {
					ep.Retry = bellwire.RetryPolicy{Interval: bellwire.Duration(30 * time.Minute), Count: 50}
				})
				stuck := w.publishKeys("stuck")
				w.pass(time.Second)
				stuck = append(stuck, w.publishKeys("stuck", "stuck")...)
				others := w.publishKeys("b", "b", "", "c", "b")
				w.pass(10 * time.Minute)
				if got := among(r.ids(), others); len(got) != len(others) {
					t.Errorf("beside the stuck key, %d events were received, want %d", len(got), len(others))
				}
				if got := among(r.ids(), stuck); !slices.Equal(got, stuck[:1]) {
					t.Errorf("of the stuck key, %v were received, want %v", got, stuck[:1])
				}
				at := slices.IndexFunc(w.deliveries(ep.ID), func(d *bellwire.Delivery) bool { return d.Event.String() == stuck[0] })
				end(w, r, w.deliveries(ep.ID)[at])
				w.pass(100 * time.Millisecond)
				if got := among(r.ids(), stuck); !slices.Equal(got, stuck) {
					t.Errorf("of the stuck key, %v were received, want %v", got, stuck)
				}
			})
		})
	}
}

// among returns those of the received ids that are wanted, in the order of their receipt.
func among(received, wanted []string) (found []string) {
	for _, id := range received {
		if slices.Contains(wanted, id) {
			found = append(found, id)
		}
	}
	return found
}

// Endpoints that are not ordered by key ignore ordering keys, and events without one are sent at once to those that are.
func TestOrderingKeysElsewhere(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		hang := make(chan struct{})
		hangs := func(_ int, _ http.ResponseWriter, _ *http.Request) { <-hang }
		takes := func(int, http.ResponseWriter, *http.Request) { time.Sleep(10 * time.Millisecond) }
		plain, keyed := w.receiver("a", takes), w.receiver("b", takes)
		w.endpoint("a")
		w.endpoint("b", byKey)
		const before = 100
		w.publish(before) // they wait for each other, so that more and more requests may be in flight
		w.pass(time.Second)
		plain.now(hangs)
		keyed.now(hangs)
		w.publishKeys("x", "x", "x", "", "")
		w.pass(time.Second)
		if got := []int{len(plain.got()) - before, len(keyed.got()) - before}; !slices.Equal(got, []int{5, 3}) {
			t.Errorf("%v requests are in flight, want 5 and 3", got)
		}
		close(hang)
		w.pass(time.Second)
		if got := []int{len(plain.got()) - before, len(keyed.got()) - before}; !slices.Equal(got, []int{5, 5}) {
			t.Errorf("%v requests were made, want 5 and 5", got)
		}
	})
}

// An endpoint that ceases to be ordered by key gets all that waits at once, however much it is.
func TestOrderingByKeyEnds(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", answers(500))
		ep := w.endpoint("a", byKey, func(ep *bellwire.Endpoint) {
			ep.Retry = bellwire.RetryPolicy{Interval: bellwire.Duration(10 * time.Hour), Count: 5}
		})
		for range 12 {
			w.publishKeys(slices.Repeat([]string{"a"}, 100)...)
		}
		w.pass(time.Second)
		r.now(answers(200))
		w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.Ordering = bellwire.OrderingNone })
		w.pass(10 * time.Second)
		if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != 1199 {
			t.Error("deliveries by status:", got)
		}
	})
}
