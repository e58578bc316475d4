package engine_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// health returns an endpoint's health as it is now.
func (w *world) health(ep *bellwire.Endpoint) bellwire.EndpointHealth {
	w.t.Helper()
	all, err := w.store.Health(w.t.Context(), []string{ep.ID}, 100)
	must(w.t, err)
	return all[0].At(now())
}

// downWhile makes a handler that answers 500 while down.
func downWhile(down *atomic.Bool) func(int, http.ResponseWriter, *http.Request) {
	return func(_ int, rw http.ResponseWriter, _ *http.Request) {
		if down.Load() {
			rw.WriteHeader(http.StatusInternalServerError)
		}
	}
}

// An endpoint's health follows an outage and its end, and a restart in the middle changes nothing about it.
func TestHealthOverAnOutage(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var down atomic.Bool
		w.receiver("a", downWhile(&down))
		ep := w.endpoint("a", every(20*time.Second, 100))
		expect := func(state bellwire.HealthState, failures int) bellwire.EndpointHealth {
			t.Helper()
			h := w.health(ep)
			if h.State != state || h.Failures != failures {
				t.Fatalf("it is %s after %d failures, want %s after %d: %+v", h.State, h.Failures, state, failures, h)
			}
			return h
		}
		expect(bellwire.HealthIdle, 0)
		w.publish(1)
		w.pass(time.Second)
		expect(bellwire.HealthHealthy, 0)

		down.Store(true)
		began := now()
		w.publish(1)
		w.pass(30 * time.Second)
		expect(bellwire.HealthHealthy, 2)
		w.pass(20 * time.Second)
		h := expect(bellwire.HealthFailing, 3)
		if d := h.Since.Sub(began); d < 0 || d > time.Second || h.Waiting != 1 || h.BreakerOpen || !h.NextAttemptAt.After(now()) {
			t.Errorf("since %s, which is %s after the outage began: %+v", h.Since, d, h)
		}
		w.pass(200 * time.Second)
		if h := w.health(ep); !h.BreakerOpen {
			t.Errorf("the breaker is closed: %+v", h)
		}
		before := w.health(ep)
		w.stop()
		w.start()
		after := w.health(ep)
		if after.BreakerOpen || after.Failures < before.Failures || after.State != before.State || after.Since != before.Since {
			t.Errorf("before and after a restart:\n%+v\n%+v", before, after)
		}
		down.Store(false)
		w.pass(20 * time.Second)
		expect(bellwire.HealthRecovering, 0)
		w.publish(2)
		w.pass(time.Second)
		expect(bellwire.HealthHealthy, 0)
		w.pass(24 * time.Hour)
		expect(bellwire.HealthIdle, 0)
	})
}

// What an endpoint acknowledges while it is healthy reaches the store now and then only, and whatever ends failures does so at
// once.
func TestHealthCostsTheStoreLittle(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		var down atomic.Bool
		w.receiver("a", downWhile(&down))
		ep := w.endpoint("a", every(5*time.Second, 100))
		w.publish(1)
		w.pass(time.Second)
		first := w.health(ep).LastSuccessAt
		w.publish(1)
		w.pass(time.Second)
		if at := w.health(ep).LastSuccessAt; at != first {
			t.Errorf("a second acknowledgement, %s after the first, was recorded", at.Sub(first))
		}
		w.pass(bellwire.HealthSeenPeriod)
		w.publish(1)
		w.pass(time.Second)
		if at := w.health(ep).LastSuccessAt; at.Sub(first) < bellwire.HealthSeenPeriod {
			t.Errorf("the last success is at %s, as if there had been none since %s", at, first)
		}
		down.Store(true)
		w.publish(1)
		w.pass(time.Second)
		if h := w.health(ep); h.Failures != 1 {
			t.Errorf("after a failure: %+v", h)
		}
		down.Store(false)
		w.publish(1)
		w.pass(time.Second)
		if h := w.health(ep); h.Failures != 0 || h.State != bellwire.HealthHealthy {
			t.Errorf("after an acknowledgement: %+v", h)
		}
	})
}
