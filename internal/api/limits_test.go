package api_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

func TestLimitsOfTenants(t *testing.T) {
	run(t, []step{
		{name: "create", method: "POST", path: "/tenants", body: `{"id":"new","limits":{"endpoints":1,"publish_rate":0.5,"min_retry_delay":"2s","keys":null}}`, status: 201,
			want: `{"id":"new","limits":{"endpoints":1,"publish_rate":0.5,"min_retry_delay":"2s"}}`},
		{name: "get", method: "GET", path: "/tenants/new", status: 200,
			want: `{"limits":{"endpoints":1,"publish_rate":0.5,"min_retry_delay":"2s"},"effective_limits":{"endpoints":1,"publish_rate":0.5,"min_retry_delay":"2s","keys":1000,"test_rate":10,"stored_events":0}}`},
		{name: "change one", method: "PATCH", path: "/tenants/new", body: `{"limits":{"endpoints":2,"publish_rate":null}}`, status: 200,
			want: `{"limits":{"endpoints":2,"min_retry_delay":"2s"},"effective_limits":{"publish_rate":0}}`},
		{name: "change a name", method: "PATCH", path: "/tenants/new", body: `{"name":"x"}`, status: 200, want: `{"limits":{"endpoints":2,"min_retry_delay":"2s"}}`},
		{name: "change none", method: "PATCH", path: "/tenants/new", body: `{"limits":{}}`, status: 200, want: `{"limits":{"endpoints":2,"min_retry_delay":"2s"}}`},
		{name: "as they were shown", method: "PATCH", path: "/tenants/new", body: `{"limits":{"min_retry_delay":"2s"}}`, status: 200, want: `{"limits":{"endpoints":2}}`},
		{name: "above the range", method: "PATCH", path: "/tenants/new", body: `{"limits":{"endpoints":65537}}`, status: 422, problem: "invalid limits.endpoints"},
		{name: "no whole number", method: "PATCH", path: "/tenants/new", body: `{"limits":{"endpoints":1.5}}`, status: 422, problem: "invalid limits.endpoints"},
		{name: "text for a number", method: "PATCH", path: "/tenants/new", body: `{"limits":{"endpoints":"5"}}`, status: 422, problem: "invalid limits.endpoints"},
		{name: "number for a time", method: "PATCH", path: "/tenants/new", body: `{"limits":{"min_retry_delay":5}}`, status: 422, problem: "invalid limits.min_retry_delay"},
		{name: "no time", method: "PATCH", path: "/tenants/new", body: `{"limits":{"min_retry_delay":"soon"}}`, status: 422, problem: "invalid limits.min_retry_delay"},
		{name: "unknown", method: "PATCH", path: "/tenants/new", body: `{"limits":{"endpoint":5}}`, status: 422, problem: "invalid limits.endpoint"},
		{name: "of the server", method: "PATCH", path: "/tenants/new", body: `{"limits":{"event_types":5}}`, status: 422, problem: "invalid limits.event_types"},
		{name: "twice", method: "PATCH", path: "/tenants/new", body: `{"limits":{"keys":5,"keys":6}}`, status: 422, problem: "invalid limits.keys"},
		{name: "no object", method: "PATCH", path: "/tenants/new", body: `{"limits":5}`, status: 422, problem: "invalid limits"},
		{name: "null for a new one", method: "POST", path: "/tenants", body: `{"id":"newer","limits":null}`, status: 422, problem: "invalid limits"},
		{name: "by a tenant", method: "PATCH", path: "/tenants/acme", key: "tenant", body: `{"limits":{"endpoints":5}}`, status: 403, problem: "forbidden"},
		{name: "reset all", method: "PATCH", path: "/tenants/new", body: `{"limits":null}`, status: 200, want: `{"limits":{},"effective_limits":{"endpoints":1000,"min_retry_delay":"1s"}}`},
	})
}

// The publish rate is a field of a tenant, too.
func TestPublishRateOfTenants(t *testing.T) {
	run(t, []step{
		{name: "create", method: "POST", path: "/tenants", body: `{"id":"new","publish_rate":0.5}`, status: 201,
			want: `{"id":"new","publish_rate":0.5,"limits":{"publish_rate":0.5}}`},
		{name: "change another limit", method: "PATCH", path: "/tenants/new", body: `{"limits":{"keys":5}}`, status: 200, want: `{"publish_rate":0.5}`},
		{name: "change", method: "PATCH", path: "/tenants/new", body: `{"publish_rate":7}`, status: 200,
			want: `{"publish_rate":7,"limits":{"keys":5,"publish_rate":7},"effective_limits":{"publish_rate":7}}`},
		{name: "the same twice", method: "PATCH", path: "/tenants/new", body: `{"publish_rate":8,"limits":{"publish_rate":8}}`, status: 200, want: `{"publish_rate":8}`},
		{name: "different twice", method: "PATCH", path: "/tenants/new", body: `{"publish_rate":8,"limits":{"publish_rate":null}}`, status: 422, problem: "invalid publish_rate"},
		{name: "below the range", method: "PATCH", path: "/tenants/new", body: `{"publish_rate":-1}`, status: 422, problem: "invalid publish_rate"},
		{name: "text", method: "PATCH", path: "/tenants/new", body: `{"publish_rate":"5"}`, status: 422, problem: "invalid publish_rate"},
		{name: "remove", method: "PATCH", path: "/tenants/new", body: `{"publish_rate":null}`, status: 200, want: `{"publish_rate":null,"limits":{"keys":5}}`},
		{name: "replace", method: "PUT", path: "/tenants/new", body: `{"publish_rate":3}`, status: 200, want: `{"publish_rate":3,"limits":{"publish_rate":3}}`},
	})
}

