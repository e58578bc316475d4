package storetest

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

var orderingTests = []test{
	{name: "OrderingKey/IsKept", run: func(w *world) {
		ep := w.endpoint(w.tenant(), byKey)
		e := w.withKey("a", ep)
		w.append(together(e))
		stored, err := w.store.Event(w.ctx, ep.Tenant, e.Event.ID)
		w.check(err)
		w.equal("of the event", stored.OrderingKey, "a")
		w.equal("of the delivery", w.load(ep.Tenant, e.Deliveries[0].ID).Key, bellwire.HashOrderingKey("a"))
		claimed := w.claim(ep, 1).Due[0]
		w.equal("of what is claimed", []any{claimed.Event.OrderingKey, claimed.Delivery.Key}, []any{"a", bellwire.HashOrderingKey("a")})
	}},
	{name: "OrderingKey/OnlyTheFirstOfEachIsClaimed", run: func(w *world) {
		ep := w.endpoint(w.tenant(), byKey)
		a1, a2, b1, none, a3, b2 := w.key("a", ep), w.key("a", ep), w.key("b", ep), w.key("", ep), w.key("a", ep), w.key("b", ep)
		w.equal("what is claimed", idsOf(w.claim(ep, 10).Due), []bellwire.DeliveryID{a1, b1, none})
		w.behind(ep, map[bellwire.DeliveryID]bellwire.DeliveryID{a2: a1, a3: a1, b2: b1})
		w.nothingDue(ep.ID)
		recorded := w.record(w.result(*w.load(ep.Tenant, a1), success), w.result(*w.load(ep.Tenant, none), success))
		w.equal("what is free then", []bool{recorded[0].Next, recorded[1].Next}, []bool{true, false})
		w.equal("what is claimed then", idsOf(w.claim(ep, 10).Due), []bellwire.DeliveryID{a2})
		w.behind(ep, map[bellwire.DeliveryID]bellwire.DeliveryID{a3: a2, b2: b1})
	}},
	{name: "OrderingKey/ARetryHoldsUpItsKeyAlone", run: func(w *world) {
		ep := w.endpoint(w.tenant(), byKey)
		a1, a2, b1, b2 := w.key("a", ep), w.key("a", ep), w.key("b", ep), w.key("b", ep)
		claimed := w.claim(ep, 10).Due
		w.equal("what is claimed", idsOf(claimed), []bellwire.DeliveryID{a1, b1})
		recorded := w.record(w.result(claimed[0].Delivery, retryIn(time.Minute)), w.result(claimed[1].Delivery, success))
		w.equal("what is free then", []bool{recorded[0].Next, recorded[1].Next}, []bool{false, true})
		got := w.claim(ep, 10)
		w.equal("what is claimed meanwhile", idsOf(got.Due), []bellwire.DeliveryID{b2})
		w.equal("when the next is due", got.Next, w.now.Add(time.Minute))
		w.behind(ep, map[bellwire.DeliveryID]bellwire.DeliveryID{a2: a1})
		w.tick(time.Minute)
		w.equal("what is claimed when it is due", idsOf(w.claim(ep, 10).Due), []bellwire.DeliveryID{a1})
	}},
	{name: "OrderingKey/WhateverEndsTheFirstFreesTheNext", run: freeNextTest},
	{name: "OrderingKey/AppendTellsWhatIsBehind", run: func(w *world) {
		t := w.tenant()
		ep, plain := w.endpoint(t, byKey), w.endpoint(t)
		claimed := func(e *bellwire.NewEvent) *bellwire.Append {
			for i := range e.Deliveries {
				e.Deliveries[i].Epoch = w.leases.Epoch(e.Deliveries[i].Endpoint)
			}
			return together(e)
		}
		first, second := claimed(w.withKey("a", plain, ep)), claimed(w.withKey("a", plain, ep))
		both := w.append(first, second)
		w.equal("behind", [][]bool{both[0].Behind, both[1].Behind}, [][]bool{nil, {false, true}})
		w.equal("numbers", both[1].Sequences, []int64{0, 0})
		w.equal("behind, of repeated appends", w.append(first)[0].Behind, []bool(nil))
		w.equal("behind, of repeated appends", w.append(second)[0].Behind, []bool{false, true})
		w.tick(time.Second)
		w.record(w.result(*w.load(t.ID, first.Events[0].Deliveries[1].ID), success))
		w.equal("behind, once it is free", w.append(second)[0].Behind, []bool{false, true})
		w.equal("what is claimed", idsOf(w.claim(ep, 10).Due), []bellwire.DeliveryID{second.Events[0].Deliveries[1].ID})
		w.equal("behind, once another has claimed it", w.append(second)[0].Behind, []bool{false, true})
		w.equal("nothing is left at the other endpoint", len(w.claim(plain, 10).Due), 0)
	}},
	{name: "OrderingKey/MeansNothingElsewhere", run: func(w *world) {
		t := w.tenant()
		plain, ordered := w.endpoint(t), w.endpoint(t, fifo)
		e, again := w.withKey("a", plain, ordered), w.withKey("a", plain, ordered)
		w.append(together(e), together(again))
		w.equal("what the endpoint without order gets", len(w.claim(plain, 10).Due), 2)
		w.equal("what the FIFO endpoint gets", idsOf(w.claim(ordered, 10).Due), []bellwire.DeliveryID{e.Deliveries[1].ID, again.Deliveries[1].ID})
		w.equal("the key of a delivery", w.load(t.ID, e.Deliveries[0].ID).Key, int64(0))
	}},
	{name: "OrderingKey/DelayedEventsAreOutsideTheOrder", run: func(w *world) {
		t := w.tenant()
		ep := w.endpoint(t, byKey)
		first := w.key("a", ep)
		e := w.withKey("a", ep)
		e.Event.DeliverAt = w.now.Add(time.Minute)
		e.Deliveries[0].Ordered, e.Deliveries[0].Keyed = false, false
		w.append(together(e))
		w.tick(time.Minute)
		w.equal("what is claimed", idsOf(w.claim(ep, 10).Due), []bellwire.DeliveryID{first, e.Deliveries[0].ID})
	}},
	{name: "OrderingKey/WhatEndsBehindAnotherFreesNothing", run: func(w *world) {
		ep := w.endpoint(w.tenant(), byKey)
		a1, a2, a3 := w.key("a", ep), w.key("a", ep), w.key("a", ep)
		w.request(ep, a2)
		m := w.claim(ep, 10)
		w.equal("what is claimed", [][]bellwire.DeliveryID{idsOf(m.Due), idsOf(m.Manual)}, [][]bellwire.DeliveryID{{a1}, {a2}})
		r := w.result(m.Manual[0].Delivery, success)
		r.Trigger, r.Epoch = bellwire.TriggerManual, w.leases.Epoch(ep.ID)
		w.equal("what is free then", w.record(r)[0], bellwire.Recorded{Status: bellwire.DeliverySucceeded, Moved: true})
		w.behind(ep, map[bellwire.DeliveryID]bellwire.DeliveryID{a3: a1})
		w.nothingDue(ep.ID)
	}},
	{name: "Ordering/ARestartedFirstStaysTheFirst", run: func(w *world) {
		ep := w.endpoint(w.tenant(), fifo)
		first := w.publish(ep).Deliveries[0].ID
		w.publish(ep)
		restarts := []func(){
			func() {
				_, err := w.store.RestartDelivery(w.ctx, ep.Tenant, first, w.now)
				w.check(err)
			},
			func() {
				retrying := w.failed(ep)
				retrying.Statuses = []bellwire.DeliveryStatus{bellwire.DeliveryRetrying}
				w.equal("what is restarted", w.run(w.job(ep.Tenant, bellwire.JobRetry, retrying), 10, ep).Done, 1)
			},
		}
		for _, restart := range restarts {
			d := w.claim(ep, 10).Due[0].Delivery
			w.equal("what is next", d.ID, first)
			w.record(w.result(d, retryIn(time.Hour)))
			restart()
			w.equal("its number", w.load(ep.Tenant, first).Sequence, d.Sequence)
		}
		w.equal("what is next", w.claim(ep, 10).Due[0].Delivery.ID, first)
	}},
	{name: "OrderingKey/ARestartedDeliveryGoesToTheEnd", run: func(w *world) {
		ep := w.endpoint(w.tenant(), byKey)
		a1, a2 := w.key("a", ep), w.key("a", ep)
		w.record(w.result(w.claim(ep, 10).Due[0].Delivery, spent))
		d, err := w.store.RestartDelivery(w.ctx, ep.Tenant, a1, w.now)
		w.check(err)
		w.equal("it is behind", []any{d.Status, d.Behind}, []any{bellwire.DeliveryPending, true})
		a3 := w.key("a", ep)
		for _, want := range []bellwire.DeliveryID{a2, a1, a3} {
			got := w.claim(ep, 10).Due
			w.equal("what is next", idsOf(got), []bellwire.DeliveryID{want})
			w.record(w.result(got[0].Delivery, success))
		}
	}},
	{name: "OrderingKey/ARestartedFirstStaysTheFirst", run: func(w *world) {
		ep := w.endpoint(w.tenant(), byKey)
		a1, a2 := w.key("a", ep), w.key("a", ep)
		w.record(w.result(w.claim(ep, 10).Due[0].Delivery, retryIn(time.Hour)))
		_, err := w.store.RestartDelivery(w.ctx, ep.Tenant, a1, w.now)
		w.check(err)
		w.behind(ep, map[bellwire.DeliveryID]bellwire.DeliveryID{a2: a1})
		w.equal("what is next", idsOf(w.claim(ep, 10).Due), []bellwire.DeliveryID{a1})
	}},
	{name: "OrderingKey/OfReplaysAndRetries", run: func(w *world) {
		t := w.tenant()
		ep := w.endpoint(t, byKey)
		var ids []bellwire.DeliveryID
		for range 3 {
			ids = append(ids, w.key("a", ep))
			w.tick(time.Millisecond)
		}
		for range 3 {
			w.record(w.result(w.take(ep), spent))
		}
		w.equal("what is restarted", w.run(w.job(t.ID, bellwire.JobRetry, w.failed(ep)), 10, ep).Done, 3)
		for _, id := range ids {
			d := w.take(ep)
			w.equal("what is next", d.ID, id)
			w.record(w.result(d, spent))
		}
		w.equal("what is replayed", w.run(w.job(t.ID, bellwire.JobReplay, allOf(ep)), 10, ep).Done, 3)
		waiting, err := w.store.CountWaiting(w.ctx, ep.ID, 10)
		w.check(err)
		w.equal("what waits", waiting, 3)
		for _, id := range ids {
			d := w.take(ep)
			w.equal("the event of what is next", bellwire.DeliveryOf(d.Event, bellwire.NumberOf(id)), id)
			w.record(w.result(d, success))
		}
	}},
	{name: "OrderingKey/IsKeptByFanOut", run: func(w *world) {
		t := w.tenant()
		ep, plain, ordered := w.endpoint(t, byKey), w.endpoint(t), w.endpoint(t, fifo)
		first, second, third := w.wide(t.ID, plain, ep, ordered), w.wide(t.ID, plain, ep, ordered), w.withKey("a", ep)
		first.Event.OrderingKey, second.Event.OrderingKey = "a", "a"
		w.append(together(first, second, third))
		w.fanAllOut(2)
		for _, e := range []*bellwire.NewEvent{first, second, third} {
			d := w.take(ep)
			w.equal("the event of what is next", d.Event, e.Event.ID)
			w.record(w.result(d, success))
		}
		w.equal("what the endpoint without order gets", len(w.claim(plain, 10).Due), 2)
		w.equal("what the FIFO endpoint gets", len(w.claim(ordered, 10).Due), 2)
	}},
	{name: "OrderingKey/AnotherOrderingFreesWhatWaits", run: anotherOrderingTest},
	{name: "OrderingKey/EndsBetweenDeliveriesOfAKey", run: halfEndedOrderTest},
	{name: "OrderingKey/WhatWaitsIsListedAndCountedAsPending", run: func(w *world) {
		t := w.tenant()
		ep := w.endpoint(t, byKey)
		e := w.withKey("a", ep)
		w.append(together(e))
		second := w.withKey("a", ep)
		w.append(together(second))
		for _, f := range []bellwire.DeliveryFilter{{}, {Endpoint: ep.ID}, {Event: second.Event.ID}} {
			f.Tenant = t.ID
			want := 2
			if !f.Event.IsZero() {
				want = 1
			}
			for status, n := range map[bellwire.DeliveryStatus]int{"": want, bellwire.DeliveryPending: want, bellwire.DeliveryRetrying: 0} {
				f.Status = status
				w.equal("deliveries listed by "+string(status), len(w.all(f)), n)
			}
		}
		w.equal("what is open", w.backlog().Open, 2)
		health, err := w.store.Health(w.ctx, []string{ep.ID}, 10)
		w.check(err)
		w.equal("what waits for the endpoint", health[0].Waiting, 2)
		waiting, err := w.store.CountWaiting(w.ctx, ep.ID, 10)
		w.check(err)
		w.equal("what waits for its first attempt", waiting, 2)
		_, at := w.explain(second, 10)
		w.equal("what the explanation names", at[ep.ID].Ahead, e.Deliveries[0].ID)
		p := bellwire.JobParams{Endpoint: ep.ID, Until: w.now.Add(time.Hour)}
		p.Choose(bellwire.JobCancel, "")
		j := w.job(t.ID, bellwire.JobCancel, p)
		w.equal("what a job would cancel", w.counted(j, ep), 2)
		w.equal("what it has canceled", w.run(j, 1, ep).Done, 2)
		w.equal("what is open", w.backlog().Open, 0)
	}},
	{name: "OrderingKey/EndsWithItsEndpoint", run: func(w *world) {
		t := w.tenant()
		ep := w.endpoint(t, byKey)
		for i := range 6 {
			w.key(fmt.Sprint(i%2), ep)
		}
		w.disable(ep)
		for _, want := range []int{4, 2, 0} {
			n, err := w.store.CancelOpen(w.ctx, ep.ID, "", w.now, 4)
			w.check(err)
			w.equal("what is canceled", n, want)
			w.eachKeyHasAFirst(ep)
		}
	}},
	{name: "OrderingKey/OutlivesTheProcess", need: reopens, run: func(w *world) {
		ep := w.endpoint(w.tenant(), byKey)
		a1, a2 := w.key("a", ep), w.key("a", ep)
		old := w.claim(ep, 10).Due[0].Delivery
		w.reopen()
		w.behind(ep, map[bellwire.DeliveryID]bellwire.DeliveryID{a2: a1})
		w.equal("what is claimed again", idsOf(w.claim(ep, 10).Due), []bellwire.DeliveryID{a1})
		w.equal("a late success", w.record(w.result(old, success))[0], bellwire.Recorded{Status: bellwire.DeliverySucceeded, Moved: true, Next: true})
		w.equal("what is claimed then", idsOf(w.claim(ep, 10).Due), []bellwire.DeliveryID{a2})
	}},
	{name: "OrderingKey/Model", need: thorough, run: func(w *world) {
		rapid.Check(w.t, func(t *rapid.T) {
			in := *w
			in.TB = t
			m := &keyModel{w: &in, endpoint: in.endpoint(in.tenant(), byKey), open: make(map[string][]bellwire.DeliveryID), keyOf: make(map[bellwire.DeliveryID]string)}
			defer func() {
				in.check(in.store.DeleteTenant(in.ctx, m.endpoint.Tenant, in.now))
				in.purge(1000)
				w.store, w.leases, w.now, w.count = in.store, in.leases, in.now, in.count
			}()
			t.Repeat(map[string]func(*rapid.T){
				"append": m.append, "claim": m.claim, "record": m.record, "release": m.release, "request": m.request, "cancel": m.cancel,
				"restart": m.restart, "change the ordering": m.reorder, "begin an epoch": m.begin,
				"wait": func(t *rapid.T) { in.tick(time.Duration(rapid.IntRange(1, 90).Draw(t, "seconds")) * time.Second) },
				"":     func(*rapid.T) { m.compare() },
			})
			m.drain()
		})
	}},
}

