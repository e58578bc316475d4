package api_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/api"
	"github.com/bellwire/bellwire/internal/bellwire"
)

// browse makes a request as a page of the console does.
func (w *world) browse(method, path, cookie, body string, header ...string) *httptest.ResponseRecorder {
	r := request(method, path, "", body)
	r.Header.Set("Cookie", cookie)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
		if value == "" {
			r.Header.Del(name)
		}
	}
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, r)
	return answer
}

// signIn returns the cookie of a new session of the key.
func (w *world) signIn(t *testing.T, key string) (cookie, id string) {
	t.Helper()
	answer := w.call("POST", "/console-sessions", key, "")
	return cookieOf(t, answer), fieldOf(t, answer, 201, "id")
}

func cookieOf(t *testing.T, answer *httptest.ResponseRecorder) string {
	t.Helper()
	cookies := answer.Result().Cookies()
	if len(cookies) != 1 {
		t.Fatalf("%d cookies: %d %s", len(cookies), answer.Code, answer.Body)
	}
	return cookies[0].Name + "=" + cookies[0].Value
}

// fieldOf returns a text field of an answer.
func fieldOf(t *testing.T, answer *httptest.ResponseRecorder, status int, path string) string {
	t.Helper()
	var got any
	if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil || answer.Code != status {
		t.Fatalf("%d %s, want %d", answer.Code, answer.Body, status)
	}
	text, _ := fieldAt(got, path).(string)
	return text
}

func codeOf(url string) string {
	_, code, _ := strings.Cut(url, "#code=")
	return code
}

func TestConsoleSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	answer := w.call("POST", "/console-sessions", adminKey, "")
	cookie := cookieOf(t, answer)
	want := []string{"bellwire_session=bwcs_", "; Path=/;", "; Max-Age=43200", "; HttpOnly", "; SameSite=Strict"}
	for _, part := range want {
		if set := answer.Header().Get("Set-Cookie"); !strings.Contains(set, part) || strings.Contains(set, "Secure") {
			t.Errorf("%s lacks %s", set, part)
		}
	}
	token := strings.TrimPrefix(cookie, "bellwire_session=")
	if strings.Contains(answer.Body.String(), token) {
		t.Error("the token is in the body")
	}
	id := fieldOf(t, answer, 201, "id")
	if got := fieldOf(t, w.browse("GET", "/console-sessions/current", cookie, ""), 200, "id"); got != id {
		t.Errorf("current is %s, not %s", got, id)
	}
	listed := w.browse("GET", "/console-sessions", cookie, "")
	if got := fieldOf(t, listed, 200, "data.0.id"); got != id || strings.Contains(listed.Body.String(), token) {
		t.Errorf("listed: %s", listed.Body)
	}
	for _, refusal := range []struct {
		name   string
		answer *httptest.ResponseRecorder
		status int
	}{
		{"a tenant's key", w.call("POST", "/console-sessions", w.keys["tenant"], ""), 403},
		{"no key", w.call("POST", "/console-sessions", "", ""), 401},
		{"a session makes no other", w.browse("POST", "/console-sessions", cookie, ""), 403},
		{"a session makes no link", w.browse("POST", "/console-sessions/links", cookie, ""), 403},
		{"the token is no key", w.call("GET", "/tenants", token, ""), 401},
		{"a changed token", w.browse("GET", "/tenants", cookie[:len(cookie)-1]+"!", ""), 401},
		{"a token of no session", w.browse("GET", "/tenants", "bellwire_session=bwcs_"+strings.Repeat("0", 32)+"_"+strings.Repeat("A", 43), ""), 401},
		{"two cookies", w.browse("GET", "/tenants", cookie+"; bellwire_session=x", ""), 401},
		{"a key wins over the cookie", w.browse("GET", "/tenants", cookie, "", "Authorization: Bearer wrong"), 401},
		{"current of a key", w.call("GET", "/console-sessions/current", adminKey, ""), 404},
		{"no such session", w.browse("DELETE", "/console-sessions/ses_"+strings.Repeat("0", 32), cookie, ""), 404},
		{"another site's page", w.browse("POST", "/tenants", cookie, `{"id":"x"}`, "Sec-Fetch-Site: cross-site"), 403},
		{"a page of the same site", w.browse("POST", "/tenants", cookie, `{"id":"x"}`, "Sec-Fetch-Site: same-site"), 403},
		{"another origin", w.browse("DELETE", "/tenants/acme", cookie, "", "Sec-Fetch-Site: ", "Origin: https://evil.example"), 403},
		{"no origin", w.browse("PATCH", "/tenants/acme", cookie, `{"name":"x"}`, "Sec-Fetch-Site: "), 403},
		{"publishing from another site", w.browse("POST", "/tenants/acme/events", cookie, `{"type":"invoice.paid","data":{}}`, "Sec-Fetch-Site: cross-site"), 403},
	} {
		if refusal.answer.Code != refusal.status {
			t.Errorf("%s: %d %s, want %d", refusal.name, refusal.answer.Code, refusal.answer.Body, refusal.status)
		}
	}
	for _, allowed := range []struct {
		name   string
		answer *httptest.ResponseRecorder
		status int
	}{
		{"publishing", w.browse("POST", "/tenants/acme/events", cookie, `{"type":"invoice.paid","data":{}}`), 202},
		{"its own origin", w.browse("PATCH", "/tenants/acme", cookie, `{"name":"x"}`, "Sec-Fetch-Site: ", "Origin: http://example.com"), 200},
		{"the origin of the public URL", w.browse("PATCH", "/tenants/acme", cookie, `{"name":"x"}`, "Sec-Fetch-Site: ", "Origin: http://127.0.0.1:8080"), 200},
	} {
		if allowed.answer.Code != allowed.status {
			t.Errorf("%s: %d %s, want %d", allowed.name, allowed.answer.Code, allowed.answer.Body, allowed.status)
		}
	}
	audited := w.call("GET", "/audit?limit=1", adminKey, "")
	if got := fieldOf(t, audited, 200, "data.0.by.session"); got != id {
		t.Errorf("the audit log does not name the session: %s", audited.Body)
	}
	out := w.browse("DELETE", "/console-sessions/current", cookie, "")
	if set := out.Header().Get("Set-Cookie"); out.Code != 204 || !strings.Contains(set, "Max-Age=0") {
		t.Errorf("%d %s", out.Code, set)
	}
	if answer := w.browse("GET", "/tenants", cookie, ""); answer.Code != 401 {
		t.Errorf("after signing out: %d %s", answer.Code, answer.Body)
	}
}

