package storetest

import (
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var eraseTests = []test{
	{name: "Erase/LeavesTheRecord", run: eraseLeavesRecord},
	{name: "Erase/LeavesNothingToSend", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		e := w.publish(ep)
		w.record(w.result(w.take(ep), spent))
		w.erase(e)
		id := e.Deliveries[0].ID
		_, err := w.store.RequestRetry(w.ctx, ep.Tenant, id)
		w.refused(err, bellwire.CodeConflict)
		_, err = w.store.RestartDelivery(w.ctx, ep.Tenant, id, w.now)
		w.refused(err, bellwire.CodeConflict)
		w.nothingDue(ep.ID)
	}},
	{name: "Erase/IsSkippedByJobs", run: eraseAndJobs},
	{name: "Erase/ReachesWhatIsInFlight", run: eraseInFlight},
	{name: "Erase/WaitsForFanOut", run: func(w *world) {
		t := w.tenant()
		e := w.wide(t.ID, w.many(t, 3)...)
		w.append(together(e))
		_, err := w.store.EraseEvent(w.ctx, t.ID, e.Event.ID, w.erasure())
		w.refused(err, bellwire.CodeConflict)
		w.fanAllOut(10)
		w.equal("the endpoints", len(w.erase(e).Endpoints), 3)
		w.equal("what is open", w.backlog().Open, 0)
	}},
	{name: "Erase/IsOfOneTenant", run: func(w *world) {
		t, other := w.tenant(), w.tenant()
		e := w.publish(w.endpoint(t))
		for tenant, id := range map[string]bellwire.EventID{other.ID: e.Event.ID, t.ID: {1}, "nobody": e.Event.ID} {
			_, err := w.store.EraseEvent(w.ctx, tenant, id, w.erasure())
			w.refused(err, bellwire.CodeNotFound)
		}
		read, err := w.store.Event(w.ctx, t.ID, e.Event.ID)
		w.check(err)
		w.equal("the data", string(read.Data), string(e.Event.Data))
	}},
	{name: "Erase/IsWholeAfterACrash", need: crashes, run: func(w *world) {
		ep := w.endpoint(w.tenant())
		e := w.publish(ep)
		w.erase(e)
		survivor := w.survivor()
		read, err := survivor.store.Event(w.ctx, ep.Tenant, e.Event.ID)
		survivor.check(err)
		survivor.equal("the data", len(read.Data), 0)
		survivor.equal("the delivery", survivor.load(ep.Tenant, e.Deliveries[0].ID).Reason, bellwire.ReasonEventErased)
		survivor.check(survivor.store.Close())
	}},
}

func (w *world) erasure() bellwire.Erasure {
	return bellwire.Erasure{At: w.now, By: bellwire.Actor{Kind: bellwire.ActorConfigured, Role: bellwire.RoleAdmin, Origin: bellwire.Origin{RequestID: "r1"}}}
}

// erase erases the data of an event.
func (w *world) erase(e *bellwire.NewEvent) *bellwire.Erased {
	w.Helper()
	erased, err := w.store.EraseEvent(w.ctx, e.Event.Tenant, e.Event.ID, w.erasure())
	w.check(err)
	return erased
}

// withDetails is a result whose attempt has all that attempts can have.
func (w *world) withDetails(r *bellwire.Result) *bellwire.Result {
	r.Attempt = w.fullAttempt(r.Delivery)
	return r
}

// withoutDetails checks that the attempts of a delivery tell nothing of its event.
func (w *world) withoutDetails(id bellwire.DeliveryID, count int) {
	w.Helper()
	attempts := w.attempts(id)
	w.equal("how many attempts", len(attempts), count)
	for _, a := range attempts {
		w.equal("it is dropped", a.Dropped, true)
		w.equal("the headers of the request", len(a.Request.Headers), 0)
		if a.Response != nil {
			w.equal("the body of the response", len(a.Response.Body)+len(a.Response.Headers), 0)
		}
	}
}

