package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/api"
	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/destination"
	"github.com/bellwire/bellwire/internal/dialect/standard"
	"github.com/bellwire/bellwire/internal/directory"
	"github.com/bellwire/bellwire/internal/engine"
	"github.com/bellwire/bellwire/internal/live"
	"github.com/bellwire/bellwire/internal/seal"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/internal/sqlitetest"
	"github.com/bellwire/bellwire/internal/store/sqlite"
)

const adminKey = "an-admin-key-for-tests"

// idleEngine stores events and delivers nothing, so that answers do not depend on timing.
type idleEngine struct {
	store     bellwire.Store
	directory *directory.Directory
}

func (e *idleEngine) Publish(ctx context.Context, p *engine.Publication) ([]engine.Receipt, error) {
	return e.append(ctx, p, func(t *directory.Tenant, eventType string) []*bellwire.Target { return t.Match(eventType) })
}

func (e *idleEngine) append(ctx context.Context, p *engine.Publication, match func(*directory.Tenant, string) []*bellwire.Target) ([]engine.Receipt, error) {
	revision, err := p.Checks.Check(ctx, false)
	if err != nil {
		return nil, err
	}
	tenant, err := e.directory.Tenant(ctx, p.Tenant)
	if err != nil {
		return nil, err
	}
	a := &bellwire.Append{TenantRevision: tenant.Revision, OperatorRevision: revision}
	for _, d := range p.Events {
		at := time.Now().UTC().Truncate(time.Microsecond)
		ev := &bellwire.NewEvent{Event: bellwire.Event{
			ID: bellwire.NewID[bellwire.EventKind](at), Tenant: p.Tenant, Type: d.Type, Data: d.Data,
			IdempotencyKey: d.IdempotencyKey, OccurredAt: d.OccurredAt, DeliverAt: d.DeliverAt, ExpiresAt: d.ExpiresAt, OrderingKey: d.OrderingKey, CreatedAt: at,
		}}
		copy(ev.Digest[:], d.Data) // enough to tell these tests' events apart
		for _, target := range match(tenant, d.Type) {
			ev.Deliveries = append(ev.Deliveries, bellwire.NewDelivery{ID: bellwire.DeliveryOf(ev.Event.ID, len(ev.Deliveries)), Endpoint: target.Endpoint.ID})
		}
		ev.Event.Deliveries = len(ev.Deliveries)
		a.Events = append(a.Events, ev)
	}
	results, err := e.store.AppendEvents(ctx, []*bellwire.Append{a})
	if err != nil {
		return nil, err
	}
	var receipts []engine.Receipt
	for _, r := range results[0].Events {
		receipts = append(receipts, engine.Receipt{Event: r.ID, Deliveries: r.Deliveries, Duplicate: r.Duplicate})
	}
	return receipts, results[0].Err
}

func (e *idleEngine) Test(context.Context, string, string, engine.Draft) (bellwire.EventID, bellwire.DeliveryID, error) {
	return bellwire.NewID[bellwire.EventKind](time.Now()), bellwire.NewID[bellwire.DeliveryKind](time.Now()), nil
}
func (e *idleEngine) Nodes() int { return 1 }

func (e *idleEngine) LeaseAge() time.Duration { return 0 }
func (e *idleEngine) Refresh(string)          {}
func (*idleEngine) WakeJobs()                 {}
func (*idleEngine) Reach(_ context.Context, target *url.URL) (*engine.Reached, error) {
	if target.Hostname() == "nowhere.example.com" {
		return &engine.Reached{Outcome: bellwire.OutcomeDNS, Error: "no such host"}, nil
	}
	return &engine.Reached{Outcome: bellwire.OutcomeOK, Timings: bellwire.Timings{Connect: time.Millisecond, Total: time.Millisecond}}, nil
}

func (e *idleEngine) Forget(string, bellwire.DeliveryID)       {}
func (e *idleEngine) ForgetEvent(string, bellwire.EventID)     {}
func (*idleEngine) Canceled(string, int, bellwire.CancelCause) {}
func (e *idleEngine) Blocked(string, bellwire.Trigger) (bellwire.WaitReason, time.Time) {
	return bellwire.WaitQueued, time.Time{}
}

