package storetest

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var jobTests = []test{
	{name: "Jobs/Life", run: jobLife},
	{name: "Jobs/OfOneEvent", run: func(w *world) {
		t := w.tenant()
		ep, other := w.endpoint(t), w.endpoint(t)
		var events []*bellwire.NewEvent
		for range 5 {
			events = append(events, w.publish(ep, other))
		}
		params := bellwire.JobParams{Until: w.now.Add(time.Hour), Event: events[2].Event.ID}
		params.Choose(bellwire.JobCancel, "")
		j := w.job(t.ID, bellwire.JobCancel, params)
		w.equal("the count", w.counted(j, ep), 1)
		w.equal("done", w.run(j, 10, ep).Done, 1)
		for i, e := range events {
			for k, d := range e.Deliveries {
				w.equal(fmt.Sprintf("event %d at endpoint %d is open", i, k), w.load(t.ID, d.ID).Status.Open(), i != 2 || k != 0)
			}
		}
		w.equal("what is stored", w.jobs(t.ID)[0].Params.Event, params.Event)
	}},
	{name: "Jobs/AreBounded", run: func(w *world) {
		acme, other, third := w.tenant(), w.tenant(), w.tenant()
		bounds := bellwire.JobBounds{OfTenant: 2, InAll: 3, Kept: 2}
		create := func(t *bellwire.Tenant) (*bellwire.Job, error) {
			j := w.newJob(t.ID, bellwire.JobCancel, bellwire.JobParams{Until: w.now})
			return j, w.store.CreateJob(w.ctx, j, bounds)
		}
		first, err := create(acme)
		w.check(err)
		_, err = create(acme)
		w.check(err)
		_, err = create(acme)
		w.refused(err, bellwire.CodeRateLimited)
		_, err = create(other)
		w.check(err)
		_, err = create(third)
		w.refused(err, bellwire.CodeRateLimited)
		_, err = w.store.ChangeJob(w.ctx, acme.ID, first.ID, bellwire.JobChange{State: bellwire.JobCanceled}, w.now)
		w.check(err)
		for range 4 {
			j, err := create(third)
			w.check(err)
			_, err = w.store.ChangeJob(w.ctx, third.ID, j.ID, bellwire.JobChange{State: bellwire.JobCanceled}, w.tick(time.Second))
			w.check(err)
		}
		_, err = create(third)
		w.check(err)
		w.equal("jobs that are kept", len(w.jobs(third.ID)), 3)
	}},
	{name: "Jobs/StartWithAChangeOfTheEndpoint", run: func(w *world) {
		t := w.tenant()
		ep := w.endpoint(t, func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointDisabled })
		old := *ep
		ep.Status, ep.UpdatedAt = bellwire.EndpointEnabled, w.tick(time.Second)
		enable := func(ep *bellwire.Endpoint, bounds bellwire.JobBounds) (*bellwire.Job, error) {
			j := w.newJob(t.ID, bellwire.JobReplay, w.failed(ep))
			return j, w.store.UpdateEndpointWithJob(w.ctx, ep, w.note("k", `{"status":"disabled"}`, `{"status":"enabled"}`), j, bounds)
		}
		expect := func(status bellwire.EndpointStatus, jobs ...*bellwire.Job) {
			w.Helper()
			read, err := w.store.Endpoint(w.ctx, ep.ID)
			w.check(err)
			w.equal("the status", read.Status, status)
			w.equal("the jobs", w.jobs(t.ID), jobs)
		}
		_, err := enable(ep, bellwire.JobBounds{})
		w.refused(err, bellwire.CodeRateLimited)
		expect(bellwire.EndpointDisabled)
		j, err := enable(ep, anyJobs)
		w.check(err)
		expect(bellwire.EndpointEnabled, j)
		_, err = enable(&old, anyJobs)
		w.refused(err, bellwire.CodeStale)
		_, err = enable(ep, anyJobs) // with the revision that the first change has returned
		w.check(err)
		w.equal("the number of jobs", len(w.jobs(t.ID)), 2)
	}},
	{name: "Jobs/AreKeptForAWhile", run: func(w *world) {
		t := w.tenant()
		ended, running := w.job(t.ID, bellwire.JobCancel, bellwire.JobParams{}), w.job(t.ID, bellwire.JobCancel, bellwire.JobParams{})
		_, err := w.store.ChangeJob(w.ctx, t.ID, ended.ID, bellwire.JobChange{State: bellwire.JobCanceled}, w.now)
		w.check(err)
		w.tick(bellwire.JobRetention - time.Second)
		w.purge(100)
		w.equal("jobs", len(w.jobs(t.ID)), 2)
		w.tick(time.Second)
		w.purge(100)
		list := w.jobs(t.ID)
		w.equal("jobs", len(list), 1)
		w.equal("the job", list[0].ID, running.ID)
	}},
	{name: "Jobs/OfADeletedTenant", run: func(w *world) {
		t := w.tenant()
		j := w.job(t.ID, bellwire.JobCancel, bellwire.JobParams{})
		w.check(w.store.DeleteTenant(w.ctx, t.ID, w.now))
		_, err := w.store.Job(w.ctx, t.ID, j.ID)
		w.refused(err, bellwire.CodeNotFound)
		w.equal("its jobs", len(w.jobs(t.ID)), 0)
		running := w.running()
		w.equal("running jobs", len(running), 1)
		w.equal("when its tenant was deleted", running[0].TenantDeleted, w.now)
		p := w.advance(&bellwire.JobStep{Job: running[0], Error: "the tenant was deleted", Now: w.now})
		w.equal("the state", p.Job.State, bellwire.JobFailed)
		w.equal("running jobs", len(w.running()), 0)
		w.equal("the reason", w.jobs("")[0].Error, "the tenant was deleted")
		w.purge(100)
		w.equal("jobs of all", len(w.jobs("")), 0)
	}},
	{name: "Jobs/AStepIsMadeOnce", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		for range 3 {
			w.ended(ep, spent)
		}
		j := w.job(ep.Tenant, bellwire.JobReplay, w.failed(ep))
		found := w.selected(j, ep, 2)
		step := &bellwire.JobStep{Job: j, Endpoint: ep.ID, Items: found.Items, Cursor: bellwire.JobCursor{Endpoint: ep.ID, Event: found.Last}, Now: w.now}
		first := w.advance(step)
		w.equal("made", first.Made, true)
		w.equal("done", first.Job.Done, 2)
		again := w.advance(step)
		w.equal("made again", again.Made, false)
		w.equal("the job", again.Job, first.Job)
		w.equal("deliveries", len(w.all(bellwire.DeliveryFilter{Tenant: ep.Tenant, Endpoint: ep.ID})), 5)
		for _, state := range []bellwire.JobState{bellwire.JobPaused, bellwire.JobCanceled} {
			changed, err := w.store.ChangeJob(w.ctx, ep.Tenant, j.ID, bellwire.JobChange{State: state}, w.now)
			w.check(err)
			w.equal("made while "+string(state), w.advance(&bellwire.JobStep{Job: changed, Ended: true, Now: w.now}).Made, false)
		}
	}},
	{name: "Jobs/AnyInterleaving", need: reopens, run: anyInterleaving},
	{name: "Replay/Failed", run: replayFailed},
	{name: "Replay/Missing", run: replayMissing},
	{name: "Replay/All", run: func(w *world) {
		t := w.tenant()
		ep := w.endpoint(t)
		events := []*bellwire.NewEvent{w.published("order.paid"), w.published("order.paid", ep), w.published("order.paid", ep), w.published("order.paid", ep)}
		for i, end := range []bellwire.Transition{{}, success, spent, retryIn(time.Hour)} {
			if i > 0 {
				w.end(ep, events[i], end)
			}
		}
		j := w.job(t.ID, bellwire.JobReplay, bellwire.JobParams{
			Endpoint: ep.ID, Until: w.now.Add(time.Hour), Missing: true,
			Statuses: []bellwire.DeliveryStatus{bellwire.DeliverySucceeded, bellwire.DeliveryExhausted, bellwire.DeliveryCanceled},
		})
		w.equal("the count", w.counted(j, ep), 3)
		done := w.run(j, 2, ep)
		w.equal("replayed", done.Done, 3)
		w.equal("the count after", w.counted(w.job(t.ID, bellwire.JobReplay, done.Params), ep), 0)
		for i, want := range []int{1, 2, 2, 1} {
			w.equal("deliveries of the event", len(w.ofEvent(events[i])), want)
		}
	}},
	{name: "Replay/KeepsToTheEndOfTheOrder", run: func(w *world) {
		ep := w.endpoint(w.tenant(), fifo)
		old := []bellwire.EventID{w.spentEvent(ep), w.spentEvent(ep)}
		next := w.publish(ep)
		w.run(w.job(ep.Tenant, bellwire.JobReplay, w.failed(ep)), 10, ep)
		last := w.publish(ep)
		w.equal("the order", w.claimed(ep), []bellwire.EventID{next.Event.ID, old[0], old[1], last.Event.ID})
	}},
	{name: "Replay/SkipsWhatWasDeliveredMeanwhile", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		ids := []bellwire.DeliveryID{w.ended(ep, spent), w.ended(ep, spent)}
		j := w.job(ep.Tenant, bellwire.JobReplay, w.failed(ep))
		found := w.selected(j, ep, 10)
		w.request(ep, ids[0])
		w.record(w.manualResult(w.claim(ep, 10).Manual[0].Delivery, bellwire.TriggerManual, success))
		p := w.advance(&bellwire.JobStep{Job: j, Endpoint: ep.ID, Items: found.Items, Ended: true, Now: w.now})
		w.equal("done, skipped", []int{p.Job.Done, p.Job.Skipped}, []int{1, 1})
	}},
	{name: "Replay/WaitsForFanOut", run: func(w *world) {
		t := w.tenant()
		ep, others := w.endpoint(t), w.many(t, 2)
		wide := w.wide(t.ID, append(others, ep)...)
		w.append(together(wide))
		j := w.job(t.ID, bellwire.JobReplay, bellwire.JobParams{Endpoint: ep.ID, Until: w.now.Add(time.Hour), Missing: true})
		found := w.selected(j, ep, 10)
		step := &bellwire.JobStep{Job: j, Endpoint: ep.ID, Items: found.Items, Ended: true, Now: w.now}
		p := w.advance(step)
		w.equal("busy, made", []bool{p.Busy, p.Made}, []bool{true, false})
		w.fanAllOut(10)
		w.equal("skipped", w.advance(step).Job.Skipped, 1)
		w.equal("deliveries", len(w.ofEvent(wide)), 3)
	}},
	{name: "Replay/ToADeletedEndpoint", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		w.ended(ep, spent)
		j := w.job(ep.Tenant, bellwire.JobReplay, w.failed(ep))
		found := w.selected(j, ep, 10)
		w.check(w.store.DeleteEndpoint(w.ctx, ep.Tenant, ep.ID, w.now, bellwire.ChangeNote{}))
		p := w.advance(&bellwire.JobStep{Job: j, Endpoint: ep.ID, Items: found.Items, Ended: true, Now: w.now})
		w.equal("done, skipped", []int{p.Job.Done, p.Job.Skipped}, []int{0, 1})
	}},
	{name: "Replay/NumbersAreFree", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		e := w.event(ep.Tenant, ep)
		e.Deliveries[0].ID = bellwire.DeliveryOf(e.Event.ID, bellwire.MaxDeliveries-2) // the last one that is not FanOut's
		w.append(together(e))
		w.end(ep, e, spent)
		for want := range 3 {
			w.run(w.job(ep.Tenant, bellwire.JobReplay, w.failed(ep)), 10, ep)
			all := w.ofEvent(e)
			slices.SortFunc(all, func(a, b *bellwire.Delivery) int { return bellwire.NumberOf(a.ID) - bellwire.NumberOf(b.ID) })
			w.equal("the number", bellwire.NumberOf(all[want].ID), want)
			w.record(w.result(w.take(ep), spent))
		}
	}},
	{name: "Retry/BeginsTheScheduleAgain", run: bulkRetry},
	{name: "Retry/PutsAtTheEndOfTheOrder", run: func(w *world) {
		ep := w.endpoint(w.tenant(), fifo)
		old, next := w.spentEvent(ep), w.publish(ep)
		w.run(w.job(ep.Tenant, bellwire.JobRetry, w.failed(ep)), 10, ep)
		w.equal("the order", w.claimed(ep), []bellwire.EventID{next.Event.ID, old})
	}},
	{name: "Retry/ALateFailureLeavesTheNewSchedule", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		for _, late := range []bellwire.Transition{spent, gone, retryIn(time.Hour)} {
			w.publish(ep)
			old := w.take(ep)
			w.tick(time.Second)
			_, err := w.store.CancelDelivery(w.ctx, ep.Tenant, old.ID, "because", w.now)
			w.check(err)
			_, err = w.store.RestartDelivery(w.ctx, ep.Tenant, old.ID, w.now)
			w.check(err)
			again := w.take(ep)
			w.equal("what is claimed, and when", []any{again.ID, again.Epoch, again.RestartedAt}, []any{old.ID, old.Epoch, w.now})
			w.equal("a failure of the old one", w.record(w.result(old, late))[0], bellwire.Recorded{Status: bellwire.DeliveryPending})
			d := w.load(ep.Tenant, old.ID)
			w.equal("attempts, retries, due", []any{d.Attempts, d.Retries, d.DueAt}, []any{1, 0, w.now})
			w.equal("a failure of the new one", w.record(w.result(again, spent))[0], bellwire.Recorded{Status: bellwire.DeliveryExhausted, Moved: true})
		}
	}},
	{name: "Retry/OfOne", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		restart := func(id bellwire.DeliveryID) (*bellwire.Delivery, error) {
			return w.store.RestartDelivery(w.ctx, ep.Tenant, id, w.now)
		}
		for _, end := range []bellwire.Transition{spent, gone, retryIn(time.Hour)} {
			id := w.ended(ep, end)
			w.tick(time.Minute)
			d, err := restart(id)
			w.check(err)
			w.equal("the answer", d, w.load(ep.Tenant, id))
			w.equal("status, retries, due", []any{d.Status, d.Retries, d.DueAt, d.RestartedAt}, []any{bellwire.DeliveryPending, 0, w.now, w.now})
			got := w.take(ep)
			w.equal("what is claimed", got.ID, id)
			w.record(w.result(got, success))
		}
		id := w.ended(ep, success)
		_, err := restart(id)
		w.refused(err, bellwire.CodeConflict)
		w.ended(ep, retryIn(0))
		held := w.take(ep)
		_, err = restart(held.ID)
		w.refused(err, bellwire.CodeConflict)
		fresh := w.publish(ep).Deliveries[0].ID
		before := w.load(ep.Tenant, fresh)
		d, err := restart(fresh)
		w.check(err)
		w.equal("one that has not begun", d, before)
		_, err = w.store.RestartDelivery(w.ctx, w.tenant().ID, id, w.now)
		w.refused(err, bellwire.CodeNotFound)
		w.equal("what is open", w.backlog().Open, 2)
	}},
	{name: "Cancel/EndsWhatIsOpen", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		open := []bellwire.DeliveryID{w.publish(ep).Deliveries[0].ID, w.ended(ep, retryIn(time.Hour))}
		ended := w.ended(ep, spent)
		j := w.job(ep.Tenant, bellwire.JobCancel, bellwire.JobParams{
			Until: w.now.Add(time.Hour), Statuses: []bellwire.DeliveryStatus{bellwire.DeliveryPending, bellwire.DeliveryRetrying},
		})
		w.equal("the count", w.counted(j, ep), 2)
		w.equal("canceled", w.run(j, 1, ep).Done, 2)
		for _, id := range open {
			d := w.load(ep.Tenant, id)
			w.equal("status and reason", []any{d.Status, d.Reason}, []any{bellwire.DeliveryCanceled, bellwire.ReasonCanceledOnRequest})
		}
		w.equal("what had ended", w.load(ep.Tenant, ended).Status, bellwire.DeliveryExhausted)
		w.equal("what is open", w.backlog().Open, 0)
	}},
	{name: "Cancel/EndsWhatWasReplayedAndIsOpenAgain", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		replayed := w.publish(ep)
		w.end(ep, replayed, spent)
		w.run(w.job(ep.Tenant, bellwire.JobReplay, w.failed(ep)), 10, ep)
		_, err := w.store.RestartDelivery(w.ctx, ep.Tenant, replayed.Deliveries[0].ID, w.now)
		w.check(err)
		test := w.event(ep.Tenant, ep)
		test.Event.Test, test.Deliveries[0].Manual = true, true
		w.append(together(test))
		other := w.published("order.sent", ep)
		params := bellwire.JobParams{Until: w.now.Add(time.Hour)}
		params.Choose(bellwire.JobCancel, "")
		ofType := params
		ofType.Types = []string{replayed.Event.Type}
		w.equal("the count of all", w.counted(w.job(ep.Tenant, bellwire.JobCancel, params), ep), 3)
		j := w.job(ep.Tenant, bellwire.JobCancel, ofType)
		w.equal("the count", w.counted(j, ep), 2)
		w.equal("canceled", w.run(j, 10, ep).Done, 2)
		for _, d := range w.ofEvent(replayed) {
			w.equal("a delivery of the event", d.Status, bellwire.DeliveryCanceled)
		}
		for _, e := range []*bellwire.NewEvent{test, other} {
			w.equal("another one", w.load(ep.Tenant, e.Deliveries[0].ID).Status, bellwire.DeliveryPending)
		}
	}},
	{name: "Cancel/MustWaitForFanOut", run: func(w *world) {
		t := w.tenant()
		before := w.publish(w.endpoint(t))
		wide := w.wide(t.ID, w.many(t, 3)...)
		w.append(together(wide))
		deferred := func(change func(*bellwire.JobParams)) bool {
			w.Helper()
			params := bellwire.JobParams{Until: w.now.Add(time.Hour)}
			change(&params)
			waits, err := w.store.Deferred(w.ctx, selection(w.newJob(t.ID, bellwire.JobCancel, params), w.endpoint(t)))
			w.check(err)
			return waits
		}
		for what, c := range map[string]struct {
			change func(*bellwire.JobParams)
			want   bool
		}{
			"all":           {func(*bellwire.JobParams) {}, true},
			"the event":     {func(p *bellwire.JobParams) { p.Event = wide.Event.ID }, true},
			"another event": {func(p *bellwire.JobParams) { p.Event = before.Event.ID }, false},
			"earlier ones":  {func(p *bellwire.JobParams) { p.Until = w.now.Add(-time.Hour) }, false},
			"later ones":    {func(p *bellwire.JobParams) { p.Since = w.now.Add(time.Minute) }, false},
		} {
			w.equal("deliveries are deferred of "+what, deferred(c.change), c.want)
		}
		w.fanAllOut(2)
		w.equal("deliveries are deferred after FanOut", deferred(func(*bellwire.JobParams) {}), false)
	}},
	{name: "Jobs/ListTheirDeliveries", run: listOfJobs},
	{name: "Jobs/CountWaiting", run: func(w *world) {
		t := w.tenant()
		for _, ep := range []*bellwire.Endpoint{w.endpoint(t), w.endpoint(t, fifo)} {
			for range 3 {
				w.publish(ep)
			}
			for limit, want := range map[int]int{2: 2, 10: 3} {
				n, err := w.store.CountWaiting(w.ctx, ep.ID, limit)
				w.check(err)
				w.equal("how many wait", n, want)
			}
		}
	}},
}

