package service_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

func TestAuthenticate(t *testing.T) {
	t.Parallel()
	const adminKey = "correct-horse-battery"
	e := newEnv(t, func(c *service.Config) { c.AdminKey = adminKey })
	e.tenant("acme")
	key, secret, err := e.CreateKey(t.Context(), admin, "acme", service.NewKey{Role: bellwire.RoleTenantRead})
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.Authenticate(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(service.Caller{Key: key.ID, Role: bellwire.RoleTenantRead, Tenant: "acme"}, got, cmpopts.IgnoreUnexported(service.Caller{})); diff != "" {
		t.Error(diff)
	}
	if got, err := e.Authenticate(t.Context(), adminKey); err != nil || got != (service.Caller{Role: bellwire.RoleAdmin}) {
		t.Errorf("admin key: %+v, %v", got, err)
	}
	last := secret[:len(secret)-1]
	for _, wrong := range []string{
		"", "x", adminKey + " ", last, last + "!", secret + "x", strings.ToUpper(secret),
		"bwk_" + strings.Repeat("0", 32) + "_" + strings.Repeat("A", 43),
		"bwk_" + strings.Repeat("g", 32) + "_" + strings.Repeat("A", 43),
		strings.Replace(secret, "_", "-", 2),
	} {
		t.Run(wrong, func(t *testing.T) {
			_, err := e.Authenticate(t.Context(), wrong)
			wantCode(t, err, bellwire.CodeUnauthenticated, "")
			if err != nil && wrong != "" && wrong != "x" && strings.Contains(err.Error(), wrong) {
				t.Error("the error shows the secret")
			}
		})
	}
	if err := e.DeleteKey(t.Context(), admin, "acme", key.ID); err != nil {
		t.Fatal(err)
	}
	_, err = e.Authenticate(t.Context(), secret)
	wantCode(t, err, bellwire.CodeUnauthenticated, "")

	secret = e.key("acme", bellwire.RoleTenant)
	if _, err := e.Authenticate(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	if err := e.DeleteTenant(t.Context(), admin, "acme"); err != nil {
		t.Fatal(err)
	}
	_, err = e.Authenticate(t.Context(), secret)
	wantCode(t, err, bellwire.CodeUnauthenticated, "")
}

func TestKeys(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.tenant("acme")
	key, secret, err := e.CreateKey(t.Context(), admin, "acme", service.NewKey{Name: "CI", Role: bellwire.RoleTenant, HMAC: true})
	if err != nil {
		t.Fatal(err)
	}
	stored, err := e.store.Key(t.Context(), key.ID)
	if err != nil {
		t.Fatal(err)
	}
	if kept, err := e.keyring.OpenKeySecret(key.ID, stored.Sealed); err != nil || kept != secret {
		t.Errorf("an hmac key's sealed secret is %q, %v", kept, err)
	}
	plain := e.key("acme", bellwire.RoleTenantRead)
	list, err := e.Keys(t.Context(), admin, "acme", bellwire.Page{})
	if err != nil || len(list.Items) != 2 {
		t.Fatalf("keys: %v, %v", list, err)
	}
	for _, k := range list.Items {
		text := fmt.Sprintf("%+v", *k)
		if strings.Contains(text, secret) || strings.Contains(text, plain) {
			t.Errorf("it shows a secret: %s", text)
		}
		if k.HMAC != (k.ID == key.ID) {
			t.Errorf("hmac of %s is %v", k.ID, k.HMAC)
		}
	}
	for _, tt := range []struct {
		tenant string
		role   bellwire.Role
		name   string
		field  string
	}{
		{"acme", bellwire.RoleAdmin, "", "role"}, {"acme", bellwire.RolePublisher, "", "role"}, {"acme", "", "", "role"},
		{"", bellwire.RoleTenant, "", "role"}, {"", bellwire.RoleTenantRead, "", "role"}, {"", "root", "", "role"},
		{"acme", bellwire.RoleTenant, strings.Repeat("x", 257), "name"},
	} {
		t.Run(fmt.Sprintf("%.60s", tt.name), func(t *testing.T) {
			_, _, err := e.CreateKey(t.Context(), admin, tt.tenant, service.NewKey{Role: tt.role, Name: tt.name})
			wantCode(t, err, bellwire.CodeInvalid, tt.field)
		})
	}
}

func TestBootstrapAdmin(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	for range 300 { // more than a page, and none of them can administer
		e.key("", bellwire.RolePublisher)
	}
	secret, created, err := e.BootstrapAdmin(t.Context())
	if err != nil || !created {
		t.Fatalf("created %v, %v", created, err)
	}
	if c, err := e.Authenticate(t.Context(), secret); err != nil || c.Role != bellwire.RoleAdmin {
		t.Errorf("got %+v, %v", c, err)
	}
	for range 300 {
		e.key("", bellwire.RolePublisher)
	}
	if secret, created, err := e.BootstrapAdmin(t.Context()); err != nil || created || secret != "" {
		t.Errorf("again: created %v, %v", created, err)
	}
	configured := newEnv(t, func(c *service.Config) { c.AdminKey = "0123456789abcdef" })
	if _, created, err := configured.BootstrapAdmin(t.Context()); err != nil || created {
		t.Errorf("with a configured key: created %v, %v", created, err)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	missing := e.config
	missing.DefaultDialect = "klingon"
	_, err := service.New(missing)
	wantCode(t, err, bellwire.CodeInvalid, "dialects")
	if _, err := service.New(service.Config{}); err == nil {
		t.Error("it takes an empty configuration")
	}
}

func TestTenants(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	created, err := e.CreateTenant(t.Context(), admin, service.NewTenant{ID: "acme", Name: "Acme", Metadata: map[string]string{"a": "b"}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.Tenant(t.Context(), admin, "acme")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(created, got); diff != "" {
		t.Error(diff)
	}
	for _, tt := range []struct {
		in    service.NewTenant
		code  bellwire.Code
		field string
	}{
		{service.NewTenant{ID: "acme"}, bellwire.CodeConflict, ""},
		{service.NewTenant{ID: "no spaces"}, bellwire.CodeInvalid, "id"},
		{service.NewTenant{}, bellwire.CodeInvalid, "id"},
		{service.NewTenant{ID: "b", Name: strings.Repeat("x", 257)}, bellwire.CodeInvalid, "name"},
		{service.NewTenant{ID: "b", Metadata: map[string]string{"": "x"}}, bellwire.CodeInvalid, "metadata"},
	} {
		t.Run(tt.field, func(t *testing.T) {
			_, err := e.CreateTenant(t.Context(), admin, tt.in)
			if bellwire.CodeOf(err) != tt.code {
				t.Errorf("%+v: got %v, want the code %q", tt.in, err, tt.code)
			}
			if tt.field != "" {
				wantCode(t, err, tt.code, tt.field)
			}
		})
	}
	updated, err := e.UpdateTenant(t.Context(), admin, "acme", service.TenantChange{Metadata: &map[string]string{}})
	if err != nil || updated.Name != "Acme" || len(updated.Metadata) != 0 || updated.Revision <= created.Revision {
		t.Errorf("got %+v, %v", updated, err)
	}
	_, err = e.UpdateTenant(t.Context(), admin, "acme", service.TenantChange{Name: new("\xff")})
	wantCode(t, err, bellwire.CodeInvalid, "name")

	ep := e.endpoint("acme")
	before := e.engine.refreshes(ep.ID)
	if err := e.DeleteTenant(t.Context(), admin, "acme"); err != nil {
		t.Fatal(err)
	}
	if e.engine.refreshes(ep.ID) == before {
		t.Error("the engine was not told of the tenant's end")
	}
	_, err = e.Publish(t.Context(), admin, "acme", draft)
	wantCode(t, err, bellwire.CodeNotFound, "")
	e.tenant("acme")
	if list, err := e.Endpoints(t.Context(), admin, service.EndpointQuery{EndpointFilter: bellwire.EndpointFilter{Tenant: "acme"}}, bellwire.Page{}); err != nil || len(list.Items) != 0 {
		t.Errorf("a new tenant of the old name has %v, %v", list, err)
	}
}

// costlySchema takes a million steps to refuse any value at all.
func costlySchema() string {
	schema := `{"$ref": "#/$defs/d0", "$defs": {"d20": false`
	for i := range 20 {
		schema += fmt.Sprintf(`, "d%d": {"anyOf": [{"$ref": "#/$defs/d%d"}, {"$ref": "#/$defs/d%[2]d"}]}`, i, i+1)
	}
	return schema + "}}"
}

func TestEventTypes(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	in := service.EventTypeInput{Description: "d", Group: "g", Schema: []byte(orderSchema), Example: []byte(`{"amount":1.0}`)}
	first, created, err := e.PutEventType(t.Context(), admin, "a.b", in)
	if err != nil || !created {
		t.Fatalf("created %v, %v", created, err)
	}
	second, created, err := e.PutEventType(t.Context(), admin, "a.b", service.EventTypeInput{Schema: []byte(" null ")})
	if err != nil || created || !second.CreatedAt.Equal(first.CreatedAt) || second.Schema != nil {
		t.Fatalf("created %v, %+v, %v", created, second, err)
	}
	for _, tt := range []struct {
		name  string
		in    service.EventTypeInput
		code  bellwire.Code
		field string
	}{
		{"a b", service.EventTypeInput{}, bellwire.CodeInvalid, "name"},
		{"a*", service.EventTypeInput{}, bellwire.CodeInvalid, "name"},
		{"a", service.EventTypeInput{Description: strings.Repeat("x", 4097)}, bellwire.CodeInvalid, "description"},
		{"a", service.EventTypeInput{Group: strings.Repeat("x", 257)}, bellwire.CodeInvalid, "group"},
		{"a", service.EventTypeInput{Schema: []byte(`{`)}, bellwire.CodeInvalid, "schema"},
		{"a", service.EventTypeInput{Schema: []byte(`{"type": 1}`)}, bellwire.CodeInvalid, "schema.type"},
		{"a", service.EventTypeInput{Schema: []byte(`{"$ref": "https://example.com"}`)}, bellwire.CodeInvalid, "schema"},
		{"a", service.EventTypeInput{Schema: []byte(costlySchema())}, bellwire.CodeInvalid, "schema"},
		{"a", service.EventTypeInput{Schema: []byte(strings.Repeat(" ", 256<<10) + "true")}, bellwire.CodeTooLarge, "schema"},
		{"a", service.EventTypeInput{Example: []byte(`{`)}, bellwire.CodeInvalid, "example"},
		{"a", service.EventTypeInput{Schema: []byte(orderSchema), Example: []byte(`{"amount": ""}`)}, bellwire.CodeInvalid, "example.amount"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := e.PutEventType(t.Context(), admin, tt.name, tt.in)
			wantCode(t, err, tt.code, tt.field)
		})
	}
	_, err = e.EventType(t.Context(), admin, "a")
	wantCode(t, err, bellwire.CodeNotFound, "")
	if err := e.DeleteEventType(t.Context(), admin, "a.b"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, e.DeleteEventType(t.Context(), admin, "a.b"), bellwire.CodeNotFound, "")
	e.tenant("acme")
	_, err = e.Publish(t.Context(), admin, "acme", service.Draft{Type: "a.b", Data: []byte("1")})
	wantCode(t, err, bellwire.CodeInvalid, "type")
}

func TestRetryAndCancel(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	ep := e.endpoint(tenant)
	d := e.delivery(tenant, ep.ID)
	got, err := e.CancelDelivery(t.Context(), admin, tenant, d.ID)
	if err != nil || got.Status != bellwire.DeliveryCanceled || got.Reason != bellwire.ReasonCanceledOnRequest {
		t.Fatalf("got %+v, %v", got, err)
	}
	if !e.engine.forgotten[d.ID] {
		t.Error("the engine was not told of the cancellation")
	}
	_, err = e.CancelDelivery(t.Context(), admin, tenant, d.ID)
	wantCode(t, err, bellwire.CodeConflict, "")
	before := e.engine.refreshes(ep.ID)
	if _, err := e.RetryDelivery(t.Context(), admin, tenant, d.ID, false); err != nil {
		t.Fatal(err)
	}
	if e.engine.refreshes(ep.ID) != before+1 {
		t.Error("the engine was not told of the retry")
	}
	e.delivery(tenant, ep.ID)
	if _, err := e.UpdateEndpoint(t.Context(), admin, tenant, ep.ID, service.EndpointInput{Status: new(bellwire.EndpointDisabled)}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"1 in standard: request", "1 in standard: endpoint_disabled"}; !slices.Equal(e.engine.canceled, want) {
		t.Errorf("counted %q, want %q", e.engine.canceled, want)
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	lists := map[string]func(bellwire.Page) error{
		"tenants": func(p bellwire.Page) error { _, err := e.Tenants(t.Context(), admin, p); return err },
		"keys":    func(p bellwire.Page) error { _, err := e.Keys(t.Context(), admin, "", p); return err },
		"types":   func(p bellwire.Page) error { _, err := e.EventTypes(t.Context(), admin, p); return err },
		"endpoints": func(p bellwire.Page) error {
			_, err := e.Endpoints(t.Context(), admin, service.EndpointQuery{EndpointFilter: bellwire.EndpointFilter{Tenant: tenant}}, p)
			return err
		},
		"events": func(p bellwire.Page) error {
			_, err := e.Events(t.Context(), admin, bellwire.EventFilter{Tenant: tenant}, p)
			return err
		},
		"deliveries": func(p bellwire.Page) error {
			_, err := e.Deliveries(t.Context(), admin, bellwire.DeliveryFilter{Tenant: tenant}, p)
			return err
		},
	}
	for name, list := range lists {
		t.Run(name, func(t *testing.T) {
			for _, limit := range []int{-1, 251} {
				wantCode(t, list(bellwire.Page{Limit: limit}), bellwire.CodeInvalid, "limit")
			}
			for _, limit := range []int{0, 1, 250} {
				wantCode(t, list(bellwire.Page{Limit: limit}), "", "")
			}
			wantCode(t, list(bellwire.Page{After: "?"}), bellwire.CodeInvalid, "cursor")
		})
	}
	_, err := e.Deliveries(t.Context(), admin, bellwire.DeliveryFilter{Tenant: tenant, Status: "lost"}, bellwire.Page{})
	wantCode(t, err, bellwire.CodeInvalid, "status")
}

func TestChangesAreLoggedWithoutSecrets(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	e := newEnv(t, func(c *service.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	tenant := e.tenant("acme")
	key, keySecret, err := e.CreateKey(t.Context(), admin, tenant, service.NewKey{Role: bellwire.RoleTenant})
	if err != nil {
		t.Fatal(err)
	}
	in := minimal()
	in.Auth = &bellwire.Auth{Type: bellwire.AuthBearer, Token: "top-secret"}
	own := service.Caller{Key: key.ID, Role: key.Role, Tenant: tenant}
	ep, secret, err := e.CreateEndpoint(t.Context(), own, tenant, in)
	if err != nil {
		t.Fatal(err)
	}
	rotated, err := e.RotateSecret(t.Context(), own, tenant, ep.ID, nil)
	if err != nil {
		t.Fatal(err)
	}
	text := log.String()
	for _, hidden := range []string{keySecret, secret.Secret, rotated.Secret, "top-secret"} {
		t.Run(hidden, func(t *testing.T) {
			if strings.Contains(text, hidden) {
				t.Errorf("the log shows %q", hidden)
			}
		})
	}
	for _, shown := range []string{"action=endpoint.create", "action=endpoint.rotate-secret", "by=" + key.ID.String(), "endpoint=" + ep.ID} {
		t.Run(shown, func(t *testing.T) {
			if !strings.Contains(text, shown) {
				t.Errorf("the log has no %q:\n%s", shown, text)
			}
		})
	}
}
