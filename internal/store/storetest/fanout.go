package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var fanoutTests = []test{
	{name: "FanOut/StoresWhatIsLeft", run: fanoutStores},
	{name: "FanOut/KeepsTheOrderOfPublication", run: fanoutOrder},
	{name: "FanOut/KeepsTheOrderWithinAGroup", run: fanoutOrderInGroup},
	{name: "FanOut/AnswersTheSamePublishAgain", run: func(w *world) {
		t := w.tenant()
		first := w.keyed(w.wide(t.ID, w.many(t, 5)...), "k", 1)
		same := w.keyed(w.wide(t.ID, w.many(t, 1)...), "k", 1)
		got := w.append(together(first, same))
		w.equal("a duplicate within the append", got[1], bellwire.AppendedEvent{ID: first.Event.ID, Duplicate: true, Deliveries: 5})
		for range 3 {
			again := w.append(together(w.keyed(w.event(t.ID), "k", 1)))
			w.equal("the answer", again[0], bellwire.AppendedEvent{ID: first.Event.ID, Duplicate: true, Deliveries: 5})
			w.fanOut(3)
		}
		w.equal("what is open", w.backlog().Open, 5)
	}},
	{name: "FanOut/AppendsCanBeRepeated", run: fanoutRepeated},
	{name: "FanOut/RefusesUnknownRecipients", run: func(w *world) {
		t := w.tenant()
		for _, ep := range []*bellwire.Endpoint{w.endpoint(w.tenant()), {ID: "nobody"}} {
			results, err := w.store.AppendEvents(w.ctx, []*bellwire.Append{together(w.wide(t.ID, w.endpoint(t), ep))})
			w.check(err)
			w.refused(results[0].Err, bellwire.CodeNotFound)
		}
		w.equal("what is open", w.backlog().Open, 0)
	}},
	{name: "FanOut/RefusesTooMuch", run: fanoutRefuses},
	{name: "FanOut/TakesTurns", run: func(w *world) {
		var tenants []*bellwire.Tenant
		for range 3 {
			t := w.tenant()
			tenants = append(tenants, t)
			w.append(together(w.wide(t.ID, w.many(t, 4)...)))
		}
		for range 3 {
			w.fanOut(1)
		}
		for _, t := range tenants {
			w.equal("deliveries of each", len(w.all(bellwire.DeliveryFilter{Tenant: t.ID})), 1)
		}
	}},
	{name: "FanOut/IsForTheOwner", run: func(w *world) {
		t := w.tenant()
		w.append(together(w.wide(t.ID, w.many(t, 4)...)))
		out, err := w.store.FanOut(w.ctx, new(bellwire.Leases), 10)
		w.check(err)
		w.equal("another node's", *out, bellwire.FannedOut{})
		w.equal("the owner's", w.fanOut(10).Deliveries, 4)
	}},
	{name: "FanOut/EndpointsThatEnd", run: fanoutEnded},
	{name: "FanOut/OldEventsAreKept", run: func(w *world) {
		t := w.tenant()
		endpoints := w.many(t, 3)
		old := w.wide(t.ID, endpoints...)
		w.append(together(old))
		w.fanOut(1)
		d := w.take(endpoints[0])
		w.record(w.result(d, success))
		w.tick(time.Hour)
		w.purgeBefore(w.now, 100)
		_, err := w.store.Event(w.ctx, t.ID, old.Event.ID)
		w.check(err)
		w.equal("deliveries", w.fanOut(10).Deliveries, 2)
		for _, ep := range endpoints[1:] {
			w.record(w.result(w.take(ep), success))
		}
		w.tick(2 * bellwire.RetentionReview)
		w.purgeBefore(w.now, 100)
		w.equal("deliveries that are kept in the end", len(w.all(bellwire.DeliveryFilter{Tenant: t.ID})), 0)
	}},
	{name: "FanOut/DeletedTenants", run: func(w *world) {
		t, other := w.tenant(), w.tenant()
		w.append(together(w.wide(t.ID, w.many(t, 5)...)))
		w.append(together(w.wide(other.ID, w.many(other, 2)...)))
		w.check(w.store.DeleteTenant(w.ctx, t.ID, w.now))
		w.equal("deliveries of the other", w.fanOut(10).Deliveries, 2)
		w.equal("deliveries of the deleted one", w.fanOut(10).Deliveries, 0)
		w.purge(3)
		w.equal("what is open", []int{w.backlog().Open, w.backlog().FanOut}, []int{2, 0})
	}},
	{name: "FanOut/GoesOnWhenOpenedAgain", need: reopens, run: func(w *world) {
		t := w.tenant()
		endpoints := w.many(t, 5, fifo)
		w.append(together(w.wide(t.ID, endpoints...)))
		w.fanOut(3)
		w.reopen()
		w.equal("what waits", []int{w.backlog().Open, w.backlog().FanOut}, []int{5, 2})
		e := w.event(t.ID, endpoints...)
		w.equal("the next event goes behind", w.append(together(e))[0].Deferred, true)
		w.equal("deliveries", w.fanOut(10).Deliveries, 7)
	}},
	{name: "FanOut/Together", run: fanoutTogether},
	{name: "FanOut/Model", need: thorough, run: func(w *world) {
		rapid.Check(w.t, func(t *rapid.T) {
			in := *w
			in.TB = t
			m := newFanoutModel(&in)
			defer func() {
				in.check(in.store.DeleteTenant(in.ctx, m.endpoints[0].Tenant, in.now))
				in.purge(1000)
				w.store, w.leases, w.now, w.count = in.store, in.leases, in.now, in.count
			}()
			t.Repeat(map[string]func(*rapid.T){
				"append":  m.append,
				"fan out": func(t *rapid.T) { in.fanOut(rapid.IntRange(1, 20).Draw(t, "limit")) },
				"reopen": func(t *rapid.T) {
					if in.hooks.Reopen != nil && rapid.IntRange(0, 9).Draw(t, "reopen") == 9 { // it costs more than all others
						in.reopen()
					}
				},
				"": func(*rapid.T) {},
			})
			m.check()
		})
	}},
}

