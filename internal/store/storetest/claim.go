package storetest

import (
	"bytes"
	"context"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var claimTests = []test{
	{name: "Leases/AllShardsBelongToTheOnlyNode", run: func(w *world) {
		for shard, epoch := range w.leases.Epochs {
			if epoch <= 0 {
				w.Fatalf("the shard %d is not owned", shard)
			}
		}
		again, err := w.store.RenewLeases(w.ctx, "node")
		w.check(err)
		w.equal("the epochs after renewal", again.Epochs, w.leases.Epochs)
	}},
	{name: "Leases/ANewOwnerHasANewEpoch", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		w.publish(ep)
		taken := w.take(ep)
		w.check(w.store.ReleaseLeases(w.ctx, "other"))
		w.check(w.store.ReleaseLeases(w.ctx, "node"))
		leases, err := w.store.RenewLeases(w.ctx, "other")
		w.check(err)
		if leases.Epoch(ep.ID) <= taken.Epoch {
			w.Errorf("the epoch went from %d to %d", taken.Epoch, leases.Epoch(ep.ID))
		}
		w.leases = leases
		w.equal("what is free", w.take(ep).ID, taken.ID)
	}},
	{name: "Leases/AllIsFreeWhenReopened", need: reopens, run: func(w *world) {
		ep := w.endpoint(w.tenant())
		e := w.publish(ep)
		_, err := w.store.RequestRetry(w.ctx, ep.Tenant, e.Deliveries[0].ID)
		w.check(err)
		before := w.claim(ep, 10)
		w.equal("claimed by the schedule and manually", []int{len(before.Due), len(before.Manual)}, []int{1, 1})
		w.reopen()
		if epoch := w.leases.Epoch(ep.ID); epoch <= before.Due[0].Delivery.Epoch {
			w.Errorf("the epoch went from %d to %d", before.Due[0].Delivery.Epoch, epoch)
		}
		w.equal("what is due", w.due(ep.ID), bellwire.DueEndpoint{Endpoint: ep.ID, At: w.now, Manual: true})
		after := w.claim(ep, 10)
		w.equal("taken again by schedule and by hand", []int{len(after.Due), len(after.Manual)}, []int{1, 1})

		late := w.record(w.result(before.Due[0].Delivery, spent))[0]
		w.equal("a result of the old epoch", late, bellwire.Recorded{Status: bellwire.DeliveryPending})
	}},
	{name: "Nodes/OwnShardsUntilTheyLeave", run: func(w *world) {
		nodes, err := w.store.Nodes(w.ctx)
		w.check(err)
		if len(nodes) != 1 || nodes[0].Name != "node" || nodes[0].Shards != bellwire.Shards || nodes[0].Epoch != w.leases.Epochs[0] || !nodes[0].Alive() {
			w.Errorf("the nodes are %+v", nodes)
		}
		w.check(w.store.ReleaseLeases(w.ctx, "node"))
		nodes, err = w.store.Nodes(w.ctx)
		w.check(err)
		w.equal("the nodes that are left", len(nodes), 0)
	}},
	{name: "Watch/ReturnsOrEnds", run: func(w *world) {
		ctx, cancel := context.WithCancel(w.ctx)
		cancel()
		_ = w.store.Watch(ctx, func(bellwire.Notification) {}) // it must not hang
	}},
	{name: "Claim/HandsOutDeliveriesWithTheirEvents", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		e := w.event(ep.Tenant, ep)
		e.Event.Data = []byte("[1.0,\n\"\\u00e4\"]")
		w.append(together(e))
		got := w.claim(ep, 10)
		event := e.Event
		event.Deliveries = 1
		delivery := *w.load(ep.Tenant, e.Deliveries[0].ID)
		w.equal("its epoch", delivery.Epoch, w.leases.Epoch(ep.ID))
		w.equal("what was claimed", got, bellwire.ClaimResult{
			Due: []bellwire.Claimed{{Delivery: delivery, Event: &event}}, NextSequence: 1,
		})
		w.equal("what is claimed then", w.claim(ep, 10), bellwire.ClaimResult{NextSequence: 1})
	}},
	{name: "Claim/TakesByDueTimeUpToItsLimit", run: claimLimit},
	{name: "Claim/TakesNoMoreBytesThanWanted", run: claimBytes},
	{name: "Claim/LeavesWhatIsNotDue", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		w.publish(ep)
		w.record(w.result(w.take(ep), retryIn(time.Minute)))
		due := w.now.Add(time.Minute)
		w.equal("due", w.due(ep.ID).At, due)
		got := w.claim(ep, 10)
		w.equal("claimed early", got, bellwire.ClaimResult{Next: due, NextSequence: 1})
		w.tick(time.Minute)
		w.equal("claimed in time", len(w.claim(ep, 10).Due), 1)
		w.nothingDue(ep.ID)
	}},
	{name: "Claim/TakesNewOnesWhenTheClockWasSetBack", run: func(w *world) {
		t := w.tenant()
		for _, ep := range []*bellwire.Endpoint{w.endpoint(t), w.endpoint(t, fifo)} {
			e := w.publish(ep)
			w.tick(-time.Hour)
			w.equal("claimed", idsOf(w.claim(ep, 10).Due), []bellwire.DeliveryID{e.Deliveries[0].ID})
		}
	}},
	{name: "Claim/MergesNewAndRetried", run: claimMerges},
	{name: "Claim/OfSeveralEndpoints", run: func(w *world) {
		t := w.tenant()
		a, b := w.endpoint(t), w.endpoint(t)
		e := w.publish(a, b)
		var claims []bellwire.Claim
		for _, id := range []string{b.ID, "nothing", a.ID} {
			claims = append(claims, bellwire.Claim{Endpoint: id, Epoch: w.leases.Epoch(id), Limit: 1, MaxBytes: 1})
		}
		results, err := w.store.ClaimDue(w.ctx, w.now, claims)
		w.check(err)
		w.equal("the second's", idsOf(results[0].Due), []bellwire.DeliveryID{e.Deliveries[1].ID})
		w.equal("nobody's", results[1], bellwire.ClaimResult{})
		w.equal("the first's", idsOf(results[2].Due), []bellwire.DeliveryID{e.Deliveries[0].ID})
	}},
	{name: "Claim/SharesTheEvent", run: claimShares},
	{name: "Claim/EndsAtTheBytesOfAll", run: claimEnds},
	{name: "Claim/InOrder", run: claimInOrder},
	{name: "Claim/InOrderSkipsWhatHasEnded", run: func(w *world) {
		ep := w.endpoint(w.tenant(), fifo)
		events := []*bellwire.NewEvent{w.publish(ep), w.publish(ep), w.publish(ep)}
		_, err := w.store.CancelDelivery(w.ctx, ep.Tenant, events[0].Deliveries[0].ID, "", w.now)
		w.check(err)
		w.equal("what is left", idsOf(w.claim(ep, 10).Due), []bellwire.DeliveryID{events[1].Deliveries[0].ID, events[2].Deliveries[0].ID})
	}},
	{name: "Claim/AfterTheOrderingHasChanged", run: orderingChanged},
	{name: "Claim/LeasedShardsOnly", run: func(w *world) {
		t := w.tenant()
		a, b := w.endpoint(t), w.endpoint(t)
		w.publish(a, b)
		some := *w.leases
		some.Epochs[bellwire.ShardOf(a.ID)] = 0
		due, err := DueEndpoints(w.ctx, w.store, &some)
		w.check(err)
		w.equal("the endpoints", due, []bellwire.DueEndpoint{{Endpoint: b.ID, Tenant: b.Tenant, At: w.now}})
	}},
	{name: "Claim/FindsEndpointsBehindManyClaimed", run: manyClaimed},
	{name: "Claim/AfterRelease", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		w.publish(ep)
		d := w.take(ep)
		w.check(w.store.ReleaseDeliveries(w.ctx, []bellwire.ClaimToken{{Delivery: d.ID, Epoch: d.Epoch + 1}}))
		w.equal("after another epoch's release", len(w.claim(ep, 10).Due), 0)
		w.check(w.store.ReleaseDeliveries(w.ctx, []bellwire.ClaimToken{{Delivery: d.ID, Epoch: d.Epoch, Manual: true}}))
		w.equal("after a release by hand", len(w.claim(ep, 10).Due), 0)
		w.check(w.store.ReleaseDeliveries(w.ctx, []bellwire.ClaimToken{{Delivery: d.ID, Epoch: d.Epoch}}))
		w.equal("its epoch", w.load(ep.Tenant, d.ID).Epoch, int64(0))
		w.equal("after release", len(w.claim(ep, 10).Due), 1)
	}},
}

