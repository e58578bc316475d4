package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/api"
)

// An error names the problem, the field, and what to do instead.
func TestErrorsSayWhatToDo(t *testing.T) {
	endpoint := func(more string) string { return `{"url":"https://a.example/","events":["*"],` + more + `}` }
	const endpoints = "/tenants/acme/endpoints"
	var steps []step
	for _, refusal := range []struct{ name, path, key, body, detail string }{
		{"no url", endpoints, "", `{"events":["*"]}`, "url is required"},
		{"no events", endpoints, "", `{"url":"https://a.example/"}`, "events is required, with at least one event type or pattern"},
		{"empty url", endpoints, "", `{"url":"","events":["*"]}`, "url must be an absolute http or https URL, such as https://example.com/hooks"},
		{"no scheme", endpoints, "", `{"url":"a.example","events":["*"]}`, "url must be an absolute http or https URL, such as https://example.com/hooks"},
		{"rate", endpoints, "", endpoint(`"rate_limit":0`), "rate_limit must be between 0.001 and 1,000,000 events per second"},
		{"in flight", endpoints, "", endpoint(`"max_in_flight":0`), "max_in_flight must be between 1 and 1,024"},
		{"ordering", endpoints, "", endpoint(`"ordering":"FIFO"`), `ordering must be "none", "fifo" or "key"`},
		{"status", endpoints, "", endpoint(`"status":"on"`), `status must be "enabled", "paused" or "disabled"`},
		{"private address", endpoints, "", `{"url":"http://10.0.0.1/","events":["*"]}`, "url must lead to a public address; 10.0.0.1 is private, reserved or not allowed on this server"},
		{"port", endpoints, "", `{"url":"https://a.example:22/","events":["*"]}`, "url must not have the port 22, which belongs to another protocol"},
		{"events as text", endpoints, "", `{"url":"https://a.example/","events":"*"}`, "events must be an array"},
		{"url as a number", endpoints, "", `{"url":5,"events":["*"]}`, "url must be a string"},
		{"pattern", endpoints, "", `{"url":"https://a.example/","events":["*.created"]}`, `events[0] must be an event type, or the start of one followed by a single *, such as order.*; "*.created" is not`},
		{"unknown type", endpoints, "", `{"url":"https://a.example/","events":["invoice.piad"]}`, `events[0] "invoice.piad" is not a known event type (did you mean "invoice.paid"?)`},
		{"unknown field", endpoints, "", endpoint(`"rateLimit":1`), `rateLimit is not a known field (did you mean "rate_limit"?)`},
		{"mixed policy", endpoints, "", endpoint(`"retry":{"schedule":[],"count":1}`), "retry must have either schedule, or interval and count, or initial and max_elapsed"},
		{"delay without a unit", endpoints, "", endpoint(`"retry":{"schedule":["5s","5"]}`), `retry.schedule[1] must be a duration, such as "5s", "72h" or "30d"`},
		{"short delay", endpoints, "", endpoint(`"retry":{"schedule":["5ms"]}`), `retry.schedule[0] must be at least 1s (limit "min_retry_delay")`},
		{"header of its own", endpoints, "", endpoint(`"headers":{"webhook-id":"x"}`), `headers.webhook-id must not name the header "webhook-id", which is a part of every request`},
		{"redacted header", endpoints, "", endpoint(`"headers":{"X-Env":"[redacted]"}`), `headers.X-Env must not be "[redacted]", which stands for a value that is not shown; give the value, or leave it out`},
		{"tenant's id", "/tenants", "", `{"id":"a b"}`, `id must have 1 to 64 characters, each of A-Z, a-z, 0-9, "_" or "-"`},
		{"payload", "/tenants/acme/events", "", `{"type":"invoice.paid","payload":1}`, `payload is not a known field (did you mean "data"?)`},
		{"published type", "/tenants/acme/events", "", `{"type":"invoice.piad","data":1}`, `type "invoice.piad" is not a known event type (did you mean "invoice.paid"?)`},
		{"type in a batch", "/tenants/acme/events/batch", "", `{"events":[{"type":"nope","data":1}]}`, `events[0].type "nope" is not a known event type`},
		{"limit of a tenant", "/tenants", "", `{"id":"x","limits":{"endpoint":1}}`, `limits.endpoint is not a known limit (did you mean "endpoints"?)`},
		{"role of a tenant's key", "/keys", "", `{"role":"tenant"}`, `role must be "admin" or "publisher"; a key with another role must belong to a tenant`},
		{"role of an operator's key", "/tenants/acme/keys", "", `{"role":"admin"}`, `role must be "tenant" or "tenant-read"; a key with another role must not belong to a tenant`},
		{"publish by a tenant", "/tenants/acme/events", "tenant", `{"type":"x","data":1}`,
			`tenant keys cannot publish; use a publisher or admin key`},
		{"change by a publisher", endpoints, "publisher", endpoint(`"status":"enabled"`),
			`publisher keys cannot manage endpoints; use a tenant or admin key`},
		{"manage by a publisher", "/tenants", "publisher", `{"id":"x"}`, `publisher keys cannot manage tenants, keys and event types; use an admin key`},
	} {
		t.Run(refusal.name, func(t *testing.T) {
			want, err := json.Marshal(map[string]string{"detail": refusal.detail})
			if err != nil {
				t.Fatal(err)
			}
			s := step{
				name: refusal.name, method: "POST", path: refusal.path, key: refusal.key, body: refusal.body, want: string(want),
				status: http.StatusForbidden, problem: "forbidden",
			}
			if refusal.key == "" {
				field, _, _ := strings.Cut(refusal.detail, " ")
				s.status, s.problem = http.StatusUnprocessableEntity, "invalid "+field
			}
			steps = append(steps, s)
		})
	}
	run(t, steps)
}

