package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/testenv"
)

// importReport is the answer to an import.
type importReport struct {
	Lines         int
	Created       map[string]int
	Unchanged     map[string]int
	PastRetention int        `json:"past_retention"`
	RetainedSince *time.Time `json:"retained_since"`
	FaultCount    int        `json:"fault_count"`
	Faults        []importFault
}

// imports imports lines, which must succeed.
func (w *world) imports(t testing.TB, query, lines string) (r importReport) {
	t.Helper()
	answer := w.call("POST", "/imports"+query, adminKey, lines)
	if err := json.Unmarshal(answer.Body.Bytes(), &r); answer.Code != 200 || err != nil {
		t.Fatalf("POST /imports%s: %d %s", query, answer.Code, answer.Body)
	}
	return r
}

const dryRun = "?dry_run=true"

// TestImportExamples imports the examples of docs/moving-in.md.
func TestImportExamples(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/moving-in.md")
	if err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	for _, block := range regexp.MustCompile("(?s)```ndjson\n(.*?)```").FindAllSubmatch(page, -1) {
		lines.Write(block[1])
	}
	text := strings.ReplaceAll(lines.String(), "acme", "moved")
	text = strings.ReplaceAll(text, "invoice.paid", "moved.paid")
	w := newWorld(t)
	want := map[string]int{"tenants": 1, "keys": 2, "event_types": 1, "endpoints": 2, "events": 2}
	for i, query := range []string{dryRun, "", dryRun, ""} {
		r := w.imports(t, query, text)
		got, other := r.Created, r.Unchanged
		if i >= 2 {
			got, other = other, got
		}
		if r.FaultCount > 0 || fmt.Sprint(got) != fmt.Sprint(want) || sum(other) > 0 {
			t.Fatalf("import %d%s: %+v", i, query, r)
		}
		// The events are of January 2026.
		if month := 30 * 24 * time.Hour; r.PastRetention != r.Created["events"] || r.RetainedSince == nil || time.Since(*r.RetainedSince) < month {
			t.Errorf("import %d%s: %+v", i, query, r)
		}
	}
	w.step(t, step{name: "of one import", method: "GET", path: "/audit?limit=1", status: 200, want: `{"data":[{"action":"import","after":{"created":{"event":2}}}]}`})
	w.step(t, step{name: "the events", method: "GET", path: "/tenants/moved/events", status: 200, want: `{"data":[
		{"id":"evt_019c141eb04073cf8e1f5a7d2b6c4e90","idempotency_key":"in_124-paid","created_at":"2026-01-31T12:31:00Z","imported":true,"deliveries":0},
		{"id":"*","idempotency_key":"in_123-paid","created_at":"2026-01-31T12:30:00Z","occurred_at":"2026-01-31T12:29:58Z","imported":true}]}`})
	w.step(t, step{name: "the secrets", method: "GET", path: "/tenants/moved/endpoints/we_1N3kQ2/secret", status: 200, want: `{"secrets":[
		{"secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw","expires_at":null},{"secret":"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD","expires_at":"2030-01-01T00:00:00Z"}]}`})
	w.step(t, step{name: "the endpoint", method: "GET", path: "/tenants/moved/endpoints/we_1N3kQ3", status: 200, want: `{"status":"paused","auth":{"type":"bearer"},"headers":{"X-Source":"*"}}`})
	w.step(t, step{name: "what became of an event", method: "GET", path: "/tenants/moved/events/evt_019c141eb04073cf8e1f5a7d2b6c4e90", status: 200,
		want: `{"endpoints":[{"endpoint":"we_1N3kQ3","outcome":"not_subscribed","reason":"the event was imported, and imported events are sent to nobody; a replay sends it"},{"endpoint":"we_1N3kQ2"}]}`})
	w.keys["moved"] = "bwk_0198c7a3f2e47d0a9b1c2d3e4f506172_0123456789abcdefghijklmnopqrstuvwxyzABCDEFE"
	w.step(t, step{name: "the key", method: "GET", path: "/tenants/moved/events?limit=1", key: "moved", status: 200})
}