// world is an API on a store of its own, and what its steps have learned.
type world struct {
	handler  http.Handler
	store    bellwire.Store
	observer bellwire.Observer // of the attempts that live streams show
	keys     map[string]string // by the names that steps use
	vars     map[string]string
}

// goodMailer sends every e-mail.
type goodMailer struct{}

func (goodMailer) SendTest(context.Context, string) (string, error) { return "2.0.0 queued", nil }

func newWorld(t testing.TB) *world {
	t.Helper()
	return newWorldWith(t, api.Options{Version: "test"}, nil)
}

func newWorldWith(t testing.TB, options api.Options, log *slog.Logger) *world {
	t.Helper()
	options.Logger = log
	folder := t.TempDir()
	database := filepath.Join(folder, "test.db")
	sqlitetest.Create(t, database)
	store, err := sqlite.Open(t.Context(), database, sqlite.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	keyring, _, err := seal.OpenKeyring(filepath.Join(folder, "test.keyset"))
	if err != nil {
		t.Fatal(err)
	}
	dialects := map[string]bellwire.Dialect{standard.Name: standard.Dialect{}}
	hub := live.New(live.Config{})
	running, stop := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() { hub.Run(running) })
	t.Cleanup(func() { stop(); run.Wait() })
	dir := directory.New(directory.Config{Store: store, Keyring: keyring, Dialects: dialects})
	svc, err := service.New(service.Config{
		Store: store, Directory: dir, Keyring: keyring, Dialects: dialects, AdminKey: adminKey,
		Engine: &idleEngine{store, dir}, Guard: destination.New(destination.Config{}), Live: hub, Logger: log, Retention: 30 * 24 * time.Hour,
		Mailer: goodMailer{}, AlertAddresses: []string{"ops@example.com"},
		Examine: func(context.Context) (service.Examination, error) {
			found := bellwire.Finding{ID: "database.durability", Level: bellwire.FindingProblem, Found: "fsync is off.", Do: "Set it on."}
			return service.Examination{At: time.Now(), Findings: []bellwire.Finding{found}}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		observer: hub.Observer(bellwire.NopObserver{}),
		handler:  api.New(svc, options), store: store,
		keys: map[string]string{"admin": adminKey, "wrong": "no-such-key"}, vars: map[string]string{},
	}
	w.createFixtures(t)
	return w
}

// createFixtures creates what most steps need: two tenants, a key of each role, and an event type.
func (w *world) createFixtures(t testing.TB) {
	for _, s := range []struct{ path, body, name string }{
		{"/tenants", `{"id":"acme"}`, ""},
		{"/tenants", `{"id":"other"}`, ""},
		{"/keys", `{"role":"publisher"}`, "publisher"},
		{"/tenants/acme/keys", `{"role":"tenant","name":"billing"}`, "tenant"},
		{"/tenants/acme/keys", `{"role":"tenant-read"}`, "tenant-read"},
		{"/tenants/other/keys", `{"role":"tenant"}`, "other"},
	} {
		answer := w.call("POST", s.path, adminKey, s.body)
		var made struct{ Secret string }
		if err := json.Unmarshal(answer.Body.Bytes(), &made); answer.Code != 201 || err != nil {
			t.Fatalf("%s: %d %s", s.path, answer.Code, answer.Body)
		}
		if s.name != "" {
			w.keys[s.name] = made.Secret
		}
	}
	answer := w.call("PUT", "/event-types/invoice.paid", adminKey, `{"schema":{"type":["object","array","null","string"],"properties":{"total":{"type":"number"}}}}`)
	if answer.Code != 201 {
		t.Fatalf("event type: %d %s", answer.Code, answer.Body)
	}
}

func request(method, path, key, body string) *http.Request {
	r := httptest.NewRequest(method, "/api/v1"+path, strings.NewReader(body))
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	return r
}

func (w *world) call(method, path, key, body string) *httptest.ResponseRecorder {
	r := request(method, path, key, body)
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, r)
	return answer
}

// step is one call and what its answer must be.
type step struct {
	name   string
	method string
	path   string   // {name} stands for a variable
	key    string   // empty: admin; "none": no key at all
	header []string // "Name: value", beside Authorization
	body   string
	status int
	// want is JSON whose fields the answer must have, others may be there; "*" fits anything but null
	// and empty text.
	want    string
	problem string   // the code of an error, then the field at fault if there is one
	without []string // what must not be found in the answer
	save    string   // "variable=field" pairs, separated by spaces; fields may be paths such as data.0.id
}

var variable = regexp.MustCompile(`\{[a-z]+\}`)

func (w *world) fill(text string) string {
	return variable.ReplaceAllStringFunc(text, func(name string) string {
		if value, ok := w.vars[name[1:len(name)-1]]; ok {
			return value
		}
		return name
	})
}

// run makes the calls one after the other on a world of its own.
func run(t *testing.T, steps []step) {
	t.Helper()
	t.Parallel()
	w := newWorld(t)
	for _, s := range steps {
		w.step(t, s)
	}
}

func (w *world) step(t *testing.T, s step) {
	t.Helper()
	key := w.keys["admin"]
	switch s.key {
	case "":
	case "none":
		key = ""
	default:
		key = w.keys[s.key]
	}
	r := request(s.method, w.fill(s.path), key, w.fill(s.body))
	for _, line := range s.header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, r)
	label := fmt.Sprintf("%s: %s %s: %d %s", s.name, s.method, s.path, answer.Code, answer.Body)
	if answer.Code != s.status {
		t.Errorf("%s\nwant %d", label, s.status)
		return
	}
	for _, secret := range s.without {
		if strings.Contains(answer.Body.String(), w.fill(secret)) {
			t.Errorf("%s\nmust not contain %q", label, w.fill(secret))
		}
	}
	if s.status == http.StatusNoContent {
		if answer.Body.Len() > 0 {
			t.Errorf("%s\nwant no body", label)
		}
		return
	}
	var got any
	if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
		t.Errorf("%s\nis not JSON: %v", label, err)
		return
	}
	if s.status >= 400 || s.problem != "" {
		checkProblem(t, label, answer, got, s.problem)
	}
	if s.status < 300 {
		checkNulls(t, s.method, w.fill(s.path), s.status, got)
	}
	if s.want != "" {
		var want any
		if err := json.Unmarshal([]byte(w.fill(s.want)), &want); err != nil {
			t.Fatalf("%s: want is not JSON: %v", s.name, err)
		}
		if at := differs(want, got, ""); at != "" {
			t.Errorf("%s\nwant %s (differs at %s)", label, w.fill(s.want), at)
		}
	}
	for pair := range strings.FieldsSeq(s.save) {
		name, member, _ := strings.Cut(pair, "=")
		w.vars[name] = fmt.Sprint(fieldAt(got, member))
	}
}

