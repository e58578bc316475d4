package test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Every variable of the server may be there and empty, and those that are not may end as files and shells end them.
func TestVariablesAsOrchestratorsSetThem(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.Command(binary, "serve", "--listen", "127.0.0.1:0", "--log-format", "json")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(),
		"BELLWIRE_ADMIN_KEY="+adminKey+"\n", "BELLWIRE_DATABASE_URL=sqlite://bellwire.db\r\n",
		"BELLWIRE_KEYSET_FILE= bellwire.keyset\n", "BELLWIRE_ALLOW_NETWORKS=10.0.0.0/8, 127.0.0.0/8", "BELLWIRE_NO_SUCH_OPTION= ")
	page := string(mustRead(t, "../docs/configuration.md"))
	for _, option := range regexp.MustCompile("(?m)^\\| `--[a-z-]+` \\| `(BELLWIRE_[A-Z_]+)`").FindAllStringSubmatch(page, -1) {
		given := func(variable string) bool { return strings.HasPrefix(variable, option[1]+"=") }
		if !slices.ContainsFunc(cmd.Env, given) {
			cmd.Env = append(cmd.Env, option[1]+"=")
		}
	}
	s := launch(t, cmd)
	r := startReceiver(t, 0)
	s.subscribe(r.url)
	r.await(t, []string{s.publishCard(`1`)})
	s.terminate()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !regexp.MustCompile(`^bellwire\.(db(-[a-z]+)?|keyset)$`).MatchString(file.Name()) {
			t.Errorf("there is a file %q", file.Name())
		}
	}
}

// A terminal that closes ends the server as SIGTERM does.
func TestHangupDrains(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), local...)
	r := startReceiver(t, time.Second)
	s.subscribe(r.url)
	id := s.publishCard(`1`)
	r.await(t, []string{id})
	s.signal(syscall.SIGHUP)
	if err := s.wait(); err != nil {
		t.Errorf("after SIGHUP the server ended with: %v", err)
	}
	if !strings.Contains(s.logged(), `"stopped"`) {
		t.Errorf("it did not drain:\n%s", s.logged())
	}
}

// Whoever reads the log may go away; the server stays.
func TestBrokenLogPipe(t *testing.T) {
	t.Parallel()
	cmd := serve(t.TempDir(), "--log-level", "debug")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, cmd: cmd, key: adminKey, exited: make(chan error, 1)}
	t.Cleanup(func() { cmd.Process.Kill() })
	for lines := bufio.NewScanner(stderr); s.url == "" && lines.Scan(); {
		var record struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &record) == nil && record.Msg == "listening" {
			s.url = "http://" + record.Address
		}
	}
	if err := stderr.Close(); err != nil {
		t.Fatal(err)
	}
	go func() { s.exited <- cmd.Wait() }()
	for range 3 { // each is logged
		if status, _ := s.get("/healthz"); status != http.StatusOK {
			t.Errorf("it answers %d", status)
		}
	}
	s.terminate()
}

// During the drain delay the server takes no notice, but for readiness.
func TestDrainDelay(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), append(local, "--drain-delay", "1h")...)
	r := startReceiver(t, 0)
	s.subscribe(r.url)
	s.addType("card.created")
	s.signal(syscall.SIGTERM)
	eventually(t, "it is not ready", func() bool {
		status, _ := s.get("/readyz")
		return status == http.StatusServiceUnavailable
	})
	if status, _ := s.get("/healthz"); status != http.StatusOK {
		t.Errorf("/healthz answers %d", status)
	}
	r.await(t, []string{s.publishCard(`1`)})
	var exit *exec.ExitError
	if err := s.terminateRepeatedly(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("after a second signal the server ended with: %v", err)
	}

	s = startServer(t, t.TempDir(), "--drain-delay", "50ms")
	s.terminate()
	if !strings.Contains(s.logged(), "drain delay") {
		t.Errorf("the log does not tell of the delay:\n%s", s.logged())
	}
}

// What a server without a way out but a proxy cannot do is said at the start, without the proxy's password.
func TestProxyVariablesAreNamed(t *testing.T) {
	t.Parallel()
	cmd := serve(t.TempDir())
	cmd.Env = append(os.Environ(), "HTTPS_PROXY=http://user:hunter2@127.0.0.1:1", "http_proxy=http://127.0.0.1:1")
	s := launch(t, cmd)
	s.terminate()
	if log := s.logged(); strings.Count(log, "HTTPS_PROXY, http_proxy") != 1 && strings.Count(log, "http_proxy, HTTPS_PROXY") != 1 || strings.Contains(log, "hunter2") {
		t.Errorf("the log:\n%s", log)
	}
}

// A variable whose value cannot be meant ends the start, and is not repeated.
func TestInvalidVariables(t *testing.T) {
	t.Parallel()
	for _, value := range []string{`"hunter2hunter2hunter2"`, "hunter2hunter2\nhunter2", "hunter2"} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		cmd := exec.CommandContext(ctx, binary, "serve", "--listen", "127.0.0.1:0")
		cmd.Dir = t.TempDir()
		cmd.Env = append(os.Environ(), "BELLWIRE_ADMIN_KEY="+value)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 2 || strings.Contains(string(out), "hunter2") ||
			!strings.Contains(string(out), "--admin-key (BELLWIRE_ADMIN_KEY)") {
			t.Errorf("%q: %v\n%.500s", value, err, out)
		}
	}
}
