package storetest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var journalTests = []test{
	{name: "Lists/Deliveries", run: listDeliveries},
	{name: "Lists/DeliveriesOfDeletedEndpoints", run: listDeliveriesOfDeleted},
	{name: "Lists/DeliveriesOfAllTenants", run: listAllDeliveries},
	{name: "Lists/LastAttempts", run: lastAttempts},
	{name: "Lists/AllEvents", run: listAllEvents},
	{name: "Lists/AllEventsAreSearchedInParts", need: thorough, run: searchAllEvents},
	{name: "Lists/EventsByKey", run: listEventsByKey},
	{name: "Lists/Events", run: listEvents},
	{name: "Lists/LargeEvents", run: listLargeEvents},
	{name: "Lists/Configuration", run: listConfiguration},
	{name: "Lists/AreStableUnderInserts", run: func(w *world) {
		ep := w.endpoint(w.tenant())
		filter := bellwire.DeliveryFilter{Tenant: ep.Tenant}
		var want []bellwire.DeliveryID
		for range 20 {
			want = append(want, w.publish(ep).Deliveries[0].ID)
		}
		slices.Reverse(want)
		var got []bellwire.DeliveryID
		for page := (bellwire.Page{Limit: 3}); ; {
			list, err := w.store.Deliveries(w.ctx, filter, page)
			w.check(err)
			for _, d := range list.Items {
				got = append(got, d.ID)
			}
			if list.Next == "" {
				break
			}
			page.After = list.Next
			w.publish(ep)
			for _, c := range w.claim(ep, 1).Due { // what is yet to be listed changes its status
				w.record(w.result(c.Delivery, success))
			}
		}
		w.equal("what was listed", got, want)
	}},
	{name: "Lists/RefuseBadCursors", run: badCursors},
	{name: "Lists/OfATenantOnly", run: func(w *world) {
		t, other := w.tenant(), w.tenant()
		ep := w.endpoint(t)
		e := w.publish(ep)
		for _, f := range []bellwire.DeliveryFilter{
			{Tenant: other.ID}, {Tenant: other.ID, Endpoint: ep.ID}, {Tenant: other.ID, Event: e.Event.ID},
			{Tenant: other.ID, Endpoint: ep.ID, Status: bellwire.DeliveryPending}, {Tenant: "nobody"},
			{Tenant: t.ID, Endpoint: "nothing"}, {Tenant: t.ID, Event: bellwire.EventID{1}},
		} {
			list, err := w.store.Deliveries(w.ctx, f, bellwire.Page{Limit: 10})
			w.check(err)
			w.equal(fmt.Sprintf("deliveries of %+v", f), list, &bellwire.List[*bellwire.Delivery]{})
		}
		events, err := w.store.Events(w.ctx, bellwire.EventFilter{Tenant: other.ID}, bellwire.Page{Limit: 10})
		w.check(err)
		w.equal("events of another", events, &bellwire.List[*bellwire.Event]{})
	}},
}

// pages reads a list to its end in pages of the given size, and checks that they are full.
func pages[T any](w *world, limit int, read func(bellwire.Page) (*bellwire.List[T], error)) []T {
	w.Helper()
	var all []T
	page := bellwire.Page{Limit: limit}
	for {
		list, err := read(page)
		w.check(err)
		all = append(all, list.Items...)
		if list.Next == "" {
			return all
		}
		if len(list.Items) != limit {
			w.Fatalf("a page of %d has %d items and says that there is more", limit, len(list.Items))
		}
		page.After = list.Next
	}
}

