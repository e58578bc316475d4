package storetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var historyTests = []test{
	{name: "History/KeepsEachChange", run: keepsChanges},
	{name: "History/LeavesOutWhatChangesNothing", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		for range 3 {
			w.check(w.store.UpdateEndpoint(w.ctx, ep, w.note("again", "", "")))
		}
		w.equal("the history", w.actions(ep), []bellwire.ChangeAction{bellwire.ChangeCreated})
		ep.Events = []string{"other"}
		w.check(w.store.UpdateEndpoint(w.ctx, ep, w.note("events", "", "")))
		ep.Filter = "true"
		w.check(w.store.UpdateEndpoint(w.ctx, ep, w.note("filter", "", "")))
		ep.Status = bellwire.EndpointPaused
		w.check(w.store.UpdateEndpoint(w.ctx, ep, w.note("status", "", "")))
		w.check(w.store.UpdateEndpoint(w.ctx, ep, w.note("members", "", `{"url":"u"}`)))
		w.equal("the history", w.actions(ep), []bellwire.ChangeAction{
			bellwire.ChangeUpdated, bellwire.ChangeUpdated, bellwire.ChangeUpdated, bellwire.ChangeUpdated, bellwire.ChangeCreated,
		})
	}},
	{name: "History/IsOfItsTenant", run: func(w *world) {
		t, other := w.tenant(), w.tenant()
		ep := w.endpoint(t)
		for _, c := range []struct{ tenant, endpoint string }{{other.ID, ep.ID}, {"nobody", ep.ID}, {t.ID, "nothing"}} {
			_, err := w.store.EndpointHistory(w.ctx, c.tenant, c.endpoint, bellwire.Page{Limit: 1})
			w.refused(err, bellwire.CodeNotFound)
		}
		w.check(w.store.DeleteTenant(w.ctx, t.ID, w.now))
		_, err := w.store.EndpointHistory(w.ctx, t.ID, ep.ID, bellwire.Page{Limit: 1})
		w.refused(err, bellwire.CodeNotFound)
	}},
	{name: "History/OutlivesTheTombstone", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		w.check(w.store.DeleteEndpoint(w.ctx, ep.Tenant, ep.ID, w.now, bellwire.ChangeNote{}))
		w.equal("what was purged", w.purge(100), 1)
		w.equal("the history", w.actions(ep), []bellwire.ChangeAction{bellwire.ChangeDeleted, bellwire.ChangeCreated})
		w.check(w.store.CreateEndpoint(w.ctx, ep, bellwire.ChangeNote{}))
		w.equal("the history", w.actions(ep), []bellwire.ChangeAction{bellwire.ChangeCreated, bellwire.ChangeDeleted, bellwire.ChangeCreated})
	}},
	{name: "Explain/ByTheStandingAtTheTime", run: explains},
	{name: "Events/AreFoundByTheirKey", run: func(w *world) {
		t, other := w.tenant(), w.tenant()
		e := w.keyed(w.event(t.ID), "k", 1)
		w.append(together(e), together(w.keyed(w.event(t.ID), "more", 1)))
		id, err := w.store.EventByKey(w.ctx, t.ID, "k")
		w.check(err)
		w.equal("the event", id, e.Event.ID)
		for _, c := range []struct{ tenant, key string }{{t.ID, "K"}, {other.ID, "k"}, {"nobody", "k"}, {t.ID, "k\x00"}} {
			_, err := w.store.EventByKey(w.ctx, c.tenant, c.key)
			w.refused(err, bellwire.CodeNotFound)
		}
	}},
	{name: "Holds/BehindTheFirstInOrder", run: func(w *world) {
		ep := w.endpoint(w.tenant(), fifo)
		first, second, third := w.publish(ep), w.publish(ep), w.publish(ep)
		ahead := func(e *bellwire.NewEvent) bellwire.DeliveryID {
			hold := w.hold(ep, w.load(ep.Tenant, e.Deliveries[0].ID).Sequence)
			w.equal("the epoch", hold.Epoch, w.leases.Epoch(ep.ID))
			w.equal("the shard has an owner", hold.Node != "", true)
			if !hold.Ahead.IsZero() {
				w.equal("its number", hold.Sequence, w.load(ep.Tenant, hold.Ahead).Sequence)
			}
			return hold.Ahead
		}
		w.equal("behind the first", ahead(first), bellwire.DeliveryID{})
		w.equal("ahead of the third", ahead(third), first.Deliveries[0].ID)
		d := w.claim(ep, 1).Due[0].Delivery
		w.equal("ahead of the third while the first is claimed", ahead(third), first.Deliveries[0].ID)
		w.record(w.result(d, success))
		w.equal("ahead of the third", ahead(third), second.Deliveries[0].ID)
		w.equal("ahead of the second", ahead(second), bellwire.DeliveryID{})
	}},
	{name: "Holds/NothingOutsideAnyOrder", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		w.publish(ep)
		e := w.publish(ep)
		hold := w.hold(ep, w.load(ep.Tenant, e.Deliveries[0].ID).Sequence)
		w.equal("ahead", hold.Ahead, bellwire.DeliveryID{})
	}},
	{name: "Holds/ByTheStateOfEach", run: func(w *world) {
		t := w.tenant()
		enabled, paused, resting, deleted := w.endpoint(t), w.endpoint(t), w.endpoint(t), w.endpoint(t)
		paused.Status = bellwire.EndpointPaused
		w.check(w.store.UpdateEndpoint(w.ctx, paused, bellwire.ChangeNote{}))
		w.publish(resting)
		r := w.result(w.take(resting), retryIn(time.Hour))
		r.Health = bellwire.HealthNote{Kind: bellwire.HealthCounts, BreakerOpen: true, HeldFor: time.Hour}
		w.record(r)
		w.check(w.store.DeleteEndpoint(w.ctx, t.ID, deleted.ID, w.now, bellwire.ChangeNote{}))
		t = w.reread(t)
		t.Paused = true
		w.check(w.store.UpdateTenant(w.ctx, t))
		other := w.endpoint(w.tenant())
		holds, err := w.store.Holds(w.ctx, map[string]int64{enabled.ID: 0, paused.ID: 5, resting.ID: 0, deleted.ID: 1, other.ID: 0, "none": 1})
		w.check(err)
		for _, ep := range []*bellwire.Endpoint{enabled, paused, resting, deleted, other} {
			got := holds[ep.ID]
			if got == nil {
				w.Fatalf("nothing about %s", ep.ID)
				return
			}
			want := &bellwire.Hold{
				Status: ep.Status, Deleted: ep == deleted, TenantPaused: ep != other, Node: got.Node, Epoch: w.leases.Epoch(ep.ID),
			}
			if ep == resting {
				want.BreakerOpen, want.HeldUntil, want.HeldEpoch = true, bellwire.StoredTime(r.EndedAt.Add(time.Hour)), r.Epoch
			}
			w.equal("what holds back "+ep.ID, got, want)
		}
		w.equal("how many", len(holds), 5)
		holds, err = w.store.Holds(w.ctx, nil)
		w.check(err)
		w.equal("how many of none", len(holds), 0)
	}},
	{name: "TenantOf/EachKind", run: func(w *world) {
		t, other := w.tenant(), w.tenant()
		ep := w.endpoint(t)
		e, alone := w.publish(ep), w.event(other.ID)
		w.append(together(alone))
		j := w.job(t.ID, bellwire.JobCancel, bellwire.JobParams{Until: w.now})
		is := func(tenant string, kind bellwire.Kind, id [16]byte) {
			w.Helper()
			got, err := w.store.TenantOf(w.ctx, kind, id)
			w.check(err)
			w.equal("the tenant of the "+string(kind), got, tenant)
		}
		nothing := func(kind bellwire.Kind, id [16]byte) {
			w.Helper()
			_, err := w.store.TenantOf(w.ctx, kind, id)
			w.refused(err, bellwire.CodeNotFound)
		}
		is(t.ID, bellwire.KindEvent, e.Event.ID)
		is(other.ID, bellwire.KindEvent, alone.Event.ID)
		is(t.ID, bellwire.KindDelivery, e.Deliveries[0].ID)
		is(t.ID, bellwire.KindJob, j.ID)
		nothing(bellwire.KindEvent, e.Deliveries[0].ID)
		nothing(bellwire.KindDelivery, e.Event.ID)
		nothing(bellwire.KindJob, e.Event.ID)
		w.check(w.store.DeleteTenant(w.ctx, t.ID, w.now))
		nothing(bellwire.KindEvent, e.Event.ID)
		nothing(bellwire.KindDelivery, e.Deliveries[0].ID)
		nothing(bellwire.KindJob, j.ID)
		is(other.ID, bellwire.KindEvent, alone.Event.ID)
	}},
	{name: "Explain/NothingOfAnotherTenant", run: func(w *world) {
		ep, other := w.endpoint(w.tenant()), w.tenant()
		e := w.publish(ep)
		for _, tenant := range []string{other.ID, "nobody"} {
			_, err := w.store.Explain(w.ctx, tenant, e.Event.ID, bellwire.Page{Limit: 1})
			w.refused(err, bellwire.CodeNotFound)
		}
	}},
	{name: "Explain/TellsWhatIsDeferred", run: func(w *world) {
		t := w.tenant()
		a, b := w.endpoint(t), w.endpoint(t)
		e := w.wide(t.ID, a, b)
		w.append(together(e))
		explained, endpoints := w.explain(e, 10)
		w.equal("it is deferred", explained.FanningOut, true)
		w.equal("the delivery", endpoints[a.ID].Delivery, (*bellwire.Delivery)(nil))
		w.fanOut(10)
		explained, endpoints = w.explain(e, 10)
		w.equal("it is deferred", explained.FanningOut, false)
		w.equal("the deliveries", endpoints[a.ID].Delivery != nil && endpoints[b.ID].Delivery != nil, true)
	}},
	{name: "Explain/ByTheDeliveryThatSucceeded", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		e := w.event(ep.Tenant, ep, ep, ep)
		w.append(together(e))
		_, endpoints := w.explain(e, 10)
		w.equal("the latest", endpoints[ep.ID].Delivery.ID, e.Deliveries[2].ID)
		w.record(w.result(*w.load(ep.Tenant, e.Deliveries[1].ID), success))
		_, endpoints = w.explain(e, 10)
		w.equal("the one that succeeded", endpoints[ep.ID].Delivery.ID, e.Deliveries[1].ID)
	}},
	{name: "Explain/CountsOutcomes", run: func(w *world) {
		t := w.tenant()
		a, b, c := w.endpoint(t), w.endpoint(t), w.endpoint(t)
		e, none := w.event(t.ID, a, a, b, c), w.event(t.ID)
		wide := w.event(t.ID, a, b, c)
		w.append(together(e, none, wide))
		w.end(a, e, success)
		w.end(b, e, spent)
		w.end(c, e, retryIn(time.Hour))
		got, err := w.store.EventOutcomes(w.ctx, []bellwire.EventID{e.Event.ID, none.Event.ID, wide.Event.ID}, 3)
		w.check(err)
		w.equal("the outcomes", got, map[bellwire.EventID]*bellwire.EventOutcomes{
			e.Event.ID: {Succeeded: 1, Exhausted: 1, Retrying: 1, Capped: true}, wide.Event.ID: {Pending: 3},
		})
		few, err := w.store.EventOutcomes(w.ctx, []bellwire.EventID{wide.Event.ID}, 2)
		w.check(err)
		w.equal("of many", few[wide.Event.ID].Capped, true)
	}},
	{name: "History/KeepsTheNewestChanges", need: thorough, run: func(w *world) {
		ep := w.endpoint(w.tenant())
		for n := range bellwire.MaxChanges + 5 {
			w.check(w.store.UpdateEndpoint(w.ctx, ep, w.note("k", "", fmt.Sprintf(`{"n":%d}`, n))))
		}
		kept := w.history(ep)
		w.equal("how many", len(kept), bellwire.MaxChanges)
		w.equal("the oldest", string(kept[len(kept)-1].After), `{"n":5}`)
	}},
	{name: "History/IsBoundedInBytes", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		large := func(n, size int) string {
			return fmt.Sprintf(`{"n":"%d%s"}`, n, bytes.Repeat([]byte("x"), size))
		}
		for n := range 20 {
			w.check(w.store.UpdateEndpoint(w.ctx, ep, w.note("k", "", large(n, bellwire.MaxHistoryBytes/10))))
		}
		w.equal("how many large ones", len(w.history(ep)), 9)
		w.check(w.store.UpdateEndpoint(w.ctx, ep, w.note("k", "", large(1, 2*bellwire.MaxHistoryBytes))))
		w.equal("how many beside one that is too large", len(w.history(ep)), 1)
		w.check(w.store.UpdateEndpoint(w.ctx, ep, w.note("k", "", `{"n":1}`)))
		w.equal("how many behind it", len(w.history(ep)), 1)
	}},
	{name: "History/KeepsTheNewestDeleted", need: thorough, run: func(w *world) {
		t := w.tenant()
		living := w.endpoint(t)
		var gone []*bellwire.Endpoint
		for range bellwire.MaxDeletedHistories + 2 {
			gone = append(gone, w.endpoint(t))
			w.check(w.store.DeleteEndpoint(w.ctx, t.ID, gone[len(gone)-1].ID, w.tick(time.Second), bellwire.ChangeNote{}))
		}
		for _, ep := range gone[:2] {
			_, err := w.store.EndpointHistory(w.ctx, t.ID, ep.ID, bellwire.Page{Limit: 1})
			w.refused(err, bellwire.CodeNotFound)
		}
		for _, ep := range []*bellwire.Endpoint{living, gone[2]} {
			w.equal("the first change", w.actions(ep)[len(w.actions(ep))-1], bellwire.ChangeCreated)
		}
	}},
}

