//go:build unix

package test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/testenv"
	"github.com/bellwire/bellwire/receive/sign"
)

// verifyingProgram is a program of docs/verify.md.
type verifyingProgram struct {
	language string
	block    int // of those in its language
	file     string
	command  []string
	needs    string // the program without which it is only read; empty: the tests have it
	library  bool   // a library has the constants
}

// TestVerifyPage runs the programs of docs/verify.md. Each accepts a delivery of Bellwire, and one with the signatures of two secrets,
// and refuses what is forged, old or not signed.
func TestVerifyPage(t *testing.T) {
	t.Parallel()
	testenv.Needs(t, "node, npm and Python")
	page := string(mustRead(t, "../docs/verify.md"))
	modules, err := filepath.Abs("npm/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	programs := []verifyingProgram{
		{language: "python", file: "receiver.py", command: []string{"python3", "receiver.py"}},
		{language: "js", file: "receiver.mjs", command: []string{"node", "receiver.mjs"}},
		{language: "js", block: 1, file: "library.mjs", command: []string{"node", "library.mjs"}, library: true},
		{language: "java", file: "Receiver.java", command: []string{"java", "Receiver.java"}, needs: "javac"},
	}
	for _, language := range []string{"python", "js", "java"} {
		count := 0
		for _, p := range programs {
			if p.language == language {
				count++
			}
		}
		if got := len(blocks(page, language)); got != count {
			t.Errorf("the page has %d programs in %s, and %d are run", got, language, count)
		}
	}
	s := startServer(t, t.TempDir(), local...)
	s.call("POST", "/tenants", `{"id": "acme"}`, nil)
	s.addType("card.created")
	for _, p := range programs {
		code := blocks(page, p.language)[p.block]
		if !p.library {
			checkConstants(t, p.file, code)
		}
		if _, err := exec.LookPath(p.needs); p.needs != "" && err != nil {
			t.Logf("%s was read and not run, because there is no %s", p.file, p.needs)
			continue
		}
		address := "http://127.0.0.1:" + freePort(t)
		var ep endpoint
		s.call("POST", "/tenants/acme/endpoints", fmt.Sprintf(`{"url": %q, "events": ["*"]}`, address+"/hooks"), &ep)
		dir := t.TempDir()
		if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
			t.Fatal(err)
		}
		p.start(t, dir, strings.ReplaceAll(code, "9090", strings.TrimPrefix(address, "http://127.0.0.1:")), ep.Secret)
		t.Run(p.file, func(t *testing.T) {
			t.Parallel()
			eventually(t, p.file+" listens", func() bool { return listens(strings.TrimPrefix(address, "http://")) })
			checkReceiver(t, s, ep, address)
		})
	}
}

// checkConstants fails the test if a program without a library lacks a part of what is signed.
func checkConstants(t *testing.T, file, code string) {
	t.Helper()
	for _, part := range []string{"whsec_", "webhook-id", "webhook-timestamp", "webhook-signature", "300", "v1,", "sha256", "9090"} {
		if !strings.Contains(strings.ToLower(code), part) {
			t.Errorf("%s lacks %q", file, part)
		}
	}
}

// start starts the program, which ends with the test.
func (p verifyingProgram) start(t *testing.T, dir, code, secret string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, p.file), []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(p.command[0], p.command[1:]...)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	cmd.Env = append(os.Environ(), "WEBHOOK_SECRET="+secret)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatalf("this test needs %s: %v", p.command[0], err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait() // reports that it was killed
	})
}

func listens(address string) bool {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

// checkReceiver sends genuine and other requests to a receiver.
func checkReceiver(t *testing.T, s *server, ep endpoint, address string) {
	var probe struct{ Response struct{ Status int } }
	s.call("POST", "/tenants/acme/endpoints/"+ep.ID+"/probe", `{"type": "card.created"}`, &probe)
	if got := probe.Response.Status; got != http.StatusNoContent {
		t.Errorf("a delivery of Bellwire is answered with %d", got)
	}
	// Neither a request that breaks off nor one that does not go on keeps the receiver from the others.
	for _, stays := range []bool{false, true} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, "POST /hooks HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"); err != nil {
			t.Fatal(err)
		}
		if !stays {
			conn.Close()
		}
	}
	secret, err := sign.ParseSecret(ep.Secret)
	if err != nil {
		t.Fatal(err)
	}
	mac, other := sign.NewMAC(secret), sign.NewMAC([]byte("the secret of somebody else, 32!"))
	body := `{"type":"card.created","timestamp":"2026-01-31T12:30:00Z","data":{"limit":1.00,"name":"Zoë"}}`
	now := time.Now().Unix()
	by := func(m *sign.MAC, at int64) string { return string(m.AppendV1(nil, "evt_1", at, []byte(body))) }
	for _, tt := range []struct {
		name            string
		id, time        string
		signature, body string
		want            int
	}{
		{"genuine", "evt_1", strconv.FormatInt(now, 10), by(mac, now), body, http.StatusNoContent},
		{"while the secret is rotated", "evt_1", strconv.FormatInt(now, 10), by(other, now) + " v1a,AAAA " + by(mac, now), body, http.StatusNoContent},
		{"signed by another", "evt_1", strconv.FormatInt(now, 10), by(other, now), body, http.StatusUnauthorized},
		{"changed", "evt_1", strconv.FormatInt(now, 10), by(mac, now), body + " ", http.StatusUnauthorized},
		{"with another id", "evt_2", strconv.FormatInt(now, 10), by(mac, now), body, http.StatusUnauthorized},
		{"sent again later", "evt_1", strconv.FormatInt(now-600, 10), by(mac, now-600), body, http.StatusUnauthorized},
		{"from the future", "evt_1", strconv.FormatInt(now+600, 10), by(mac, now+600), body, http.StatusUnauthorized},
		{"with a time that is none", "evt_1", "soon", by(mac, now), body, http.StatusUnauthorized},
		{"without a signature", "evt_1", strconv.FormatInt(now, 10), "", body, http.StatusUnauthorized},
		{"without the headers", "", "", "", body, http.StatusUnauthorized},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/hooks", strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"webhook-id": tt.id, "webhook-timestamp": tt.time, "webhook-signature": tt.signature} {
			if value != "" {
				req.Header.Set(name, value)
			}
		}
		resp, err := apiClient.Do(req)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != tt.want {
			t.Errorf("a request that is %s is answered with %d, want %d", tt.name, resp.StatusCode, tt.want)
		}
	}
}
