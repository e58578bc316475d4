package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var healthTests = []test{
	{name: "Health/OfWhatWasNeverAttempted", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		w.equal("the health", w.health(ep), bellwire.EndpointHealth{Health: bellwire.Health{State: bellwire.HealthHealthy}})
		all, err := w.store.Health(w.ctx, []string{"nothing", ep.ID, ep.ID}, 10)
		w.check(err)
		w.equal("of several", all, []bellwire.EndpointHealth{{}, w.health(ep), w.health(ep)})
	}},
	{name: "Health/FollowsTheOutcomes", run: healthFollows},
	{name: "Health/CountsWhatMovesADelivery", run: healthCounts},
	{name: "Health/SurvivesARestart", need: reopens, run: func(w *world) {
		ep := w.endpoint(w.tenant())
		w.publish(ep)
		w.record(counts(w.result(w.take(ep), spent)))
		before := w.health(ep)
		if before.State != bellwire.HealthFailing {
			w.Fatalf("the health is %+v", before)
		}
		w.reopen()
		w.equal("after a restart", w.health(ep), before)
	}},
	{name: "Health/CountsWhatWaits", run: healthWaits},
	{name: "Health/FindsTheOldest", run: healthOldest},
	{name: "Health/BeginsAnewWithAChange", run: healthRestarts},
	{name: "Health/DisablesWhatFailsForTooLong", run: healthDisables},
	{name: "Health/SelectsEndpoints", run: healthSelects},
	{name: "Health/SelectsWhereDeliveriesWait", run: waitingSelects},
	{name: "Health/MostWaiting", run: mostWaiting},
	{name: "Health/GoesWithItsEndpoint", run: func(w *world) {
		t := w.tenant()
		ep := w.endpoint(t)
		w.publish(ep)
		w.record(counts(w.result(w.take(ep), spent)))
		w.check(w.store.DeleteTenant(w.ctx, t.ID, w.now))
		for w.purge(100) > 0 {
		}
		again := w.newEndpoint(w.tenant().ID)
		again.ID = ep.ID
		w.check(w.store.CreateEndpoint(w.ctx, again, bellwire.ChangeNote{}))
		w.equal("the health", w.health(again).State, bellwire.HealthHealthy)
	}},
}

// health reads the health of an endpoint.
func (w *world) health(ep *bellwire.Endpoint) bellwire.EndpointHealth {
	w.Helper()
	all, err := w.store.Health(w.ctx, []string{ep.ID}, 3)
	w.check(err)
	if len(all) != 1 {
		w.Fatalf("got the health of %d endpoints, want 1", len(all))
	}
	return all[0]
}

// counts makes a result count for the health of its endpoint.
func counts(r *bellwire.Result) *bellwire.Result {
	r.Health.Kind = bellwire.HealthCounts
	return r
}

