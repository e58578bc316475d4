package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine"
)

// pause pauses or resumes acme, as the service does.
func (w *world) pause(paused bool, endpoints ...*bellwire.Endpoint) {
	w.t.Helper()
	tenant, err := w.store.Tenant(w.t.Context(), "acme")
	must(w.t, err)
	tenant.Paused, tenant.StatusSince = paused, now()
	must(w.t, w.store.UpdateTenant(w.t.Context(), tenant))
	w.directory.ForgetTenant("acme")
	for _, ep := range endpoints {
		w.engine.Refresh(ep.ID)
	}
}

// A paused tenant gets nothing, and loses nothing: neither what is published meanwhile, nor what is being retried, nor its tests
// and manual retries. Other tenants are served.
func TestPausedTenantWaits(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		fine, failing, foreign := w.receiver("fine", answers(200)), w.receiver("failing", answers(500)), w.receiver("foreign", answers(200))
		growing := bellwire.RetryPolicy{
			Initial: bellwire.Duration(time.Minute), Factor: 2, MaxElapsed: bellwire.Duration(time.Hour), MaxInterval: bellwire.Duration(10 * time.Minute),
		}
		ep := w.endpoint("fine", func(ep *bellwire.Endpoint) { ep.Retry = growing })
		retried := w.endpoint("failing", func(ep *bellwire.Endpoint) { ep.Retry = growing })
		w.endpoint("foreign", w.tenant("other"))
		first := w.publish(1)[0]
		w.pass(time.Second)
		w.pause(true, ep, retried)
		before := len(failing.got())
		ids := texts(w.publish(40))
		_, err := w.store.RequestRetry(t.Context(), "acme", bellwire.DeliveryOf(first, 0))
		must(t, err)
		w.engine.Refresh(ep.ID)
		w.engine.Refresh(retried.ID)
		_, test, err := w.engine.Test(t.Context(), "acme", ep.ID, engine.Draft{Type: "ping", Data: []byte("{}")})
		must(t, err)
		w.publishTo("other", 1)
		w.pass(6 * time.Hour)
		if got := len(fine.got()) + len(failing.got()); got != 1+before {
			t.Errorf("%d requests, of which %d were made before the pause", got, 1+before)
		}
		if got := len(foreign.got()); got != 1 {
			t.Error("requests of another tenant:", got)
		}
		if got := w.statuses(retried.ID); got[bellwire.DeliveryPending] != 40 || got[bellwire.DeliveryRetrying] != 1 {
			t.Error("waiting:", got)
		}
		if why, _ := w.engine.Blocked(ep.ID, bellwire.TriggerSchedule); why != bellwire.WaitTenantPaused {
			t.Error("the endpoint waits because of", why)
		}
		if got := w.engine.Stats(); got.Queued != 0 || got.QueuedBytes != 0 {
			t.Errorf("still in memory: %+v", got)
		}

		w.pause(false, ep, retried)
		w.pass(time.Minute)
		got := slices.DeleteFunc(fine.ids(), func(id string) bool { return !slices.Contains(ids, id) })
		slices.Sort(got)
		if diff := cmp.Diff(ids, got); diff != "" {
			t.Error("received after the pause (-want +got):", diff)
		}
		d, err := w.store.Delivery(t.Context(), "acme", test)
		must(t, err)
		if d.Status != bellwire.DeliverySucceeded {
			t.Error("the test is", d.Status)
		}
		w.pass(30 * time.Minute)
		if got := w.statuses(retried.ID); got[bellwire.DeliveryPending]+got[bellwire.DeliveryRetrying] != 41 {
			t.Error("max_elapsed ran during the pause:", got)
		}
		w.pass(time.Hour)
		if got := w.statuses(retried.ID); got[bellwire.DeliveryExhausted] != 41 {
			t.Error("max_elapsed does not run after the pause:", got)
		}
	})
}

// Jobs that send wait while the tenant is paused, and say so; those that cancel do not.
func TestJobsOfPausedTenant(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.receiver("a", answers(500))
		ep := w.endpoint("a", once)
		w.batch(10)
		w.pass(time.Hour)
		w.pause(true, ep)
		replay := w.job(bellwire.JobReplay, bellwire.SelectFailed)
		w.pass(time.Second)
		w.publish(5)
		cancel := w.job(bellwire.JobCancel, "")
		w.pass(time.Minute)
		if got := w.jobNow(replay); got.State != bellwire.JobRunning || got.Done != 0 || !strings.Contains(got.Waiting, "the tenant is paused") {
			t.Errorf("the job is %s with %d done, and waits: %q", got.State, got.Done, got.Waiting)
		}
		w.expectJob(cancel, bellwire.JobDone, 5, 0)
		w.pause(false, ep)
		w.pass(time.Minute)
		w.expectJob(replay, bellwire.JobDone, 10, 0)
	})
}