// Everything that is wrong with a body is told at once, in the order in which it was found; the detail is the first of it.
func TestRefusalsListAllFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		name, method, path, body string
		want                     []string
	}{
		{"form", "POST", "/tenants/acme/endpoints", `{"url":5,"payload":{},"events":[1],"headers":{"a":1},"auth":{"type":"none","tokn":"x"},"retry":{"count":"x","jitter":"y"}}`,
			[]string{"url", "payload", "events[0]", "headers.a", "auth.tokn", "retry.count", "retry.jitter"}},
		{"content", "POST", "/tenants/acme/endpoints", `{"url":"ftp://a","events":["nope","*","*"],"rate_limit":0,"ordering":"x","signing":"y","auth":{"type":"basic","token":"t"},"headers":{"host":"a"}}`,
			[]string{"url", "rate_limit", "ordering", "signing", "events[0]", "events[2]", "auth.username", "auth.token", "headers.host"}},
		{"form and content", "POST", "/tenants/acme/endpoints", `{"url":"ftp://a","event":["*"],"rate_limit":"x","ordering":"x","retry":{"schedule":[5]}}`,
			[]string{"event", "rate_limit", "retry.schedule[0]", "url", "ordering", "events"}},
		{"a tenant", "POST", "/tenants", `{"id":"a b","nam":"x","limits":{"endpoints":-1}}`, []string{"nam", "id", "limits.endpoints"}},
		{"missing", "POST", "/tenants/acme/endpoints", `{}`, []string{"url", "events"}},
		{"event", "POST", "/tenants/acme/events", `{"payload":1,"id":""}`, []string{"payload", "id", "type", "data"}},
		{"batch", "POST", "/tenants/acme/events/batch", `{"events":[{"type":"invoice.paid"},{"data":1}]}`, []string{"events[0].data", "events[1].type"}},
		{"types of a batch", "POST", "/tenants/acme/events/batch", `{"events":[{"type":"a","data":1},{"type":"b","data":1}]}`, []string{"events[0].type", "events[1].type"}},
		{"parameters", "GET", "/tenants/acme/deliveries?limit=0&status=failed&staus=x", "", []string{"limit", "status", "staus"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got api.Problem
			if err := json.Unmarshal(w.call(c.method, c.path, adminKey, c.body).Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			var fields []string
			for _, fault := range got.Errors {
				fields = append(fields, fault.Field)
			}
			if diff := cmp.Diff(c.want, fields); diff != "" {
				t.Errorf("%s: %+v (-want +got):\n%s", c.name, got, diff)
				return
			}
			if first := got.Errors[0].Field + " " + got.Errors[0].Message; got.Detail != first {
				t.Errorf("%s: the detail is %q, the first fault %q", c.name, got.Detail, first)
			}
		})
	}
}

