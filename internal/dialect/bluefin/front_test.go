package bluefin_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialecttest"
	"github.com/bellwire/bellwire/internal/service"
)

const (
	hook      = "https://thetiredwindow.com/bfaccountupdate/webhook"
	seedBody  = "{\n  \"url\": \"https://thetiredwindow.com/bfaccountupdate/webhook\",\n  \"event\": \"ACCOUNT_UPDATER_BATCH_UPDATES\"\n}"
	seedPatch = "{\n  \"url\": \"https://thetiredwindow.com/bfaccountupdate/new-webhook\",\n  \"event\": \"ACCOUNT_UPDATER_BATCH_UPDATES\"\n}"
)

func shown(url, event, id string) string {
	return `{"url":"` + url + `","event":"` + event + `","id":"` + id + `"}`
}

// The seed's calls in order, with its bodies and its answers.
func TestSeed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	was := shown(hook, accountUpdates, "wbh_{id}")
	changed := shown("https://thetiredwindow.com/bfaccountupdate/new-webhook", accountUpdates, "wbh_{id}")
	jsonType := []string{"Content-Type: application/json"}
	dialecttest.Run(t, w, []dialecttest.Step{
		{Name: "create", Do: "POST " + webhooks, Body: seedBody, Status: 201, Want: shown(hook, accountUpdates, "wbh_<id:hex32>"), WantHeader: jsonType},
		{Name: "get", Do: "GET " + webhooks + "/wbh_{id}", Status: 200, Want: was, WantHeader: jsonType},
		{Name: "list", Do: "GET " + webhooks, Status: 200, Want: "[" + was + "]", WantHeader: jsonType},
		{Name: "modify", Do: "PATCH " + webhooks + "/wbh_{id}", Body: seedPatch, Status: 200, Want: changed},
		{Name: "modified", Do: "GET " + webhooks + "/wbh_{id}", Status: 200, Want: changed},
		{Name: "other event", Do: "PATCH " + webhooks + "/wbh_{id}", Body: `{"event":"PAYCONEX_BATCH_SETTLEMENT","url":"http://example.com/?a=1&b='2'"}`, Status: 200, Want: shown("http://example.com/?a=1&b='2'", batchSettlement, "wbh_{id}")},
		{Name: "delete", Do: "DELETE " + webhooks + "/wbh_{id}", Status: 204},
		{Name: "deleted", Do: "GET " + webhooks + "/wbh_{id}", Status: 404, Want: notFound("wbh_{id}")},
		{Name: "nothing to modify", Do: "PATCH " + webhooks + "/wbh_{id}", Body: seedPatch, Status: 404, Want: notFound("wbh_{id}")},
		{Name: "nothing to delete", Do: "DELETE " + webhooks + "/wbh_{id}", Status: 404, Want: notFound("wbh_{id}")},
		{Name: "none are left", Do: "GET " + webhooks, Status: 200, Want: "[]"},
	})
}

func TestTwoWebhooksOfOneEventAndURL(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	dialecttest.Run(t, w, []dialecttest.Step{
		{Name: "first", Do: "POST " + webhooks, Body: seedBody, Status: 201, Want: shown(hook, accountUpdates, "wbh_<one:hex32>")},
		{Name: "second", Do: "POST " + webhooks, Body: seedBody, Status: 201, Want: shown(hook, accountUpdates, "wbh_<two:hex32>")},
		{Name: "both", Do: "GET " + webhooks, Status: 200, Want: "[" + shown(hook, accountUpdates, "wbh_{one}") + "," + shown(hook, accountUpdates, "wbh_{two}") + "]"},
	})
}