// withKey makes an event with an ordering key, with a free delivery to each endpoint.
func (w *world) withKey(key string, endpoints ...*bellwire.Endpoint) *bellwire.NewEvent {
	e := w.event(endpoints[0].Tenant)
	e.Event.OrderingKey = key
	for _, ep := range endpoints {
		e.Deliveries = append(e.Deliveries, delivery(e, ep))
	}
	return e
}

// key stores an event with an ordering key, and returns its delivery.
func (w *world) key(key string, ep *bellwire.Endpoint) bellwire.DeliveryID {
	w.Helper()
	e := w.withKey(key, ep)
	w.append(together(e))
	return e.Deliveries[0].ID
}

// behind expects these deliveries of the endpoint to be behind others, and no further ones.
func (w *world) behind(ep *bellwire.Endpoint, want map[bellwire.DeliveryID]bellwire.DeliveryID) {
	w.Helper()
	got := make(map[bellwire.DeliveryID]bellwire.DeliveryID)
	var behind []*bellwire.Delivery
	for _, d := range w.all(bellwire.DeliveryFilter{Tenant: ep.Tenant, Endpoint: ep.ID}) {
		if d.Behind {
			behind = append(behind, d)
			got[d.ID] = bellwire.DeliveryID{}
		}
	}
	first, err := w.store.FirstOfKeys(w.ctx, behind)
	w.check(err)
	maps.Copy(got, first)
	w.equal("what is behind another", got, want)
}

