package akkuro_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/akkuro"
	"github.com/bellwire/bellwire/internal/dialecttest"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
)

const publicURL = "https://api.eu.example.test"

var dialect = akkuro.Dialect{PublicURL: publicURL}

func newWorld(t testing.TB) *dialecttest.World { return newWorldWith(t, dialect) }

func newWorldWith(t testing.TB, d akkuro.Dialect) *dialecttest.World {
	t.Helper()
	return dialecttest.New(t, dialecttest.Config{
		Dialect:   d,
		Front:     func(svc *service.Service) http.Handler { return d.Front(svc, nil) },
		Catalogue: akkuro.Catalogue,
	})
}

type step = dialecttest.Step

const (
	events    = "/counterparty-management/events"
	merged    = events + "/counterparty.merged"
	endpoints = merged + "/endpoints"

	uri  = "https://backend.yourbank.tld/webhooks?event=counterparty.merged"
	body = `{"uri":"` + uri + `"}`
)

// shown is the endpoint {id} that was registered with body.
const shown = `{"id":"{id}","eventName":"counterparty.merged","createdOn":"{created}","token":"{token}","uri":"` + uri + `"}`

// register saves id, created and token.
var register = step{Name: "register", Do: "POST " + endpoints, Body: body, Status: 201, Want: fresh(shown)}

// fresh replaces values that are not known yet with forms that save them.
func fresh(shown string) string {
	return strings.NewReplacer("{id}", "<id:hex24>", "{created}", "<created:instant>", "{token}", "<token:base64>").Replace(shown)
}

func problem(status int, instance, detail string) string {
	return fmt.Sprintf(`{"type":"about:blank","title":"%s","status":%d,"detail":"%s","instance":"%s","traceId":"<any>"}`,
		http.StatusText(status), status, detail, instance)
}

func refused(name, do, body string, status int, detail string) step {
	path := strings.SplitN(do, " ", 2)[1]
	return step{
		Name: name, Do: do, Body: body, Status: status, Want: problem(status, path, detail),
		WantHeader: []string{"Content-Type: application/problem+json"},
	}
}

// unchanged checks that the endpoint of register is the only one and has not changed.
var unchanged = step{Name: "nothing has changed", Do: "GET " + endpoints, Status: 200, Want: "[" + shown + "]"}

func TestRoutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const moved = "https://backend.tld/webhooks?event=counterparty.merged"
	second := strings.NewReplacer("{id}", "{secondId}", "{created}", "{secondCreated}", "{token}", "{secondToken}").Replace(shown)
	dialecttest.Run(t, w, []step{
		{Name: "event types", Do: "GET " + events + "/event-types", Status: 200,
			Want:       `["counterparty.merged","counterparty_operational.consolidated","counterparty_master.consolidated"]`,
			WantHeader: []string{"Content-Type: application/json", "Cache-Control: no-store"}},
		{Name: "of another group", Key: "tenant-read", Do: "GET /process-orchestration/events/event-types", Status: 200, Want: `["process.status-changed"]`},
		{Name: "no endpoints", Do: "GET " + endpoints, Status: 200, Want: `[]`},
		register,
		{Name: "the same again", Do: "POST " + endpoints, Body: body, Status: 201,
			Want: strings.NewReplacer("{secondId}", "<secondId:hex24>", "{secondCreated}", "<secondCreated:instant>", "{secondToken}", "<secondToken:base64>").Replace(second)},
		{Name: "list, oldest first", Do: "GET " + endpoints, Status: 200, Want: "[" + shown + "," + second + "]"},
		{Name: "list without secrets", Key: "tenant-read", Do: "GET " + endpoints, Status: 200,
			Want: strings.NewReplacer("{token}", "[redacted]", "{secondToken}", "[redacted]", "event=counterparty.merged", "event=[redacted]").Replace("[" + shown + "," + second + "]")},
		{Name: "list of another event", Do: "GET " + events + "/counterparty_master.consolidated/endpoints", Status: 200, Want: `[]`},
		{Name: "token", Do: "GET " + merged + "/token/{secondId}", Status: 200, Want: `{"token":"{secondToken}"}`},
		{Name: "update", Do: "PUT " + endpoints + "/{id}", Body: `{"uri":"` + moved + `"}`, Status: 204},
		{Name: "the token is the same", Do: "GET " + merged + "/token/{id}", Status: 200, Want: `{"token":"{token}"}`},
		{Name: "updated", Do: "GET " + endpoints, Status: 200, Want: "[" + strings.Replace(shown, uri, moved, 1) + "," + second + "]"},
		{Name: "delete", Do: "DELETE " + endpoints + "/{id}", Status: 204},
		{Name: "deleted", Do: "GET " + endpoints, Status: 200, Want: "[" + second + "]"},
		refused("no token", "GET "+merged+"/token/{id}", "", 404, `endpoint \"{id}\" does not exist`),
		refused("no second delete", "DELETE "+endpoints+"/{id}", "", 404, `endpoint \"{id}\" does not exist`),
		refused("no update", "PUT "+endpoints+"/{id}", body, 404, `endpoint \"{id}\" does not exist`),
	})
	if w.Vars["token"] == w.Vars["secondToken"] {
		t.Error("two endpoints have one token")
	}
}

