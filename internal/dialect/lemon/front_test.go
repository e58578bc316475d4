package lemon_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/lemon"
	"github.com/bellwire/bellwire/internal/dialecttest"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/service"
)

func newWorld(t testing.TB) *dialecttest.World {
	t.Helper()
	return dialecttest.New(t, config(false))
}

func config(sandbox bool) dialecttest.Config {
	return dialecttest.Config{
		Dialect:   lemon.Dialect{},
		Front:     func(svc *service.Service) http.Handler { return lemon.Dialect{}.Front(svc, nil) },
		Catalogue: lemon.Catalogue,
		Sandbox:   sandbox,
	}
}

type step = dialecttest.Step

const (
	principal     = "LMG-Data-Privacy-Access-Principal: nobody"
	justification = "LMG-Data-Privacy-Access-Justification: webhook-test"
)

// run makes the steps with both privacy headers, unless a step has headers of its own.
func run(t *testing.T, w *dialecttest.World, steps ...step) {
	t.Helper()
	for _, s := range steps {
		if s.Header == nil {
			s.Header = []string{principal, justification}
		}
		dialecttest.Run(t, w, []step{s})
	}
}

func message(text string) string { return `{"message":"` + text + `"}` }

// The seed's request and its answer.
const (
	seedRequest = `{
"url": "https://webhook.site/48cf1291-4ab5-452b-9d07-17103ab8e768",
"events": [
"account.created"
]
}`
	seedAnswer = `{"events":["account.created"],"id":"wbh_<number:hex32>","signature_secret":"<secret:hex64>",` +
		`"url":"https://webhook.site/48cf1291-4ab5-452b-9d07-17103ab8e768"}`
	shown = `{"events":["account.created"],"id":"wbh_{number}","signature_secret":"{secret}",` +
		`"url":"https://webhook.site/48cf1291-4ab5-452b-9d07-17103ab8e768"}`
	noMore = `"pagination":{"next_cursor":null}}`
)

func TestWebhooks(t *testing.T) {
	t.Parallel()
	run(t, newWorld(t), []step{
		{Name: "none yet", Do: "GET /v1/webhooks", Status: 200, Want: `{"data":[],` + noMore},
		{Name: "create", Do: "POST /v1/webhooks", Body: seedRequest, Status: 201, Want: seedAnswer,
			WantHeader: []string{"Content-Type: application/json", "Cache-Control: no-store"}},
		{Name: "list", Do: "GET /v1/webhooks", Status: 200, Want: `{"data":[` + shown + `],` + noMore,
			WantHeader: []string{"Content-Type: application/json"}},
		{Name: "list without the right to secrets", Key: "tenant-read", Do: "GET /v1/webhooks", Status: 200,
			Want: strings.NewReplacer("{secret}", bellwire.Redacted, "48cf1291-4ab5-452b-9d07-17103ab8e768", bellwire.Redacted).Replace(`{"data":[` + shown + `],` + noMore)},
		{Name: "the same URL again", Do: "POST /v1/webhooks", Status: 201,
			Body: `{"events":["order.executed","account.created"],"url":"https://webhook.site/48cf1291-4ab5-452b-9d07-17103ab8e768"}`,
			Want: `{"events":["order.executed","account.created"],"id":"wbh_<second:hex32>","signature_secret":"<any>",` +
				`"url":"https://webhook.site/48cf1291-4ab5-452b-9d07-17103ab8e768"}`},
		{Name: "strangers see nothing", Key: "other", Do: "GET /v1/webhooks", Status: 200, Want: `{"data":[],` + noMore},
		{Name: "and delete nothing", Key: "other", Do: "DELETE /v1/webhooks/wbh_{number}", Status: 404, Want: message("Webhook not found")},
		{Name: "nor do those who may only read", Key: "tenant-read", Do: "DELETE /v1/webhooks/wbh_{number}", Status: 403, Want: message("the API key does not permit this operation")},
		{Name: "delete", Do: "DELETE /v1/webhooks/wbh_{number}", Status: 204},
		{Name: "it is gone", Do: "DELETE /v1/webhooks/wbh_{number}", Status: 404, Want: message("Webhook not found")},
		{Name: "unknown", Do: "DELETE /v1/webhooks/wbh_0953534cf20f414098533680abd6b1c7", Status: 404, Want: message("Webhook not found")},
		{Name: "of another form", Do: "DELETE /v1/webhooks/%00%ff", Status: 404, Want: message("Webhook not found")},
		{Name: "the other is left", Do: "GET /v1/webhooks", Status: 200, Want: `{"data":[{"events":["order.executed","account.created"],"id":"wbh_{second}",<any>}],` + noMore},
	}...)
}