// eachKeyHasAFirst expects that of the open deliveries of each key, one is not behind others.
func (w *world) eachKeyHasAFirst(ep *bellwire.Endpoint) {
	w.Helper()
	first := make(map[int64]int)
	for _, d := range w.all(bellwire.DeliveryFilter{Tenant: ep.Tenant, Endpoint: ep.ID}) {
		if d.Key == 0 || !d.Status.Open() {
			continue
		}
		if first[d.Key] += 0; !d.Behind {
			first[d.Key]++
		}
	}
	for key, n := range first {
		w.equal(fmt.Sprintf("first deliveries of the key %d", key), n, 1)
	}
}

// freeNextTest ends the first delivery of a key in each of the ways there are.
func freeNextTest(w *world) {
	t := w.tenant()
	for name, end := range map[string]func(ep *bellwire.Endpoint, first bellwire.Delivery){
		"a success":      func(_ *bellwire.Endpoint, first bellwire.Delivery) { w.record(w.result(first, success)) },
		"a last failure": func(_ *bellwire.Endpoint, first bellwire.Delivery) { w.record(w.result(first, spent)) },
		"a success after a failure": func(ep *bellwire.Endpoint, first bellwire.Delivery) {
			w.record(w.result(first, retryIn(0)))
			w.record(w.result(w.take(ep), success))
		},
		"a success of two in one group": func(_ *bellwire.Endpoint, first bellwire.Delivery) {
			recorded := w.record(w.result(first, success), w.result(first, retryIn(0)))
			w.equal("what is free", recorded[0].Next, true)
		},
		"a cancellation": func(_ *bellwire.Endpoint, first bellwire.Delivery) {
			_, err := w.store.CancelDelivery(w.ctx, t.ID, first.ID, "", w.now)
			w.check(err)
		},
		"a manual retry": func(ep *bellwire.Endpoint, first bellwire.Delivery) {
			w.request(ep, first.ID)
			r := w.result(w.claim(ep, 10).Manual[0].Delivery, success)
			r.Trigger, r.Epoch = bellwire.TriggerManual, w.leases.Epoch(ep.ID)
			w.record(r)
		},
		"an erasure": func(_ *bellwire.Endpoint, first bellwire.Delivery) {
			_, err := w.store.EraseEvent(w.ctx, t.ID, first.Event, w.erasure())
			w.check(err)
		},
		"a job": func(ep *bellwire.Endpoint, first bellwire.Delivery) {
			p := bellwire.JobParams{Endpoint: ep.ID, Until: w.now.Add(time.Hour)}
			p.Choose(bellwire.JobCancel, "")
			j := w.job(t.ID, bellwire.JobCancel, p)
			_, err := w.store.AdvanceJob(w.ctx, &bellwire.JobStep{
				Job: j, Endpoint: ep.ID, Items: []bellwire.JobItem{{Event: first.Event, Delivery: first.ID}}, Ended: true, Now: w.now,
			})
			w.check(err)
		},
		"its max_elapsed": func(ep *bellwire.Endpoint, first bellwire.Delivery) {
			w.check(w.store.ReleaseDeliveries(w.ctx, []bellwire.ClaimToken{{Delivery: first.ID, Epoch: first.Epoch}}))
			x := w.tooOld(ep, 10)
			x.Before = first.CreatedAt.Add(time.Second)
			n, err := w.store.ExhaustTooOld(w.ctx, w.now, x)
			w.check(err)
			w.equal("what has ended", n, 1)
		},
		"its expiry": func(_ *bellwire.Endpoint, first bellwire.Delivery) {
			w.now = first.ExpiresAt
			w.equal("what has ended", len(w.endExpired(10).Deliveries), 1)
		},
	} {
		w.t.Logf("by %s", name)
		ep := w.endpoint(t, byKey)
		e := w.withKey("a", ep)
		e.Event.ExpiresAt = w.now.Add(time.Hour)
		w.append(together(e))
		first := w.take(ep)
		w.tick(time.Minute)
		second, third := w.key("a", ep), w.key("a", ep)
		end(ep, first)
		w.equal("what is due after "+name, w.due(ep.ID).At.IsZero(), false)
		w.equal("what is claimed after "+name, idsOf(w.claim(ep, 10).Due), []bellwire.DeliveryID{second})
		w.behind(ep, map[bellwire.DeliveryID]bellwire.DeliveryID{third: second})
	}
}