func sum(counts map[string]int) (n int) {
	for _, each := range counts {
		n += each
	}
	return n
}

const (
	importedEvent = `{"kind":"event","tenant":"acme","id":"x","type":"invoice.paid","data":{"n":1},"created_at":"2026-01-31T12:30:00Z"}`
	importedHook  = `{"kind":"endpoint","tenant":"acme","id":"we_1","url":"https://example.com/","events":["invoice.paid"]}`
)

const (
	keptEvent   = `{"kind":"event","tenant":"TENANT","id":"evt_019c141eb04073cf8e1f5a7d2b6c4e90","type":"a","data":1,"created_at":"2026-01-31T12:31:00Z"}`
	importedKey = `{"kind":"key","tenant":"TENANT","role":"tenant","secret":"a-secret-of-ours"}`
	smallTenant = `{"kind":"tenant","id":"small","limits":{"endpoints":1,"keys":1}}` + "\n"
)

// tightTenant returns a tenant and its endpoints, the last of which is too many for its limit.
func tightTenant() string {
	lines := []string{`{"kind":"tenant","id":"tight","limits":{"configuration_bytes":262144}}`}
	for n := range 130 {
		hook := strings.NewReplacer("acme", "tight", "we_1", fmt.Sprintf("we_%d", n), "com/", "com/"+strings.Repeat("a", 2000))
		lines = append(lines, hook.Replace(importedHook))
	}
	return strings.Join(lines, "\n")
}