func checkProblem(t *testing.T, label string, answer *httptest.ResponseRecorder, got any, want string) {
	t.Helper()
	code, field, _ := strings.Cut(want, " ")
	problem, _ := got.(map[string]any)
	if answer.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s\nhas content type %q", label, answer.Header().Get("Content-Type"))
	}
	if problem["code"] != code || problem["status"] != float64(answer.Code) || problem["title"] == "" || problem["detail"] == "" || problem["type"] == "" {
		t.Errorf("%s\nwant a problem with the code %q", label, code)
	}
	var fields []string
	faults, _ := problem["errors"].([]any)
	for _, fault := range faults {
		fields = append(fields, fmt.Sprint(fault.(map[string]any)["field"]))
	}
	if field != "" && !slices.Contains(fields, field) {
		t.Errorf("%s\nwant the field %q", label, field)
	}
}

// differs returns where got is not what want asks for.
func differs(want, got any, at string) string {
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return at + " (no object)"
		}
		for name, member := range want {
			value, there := object[name]
			if !there {
				return at + "." + name + " (missing)"
			}
			if where := differs(member, value, at+"."+name); where != "" {
				return where
			}
		}
		return ""
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return at + " (length)"
		}
		for i := range want {
			if where := differs(want[i], list[i], fmt.Sprintf("%s[%d]", at, i)); where != "" {
				return where
			}
		}
		return ""
	case string:
		if want == "*" && got != nil && got != "" {
			return ""
		}
	}
	if want != got {
		return at
	}
	return ""
}

func fieldAt(v any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[name]
		case []any:
			var i int
			if _, err := fmt.Sscan(name, &i); err != nil || i >= len(at) {
				return nil
			}
			v = at[i]
		}
	}
	return v
}