// anotherOrderingTest changes the ordering of an endpoint with more deliveries behind others than one claim takes out of the order.
func anotherOrderingTest(w *world) {
	t := w.tenant()
	for _, ordering := range []bellwire.Ordering{bellwire.OrderingNone, bellwire.OrderingFIFO} {
		ep := w.endpoint(t, byKey)
		const many = 510
		var appends []*bellwire.Append
		for i := range many {
			appends = append(appends, together(w.withKey(fmt.Sprint(i%3), ep)))
		}
		w.append(appends...)
		w.claim(ep, 1)
		ep.Ordering = ordering
		w.check(w.store.UpdateEndpoint(w.ctx, ep, bellwire.ChangeNote{}))
		w.equal("what is due", w.due(ep.ID).At.IsZero(), false)
		claimed := 1
		for claims := 0; claimed < many; claims++ {
			got := w.claim(ep, 400)
			claimed += len(got.Due)
			if claimed < many && !got.Next.Equal(w.now) && got.Next.After(w.now) {
				w.Fatalf("after %d of %d deliveries the next claim is due at %s", claimed, many, got.Next)
			}
			if claims == 5 {
				w.Fatalf("%d of %d deliveries were claimed", claimed, many)
			}
		}
		w.behind(ep, nil)
		w.nothingDue(ep.ID)
		ep.Ordering = bellwire.OrderingKey
		w.check(w.store.UpdateEndpoint(w.ctx, ep, bellwire.ChangeNote{}))
		id := w.key("0", ep)
		w.equal("what is claimed of the key then", idsOf(w.claim(ep, 10).Due), []bellwire.DeliveryID{id})
	}
}

