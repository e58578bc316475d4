package service_test

import (
	"context"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

// auths are the authentications of stored endpoints.
func (e *env) auths(ctx context.Context, ids ...string) (list []bellwire.Auth) {
	e.t.Helper()
	for _, id := range ids {
		ep, err := e.store.Endpoint(ctx, id)
		if err != nil {
			e.t.Fatal(err)
		}
		c, err := e.keyring.OpenCredentials(id, ep.Sealed)
		if err != nil {
			e.t.Fatal(err)
		}
		list = append(list, c.Auth)
	}
	return list
}

// New endpoints without an authentication of their own get that of the tenant's settings of their dialect.
func TestDefaultAuth(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	ctx, tenant := t.Context(), e.tenant("acme")
	want := bellwire.Auth{Type: bellwire.AuthAPIKey, Header: "X-Key", Key: "hunter2"}
	set := func(settings *bellwire.DialectSettings) *bellwire.Tenant {
		t.Helper()
		changed, err := e.UpdateTenant(ctx, admin, tenant, service.TenantChange{Dialects: bellwire.SettingsByDialect{"standard": settings}})
		if err != nil {
			t.Fatal(err)
		}
		return changed
	}
	stored := set(&bellwire.DialectSettings{Auth: &want}).Dialects["standard"]
	if stored.Auth.Key != "" || stored.Auth.Header != "X-Key" || len(stored.SealedAuth) == 0 || strings.Contains(string(stored.SealedAuth), "hunter2") {
		t.Errorf("stored is %+v with %q", stored.Auth, stored.SealedAuth)
	}
	url, events := "https://example.com/hook", []string{"*"}
	none, own := bellwire.Auth{Type: bellwire.AuthNone}, bellwire.Auth{Type: bellwire.AuthBearer, Token: "own"}
	create := func(in service.EndpointInput) string {
		t.Helper()
		in.URL, in.Events = &url, &events
		ep, _, err := e.CreateEndpoint(ctx, admin, tenant, in)
		if err != nil {
			t.Fatal(err)
		}
		return ep.ID
	}
	first, second, third := create(service.EndpointInput{}), create(service.EndpointInput{Auth: &none}), create(service.EndpointInput{Auth: &own})
	other := create(service.EndpointInput{Dialect: new("bare")})
	if got := e.auths(ctx, first, second, third, other); got[0] != want || got[1] != none || got[2] != own || got[3] != none {
		t.Errorf("the endpoints have %+v", got)
	}
	if _, _, _, err := e.PutEndpoint(ctx, admin, tenant, third, service.EndpointInput{URL: &url, Events: &events}); err != nil {
		t.Fatal(err)
	}
	if got := e.auths(ctx, third); got[0] != want {
		t.Errorf("replaced without an auth, the endpoint has %+v", got)
	}

	// A change of other settings keeps it, and what is imported is as it was.
	if stored := set(&bellwire.DialectSettings{UserAgent: "Acme/1"}).Dialects["standard"]; stored.Auth == nil || stored.SealedAuth == nil {
		t.Errorf("after another change it is %+v", stored)
	}
	im, err := e.BeginImport(ctx, admin, false)
	if err != nil {
		t.Fatal(err)
	}
	err = im.Endpoint(ctx, 1, tenant, service.EndpointInput{URL: &url, Events: &events, Origins: &service.Origins{ID: "we_1"}})
	report, finished := im.Finish(ctx)
	im.End()
	if err := bellwire.Join(err, finished); err != nil || report.FaultCount > 0 {
		t.Fatalf("%v, %+v", err, report)
	}
	if got := e.auths(ctx, "we_1", first); got[0] != none || got[1] != want {
		t.Errorf("the imported endpoint and the first have %+v", got)
	}
	set(&bellwire.DialectSettings{Auth: &none, UserAgent: "Acme/1"})
	if got := e.auths(ctx, create(service.EndpointInput{})); got[0] != none {
		t.Errorf("without a default, an endpoint has %+v", got)
	}
	if _, err := e.UpdateTenant(ctx, admin, tenant, service.TenantChange{Dialects: bellwire.SettingsByDialect{"standard": {Auth: &bellwire.Auth{Type: bellwire.AuthBearer}}}}); bellwire.CodeOf(err) != bellwire.CodeInvalid ||
		!strings.Contains(err.Error(), "dialects.standard.auth.token") {
		t.Errorf("without a token: %v", err)
	}
}
