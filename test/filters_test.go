package test

import (
	"fmt"
	"strings"
	"testing"
)

// TestFilters chooses events by their content, on both stores, also after a restart.
func TestFilters(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		filters(t, func() *server { return startServer(t, dir, local...) })
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		_, option := newDatabase(t)
		dir := t.TempDir()
		filters(t, func() *server { return startServer(t, dir, append(local, option)...) })
	})
}

func filters(t *testing.T, start func() *server) {
	s := start()
	r := startReceiver(t, 0)
	s.call("POST", "/tenants", `{"id": "acme"}`, nil)
	s.call("PUT", "/event-types/card.used", `{"schema": {"type": "object", "properties": {"amount": {}, "country": {"type": "string"}}}}`, nil)
	create := func(filter string) (status int, answer string) {
		t.Helper()
		status, body, err := s.do("POST", "/tenants/acme/endpoints", fmt.Appendf(nil, `{"url": %q, "events": ["card.*"], "filter": %q, "on_error": "skip"}`, r.url, filter))
		if err != nil {
			t.Fatal(err)
		}
		return status, string(body)
	}
	if status, answer := create("data.amuont > 100"); status != 422 || !strings.Contains(answer, `data.amuont, which does not exist in card.used (did you mean \"amount\"?) (line 1, column 1)`) {
		t.Errorf("a filter with a wrong field: %d %s", status, answer)
	}
	if status, answer := create(`data.amount > 9007199254740992 && data.country != "GB"`); status != 201 {
		t.Fatalf("%d %s", status, answer)
	}
	publish := func(data string, deliveries int) string {
		t.Helper()
		var receipt struct {
			ID         string
			Deliveries int
		}
		s.call("POST", "/tenants/acme/events", `{"type": "card.used", "data": `+data+`}`, &receipt)
		if receipt.Deliveries != deliveries {
			t.Errorf("%s has %d deliveries, want %d", data, receipt.Deliveries, deliveries)
		}
		return receipt.ID
	}
	chosen := []string{publish(`{"amount": 9007199254740993, "country": "FR"}`, 1)}
	publish(`{"amount": 9007199254740992, "country": "FR"}`, 0)
	publish(`{"amount": 1E400, "country": "GB"}`, 0)
	publish(`{"country": "FR"}`, 0)
	if _, metrics := s.get("/metrics"); !strings.Contains(metrics, `bellwire_filter_errors_total{result="skipped"} 1`) {
		t.Error("the filter without an answer is not counted")
	}
	s.terminate()

	s = start()
	chosen = append(chosen, publish(`{"amount": 1E400, "country": "FR"}`, 1))
	publish(`{"amount": 1E-400, "country": "FR"}`, 0)
	if came := r.await(t, chosen); len(came) != len(chosen) {
		t.Errorf("%d events came, want %d", len(came), len(chosen))
	}
	var tried struct{ Matched, Unmatched, Errors int }
	s.call("POST", "/tenants/acme/filters/try", `{"filter": "data.amount > 1", "types": ["card.*"]}`, &tried)
	if tried.Matched != 4 || tried.Unmatched != 1 || tried.Errors != 1 {
		t.Errorf("tried on the events: %+v", tried)
	}
	s.terminate()
}
