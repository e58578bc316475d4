package service_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

var byTenant = service.Caller{Role: bellwire.RoleTenant, Tenant: "acme", Key: bellwire.NewID[bellwire.KeyKind](time.Now())}

// changesOf returns an endpoint's changes, oldest first, as the caller sees them.
func (e *env) changesOf(c service.Caller, tenant, id string) []*bellwire.Change {
	e.t.Helper()
	var all []*bellwire.Change
	for page := (bellwire.Page{Limit: 2}); ; {
		list, err := e.EndpointHistory(e.t.Context(), c, tenant, id, page)
		if err != nil {
			e.t.Fatal(err)
		}
		for _, change := range list.Items {
			all = append([]*bellwire.Change{change}, all...)
		}
		if page.After = list.Next; page.After == "" {
			return all
		}
	}
}

// compact returns JSON without what does not matter.
func compact(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestHistoryShowsEachChange changes each field of an endpoint, by an operator and by the tenant.
func TestHistoryShowsEachChange(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	in := minimal()
	in.Auth = &bellwire.Auth{Type: bellwire.AuthBasic, Username: "bell", Password: "top-secret-1"}
	in.Headers = headers("X-Own", "top-secret-2")
	ctx := bellwire.WithCall(t.Context(), bellwire.Call{Origin: bellwire.Origin{RequestID: "r1", Address: "192.0.2.1"}})
	ep, secret, err := e.CreateEndpoint(ctx, byTenant, tenant, in)
	if err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		name          string
		change        func() error
		before, after string
	}{
		{"url", func() error { return e.change(ep, service.EndpointInput{URL: new("https://example.com/new")}) },
			`{"url":"https://example.com/hooks"}`, `{"url":"https://example.com/new"}`},
		{"nothing", func() error { return e.change(ep, service.EndpointInput{URL: new("https://example.com/new")}) }, "", ""},
		{"text and limits", func() error {
			return e.change(ep, service.EndpointInput{Description: new("d"), RateLimit: new(2.5), MaxInFlight: new(3), Metadata: &map[string]string{"a": "b"}})
		}, `{"description":"","max_in_flight":64,"metadata":null,"rate_limit":null}`,
			`{"description":"d","max_in_flight":3,"metadata":{"a":"b"},"rate_limit":2.5}`},
		{"no limit", func() error { return e.change(ep, service.EndpointInput{NoRateLimit: true}) }, `{"rate_limit":2.5}`, `{"rate_limit":null}`},
		{"events, retry, order", func() error {
			return e.change(ep, service.EndpointInput{
				Events: &[]string{"*"}, Retry: &bellwire.RetryPolicy{Schedule: []bellwire.Duration{}}, Ordering: new(bellwire.OrderingFIFO),
			})
		}, `{"events":["order.*"],"ordering":"none","retry":` + encoded(t, bellwire.StandardRetryPolicy()) + `}`,
			`{"events":["*"],"ordering":"fifo","retry":{"schedule":[]}}`},
		{"password", func() error {
			return e.change(ep, service.EndpointInput{Auth: &bellwire.Auth{Type: bellwire.AuthBasic, Username: "bell", Password: "top-secret-3"}})
		}, `{"auth":{"type":"basic","username":"bell"}}`, `{"auth":{"secret":"[changed]","type":"basic","username":"bell"}}`},
		{"same password", func() error {
			return e.change(ep, service.EndpointInput{Auth: &bellwire.Auth{Type: bellwire.AuthBasic, Username: "bell", Password: "top-secret-3"}})
		}, "", ""},
		{"headers", func() error {
			return e.change(ep, service.EndpointInput{Headers: headers("X-Own", "top-secret-4", "X-More", "top-secret-5")})
		},
			`{"headers":{"X-Own":"[redacted]"}}`, `{"headers":{"X-More":"[changed]","X-Own":"[changed]"}}`},
		{"a header that stays beside one that changes", func() error {
			return e.change(ep, service.EndpointInput{Headers: headers("X-Own", bellwire.Redacted, "X-More", "top-secret-6")})
		},
			`{"headers":{"X-More":"[redacted]","X-Own":"[redacted]"}}`, `{"headers":{"X-More":"[changed]","X-Own":"[redacted]"}}`},
		{"a header less", func() error { return e.change(ep, service.EndpointInput{Headers: headers("X-Own", "top-secret-4")}) },
			`{"headers":{"X-More":"[redacted]","X-Own":"[redacted]"}}`, `{"headers":{"X-Own":"[redacted]"}}`},
		{"own secret", func() error {
			return e.change(ep, service.EndpointInput{Secret: new("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")})
		}, `{}`, `{"secret":"[changed]"}`},
		{"rotation", func() error { _, err := e.RotateSecret(t.Context(), admin, tenant, ep.ID, nil); return err }, `{}`, `{"secret":"[changed]"}`},
		{"signing", func() error { return e.change(ep, service.EndpointInput{Signing: new(bellwire.SigningBoth)}) },
			`{"signing":"hmac"}`, `{"secret":"[changed]","signing":"both"}`},
		{"pause", func() error { return e.change(ep, service.EndpointInput{Status: new(bellwire.EndpointPaused)}) },
			`{"status":"enabled"}`, `{"status":"paused"}`},
	}
	for n, step := range steps {
		before := len(e.changesOf(admin, tenant, ep.ID))
		if err := step.change(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		changes := e.changesOf(admin, tenant, ep.ID)
		if step.after == "" {
			if len(changes) != before {
				t.Errorf("%s: %d changes were added, want none", step.name, len(changes)-before)
			}
			continue
		}
		if len(changes) != before+1 {
			t.Fatalf("%s: %d changes were added, want 1", step.name, len(changes)-before)
		}
		last := changes[before]
		if got := compact(t, last.Before); got != step.before {
			t.Errorf("%d %s, before: got %s, want %s", n, step.name, got, step.before)
		}
		if got := compact(t, last.After); got != step.after {
			t.Errorf("%d %s, after: got %s, want %s", n, step.name, got, step.after)
		}
	}
	if err := e.DeleteEndpoint(t.Context(), byTenant, tenant, ep.ID); err != nil {
		t.Fatal(err)
	}
	changes := e.changesOf(admin, tenant, ep.ID)
	first, last := changes[0], changes[len(changes)-1]
	if diff := cmp.Diff(bellwire.Actor{
		Kind: bellwire.ActorKey, Key: byTenant.Key, Role: bellwire.RoleTenant, Origin: bellwire.Origin{RequestID: "r1", Address: "192.0.2.1"},
	}, first.Actor); diff != "" {
		t.Error(diff)
	}
	if first.Action != bellwire.ChangeCreated || last.Action != bellwire.ChangeDeleted || string(first.Before) != "{}" || string(last.After) != "{}" {
		t.Errorf("from %+v to %+v", first, last)
	}
	if text := string(last.Before); !strings.Contains(text, `"url":"https://example.com/new"`) || !strings.Contains(text, `"status":"paused"`) {
		t.Errorf("what was deleted: %s", text)
	}
	shown := fmt.Sprintf("%+v", changes) + encoded(t, changes)
	for _, part := range []string{"top-secret", "whsec", "whsk", secret.Secret} {
		if strings.Contains(shown, part) {
			t.Errorf("the history shows %q", part)
		}
	}
}

// change changes an endpoint as an operator.
func (e *env) change(ep *service.Endpoint, in service.EndpointInput) error {
	_, err := e.UpdateEndpoint(e.t.Context(), admin, ep.Tenant, ep.ID, in)
	return err
}

func encoded(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return compact(t, b)
}

// TestAuditLogShowsFieldsOfEndpoints: an entry about an endpoint has the fields before and after, without secrets, without what may be
// one in the URL, and without long values.
func TestAuditLogShowsFieldsOfEndpoints(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	in := minimal()
	in.URL = new("https://example.com/hooks?token=top-secret-0")
	in.Auth = &bellwire.Auth{Type: bellwire.AuthBasic, Username: "bell", Password: "top-secret-1"}
	in.Headers = headers("X-Own", "top-secret-2")
	ep, _, err := e.CreateEndpoint(t.Context(), byTenant, tenant, in)
	must(t, err)
	long := map[string]string{"note": strings.Repeat("x", 400), "other": strings.Repeat("y", 400)}
	must(t, e.change(ep, service.EndpointInput{Description: new("d"), RateLimit: new(2.5), Metadata: &long}))
	must(t, e.change(ep, service.EndpointInput{Description: new(""), Headers: headers("X-Own", "top-secret-3")}))
	_, err = e.RotateSecret(t.Context(), byTenant, tenant, ep.ID, nil)
	must(t, err)
	must(t, e.change(ep, service.EndpointInput{Status: new(bellwire.EndpointPaused)}))
	enabled, err := e.UpdateEndpoint(t.Context(), admin, tenant, ep.ID, service.EndpointInput{Status: new(bellwire.EndpointEnabled), Replay: bellwire.SelectMissed})
	must(t, err)
	must(t, e.DeleteEndpoint(t.Context(), byTenant, tenant, ep.ID))

	list, err := e.AuditLog(t.Context(), admin, bellwire.AuditFilter{Tenant: tenant}, bellwire.Page{Limit: 100})
	must(t, err)
	type shown struct{ Action, Before, After string }
	var got []shown
	for _, entry := range list.Items {
		if entry.Subject != ep.ID {
			continue
		}
		for _, fields := range []json.RawMessage{entry.Before, entry.After} {
			if strings.Contains(string(fields), "top-secret") {
				t.Errorf("%s shows a secret: %s", entry.Action, fields)
			}
		}
		got = append([]shown{{entry.Action, string(entry.Before), string(entry.After)}}, got...)
	}
	retry, err := json.Marshal(bellwire.StandardRetryPolicy())
	must(t, err)
	first := `{"auth":{"type":"basic","username":"bell"},"auto_disable_after":"120h","dialect":"standard","events":["order.*"],` +
		`"headers":{"X-Own":"[redacted]"},"max_in_flight":64,"on_error":"deliver","ordering":"none",` +
		`"retry":` + string(retry) + `,"signing":"hmac","status":"enabled","timeout":"15s","url":"https://example.com/hooks?token=[redacted]"}`
	last := strings.Replace(first, `"on_error"`, `"metadata":"[822 bytes]","on_error"`, 1)
	last = strings.Replace(last, `"retry"`, `"rate_limit":2.5,"retry"`, 1)
	want := []shown{
		{"endpoint.create", "", first},
		{"endpoint.update", "", `{"description":"d","metadata":"[822 bytes]","rate_limit":2.5}`},
		{"endpoint.update", `{"description":"d","headers":{"X-Own":"[redacted]"}}`, `{"headers":{"X-Own":"[changed]"}}`},
		{"endpoint.rotate-secret", "", `{"secret":"[changed]"}`},
		{"endpoint.update", `{"status":"enabled"}`, `{"status":"paused"}`},
		{"endpoint.update", `{"status":"paused"}`, `{"replay":"` + enabled.Replay.ID.String() + `","status":"enabled"}`},
		{"endpoint.delete", last, ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestHistoryHidesOperatorsAndTokens reads the changes of an operator, and of a URL with a token.
func TestHistoryHidesOperatorsAndTokens(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	operator := service.Caller{Role: bellwire.RoleAdmin, Key: bellwire.NewID[bellwire.KeyKind](time.Now())}
	origin := bellwire.Origin{RequestID: "r1", Address: "192.0.2.1"}
	in := minimal()
	in.URL = new("https://example.com/hooks?token=abc")
	in.Extra = &map[string]string{"path": "/hooks?token=abc"}
	ep, _, err := e.CreateEndpoint(bellwire.WithCall(t.Context(), bellwire.Call{Origin: origin}), operator, tenant, in)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		role          bellwire.Role
		key           bellwire.KeyID
		address       string
		url, settings string
	}{
		{bellwire.RoleAdmin, operator.Key, "192.0.2.1", "https://example.com/hooks?token=abc", `{"path":"/hooks?token=abc"}`},
		{bellwire.RoleTenant, bellwire.KeyID{}, "", "https://example.com/hooks?token=abc", `{"path":"/hooks?token=abc"}`},
		{bellwire.RoleTenantRead, bellwire.KeyID{}, "", "https://example.com/hooks?token=[redacted]", `"[redacted]"`},
	} {
		caller := service.Caller{Role: c.role}
		if c.role.OfTenant() {
			caller.Tenant = tenant
		}
		got := e.changesOf(caller, tenant, ep.ID)[0]
		if by := got.Actor; by.Key != c.key || by.Address != c.address || by.RequestID != "r1" || by.Role != bellwire.RoleAdmin {
			t.Errorf("%s: by %+v", c.role, by)
		}
		var fields struct {
			URL      string          `json:"url"`
			Settings json.RawMessage `json:"dialect_settings"`
		}
		if err := json.Unmarshal(got.After, &fields); err != nil {
			t.Fatal(err)
		}
		if fields.URL != c.url || string(fields.Settings) != c.settings {
			t.Errorf("%s: %+v", c.role, fields)
		}
	}
}
