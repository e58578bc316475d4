// Package archtest enforces the import rules of this repository, and other rules about its files. A table in a document alone would
// soon be wrong.
package archtest

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/bellwire/bellwire"

// rule says what the packages of a folder may import of this module, and why no more.
type rule struct {
	folder  string // below the module; /* stands for each folder below
	imports []string
	// standardOnly: nothing from outside the module and the standard library either.
	standardOnly bool
	why          string
}

const (
	root       = "."
	core       = "internal/bellwire"
	everything = "…"
)

// rules is the one place where the import rules are written; docs/architecture.md shows the same table.
var rules = []rule{
	{root, nil, true, "It is the landing page of the module, and contains no code."},
	{core, nil, true, "The vocabulary depends on no library and no implementation."},
	{"internal/match", []string{core}, false, "Matching is a pure function: it cannot fail or wait."},
	{"internal/filter", []string{core, "internal/limits", "internal/suggest"}, false, "Filtering is a pure function, and alone depends on the library for CEL."},
	{"internal/seal", []string{core}, false, "Secrets are sealed and opened in one place."},
	{"internal/directory", []string{core, "internal/match", "internal/filter", "internal/seal", "internal/destination", "internal/limits", "internal/share"}, false, "It is a cache: it contains no rules, and does not depend on the engine."},
	{"internal/limits", []string{core}, true, "All bounds are defined in one place, for the code and for its documentation."},
	{"internal/share", []string{core}, false, "It divides any resource among any owners."},
	{"internal/live", []string{core, "internal/limits", "internal/share"}, false, "It passes on what it is given, and reads nothing."},
	{"internal/peer", []string{core}, false, "It carries deliveries between nodes, and knows neither the engine nor the store."},
	{"internal/destination", []string{core}, false, "Creating an endpoint and dialling it use the same check."},
	{"internal/engine", []string{core, "internal/engine/lanes", "internal/engine/send", "internal/engine/fifo", "internal/destination", "internal/limits", "internal/share"}, false, "It gets dialects, stores and opened secrets through interfaces."},
	{"internal/engine/lanes", []string{core, "internal/engine/fifo", "internal/limits", "internal/share"}, false, "It decides what is sent when, without I/O."},
	{"internal/engine/send", []string{core, "internal/destination"}, false, "It makes one attempt, and depends on no queue, no store and no retry policy."},
	{"internal/engine/fifo", nil, true, "It is a queue of anything."},
	{"internal/service", []string{core, "internal/match", "internal/filter", "internal/seal", "internal/destination", "internal/engine", "internal/directory", "internal/limits", "internal/live", "internal/share", "internal/suggest"}, false, "It is the only entrance for front ends, and depends on none of them."},
	{"internal/store/codec", []string{core}, true, "Encodings that both stores use are in one place."},
	{"internal/store/rules", []string{core, "internal/limits"}, true, "Decisions that both stores make are in one place, as pure functions."},
	{"internal/store/rollup", []string{core}, true, "What statistics count is a pure function of what was stored."},
	{"internal/store/postgres/lease", []string{core}, true, "Which node owns which shard is a pure function of what a transaction has read."},
	{"internal/store/postgres", []string{core, "internal/store/codec", "internal/store/rollup", "internal/store/rules", "internal/store/postgres/lease", "internal/limits", "internal/share"}, false, "A store contains no rules, and does not depend on another store."},
	{"internal/store/*", []string{core, "internal/store/codec", "internal/store/rollup", "internal/store/rules", "internal/limits", "internal/share"}, false, "A store contains no rules, and does not depend on another store."},
	{"internal/pgtest", []string{"internal/testenv"}, false, "It starts PostgreSQL for the tests of any package."},
	{"internal/sqlitetest", []string{"internal/store/sqlite"}, false, "It makes SQLite databases for the tests of any package."},
	{"internal/testenv", nil, true, "It reports what the machine has to the tests of any package."},
	{"internal/httpx", []string{core, "internal/suggest", "internal/limits", "internal/share"}, false, "Front ends share plumbing, not behavior."},
	{"internal/envelope", []string{core}, false, "Inserting data into messages byte for byte is a pure function."},
	{"internal/suggest", nil, false, "Finding a similar name is a pure function."},
	{"internal/token", []string{core}, false, "It verifies tokens, and does not depend on Bellwire's keys."},
	{"internal/catalogue", []string{core}, false, "It reads files of event types from any vendor."},
	{"internal/cli", []string{core, "internal/suggest"}, false, "It parses options, in the forms that the API takes; commands give them their meaning."},
	{"internal/output", nil, false, "It prints anything."},
	{"internal/verify", []string{"receive", "receive/sign"}, true, "Explaining a signature is a pure function of the request and the secret."},
	{"internal/dialect/declared", []string{core, "internal/envelope", "internal/suggest", "internal/verify", "receive", "receive/sign"}, false, "A file declares a format, for senders and receivers, and nothing else of the server."},
	{"internal/dialect/*", []string{core, "internal/httpx", "internal/envelope", "receive/sign", "internal/token", "internal/destination", "internal/service", "internal/limits", "internal/share"}, false, "Dialects do not depend on each other."},
	{"internal/dialecttest", []string{everything}, false, "Tests of dialects run against the whole server."},
	{"internal/api", []string{core, "internal/httpx", "internal/service", "internal/limits", "internal/live", "internal/share", "internal/suggest"}, false, "Handlers contain no SQL and no rules."},
	{"internal/web", []string{core, "internal/httpx", "internal/service"}, false, "Pages are files; all they do, they do by the native API."},
	{"internal/telemetry", []string{core}, false, "It observes the engine through an interface, and nothing waits for it."},
	{"internal/mail", []string{core}, false, "It sends what the engine gives to it."},
	{"internal/doctor", []string{core, "internal/destination", "internal/seal", "internal/store/postgres", "internal/store/sqlite"}, false, "It examines from outside, so that it can when no server starts."},
	{"internal/hostile", nil, true, "It uses only what a stranger can use, so it can measure any build."},
	{"internal/bench", []string{core, "internal/cli", "internal/hostile", "internal/store/postgres", "internal/store/sqlite", "client", "receive"}, false, "It measures a server in another process, by what any client can see."},
	{"internal/sim", []string{core, "internal/engine/fifo", "internal/limits", "internal/output"}, false, "It is a model of the server with the server's own bounds, and calls none of its parts."},
	{"internal/demo", []string{"internal/catalogue", "internal/dialect/*", "internal/httpx", "internal/limits", "client", "receive"}, false, "It plays a platform and its customers, which know a server only by its API."},
	{"internal/archtest", nil, true, "It reads imports and has none."},
	{"client", nil, true, "It is a module for other programs, and brings them no dependencies."},
	{"receive", []string{"receive/sign"}, true, "It is a module for other programs, and brings them no dependencies."},
	{"receive/sign", nil, true, "The server signs and receivers verify with the same code."},
	{"cmd/bellwire", []string{everything}, false, "Everything is connected here."},
	{"web", nil, true, "It is what npm built, and knows no server."},
	{"test", []string{"receive"}, false, "Black-box tests see only the built binary."},
}