// many makes endpoints of a tenant.
func (w *world) many(t *bellwire.Tenant, n int, change ...func(*bellwire.Endpoint)) []*bellwire.Endpoint {
	w.Helper()
	endpoints := make([]*bellwire.Endpoint, n)
	for i := range endpoints {
		endpoints[i] = w.endpoint(t, change...)
	}
	return endpoints
}

// wide makes an event whose deliveries are deferred to FanOut.
func (w *world) wide(tenant string, endpoints ...*bellwire.Endpoint) *bellwire.NewEvent {
	e := w.event(tenant)
	e.Recipients = recipients(endpoints...)
	return e
}

func recipients(endpoints ...*bellwire.Endpoint) *bellwire.Recipients {
	r := new(bellwire.Recipients)
	for _, ep := range endpoints {
		*r = append(*r, bellwire.Recipient{Endpoint: ep.ID, Ordered: ep.Ordering.Ordered()})
	}
	return r
}

func (w *world) fanOut(limit int) *bellwire.FannedOut {
	w.Helper()
	out, err := w.store.FanOut(w.ctx, w.leases, limit)
	w.check(err)
	if out.Deliveries > limit {
		w.Fatalf("%d deliveries were stored, %d at most were wanted", out.Deliveries, limit)
	}
	return out
}

// fanAllOut stores all that is deferred to FanOut, and returns how many deliveries that were.
func (w *world) fanAllOut(limit int) (total int) {
	w.Helper()
	for {
		n := w.fanOut(limit).Deliveries
		if n == 0 {
			return total
		}
		total += n
	}
}

// all lists deliveries, newest first.
func (w *world) all(f bellwire.DeliveryFilter) []*bellwire.Delivery {
	w.Helper()
	return pages(w, 500, func(page bellwire.Page) (*bellwire.List[*bellwire.Delivery], error) {
		return w.store.Deliveries(w.ctx, f, page)
	})
}

// order lists the events of an endpoint's deliveries as they are claimed.
func (w *world) order(ep *bellwire.Endpoint) (events []bellwire.EventID) {
	w.Helper()
	for _, c := range w.claim(ep, 1000).Due {
		events = append(events, c.Event.ID)
		w.equal("the number", c.Delivery.Sequence, int64(len(events)))
	}
	return events
}