// Refused bodies, at both routes that have one. They change nothing.
func TestRefusedBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	before := shown(hook, accountUpdates, "wbh_<id:hex32>")
	dialecttest.Run(t, w, []dialecttest.Step{{Name: "create", Do: "POST " + webhooks, Body: seedBody, Status: 201, Want: before}})
	const (
		whole    = `"url":"https://example.com/","event":"ACCOUNT_UPDATER_BATCH_UPDATES"`
		violated = `Payload schema violation: property \"%s\" %s`
		events   = `event must be ACCOUNT_UPDATER_BATCH_UPDATES or PAYCONEX_BATCH_SETTLEMENT`
	)
	violation := func(property, what string) string { return fmt.Sprintf(violated, property, what) }
	for _, tc := range []struct{ name, body, source, text string }{
		{"unknown field", `{` + whole + `,"random":1}`, "random", violation("random", "is unsupported")},
		{"the id", `{` + whole + `,"id":"wbh_1"}`, "id", violation("id", "is unsupported")},
		{"another case", `{"URL":"https://example.com/","event":"ACCOUNT_UPDATER_BATCH_UPDATES"}`, "URL", violation("URL", "is unsupported")},
		{"no url", `{"event":"ACCOUNT_UPDATER_BATCH_UPDATES"}`, "url", violation("url", "is required")},
		{"no event", `{"url":"https://example.com/"}`, "event", violation("event", "is required")},
		{"url null", `{"url":null,"event":"ACCOUNT_UPDATER_BATCH_UPDATES"}`, "url", violation("url", "must not be null")},
		{"event null", `{"url":"https://example.com/","event":null}`, "event", violation("event", "must not be null")},
		{"url twice", `{` + whole + `,"url":"https://example.com/"}`, "url", violation("url", "is given twice")},
		{"url a number", `{"url":1,"event":"ACCOUNT_UPDATER_BATCH_UPDATES"}`, "url", violation("url", "must be a string")},
		{"event an array", `{"url":"https://example.com/","event":["ACCOUNT_UPDATER_BATCH_UPDATES"]}`, "event", violation("event", "must be a string")},
		{"an array", `[{` + whole + `}]`, "request", "the body must be an object"},
		{"a string", `"x"`, "request", "the body must be an object"},
		{"unknown event", `{"url":"https://example.com/","event":"CARD_CREATED"}`, "event", events},
		{"event in lower case", `{"url":"https://example.com/","event":"account_updater_batch_updates"}`, "event", events},
		{"a wildcard", `{"url":"https://example.com/","event":"*"}`, "event", events},
		{"no event's name", `{"url":"https://example.com/","event":""}`, "event", events},
		{"relative url", `{"url":"/webhook","event":"ACCOUNT_UPDATER_BATCH_UPDATES"}`, "url", "url must be an absolute http or https URL, such as https://example.com/hooks"},
		{"empty url", `{"url":"","event":"ACCOUNT_UPDATER_BATCH_UPDATES"}`, "url", "url must be an absolute http or https URL, such as https://example.com/hooks"},
		{"private", `{"url":"https://10.1/","event":"ACCOUNT_UPDATER_BATCH_UPDATES"}`, "url", `url must lead to a public address; 10.1 is private, reserved or not allowed on this server`},
		{"ftp", `{"url":"ftp://example.com/","event":"ACCOUNT_UPDATER_BATCH_UPDATES"}`, "url", "url must be an absolute http or https URL, such as https://example.com/hooks"},
		{"credentials in the url", `{"url":"https://a:b@example.com/","event":"ACCOUNT_UPDATER_BATCH_UPDATES"}`, "url", "url must not contain a user name or password"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dialecttest.Run(t, w, []dialecttest.Step{
				{Name: tc.name, Do: "POST " + webhooks, Body: tc.body, Status: 422, Want: invalid(tc.source, tc.text)},
				{Name: tc.name, Do: "PATCH " + webhooks + "/wbh_{id}", Body: tc.body, Status: 422, Want: invalidItem(tc.source, tc.text)},
			})
		})
	}
	both := []string{"url", violation("url", "is required"), "event", violation("event", "is required")}
	wrong := []string{"url", "url must name a host", "event", events}
	for _, tc := range []struct {
		name, body string
		faults     []string // source and text of each
	}{
		{"nothing", `{}`, both},
		{"null", `null`, both},
		{"two wrong values", `{"url":"https://","event":"CARD_CREATED"}`, wrong},
		{"a wrong type and a wrong value", `{"url":1,"event":"CARD_CREATED"}`, []string{"url", violation("url", "must be a string"), "event", events}},
		{"an unknown field and a missing one", `{"id":1,"event":"PAYCONEX_BATCH_SETTLEMENT"}`, []string{"id", violation("id", "is unsupported"), "url", violation("url", "is required")}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dialecttest.Run(t, w, []dialecttest.Step{
				{Name: tc.name, Do: "POST " + webhooks, Body: tc.body, Status: 422, Want: invalid(tc.faults...)},
				{Name: tc.name, Do: "PATCH " + webhooks + "/wbh_{id}", Body: tc.body, Status: 422, Want: invalidItem(tc.faults...)},
			})
		})
	}
	for name, body := range map[string]string{
		"empty": "", "broken": `{"url":`, "trailing garbage": `{` + whole + `}x`, "two values": `{` + whole + `}{}`, "no JSON": `url=https://example.com/`,
		"not UTF-8": `{"url":"https://example.com/` + "\xff" + `","event":"ACCOUNT_UPDATER_BATCH_UPDATES"}`, "a BOM": "\ufeff{" + whole + "}",
	} {
		t.Run(name, func(t *testing.T) {
			dialecttest.Run(t, w, []dialecttest.Step{
				{Name: name, Do: "POST " + webhooks, Body: body, Status: 400, Want: badRequest},
				{Name: name, Do: "PATCH " + webhooks + "/wbh_{id}", Body: body, Status: 400, Want: badRequest},
			})
		})
	}
	huge := `{` + whole + `,"x":"` + strings.Repeat("x", 300<<10) + `"}`
	dialecttest.Run(t, w, []dialecttest.Step{
		{Name: "oversized", Do: "POST " + webhooks, Body: huge, Status: 413, Want: badRequest},
		{Name: "oversized", Do: "PATCH " + webhooks + "/wbh_{id}", Body: huge, Status: 413, Want: badRequest},
		{Name: "nothing was changed", Do: "GET " + webhooks, Status: 200, Want: "[" + shown(hook, accountUpdates, "wbh_{id}") + "]"},
	})
}