// listOfJobs lists the deliveries of jobs, by status and in pages.
func listOfJobs(w *world) {
	t := w.tenant()
	ep, fresh, foreign := w.endpoint(t), w.endpoint(t), w.endpoint(w.tenant())
	for _, end := range []bellwire.Transition{spent, gone, success, retryIn(time.Hour), spent} {
		w.ended(ep, end)
		w.ended(foreign, end)
	}
	for range 3 {
		w.publish(fresh)
	}
	open := bellwire.JobParams{Until: w.now.Add(time.Hour), Statuses: []bellwire.DeliveryStatus{bellwire.DeliveryPending, bellwire.DeliveryRetrying}}
	begin := func(kind bellwire.JobKind, ep *bellwire.Endpoint, params bellwire.JobParams) bellwire.JobID {
		return w.run(w.job(ep.Tenant, kind, params), 2, ep).ID
	}
	begin(bellwire.JobReplay, foreign, w.failed(foreign))
	want := map[bellwire.JobID]int{begin(bellwire.JobRetry, ep, w.failed(ep)): 1} // of three, because the last job cancels two
	w.record(w.result(w.claim(ep, 10).Due[0].Delivery, spent))
	want[begin(bellwire.JobReplay, ep, w.failed(ep))] = 1
	want[begin(bellwire.JobCancel, fresh, open)] = 3
	want[begin(bellwire.JobCancel, ep, open)] = 3 // of four, because the replay keeps its own
	all := w.all(bellwire.DeliveryFilter{Tenant: t.ID})
	for id := range want {
		for _, status := range append([]bellwire.DeliveryStatus{""}, bellwire.DeliveryStatuses...) {
			some := slices.DeleteFunc(slices.Clone(all), func(d *bellwire.Delivery) bool { return d.Job != id || status != "" && d.Status != status })
			if status != "" {
				counts, err := w.store.CountJobDeliveries(w.ctx, id, 2)
				w.check(err)
				w.equal(fmt.Sprintf("how many are %s, up to two", status), counts[status], min(len(some), 2))
			}
			for _, limit := range []int{1, 2, 100} {
				got := pages(w, limit, func(page bellwire.Page) (*bellwire.List[*bellwire.Delivery], error) {
					return w.store.Deliveries(w.ctx, bellwire.DeliveryFilter{Tenant: t.ID, Job: id, Status: status}, page)
				})
				w.equal(fmt.Sprintf("%s deliveries in pages of %d", status, limit), got, some)
			}
		}
		w.equal("how many", len(w.all(bellwire.DeliveryFilter{Tenant: t.ID, Job: id})), want[id])
	}
	w.equal("of another tenant's job", len(w.all(bellwire.DeliveryFilter{Tenant: foreign.Tenant, Job: w.jobs(t.ID)[0].ID})), 0)
}

