package engine_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine"
)

// hang answers nothing before the deadline.
func hang(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func every(interval time.Duration, count int) func(*bellwire.Endpoint) {
	return func(ep *bellwire.Endpoint) {
		ep.Retry = bellwire.RetryPolicy{Interval: bellwire.Duration(interval), Count: count}
	}
}

// gaps returns the times between the requests of each event, and all requests in number.
func (r *receiver) gaps() (gaps []time.Duration, requests int) {
	last := map[string]time.Time{}
	for _, g := range r.got() {
		if before, known := last[g.id]; known {
			gaps = append(gaps, g.at.Sub(before))
		}
		last[g.id] = g.at
		requests++
	}
	return gaps, requests
}

// Retries at a fixed interval keep to it while the breaker is open, in order or not.
func TestFixedIntervalIsTheTenantsOwn(t *testing.T) {
	for name, change := range map[string]func(*bellwire.Endpoint){"parallel": func(*bellwire.Endpoint) {}, "in order": fifo} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				r := w.receiver("a", answers(500))
				ep := w.endpoint("a", every(2*time.Second, 100), change)
				w.publish(3)
				w.pass(150 * time.Second)
				if got := w.engine.Stats(); got.OpenBreakers != 1 {
					t.Fatalf("the breaker is not open: %+v", got)
				}
				w.pass(10 * time.Minute)
				gaps, requests := r.gaps()
				for _, gap := range gaps {
					if gap < 2*time.Second || gap > 2100*time.Millisecond {
						t.Fatal("time between two attempts:", gap)
					}
				}
				if got := w.statuses(ep.ID); requests != 303 || got[bellwire.DeliveryExhausted] != 3 {
					t.Error("requests:", requests, got)
				}
			})
		})
	}
}

// What hangs is tried a few at a time while the breaker is open, each at its time as long as that is enough.
func TestFixedIntervalOfAHangingEndpoint(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", hang)
		ep := w.endpoint("a", every(2*time.Second, 100))
		w.publish(4)
		w.pass(10 * time.Minute)
		if got := w.engine.Stats(); got.OpenBreakers != 1 {
			t.Fatalf("the breaker is not open: %+v", got)
		}
		before := len(r.got())
		w.pass(170 * time.Second)
		if got := len(r.got()) - before; got < 36 || got > 44 {
			t.Error("attempts of four deliveries in ten times 17 s:", got)
		}
		if r.most != 4 {
			t.Error("at the same time:", r.most)
		}

		w.publish(1000)
		good := w.receiver("good", answers(200))
		w.endpoint("good")
		w.publish(5)
		w.pass(time.Second)
		if got := len(good.got()); got != 5 {
			t.Error("another endpoint got", got)
		}
		for range 100 {
			w.pass(7 * time.Second)
			if got := w.engine.Stats(); got.InFlight != 4 || got.Queued > 32 {
				t.Fatalf("%+v", got)
			}
		}
		r.now(answers(200))
		w.pass(time.Minute)
		if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != 1009 {
			t.Error("after the endpoint answers again:", got)
		}
	})
}

// While its breaker is open, an endpoint's limit on requests holds.
func TestFixedIntervalKeepsMaxInFlight(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.receiver("a", hang)
		w.endpoint("a", every(time.Second, 100), func(ep *bellwire.Endpoint) { ep.MaxInFlight = 2 })
		w.publish(20)
		w.pass(time.Hour)
		for range 10 {
			w.pass(7 * time.Second)
			if got := w.engine.Stats(); got.OpenBreakers != 1 || got.InFlight != 2 {
				t.Errorf("%+v", got)
			}
		}
	})
}

// A manual retry that succeeds closes the breaker, and what waits is sent.
func TestManualSuccessClosesTheBreaker(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", answers(500))
		ep := w.endpoint("a")
		w.publish(20)
		w.pass(2 * time.Hour)
		if got := w.engine.Stats(); got.OpenBreakers != 1 {
			t.Fatalf("the breaker is not open: %+v", got)
		}
		r.now(answers(200))
		_, _, err := w.engine.Test(t.Context(), "acme", ep.ID, engine.Draft{Type: "ping", Data: []byte("1")})
		must(t, err)
		w.publish(20)
		w.pass(time.Second)
		if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] < 21 {
			t.Error("a second after the test:", got)
		}
	})
}

func growing(longest time.Duration) func(*bellwire.Endpoint) {
	return func(ep *bellwire.Endpoint) {
		ep.Retry = bellwire.RetryPolicy{
			Initial: bellwire.Duration(time.Minute), Factor: 3, MaxElapsed: bellwire.Duration(longest),
		}
	}
}

// max_elapsed ends what waits behind an open breaker, whether it has been attempted or not, without an attempt for each.
func TestMaxElapsedEndsWaitingDeliveries(t *testing.T) {
	for name, change := range map[string]func(*bellwire.Endpoint){"parallel": func(*bellwire.Endpoint) {}, "in order": fifo} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				r := w.receiver("a", hang)
				ep := w.endpoint("a", growing(3*time.Hour), change)
				w.publish(700)
				w.pass(2 * time.Hour)
				w.publish(700)
				w.pass(55 * time.Minute)
				if got := w.statuses(ep.ID); got[bellwire.DeliveryExhausted] > 10 {
					t.Error("before max_elapsed:", got)
				}
				w.pass(12 * time.Minute)
				if got := w.statuses(ep.ID); got[bellwire.DeliveryExhausted] < 700 || got[bellwire.DeliveryExhausted] > 710 {
					t.Error("after max_elapsed:", got)
				}
				if d := w.deliveries(ep.ID)[650]; d.Status != bellwire.DeliveryExhausted || d.Reason != bellwire.ReasonTimeOver || d.Attempts > 1 {
					t.Errorf("one of those that waited: %+v", d)
				}
				if got := len(r.got()); got > 100 {
					t.Error("attempts:", got)
				}
				w.pass(3 * time.Hour)
				if got := w.statuses(ep.ID); got[bellwire.DeliveryExhausted] != 1400 {
					t.Error("in the end:", got)
				}
			})
		})
	}
}

