package test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// examined are the findings of bellwire doctor by their ids.
type examined map[string]struct{ Level, Found, Do string }

// doctor runs bellwire doctor, after a shell command, and returns its findings with the exit code.
func doctor(t *testing.T, dir, before string, environment []string, args ...string) (findings examined, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/bin/sh", append([]string{"-c", before + ` exec "$@"`, "sh", binary, "doctor", "--json"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=/usr/bin:/bin", "HOME=" + dir}, environment...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	var answer struct {
		Data []struct{ ID, Level, Found, Do string }
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatalf("%q is not JSON: %v\n%s", out, err, said.String())
	}
	findings = examined{}
	for _, f := range answer.Data {
		findings[f.ID] = struct{ Level, Found, Do string }{f.Level, f.Found, f.Do}
	}
	return findings, cmd.ProcessState.ExitCode()
}

// TestDoctor examines a server before its first start, beside it and from inside it.
func TestDoctor(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keys := t.TempDir()
	args := append([]string{"--keyset-file=" + filepath.Join(keys, "keyset"), "--database-url=sqlite://" + filepath.Join(dir, "bellwire.db")}, local...)
	expect := func(got examined, id, level, found string) {
		t.Helper()
		if f := got[id]; f.Level != level || !strings.Contains(f.Found, found) {
			t.Errorf("%s is %+v, want %s: %s", id, f, level, found)
		}
	}

	before, code := doctor(t, dir, "", nil, args...)
	if expect(before, "database.reachable", "note", "first start"); code != 0 {
		t.Errorf("before the first start it ends with %d: %v", code, before)
	}
	if made, err := os.ReadDir(dir); err != nil || len(made) > 0 {
		t.Errorf("it made %v (%v)", made, err)
	}

	s := startServer(t, dir, args...)
	beside, code := doctor(t, dir, "", nil, args...)
	expect(beside, "database.reachable", "ok", "SQLite")
	if expect(beside, "keyset.match", "ok", ""); code != 0 {
		t.Errorf("beside the server it ends with %d: %v", code, beside)
	}
	if inside, code := doctor(t, dir, "", []string{"BELLWIRE_KEY=" + s.key}, "--server="+s.url); code != 0 || len(inside) != len(beside) {
		t.Errorf("inside the server it ends with %d: %v", code, inside)
	}

	t.Run("faults", func(t *testing.T) {
		if err := os.Chmod(filepath.Join(keys, "keyset"), 0o644); err != nil {
			t.Fatal(err)
		}
		faults, code := doctor(t, dir, "ulimit -f 1000; ulimit -n 63;", []string{
			"HTTPS_PROXY=http://proxy.invalid", "BELLWIRE_RETENTOIN=1d", "SSL_CERT_FILE=/dev/null", "SSL_CERT_DIR=/dev/null",
		}, args...)
		for id, level := range map[string]string{
			"keyset.file": "problem", "machine.file-size": "problem", "machine.descriptors": "problem", "machine.certificates": "problem", "machine.proxies": "warning", "configuration.variables": "warning",
		} {
			expect(faults, id, level, "")
		}
		if code != 1 {
			t.Errorf("it ends with %d", code)
		}
	})
	t.Run("warnings", func(t *testing.T) {
		certain := append([]string{"--allow-network=0.0.0.0/0", "--keyset-file=" + filepath.Join(dir, "other")}, args[1:]...)
		if _, code := doctor(t, t.TempDir(), "", nil, append(certain, "--database-url=sqlite://new.db")...); code != 0 {
			t.Errorf("a warning ends it with %d", code)
		}
		if _, code := doctor(t, t.TempDir(), "", nil, append(certain, "--database-url=sqlite://new.db", "--fail-on=warning")...); code != 1 {
			t.Errorf("with --fail-on=warning a warning ends it with %d", code)
		}
	})
	t.Run("refused options", func(t *testing.T) {
		cmd := exec.CommandContext(t.Context(), binary, "doctor", "--retention=-1s")
		cmd.Env = []string{"HOME=" + dir}
		if out, _ := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 2 || !strings.Contains(string(out), "retention") {
			t.Errorf("it ends with %d: %s", cmd.ProcessState.ExitCode(), out)
		}
	})
}
