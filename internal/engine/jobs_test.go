package engine_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/testenv"
)

// job starts a job of acme.
func (w *world) job(kind bellwire.JobKind, status string, change ...func(*bellwire.Job)) *bellwire.Job {
	w.t.Helper()
	return w.jobOf("acme", kind, status, change...)
}

func (w *world) jobOf(tenant string, kind bellwire.JobKind, status string, change ...func(*bellwire.Job)) *bellwire.Job {
	w.t.Helper()
	j := &bellwire.Job{
		ID: bellwire.NewID[bellwire.JobIDKind](now()), Tenant: tenant, Kind: kind, State: bellwire.JobRunning, CreatedAt: now(), UpdatedAt: now(),
		Params: bellwire.JobParams{Until: now().Add(time.Millisecond)},
	}
	if !j.Params.Choose(kind, status) {
		w.t.Fatalf("%s jobs have no status %q", kind, status)
	}
	for _, f := range change {
		f(j)
	}
	must(w.t, w.store.CreateJob(w.t.Context(), j, bellwire.JobBounds{OfTenant: 1000, InAll: 1000, Kept: 1000}))
	w.engine.WakeJobs()
	return j
}

func atEndpoint(ep *bellwire.Endpoint) func(*bellwire.Job) {
	return func(j *bellwire.Job) { j.Params.Endpoint = ep.ID }
}

func atRate(perSecond float64) func(*bellwire.Job) {
	return func(j *bellwire.Job) { j.Rate = perSecond }
}

// now returns a job as it is stored.
func (w *world) jobNow(j *bellwire.Job) *bellwire.Job {
	w.t.Helper()
	got, err := w.store.Job(w.t.Context(), j.Tenant, j.ID)
	must(w.t, err)
	return got
}

// expectJob expects the state of a job and its figures.
func (w *world) expectJob(j *bellwire.Job, state bellwire.JobState, done, skipped int) {
	w.t.Helper()
	got := w.jobNow(j)
	if got.State != state || got.Done != done || got.Skipped != skipped {
		w.t.Errorf("the job is %s, with %d done and %d skipped (%q %q); want %s, %d, %d",
			got.State, got.Done, got.Skipped, got.Waiting, got.Error, state, done, skipped)
	}
}

func (w *world) changeJob(j *bellwire.Job, c bellwire.JobChange) {
	w.t.Helper()
	_, err := w.store.ChangeJob(w.t.Context(), j.Tenant, j.ID, c, now())
	must(w.t, err)
	w.engine.WakeJobs()
}

func once(ep *bellwire.Endpoint) { ep.Retry = bellwire.RetryPolicy{Schedule: []bellwire.Duration{}} }

// counts counts how often a receiver got each message.
func (r *receiver) counts() map[string]int {
	counts := map[string]int{}
	for _, g := range r.got() {
		counts[g.id]++
	}
	return counts
}

// An outage is over: what one endpoint missed is sent to it again, with the ids that it had, and to nobody else.
func TestReplayFailed(t *testing.T) {
	testenv.Long(t)
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.receiver("a", answers(500)), w.receiver("b", answers(200))
		ep := w.endpoint("a", once)
		w.endpoint("b")
		const missed = limits.JobWaiting + 2*limits.JobStep + 7
		ids := w.batch(1000)
		for len(ids) < missed {
			ids = append(ids, w.batch(min(1000, missed-len(ids)))...)
		}
		w.pass(time.Hour)
		a.now(answers(200))
		fine := w.publish(3)
		w.pass(time.Hour)
		before := a.counts()
		j := w.job(bellwire.JobReplay, bellwire.SelectFailed, atEndpoint(ep))
		w.pass(time.Hour)
		w.expectJob(j, bellwire.JobDone, missed, 0)
		after := a.counts()
		for _, id := range ids {
			if got := after[id.String()] - before[id.String()]; got != 1 {
				t.Fatalf("%s was sent %d times by the replay", id, got)
			}
		}
		for _, id := range fine {
			if after[id.String()] != 1 {
				t.Errorf("%s, which had not failed, was sent %d times", id, after[id.String()])
			}
		}
		for id, n := range b.counts() {
			if n != 1 {
				t.Errorf("the other endpoint got %s %d times", id, n)
			}
		}
	})
}