// listDeliveries pages through many deliveries with each combination of filters.
func listDeliveries(w *world) {
	t, other := w.tenant(), w.tenant()
	endpoints := []*bellwire.Endpoint{w.endpoint(t), w.endpoint(t, fifo), w.endpoint(t)}
	foreign := w.endpoint(other)
	ends := []bellwire.Transition{
		{}, retryIn(time.Hour), success, spent, {Status: bellwire.DeliveryCanceled, Reason: "because"}, success,
	}
	var (
		events  []*bellwire.NewEvent
		results []*bellwire.Result
	)
	for n := range 42 {
		e := w.event(t.ID, endpoints[:1+n%3]...)
		events = append(events, e, w.event(other.ID, foreign))
		for i := range e.Deliveries {
			e.Deliveries[i].Epoch = w.leases.Epoch(e.Deliveries[i].Endpoint)
			d := bellwire.Delivery{ID: e.Deliveries[i].ID, Endpoint: e.Deliveries[i].Endpoint, Epoch: e.Deliveries[i].Epoch}
			results = append(results, w.result(d, ends[len(results)%len(ends)]))
		}
		if n%10 == 0 {
			w.tick(time.Millisecond)
		}
	}
	for chunk := range slices.Chunk(events, 20) {
		w.append(together(chunk[0])) // one by itself, the others in groups
		var appends []*bellwire.Append
		for _, e := range chunk[1:] {
			appends = append(appends, together(e))
		}
		w.append(appends...)
	}
	w.record(results...)
	w.check(w.store.DeleteEndpoint(w.ctx, t.ID, endpoints[2].ID, w.now, bellwire.ChangeNote{})) // its deliveries stay

	var all []*bellwire.Delivery
	for _, r := range results {
		all = append(all, w.load(t.ID, r.Delivery))
	}
	slices.SortFunc(all, func(a, b *bellwire.Delivery) int { return strings.Compare(b.ID.String(), a.ID.String()) })
	for _, f := range deliveryFilters(t.ID, endpoints, events[0].Event.ID, events[4].Event.ID) {
		var want []*bellwire.Delivery
		for _, d := range all {
			if (f.Endpoint == "" || f.Endpoint == d.Endpoint) && (f.Status == "" || f.Status == d.Status) &&
				(f.Event.IsZero() || f.Event == d.Event) {
				want = append(want, d)
			}
		}
		for _, limit := range []int{1, 7, len(want), 1000} {
			got := pages(w, max(limit, 1), func(page bellwire.Page) (*bellwire.List[*bellwire.Delivery], error) {
				return w.store.Deliveries(w.ctx, f, page)
			})
			w.equal(fmt.Sprintf("%+v in pages of %d", f, limit), got, want)
		}
	}
}

// listDeliveriesOfDeleted deletes endpoints that have much and little, open and ended, of which more becomes known later.
func listDeliveriesOfDeleted(w *world) {
	t := w.tenant()
	little, much, living := w.endpoint(t), w.endpoint(t), w.endpoint(t)
	var want []bellwire.DeliveryID
	var appends []*bellwire.Append
	for n := range 1100 {
		to := []*bellwire.Endpoint{much}
		if n%100 == 0 {
			to = append(to, little, living)
		}
		e := w.event(t.ID, to...)
		appends = append(appends, together(e))
		for _, d := range e.Deliveries {
			want = append(want, d.ID)
		}
	}
	w.append(appends...)
	var taken []bellwire.Delivery
	for _, ep := range []*bellwire.Endpoint{little, much, living} {
		due := w.claim(ep, 4).Due
		taken = append(taken, due[0].Delivery)
		w.record(w.result(due[1].Delivery, success), w.result(due[2].Delivery, retryIn(time.Hour)), w.result(due[3].Delivery, spent))
	}
	compare := func(when string) {
		counted := make(map[bellwire.DeliveryStatus]int)
		all := pages(w, 999, func(page bellwire.Page) (*bellwire.List[*bellwire.Delivery], error) {
			return w.store.Deliveries(w.ctx, bellwire.DeliveryFilter{Tenant: t.ID}, page)
		})
		var got []bellwire.DeliveryID
		for _, d := range all {
			got = append(got, d.ID)
			counted[d.Status]++
		}
		slices.Reverse(got)
		w.equal("deliveries "+when, got, want)
		for _, status := range bellwire.DeliveryStatuses {
			some := pages(w, 99, func(page bellwire.Page) (*bellwire.List[*bellwire.Delivery], error) {
				return w.store.Deliveries(w.ctx, bellwire.DeliveryFilter{Tenant: t.ID, Status: status}, page)
			})
			w.equal(fmt.Sprintf("%s deliveries %s", status, when), len(some), counted[status])
		}
	}
	slices.SortFunc(want, func(a, b bellwire.DeliveryID) int { return bytes.Compare(a[:], b[:]) })
	compare("of living endpoints")
	for _, ep := range []*bellwire.Endpoint{little, much} {
		w.check(w.store.DeleteEndpoint(w.ctx, t.ID, ep.ID, w.now, bellwire.ChangeNote{}))
	}
	compare("of deleted endpoints")
	for _, ep := range []*bellwire.Endpoint{little, much} {
		_, err := w.store.CancelOpen(w.ctx, ep.ID, bellwire.ReasonEndpointDeleted, w.now, 700)
		w.check(err)
	}
	compare("while some are canceled")
	for _, d := range taken {
		w.record(w.result(d, success))
	}
	compare("of which some have succeeded since")
}

