package engine_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/testenv"
)

func TestDelivers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", answers(204))
		ep := w.endpoint("a")
		ids := w.publish(3)
		w.pass(0)
		// They are under way at the same time, and come in any order.
		if diff := cmp.Diff(slices.Sorted(slices.Values(texts(ids))), slices.Sorted(slices.Values(r.ids()))); diff != "" {
			t.Error("received (-want +got):", diff)
		}
		if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != 3 {
			t.Error("deliveries:", got)
		}
	})
}

// The whole three-day schedule, each attempt at its second, with the same id and the same body.
func TestThreeDays(t *testing.T) {
	testenv.Long(t)
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", answers(500))
		ep := w.endpoint("a")
		began := time.Now()
		w.publish(1)
		w.pass(80 * time.Hour)

		var at []time.Duration
		for _, g := range r.got() {
			at = append(at, g.at.Sub(began).Round(time.Second))
			if g.id != r.got()[0].id || g.body != r.got()[0].body {
				t.Error("an attempt differs:", g)
			}
		}
		want := []time.Duration{0}
		for _, d := range bellwire.StandardRetryPolicy().Schedule {
			want = append(want, want[len(want)-1]+time.Duration(d))
		}
		if diff := cmp.Diff(want, at); diff != "" {
			t.Error("attempts (-want +got):", diff)
		}
		d := w.deliveries(ep.ID)[0]
		if d.Status != bellwire.DeliveryExhausted || d.Reason != bellwire.ReasonRetriesSpent || d.Attempts != 10 {
			t.Errorf("delivery: %+v", d)
		}
		attempts, err := w.store.Attempts(t.Context(), d.ID, 100)
		must(t, err)
		for i, a := range attempts {
			if a.Number != i+1 || a.Outcome != bellwire.OutcomeStatus || a.Response.Status != 500 {
				t.Errorf("attempt %d: %+v", i+1, a)
			}
		}
	})
}

// The schedule survives that the process is killed between any two attempts.
func TestScheduleAcrossCrashes(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", answers(500))
		w.endpoint("a", func(ep *bellwire.Endpoint) {
			ep.Retry = bellwire.RetryPolicy{Schedule: bellwire.StandardRetryPolicy().Schedule[:4]}
		})
		w.publish(1)
		for _, wait := range []time.Duration{time.Second, time.Minute, 10 * time.Minute, time.Hour, time.Hour, time.Hour} {
			w.pass(wait)
			w.crash()
			w.start()
		}
		if got := len(r.got()); got != 5 {
			t.Error("attempts:", got)
		}
	})
}

func TestRetrySucceeds(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", answers(500, 503, 200))
		ep := w.endpoint("a")
		w.publish(1)
		w.pass(time.Hour)
		if len(r.got()) != 3 || w.statuses(ep.ID)[bellwire.DeliverySucceeded] != 1 {
			t.Error(len(r.got()), "attempts,", w.statuses(ep.ID))
		}
	})
}

func TestRetryAfter(t *testing.T) {
	cases := map[string]struct {
		header string
		want   time.Duration
	}{
		"seconds":            {"120", 2 * time.Minute},
		"shorter than ours":  {"1", 5 * time.Second},
		"over the bound":     {"86400", time.Hour},
		"negative":           {"-5", 5 * time.Second},
		"not a number":       {"soon", 5 * time.Second},
		"a date, in 10 min.": {"", 10 * time.Minute},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				header := c.header
				if header == "" {
					header = time.Now().Add(10 * time.Minute).UTC().Format(http.TimeFormat)
				}
				r := w.receiver("a", func(n int, rw http.ResponseWriter, _ *http.Request) {
					if n == 1 {
						rw.Header().Set("Retry-After", header)
						rw.WriteHeader(503)
					}
				})
				w.endpoint("a")
				w.publish(1)
				w.pass(2 * time.Hour)
				got := r.got()
				if len(got) != 2 {
					t.Fatal(len(got), "attempts")
				}
				if wait := got[1].at.Sub(got[0].at).Round(time.Second); wait != c.want {
					t.Error("the retry came after", wait, "want", c.want)
				}
			})
		})
	}
}

// What fails at the same moment is not retried at the same moment: it would be, again and again, when an outage is over.
func TestRetriesOfOneMomentAreSpread(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const events, delay, jitter = 200, 1000 * time.Second, 0.2
		w.receiver("a", answers(500))
		ep := w.endpoint("a", func(ep *bellwire.Endpoint) {
			ep.Retry = bellwire.RetryPolicy{Schedule: []bellwire.Duration{bellwire.Duration(delay)}, Jitter: jitter}
			ep.MaxInFlight = events
		})
		start := time.Now()
		w.publish(events)
		w.pass(time.Minute)
		var early, late int // in the first and in the last quarter of the time that retries are spread over
		for _, d := range w.deliveries(ep.ID) {
			switch after := d.DueAt.Sub(start).Seconds(); {
			case after < (1-jitter/4)*delay.Seconds():
				early++
			case after > (1+jitter/4)*delay.Seconds():
				late++
			}
		}
		if early < events/10 || late < events/10 {
			t.Errorf("of %d retries, %d are early and %d late", events, early, late)
		}
	})
}

