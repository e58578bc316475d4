package service_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

func many(n int, f func(i int) string) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = f(i)
	}
	return list
}

func headers(list ...string) *[]bellwire.Header {
	out := []bellwire.Header{}
	for i := 0; i < len(list); i += 2 {
		out = append(out, bellwire.Header{Name: list[i], Value: list[i+1]})
	}
	return &out
}

// badInputs are endpoints that must be refused, created or changed.
var badInputs = []struct {
	name  string
	in    service.EndpointInput
	field string
}{
	{"url empty", service.EndpointInput{URL: new("")}, "url"},
	{"url scheme", service.EndpointInput{URL: new("ftp://example.com")}, "url"},
	{"url private", service.EndpointInput{URL: new("https://192.168.0.1/")}, "url"},
	{"url mapped loopback", service.EndpointInput{URL: new("https://[::ffff:127.0.0.1]/")}, "url"},
	{"url short loopback", service.EndpointInput{URL: new("https://127.1/")}, "url"},
	{"url no domain name", service.EndpointInput{URL: new("https://ü..example/")}, "url"},
	{"url user", service.EndpointInput{URL: new("https://a:b@example.com")}, "url"},
	{"url port", service.EndpointInput{URL: new("https://example.com:25")}, "url"},
	{"description long", service.EndpointInput{Description: new(strings.Repeat("x", 4097))}, "description"},
	{"description NUL", service.EndpointInput{Description: new("a\x00b")}, "description"},
	{"dialect unknown", service.EndpointInput{Dialect: new("klingon")}, "dialect"},
	{"dialect refuses", service.EndpointInput{Dialect: new("bare"), Events: &[]string{"a*", "b*"}}, "events"},
	{"events none", service.EndpointInput{Events: &[]string{}}, "events"},
	{"events many", service.EndpointInput{Events: new(many(101, func(i int) string { return fmt.Sprintf("e%d*", i) }))}, "events"},
	{"events unreadable", service.EndpointInput{Events: &[]string{"a*", "b*c"}}, "events[1]"},
	{"events empty pattern", service.EndpointInput{Events: &[]string{""}}, "events[0]"},
	{"events twice", service.EndpointInput{Events: &[]string{"a*", "b*", "a*"}}, "events[2]"},
	{"events unknown", service.EndpointInput{Events: &[]string{"order.created", "order.lost"}}, "events[1]"},
	{"events archived", service.EndpointInput{Events: &[]string{"order.archived"}}, "events[0]"},
	{"filter broken", service.EndpointInput{Filter: new("data.amount >")}, "filter"},
	{"filter without the schema's fields", service.EndpointInput{Filter: new("data.total > 1")}, "filter"},
	{"filter long", service.EndpointInput{Filter: new(strings.Repeat(" ", 5000))}, "filter"},
	{"on_error", service.EndpointInput{OnError: new(bellwire.OnError("hold"))}, "on_error"},
	{"retry jitter", service.EndpointInput{Retry: &bellwire.RetryPolicy{Jitter: 2}}, "retry.jitter"},
	{"retry count", service.EndpointInput{Retry: &bellwire.RetryPolicy{Interval: bellwire.Duration(time.Minute), Count: 101}}, "retry"},
	{"rate limit 0", service.EndpointInput{RateLimit: new(0.0)}, "rate_limit"},
	{"rate limit negative", service.EndpointInput{RateLimit: new(-1.0)}, "rate_limit"},
	{"rate limit NaN", service.EndpointInput{RateLimit: new(math.NaN())}, "rate_limit"},
	{"rate limit infinite", service.EndpointInput{RateLimit: new(math.Inf(1))}, "rate_limit"},
	{"max in flight 0", service.EndpointInput{MaxInFlight: new(0)}, "max_in_flight"},
	{"timeout too short", service.EndpointInput{Timeout: new(999 * time.Millisecond)}, "timeout"},
	{"timeout too long", service.EndpointInput{Timeout: new(61 * time.Second)}, "timeout"},
	{"disabled at once", service.EndpointInput{AutoDisableAfter: new(time.Millisecond)}, "auto_disable_after"},
	{"disabled before", service.EndpointInput{AutoDisableAfter: new(-time.Hour)}, "auto_disable_after"},
	{"disabled in years", service.EndpointInput{AutoDisableAfter: new(8761 * time.Hour)}, "auto_disable_after"},
	{"max in flight 1025", service.EndpointInput{MaxInFlight: new(1025)}, "max_in_flight"},
	{"ordering", service.EndpointInput{Ordering: new(bellwire.Ordering("lifo"))}, "ordering"},
	{"signing", service.EndpointInput{Signing: new(bellwire.Signing("rsa"))}, "signing"},
	{"status", service.EndpointInput{Status: new(bellwire.EndpointStatus("on"))}, "status"},
	{"secret", service.EndpointInput{Secret: new("whsec_short")}, "secret"},
	{"metadata", service.EndpointInput{Metadata: &map[string]string{"": "x"}}, "metadata"},
	{"metadata NUL", service.EndpointInput{Metadata: &map[string]string{"a": "\x00"}}, "metadata"},
	{"extra", service.EndpointInput{Extra: &map[string]string{"a": strings.Repeat("x", bellwire.MaxURLLength+1)}}, "extra"},
	{"extra names", service.EndpointInput{Extra: &map[string]string{strings.Repeat("x", 65): ""}}, "extra"},
	{"extra NUL", service.EndpointInput{Extra: &map[string]string{"a\x00": ""}}, "extra"},
	{"extra many", service.EndpointInput{Extra: new(numbered(17))}, "extra"},
	{"auth type", service.EndpointInput{Auth: &bellwire.Auth{Type: "magic"}}, "auth.type"},
	{"auth without type", service.EndpointInput{Auth: &bellwire.Auth{Token: "x"}}, "auth.type"},
	{"auth foreign field", service.EndpointInput{Auth: &bellwire.Auth{Type: bellwire.AuthBearer, Token: "x", Key: "y"}}, "auth.key"},
	{"auth none with token", service.EndpointInput{Auth: &bellwire.Auth{Type: bellwire.AuthNone, Token: "x"}}, "auth.token"},
	{"bearer without token", service.EndpointInput{Auth: &bellwire.Auth{Type: bellwire.AuthBearer}}, "auth.token"},
	{"bearer with space", service.EndpointInput{Auth: &bellwire.Auth{Type: bellwire.AuthBearer, Token: "a b"}}, "auth.token"},
	{"bearer with line", service.EndpointInput{Auth: &bellwire.Auth{Type: bellwire.AuthBearer, Token: "a\r\nX: y"}}, "auth.token"},
	{"bearer redacted", service.EndpointInput{Auth: &bellwire.Auth{Type: bellwire.AuthBearer, Token: bellwire.Redacted}}, "auth.token"},
	{"basic without user", service.EndpointInput{Auth: &bellwire.Auth{Type: bellwire.AuthBasic, Password: "x"}}, "auth.username"},
	{"basic colon", service.EndpointInput{Auth: &bellwire.Auth{Type: bellwire.AuthBasic, Username: "a:b"}}, "auth.username"},
	{"api key without header", service.EndpointInput{Auth: &bellwire.Auth{Type: bellwire.AuthAPIKey, Key: "x"}}, "auth.header"},
	{"api key reserved header", service.EndpointInput{Auth: &bellwire.Auth{Type: bellwire.AuthAPIKey, Header: "Webhook-Id", Key: "x"}}, "auth.header"},
	{"api key bad header", service.EndpointInput{Auth: &bellwire.Auth{Type: bellwire.AuthAPIKey, Header: "X Key", Key: "x"}}, "auth.header"},
	{"api key not UTF-8", service.EndpointInput{Auth: &bellwire.Auth{Type: bellwire.AuthAPIKey, Header: "X-Key", Key: "\xff"}}, "auth.key"},
	{"header name", service.EndpointInput{Headers: headers("X:", "1")}, "headers"},
	{"header no name", service.EndpointInput{Headers: headers("", "1")}, "headers"},
	{"header host", service.EndpointInput{Headers: headers("HOST", "1")}, "headers.HOST"},
	{"header content-length", service.EndpointInput{Headers: headers("content-length", "1")}, "headers.content-length"},
	{"header webhook-id", service.EndpointInput{Headers: headers("Webhook-Anything", "1")}, "headers.Webhook-Anything"},
	{"header hop-by-hop", service.EndpointInput{Headers: headers("Transfer-Encoding", "chunked")}, "headers.Transfer-Encoding"},
	{"header twice", service.EndpointInput{Headers: headers("X-A", "1", "x-a", "2")}, "headers.x-a"},
	{"header value line", service.EndpointInput{Headers: headers("X-A", "1\n2")}, "headers.X-A"},
	{"header value space", service.EndpointInput{Headers: headers("X-A", " 1")}, "headers.X-A"},
	{"header value redacted", service.EndpointInput{Headers: headers("X-A", bellwire.Redacted)}, "headers.X-A"},
	{"header value long", service.EndpointInput{Headers: headers("X-A", strings.Repeat("x", 4097))}, "headers.X-A"},
	{"headers many", service.EndpointInput{Headers: headers(many(102, func(i int) string { return fmt.Sprintf("X-%d", i) })...)}, "headers"},
	{"headers large", service.EndpointInput{Headers: headers(
		"A", strings.Repeat("x", 4096), "B", strings.Repeat("x", 4096), "C", strings.Repeat("x", 4096), "D", strings.Repeat("x", 4096))}, "headers"},
	{"authorization taken", service.EndpointInput{
		Auth: &bellwire.Auth{Type: bellwire.AuthBearer, Token: "x"}, Headers: headers("authorization", "y"),
	}, "headers.authorization"},
	{"api key header taken", service.EndpointInput{
		Auth: &bellwire.Auth{Type: bellwire.AuthAPIKey, Header: "X-Key", Key: "x"}, Headers: headers("x-key", "y"),
	}, "headers.x-key"},
}

