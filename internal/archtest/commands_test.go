package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The workflows look for known vulnerabilities: with each change, each week, and before a release.
func TestWorkflowsLookForVulnerabilities(t *testing.T) {
	t.Parallel()
	for file, parts := range map[string][]string{
		"ci.yml": {"pull_request:", "schedule:\n", "- run: make vulncheck\n"}, "release.yml": {"- run: make vulncheck\n"},
	} {
		text := contents(t, "../../.github/workflows/"+file)
		for _, part := range parts {
			if !strings.Contains(text, part) {
				t.Errorf("%s does not contain %q", file, part)
			}
		}
	}
}

// All tests are run in one way, which the README shows: CI and make do nothing else.
func TestOneCommandRunsAllTests(t *testing.T) {
	t.Parallel()
	const command = "test/run"
	for file, want := range map[string]string{
		"README.md": "```sh\n" + command + "\n```",
		".ci/run":   "step \"Tests\"\n" + command + "\n",
		"Makefile":  "\n\t" + command + "\n",
	} {
		text := contents(t, "../../"+file)
		if !strings.Contains(text, want) {
			t.Errorf("%s does not run all tests with %q", file, want)
		}
		if strings.Contains(text, "go test -race") {
			t.Errorf("%s runs tests in another way, too", file)
		}
	}
}

var unwatchedPackage = regexp.MustCompile(`-gcflags=github\.com/bellwire/bellwire/(\S+)=-race=false`)

// The race detector may only leave out packages of this program that start no goroutines.
func TestUnwatchedPackagesStartNoGoroutines(t *testing.T) {
	t.Parallel()
	found := unwatchedPackage.FindAllStringSubmatch(contents(t, "../../test/run"), -1)
	if len(found) == 0 {
		t.Error("test/run leaves out no package")
	}
	for _, m := range found {
		files, err := filepath.Glob(filepath.Join("../..", m[1], "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has %d files: %v", m[1], len(files), err)
		}
		set := token.NewFileSet()
		for _, name := range files {
			file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for n := range ast.Preorder(file) {
				if _, ok := n.(*ast.GoStmt); ok {
					t.Errorf("%s starts a goroutine", set.Position(n.Pos()))
				}
			}
		}
	}
}