func TestTooManyRequestsSlowsTheLane(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", func(n int, rw http.ResponseWriter, _ *http.Request) {
			if n == 1 {
				rw.Header().Set("Retry-After", "30")
				rw.WriteHeader(429)
			}
		})
		w.endpoint("a")
		w.publish(1)
		w.pass(time.Second)
		w.publish(5)
		w.pass(20 * time.Second)
		if got := len(r.got()); got != 1 {
			t.Error("requests while the endpoint asked to be left alone:", got-1)
		}
		w.pass(time.Minute)
		if got := len(r.got()); got != 7 {
			t.Error("requests in all:", got)
		}
	})
}

// An endpoint takes a few requests a second, and answers others with 429, without saying when to come back. All is delivered, with
// few more requests than that.
func TestEndpointThatTakesFewerThanComes(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const perSecond, events = 2, 100
		var (
			mu    sync.Mutex
			taken = make(map[int64]int) // by second
		)
		r := w.receiver("a", func(_ int, rw http.ResponseWriter, _ *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if second := time.Now().Unix(); taken[second] < perSecond {
				taken[second]++
				return
			}
			rw.WriteHeader(http.StatusTooManyRequests)
		})
		ep := w.endpoint("a")
		w.publish(events)
		w.pass(24 * time.Hour)
		if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != events {
			t.Errorf("the deliveries are %v", got)
		}
		if got := len(r.got()); got > 4*events {
			t.Errorf("%d requests for %d events", got, events)
		}
	})
}

func TestTimeout(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.receiver("a", func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		ep := w.endpoint("a", func(ep *bellwire.Endpoint) { ep.Retry = bellwire.RetryPolicy{} })
		w.publish(1)
		w.pass(14 * time.Second)
		if got := w.deliveries(ep.ID)[0]; got.Status != bellwire.DeliveryPending {
			t.Error("before the deadline:", got.Status)
		}
		w.pass(2 * time.Second)
		d := w.deliveries(ep.ID)[0]
		attempts, err := w.store.Attempts(t.Context(), d.ID, 10)
		must(t, err)
		if d.Status != bellwire.DeliveryExhausted || len(attempts) != 1 || attempts[0].Outcome != bellwire.OutcomeTimeout {
			t.Errorf("%+v %+v", d, attempts)
		}
		if got := attempts[0].Timings.Total.Round(time.Second); got != bellwire.DefaultTimeout {
			t.Error("the attempt took", got)
		}
	})
}

func TestGoneDisablesTheEndpoint(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seen := new(disabledSeen)
		w.stop()
		w.config.Observer = seen
		w.start()
		w.receiver("a", func(n int, rw http.ResponseWriter, _ *http.Request) {
			if n == 3 {
				rw.WriteHeader(410)
				return
			}
			rw.WriteHeader(500)
		})
		ep := w.endpoint("a")
		w.publish(3)
		w.pass(time.Second)
		got, err := w.store.Endpoint(t.Context(), ep.ID)
		must(t, err)
		if got.Status != bellwire.EndpointDisabled || got.StatusReason != bellwire.ReasonEndpointGone {
			t.Error("endpoint:", got.Status, got.StatusReason)
		}
		for _, d := range w.deliveries(ep.ID) {
			if d.Status != bellwire.DeliveryCanceled || d.Reason != bellwire.ReasonEndpointGone {
				t.Errorf("delivery: %+v", d)
			}
		}
		if receipts := w.publish(1); len(receipts) != 1 || len(w.deliveries(ep.ID)) != 3 {
			t.Error("a disabled endpoint got a delivery")
		}
		if diff := cmp.Diff([]string{ep.ID + ": " + bellwire.ReasonEndpointGone}, seen.all()); diff != "" {
			t.Errorf("what was observed differs:\n%s", diff)
		}
	})
}

// An endpoint that answers 410 has a retry that is due long after the endpoint's lane was forgotten. It is canceled at once.
func TestGoneCancelsWhatIsDueMuchLater(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.receiver("a", answers(500, 410))
		ep := w.endpoint("a", every(2*time.Hour, 3))
		w.publish(1)
		w.pass(30 * time.Minute)
		w.publish(1)
		w.pass(time.Second)
		if got := w.statuses(ep.ID); got[bellwire.DeliveryCanceled] != 2 {
			t.Error("deliveries:", got)
		}
	})
}