// An endpoint gets what was published before it was made, in its order, while others get nothing and live events go on.
func TestReplayMissing(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		other := w.receiver("other", answers(200))
		w.endpoint("other")
		old := w.batch(700)
		w.pass(time.Minute)
		r := w.receiver("a", answers(200))
		ep := w.endpoint("a", fifo)
		live := w.publish(5)
		w.pass(time.Minute)
		j := w.job(bellwire.JobReplay, bellwire.SelectMissing, atEndpoint(ep))
		w.pass(time.Minute)
		live2 := w.publish(5)
		w.pass(time.Hour)
		w.expectJob(j, bellwire.JobDone, len(old), 0)
		want := texts(slices.Concat(live, old, live2))
		if got := r.ids(); !slices.Equal(got, want) || len(r.got()) != len(want) {
			t.Errorf("the endpoint got %d requests for %d events, want %d in the order of the store", len(r.got()), len(got), len(want))
		}
		if n := len(other.got()); n != len(old)+10 {
			t.Errorf("the other endpoint got %d requests", n)
		}
	})
}

// A job may know of an endpoint that this node has not heard of yet, because another node has just created it.
func TestJobBeginsWithTheNewestConfiguration(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		old := w.publish(3)
		w.silent = true
		r := w.receiver("a", answers(200))
		ep := w.endpoint("a", fifo)
		j := w.job(bellwire.JobReplay, bellwire.SelectMissing, atEndpoint(ep))
		w.pass(time.Minute)
		w.expectJob(j, bellwire.JobDone, len(old), 0)
		if got := r.ids(); !slices.Equal(got, texts(old)) {
			t.Errorf("the endpoint got %v, want %v", got, texts(old))
		}
	})
}

// An endpoint with a filter gets only what the filter lets pass, however large the events are.
func TestReplayMissingThroughAFilter(t *testing.T) {
	testenv.Long(t)
	inWorld(t, func(t *testing.T, w *world) {
		large := strings.Repeat("x", 512<<10)
		var want []string
		for i := range 40 {
			data := fmt.Sprintf(`{"n": %d, "text": %q}`, i, large)
			if i%10 == 9 {
				data = `{}`
			}
			receipts, err := w.engine.Publish(t.Context(), &engine.Publication{Tenant: "acme", Events: []engine.Draft{{Type: "ping", Data: []byte(data)}}})
			must(t, err)
			if i%3 == 0 || i%10 == 9 {
				want = append(want, receipts[0].Event.String())
			}
		}
		tests := []struct {
			name    string
			onError bellwire.OnError
			done    int
		}{{"deliver", bellwire.OnErrorDeliver, 16}, {"skip", bellwire.OnErrorSkip, 12}}
		for _, c := range tests {
			r := w.receiver(c.name, answers(200))
			ep := w.endpoint(c.name, fifo, choosing("data.n % 3 == 0", c.onError))
			j := w.job(bellwire.JobReplay, bellwire.SelectMissing, atEndpoint(ep))
			w.pass(time.Hour)
			w.expectJob(j, bellwire.JobDone, c.done, 40-c.done)
			if got := r.ids(); c.onError == bellwire.OnErrorDeliver && !slices.Equal(got, want) || len(got) != c.done {
				t.Errorf("%s: got %d events, want %d", c.name, len(got), c.done)
			}
		}
	})
}

// A job with a filter skips the events that it does not take, and those for which it has no answer, whatever its kind is.
func TestJobThroughItsFilter(t *testing.T) {
	for _, kind := range []bellwire.JobKind{bellwire.JobReplay, bellwire.JobRetry} {
		t.Run(string(kind), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.receiver("a", answers(500, 500, 500, 200))
				ep := w.endpoint("a", once)
				for _, data := range []string{`{"n": 1}`, `{"n": 2}`, `{}`} {
					_, err := w.engine.Publish(t.Context(), &engine.Publication{Tenant: "acme", Events: []engine.Draft{{Type: "ping", Data: []byte(data)}}})
					must(t, err)
				}
				w.pass(time.Minute)
				j := w.job(kind, bellwire.SelectFailed, atEndpoint(ep), func(j *bellwire.Job) { j.Params.Filter = "data.n > 1" })
				w.pass(time.Minute)
				w.expectJob(j, bellwire.JobDone, 1, 2)
				if got := w.statuses(ep.ID)[bellwire.DeliverySucceeded]; got != 1 {
					t.Errorf("%d deliveries succeeded, want 1", got)
				}
			})
		})
	}
}

