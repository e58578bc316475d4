package archtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// goreleaser refuses to release from a repository with files that are not committed, so the workflow writes elsewhere.
func TestReleaseLeavesRepositoryClean(t *testing.T) {
	t.Parallel()
	written := regexp.MustCompile(`>>? (\S+)`).FindAllStringSubmatch(contents(t, "../../.github/workflows/release.yml"), -1)
	if len(written) < 2 {
		t.Fatalf("only %d redirections are found", len(written))
	}
	for _, to := range written {
		if !strings.HasPrefix(to[1], `"$RUNNER_TEMP/`) && to[1] != `"$GITHUB_OUTPUT"` {
			t.Errorf("release.yml writes to %s", to[1])
		}
	}
}

// A release needs client and receive as they were tagged. They keep their versions in a release that does not change them.
func TestReleaseNeedsTaggedModules(t *testing.T) {
	t.Parallel()
	script, err := filepath.Abs("../../deploy/check-modules")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	run := func(name string, args ...string) (string, error) {
		command := exec.CommandContext(t.Context(), name, args...)
		command.Dir = dir
		command.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
		out, err := command.CombinedOutput()
		return string(out), err
	}
	commit := func(files map[string]string) {
		t.Helper()
		writeFiles(t, dir, files)
		for _, args := range [][]string{{"add", "."}, {"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--message=x"}} {
			if out, err := run("git", args...); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		}
	}
	tag := func(name string) {
		t.Helper()
		if out, err := run("git", "tag", name); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	if out, err := run("git", "init", "--quiet"); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	check := func(refusal string) {
		t.Helper()
		out, err := run(script)
		if (err == nil) != (refusal == "") || !strings.Contains(out, refusal) {
			t.Errorf("the check ends with %v: %s, want %q", err, out, refusal)
		}
	}
	commit(map[string]string{
		"go.mod":         "require (\n\tgithub.com/bellwire/bellwire/client v0.1.0\n\tgithub.com/bellwire/bellwire/receive v0.2.0 // indirect\n)\n",
		"client/a.go":    "package client\n",
		"receive/a.go":   "package receive\n",
		"cmd/server.txt": "1",
	})
	tag("client/v0.1.0")
	check("there is no tag receive/v0.2.0")
	tag("receive/v0.2.0")
	check("")
	commit(map[string]string{"cmd/server.txt": "2"})
	tag("v0.3.0")
	check("")
	commit(map[string]string{"client/a.go": "package client // changed\n"})
	check("client has changed since client/v0.1.0")
}