// Pages have the requested length, and cursors stay valid when webhooks are created and deleted.
func TestPagesOfWebhooks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	create := func(name string) {
		run(t, w, step{Name: "create", Do: "POST /v1/webhooks", Status: 201, Body: `{"url":"https://example.com/` + name + `","events":["account.created"]}`,
			Want: `{"events":["account.created"],"id":"<` + name + `:any>","signature_secret":"<any>","url":"https://example.com/` + name + `"}`})
	}
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		create(name)
	}
	one := func(name string) string {
		return `{"events":["account.created"],"id":"{` + name + `}","signature_secret":"<any>","url":"https://example.com/` + name + `"}`
	}
	more := `],"pagination":{"next_cursor":"<next:any>"}}`
	run(t, w, []step{
		{Name: "first page", Do: "GET /v1/webhooks?limit=2", Status: 200, Want: `{"data":[` + one("a") + `,` + one("b") + more},
		{Name: "where it ended is deleted", Do: "DELETE /v1/webhooks/{b}", Status: 204},
		{Name: "second page", Do: "GET /v1/webhooks?cursor={next}", Status: 200, Want: `{"data":[` + one("c") + `,` + one("d") + `],"pagination":{"next_cursor":"<last:any>"}}`},
		{Name: "another's cursor", Key: "other", Do: "GET /v1/webhooks?cursor={next}", Status: 400, Want: message("Error in 'query.cursor': must be the next_cursor of an earlier page of this list, unchanged")},
		{Name: "with another limit", Do: "GET /v1/webhooks?cursor={next}&limit=1", Status: 200, Want: `{"data":[` + one("c") + more},
		{Name: "last page", Do: "GET /v1/webhooks?cursor={last}", Status: 200, Want: `{"data":[` + one("e") + `],` + noMore},
		{Name: "all that is left", Do: "GET /v1/webhooks?limit=4", Status: 200, Want: `{"data":[` + one("a") + `,` + one("c") + `,` + one("d") + `,` + one("e") + `],` + noMore},
	}...)
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	run(t, w, step{Name: "create", Do: "POST /v1/webhooks", Body: seedRequest, Status: 201, Want: seedAnswer})
	for _, c := range []struct{ name, body, message string }{
		{"nothing", ``, `Error in 'body': the body is empty; it must be JSON`},
		{"broken", `{`, `Error in 'body': the body is not JSON: unexpected end in line 1, column 2`},
		{"trailing garbage", `{} x`, `Error in 'body': the body is not JSON: unexpected 'x' in line 1, column 4`},
		{"not UTF-8", "{\"url\":\"\xff\"}", `Error in 'body': the body is not JSON: a byte that is not UTF-8 in line 1, column 9`},
		{"no object", `[]`, `Error in 'body': the body must be an object`},
		{"null", `null`, `Error in 'body.url': Field required`},
		{"no URL", `{"events":["account.created"]}`, `Error in 'body.url': Field required`},
		{"no events", `{"url":"https://example.com"}`, `Error in 'body.events': Field required`},
		{"null URL", `{"url":null,"events":["account.created"]}`, `Error in 'body.url': must not be null`},
		{"a number", `{"url":7,"events":["account.created"]}`, `Error in 'body.url': must be a string`},
		{"empty URL", `{"url":"","events":["account.created"]}`, `Error in 'body.url': must be an absolute http or https URL, such as https://example.com/hooks`},
		{"private", `{"url":"https://[fd00::1]/","events":["account.created"]}`, `Error in 'body.url': must lead to a public address; fd00::1 is private, reserved or not allowed on this server`},
		{"no scheme", `{"url":"example.com","events":["account.created"]}`, `Error in 'body.url': must be an absolute http or https URL, such as https://example.com/hooks`},
		{"long URL", `{"url":"https://example.com/` + strings.Repeat("x", 2064) + `","events":["account.created"]}`,
			`Error in 'body.url': must have at most 2,083 bytes, but has 2,084`},
		{"null events", `{"url":"https://example.com","events":null}`, `Error in 'body.events': must not be null`},
		{"events as text", `{"url":"https://example.com","events":"account.created"}`, `Error in 'body.events': must be an array`},
		{"no event", `{"url":"https://example.com","events":[]}`, `Error in 'body.events': must have 1 to 100 entries, but has 0`},
		{"null event", `{"url":"https://example.com","events":[null]}`, `Error in 'body.events.0': \"\" is not a known event type`},
		{"number event", `{"url":"https://example.com","events":["account.created",1]}`, `Error in 'body.events.1': must be a string`},
		{"unknown event", `{"url":"https://example.com","events":["account.created","account.crated"]}`, `Error in 'body.events.1': \"account.crated\" is not a known event type`},
		{"event twice", `{"url":"https://example.com","events":["account.created","account.created"]}`, `Error in 'body.events.1': repeats \"account.created\"`},
		{"wildcard", `{"url":"https://example.com","events":["account.*"]}`, `Error in 'body.events.0': must be the name of one event type; there are no wildcards`},
		{"everything", `{"url":"https://example.com","events":["*"]}`, `Error in 'body.events.0': must be the name of one event type; there are no wildcards`},
		{"unknown field", `{"url":"https://example.com","events":["account.created"],"secret":"x"}`, `Error in 'body.secret': is not a known field`},
		{"field twice", `{"url":"https://example.com","url":"https://example.com","events":["account.created"]}`, `Error in 'body.url': is given twice`},
		{"long field", `{"` + strings.Repeat("x", 5000) + `":1}`, `Error in 'body.` + strings.Repeat("x", 123) + `…': is not a known field`},
	} {
		t.Run(c.name, func(t *testing.T) {
			run(t, w, step{Name: c.name, Do: "POST /v1/webhooks", Body: c.body, Status: 400, Want: message(c.message)})
		})
	}
	run(t, w, []step{
		{Name: "too large", Do: "POST /v1/webhooks", Body: strings.Repeat(" ", httpx.MaxSmallBody) + seedRequest, Status: 413,
			Want: message("the body must have at most 65,536 bytes")},
		{Name: "limit of none", Do: "GET /v1/webhooks?limit=0", Status: 400, Want: message("Error in 'query.limit': must be a whole number between 1 and 100")},
		{Name: "limit of many", Do: "GET /v1/webhooks?limit=101", Status: 400, Want: message("Error in 'query.limit': must be a whole number between 1 and 100")},
		{Name: "limit of text", Do: "GET /v1/webhooks?limit=all", Status: 400, Want: message("Error in 'query.limit': must be a whole number between 1 and 100")},
		{Name: "limit of nothing", Do: "GET /v1/webhooks?limit=", Status: 400, Want: message("Error in 'query.limit': must be a whole number between 1 and 100")},
		{Name: "no cursor", Do: "GET /v1/webhooks?cursor=abc", Status: 400, Want: message("Error in 'query.cursor': must be the next_cursor of an earlier page of this list, unchanged")},
		{Name: "unknown parameter", Do: "GET /v1/webhooks?type=account.created", Status: 400, Want: message("Error in 'query.type': is not a known parameter")},
		{Name: "limit twice", Do: "GET /v1/webhooks?limit=1&limit=2", Status: 400, Want: message("Error in 'query.limit': must be given only once")},
		{Name: "broken escape", Do: "GET /v1/webhooks?limit=%zz", Status: 400, Want: message("the query string is not correctly percent-encoded")},
		{Name: "nothing has changed", Do: "GET /v1/webhooks", Status: 200, Want: `{"data":[` + shown + `],` + noMore},
		{Name: "there is no route for one", Do: "GET /v1/webhooks/wbh_{number}", Status: 405, WantHeader: []string{"Allow: DELETE"}, Want: message("method GET is not allowed for this path; use DELETE")},
		{Name: "nor one to change it", Do: "PUT /v1/webhooks/wbh_{number}", Body: seedRequest, Status: 405, WantHeader: []string{"Allow: DELETE"}, Want: message("method PUT is not allowed for this path; use DELETE")},
		{Name: "another method", Do: "PATCH /v1/webhooks", Status: 405, WantHeader: []string{"Allow: GET, HEAD, POST"},
			Want: message("method PATCH is not allowed for this path; use GET, HEAD, POST")},
		{Name: "events are not written", Do: "POST /v1/events", Body: `{}`, Status: 405, WantHeader: []string{"Allow: GET, HEAD"}, Want: message("method POST is not allowed for this path; use GET, HEAD")},
		{Name: "another path", Do: "GET /v1/orders", Status: 404, Want: message("path /v1/orders does not exist")},
		{Name: "no sandbox", Do: "POST /v1/accounts", Body: `{}`, Status: 404, Want: message("path /v1/accounts does not exist")},
	}...)
}