// routes are all routes, for an existing webhook.
func routes(id string) []dialecttest.Step {
	return []dialecttest.Step{
		{Do: "POST " + webhooks, Body: seedBody},
		{Do: "GET " + webhooks},
		{Do: "GET " + webhooks + "/" + id},
		{Do: "PATCH " + webhooks + "/" + id, Body: seedPatch},
		{Do: "DELETE " + webhooks + "/" + id},
		{Do: "GET " + updates + "aupres_" + strings.Repeat("0", 32)},
	}
}

// collection reports whether a route is one of the collection, whose errors differ.
func collection(do string) bool { return strings.HasSuffix(do, "/webhooks") }

func TestPermissions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	dialecttest.Run(t, w, []dialecttest.Step{
		{Name: "create", Do: "POST " + webhooks, Body: seedBody, Status: 201, Want: shown(hook, accountUpdates, "wbh_<id:hex32>")},
		{Name: "of the stranger", Key: "other", Do: "POST /api/v4/accounts/" + foreign + "/webhooks", Body: seedBody, Status: 201, Want: shown(hook, accountUpdates, "wbh_<theirs:hex32>")},
	})
	for _, s := range routes("wbh_{id}") {
		inForeign := strings.Replace(s.Do, account, foreign, 1)
		inUnknown := strings.Replace(s.Do, account, nobodys, 1)
		gone, another := notFound(nobodys), notFound(account)
		badID := invalidItem("accountId", "accountId must have 12 digits")
		if collection(s.Do) {
			gone, another = noEntity(nobodys), noEntity(account)
			badID = invalid("accountId", "accountId must have 12 digits")
		}
		dialecttest.Run(t, w, []dialecttest.Step{
			{Name: "no key", Key: "none", Do: s.Do, Body: s.Body, Status: 401, Want: unauthenticated, WantHeader: []string{`WWW-Authenticate: Hmac realm="bluefin"`}},
			{Name: "expired", Key: "expired", Do: s.Do, Body: s.Body, Status: 401, Want: unauthenticated},
			{Name: "wrong secret", Key: "wrong", Do: s.Do, Body: s.Body, Status: 401, Want: unauthenticated},
			{Name: "a key that cannot sign", Key: "publisher", Do: s.Do, Body: s.Body, Status: 401, Want: unauthenticated},
			{Name: "a publisher", Key: "signing publisher", Do: s.Do, Body: s.Body, Status: 403, Want: unauthorized},
			{Name: "a publisher in an unknown account", Key: "signing publisher", Do: inUnknown, Body: s.Body, Status: 403, Want: unauthorized},
			// Other accounts are answered like accounts that do not exist.
			{Name: "a stranger", Key: "other", Do: s.Do, Body: s.Body, Status: 404, Want: another},
			{Name: "foreign account", Do: inForeign, Body: s.Body, Status: 404, Want: strings.Replace(gone, nobodys, foreign, 1)},
			{Name: "foreign account, a key that only reads", Key: "tenant-read", Do: inForeign, Body: s.Body, Status: 404, Want: strings.Replace(gone, nobodys, foreign, 1)},
			{Name: "unknown account", Do: inUnknown, Body: s.Body, Status: 404, Want: gone},
			{Name: "unknown account, operator", Key: "operator", Do: inUnknown, Body: s.Body, Status: 404, Want: gone},
			{Name: "unknown account without a key", Key: "none", Do: inUnknown, Body: s.Body, Status: 401, Want: unauthenticated},
			{Name: "no account's form", Do: strings.Replace(s.Do, account, "12000000000x", 1), Body: s.Body, Status: 422, Want: badID},
			{Name: "13 digits", Do: strings.Replace(s.Do, account, account+"1", 1), Body: s.Body, Status: 422, Want: badID},
			{Name: "other digits", Do: strings.Replace(s.Do, account, "%D9%A1%D9%A2%D9%A0%D9%A0%D9%A0%D9%A0", 1), Body: s.Body, Status: 422, Want: badID},
		})
		if method, _, _ := strings.Cut(s.Do, " "); method != http.MethodGet {
			dialecttest.Run(t, w, []dialecttest.Step{{Name: "a key that only reads", Key: "tenant-read", Do: s.Do, Body: s.Body, Status: 403, Want: unauthorized}})
		}
	}
	dialecttest.Run(t, w, []dialecttest.Step{
		{Name: "nothing was changed", Key: "tenant-read", Do: "GET " + webhooks, Status: 200, Want: "[" + shown(hook, accountUpdates, "wbh_{id}") + "]"},
		{Name: "a key that only reads", Key: "tenant-read", Do: "GET " + webhooks + "/wbh_{id}", Status: 200, Want: shown(hook, accountUpdates, "wbh_{id}")},
		{Name: "an operator", Key: "operator", Do: "GET " + webhooks + "/wbh_{id}", Status: 200, Want: shown(hook, accountUpdates, "wbh_{id}")},
		{Name: "a stranger's id", Do: "GET " + webhooks + "/wbh_{theirs}", Status: 404, Want: notFound("wbh_{theirs}")},
		{Name: "a stranger's id", Do: "PATCH " + webhooks + "/wbh_{theirs}", Body: seedPatch, Status: 404, Want: notFound("wbh_{theirs}")},
		{Name: "a stranger's id", Do: "DELETE " + webhooks + "/wbh_{theirs}", Status: 404, Want: notFound("wbh_{theirs}")},
		{Name: "a stranger's id, operator", Key: "operator", Do: "DELETE " + webhooks + "/wbh_{theirs}", Status: 404, Want: notFound("wbh_{theirs}")},
		{Name: "still there", Key: "other", Do: "GET /api/v4/accounts/" + foreign + "/webhooks/wbh_{theirs}", Status: 200, Want: shown(hook, accountUpdates, "wbh_{theirs}")},
	})
}

