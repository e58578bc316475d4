package engine_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine"
)

// schedule publishes an event that is to be delivered and expires so long after now; 0: at once and never.
func (w *world) schedule(deliverIn, expiresIn time.Duration) bellwire.EventID {
	w.t.Helper()
	d := engine.Draft{Type: "ping", Data: []byte("1")}
	if deliverIn > 0 {
		d.DeliverAt = now().Add(deliverIn)
	}
	if expiresIn > 0 {
		d.ExpiresAt = now().Add(expiresIn)
	}
	receipts, err := w.engine.Publish(w.t.Context(), &engine.Publication{Tenant: "acme", Events: []engine.Draft{d}})
	must(w.t, err)
	return receipts[0].Event
}

// A delayed event is sent at its time, neither earlier nor later, also if the engine was started anew, and also if it is due only
// after many scans. The endpoint's order does not hold for it.
func TestDelayedEventIsSentAtItsTime(t *testing.T) {
	for order, change := range map[string]func(*bellwire.Endpoint){"parallel": func(*bellwire.Endpoint) {}, "in order": fifo} {
		for name, restart := range map[string]func(*world){
			"running": func(*world) {}, "stopped": func(w *world) { w.stop(); w.start() }, "killed": func(w *world) { w.crash(); w.start() },
		} {
			t.Run(order+" "+name, func(t *testing.T) {
				inWorld(t, func(t *testing.T, w *world) {
					r := w.receiver("a", answers(200))
					w.endpoint("a", change)
					start := time.Now()
					for _, in := range []time.Duration{3 * time.Second, 90 * time.Second, 2 * time.Hour} {
						w.schedule(in, 0)
					}
					w.publish(1)
					w.pass(time.Second)
					restart(w)
					w.pass(3 * time.Hour)
					got := r.got()
					if len(got) != 4 {
						t.Fatalf("%d requests, want 4", len(got))
					}
					for i, want := range []time.Duration{0, 3 * time.Second, 90 * time.Second, 2 * time.Hour} {
						if after := got[i].at.Sub(start); after < want || after > want+50*time.Millisecond {
							t.Errorf("request %d was sent after %v, want %v", i, after, want)
						}
					}
				})
			})
		}
	}
}

// A delayed event that is canceled is not sent.
func TestDelayedEventCanBeCanceled(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", answers(200))
		ep := w.endpoint("a")
		w.schedule(time.Minute, 0)
		w.pass(59 * time.Second)
		id := w.deliveries(ep.ID)[0].ID
		_, err := w.store.CancelDelivery(t.Context(), "acme", id, bellwire.ReasonCanceledOnRequest, now())
		must(t, err)
		w.engine.Forget(ep.ID, id)
		w.pass(time.Hour)
		if got := r.got(); len(got) != 0 {
			t.Errorf("%d requests", len(got))
		}
	})
}

// expiriesSeen is an observer that counts deliveries of expired events, by endpoint.
type expiriesSeen struct {
	bellwire.NopObserver
	mu      sync.Mutex
	expired map[string]int
	ended   map[bellwire.DeliveryStatus]int
	causes  map[bellwire.CancelCause]int // of canceled deliveries
}

func (o *expiriesSeen) Canceled(_ string, deliveries int, cause bellwire.CancelCause) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.causes[cause] += deliveries
}

func (o *expiriesSeen) EventsExpired(ep *bellwire.Endpoint, deliveries int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.expired[ep.Tenant+" "+ep.Dialect+" "+ep.ID] += deliveries
}

func (o *expiriesSeen) Ended(_ *bellwire.Endpoint, status bellwire.DeliveryStatus, _ time.Duration, _ *bellwire.Trace) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended[status]++
}

// expect expects a number of deliveries of an endpoint.
func (o *expiriesSeen) expect(t *testing.T, ep *bellwire.Endpoint, want int) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if got := o.expired["acme standard "+ep.ID]; got != want || o.ended[bellwire.DeliveryCanceled] != want {
		t.Errorf("reported as expired: %v, and as ended: %v, want %d", o.expired, o.ended, want)
	}
}

// waitsSeen is an observer of how long deliveries wait for their first attempt, and of how long they take in all.
type waitsSeen struct {
	bellwire.NopObserver
	mu           sync.Mutex
	first, inAll []time.Duration
}

func (o *waitsSeen) Attempted(a *bellwire.Attempt, _ *bellwire.Endpoint, d *bellwire.Delivery) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.first = append(o.first, a.StartedAt.Sub(d.Began()))
}

func (o *waitsSeen) Ended(_ *bellwire.Endpoint, _ bellwire.DeliveryStatus, after time.Duration, _ *bellwire.Trace) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.inAll = append(o.inAll, after)
}

// A delivery waits only from when it could be sent: the time before its deliver_at, or before a job made or restarted it, is not the
// server's.
func TestWaitsCountFromWhenADeliveryBegins(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seen := new(waitsSeen)
		w.stop()
		w.config.Observer = seen
		w.start()
		r := w.receiver("a", answers(200))
		ep := w.endpoint("a", once)
		w.schedule(time.Hour, 0)
		canceled := w.schedule(time.Hour, 0)
		id := bellwire.DeliveryOf(canceled, 0)
		_, err := w.store.CancelDelivery(t.Context(), "acme", id, bellwire.ReasonCanceledOnRequest, now())
		must(t, err)
		w.pass(2 * time.Hour)
		w.job(bellwire.JobReplay, bellwire.SelectAll, atEndpoint(ep))
		w.pass(time.Minute)
		_, err = w.store.RestartDelivery(t.Context(), "acme", id, now())
		must(t, err)
		w.engine.Refresh(ep.ID)
		w.pass(time.Minute)
		w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointPaused })
		w.schedule(time.Hour, time.Hour+time.Second)
		w.pass(2 * time.Hour)

		if n := len(r.got()); n != 4 || len(seen.first) != n || len(seen.inAll) != n+1 {
			t.Fatalf("%d requests, %d reported, and %d deliveries have ended", n, len(seen.first), len(seen.inAll))
		}
		for _, wait := range append(seen.first, seen.inAll...) {
			if wait < 0 || wait > 5*time.Second {
				t.Errorf("the waits are %v, and the times in all %v", seen.first, seen.inAll)
				break
			}
		}
	})
}

