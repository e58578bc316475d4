package storetest

import (
	"bytes"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var endTests = []test{
	{name: "Cancel/EndsAnOpenDelivery", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		for _, state := range []bellwire.Transition{{}, retryIn(time.Hour)} {
			id := w.ended(ep, state)
			w.request(ep, id)
			w.tick(time.Second)
			d, err := w.store.CancelDelivery(w.ctx, ep.Tenant, id, bellwire.ReasonCanceledOnRequest, w.now)
			w.check(err)
			if d.Status != bellwire.DeliveryCanceled || d.Reason != bellwire.ReasonCanceledOnRequest || !d.DueAt.IsZero() ||
				!d.UpdatedAt.Equal(w.now) || d.Epoch != 0 {
				w.Errorf("the delivery is %+v", d)
			}
			w.equal("what is read", w.load(ep.Tenant, id), d)
		}
		w.nothingDue(ep.ID)
		w.equal("what is open", w.backlog().Open, 0)
	}},
	{name: "Cancel/RefusesWhatIsNotOpen", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		for _, end := range []bellwire.Transition{success, spent, {Status: bellwire.DeliveryCanceled}} {
			_, err := w.store.CancelDelivery(w.ctx, ep.Tenant, w.ended(ep, end), "", w.now)
			w.refused(err, bellwire.CodeConflict)
		}
		_, err := w.store.CancelDelivery(w.ctx, ep.Tenant, bellwire.DeliveryID{9}, "", w.now)
		w.refused(err, bellwire.CodeNotFound)
		_, err = w.store.CancelDelivery(w.ctx, w.tenant().ID, w.ended(ep, bellwire.Transition{}), "", w.now)
		w.refused(err, bellwire.CodeNotFound)
	}},
	{name: "Cancel/FencesWhatIsInFlight", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		w.publish(ep)
		d := w.take(ep)
		_, err := w.store.CancelDelivery(w.ctx, ep.Tenant, d.ID, "because", w.now)
		w.check(err)
		w.equal("a failure", w.record(w.result(d, retryIn(0)))[0], bellwire.Recorded{Status: bellwire.DeliveryCanceled})
		w.equal("a success", w.record(w.result(d, success))[0], bellwire.Recorded{Status: bellwire.DeliverySucceeded, Moved: true})
	}},
	{name: "CancelOpen/EndsInChunks", run: cancelOpen},
	{name: "CancelOpen/OfADeletedEndpoint", run: func(w *world) {
		t := w.tenant()
		ep := w.endpoint(t)
		id := w.publish(ep).Deliveries[0].ID
		test := w.event(t.ID, ep)
		test.Deliveries[0].Manual = true
		w.append(together(test))
		w.request(ep, w.ended(ep, spent))
		w.check(w.store.DeleteEndpoint(w.ctx, t.ID, ep.ID, w.now, bellwire.ChangeNote{}))
		w.equal("what is due", w.due(ep.ID), bellwire.DueEndpoint{Endpoint: ep.ID, At: w.now, Manual: true})
		n, err := w.store.CancelOpen(w.ctx, ep.ID, bellwire.ReasonEndpointDeleted, w.now, 10)
		w.check(err)
		w.equal("how many", n, 3) // two are open, and one has a manual retry requested
		w.nothingDue(ep.ID)
		w.equal("the reason", w.load(t.ID, id).Reason, bellwire.ReasonEndpointDeleted)
		n, err = w.store.CancelOpen(w.ctx, "nothing", "", w.now, 10)
		w.check(err)
		w.equal("how many of nothing", n, 0)
	}},
	{name: "ExhaustTooOld/EndsWhatIsTooOld", run: exhaustTooOld},
	{name: "Backlog/CountsWhatIsOpen", run: func(w *world) {
		w.equal("at first", w.backlog(), &bellwire.Backlog{})
		t := w.tenant()
		a, b := w.endpoint(t), w.endpoint(t, fifo)
		oldest := w.now
		w.publish(a, b)
		w.tick(time.Minute)
		w.publish(b)
		w.equal("later", w.backlog(), &bellwire.Backlog{Open: 3, Oldest: oldest})
		w.record(w.result(w.take(a), success))
		w.record(w.result(w.claim(b, 1).Due[0].Delivery, spent))
		w.equal("in the end", w.backlog(), &bellwire.Backlog{Open: 1, Oldest: w.now})
	}},
	{name: "Backlog/NothingIsDue", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		w.publish(ep)
		d := w.take(ep)
		w.now = time.Now()
		w.record(w.result(d, retryIn(time.Hour)))
		w.equal("the backlog", w.backlog(), &bellwire.Backlog{Open: 1})
	}},
	{name: "Backlog/IsKnownWhenReopened", need: reopens, run: func(w *world) {
		ep := w.endpoint(w.tenant())
		w.publish(ep)
		w.ended(ep, retryIn(0))
		w.ended(ep, success)
		w.reopen()
		w.equal("what is open", w.backlog().Open, 2)
	}},
}