// A job whose process dies between or within steps continues where it was.
func TestJobGoesOnAfterACrash(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", answers(500))
		ep := w.endpoint("a", once, func(ep *bellwire.Endpoint) { ep.MaxInFlight = 8 })
		ids := w.batch(600)
		w.pass(time.Hour)
		r.now(answers(200))
		before := r.counts()
		j := w.job(bellwire.JobReplay, bellwire.SelectFailed, atEndpoint(ep), atRate(50))
		for range 4 {
			w.pass(2 * time.Second)
			if done := w.jobNow(j).Done; done == 0 || done == len(ids) {
				t.Fatalf("%d are done when the process dies", done)
			}
			w.crash()
			w.start()
		}
		w.pass(time.Hour)
		w.expectJob(j, bellwire.JobDone, len(ids), 0)
		if n := len(w.deliveries(ep.ID)); n != 2*len(ids) {
			t.Errorf("there are %d deliveries of %d events", n, len(ids))
		}
		after := r.counts()
		for _, id := range ids {
			if after[id.String()] == before[id.String()] {
				t.Errorf("%s was not sent again", id)
			}
		}
	})
}

// A job goes on after a start that could not read it at once, on the only node, too, whom nobody wakes.
func TestJobGoesOnAfterAFailedRead(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.receiver("a", answers(200))
		ep := w.endpoint("a")
		ids := w.batch(100)
		w.pass(time.Minute)
		j := w.job(bellwire.JobReplay, bellwire.SelectAll, atEndpoint(ep), atRate(5))
		w.pass(2 * time.Second)
		w.crash()
		unread := &unreadJobs{}
		w.wrap = func(s bellwire.Store) bellwire.Store { unread.Store = s; return unread }
		w.start()
		w.pass(time.Hour)
		if !unread.asked {
			t.Fatal("nobody read the jobs")
		}
		w.expectJob(j, bellwire.JobDone, len(ids), 0)
	})
}

// unreadJobs is a store whose running jobs cannot be read the first time.
type unreadJobs struct {
	bellwire.Store
	asked bool
}

func (s *unreadJobs) RunningJobs(ctx context.Context, leases *bellwire.Leases) ([]*bellwire.Job, error) {
	if !s.asked {
		s.asked = true
		return nil, bellwire.Errorf(bellwire.CodeUnavailable, "the database is away")
	}
	return s.Store.RunningJobs(ctx, leases)
}

// A job keeps to its rate, also when that is changed while it runs, and does nothing while it is paused.
func TestJobRate(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", answers(500))
		ep := w.endpoint("a", once)
		w.batch(1000)
		w.pass(time.Hour)
		r.now(answers(200))
		j := w.job(bellwire.JobReplay, bellwire.SelectFailed, atEndpoint(ep), atRate(10))
		expect := func(what string, done int) {
			t.Helper()
			if got := w.jobNow(j).Done; got < done-10 || got > done+10 { // a step more, and one less for each change
				t.Errorf("%s: %d are done, want %d", what, got, done)
			}
		}
		w.pass(10 * time.Second)
		expect("10 a second", 100)
		faster := 40.0
		w.changeJob(j, bellwire.JobChange{Rate: &faster})
		w.pass(5 * time.Second)
		expect("40 a second", 300)
		w.changeJob(j, bellwire.JobChange{State: bellwire.JobPaused})
		w.pass(time.Hour)
		expect("paused", 300)
		w.changeJob(j, bellwire.JobChange{State: bellwire.JobRunning})
		w.pass(5 * time.Second)
		expect("resumed", 500)
		none := 0.0
		w.changeJob(j, bellwire.JobChange{Rate: &none})
		w.pass(time.Minute)
		w.expectJob(j, bellwire.JobDone, 1000, 0)
		other := w.job(bellwire.JobReplay, bellwire.SelectAll, atEndpoint(ep), atRate(1))
		w.pass(10 * time.Second)
		w.changeJob(other, bellwire.JobChange{State: bellwire.JobCanceled})
		done := w.jobNow(other).Done
		w.pass(time.Hour)
		w.expectJob(other, bellwire.JobCanceled, done, 0)
	})
}