// An answer without a body has no content type.
func TestNoContent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dialecttest.Run(t, w, []step{register})
	for _, do := range []string{"PUT", "DELETE"} {
		answer := w.Call("tenant", do, w.Fill(endpoints+"/{id}"), nil, body)
		if answer.Code != 204 || answer.Body.Len() > 0 || answer.Header().Get("Content-Type") != "" {
			t.Errorf("%s: %d, %v, %q", do, answer.Code, answer.Header(), answer.Body)
		}
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dialecttest.Run(t, w, []step{register})
	for _, c := range []struct {
		name, body string
		status     int
		detail     string
	}{
		{"nothing", ``, 400, `the body is empty; it must be JSON`},
		{"broken", `{"uri":`, 400, `the body is not JSON: unexpected end in line 1, column 8`},
		{"a form", `uri=https://example.com`, 400, `the body is not JSON: <any>`},
		{"trailing", body + "x", 400, `the body is not JSON: <any>`},
		{"two", body + body, 400, `the body is not JSON: <any>`},
		{"not UTF-8", "{\"uri\":\"https://example.com/\xff\"}", 400, `the body is not JSON: <any>`},
		{"an array", `[` + body + `]`, 400, `the body must be an object`},
		{"null", `null`, 400, `uri is required`},
		{"missing", `{}`, 400, `uri is required`},
		{"null field", `{"uri":null}`, 400, `uri must not be null`},
		{"number", `{"uri":7}`, 400, `uri must be a string`},
		{"object", `{"uri":{}}`, 400, `uri must be a string`},
		{"twice", `{"uri":"https://example.com","uri":"https://example.com"}`, 400, `uri is given twice`},
		{"unknown", `{"uri":"https://example.com","token":"x"}`, 400, `token is not a known field`},
		{"another case", `{"URI":"https://example.com"}`, 400, `URI is not a known field (did you mean \"uri\"?)`},
		{"empty", `{"uri":""}`, 422, `uri must be an absolute http or https URL, such as https://example.com/hooks`},
		{"relative", `{"uri":"/webhooks"}`, 422, `uri must be an absolute http or https URL, such as https://example.com/hooks`},
		{"no host", `{"uri":"https:///webhooks"}`, 422, `uri must name a host`},
		{"a private address", `{"uri":"https://10.0.0.1/"}`, 422, `uri must lead to a public address; 10.0.0.1 is private, reserved or not allowed on this server`},
		{"another scheme", `{"uri":"ftp://example.com"}`, 422, `uri must be an absolute http or https URL, such as https://example.com/hooks`},
		{"a password", `{"uri":"https://a:b@example.com"}`, 422, `uri must not contain a user name or password`},
		{"too long", `{"uri":"https://example.com/` + strings.Repeat("a", 3000) + `"}`, 422, `uri must have at most 2,083 bytes, but has 3,020`},
		{"too large", strings.Repeat(" ", httpx.MaxSmallBody) + body, 413, `the body must have at most 65,536 bytes`},
	} {
		t.Run(c.name, func(t *testing.T) {
			dialecttest.Run(t, w, []step{
				refused(c.name, "POST "+endpoints, c.body, c.status, c.detail),
				refused(c.name, "PUT "+endpoints+"/{id}", c.body, c.status, c.detail),
			})
		})
	}
	dialecttest.Run(t, w, []step{unchanged})
}

