package service_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

// fail records a failure of an endpoint that ends its delivery.
func (e *env) fail(tenant, endpoint, message string) {
	e.t.Helper()
	e.end(tenant, endpoint, message, bellwire.Transition{Status: bellwire.DeliveryExhausted})
}

// gone records that an endpoint wants nothing more, which disables it.
func (e *env) gone(tenant, endpoint string) {
	e.t.Helper()
	e.end(tenant, endpoint, "gone", bellwire.Transition{Status: bellwire.DeliveryCanceled, Reason: bellwire.ReasonEndpointGone})
}

// end records an attempt that ends a new delivery.
func (e *env) end(tenant, endpoint, message string, how bellwire.Transition) {
	e.t.Helper()
	e.endOf(e.delivery(tenant, endpoint).ID, endpoint, message, how)
}

// endOf does that with a delivery that is the only one that is due.
func (e *env) endOf(delivery bellwire.DeliveryID, endpoint, message string, how bellwire.Transition) {
	e.t.Helper()
	ep, err := e.store.Endpoint(e.t.Context(), endpoint)
	if err != nil {
		e.t.Fatal(err)
	}
	leases, err := e.store.RenewLeases(e.t.Context(), "node")
	if err != nil {
		e.t.Fatal(err)
	}
	claimed, err := e.store.ClaimDue(e.t.Context(), time.Now(), []bellwire.Claim{{
		Endpoint: endpoint, Epoch: leases.Epoch(endpoint), Limit: 1, MaxBytes: 1 << 20,
	}})
	if err != nil || len(claimed[0].Due) != 1 {
		e.t.Fatalf("claimed %+v: %v", claimed, err)
	}
	_, err = e.store.RecordResults(e.t.Context(), []*bellwire.Result{{
		Attempt:  &bellwire.Attempt{ID: bellwire.NewID[bellwire.AttemptKind](time.Now()), Delivery: delivery, Outcome: bellwire.OutcomeDNS, Error: message},
		Delivery: delivery, Trigger: bellwire.TriggerSchedule, Epoch: leases.Epoch(endpoint), EndedAt: time.Now(), Endpoint: endpoint,
		Transition: how, Disable: how.Status == bellwire.DeliveryCanceled, EndpointRevision: ep.Revision, Health: bellwire.HealthNote{Kind: bellwire.HealthCounts},
	}})
	if err != nil {
		e.t.Fatal(err)
	}
}

func TestEndpointsAreFoundByHealth(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	acme, other := e.tenant("acme"), e.tenant("other")
	failing, idle := e.endpoint(acme), e.endpoint(acme)
	elsewhere := e.endpoint(other)
	e.fail(acme, failing.ID, "it broke")
	e.fail(other, elsewhere.ID, "it broke, too")
	for _, c := range []struct {
		f    bellwire.EndpointFilter
		want string
	}{
		{bellwire.EndpointFilter{}, elsewhere.ID + " " + idle.ID + " " + failing.ID},
		{bellwire.EndpointFilter{Health: bellwire.HealthFailing}, elsewhere.ID + " " + failing.ID},
		{bellwire.EndpointFilter{Health: bellwire.HealthFailing, Tenant: acme}, failing.ID},
		{bellwire.EndpointFilter{Health: bellwire.HealthIdle}, idle.ID},
		{bellwire.EndpointFilter{Status: bellwire.EndpointPaused}, ""},
		{bellwire.EndpointFilter{Dialect: "standard", Tenant: other}, elsewhere.ID},
	} {
		list, err := e.AllEndpoints(t.Context(), admin, service.EndpointQuery{EndpointFilter: c.f}, bellwire.Page{})
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, ep := range list.Items {
			ids = append(ids, ep.ID)
		}
		if got := strings.Join(ids, " "); got != c.want {
			t.Errorf("%+v finds %q, want %q", c.f, got, c.want)
		}
	}
	for field, f := range map[string]bellwire.EndpointFilter{
		"health": {Health: "ill"}, "status": {Status: "on"}, "dialect": {Dialect: "latin"},
	} {
		_, err := e.AllEndpoints(t.Context(), admin, service.EndpointQuery{EndpointFilter: f}, bellwire.Page{})
		wantCode(t, err, bellwire.CodeInvalid, field)
	}
	_, err := e.AllEndpoints(t.Context(), admin, service.EndpointQuery{EndpointFilter: bellwire.EndpointFilter{Tenant: "nobody"}}, bellwire.Page{})
	wantCode(t, err, bellwire.CodeNotFound, "")
}

// Whoever may not see the URL does not see it in the reason of a failure.
func TestHealthHidesTheURL(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	acme := e.tenant("acme")
	in := minimal()
	in.URL = new("https://example.com/hooks/q7Zx9Lk2Vb4Nw8Rt")
	ep, _, err := e.CreateEndpoint(t.Context(), admin, acme, in)
	if err != nil {
		t.Fatal(err)
	}
	e.fail(acme, ep.ID, "the endpoint redirects to /hooks/q7Zx9Lk2Vb4Nw8Rt/")
	for role, hides := range map[bellwire.Role]bool{bellwire.RoleTenant: false, bellwire.RoleTenantRead: true} {
		c := service.Caller{Role: role, Tenant: acme}
		read, err := e.Endpoint(t.Context(), c, acme, ep.ID)
		if err != nil {
			t.Fatal(err)
		}
		list, err := e.Endpoints(t.Context(), c, service.EndpointQuery{EndpointFilter: bellwire.EndpointFilter{Tenant: acme}}, bellwire.Page{})
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range []*bellwire.EndpointHealth{read.Health, list.Items[0].Health} {
			if h.State != bellwire.HealthFailing || strings.Contains(h.Reason(), "q7Zx9Lk2Vb4Nw8Rt") == hides {
				t.Errorf("to %s it is %s because %q", role, h.State, h.Reason())
			}
			if outcome, problem := h.Last(); outcome != bellwire.OutcomeDNS || strings.Contains(problem, "q7Zx9Lk2Vb4Nw8Rt") == hides {
				t.Errorf("to %s the last attempt is %s: %q", role, outcome, problem)
			}
		}
	}
}
