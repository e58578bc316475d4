package engine_test

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/testenv"
)

// hanging makes endpoints of acme that never answer.
func (w *world) hanging(n int, change ...func(*bellwire.Endpoint)) []*bellwire.Endpoint {
	w.t.Helper()
	var list []*bellwire.Endpoint
	for i := range n {
		name := fmt.Sprint("hang", i)
		w.receiver(name, hang)
		list = append(list, w.endpoint(name, change...))
	}
	return list
}

// With few file descriptors and many endpoints of one tenant that hang, another's new endpoint gets its first event at
// once.
func TestANewEndpointDoesNotWaitForOthersThatHang(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.restart(func() { w.config.MaxInFlight = 50 })
		w.hanging(300)
		w.publish(3)
		w.pass(time.Second)
		for i := range 3 {
			name := fmt.Sprint("new", i)
			r := w.receiver(name, answers(200))
			w.endpoint(name, w.tenant(name))
			w.publishTo(name, 10)
			w.pass(10 * time.Millisecond)
			if n := len(r.got()); n != 1 {
				t.Fatalf("%s got %d requests at once; under way: %+v", name, n, w.engine.Stats())
			}
			w.pass(20 * time.Second)
		}
	})
}

// Large events of one tenant's endpoints that hang fill its share of memory only, and are there once.
func TestLargeEventsOfOneTenantLeaveRoomForOthers(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const size = 100_000
		w.restart(func() { w.config.MaxBytes = 20 * size })
		w.hanging(150)
		known := w.receiver("known", answers(200))
		w.endpoint("known", w.tenant("known"))
		w.publishTo("known", 10)
		for i := range 10 {
			w.publishTo("acme", size)
			w.pass(time.Second)
			if s := w.engine.Stats(); i == 0 && (s.InFlight != 150 || s.QueuedBytes > 3*size) {
				t.Errorf("one event of %d bytes for 150 endpoints: %+v", size, s)
			}
			w.publishTo("known", 10)
			name := fmt.Sprint("new", i)
			r := w.receiver(name, answers(200))
			w.endpoint(name, w.tenant(name))
			w.publishTo(name, size)
			w.pass(10 * time.Millisecond)
			if len(known.got()) != i+2 || len(r.got()) != 1 {
				t.Fatalf("after %d large events a known endpoint got %d, a new one %d; %+v", i+1, len(known.got()), len(r.got()), w.engine.Stats())
			}
		}
		if s := w.engine.Stats(); s.QueuedBytes > 20*size {
			t.Errorf("%+v", s)
		}
	})
}

// Tests at endpoints that hang hold up neither other tenants' retries nor the tenant's own schedule.
func TestTestsDoNotHoldUpRetries(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.restart(func() { w.config.MaxQueued, w.config.MaxInFlight = 400, 128 })
		list := w.hanging(100, func(ep *bellwire.Endpoint) { ep.Events = []string{"none"} })
		soon := func(ep *bellwire.Endpoint) {
			ep.Retry = bellwire.RetryPolicy{Interval: bellwire.Duration(5 * time.Second), Count: 20}
		}
		other := w.receiver("other", answers(500, 500, 500, 200))
		w.endpoint("other", w.tenant("other"), soon)
		own := w.receiver("own", answers(500, 500, 500, 200))
		for range 10 {
			for _, ep := range list {
				_, _, err := w.engine.Test(t.Context(), "acme", ep.ID, engine.Draft{Type: "ping", Data: []byte("1")})
				must(t, err)
			}
		}
		w.pass(time.Second)
		w.endpoint("own", soon, func(ep *bellwire.Endpoint) { ep.Events = []string{"own"} })
		_, err := w.store.PutEventType(t.Context(), &bellwire.EventType{Name: "own", CreatedAt: now(), UpdatedAt: now()})
		must(t, err)
		w.publishTo("other", 10)
		_, err = w.engine.Publish(t.Context(), &engine.Publication{Tenant: "acme", Events: []engine.Draft{{Type: "own", Data: []byte("1")}}})
		must(t, err)
		w.pass(16 * time.Second)
		if len(other.got()) != 4 || len(own.got()) != 4 {
			t.Errorf("in 16 s with a retry each 5 s: another tenant's endpoint %d requests, the tenant's own %d; %+v",
				len(other.got()), len(own.got()), w.engine.Stats())
		}
	})
}

