package engine_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine"
	"github.com/bellwire/bellwire/internal/testenv"
)

func fifo(ep *bellwire.Endpoint) { ep.Ordering = bellwire.OrderingFIFO }

func TestFIFO(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		flaky := func(n int, rw http.ResponseWriter, _ *http.Request) {
			time.Sleep(time.Duration(n%3) * 100 * time.Millisecond)
			if n%4 == 0 {
				rw.WriteHeader(500)
			}
		}
		r := w.receiver("a", flaky)
		ep := w.endpoint("a", fifo, func(ep *bellwire.Endpoint) {
			ep.Retry = bellwire.RetryPolicy{Interval: bellwire.Duration(3 * time.Second), Count: 50}
		})
		var want []string
		for range 10 {
			want = append(want, texts(w.publish(20))...)
			w.pass(700 * time.Millisecond)
		}
		w.pass(time.Hour)
		if diff := cmp.Diff(want, r.ids()); diff != "" {
			t.Error("order of first receipt (-want +got):", diff)
		}
		if r.most != 1 {
			t.Error("requests at the same time:", r.most)
		}
		if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != 200 {
			t.Error(got)
		}
	})
}

// A FIFO delivery whose policy is spent is skipped, and says so; the next ones follow.
func TestFIFOSkipsExhaustedDeliveries(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", nil)
		r.now(func(_ int, rw http.ResponseWriter, req *http.Request) {
			if r.ids()[0] == req.Header.Get("Webhook-Id") {
				rw.WriteHeader(500)
			}
		})
		ep := w.endpoint("a", fifo, func(ep *bellwire.Endpoint) {
			ep.Retry = bellwire.RetryPolicy{Interval: bellwire.Duration(time.Minute), Count: 2}
		})
		ids := texts(w.publish(3))
		w.pass(90 * time.Second)
		if got := r.ids(); len(got) != 1 {
			t.Error("the line moved on before its head had ended:", got)
		}
		w.pass(time.Minute)
		if diff := cmp.Diff(ids, r.ids()); diff != "" {
			t.Error("received (-want +got):", diff)
		}
		if d := w.deliveries(ep.ID)[0]; d.Status != bellwire.DeliveryExhausted || d.Reason != bellwire.ReasonSkipped {
			t.Errorf("head: %+v", d)
		}
	})
}

// Crashes at any moment neither lose a FIFO delivery nor change the order of first receipt.
func TestFIFOAcrossCrashes(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", func(n int, rw http.ResponseWriter, _ *http.Request) {
			time.Sleep(70 * time.Millisecond)
			if n%5 == 0 {
				rw.WriteHeader(500)
			}
		})
		w.endpoint("a", fifo, func(ep *bellwire.Endpoint) {
			ep.Retry = bellwire.RetryPolicy{Interval: bellwire.Duration(time.Second), Count: 90}
		})
		var want []string
		for range 10 {
			want = append(want, texts(w.publish(20))...)
			w.pass(330 * time.Millisecond)
			w.crash()
			w.start()
		}
		w.pass(time.Hour)
		if diff := cmp.Diff(want, r.ids()); diff != "" {
			t.Error("order of first receipt (-want +got):", diff)
		}
	})
}

func TestTakeOver(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		hang := func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
		r := w.receiver("a", hang)
		ep := w.endpoint("a")
		ids := texts(w.publish(50))
		w.pass(time.Second)
		w.crash()
		r.now(answers(200))
		w.start()
		w.pass(time.Second)
		got := r.ids()
		slices.Sort(got)
		if diff := cmp.Diff(ids, got); diff != "" {
			t.Error("received (-want +got):", diff)
		}
		if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != 50 {
			t.Error(got)
		}
	})
}