// listAllDeliveries lists the deliveries of several tenants, one of which is deleted.
func listAllDeliveries(w *world) {
	tenants := []*bellwire.Tenant{w.tenant(), w.tenant(), w.tenant()}
	var endpoints []*bellwire.Endpoint
	for _, t := range tenants {
		endpoints = append(endpoints, w.endpoint(t))
	}
	gone := tenants[2]
	var want []*bellwire.Delivery
	for n := range 60 {
		ep := endpoints[n%2]
		if n/10 == 3 {
			ep = endpoints[2]
		}
		e := w.publish(ep)
		if n%5 == 0 {
			w.record(w.result(w.claim(ep, 1).Due[0].Delivery, success))
		}
		if ep != endpoints[2] {
			want = append(want, &bellwire.Delivery{Tenant: ep.Tenant, ID: e.Deliveries[0].ID})
		}
		w.tick(300 * time.Microsecond)
	}
	w.check(w.store.DeleteTenant(w.ctx, gone.ID, w.now))
	slices.Reverse(want)
	for i, d := range want {
		want[i] = w.load(d.Tenant, d.ID)
	}
	for _, limit := range []int{1, 3, 7, 60, 1000} {
		var got []*bellwire.Delivery
		for page := (bellwire.Page{Limit: limit}); ; {
			list, err := w.store.AllDeliveries(w.ctx, page)
			w.check(err)
			if len(list.Items) > limit {
				w.Errorf("a page of %d has %d items", limit, len(list.Items))
			}
			got = append(got, list.Items...)
			if page.After = list.Next; page.After == "" {
				break
			}
		}
		w.equal(fmt.Sprintf("all deliveries in pages of %d", limit), got, want)
	}
	list, err := w.store.AllDeliveries(w.ctx, bellwire.Page{Limit: 5, After: bellwire.DeliveryCursor(want[19].ID)})
	w.check(err)
	if len(list.Items) > 0 || list.Next == "" {
		w.Errorf("the page of a deleted tenant's is %+v, want an empty one with a cursor", list)
	}
}

func lastAttempts(w *world) {
	t := w.tenant()
	ep := w.endpoint(t)
	want := make(map[bellwire.DeliveryID]bellwire.AttemptResult)
	var ids []bellwire.DeliveryID
	for n := range 300 {
		id := w.publish(ep).Deliveries[0].ID
		ids = append(ids, id)
		for attempt := range n % 4 {
			r := w.result(bellwire.Delivery{ID: id, Endpoint: ep.ID, Epoch: w.leases.Epoch(ep.ID)}, retryIn(0))
			r.Epoch, r.Trigger = 0, bellwire.TriggerManual
			r.Attempt.Outcome, r.Attempt.Error = bellwire.Outcomes[(n+attempt)%len(bellwire.Outcomes)], fmt.Sprint("fault ", n)
			last := bellwire.AttemptResult{Outcome: r.Attempt.Outcome, Error: r.Attempt.Error}
			if r.Attempt.Outcome == bellwire.OutcomeStatus {
				r.Attempt.Response = &bellwire.AttemptResponse{Status: 500 + attempt}
				last.Status = r.Attempt.Response.Status
			}
			w.record(r)
			want[id] = last
		}
	}
	got, err := w.store.LastAttempts(w.ctx, append(ids, bellwire.DeliveryID{1}))
	w.check(err)
	w.equal("the last attempts", got, want)
	got, err = w.store.LastAttempts(w.ctx, nil)
	w.check(err)
	w.equal("how many results of none", len(got), 0)
}

func deliveryFilters(tenant string, endpoints []*bellwire.Endpoint, events ...bellwire.EventID) []bellwire.DeliveryFilter {
	var filters []bellwire.DeliveryFilter
	for _, endpoint := range []string{"", endpoints[0].ID, endpoints[1].ID, endpoints[2].ID} {
		for _, event := range append(events, bellwire.EventID{}) {
			for _, status := range append([]bellwire.DeliveryStatus{""}, bellwire.DeliveryStatuses...) {
				filters = append(filters, bellwire.DeliveryFilter{Tenant: tenant, Endpoint: endpoint, Event: event, Status: status})
			}
		}
	}
	return filters
}

