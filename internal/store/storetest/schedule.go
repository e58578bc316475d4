package storetest

import (
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var scheduleTests = []test{
	{name: "Schedule/OfAnEventIsKept", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		e := w.scheduled(w.now.Add(time.Hour), w.now.Add(2*time.Hour), ep)
		stored, err := w.store.Event(w.ctx, ep.Tenant, e.Event.ID)
		w.check(err)
		w.equal("the event", []time.Time{stored.DeliverAt, stored.ExpiresAt}, []time.Time{e.Event.DeliverAt, e.Event.ExpiresAt})
		d := w.load(ep.Tenant, e.Deliveries[0].ID)
		w.equal("the delivery", []time.Time{d.DueAt, d.NotBefore, d.ExpiresAt}, []time.Time{e.Event.DeliverAt, e.Event.DeliverAt, e.Event.ExpiresAt})
		w.equal("its status", d.Status, bellwire.DeliveryPending)
		got, _ := w.explain(e, 10)
		w.equal("the event that is explained", []time.Time{got.Event.DeliverAt, got.Event.ExpiresAt}, []time.Time{e.Event.DeliverAt, e.Event.ExpiresAt})
	}},
	{name: "Schedule/ADelayedDeliveryIsClaimedWhenItIsDue", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		first := w.scheduled(w.now.Add(2*time.Hour), time.Time{}, ep)
		second := w.scheduled(w.now.Add(time.Hour), time.Time{}, ep)
		at := second.Event.DeliverAt
		w.equal("what is due", w.due(ep.ID), bellwire.DueEndpoint{Endpoint: ep.ID, At: at})
		now := w.publish(ep)
		got := w.claim(ep, 10)
		w.equal("what is claimed at once", idsOf(got.Due), []bellwire.DeliveryID{now.Deliveries[0].ID})
		w.equal("when the next is due", got.Next, at)
		w.tick(time.Hour)
		got = w.claim(ep, 10)
		w.equal("what is claimed then", idsOf(got.Due), []bellwire.DeliveryID{second.Deliveries[0].ID})
		d := got.Due[0].Delivery
		w.check(w.store.ReleaseDeliveries(w.ctx, []bellwire.ClaimToken{{Delivery: d.ID, Epoch: d.Epoch}}))
		w.equal("what is claimed again", idsOf(w.claim(ep, 10).Due), []bellwire.DeliveryID{d.ID})
		w.record(w.result(d, retryIn(time.Minute)))
		w.equal("after a failure", w.load(ep.Tenant, d.ID).Status, bellwire.DeliveryRetrying)
		w.tick(time.Hour)
		w.equal("what is claimed at last", idsOf(w.claim(ep, 10).Due), []bellwire.DeliveryID{d.ID, first.Deliveries[0].ID})
	}},
	{name: "Schedule/AManualRetryDoesNotBringADelayedDeliveryForward", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		e := w.scheduled(w.now.Add(time.Hour), time.Time{}, ep)
		id := e.Deliveries[0].ID
		w.request(ep, id)
		m := w.claim(ep, 10).Manual[0].Delivery
		r := w.result(m, bellwire.Transition{})
		r.Trigger, r.Epoch = bellwire.TriggerManual, w.leases.Epoch(ep.ID)
		w.record(r)
		w.equal("what is claimed", len(w.claim(ep, 10).Due), 0)
		w.tick(time.Hour)
		w.equal("what is claimed when it is due", idsOf(w.claim(ep, 10).Due), []bellwire.DeliveryID{id})
	}},
	{name: "Schedule/ADelayedDeliveryIsListedAndEndedAsPending", run: func(w *world) {
		t := w.tenant()
		ep := w.endpoint(t)
		e, other, third := w.scheduled(w.now.Add(time.Hour), time.Time{}, ep), w.scheduled(w.now.Add(time.Hour), time.Time{}, ep), w.scheduled(w.now.Add(time.Hour), time.Time{}, ep)
		for _, f := range []bellwire.DeliveryFilter{{}, {Endpoint: ep.ID}, {Event: e.Event.ID}} {
			f.Tenant = t.ID
			want := 3
			if !f.Event.IsZero() {
				want = 1
			}
			for status, n := range map[bellwire.DeliveryStatus]int{"": want, bellwire.DeliveryPending: want, bellwire.DeliveryRetrying: 0} {
				f.Status = status
				w.equal("deliveries listed by "+string(status), len(w.all(f)), n)
			}
		}
		w.equal("what is open", w.backlog().Open, 3)
		_, err := w.store.CancelDelivery(w.ctx, t.ID, e.Deliveries[0].ID, "", w.now)
		w.check(err)
		p := bellwire.JobParams{Endpoint: ep.ID, Until: other.Event.CreatedAt.Add(time.Millisecond)}
		p.Choose(bellwire.JobCancel, "")
		j := w.job(t.ID, bellwire.JobCancel, p)
		w.equal("what a job would cancel", w.counted(j, ep), 2)
		w.equal("what it has canceled", w.run(j, 10, ep).Done, 2)
		w.equal("what is canceled", w.load(t.ID, third.Deliveries[0].ID).Status, bellwire.DeliveryCanceled)
		w.tick(time.Hour)
		w.nothingDue(ep.ID)
		w.equal("what is open", w.backlog().Open, 0)
		w.scheduled(w.now.Add(time.Hour), time.Time{}, ep)
		w.disable(ep)
		n, err := w.store.CancelOpen(w.ctx, ep.ID, "", w.now, 10)
		w.check(err)
		w.equal("what is canceled with its endpoint", n, 1)
	}},
	{name: "Schedule/ARestartWaitsForDeliverAt", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		at := w.now.Add(time.Hour)
		byJob, byHand := w.scheduled(at, time.Time{}, ep).Deliveries[0].ID, w.scheduled(at, time.Time{}, ep).Deliveries[0].ID
		for _, id := range []bellwire.DeliveryID{byJob, byHand} {
			_, err := w.store.CancelDelivery(w.ctx, ep.Tenant, id, "", w.now)
			w.check(err)
		}
		w.tick(time.Minute)
		_, err := w.store.RestartDelivery(w.ctx, ep.Tenant, byHand, w.now)
		w.check(err)
		w.equal("what a job has restarted", w.run(w.job(ep.Tenant, bellwire.JobRetry, w.failed(ep)), 10, ep).Done, 1)
		for _, id := range []bellwire.DeliveryID{byJob, byHand} {
			d := w.load(ep.Tenant, id)
			w.equal("the delivery", []any{d.Status, d.DueAt, d.RestartedAt}, []any{bellwire.DeliveryPending, at, w.now})
		}
		got := w.claim(ep, 10)
		w.equal("what is claimed before, and when the next is due", []any{len(got.Due), got.Next}, []any{0, at})
		w.now = at
		w.equal("what is claimed then", idsOf(w.claim(ep, 10).Due), []bellwire.DeliveryID{byJob, byHand})
	}},
	{name: "Schedule/MaxElapsedCountsFromDeliverAt", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		w.scheduled(w.now.Add(time.Hour), time.Time{}, ep)
		for i, want := range []int{0, 1} {
			w.tick(time.Duration(i+1) * time.Hour)
			x := w.tooOld(ep, 10)
			x.Before = w.now.Add(-90 * time.Minute)
			n, err := w.store.ExhaustTooOld(w.ctx, w.now, x)
			w.check(err)
			w.equal("what has ended", n, want)
		}
	}},
	{name: "Schedule/ExpiredDeliveriesEndWhateverTheyWaitFor", run: func(w *world) {
		t := w.tenant()
		plain, ordered, restarted := w.endpoint(t), w.endpoint(t, fifo), w.endpoint(t)
		at := w.now.Add(time.Hour)
		var ids []bellwire.DeliveryID
		add := func(e *bellwire.NewEvent) { ids = append(ids, e.Deliveries[0].ID) }
		add(w.scheduled(time.Time{}, at, plain))
		add(w.scheduled(w.now.Add(time.Minute), at, plain))
		add(w.scheduled(time.Time{}, at, ordered))
		later := w.scheduled(time.Time{}, at.Add(time.Hour), ordered)
		add(w.scheduled(time.Time{}, at, restarted))
		w.record(w.result(w.take(restarted), spent))
		w.tick(time.Minute)
		_, err := w.store.RestartDelivery(w.ctx, t.ID, ids[3], w.now)
		w.check(err)
		w.claim(plain, 1)
		w.record(w.result(w.claim(ordered, 1).Due[0].Delivery, retryIn(24*time.Hour)))
		w.equal("what has expired", w.endExpired(10), &bellwire.EndedExpired{Next: at})
		w.now = at
		first := w.endExpired(3)
		w.equal("what is ended at first", []any{len(first.Deliveries), first.More}, []any{3, true})
		second := w.endExpired(2)
		w.equal("what is ended then", []any{len(second.Deliveries), second.More, second.Next}, []any{1, false, at.Add(time.Hour)})
		for _, id := range ids {
			d := w.load(t.ID, id)
			w.equal("its end", []any{d.Status, d.Reason, d.DueAt.IsZero()}, []any{bellwire.DeliveryCanceled, bellwire.ReasonExpired(at), true})
			if !slices.ContainsFunc(append(first.Deliveries, second.Deliveries...), func(x bellwire.ExpiredDelivery) bool {
				return x.ID == id && x.Tenant == t.ID && x.Endpoint == d.Endpoint && x.Dialect == plain.Dialect && x.Began.Equal(d.Began())
			}) {
				w.Errorf("%s is not reported as it was", id)
			}
			_, err := w.store.RestartDelivery(w.ctx, t.ID, id, w.now)
			w.refused(err, bellwire.CodeConflict)
		}
		w.equal("the next in order", idsOf(w.claim(ordered, 1).Due), []bellwire.DeliveryID{later.Deliveries[0].ID})
		w.equal("what is open", w.backlog().Open, 1)
	}},
	{name: "Schedule/OfReplays", run: func(w *world) {
		t := w.tenant()
		ep := w.endpoint(t)
		delayed, expired := w.scheduled(w.now.Add(time.Hour), time.Time{}), w.scheduled(time.Time{}, w.now.Add(time.Minute))
		gone := w.scheduled(time.Time{}, w.now.Add(time.Minute), ep)
		w.tick(time.Minute)
		w.endExpired(10)
		done := w.run(w.job(t.ID, bellwire.JobReplay, allOf(ep)), 10, ep)
		w.equal("done and skipped", []int{done.Done, done.Skipped}, []int{1, 2})
		w.equal("deliveries of what has expired", []int{len(w.ofEvent(expired)), len(w.ofEvent(gone))}, []int{0, 1})
		w.equal("when the delayed one is due", w.due(ep.ID).At, delayed.Event.DeliverAt)
		p := w.failed(ep)
		p.Choose(bellwire.JobRetry, bellwire.SelectFailed)
		w.equal("what is restarted", w.run(w.job(t.ID, bellwire.JobRetry, p), 10, ep).Done, 0)
	}},
	{name: "Schedule/IsKeptByFanOut", run: func(w *world) {
		t := w.tenant()
		ep, ordered := w.endpoint(t), w.endpoint(t, fifo)
		e := w.wide(t.ID, ep, ordered)
		e.Event.DeliverAt, e.Event.ExpiresAt = w.now.Add(time.Hour), w.now.Add(2*time.Hour)
		w.append(together(e))
		w.fanAllOut(1)
		w.equal("when it is due", w.due(ep.ID).At, e.Event.DeliverAt)
		w.tick(2 * time.Hour)
		w.equal("what has expired", len(w.endExpired(10).Deliveries), 2)
	}},
}

// scheduled stores an event with a schedule, with a free delivery to each endpoint. Zero times mean at once and never.
func (w *world) scheduled(deliverAt, expiresAt time.Time, endpoints ...*bellwire.Endpoint) *bellwire.NewEvent {
	w.Helper()
	e := w.event(w.lastTenant(), endpoints...)
	e.Event.DeliverAt, e.Event.ExpiresAt = deliverAt, expiresAt
	for i := range e.Deliveries {
		e.Deliveries[i].Ordered = e.Deliveries[i].Ordered && !e.Event.Delayed()
	}
	w.append(together(e))
	return e
}

func (w *world) endExpired(limit int) *bellwire.EndedExpired {
	w.Helper()
	ended, err := w.store.EndExpired(w.ctx, w.now, limit)
	w.check(err)
	return ended
}
