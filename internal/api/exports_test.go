package api_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/api"
)

// exports exports, which must succeed.
func (w *world) exports(t testing.TB, query string) string {
	t.Helper()
	answer := w.call("GET", "/exports"+query, adminKey, "")
	if answer.Code != 200 || answer.Header().Get("Content-Type") != "application/x-ndjson" {
		t.Fatalf("GET /exports%s: %d %s", query, answer.Code, answer.Body)
	}
	return answer.Body.String()
}

// empty returns a world whose catalogue is empty.
func empty(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	for _, name := range []string{"invoice.paid", "invoice.failed", "report.ready"} {
		w.call("DELETE", "/event-types/"+name, adminKey, "")
	}
	return w
}

const (
	privateKey = "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8DoQe/884Qvh1w3RjnS8CZZ+TWMJulDV8d3IZkElUxuA=="
	moved      = `{"kind":"export","format":1,"secrets":true}
{"kind":"event_type","name":"a.made","group":"g","description":"About\nit.","created_at":"2024-01-02T03:04:05Z","older_versions":[{"version":1,"schema":{"type":"object"},"converter":"data.without([\"text\"])"},{"version":2,"example":{"n":2.0},"converter":"data"}],"schema":{"type": "object"},"example":{"n": 1.0, "text": "\u00e9"}}
{"kind":"event_type","name":"a.old","archived":true,"created_at":"2024-01-02T03:04:06Z"}
{"kind":"tenant","id":"moved","name":"Moved","metadata":{"a":"1","b":"2"},"limits":{"min_retry_delay":"2s"},"status":"paused","status_reason":"unpaid","operational_events":true,"dialects":{"standard":{"retry":{"interval":"1m","count":2},"timeout":"20s","api_key_header":"X-Key","auth":{"type":"api_key","header":"X-Own","key":"the-tenants-key"},"user_agent":"Acme/1","headers":{"X-C":"1","X-D":"2"},"ignore_read_only":true}},"created_at":"2024-01-02T03:04:05Z"}
{"kind":"key","tenant":"moved","id":"key_0198c7a3f2e47d0a9b1c2d3e4f506172","role":"tenant","hmac":true,"secret":"bwk_0198c7a3f2e47d0a9b1c2d3e4f506172_0123456789abcdefghijklmnopqrstuvwxyzABCDEFE","created_at":"2024-01-02T03:04:05Z"}
{"kind":"key","tenant":"moved","id":"key_0198c7a3f2e47d0a9b1c2d3e4f506173","name":"expired","role":"tenant-read","secret_sha256":"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08","created_at":"2024-01-02T03:04:05Z","expires_at":"2024-06-02T03:04:05Z"}
{"kind":"endpoint","tenant":"moved","id":"we_1","url":"https://example.com/a?b=c","description":"d","dialect":"standard","events":["a.*","a.old","a.gone"],"unlisted_events":["a.old","a.gone"],"filter":"data.n > 1","on_error":"skip","retry":{"schedule":["5s","1m"]},"secrets":[{"secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw","private_key":"` + privateKey + `"},{"secret":"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD","expires_at":"2099-01-01T00:00:00Z"}],"auth":{"type":"basic","username":"u","password":"p"},"headers":{"X-B":"1","X-A":"2"},"rate_limit":2.5,"max_in_flight":3,"timeout":"7s","auto_disable_after":"0s","ordering":"key","signing":"both","status":"disabled","status_reason":"it failed for 5 days","metadata":{"y":"2","z":"1"},"versions":{"a.made":1},"created_at":"2024-02-03T04:05:06.000001Z","updated_at":"2024-02-04T04:05:06.000001Z"}
{"kind":"endpoint","tenant":"moved","id":"we_2","url":"https://example.com/b","dialect":"standard","events":["*"],"on_error":"deliver","retry":{"initial":"5s","factor":3,"max_interval":"1h","max_elapsed":"72h","jitter":0.5},"secrets":[{"secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}],"max_in_flight":64,"timeout":"15s","auto_disable_after":"120h","ordering":"none","signing":"hmac","status":"paused","created_at":"2024-02-03T04:05:06Z","updated_at":"2024-02-03T04:05:06Z"}
{"kind":"event","tenant":"moved","id":"evt_019c141eb04073cf8e1f5a7d2b6c4e90","type":"a.made","data":{ "n": 1.0, "n": 1E400, "b": "\ud800" },"key":"k1","created_at":"2026-01-31T12:31:00Z","occurred_at":"2026-01-31T12:30:00.123456Z","deliver_at":"2026-02-01T00:00:00Z","expires_at":"2026-02-02T00:00:00Z","ordering_key":"o","version":2}
{"kind":"event","tenant":"moved","id":"evt_019c141eb04173cf8e1f5a7d2b6c4e90","type":"never.listed","data_base64":"WzEsDQoyXQ==","created_at":"2026-01-31T12:31:00.001Z"}
{"kind":"event","tenant":"moved","id":"evt_019c141eb04273cf8e1f5a7d2b6c4e90","type":"a.made","data":null,"key":"k2","created_at":"2026-01-31T12:31:00.002Z","erased_at":"2026-02-03T00:00:00Z"}
{"kind":"event","tenant":"moved","id":"evt_019c141eb04373cf8e1f5a7d2b6c4e90","type":"bellwire.endpoint.failing","data":{},"created_at":"2026-01-31T12:31:00.003Z"}
`
)