// listAllEvents lists the events of some tenants, one of which is deleted, and compares them with what was stored.
func listAllEvents(w *world) {
	tenants := []*bellwire.Tenant{w.tenant(), w.tenant(), w.tenant()}
	var all []*bellwire.Event
	for n := range 60 {
		e := w.event(tenants[n%3].ID)
		e.Event.Type = []string{"a", "b"}[n%7%2]
		w.append(together(e))
		all = append(all, &e.Event)
		w.tick(300 * time.Microsecond)
	}
	w.check(w.store.DeleteTenant(w.ctx, tenants[1].ID, w.now))
	slices.Reverse(all)
	since, until := all[40].ID.Time(), all[10].ID.Time()
	for _, f := range []bellwire.EventFilter{
		{}, {Type: "b"}, {Type: "none"}, {Since: since}, {Until: until}, {Type: "a", Since: since, Until: until}, {Since: until, Until: since},
		{Tenant: tenants[0].ID, OldestFirst: true},
	} {
		for _, data := range []bool{false, true} {
			var want []*bellwire.Event
			for _, e := range all {
				at := e.ID.Time()
				if e.Tenant == tenants[1].ID || f.Type != "" && e.Type != f.Type || at.Before(f.Since) || !f.Until.IsZero() && !at.Before(f.Until) {
					continue
				}
				kept := *e
				if !data {
					kept.Data = nil
				}
				want = append(want, &kept)
			}
			for _, limit := range []int{1, 7, 100} {
				got := pages(w, limit, func(p bellwire.Page) (*bellwire.List[*bellwire.Event], error) {
					return w.store.AllEvents(w.ctx, f, data, p)
				})
				w.equal(fmt.Sprintf("events of %+v with data: %v", f, data), got, want)
			}
		}
	}
	list, err := w.store.AllEvents(w.ctx, bellwire.EventFilter{}, true, bellwire.Page{Limit: 10, Bytes: 1})
	w.check(err)
	w.equal("how many events of a short page", len(list.Items), 1)
	_, err = w.store.AllEvents(w.ctx, bellwire.EventFilter{}, false, bellwire.Page{Limit: 1, After: "x"})
	w.refused(err, bellwire.CodeInvalid)
}

// searchAllEvents looks for an event behind more of others than a page is searched for.
func searchAllEvents(w *world) {
	t := w.tenant()
	wanted := w.event(t.ID)
	w.append(together(wanted))
	for range bellwire.MaxSearched / 500 {
		var others []*bellwire.NewEvent
		for range 500 {
			e := w.event(t.ID)
			e.Event.Type = "other"
			others = append(others, e)
		}
		w.append(together(others...))
	}
	f := bellwire.EventFilter{Type: wanted.Event.Type}
	list, err := w.store.AllEvents(w.ctx, f, false, bellwire.Page{Limit: 10})
	w.check(err)
	w.equal("how many were found at first", len(list.Items), 0)
	list, err = w.store.AllEvents(w.ctx, f, false, bellwire.Page{Limit: 10, After: list.Next})
	w.check(err)
	if len(list.Items) != 1 || list.Items[0].ID != wanted.Event.ID || list.Next != "" {
		w.Errorf("got %+v, want the event behind the others", list)
	}
}

// listEventsByKey finds what several tenants have published with the same key.
func listEventsByKey(w *world) {
	var want []*bellwire.Event
	var tenants []*bellwire.Tenant
	for range 5 {
		t := w.tenant()
		tenants = append(tenants, t)
		e := w.keyed(w.event(t.ID), "k", 1)
		w.append(together(e), together(w.keyed(w.event(t.ID), "other", 1)))
		want = append([]*bellwire.Event{&e.Event}, want...)
	}
	w.check(w.store.DeleteTenant(w.ctx, tenants[3].ID, w.now))
	want = slices.Delete(want, 1, 2)
	for _, limit := range []int{1, 2, 100} {
		got := pages(w, limit, func(p bellwire.Page) (*bellwire.List[*bellwire.Event], error) {
			return w.store.EventsByKey(w.ctx, "k", true, p)
		})
		w.equal("events of the key", got, want)
	}
	list, err := w.store.EventsByKey(w.ctx, "k", false, bellwire.Page{Limit: 10})
	w.check(err)
	w.equal("how many", len(list.Items), len(want))
	w.equal("the data", list.Items[0].Data, []byte(nil))
	for _, key := range []string{"K", "", "k\x00"} {
		list, err := w.store.EventsByKey(w.ctx, key, true, bellwire.Page{Limit: 10})
		w.check(err)
		w.equal("how many of another key", len(list.Items), 0)
	}
}

