package api_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/bellwire"
)

func TestAudit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := time.Date(2026, 1, 2, 3, 4, 5, 678_901_000, time.UTC)
	for n, tenant := range []string{"acme", "other", "acme"} {
		e := &bellwire.AuditEntry{
			ID: bellwire.NewID[bellwire.AuditKind](at), At: at, Tenant: tenant, Method: "GET", Path: "/v1/events",
			Principal: "support-jane", Justification: []string{"first", "second", "third"}[n], ExpiresAt: at.Add(time.Hour),
		}
		if n == 0 {
			e.Key = bellwire.KeyID{1}
		}
		if err := w.store.AppendAudit(t.Context(), e, 0); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range []step{
		{name: "all", method: "GET", path: "/audit?until=2026-01-03T00:00:00Z", status: 200, want: `{"data":[
			{"id":"*","at":"2026-01-02T03:04:05.678901Z","last_at":"2026-01-02T03:04:05.678901Z","count":1,"tenant":"acme","key":null,"method":"GET","path":"/v1/events","principal":"support-jane","justification":"third"},
			{"tenant":"other","justification":"second"},
			{"tenant":"acme","justification":"first","key":"key_01000000000000000000000000000000"}],"next_cursor":null}`},
		{name: "of a tenant, a page", method: "GET", path: "/audit?tenant=acme&until=2026-01-03T00:00:00Z&limit=1", status: 200, want: `{"data":[{"justification":"third"}],"next_cursor":"*"}`, save: "cursor=next_cursor"},
		{name: "the next page", method: "GET", path: "/audit?tenant=acme&until=2026-01-03T00:00:00Z&limit=1&cursor={cursor}", status: 200, want: `{"data":[{"justification":"first"}],"next_cursor":null}`},
		{name: "of nobody", method: "GET", path: "/audit?tenant=nobody", status: 200, want: `{"data":[]}`},
		{name: "a bad cursor", method: "GET", path: "/audit?cursor=x", status: 422, problem: "invalid cursor"},
		{name: "a publisher", method: "GET", path: "/audit", key: "publisher", status: 403, problem: "forbidden"},
		{name: "a tenant", method: "GET", path: "/audit?tenant=acme", key: "tenant", status: 403, problem: "forbidden"},
		{name: "nobody", method: "GET", path: "/audit", key: "none", status: 401, problem: "unauthenticated"},
	} {
		w.step(t, s)
	}

	server := httptest.NewServer(w.handler)
	defer server.Close()
	c, err := client.New(server.URL, adminKey)
	if err != nil {
		t.Fatal(err)
	}
	list, err := c.Audit(t.Context(), client.AuditFilter{Tenant: "other", Until: at.Add(time.Hour)}, client.Page{})
	if err != nil || len(list.Data) != 1 || list.Data[0].Justification != "second" || list.Data[0].Key != nil || !list.Data[0].At.Equal(at) ||
		!list.Data[0].LastAt.Equal(at) || list.Data[0].Count != 1 {
		t.Errorf("%+v, %v", list, err)
	}
}

// TestAuditOfChanges: each change by the native API is on record, without secrets.
func TestAuditOfChanges(t *testing.T) {
	run(t, []step{
		{method: "PATCH", path: "/tenants/acme", header: []string{"X-Request-Id: r1"}, body: `{"name":"New"}`, status: 200},
		{name: "a tenant", method: "GET", path: "/audit?tenant=acme&limit=1", status: 200,
			want: `{"data":[{"action":"tenant.update","subject":"acme","key":null,"by":{"kind":"configured","role":"admin"},"before":{"name":""},"after":{"name":"New"}}]}`},
		{method: "POST", path: "/tenants/acme/endpoints", key: "tenant", body: newEndpointBody, status: 201, save: "endpoint=id secret=secret"},
		{name: "an endpoint", method: "GET", path: "/audit?tenant=acme&limit=1", status: 200, without: []string{"{secret}"},
			want: `{"data":[{"action":"endpoint.create","subject":"{endpoint}","key":"*","by":{"kind":"key","key_name":"billing","role":"tenant"},"before":{},"after":{}}]}`, save: "key=data.0.key since=data.0.at"},
		{method: "POST", path: "/tenants/acme/endpoints/{endpoint}/secret/rotate", status: 200},
		{method: "PATCH", path: "/tenants/acme/endpoints/{endpoint}", body: `{"description":"d"}`, status: 200},
		{method: "DELETE", path: "/tenants/acme/endpoints/{endpoint}", status: 204},
		{name: "what came of it", method: "GET", path: "/audit?tenant=acme&limit=3", status: 200,
			want: `{"data":[{"action":"endpoint.delete"},{"action":"endpoint.update"},{"action":"endpoint.rotate-secret"}]}`},
		{name: "by a key", method: "GET", path: "/audit?key={key}", status: 200, want: `{"data":[{"subject":"{endpoint}"}]}`},
		{name: "refused changes are none", method: "POST", path: "/tenants/acme/endpoints", body: `{}`, status: 422, problem: "invalid url"},
		{method: "POST", path: "/keys", body: `{"role":"publisher"}`, status: 201, save: "made=id secret=secret"},
		{name: "a key", method: "GET", path: "/audit?limit=1", status: 200, without: []string{"{secret}"}, want: `{"data":[{"action":"key.create","tenant":"","subject":"{made}","after":{"role":"publisher"}}]}`},
		{method: "DELETE", path: "/event-types/invoice.paid", status: 204},
		{name: "an event type", method: "GET", path: "/audit?limit=1", status: 200, want: `{"data":[{"action":"event-type.delete","subject":"invoice.paid"}]}`},
		{method: "DELETE", path: "/tenants/acme", status: 204},
		{name: "of a tenant that is gone", method: "GET", path: "/audit?tenant=acme&limit=1", status: 200, want: `{"data":[{"action":"tenant.delete"}]}`},
		{name: "a key that cannot be", method: "GET", path: "/audit?key=x", status: 422, problem: "invalid key"},
		{name: "a time that cannot be", method: "GET", path: "/audit?since=x", status: 422, problem: "invalid since"},
	})
}