func healthFollows(w *world) {
	ep := w.endpoint(w.tenant())
	first := w.publish(ep)
	w.publish(ep)
	want := bellwire.Health{State: bellwire.HealthHealthy}
	apply := func(results ...*bellwire.Result) []bellwire.Recorded {
		w.Helper()
		recorded := w.record(results...)
		for i, r := range results {
			want.Record(r, recorded[i].Moved, recorded[i].Status)
			if settled := want.Settled(); recorded[i].Settled != settled && i == len(results)-1 {
				w.Errorf("the answer says that the endpoint is settled: %t, want %t", recorded[i].Settled, settled)
			}
		}
		w.equal("the health", w.health(ep).Health, want)
		return recorded
	}
	fail := func(d bellwire.Delivery) *bellwire.Result {
		r := counts(w.result(d, retryIn(time.Second)))
		r.Health.BreakerOpen, r.Health.HeldFor = true, time.Minute
		return r
	}
	due := w.claim(ep, 2).Due
	w.tick(time.Second)
	one, two := fail(due[0].Delivery), fail(due[1].Delivery)
	apply(one, two)
	w.equal("whose failure came first", want.FirstFailed, bellwire.DeliveryOf(first.Event.ID, 0))
	w.equal("since when others fail", want.OthersSince, w.now)
	w.equal("again", w.record(one)[0].Settled, false) // a repetition changes nothing
	w.equal("the health", w.health(ep).Health, want)

	w.tick(time.Second)
	apply(fail(w.claim(ep, 1).Due[0].Delivery))
	w.equal("the state", want.State, bellwire.HealthFailing)
	w.tick(time.Second)
	apply(counts(w.result(w.claim(ep, 1).Due[0].Delivery, success)))
	w.equal("the state", want.State, bellwire.HealthRecovering)
	w.tick(bellwire.HealthySpan)
	apply(counts(w.result(w.claim(ep, 1).Due[0].Delivery, success)))
	w.equal("the state", want.State, bellwire.HealthHealthy)

	// What the endpoint has allowed is kept until it allows something else.
	for _, rate := range []int{120, 0} {
		w.publish(ep)
		r := counts(w.result(w.take(ep), success))
		r.Health.Granted = &bellwire.Grant{At: w.tick(time.Minute), Rate: rate}
		apply(r)
		w.publish(ep)
		apply(counts(w.result(w.take(ep), success)))
		w.equal("what it allows", w.health(ep).Granted, *r.Health.Granted)
	}

	// Seen says only when.
	w.publish(ep)
	seen := w.result(w.take(ep), success)
	seen.EndedAt, seen.Health.Kind = w.tick(time.Minute), bellwire.HealthSeen
	w.record(seen)
	want.LastSuccessAt = w.now
	w.equal("the health", w.health(ep).Health, want)

	// What is not a success at the first attempt can say that too.
	w.publish(ep)
	w.record(w.result(w.take(ep), retryIn(0)))
	seen = w.result(w.take(ep), success)
	seen.EndedAt, seen.Health.Kind = w.tick(time.Minute), bellwire.HealthSeen
	w.record(seen)
	want.LastSuccessAt = w.now
	w.equal("the health", w.health(ep).Health, want)
}

// A failure counts only if its delivery was still claimed in its epoch, so that a node that has lost the shard changes nothing.
func healthCounts(w *world) {
	ep := w.endpoint(w.tenant())
	w.publish(ep)
	d := w.take(ep)
	for _, r := range []*bellwire.Result{w.result(d, spent), w.result(d, retryIn(0))} {
		r.Epoch++
		w.record(counts(r))
	}
	manual := w.result(d, bellwire.Transition{})
	manual.Trigger = bellwire.TriggerManual
	w.record(counts(manual))
	w.equal("failures", w.health(ep).Failures, 0)
	ghost := w.result(d, spent)
	ghost.Endpoint = "nothing"
	w.record(counts(ghost))
	w.equal("failures", w.health(ep).Failures, 0)

	late := w.result(d, success)
	late.Epoch++
	w.record(counts(late))
	w.equal("a success counts whoever made it", w.health(ep).LastSuccessAt, w.now)
}