func listEvents(w *world) {
	t := w.tenant()
	types := []string{"a", "b", "a.b"}
	var all []*bellwire.Event
	for n := range 100 {
		e := w.event(t.ID)
		e.Event.Type = types[n%7%3]
		w.append(together(e))
		all = append(all, &e.Event)
		w.tick(300 * time.Microsecond)
	}
	slices.Reverse(all)
	borders := []time.Time{{}, all[75].CreatedAt.Truncate(time.Millisecond), all[20].CreatedAt.Truncate(time.Millisecond), w.now.Add(time.Hour)}
	for _, name := range append([]string{"", "c"}, types...) {
		for _, since := range borders {
			for _, until := range borders {
				f := bellwire.EventFilter{Tenant: t.ID, Type: name, Since: since, Until: until}
				var want []*bellwire.Event
				for _, e := range all {
					if (name == "" || name == e.Type) && !e.CreatedAt.Before(since) && (until.IsZero() || e.CreatedAt.Before(until)) {
						want = append(want, e)
					}
				}
				list := func(page bellwire.Page) (*bellwire.List[*bellwire.Event], error) {
					events, err := w.store.Events(w.ctx, f, page)
					if err == nil && events.Next != "" {
						w.equal("the cursor", events.Next, bellwire.EventCursor(events.Items[len(events.Items)-1].ID))
					}
					return events, err
				}
				w.equal(fmt.Sprintf("%+v", f), pages(w, 17, list), want)
				f.OldestFirst = true
				slices.Reverse(want)
				w.equal(fmt.Sprintf("%+v", f), pages(w, 17, list), want)
			}
		}
	}
}

// listLargeEvents makes sure that a page ends where its events become too large together.
func listLargeEvents(w *world) {
	t := w.tenant()
	sizes := []int{10, bellwire.MaxPageBytes - 11, 1, 10, bellwire.MaxPageBytes + 1, 5, bellwire.MaxPageBytes / 2, bellwire.MaxPageBytes / 2}
	for _, size := range sizes {
		e := w.event(t.ID)
		e.Event.Data = append(bytes.Repeat([]byte(" "), size-1), '1')
		w.append(together(e))
		w.tick(time.Millisecond)
	}
	slices.Reverse(sizes)
	want := [][]int{sizes[:2], sizes[2:4], sizes[4:7], sizes[7:]} // newest first: each ends with what fills it
	page := bellwire.Page{Limit: 5}
	for i, lengths := range want {
		list, err := w.store.Events(w.ctx, bellwire.EventFilter{Tenant: t.ID}, page)
		w.check(err)
		var got []int
		for _, e := range list.Items {
			got = append(got, len(e.Data))
		}
		w.equal(fmt.Sprintf("page %d", i), got, lengths)
		w.equal("there is more", list.Next != "", i < len(want)-1)
		page.After = list.Next
	}
	list, err := w.store.Events(w.ctx, bellwire.EventFilter{Tenant: t.ID}, bellwire.Page{Limit: 5, Bytes: sizes[0] + 1})
	w.check(err)
	w.equal("events of a shorter page", len(list.Items), 2)
}