type pkg struct {
	ImportPath string
	Imports    []string
}

func TestImportRules(t *testing.T) {
	t.Parallel()
	used := make(map[string]bool)
	for _, p := range packages(t) {
		r, ok := ruleOf(folderOf(p.ImportPath))
		if !ok {
			t.Errorf("%s has no rule; add it to the table of this test, with its reason", p.ImportPath)
			continue
		}
		used[r.folder] = true
		for _, imported := range p.Imports {
			if reason := r.refuses(imported); reason != "" {
				t.Errorf("%s imports %s: %s (%s)", p.ImportPath, imported, reason, r.why)
			}
		}
	}
	for _, r := range rules {
		if !used[r.folder] {
			t.Errorf("the rule for %s has no package any more; remove it", r.folder)
		}
	}
}

func (r rule) refuses(imported string) string {
	if imported == module || strings.HasPrefix(imported, module+"/") {
		folder := folderOf(imported)
		if slices.Contains(r.imports, everything) || slices.ContainsFunc(r.imports, func(allowed string) bool { return covers(allowed, folder) }) {
			return ""
		}
		return "it may not"
	}
	host, _, _ := strings.Cut(imported, "/")
	if r.standardOnly && strings.Contains(host, ".") {
		return "the standard library only"
	}
	return ""
}

func folderOf(importPath string) string {
	if importPath == module {
		return root
	}
	return strings.TrimPrefix(importPath, module+"/")
}

func ruleOf(folder string) (rule, bool) {
	for _, r := range rules {
		if covers(r.folder, folder) {
			return r, true
		}
	}
	return rule{}, false
}

// covers reports whether a folder of a rule, which may end with /*, stands for the given one.
func covers(folder, given string) bool {
	parent, wild := strings.CutSuffix(folder, "/*")
	return folder == given || wild && strings.HasPrefix(given, parent+"/")
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", module+"/...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

func TestDocumentedImportRules(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	want.WriteString("| folder | may import | because |\n| --- | --- | --- |\n")
	for _, r := range rules {
		fmt.Fprintf(&want, "| `%s` | %s | %s |\n", name(r.folder), may(r), r.why)
	}
	if !strings.Contains(string(page), want.String()) {
		t.Errorf("docs/architecture.md does not contain the table of this test:\n%s", want.String())
	}
}

func name(folder string) string {
	if folder == root {
		return "/"
	}
	return folder
}

func may(r rule) string {
	if slices.Contains(r.imports, everything) {
		return "everything"
	}
	var names []string
	for _, folder := range r.imports {
		names = append(names, "`"+name(folder)+"`")
	}
	if r.standardOnly {
		names = append(names, "standard library")
	}
	return strings.Join(names, ", ")
}
