package atelio_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/atelio"
	"github.com/bellwire/bellwire/internal/dialecttest"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
)

type step = dialecttest.Step

// identify adds a key to a request in Atelio's two headers.
func identify(r *http.Request, _ []byte, k dialecttest.Key) {
	r.Header.Set("Identity", uuid.UUID(k.ID).String())
	r.Header.Set("Authorization", k.Secret)
}

func newWorld(t testing.TB) *dialecttest.World { return newWorldOf(t, false) }

func newWorldOf(t testing.TB, expand bool) *dialecttest.World {
	t.Helper()
	d := atelio.Dialect{ExpandWildcards: expand}
	return dialecttest.New(t, dialecttest.Config{
		Dialect:   d,
		Front:     func(svc *service.Service) http.Handler { return d.Front(svc, nil) },
		Authorize: identify,
		Catalogue: atelio.Catalogue,
	})
}

// The requests of the seed, without the backslashes, which are not JSON.
const (
	seedCreate = `
{
"events": [
"card.created",
"kyc.verification.success",
"kyc.verification.failure",
"kyc.verification.error",
"kyc.verification.timeout"
],
"url": "https://hostname.com/webhook/route",
"description": "KYC state changes.",
"version": "0.1",
"status": "STATUS_ENABLED"
}
`
	seedPatch = `
{
"events": [
"account.history.ready"
]
}
`
)

// The seed's answers.
const (
	seedEvents  = `["card.created","kyc.verification.success","kyc.verification.failure","kyc.verification.error","kyc.verification.timeout"]`
	seedCreated = `{"id":"<id:uuid>","url":"https://hostname.com/webhook/route","description":"KYC state changes.","events":` + seedEvents +
		`,"version":"0.1","secret":"whsec_<secret:base64>","status":"STATUS_ENABLED","created_time":"<created:micros>Z","updated_time":"{created}Z"}`
	shown = `{"id":"{id}","url":"https://hostname.com/webhook/route","description":"KYC state changes.","events":` + seedEvents +
		`,"version":"0.1","secret":"whsec_{secret}","status":"STATUS_ENABLED","created_time":"{created}Z","updated_time":"{created}Z"}`
	patched = `{"id":"{id}","url":"https://hostname.com/webhook/route","description":"KYC state changes.","events":["account.history.ready"],` +
		`"version":"0.1","secret":"whsec_{secret}","status":"STATUS_ENABLED","created_time":"{created}Z","updated_time":"{updated}Z"}`
)

func single(s string) string { return `{"webhook_subscription":` + s + `}` }

func several(s ...string) string { return `{"webhook_subscriptions":[` + strings.Join(s, ",") + `]}` }

func refused(status, code, message string) string {
	kind := "Request Error"
	if status[0] == '5' {
		kind = "Server Error"
	}
	return `{"Message":"` + message + `","Status":` + status + `,"Code":"` + code + `","Type":"` + kind + `"}`
}

var (
	// created is not known before this answer, so that the next step checks updated_time.
	create = step{
		Name: "create", Do: "POST /api/v0.1/webhooks", Body: seedCreate, Status: 200,
		Header: []string{"Accept: application/json", "Content-Type: application/json"},
		Want:   single(strings.Replace(seedCreated, "{created}Z", "<micros>Z", 1)), WantHeader: []string{"Content-Type: application/json", "Cache-Control: no-store"},
	}
	unchanged = step{Name: "nothing has changed", Do: "GET /api/v0.1/webhooks", Status: 200, Want: several(shown)}
	gone      = refused("404", "webhooks_err", "webhook {id} does not exist")
)