// Who goes beyond a limit is told which, what its value is, and when to try again.
func TestLimitsAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if answer := w.call("PATCH", "/tenants/acme", adminKey, `{"limits":{"endpoints":1,"test_rate":0.01}}`); answer.Code != 200 {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	type problem struct{ Code, Detail string }
	const endpoint = `{"url":"https://example.com/","events":["*"]}`
	var made struct{ ID string }
	if answer := w.call("POST", "/tenants/acme/endpoints", adminKey, endpoint); json.Unmarshal(answer.Body.Bytes(), &made) != nil || answer.Code != 201 {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	test := "/tenants/acme/endpoints/" + made.ID + "/test"
	if answer := w.call("POST", test, adminKey, ""); answer.Code != 202 {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	for path, want := range map[string]problem{
		"/tenants/acme/endpoints": {"conflict", `the tenant has 1 endpoint, and the limit "endpoints" allows 1; delete one first, or ask for a higher limit`},
		test:                      {"rate_limited", `the limit "test_rate" allows 0.01 tests per second; try again in SOON, or ask for a higher limit`},
	} {
		body := ""
		if path != test {
			body = endpoint
		}
		answer := w.call("POST", path, adminKey, body)
		var got problem
		if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if retry := answer.Header().Get("Retry-After"); retry != "" {
			seconds, err := strconv.Atoi(retry)
			if err != nil || seconds < 1 || seconds > 100 {
				t.Errorf("%s: Retry-After is %q, of a token that comes once in 100 s", path, retry)
			}
			wait := bellwire.Duration(time.Duration(seconds) * time.Second).String()
			got.Detail = strings.Replace(got.Detail, "in "+wait, "in SOON", 1)
		}
		if got != want {
			t.Errorf("%s answers %d, Retry-After %q: %+v", path, answer.Code, answer.Header().Get("Retry-After"), got)
		}
	}
}

// They are shown in the order of their page, so that two answers can be compared.
func TestLimitsAreShownInOrder(t *testing.T) {
	t.Parallel()
	var tenant struct {
		Effective json.RawMessage `json:"effective_limits"`
	}
	w := newWorld(t)
	if err := json.Unmarshal(w.call("GET", "/tenants/acme", adminKey, "").Body.Bytes(), &tenant); err != nil {
		t.Fatal(err)
	}
	rest := string(tenant.Effective)
	for _, name := range limits.Names(true) {
		_, after, found := strings.Cut(rest, `"`+name+`":`)
		if !found {
			t.Fatalf("%s is not where it must be: %s", name, tenant.Effective)
		}
		rest = after
	}
}

// A limit that was lowered below what there is says how much there is.
func TestLoweredLimitAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var refusal struct{ Detail string }
	for _, c := range [][3]string{
		{"POST", "/tenants/acme/endpoints", `{"url":"https://example.com/","events":["*"]}`},
		{"POST", "/tenants/acme/endpoints", `{"url":"https://example.com/","events":["*"]}`},
		{"PATCH", "/tenants/acme", `{"limits":{"endpoints":1}}`},
	} {
		if answer := w.call(c[0], c[1], adminKey, c[2]); answer.Code > 299 {
			t.Fatalf("%s %s: %d %s", c[0], c[1], answer.Code, answer.Body)
		}
	}
	answer := w.call("POST", "/tenants/acme/endpoints", adminKey, `{"url":"https://example.com/","events":["*"]}`)
	if err := json.Unmarshal(answer.Body.Bytes(), &refusal); err != nil {
		t.Fatal(err)
	}
	const want = `the tenant has 2 endpoints, and the limit "endpoints" allows 1; delete some first, or ask for a higher limit`
	if answer.Code != 409 || refusal.Detail != want {
		t.Errorf("%d %q, want 409 %q", answer.Code, refusal.Detail, want)
	}
}

// The document has a field for each limit that a tenant can have, and for no other.
func TestLimitsInTheDocument(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var doc struct {
		Components struct {
			Schemas map[string]struct{ Properties map[string]json.RawMessage }
		}
	}
	if err := json.Unmarshal(get(w.handler, "/openapi.json").Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	want := slices.Sorted(slices.Values(limits.Names(true)))
	for _, member := range []string{"limits", "effective_limits"} {
		var schema struct{ Properties map[string]json.RawMessage }
		if err := json.Unmarshal(doc.Components.Schemas["Tenant"].Properties[member], &schema); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(schema.Properties))); diff != "" {
			t.Errorf("%s of a tenant (-limits +document):\n%s", member, diff)
		}
	}
}