// The content type is ignored, because the seed's own calls send curl's default.
func TestContentTypes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, contentType := range []string{"", "Content-Type: application/x-www-form-urlencoded", "Content-Type: application/json; charset=utf-8", "Content-Type: text/plain"} {
		t.Run(contentType, func(t *testing.T) {
			s := register
			if contentType != "" {
				s.Header = []string{contentType}
			}
			dialecttest.Run(t, w, []step{s, {Name: "update", Do: "PUT " + endpoints + "/{id}", Header: s.Header, Body: body, Status: 204}})
		})
	}
}

// Strict requires the content type that another of the vendor's pages prescribes.
func TestStrict(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, akkuro.Dialect{PublicURL: publicURL, Strict: true})
	declared := register
	declared.Header = []string{"Content-Type: application/json; charset=utf-8"}
	dialecttest.Run(t, w, []step{declared, unchanged})
	for _, contentType := range []string{"", "application/x-www-form-urlencoded", "text/json", "application/json/x"} {
		t.Run(contentType, func(t *testing.T) {
			for _, do := range []string{"POST " + endpoints, "PUT " + endpoints + "/{id}"} {
				s := refused("undeclared", do, body, 400, "the body must be sent with Content-Type: application/json")
				s.Header = []string{"Content-Type: " + contentType}
				dialecttest.Run(t, w, []step{s})
			}
		})
	}
	dialecttest.Run(t, w, []step{unchanged, {Name: "delete", Do: "DELETE " + endpoints + "/{id}", Status: 204}})
}