func TestSeed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dialecttest.Run(t, w, []step{
		{Name: "none yet", Do: "GET /api/v0.1/webhooks", Status: 200, Want: several()},
		create, unchanged,
		{Name: "events are replaced", Do: "PATCH /api/v0.1/webhooks/{id}", Body: seedPatch, Status: 200,
			Want: single(strings.Replace(patched, "{updated}", "<updated:micros>", 1))},
		{Name: "listed so", Do: "GET /api/v0.1/webhooks", Status: 200, Want: several(patched)},
		{Name: "nothing asked", Do: "PATCH /api/v0.1/webhooks/{id}", Body: `{}`, Status: 200, Want: single(patched)},
		{Name: "the seed's literal path", Do: "DELETE /api/v0.1/webhooks/webhook_id", Status: 404, Want: refused("404", "webhooks_err", "webhook webhook_id does not exist")},
		{Name: "removed", Do: "DELETE /api/v0.1/webhooks/{id}", Status: 200, Want: single(patched)},
		{Name: "it is gone", Do: "GET /api/v0.1/webhooks", Status: 200, Want: several()},
		{Name: "and stays so", Do: "DELETE /api/v0.1/webhooks/{id}", Status: 404, Want: gone},
		{Name: "nor can it be changed", Do: "PATCH /api/v0.1/webhooks/{id}", Body: seedPatch, Status: 404, Want: gone},
		{Name: "not even by nothing", Do: "PATCH /api/v0.1/webhooks/{id}", Body: `{}`, Status: 404, Want: gone},
	})
	if len(w.Vars["secret"]) != 32 || strings.Contains(w.Vars["secret"], "=") {
		t.Errorf("the secret has %d characters", len(w.Vars["secret"]))
	}
	if id, err := uuid.Parse(w.Vars["id"]); err != nil || id.Version() != 4 {
		t.Errorf("the id is %v, %v", id, err)
	}
	if w.Vars["updated"] <= w.Vars["created"] {
		t.Errorf("created at %s, updated at %s", w.Vars["created"], w.Vars["updated"])
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	answer := func(url, description, events, status string) string {
		return single(`{"id":"{other}","url":"` + url + `","description":"` + description + `","events":` + events +
			`,"version":"0.1","secret":"whsec_{own}","status":"` + status + `","created_time":"<micros>Z","updated_time":"<micros>Z"}`)
	}
	first := strings.NewReplacer("{other}", "<other:uuid>", "{own}", "<own:base64>").Replace(answer("https://hooks.example.test/a?b=c&d", "", `["card*","transactions"]`, "STATUS_ENABLED"))
	dialecttest.Run(t, newWorld(t), []step{
		create,
		{Name: "the least", Do: "POST /api/v0.1/webhooks", Body: `{"url":"https://hooks.example.test/a?b=c&d","events":["card*","transactions"]}`, Status: 200, Want: first},
		{Name: "oldest first", Do: "GET /api/v0.1/webhooks", Status: 200, Want: several(shown, `<any>"id":"{other}"<any>`)},
		{Name: "url", Do: "PATCH /api/v0.1/webhooks/{other}", Body: `{"url":"http://hooks.example.test"}`, Status: 200,
			Want: answer("http://hooks.example.test", "", `["card*","transactions"]`, "STATUS_ENABLED")},
		{Name: "description", Do: "PATCH /api/v0.1/webhooks/{other}", Body: `{"description":"Zoë's"}`, Status: 200,
			Want: answer("http://hooks.example.test", "Zoë's", `["card*","transactions"]`, "STATUS_ENABLED")},
		{Name: "status", Do: "PATCH /api/v0.1/webhooks/{other}", Body: `{"status":"STATUS_DISABLED","version":"0.1"}`, Status: 200,
			Want: answer("http://hooks.example.test", "Zoë's", `["card*","transactions"]`, "STATUS_DISABLED")},
		{Name: "all", Do: "PATCH /api/v0.1/webhooks/{other}", Status: 200,
			Body: `{"url":"https://hooks.example.test/a","events":["*"],"description":"","version":"0.1","status":"STATUS_ENABLED"}`,
			Want: answer("https://hooks.example.test/a", "", `["*"]`, "STATUS_ENABLED")},
		{Name: "names of former days", Do: "PATCH /api/v0.1/webhooks/{other}", Status: 200,
			Body: `{"events":["card.status.lost","kyc.verification.kba","account.statement.ready","nothing.yet*"]}`,
			Want: answer("https://hooks.example.test/a", "", `["card.status.lost","kyc.verification.kba","account.statement.ready","nothing.yet*"]`, "STATUS_ENABLED")},
		{Name: "the same again", Do: "POST /api/v0.1/webhooks", Body: seedCreate, Status: 200, Want: `<any>`},
		{Name: "made disabled", Do: "POST /api/v0.1/webhooks", Body: `{"url":"https://a.example.test","events":["*"],"status":"STATUS_DISABLED"}`, Status: 200,
			Want: `<any>"status":"STATUS_DISABLED"<any>`},
		{Name: "no content type is needed", Do: "POST /api/v0.1/webhooks", Header: []string{"Content-Type: application/x-www-form-urlencoded"}, Body: seedCreate, Status: 200, Want: `<any>`},
	})
}