// routes are all routes.
var routes = []string{"POST /v1/webhooks", "GET /v1/webhooks", "DELETE /v1/webhooks/wbh_{number}", "GET /v1/events", "POST /v1/accounts"}

func TestEveryRouteNeedsAKeyAndBothHeaders(t *testing.T) {
	t.Parallel()
	w := dialecttest.New(t, config(true))
	run(t, w, step{Name: "create", Do: "POST /v1/webhooks", Body: seedRequest, Status: 201, Want: seedAnswer})
	const wrong = "the API key is not valid; it may have been mistyped or deleted"
	for _, route := range routes {
		t.Run(route, func(t *testing.T) {
			run(t, w, []step{
				{Name: "no key", Key: "none", Do: route, Status: 401, Want: message("No API key found in request"), WantHeader: []string{`WWW-Authenticate: Bearer realm="lemon"`}},
				{Name: "neither key nor headers", Key: "none", Do: route, Header: []string{}, Status: 401, Want: message("No API key found in request")},
				{Name: "two keys", Key: "none", Do: route, Header: []string{"Authorization: Bearer a", "Authorization: Bearer b", principal, justification}, Status: 401,
					Want: message("the header Authorization must be given once, but was given 2 times")},
				{Name: "another scheme", Key: "none", Do: route, Header: []string{"Authorization: Basic YTpi", principal, justification}, Status: 401, Want: message("No API key found in request")},
				{Name: "wrong key", Key: "wrong", Do: route, Status: 401, Want: message(wrong)},
				{Name: "expired key", Key: "expired", Do: route, Status: 401, Want: message("the API key has expired")},
				{Name: "wrong key, no headers", Key: "wrong", Do: route, Header: []string{}, Status: 401, Want: message(wrong)},
				{Name: "an operator's key", Key: "admin", Do: route, Status: 403, Want: message("the API key does not permit this operation")},
				{Name: "a publisher's key", Key: "publisher", Do: route, Status: 403, Want: message("the API key does not permit this operation")},
				{Name: "no headers", Do: route, Header: []string{}, Status: 400, Want: message("Error in 'header.LMG-Data-Privacy-Access-Principal': Field required")},
				{Name: "no principal", Do: route, Header: []string{justification}, Status: 400, Want: message("Error in 'header.LMG-Data-Privacy-Access-Principal': Field required")},
				{Name: "no justification", Do: route, Header: []string{principal}, Status: 400, Want: message("Error in 'header.LMG-Data-Privacy-Access-Justification': Field required")},
				{Name: "empty", Do: route, Header: []string{principal, "LMG-Data-Privacy-Access-Justification: "}, Status: 400,
					Want: message("Error in 'header.LMG-Data-Privacy-Access-Justification': must not be empty")},
				{Name: "long", Do: route, Header: []string{principal, "LMG-Data-Privacy-Access-Justification: " + strings.Repeat("x", 257)}, Status: 400,
					Want: message("Error in 'header.LMG-Data-Privacy-Access-Justification': must have at most 256 bytes, but has 257")},
				{Name: "long when it is decoded", Do: route, Header: []string{"LMG-Data-Privacy-Access-Principal: " + strings.Repeat("\xff", 129), justification}, Status: 400,
					Want: message("Error in 'header.LMG-Data-Privacy-Access-Principal': must have at most 256 bytes, but has 258")},
			}...)
		})
	}
	if entries := audit(t, w, ""); len(entries) != 1 {
		t.Errorf("what was refused is in the audit log: %q", entries)
	}
	run(t, w, step{Name: "nothing has changed", Do: "GET /v1/webhooks", Status: 200, Want: `{"data":[` + shown + `],` + noMore})
}