// A drain repeats nothing and loses nothing: attempts in flight are recorded, and queued deliveries are released.
func TestDrain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", func(int, http.ResponseWriter, *http.Request) { time.Sleep(5 * time.Second) })
		ep := w.endpoint("a")
		w.publish(300)
		w.pass(7 * time.Second)
		w.stop()
		if n, inside := len(r.got()), w.engine.Stats().InFlight; inside != 0 || n == 0 || n >= 300 {
			t.Error("in flight after the drain:", inside, "received:", n)
		}
		_, err := w.engine.Publish(t.Context(), &engine.Publication{Tenant: "acme", Events: []engine.Draft{{Type: "ping", Data: []byte("1")}}})
		if bellwire.CodeOf(err) != bellwire.CodeUnavailable {
			t.Error("a publish after the drain:", err)
		}
		w.start()
		w.pass(10 * time.Minute)
		if n := len(r.got()); n != 300 {
			t.Error("requests in all:", n)
		}
		if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != 300 {
			t.Error(got)
		}
	})
}

func TestPauseKeepsDeliveries(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", answers(200))
		ep := w.endpoint("a")
		w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointPaused })
		ids := texts(w.publish(40))
		w.pass(6 * time.Hour)
		if got := len(r.got()); got != 0 {
			t.Error("requests while paused:", got)
		}
		if got := w.statuses(ep.ID); got[bellwire.DeliveryPending] != 40 {
			t.Error(got)
		}
		w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointEnabled })
		w.pass(time.Second)
		got := r.ids()
		slices.Sort(got)
		if diff := cmp.Diff(ids, got); diff != "" {
			t.Error("received after the pause (-want +got):", diff)
		}
	})
}

func TestPauseReleasesQueuedDeliveries(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", func(int, http.ResponseWriter, *http.Request) { time.Sleep(3 * time.Second) })
		ep := w.endpoint("a")
		w.publish(20)
		w.pass(time.Second)
		w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointPaused })
		w.pass(10 * time.Second)
		n := len(r.got())
		if s := w.statuses(ep.ID); s[bellwire.DeliverySucceeded] != n || s[bellwire.DeliveryPending] != 20-n || n == 0 || n == 20 {
			t.Error(n, "requests;", s)
		}
		if got := w.engine.Stats(); got.Queued != 0 || got.QueuedBytes != 0 {
			t.Errorf("still in memory: %+v", got)
		}
	})
}

func TestDisablingCancels(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", answers(500))
		ep := w.endpoint("a")
		w.publish(1200)
		w.pass(time.Second)
		w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointDisabled })
		w.pass(time.Second)
		if got := w.statuses(ep.ID); got[bellwire.DeliveryCanceled] != 1200 {
			t.Error(got)
		}
		if d := w.deliveries(ep.ID)[7]; d.Reason != bellwire.ReasonEndpointDisabled {
			t.Errorf("%+v", d)
		}
		before := len(r.got())
		w.pass(24 * time.Hour)
		if after := len(r.got()); before == 0 || after != before {
			t.Errorf("%d requests before, and %d in the day after it was disabled", before, after-before)
		}
	})
}

func TestManualRetry(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", answers(500, 500, 500, 500, 200))
		ep := w.endpoint("a", func(ep *bellwire.Endpoint) {
			ep.Retry = bellwire.RetryPolicy{Schedule: []bellwire.Duration{bellwire.Duration(time.Hour), bellwire.Duration(time.Hour)}}
		})
		w.publish(1)
		w.pass(time.Second)
		retry := func() {
			t.Helper()
			_, err := w.store.RequestRetry(t.Context(), "acme", w.deliveries(ep.ID)[0].ID)
			must(t, err)
			w.engine.Refresh(ep.ID)
			w.pass(time.Second)
		}
		before := w.deliveries(ep.ID)[0]
		retry() // fails, and changes nothing about the schedule
		d := w.deliveries(ep.ID)[0]
		if d.Status != bellwire.DeliveryRetrying || d.Attempts != 2 || !d.DueAt.Equal(before.DueAt) || d.Retries != before.Retries {
			t.Errorf("after a failed manual retry:\n%+v, before\n%+v", d, before)
		}
		w.pass(3 * time.Hour)
		if d := w.deliveries(ep.ID)[0]; d.Status != bellwire.DeliveryExhausted || len(r.got()) != 4 {
			t.Errorf("after the schedule: %d requests, %+v", len(r.got()), d)
		}
		retry()
		if d := w.deliveries(ep.ID)[0]; d.Status != bellwire.DeliverySucceeded || d.Attempts != 5 {
			t.Errorf("after a manual retry that succeeded: %+v", d)
		}
	})
}