func TestUnknownPathsAndMethods(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	for _, path := range []string{
		"/api/v4", "/api/v4/", "/api/v4/accounts", "/api/v4/accounts/" + account, webhooks + "/", webhooks + "/a/b", "/api/v4/webhooks",
		"/api/v4/accounts/" + account + "/account-updater/updates", "/api/v4/accounts/" + account + "/Webhooks",
	} {
		t.Run(path, func(t *testing.T) {
			dialecttest.Run(t, w, []dialecttest.Step{{Name: "unknown path", Do: "GET " + path, Status: 404, Want: notFound(path)}})
		})
	}
	for do, allow := range map[string]string{
		"PUT " + webhooks:             "GET, HEAD, POST",
		"DELETE " + webhooks:          "GET, HEAD, POST",
		"POST " + webhooks + "/wbh_1": "DELETE, GET, HEAD, PATCH",
		"PUT " + webhooks + "/wbh_1":  "DELETE, GET, HEAD, PATCH",
		"POST " + updates + "aupres_": "GET, HEAD",
	} {
		t.Run(do, func(t *testing.T) {
			dialecttest.Run(t, w, []dialecttest.Step{{Name: "wrong method", Do: do, Status: 405, Want: badRequest, WantHeader: []string{"Allow: " + allow}}})
		})
	}
	for name, id := range map[string]string{"no id": "x", "a quote": "%22", "NUL": "%00", "not UTF-8": "%ff", "a slash": "a%2Fb", "long": strings.Repeat("w", 5000)} {
		t.Run(name, func(t *testing.T) {
			answer := w.Call("tenant", "GET", webhooks+"/"+id, nil, "")
			if answer.Code != 404 || !strings.Contains(answer.Body.String(), `"errorCode":40005`) {
				t.Errorf("%s: %d %s", name, answer.Code, answer.Body)
			}
		})
	}
}