// audit returns a tenant's entries in the audit log, newest first.
func audit(t *testing.T, w *dialecttest.World, tenant string) []string {
	t.Helper()
	list, err := w.Service.AuditLog(t.Context(), dialecttest.Admin, bellwire.AuditFilter{Tenant: tenant}, bellwire.Page{Limit: service.MaxPageLimit})
	if err != nil {
		t.Fatal(err)
	}
	var entries []string
	for _, e := range list.Items {
		if e.Action != "" || e.Refused != "" {
			continue
		}
		if e.At.IsZero() || e.Key.IsZero() {
			t.Errorf("an entry without time or key: %+v", e)
		}
		entries = append(entries, e.Tenant+" "+e.Method+" "+e.Path+" "+e.Principal+" "+e.Justification)
	}
	return entries
}

// The audit log has every request that passed all checks with its principal, also if it then failed. It has none that was refused
// for its form, because those show and change nothing.
func TestAudit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	as := func(who, why string) []string {
		return []string{"LMG-Data-Privacy-Access-Principal: " + who, "lmg-data-privacy-access-justification: " + why}
	}
	run(t, w, []step{
		{Name: "create", Do: "POST /v1/webhooks", Header: as("jobs-jane", "setup-1"), Body: seedRequest, Status: 201, Want: seedAnswer},
		{Name: "refused", Do: "POST /v1/webhooks", Header: as("jobs-jane", "setup-2"), Body: `{}`, Status: 400, Want: "<any>"},
		{Name: "a bad URL", Do: "POST /v1/webhooks", Header: as("jobs-jane", "setup-2"), Body: `{"url":"ftp://example.com","events":["account.created"]}`, Status: 400, Want: "<any>"},
		{Name: "a private URL", Do: "POST /v1/webhooks", Header: as("jobs-jane", "setup-2"), Body: `{"url":"https://10.0.0.1","events":["account.created"]}`, Status: 400, Want: "<any>"},
		{Name: "an unknown event", Do: "POST /v1/webhooks", Header: as("jobs-jane", "setup-2"), Body: `{"url":"https://example.com","events":["account.creatd"]}`, Status: 400, Want: "<any>"},
		{Name: "a repeated event", Do: "POST /v1/webhooks", Header: as("jobs-jane", "setup-2"), Body: `{"url":"https://example.com","events":["account.created","account.created"]}`, Status: 400, Want: "<any>"},
		{Name: "a bad query", Do: "GET /v1/webhooks?limit=0", Header: as("jobs-jane", "setup-2"), Status: 400, Want: "<any>"},
		{Name: "a bad cursor", Do: "GET /v1/events?cursor=x", Header: as("jobs-jane", "setup-2"), Status: 400, Want: "<any>"},
		{Name: "a cursor of no place", Do: "GET /v1/events?cursor=" + base64.RawURLEncoding.EncodeToString([]byte(`{"tenant":"acme","limit":1,"after":"x"}`)), Header: as("jobs-jane", "setup-2"), Status: 400, Want: "<any>"},
		{Name: "an unknown type", Do: "GET /v1/events?type=x", Header: as("jobs-jane", "setup-2"), Status: 400, Want: "<any>"},
		{Name: "no sandbox", Do: "POST /v1/accounts", Header: as("jobs-jane", "setup-2"), Body: `{}`, Status: 404, Want: "<any>"},
		{Name: "not allowed", Key: "tenant-read", Do: "POST /v1/webhooks", Header: as("jobs-joe", "setup-3"), Body: `{}`, Status: 403, Want: "<any>"},
		{Name: "list", Key: "other", Do: "GET /v1/webhooks?limit=1", Header: as("a ünit", "b"), Status: 200, Want: "<any>"},
		{Name: "list, in ISO 8859-1", Key: "other", Do: "GET /v1/webhooks", Header: as("svc-J\xf6rg", "caf\xe9 \xbd"), Status: 200, Want: "<any>"},
		{Name: "several", Do: "GET /v1/events?context.account=cusa_1", Header: append(as("jobs-jane", "why"), "LMG-Data-Privacy-Access-Principal: jobs-jo\xeb", "LMG-Data-Privacy-Access-Principal: jobs-zoë"), Status: 200, Want: "<any>"},
		{Name: "delete", Do: "DELETE /v1/webhooks/%ff%00", Header: as("jobs-jane", "cleanup"), Status: 404, Want: "<any>"},
		{Name: "a long path", Do: "DELETE /v1/webhooks/" + strings.Repeat("x", 2000), Header: as("jobs-jane", "cleanup"), Status: 404, Want: "<any>"},
	}...)
	want := []string{
		"acme DELETE /v1/webhooks/" + strings.Repeat("x", 256-len("/v1/webhooks/…")) + "… jobs-jane cleanup",
		"acme DELETE /v1/webhooks/%ff%00 jobs-jane cleanup",
		"acme GET /v1/events jobs-jane, jobs-joë, jobs-zoë why",
		"other GET /v1/webhooks svc-Jörg café ½",
		"other GET /v1/webhooks a ünit b",
		"acme POST /v1/webhooks jobs-jane setup-1",
	}
	if diff := cmp.Diff(want, audit(t, w, "")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want[3:5], audit(t, w, "other")); diff != "" {
		t.Error(diff)
	}
	if _, err := w.Service.AuditLog(t.Context(), service.Caller{Role: bellwire.RoleTenant, Tenant: "acme"}, bellwire.AuditFilter{Tenant: "acme"}, bellwire.Page{}); bellwire.CodeOf(err) != bellwire.CodeForbidden {
		t.Errorf("a tenant reads the audit log: %v", err)
	}
}