func TestPaths(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.PutType("archived", service.EventTypeInput{Group: "counterparty-management", Archived: true})
	w.PutType("grouped.by", service.EventTypeInput{Group: "an other"})
	const (
		noGroup = `functional group \"nothing\" does not exist`
		noEvent = `event \"<any>\" does not exist in this functional group`
		noID    = `endpoint \"<any>\" does not exist`
	)
	dialecttest.Run(t, w, []step{
		register,
		refused("unknown group", "GET /nothing/events/event-types", "", 404, noGroup),
		refused("unknown event", "GET "+events+"/nothing/endpoints", "", 404, noEvent),
		refused("unknown event's example", "GET "+events+"/nothing/example", "", 404, noEvent),
		refused("register for an unknown event", "POST "+events+"/nothing/endpoints", body, 404, noEvent),
		refused("register for a pattern", "POST "+events+"/counterparty.*/endpoints", body, 404, noEvent),
		refused("register for an archived event", "POST "+events+"/archived/endpoints", body, 404, noEvent),
		refused("register below another group", "POST /process-orchestration/events/counterparty.merged/endpoints", body, 404, noEvent),
		refused("list of another group", "GET /process-orchestration/events/counterparty.merged/endpoints", "", 404, noEvent),
		refused("example of another group", "GET /process-orchestration/events/counterparty.merged/example", "", 404, noEvent),
		refused("token below another event", "GET "+events+"/counterparty_master.consolidated/token/{id}", "", 404, noID),
		refused("token below another group", "GET /process-orchestration/events/counterparty.merged/token/{id}", "", 404, noID),
		refused("update below another event", "PUT "+events+"/counterparty_master.consolidated/endpoints/{id}", body, 404, noID),
		refused("delete below another event", "DELETE "+events+"/counterparty_master.consolidated/endpoints/{id}", "", 404, noID),
		refused("unknown id", "GET "+merged+"/token/689062a7fc423348d145db30", "", 404, noID),
		refused("no id", "GET "+merged+"/token/x", "", 404, noID),
		refused("unknown id to update", "PUT "+endpoints+"/689062a7fc423348d145db30", body, 404, noID),
		refused("unknown id to delete", "DELETE "+endpoints+"/689062a7fc423348d145db30", "", 404, noID),
		refused("unknown path", "GET "+merged, "", 404, "path "+merged+" does not exist"),
		refused("longer path", "GET "+merged+"/token/{id}/x", "", 404, "path "+merged+"/token/{id}/x does not exist"),
		unchanged,
	})
	for _, c := range []struct{ do, allow string }{
		{"POST " + events + "/event-types", "GET, HEAD"},
		{"DELETE " + endpoints, "GET, HEAD, POST"},
		{"GET " + endpoints + "/{id}", "DELETE, PUT"},
		{"PATCH " + endpoints + "/{id}", "DELETE, PUT"},
		{"PUT " + merged + "/token/{id}", "GET, HEAD"},
		{"POST " + merged + "/example", "GET, HEAD"},
	} {
		t.Run(c.do, func(t *testing.T) {
			method, _, _ := strings.Cut(c.do, " ")
			s := refused("wrong method", c.do, body, 405, "method "+method+" is not allowed for this path; use "+c.allow)
			s.WantHeader = append(s.WantHeader, "Allow: "+c.allow)
			dialecttest.Run(t, w, []step{s})
		})
	}
	dialecttest.Run(t, w, []step{unchanged})
}

func TestCallers(t *testing.T) {
	t.Parallel()
	const (
		noToken   = "the Authorization header must be given once, as Bearer <any>"
		forbidden = "the token does not permit this operation"
	)
	w := newWorld(t)
	dialecttest.Run(t, w, []step{register})
	for _, route := range []struct {
		do    string
		reads bool
	}{
		{"GET " + events + "/event-types", true},
		{"POST " + endpoints, false},
		{"GET " + endpoints, true},
		{"GET " + merged + "/token/{id}", false},
		{"PUT " + endpoints + "/{id}", false},
		{"DELETE " + endpoints + "/{id}", false},
		{"GET " + merged + "/example", true},
	} {
		t.Run(route.do, func(t *testing.T) {
			// The body and the version are wrong: both are checked after the permission.
			as := func(key string, status int, detail string) step {
				s := refused(key, route.do, "{", status, detail)
				s.Key = key
				if status == 401 {
					s.Header = []string{"Accept: application/json;api-version=1.0"}
					s.WantHeader = append(s.WantHeader, "WWW-Authenticate: Bearer")
				}
				return s
			}
			scheme := as("none", 401, noToken)
			scheme.Header = append(scheme.Header, "Authorization: Basic YTpi")
			steps := []step{
				as("none", 401, noToken),
				scheme,
				as("wrong", 401, "the token is not valid"),
				as("expired", 401, "the token has expired"),
				as("admin", 403, forbidden),
				as("publisher", 403, forbidden),
			}
			if !route.reads {
				steps = append(steps, as("tenant-read", 403, forbidden))
			}
			if strings.Contains(route.do, "{id}") {
				s := refused("other", route.do, body, 404, `endpoint \"{id}\" does not exist`)
				s.Key = "other"
				steps = append(steps, s)
			}
			dialecttest.Run(t, w, steps)
		})
	}
	dialecttest.Run(t, w, []step{
		{Name: "a stranger's list", Key: "other", Do: "GET " + endpoints, Status: 200, Want: `[]`},
		unchanged,
	})
}