func TestExpandedWildcards(t *testing.T) {
	t.Parallel()
	cards := `["card.created","card.status.active","card.status.closed","card.status.inactive","card.status.reissue","card.wallet.add","card.wallet.add_failure"`
	w := newWorldOf(t, true)
	for i := range service.MaxPatterns + 1 {
		w.PutType(fmt.Sprintf("many.%d", i), service.EventTypeInput{})
	}
	dialecttest.Run(t, w, []step{
		{Name: "create", Do: "POST /api/v0.1/webhooks", Body: `{"url":"https://a.example.test","events":["card*","card.created","transactions"]}`, Status: 200,
			Want: `{"webhook_subscription":{"id":"<id:uuid>",<any>"events":` + cards + `,"transactions"]<any>`},
		{Name: "change", Do: "PATCH /api/v0.1/webhooks/{id}", Body: `{"events":["transactions","card.wallet.*","card.w*"]}`, Status: 200,
			Want: `<any>"events":["transactions","card.wallet.add","card.wallet.add_failure"]<any>`},
		{Name: "nothing matches", Do: "PATCH /api/v0.1/webhooks/{id}", Body: `{"events":["transactions","nothing*"]}`, Status: 400,
			Want: refused("400", "input_error", `events[1] must match an event; no event matches \"nothing*\"`)},
		{Name: "too many match", Do: "PATCH /api/v0.1/webhooks/{id}", Body: `{"events":["many*"]}`, Status: 400,
			Want: refused("400", "input_error", `events must list at most 100 events; these wildcards match 101`)},
		{Name: "no wildcard", Do: "PATCH /api/v0.1/webhooks/{id}", Body: `{"events":["**"]}`, Status: 400, Want: refused("400", "input_error", `events[0] must be an event, or the start of one followed by *, such as card*; \"**\" is not`)},
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dialecttest.Run(t, w, []step{create})
	const url = `"url":"https://hostname.com/webhook/route"`
	bodies := []struct{ name, body, code, message string }{
		{"nothing", ``, "invalid_request", `the body is empty; it must be JSON`},
		{"broken", `{`, "invalid_request", `the body is not JSON: unexpected end in line 1, column 2`},
		{"the seed's backslashes", `{` + url + `,"events":["card.created",\` + "\n" + `"card*"]}`, "invalid_request", `the body is not JSON: <any>`},
		{"more behind it", `{` + url + `,"events":["card.created"]}{}`, "invalid_request", `the body is not JSON: <any>`},
		{"no UTF-8", `{` + url + `,"events":["card.created"],"description":"` + "\xff" + `"}`, "invalid_request", `the body is not JSON: <any>`},
		{"no object", `[]`, "input_error", `the body must be an object`},
		{"nothing at all", ` null `, "input_error", `the body must be a JSON object`},
		{"unknown", `{` + url + `,"events":["card.created"],"callback_url":""}`, "input_error", `callback_url is not a known field`},
		{"another case", `{"URL":"https://a.example.test","events":["card.created"]}`, "input_error", `URL is not a known field (did you mean \"url\"?)`},
		{"the secret", `{` + url + `,"events":["card.created"],"secret":"whsec_x"}`, "input_error", `secret is not a known field`},
		{"twice", `{` + url + `,` + url + `,"events":["card.created"]}`, "input_error", `url is given twice`},
		{"url of null", `{"url":null,"events":["card.created"]}`, "input_error", `url must not be null`},
		{"url of another type", `{"url":7,"events":["card.created"]}`, "input_error", `url must be a string`},
		{"url without scheme", `{"url":"www.bondjames.com","events":["card.created"]}`, "input_error", `url must be an absolute http or https URL, such as https://example.com/hooks`},
		{"empty url", `{"url":"","events":["card.created"]}`, "input_error", `url must be an absolute http or https URL, such as https://example.com/hooks`},
		{"description of null", `{` + url + `,"events":["card.created"],"description":null}`, "input_error", `description must not be null`},
		{"description of another type", `{` + url + `,"events":["card.created"],"description":{}}`, "input_error", `description must be a string`},
		{"events of null", `{` + url + `,"events":null}`, "input_error", `events must not be null`},
		{"events of another type", `{` + url + `,"events":"card.created"}`, "input_error", `events must be an array`},
		{"no event", `{` + url + `,"events":[]}`, "input_error", `events must list at least one event`},
		{"an event of null", `{` + url + `,"events":["card*",null]}`, "input_error", `events[1] must be an event, or the start of one followed by *, such as card*; \"\" is not`},
		{"an event of another type", `{` + url + `,"events":["card*",1]}`, "input_error", `events[1] must be a string`},
		{"a private address", `{"url":"http://[::ffff:10.0.0.1]/","events":["card*"]}`, "input_error", `url must lead to a public address; ::ffff:10.0.0.1 is private, reserved or not allowed on this server`},
		{"unknown event", `{` + url + `,"events":["card*","card.lost"]}`, "input_error", `events[1] \"card.lost\" is not a known event type`},
		{"an event twice", `{` + url + `,"events":["card*","card*"]}`, "input_error", `events[1] repeats \"card*\"`},
		{"a wildcard in between", `{` + url + `,"events":["card.*.active"]}`, "input_error", `events[0] must be an event, or the start of one followed by *, such as card*; \"card.*.active\" is not`},
		{"version", `{` + url + `,"events":["card*"],"version":"0.2"}`, "input_error", `version must be \"0.1\"`},
		{"version as a number", `{` + url + `,"events":["card*"],"version":0.1}`, "input_error", `version must be a string`},
		{"version of null", `{` + url + `,"events":["card*"],"version":null}`, "input_error", `version must not be null`},
		{"status", `{` + url + `,"events":["card*"],"status":"enabled"}`, "input_error", `status must be STATUS_ENABLED or STATUS_DISABLED`},
		{"status of another type", `{` + url + `,"events":["card*"],"status":true}`, "input_error", `status must be a string`},
		{"status of null", `{` + url + `,"events":["card*"],"status":null}`, "input_error", `status must not be null`},
	}
	for _, b := range bodies {
		t.Run(b.name, func(t *testing.T) {
			for _, do := range []string{"POST /api/v0.1/webhooks", "PATCH /api/v0.1/webhooks/{id}"} {
				dialecttest.Run(t, w, []step{{Name: b.name, Do: do, Body: b.body, Status: 400, Want: refused("400", b.code, b.message)}})
			}
		})
	}
	large := strings.Repeat(" ", httpx.MaxSmallBody) + seedCreate
	dialecttest.Run(t, w, []step{
		{Name: "no url", Do: "POST /api/v0.1/webhooks", Body: `{"events":["card*"]}`, Status: 400, Want: refused("400", "input_error", "url is required")},
		{Name: "no events", Do: "POST /api/v0.1/webhooks", Body: `{` + url + `}`, Status: 400, Want: refused("400", "input_error", "events is required")},
		{Name: "too large", Do: "POST /api/v0.1/webhooks", Body: large, Status: 413, Want: refused("413", "invalid_request", "the body must have at most 65,536 bytes")},
		{Name: "too large", Do: "PATCH /api/v0.1/webhooks/{id}", Body: large, Status: 413, Want: refused("413", "invalid_request", "the body must have at most 65,536 bytes")},
		{Name: "no such route", Do: "GET /api/v0.1/webhooks/{id}", Status: 405, Want: refused("405", "invalid_request", "method GET is not allowed for this path; use DELETE, PATCH"),
			WantHeader: []string{"Allow: DELETE, PATCH"}},
		{Name: "another method", Do: "PUT /api/v0.1/webhooks", Body: seedCreate, Status: 405,
			Want: refused("405", "invalid_request", "method PUT is not allowed for this path; use GET, HEAD, POST"), WantHeader: []string{"Allow: GET, HEAD, POST"}},
		{Name: "another path", Do: "GET /api/v0.1/webhook", Status: 404, Want: refused("404", "invalid_request", "path /api/v0.1/webhook does not exist")},
		{Name: "below", Do: "DELETE /api/v0.1/webhooks/{id}/x", Status: 404, Want: refused("404", "invalid_request", "path /api/v0.1/webhooks/{id}/x does not exist")},
		{Name: "no id", Do: "DELETE /api/v0.1/webhooks/", Status: 404, Want: refused("404", "<any>", "<any>")},
		{Name: "an id of another form", Do: "DELETE /api/v0.1/webhooks/" + strings.Repeat("x", 80), Status: 404,
			Want: refused("404", "webhooks_err", "webhook "+strings.Repeat("x", 64)+" does not exist")},
		unchanged,
	})
}

func TestCallers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dialecttest.Run(t, w, []step{create})
	w.Vars["keyid"], w.Vars["bare"] = w.Keys["tenant"].ID.String(), uuid.UUID(w.Keys["tenant"].ID).String()
	w.Vars["other"], w.Vars["key"] = uuid.UUID(w.Keys["other"].ID).String(), w.Keys["tenant"].Secret
	no := refused("403", "auth_err", "headers Identity and Authorization are not those of a valid API key")
	both := refused("403", "auth_err", "headers Identity and Authorization are required")
	twice := func(header string) string {
		return refused("403", "auth_err", "the header "+header+" must be given once, but was given 2 times")
	}
	for _, route := range []struct {
		do    string
		reads bool
	}{
		{"GET /api/v0.1/webhooks", true}, {"POST /api/v0.1/webhooks", false},
		{"PATCH /api/v0.1/webhooks/{id}", false}, {"DELETE /api/v0.1/webhooks/{id}", false},
	} {
		t.Run(route.do, func(t *testing.T) {
			// The body is broken: it is checked after the permission.
			steps := []step{
				{Name: "no key", Key: "none", Do: route.do, Body: "{", Status: 403, Want: both},
				{Name: "no identity", Key: "none", Header: []string{"Authorization: {key}"}, Do: route.do, Body: "{", Status: 403, Want: both},
				{Name: "no authorization", Key: "none", Header: []string{"Identity: {bare}"}, Do: route.do, Body: "{", Status: 403, Want: both},
				{Name: "an empty authorization", Key: "none", Header: []string{"Identity: {bare}", "Authorization: Bearer "}, Do: route.do, Body: "{", Status: 403, Want: both},
				{Name: "two keys", Key: "none", Header: []string{"Identity: {bare}", "Authorization: {key}", "Authorization: other"}, Do: route.do, Body: "{", Status: 403, Want: twice("Authorization")},
				{Name: "two identities", Key: "none", Header: []string{"Identity: {bare}", "Identity: {stranger}", "Authorization: {key}"}, Do: route.do, Body: "{", Status: 403, Want: twice("Identity")},
				{Name: "wrong key", Key: "wrong", Do: route.do, Body: "{", Status: 403, Want: no},
				{Name: "expired key", Key: "expired", Do: route.do, Body: "{", Status: 403,
					Want: refused("403", "auth_err", "the API key of the headers Identity and Authorization has expired")},
				{Name: "another's identity", Key: "none", Header: []string{"Identity: {stranger}", "Authorization: {key}"}, Do: route.do, Body: "{", Status: 403, Want: no},
				{Name: "no id", Key: "none", Header: []string{"Identity: acme", "Authorization: {key}"}, Do: route.do, Body: "{", Status: 403, Want: no},
				{Name: "another scheme", Key: "none", Header: []string{"Identity: {bare}", "Authorization: Basic {key}"}, Do: route.do, Body: "{", Status: 403, Want: no},
				{Name: "operator", Key: "admin", Do: route.do, Body: "{", Status: 403, Want: refused("403", "auth_err", "these credentials do not permit this operation")},
				{Name: "publisher", Key: "publisher", Do: route.do, Body: "{", Status: 403, Want: refused("403", "auth_err", "these credentials do not permit this operation")},
			}
			if !route.reads {
				steps = append(steps, step{Name: "reader", Key: "tenant-read", Do: route.do, Body: "{", Status: 403, Want: refused("403", "auth_err", "these credentials do not permit this operation")})
			}
			if strings.Contains(route.do, "{id}") {
				steps = append(steps, step{Name: "other", Key: "other", Do: route.do, Body: seedPatch, Status: 404, Want: gone})
			}
			dialecttest.Run(t, w, steps)
		})
	}
	for _, good := range [][]string{
		{"Identity: {bare}", "Authorization: {key}"}, {"Identity: {keyid}", "Authorization: {key}"},
		{"Identity: {bare}", "Authorization: Bearer {key}"}, {"identity: {keyid}", "authorization: bearer {key}"},
	} {
		t.Run(fmt.Sprint(good), func(t *testing.T) {
			dialecttest.Run(t, w, []step{{Name: strings.Join(good, ", "), Key: "none", Header: good, Do: "GET /api/v0.1/webhooks", Status: 200, Want: several(shown)}})
		})
	}
	dialecttest.Run(t, w, []step{
		{Name: "a stranger's list", Key: "other", Do: "GET /api/v0.1/webhooks", Status: 200, Want: several()},
		{Name: "a reader sees no secret", Key: "tenant-read", Do: "GET /api/v0.1/webhooks", Status: 200,
			Want: several(strings.Replace(shown, "whsec_{secret}", bellwire.Redacted, 1))},
		unchanged,
	})
}

// Changes through the native API are shown as far as Atelio's API can, and stay when a client sends them back.
func TestNativeChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dialecttest.Run(t, w, []step{create})
	id := w.Vars["id"]
	if _, err := w.Native(id, service.EndpointInput{
		Retry: &bellwire.RetryPolicy{Schedule: []bellwire.Duration{5e9}}, Ordering: new(bellwire.OrderingFIFO), Status: new(bellwire.EndpointPaused),
	}); err != nil {
		t.Fatal(err)
	}
	dialecttest.Run(t, w, []step{{Name: "sent back", Do: "PATCH /api/v0.1/webhooks/{id}", Status: 200,
		Body: `{"description":"paused","version":"0.1","status":"STATUS_DISABLED"}`, Want: `<any>"status":"STATUS_DISABLED"<any>`}})
	ep, err := w.Service.Endpoint(t.Context(), dialecttest.Admin, w.Tenant, id)
	if err != nil {
		t.Fatal(err)
	}
	if ep.Status != bellwire.EndpointPaused || ep.Ordering != bellwire.OrderingFIFO || len(ep.Retry.Schedule) != 1 || ep.Description != "paused" {
		t.Errorf("a subscription that was sent back has lost %+v", ep.Endpoint)
	}
	for field, in := range map[string]service.EndpointInput{
		"signing":                {Signing: new(bellwire.SigningBoth)},
		"headers.Bond-Signature": {Headers: &[]bellwire.Header{{Name: "Bond-Signature", Value: "t=1"}}},
		"auth.header":            {Auth: &bellwire.Auth{Type: bellwire.AuthAPIKey, Header: "bond-signature", Key: "k"}},
		"secret":                 {Secret: new("whsec_" + strings.Repeat("A", 44))},
	} {
		t.Run(field, func(t *testing.T) {
			if _, err := w.Native(id, in); bellwire.CodeOf(err) != bellwire.CodeInvalid || !strings.HasPrefix(err.Error(), field) {
				t.Errorf("%s: %v", field, err)
			}
		})
	}
}