// An event that was erased has no data, and says when and by whom it was erased. What was open is canceled, and what has ended stays
// as it is.
func eraseLeavesRecord(w *world) {
	t := w.tenant()
	retried, acknowledged, asked := w.endpoint(t), w.endpoint(t), w.endpoint(t)
	e := w.keyed(w.event(t.ID, retried, acknowledged, asked), "k", 1)
	w.append(together(e))
	w.record(w.withDetails(w.result(w.take(retried), retryIn(time.Hour))), w.withDetails(w.result(w.take(acknowledged), success)),
		w.withDetails(w.result(w.take(asked), spent)))
	w.request(asked, e.Deliveries[2].ID)
	w.tick(time.Minute)
	by := w.erasure()
	erased := w.erase(e)
	endpoints := []string{retried.ID, asked.ID}
	slices.Sort(endpoints)
	slices.Sort(erased.Endpoints)
	w.equal("the endpoints", erased.Endpoints, endpoints)
	w.equal("what was canceled", erased.Canceled, []string{retried.ID})

	read, err := w.store.Event(w.ctx, t.ID, e.Event.ID)
	w.check(err)
	want := e.Event
	want.Data, want.Deliveries, want.CreatedAt, want.Erased = nil, 3, read.CreatedAt, &by
	if len(read.Data) == 0 {
		read.Data = nil
	}
	w.equal("the event", *read, want)
	w.equal("the answer", erased.Event.Erased, &by)
	for i, status := range []bellwire.DeliveryStatus{bellwire.DeliveryCanceled, bellwire.DeliverySucceeded, bellwire.DeliveryExhausted} {
		d := w.load(t.ID, e.Deliveries[i].ID)
		w.equal("the status", d.Status, status)
		w.equal("whether the reason says so", d.Reason == bellwire.ReasonEventErased, status == bellwire.DeliveryCanceled)
		w.withoutDetails(d.ID, 1)
	}
	w.equal("by hand", idsOf(w.claim(asked, 10).Manual), nothing)
	w.equal("what is open", w.backlog().Open, 0)

	w.tick(time.Minute)
	again := w.erase(e)
	w.equal("the second time", again.Before, true)
	w.equal("who was first", again.Event.Erased, &by)
	repeated := w.keyed(w.event(t.ID, retried), "k", 2)
	w.equal("what is published with its key", w.append(together(repeated))[0].Duplicate, true)
	list, err := w.store.Events(w.ctx, bellwire.EventFilter{Tenant: t.ID}, bellwire.Page{Limit: 10})
	w.check(err)
	w.equal("in the list", list.Items[0].Erased, &by)
}

// Jobs pass over events whose data was erased, also if that was after they were selected.
func eraseAndJobs(w *world) {
	for _, kind := range []bellwire.JobKind{bellwire.JobRetry, bellwire.JobReplay} {
		ep := w.endpoint(w.tenant())
		gone, kept, late := w.publish(ep), w.publish(ep), w.publish(ep)
		for _, e := range []*bellwire.NewEvent{gone, kept, late} {
			w.end(ep, e, spent)
		}
		w.erase(gone)
		j := w.job(ep.Tenant, kind, w.failed(ep))
		found := w.selected(j, ep, 10)
		w.erase(late)
		p := w.advance(&bellwire.JobStep{
			Job: j, Endpoint: ep.ID, Items: found.Items, Cursor: bellwire.JobCursor{Endpoint: ep.ID, Event: found.Last}, Ended: true, Now: w.now,
		})
		w.equal("done", p.Job.Done, 1)
		w.equal("skipped", p.Job.Skipped, len(found.Items)-1)
		w.equal("what is claimed", w.claimed(ep), []bellwire.EventID{kept.Event.ID})
	}
}

// Attempts that were in flight when their event was erased are recorded without details, whatever came of them.
func eraseInFlight(w *world) {
	for _, c := range []struct {
		name string
		with bellwire.Transition
	}{{"acknowledged", success}, {"failed", retryIn(time.Minute)}} {
		ep := w.endpoint(w.tenant())
		e := w.publish(ep)
		d := w.take(ep)
		w.erase(e)
		w.record(w.withDetails(w.result(d, c.with)))
		w.withoutDetails(d.ID, 1)
		w.nothingDue(ep.ID)
	}
	ep := w.endpoint(w.tenant())
	e := w.publish(ep)
	w.record(w.withDetails(w.result(w.take(ep), success)))
	w.request(ep, e.Deliveries[0].ID)
	manual := w.claim(ep, 10).Manual[0].Delivery
	w.erase(e)
	w.record(w.withDetails(w.manualResult(manual, bellwire.TriggerManual, success)))
	w.withoutDetails(manual.ID, 2)
}
