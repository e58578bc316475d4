package service_test

import (
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

// TestReenable checks that a vendor's change of the URL enables only what Bellwire itself has disabled.
func TestReenable(t *testing.T) {
	t.Parallel()
	native := func(in service.EndpointInput) func(*env, string) {
		return func(e *env, id string) { e.mustChange(id, in) }
	}
	gone := func(e *env, id string) { e.gone("acme", id) }
	rotate := func(e *env, id string) {
		if _, err := e.RotateSecret(e.t.Context(), admin, "acme", id, nil); err != nil {
			e.t.Fatal(err)
		}
	}
	disabled, paused := bellwire.EndpointDisabled, bellwire.EndpointPaused
	for name, c := range map[string]struct {
		steps []func(*env, string)
		want  bellwire.EndpointStatus
	}{
		"by Bellwire":                         {[]func(*env, string){gone}, bellwire.EndpointEnabled},
		"by Bellwire, then changed":           {[]func(*env, string){gone, native(service.EndpointInput{URL: new("https://example.com/x")}), rotate}, bellwire.EndpointEnabled},
		"by Bellwire, then disabled again":    {[]func(*env, string){gone, native(service.EndpointInput{Status: &disabled, StatusReason: new("it does not pay")})}, disabled},
		"by Bellwire, enabled, then a person": {[]func(*env, string){gone, native(enabling()), native(service.EndpointInput{Status: &disabled})}, disabled},
		"by a person":                         {[]func(*env, string){native(service.EndpointInput{Status: &disabled})}, disabled},
		"by a person, then changed":           {[]func(*env, string){native(service.EndpointInput{Status: &disabled}), rotate}, disabled},
		"paused":                              {[]func(*env, string){native(service.EndpointInput{Status: &paused})}, paused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			ep := e.endpoint(e.tenant("acme"))
			for _, step := range c.steps {
				step(e, ep.ID)
			}
			for _, reenable := range []bool{false, true} {
				was, err := e.Endpoint(t.Context(), admin, "acme", ep.ID)
				if err != nil {
					t.Fatal(err)
				}
				k, err := e.ForDialect("standard").Update(t.Context(), admin, "acme", ep.ID, func(*service.EndpointView) (service.EndpointInput, error) {
					return service.EndpointInput{URL: new("https://example.com/new"), Reenable: reenable}, nil
				})
				if err != nil {
					t.Fatal(err)
				}
				want := was.Status
				if reenable {
					want = c.want
				}
				if k.Status != want || want == bellwire.EndpointEnabled && k.StatusReason != "" {
					t.Errorf("reenable %t: it is %s, %q, want %s", reenable, k.Status, k.StatusReason, want)
				}
			}
		})
	}
}

// TestReenableWithoutHistory leaves an endpoint disabled that was created so.
func TestReenableWithoutHistory(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	in := minimal()
	in.Status = new(bellwire.EndpointDisabled)
	ep, _, err := e.CreateEndpoint(t.Context(), admin, tenant, in)
	if err != nil {
		t.Fatal(err)
	}
	k, err := e.ForDialect("standard").Update(t.Context(), admin, tenant, ep.ID, func(*service.EndpointView) (service.EndpointInput, error) {
		return service.EndpointInput{Reenable: true}, nil
	})
	if err != nil || k.Status != bellwire.EndpointDisabled {
		t.Errorf("it is %+v, %v", k, err)
	}
}