// Every error is in the words of a customer.
func TestErrorsUseTheVendorsWords(t *testing.T) {
	t.Parallel()
	for _, expand := range []bool{false, true} {
		w := newWorldOf(t, expand)
		w.PutType("old", service.EventTypeInput{Archived: true})
		dialecttest.Run(t, w, []step{{Name: "create", Do: "POST /api/v0.1/webhooks", Status: 200, Want: `<any>"id":"<id:uuid>"<any>`,
			Body: `{"url":"https://example.com","events":["*"]}`}})
		const url = `"url":"https://example.com"`
		dialecttest.Abuse(t, w, nil, []string{
			"POST /api/v0.1/webhooks", "PATCH /api/v0.1/webhooks/{id}", "PATCH /api/v0.1/webhooks/x", "DELETE /api/v0.1/webhooks/x",
			"PUT /api/v0.1/webhooks", "GET /api/v0.1/nothing",
		},
			`{"url":"{bad}","events":["*"]}`, `{`+url+`}`, `{`+url+`,"events":[]}`, `{`+url+`,"events":["nope"]}`, `{`+url+`,"events":["old"]}`,
			`{`+url+`,"events":["a*b"]}`, `{`+url+`,"events":["*","*"]}`, `{`+url+`,"events":["ü"]}`, `{`+url+`,"events":[1]}`, `{`+url+`,"events":"*"}`,
			`{`+url+`,"events":[`+strings.Repeat(`"a*",`, 100)+`"a*"]}`, `{`+url+`,"events":["nope*"],"version":"0.2"}`,
			`{`+url+`,"events":["*"],"status":"enabled"}`, `{`+url+`,"events":["*"],"description":"`+strings.Repeat("x", 5000)+`"}`,
			`{`+url+`,"events":["*"],"description":"\u0000"}`, `{`+url+`,"events":["*"],"secret":"x"}`)
	}
}

// TestReadOnlyMembers: a subscription can be sent back as it was listed, if the settings say so. Other fields are refused all the same.
func TestReadOnlyMembers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	again := step{Name: "send it back", Do: "PATCH /api/v0.1/webhooks/{id}", Body: shown, Status: 400, Want: "<any>"}
	dialecttest.Run(t, w, []step{create, again})
	w.Set(bellwire.DialectSettings{IgnoreReadOnly: new(true)})
	again.Status, again.Want = 200, `<any>"secret":"whsec_{secret}","status":"STATUS_ENABLED","created_time":"{created}Z"<any>`
	unknown := step{Name: "unknown", Do: again.Do, Body: `{"id":"x","name":"y"}`, Status: 400, Want: "<any>name<any>"}
	dialecttest.Run(t, w, []step{again, unknown})
}