// hold returns what holds back an endpoint's delivery with the given number.
func (w *world) hold(ep *bellwire.Endpoint, sequence int64) *bellwire.Hold {
	w.Helper()
	holds, err := w.store.Holds(w.ctx, map[string]int64{ep.ID: sequence})
	w.check(err)
	if holds[ep.ID] == nil {
		w.Fatalf("nothing is known of the endpoint %s", ep.ID)
	}
	return holds[ep.ID]
}

// keepsChanges makes a change of each kind, and reads them page by page.
func keepsChanges(w *world) {
	ep := w.newEndpoint(w.tenant().ID)
	ep.StatusReason = ""
	var want []*bellwire.Change
	expect := func(action bellwire.ChangeAction, note bellwire.ChangeNote) bellwire.ChangeNote {
		c := &bellwire.Change{At: w.now, Action: action, ChangeNote: note}
		for _, members := range []*json.RawMessage{&c.Before, &c.After} {
			if len(*members) == 0 {
				*members = json.RawMessage("{}")
			}
		}
		want = slices.Insert(want, 0, c)
		return note
	}
	w.check(w.store.CreateEndpoint(w.ctx, ep, expect(bellwire.ChangeCreated, w.note("created", "", `{"url":"a"}`))))
	ep.URL, ep.UpdatedAt = "https://example.com/other", w.tick(time.Second)
	w.check(w.store.UpdateEndpoint(w.ctx, ep, expect(bellwire.ChangeUpdated, w.note("updated", `{"url":"a"}`, `{"url":"b"}`))))

	w.publish(ep)
	w.tick(time.Second)
	r := w.result(w.take(ep), gone)
	r.Disable, r.EndpointRevision = true, ep.Revision
	w.record(r)
	expect(bellwire.ChangeUpdated, bellwire.ChangeNote{
		Actor:  bellwire.Actor{Kind: bellwire.ActorBellwire, Reason: bellwire.ReasonEndpointGone},
		Before: json.RawMessage(`{"status":"enabled","status_reason":""}`),
		After:  json.RawMessage(`{"status":"disabled","status_reason":"` + bellwire.ReasonEndpointGone + `"}`),
	})
	w.tick(time.Second)
	w.check(w.store.DeleteEndpoint(w.ctx, ep.Tenant, ep.ID, w.now, expect(bellwire.ChangeDeleted, w.note("deleted", `{"url":"b"}`, ""))))

	for _, limit := range []int{1, 2, 3, 4, 100} {
		w.equal("the history", pages(w, limit, func(p bellwire.Page) (*bellwire.List[*bellwire.Change], error) {
			return w.store.EndpointHistory(w.ctx, ep.Tenant, ep.ID, p)
		}), want)
	}
}