// halfEndedOrderTest has one claim take some deliveries of a key out of the order, and the endpoint keep the order again before the
// next.
func halfEndedOrderTest(w *world) {
	ep := w.endpoint(w.tenant(), byKey)
	var appends []*bellwire.Append
	for range rules.MaxUnnumbered + 3 {
		appends = append(appends, together(w.withKey("a", ep)))
	}
	w.append(appends...)
	ep.Ordering = bellwire.OrderingNone
	w.check(w.store.UpdateEndpoint(w.ctx, ep, bellwire.ChangeNote{}))
	w.tick(time.Minute)
	w.equal("when the rest is due", w.claim(ep, 1).Next, w.now)
	ep.Ordering = bellwire.OrderingKey
	w.check(w.store.UpdateEndpoint(w.ctx, ep, bellwire.ChangeNote{}))
	var left []bellwire.DeliveryID
	for _, a := range appends[rules.MaxUnnumbered:] {
		left = append(left, a.Events[0].Deliveries[0].ID)
	}
	w.behind(ep, map[bellwire.DeliveryID]bellwire.DeliveryID{left[1]: left[0], left[2]: left[0]})
	w.equal("when the first was changed", w.load(ep.Tenant, left[0]).UpdatedAt, w.now)
	got := w.claim(ep, rules.MaxUnnumbered+3)
	w.equal("how many are claimed", len(got.Due), rules.MaxUnnumbered)
	w.equal("the last that is claimed", got.Due[len(got.Due)-1].Delivery.ID, left[0])
}