func healthWaits(w *world) {
	t := w.tenant()
	plain, ordered := w.endpoint(t), w.endpoint(t, fifo)
	start := w.now.Truncate(time.Millisecond) // PostgreSQL and SQLite agree to the millisecond
	for range 2 {
		w.publish(plain, ordered)
		w.tick(time.Second)
	}
	for _, ep := range []*bellwire.Endpoint{plain, ordered} {
		h := w.health(ep)
		w.equal("what waits", []int{h.Waiting, h.Failures}, []int{2, 0})
		w.equal("there may be more", h.WaitingCapped, false)
		w.equal("since when", h.OldestWaitingAt.Truncate(time.Millisecond), start)
	}
	r := counts(w.result(w.claim(plain, 1).Due[0].Delivery, retryIn(time.Minute)))
	r.Health.BreakerOpen, r.Health.HeldFor = true, time.Hour
	w.record(r)
	h := w.health(plain)
	w.equal("the breaker", h.BreakerOpen, true)
	w.equal("the next attempt", h.NextAttemptAt, bellwire.StoredTime(w.now.Add(time.Hour)))
	first := w.claim(ordered, 1).Due[0].Delivery
	w.record(counts(w.result(first, retryIn(time.Minute))))
	w.equal("the next attempt in order", w.health(ordered).NextAttemptAt, bellwire.StoredTime(w.now.Add(time.Minute)))

	w.publish(plain)
	w.publish(plain)
	h = w.health(plain)
	w.equal("what waits", h.Waiting, 3)
	w.equal("there may be more", h.WaitingCapped, true)
	w.equal("since when", h.OldestWaitingAt.Truncate(time.Millisecond), start)

	w.record(counts(w.result(w.claim(plain, 1).Due[0].Delivery, success)))
	h = w.health(plain)
	w.equal("the breaker", h.BreakerOpen, false)
	if h.NextAttemptAt.After(w.now) {
		w.Errorf("the next attempt is at %s, after %s", h.NextAttemptAt, w.now)
	}
}

// healthOldest: the oldest waiting event is found however many wait, and whichever is due first. Replays count from when their
// event was accepted.
func healthOldest(w *world) {
	t := w.tenant()
	for _, ep := range []*bellwire.Endpoint{w.endpoint(t), w.endpoint(t, fifo)} {
		start := w.now.Truncate(time.Millisecond)
		replayed := w.publish(ep)
		w.end(ep, replayed, spent)
		w.tick(time.Second)
		second := w.now.Truncate(time.Millisecond)
		w.publish(ep)
		w.record(w.result(w.claim(ep, 1).Due[0].Delivery, retryIn(24*time.Hour)))
		for range 5 {
			w.tick(time.Second)
			e := w.publish(ep)
			if ep.Ordering != bellwire.OrderingFIFO {
				w.end(ep, e, retryIn(time.Hour))
			}
		}
		w.equal("the oldest of many", w.health(ep).OldestWaitingAt.Truncate(time.Millisecond), second)
		w.run(w.job(t.ID, bellwire.JobReplay, w.failed(ep)), 10, ep)
		w.equal("the oldest is a replay", w.health(ep).OldestWaitingAt.Truncate(time.Millisecond), start)
	}
}

func healthRestarts(w *world) {
	ep := w.endpoint(w.tenant())
	fail := func() {
		w.publish(ep)
		w.record(counts(w.result(w.claim(ep, 1).Due[0].Delivery, spent)))
		w.equal("the state", w.health(ep).State, bellwire.HealthFailing)
	}
	change := func(f func(*bellwire.Endpoint)) {
		w.Helper()
		f(ep)
		ep.UpdatedAt = w.tick(time.Minute)
		w.check(w.store.UpdateEndpoint(w.ctx, ep, bellwire.ChangeNote{}))
	}
	w.publish(ep)
	granted := counts(w.result(w.take(ep), success))
	granted.Health.Granted = &bellwire.Grant{At: w.now, Rate: 60}
	w.record(granted)
	url := ep.URL
	fail()
	for what, f := range map[string]func(*bellwire.Endpoint){
		"the description": func(ep *bellwire.Endpoint) { ep.Description += "!" },
		"to paused":       func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointPaused },
		"to disabled":     func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointDisabled },
	} {
		change(f)
		if h := w.health(ep); h.State != bellwire.HealthFailing || h.Failures != 1 {
			w.Errorf("a change of %s made the health %+v", what, h)
		}
	}
	ep.Status = bellwire.EndpointDisabled
	w.check(w.store.UpdateEndpoint(w.ctx, ep, bellwire.ChangeNote{}))
	for _, f := range []func(*bellwire.Endpoint){
		func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointEnabled },
		func(ep *bellwire.Endpoint) { ep.URL += "/new" },
	} {
		change(f)
		h := w.health(ep)
		w.equal("state and failures", []any{h.State, h.Since, h.Failures}, []any{bellwire.HealthRecovering, w.now, 0})
		if allows := h.Granted != (bellwire.Grant{}); allows != (ep.URL == url) {
			w.Errorf("what %s allows is %+v", ep.URL, h.Granted)
		}
		fail()
	}
}

