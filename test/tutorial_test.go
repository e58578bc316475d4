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
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/pgtest"
)

// TestTutorial follows docs/tutorial.md word for word, in one shell. On this machine it uses other addresses, and requests of the
// portal's session play the customer. BELLWIRE_FRESH names a package: a new Debian is booted then, on which docs/install.md is followed as
// well, at the addresses that the pages name, and the customer uses a browser: make fresh.
func TestTutorial(t *testing.T) {
	t.Parallel()
	pgtest.Needed(t)
	page := string(mustRead(t, "../docs/tutorial.md"))
	_, install, _ := strings.Cut(string(mustRead(t, "../docs/install.md")), "\n## Debian, ")
	install, _, _ = strings.Cut(install, "\n## ")
	for _, command := range blocks(page, "bash") { // they need a whole system
		if !strings.Contains(install, strings.TrimSpace(command)) {
			t.Errorf("docs/install.md does not say %s", command)
		}
	}
	sql := blocks(page, "sql")[0]
	deb := os.Getenv("BELLWIRE_FRESH")
	if deb == "" {
		readerHere(t, sql).follow(page)
		return
	}
	packaged := blocks(install, "sh")
	r := readerOnFreshDebian(t, deb)
	r.sh.run(strings.ReplaceAll(packaged[0], "bellwire_0.1.0_amd64.deb", filepath.Base(deb)))
	r.sh.run("sudo -u postgres psql -v ON_ERROR_STOP=1 <<'EOF'\n" + sql + "EOF")
	r.follow(page)
	r.sh.run("kill $(jobs -p) || true; wait")
	for _, step := range []string{
		packaged[1],
		"sudo systemctl is-active bellwire", packaged[2],
		"sudo apt install --reinstall ~/" + filepath.Base(deb) + "; sudo systemctl is-active bellwire; until bellwire ready; do sleep 1; done",
		"sudo apt remove -y bellwire; sudo test -s /var/lib/bellwire/bellwire.db; sudo test -s /var/lib/bellwire-keyset/bellwire.keyset",
	} {
		r.sh.run(step)
	}
}

// reader is somebody who follows the tutorial.
type reader struct {
	sh       *shell
	here     []string               // what the page says, and what it is here, in turn
	customer func() (secret string) // adds an endpoint in the portal
}

// follow runs the commands of the tutorial.
func (r reader) follow(page string) {
	r.sh.t.Helper()
	steps := blocks(page, "sh")
	refused := false
	for _, step := range steps {
		if strings.Contains(step, "whsec_…") {
			r.here = append(r.here, "whsec_…", r.customer())
		}
		said := r.sh.run(strings.NewReplacer(r.here...).Replace(step))
		refused = refused || strings.Contains(said, "401")
	}
	if len(steps) < 9 || !refused {
		r.sh.t.Errorf("%d steps were run; a forgery was refused: %v", len(steps), refused)
	}
}

// readerHere follows the tutorial beside other tests, at addresses that are free.
func readerHere(t *testing.T, sql string) reader {
	database, err := pgtest.Start("fsync=on", "full_page_writes=on")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := database.Stop(); err != nil {
			t.Error(err)
		}
	})
	for statement := range strings.Lines(strings.TrimSpace(sql)) {
		if err := database.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	postgres, err := url.Parse(database.URL("bellwire"))
	if err != nil {
		t.Fatal(err)
	}
	bellwire, shop, receiver := freePort(t), freePort(t), freePort(t)
	return reader{
		sh:       startShell(t, "BELLWIRE_LISTEN=127.0.0.1:"+bellwire, "BELLWIRE_SERVER=http://127.0.0.1:"+bellwire),
		here:     []string{"127.0.0.1:5432", postgres.Host, "8080", bellwire, "3000", shop, "9090", receiver},
		customer: func() string { return addEndpoint(t, "http://127.0.0.1:"+shop+"/", "http://127.0.0.1:"+receiver+"/") },
	}
}

// readerOnFreshDebian has a package and a Debian that is made and booted for it, in a network of its own.
func readerOnFreshDebian(t *testing.T, deb string) reader {
	root, home := t.TempDir(), "/home/reader"
	mustRun(t, "./fresh-debian", "make", root)
	mustRun(t, "cp", deb, filepath.Join(root, home))
	machine := exec.Command("./fresh-debian", "boot", root)
	if err := machine.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := machine.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = machine.Wait() // reports that it was killed
	})
	inside := []string{"run", strconv.Itoa(machine.Process.Pid), "reader"}
	eventually(t, "PostgreSQL runs", func() bool {
		return exec.CommandContext(t.Context(), "./fresh-debian", append(inside, "sudo", "-u", "postgres", "psql", "-c", "SELECT 1")...).Run() == nil
	})
	return reader{
		sh: followShell(t, exec.Command("./fresh-debian", append(inside, "bash", "-c", "cd; exec bash -s")...), filepath.Join(root, home), home),
		customer: func() string {
			browser := []string{"node", "../web/scripts/customer.mjs", "http://127.0.0.1:3000/", "http://127.0.0.1:9090/", "order.paid"}
			secret := mustRun(t, "nsenter", append([]string{"--net", "--target", strconv.Itoa(machine.Process.Pid), "--"}, browser...)...)
			return strings.TrimSpace(secret)
		},
	}
}

// mustRun runs a command, which must succeed, and returns what it prints.
func mustRun(t *testing.T, name string, args ...string) string {
	t.Helper()
	text, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, text)
	}
	return string(text)
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
	t      *testing.T
	dir    string // in which it starts
	inside string // the same as the shell sees it
	in     io.Writer
	lines  chan string // closed when the shell ends
}

// startShell starts a shell in a new folder.
func startShell(t *testing.T, environment ...string) *shell {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("bash", "-s")
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=" + filepath.Dir(binary) + ":" + os.Getenv("PATH"), "HOME=" + dir}, environment...)
	return followShell(t, cmd, dir, dir)
}

// followShell starts a command that is a shell, and whose programs end with the test.
func followShell(t *testing.T, cmd *exec.Cmd, dir, inside string) *shell {
	t.Helper()
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
	s := &shell{t: t, dir: dir, inside: inside, in: in, lines: make(chan string, 1000)}
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
	const file = "step.sh" // bash reads it as a whole
	if err := os.WriteFile(filepath.Join(s.dir, file), []byte("set -e\n"+commands), 0o644); err != nil {
		s.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(s.in, "trap 'code=$?; echo; echo \"%s$code\"' EXIT; . '%s' </dev/null; echo; echo '%s0'\n", stepDone, path.Join(s.inside, file), stepDone); err != nil {
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
