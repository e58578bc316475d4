package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

var pendingTests = []test{
	{name: "Lists/WhatIsPending", run: listPending},
}

// listPending pages through pending deliveries of every kind: free or claimed, with and without a valid order number,
// tests, with a manual retry, and of endpoints that are paused or deleted.
func listPending(w *world) {
	t := w.tenant()
	endpoints := []*bellwire.Endpoint{
		w.endpoint(t), w.endpoint(t, fifo), w.endpoint(t, fifo), w.endpoint(t),
		w.endpoint(t, func(ep *bellwire.Endpoint) { ep.Status = bellwire.EndpointPaused }),
	}
	var want []*bellwire.Delivery
	for n := range 24 {
		e := w.event(t.ID, endpoints...)
		for i := range e.Deliveries {
			d := &e.Deliveries[i]
			if (n+i)%3 == 0 {
				d.Epoch = w.leases.Epoch(d.Endpoint)
			}
			if (n+i)%4 == 0 {
				d.Manual, d.Ordered = true, false
			}
		}
		w.append(together(e))
		for i, d := range e.Deliveries {
			if (n+i)%5 == 0 {
				w.request(endpoints[i], d.ID)
			}
			if (n+i)%7 == 0 { // in between lies what has come further
				w.record(w.result(*w.load(t.ID, d.ID), success))
				continue
			}
			want = append(want, w.load(t.ID, d.ID))
		}
		if n%8 == 0 {
			w.tick(time.Millisecond)
		}
	}
	slices.Reverse(want)
	endpoints[2].Ordering = bellwire.OrderingNone
	w.check(w.store.UpdateEndpoint(w.ctx, endpoints[2], bellwire.ChangeNote{}))
	w.claim(endpoints[2], 0) // which ends the order of what is there
	w.check(w.store.DeleteEndpoint(w.ctx, t.ID, endpoints[3].ID, w.now, bellwire.ChangeNote{}))
	foreign := w.endpoint(w.tenant())
	w.publish(foreign)

	filters := []bellwire.DeliveryFilter{{Tenant: t.ID}, {Tenant: t.ID, Event: want[0].Event}}
	for _, ep := range endpoints {
		filters = append(filters, bellwire.DeliveryFilter{Tenant: t.ID, Endpoint: ep.ID})
	}
	for _, f := range filters {
		f.Status = bellwire.DeliveryPending
		var chosen []bellwire.DeliveryID
		for _, d := range want {
			if (f.Endpoint == "" || f.Endpoint == d.Endpoint) && (f.Event.IsZero() || f.Event == d.Event) {
				chosen = append(chosen, d.ID)
			}
		}
		for _, limit := range []int{1, 9, len(chosen), 1000} {
			var got []bellwire.DeliveryID
			for _, d := range pages(w, limit, func(page bellwire.Page) (*bellwire.List[*bellwire.Delivery], error) {
				return w.store.Deliveries(w.ctx, f, page)
			}) {
				got = append(got, d.ID)
			}
			w.equal(fmt.Sprintf("%+v in pages of %d", f, limit), got, chosen)
		}
	}
}