// note is the note of a change by some key.
func (w *world) note(request, before, after string) bellwire.ChangeNote {
	return bellwire.ChangeNote{
		Actor: bellwire.Actor{
			Kind: bellwire.ActorKey, Key: bellwire.Next[bellwire.KeyKind](w.ids, w.now), Role: bellwire.RoleTenant,
			Origin: bellwire.Origin{RequestID: request, Address: "192.0.2.1"},
		},
		Before: json.RawMessage(before), After: json.RawMessage(after),
	}
}

// history reads the whole history of an endpoint.
func (w *world) history(ep *bellwire.Endpoint) []*bellwire.Change {
	w.Helper()
	list, err := w.store.EndpointHistory(w.ctx, ep.Tenant, ep.ID, bellwire.Page{Limit: 2 * bellwire.MaxChanges})
	w.check(err)
	return list.Items
}

func (w *world) actions(ep *bellwire.Endpoint) (actions []bellwire.ChangeAction) {
	w.Helper()
	for _, c := range w.history(ep) {
		actions = append(actions, c.Action)
	}
	return actions
}

// explain reads an event with all endpoints, page by page, and returns these by their ids.
func (w *world) explain(e *bellwire.NewEvent, limit int) (*bellwire.Explained, map[string]*bellwire.EndpointAt) {
	w.Helper()
	var last *bellwire.Explained
	all := pages(w, limit, func(p bellwire.Page) (*bellwire.List[*bellwire.EndpointAt], error) {
		explained, err := w.store.Explain(w.ctx, e.Event.Tenant, e.Event.ID, p)
		if err != nil {
			return nil, err
		}
		last = explained
		return &explained.Endpoints, nil
	})
	byID := make(map[string]*bellwire.EndpointAt)
	for _, at := range all {
		byID[at.Endpoint] = at
	}
	if len(byID) != len(all) {
		w.Errorf("%d endpoints were listed, %d different ones", len(all), len(byID))
	}
	return last, byID
}

