package test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/bellwire/bellwire/internal/testenv"
)

// withoutCommand are the operations of the API that no command calls, each with the reason.
var withoutCommand = map[string]string{
	"sign-in":               "browsers sign in; a program has its key",
	"sign-out":              "for browsers",
	"get-console-session":   "for browsers",
	"exchange-console-code": "for browsers",
	"exchange-portal-code":  "for browsers",
	"list-console-sessions": "in the console's settings",
	"end-console-session":   "in the console's settings",
	"list-portal-sessions":  "on the tenant's page in the console",
	"end-portal-session":    "on the tenant's page in the console",
	"get-backlog":           "for the console's overview; bellwire status has what waits at each endpoint",
	"list-dialects":         "for the console's choice; bellwire dialect list has those of this binary and of files",
	"list-subscriptions":    "for the console's event types; bellwire endpoints list has what each subscribes to",
}

// calls are commands that together call the whole API.
var calls = [][]string{
	{"tenants", "list"}, {"tenants", "show", "acme"}, {"tenants", "create", "acme"}, {"tenants", "update", "acme", "--name", "x"}, {"tenants", "delete", "acme", "--yes"}, {"tenants", "pause", "acme", "--reason", "x"}, {"tenants", "resume", "acme"},
	{"endpoints", "list"}, {"endpoints", "list", "--all-tenants"}, {"endpoints", "show", "ep"}, {"endpoints", "create", "--url", "http://a.example", "--events", "*"},
	{"endpoints", "update", "ep", "--url", "http://a.example"}, {"endpoints", "delete", "ep", "--yes"}, {"endpoints", "secret", "ep"}, {"endpoints", "rotate", "ep"},
	{"endpoints", "test", "ep"}, {"endpoints", "check", "http://a.example"}, {"endpoints", "history", "ep"}, {"endpoints", "missed", "ep"},
	{"event-types", "list"}, {"event-types", "show", "a"}, {"event-types", "put", "a"}, {"event-types", "delete", "a"}, {"event-types", "add-version", "a", "--converter", "data"}, {"event-types", "converter", "a", "1", "data"}, {"event-types", "versions", "a"},
	{"endpoints", "versions", "ep"}, {"endpoints", "preview", "ep", "--versions", "card.paid=2"},
	{"events", "list"}, {"events", "show", "evt"}, {"events", "endpoints", "evt"}, {"events", "erase", "evt", "--yes"},
	{"publish", "--type", "a", "--data", "1"}, {"publish", "--ndjson", "--file", "events.ndjson"},
	{"deliveries", "list"}, {"deliveries", "list", "--all-tenants"}, {"deliveries", "show", "dlv"}, {"deliveries", "cancel", "dlv"}, {"deliveries", "cancel", "--all"},
	{"retry", "dlv"}, {"retry", "--all"}, {"replay", "--endpoint", "ep", "--since", "1h"}, {"filters", "try", "true"},
	{"jobs", "list"}, {"jobs", "list", "--all-tenants"}, {"jobs", "list", "--all-tenants", "--bulk"}, {"jobs", "show", "job"}, {"jobs", "pause", "job"}, {"jobs", "resume", "job"}, {"jobs", "cancel", "job"}, {"jobs", "rate", "job", "5"},
	{"retry", "--all-tenants", "--since", "1h"}, {"replay", "--all-tenants", "--since", "1h"}, {"jobs", "show", "--all-tenants", "job"}, {"jobs", "pause", "--all-tenants", "job"},
	{"jobs", "resume", "--all-tenants", "job"}, {"jobs", "cancel", "--all-tenants", "job"}, {"jobs", "rate", "--all-tenants", "job", "5"}, {"alerts", "test"},
	{"keys", "list"}, {"keys", "create", "--role", "admin"}, {"keys", "delete", "key"},
	{"keys", "list", "--tenant", "acme"}, {"keys", "create", "--role", "tenant", "--tenant", "acme"}, {"keys", "delete", "--tenant", "acme", "key"},
	{"audit", "--all-tenants"}, {"nodes"}, {"settings"}, {"doctor", "--server", "SERVER"}, {"probe", "ep"}, {"statistics", "--since", "1h"}, {"statistics", "--since", "1h", "--all-tenants"},
	{"console"}, {"portal", "acme"}, {"tail", "--count", "1"}, {"tail", "--count", "1", "--all-tenants"},
	{"find", "evt"}, {"events", "list", "--all-tenants"}, {"deliveries", "body", "dlv"}, {"import", "events.ndjson"}, {"export", "-"},
	{"tenants", "put", "acme"}, {"endpoints", "put", "ep", "--url", "http://a.example", "--events", "*"},
}

// TestCommandsCallTheWholeAPI runs commands against a server that notes their requests, and compares these with the
// operations of the API.
func TestCommandsCallTheWholeAPI(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	operations := operationsOf(t, startServer(t, t.TempDir()))
	noted := new(notes)
	server := httptest.NewServer(noted)
	defer server.Close()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "events.ndjson"), []byte(`{"type":"a","data":1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range calls {
		args = slices.Clone(args)
		if i := slices.Index(args, "SERVER"); i >= 0 { // of a command that does not read BELLWIRE_SERVER
			args[i] = server.URL
		}
		cmd := exec.CommandContext(t.Context(), binary, args...)
		cmd.Dir = dir
		cmd.Env = []string{"HOME=" + dir, "BELLWIRE_SERVER=" + server.URL, "BELLWIRE_KEY=a-key", "BELLWIRE_TENANT=acme"}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("bellwire %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	for id, pattern := range operations {
		reason, exempt := withoutCommand[id]
		switch called := noted.any(pattern); {
		case !called && !exempt:
			t.Errorf("no command calls %s (%s): add one to calls, or the operation to withoutCommand", id, pattern)
		case called && exempt:
			t.Errorf("a command calls %s, although %q", id, reason)
		}
	}
	for id := range withoutCommand {
		if operations[id] == nil {
			t.Errorf("%s is no operation", id)
		}
	}
}

// operationsOf returns the API's operations by their id, each with a pattern of its requests.
func operationsOf(t *testing.T, s *server) map[string]*regexp.Regexp {
	t.Helper()
	resp, err := http.Get(s.url + "/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var doc struct {
		Paths map[string]map[string]struct{ OperationID string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	operations := make(map[string]*regexp.Regexp)
	for path, methods := range doc.Paths {
		for method, operation := range methods {
			pattern := regexp.MustCompile(`\\\{[a-z]+\\\}`).ReplaceAllString(regexp.QuoteMeta(path), "[^/]+")
			operations[operation.OperationID] = regexp.MustCompile("^" + strings.ToUpper(method) + " " + pattern + "$")
		}
	}
	if len(operations) < 40 {
		t.Fatalf("only %d operations", len(operations))
	}
	return operations
}

// notes answers every request, and remembers them.
type notes struct {
	mu       sync.Mutex
	requests []string
}

func (n *notes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	n.requests = append(n.requests, r.Method+" "+r.URL.Path)
	n.mu.Unlock()
	io.Copy(io.Discard, r.Body)
	if r.Method == http.MethodDelete {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if strings.HasSuffix(r.URL.Path, "/live") {
		io.WriteString(w, "event: attempt\ndata: {}\n\n")
		return
	}
	io.WriteString(w, `{"id":"evt_1","data":[{"sent":true}],"outcome":"ok"}`)
}

// any reports whether there was a request that matches a pattern.
func (n *notes) any(pattern *regexp.Regexp) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.ContainsFunc(n.requests, pattern.MatchString)
}