// manyClaimed has endpoints with few and with many deliveries, all of which are claimed but the last one, or none but the first.
func manyClaimed(w *world) {
	t := w.tenant()
	for _, retrying := range []bool{false, true} {
		want := make(map[string]bool)
		for _, c := range []struct {
			deliveries, claimed int
		}{{1, 0}, {1, 1}, {40, 39}, {2, 2}, {40, 40}, {3, 2}, {17, 16}, {16, 15}, {40, 1}, {2, 0}} {
			ep := w.endpoint(t)
			for range c.deliveries {
				w.publish(ep)
				w.tick(time.Second)
			}
			if retrying {
				for _, d := range w.claim(ep, c.deliveries).Due {
					w.record(w.result(d.Delivery, retryIn(0)))
				}
			}
			if c.claimed > 0 {
				w.equal("claimed", len(w.claim(ep, c.claimed).Due), c.claimed)
			}
			want[ep.ID] = c.claimed < c.deliveries
		}
		due := w.allDue()
		for id, free := range want {
			w.equal("whether the endpoint is due", !w.dueIn(due, id).At.IsZero(), free)
		}
		backlog, err := w.store.Backlog(w.ctx)
		w.check(err)
		w.equal("whether something waits", backlog.Oldest.IsZero(), false)
	}
}