// Each manual retry is an attempt with the next number, however many there were.
func TestManualRetriesAgainAndAgain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const retries = 5
		r := w.receiver("a", answers(500))
		ep := w.endpoint("a", once)
		w.publish(1)
		w.pass(time.Second)
		id := w.deliveries(ep.ID)[0].ID
		for range retries {
			_, err := w.store.RequestRetry(t.Context(), "acme", id)
			must(t, err)
			w.engine.Refresh(ep.ID)
			w.pass(time.Second)
		}
		attempts, err := w.store.Attempts(t.Context(), id, 100)
		must(t, err)
		var numbers []int
		for _, a := range attempts {
			numbers = append(numbers, a.Number)
		}
		slices.Sort(numbers)
		if want := []int{1, 2, 3, 4, 5, 1 + retries}; !slices.Equal(numbers, want) || len(r.got()) != len(want) {
			t.Errorf("%d requests, attempts %v, want %v", len(r.got()), numbers, want)
		}
	})
}

// The endpoints of one event fail at different times. None changes what becomes of the event at another one, nor does a manual retry.
func TestEndpointsOfAnEventFailApart(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		three := func(ep *bellwire.Endpoint) {
			ep.Retry = bellwire.RetryPolicy{Interval: bellwire.Duration(time.Minute), Count: 2}
		}
		soon, never, late := w.receiver("soon", answers(200)), w.receiver("never", answers(500)), w.receiver("late", answers(500, 503, 200))
		a, b, c := w.endpoint("soon", three), w.endpoint("never", three), w.endpoint("late", three)
		expect := func(when string, ep *bellwire.Endpoint, r *receiver, status bellwire.DeliveryStatus, attempts int) {
			t.Helper()
			if d := w.deliveries(ep.ID)[0]; d.Status != status || d.Attempts != attempts || len(r.got()) != attempts {
				t.Errorf("%s, %s: %s after %d attempts and %d requests, want %s after %d", when, r.name, d.Status, d.Attempts, len(r.got()), status, attempts)
			}
		}
		w.publish(1)
		w.pass(time.Second)
		expect("at first", a, soon, bellwire.DeliverySucceeded, 1)
		expect("at first", b, never, bellwire.DeliveryRetrying, 1)
		expect("at first", c, late, bellwire.DeliveryRetrying, 1)
		w.pass(time.Hour)
		expect("in the end", a, soon, bellwire.DeliverySucceeded, 1)
		expect("in the end", b, never, bellwire.DeliveryExhausted, 3)
		expect("in the end", c, late, bellwire.DeliverySucceeded, 3)
		never.now(answers(200))
		_, err := w.store.RequestRetry(t.Context(), "acme", w.deliveries(b.ID)[0].ID)
		must(t, err)
		w.engine.Refresh(b.ID)
		w.pass(time.Hour)
		expect("after a manual retry", a, soon, bellwire.DeliverySucceeded, 1)
		expect("after a manual retry", b, never, bellwire.DeliverySucceeded, 4)
		expect("after a manual retry", c, late, bellwire.DeliverySucceeded, 3)
	})
}

// A test is sent whatever the status of its endpoint is, once, whatever comes of it.
func TestTest(t *testing.T) {
	for _, status := range []bellwire.EndpointStatus{bellwire.EndpointEnabled, bellwire.EndpointPaused, bellwire.EndpointDisabled} {
		t.Run(string(status), func(t *testing.T) { inWorld(t, func(t *testing.T, w *world) { testOnce(t, w, status) }) })
	}
}