// useKeys calls each verb on the order of keys, in each of the ways that have statements of their own.
func useKeys(w *world) {
	w.Helper()
	t := w.tenant()
	ep := w.endpoint(t, byKey)
	e := w.withKey("a", ep)
	e.Event.ExpiresAt = w.now.Add(time.Hour)
	w.append(together(e))
	w.append(together(e))
	second := w.withKey("a", ep)
	w.append(together(second))
	_, err := w.store.FirstOfKeys(w.ctx, []*bellwire.Delivery{w.load(t.ID, second.Deliveries[0].ID)})
	w.check(err)
	w.explain(second, 10)
	w.record(w.result(w.take(ep), spent))
	_, err = w.store.RestartDelivery(w.ctx, t.ID, e.Deliveries[0].ID, w.now)
	w.check(err)
	w.run(w.job(t.ID, bellwire.JobReplay, allOf(ep)), 3, ep)
	wide := w.wide(t.ID, ep)
	wide.Event.OrderingKey = "a"
	w.append(together(wide))
	w.fanAllOut(10)
	_, err = w.store.CancelDelivery(w.ctx, t.ID, second.Deliveries[0].ID, "", w.now)
	w.check(err)
	ep.Ordering = bellwire.OrderingNone
	w.check(w.store.UpdateEndpoint(w.ctx, ep, bellwire.ChangeNote{}))
	w.due(ep.ID)
	w.claim(ep, 10)
	w.disable(ep)
	_, err = w.store.CancelOpen(w.ctx, ep.ID, "", w.now, 10)
	w.check(err)
}