func jobLife(w *world) {
	t, other := w.tenant(), w.tenant()
	params := bellwire.JobParams{
		Endpoint: "ep", Types: []string{"order.*"}, Since: w.now.Add(-time.Hour), Until: w.now,
		Statuses: []bellwire.DeliveryStatus{bellwire.DeliveryExhausted}, Missing: true,
	}
	j := w.newJob(t.ID, bellwire.JobReplay, params)
	j.Total, j.Rate = 12, 2.5
	w.check(w.store.CreateJob(w.ctx, j, anyJobs))
	load := func() *bellwire.Job {
		got, err := w.store.Job(w.ctx, t.ID, j.ID)
		w.check(err)
		return got
	}
	w.equal("the job", load(), j)
	_, err := w.store.Job(w.ctx, other.ID, j.ID)
	w.refused(err, bellwire.CodeNotFound)
	second := w.job(t.ID, bellwire.JobCancel, bellwire.JobParams{})
	w.equal("the list", w.jobs(t.ID), []*bellwire.Job{second, j})
	w.equal("the list of all", w.jobs(""), []*bellwire.Job{second, j})
	w.equal("the list of another", len(w.jobs(other.ID)), 0)
	page, err := w.store.Jobs(w.ctx, bellwire.JobsFilter{Tenant: t.ID}, bellwire.Page{Limit: 1})
	w.check(err)
	page, err = w.store.Jobs(w.ctx, bellwire.JobsFilter{Tenant: t.ID}, bellwire.Page{Limit: 1, After: page.Next})
	w.check(err)
	w.equal("the second page", page.Items, []*bellwire.Job{j})

	rate := 7.0
	for _, c := range []bellwire.JobChange{
		{State: bellwire.JobPaused}, {Rate: &rate}, {State: bellwire.JobRunning}, {State: bellwire.JobCanceled},
	} {
		got, err := w.store.ChangeJob(w.ctx, t.ID, j.ID, c, w.tick(time.Second))
		w.check(err)
		w.check(j.Apply(c, w.now))
		w.equal("the answer", got, j)
		w.equal("the job", load(), j)
		running := 1
		if j.State == bellwire.JobRunning {
			running = 2
		}
		w.equal("how many run", len(w.running()), running)
	}
	_, err = w.store.ChangeJob(w.ctx, t.ID, j.ID, bellwire.JobChange{State: bellwire.JobRunning}, w.now)
	w.refused(err, bellwire.CodeConflict)
	_, err = w.store.ChangeJob(w.ctx, other.ID, j.ID, bellwire.JobChange{State: bellwire.JobRunning}, w.now)
	w.refused(err, bellwire.CodeNotFound)
	none, err := w.store.RunningJobs(w.ctx, new(bellwire.Leases))
	w.check(err)
	w.equal("jobs of no shard", len(none), 0)
	failed := w.advance(&bellwire.JobStep{Job: second, Error: "the tenant was deleted", Now: w.now}).Job
	w.equal("state and error", []any{failed.State, failed.Error, failed.FinishedAt}, []any{bellwire.JobFailed, "the tenant was deleted", w.now})
	w.equal("how many run", len(w.running()), 0)
}