// The rate of a key bounds how fast it fills the audit log. Equal requests are counted in one entry.
func TestAuditOfAFlood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	header := http.Header{"Lmg-Data-Privacy-Access-Principal": {"nobody"}, "Lmg-Data-Privacy-Access-Justification": {"webhook-test"}}
	answers := map[int]int{}
	const requests = 500
	for range requests {
		answer := w.Call("tenant-read", "GET", "/v1/webhooks", header, "")
		answers[answer.Code]++
		if answer.Code == http.StatusTooManyRequests && answer.Header().Get("Retry-After") == "" {
			t.Fatal("429 without Retry-After")
		}
	}
	if answers[http.StatusOK]+answers[http.StatusTooManyRequests] != requests || answers[http.StatusOK] < limits.AuditBurst || answers[http.StatusTooManyRequests] == 0 {
		t.Errorf("answers: %v", answers)
	}
	for range requests { // it may not do this
		w.Call("tenant-read", "POST", "/v1/webhooks", header, seedRequest)
	}
	list, err := w.Service.AuditLog(t.Context(), dialecttest.Admin, bellwire.AuditFilter{}, bellwire.Page{Limit: service.MaxPageLimit})
	if err != nil {
		t.Fatal(err)
	}
	counted, entries := 0, 0
	for _, e := range list.Items {
		if e.Action == "" && e.Refused == "" {
			entries++
			counted += e.Count
		}
	}
	if entries > 3 || counted != answers[http.StatusOK] { // a minute may have ended meanwhile
		t.Errorf("%d entries that stand for %d requests; %d were let through", entries, counted, answers[http.StatusOK])
	}
	if answer := w.Call("tenant", "GET", "/v1/webhooks", header, ""); answer.Code != http.StatusOK {
		t.Errorf("another key of the tenant gets %d", answer.Code)
	}
}