// keyModel holds the expected order of the keys at an endpoint.
type keyModel struct {
	w        *world
	endpoint *bellwire.Endpoint
	open     map[string][]bellwire.DeliveryID // of each key, in order
	keyOf    map[bellwire.DeliveryID]string   // of those in open
	taken    []taken
}

func (m *keyModel) append(t *rapid.T) {
	var appends []*bellwire.Append
	for range rapid.IntRange(1, 4).Draw(t, "events") {
		e := m.w.withKey(rapid.SampledFrom([]string{"a", "b", ""}).Draw(t, "key"), m.endpoint)
		if rapid.Bool().Draw(t, "taken") {
			e.Deliveries[0].Epoch = m.w.leases.Epoch(m.endpoint.ID)
		}
		appends = append(appends, together(e))
	}
	for i, appended := range m.w.append(appends...) {
		e := appends[i].Events[0]
		d := &e.Deliveries[0]
		behind := appended.Behind != nil && appended.Behind[0]
		if d.Keyed {
			m.w.equal("whether it is behind", behind, len(m.open[e.Event.OrderingKey]) > 0)
			m.push(d.ID, e.Event.OrderingKey)
		}
		if d.Epoch != 0 && !behind {
			m.taken = append(m.taken, taken{delivery: *m.w.load(m.endpoint.Tenant, d.ID), epoch: d.Epoch})
		}
	}
}

func (m *keyModel) push(id bellwire.DeliveryID, key string) {
	m.open[key] = append(m.open[key], id)
	m.keyOf[id] = key
}

func (m *keyModel) remove(id bellwire.DeliveryID) {
	key, known := m.keyOf[id]
	if !known {
		return
	}
	delete(m.keyOf, id)
	m.open[key] = slices.DeleteFunc(m.open[key], func(other bellwire.DeliveryID) bool { return other == id })
}

func (m *keyModel) claim(t *rapid.T) { m.claimUpTo(rapid.IntRange(0, 4).Draw(t, "limit")) }

func (m *keyModel) claimUpTo(limit int) bellwire.ClaimResult {
	got := m.w.claim(m.endpoint, limit)
	if m.endpoint.Ordering != bellwire.OrderingKey {
		clear(m.open)
		clear(m.keyOf)
	}
	for _, c := range got.Due {
		if key, known := m.keyOf[c.Delivery.ID]; known && m.open[key][0] != c.Delivery.ID {
			m.w.Fatalf("%s was claimed before %s, which has the same key", c.Delivery.ID, m.open[key][0])
		}
		m.taken = append(m.taken, taken{delivery: c.Delivery, epoch: c.Delivery.Epoch})
	}
	for _, c := range got.Manual {
		m.taken = append(m.taken, taken{delivery: c.Delivery, epoch: m.w.leases.Epoch(m.endpoint.ID), manual: true})
	}
	return got
}

func (m *keyModel) drop(t *rapid.T) taken { return dropOneOf(t, &m.taken) }

func (m *keyModel) record(t *rapid.T) {
	m.recordAs(m.drop(t), rapid.SampledFrom([]bellwire.Transition{success, success, spent, retryIn(30 * time.Second)}).Draw(t, "transition"))
}

