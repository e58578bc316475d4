package storetest

import (
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var manualTests = []test{
	{name: "Manual/IsClaimedWhateverTheState", run: manualStates},
	{name: "Manual/IsClaimedOnce", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		id := w.ended(ep, spent)
		for range 3 {
			w.request(ep, id)
		}
		w.equal("the first time", idsOf(w.claim(ep, 10).Manual), []bellwire.DeliveryID{id})
		w.request(ep, id)
		w.equal("while it is in memory", idsOf(w.claim(ep, 10).Manual), nothing)
		w.check(w.store.ReleaseDeliveries(w.ctx, []bellwire.ClaimToken{{Delivery: id, Epoch: w.leases.Epoch(ep.ID), Manual: true}}))
		w.equal("after release", idsOf(w.claim(ep, 10).Manual), []bellwire.DeliveryID{id})
	}},
	{name: "Manual/IsForgottenWithTheEndpoint", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		var ids []bellwire.DeliveryID
		for range 3 {
			ids = append(ids, w.ended(ep, spent))
			w.request(ep, ids[len(ids)-1])
		}
		w.publish(ep)
		w.check(w.store.DeleteEndpoint(w.ctx, ep.Tenant, ep.ID, w.now, bellwire.ChangeNote{}))
		for _, want := range []int{2, 2, 0} { // one is open
			n, err := w.store.CancelOpen(w.ctx, ep.ID, bellwire.ReasonEndpointDeleted, w.now, 2)
			w.check(err)
			w.equal("how many were ended", n, want)
		}
		w.tick(time.Hour)
		w.purgeBefore(w.now, 100)
		for _, id := range ids {
			_, err := w.store.Delivery(w.ctx, ep.Tenant, id)
			w.refused(err, bellwire.CodeNotFound)
		}
		_, err := w.store.Endpoint(w.ctx, ep.ID)
		w.refused(err, bellwire.CodeNotFound)
	}},
	{name: "Manual/IsNotCountedInTheLimit", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		id := w.ended(ep, spent)
		w.request(ep, id)
		due := w.publish(ep).Deliveries[0].ID
		w.equal("what is due", w.due(ep.ID), bellwire.DueEndpoint{Endpoint: ep.ID, At: w.now, Manual: true})
		none := w.claim(ep, 0)
		w.equal("with limit 0", idsOf(none.Manual), []bellwire.DeliveryID{id})
		w.equal("with limit 0", idsOf(none.Due), nothing)
		w.request(ep, w.ended(ep, spent))
		got := w.claim(ep, 1)
		w.equal("how many by hand", len(got.Manual), 1)
		w.equal("by schedule", idsOf(got.Due), []bellwire.DeliveryID{due})
	}},
	{name: "Manual/HasALimitOfItsOwn", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		var ids []bellwire.DeliveryID
		for range 3 {
			ids = append(ids, w.ended(ep, spent))
			w.request(ep, ids[len(ids)-1])
		}
		for _, want := range [][]bellwire.DeliveryID{nil, ids[:2], ids[2:]} {
			r, err := w.store.ClaimDue(w.ctx, w.now, []bellwire.Claim{{
				Endpoint: ep.ID, Epoch: w.leases.Epoch(ep.ID), Limit: 10, ManualLimit: len(want), MaxBytes: 1 << 20,
			}})
			w.check(err)
			w.equal("by hand", idsOf(r[0].Manual), append(nothing, want...))
		}
	}},
	{name: "Manual/EndsAtTheBytes", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		var ids []bellwire.DeliveryID
		for range 3 {
			ids = append(ids, w.ended(ep, spent))
			w.request(ep, ids[len(ids)-1])
		}
		due := w.publish(ep).Deliveries[0].ID
		r, err := w.store.ClaimDue(w.ctx, w.now, []bellwire.Claim{{Endpoint: ep.ID, Epoch: w.leases.Epoch(ep.ID), Limit: 10, ManualLimit: 10, MaxBytes: 1}})
		w.check(err)
		w.equal("by hand", idsOf(r[0].Manual), ids[:1])
		w.equal("by schedule", idsOf(r[0].Due), []bellwire.DeliveryID{due})
		w.equal("the rest", idsOf(w.claim(ep, 0).Manual), ids[1:])
	}},
	{name: "Manual/FailureLeavesTheSchedule", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		w.publish(ep)
		w.record(w.result(w.take(ep), retryIn(time.Hour)))
		d := w.load(ep.Tenant, w.newest(ep).ID)
		w.request(ep, d.ID)
		w.record(w.manualResult(w.claim(ep, 10).Manual[0].Delivery, bellwire.TriggerManual, bellwire.Transition{}))
		after := w.load(ep.Tenant, d.ID)
		w.equal("attempts", after.Attempts, 2)
		after.Attempts, after.UpdatedAt = d.Attempts, d.UpdatedAt
		w.equal("the delivery", after, d)
		w.equal("what is still asked for by hand", idsOf(w.claim(ep, 10).Manual), nothing)
		w.tick(time.Hour)
		w.take(ep)
	}},
	{name: "Manual/SuccessEndsTheSchedule", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		w.publish(ep)
		w.record(w.result(w.take(ep), retryIn(time.Hour)))
		id := w.newest(ep).ID
		w.request(ep, id)
		got := w.record(w.manualResult(w.claim(ep, 10).Manual[0].Delivery, bellwire.TriggerManual, success))
		w.equal("the answer", got[0], bellwire.Recorded{Status: bellwire.DeliverySucceeded, Moved: true})
		w.tick(2 * time.Hour)
		w.nothingDue(ep.ID)
		w.equal("what is open", w.backlog().Open, 0)
	}},
	{name: "Manual/OutlivesTheSchedulesEnd", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		w.publish(ep)
		d := w.take(ep)
		w.request(ep, d.ID)
		w.record(w.result(d, spent))
		w.equal("what is asked for", idsOf(w.claim(ep, 0).Manual), []bellwire.DeliveryID{d.ID})
	}},
	{name: "Manual/IsOverWithSuccess", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		w.publish(ep)
		d := w.take(ep)
		w.request(ep, d.ID)
		w.record(w.result(d, success))
		w.equal("what is asked for", idsOf(w.claim(ep, 0).Manual), nothing)
		w.nothingDue(ep.ID)
	}},
	{name: "Manual/OfNothing", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		id := w.publish(ep).Deliveries[0].ID
		other := w.tenant()
		_, err := w.store.RequestRetry(w.ctx, other.ID, id)
		w.refused(err, bellwire.CodeNotFound)
		_, err = w.store.RequestRetry(w.ctx, ep.Tenant, bellwire.DeliveryID{9})
		w.refused(err, bellwire.CodeNotFound)
	}},
	{name: "Test/IsOutsideTheSchedule", run: func(w *world) {
		for _, result := range []bellwire.Transition{success, {Status: bellwire.DeliveryExhausted, Reason: bellwire.ReasonTestFailed}} {
			ep := w.endpoint(w.tenant(), fifo)
			e := w.event(ep.Tenant, ep)
			e.Event.Test = true
			e.Deliveries[0].Manual, e.Deliveries[0].Ordered = true, false
			w.append(together(e))
			d := w.load(ep.Tenant, e.Deliveries[0].ID)
			w.equal("due", d.DueAt, time.Time{})
			w.equal("whether a retry was requested", d.RetryRequested(), false)
			w.equal("what is due", w.due(ep.ID), bellwire.DueEndpoint{Endpoint: ep.ID, Manual: true})
			got := w.claim(ep, 10)
			w.equal("by schedule", len(got.Due), 0)
			w.equal("by hand", len(got.Manual), 1)
			w.equal("as a test", got.Manual[0].Event.Test, true)
			r := w.manualResult(got.Manual[0].Delivery, bellwire.TriggerTest, result)
			w.equal("the answer", w.record(r)[0], bellwire.Recorded{Status: result.Status, Moved: true})
			w.nothingDue(ep.ID)
		}
		w.equal("what is open", w.backlog().Open, 0)
	}},
	{name: "Test/TakenAtOnce", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		e := w.event(ep.Tenant, ep)
		e.Deliveries[0].Manual, e.Deliveries[0].Epoch = true, w.leases.Epoch(ep.ID)
		w.append(together(e))
		w.equal("what is claimed", w.claim(ep, 10), bellwire.ClaimResult{NextSequence: 1})
		w.nothingDue(ep.ID)
		d := w.load(ep.Tenant, e.Deliveries[0].ID)
		failed := bellwire.Transition{Status: bellwire.DeliveryExhausted, Reason: bellwire.ReasonTestFailed}
		other := w.manualResult(*d, bellwire.TriggerTest, failed)
		other.Epoch--
		w.equal("of another epoch", w.record(other)[0], bellwire.Recorded{Status: bellwire.DeliveryPending})
		w.equal("the answer", w.record(w.manualResult(*d, bellwire.TriggerTest, failed))[0],
			bellwire.Recorded{Status: bellwire.DeliveryExhausted, Moved: true})
	}},
	{name: "Test/IsFreeWhenReopened", need: reopens, run: func(w *world) {
		ep := w.endpoint(w.tenant())
		e := w.event(ep.Tenant, ep)
		e.Deliveries[0].Manual, e.Deliveries[0].Epoch = true, w.leases.Epoch(ep.ID)
		w.append(together(e))
		w.reopen()
		w.equal("what is open", w.backlog().Open, 1)
		w.equal("by hand", idsOf(w.claim(ep, 10).Manual), []bellwire.DeliveryID{e.Deliveries[0].ID})
	}},
}