// While one tenant uses its share of places in memory, the deliveries of others are claimed.
func TestClaimsWaitForTheirOwnTenantOnly(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.restart(func() { w.config.MaxQueued = 200 })
		for i := range 100 {
			name := fmt.Sprint("stuck", i)
			w.receiver(name, func(n int, rw http.ResponseWriter, r *http.Request) {
				if n > 1 {
					hang(n, rw, r)
				}
			})
			w.endpoint(name)
		}
		w.publish(1)
		w.pass(time.Second)
		w.publish(20)
		w.pass(time.Second)
		if s := w.engine.Stats(); s.LeftInStore == 0 || s.Queued >= 200 {
			t.Errorf("%+v", s)
		}
		r := w.receiver("other", answers(200))
		ep := w.endpoint("other", w.tenant("other"), func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointPaused })
		for range 50 {
			w.publishTo("other", 10)
		}
		w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointEnabled })
		w.directory.ForgetTenant("other")
		w.pass(time.Second)
		if n := len(r.got()); n != 50 {
			t.Errorf("of 50 events that were in the store %d came within a second; %+v", n, w.engine.Stats())
		}
	})
}

// Endpoints that fail at once, by the hundred, get so many attempts a second, and other tenants' theirs at once.
func TestFailingEndpointsTakeNoMoreThanTheirShare(t *testing.T) {
	testenv.Long(t)
	inWorld(t, func(t *testing.T, w *world) {
		var failing []*receiver
		for i := range 100 {
			name := fmt.Sprint("failing", i)
			failing = append(failing, w.receiver(name, answers(500)))
			w.endpoint(name)
		}
		r := w.receiver("other", answers(500))
		w.endpoint("other", w.tenant("other"))
		w.publish(100)
		w.pass(10 * time.Second)
		for range 100 {
			w.publishTo("other", 10)
		}
		w.pass(10 * time.Millisecond)
		if n := len(r.got()); n != 100 {
			t.Errorf("another tenant's failing endpoint got %d of 100 requests at once", n)
		}
		n := 0
		for _, f := range failing {
			if len(f.got()) < 10 {
				t.Errorf("%s had %d attempts: it had no turn", f.name, len(f.got()))
			}
			n += len(f.got())
		}
		if n > 12*limits.FailureRate {
			t.Errorf("%d attempts in 10 s", n)
		}
	})
}

// Attempts begin in portions, so that nothing else waits for a processor behind a thousand of them. Those that end make room
// for others; those that wait for their endpoint do after a moment, which is longer while the processors are behind.
func TestAttemptsBeginInPortions(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		busy := false
		w.restart(func() { w.config.MaxStarting, w.config.Busy = 10, func() bool { return busy } })
		w.hanging(100)
		w.receiver("other", answers(200))
		w.endpoint("other", w.tenant("other"))
		for _, busy = range []bool{true, false} {
			each := limits.Pace
			if busy {
				each = limits.PaceBusy
			}
			w.publish(1)
			for portions := 1; portions <= 10; portions++ {
				synctest.Wait()
				if n := w.engine.Stats().InFlight; n != 10*portions {
					t.Fatalf("busy: %v: %d attempts are under way after %d portions", busy, n, portions)
				}
				time.Sleep(each)
			}
			w.pass(time.Minute)
		}
	})
}

// A burst of one tenant delays another tenant's delivery by a portion, not by the whole.
func TestABurstDelaysOthersByAPortion(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.restart(func() { w.config.MaxStarting, w.config.Busy = 10, func() bool { return true } })
		w.hanging(100)
		r := w.receiver("other", answers(200))
		w.endpoint("other", w.tenant("other"))
		w.publish(1)
		w.publishTo("other", 1)
		time.Sleep(limits.PaceBusy)
		synctest.Wait()
		if n := len(r.got()); n != 1 || w.engine.Stats().InFlight > 20 {
			t.Errorf("another tenant got %d of 1 after a portion; %d attempts are under way", n, w.engine.Stats().InFlight)
		}
	})
}

// Attempts that end at once make room for each other, however busy the processors are.
func TestQuickAttemptsDoNotWaitForAPortion(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.restart(func() { w.config.MaxStarting, w.config.Busy = 2, func() bool { return true } })
		var receivers []*receiver
		for i := range 100 {
			name := fmt.Sprint("quick", i)
			receivers = append(receivers, w.receiver(name, answers(200)))
			w.endpoint(name)
		}
		w.publish(1)
		synctest.Wait()
		n := 0
		for _, r := range receivers {
			n += len(r.got())
		}
		if n != 100 {
			t.Errorf("%d of 100 attempts were made at once", n)
		}
	})
}