// anyInterleaving makes steps, also from what was known earlier, as a process does that comes too late, between pauses and
// restarts: each event is replayed once.
func anyInterleaving(w *world) {
	rapid.Check(w.t, func(t *rapid.T) {
		in := *w
		in.TB = t
		defer func() { w.store, w.leases, w.now, w.count = in.store, in.leases, in.now, in.count }()
		ep := in.endpoint(in.tenant(), func(ep *bellwire.Endpoint) {
			if rapid.Bool().Draw(t, "ordered") {
				fifo(ep)
			}
		})
		events := rapid.IntRange(1, 12).Draw(t, "events")
		for range events {
			in.spentEvent(ep)
		}
		j := in.job(ep.Tenant, bellwire.JobReplay, in.failed(ep))
		known := []*bellwire.Job{j}
		step := func(from *bellwire.Job, limit int) {
			found := in.selected(from, ep, limit)
			p := in.advance(&bellwire.JobStep{
				Job: from, Endpoint: ep.ID, Items: found.Items, Cursor: bellwire.JobCursor{Endpoint: ep.ID, Event: found.Last}, Ended: !found.More, Now: in.now,
			})
			known = append(known, p.Job)
		}
		change := func(state bellwire.JobState) {
			if got, err := in.store.ChangeJob(in.ctx, ep.Tenant, j.ID, bellwire.JobChange{State: state}, in.now); err == nil {
				known = append(known, got)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"step": func(t *rapid.T) {
				step(rapid.SampledFrom(known).Draw(t, "known"), rapid.IntRange(1, 5).Draw(t, "limit"))
			},
			"pause":  func(*rapid.T) { change(bellwire.JobPaused) },
			"resume": func(*rapid.T) { change(bellwire.JobRunning) },
			"reopen": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "reopen") == 9 { // it costs more than all others
					in.reopen()
				}
			},
		})
		change(bellwire.JobRunning)
		for latest := known[len(known)-1]; !latest.State.Ended(); latest = known[len(known)-1] {
			got, err := in.store.Job(in.ctx, ep.Tenant, j.ID)
			in.check(err)
			step(got, 3)
		}
		got, err := in.store.Job(in.ctx, ep.Tenant, j.ID)
		in.check(err)
		in.equal("state, done, skipped", []any{got.State, got.Done, got.Skipped}, []any{bellwire.JobDone, events, 0})
		made := make(map[bellwire.EventID]int)
		for _, d := range in.all(bellwire.DeliveryFilter{Tenant: ep.Tenant, Endpoint: ep.ID}) {
			made[d.Event]++
		}
		for id, n := range made {
			in.equal("deliveries of "+id.String(), n, 2)
		}
		in.equal("events", len(made), events)
	})
}