// TestImportFaults imports one faulty line each. The last line of the text is at fault.
func TestImportFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tomorrow := time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
	for _, c := range []struct{ name, text, fault string }{
		{"NotJSON", "nonsense", "the line is not JSON: unexpected 'o' in column 2"},
		{"HalfAnObject", `{"kind":"tenant"`, "the line is not JSON"},
		{"TwoObjects", `{"kind":"tenant","id":"a"} {"kind":"tenant","id":"b"}`, "the line is not JSON"},
		{"TwoEvents", importedEvent + importedEvent, "the body continues after its JSON value"},
		{"NUL", "\x00", "the line is not JSON"},
		{"NotUTF8", "{\"kind\":\"tenant\",\"id\":\"a\",\"name\":\"\xff\"}", "the line is not UTF-8 text"},
		{"Array", `[1]`, "the line must be an object"},
		{"Deep", strings.Repeat("[", 20000), "the line is not JSON"},
		{"NoKind", `{}`, "kind is required"},
		{"UnknownKind", `{"kind":"Tenant"}`, "kind must be"},
		{"KindTwice", `{"kind":"tenant","kind":"event","id":"a"}`, "kind is given twice"},
		{"UnknownMember", `{"kind":"tenant","id":"a","colour":1}`, "colour is not a known field"},
		{"TenantID", `{"kind":"tenant","id":"a b"}`, "id must have 1 to 64 characters"},
		{"ReservedTenant", `{"kind":"tenant","id":"bellwire"}`, "id must not be \"bellwire\""},
		{"TenantTwice", "{\"kind\":\"tenant\",\"id\":\"a\"}\n{\"kind\":\"tenant\",\"id\":\"a\"}", "tenant \"a\" is in line 1 already"},
		{"OtherTenant", `{"kind":"tenant","id":"acme","name":"Other"}`, "the tenant exists and differs in name"},
		{"OtherType", `{"kind":"event_type","name":"invoice.paid"}`, "the event type exists and differs in schema"},
		{"BadSchema", `{"kind":"event_type","name":"a","schema":{"type":"spaceship"}}`, "schema"},
		{"BadExample", `{"kind":"event_type","name":"a","schema":{"type":"string"},"example":1}`, "example"},
		{"KeyWithoutSecret", `{"kind":"key","role":"publisher","id":"key_0198c7a3f2e47d0a9b1c2d3e4f506172"}`, "secret is required"},
		{"KeyHash", `{"kind":"key","role":"publisher","id":"key_0198c7a3f2e47d0a9b1c2d3e4f506172","secret_sha256":"abc"}`, "secret_sha256 must have 64 hex digits"},
		{"KeyID", `{"kind":"key","role":"publisher","id":"mine","secret":"0123456789abcdef"}`, "id must be key_ or api_ and 32 hex digits, or a UUID"},
		{"KeySecret", `{"kind":"key","role":"publisher","secret":"two words"}`, "secret must have 8 to 512 printable ASCII characters without spaces"},
		{"KeySecretOfAnother", `{"kind":"key","role":"publisher","secret":"0123456789abcdef"}` + "\n" + `{"kind":"key","role":"admin","secret":"0123456789abcdef"}`, "secret is that of the key in line 1, too"},
		{"KeyRole", `{"kind":"key","tenant":"acme","role":"admin","id":"key_0198c7a3f2e47d0a9b1c2d3e4f506172","secret_sha256":"` + strings.Repeat("ab", 32) + `"}`, "role must be"},
		{"KeyOfNobody", `{"kind":"key","tenant":"nobody","role":"tenant","secret":"0123456789abcdef"}`, "tenant \"nobody\" does not exist"},
		{"EndpointWithoutID", `{"kind":"endpoint","tenant":"acme","url":"https://example.com/","events":["*"]}`, "id is required"},
		{"EndpointURL", `{"kind":"endpoint","tenant":"acme","id":"e","url":"ftp://example.com/","events":["*"]}`, "url must be"},
		{"EndpointPrivate", `{"kind":"endpoint","tenant":"acme","id":"e","url":"http://127.0.0.1/","events":["*"]}`, "url"},
		{"EndpointType", `{"kind":"endpoint","tenant":"acme","id":"e","url":"https://example.com/","events":["invoice.lost"]}`, "events[0] \"invoice.lost\" is not a known event type"},
		{"EndpointSecret", strings.Replace(importedHook, `"events"`, `"secret":"short","events"`, 1), "secret must be"},
		{"EndpointSecretText", strings.Replace(importedHook, `"events"`, `"secrets":["whsec_x"],"events"`, 1), `secrets[0] must be an object, such as {"secret": "whsec_…"}`},
		{"EndpointSecrets", strings.Replace(importedHook, `"events"`, `"secrets":[{"secret":"whsec_AAAA"}],"events"`, 1), `secrets[0].secret must be "whsec_" and the base64 of 8 to 512 bytes`},
		{"EndpointPrivateKey", strings.Replace(importedHook, `"events"`, `"secrets":[{"secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw","private_key":"whsk_AAAA"}],"events"`, 1), "secrets[0].private_key must be whsk_"},
		{"EndpointUpdated", strings.Replace(importedHook, `"events"`, `"updated_at":"1999-01-01T00:00:00Z","events"`, 1), "updated_at must not be before created_at"},
		{"EndpointLeftOut", strings.Replace(importedHook, `"events"`, `"left_out":["auth"],"events"`, 1), "left_out names what the export did not have (auth)"},
		{"EndpointOfAnother", importedHook + "\n" + strings.Replace(importedHook, `"acme"`, `"other"`, 1), "the endpoint \"we_1\" is in line 1 already"},
		{"EventOfAnotherTenant", strings.Replace(keptEvent, "TENANT", "acme", 1) + "\n" + strings.Replace(keptEvent, "TENANT", "other", 1), "id is the id of the event in line 1 too"},
		{"KeyOfAnotherTenant", strings.Replace(importedKey, "TENANT", "acme", 1) + "\n" + strings.Replace(importedKey, "TENANT", "other", 1), "secret is that of the key in line 1, too"},
		{"TooManyEndpoints", smallTenant + strings.Replace(importedHook, "acme", "small", 1) + "\n" + strings.Replace(strings.Replace(importedHook, "acme", "small", 1), "we_1", "we_2", 1), "1 endpoint"},
		{"TooManyKeys", smallTenant + strings.Replace(importedKey, "TENANT", "small", 1) + "\n" + `{"kind":"key","tenant":"small","role":"tenant","secret":"another-secret"}`, "1 key"},
		{"EventDeep", strings.Replace(importedEvent, `{"n":1}`, strings.Repeat("[", 20000)+strings.Repeat("]", 20000), 1), "the line is not JSON"},
		{"MetadataNUL", `{"kind":"tenant","id":"a","metadata":{"a":"\u0000"}}`, "metadata"},
		{"EventWithoutID", strings.Replace(importedEvent, `"id":"x",`, "", 1), "id is required, or key"},
		{"EventWithoutData", strings.Replace(importedEvent, `"data":{"n":1},`, "", 1), "data is required"},
		{"EventDataTwice", strings.Replace(importedEvent, `"data"`, `"data":1,"data"`, 1), "data is given twice"},
		{"EventWithoutTime", strings.Replace(importedEvent, `,"created_at":"2026-01-31T12:30:00Z"`, "", 1), "created_at is required"},
		{"EventInTheFuture", strings.Replace(importedEvent, "2026-01-31T12:30:00Z", tomorrow, 1), "created_at must not be in the future"},
		{"EventBefore1970", strings.Replace(importedEvent, "2026", "1926", 1), "created_at must not be before"},
		{"EventBadTime", strings.Replace(importedEvent, "2026-01-31T", "", 1), "created_at must be an RFC 3339 time"},
		{"EventIDNUL", strings.Replace(importedEvent, `"x"`, `"\u0000"`, 1), "id must have printable characters only"},
		{"EventLongID", strings.Replace(importedEvent, `"x"`, `"`+strings.Repeat("x", 129)+`"`, 1), "id must have at most 128 characters"},
		{"EventOperational", strings.Replace(importedEvent, "invoice.paid", "bellwire.made.up", 1), "type must not begin with"},
		{"EventIDAndKey", strings.Replace(importedEvent, `"x"`, `"x","key":"y"`, 1), "id must be of the form evt_"},
		{"EventDataAndBase64", strings.Replace(importedEvent, `"data"`, `"data_base64":"MQ==","data"`, 1), "data_base64 must not be given together with data"},
		{"EventBadBase64", strings.Replace(importedEvent, `"data":{"n":1}`, `"data_base64":"MQ"`, 1), "data_base64 must be the base64, with padding, of a JSON value"},
		{"EventBase64NotJSON", strings.Replace(importedEvent, `"data":{"n":1}`, `"data_base64":"e30gMQ=="`, 1), "data_base64 must be the base64, with padding, of a JSON value"},
		{"EventErasedWithData", strings.Replace(importedEvent, `"type"`, `"erased_at":"2026-02-01T00:00:00Z","type"`, 1), "data must be null together with erased_at"},
		{"EventOrder", strings.Replace(importedEvent, `"type"`, `"ordering_key":"a\nb","type"`, 1), "ordering_key must have printable characters only"},
		{"ConfigurationOfANewTenant", tightTenant(), "the configuration of the tenant's endpoints would take"},
		{"ExportFormat", `{"kind":"export","format":2,"secrets":true}`, "format must be 1"},
		{"EventDiffers", importedEvent + "\n" + strings.Replace(importedEvent, `{"n":1}`, `{"n":2}`, 1), "id is the id of the event in line 1 too"},
		{"EventLong", strings.Replace(importedEvent, `{"n":1}`, `"`+strings.Repeat("x", 1<<20)+`"`, 1), "data must have at most"},
		{"LineLong", strings.Replace(importedEvent, `{"n":1}`, `"`+strings.Repeat("x", 3<<20)+`"`, 1), "the line must have at most"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := w.imports(t, dryRun, c.text+"\n")
			if r.FaultCount == 0 {
				t.Fatalf("no fault: %+v", r)
			}
			last := r.Faults[len(r.Faults)-1]
			if text := strings.TrimSpace(last.Field + " " + last.Message); !strings.Contains(text, c.fault) || last.Line != strings.Count(c.text, "\n")+1 {
				t.Errorf("line %d: %s\nwant %s", last.Line, text, c.fault)
			}
			answer := w.call("POST", "/imports", adminKey, c.text)
			if answer.Code != 422 || !strings.Contains(answer.Body.String(), "nothing was imported") {
				t.Errorf("without dry_run: %d %s", answer.Code, answer.Body)
			}
		})
	}
	if r := w.imports(t, "", importedHook+"\n"+importedEvent); r.Created["endpoints"] != 1 || r.Created["events"] != 1 {
		t.Errorf("after all faults: %+v", r)
	}
}