func fanoutStores(w *world) {
	t := w.tenant()
	endpoints := append(w.many(t, 4), w.many(t, 3, fifo)...)
	e := w.wide(t.ID, endpoints...)
	got := w.append(together(e))
	w.equal("the answer", got, []bellwire.AppendedEvent{{ID: e.Event.ID, CreatedAt: e.Event.CreatedAt, Deliveries: 7, Deferred: true}})
	var named []string
	for stored := range 7 {
		w.equal("what is open", []int{w.backlog().Open, w.backlog().FanOut}, []int{7, 7 - stored})
		w.equal("deliveries", len(w.all(bellwire.DeliveryFilter{Tenant: t.ID, Event: e.Event.ID})), stored)
		event, err := w.store.Event(w.ctx, t.ID, e.Event.ID)
		w.check(err)
		w.equal("deliveries of the event", event.Deliveries, 7)
		out := w.fanOut(1)
		w.equal("how many", out.Deliveries, 1)
		w.equal("whose", out.Tenant, t.ID)
		named = append(named, out.Endpoints...)
	}
	w.equal("afterwards", *w.fanOut(1), bellwire.FannedOut{})
	w.equal("what is open", []int{w.backlog().Open, w.backlog().FanOut}, []int{7, 0})
	slices.Sort(named)
	var want []string
	for _, ep := range endpoints {
		want = append(want, ep.ID)
	}
	slices.Sort(want)
	w.equal("endpoints", named, want)
	for _, ep := range endpoints {
		w.equal("due", w.due(ep.ID), bellwire.DueEndpoint{Endpoint: ep.ID, At: e.Event.CreatedAt})
		d := w.take(ep)
		number := int64(0)
		if ep.Ordering == bellwire.OrderingFIFO {
			number = 1
		}
		w.equal("the delivery", d, bellwire.Delivery{
			ID: d.ID, Event: e.Event.ID, EventType: e.Event.Type, Tenant: t.ID, Endpoint: ep.ID, Status: bellwire.DeliveryPending,
			Sequence: number, Epoch: w.leases.Epoch(ep.ID), DueAt: e.Event.CreatedAt, CreatedAt: e.Event.CreatedAt, UpdatedAt: d.UpdatedAt,
		})
	}
}

// fanoutOrder publishes while earlier deliveries still wait for FanOut.
func fanoutOrder(w *world) {
	t, other := w.tenant(), w.tenant()
	ordered, plain, foreign := w.endpoint(t, fifo), w.endpoint(t), w.endpoint(other, fifo)
	to := recipients(ordered, plain)
	var events []bellwire.EventID
	wide := new(bellwire.Append)
	for range 3 {
		e := w.event(t.ID)
		e.Recipients = to
		wide.Events = append(wide.Events, e)
		events = append(events, e.Event.ID)
	}
	w.append(wide)
	w.fanOut(1)
	behind := w.event(t.ID, ordered, plain)
	events = append(events, behind.Event.ID)
	w.equal("an event with an order", w.append(together(behind)), []bellwire.AppendedEvent{
		{ID: behind.Event.ID, CreatedAt: behind.Event.CreatedAt, Deliveries: 2, Deferred: true},
	})
	w.equal("an event without", w.append(together(w.event(t.ID, plain)))[0].Sequences, []int64{0})
	w.equal("another tenant's", w.append(together(w.event(other.ID, foreign)))[0].Sequences, []int64{1})
	for w.backlog().FanOut > 0 {
		w.fanOut(2)
	}
	last := w.event(t.ID, ordered)
	events = append(events, last.Event.ID)
	w.equal("an event after all is stored", w.append(together(last))[0].Sequences, []int64{5})
	w.equal("the order", w.order(ordered), events)
	w.equal("the number without order", len(w.claim(plain, 100).Due), 5)
}

func fanoutOrderInGroup(w *world) {
	t := w.tenant()
	ordered, plain := w.endpoint(t, fifo), w.endpoint(t)
	first, wide, behind := w.event(t.ID, ordered), w.wide(t.ID, ordered, plain), w.event(t.ID, ordered)
	same := w.event(t.ID, ordered)
	got := w.append(together(first), together(wide, behind), together(same))
	var deferred []bool
	for _, e := range got {
		deferred = append(deferred, e.Deferred)
	}
	w.equal("what is deferred to FanOut", deferred, []bool{false, true, true, true})
	w.equal("what FanOut stores", w.fanAllOut(3), 4)
	w.equal("the order", w.order(ordered), []bellwire.EventID{first.Event.ID, wide.Event.ID, behind.Event.ID, same.Event.ID})
}