// replayFailed: what failed at an endpoint is replayed there, and nothing else, also if it succeeded at another.
func replayFailed(w *world) {
	t := w.tenant()
	ep, other := w.endpoint(t), w.endpoint(t)
	failed, canceled, fine, open := w.publish(ep, other), w.publish(ep, other), w.publish(ep, other), w.publish(ep, other)
	w.end(ep, failed, spent)
	w.end(ep, canceled, gone)
	w.end(ep, fine, success)
	for _, e := range []*bellwire.NewEvent{failed, canceled, fine, open} {
		w.end(other, e, success)
	}
	test := w.event(t.ID, ep)
	test.Event.Test, test.Deliveries[0].Manual = true, true
	w.append(together(test))
	w.record(w.manualResult(w.claim(ep, 0).Manual[0].Delivery, bellwire.TriggerTest, bellwire.Transition{Status: bellwire.DeliveryExhausted}))

	w.tick(time.Hour)
	j := w.job(t.ID, bellwire.JobReplay, w.failed(ep))
	w.equal("the count", w.counted(j, ep), 2)
	got := w.run(j, 1, ep)
	w.equal("done, skipped, total", []int{got.Done, got.Skipped, got.Total}, []int{2, 0, 2})
	for _, e := range []*bellwire.NewEvent{failed, canceled} {
		all := w.ofEvent(e)
		w.equal("deliveries of the event", len(all), 3)
		d := all[slices.IndexFunc(all, func(d *bellwire.Delivery) bool { return d.Job == j.ID })]
		w.equal("the new one", d, &bellwire.Delivery{
			ID: d.ID, Event: e.Event.ID, EventType: "order.paid", Tenant: t.ID, Endpoint: ep.ID, Status: bellwire.DeliveryPending,
			Reason: bellwire.ReasonReplayed, DueAt: w.now, CreatedAt: w.now, UpdatedAt: w.now, Job: j.ID, Replay: true,
		})
	}
	for _, e := range []*bellwire.NewEvent{fine, open, test} {
		w.equal("deliveries of another event", len(w.ofEvent(e)), len(e.Deliveries))
	}
	again := w.job(t.ID, bellwire.JobReplay, w.failed(ep))
	w.equal("the count after", w.counted(again, ep), 0)
	w.equal("replayed again", w.run(again, 10, ep).Done, 0)
	n := 0
	for _, c := range w.claim(ep, 10).Due {
		if c.Delivery.Job == j.ID {
			w.record(w.result(c.Delivery, spent))
			n++
		}
	}
	w.equal("what was claimed", n, 2)
	w.run(w.job(t.ID, bellwire.JobRetry, w.failed(ep)), 10, ep)
	for _, d := range w.ofEvent(failed) {
		if d.Job == j.ID {
			w.equal("a retried replay is still one, of its job", []any{d.Replay, d.Reason, d.RestartedAt}, []any{true, "", w.now})
			n--
		}
	}
	w.equal("replays of other events", n, 1)
	for _, c := range w.claim(ep, 10).Due {
		if c.Delivery.Replay {
			w.record(w.result(c.Delivery, spent))
		}
	}
	w.equal("the count of what failed again", w.counted(again, ep), 2)
	// Each step examines a delivery that was passed over before it comes to that event's present one.
	third := w.job(t.ID, bellwire.JobReplay, w.failed(ep))
	w.equal("replayed for the third time, one a step", w.run(third, 1, ep).Done, 2)
	for _, c := range w.claim(ep, 10).Due {
		if c.Delivery.Job == third.ID {
			w.record(w.result(c.Delivery, spent))
		}
	}
	w.equal("the count at the other", w.counted(w.job(t.ID, bellwire.JobReplay, w.failed(other)), other), 0)
}

