package service_test

import (
	"fmt"
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

// TestFindAllDeliveries lists the deliveries of two tenants with each filter.
func TestFindAllDeliveries(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.putType("card.blocked", service.EventTypeInput{})
	acme, other, gone := e.tenant("acme"), e.tenant("other"), e.tenant("gone")
	failing, open := e.endpoint(acme), e.endpoint(other)
	named := map[string]string{}
	e.fail(acme, failing.ID, "no such host")
	for name, ep := range map[string]*service.Endpoint{"failed": failing, "open": open, "deleted": e.endpoint(gone)} {
		if name != "failed" {
			e.publishMany(ep.Tenant, "order.created", 1)
		}
		list, err := e.Deliveries(t.Context(), admin, bellwire.DeliveryFilter{Tenant: ep.Tenant}, bellwire.Page{})
		if err != nil || len(list.Items) != 1 {
			t.Fatalf("%+v, %v", list, err)
		}
		named[list.Items[0].ID.String()] = name
	}
	if err := e.DeleteTenant(t.Context(), admin, gone); err != nil {
		t.Fatal(err)
	}
	of := func(tenant string) service.DeliveryQuery {
		return service.DeliveryQuery{DeliveryFilter: bellwire.DeliveryFilter{Tenant: tenant}}
	}
	to := func(endpoint string) service.DeliveryQuery {
		return service.DeliveryQuery{DeliveryFilter: bellwire.DeliveryFilter{Endpoint: endpoint}}
	}
	hour := time.Now().Add(time.Hour)
	for name, c := range map[string]struct {
		q    service.DeliveryQuery
		want []string
	}{
		"all":                          {service.DeliveryQuery{}, []string{"failed", "open"}},
		"of a tenant":                  {of(acme), []string{"failed"}},
		"to an endpoint":               {to(open.ID), []string{"open"}},
		"to an unknown endpoint":       {to("ep_none"), nil},
		"to another tenant's endpoint": {service.DeliveryQuery{DeliveryFilter: bellwire.DeliveryFilter{Tenant: acme, Endpoint: open.ID}}, nil},
		"exhausted":                    {service.DeliveryQuery{DeliveryFilter: bellwire.DeliveryFilter{Status: bellwire.DeliveryExhausted}}, []string{"failed"}},
		"of a type":                    {service.DeliveryQuery{Type: "order.created"}, []string{"failed", "open"}},
		"of another type":              {service.DeliveryQuery{Type: "card.blocked"}, nil},
		"of a dialect":                 {service.DeliveryQuery{Dialect: "standard"}, []string{"failed", "open"}},
		"of another dialect":           {service.DeliveryQuery{Dialect: "bare"}, nil},
		"that found no host":           {service.DeliveryQuery{Outcome: bellwire.OutcomeDNS}, []string{"failed"}},
		"that timed out":               {service.DeliveryQuery{Outcome: bellwire.OutcomeTimeout}, nil},
		"since later":                  {service.DeliveryQuery{Since: hour}, nil},
		"until later":                  {service.DeliveryQuery{Until: hour}, []string{"failed", "open"}},
		"until earlier":                {service.DeliveryQuery{Until: hour.Add(-2 * time.Hour)}, nil},
	} {
		for _, limit := range []int{1, 250} {
			var got []string
			for page := (bellwire.Page{Limit: limit}); ; {
				list, err := e.FindAllDeliveries(t.Context(), admin, c.q, page)
				if err != nil {
					t.Fatal(err)
				}
				for _, d := range list.Items {
					got = append(got, named[d.ID.String()])
				}
				if page.After = list.Next; page.After == "" {
					break
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("%s, in pages of %d: %q, want %q", name, limit, got, c.want)
			}
		}
	}
	for field, q := range map[string]service.DeliveryQuery{
		"status": {DeliveryFilter: bellwire.DeliveryFilter{Status: "lost"}}, "outcome": {Outcome: "bad"}, "dialect": {Dialect: "latin"},
	} {
		_, err := e.FindAllDeliveries(t.Context(), admin, q, bellwire.Page{})
		wantCode(t, err, bellwire.CodeInvalid, field)
	}
	_, err := e.FindAllDeliveries(t.Context(), admin, of("nobody"), bellwire.Page{})
	wantCode(t, err, bellwire.CodeNotFound, "")
}

// TestSearchOfAllDeliveriesIsBounded looks past thousands of deliveries of a deleted tenant.
func TestSearchOfAllDeliveriesIsBounded(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	kept := e.tenant("kept")
	e.endpoint(kept)
	e.publishMany(kept, "order.created", 1)
	gone := e.limited("gone", map[string]float64{"publish_rate": 0})
	e.endpoint(gone)
	e.publishMany(gone, "order.created", 3000)
	if err := e.DeleteTenant(t.Context(), admin, gone); err != nil {
		t.Fatal(err)
	}
	first, err := e.FindAllDeliveries(t.Context(), admin, service.DeliveryQuery{}, bellwire.Page{})
	if err != nil || len(first.Items) != 0 || first.Next == "" {
		t.Fatalf("got %+v, %v; want no deliveries, and a cursor", first, err)
	}
	rest, err := e.FindAllDeliveries(t.Context(), admin, service.DeliveryQuery{}, bellwire.Page{After: first.Next})
	if err != nil || len(rest.Items) != 1 || rest.Next != "" {
		t.Fatalf("got %+v, %v; want the one delivery", rest, err)
	}
}

// TestEndpointsByWaiting lists endpoints with most waiting deliveries first, in pages, with filters, and over all tenants.
func TestEndpointsByWaiting(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	counts := map[string]int{}
	for i, tenant := range []string{e.tenant("acme"), e.tenant("other"), e.tenant("third")} {
		ep := e.endpoint(tenant)
		for range 3 - i {
			e.delivery(tenant, ep.ID)
		}
		counts[ep.ID] = 3 - i
	}
	e.endpoint("other") // nothing waits for it
	list := func(q service.EndpointQuery, limit int) (got []int) {
		q.Sort = service.SortWaiting
		for page := (bellwire.Page{Limit: limit}); ; {
			list, err := e.AllEndpoints(t.Context(), admin, q, page)
			if err != nil {
				t.Fatal(err)
			}
			for _, ep := range list.Items {
				if ep.Health.Waiting != counts[ep.ID] || ep.Health.WaitingCapped {
					t.Errorf("%d wait for an endpoint, want %d", ep.Health.Waiting, counts[ep.ID])
				}
				got = append(got, ep.Health.Waiting)
			}
			if page.After = list.Next; page.After == "" {
				return got
			}
		}
	}
	for _, limit := range []int{1, 2, 50} {
		for want, q := range map[string]service.EndpointQuery{
			"[3 2 1]": {},
			"[3]":     {EndpointFilter: bellwire.EndpointFilter{Tenant: "acme"}},
			"[2]":     {EndpointFilter: bellwire.EndpointFilter{Tenant: "other", Health: bellwire.HealthIdle}},
			"[]":      {EndpointFilter: bellwire.EndpointFilter{Health: bellwire.HealthFailing}},
		} {
			if got := fmt.Sprint(list(q, limit)); got != want {
				t.Errorf("%+v in pages of %d: %s, want %s", q, limit, got, want)
			}
		}
	}
	_, err := e.AllEndpoints(t.Context(), admin, service.EndpointQuery{Sort: "name"}, bellwire.Page{})
	wantCode(t, err, bellwire.CodeInvalid, "sort")
}