// Changes through the native API are shown. The native API refuses values that this dialect does not support.
func TestNativeChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.PutType("groupless", service.EventTypeInput{})
	w.PutType("spaced", service.EventTypeInput{Group: "an other"})
	w.PutType("..", service.EventTypeInput{Group: "dots"})
	dialecttest.Run(t, w, []step{register})
	id := w.Vars["id"]
	for _, c := range []struct {
		field string
		in    service.EndpointInput
	}{
		{"signing", service.EndpointInput{Signing: new(bellwire.SigningBoth)}},
		{"secret", service.EndpointInput{Secret: new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")}},
		{"events", service.EndpointInput{Events: &[]string{"counterparty.*"}}},
		{"events", service.EndpointInput{Events: &[]string{"*"}}},
		{"events", service.EndpointInput{Events: &[]string{"counterparty.merged", "process.status-changed"}}},
		{"events[0]", service.EndpointInput{Events: &[]string{"groupless"}}},
		{"events[0]", service.EndpointInput{Events: &[]string{"spaced"}}},
		{"events[0]", service.EndpointInput{Events: &[]string{".."}}},
		{"headers.x-event-token", service.EndpointInput{Headers: &[]bellwire.Header{{Name: "x-event-token", Value: "v"}}}},
		{"auth.header", service.EndpointInput{Auth: &bellwire.Auth{Type: bellwire.AuthAPIKey, Header: "X-Event-Token", Key: "k"}}},
	} {
		t.Run(c.field, func(t *testing.T) {
			if _, err := w.Native(id, c.in); bellwire.CodeOf(err) != bellwire.CodeInvalid || !strings.HasPrefix(err.Error(), c.field+" ") {
				t.Errorf("%s: %v", c.field, err)
			}
		})
	}
	dialecttest.Run(t, w, []step{unchanged})
	const own = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	if _, err := w.Native(id, service.EndpointInput{
		Secret: new(own), Events: &[]string{"process.status-changed"}, Status: new(bellwire.EndpointPaused),
		Retry: &bellwire.RetryPolicy{Schedule: []bellwire.Duration{5e9}},
	}); err != nil {
		t.Fatal(err)
	}
	dialecttest.Run(t, w, []step{
		{Name: "no longer here", Do: "GET " + endpoints, Status: 200, Want: `[]`},
		{Name: "but there", Do: "GET /process-orchestration/events/process.status-changed/endpoints", Status: 200,
			Want: "[" + strings.NewReplacer(`"counterparty.merged"`, `"process.status-changed"`, "{token}", own).Replace(shown) + "]"},
		{Name: "and can be updated there", Do: "PUT /process-orchestration/events/process.status-changed/endpoints/{id}", Body: body, Status: 204},
	})
	ep, err := w.Service.Endpoint(t.Context(), dialecttest.Admin, w.Tenant, id)
	if err != nil || ep.Status != bellwire.EndpointPaused || len(ep.Retry.Schedule) != 1 {
		t.Errorf("an update of the URI has changed more: %+v, %v", ep, err)
	}
}

// An endpoint keeps its path when its event type changes, because deliveries contain it.
func TestCatalogueChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dialecttest.Run(t, w, []step{register})
	steps := []step{
		unchanged,
		{Name: "token", Do: "GET " + merged + "/token/{id}", Status: 200, Want: `{"token":"{token}"}`},
		{Name: "update", Do: "PUT " + endpoints + "/{id}", Body: body, Status: 204},
		unchanged,
	}
	w.PutType("counterparty.merged", service.EventTypeInput{Group: "counterparty-management", Archived: true})
	dialecttest.Run(t, w, steps)
	dialecttest.Run(t, w, []step{refused("no example", "GET "+merged+"/example", "", 404, "<any>")})
	w.PutType("counterparty.merged", service.EventTypeInput{Group: "elsewhere"})
	dialecttest.Run(t, w, steps)
	dialecttest.Run(t, w, []step{{Name: "new ones are elsewhere", Do: "POST /elsewhere/events/counterparty.merged/endpoints", Body: body, Status: 201, Want: "<any>"}})
}