// replayMissing: an endpoint gets what it subscribes to and never got, also from before it was made, and nobody else does.
func replayMissing(w *world) {
	t := w.tenant()
	other := w.endpoint(t)
	old := []*bellwire.NewEvent{w.published("order.paid", other), w.published("order.sent", other), w.published("invoice", other)}
	test := w.event(t.ID, other)
	test.Event.Test, test.Deliveries[0].Manual = true, true
	w.append(together(test))
	ep := w.endpoint(t)
	w.tick(time.Hour)
	delivered := w.publish(ep)
	w.end(ep, delivered, success)
	foreign := w.endpoint(w.tenant())
	w.publish(foreign)

	params := bellwire.JobParams{Endpoint: ep.ID, Until: w.now.Add(time.Hour), Missing: true}
	j := w.job(t.ID, bellwire.JobReplay, params)
	w.equal("the count", w.counted(j, ep), 2)
	w.equal("done", w.run(j, 1, ep).Done, 2)
	for i, want := range []int{2, 2, 1} {
		w.equal("deliveries of the event", len(w.ofEvent(old[i])), want)
	}
	w.equal("deliveries of the test", len(w.ofEvent(test)), 1)
	w.equal("deliveries of what was delivered", len(w.ofEvent(delivered)), 1)
	w.equal("deliveries to another tenant", len(w.all(bellwire.DeliveryFilter{Tenant: foreign.Tenant})), 1)
	w.equal("the count after", w.counted(w.job(t.ID, bellwire.JobReplay, params), ep), 0)
	for what, p := range map[string]bellwire.JobParams{
		"before":  {Until: w.now.Add(-time.Minute), Missing: true},
		"since":   {Since: w.now.Add(-time.Minute), Until: w.now.Add(time.Hour), Missing: true},
		"of type": {Until: w.now.Add(time.Hour), Missing: true, Types: []string{"order.s*"}},
		"of none": {Until: w.now.Add(time.Hour), Missing: true, Types: []string{"ship"}},
	} {
		fresh := w.endpoint(t)
		p.Endpoint = fresh.ID
		want := map[string]int{"before": 2, "since": 1, "of type": 1, "of none": 0}[what]
		w.equal("the count "+what, w.counted(w.job(t.ID, bellwire.JobReplay, p), fresh), want)
		w.equal("done "+what, w.run(w.job(t.ID, bellwire.JobReplay, p), 10, fresh).Done, want)
	}
}

