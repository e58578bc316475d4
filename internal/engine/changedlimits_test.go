package engine_test

import (
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// limit gives acme limits of its own, as the service does.
func (w *world) limit(ep *bellwire.Endpoint, values map[string]float64) {
	w.t.Helper()
	tenant, err := w.store.Tenant(w.t.Context(), "acme")
	must(w.t, err)
	tenant.Limits = values
	must(w.t, w.store.UpdateTenant(w.t.Context(), tenant))
	w.directory.ForgetTenant("acme")
	w.engine.Refresh(ep.ID)
}

// TestLimitsThatChange: a tenant's new limits hold for endpoints that are being sent to, whether they were raised, lowered or
// taken away.
func TestLimitsThatChange(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.restart(func() { w.limits.TargetRequests, w.limits.MinRetryDelay = 10, time.Second })
		victim := w.receiver("victim", answers(500))
		ep := w.endpoint("victim", triedEvery(time.Second))
		w.publish(1)
		got := func(d time.Duration) int {
			w.pass(time.Second) // for what was to be done at once
			before := len(victim.got())
			w.pass(d)
			return len(victim.got()) - before
		}
		w.pass(10 * time.Minute)
		if n := got(time.Minute); n > 2 {
			t.Fatalf("%d requests in a minute, and 10 are allowed an hour", n)
		}
		w.limit(ep, map[string]float64{"target_requests": 1800})
		if n := got(time.Minute); n < 20 {
			t.Errorf("%d requests in a minute, and 1,800 are allowed an hour", n)
		}
		w.limit(ep, map[string]float64{"target_requests": 10})
		w.pass(time.Hour)
		if n := got(time.Hour); n > 11 {
			t.Errorf("%d requests in an hour, and 10 are allowed", n)
		}
		w.publish(1) // the first delivery has few retries left
		w.limit(ep, map[string]float64{"target_requests": 0})
		if n := got(time.Minute); n < 20 {
			t.Errorf("%d requests in a minute, and there is no limit", n)
		}
		w.limit(ep, map[string]float64{"target_requests": 0, "min_retry_delay": 30})
		if n := got(time.Minute); n > 3 {
			t.Errorf("%d retries in a minute, and they are 30 seconds apart", n)
		}
	})
}