// An endpoint that moves to another dialect gets a secret of that dialect.
func TestMoves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made, secret, err := w.Service.CreateEndpoint(t.Context(), dialecttest.Admin, w.Tenant, service.EndpointInput{
		URL: new(uri), Events: &[]string{"counterparty.merged"},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Vars["id"] = made.ID
	dialecttest.Run(t, w, []step{
		{Name: "of another dialect", Do: "GET " + endpoints, Status: 200, Want: `[]`},
		refused("of another dialect", "GET "+merged+"/token/{id}", "", 404, `endpoint \"{id}\" does not exist`),
	})
	if _, err := w.Native(made.ID, service.EndpointInput{Dialect: new(akkuro.Name)}); err != nil {
		t.Fatal(err)
	}
	now, err := w.Service.EndpointSecret(t.Context(), dialecttest.Admin, w.Tenant, made.ID)
	if err != nil || dialect.CheckSecret(now.Secret) != nil {
		t.Fatalf("the secret is no token: %v", err)
	}
	w.Vars["token"] = now.Secret
	dialecttest.Run(t, w, []step{
		{Name: "moved", Do: "GET " + endpoints, Status: 200, Want: "[" + strings.Replace(shown, "{created}", "<created:instant>", 1) + "]"},
		{Name: "token", Do: "GET " + merged + "/token/{id}", Status: 200, Want: `{"token":"{token}"}`},
	})
	back, err := w.Native(made.ID, service.EndpointInput{Dialect: new("standard")})
	if err != nil || len(back.Extra) > 0 {
		t.Fatal(back, err)
	}
	again, err := w.Service.EndpointSecret(t.Context(), dialecttest.Admin, w.Tenant, made.ID)
	if err != nil || again.Secret == secret.Secret || again.Secret == now.Secret {
		t.Errorf("the secret after the way back is not a new one (%v)", err)
	}
	several, _, err := w.Service.CreateEndpoint(t.Context(), dialecttest.Admin, w.Tenant, service.EndpointInput{
		URL: new(uri), Events: &[]string{"counterparty.*"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Native(several.ID, service.EndpointInput{Dialect: new(akkuro.Name)}); bellwire.CodeOf(err) != bellwire.CodeInvalid {
		t.Errorf("an endpoint with a pattern has moved: %v", err)
	}
}

// Every error is in the words of a customer.
func TestErrorsUseTheVendorsWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.PutType("odd.group", service.EventTypeInput{Group: "no group/of a path"})
	dialecttest.Run(t, w, []step{register})
	dialecttest.Abuse(t, w, nil, []string{
		"POST " + endpoints, "PUT " + endpoints + "/{id}", "PUT " + endpoints + "/x", "DELETE " + endpoints + "/x", "GET " + merged + "/token/x",
		"POST " + events + "/nope/endpoints", "GET " + events + "/nope/example", "GET /nope/events/event-types", "PATCH " + endpoints,
		"POST /no%20group%2fof%20a%20path/events/odd.group/endpoints", "GET /no%20group%2fof%20a%20path/events/event-types",
	}, `{"uri":"{bad}"}`, `{"uri":1}`, `{"uri":null}`, `{"uri":"https://example.com","events":["*"]}`)
}

// TestReadOnlyMembers: an endpoint can be sent back as it was listed, if the settings say so. Other fields are refused all the same.
func TestReadOnlyMembers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	again := step{Name: "send it back", Do: "PUT " + endpoints + "/{id}", Body: shown, Status: 400, Want: "<any>"}
	dialecttest.Run(t, w, []step{register, again})
	w.Set(bellwire.DialectSettings{IgnoreReadOnly: new(true)})
	again.Status, again.Want = 204, ""
	dialecttest.Run(t, w, []step{
		again, unchanged,
		{Name: "unknown", Do: again.Do, Body: `{"id":"{id}","uri":"` + uri + `","name":"x"}`, Status: 400, Want: `<any>name is not a known field<any>`},
	})
}
