package api_test

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/client"
)

// conditional makes a call with If-Match, unless that is empty.
func (w *world) conditional(method, path, body, match string) *httptest.ResponseRecorder {
	r := request(method, path, adminKey, body)
	if match != "" {
		r.Header.Set("If-Match", match)
	}
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, r)
	return answer
}

// TestConditionalChanges changes an endpoint, a tenant and an event type on conditions.
func TestConditionalChanges(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		path, create, change, other string
		methods                     []string
	}{
		"endpoint": {"/tenants/acme/endpoints/ep_00000000000000000000000000000007", `{"url":"https://example.com/a","events":["*"]}`,
			`{"url":"https://example.com/b","events":["*"]}`, `{"url":"https://example.com/c","events":["*"]}`, []string{"PUT", "PATCH"}},
		"tenant":     {"/tenants/new", `{}`, `{"name":"A"}`, `{"name":"B"}`, []string{"PUT", "PATCH"}},
		"event type": {"/event-types/card.blocked", `{}`, `{"description":"A"}`, `{"description":"B"}`, []string{"PUT"}},
	} {
		for _, method := range c.methods {
			t.Run(name+" by "+method, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				expect := func(what string, answer *httptest.ResponseRecorder, status int) string {
					t.Helper()
					if answer.Code != status {
						t.Fatalf("%s: %d %s, want %d", what, answer.Code, answer.Body, status)
					}
					return answer.Header().Get("ETag")
				}
				refused := func(what string, answer *httptest.ResponseRecorder) {
					t.Helper()
					expect(what, answer, 412)
					var p struct{ Code, Detail string }
					if err := json.Unmarshal(answer.Body.Bytes(), &p); err != nil || p.Code != "precondition_failed" || !strings.Contains(p.Detail, name) {
						t.Errorf("%s: %s, %v", what, answer.Body, err)
					}
				}
				refused("create on a condition", w.conditional("PUT", c.path, c.create, "*"))
				first := expect("create", w.conditional("PUT", c.path, c.create, ""), 201)
				if read := expect("read", w.conditional("GET", c.path, "", ""), 200); read != first || len(first) < 3 || first[0] != '"' {
					t.Errorf("the tags are %q and %q", first, read)
				}
				second := expect("change", w.conditional(method, c.path, c.change, first), 200)
				if second == first {
					t.Errorf("the tag is %q before and after a change", first)
				}
				refused("change what has changed", w.conditional(method, c.path, c.other, first))
				refused("change with a weak tag", w.conditional(method, c.path, c.other, "W/"+second))
				refused("change with an unknown tag", w.conditional(method, c.path, c.other, `"x"`))
				if read := expect("read", w.conditional("GET", c.path, "", ""), 200); read != second {
					t.Errorf("the tag is %q after refused changes, want %q", read, second)
				}
				expect("change with one of several tags", w.conditional(method, c.path, c.other, first+`, `+second), 200)
				expect("change with any tag", w.conditional(method, c.path, c.change, "*"), 200)
				expect("change without a condition", w.conditional(method, c.path, c.other, ""), 200)
				for _, broken := range []string{"x", `"`, `"a`, `""`, `"a" "b"`, ","} {
					expect("change with "+broken, w.conditional(method, c.path, c.change, broken), 422)
				}
			})
		}
	}
}

// A tenant's version does not change with what it has.
func TestVersionOfATenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.conditional("GET", "/tenants/acme", "", "").Header().Get("ETag")
	if answer := w.call("POST", "/tenants/acme/endpoints", adminKey, `{"url":"https://example.com","events":["*"]}`); answer.Code != 201 {
		t.Fatal(answer.Body)
	}
	if after := w.conditional("GET", "/tenants/acme", "", "").Header().Get("ETag"); after != before {
		t.Errorf("the tag is %q before and %q after a new endpoint", before, after)
	}
}

// TestClientMakesConditionalChanges has two people change the same things with the client.
func TestClientMakesConditionalChanges(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(newWorld(t).handler)
	t.Cleanup(server.Close)
	c, err := client.New(server.URL, adminKey)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	tenant, err := c.Tenant(ctx, "acme")
	must(t, tenant, err)
	kind, err := c.EventType(ctx, "invoice.paid")
	must(t, kind, err)
	if counted, err := c.Subscriptions(ctx); err != nil || len(counted.Data) != 1 || counted.Data[0] != (client.Subscription{EventType: "invoice.paid"}) || counted.Capped {
		t.Errorf("%+v, %v", counted, err)
	}
	made, err := c.CreateEndpoint(ctx, "acme", client.EndpointInput{URL: new("https://example.com"), Events: []string{"*"}})
	must(t, made, err)
	ep, err := c.Endpoint(ctx, "acme", made.ID)
	must(t, ep, err)
	for name, change := range map[string]func() error{
		"tenant": func() error {
			changed, err := c.UpdateTenant(client.WithIfMatch(ctx, tenant.ETag), "acme", client.TenantChange{Name: new("A")})
			if err == nil && (changed.ETag == "" || changed.ETag == tenant.ETag) {
				t.Errorf("the tenant's tag is %q", changed.ETag)
			}
			return err
		},
		"event type": func() error {
			_, err := c.PutEventType(client.WithIfMatch(ctx, kind.ETag), client.EventType{Name: kind.Name, Description: "A"})
			return err
		},
		"endpoint": func() error {
			_, err := c.UpdateEndpoint(client.WithIfMatch(ctx, ep.ETag), "acme", ep.ID, client.EndpointInput{Description: new("A")})
			return err
		},
	} {
		if err := change(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var refusal *client.Error
		if err := change(); !errors.As(err, &refusal) || refusal.Code != client.CodePreconditionFailed || refusal.Status != 412 {
			t.Errorf("%s, again: %v", name, err)
		}
	}
}
