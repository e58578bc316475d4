package storetest

import (
	"bytes"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var appendTests = []test{
	{name: "Append/KeepsEventsAndDeliveries", run: appendKeeps},
	{name: "Append/ChecksRevisions", run: appendRevisions},
	{name: "Append/KeepsTraces", run: appendTraces},
	{name: "Append/WantsATenant", run: func(w *world) {
		results, err := w.store.AppendEvents(w.ctx, []*bellwire.Append{together(w.event("nobody"))})
		w.check(err)
		w.refused(results[0].Err, bellwire.CodeNotFound)
	}},
	{name: "Append/AnswersTheSamePublishAgain", run: func(w *world) {
		t := w.tenant()
		a, b := w.endpoint(t), w.endpoint(t)
		first := w.keyed(w.event(t.ID, a, b), "k", 1)
		w.append(together(first))
		again := w.keyed(w.event(t.ID, a), "k", 1)
		w.equal("the answer", w.append(together(again)), []bellwire.AppendedEvent{
			{ID: first.Event.ID, Duplicate: true, Deliveries: 2},
		})
		_, err := w.store.Event(w.ctx, t.ID, again.Event.ID)
		w.refused(err, bellwire.CodeNotFound)
		w.equal("what is open", w.backlog().Open, 2)

		other := w.tenant()
		foreign := w.keyed(w.event(other.ID), "k", 2)
		w.equal("another tenant's", w.append(together(foreign))[0].ID, foreign.Event.ID)
	}},
	{name: "Append/RemembersTheDigests", run: func(w *world) {
		t, other := w.tenant(), w.tenant()
		w.append(together(w.keyed(w.event(t.ID), "k", 7)))
		w.append(together(w.keyed(w.event(t.ID), "m", 8)))
		for tenant, want := range map[string]map[string][32]byte{
			t.ID: {"k": {7}, "m": {8}}, other.ID: {}, "nobody": {},
		} {
			digests, err := w.store.Digests(w.ctx, tenant, []string{"l", "k", "m", "k"})
			w.check(err)
			w.equal("the digests of "+tenant, digests, want)
		}
	}},
	{name: "Append/RefusesAnotherPublishOfTheSameID", run: func(w *world) {
		t := w.tenant()
		w.append(together(w.keyed(w.event(t.ID), "k", 1)))
		results, err := w.store.AppendEvents(w.ctx, []*bellwire.Append{together(w.keyed(w.event(t.ID), "k", 2))})
		w.check(err)
		w.refused(results[0].Err, bellwire.CodeConflict)
		w.equal("the events of a refused append", results[0].Events, []bellwire.AppendedEvent(nil))
	}},
	{name: "Append/TakesDeliveriesToWhatWasDeletedSince", run: func(w *world) {
		t, other := w.tenant(), w.tenant()
		kept, gone, foreign := w.endpoint(t), w.endpoint(t, fifo), w.endpoint(other)
		w.publish(gone) // so that the store has met it
		w.check(w.store.DeleteEndpoint(w.ctx, t.ID, gone.ID, w.now, bellwire.ChangeNote{}))
		w.check(w.store.DeleteEndpoint(w.ctx, other.ID, foreign.ID, w.now, bellwire.ChangeNote{}))
		e := w.event(t.ID, kept, gone)
		e.Deliveries[1].Ordered = true
		w.equal("the numbers", w.append(together(e))[0].Sequences, []int64{0, 2})
		if next := w.due(gone.ID); next.At.IsZero() {
			w.Error("nobody learns of the delivery to the deleted endpoint")
		}
		list, err := w.store.Deliveries(w.ctx, bellwire.DeliveryFilter{Tenant: t.ID}, bellwire.Page{Limit: 10})
		w.check(err)
		w.equal("the deliveries in the list", len(list.Items), 3)
		n, err := w.store.CancelOpen(w.ctx, gone.ID, bellwire.ReasonEndpointDeleted, w.now, 10)
		w.check(err)
		w.equal("what was canceled", n, 2)
		results, err := w.store.AppendEvents(w.ctx, []*bellwire.Append{together(w.event(t.ID, foreign))})
		w.check(err)
		w.refused(results[0].Err, bellwire.CodeNotFound)
	}},
	{name: "Append/IsAllOrNothing", run: func(w *world) {
		t := w.tenant()
		ep := w.endpoint(t, fifo)
		w.append(together(w.keyed(w.event(t.ID), "taken", 1)))
		first, second := w.keyed(w.event(t.ID, ep), "new", 1), w.keyed(w.event(t.ID, ep), "taken", 2)
		results, err := w.store.AppendEvents(w.ctx, []*bellwire.Append{together(first, second)})
		w.check(err)
		w.refused(results[0].Err, bellwire.CodeConflict)
		_, err = w.store.Event(w.ctx, t.ID, first.Event.ID)
		w.refused(err, bellwire.CodeNotFound)
		w.equal("what is open", w.backlog().Open, 0)
		again := w.append(together(w.keyed(w.event(t.ID, ep), "new", 3)))
		w.equal("the publisher's id is free, and so is the number", again[0].Sequences, []int64{1})
	}},
	{name: "Append/RefusedOneLeavesTheOthers", run: refusedOne},
	{name: "Append/KnowsIDsWithinAnAppend", run: func(w *world) {
		t := w.tenant()
		ep := w.endpoint(t)
		first, same := w.keyed(w.event(t.ID, ep), "k", 1), w.keyed(w.event(t.ID, ep), "k", 1)
		other := w.keyed(w.event(t.ID, ep), "other", 1)
		got := w.append(together(first, same, other))
		w.equal("the answers", got, []bellwire.AppendedEvent{
			{ID: first.Event.ID, CreatedAt: w.now, Deliveries: 1, Sequences: []int64{0}},
			{ID: first.Event.ID, Duplicate: true, Deliveries: 1},
			{ID: other.Event.ID, CreatedAt: w.now.Add(time.Microsecond), Deliveries: 1, Sequences: []int64{0}},
		})
		results, err := w.store.AppendEvents(w.ctx, []*bellwire.Append{
			together(w.keyed(w.event(t.ID), "x", 1), w.keyed(w.event(t.ID), "x", 2)),
			together(w.keyed(w.event(t.ID), "y", 1)), together(w.keyed(w.event(t.ID), "y", 1)),
		})
		w.check(err)
		w.refused(results[0].Err, bellwire.CodeConflict)
		w.equal("a duplicate in the same group", []bool{results[1].Events[0].Duplicate, results[2].Events[0].Duplicate}, []bool{false, true})
	}},
	{name: "Append/CanBeRepeated", run: appendRepeated},
	{name: "Append/CanBeRepeatedWithinAGroup", run: func(w *world) {
		t := w.tenant()
		e := w.event(t.ID, w.endpoint(t, fifo), w.endpoint(t))
		answer := bellwire.AppendedEvent{ID: e.Event.ID, CreatedAt: w.now, Deliveries: 2, Sequences: []int64{1, 0}}
		w.equal("the answers", w.append(together(e), together(e)), []bellwire.AppendedEvent{answer, answer})
		w.equal("what is open", w.backlog().Open, 2)
	}},
	{name: "Append/NumbersOrderedDeliveries", run: func(w *world) {
		t := w.tenant()
		ordered, plain := w.endpoint(t, fifo), w.endpoint(t)
		w.equal("the next number", w.claim(ordered, 0).NextSequence, int64(1))
		for n := range int64(3) {
			e := w.event(t.ID, ordered, plain)
			got := w.append(together(e))
			w.equal("the numbers", got[0].Sequences, []int64{n + 1, 0})
			w.equal("the delivery's number", w.load(t.ID, e.Deliveries[0].ID).Sequence, n+1)
		}
		w.equal("the next number", w.claim(ordered, 0).NextSequence, int64(4))
	}},
	{name: "Append/TakesIntoMemoryAtOnce", run: func(w *world) {
		t := w.tenant()
		ep := w.endpoint(t)
		e := w.event(t.ID, ep)
		e.Deliveries[0].Epoch = w.leases.Epoch(ep.ID)
		w.append(together(e))
		w.equal("its epoch", w.load(t.ID, e.Deliveries[0].ID).Epoch, w.leases.Epoch(ep.ID))
		w.nothingDue(ep.ID)
		if r := w.claim(ep, 10); len(r.Due) != 0 || !r.Next.IsZero() {
			w.Errorf("what is in memory was claimed: %+v", r)
		}
	}},
}

// keyed gives an event a publisher's id, and a digest.
func (w *world) keyed(e *bellwire.NewEvent, key string, digest byte) *bellwire.NewEvent {
	e.Event.IdempotencyKey, e.Digest = key, [32]byte{digest}
	return e
}

func appendKeeps(w *world) {
	t := w.tenant()
	a, b := w.endpoint(t), w.endpoint(t)
	e := w.keyed(w.event(t.ID, a, b), "k", 1)
	e.Event.OccurredAt = w.now.Add(-time.Hour)
	e.Event.Data = bytes.Repeat([]byte{'"', 0xff, 0, ' '}, 10<<10)
	e.Event.Test = true
	w.equal("the answer", w.append(together(e)), []bellwire.AppendedEvent{
		{ID: e.Event.ID, CreatedAt: w.now, Deliveries: 2, Sequences: []int64{0, 0}},
	})
	read, err := w.store.Event(w.ctx, t.ID, e.Event.ID)
	w.check(err)
	want := e.Event
	want.Deliveries = 2
	w.equal("the event", read, &want)
	for i, ep := range []*bellwire.Endpoint{a, b} {
		w.equal("the delivery", w.load(t.ID, e.Deliveries[i].ID), &bellwire.Delivery{
			ID: e.Deliveries[i].ID, Event: e.Event.ID, EventType: "order.paid", Tenant: t.ID, Endpoint: ep.ID,
			Status: bellwire.DeliveryPending, DueAt: w.now, CreatedAt: w.now, UpdatedAt: w.now, Test: true,
		})
	}
	other := w.tenant()
	_, err = w.store.Event(w.ctx, other.ID, e.Event.ID)
	w.refused(err, bellwire.CodeNotFound)
	_, err = w.store.Delivery(w.ctx, other.ID, e.Deliveries[0].ID)
	w.refused(err, bellwire.CodeNotFound)

	lone := w.event(t.ID)
	lone.Event.Data = []byte("null")
	w.equal("an event that nobody wants", w.append(together(lone))[0].Deliveries, 0)
	read, err = w.store.Event(w.ctx, t.ID, lone.Event.ID)
	w.check(err)
	w.equal("that event", read, &lone.Event)
}

// appendTraces stores events of a trace and others together. Who claims an event can continue its trace.
func appendTraces(w *world) {
	ep := w.endpoint(w.tenant())
	traces := map[bellwire.EventID]*bellwire.Trace{}
	var events []*bellwire.NewEvent
	for _, t := range []*bellwire.Trace{nil, bellwire.NewTrace(), nil, {ID: [16]byte{1}, Span: [8]byte{2}}} {
		e := w.event(ep.Tenant, ep)
		e.Event.Trace, traces[e.Event.ID] = t, t
		events = append(events, e)
	}
	w.append(together(events...))
	w.publish(ep)
	for _, c := range w.claim(ep, 10).Due {
		w.equal("the trace of a claimed event", c.Event.Trace, traces[c.Event.ID])
	}
	for id, t := range traces {
		e, err := w.store.Event(w.ctx, ep.Tenant, id)
		w.check(err)
		w.equal("the trace of an event", e.Trace, t)
	}
}

func appendRevisions(w *world) {
	t := w.tenant()
	operator := w.catalogue(0).Revision
	for _, c := range []struct {
		tenant, operator int64
		stale            bellwire.Stale
	}{
		{t.Revision, operator, bellwire.Stale{}},
		{0, 0, bellwire.Stale{}},
		{t.Revision + 1, operator, bellwire.Stale{Tenant: true}},
		{t.Revision - 1, 0, bellwire.Stale{Tenant: true}},
		{t.Revision, operator + 1, bellwire.Stale{Catalogue: true}},
		{0, operator + 1, bellwire.Stale{Catalogue: true}},
		{t.Revision + 1, operator + 1, bellwire.Stale{Tenant: true, Catalogue: true}},
	} {
		e := w.event(t.ID)
		results, err := w.store.AppendEvents(w.ctx, []*bellwire.Append{{
			Events: []*bellwire.NewEvent{e}, TenantRevision: c.tenant, OperatorRevision: c.operator,
		}})
		w.check(err)
		isStale := c.stale != bellwire.Stale{}
		if results[0].Stale != c.stale || (bellwire.CodeOf(results[0].Err) == bellwire.CodeStale) != isStale {
			w.Errorf("at the revisions %d and %d: got %+v and %v, want %+v", c.tenant, c.operator, results[0].Stale, results[0].Err, c.stale)
		}
		_, err = w.store.Event(w.ctx, t.ID, e.Event.ID)
		if stored := err == nil; stored == isStale {
			w.Errorf("at the revisions %d and %d: stored is %v", c.tenant, c.operator, stored)
		}
	}
	w.endpoint(t)
	results, err := w.store.AppendEvents(w.ctx, []*bellwire.Append{{
		Events: []*bellwire.NewEvent{w.event(t.ID)}, TenantRevision: t.Revision, OperatorRevision: operator,
	}})
	w.check(err)
	w.refused(results[0].Err, bellwire.CodeStale)
	w.equal("what is stale", results[0].Stale, bellwire.Stale{Tenant: true})
	_, err = w.store.PutEventType(w.ctx, &bellwire.EventType{Name: "order.refunded", CreatedAt: w.now, UpdatedAt: w.now})
	w.check(err)
	results, err = w.store.AppendEvents(w.ctx, []*bellwire.Append{{
		Events: []*bellwire.NewEvent{w.event(t.ID)}, TenantRevision: t.Revision, OperatorRevision: operator,
	}})
	w.check(err)
	w.refused(results[0].Err, bellwire.CodeStale)
	w.equal("what is stale after both have changed", results[0].Stale, bellwire.Stale{Tenant: true, Catalogue: true})
}

// refusedOne stores a group in which several appends are refused, each for another reason.
func refusedOne(w *world) {
	t := w.tenant()
	ep := w.endpoint(t, fifo)
	w.append(together(w.keyed(w.event(t.ID), "taken", 1)))
	good := []*bellwire.NewEvent{w.event(t.ID, ep), w.event(t.ID, ep)}
	results, err := w.store.AppendEvents(w.ctx, []*bellwire.Append{
		together(w.keyed(w.event(t.ID, ep), "taken", 2)),
		together(good[0]),
		{Events: []*bellwire.NewEvent{w.event(t.ID, ep)}, TenantRevision: t.Revision},
		together(w.event("nobody")),
		together(good[1]),
	})
	w.check(err)
	for i, code := range []bellwire.Code{bellwire.CodeConflict, "", bellwire.CodeStale, bellwire.CodeNotFound, ""} {
		if bellwire.CodeOf(results[i].Err) != code {
			w.Errorf("append %d: got %v, want the code %q", i, results[i].Err, code)
		}
	}
	w.equal("the first one's number", results[1].Events[0].Sequences, []int64{1})
	w.equal("the second one's number", results[4].Events[0].Sequences, []int64{2})
	w.equal("what is open", w.backlog().Open, 2)
}

// appendRepeated repeats appends as a caller does that could not learn what became of them.
func appendRepeated(w *world) {
	t := w.tenant()
	ep := w.endpoint(t, fifo)
	w.publish(ep)
	first := w.keyed(w.event(t.ID), "k", 1)
	w.append(together(first))
	t, err := w.store.Tenant(w.ctx, t.ID)
	w.check(err)
	repeated := &bellwire.Append{TenantRevision: t.Revision, Events: []*bellwire.NewEvent{
		w.event(t.ID, ep), w.keyed(w.event(t.ID, ep), "own", 1), w.keyed(w.event(t.ID, ep), "k", 1),
	}}
	want := []bellwire.AppendedEvent{
		{ID: repeated.Events[0].Event.ID, CreatedAt: w.now.Add(2 * time.Microsecond), Deliveries: 1, Sequences: []int64{2}},
		{ID: repeated.Events[1].Event.ID, CreatedAt: w.now.Add(3 * time.Microsecond), Deliveries: 1, Sequences: []int64{3}},
		{ID: first.Event.ID, Duplicate: true},
	}
	w.equal("the first time", w.append(repeated), want)
	w.equal("again", w.append(repeated), want)
	w.endpoint(t) // so that the revision is another
	w.equal("after a change of configuration", w.append(repeated), want)
	w.equal("what is open", w.backlog().Open, 3)
	list, err := w.store.Events(w.ctx, bellwire.EventFilter{Tenant: t.ID}, bellwire.Page{Limit: 10})
	w.check(err)
	w.equal("the number of events", len(list.Items), 4)
}
