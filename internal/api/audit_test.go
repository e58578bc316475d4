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
		{name: "all", method: "GET", path: "/audit", status: 200, want: `{"data":[
			{"id":"*","at":"2026-01-02T03:04:05.678901Z","last_at":"2026-01-02T03:04:05.678901Z","count":1,"tenant":"acme","key":null,"method":"GET","path":"/v1/events","principal":"support-jane","justification":"third"},
			{"tenant":"other","justification":"second"},
			{"tenant":"acme","justification":"first","key":"key_01000000000000000000000000000000"}],"next_cursor":null}`},
		{name: "of a tenant, a page", method: "GET", path: "/audit?tenant=acme&limit=1", status: 200, want: `{"data":[{"justification":"third"}],"next_cursor":"*"}`, save: "cursor=next_cursor"},
		{name: "the next page", method: "GET", path: "/audit?tenant=acme&limit=1&cursor={cursor}", status: 200, want: `{"data":[{"justification":"first"}],"next_cursor":null}`},
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
	list, err := c.Audit(t.Context(), "other", client.Page{})
	if err != nil || len(list.Data) != 1 || list.Data[0].Justification != "second" || list.Data[0].Key != nil || !list.Data[0].At.Equal(at) ||
		!list.Data[0].LastAt.Equal(at) || list.Data[0].Count != 1 {
		t.Errorf("%+v, %v", list, err)
	}
}
