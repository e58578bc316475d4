package api_test

import (
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/bellwire"
)

func TestStatistics(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, s := range []step{
		{name: "nothing yet", method: "GET", path: "/tenants/acme/statistics?interval=day", key: "tenant", status: 200, want: `{"interval":"day","data":[],"others":false}`},
		{name: "publish", method: "POST", path: "/tenants/acme/events", body: `{"type":"invoice.paid","data":{"total":1}}`, status: 202},
	} {
		w.step(t, s)
	}
	ended := &bellwire.Result{
		Endpoint: "ep", EventType: "invoice.paid", EndedAt: time.Now(), Trigger: bellwire.TriggerSchedule,
		Attempt: &bellwire.Attempt{Outcome: bellwire.OutcomeOK},
	}
	if _, err := w.store.RecordResults(t.Context(), []*bellwire.Result{ended}); err != nil { // of no delivery
		t.Fatal(err)
	}
	if _, err := w.store.RollUp(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	row := `{"at":"*","attempts":0,"succeeded":0,"failed":0,"p50_ms":null,"p99_ms":null,"published":1}`
	for _, s := range []step{
		{name: "a tenant's", method: "GET", path: "/tenants/acme/statistics?interval=day", key: "tenant", status: 200, want: `{"interval":"day","data":[` + row + `]}`},
		{name: "by type", method: "GET", path: "/tenants/acme/statistics?by=type", status: 200, want: `{"interval":"hour","data":[{"type":"invoice.paid","published":1}]}`},
		{name: "by what events do not have", method: "GET", path: "/tenants/acme/statistics?by=endpoint,outcome", status: 200, want: `{"data":[]}`},
		{name: "all tenants'", method: "GET", path: "/statistics?interval=minute", status: 200, want: `{"interval":"minute","data":[` + row + `]}`},
		{name: "of one of all tenants", method: "GET", path: "/statistics?interval=minute&tenant=acme", status: 200, want: `{"data":[` + row + `]}`},
		{name: "of another of all tenants", method: "GET", path: "/statistics?tenant=other", status: 200, want: `{"data":[]}`},
		{name: "of no tenant", method: "GET", path: "/statistics?tenant=nobody", status: 404, problem: "not_found"},
		{name: "by tenant", method: "GET", path: "/statistics?by=tenant", status: 200, want: `{"data":[{"tenant":"acme","published":1}]}`},
		{name: "a tenant's by tenant", method: "GET", path: "/tenants/acme/statistics?by=tenant", status: 422, problem: "invalid by"},
		{name: "of one of all by tenant", method: "GET", path: "/statistics?by=tenant&tenant=acme", status: 422, problem: "invalid by"},
		{name: "what waits", method: "GET", path: "/backlog", status: 200, want: `{"waiting":0,"oldest_due_at":null,"deferred":0,"unmatched":0,"oldest_unmatched_at":null}`},
		{name: "what waits to a tenant", method: "GET", path: "/backlog", key: "tenant", status: 403, problem: "forbidden"},
		{name: "what waits to a publisher", method: "GET", path: "/backlog", key: "publisher", status: 403, problem: "forbidden"},
		{name: "another tenant's", method: "GET", path: "/tenants/other/statistics", status: 200, want: `{"data":[]}`},
		{name: "to a tenant of another", method: "GET", path: "/tenants/other/statistics", key: "tenant", status: 404, problem: "not_found"},
		{name: "all to a tenant", method: "GET", path: "/statistics", key: "tenant", status: 403, problem: "forbidden"},
		{name: "of nobody", method: "GET", path: "/tenants/nobody/statistics", status: 404, problem: "not_found"},
		{name: "an unknown interval", method: "GET", path: "/statistics?interval=week", status: 422, problem: "invalid interval"},
		{name: "an unknown dimension", method: "GET", path: "/statistics?by=type,colour", status: 422, problem: "invalid by"},
		{name: "a dimension twice", method: "GET", path: "/statistics?by=type,type", status: 422, problem: "invalid by"},
		{name: "a bad time", method: "GET", path: "/statistics?since=yesterday", status: 422, problem: "invalid since"},
		{name: "too many intervals", method: "GET", path: "/statistics?interval=minute&since=2026-01-01T00:00:00Z&until=2026-01-03T00:00:00Z", status: 422, problem: "invalid since"},
		{name: "no time", method: "GET", path: "/statistics?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", status: 422, problem: "invalid since"},
	} {
		w.step(t, s)
	}
	for _, c := range []struct {
		since time.Duration
		want  string
	}{{2 * time.Hour, "minute"}, {3 * time.Hour, "hour"}, {30 * 24 * time.Hour, "day"}} {
		since := url.QueryEscape(time.Now().Add(time.Second - c.since).Format(time.RFC3339))
		w.step(t, step{name: "since " + c.since.String(), method: "GET", path: "/tenants/acme/statistics?since=" + since, status: 200, want: `{"interval":"` + c.want + `","data":[{"published":1}]}`})
	}

	server := httptest.NewServer(w.handler)
	defer server.Close()
	c, err := client.New(server.URL, adminKey)
	if err != nil {
		t.Fatal(err)
	}
	if waits, err := c.Backlog(t.Context()); err != nil || waits.CountedAt.IsZero() || *waits != (client.Backlog{CountedAt: waits.CountedAt}) {
		t.Errorf("%+v, %v", waits, err)
	}
	f := client.StatisticsFilter{Since: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour), Interval: client.Hour, By: []client.Dimension{client.ByType}}
	for _, tenant := range []string{"acme", ""} {
		got, err := c.Statistics(t.Context(), tenant, f)
		if err != nil || len(got.Data) != 1 || got.Data[0].Type != "invoice.paid" || *got.Data[0].Published != 1 || got.Data[0].P50 != nil || got.Interval != client.Hour {
			t.Errorf("%+v, %v", got, err)
		}
	}
}
