//go:build unix

package test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/pgtest"
)

// TestTutorial follows docs/tutorial.md word for word, in one shell, with other addresses. The person in the browser is played by
// requests of the portal's session; web/e2e has a browser do the same.
func TestTutorial(t *testing.T) {
	t.Parallel()
	pgtest.Needed(t)
	database, err := pgtest.Start("fsync=on", "full_page_writes=on")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := database.Stop(); err != nil {
			t.Error(err)
		}
	})
	page := string(mustRead(t, "../docs/tutorial.md"))
	for _, sql := range strings.Split(strings.TrimSpace(blocks(page, "sql")[0]), "\n") {
		if err := database.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	for _, command := range blocks(page, "bash") { // they need a whole system; the tests of the packages install one
		if !strings.Contains(string(mustRead(t, "../docs/install.md")), strings.TrimSpace(command)) {
			t.Errorf("docs/install.md, whose package is tested, does not say %s", command)
		}
	}
	postgres, err := url.Parse(database.URL("bellwire"))
	if err != nil {
		t.Fatal(err)
	}
	bellwire, shop, receiver := freePort(t), freePort(t), freePort(t)
	here := []string{"127.0.0.1:5432", postgres.Host, "8080", bellwire, "3000", shop, "9090", receiver}
	steps := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(page, -1)
	sh := startShell(t, "BELLWIRE_LISTEN=127.0.0.1:"+bellwire, "BELLWIRE_SERVER=http://127.0.0.1:"+bellwire)
	refused := false
	for _, step := range steps {
		if strings.Contains(step[1], "whsec_…") {
			here = append(here, "whsec_…", addEndpoint(t, "http://127.0.0.1:"+shop+"/", "http://127.0.0.1:"+receiver+"/"))
		}
		said := sh.run(strings.NewReplacer(here...).Replace(step[1]))
		refused = refused || strings.Contains(said, "401")
	}
	if len(steps) < 9 || !refused {
		t.Errorf("%d steps were run; a forgery was refused: %v", len(steps), refused)
	}
}

// addEndpoint does what the customer does in the portal that a page of the platform embeds, and returns the secret.
func addEndpoint(t *testing.T, shop, receiver string) (secret string) {
	t.Helper()
	resp, err := apiClient.Get(shop)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	embedded := regexp.MustCompile(`<script src="(.+)/portal.js"></script>\n<bellwire-portal session-url="(.+)#code=(.+)"></bellwire-portal>`).FindStringSubmatch(string(text))
	if embedded == nil {
		t.Fatalf("the page does not embed the portal:\n%s", text)
	}
	api := embedded[1] + "/api/v1"
	for address, policy := range map[string]string{embedded[1] + "/portal.js": "", embedded[2]: "frame-ancestors " + strings.TrimSuffix(shop, "/")} {
		resp, err := apiClient.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK || !strings.Contains(resp.Header.Get("Content-Security-Policy"), policy) {
			t.Errorf("%s answers %s, with the policy %q", address, resp.Status, resp.Header.Get("Content-Security-Policy"))
		}
	}
	var session struct{ Token, Tenant string }
	post(t, api+"/portal-sessions/exchange", "", map[string]any{"code": embedded[3]}, &session)
	var made struct{ Secret string }
	post(t, api+"/tenants/"+session.Tenant+"/endpoints", session.Token, map[string]any{"url": receiver, "events": []string{"order.paid"}}, &made)
	return made.Secret
}

func post(t *testing.T, address, token string, body, out any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := apiClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		t.Fatalf("%s answers %s: %s (%v)", address, resp.Status, answer, err)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		t.Fatal(err)
	}
}

// freePort returns a port that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	address, err := freeAddress()
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// shell is a bash in which commands run one after another, as in a terminal.
type shell struct {
	t     *testing.T
	dir   string // where it starts
	in    io.Writer
	lines chan string // closed when the shell ends
}

// startShell starts a shell whose programs end with the test.
func startShell(t *testing.T, environment ...string) *shell {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("bash", "-s")
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=" + filepath.Dir(binary) + ":" + os.Getenv("PATH"), "HOME=" + dir}, environment...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &shell{t: t, dir: dir, in: in, lines: make(chan string, 1000)}
	go func() {
		defer close(s.lines)
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			s.lines <- scanner.Text()
		}
	}()
	t.Cleanup(func() {
		if t.Failed() {
			for _, log := range []string{"bellwire.log", "shop.log", "receiver.log"} {
				if text, err := os.ReadFile(filepath.Join(dir, "platform", log)); err == nil { // it may not be there yet
					t.Logf("%s:\n%s", log, text)
				}
			}
		}
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // all that it started; some may have ended
		_ = cmd.Wait()                                      // reports that it was killed
	})
	return s
}

const stepDone = "the step is done with "

// run runs commands, which must succeed, and returns what they print.
func (s *shell) run(commands string) string {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), "step.sh")
	if err := os.WriteFile(file, []byte("set -e\n"+commands), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(s.in, "trap 'echo; echo \"%s$?\"' EXIT; . '%s' </dev/null; echo; echo '%s0'\n", stepDone, file, stepDone); err != nil {
		s.t.Fatal(err)
	}
	var said strings.Builder
	for timeout := time.After(4 * patience); ; {
		select {
		case line, open := <-s.lines:
			code, done := strings.CutPrefix(line, stepDone)
			switch {
			case done && code == "0":
				return said.String()
			case done, !open:
				s.t.Fatalf("the commands failed with %s:\n%s\n%s", code, commands, said.String())
			}
			fmt.Fprintln(&said, line)
		case <-timeout:
			s.t.Fatalf("the commands do not end:\n%s\n%s", commands, said.String())
		}
	}
}