// bulkRetry: the schedule begins again, with all its retries and its whole time.
func bulkRetry(w *world) {
	ep := w.endpoint(w.tenant())
	spentOne, waits := w.ended(ep, spent), w.ended(ep, retryIn(time.Hour))
	w.ended(ep, success)
	held := w.ended(ep, retryIn(0))
	w.equal("what is claimed", w.take(ep).ID, held)
	w.tick(10 * time.Minute)
	params := bellwire.JobParams{Until: w.now, Statuses: []bellwire.DeliveryStatus{bellwire.DeliveryExhausted, bellwire.DeliveryRetrying}}
	j := w.job(ep.Tenant, bellwire.JobRetry, params)
	w.equal("the count", w.counted(j, ep), 3)
	got := w.run(j, 10, ep)
	w.equal("done, skipped", []int{got.Done, got.Skipped}, []int{2, 1})
	for _, id := range []bellwire.DeliveryID{spentOne, waits} {
		d := w.load(ep.Tenant, id)
		w.equal("the delivery", []any{d.Status, d.Retries, d.Attempts, d.DueAt, d.RestartedAt, d.Job, d.Reason},
			[]any{bellwire.DeliveryPending, 0, 1, w.now, w.now, j.ID, ""})
	}
	w.tick(time.Minute)
	expired := w.tooOld(ep, 10)
	expired.Before = w.now.Add(-5 * time.Minute)
	n, err := w.store.ExhaustTooOld(w.ctx, w.now, expired)
	w.check(err)
	w.equal("what was too old", n, 0)
	expired.Before = w.now
	n, err = w.store.ExhaustTooOld(w.ctx, w.now, expired)
	w.check(err)
	w.equal("what was too old later", n, 2)
}

// anyJobs do not bound jobs.
var anyJobs = bellwire.JobBounds{OfTenant: 1000, InAll: 1000, Kept: 1000}