// Time behind an open breaker does not count as waiting: the deliveries that it held back have all their retries
// afterwards.
func TestMaxElapsedAfterAPause(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", answers(500, 500, 500, 200))
		ep := w.endpoint("a", growing(time.Hour))
		w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointPaused })
		w.publish(1)
		w.pass(6 * time.Hour)
		w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.Status, ep.UpdatedAt = bellwire.EndpointEnabled, now() })
		w.pass(time.Hour)
		if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != 1 || len(r.got()) != 4 {
			t.Error(len(r.got()), "attempts,", got)
		}
	})
}

// overloaded answers with a status, and sometimes with how long to wait.
func overloaded(status int, retryAfter string) func(int, http.ResponseWriter, *http.Request) {
	return func(_ int, w http.ResponseWriter, _ *http.Request) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(status)
	}
}

// An endpoint rests as long as it asks, whatever it answers, and for a second where it is overloaded and does not say.
func TestRest(t *testing.T) {
	late := func(ep *bellwire.Endpoint) {
		ep.Retry = bellwire.RetryPolicy{Schedule: []bellwire.Duration{bellwire.Duration(time.Hour)}}
	}
	cases := map[string]struct {
		answer func(int, http.ResponseWriter, *http.Request)
		change func(*bellwire.Endpoint)
		want   int // requests in 10 s, of 100 events
	}{
		"500":                           {answers(500), late, 100},
		"500 that asks":                 {overloaded(500, "4"), late, 3},
		"404 that asks":                 {overloaded(404, "4"), late, 3},
		"502 that asks":                 {overloaded(502, "4"), late, 3},
		"503 that asks":                 {overloaded(503, "4"), late, 3},
		"504 that asks":                 {overloaded(504, "4"), late, 3},
		"429 that asks":                 {overloaded(429, "4"), late, 3},
		"429":                           {answers(429), late, 11},
		"502":                           {answers(502), late, 11},
		"503":                           {answers(503), late, 11},
		"504":                           {answers(504), late, 11},
		"503 now and then":              {flaky(503), late, 100},
		"429, fixed interval":           {answers(429), every(time.Hour, 1), 100},
		"502, fixed interval":           {answers(502), every(time.Hour, 1), 100},
		"503, fixed interval":           {answers(503), every(time.Hour, 1), 100},
		"504, fixed interval":           {answers(504), every(time.Hour, 1), 100},
		"429 that asks, fixed interval": {overloaded(429, "4"), every(time.Hour, 1), 3},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				r := w.receiver("a", c.answer)
				w.endpoint("a", c.change)
				w.publish(100)
				w.pass(10*time.Second + 100*time.Millisecond)
				if got := len(r.got()); got != c.want {
					t.Error("requests:", got, "want", c.want)
				}
			})
		})
	}
}

// flaky gives every fourth request a status, and acknowledges the others.
func flaky(status int) func(int, http.ResponseWriter, *http.Request) {
	return func(n int, w http.ResponseWriter, _ *http.Request) {
		if n%4 == 0 {
			w.WriteHeader(status)
		}
	}
}

// A corrected URL gets one attempt at once, however long the pause of the open breaker would still last. If that fails, the
// pauses begin anew.
func TestCorrectedURLIsTriedAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		answer     int
		soon, open int // requests at the new URL, and open breakers, a moment after the change
		later      int // requests after the first pause
	}{
		"right": {200, 3, 0, 3},
		"wrong": {500, 1, 1, 2},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				r := w.receiver("a", answers(500))
				corrected := w.receiver("b", func(_ int, rw http.ResponseWriter, _ *http.Request) {
					time.Sleep(10 * time.Millisecond) // longer than the test needs to read the health after the change
					rw.WriteHeader(c.answer)
				})
				ep := w.endpoint("a", growing(10*time.Minute))
				w.publish(10)
				w.pass(time.Hour)
				w.publish(1) // its attempt begins another pause
				w.pass(time.Second)
				before := len(r.got())
				w.publish(3)
				w.pass(10 * time.Second)
				if got := len(r.got()) - before; got != 0 || w.engine.Stats().OpenBreakers != 1 {
					t.Fatalf("%d requests behind the open breaker", got)
				}
				w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.URL = "http://b.test/hook" })
				if h := w.health(ep); !h.BreakerOpen || h.HeldUntil.After(now()) {
					t.Errorf("the health after the change: %+v", h)
				}
				w.pass(time.Second)
				if got := len(corrected.got()); got != c.soon || w.engine.Stats().OpenBreakers != c.open {
					t.Errorf("%d requests at once, want %d; %+v", got, c.soon, w.engine.Stats())
				}
				if h := w.health(ep); h.BreakerOpen != (c.open > 0) {
					t.Errorf("the health disagrees: %+v", h)
				}
				w.pass(11 * time.Second)
				if got := len(corrected.got()); got != c.later {
					t.Errorf("%d requests after the first pause, want %d", got, c.later)
				}
			})
		})
	}
}
