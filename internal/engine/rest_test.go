package engine_test

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine"
)

// asksForRest makes a handler that answers 429 with a Retry-After of an hour while busy, and 200 otherwise.
func asksForRest(busy *atomic.Bool) func(int, http.ResponseWriter, *http.Request) {
	return func(_ int, rw http.ResponseWriter, _ *http.Request) {
		if busy.Load() {
			rw.Header().Set("Retry-After", "3600")
			rw.WriteHeader(http.StatusTooManyRequests)
		}
	}
}

// test sends a test to an endpoint.
func (w *world) test(ep *bellwire.Endpoint) {
	w.t.Helper()
	_, _, err := w.engine.Test(w.t.Context(), "acme", ep.ID, engine.Draft{Type: "ping", Data: []byte("1")})
	must(w.t, err)
}

// The rest that an endpoint asked for ends when a test or a manual retry is acknowledged, or when its URL changes, and not
// otherwise.
func TestEndOfTheRestThatAnEndpointAskedFor(t *testing.T) {
	cases := map[string]struct {
		do   func(w *world, busy *atomic.Bool, ep *bellwire.Endpoint)
		sent int // deliveries of the schedule, of five that wait
	}{
		"nothing happens": {func(*world, *atomic.Bool, *bellwire.Endpoint) {}, 0},
		"test acknowledged": {func(w *world, busy *atomic.Bool, ep *bellwire.Endpoint) {
			busy.Store(false)
			w.test(ep)
		}, 5},
		"test failed": {func(w *world, _ *atomic.Bool, ep *bellwire.Endpoint) { w.test(ep) }, 0},
		"manual retry acknowledged": {func(w *world, busy *atomic.Bool, ep *bellwire.Endpoint) {
			busy.Store(false)
			_, err := w.store.RequestRetry(w.t.Context(), "acme", w.deliveries(ep.ID)[0].ID)
			must(w.t, err)
			w.engine.Refresh(ep.ID)
		}, 5},
		"URL changed": {func(w *world, _ *atomic.Bool, ep *bellwire.Endpoint) {
			w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.URL = "http://b.test/hook" })
		}, 5},
		"something else changed": {func(w *world, busy *atomic.Bool, ep *bellwire.Endpoint) {
			busy.Store(false)
			w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.MaxInFlight = 2 })
		}, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				var busy atomic.Bool
				busy.Store(true)
				w.receiver("a", asksForRest(&busy))
				w.receiver("b", answers(200))
				ep := w.endpoint("a")
				w.publish(1)
				w.pass(time.Second)
				w.publish(5)
				w.pass(time.Second)
				c.do(w, &busy, ep)
				w.pass(time.Minute)
				sent := 0
				for _, d := range w.deliveries(ep.ID)[1:6] {
					if d.Status == bellwire.DeliverySucceeded {
						sent++
					}
				}
				if sent != c.sent {
					t.Errorf("%d deliveries were sent, want %d", sent, c.sent)
				}
				busy.Store(false)
				w.pass(time.Hour)
				if got := w.statuses(ep.ID)[bellwire.DeliverySucceeded]; got < 6 {
					t.Errorf("%d deliveries have succeeded after the hour", got)
				}
			})
		})
	}
}

// An answer from the URL that an endpoint had before causes no rest at the new one.
func TestLateAnswerFromTheOldURL(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.receiver("a", func(_ int, rw http.ResponseWriter, _ *http.Request) {
			time.Sleep(5 * time.Second)
			rw.Header().Set("Retry-After", "3600")
			rw.WriteHeader(http.StatusTooManyRequests)
		})
		r := w.receiver("b", answers(200))
		ep := w.endpoint("a")
		w.publish(1)
		w.pass(time.Second)
		w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.URL = "http://b.test/hook" })
		w.pass(5 * time.Second)
		w.publish(5)
		w.pass(time.Second)
		if got := len(r.got()); got != 5 {
			t.Errorf("the new URL got %d requests, want 5", got)
		}
	})
}

// max_elapsed ends what waits behind the rests that an endpoint asks for, without an attempt for each.
func TestMaxElapsedEndsWhatWaitsBehindARest(t *testing.T) {
	for order, change := range map[string]func(*bellwire.Endpoint){"parallel": func(*bellwire.Endpoint) {}, "in order": fifo} {
		for _, status := range []int{429, 502, 503, 504} {
			t.Run(order+" "+strconv.Itoa(status), func(t *testing.T) {
				inWorld(t, func(t *testing.T, w *world) {
					r := w.receiver("a", overloaded(status, "600"))
					ep := w.endpoint("a", growing(time.Hour), change)
					w.publish(300)
					w.pass(50 * time.Minute)
					if got := w.statuses(ep.ID); got[bellwire.DeliveryExhausted] > 10 {
						t.Error("before max_elapsed:", got)
					}
					w.pass(time.Hour)
					if got := w.statuses(ep.ID); got[bellwire.DeliveryExhausted] != 300 {
						t.Error("after max_elapsed:", got)
					}
					if d := w.deliveries(ep.ID)[250]; d.Reason != bellwire.ReasonTimeOver || d.Attempts > 1 {
						t.Errorf("one of those that waited: %+v", d)
					}
					if got := len(r.got()); got > 50 {
						t.Error("attempts:", got)
					}
				})
			})
		}
	}
}

// A single 503 ends nothing: what has become overdue while Bellwire was down gets an attempt.
func TestOneOverloadedAnswerEndsNothing(t *testing.T) {
	for order, change := range map[string]func(*bellwire.Endpoint){"parallel": func(*bellwire.Endpoint) {}, "in order": fifo} {
		t.Run(order, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				r := w.receiver("a", func(int, http.ResponseWriter, *http.Request) { time.Sleep(10 * time.Second) })
				ep := w.endpoint("a", growing(time.Hour), change)
				w.publish(20)
				w.crash()
				w.pass(2 * time.Hour)
				before := len(r.got())
				r.now(func(n int, rw http.ResponseWriter, _ *http.Request) {
					if n == before+1 {
						rw.WriteHeader(http.StatusServiceUnavailable)
					}
				})
				w.start()
				w.pass(time.Hour)
				if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] < 19 {
					t.Error("after one 503:", got)
				}
			})
		})
	}
}