// fanoutRepeated repeats appends whose outcome the caller does not know, before, between and after the steps of FanOut.
func fanoutRepeated(w *world) {
	t := w.tenant()
	ordered, plain := w.endpoint(t, fifo), w.endpoint(t)
	wide := w.keyed(w.wide(t.ID, ordered, plain), "k", 1)
	behind := w.event(t.ID, ordered)
	behind.Deliveries[0].Epoch = w.leases.Epoch(ordered.ID)
	appends := []*bellwire.Append{together(wide), together(behind)}
	want := w.append(appends...)
	w.equal("both are deferred to FanOut", []bool{want[0].Deferred, want[1].Deferred}, []bool{true, true})
	for _, a := range appends {
		a.MaxDeferred = 1 // what is stored is not refused
	}
	for range 4 {
		w.equal("the answer", w.append(appends...), want)
		w.fanOut(1)
	}
	w.endpoint(t) // so that the revision is another
	appends[0].TenantRevision, appends[1].TenantRevision = t.Revision, t.Revision
	w.equal("after a change of configuration", w.append(appends...), want)
	w.equal("what is open", w.backlog().Open, 3)
	w.equal("the order", w.order(ordered), []bellwire.EventID{wide.Event.ID, behind.Event.ID})
}

func fanoutRefuses(w *world) {
	t := w.tenant()
	endpoints := w.many(t, 4, fifo)
	bounded := func(events ...*bellwire.NewEvent) *bellwire.Append {
		return &bellwire.Append{Events: events, MaxDeferred: 10}
	}
	refused := func(a *bellwire.Append) {
		w.Helper()
		results, err := w.store.AppendEvents(w.ctx, []*bellwire.Append{a})
		w.check(err)
		w.refused(results[0].Err, bellwire.CodeRateLimited)
		_, err = w.store.Event(w.ctx, t.ID, a.Events[0].Event.ID)
		w.refused(err, bellwire.CodeNotFound)
	}
	w.append(bounded(w.wide(t.ID, endpoints...), w.wide(t.ID, endpoints...)))
	refused(bounded(w.wide(t.ID, endpoints...)))
	refused(bounded(w.event(t.ID, endpoints[:3]...)))
	w.append(bounded(w.event(t.ID, endpoints[:2]...)))
	w.equal("what waits", w.backlog().FanOut, 10)
	w.equal("what FanOut stores", w.fanAllOut(4), 10)
	w.append(bounded(w.wide(t.ID, endpoints...), w.wide(t.ID, endpoints...), w.wide(t.ID, endpoints...)))
	w.equal("who has nothing waiting is not refused", w.backlog().FanOut, 12)
}

// fanoutEnded deletes and disables endpoints before their deliveries are stored: they are canceled, and listed.
func fanoutEnded(w *world) {
	t := w.tenant()
	deleted, disabled := w.endpoint(t, fifo), w.endpoint(t)
	e := w.wide(t.ID, deleted, disabled)
	w.append(together(e))
	w.check(w.store.DeleteEndpoint(w.ctx, t.ID, deleted.ID, w.now, bellwire.ChangeNote{}))
	w.disable(disabled)
	w.purge(100)
	w.equal("what FanOut stores", w.fanOut(10).Deliveries, 2)
	for _, ep := range []*bellwire.Endpoint{deleted, disabled} {
		w.equal("due", w.due(ep.ID).At, e.Event.CreatedAt)
		n, err := w.store.CancelOpen(w.ctx, ep.ID, "because", w.now, 10)
		w.check(err)
		w.equal("how many are canceled", n, 1)
	}
	for _, d := range w.all(bellwire.DeliveryFilter{Tenant: t.ID, Event: e.Event.ID}) {
		w.equal("what became of it", []string{string(d.Status), d.Reason}, []string{string(bellwire.DeliveryCanceled), "because"})
	}
	w.equal("what is open", w.backlog().Open, 0)
}

// fanoutTogether publishes and fans out concurrently, to two ordered endpoints: each delivery exists once, and the order
// numbers follow the times of the events.
func fanoutTogether(w *world) {
	t := w.tenant()
	endpoints := append(w.many(t, 2, fifo), w.many(t, 8)...)
	var ids bellwire.Sequence
	const each = 24
	w.together(8, func(ctx context.Context) error {
		for n := range each {
			e := &bellwire.NewEvent{Event: bellwire.Event{
				ID: bellwire.Next[bellwire.EventKind](&ids, w.now), Tenant: t.ID, Type: "order.paid", Data: []byte("1"), CreatedAt: w.now,
			}}
			if n%3 == 0 {
				e.Recipients = recipients(endpoints...)
			} else {
				e.Deliveries = []bellwire.NewDelivery{delivery(e, endpoints[0])}
			}
			results, err := w.store.AppendEvents(ctx, []*bellwire.Append{together(e)})
			if err = errors.Join(err, firstRefusal(results)); err != nil {
				return err
			}
			if _, err := w.store.FanOut(ctx, w.leases, 7); err != nil {
				return err
			}
		}
		return nil
	})
	w.fanAllOut(50)
	w.equal("what waits", w.backlog().FanOut, 0)
	for i, want := range []int{8 * each, 8 * each / 3} {
		w.equal("deliveries in order", len(w.inOrder(endpoints[i])), want)
	}
	w.equal("what is open", w.backlog().Open, 8*each/3*(len(endpoints)-1)+8*each)
}