// TestImportNamesAllFaults checks that a line is read to its end, and that lines behind a faulty one are not blamed for it.
func TestImportNamesAllFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		name, text string
		fields     []string // with the lines before them
	}{
		{"Endpoint", `{"kind":"endpoint","tenant":"acme","url":"foo","events":["lost"],"retry":{"schedule":["x"]},"timeout":"99h","colour":1}`,
			[]string{"1 colour", "1 events[0]", "1 id", "1 retry.schedule[0]", "1 timeout", "1 url"}},
		{"Key", `{"kind":"key","tenant":"nobody","id":"x","role":"king","secret":"1","created_at":5}`, []string{"1 created_at", "1 id", "1 role", "1 secret", "1 tenant"}},
		{"Event", `{"kind":"event","tenant":"nobody","type":"a b","created_at":"yesterday"}`, []string{"1 created_at", "1 data", "1 id", "1 tenant", "1 type"}},
		{"FaultyTenant", `{"kind":"tenant","id":"next","name":1,"status":"gone"}` + "\n" + strings.ReplaceAll(importedHook, "acme", "next") + "\n" +
			strings.ReplaceAll(importedEvent, "acme", "next"), []string{"1 name", "1 status"}},
		{"FaultyTenantOfAnotherKind", `{"kind":"tenant","id":"next","created_at":"1901-01-01T00:00:00Z"}` + "\n" + strings.ReplaceAll(importedHook, "acme", "next"), []string{"1 created_at"}},
		{"FaultyType", `{"kind":"event_type","name":"next","schema":{"type":"spaceship"}}` + "\n" + strings.ReplaceAll(importedHook, "invoice.paid", "next"), []string{"1 schema.type"}},
		{"FaultyTenantThatExists", `{"kind":"tenant","id":"acme","metadata":1}` + "\n" + importedHook + "\n" + strings.ReplaceAll(importedHook, "we_1", "w 1"), []string{"1 metadata", "3 id"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := w.imports(t, dryRun, c.text+"\n")
			var fields []string
			for _, f := range r.Faults {
				fields = append(fields, fmt.Sprint(f.Line, " ", f.Field))
			}
			slices.Sort(fields)
			if !slices.Equal(fields, c.fields) {
				t.Errorf("fields at fault: %q\nwant %q\n%+v", fields, c.fields, r.Faults)
			}
			if created := sum(r.Created); created != strings.Count(c.text, "\n")+1-len(faultyLines(r.Faults)) {
				t.Errorf("%d lines would be created: %+v", created, r)
			}
			if answer := w.call("POST", "/imports", adminKey, c.text); answer.Code != 422 {
				t.Errorf("without dry_run: %d %s", answer.Code, answer.Body)
			}
		})
	}
	w.step(t, step{name: "nothing was imported", method: "GET", path: "/tenants/next", status: 404, problem: "not_found"})
}