func testOnce(t *testing.T, w *world, status bellwire.EndpointStatus) {
	r := w.receiver("a", answers(500))
	ep := w.endpoint("a", func(ep *bellwire.Endpoint) { ep.Status, ep.Events = status, []string{"other"} })
	event, delivery, err := w.engine.Test(t.Context(), "acme", ep.ID, engine.Draft{Type: "ping", Data: []byte(`"hello"`)})
	must(t, err)
	w.pass(time.Hour)
	got := r.got()
	if len(got) != 1 || got[0].id != event.String() || !strings.Contains(got[0].body, `"data":"hello"`) {
		t.Errorf("%+v", got)
	}
	d, err := w.store.Delivery(t.Context(), "acme", delivery)
	must(t, err)
	if d.Status != bellwire.DeliveryExhausted || d.Reason != bellwire.ReasonTestFailed {
		t.Errorf("%+v", d)
	}
}

func TestRateLimit(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", answers(200))
		w.endpoint("a", func(ep *bellwire.Endpoint) { ep.RateLimit = 5 })
		w.publish(100)
		w.pass(10 * time.Second)
		if n := len(r.got()); n < 45 || n > 52 {
			t.Error("requests in 10 s at 5 a second:", n)
		}
		w.pass(20 * time.Second)
		if n := len(r.got()); n != 100 {
			t.Error("requests in all:", n)
		}
	})
}

func TestMaxInFlight(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", func(int, http.ResponseWriter, *http.Request) { time.Sleep(100 * time.Millisecond) })
		ep := w.endpoint("a", func(ep *bellwire.Endpoint) { ep.MaxInFlight = 7 })
		w.publish(500)
		w.pass(10 * time.Minute)
		if r.most != 7 {
			t.Error("requests at the same time:", r.most)
		}
		if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != 500 {
			t.Error(got)
		}
	})
}

// However long an attempt takes, no other one of its delivery begins meanwhile, although the store is searched for what is due again
// and again.
func TestAttemptUnderWayIsNotRepeated(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var (
			mu     sync.Mutex
			inside = map[string]int{}
		)
		r := w.receiver("a", func(_ int, _ http.ResponseWriter, r *http.Request) {
			id := r.Header.Get("Webhook-Id")
			count := func(by int) {
				mu.Lock()
				defer mu.Unlock()
				if inside[id] += by; inside[id] > 1 {
					t.Errorf("%d requests of %s at the same time", inside[id], id)
				}
			}
			count(1)
			<-r.Context().Done()
			count(-1)
		})
		ep := w.endpoint("a", func(ep *bellwire.Endpoint) {
			ep.Timeout = time.Minute
			ep.Retry = bellwire.RetryPolicy{Schedule: []bellwire.Duration{bellwire.Duration(time.Second), bellwire.Duration(time.Second)}}
		})
		w.publish(3)
		for range 59 {
			w.pass(time.Second)
			w.engine.Refresh(ep.ID)
		}
		if n := len(r.got()); n > 3 {
			t.Errorf("%d requests of 3 deliveries within the timeout", n)
		}
		w.pass(time.Hour)
		if got := w.statuses(ep.ID); got[bellwire.DeliveryExhausted] != 3 || len(r.got()) != 9 {
			t.Errorf("%v after %d requests, want 9", got, len(r.got()))
		}
	})
}

// Manual retries and tests count under max_in_flight, whether or not deliveries of the schedule are under way.
func TestMaxInFlightCountsManualRetries(t *testing.T) {
	for most := 1; most <= 3; most++ {
		t.Run(fmt.Sprint(most), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				r := w.receiver("a", answers(500))
				ep := w.endpoint("a", func(ep *bellwire.Endpoint) {
					ep.MaxInFlight, ep.Retry = most, bellwire.RetryPolicy{}
				})
				w.publish(60)
				w.pass(time.Minute)
				r.now(func(int, http.ResponseWriter, *http.Request) { time.Sleep(100 * time.Millisecond) })
				for _, d := range w.deliveries(ep.ID) {
					_, err := w.store.RequestRetry(t.Context(), "acme", d.ID)
					must(t, err)
				}
				w.engine.Refresh(ep.ID)
				w.publish(60)
				for range 5 {
					_, _, err := w.engine.Test(t.Context(), "acme", ep.ID, engine.Draft{Type: "ping", Data: []byte("1")})
					must(t, err)
				}
				w.pass(time.Minute)
				if r.most != most {
					t.Error("requests at the same time:", r.most)
				}
				if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != 125 {
					t.Error(got)
				}
			})
		})
	}
}