// However often a slow job is paused and resumed, gets another rate, or goes on in another process, it keeps to its rate.
func TestSlowJobKeepsItsRate(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", answers(500))
		ep := w.endpoint("a", once)
		w.batch(100)
		w.pass(time.Hour)
		r.now(answers(200))
		began := now()
		j := w.job(bellwire.JobReplay, bellwire.SelectFailed, atEndpoint(ep), atRate(0.1))
		keeps := func(what string) {
			t.Helper()
			if done, most := w.jobNow(j).Done, int(now().Sub(began)/(10*time.Second))+1; done > most || done < most/2 {
				t.Errorf("%s: %d deliveries are done after %s at a rate of 0.1", what, done, now().Sub(began))
			}
		}
		for range 12 {
			w.pass(2 * time.Second)
			w.changeJob(j, bellwire.JobChange{State: bellwire.JobPaused})
			w.pass(time.Second)
			w.changeJob(j, bellwire.JobChange{State: bellwire.JobRunning})
			keeps("paused and resumed")
		}
		for i := range 12 {
			w.pass(3 * time.Second)
			rate := 0.1 - float64(i%2)/1000
			w.changeJob(j, bellwire.JobChange{Rate: &rate})
			keeps("with another rate")
		}
		for range 4 {
			w.pass(8 * time.Second)
			w.crash()
			w.start()
			keeps("after a crash")
		}
		w.changeJob(j, bellwire.JobChange{State: bellwire.JobPaused})
		w.pass(time.Minute)
		before := w.jobNow(j).Done
		w.changeJob(j, bellwire.JobChange{State: bellwire.JobRunning})
		w.pass(5 * time.Second)
		if done := w.jobNow(j).Done; done != before+1 {
			t.Errorf("%d deliveries are done after a pause of a minute and 5 s, and %d before", done, before)
		}
		w.changeJob(j, bellwire.JobChange{State: bellwire.JobCanceled})
	})
}

// A job for an endpoint that takes nothing waits, and says why; it brings no more into the store than may wait there.
func TestJobWaitsForItsEndpoint(t *testing.T) {
	testenv.Long(t)
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", answers(500))
		ep := w.endpoint("a", once)
		ids := w.batch(1000)
		ids = append(ids, w.batch(1000)...)
		w.pass(time.Hour)
		w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointPaused })
		j := w.job(bellwire.JobReplay, bellwire.SelectFailed, atEndpoint(ep))
		expectWaiting := func(done int, reason string) {
			t.Helper()
			w.pass(time.Minute)
			if got := w.jobNow(j); got.State != bellwire.JobRunning || got.Done != done || !strings.Contains(got.Waiting, reason) {
				t.Errorf("the job is %s with %d done, and waits: %q; want %d and %q", got.State, got.Done, got.Waiting, done, reason)
			}
		}
		expectWaiting(0, "is paused")
		w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointDisabled })
		expectWaiting(0, "is disabled")
		r.now(func(_ int, _ http.ResponseWriter, req *http.Request) { <-req.Context().Done() }) // no answer
		w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.Status, ep.MaxInFlight = bellwire.EndpointEnabled, 1 })
		w.pass(10 * time.Second)
		if open := w.statuses(ep.ID)[bellwire.DeliveryPending]; open > limits.JobWaiting+limits.JobStep {
			t.Errorf("%d deliveries wait at an endpoint that does not answer", open)
		}
		r.now(answers(200))
		w.update(ep.ID, func(ep *bellwire.Endpoint) { ep.MaxInFlight = 64 })
		w.pass(time.Hour)
		w.expectJob(j, bellwire.JobDone, len(ids), 0)
	})
}

// A job ends with its reason when what it is about is deleted.
func TestJobOfWhatIsDeleted(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		of := w.tenant("other")
		w.receiver("a", answers(500))
		ep, foreign := w.endpoint("a", once), w.endpoint("a", once, of)
		w.batch(100)
		for range 100 {
			w.publishTo("other", 1)
		}
		w.pass(time.Hour)
		j := w.job(bellwire.JobReplay, bellwire.SelectFailed, atEndpoint(ep), atRate(1))
		w.jobOf("other", bellwire.JobReplay, bellwire.SelectFailed, atEndpoint(foreign), atRate(1))
		w.pass(10 * time.Second)
		must(t, w.store.DeleteEndpoint(t.Context(), "acme", ep.ID, now(), bellwire.ChangeNote{}))
		w.directory.ForgetTenant("acme")
		w.directory.ForgetEndpoint(ep.ID)
		must(t, w.store.DeleteTenant(t.Context(), "other", now()))
		w.directory.ForgetTenant("other")
		w.pass(10 * time.Second)
		all, err := w.store.Jobs(t.Context(), bellwire.JobsFilter{}, bellwire.Page{Limit: 10})
		must(t, err)
		want := map[string]string{"acme": "the endpoint was deleted", "other": "the tenant was deleted"}
		for _, got := range all.Items {
			if got.State != bellwire.JobFailed || got.Error != want[got.Tenant] || got.FinishedAt.IsZero() {
				t.Errorf("the job of %s is %s: %q", got.Tenant, got.State, got.Error)
			}
		}
		if w.jobNow(j).Done == 0 || len(all.Items) != 2 {
			t.Errorf("%d jobs, of which the first had done nothing", len(all.Items))
		}
	})
}

