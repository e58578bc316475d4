package service_test

import (
	"encoding/json"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

func TestPrepare(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	ctx := t.Context()
	prepare := func() (revision int64) {
		t.Helper()
		if err := e.Prepare(ctx); err != nil {
			t.Fatal(err)
		}
		changes, err := e.store.CatalogueSince(ctx, 0)
		if err != nil || len(changes.Changed) != len(bellwire.OperationalTypes)+1 {
			t.Fatalf("the catalogue has %d types, error %v", len(changes.Changed), err)
		}
		return changes.Revision
	}
	first := prepare()
	if again := prepare(); again != first {
		t.Errorf("the second start changed the catalogue: revision %d after %d", again, first)
	}
	old := &bellwire.EventType{Name: bellwire.OperationalFailing, Archived: true}
	if _, err := e.store.PutEventType(ctx, old); err != nil {
		t.Fatal(err)
	}
	prepare()
	if now, err := e.EventType(ctx, admin, old.Name); err != nil || now.Archived || now.Group != "bellwire" || len(now.Schema) == 0 {
		t.Errorf("the type was not replaced: %+v, %v", now, err)
	}
	if tenant, err := e.Tenant(ctx, admin, bellwire.OperationsTenant); err != nil || !tenant.OperationalEvents {
		t.Errorf("the tenant is %+v, %v", tenant, err)
	}
	ep, _, err := e.CreateEndpoint(ctx, admin, bellwire.OperationsTenant, service.EndpointInput{
		URL: new("https://example.com/hooks"), Events: &[]string{"bellwire.endpoint.failing", "bellwire.*"},
	})
	if err != nil || ep.Tenant != bellwire.OperationsTenant {
		t.Errorf("an endpoint of the tenant: %+v, %v", ep, err)
	}
}

// A tenant from before that happens to have the name stays a customer.
func TestPrepareKeepsATenant(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.tenant(bellwire.OperationsTenant)
	if err := e.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if tenant, err := e.Tenant(t.Context(), admin, bellwire.OperationsTenant); err != nil || tenant.OperationalEvents {
		t.Errorf("the tenant is %+v, %v", tenant, err)
	}
	wantCode(t, e.DeleteTenant(t.Context(), admin, bellwire.OperationsTenant), "", "")
}

func TestOperationalIsReserved(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	ctx := t.Context()
	if err := e.Prepare(ctx); err != nil {
		t.Fatal(err)
	}
	acme := e.tenant("acme")
	if _, err := e.store.PutEventType(ctx, &bellwire.EventType{Name: "bellwire.from.before"}); err != nil {
		t.Fatal(err)
	}
	for name, refusal := range map[string]struct {
		code  bellwire.Code
		field string
		do    func() error
	}{
		"put a type": {bellwire.CodeInvalid, "name", func() error {
			_, _, err := e.PutEventType(ctx, admin, "bellwire.mine", service.EventTypeInput{})
			return err
		}},
		"archive one": {bellwire.CodeInvalid, "name", func() error {
			_, _, err := e.PutEventType(ctx, admin, bellwire.OperationalFailing, service.EventTypeInput{Archived: true})
			return err
		}},
		"delete one":        {bellwire.CodeConflict, "", func() error { return e.DeleteEventType(ctx, admin, bellwire.OperationalFailing) }},
		"delete another":    {"", "", func() error { return e.DeleteEventType(ctx, admin, "bellwire.from.before") }},
		"delete the tenant": {bellwire.CodeConflict, "", func() error { return e.DeleteTenant(ctx, admin, bellwire.OperationsTenant) }},
		"create another tenant": {bellwire.CodeConflict, "", func() error {
			_, err := e.CreateTenant(ctx, admin, service.NewTenant{ID: bellwire.OperationsTenant})
			return err
		}},
		"publish": {bellwire.CodeInvalid, "type", func() error {
			_, err := e.Publish(ctx, admin, acme, service.Draft{Type: bellwire.OperationalFailing, Data: json.RawMessage(`{}`)})
			return err
		}},
		"publish to the tenant": {bellwire.CodeInvalid, "type", func() error {
			_, err := e.Publish(ctx, admin, bellwire.OperationsTenant, service.Draft{Type: "bellwire.from.before", Data: json.RawMessage(`{}`)})
			return err
		}},
		"publish a batch": {bellwire.CodeInvalid, "events[0].type", func() error {
			_, err := e.PublishBatch(ctx, admin, acme, []service.Draft{{Type: bellwire.OperationalFailing, Data: json.RawMessage(`{}`)}})
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) { wantCode(t, refusal.do(), refusal.code, refusal.field) })
	}
}

func TestOperationalEventsOfATenant(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	ctx := t.Context()
	expect := func(tenant *bellwire.Tenant, err error, want bool) {
		t.Helper()
		if err != nil || tenant.OperationalEvents != want {
			t.Errorf("got %+v, %v; want operational events %t", tenant, err, want)
		}
	}
	tenant, _, err := e.PutTenant(ctx, admin, service.NewTenant{ID: "acme", OperationalEvents: new(true)})
	expect(tenant, err, true)
	tenant, _, err = e.PutTenant(ctx, admin, service.NewTenant{ID: "acme"})
	expect(tenant, err, true)
	tenant, err = e.UpdateTenant(ctx, admin, "acme", service.TenantChange{Name: new("Acme")})
	expect(tenant, err, true)
	tenant, err = e.UpdateTenant(ctx, admin, "acme", service.TenantChange{OperationalEvents: new(false)})
	expect(tenant, err, false)
	tenant, err = e.Tenant(ctx, admin, "acme")
	expect(tenant, err, false)
}