// The catalogue has the vendor's 83 types, each with the fields of its family in the example's context.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	var file struct {
		EventTypes []struct {
			Name    string
			Example map[string]string
		} `json:"event_types"`
	}
	if err := json.Unmarshal(lemon.Catalogue, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.EventTypes) != 83 {
		t.Errorf("there are %d types", len(file.EventTypes))
	}
	families := map[string]string{
		"account": "account", "batch_order": "account batch_order", "check": "account check", "deposit": "account deposit",
		"dividend_distribution": "account dividend_distribution securities_account transaction", "document": "account document",
		"identification": "person identification", "income_distribution": "account income_distribution securities_account",
		"order": "account order", "securities_account": "account securities_account",
		"securities_transfer": "account transaction securities_transfer", "settlement": "settlement settlement_account",
		"sweep": "sweep", "tax": "account tax transaction", "tax_exemption_order": "account tax_exemption_order",
		"trade.created": "account securities_account trade order", "trade.cash_settled": "account order trade transaction",
		"treasury_mandate": "account treasury_mandate", "treasury_transfer": "account order treasury_transfer",
		"update": "person update", "withdrawal": "account withdrawal", "workflow": "account workflow",
	}
	for _, et := range file.EventTypes {
		family, _, _ := strings.Cut(et.Name, ".")
		for _, key := range strings.Fields(families[family] + " " + families[et.Name]) {
			if et.Example[key] == "" {
				t.Errorf("the example of %s has no %s", et.Name, key)
			}
		}
	}
}