// TestExportIsImport: what is imported is exported again, byte for byte, and importing it where it came from changes nothing.
func TestExportIsImport(t *testing.T) {
	t.Parallel()
	w := empty(t)
	const query = "?tenant=moved&secrets=true"
	if r := w.imports(t, "", moved); sum(r.Created) != 11 {
		t.Fatalf("%+v", r)
	}
	elsewhere := []string{"left_out", "dialect_settings"} // no endpoint of this test can have them
	endpoints := strings.Join(regexp.MustCompile(`(?m)^\{"kind":"endpoint".*$`).FindAllString(moved, -1), "\n")
	for _, field := range api.ExportedFields() {
		if !strings.Contains(endpoints, fmt.Sprintf("%q:", field)) && !slices.Contains(elsewhere, field) {
			t.Errorf("no endpoint of this test has %s", field)
		}
	}
	if got := w.exports(t, query); got != moved {
		t.Errorf("the export has\n%s\nwant\n%s", got, moved)
	}
	for _, again := range []string{query, "?tenant=moved"} {
		// A key that signs needs its secret, so that its line cannot be imported without.
		text := regexp.MustCompile(`.*"hmac":true,"secret_sha256".*\n`).ReplaceAllString(w.exports(t, again), "")
		if r := w.imports(t, "", text); sum(r.Created) != 0 || r.FaultCount != 0 {
			t.Errorf("importing the export %s again: %+v", again, r)
		}
	}
	other := base64.StdEncoding.EncodeToString(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	text := regexp.MustCompile(`(?m)^\{"kind":"endpoint".*"private_key".*$`).FindString(moved)
	if r := w.imports(t, dryRun, strings.Replace(text, privateKey, "whsk_"+other, 1)); r.FaultCount != 1 || !strings.Contains(r.Faults[0].Message, "differs in secrets") {
		t.Errorf("with another private key: %+v", r)
	}
	if told, err := w.store.TakeOperational(t.Context(), nil, 10); err != nil || len(told) > 0 {
		t.Errorf("operational events tell of it: %+v, %v", told, err)
	}
	w.step(t, step{name: "the data with line breaks", method: "GET", path: "/tenants/moved/events?type=never.listed", status: 200, want: `{"data":[{"data":[1,2],"imported":true}]}`})
	w.step(t, step{name: "the erased event", method: "GET", path: "/tenants/moved/events?key=k2", status: 200, want: `{"data":[{"data":null,"erased":{"at":"2026-02-03T00:00:00Z","by":{"role":"admin"}}}]}`})
	w.step(t, step{name: "with its key again", method: "POST", path: "/tenants/moved/events", body: `{"type":"a.made","data":{"n":3},"id":"k2"}`, status: 202, want: `{"duplicate":true}`})
	w.step(t, step{name: "the audit log", method: "GET", path: "/audit?tenant=moved&limit=10", status: 200, want: `{"data":[{"action":"export"},{"action":"export.secrets","count":2,"by":{"role":"admin"}}]}`})
}

// TestExportLeavesSecretsOut unless they are asked for, and what lacks them cannot be created.
func TestExportLeavesSecretsOut(t *testing.T) {
	t.Parallel()
	w := empty(t)
	w.imports(t, "", moved)
	text := w.exports(t, "")
	for _, secret := range []string{"whsec_", "whsk_", "bwk_", "the-tenants-key", "X-Own", `"u"`, "password", `"X-A"`} {
		if strings.Contains(text, secret) {
			t.Errorf("the export has %s:\n%s", secret, text)
		}
	}
	for _, want := range []string{`"secrets":false`, `"left_out":["secrets","auth","headers"]`, `"left_out":["secrets"]`, `"left_out":["dialects.standard.auth"]`, `{"kind":"key","id":"key_`, `"id":"acme"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the export lacks %s:\n%s", want, text)
		}
	}
	other := empty(t)
	lines := w.exports(t, "?tenant=moved")
	r := other.imports(t, dryRun, lines)
	if said := fmt.Sprint(r.Faults); !strings.Contains(said, "left_out names what the export did not have (dialects.standard.auth)") {
		t.Errorf("importing the tenant elsewhere: %+v", r)
	}
	r = other.imports(t, dryRun, strings.Replace(lines, `,"left_out":["dialects.standard.auth"]`, "", 1))
	said := fmt.Sprint(r.Faults)
	if r.FaultCount != 3 || !strings.Contains(said, "secret_sha256 must not be given together with hmac") || !strings.Contains(said, "left_out names what the export did not have (secrets, auth, headers)") {
		t.Errorf("importing it elsewhere: %+v", r)
	}
}

// TestExportOptions choose what is exported.
func TestExportOptions(t *testing.T) {
	t.Parallel()
	w := empty(t)
	w.imports(t, "", moved)
	for query, events := range map[string]int{"": 4, "&since=2026-01-31T12:54:41.474Z": 4, "&since=2026-01-31T13:54:41.474Z": 2, "&since=2026-03-01T00:00:00%2B01:00": 0, "&events=false": 0, "&events=true": 4} {
		if got := strings.Count(w.exports(t, "?tenant=moved"+query), `"kind":"event",`); got != events {
			t.Errorf("%s: %d events, not %d", query, got, events)
		}
	}
	for _, s := range []step{
		{path: "/exports", key: "none", status: 401, problem: "unauthenticated"},
		{path: "/exports", key: "publisher", status: 403, problem: "forbidden"},
		{path: "/exports?tenant=acme", key: "tenant", status: 403, problem: "forbidden"},
		{path: "/exports?tenant=nobody", status: 404, problem: "not_found"},
		{path: "/exports?secrets=yes", status: 422, problem: "invalid secrets"},
		{path: "/exports?since=yesterday", status: 422, problem: "invalid since"},
		{path: "/exports?secret=true", status: 422, problem: "invalid secret"},
		{method: "POST", path: "/exports", status: 405, problem: "method_not_allowed"},
	} {
		if s.method == "" {
			s.method = "GET"
		}
		w.step(t, s)
	}
}