func (m *keyModel) recordAs(took taken, transition bellwire.Transition) {
	r := m.w.result(took.delivery, transition)
	r.Epoch = took.epoch
	if took.manual {
		r.Trigger, r.Attempt.Trigger = bellwire.TriggerManual, bellwire.TriggerManual
		if transition != success {
			r.Transition = bellwire.Transition{}
		}
	}
	key, keyed := m.keyOf[took.delivery.ID]
	wasFirst := keyed && m.open[key][0] == took.delivery.ID
	recorded := m.w.record(r)[0]
	if recorded.Status.Open() {
		m.w.equal("whether the next is free", recorded.Next, false)
		return
	}
	m.remove(took.delivery.ID)
	if wasFirst {
		m.w.equal("whether the next is free", recorded.Next, len(m.open[key]) > 0)
	}
}

func (m *keyModel) release(t *rapid.T) {
	took := m.drop(t)
	m.w.check(m.w.store.ReleaseDeliveries(m.w.ctx, []bellwire.ClaimToken{{Delivery: took.delivery.ID, Epoch: took.epoch, Manual: took.manual}}))
}

func (m *keyModel) any(t *rapid.T, open bool) *bellwire.Delivery {
	all := m.all()
	all = slices.DeleteFunc(all, func(d *bellwire.Delivery) bool { return d.Status.Open() != open })
	if len(all) == 0 {
		t.Skip("there is none")
	}
	return rapid.SampledFrom(all).Draw(t, "delivery")
}

func (m *keyModel) all() []*bellwire.Delivery {
	return m.w.all(bellwire.DeliveryFilter{Tenant: m.endpoint.Tenant})
}

func (m *keyModel) request(t *rapid.T) {
	m.w.request(m.endpoint, m.any(t, rapid.Bool().Draw(t, "open")).ID)
}

func (m *keyModel) cancel(t *rapid.T) {
	d := m.any(t, true)
	_, err := m.w.store.CancelDelivery(m.w.ctx, d.Tenant, d.ID, "because", m.w.now)
	m.w.check(err)
	m.remove(d.ID)
}

// restart begins the schedule of an ended delivery again, which then goes behind the others.
func (m *keyModel) restart(t *rapid.T) {
	d := m.any(t, false)
	again, err := m.w.store.RestartDelivery(m.w.ctx, d.Tenant, d.ID, m.w.now)
	if d.Status == bellwire.DeliverySucceeded {
		m.w.refused(err, bellwire.CodeConflict)
		return
	}
	m.w.check(err)
	m.w.equal("whether it is in an order", again.Key != 0, d.Key != 0 && m.endpoint.Ordering == bellwire.OrderingKey)
	if again.Key == 0 {
		return
	}
	for _, key := range []string{"a", "b"} {
		if bellwire.HashOrderingKey(key) == again.Key {
			m.push(d.ID, key)
		}
	}
}

func (m *keyModel) reorder(t *rapid.T) {
	m.endpoint.Ordering = rapid.SampledFrom([]bellwire.Ordering{bellwire.OrderingNone, bellwire.OrderingKey, bellwire.OrderingKey}).Draw(t, "ordering")
	m.w.check(m.w.store.UpdateEndpoint(m.w.ctx, m.endpoint, bellwire.ChangeNote{}))
}

// begin begins a new epoch: claimed deliveries become free, and late results of the old epoch can only be successes.
func (m *keyModel) begin(*rapid.T) {
	m.w.check(m.w.store.ReleaseLeases(m.w.ctx, "node"))
	m.w.lease()
}

// compare compares what is behind others.
func (m *keyModel) compare() {
	m.w.Helper()
	want := make(map[bellwire.DeliveryID]bellwire.DeliveryID)
	for _, ids := range m.open {
		for _, id := range ids[min(1, len(ids)):] {
			want[id] = ids[0]
		}
	}
	m.w.behind(m.endpoint, want)
}

// drain delivers all that is open, which must come to an end.
func (m *keyModel) drain() {
	for range 1000 {
		if !slices.ContainsFunc(m.all(), func(d *bellwire.Delivery) bool { return d.Status.Open() }) {
			return
		}
		m.begin(nil)
		m.w.tick(time.Hour)
		m.taken = nil
		if len(m.claimUpTo(10).Due) == 0 {
			m.w.Fatalf("nothing can be claimed, and deliveries are open: %v", m.open)
		}
		for _, took := range m.taken {
			m.recordAs(took, success)
		}
	}
	m.w.Fatalf("deliveries are open, and nothing ends them: %v", m.open)
}
