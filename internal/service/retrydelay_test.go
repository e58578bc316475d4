package service_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

func delays(each ...time.Duration) []bellwire.Duration {
	list := make([]bellwire.Duration, len(each))
	for i, d := range each {
		list[i] = bellwire.Duration(d)
	}
	return list
}

// No policy can have a delay below the tenant's limit, in any of its forms. One that an endpoint has already can stay, and can be
// given again with a change of something else.
func TestRetriesAreNotFasterThanTheLimit(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	ms, second := bellwire.Duration(time.Millisecond), bellwire.Duration(time.Second)
	input := func(p bellwire.RetryPolicy) service.EndpointInput {
		return service.EndpointInput{URL: new("https://example.com"), Events: &[]string{"*"}, Retry: &p}
	}
	for _, tc := range []struct {
		field  string
		policy bellwire.RetryPolicy
	}{
		{"retry.schedule[1]", bellwire.RetryPolicy{Schedule: delays(time.Second, 999*time.Millisecond)}},
		{"retry.schedule[0]", bellwire.RetryPolicy{Schedule: delays(0)}},
		{"retry.interval", bellwire.RetryPolicy{Interval: ms, Count: 100}},
		{"retry.initial", bellwire.RetryPolicy{Initial: ms, Factor: 2, MaxElapsed: second}},
	} {
		t.Run(tc.field, func(t *testing.T) {
			_, _, err := e.CreateEndpoint(t.Context(), admin, tenant, input(tc.policy))
			wantCode(t, err, bellwire.CodeInvalid, tc.field)
		})
	}
	for _, p := range []bellwire.RetryPolicy{
		{}, {Interval: 0, Count: 0}, {Schedule: delays(time.Second)}, {Interval: second, Count: 100}, {Initial: second, Factor: 1, MaxElapsed: second},
	} {
		t.Run(fmt.Sprintf("%+v", p), func(t *testing.T) {
			if _, _, err := e.CreateEndpoint(t.Context(), admin, tenant, input(p)); err != nil {
				t.Errorf("%+v: %v", p, err)
			}
		})
	}

	least := func(seconds float64) {
		t.Helper()
		if _, err := e.UpdateTenant(t.Context(), admin, tenant, service.TenantChange{Limits: map[string]*float64{"min_retry_delay": &seconds}}); err != nil {
			t.Fatal(err)
		}
	}
	least(0.001)
	old := bellwire.RetryPolicy{Interval: ms, Count: 3}
	ep, _, err := e.CreateEndpoint(t.Context(), admin, tenant, input(old))
	if err != nil {
		t.Fatal(err)
	}
	least(5)
	again := input(old)
	again.Description = new("changed")
	if _, err := e.UpdateEndpoint(t.Context(), admin, tenant, ep.ID, again); err != nil {
		t.Errorf("the policy that it has: %v", err)
	}
	_, err = e.UpdateEndpoint(t.Context(), admin, tenant, ep.ID, service.EndpointInput{Retry: &bellwire.RetryPolicy{Interval: second, Count: 3}})
	wantCode(t, err, bellwire.CodeInvalid, "retry.interval")
}
