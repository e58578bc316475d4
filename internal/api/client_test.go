package api_test

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/api"
)

// TestClient makes every call of the public client: both sides must mean the same by each field.
func TestClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := httptest.NewServer(w.handler)
	t.Cleanup(server.Close)
	c, err := client.New(server.URL, adminKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []struct {
		name string
		test func(*testing.T, *client.Client)
	}{
		{"tenants", clientTenants}, {"keys", clientKeys}, {"event types", clientEventTypes}, {"endpoints", clientEndpoints},
		{"events", clientEvents}, {"deliveries", clientDeliveries}, {"sessions", clientSessions},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(t, c) })
	}
}

// must ends the test unless a call went well.
func must[T any](t *testing.T, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func clientTenants(t *testing.T, c *client.Client) {
	ctx, name := t.Context(), "Newer"
	created, err := c.CreateTenant(ctx, client.Tenant{ID: "new", Name: "New", Metadata: map[string]string{"a": "b"}})
	if must(t, created, err).Name != "New" || created.Metadata["a"] != "b" || created.CreatedAt.IsZero() {
		t.Errorf("%+v", created)
	}
	keyed := client.WithIdempotencyKey(ctx, "k")
	for range 2 {
		made, err := c.CreateTenant(keyed, client.Tenant{ID: "once"})
		if must(t, made, err).ID != "once" {
			t.Errorf("%+v", made)
		}
	}
	if err := c.DeleteTenant(ctx, "once"); err != nil {
		t.Error(err)
	}
	changed, err := c.UpdateTenant(ctx, "new", client.TenantChange{Name: &name})
	if must(t, changed, err).Name != name || changed.Metadata["a"] != "b" {
		t.Errorf("%+v", changed)
	}
	limited, err := c.UpdateTenant(ctx, "new", client.TenantChange{Limits: client.Limits{"endpoints": 5, "min_retry_delay": "2s"}})
	if must(t, limited, err).Limits["endpoints"] != 5.0 || limited.Effective["min_retry_delay"] != "2s" || limited.Name != name {
		t.Errorf("%+v", limited)
	}
	limited, err = c.UpdateTenant(ctx, "new", client.TenantChange{Limits: client.Limits{"endpoints": nil}})
	if must(t, limited, err); len(limited.Limits) != 1 || limited.Effective["endpoints"] != 1000.0 {
		t.Errorf("%+v", limited)
	}
	copied, err := c.CreateTenant(ctx, client.Tenant{ID: "copied", Limits: limited.Limits, Effective: limited.Effective})
	if must(t, copied, err).Limits["min_retry_delay"] != "2s" {
		t.Errorf("%+v", copied)
	}
	if err := c.DeleteTenant(ctx, "copied"); err != nil {
		t.Fatal(err)
	}
	got, err := c.Tenant(ctx, "new")
	if must(t, got, err).Name != name {
		t.Errorf("%+v", got)
	}
	page, err := c.Tenants(ctx, client.Page{Limit: 1})
	if must(t, page, err); len(page.Data) != 1 || page.Data[0].ID != "new" || page.NextCursor == "" {
		t.Errorf("%+v", page)
	}
	if err := c.DeleteTenant(ctx, "new"); err != nil {
		t.Error(err)
	}
	var refusal *client.Error
	if _, err := c.Tenant(ctx, "new"); !errors.As(err, &refusal) || refusal.Code != client.CodeNotFound || refusal.Status != 404 {
		t.Errorf("%v", err)
	}
	if _, err := c.CreateTenant(ctx, client.Tenant{ID: "no good"}); !errors.As(err, &refusal) || refusal.Field != "id" {
		t.Errorf("%v", err)
	}
}

func clientKeys(t *testing.T, c *client.Client) {
	ctx := t.Context()
	for tenant, role := range map[string]client.Role{"": client.RolePublisher, "acme": client.RoleTenantRead} {
		created, err := c.CreateKey(ctx, tenant, client.NewKey{Name: "n", Role: role})
		if must(t, created, err).Secret == "" || created.Role != role || created.Name != "n" {
			t.Errorf("%q: %+v", tenant, created)
		}
		listed, err := c.Keys(ctx, tenant, client.Page{})
		if must(t, listed, err).Data[0].ID != created.ID || listed.Data[0].Secret != "" {
			t.Errorf("%q: %+v", tenant, listed)
		}
		if err := c.DeleteKey(ctx, tenant, created.ID); err != nil {
			t.Errorf("%q: %v", tenant, err)
		}
	}
}

func clientSessions(t *testing.T, c *client.Client) {
	ctx := t.Context()
	link, err := c.CreatePortalSession(ctx, "acme", client.NewPortalSession{
		Capabilities: []client.Capability{client.CapabilityTest}, ExpiresIn: 90 * time.Minute, Origins: []string{"https://a.example"},
		Theme: client.Theme{Accent: "#4f46e5", Mode: "dark"},
	})
	if must(t, link, err).URL == "" || time.Until(link.ExpiresAt) < time.Hour {
		t.Errorf("%+v", link)
	}
	console, err := c.CreateConsoleLink(ctx)
	if must(t, console, err).URL == "" {
		t.Errorf("%+v", console)
	}
	for tenant, id := range map[string]string{"acme": link.ID, "": console.ID} {
		listed, err := c.Sessions(ctx, tenant, client.Page{})
		if must(t, listed, err); len(listed.Data) != 1 || listed.Data[0].ID != id || listed.Data[0].Exchanged {
			t.Fatalf("%q: %+v", tenant, listed)
		}
		if s := listed.Data[0]; tenant != "" && (len(s.Capabilities) != 2 || s.Origins[0] != "https://a.example" || s.Theme.Accent != "#4f46e5") ||
			tenant == "" && s.Role != client.RoleAdmin {
			t.Errorf("%q: %+v", tenant, s)
		}
		if err := c.EndSession(ctx, tenant, id); err != nil {
			t.Errorf("%q: %v", tenant, err)
		}
	}
}

func clientEventTypes(t *testing.T, c *client.Client) {
	ctx := t.Context()
	in := client.EventType{Name: "card.blocked", Group: "cards", Description: "d", Schema: json.RawMessage(`{"type":"object"}`), Example: json.RawMessage(`{}`)}
	put, err := c.PutEventType(ctx, in)
	if must(t, put, err).Group != "cards" || string(put.Schema) != `{"type":"object"}` || string(put.Example) != `{}` {
		t.Errorf("%+v", put)
	}
	again, err := c.PutEventType(ctx, *put) // what was read can be written
	if must(t, again, err).Description != "d" {
		t.Errorf("%+v", again)
	}
	got, err := c.EventType(ctx, "card.blocked")
	if must(t, got, err).Archived {
		t.Errorf("%+v", got)
	}
	listed, err := c.EventTypes(ctx, client.Page{})
	if len(must(t, listed, err).Data) != 2 {
		t.Errorf("%+v", listed)
	}
	if err := c.DeleteEventType(ctx, "card.blocked"); err != nil {
		t.Error(err)
	}
}

func clientEndpoints(t *testing.T, c *client.Client) {
	ctx := t.Context()
	url, rate := "https://example.com", 2.5
	created, err := c.CreateEndpoint(ctx, "acme", client.EndpointInput{
		URL: &url, Events: []string{"*"}, Signing: client.Ptr(client.SigningBoth), RateLimit: &rate,
		Retry: &client.RetryPolicy{Interval: 10 * time.Second, Count: 3}, Auth: &client.Auth{Type: client.AuthBearer, Token: "t"},
		Headers: &map[string]string{"X-A": "b"},
	})
	if must(t, created, err).Secret == "" || created.PublicKey == "" || *created.RateLimit != rate || created.Retry.Count != 3 || created.Retry.Interval != 10*time.Second ||
		created.Auth.Type != client.AuthBearer || created.Auth.Token != "" || created.Headers["X-A"] != "[redacted]" {
		t.Errorf("%+v", created)
	}
	changed, err := c.UpdateEndpoint(ctx, "acme", created.ID, client.EndpointInput{NoRateLimit: true})
	if must(t, changed, err).RateLimit != nil || changed.URL != url {
		t.Errorf("%+v", changed)
	}
	got, err := c.Endpoint(ctx, "acme", created.ID)
	if must(t, got, err).Secret != "" || got.MaxInFlight != 64 {
		t.Errorf("%+v", got)
	}
	listed, err := c.Endpoints(ctx, "acme", client.EndpointFilter{}, client.Page{})
	if len(must(t, listed, err).Data) != 1 {
		t.Errorf("%+v", listed)
	}
	secret, err := c.EndpointSecret(ctx, "acme", created.ID)
	if must(t, secret, err).Secret != created.Secret || secret.PublicKey != created.PublicKey {
		t.Errorf("%+v", secret)
	}
	rotated, err := c.RotateSecret(ctx, "acme", created.ID, time.Hour)
	if must(t, rotated, err).Secret == created.Secret {
		t.Errorf("%+v", rotated)
	}
	tested, err := c.TestEndpoint(ctx, "acme", created.ID, "")
	if must(t, tested, err).Type != "invoice.paid" || tested.Delivery == "" {
		t.Errorf("%+v", tested)
	}
	if err := c.DeleteEndpoint(ctx, "acme", created.ID); err != nil {
		t.Error(err)
	}
	history, err := c.EndpointHistory(ctx, "acme", created.ID, client.Page{Limit: 3})
	if must(t, history, err); len(history.Data) != 3 || history.NextCursor == "" || history.Data[0].Action != client.ChangeDeleted ||
		string(history.Data[1].After["secret"]) != `"[changed]"` || string(history.Data[2].Before["rate_limit"]) != "2.5" ||
		history.Data[0].By.Kind != client.ActorConfigured || history.Data[0].By.Role != client.RoleAdmin || history.Data[0].At.IsZero() {
		t.Errorf("%+v", history)
	}
}

func clientEvents(t *testing.T, c *client.Client) {
	ctx := t.Context()
	data := json.RawMessage(`{ "total" : 1.50 }`)
	now := time.Now().UTC().Truncate(time.Microsecond)
	p := client.Publication{Type: "invoice.paid", Data: data, ID: "k", OccurredAt: time.Date(2026, 1, 31, 12, 30, 0, 0, time.UTC),
		DeliverAt: now.Add(time.Hour), ExpiresAt: now.Add(2 * time.Hour), OrderingKey: "k"}
	first, err := c.Publish(ctx, "acme", p)
	if must(t, first, err).Duplicate || first.Type != "invoice.paid" {
		t.Errorf("%+v", first)
	}
	batch, err := c.PublishBatch(ctx, "acme", []client.Publication{{Type: "invoice.paid", Data: json.RawMessage(`null`)}, p})
	if must(t, batch, err); len(batch) != 2 || !batch[1].Duplicate || batch[1].ID != first.ID {
		t.Errorf("%+v", batch)
	}
	got, err := c.Event(ctx, "acme", first.ID)
	if must(t, got, err); string(got.Data) != string(data) || *got.IdempotencyKey != "k" || !got.OccurredAt.Equal(p.OccurredAt) ||
		!got.DeliverAt.Equal(p.DeliverAt) || !got.ExpiresAt.Equal(p.ExpiresAt) || *got.OrderingKey != p.OrderingKey {
		t.Errorf("%+v", got)
	}
	listed, err := c.Events(ctx, "acme", client.EventFilter{Type: "invoice.paid", Key: "k", Since: got.CreatedAt.Add(-time.Minute), Until: time.Now().Add(time.Minute)}, client.Page{})
	if len(must(t, listed, err).Data) != 1 {
		t.Errorf("%+v", listed)
	}
}

func clientDeliveries(t *testing.T, c *client.Client) {
	ctx, url := t.Context(), "https://example.com"
	ep, err := c.CreateEndpoint(ctx, "acme", client.EndpointInput{URL: &url, Events: []string{"invoice.*"}})
	must(t, ep, err)
	event, err := c.Publish(ctx, "acme", client.Publication{Type: "invoice.paid", Data: json.RawMessage(`{}`)})
	if must(t, event, err).Deliveries != 1 {
		t.Errorf("%+v", event)
	}
	tried, err := c.TryFilter(ctx, "acme", client.FilterTrial{Filter: "data == {}", Limit: 1})
	if must(t, tried, err); tried.Matched != 1 || len(tried.Examples) != 1 || tried.Examples[0].Outcome != client.FilterMatched || tried.Examples[0].Event != event.ID {
		t.Errorf("%+v", tried)
	}
	checked, err := c.CheckURL(ctx, "acme", "https://nowhere.example.com")
	if must(t, checked, err); checked.Outcome != client.OutcomeDNS || checked.URL != "https://nowhere.example.com" || checked.Error == "" || checked.Timings.Total != 0 {
		t.Errorf("%+v", checked)
	}
	listed, err := c.Deliveries(ctx, "acme", client.DeliveryFilter{Endpoint: ep.ID, Event: event.ID, Status: client.DeliveryPending, Type: "invoice.paid", Since: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour)}, client.Page{})
	if must(t, listed, err); len(listed.Data) != 1 || listed.Data[0].NextAttemptAt == nil || listed.Data[0].WaitingFor.Reason != client.WaitQueued {
		t.Fatalf("%+v", listed)
	}
	id := listed.Data[0].ID
	none, err := c.Deliveries(ctx, "acme", client.DeliveryFilter{Outcome: client.OutcomeTLS}, client.Page{})
	if must(t, none, err); len(none.Data) != 0 {
		t.Errorf("%+v", none)
	}
	everywhere, err := c.Deliveries(ctx, "", client.DeliveryFilter{Endpoint: ep.ID, Dialect: "standard", Type: "invoice.paid"}, client.Page{})
	if must(t, everywhere, err); len(everywhere.Data) != 1 || everywhere.Data[0].ID != id || everywhere.Data[0].Tenant != "acme" {
		t.Errorf("%+v", everywhere)
	}
	published, err := c.Events(ctx, "", client.EventFilter{Type: "invoice.paid", Since: time.Now().Add(-time.Hour)}, client.Page{Limit: 250})
	if must(t, published, err); len(published.Data) == 0 || published.Data[0].Tenant != "acme" || published.Data[0].Data != nil {
		t.Errorf("%+v", published)
	}
	explained, err := c.Event(ctx, "acme", event.ID)
	if must(t, explained, err); len(explained.Endpoints) == 0 || explained.Endpoints[0].Outcome != client.EventPending || explained.Endpoints[0].Delivery != id {
		t.Errorf("%+v", explained)
	}
	part, err := c.EventEndpoints(ctx, "acme", event.ID, client.Page{Limit: 1})
	if must(t, part, err); len(part.Data) != 1 || part.Data[0].Endpoint != ep.ID {
		t.Errorf("%+v", part)
	}
	named, err := c.FindID(ctx, id)
	if err != nil || len(named) != 1 || named[0].Kind != "delivery" || *named[0].Tenant != "acme" || named[0].ID != id {
		t.Errorf("%+v, %v", named, err)
	}
	got, err := c.Delivery(ctx, "acme", id)
	if must(t, got, err); got.Event != event.ID || got.Endpoint != ep.ID || got.Attempts == nil || got.WaitingFor == nil || got.WaitingFor.Reason != client.WaitQueued {
		t.Errorf("%+v", got)
	}
	retried, err := c.RetryDelivery(ctx, "acme", id)
	if must(t, retried, err).ID != id {
		t.Errorf("%+v", retried)
	}
	canceled, err := c.CancelDelivery(ctx, "acme", id)
	if must(t, canceled, err).Status != client.DeliveryCanceled || canceled.NextAttemptAt != nil {
		t.Errorf("%+v", canceled)
	}
	var refusal *client.Error
	if _, err := c.CancelDelivery(ctx, "acme", id); !errors.As(err, &refusal) || refusal.Code != client.CodeConflict {
		t.Errorf("%v", err)
	}
}

// TestClientHasAllFields looks for the JSON fields of the API's types among those of the client's.
func TestClientHasAllFields(t *testing.T) {
	t.Parallel()
	for name, types := range map[string][2]any{
		"endpoint": {api.EndpointWithHealth{}, client.Endpoint{}},
		"secret":   {api.EndpointSecret{}, client.EndpointSecret{}},
		"change":   {api.EndpointChange{}, client.EndpointInput{}},
		"delivery": {api.TenantDelivery{}, client.Delivery{}},
		"job":      {api.Job{}, client.Job{}},
		"key":      {api.Key{}, client.Key{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			known := fieldsOf(reflect.TypeOf(types[1]))
			for _, name := range fieldsOf(reflect.TypeOf(types[0])) {
				if !slices.Contains(known, name) {
					t.Errorf("the client lacks %q", name)
				}
			}
		})
	}
}

// fieldsOf returns the names of a type's JSON fields.
func fieldsOf(t reflect.Type) (names []string) {
	for _, field := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}