// manualStates asks for retries in each state.
func manualStates(w *world) {
	for _, end := range []bellwire.Transition{
		{}, retryIn(time.Hour), success, spent, {Status: bellwire.DeliveryCanceled, Reason: "because"},
	} {
		ep := w.endpoint(w.tenant())
		id := w.ended(ep, end)
		before := w.load(ep.Tenant, id)
		answer, err := w.store.RequestRetry(w.ctx, ep.Tenant, id)
		w.check(err)
		w.equal("whether a retry was requested", []bool{before.RetryRequested(), answer.RetryRequested()}, []bool{false, true})
		before.Requested = true
		w.equal("the answer", answer, before)
		w.equal("what is claimed", idsOf(w.claim(ep, 0).Manual), []bellwire.DeliveryID{id})
		w.equal("the delivery", w.load(ep.Tenant, id), before)
		r := w.manualResult(*before, bellwire.TriggerManual, success)
		r.Epoch = w.leases.Epoch(ep.ID)
		w.record(r)
		w.equal("whether a retry is requested after it", w.load(ep.Tenant, id).RetryRequested(), false)
	}
}

func (w *world) request(ep *bellwire.Endpoint, id bellwire.DeliveryID) {
	w.Helper()
	_, err := w.store.RequestRetry(w.ctx, ep.Tenant, id)
	w.check(err)
}