// inOrder expects that the numbers of an endpoint's deliveries are without gap and grow with their events' times.
func (w *world) inOrder(ep *bellwire.Endpoint) (events []bellwire.EventID) {
	w.Helper()
	deliveries := w.all(bellwire.DeliveryFilter{Tenant: ep.Tenant, Endpoint: ep.ID})
	slices.SortFunc(deliveries, func(a, b *bellwire.Delivery) int { return int(a.Sequence - b.Sequence) })
	times := make(map[bellwire.EventID]time.Time)
	for _, e := range pages(w, 250, func(page bellwire.Page) (*bellwire.List[*bellwire.Event], error) {
		return w.store.Events(w.ctx, bellwire.EventFilter{Tenant: ep.Tenant}, page)
	}) {
		times[e.ID] = e.CreatedAt
	}
	var last time.Time
	for i, d := range deliveries {
		at := times[d.Event]
		if d.Sequence != int64(i+1) || !at.After(last) {
			w.Fatalf("delivery %d has the number %d, and its event the time %v after %v", i+1, d.Sequence, at, last)
		}
		last = at
		events = append(events, d.Event)
	}
	return events
}

// fanoutModel holds the publications of a tenant with some endpoints.
type fanoutModel struct {
	w         *world
	endpoints []*bellwire.Endpoint
	events    map[string][]bellwire.EventID // of each endpoint, in the order of publication
}

func newFanoutModel(w *world) *fanoutModel {
	t := w.tenant()
	return &fanoutModel{w: w, endpoints: append(w.many(t, 2), w.many(t, 2, fifo)...), events: make(map[string][]bellwire.EventID)}
}

// append publishes events to some of the endpoints, the lists of whom come again.
func (m *fanoutModel) append(t *rapid.T) {
	var lists [][]*bellwire.Endpoint
	for range rapid.IntRange(1, 2).Draw(t, "lists") {
		lists = append(lists, rapid.SliceOfNDistinct(rapid.SampledFrom(m.endpoints), 1, 4, func(ep *bellwire.Endpoint) string { return ep.ID }).Draw(t, "list"))
	}
	shared := make([]*bellwire.Recipients, len(lists))
	for i, list := range lists {
		shared[i] = recipients(list...)
	}
	wide := rapid.Bool().Draw(t, "wide")
	a := new(bellwire.Append)
	for range rapid.IntRange(1, 5).Draw(t, "events") {
		which := rapid.IntRange(0, len(lists)-1).Draw(t, "which")
		e := m.w.event(m.endpoints[0].Tenant)
		if wide {
			e.Recipients = shared[which]
		} else {
			e = m.w.event(m.endpoints[0].Tenant, lists[which]...)
		}
		a.Events = append(a.Events, e)
		for _, ep := range lists[which] {
			m.events[ep.ID] = append(m.events[ep.ID], e.Event.ID)
		}
	}
	for i, e := range m.w.append(a) {
		if e.Deliveries != a.Events[i].Count() || e.Duplicate || wide && !e.Deferred {
			m.w.Fatalf("event %d was answered %+v", i, e)
		}
	}
}

// check expects each delivery once, those of ordered endpoints in the order of publication.
func (m *fanoutModel) check() {
	m.w.fanAllOut(3)
	m.w.equal("what waits", m.w.backlog().FanOut, 0)
	total := 0
	for i, ep := range m.endpoints {
		want := m.events[ep.ID]
		total += len(want)
		what := fmt.Sprint("the events of endpoint ", i)
		if ep.Ordering == bellwire.OrderingFIFO {
			m.w.equal(what, m.w.inOrder(ep), want)
			continue
		}
		var got []bellwire.EventID
		for _, d := range m.w.all(bellwire.DeliveryFilter{Tenant: ep.Tenant, Endpoint: ep.ID}) {
			got = append(got, d.Event)
		}
		slices.Reverse(got)
		m.w.equal(what, got, want)
	}
	m.w.equal("what is open", m.w.backlog().Open, total)
}
