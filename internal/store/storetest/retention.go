package storetest

import (
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var retentionTests = []test{
	{name: "Retention/RemovesWhatHasEnded", run: retainWhatIsNew},
	{name: "Retention/KeepsWhatIsToBeDelivered", run: retainWhatIsOpen},
	{name: "Retention/PassesOverWhatItKeeps", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		open := w.publish(ep)
		var ended []*bellwire.NewEvent
		for range 20 {
			ended = append(ended, w.endedEvent(ep))
		}
		w.tick(time.Hour)
		w.equal("how many", w.purgeBefore(w.now, 7), 20*3)
		w.kept(open)
		w.gone(ended...)
	}},
	{name: "Retention/LooksAgain", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		e := w.publish(ep)
		w.tick(time.Minute)
		w.equal("how many", w.purgeBefore(w.now, 100), 0)
		_, err := w.store.CancelDelivery(w.ctx, ep.Tenant, e.Deliveries[0].ID, "", w.now)
		w.check(err)
		w.tick(bellwire.RetentionReview)
		w.equal("how many", w.purgeBefore(w.now, 100), 2)
		w.gone(e)
	}},
	{name: "Retention/KeepsWhatIsAskedForByHand", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		e := w.endedEvent(ep)
		w.request(ep, e.Deliveries[0].ID)
		w.tick(time.Hour)
		w.equal("how many", w.purgeBefore(w.now, 100), 0)
		again := w.claim(ep, 10).Manual
		w.equal("what is claimed", idsOf(again), []bellwire.DeliveryID{e.Deliveries[0].ID})
		w.tick(bellwire.RetentionReview)
		w.equal("how many while it is sent", w.purgeBefore(w.now, 100), 0)
		r := w.result(again[0].Delivery, success)
		r.Trigger, r.Epoch = bellwire.TriggerManual, w.leases.Epoch(ep.ID)
		w.record(r)
		w.tick(bellwire.RetentionReview)
		w.equal("how many when it is done", w.purgeBefore(w.now, 100), 4)
		w.gone(e)
	}},
	{name: "Retention/OfWhatIsStillInFlight", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		e := w.publish(ep)
		d := w.take(ep)
		_, err := w.store.CancelDelivery(w.ctx, ep.Tenant, d.ID, "", w.now)
		w.check(err)
		w.tick(time.Hour)
		w.purgeBefore(w.now, 100)
		w.gone(e)
		w.equal("what is recorded", w.record(w.result(d, success))[0], bellwire.Recorded{})
		w.equal("attempts", len(w.attempts(d.ID)), 0)
	}},
	{name: "Retention/KeepsIdsForTheirWindow", run: func(w *world) {
		t := w.tenant()
		e := w.keyed(w.event(t.ID), "k", 1)
		w.append(together(e))
		w.tick(time.Hour)
		w.equal("how many", w.purgeBefore(w.now, 100), 1)
		w.gone(e)
		again := w.keyed(w.event(t.ID), "k", 1)
		w.equal("published again", w.append(together(again))[0], bellwire.AppendedEvent{ID: e.Event.ID, Duplicate: true})
		w.now = e.Event.CreatedAt.Add(bellwire.IdempotencyWindow - time.Minute)
		w.equal("how many within the window", w.purgeBefore(w.now, 100), 0)
		w.tick(bellwire.RetentionReview)
		if n := w.purgeBefore(w.now, 100); n == 0 {
			w.Error("the id is remembered for ever")
		}
		again = w.keyed(w.event(t.ID), "k", 1)
		w.equal("published after the window", w.append(together(again))[0].ID, again.Event.ID)
	}},
	{name: "Retention/KeepsIdsAsLongAsTheirEvent", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		e := w.keyed(w.event(ep.Tenant, ep), "k", 1)
		w.append(together(e))
		w.tick(10 * bellwire.IdempotencyWindow)
		w.equal("how many", w.purgeBefore(w.now, 100), 0)
		again := w.keyed(w.event(ep.Tenant, ep), "k", 1)
		w.equal("published again", w.append(together(again))[0].ID, e.Event.ID)
		w.take(ep)
		_, err := w.store.CancelDelivery(w.ctx, ep.Tenant, e.Deliveries[0].ID, "", w.now)
		w.check(err)
		w.tick(bellwire.RetentionReview)
		w.equal("how many", w.purgeBefore(w.now, 100), 3)
		again = w.keyed(w.event(ep.Tenant, ep), "k", 1)
		w.equal("published when it is gone", w.append(together(again))[0].ID, again.Event.ID)
	}},
	{name: "Retention/OfATenant", run: func(w *world) {
		short, other := w.tenant(), w.tenant()
		short.Limits = map[string]float64{"event_retention": 3600}
		w.check(w.store.UpdateTenant(w.ctx, w.withLimits(short)))
		ep, theirs := w.endpoint(short), w.endpoint(other)
		var old []*bellwire.NewEvent
		for range 12 {
			old = append(old, w.endedEvent(ep))
		}
		open, kept := w.publish(ep), w.endedEvent(theirs)
		w.tick(30 * time.Minute)
		recent := w.endedEvent(ep)
		w.equal("how many in time", w.purge(7), 0)
		w.tick(31 * time.Minute)
		w.equal("how many past it", w.purge(7), 12*3)
		w.gone(old...)
		for _, e := range []*bellwire.NewEvent{open, kept, recent} {
			w.kept(e)
		}
		w.equal("how many soon after", w.purge(7), 0)
		w.tick(bellwire.RetentionReview)
		w.equal("how many of the rest", w.purge(7), 3)
		w.gone(recent)
		_, err := w.store.CancelDelivery(w.ctx, short.ID, open.Deliveries[0].ID, "", w.now)
		w.check(err)
		w.tick(bellwire.RetentionReview)
		w.equal("how many when the last has ended", w.purge(7), 2)
		w.gone(open)
		w.kept(kept)
		short = w.withLimits(short)
		short.Limits = nil
		w.check(w.store.UpdateTenant(w.ctx, short))
		last := w.endedEvent(ep)
		w.tick(10 * time.Hour)
		w.equal("how many without a time of its own", w.purge(7), 0)
		w.kept(last)
		w.equal("how many by the server's", w.purgeBefore(w.now, 100), 6)
		w.gone(last, kept)
	}},
	{name: "Retention/OfATenantBesideTheServers", run: func(w *world) {
		short, other := w.tenant(), w.tenant()
		short.Limits = map[string]float64{"event_retention": 3600}
		w.check(w.store.UpdateTenant(w.ctx, w.withLimits(short)))
		theirs := w.endpoint(other)
		for range 20 {
			w.endedEvent(theirs)
		}
		w.tick(2 * time.Hour)
		border := w.now
		own, last := w.endedEvent(w.endpoint(short)), w.endedEvent(theirs)
		w.tick(2 * time.Hour)
		const limit = 3 // the rows of an event
		for range 10 {
			if n, err := w.store.Purge(w.ctx, w.now, border, limit); err != nil || n == 0 {
				w.Fatalf("%d rows were deleted: %v", n, err)
			}
		}
		w.gone(own)
		w.purgeBefore(border, limit)
		w.kept(last)
	}},
	{name: "Retention/OfATenantIsNotLongerThanTheServers", run: func(w *world) {
		t := w.tenant()
		t.Limits = map[string]float64{"event_retention": 100 * 3600}
		w.check(w.store.UpdateTenant(w.ctx, w.withLimits(t)))
		ep := w.endpoint(t)
		e := w.endedEvent(ep)
		w.tick(10 * time.Hour)
		w.equal("how many", w.purgeBefore(w.now.Add(-time.Hour), 100), 3)
		w.gone(e)
	}},
	{name: "Retention/OfATenantKeepsIdsForTheirWindow", run: func(w *world) {
		t := w.tenant()
		t.Limits = map[string]float64{"event_retention": 3600}
		w.check(w.store.UpdateTenant(w.ctx, w.withLimits(t)))
		e := w.keyed(w.event(t.ID), "k", 1)
		w.append(together(e))
		w.tick(2 * time.Hour)
		w.equal("how many", w.purge(100), 1)
		w.gone(e)
		again := w.keyed(w.event(t.ID), "k", 1)
		w.equal("published again", w.append(together(again))[0], bellwire.AppendedEvent{ID: e.Event.ID, Duplicate: true})
		w.now = e.Event.CreatedAt.Add(bellwire.IdempotencyWindow - time.Minute)
		w.equal("how many within the window", w.purge(100), 0)
		w.tick(bellwire.RetentionReview)
		if n := w.purge(100); n == 0 {
			w.Error("the id is remembered for ever")
		}
		again = w.keyed(w.event(t.ID), "k", 1)
		w.equal("published after the window", w.append(together(again))[0].ID, again.Event.ID)
	}},
	{name: "Retention/OfATenantEndsIdsPastTheirWindow", run: func(w *world) {
		t := w.tenant()
		t.Limits = map[string]float64{"event_retention": (bellwire.IdempotencyWindow + time.Hour).Seconds()}
		w.check(w.store.UpdateTenant(w.ctx, w.withLimits(t)))
		e := w.keyed(w.event(t.ID), "k", 1)
		w.append(together(e))
		w.tick(bellwire.IdempotencyWindow + 2*time.Hour)
		w.equal("how many", w.purge(100), 2)
		again := w.keyed(w.event(t.ID), "k", 1)
		w.equal("published again", w.append(together(again))[0].ID, again.Event.ID)
	}},
	{name: "Retention/BesideAFanOut", run: func(w *world) {
		t := w.tenant()
		ep := w.endpoint(t)
		ended := w.endedEvent(ep)
		w.tick(time.Second)
		wide := w.wide(t.ID, ep, w.endpoint(t))
		w.append(together(wide))
		w.tick(time.Hour)
		w.equal("how many while deliveries are to be stored", w.purgeBefore(w.now, 100), 3)
		w.gone(ended)
		w.kept(wide)
	}},
	{name: "Retention/OfAWideEvent", run: func(w *world) {
		t := w.tenant()
		var endpoints []*bellwire.Endpoint
		for range 30 {
			ep := w.endpoint(t)
			endpoints = append(endpoints, ep)
		}
		e := w.publish(endpoints...)
		for _, ep := range endpoints {
			w.record(w.result(w.take(ep), spent))
		}
		w.tick(time.Hour)
		w.equal("how many", w.purgeBefore(w.now, 7), 1+30*2)
		w.gone(e)
		w.equal("what is open", w.backlog().Open, 0)
	}},
}