// The trace id is a UUID and the id of the request. A client may choose it if it is a UUID.
func TestTraceID(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	const chosen = "a3692f21-950b-453c-9216-88198e84b5a6"
	dialecttest.Run(t, w, []dialecttest.Step{
		{Name: "a UUID", Key: "none", Do: "GET " + webhooks, Header: []string{"X-Request-Id: " + chosen}, Status: 401, Want: strings.Replace(unauthenticated, "<uuid>", chosen, 1)},
		{Name: "something else", Key: "none", Do: "GET " + webhooks, Header: []string{"X-Request-Id: mine"}, Status: 401, Want: unauthenticated},
		{Name: "with braces", Key: "none", Do: "GET " + webhooks, Header: []string{"X-Request-Id: a3692f21950b453c921688198e84b5a6"}, Status: 401, Want: strings.Replace(unauthenticated, "<uuid>", "<trace:uuid>", 1)},
		{Name: "new ones", Key: "none", Do: "GET " + webhooks, Status: 401, Want: unauthenticated},
	})
	answer := w.Call("none", "GET", webhooks, nil, "")
	if id := answer.Header().Get("X-Request-Id"); id == w.Vars["trace"] || !strings.Contains(answer.Body.String(), `"traceId":"`+id+`"`) {
		t.Errorf("%q: %s", id, answer.Body)
	}
}