func TestRefusalsOfParameters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for query, want := range map[string]string{
		"limit=1000":                          "limit must be between 1 and 250",
		"limit=many":                          "limit must be a whole number",
		"status=failed":                       `status must be "pending", "retrying", "succeeded", "exhausted" or "canceled"`,
		"staus=pending":                       `staus is not a known parameter (did you mean "status"?)`,
		"limit=1&limit=2":                     "limit must be given once, but was given 2 times",
		"cursor=" + strings.Repeat("x", 1000): "cursor must have at most 512 characters",
	} {
		t.Run(fmt.Sprintf("%.60s", query), func(t *testing.T) {
			var got api.Problem
			if err := json.Unmarshal(w.call("GET", "/tenants/acme/deliveries?"+query, adminKey, "").Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if got.Detail != want || got.Status != http.StatusUnprocessableEntity {
				t.Errorf("%.40s: %d %q, want 422 %q", query, got.Status, got.Detail, want)
			}
		})
	}
}

// A body with a field that does not fit changes nothing, though the others are looked at.
func TestMisfitsChangeNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var made struct{ ID string }
	answer := w.call("POST", "/tenants/acme/endpoints", adminKey, `{"url":"https://a.example/","events":["*"]}`)
	if err := json.Unmarshal(answer.Body.Bytes(), &made); err != nil || made.ID == "" {
		t.Fatalf("endpoint: %d %s", answer.Code, answer.Body)
	}
	endpoint, before := made.ID, w.exports(t, "")
	for _, c := range []struct{ method, path, body string }{
		{"POST", "/tenants", `{"id":"new"`},
		{"PUT", "/tenants/new", `{"name":"New"`},
		{"PATCH", "/tenants/acme", `{"name":"Other"`},
		{"POST", "/keys", `{"role":"admin"`},
		{"POST", "/tenants/acme/keys", `{"role":"tenant"`},
		{"PUT", "/event-types/order.made", `{"description":"x"`},
		{"POST", "/tenants/acme/endpoints", `{"url":"https://a.example/","events":["*"]`},
		{"PUT", "/tenants/acme/endpoints/ep_other", `{"url":"https://a.example/","events":["*"]`},
		{"PATCH", "/tenants/acme/endpoints/" + endpoint, `{"description":"x"`},
		{"POST", "/tenants/acme/replays", `{"endpoint":"` + endpoint + `","since":"2020-01-01T00:00:00Z"`},
		{"POST", "/replays", `{"since":"2020-01-01T00:00:00Z"`},
		{"POST", "/tenants/acme/deliveries/retry", `{"endpoint":"` + endpoint + `"`},
		{"POST", "/tenants/acme/portal-sessions", `{"expires_in":"1h"`},
		{"POST", "/tenants/acme/filters/try", `{"filter":"true"`},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			var got api.Problem
			answer := w.call(c.method, c.path, adminKey, c.body+`,"surprise":1}`)
			if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			want := []api.Fault{{Field: "surprise", Message: "is not a known field"}}
			if diff := cmp.Diff(want, got.Errors); diff != "" || got.Status != http.StatusUnprocessableEntity {
				t.Errorf("%d (-want +got):\n%s", got.Status, diff)
			}
		})
	}
	if diff := cmp.Diff(before, w.exports(t, "")); diff != "" {
		t.Errorf("something has changed (-before +after):\n%s", diff)
	}
	if jobs := w.call("GET", "/jobs", adminKey, "").Body.String(); !strings.Contains(jobs, `"data":[]`) {
		t.Errorf("there are jobs: %s", jobs)
	}
}