func listConfiguration(w *world) {
	var (
		tenants   []*bellwire.Tenant
		endpoints []*bellwire.Endpoint
		keys      []*bellwire.Key
		operators []*bellwire.Key
		types     []*bellwire.EventType
	)
	for n := range 23 {
		w.tick(time.Second)
		tenants = append([]*bellwire.Tenant{w.tenant()}, tenants...)
		types = append([]*bellwire.EventType{{Name: fmt.Sprintf("type%d", n), CreatedAt: w.now, UpdatedAt: w.now}}, types...)
		_, err := w.store.PutEventType(w.ctx, types[0])
		w.check(err)
		types[0].Revision = w.catalogue(0).Revision
	}
	owner := w.tenant()
	for range 23 {
		w.tick(time.Second)
		endpoints = append([]*bellwire.Endpoint{w.endpoint(owner)}, endpoints...)
		keys = append([]*bellwire.Key{w.newKey(owner.ID)}, keys...)
		operators = append([]*bellwire.Key{w.newKey("")}, operators...)
		w.check(w.store.CreateKey(w.ctx, keys[0]))
		w.check(w.store.CreateKey(w.ctx, operators[0]))
	}
	gone := tenants[5]
	tenants = slices.Delete(tenants, 5, 6)
	w.check(w.store.DeleteTenant(w.ctx, gone.ID, w.now))
	w.check(w.store.DeleteEndpoint(w.ctx, owner.ID, endpoints[5].ID, w.now, bellwire.ChangeNote{}))
	endpoints = slices.Delete(endpoints, 5, 6)
	owner, err := w.store.Tenant(w.ctx, owner.ID)
	w.check(err)
	tenants = append([]*bellwire.Tenant{owner}, tenants...)

	for _, limit := range []int{1, 4, 22, 23, 1000} {
		w.equal("tenants", pages(w, limit, func(p bellwire.Page) (*bellwire.List[*bellwire.Tenant], error) {
			return w.store.Tenants(w.ctx, p)
		}), tenants)
		oldest := slices.Clone(tenants)
		slices.Reverse(oldest)
		w.equal("tenants, oldest first", pages(w, limit, func(p bellwire.Page) (*bellwire.List[*bellwire.Tenant], error) {
			return w.store.OldestTenants(w.ctx, p)
		}), oldest)
		w.equal("endpoints", pages(w, limit, func(p bellwire.Page) (*bellwire.List[*bellwire.Endpoint], error) {
			return w.store.Endpoints(w.ctx, bellwire.EndpointFilter{Tenant: owner.ID}, p)
		}), endpoints)
		w.equal("keys", pages(w, limit, func(p bellwire.Page) (*bellwire.List[*bellwire.Key], error) {
			return w.store.Keys(w.ctx, owner.ID, p)
		}), keys)
		w.equal("operator keys", pages(w, limit, func(p bellwire.Page) (*bellwire.List[*bellwire.Key], error) {
			return w.store.Keys(w.ctx, "", p)
		}), operators)
		w.equal("event types", pages(w, limit, func(p bellwire.Page) (*bellwire.List[*bellwire.EventType], error) {
			return w.store.EventTypes(w.ctx, p)
		}), types)
	}
	w.equal("the catalogue", w.catalogue(0).Changed, types)
}

func badCursors(w *world) {
	t := w.tenant()
	ep := w.endpoint(t)
	for _, cursor := range []bellwire.Cursor{"!", "AA", "AAAA AAAA", bellwire.MakeCursor([]byte("five?")), bellwire.MakeCursor(make([]byte, 64))} {
		page := bellwire.Page{Limit: 10, After: cursor}
		for name, read := range map[string]func() error{
			"Tenants":       func() error { _, err := w.store.Tenants(w.ctx, page); return err },
			"Keys":          func() error { _, err := w.store.Keys(w.ctx, t.ID, page); return err },
			"Operator keys": func() error { _, err := w.store.Keys(w.ctx, "", page); return err },
			"EventTypes":    func() error { _, err := w.store.EventTypes(w.ctx, page); return err },
			"Endpoints": func() error {
				_, err := w.store.Endpoints(w.ctx, bellwire.EndpointFilter{Tenant: t.ID}, page)
				return err
			},
			"Events": func() error {
				_, err := w.store.Events(w.ctx, bellwire.EventFilter{Tenant: t.ID}, page)
				return err
			},
			"Events, oldest first": func() error {
				_, err := w.store.Events(w.ctx, bellwire.EventFilter{Tenant: t.ID, OldestFirst: true}, page)
				return err
			},
			"EndpointHistory": func() error { _, err := w.store.EndpointHistory(w.ctx, t.ID, ep.ID, page); return err },
			"AuditEntries": func() error {
				_, err := w.store.AuditEntries(w.ctx, bellwire.AuditFilter{Tenant: t.ID}, page)
				return err
			},
			"Deliveries": func() error {
				_, err := w.store.Deliveries(w.ctx, bellwire.DeliveryFilter{Tenant: t.ID}, page)
				return err
			},
			"AllDeliveries": func() error { _, err := w.store.AllDeliveries(w.ctx, page); return err },
		} {
			if err := read(); bellwire.CodeOf(err) != bellwire.CodeInvalid {
				w.Errorf("%s after %q: got %v, want the code invalid", name, cursor, err)
			}
		}
	}
}