// explains stores events between the changes of endpoints, all within a microsecond of each other, and expects each event to be
// explained by what the endpoints were at its place in the order.
func explains(w *world) {
	t := w.tenant()
	w.endpoint(w.tenant()) // another tenant's
	a, b := w.endpoint(t), w.endpoint(t)
	type expected map[string]string // of each endpoint
	var (
		events []*bellwire.NewEvent
		want   []expected
	)
	publish := func(standings expected, to ...*bellwire.Endpoint) {
		e := w.event(t.ID, to...)
		w.append(together(e))
		events, want = append(events, e), append(want, standings)
	}
	publish(expected{a.ID: "enabled [order.* ping]", b.ID: "enabled [order.* ping]"}, a, b)
	a.Status = bellwire.EndpointPaused
	pausing := w.note("pause", "", "")
	w.check(w.store.UpdateEndpoint(w.ctx, a, pausing))
	publish(expected{a.ID: "paused [order.* ping] by pause", b.ID: "enabled [order.* ping]"}, a)
	a.Events = []string{"x"}
	w.check(w.store.UpdateEndpoint(w.ctx, a, w.note("events", "", "")))
	w.check(w.store.DeleteEndpoint(w.ctx, t.ID, b.ID, w.now, w.note("delete", "", "")))
	publish(expected{a.ID: "paused [x] by pause", b.ID: "deleted [order.* ping] by delete"})
	c := w.endpoint(t)
	publish(expected{a.ID: "paused [x] by pause", b.ID: "deleted [order.* ping] by delete", c.ID: "enabled [order.* ping]"}, c)

	for i, e := range events {
		for _, limit := range []int{1, 2, 10} {
			explained, endpoints := w.explain(e, limit)
			w.equal("the event", explained.Event.ID, e.Event.ID)
			w.equal("nothing is missing", explained.FanningOut || explained.Unmatched, false)
			got := make(expected)
			for id, at := range endpoints {
				if at.Then != nil {
					got[id] = describe(at.Then)
					w.equal("the versions that the filter sees", fmt.Sprint(at.Then.Catalogue, at.Then.Versions), fmt.Sprint(a.Catalogue, a.Versions))
				}
				w.equal("the first change", at.Begins.Action, bellwire.ChangeCreated)
			}
			w.equal(fmt.Sprintf("event %d", i), got, want[i])
			w.equal("all endpoints", len(endpoints), 3)
			w.equal("now", describe(endpoints[b.ID].Now), "deleted [order.* ping] by delete")
			for _, d := range e.Deliveries {
				w.equal("the delivery", endpoints[d.Endpoint].Delivery, w.load(t.ID, d.ID))
				delete(endpoints, d.Endpoint)
			}
			for _, at := range endpoints {
				w.equal("no delivery", at.Delivery, (*bellwire.Delivery)(nil))
			}
		}
	}
}

// describe names a standing, and who is responsible if there is a note about that.
func describe(s *bellwire.Standing) string {
	status := string(s.Status)
	if s.Deleted {
		status = "deleted"
	}
	text := fmt.Sprintf("%s %v", status, s.Events)
	if s.By.RequestID != "" {
		text += " by " + s.By.RequestID
	}
	return text
}