// faultyLines returns the numbers of lines with faults.
func faultyLines(faults []importFault) map[int]bool {
	lines := make(map[int]bool)
	for _, f := range faults {
		lines[f.Line] = true
	}
	return lines
}

// TestImportReads reads lines as programs write them.
func TestImportReads(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.imports(t, "", "\xef\xbb\xbf"+`{"id":"a","kind":"tenant"}`+"\r\n\r\n  \n"+`{"kind":"tenant","id":"b"}`)
	if r.Created["tenants"] != 2 || r.Lines != 4 {
		t.Errorf("%+v", r)
	}
	if r := w.imports(t, "", ""); r.Lines != 0 || sum(r.Created)+sum(r.Unchanged) != 0 {
		t.Errorf("nothing: %+v", r)
	}
	data := `{ "a": 1.0, "a": 1E400, "b": "\ud800" }`
	w.imports(t, "", strings.Replace(importedEvent, `{"n":1}`, data, 1))
	if answer := w.call("GET", "/tenants/acme/events", adminKey, ""); !strings.Contains(answer.Body.String(), `"data":`+data+`,`) {
		t.Errorf("the data is not as it was: %s", answer.Body)
	}
	var many bytes.Buffer
	for n := range 1000 {
		fmt.Fprintf(&many, "{\"kind\":%d}\n", n)
	}
	if r := w.imports(t, dryRun, many.String()); r.FaultCount != 1000 || len(r.Faults) != 100 {
		t.Errorf("%d faults, of which %d are listed", r.FaultCount, len(r.Faults))
	}
	r = importReport{}
	told := w.everyFault(t, many.String(), &r)
	if len(told) != 1000 || told[999].Line != 1000 || told[999].Field != "kind" || r.FaultCount != 1000 {
		t.Errorf("%d faults were told, and the report is %+v", len(told), r)
	}
	if told := w.everyFault(t, importedHook, &r); len(told) != 0 || r.Created["endpoints"] != 1 {
		t.Errorf("of lines without a fault: %+v, %+v", told, r)
	}
}