// While the breaker is open one attempt at a time is made, after growing pauses; waiting uses up no retries;
// when the endpoint answers again, everything is delivered.
func TestBreaker(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", answers(500))
		ep := w.endpoint("a", func(ep *bellwire.Endpoint) {
			ep.Retry = bellwire.RetryPolicy{Schedule: slices.Repeat([]bellwire.Duration{bellwire.Duration(10 * time.Second)}, 100)}
		})
		w.publish(200)
		w.pass(2 * time.Minute)
		if got := w.engine.Stats(); got.OpenBreakers != 1 || got.Queued > 1 {
			t.Fatalf("%+v", got)
		}
		opened := len(r.got())
		w.publish(100) // these wait in the store
		w.pass(2 * time.Hour)
		if n := len(r.got()) - opened; n < 20 || n > 40 {
			t.Error("attempts in two hours with an open breaker:", n)
		}
		if got := w.engine.Stats(); got.Queued > 1 {
			t.Errorf("in memory while the breaker is open: %+v", got)
		}
		for _, d := range w.deliveries(ep.ID) {
			if d.Status == bellwire.DeliveryExhausted {
				t.Fatalf("waiting used up the policy: %+v", d)
			}
		}
		r.now(answers(200))
		w.pass(6 * time.Minute)
		if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != 300 {
			t.Error("after the endpoint answers again:", got)
		}
	})
}

// Hanging endpoints with a long backlog do not delay another's events: 25 endpoints with 50 events each want ten times as
// many requests at a time as the engine makes.
func TestIsolation(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.config.MaxInFlight = 128
		w.stop()
		w.start()
		for i := range 25 {
			w.receiver(fmt.Sprint("hang", i), func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
			w.endpoint(fmt.Sprint("hang", i))
		}
		w.publish(50)
		w.pass(time.Second)
		good := w.receiver("good", answers(200))
		w.endpoint("good")
		for range 20 {
			before := len(good.got())
			w.publish(5)
			w.pass(10 * time.Millisecond)
			if got := len(good.got()) - before; got != 5 {
				t.Fatal("of 5 events the healthy endpoint got at once", got)
			}
		}
	})
}

// A million-deep backlog of one endpoint would be claimed in small groups: memory stays bounded.
func TestBacklogCostsNoMemory(t *testing.T) {
	testenv.Long(t)
	inWorld(t, func(t *testing.T, w *world) {
		w.config.MaxQueued = 1000
		w.stop()
		w.start()
		r := w.receiver("a", func(int, http.ResponseWriter, *http.Request) { time.Sleep(50 * time.Millisecond) })
		ep := w.endpoint("a")
		w.publish(1500)
		if got := w.engine.Stats(); got.Queued > 512 {
			t.Errorf("in memory: %+v", got)
		}
		w.pass(time.Minute)
		if got := len(r.got()); got != 1500 {
			t.Error("requests:", got)
		}
		if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != 1500 {
			t.Error(got)
		}
	})
}

// What waits behind the first delivery of a FIFO endpoint goes ahead as soon as a manual retry of that one is acknowledged.
func TestManualRetryOfTheFirstFreesTheOthers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", answers(500, 200))
		ep := w.endpoint("a", fifo, every(time.Hour, 3))
		w.publish(3)
		w.pass(time.Second)
		_, err := w.store.RequestRetry(t.Context(), "acme", w.deliveries(ep.ID)[0].ID)
		must(t, err)
		w.engine.Refresh(ep.ID)
		w.pass(time.Second)
		if got := w.statuses(ep.ID); got[bellwire.DeliverySucceeded] != 3 || len(r.got()) != 4 {
			t.Errorf("%v, and %d requests", got, len(r.got()))
		}
	})
}
