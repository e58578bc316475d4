package service_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

// publishMany publishes n events of a type in batches.
func (e *env) publishMany(tenant, eventType string, n int) {
	e.t.Helper()
	for n > 0 {
		batch := slices.Repeat([]service.Draft{{Type: eventType, Data: []byte(`{}`)}}, min(n, service.MaxBatchEvents))
		if _, err := e.PublishBatch(e.t.Context(), admin, tenant, batch); err != nil {
			e.t.Fatal(err)
		}
		n -= len(batch)
	}
}

// TestFindDeliveries lists deliveries by type and time, in pages of different sizes, and compares them with all deliveries.
func TestFindDeliveries(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.putType("card.blocked", service.EventTypeInput{})
	tenant := e.limited("acme", map[string]float64{"publish_rate": 0})
	in := minimal()
	in.Events = &[]string{"*"}
	if _, _, err := e.CreateEndpoint(t.Context(), admin, tenant, in); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		e.publishMany(tenant, "order.created", 40)
		e.publishMany(tenant, "card.blocked", 7)
	}
	find := func(q service.DeliveryQuery, limit int) (ids []bellwire.DeliveryID) {
		q.Tenant = tenant
		for page := (bellwire.Page{Limit: limit}); ; {
			list, err := e.FindDeliveries(t.Context(), admin, q, page)
			if err != nil {
				t.Fatal(err)
			}
			if len(list.Items) > limit {
				t.Errorf("a page of %d has %d", limit, len(list.Items))
			}
			for _, d := range list.Items {
				ids = append(ids, d.ID)
			}
			if page.After = list.Next; page.After == "" {
				return ids
			}
		}
	}
	all := find(service.DeliveryQuery{}, 250)
	if len(all) != 141 {
		t.Fatalf("%d deliveries, want 141", len(all))
	}
	since, until := all[100].Time(), all[20].Time()
	for _, q := range []service.DeliveryQuery{
		{Type: "card.blocked"}, {Type: "nothing"}, {Since: since}, {Until: until}, {Since: since, Until: until},
		{Type: "order.created", Since: since, Until: until}, {Since: until, Until: since}, {Since: time.Now().Add(time.Hour)},
		{Type: "order.created", DeliveryFilter: bellwire.DeliveryFilter{Status: bellwire.DeliverySucceeded}},
	} {
		var want []bellwire.DeliveryID
		for _, id := range all {
			d, _, err := e.Delivery(t.Context(), admin, tenant, id)
			if err != nil {
				t.Fatal(err)
			}
			at := id.Time()
			if (q.Type == "" || q.Type == d.EventType) && (q.Status == "" || q.Status == d.Status) && !at.Before(q.Since.Truncate(time.Millisecond)) && (q.Until.IsZero() || at.Before(q.Until)) {
				want = append(want, id)
			}
		}
		for _, limit := range []int{1, 7, 250} {
			if diff := cmp.Diff(want, find(q, limit)); diff != "" {
				t.Errorf("%+v in pages of %d: %s", q, limit, diff)
			}
		}
	}
}

// TestSearchForDeliveriesIsBounded looks for a type that thousands of deliveries do not have.
func TestSearchForDeliveriesIsBounded(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.limited("acme", map[string]float64{"publish_rate": 0})
	e.endpoint(tenant)
	e.publishMany(tenant, "order.created", 3000)
	q := service.DeliveryQuery{DeliveryFilter: bellwire.DeliveryFilter{Tenant: tenant}, Type: "nothing"}
	first, err := e.FindDeliveries(t.Context(), admin, q, bellwire.Page{})
	if err != nil || len(first.Items) != 0 || first.Next == "" {
		t.Fatalf("got %+v, %v; want no deliveries, and a cursor", first, err)
	}
	rest, err := e.FindDeliveries(t.Context(), admin, q, bellwire.Page{After: first.Next})
	if err != nil || len(rest.Items) != 0 || rest.Next != "" {
		t.Fatalf("got %+v, %v; want the end", rest, err)
	}
}