func (w *world) newJob(tenant string, kind bellwire.JobKind, params bellwire.JobParams) *bellwire.Job {
	return &bellwire.Job{
		ID: bellwire.Next[bellwire.JobIDKind](w.ids, w.now), Tenant: tenant, Kind: kind, State: bellwire.JobRunning, Params: params,
		CreatedAt: w.now, UpdatedAt: w.now,
	}
}

func (w *world) job(tenant string, kind bellwire.JobKind, params bellwire.JobParams) *bellwire.Job {
	w.Helper()
	j := w.newJob(tenant, kind, params)
	w.check(w.store.CreateJob(w.ctx, j, anyJobs))
	return j
}

// failed are the parameters of a replay or retry of what has failed at an endpoint.
func (w *world) failed(ep *bellwire.Endpoint) bellwire.JobParams {
	return bellwire.JobParams{
		Endpoint: ep.ID, Until: w.now.Add(time.Hour), Statuses: []bellwire.DeliveryStatus{bellwire.DeliveryExhausted, bellwire.DeliveryCanceled},
	}
}

func (w *world) jobs(tenant string) []*bellwire.Job {
	w.Helper()
	list, err := w.store.Jobs(w.ctx, bellwire.JobsFilter{Tenant: tenant}, bellwire.Page{Limit: 100})
	w.check(err)
	return list.Items
}

func (w *world) running() []*bellwire.Job {
	w.Helper()
	jobs, err := w.store.RunningJobs(w.ctx, w.leases)
	w.check(err)
	return jobs
}

// selection is what a job selects at an endpoint of newEndpoint, which gets orders and pings.
func selection(j *bellwire.Job, ep *bellwire.Endpoint) *bellwire.Selection {
	of := bellwire.JobParams{Types: ep.Events}
	return j.SelectionOf(ep.ID, of.TakesType)
}

func (w *world) counted(j *bellwire.Job, ep *bellwire.Endpoint) int {
	w.Helper()
	n, err := w.store.CountSelected(w.ctx, selection(j, ep))
	w.check(err)
	return n
}

func (w *world) selected(j *bellwire.Job, ep *bellwire.Endpoint, limit int) *bellwire.Selected {
	w.Helper()
	found, err := w.store.Select(w.ctx, selection(j, ep), limit)
	w.check(err)
	return found
}

func (w *world) advance(s *bellwire.JobStep) *bellwire.JobProgress {
	w.Helper()
	p, err := w.store.AdvanceJob(w.ctx, s)
	w.check(err)
	return p
}

// run does a job at one endpoint to its end, in steps, and returns it.
func (w *world) run(j *bellwire.Job, limit int, ep *bellwire.Endpoint) *bellwire.Job {
	w.Helper()
	for !j.State.Ended() {
		found := w.selected(j, ep, limit)
		p := w.advance(&bellwire.JobStep{
			Job: j, Endpoint: ep.ID, Items: found.Items, Cursor: bellwire.JobCursor{Endpoint: ep.ID, Event: found.Last}, Ended: !found.More, Now: w.now,
		})
		if !p.Made {
			w.Fatal("a step was not made")
		}
		j = p.Job
	}
	return j
}

// published stores an event of a type, with a free delivery to each endpoint; none: to those that it would have gone to.
func (w *world) published(name string, endpoints ...*bellwire.Endpoint) *bellwire.NewEvent {
	w.Helper()
	e := w.event(w.lastTenant(), endpoints...)
	e.Event.Type = name
	w.append(together(e))
	return e
}

// lastTenant returns the id of the newest tenant.
func (w *world) lastTenant() string {
	w.Helper()
	list, err := w.store.Tenants(w.ctx, bellwire.Page{Limit: 1})
	w.check(err)
	return list.Items[0].ID
}

// end brings an event's delivery to an endpoint into a state.
func (w *world) end(ep *bellwire.Endpoint, e *bellwire.NewEvent, t bellwire.Transition) {
	w.Helper()
	at := slices.IndexFunc(e.Deliveries, func(d bellwire.NewDelivery) bool { return d.Endpoint == ep.ID })
	r := w.claim(ep, 100)
	var back []bellwire.ClaimToken
	for _, c := range r.Due {
		if c.Delivery.ID == e.Deliveries[at].ID {
			w.record(w.result(c.Delivery, t))
			continue
		}
		back = append(back, bellwire.ClaimToken{Delivery: c.Delivery.ID, Epoch: c.Delivery.Epoch})
	}
	w.check(w.store.ReleaseDeliveries(w.ctx, back))
}

// claimed lists the events of what is claimed for an endpoint.
func (w *world) claimed(ep *bellwire.Endpoint) (events []bellwire.EventID) {
	w.Helper()
	for _, c := range w.claim(ep, 100).Due {
		events = append(events, c.Event.ID)
	}
	return events
}

// ofEvent lists the deliveries of an event.
func (w *world) ofEvent(e *bellwire.NewEvent) []*bellwire.Delivery {
	w.Helper()
	return w.all(bellwire.DeliveryFilter{Tenant: e.Event.Tenant, Event: e.Event.ID})
}

// spentEvent stores an event whose only delivery is exhausted.
func (w *world) spentEvent(ep *bellwire.Endpoint) bellwire.EventID {
	w.Helper()
	e := w.publish(ep)
	w.record(w.result(w.take(ep), spent))
	return e.Event.ID
}