func claimLimit(w *world) {
	ep := w.endpoint(w.tenant())
	var want []bellwire.DeliveryID
	for range 5 {
		want = append(want, w.publish(ep).Deliveries[0].ID)
		w.tick(time.Second)
	}
	// The first goes to the end of the line.
	taken := w.claim(ep, 1).Due[0].Delivery
	w.record(w.result(taken, retryIn(0)))
	want = append(want[1:], want[0])

	first := w.claim(ep, 3)
	w.equal("the first three", idsOf(first.Due), want[:3])
	w.equal("when the next is due", first.Next, w.load(ep.Tenant, want[3]).DueAt)
	none := w.claim(ep, 0)
	w.equal("none", idsOf(none.Due), nothing)
	w.equal("when the next is due", none.Next, first.Next)
	w.equal("due", w.due(ep.ID).At, first.Next)
	rest := w.claim(ep, 3)
	w.equal("the rest", idsOf(rest.Due), want[3:])
	w.equal("when the next is due", rest.Next, time.Time{})
}

// claimMerges makes retries due before, between and after new deliveries.
func claimMerges(w *world) {
	ep := w.endpoint(w.tenant())
	var retried, fresh []bellwire.DeliveryID
	for range 3 {
		retried = append(retried, w.publish(ep).Deliveries[0].ID)
	}
	for i, c := range w.claim(ep, 3).Due {
		w.record(w.result(c.Delivery, retryIn(time.Duration(2*i+1)*time.Minute)))
	}
	for range 3 {
		w.tick(2 * time.Minute)
		fresh = append(fresh, w.publish(ep).Deliveries[0].ID)
	}
	want := []bellwire.DeliveryID{retried[0], fresh[0], retried[1], fresh[1], retried[2], fresh[2]}
	for i, limit := range []int{1, 2} {
		got := w.claim(ep, limit)
		w.equal("what is taken", idsOf(got.Due), want[i:i+limit])
		w.equal("when the next is due", got.Next, w.load(ep.Tenant, want[i+limit]).DueAt)
	}
	w.equal("the rest", idsOf(w.claim(ep, 10).Due), want[3:])
}

func claimBytes(w *world) {
	ep := w.endpoint(w.tenant())
	for range 4 {
		e := w.event(ep.Tenant, ep)
		e.Event.Data = bytes.Repeat([]byte("9"), 100)
		w.append(together(e))
	}
	for _, c := range []struct{ bytes, want int }{{1, 1}, {101, 2}, {100, 1}} {
		r, err := w.store.ClaimDue(w.ctx, w.now, []bellwire.Claim{{
			Endpoint: ep.ID, Epoch: w.leases.Epoch(ep.ID), Limit: 10, MaxBytes: c.bytes,
		}})
		w.check(err)
		w.equal("how many fit", len(r[0].Due), c.want)
	}
}