// seeExpiries starts the engine again with an observer of expired events.
func (w *world) seeExpiries() *expiriesSeen {
	o := &expiriesSeen{expired: make(map[string]int), ended: make(map[bellwire.DeliveryStatus]int), causes: make(map[bellwire.CancelCause]int)}
	w.stop()
	w.config.Observer = o
	w.start()
	return o
}

// An expired event is not sent, whatever it has waited for, ends at its time, and holds up nobody.
func TestExpiredEventIsNotSent(t *testing.T) {
	const anyNumber = -1 // one attempt at a time is made, of whichever
	fails := answers(500)
	cases := map[string]struct {
		answer func(int, http.ResponseWriter, *http.Request)
		change func(*bellwire.Endpoint)
		before func(w *world, ep *bellwire.Endpoint)
		sent   int // requests of the event that expires
		others int // events that expire too
	}{
		"retry": {fails, func(*bellwire.Endpoint) {}, func(*world, *bellwire.Endpoint) {}, 3, 0},
		"FIFO":  {fails, fifo, func(*world, *bellwire.Endpoint) {}, 3, 0},
		"behind the first of a FIFO endpoint": {fails, fifo, func(w *world, _ *bellwire.Endpoint) {
			w.publish(1)
			w.pass(time.Millisecond)
		}, 0, 0},
		"paused": {answers(200), func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointPaused }, func(*world, *bellwire.Endpoint) {}, 0, 0},
		"rate limit": {answers(200), func(ep *bellwire.Endpoint) { ep.RateLimit = 0.001 }, func(w *world, _ *bellwire.Endpoint) {
			w.publish(1)
			w.pass(time.Millisecond)
		}, 0, 0},
		"rest": {overloaded(429, "3600"), func(*bellwire.Endpoint) {}, func(w *world, _ *bellwire.Endpoint) {
			w.publish(1)
			w.pass(time.Second)
		}, 0, 0},
		"circuit breaker": {fails, func(*bellwire.Endpoint) {}, func(w *world, _ *bellwire.Endpoint) {
			w.publish(60)
			w.pass(2 * time.Minute)
		}, anyNumber, 0},
		"delayed": {fails, func(*bellwire.Endpoint) {}, func(w *world, ep *bellwire.Endpoint) {
			w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointPaused })
			w.schedule(9*time.Minute, 10*time.Minute)
		}, 0, 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				seen := w.seeExpiries()
				r := w.receiver("a", c.answer)
				ep := w.endpoint("a", c.change)
				c.before(w, ep)
				event := w.schedule(0, 10*time.Minute)
				expires := now().Add(10 * time.Minute)
				w.pass(10*time.Minute + time.Second)
				r.now(answers(200))
				w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.Status, ep.RateLimit = bellwire.EndpointEnabled, 0 })
				for _, d := range w.deliveries(ep.ID) {
					if d.Event == event && (d.Status != bellwire.DeliveryCanceled || d.Reason != bellwire.ReasonExpired(expires) || d.UpdatedAt.Sub(expires).Abs() > time.Second) {
						t.Errorf("the delivery after it has expired: %+v", d)
					}
				}
				w.publish(1)
				w.pass(3 * time.Hour)
				sent, others := 0, map[string]bool{}
				for _, g := range r.got() {
					if g.id != event.String() {
						others[g.id] = true
						continue
					}
					if sent++; g.at.After(expires) {
						t.Errorf("a request %v after the event has expired", g.at.Sub(expires))
					}
				}
				if sent != c.sent && c.sent != anyNumber {
					t.Errorf("%d requests of the event, want %d", sent, c.sent)
				}
				seen.expect(t, ep, 1+c.others)
				if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != len(others) || got[bellwire.DeliveryPending]+got[bellwire.DeliveryRetrying] != 0 {
					t.Errorf("the others: %v, of %d", got, len(others))
				}
			})
		})
	}
}

// An event that expires while its attempt is in flight is delivered if the attempt is acknowledged, and else ends as expired.
func TestEventExpiresInFlight(t *testing.T) {
	for status, want := range map[int]bellwire.DeliveryStatus{200: bellwire.DeliverySucceeded, 500: bellwire.DeliveryCanceled} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				seen := w.seeExpiries()
				w.receiver("a", func(_ int, rw http.ResponseWriter, _ *http.Request) {
					time.Sleep(5 * time.Second)
					rw.WriteHeader(status)
				})
				ep := w.endpoint("a")
				w.schedule(0, 2*time.Second)
				w.pass(10 * time.Second)
				if d := w.deliveries(ep.ID)[0]; d.Status != want || d.Attempts != 1 {
					t.Errorf("the delivery: %+v", d)
				}
				seen.expect(t, ep, 1) // at its time, before anybody knows how the attempt ends
			})
		})
	}
}

// What another node or an earlier process has published expires too, within the time of a scan.
func TestExpiryAfterRestart(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ep := w.endpoint("a", func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointPaused })
		w.schedule(0, time.Hour)
		w.crash()
		w.pass(2 * time.Hour)
		w.start()
		w.pass(time.Second)
		if d := w.deliveries(ep.ID)[0]; d.Status != bellwire.DeliveryCanceled {
			t.Errorf("the delivery: %+v", d)
		}
	})
}