func TestBadEndpoints(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.putType("order.archived", service.EventTypeInput{Archived: true})
	tenant := e.tenant("acme")
	ep := e.endpoint(tenant)
	refreshes := e.engine.refreshes(ep.ID)
	for _, tt := range badInputs {
		created := tt.in
		if created.URL == nil {
			created.URL = minimal().URL
		}
		if created.Events == nil {
			created.Events = minimal().Events
		}
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := e.CreateEndpoint(t.Context(), admin, tenant, created)
			wantCode(t, err, bellwire.CodeInvalid, tt.field)
			_, err = e.UpdateEndpoint(t.Context(), admin, tenant, ep.ID, tt.in)
			wantCode(t, err, bellwire.CodeInvalid, tt.field)
		})
	}
	for field, in := range map[string]service.EndpointInput{
		"url":    {Events: minimal().Events},
		"events": {URL: minimal().URL},
	} {
		_, _, err := e.CreateEndpoint(t.Context(), admin, tenant, in)
		wantCode(t, err, bellwire.CodeInvalid, field)
	}
	list, err := e.Endpoints(t.Context(), admin, service.EndpointQuery{EndpointFilter: bellwire.EndpointFilter{Tenant: tenant}}, bellwire.Page{})
	if err != nil || len(list.Items) != 1 {
		t.Fatalf("endpoints: %v, %v", list, err)
	}
	ep.Health = list.Items[0].Health // which answers to changes lack
	if diff := cmp.Diff(ep, list.Items[0]); diff != "" {
		t.Errorf("refused changes changed something:\n%s", diff)
	}
	if e.engine.refreshes(ep.ID) != refreshes {
		t.Error("the engine was told of a refused change")
	}
}

// numbered returns a map of n entries.
func numbered(n int) map[string]string {
	all := make(map[string]string, n)
	for i := range n {
		all[fmt.Sprint(i)] = "x"
	}
	return all
}