// claimShares claims deliveries of one event: they share it, and it counts once.
func claimShares(w *world) {
	t := w.tenant()
	var endpoints []*bellwire.Endpoint
	for range 5 {
		endpoints = append(endpoints, w.endpoint(t))
	}
	e := w.event(t.ID, endpoints...)
	e.Event.Data = []byte(`"` + strings.Repeat("x", bellwire.MaxClaimBytes/3) + `"`)
	w.append(together(e))
	var claims []bellwire.Claim
	for _, ep := range endpoints {
		claims = append(claims, bellwire.Claim{Endpoint: ep.ID, Epoch: w.leases.Epoch(ep.ID), Limit: 9, MaxBytes: 1})
	}
	results, err := w.store.ClaimDue(w.ctx, w.now, claims)
	w.check(err)
	for i, r := range results {
		w.equal("what is claimed", idsOf(r.Due), []bellwire.DeliveryID{e.Deliveries[i].ID})
		w.equal("whose it is", r.Due[0].Delivery.Endpoint, endpoints[i].ID)
		if r.Due[0].Event != results[0].Due[0].Event {
			w.Error("an event is in memory twice")
		}
	}
}

// claimEnds claims events that are more together than one claim may take: the rest is skipped, and there the next time.
func claimEnds(w *world) {
	t := w.tenant()
	var claims []bellwire.Claim
	for range 5 {
		ep := w.endpoint(t)
		e := w.event(t.ID, ep)
		e.Event.Data = []byte(`"` + strings.Repeat("x", bellwire.MaxClaimBytes/2) + `"`)
		w.append(together(e))
		claims = append(claims, bellwire.Claim{Endpoint: ep.ID, Epoch: w.leases.Epoch(ep.ID), Limit: 9, ManualLimit: 9, MaxBytes: 1 << 20})
	}
	for _, want := range []int{2, 2, 1} {
		results, err := w.store.ClaimDue(w.ctx, w.now, claims)
		w.check(err)
		var skipped []bellwire.Claim
		for i, r := range results {
			if r.Skipped {
				w.equal("what is skipped", r, bellwire.ClaimResult{Skipped: true})
				skipped = append(skipped, claims[i])
				continue
			}
			w.equal("what is claimed", len(r.Due), 1)
		}
		w.equal("how many are claimed", len(claims)-len(skipped), want)
		claims = skipped
	}
}

func claimInOrder(w *world) {
	ep := w.endpoint(w.tenant(), fifo)
	var ids []bellwire.DeliveryID
	for range 4 {
		ids = append(ids, w.publish(ep).Deliveries[0].ID)
	}
	got := w.claim(ep, 2)
	w.equal("the first two", idsOf(got.Due), ids[:2])
	w.equal("the next number", got.NextSequence, int64(5))
	w.equal("when the next is due", got.Next, w.now)

	w.record(w.result(got.Due[0].Delivery, retryIn(time.Minute)))
	due := w.now.Add(time.Minute)
	held := w.claim(ep, 10)
	w.equal("behind one that is not due", idsOf(held.Due), nothing)
	w.equal("when the next is due", held.Next, due)
	w.equal("due", w.due(ep.ID).At, due)

	w.tick(time.Minute)
	w.equal("when it is due", idsOf(w.claim(ep, 10).Due), []bellwire.DeliveryID{ids[0], ids[2], ids[3]})
}

// orderingChanged gives and takes an endpoint its order while deliveries wait: all of them must be found.
func orderingChanged(w *world) {
	ep := w.endpoint(w.tenant(), fifo)
	var want []bellwire.DeliveryID
	publish := func() {
		want = append(want, w.publish(ep).Deliveries[0].ID)
		w.tick(time.Millisecond)
	}
	publish()
	publish()
	ep.Ordering = bellwire.OrderingNone
	w.check(w.store.UpdateEndpoint(w.ctx, ep, bellwire.ChangeNote{}))
	w.record(w.result(w.claim(ep, 1).Due[0].Delivery, retryIn(time.Hour)))
	publish()
	if at := w.due(ep.ID).At; at.IsZero() || at.After(w.now) {
		w.Errorf("due at %v, which is not yet", at)
	}
	w.equal("without order, one waits and holds up nobody", idsOf(w.claim(ep, 10).Due), want[1:])

	publish()
	ep.Ordering = bellwire.OrderingFIFO
	w.check(w.store.UpdateEndpoint(w.ctx, ep, bellwire.ChangeNote{}))
	publish()
	w.equal("with order, one outside of it waits", idsOf(w.claim(ep, 10).Due), want[3:])
	w.tick(time.Hour)
	w.equal("and is taken in its time", idsOf(w.claim(ep, 10).Due), want[:1])
}
