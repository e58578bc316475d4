package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/testenv"
)

// The programs other than Go that tests need, and their Debian packages.
var needed = map[string][]string{
	"gcc": {"gcc", "libc6-dev"}, "initdb": {"postgresql"}, "pgbouncer": {"pgbouncer"}, "node": {"nodejs"}, "npm": {"npm"}, "python3": {"python3"}, "curl": {"curl"},
	"chromium": {"chromium"},
}

// TestRunInstallsWhatIsMissing runs test/run on machines that have some of these programs. They are stubs, and note how they
// are called.
func TestRunInstallsWhatIsMissing(t *testing.T) {
	t.Parallel()
	testenv.Needs(t, "bash")
	const root, user = "0", "1000"
	for _, c := range []struct {
		name     string
		programs []string
		user     string
		fails    bool
		calls    []string // the beginnings, in order
		says     string   // a part
	}{
		{name: "fresh", programs: []string{"go", "apt-get"}, user: root, calls: []string{"apt-get update", "apt-get install", "go list -race", "go list ./web", "go list work", "go test -race", "go test -race"}},
		{name: "complete", programs: []string{"go", "apt-get", "gcc", "initdb", "pgbouncer", "node", "npm", "python3", "curl", "chromium"}, user: root, calls: []string{"go list -race", "go list ./web", "go list work", "go test -race", "go test -race"}},
		{name: "user", programs: []string{"go", "apt-get"}, user: user, fails: true, says: "Install them with: sudo apt-get install --no-install-recommends "},
		{name: "another system", programs: []string{"go"}, user: root, fails: true, says: "make sure that PATH leads to it"},
		{name: "no Go", programs: []string{"apt-get"}, user: root, fails: true, says: "Go is required"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, c.user, c.programs...)
			said, err := m.run("-run", "TestX")
			if (err != nil) != c.fails || !strings.Contains(said, c.says) {
				t.Fatalf("it ended with %v and said %q", err, said)
			}
			calls := m.calls(t)
			if len(calls) != len(c.calls) {
				t.Fatalf("it called %q, want %q", calls, c.calls)
			}
			for i, call := range calls {
				if !strings.HasPrefix(call, c.calls[i]) {
					t.Errorf("call %d is %q, want %q", i, call, c.calls[i])
				}
			}
			if !c.fails && (!strings.Contains(calls[len(calls)-2], " -run TestX ./web ./test ") || !strings.HasSuffix(calls[len(calls)-1], " -run TestX small")) {
				t.Errorf("the arguments were not passed on, or not all packages were tested once: %q", calls)
			}
			if c.name != "fresh" && c.name != "user" {
				return
			}
			names := strings.Fields(strings.Join(calls, " ") + said)
			for program, packages := range needed {
				for _, p := range packages {
					if slices.Contains(names, p) == outsidePATH(program) {
						t.Errorf("the package %s is missing, or wanted though %s is there: %q", p, program, names)
					}
				}
			}
		})
	}
}

// outsidePATH reports whether a program is where Debian has it, although PATH does not lead there.
func outsidePATH(program string) bool {
	usual := map[string]string{"initdb": "/usr/lib/postgresql/*/bin/initdb", "pgbouncer": "/usr/sbin/pgbouncer"}
	found, _ := filepath.Glob(usual[program]) // the patterns are valid
	return len(found) > 0
}

// machine is a PATH.
type machine struct{ path, log string }

func newMachine(t *testing.T, user string, programs ...string) *machine {
	t.Helper()
	dir := t.TempDir()
	m := &machine{path: filepath.Join(dir, "bin"), log: filepath.Join(dir, "log")}
	if err := os.Mkdir(m.path, 0o755); err != nil {
		t.Fatal(err)
	}
	m.add(t, "id", "echo "+user)
	m.add(t, "dirname", `echo "${1%/*}"`)
	for _, p := range programs {
		m.add(t, p, `case "$*" in
			"env CC") echo gcc; exit;;
			"list work") echo large small;;
			"list "./*) echo large;;
			esac
			echo "${0##*/} $*" >>'`+m.log+`'`)
	}
	return m
}

// add installs a program.
func (m *machine) add(t *testing.T, name, script string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(m.path, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// run runs test/run there.
func (m *machine) run(args ...string) (said string, err error) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		return "", err
	}
	cmd := exec.Command(bash, append([]string{"../test/run"}, args...)...)
	cmd.Env = []string{"PATH=" + m.path}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// calls are what was called, in order.
func (m *machine) calls(t *testing.T) []string {
	t.Helper()
	log, err := os.ReadFile(m.log)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(log), "\n"), "\n")
}