func healthSelects(w *world) {
	t, other := w.tenant(), w.tenant()
	w.endpoint(other)
	idle, healthy, failing, recovering := w.endpoint(t), w.endpoint(t), w.endpoint(t), w.endpoint(t)
	deleted := w.endpoint(t)
	w.check(w.store.DeleteEndpoint(w.ctx, t.ID, deleted.ID, w.now, bellwire.ChangeNote{}))
	paused := w.endpoint(t, func(ep *bellwire.Endpoint) { ep.Status, ep.Dialect = bellwire.EndpointPaused, "azakaw" })
	attempt := func(ep *bellwire.Endpoint, made bellwire.Transition) {
		w.publish(ep)
		w.record(counts(w.result(w.take(ep), made)))
	}
	attempt(healthy, success)
	attempt(failing, spent)
	attempt(recovering, spent)
	attempt(recovering, success)
	list := func(f bellwire.EndpointFilter) []string {
		w.Helper()
		var ids []string
		f.Now = w.now.Add(time.Hour)
		for _, ep := range pages(w, 1, func(p bellwire.Page) (*bellwire.List[*bellwire.Endpoint], error) {
			return w.store.Endpoints(w.ctx, f, p)
		}) {
			ids = append(ids, ep.ID)
		}
		return ids
	}
	for _, c := range []struct {
		f    bellwire.EndpointFilter
		want []*bellwire.Endpoint
	}{
		{bellwire.EndpointFilter{}, []*bellwire.Endpoint{paused, recovering, failing, healthy, idle}},
		{bellwire.EndpointFilter{Health: bellwire.HealthIdle}, []*bellwire.Endpoint{paused, idle}},
		{bellwire.EndpointFilter{Health: bellwire.HealthHealthy}, []*bellwire.Endpoint{healthy}},
		{bellwire.EndpointFilter{Health: bellwire.HealthFailing}, []*bellwire.Endpoint{failing}},
		{bellwire.EndpointFilter{Health: bellwire.HealthRecovering}, []*bellwire.Endpoint{recovering}},
		{bellwire.EndpointFilter{Status: bellwire.EndpointPaused}, []*bellwire.Endpoint{paused}},
		{bellwire.EndpointFilter{Status: bellwire.EndpointDisabled}, nil},
		{bellwire.EndpointFilter{Dialect: "azakaw", Health: bellwire.HealthIdle}, []*bellwire.Endpoint{paused}},
		{bellwire.EndpointFilter{Dialect: "azakaw", Status: bellwire.EndpointEnabled}, nil},
	} {
		var want []string
		for _, ep := range c.want {
			want = append(want, ep.ID)
		}
		f := c.f
		f.Tenant = t.ID
		w.equal("of the tenant", list(f), want)
		all := list(c.f)
		w.equal("of all tenants", all[:len(want)], want)
		if c.f == (bellwire.EndpointFilter{}) || c.f.Health == bellwire.HealthIdle && c.f.Dialect == "" {
			w.equal("how many of all tenants", len(all), len(want)+1)
		} else {
			w.equal("how many of all tenants", len(all), len(want))
		}
	}
	later := bellwire.EndpointFilter{Tenant: t.ID, Health: bellwire.HealthIdle, Now: w.now.Add(bellwire.HealthIdleAfter)}
	page, err := w.store.Endpoints(w.ctx, later, bellwire.Page{Limit: 10})
	w.check(err)
	w.equal("idle a day later", len(page.Items), 3)
}