// endedEvent publishes an event and has it delivered.
func (w *world) endedEvent(ep *bellwire.Endpoint) *bellwire.NewEvent {
	w.Helper()
	e := w.event(ep.Tenant, ep)
	e.Deliveries[0].Epoch = w.leases.Epoch(ep.ID)
	w.append(together(e))
	w.record(w.result(*w.load(ep.Tenant, e.Deliveries[0].ID), success))
	return e
}

// withLimits returns the stored tenant with other limits.
func (w *world) withLimits(t *bellwire.Tenant) *bellwire.Tenant {
	w.Helper()
	stored := w.reread(t)
	stored.Limits = t.Limits
	return stored
}

// gone expects that nothing is left of events.
func (w *world) gone(events ...*bellwire.NewEvent) {
	w.Helper()
	for _, e := range events {
		_, err := w.store.Event(w.ctx, e.Event.Tenant, e.Event.ID)
		w.refused(err, bellwire.CodeNotFound)
		for _, d := range e.Deliveries {
			_, err := w.store.Delivery(w.ctx, e.Event.Tenant, d.ID)
			w.refused(err, bellwire.CodeNotFound)
			_, err = w.store.RequestRetry(w.ctx, e.Event.Tenant, d.ID)
			w.refused(err, bellwire.CodeNotFound)
			w.equal("attempts", len(w.attempts(d.ID)), 0)
		}
	}
}