// tooOld returns a request to end the deliveries that are older than now.
func (w *world) tooOld(ep *bellwire.Endpoint, limit int) bellwire.TooOld {
	return bellwire.TooOld{
		Endpoint: ep.ID, Epoch: w.leases.Epoch(ep.ID), Before: w.now, Reason: bellwire.ReasonTimeOver, Limit: limit,
	}
}

// exhaustTooOld has deliveries of all kinds that are too old, and for each kind something that is not to be ended.
func exhaustTooOld(w *world) {
	t := w.tenant()
	for _, ep := range []*bellwire.Endpoint{w.endpoint(t), w.endpoint(t, fifo)} {
		other := w.endpoint(t)
		for range 4 {
			w.publish(ep, other)
		}
		taken := w.claim(ep, 1).Due[0].Delivery // the oldest
		retrying := w.claim(ep, 1).Due[0].Delivery
		w.record(w.result(retrying, retryIn(time.Hour)))
		asked := w.publish(ep).Deliveries[0].ID
		w.request(ep, asked)
		test := w.event(t.ID, ep)
		test.Deliveries[0].Manual = true
		w.append(together(test))
		done := w.load(t.ID, w.ended(ep, success))
		w.tick(time.Second)
		young := w.publish(ep).Deliveries[0].ID

		x := w.tooOld(ep, 2)
		x.Epoch++
		n, err := w.store.ExhaustTooOld(w.ctx, w.now, x)
		w.check(err)
		w.equal("how many for another epoch", n, 0)
		for _, want := range []int{2, 2, 0} {
			n, err := w.store.ExhaustTooOld(w.ctx, w.now, w.tooOld(ep, 2))
			w.check(err)
			w.equal("how many", n, want)
		}
		w.equal("what is retrying", w.load(t.ID, retrying.ID), func() *bellwire.Delivery {
			d := retrying
			d.Status, d.Reason, d.Attempts, d.Retries, d.Epoch = bellwire.DeliveryExhausted, bellwire.ReasonTimeOver, 1, 1, 0
			d.DueAt, d.UpdatedAt = time.Time{}, w.now
			return &d
		}())
		for id, want := range map[bellwire.DeliveryID]bellwire.DeliveryStatus{
			taken.ID: bellwire.DeliveryPending, young: bellwire.DeliveryPending, done.ID: bellwire.DeliverySucceeded,
			asked: bellwire.DeliveryExhausted, test.Deliveries[0].ID: bellwire.DeliveryPending,
		} {
			w.equal("its status", w.load(t.ID, id).Status, want)
		}
		got := w.claim(ep, 10)
		w.equal("what is still claimed", idsOf(got.Due), []bellwire.DeliveryID{young})
		manual := idsOf(got.Manual)
		slices.SortFunc(manual, func(a, b bellwire.DeliveryID) int { return bytes.Compare(a[:], b[:]) })
		w.equal("what is still claimed by hand", manual, []bellwire.DeliveryID{asked, test.Deliveries[0].ID})
		w.equal("others' deliveries", len(w.claim(other, 10).Due), 4)
	}
}

func cancelOpen(w *world) {
	t := w.tenant()
	ep, other := w.endpoint(t), w.endpoint(t)
	for range 3 {
		w.publish(ep, other)
	}
	w.claim(ep, 1) // one is taken
	w.ended(ep, retryIn(time.Hour))
	test := w.event(t.ID, ep)
	test.Deliveries[0].Manual = true
	w.append(together(test))
	kept := w.ended(ep, success)

	_, err := w.store.CancelOpen(w.ctx, ep.ID, bellwire.ReasonEndpointDisabled, w.now, 2)
	w.refused(err, bellwire.CodeStale) // it is enabled
	w.disable(ep)
	cancel := func(reason string, counts ...int) {
		for _, want := range counts {
			n, err := w.store.CancelOpen(w.ctx, ep.ID, reason, w.now, 2)
			w.check(err)
			w.equal("how many", n, want)
		}
	}
	cancel(bellwire.ReasonEndpointDisabled, 2, 2, 0)
	list, err := w.store.Deliveries(w.ctx, bellwire.DeliveryFilter{Tenant: t.ID, Endpoint: ep.ID}, bellwire.Page{Limit: 100})
	w.check(err)
	for _, d := range list.Items {
		switch d.ID {
		case kept:
			w.equal("what had succeeded", d.Status, bellwire.DeliverySucceeded)
		case test.Deliveries[0].ID:
			w.equal("the test", d.Status, bellwire.DeliveryPending)
		default:
			w.equal("status and reason", []string{string(d.Status), d.Reason}, []string{"canceled", bellwire.ReasonEndpointDisabled})
		}
	}
	w.equal("what is open beside the test, all of the other endpoint", w.backlog().Open, 3+1)
	w.check(w.store.DeleteEndpoint(w.ctx, t.ID, ep.ID, w.now, bellwire.ChangeNote{}))
	cancel(bellwire.ReasonEndpointDeleted, 1, 0)
	w.equal("what is open", w.backlog().Open, 3)
	w.nothingDue(ep.ID)
}