// A bulk retry of all endpoints begins each schedule again, and leaves out those that are disabled.
func TestBulkRetry(t *testing.T) {
	testenv.Long(t)
	inWorld(t, func(t *testing.T, w *world) {
		twice := func(ep *bellwire.Endpoint) {
			ep.Retry = bellwire.RetryPolicy{Schedule: []bellwire.Duration{bellwire.Duration(time.Second)}}
		}
		var endpoints []*bellwire.Endpoint
		var receivers []*receiver
		for i := range 4 {
			name := fmt.Sprintf("r%d", i)
			receivers = append(receivers, w.receiver(name, answers(500)))
			endpoints = append(endpoints, w.endpoint(name, twice))
		}
		ids := w.batch(120)
		w.pass(time.Hour)
		w.update(endpoints[3].ID, func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointDisabled })
		j := w.job(bellwire.JobRetry, bellwire.SelectFailed)
		w.pass(time.Hour)
		w.expectJob(j, bellwire.JobDone, 3*len(ids), 0)
		for i, want := range []int{4, 4, 4, 2} { // attempts: the first schedule, and the second
			if got := len(receivers[i].got()); got != want*len(ids) {
				t.Errorf("receiver %d got %d requests, want %d", i, got, want*len(ids))
			}
			if got := w.statuses(endpoints[i].ID)[bellwire.DeliveryExhausted]; got != len(ids) {
				t.Errorf("%d deliveries of receiver %d are exhausted", got, i)
			}
		}
	})
}

// A bulk cancellation ends what waits in the store and in memory.
func TestBulkCancel(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		r := w.receiver("a", answers(500))
		ep := w.endpoint("a")
		w.batch(500)
		w.pass(time.Second)
		sent := len(r.got())
		j := w.job(bellwire.JobCancel, "")
		w.pass(time.Hour)
		w.expectJob(j, bellwire.JobDone, 500, 0)
		if got := w.statuses(ep.ID); got[bellwire.DeliveryCanceled] != 500 || len(r.got()) != sent {
			t.Errorf("%v, and %d requests after the cancellation", got, len(r.got())-sent)
		}
	})
}

// A bulk retry is about deliveries of one event, to endpoints of one dialect, or whose newest attempts ended alike.
func TestBulkSelects(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.receiver("a", answers(500))
		a := w.endpoint("a", once)
		w.endpoint("b", once) // nobody listens there
		ids := w.batch(20)
		w.pass(time.Hour)
		for name, c := range map[string]struct {
			change        func(*bellwire.JobParams)
			done, skipped int
		}{
			"outcome":          {func(p *bellwire.JobParams) { p.Outcome = bellwire.OutcomeStatus }, 20, 20},
			"event":            {func(p *bellwire.JobParams) { p.Event = ids[7] }, 2, 0},
			"event and type":   {func(p *bellwire.JobParams) { p.Event, p.Types = ids[7], []string{"none"} }, 0, 0},
			"event, too early": {func(p *bellwire.JobParams) { p.Event, p.Until = ids[7], ids[7].Time().Add(-time.Minute) }, 0, 0},
			"dialect":          {func(p *bellwire.JobParams) { p.Dialect = a.Dialect }, 40, 0},
			"other dialect":    {func(p *bellwire.JobParams) { p.Dialect = "none" }, 0, 0},
			"all of them":      {func(p *bellwire.JobParams) { p.Outcome, p.Event, p.Dialect = bellwire.OutcomeStatus, ids[3], a.Dialect }, 1, 1},
		} {
			j := w.job(bellwire.JobRetry, bellwire.SelectFailed, func(j *bellwire.Job) { c.change(&j.Params) })
			w.pass(time.Hour)
			t.Log(name)
			w.expectJob(j, bellwire.JobDone, c.done, c.skipped)
		}
	})
}