func TestConsoleSessionsHaveTheRoleOfTheirKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := w.call("POST", "/keys", adminKey, `{"role":"publisher","name":"Billing"}`)
	cookie, id := w.signIn(t, fieldOf(t, made, 201, "secret"))
	own := w.browse("GET", "/console-sessions/current", cookie, "")
	if name, key := fieldOf(t, own, 200, "key_name"), fieldOf(t, own, 200, "key"); name != "Billing" || key != fieldOf(t, made, 201, "id") {
		t.Errorf("signed in with %s, %q", key, name)
	}
	for path, status := range map[string]int{"/event-types": 200, "/tenants": 403, "/tenants/acme/endpoints": 403, "/console-sessions": 403, "/console-sessions/current": 200} {
		if answer := w.browse("GET", path, cookie, ""); answer.Code != status {
			t.Errorf("%s: %d %s, want %d", path, answer.Code, answer.Body, status)
		}
	}
	if answer := w.call("DELETE", "/keys/"+fieldOf(t, made, 201, "id"), adminKey, ""); answer.Code != 204 {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	if answer := w.browse("GET", "/event-types", cookie, ""); answer.Code != 401 {
		t.Errorf("after the key was deleted: %d %s", answer.Code, answer.Body)
	}
	if answer := w.call("DELETE", "/console-sessions/"+id, adminKey, ""); answer.Code != 404 {
		t.Errorf("the session is still there: %d %s", answer.Code, answer.Body)
	}
	other, id := w.signIn(t, adminKey)
	if answer := w.call("DELETE", "/console-sessions/"+id, adminKey, ""); answer.Code != 204 {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	if answer := w.browse("GET", "/event-types", other, ""); answer.Code != 401 {
		t.Errorf("after the session was ended: %d %s", answer.Code, answer.Body)
	}
}

func TestConsoleLinks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	link := fieldOf(t, w.call("POST", "/console-sessions/links", adminKey, ""), 201, "url")
	if !strings.HasPrefix(link, "http://127.0.0.1:8080/console#code=bwx_") {
		t.Error(link)
	}
	body := `{"code":"` + codeOf(link) + `"}`
	w.step(t, step{name: "as a portal's", method: "POST", path: "/portal-sessions/exchange", key: "none", body: body, status: 401, problem: "unauthenticated"})
	cookie := cookieOf(t, w.call("POST", "/console-sessions/exchange", "", body))
	if answer := w.browse("GET", "/tenants", cookie, ""); answer.Code != 200 {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	for _, s := range []step{
		{name: "again", method: "POST", path: "/console-sessions/exchange", key: "none", body: body, status: 401, problem: "unauthenticated"},
		{name: "no code", method: "POST", path: "/console-sessions/exchange", key: "none", body: `{"code":"x"}`, status: 401, problem: "unauthenticated"},
		{name: "a body too large", method: "POST", path: "/console-sessions/exchange", key: "none", body: `{"code":"` + strings.Repeat("x", 5000) + `"}`, status: 413, problem: "too_large"},
		{name: "by a publisher", method: "POST", path: "/console-sessions/links", key: "publisher", status: 403, problem: "forbidden"},
	} {
		w.step(t, s)
	}
}

// portal returns the token of a new portal session of acme.
func (w *world) portal(t *testing.T, body string) (token, id string) {
	t.Helper()
	answer := w.call("POST", "/tenants/acme/portal-sessions", adminKey, body)
	exchanged := w.call("POST", "/portal-sessions/exchange", "", `{"code":"`+codeOf(fieldOf(t, answer, 201, "url"))+`"}`)
	return fieldOf(t, exchanged, 200, "token"), fieldOf(t, answer, 201, "id")
}

func TestPortalSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, s := range []step{
		{name: "all defaults", method: "POST", path: "/tenants/acme/portal-sessions", key: "tenant", status: 201, want: `{"id":"*","url":"*","expires_at":"*"}`},
		{name: "listed", method: "GET", path: "/tenants/acme/portal-sessions", key: "tenant", status: 200, want: `{"data":[{"exchanged":false,"last_used_at":null,
			"capabilities":["view","view_secret","manage","replay","test"],"origins":[],"theme":{"mode":"system"}}]}`, without: []string{"bwx_", "bwps_"}},
		{name: "a reader", method: "POST", path: "/tenants/acme/portal-sessions", key: "tenant-read", status: 403, problem: "forbidden"},
		{name: "a publisher", method: "POST", path: "/tenants/acme/portal-sessions", key: "publisher", status: 403, problem: "forbidden"},
		{name: "a stranger", method: "POST", path: "/tenants/acme/portal-sessions", key: "other", status: 404, problem: "not_found"},
		{name: "no tenant", method: "POST", path: "/tenants/nobody/portal-sessions", status: 404, problem: "not_found"},
		{name: "an unknown capability", method: "POST", path: "/tenants/acme/portal-sessions", body: `{"capabilities":["fly"]}`, status: 422, problem: "invalid capabilities"},
		{name: "no capability", method: "POST", path: "/tenants/acme/portal-sessions", body: `{"capabilities":[]}`, status: 422, problem: "invalid capabilities"},
		{name: "too short", method: "POST", path: "/tenants/acme/portal-sessions", body: `{"expires_in":"1s"}`, status: 422, problem: "invalid expires_in"},
		{name: "too long", method: "POST", path: "/tenants/acme/portal-sessions", body: `{"expires_in":"25h"}`, status: 422, problem: "invalid expires_in"},
		{name: "a theme", method: "POST", path: "/tenants/acme/portal-sessions", body: `{"theme":{"accent":"red;","mode":"pink"}}`, status: 422, problem: "invalid theme.mode"},
		{name: "origins as browsers write them", method: "POST", path: "/tenants/acme/portal-sessions",
			body: `{"origins":["https://App.Example.com:443/","http://localhost:3000","https://[2001:db8::1]:8443"]}`, status: 201},
		{name: "listed", method: "GET", path: "/tenants/acme/portal-sessions?limit=1", status: 200,
			want: `{"data":[{"origins":["https://app.example.com","http://localhost:3000","https://[2001:db8::1]:8443"]}]}`},
	} {
		w.step(t, s)
	}
	for _, origin := range []string{"*", "https://*.example.com", "null", "https://a.example/path", "https://a.example?x", "ftp://a.example", "https://u@a.example",
		"https://a.example; script-src *", "https://a.example 'self'", "https://a.example,b", "https://", "https://a.example:", "https://a_b"} {
		body, _ := json.Marshal(map[string]any{"origins": []string{origin}})
		w.step(t, step{name: origin, method: "POST", path: "/tenants/acme/portal-sessions", body: string(body), status: 422, problem: "invalid origins"})
	}

	token, id := w.portal(t, `{"capabilities":["test"],"theme":{"accent":"#4f46e5","mode":"dark"}}`)
	answer := w.call("GET", "/tenants/acme/endpoints", token, "")
	if answer.Code != 200 {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	if answer := w.call("DELETE", "/tenants/other/portal-sessions/"+id, w.keys["other"], ""); answer.Code != 404 {
		t.Errorf("ended by a stranger: %d", answer.Code)
	}
	if answer := w.call("DELETE", "/tenants/acme/portal-sessions/"+id, w.keys["tenant"], ""); answer.Code != 204 {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
	if answer := w.call("GET", "/tenants/acme/endpoints", token, ""); answer.Code != 401 {
		t.Errorf("after the session was ended: %d %s", answer.Code, answer.Body)
	}
}

// stored stores a session of the key publisher, and returns its token.
func (w *world) stored(t *testing.T, s bellwire.Session) (token string) {
	t.Helper()
	publisher := w.keys["publisher"]
	if err := s.Key.UnmarshalText([]byte("key_" + publisher[4:36])); err != nil {
		t.Fatal(err)
	}
	s.ID, s.Role = bellwire.NewID[bellwire.SessionIDKind](time.Now()), bellwire.RolePublisher
	prefix := map[bellwire.SessionKind]string{bellwire.SessionConsole: "bwcs_", bellwire.SessionPortal: "bwps_"}[s.Kind]
	token = prefix + s.ID.String()[4:] + "_" + strings.Repeat("A", 43)
	s.Token = sha256.Sum256([]byte(token))
	if err := w.store.CreateSession(t.Context(), &s, 100); err != nil {
		t.Fatal(err)
	}
	return token
}

// TestSessionsExpire: console sessions also when they are not used.
func TestSessionsExpire(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ago := func(d time.Duration) time.Time { return time.Now().Add(-d) }
	for _, session := range []struct {
		name    string
		session bellwire.Session
		lives   bool
	}{
		{"used an hour ago", bellwire.Session{Kind: bellwire.SessionConsole, CreatedAt: ago(5 * time.Hour), LastUsedAt: ago(time.Hour), ExpiresAt: ago(-time.Hour)}, true},
		{"idle", bellwire.Session{Kind: bellwire.SessionConsole, CreatedAt: ago(5 * time.Hour), LastUsedAt: ago(3 * time.Hour), ExpiresAt: ago(-time.Hour)}, false},
		{"expired", bellwire.Session{Kind: bellwire.SessionConsole, CreatedAt: ago(5 * time.Hour), LastUsedAt: ago(time.Minute), ExpiresAt: ago(time.Second)}, false},
		{"portal", bellwire.Session{Kind: bellwire.SessionPortal, Tenant: "acme", Capabilities: bellwire.CanView, CreatedAt: ago(5 * time.Hour), ExpiresAt: ago(-time.Hour)}, true},
		{"expired portal", bellwire.Session{Kind: bellwire.SessionPortal, Tenant: "acme", Capabilities: bellwire.CanView, CreatedAt: ago(5 * time.Hour), ExpiresAt: ago(time.Second)}, false},
	} {
		token := w.stored(t, session.session)
		answer := w.call("GET", "/event-types", token, "")
		if session.session.Kind == bellwire.SessionConsole {
			answer = w.browse("GET", "/event-types", "bellwire_session="+token, "")
		}
		if lives := answer.Code == 200; lives != session.lives || !lives && answer.Code != 401 {
			t.Errorf("%s: %d %s", session.name, answer.Code, answer.Body)
		}
	}
	if listed := w.call("GET", "/tenants/acme/portal-sessions", adminKey, ""); strings.Count(listed.Body.String(), `"ses_`) != 1 {
		t.Errorf("expired sessions are listed: %s", listed.Body)
	}
}

func TestPortalSessionsEndWithTheirTenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token, _ := w.portal(t, "")
	if answer := w.call("DELETE", "/tenants/acme", adminKey, ""); answer.Code != 204 {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	if answer := w.call("GET", "/tenants/acme/endpoints", token, ""); answer.Code != 401 {
		t.Errorf("after the tenant was deleted: %d %s", answer.Code, answer.Body)
	}
}

// operation is an operation of the API's document.
type operation struct {
	method, path, id string
	repeatable       bool // takes an idempotency key
}

func (w *world) operations(t *testing.T) (all []operation) {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string
			Parameters  []struct{ Name string }
		}
	}
	if err := json.Unmarshal(get(w.handler, "/openapi.json").Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	for path, item := range doc.Paths {
		for method, op := range item {
			o := operation{method: strings.ToUpper(method), path: strings.TrimPrefix(path, "/api/v1"), id: op.OperationID}
			for _, p := range op.Parameters {
				o.repeatable = o.repeatable || p.Name == "Idempotency-Key"
			}
			all = append(all, o)
		}
	}
	return all
}

// capabilitiesOf are the capabilities that operations need, by their ids. Those that are not listed are closed to portal sessions.
var capabilitiesOf = map[string]string{
	"list-event-types": "view", "get-event-type": "view", "find-id": "view", "list-dialects": "view",
	"list-endpoints": "view", "get-endpoint": "view", "list-endpoint-history": "view", "list-endpoint-versions": "view", "preview-endpoint-versions": "view",
	"list-events": "view", "get-event": "view", "list-event-endpoints": "view",
	"list-deliveries": "view", "get-delivery": "view", "get-delivery-body": "view", "list-jobs": "view", "get-job": "view", "get-tenant-statistics": "view", "try-filter": "view",
	"get-endpoint-secret": "view_secret",
	"create-endpoint":     "manage", "check-url": "manage", "put-endpoint": "manage", "update-endpoint": "manage", "delete-endpoint": "manage", "rotate-endpoint-secret": "manage",
	"test-endpoint": "test", "probe-endpoint": "test",
	"count-missed":   "replay",
	"retry-delivery": "replay", "cancel-delivery": "replay", "replay-events": "replay", "retry-deliveries": "replay", "cancel-deliveries": "replay",
	"pause-job": "replay", "resume-job": "replay", "cancel-job": "replay", "update-job": "replay",
}

// open are the operations that need no credentials.
var open = []string{"exchange-console-code", "exchange-portal-code"}

// TestPortalCapabilities tries every operation of the API with each capability alone: what a session may do is decided here, and not
// by its page. In another tenant, no session finds anything.
func TestPortalCapabilities(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, capability := range bellwire.CapabilityNames {
		token, _ := w.portal(t, `{"capabilities":["`+capability+`"]}`)
		known := 0
		for _, op := range w.operations(t) {
			if slices.Contains(open, op.id) || op.id == "watch-tenant" { // which has no end; see TestLive
				continue
			}
			need := capabilitiesOf[op.id]
			if need != "" {
				known++
			}
			for tenant, own := range map[string]bool{"acme": true, "other": false} {
				path := strings.NewReplacer("{tenant}", tenant, "{id}", "ep_"+strings.Repeat("0", 32), "{name}", "none.such").Replace(op.path)
				answer := w.call(op.method, path, token, "{}")
				label := fmt.Sprintf("%s: %s %s in %s: %d %s", capability, op.method, op.path, tenant, answer.Code, answer.Body)
				switch allowed := need != "" && (need == capability || need == "view"); {
				case !own && strings.Contains(op.path, "{tenant}"):
					if answer.Code != http.StatusNotFound {
						t.Errorf("%s, want 404", label)
					}
				case allowed == (answer.Code == http.StatusForbidden) || answer.Code == http.StatusUnauthorized:
					t.Errorf("%s, want it allowed: %v", label, allowed)
				}
			}
		}
		if known != len(capabilitiesOf) {
			t.Errorf("%d operations of %d exist", known, len(capabilitiesOf))
		}
	}
}

// TestSecretsNeedTheirCapability: no answer to a session without view_secret has a secret.
func TestSecretsNeedTheirCapability(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := `{"url":"https://example.com/hook?token=hidden-in-the-url","events":["*"]}`
	for _, capabilities := range []string{`["manage","view_secret"]`, `["manage"]`} {
		token, _ := w.portal(t, `{"capabilities":`+capabilities+`}`)
		shown := strings.Contains(capabilities, "view_secret")
		created := w.call("POST", "/tenants/acme/endpoints", token, body)
		one := "/tenants/acme/endpoints/" + fieldOf(t, created, 201, "id")
		for name, answer := range map[string]*httptest.ResponseRecorder{
			"created": created,
			"put":     w.call("PUT", one, token, body),
			"rotated": w.call("POST", one+"/secret/rotate", token, ""),
			"changed": w.call("PATCH", one, token, `{"description":"d"}`),
			"read":    w.call("GET", one, token, ""),
			"history": w.call("GET", one+"/history", token, ""),
		} {
			text := answer.Body.String()
			if answer.Code >= 300 || !shown && (strings.Contains(text, "whsec_") || strings.Contains(text, "hidden-in-the-url")) {
				t.Errorf("%s with %s: %d %s", name, capabilities, answer.Code, text)
			}
			if shown && name != "history" && name != "changed" && name != "read" && !strings.Contains(text, "whsec_") {
				t.Errorf("%s with %s lacks the secret: %s", name, capabilities, text)
			}
		}
	}
}

// TestSessionsLeaveNoSecretInTheLog also sees to it that a code that is used twice is reported there.
func TestSessionsLeaveNoSecretInTheLog(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	w := newWorldWith(t, api.Options{Version: "test", PublicURL: "https://hooks.example.com/bellwire"}, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	answer := w.call("POST", "/tenants/acme/portal-sessions", adminKey, "")
	link := fieldOf(t, answer, 201, "url")
	if want := "https://hooks.example.com/bellwire/portal?s=" + fieldOf(t, answer, 201, "id") + "#code="; !strings.HasPrefix(link, want) {
		t.Errorf("%s, want %s", link, want)
	}
	exchange := `{"code":"` + codeOf(link) + `"}`
	token := fieldOf(t, w.call("POST", "/portal-sessions/exchange", "", exchange), 200, "token")
	w.step(t, step{name: "again", method: "POST", path: "/portal-sessions/exchange", key: "none", body: exchange, status: 401, problem: "unauthenticated"})
	signedIn := w.call("POST", "/console-sessions", adminKey, "")
	cookie := cookieOf(t, signedIn)
	if set := signedIn.Header().Get("Set-Cookie"); !strings.HasPrefix(set, "bellwire_session=") || !strings.Contains(set, "; Path=/bellwire;") || !strings.Contains(set, "; Secure") {
		t.Error(set)
	}
	w.browse("GET", "/tenants", cookie+"x", "")
	w.call("GET", "/tenants", token+"x", "")
	for _, secret := range []string{codeOf(link), token, strings.TrimPrefix(cookie, "bellwire_session=")} {
		if secret == "" || strings.Contains(log.String(), secret) {
			t.Errorf("%q is in the log: %s", secret, log.String())
		}
	}
	if !strings.Contains(log.String(), "session code exchanged before") {
		t.Errorf("the second exchange is not in the log: %s", log.String())
	}
}

// TestCookiePrefix: with https and no prefix, browsers hold the cookie to this host.
func TestCookiePrefix(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, api.Options{PublicURL: "https://hooks.example.com"}, nil)
	set := w.call("POST", "/console-sessions", adminKey, "").Header().Get("Set-Cookie")
	if !strings.HasPrefix(set, "__Host-bellwire=bwcs_") || !strings.Contains(set, "; Path=/;") || !strings.Contains(set, "; Secure") {
		t.Error(set)
	}
}

// TestExchangesAreAudited: the entries name the session, and what is done in it does too.
func TestExchangesAreAudited(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, portal := w.portal(t, "")
	link := w.call("POST", "/console-sessions/links", adminKey, "")
	console := fieldOf(t, link, 201, "id")
	cookie := cookieOf(t, w.call("POST", "/console-sessions/exchange", "", `{"code":"`+codeOf(fieldOf(t, link, 201, "url"))+`"}`))
	w.browse("PATCH", "/tenants/acme", cookie, `{"name":"new"}`)
	w.browse("DELETE", "/console-sessions/current", cookie, "")
	w.step(t, step{method: "GET", path: "/audit?limit=6", status: 200, want: `{"data":[
		{"action":"console-session.delete","subject":"` + console + `","by":{"kind":"configured","role":"admin","session":"` + console + `"}},
		{"action":"tenant.update","by":{"session":"` + console + `"}},
		{"action":"console-session.exchange","subject":"` + console + `","by":{"kind":"configured","role":"admin","session":"` + console + `"}},
		{"action":"console-session.create","subject":"` + console + `"},
		{"action":"portal-session.exchange","tenant":"acme","subject":"` + portal + `","by":{"kind":"configured","role":"portal","session":"` + portal + `"}},
		{"action":"portal-session.create","tenant":"acme","subject":"` + portal + `","after":{"capabilities":["view","view_secret","manage","replay","test"]}}]}`})
}
