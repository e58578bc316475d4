package storetest

import (
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// forward stores an event with deliveries to be forwarded to their endpoints' owner in an epoch later than the present one.
func (w *world) forward(later int64, endpoints ...*bellwire.Endpoint) *bellwire.NewEvent {
	w.Helper()
	e := w.event(endpoints[0].Tenant, endpoints...)
	for i := range e.Deliveries {
		e.Deliveries[i].Epoch = -w.leases.Epoch(e.Deliveries[i].Endpoint) - later
	}
	w.append(together(e))
	return e
}

// search claims up to limit deliveries of an endpoint, with those that were stored to be forwarded and are not held.
func (w *world) search(ep *bellwire.Endpoint, limit int, held ...bellwire.DeliveryID) bellwire.ClaimResult {
	w.Helper()
	results, err := w.store.ClaimDue(w.ctx, w.now, []bellwire.Claim{{
		Endpoint: ep.ID, Epoch: w.leases.Epoch(ep.ID), Limit: limit, MaxBytes: 1 << 20, Ordered: ep.Ordering == bellwire.OrderingFIFO,
		Search: true, Held: held,
	}})
	w.check(err)
	return results[0]
}

// received returns a forwarded delivery as its owner has it.
func (w *world) received(ep *bellwire.Endpoint, e *bellwire.NewEvent) bellwire.Delivery {
	d := *w.load(ep.Tenant, e.Deliveries[0].ID)
	d.Epoch = w.leases.Epoch(ep.ID)
	return d
}

var forwardTests = []test{
	{name: "Forward/IsClaimedOnlyBySearches", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		e := w.forward(0, ep)
		free := w.publish(ep)
		w.equal("its epoch", w.load(ep.Tenant, e.Deliveries[0].ID).Epoch, -w.leases.Epoch(ep.ID))
		w.equal("what is due", w.due(ep.ID).At, w.now)
		w.equal("an ordinary claim", idsOf(w.claim(ep, 10).Due), []bellwire.DeliveryID{free.Deliveries[0].ID})
		w.equal("what is due", w.due(ep.ID).At, w.now)
		found := w.search(ep, 10)
		w.equal("a search", idsOf(found.Due), []bellwire.DeliveryID{e.Deliveries[0].ID})
		w.equal("its epoch then", found.Due[0].Delivery.Epoch, w.leases.Epoch(ep.ID))
		w.equal("another search", idsOf(w.search(ep, 10).Due), nothing)
		w.nothingDue(ep.ID)
	}},
	{name: "Forward/OfAnotherEpochIsFree", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		e := w.forward(1, ep)
		w.equal("claimed", idsOf(w.claim(ep, 10).Due), []bellwire.DeliveryID{e.Deliveries[0].ID})
	}},
	{name: "Forward/HeldOnesAreNotSearchedFor", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		var ids []bellwire.DeliveryID
		for range 5 {
			ids = append(ids, w.forward(0, ep).Deliveries[0].ID)
		}
		first := w.search(ep, 1, ids[0], ids[1], ids[3])
		w.equal("what is found", idsOf(first.Due), ids[2:3])
		w.equal("when the next is due", first.Next.IsZero(), false)
		second := w.search(ep, 10, ids[0], ids[1], ids[3])
		w.equal("what is found then", idsOf(second.Due), ids[4:])
		w.equal("when the next is due", second.Next, time.Time{})
		w.equal("the epoch of what is held", w.load(ep.Tenant, ids[0]).Epoch, -w.leases.Epoch(ep.ID))
	}},
	{name: "Forward/AnOrderIsNeverPassedOver", run: func(w *world) {
		ep := w.endpoint(w.tenant(), fifo)
		first, second := w.forward(0, ep), w.publish(ep)
		got := w.claim(ep, 10)
		w.equal("claimed", idsOf(got.Due), []bellwire.DeliveryID{first.Deliveries[0].ID, second.Deliveries[0].ID})
		w.equal("the next number", got.NextSequence, int64(3))
	}},
	{name: "Forward/TheFirstOfItsKeyFreesTheNext", run: func(w *world) {
		ep := w.endpoint(w.tenant(), byKey)
		first, second := w.withKey("k", ep), w.withKey("k", ep)
		for _, e := range []*bellwire.NewEvent{first, second} {
			e.Deliveries[0].Epoch = -w.leases.Epoch(ep.ID)
			w.append(together(e))
		}
		w.equal("the epoch of the first", w.load(ep.Tenant, first.Deliveries[0].ID).Epoch, -w.leases.Epoch(ep.ID))
		w.equal("whether the second is behind", w.load(ep.Tenant, second.Deliveries[0].ID).Behind, true)
		w.equal("claimed", idsOf(w.claim(ep, 10).Due), nothing)
		d := w.received(ep, first)
		recorded := w.record(w.result(d, success))[0]
		w.equal("whether the next is free", recorded.Next, true)
		w.equal("claimed then", idsOf(w.claim(ep, 10).Due), []bellwire.DeliveryID{second.Deliveries[0].ID})
	}},
	{name: "Forward/ResultsOfItsEpochCount", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		for _, c := range []struct {
			name       string
			transition bellwire.Transition
			want       bellwire.DeliveryStatus
		}{
			{"success", success, bellwire.DeliverySucceeded},
			{"failure", retryIn(time.Minute), bellwire.DeliveryRetrying},
			{"end", spent, bellwire.DeliveryExhausted},
		} {
			d := w.received(ep, w.forward(0, ep))
			recorded := w.record(w.result(d, c.transition))[0]
			w.equal("the status after a "+c.name, recorded.Status, c.want)
			w.equal("whether it moved", recorded.Moved, true)
		}
		late := w.received(ep, w.forward(0, ep))
		late.Epoch++
		w.equal("a failure of another epoch", w.record(w.result(late, retryIn(0)))[0].Moved, false)
	}},
	{name: "Forward/IsReleasedLikeOthers", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		d := w.received(ep, w.forward(0, ep))
		w.check(w.store.ReleaseDeliveries(w.ctx, []bellwire.ClaimToken{{Delivery: d.ID, Epoch: d.Epoch + 1}}))
		w.equal("after another epoch's release", idsOf(w.claim(ep, 10).Due), nothing)
		w.check(w.store.ReleaseDeliveries(w.ctx, []bellwire.ClaimToken{{Delivery: d.ID, Epoch: d.Epoch}}))
		w.equal("after release", idsOf(w.claim(ep, 10).Due), []bellwire.DeliveryID{d.ID})
	}},
	{name: "Forward/IsNotTooOldWhileTheOwnerHasIt", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		w.forward(0, ep)
		w.tick(time.Hour)
		x := w.tooOld(ep, 10)
		x.Before = w.now
		n, err := w.store.ExhaustTooOld(w.ctx, w.now, x)
		w.check(err)
		w.equal("how many are too old", n, 0)
	}},
}