// importFault is a fault of an import.
type importFault struct {
	Line           int
	Field, Message string
}

// everyFault checks lines, and returns all their faults.
func (w *world) everyFault(t testing.TB, lines string, r *importReport) (told []importFault) {
	t.Helper()
	request := request("POST", "/imports"+dryRun, adminKey, lines)
	request.Header.Set("Accept", "text/plain, application/x-ndjson;q=0.9")
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, request)
	if form := answer.Header().Get("Content-Type"); answer.Code != 200 || form != "application/x-ndjson" {
		t.Fatalf("%d %s %s", answer.Code, form, answer.Body)
	}
	for text := range strings.Lines(answer.Body.String()) {
		var line struct {
			Fault  *importFault
			Report *importReport
		}
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if line.Report != nil {
			*r = *line.Report
			continue
		}
		told = append(told, *line.Fault)
	}
	return told
}

// TestLargeImports are imported as they come, up to the first fault.
func TestLargeImports(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	w := newWorld(t)
	var lines bytes.Buffer
	padding := strings.Repeat("x", 100<<10)
	for n := range 170 {
		fmt.Fprintf(&lines, `{"kind":"event","tenant":"acme","id":"large-%d","type":"invoice.paid","data":%q,"created_at":"2026-01-31T12:30:00Z"}`+"\n", n, padding)
	}
	lines.WriteString("nonsense\n")
	answer := w.call("POST", "/imports", adminKey, lines.String())
	if answer.Code != 422 || !strings.Contains(answer.Body.String(), "170 events") || !strings.Contains(answer.Body.String(), "lines[171]") {
		t.Fatalf("%d %s", answer.Code, answer.Body)
	}
	last := strings.SplitAfter(lines.String(), "\n")[160:170] // before the fault
	if r := w.imports(t, "", strings.Join(last, "")); r.Unchanged["events"] != 10 || sum(r.Created) != 0 {
		t.Errorf("again: %+v", r)
	}
}

// TestImportIsForAdmins refuses others before it reads the body.
func TestImportIsForAdmins(t *testing.T) {
	run(t, []step{
		{method: "POST", path: "/imports", key: "none", body: "{}", status: 401, problem: "unauthenticated"},
		{method: "POST", path: "/imports", key: "publisher", body: "{}", status: 403, problem: "forbidden"},
		{method: "POST", path: "/imports", key: "tenant", body: "{}", status: 403, problem: "forbidden"},
		{method: "POST", path: "/imports?dry_run=maybe", body: "{}", status: 422, problem: "invalid dry_run"},
		{method: "POST", path: "/imports?dryrun=true", body: "{}", status: 422, problem: "invalid dryrun"},
		{method: "POST", path: "/imports", header: []string{"Content-Encoding: gzip"}, body: "{}", status: 415, problem: "unsupported_encoding"},
		{method: "GET", path: "/imports", status: 405, problem: "method_not_allowed"},
	})
}