// Tenants take turns: a job of few deliveries ends long before another tenant's of many.
func TestJobsTakeTurns(t *testing.T) {
	testenv.Long(t)
	inWorld(t, func(t *testing.T, w *world) {
		of := w.tenant("other")
		w.receiver("a", answers(500))
		large, small := w.endpoint("a", once), w.endpoint("a", once, of)
		w.batch(1000)
		w.publishTo("other", 1)
		w.pass(time.Hour)
		steps := &countedSteps{hold: make(chan struct{})}
		w.stop()
		w.wrap = func(s bellwire.Store) bellwire.Store { steps.Store = s; return steps }
		w.start()
		w.job(bellwire.JobReplay, bellwire.SelectFailed, atEndpoint(large))
		w.job(bellwire.JobReplay, bellwire.SelectAll, atEndpoint(large))
		w.jobOf("other", bellwire.JobReplay, bellwire.SelectFailed, atEndpoint(small))
		w.pass(2 * time.Second) // a step of one is under way, and the others are known soon
		close(steps.hold)
		w.pass(time.Hour)
		turn := slices.Index(steps.tenants, "other")
		if turn < 0 || turn > 2 {
			t.Errorf("the small job made its step after %d others", turn)
		}
	})
}

// countedSteps records whose steps are made.
type countedSteps struct {
	bellwire.Store
	hold    chan struct{} // closed: steps are made
	tenants []string
}

func (c *countedSteps) AdvanceJob(ctx context.Context, s *bellwire.JobStep) (*bellwire.JobProgress, error) {
	<-c.hold
	c.tenants = append(c.tenants, s.Job.Tenant)
	return c.Store.AdvanceJob(ctx, s)
}

// A replay over all tenants sends to every endpoint what it has had, and leaves alone what another tenant has.
func TestBulkReplayOverTenants(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		of := w.tenant("other")
		receivers := []*receiver{w.receiver("a", answers(200)), w.receiver("b", answers(200)), w.receiver("c", answers(200))}
		w.endpoint("a")
		w.endpoint("b")
		w.endpoint("c", of)
		w.batch(40)
		w.publishTo("other", 1)
		w.pass(time.Minute)
		bulk := bellwire.NewID[bellwire.JobIDKind](now())
		var jobs []*bellwire.Job
		for _, tenant := range []string{"acme", "other"} {
			j := &bellwire.Job{
				ID: bellwire.NewID[bellwire.JobIDKind](now()), Tenant: tenant, Kind: bellwire.JobReplay, State: bellwire.JobRunning, Bulk: bulk,
				CreatedAt: now(), UpdatedAt: now(), Params: bellwire.JobParams{Since: now().Add(-time.Hour), Until: now()},
			}
			j.Params.Choose(j.Kind, bellwire.SelectAll)
			jobs = append(jobs, j)
		}
		must(t, w.store.CreateBulkJob(t.Context(), jobs, 2))
		w.engine.WakeJobs()
		w.pass(time.Hour)
		b, err := w.store.BulkJob(t.Context(), bulk)
		must(t, err)
		if b.State() != bellwire.JobDone || b.Done != 81 || b.Skipped != 0 || b.Tenants != 2 {
			t.Errorf("%+v", b)
		}
		for i, want := range []int{80, 80, 2} {
			if got := len(receivers[i].got()); got != want {
				t.Errorf("receiver %d got %d requests, want %d", i, got, want)
			}
		}
	})
}

// What a bulk cancellation cancels, and what is open when an endpoint is disabled or deleted, is counted by reason.
func TestCancellationsAreCounted(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.receiver("a", answers(500))
		seen := w.seeExpiries()
		disabled, deleted, canceled := w.endpoint("a"), w.endpoint("a"), w.endpoint("a")
		w.batch(20)
		w.pass(time.Second)
		w.job(bellwire.JobCancel, "", atEndpoint(canceled))
		w.update(disabled.ID, func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointDisabled })
		must(t, w.store.DeleteEndpoint(t.Context(), "acme", deleted.ID, now(), bellwire.ChangeNote{}))
		w.directory.ForgetEndpoint(deleted.ID)
		w.engine.Refresh(deleted.ID)
		w.pass(time.Minute)
		want := map[bellwire.CancelCause]int{bellwire.CanceledByJob: 20, bellwire.CanceledDisabled: 20, bellwire.CanceledDeleted: 20}
		seen.mu.Lock()
		defer seen.mu.Unlock()
		if !maps.Equal(seen.causes, want) {
			t.Errorf("%v were counted, want %v", seen.causes, want)
		}
	})
}