// waitingSelects lists the endpoints for which deliveries wait, in each of the ways in which they can.
func waitingSelects(w *world) {
	t, other, gone := w.tenant(), w.tenant(), w.tenant()
	w.endpoint(t) // nothing waits for it
	delivered, pending, retrying, ordered := w.endpoint(t), w.endpoint(t), w.endpoint(t), w.endpoint(t, fifo)
	delayed, tested, deleted := w.endpoint(t), w.endpoint(t), w.endpoint(t)
	elsewhere, lost := w.endpoint(other), w.endpoint(gone)
	paused := w.endpoint(other, func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointPaused })
	for _, ep := range []*bellwire.Endpoint{delivered, pending, retrying, ordered, deleted, elsewhere, lost, paused} {
		w.publish(ep)
	}
	w.record(counts(w.result(w.take(delivered), success)), counts(w.result(w.take(retrying), retryIn(time.Hour))))
	later := w.event(t.ID, delayed)
	later.Event.DeliverAt = w.now.Add(time.Hour)
	probe := w.event(t.ID, tested)
	probe.Event.Test, probe.Deliveries[0].Manual = true, true
	w.append(together(later), together(probe))
	w.check(w.store.DeleteEndpoint(w.ctx, t.ID, deleted.ID, w.now, bellwire.ChangeNote{}))
	w.check(w.store.DeleteTenant(w.ctx, gone.ID, w.now))
	for _, c := range []struct {
		f    bellwire.EndpointFilter
		want []*bellwire.Endpoint
	}{
		{bellwire.EndpointFilter{}, []*bellwire.Endpoint{paused, elsewhere, delayed, ordered, retrying, pending}},
		{bellwire.EndpointFilter{Tenant: t.ID}, []*bellwire.Endpoint{delayed, ordered, retrying, pending}},
		{bellwire.EndpointFilter{Tenant: other.ID}, []*bellwire.Endpoint{paused, elsewhere}},
		{bellwire.EndpointFilter{Status: bellwire.EndpointPaused}, []*bellwire.Endpoint{paused}},
		{bellwire.EndpointFilter{Health: bellwire.HealthIdle, Tenant: t.ID}, []*bellwire.Endpoint{delayed, ordered, pending}},
		{bellwire.EndpointFilter{Health: bellwire.HealthIdle}, []*bellwire.Endpoint{paused, elsewhere, delayed, ordered, pending}},
		{bellwire.EndpointFilter{Dialect: "none"}, nil},
	} {
		var want []string
		for _, ep := range c.want {
			want = append(want, ep.ID)
		}
		f := c.f
		f.Waiting, f.Now = true, w.now
		for _, limit := range []int{1, 2, 10} {
			var got []string
			for _, ep := range pages(w, limit, func(p bellwire.Page) (*bellwire.List[*bellwire.Endpoint], error) {
				return w.store.Endpoints(w.ctx, f, p)
			}) {
				got = append(got, ep.ID)
			}
			w.equal(fmt.Sprintf("what waits of %+v", c.f), got, want)
		}
	}
}