// FuzzImport checks lines in a dry run, which must answer with faults, whatever they are.
func FuzzImport(f *testing.F) {
	for _, seed := range []string{
		importedEvent, importedHook, `{"kind":"tenant","id":"a"}`, `{"kind":"key","role":"publisher","id":"key_0198c7a3f2e47d0a9b1c2d3e4f506172","secret_sha256":"00"}`,
		`{"kind":"event_type","name":"a","schema":{"type":"string"}}`, `{"kind":"key","role":"admin","id":"api_0198c7a3f2e47d0a9b1c2d3e4f506172","secret":"0123456789"}`,
		strings.Replace(importedEvent, `"data":{"n":1}`, `"data_base64":"MQ==","erased_at":null,"ordering_key":"k"`, 1), `{"kind":"export","format":1,"secrets":true}`,
		strings.Replace(importedHook, `"events"`, `"left_out":[],"unlisted_events":["x"],"dialect_settings":{"":""},"secrets":[{}],"events"`, 1), "\x00", "{\"kind\":\"\xff\"}", `{"kind":null}`, "[", "\n\n",
	} {
		f.Add(seed)
	}
	w := newWorld(f)
	f.Fuzz(func(t *testing.T, lines string) {
		answer := httptest.NewRecorder()
		w.handler.ServeHTTP(answer, request("POST", "/imports"+dryRun, adminKey, lines))
		if answer.Code != 200 {
			t.Errorf("%d %s", answer.Code, answer.Body)
		}
	})
}

// endless is a body that goes on with the same character.
type endless struct{ left int }

func (e *endless) Read(p []byte) (int, error) {
	n := min(len(p), e.left)
	if n == 0 {
		return 0, io.EOF
	}
	for i := range p[:n] {
		p[i] = 'x'
	}
	e.left -= n
	return n, nil
}

// TestImportOfAnEndlessLine: it is passed over, and not kept in memory.
func TestImportOfAnEndlessLine(t *testing.T) {
	w := newWorld(t)
	const size = 256 << 20
	for _, query := range []string{dryRun, ""} {
		r := httptest.NewRequest("POST", "/api/v1/imports"+query, &endless{size})
		r.Header.Set("Authorization", "Bearer "+adminKey)
		answer := httptest.NewRecorder()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		w.handler.ServeHTTP(answer, r)
		runtime.ReadMemStats(&after)
		if text := answer.Body.String(); !strings.Contains(text, "the line must have at most") || !strings.Contains(text, `"fault_count":1`) && answer.Code != 422 {
			t.Errorf("%s: %d %s", query, answer.Code, text)
		}
		// A line that is kept takes its size several times over, because buffers grow. Other goroutines allocate as well.
		if used := after.TotalAlloc - before.TotalAlloc; used > size {
			t.Errorf("%s: %d bytes were allocated for a line of %d", query, used, size)
		}
	}
}

// An event that was published in the database can wait for days until it is matched. It is accepted then, and its id is older.
func TestImportKeepsIDsThatAreOlder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	text := strings.NewReplacer("TENANT", "acme", `"data"`, `"key":"k","data"`, `"type":"a"`, `"type":"invoice.paid"`).Replace(keptEvent)
	if r := w.imports(t, "", strings.Replace(text, "2026-01-31", "2026-02-03", 1)); r.Created["events"] != 1 {
		t.Errorf("%+v", r)
	}
	w.step(t, step{method: "GET", path: "/tenants/acme/events/evt_019c141eb04073cf8e1f5a7d2b6c4e90", status: 200, want: `{"idempotency_key":"k","created_at":"2026-02-03T12:31:00Z"}`})
	if r := w.imports(t, dryRun, strings.Replace(text, "2026-01-31", "2026-01-30", 1)); r.FaultCount != 1 || !strings.Contains(r.Faults[0].Message, "must be of the form evt_") {
		t.Errorf("with an id from the future: %+v", r)
	}
}
