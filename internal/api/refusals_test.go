package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// A refusal names what is wrong, and what to do instead.
func TestRefusalsSayWhatToDo(t *testing.T) {
	endpoint := func(more string) string { return `{"url":"https://a.example/","events":["*"],` + more + `}` }
	const endpoints = "/tenants/acme/endpoints"
	var steps []step
	for _, refusal := range []struct{ name, path, key, body, detail string }{
		{"no url", endpoints, "", `{"events":["*"]}`, "url: It is required."},
		{"no events", endpoints, "", `{"url":"https://a.example/"}`, "events: It is required, with at least one event pattern."},
		{"empty url", endpoints, "", `{"url":"","events":["*"]}`, "url: It must be an absolute http or https URL, such as https://example.com/webhooks."},
		{"no scheme", endpoints, "", `{"url":"a.example","events":["*"]}`, "url: It must be an absolute http or https URL, such as https://example.com/webhooks."},
		{"rate", endpoints, "", endpoint(`"rate_limit":0`), "rate_limit: It must be between 0.001 and 1,000,000 events a second."},
		{"in flight", endpoints, "", endpoint(`"max_in_flight":0`), "max_in_flight: It must be between 1 and 1024."},
		{"ordering", endpoints, "", endpoint(`"ordering":"FIFO"`), `ordering: It must be "none" or "fifo".`},
		{"status", endpoints, "", endpoint(`"status":"on"`), `status: It must be "enabled", "paused" or "disabled".`},
		{"role of a tenant's key", "/keys", "", `{"role":"tenant"}`, `role: It must be "admin" or "publisher"; a key with another role belongs to a tenant, so name that.`},
		{"role of an operator's key", "/tenants/acme/keys", "", `{"role":"admin"}`, `role: It must be "tenant" or "tenant-read"; a key with another role belongs to no tenant.`},
		{"publish by a tenant", "/tenants/acme/events", "tenant", `{"type":"x","data":1}`,
			`A key with the role "tenant" may not do this; use one with the role "publisher" or "admin".`},
		{"change by a publisher", endpoints, "publisher", endpoint(`"status":"enabled"`),
			`A key with the role "publisher" may not do this; use one with the role "tenant" or "admin".`},
		{"manage by a publisher", "/tenants", "publisher", `{"id":"x"}`, `A key with the role "publisher" may not do this; use one with the role "admin".`},
	} {
		want, err := json.Marshal(map[string]string{"detail": refusal.detail})
		if err != nil {
			t.Fatal(err)
		}
		s := step{name: refusal.name, method: "POST", path: refusal.path, key: refusal.key, body: refusal.body, want: string(want)}
		if field, _, named := strings.Cut(refusal.detail, ": "); named {
			s.status, s.problem = http.StatusUnprocessableEntity, "invalid "+field
		} else {
			s.status, s.problem = http.StatusForbidden, "forbidden"
		}
		steps = append(steps, s)
	}
	run(t, steps)
}