// ended publishes an event and brings its delivery into a state.
func (w *world) ended(ep *bellwire.Endpoint, t bellwire.Transition) bellwire.DeliveryID {
	w.Helper()
	d := w.event(ep.Tenant, ep)
	d.Deliveries[0].Epoch = w.leases.Epoch(ep.ID)
	w.append(together(d))
	w.record(w.result(*w.load(ep.Tenant, d.Deliveries[0].ID), t))
	return d.Deliveries[0].ID
}

// newest returns the newest delivery of an endpoint.
func (w *world) newest(ep *bellwire.Endpoint) *bellwire.Delivery {
	w.Helper()
	list, err := w.store.Deliveries(w.ctx, bellwire.DeliveryFilter{Tenant: ep.Tenant, Endpoint: ep.ID}, bellwire.Page{Limit: 1})
	w.check(err)
	if len(list.Items) != 1 {
		w.Fatal("there is no delivery")
	}
	return list.Items[0]
}

// manualResult returns the result of an attempt outside the schedule.
func (w *world) manualResult(d bellwire.Delivery, trigger bellwire.Trigger, t bellwire.Transition) *bellwire.Result {
	r := w.result(d, t)
	r.Trigger, r.Attempt.Trigger, r.Epoch = trigger, trigger, w.leases.Epoch(d.Endpoint)
	return r
}