// Every error is in the words of a customer.
func TestErrorsUseTheVendorsWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.PutType("old", service.EventTypeInput{Archived: true})
	privacy := http.Header{"Lmg-Data-Privacy-Access-Principal": {"nobody"}, "Lmg-Data-Privacy-Access-Justification": {"webhook-test"}}
	const url = `"url":"https://example.com"`
	for _, header := range []http.Header{privacy, {}} {
		dialecttest.Abuse(t, w, header, []string{
			"POST /v1/webhooks", "DELETE /v1/webhooks/x", "GET /v1/webhooks?limit=0", "GET /v1/webhooks?cursor=x", "GET /v1/events?type=nope", "GET /v1/events?sort=x",
			"GET /v1/events?since=x", "GET /v1/events?limit=x", "GET /v1/events?cursor=x", "GET /v1/events?context.account=%zz", "GET /v1/events?x=1", "POST /v1/accounts", "PUT /v1/webhooks",
		},
			`{"url":"{bad}","events":["account.created"]}`, `{`+url+`}`, `{`+url+`,"events":[]}`, `{`+url+`,"events":["nope"]}`, `{`+url+`,"events":["old"]}`,
			`{`+url+`,"events":["account.*"]}`, `{`+url+`,"events":["account.created","account.created"]}`, `{`+url+`,"events":["ü"]}`, `{`+url+`,"events":1}`)
	}
}

// TestReadOnlyMembers: a webhook can be registered as it was listed, if the settings say so, and gets an id and a secret of its own.
func TestReadOnlyMembers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	again := step{Name: "as it was listed", Do: "POST /v1/webhooks", Body: `{"events":["account.created"],"id":"wbh_0","signature_secret":"x","url":"https://example.com/"}`, Status: 400, Want: "<any>"}
	run(t, w, again)
	w.Set(bellwire.DialectSettings{IgnoreReadOnly: new(true)})
	again.Status, again.Want = 201, `{"events":["account.created"],"id":"wbh_<id:hex32>","signature_secret":"<secret:hex64>","url":"https://example.com/"}`
	run(t, w, again)
}
