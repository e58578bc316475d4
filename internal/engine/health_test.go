package engine_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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

// An endpoint that nothing reaches is disabled after its auto_disable_after, and then gets nothing more. A restart on the way
// delays nothing.
func TestEndpointThatFailsForTooLongIsDisabled(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seen := new(disabledSeen)
		w.stop()
		w.config.Observer = seen
		w.start()
		r := w.receiver("a", answers(500))
		ep := w.endpoint("a", func(ep *bellwire.Endpoint) { ep.AutoDisableAfter = 10 * time.Hour })
		w.receiver("b", answers(500))
		never := w.endpoint("b")
		for round := range 5 {
			w.publish(1)
			w.pass(2 * time.Hour)
			if got, err := w.store.Endpoint(t.Context(), ep.ID); err != nil || got.Status != bellwire.EndpointEnabled {
				t.Fatalf("after %d hours: %+v, %v", 2*(round+1), got, err)
			}
			if round == 2 {
				w.stop()
				w.start()
			}
		}
		w.publish(1)
		w.pass(time.Hour)
		got, err := w.store.Endpoint(t.Context(), ep.ID)
		must(t, err)
		if got.Status != bellwire.EndpointDisabled || !strings.Contains(got.StatusReason, "is disabled that fails for 10h") {
			t.Fatalf("it is %s because %q", got.Status, got.StatusReason)
		}
		if diff := cmp.Diff([]string{ep.ID + ": " + got.StatusReason}, seen.all()); diff != "" {
			t.Errorf("what was observed differs:\n%s", diff)
		}
		for _, d := range w.deliveries(ep.ID) {
			if d.Status.Open() || d.Status == bellwire.DeliveryCanceled && d.Reason != bellwire.ReasonDisabledFor(got.StatusReason) {
				t.Errorf("a delivery is %s because %q", d.Status, d.Reason)
			}
		}
		before := len(r.got())
		w.publish(1)
		w.pass(12 * time.Hour)
		if after := len(r.got()); after != before {
			t.Errorf("it got %d requests while it was disabled", after-before)
		}
		if got, err := w.store.Endpoint(t.Context(), never.ID); err != nil || got.Status != bellwire.EndpointEnabled {
			t.Errorf("without auto_disable_after: %+v, %v", got, err)
		}
	})
}

// The time that an attempt may take is the endpoint's own.
func TestTimeoutOfAnEndpoint(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.receiver("a", hang)
		ep := w.endpoint("a", func(ep *bellwire.Endpoint) { ep.Timeout = 40 * time.Second })
		w.publish(1)
		w.pass(39 * time.Second)
		if got := w.deliveries(ep.ID)[0]; got.Attempts != 0 {
			t.Fatalf("the attempt ended early: %+v", got)
		}
		w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.Timeout = 2 * time.Second })
		w.pass(2 * time.Second)
		attempts, err := w.store.Attempts(t.Context(), w.deliveries(ep.ID)[0].ID, 10)
		must(t, err)
		if len(attempts) != 1 || attempts[0].Outcome != bellwire.OutcomeTimeout || attempts[0].Timings.Total.Round(time.Second) != 40*time.Second {
			t.Fatalf("%+v", attempts)
		}
		w.pass(8 * time.Second) // the next attempt is due after five
		attempts, err = w.store.Attempts(t.Context(), w.deliveries(ep.ID)[0].ID, 10)
		must(t, err)
		if len(attempts) != 2 || attempts[1].Timings.Total.Round(time.Second) != 2*time.Second {
			t.Errorf("after a change of the timeout: %+v", attempts)
		}
	})
}

// disabledSeen is an observer of endpoints that are disabled.
type disabledSeen struct {
	bellwire.NopObserver
	mu       sync.Mutex
	disabled []string
}

func (o *disabledSeen) Disabled(ep *bellwire.Endpoint, reason string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.disabled = append(o.disabled, ep.ID+": "+reason)
}

func (o *disabledSeen) all() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.disabled)
}