// kept checks that an event still has all its deliveries and attempts.
func (w *world) kept(e *bellwire.NewEvent) {
	w.Helper()
	got, err := w.store.Event(w.ctx, e.Event.Tenant, e.Event.ID)
	w.check(err)
	w.equal("the data", got.Data, e.Event.Data)
	for _, d := range e.Deliveries {
		w.load(e.Event.Tenant, d.ID)
	}
}

func retainWhatIsNew(w *world) {
	ep := w.endpoint(w.tenant())
	nobody := w.event(ep.Tenant)
	w.append(together(nobody))
	old := w.endedEvent(ep)
	w.tick(time.Hour)
	border := w.now
	fresh := w.endedEvent(ep)
	w.tick(time.Hour)
	w.equal("how many if all is kept", w.purge(100), 0)
	w.equal("how many", w.purgeBefore(border.Truncate(time.Millisecond), 100), 4)
	w.gone(nobody, old)
	w.kept(fresh)
	w.equal("attempts", len(w.attempts(fresh.Deliveries[0].ID)), 1)
	list, err := w.store.Deliveries(w.ctx, bellwire.DeliveryFilter{Tenant: ep.Tenant}, bellwire.Page{Limit: 10})
	w.check(err)
	w.equal("how many are listed", len(list.Items), 1)
}

// retainWhatIsOpen looks at events in every state in which something is to be delivered: to one endpoint of two.
func retainWhatIsOpen(w *world) {
	t := w.tenant()
	done, open, ordered := w.endpoint(t), w.endpoint(t), w.endpoint(t, fifo)
	var events []*bellwire.NewEvent
	for _, ep := range []*bellwire.Endpoint{open, open, open, ordered, ordered} {
		e := w.event(t.ID, done, ep)
		for i := range e.Deliveries {
			e.Deliveries[i].Epoch = w.leases.Epoch(e.Deliveries[i].Endpoint)
		}
		w.append(together(e))
		w.record(w.result(*w.load(t.ID, e.Deliveries[0].ID), success))
		events = append(events, e)
	}
	for _, e := range []*bellwire.NewEvent{events[1], events[3]} {
		w.record(w.result(*w.load(t.ID, e.Deliveries[1].ID), retryIn(time.Minute)))
	}
	w.check(w.store.ReleaseDeliveries(w.ctx, []bellwire.ClaimToken{{Delivery: events[2].Deliveries[1].ID, Epoch: w.leases.Epoch(open.ID)}}))
	before := w.backlog().Open
	w.tick(time.Hour)
	w.equal("how many", w.purgeBefore(w.now, 100), 0)
	for _, e := range events {
		w.kept(e)
		w.equal("attempts", len(w.attempts(e.Deliveries[0].ID)), 1)
	}
	w.equal("what is open", w.backlog().Open, before)
	w.equal("what is claimed", idsOf(w.claim(open, 10).Due), []bellwire.DeliveryID{events[2].Deliveries[1].ID, events[1].Deliveries[1].ID})
}
