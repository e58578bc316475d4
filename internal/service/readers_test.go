package service_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

// TestReadersSeeNoSecretsInURLs looks at an endpoint whose URL carries tokens, as those of chat systems do, and at an
// attempt whose answer repeats them, with a key that may see secrets and with one that may not.
func TestReadersSeeNoSecretsInURLs(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	const (
		token = "xoGkL29dkf83JdkfQw0sdlf3"
		full  = "https://hooks.example.com/services/" + token + "?key=open-sesame"
		less  = "https://hooks.example.com/services/[redacted]?key=[redacted]"
	)
	in := minimal()
	in.URL = new(full)
	ep, _, err := e.CreateEndpoint(t.Context(), admin, tenant, in)
	if err != nil || ep.URL != full {
		t.Fatal(ep, err)
	}
	d := e.delivery(tenant, ep.ID)
	_, err = e.store.RecordResults(t.Context(), []*bellwire.Result{{
		Delivery: d.ID, Transition: bellwire.Transition{Status: bellwire.DeliverySucceeded}, EndedAt: time.Now(), Endpoint: ep.ID,
		Attempt: &bellwire.Attempt{
			ID: bellwire.NewID[bellwire.AttemptKind](time.Now()), Delivery: d.ID, Trigger: bellwire.TriggerSchedule, StartedAt: time.Now(),
			Outcome: bellwire.OutcomeStatus, Error: "Nobody is at /services/" + token + ".", Request: bellwire.AttemptRequest{URL: full},
			Response: &bellwire.AttemptResponse{
				Status: 301, Headers: []bellwire.Header{{Name: "Location", Value: "https://other.example.com/" + token}},
				Body: []byte("moved to " + token + "?key=open-sesame"),
			},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		role bellwire.Role
		want string
	}{{bellwire.RoleAdmin, full}, {bellwire.RoleTenant, full}, {bellwire.RoleTenantRead, less}} {
		c := service.Caller{Role: tc.role}
		if tc.role.OfTenant() {
			c.Tenant = tenant
		}
		one, err := e.Endpoint(t.Context(), c, tenant, ep.ID)
		if err != nil || one.URL != tc.want {
			t.Errorf("%s: %+v, %v", tc.role, one, err)
		}
		list, err := e.Endpoints(t.Context(), c, service.EndpointQuery{EndpointFilter: bellwire.EndpointFilter{Tenant: tenant}}, bellwire.Page{})
		if err != nil || list.Items[0].URL != tc.want {
			t.Errorf("%s: %+v, %v", tc.role, list, err)
		}
		known, err := e.ForDialect("standard").Get(t.Context(), c, tenant, ep.ID)
		if err != nil || known.URL != tc.want {
			t.Errorf("%s: %+v, %v", tc.role, known, err)
		}
		all, err := e.ForDialect("standard").List(t.Context(), c, tenant)
		if err != nil || all[0].URL != tc.want {
			t.Errorf("%s: %+v, %v", tc.role, all, err)
		}
		_, attempts, err := e.Delivery(t.Context(), c, tenant, d.ID)
		if err != nil || len(attempts) != 1 || attempts[0].Request.URL != tc.want {
			t.Fatalf("%s: %+v, %v", tc.role, attempts, err)
		}
		a := attempts[0]
		for _, text := range []string{a.Error, a.Response.Headers[0].Value, string(a.Response.Body)} {
			if strings.Contains(text, token) != (tc.want == full) {
				t.Errorf("%s sees %s", tc.role, text)
			}
		}
		if strings.Contains(string(a.Response.Body), "open-sesame") != (tc.want == full) {
			t.Errorf("%s sees %s", tc.role, a.Response.Body)
		}
	}
}