// Endpoints that were created, moved or changed through the native API.
func TestMovedEndpoints(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	w.PutType("card.created", service.EventTypeInput{})
	made := func(in service.EndpointInput) string {
		in.URL = new(hook)
		ep, _, err := w.Service.CreateEndpoint(t.Context(), dialecttest.Admin, account, in)
		if err != nil {
			t.Fatal(err)
		}
		return ep.ID
	}
	native := made(service.EndpointInput{Dialect: new("bluefin"), Events: &[]string{batchSettlement}})
	if !strings.HasPrefix(native, "wbh_") {
		t.Errorf("its id is %s", native)
	}
	own := made(service.EndpointInput{Dialect: new("bluefin"), Events: &[]string{"card.created"}})
	moved := made(service.EndpointInput{Events: &[]string{accountUpdates}})
	wide := made(service.EndpointInput{Events: &[]string{accountUpdates, batchSettlement}})
	dialecttest.Run(t, w, []dialecttest.Step{
		{Name: "native", Do: "GET " + webhooks + "/" + native, Status: 200, Want: shown(hook, batchSettlement, native)},
		{Name: "an event of the platform's own can stay", Do: "PATCH " + webhooks + "/" + own, Body: `{"url":"https://example.com/","event":"card.created"}`, Status: 200, Want: shown("https://example.com/", "card.created", own)},
		{Name: "and be left", Do: "PATCH " + webhooks + "/" + own, Body: seedBody, Status: 200, Want: shown(hook, accountUpdates, own)},
		{Name: "but not come", Do: "PATCH " + webhooks + "/" + own, Body: `{"url":"https://example.com/","event":"card.created"}`, Status: 422, Want: invalidItem("event", "event must be ACCOUNT_UPDATER_BATCH_UPDATES or PAYCONEX_BATCH_SETTLEMENT")},
		{Name: "not moved yet", Do: "GET " + webhooks + "/" + moved, Status: 404, Want: notFound(moved)},
		{Name: "not moved yet", Do: "DELETE " + webhooks + "/" + moved, Status: 404, Want: notFound(moved)},
	})
	for name, in := range map[string]service.EndpointInput{
		"two events":        {Dialect: new("bluefin")},
		"a prefix":          {Dialect: new("bluefin"), Events: &[]string{"*"}},
		"another signature": {Dialect: new("bluefin"), Events: &[]string{accountUpdates}, Signing: new(bellwire.SigningBoth)},
		"a secret":          {Dialect: new("bluefin"), Events: &[]string{accountUpdates}, Secret: new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := w.Native(wide, in); bellwire.CodeOf(err) != bellwire.CodeInvalid {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	for _, id := range []string{moved, wide} {
		if _, err := w.Native(id, service.EndpointInput{Dialect: new("bluefin"), Events: &[]string{accountUpdates}}); err != nil {
			t.Fatal(err)
		}
	}
	dialecttest.Run(t, w, []dialecttest.Step{
		{Name: "moved", Do: "GET " + webhooks + "/" + moved, Status: 200, Want: shown(hook, accountUpdates, moved)},
		{Name: "all", Do: "GET " + webhooks, Status: 200, Want: "[" + strings.Join([]string{
			shown(hook, batchSettlement, native), shown(hook, accountUpdates, own), shown(hook, accountUpdates, moved), shown(hook, accountUpdates, wide),
		}, ",") + "]"},
	})
	if _, err := w.Native(moved, service.EndpointInput{Events: &[]string{accountUpdates, batchSettlement}}); bellwire.CodeOf(err) != bellwire.CodeInvalid {
		t.Errorf("a second event: %v", err)
	}
	if _, err := w.Native(moved, service.EndpointInput{Dialect: new("standard")}); err != nil {
		t.Error(err)
	}
	dialecttest.Run(t, w, []dialecttest.Step{{Name: "gone again", Do: "GET " + webhooks + "/" + moved, Status: 404, Want: notFound(moved)}})
}

// A tenant whose id does not have 12 digits can use its own account, so that the links in its notifications work.
func TestOtherTenantIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	if _, err := w.Service.CreateTenant(t.Context(), dialecttest.Admin, service.NewTenant{ID: "acme"}); err != nil {
		t.Fatal(err)
	}
	made, secret, err := w.Service.CreateKey(t.Context(), dialecttest.Admin, "acme", service.NewKey{Role: bellwire.RoleTenant, HMAC: true})
	if err != nil {
		t.Fatal(err)
	}
	w.Keys["acme"] = dialecttest.Key{ID: made.ID, Secret: secret}
	dialecttest.Run(t, w, []dialecttest.Step{
		{Name: "own", Key: "acme", Do: "GET /api/v4/accounts/acme/webhooks", Status: 200, Want: "[]"},
		{Name: "not a Bluefin account", Do: "GET /api/v4/accounts/acme/webhooks", Status: 422, Want: invalid("accountId", "accountId must have 12 digits")},
	})
}

func TestWithoutACatalogue(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	if err := w.Service.DeleteEventType(t.Context(), dialecttest.Admin, batchSettlement); err != nil {
		t.Fatal(err)
	}
	dialecttest.Run(t, w, []dialecttest.Step{{
		Name: "not there", Do: "POST " + webhooks, Body: `{"url":"https://example.com/","event":"PAYCONEX_BATCH_SETTLEMENT"}`,
		Status: 422, Want: invalid("event", "<any>"),
	}})
}

// pageHeaders are the headers of a list.
var pageHeaders = []string{
	"X-First-Page-Url", "X-Last-Page-Url", "X-Prev-Page-Url", "X-Next-Page-Url", "X-Links", "X-Path", "X-Current_page", "X-Last-Page",
	"X-Total", "X-Per-Page", "X-Total-In-This-Page", "X-From", "X-To",
}

func TestPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	var all []string
	for i := range 23 {
		url := fmt.Sprintf("https://example.com/%d", i)
		dialecttest.Run(t, w, []dialecttest.Step{{
			Name: "create", Do: "POST " + webhooks, Body: `{"url":"` + url + `","event":"ACCOUNT_UPDATER_BATCH_UPDATES"}`,
			Status: 201, Want: shown(url, accountUpdates, "wbh_<id:hex32>"),
		}})
		all = append(all, shown(url, accountUpdates, "wbh_"+w.Vars["id"]))
	}
	path := publicURL + webhooks
	link := func(number int, label, mark string) string {
		return fmt.Sprintf("url=%s?limit=2&page=%d|label=%s|active=%s", path, number, label, mark)
	}
	for _, tc := range []struct {
		name, query string
		from, to    int
		headers     []string // in the order of pageHeaders
	}{
		{"all", "", 0, 23, []string{
			path + "?page=1", path + "?page=1", "", "",
			"url=|label=&laquo; Previous|active= url=" + path + "?page=1|label=1|active=1 url=|label=Next &raquo;|active=",
			path, "1", "1", "23", "100", "23", "1", "23",
		}},
		{"in the middle", "?page=7&limit=2", 12, 14, []string{
			path + "?limit=2&page=1", path + "?limit=2&page=12", path + "?limit=2&page=6", path + "?limit=2&page=8",
			strings.Join([]string{
				link(6, "&laquo; Previous", ""), link(1, "1", ""), "url=|label=...|active=", link(4, "4", ""), link(5, "5", ""), link(6, "6", ""),
				link(7, "7", "1"), link(8, "8", ""), link(9, "9", ""), link(10, "10", ""), "url=|label=...|active=", link(12, "12", ""), link(8, "Next &raquo;", ""),
			}, " "),
			path, "7", "12", "23", "2", "2", "13", "14",
		}},
		{"the last", "?limit=20&page=2", 20, 23, []string{
			path + "?limit=20&page=1", path + "?limit=20&page=2", path + "?limit=20&page=1", "",
			"url=" + path + "?limit=20&page=1|label=&laquo; Previous|active= url=" + path + "?limit=20&page=1|label=1|active= url=" + path + "?limit=20&page=2|label=2|active=1 url=|label=Next &raquo;|active=",
			path, "2", "2", "23", "20", "3", "21", "23",
		}},
		{"behind the last", "?page=1000000&limit=1000", 23, 23, []string{
			path + "?limit=1000&page=1", path + "?limit=1000&page=1", "", "",
			"url=|label=&laquo; Previous|active= url=" + path + "?limit=1000&page=1|label=1|active= url=|label=Next &raquo;|active=",
			path, "1000000", "1", "23", "1000", "0", "0", "0",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			answer := w.Call("tenant", "GET", webhooks+tc.query, nil, "")
			if want := "[" + strings.Join(all[tc.from:tc.to], ",") + "]"; answer.Code != 200 || answer.Body.String() != want {
				t.Errorf("%s: %d\n%s\nwant\n%s", tc.name, answer.Code, answer.Body, want)
			}
			var got []string
			for _, name := range pageHeaders {
				values, given := answer.Header()[name]
				if !given {
					t.Errorf("%s: there is no %s", tc.name, name)
				}
				got = append(got, strings.Join(values, ", "))
			}
			if diff := cmp.Diff(tc.headers, got); diff != "" {
				t.Errorf("%s:\n%s", tc.name, diff)
			}
		})
	}
	for _, query := range []string{"page=0", "page=-1", "page=x", "page=", "page=1000001", "page=99999999999999999999"} {
		t.Run(query, func(t *testing.T) {
			dialecttest.Run(t, w, []dialecttest.Step{{Name: query, Do: "GET " + webhooks + "?" + query, Status: 422, Want: invalid("page", "page must be a whole number between 1 and 1,000,000")}})
		})
	}
	for _, name := range []string{"page", "limit"} {
		query := name + "=1&" + name + "=2"
		dialecttest.Run(t, w, []dialecttest.Step{{Name: query, Do: "GET " + webhooks + "?" + query, Status: 422, Want: invalid(name, name+" must be given only once")}})
	}
	for _, query := range []string{"limit=0", "limit=1001", "limit=1.5"} {
		dialecttest.Run(t, w, []dialecttest.Step{{Name: query, Do: "GET " + webhooks + "?" + query, Status: 422, Want: invalid("limit", "limit must be a whole number between 1 and 1,000")}})
	}
}

// The links lead through all webhooks, each once.
func TestFollowingPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	var want, got []string
	for range 7 {
		dialecttest.Run(t, w, []dialecttest.Step{{Name: "create", Do: "POST " + webhooks, Body: seedBody, Status: 201, Want: shown(hook, accountUpdates, "wbh_<id:hex32>")}})
		want = append(want, "wbh_"+w.Vars["id"])
	}
	for path := webhooks + "?limit=3"; path != ""; {
		answer := w.Call("tenant", "GET", path, nil, "")
		for part := range strings.SplitSeq(answer.Body.String(), `"id":"`) {
			if id, _, found := strings.Cut(part, `"`); found && strings.HasPrefix(id, "wbh_") {
				got = append(got, id)
			}
		}
		path = strings.TrimPrefix(answer.Header().Get("X-Next-Page-Url"), publicURL)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Every error is in the words of a customer.
func TestErrorsUseTheVendorsWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	dialecttest.Run(t, w, []dialecttest.Step{{Name: "create", Do: "POST " + webhooks, Body: seedBody, Status: 201, Want: shown(hook, accountUpdates, "wbh_<id:hex32>")}})
	dialecttest.Abuse(t, w, nil, []string{
		"POST " + webhooks, "PATCH " + webhooks + "/wbh_{id}", "PATCH " + webhooks + "/x", "DELETE " + webhooks + "/x", "GET " + webhooks + "/x", "GET " + webhooks + "?page=0",
		"GET " + updates + "x", "GET " + updates + "aupres_" + strings.Repeat("0", 32), "GET /api/v4/accounts/x/webhooks", "GET /api/v4/accounts/" + nobodys + "/webhooks", "PUT " + webhooks,
	},
		`{"url":"{bad}","event":"ACCOUNT_UPDATER_BATCH_UPDATES"}`, `{"url":"https://example.com"}`, `{"event":"ACCOUNT_UPDATER_BATCH_UPDATES"}`,
		`{"url":"https://example.com","event":"card.created"}`, `{"url":"https://example.com","event":1}`, `{"url":"https://example.com","event":"*"}`,
		`{"url":"https://example.com","event":"ACCOUNT_UPDATER_BATCH_UPDATES","x":1}`)
}