// An endpoint that has failed for too long is disabled in the transaction of the failure that decides it, unless it was changed
// since the attempt began.
func healthDisables(w *world) {
	t := w.tenant()
	ep := w.endpoint(t)
	w.publish(ep)
	w.publish(ep)
	fail := func(revision int64) []bellwire.Recorded {
		w.Helper()
		var results []*bellwire.Result
		for _, c := range w.claim(ep, 2).Due {
			r := counts(w.result(c.Delivery, retryIn(time.Minute)))
			r.Health.DisableAfter, r.EndpointRevision = 100*time.Minute, revision
			results = append(results, r)
		}
		return w.record(results...)
	}
	disabled := func(recorded []bellwire.Recorded) (reasons []string) {
		for _, r := range recorded {
			if r.DisabledFor != "" {
				reasons = append(reasons, r.DisabledFor)
			}
		}
		return reasons
	}
	for range 100 {
		w.equal("too early", disabled(fail(ep.Revision)), []string(nil))
		w.tick(time.Minute)
	}
	w.equal("of another revision", disabled(fail(ep.Revision-1)), []string(nil))
	w.tick(time.Minute)
	reasons := disabled(fail(ep.Revision))
	read, err := w.store.Endpoint(w.ctx, ep.ID)
	w.check(err)
	w.equal("why", reasons, []string{read.StatusReason})
	if read.Status != bellwire.EndpointDisabled || read.StatusReason == "" || read.Revision <= ep.Revision {
		w.Errorf("the endpoint is %s at revision %d, because %q", read.Status, read.Revision, read.StatusReason)
	}
	w.equal("the state", w.health(ep).State, bellwire.HealthFailing)
	history, err := w.store.EndpointHistory(w.ctx, t.ID, ep.ID, bellwire.Page{Limit: 1})
	w.check(err)
	w.equal("who changed it", history.Items[0].Actor, bellwire.Actor{Kind: bellwire.ActorBellwire, Reason: read.StatusReason})

	read.Status = bellwire.EndpointEnabled
	w.check(w.store.UpdateEndpoint(w.ctx, read, bellwire.ChangeNote{}))
	w.tick(time.Minute)
	w.equal("enabled again", disabled(fail(read.Revision)), []string(nil))
}

// mostWaiting lists endpoints by what waits for them, in each of the ways in which it can.
func mostWaiting(w *world) {
	t, other, gone := w.tenant(), w.tenant(), w.tenant()
	w.endpoint(t) // nothing waits for it
	waiting := map[string]int{}
	publish := func(ep *bellwire.Endpoint, n int) *bellwire.Endpoint {
		for range n {
			w.publish(ep)
		}
		waiting[ep.ID] = n
		return ep
	}
	one, another := publish(w.endpoint(t), 1), publish(w.endpoint(other), 1)
	four, ordered := publish(w.endpoint(t), 4), publish(w.endpoint(t, fifo), 3)
	retrying := publish(w.endpoint(other), 2)
	w.record(w.result(w.claim(retrying, 1).Due[0].Delivery, retryIn(time.Hour)))
	keyed := w.endpoint(t, byKey)
	for range 5 {
		w.append(together(w.withKey("k", keyed)))
	}
	waiting[keyed.ID] = 5
	probe := w.event(t.ID, one)
	probe.Event.Test, probe.Deliveries[0].Manual = true, true
	w.append(together(probe))
	deleted := publish(w.endpoint(t), 6)
	publish(w.endpoint(gone), 6)
	w.check(w.store.DeleteEndpoint(w.ctx, t.ID, deleted.ID, w.now, bellwire.ChangeNote{}))
	w.check(w.store.DeleteTenant(w.ctx, gone.ID, w.now))
	for _, c := range []struct {
		tenant       string
		count, limit int
		of           []*bellwire.Endpoint
	}{
		{"", 10, 10, []*bellwire.Endpoint{keyed, four, ordered, retrying, another, one}},
		{"", 10, 2, []*bellwire.Endpoint{keyed, four}},
		{t.ID, 10, 10, []*bellwire.Endpoint{keyed, four, ordered, one}},
		{other.ID, 10, 1, []*bellwire.Endpoint{retrying}},
		{t.ID, 3, 10, []*bellwire.Endpoint{keyed, ordered, four, one}},
		{gone.ID, 10, 10, nil},
	} {
		var want []bellwire.Waiting
		for _, ep := range c.of {
			want = append(want, bellwire.Waiting{Endpoint: ep.ID, Count: min(waiting[ep.ID], c.count)})
		}
		slices.SortFunc(want, bellwire.Waiting.Compare)
		got, err := w.store.MostWaiting(w.ctx, c.tenant, c.count, c.limit)
		w.check(err)
		w.equal(fmt.Sprintf("what waits of %q, counted to %d, the first %d", c.tenant, c.count, c.limit), got, want)
	}
}
