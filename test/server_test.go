package test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	adminKey = "an-admin-key-for-tests"
	patience = 2 * time.Minute // for what happens at once where the machine is idle and fast
)

// server is a running bellwire.
type server struct {
	t   *testing.T
	cmd *exec.Cmd
	url string
	key string // an admin's

	mu  sync.Mutex
	log bytes.Buffer

	exited chan error // capacity 1
}

// local lets a server deliver to receivers on this machine, and endpoints there be tried again as soon as tests want.
var local = []string{"--allow-network", "127.0.0.0/8", "--limit", "min_retry_delay=1ms"}

// startServer starts a server on the files of dir, and ends it with the test.
func startServer(t *testing.T, dir string, args ...string) *server {
	t.Helper()
	return launch(t, serve(dir, args...))
}

// serve is the command line of a server on the files of dir.
func serve(dir string, args ...string) *exec.Cmd {
	args = append([]string{
		"serve", "--listen", "127.0.0.1:0", "--database-url", "sqlite://" + filepath.Join(dir, "bellwire.db"),
		"--admin-key", adminKey, "--log-format", "json",
	}, args...)
	cmd := exec.Command(binary, args...)
	cmd.Dir = dir
	return cmd
}

// launch starts a server, and ends it with the test.
func launch(t *testing.T, cmd *exec.Cmd) *server {
	t.Helper()
	s := &server{t: t, cmd: cmd, key: adminKey, exited: make(chan error, 1)}
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	listening := make(chan string, 1)
	go s.follow(stderr, listening)
	t.Cleanup(func() {
		s.cmd.Process.Kill() // it has ended already, if the test went well
		if t.Failed() {
			t.Logf("the server's log:\n%s", s.logged())
		}
	})
	select {
	case s.url = <-listening:
	case err := <-s.exited:
		t.Fatalf("the server ended at once: %v\n%s", err, s.logged())
	case <-time.After(patience):
		t.Fatalf("the server does not listen\n%s", s.logged())
	}
	return s
}

// follow keeps the log, finds the address in it, and reports the end of the process.
func (s *server) follow(stderr io.Reader, listening chan<- string) {
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		s.mu.Lock()
		fmt.Fprintln(&s.log, lines.Text())
		s.mu.Unlock()
		var record struct{ Msg, Address string }
		if json.Unmarshal(lines.Bytes(), &record) == nil && record.Msg == "listening" {
			listening <- "http://" + record.Address
		}
	}
	s.exited <- s.cmd.Wait()
}

func (s *server) logged() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// terminate asks the server to end and waits until it has, with exit code 0.
func (s *server) terminate() {
	s.t.Helper()
	s.signal(syscall.SIGTERM)
	if err := s.wait(); err != nil {
		s.t.Fatalf("after SIGTERM the server ended with: %v\n%s", err, s.logged())
	}
}

// signal sends a signal to the server.
func (s *server) signal(sig os.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// kill ends the server as a power loss would, but for the disk.
func (s *server) kill() {
	s.t.Helper()
	s.signal(os.Kill)
	var exit *exec.ExitError
	if err := s.wait(); !errors.As(err, &exit) {
		s.t.Fatalf("the killed server ended with: %v", err)
	}
}

func (s *server) wait() error {
	s.t.Helper()
	select {
	case err := <-s.exited:
		return err
	case <-time.After(patience):
		s.t.Fatalf("the server does not end\n%s", s.logged())
		return nil
	}
}

// terminateRepeatedly sends SIGTERM until the server exits, and returns its exit error.
func (s *server) terminateRepeatedly() error {
	s.t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		select {
		case err := <-s.exited:
			return err
		case <-again.C:
			_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may just have ended
		}
	}
	s.t.Fatalf("the server does not end\n%s", s.logged())
	return nil
}

// do makes a request of the native API with the admin key. Its error means that there was no whole answer.
func (s *server) do(method, path string, body []byte) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+"/api/v1"+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := apiClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// apiClient keeps a connection for each of a test's publishers.
var apiClient = &http.Client{
	Timeout:   patience,
	Transport: &http.Transport{MaxIdleConnsPerHost: 64},
}

// call makes a request that must succeed, and reads the answer into out unless that is nil.
func (s *server) call(method, path, body string, out any) {
	s.t.Helper()
	status, answer, err := s.do(method, path, []byte(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if status >= 300 {
		s.t.Fatalf("%s %s answered %d: %s", method, path, status, answer)
	}
	if out != nil {
		if err := json.Unmarshal(answer, out); err != nil {
			s.t.Fatalf("%s %s answered %s: %v", method, path, answer, err)
		}
	}
}

// endpoint is what its creation answers.
type endpoint struct{ ID, Secret string }

// subscribe makes the tenant "acme" with an endpoint for all events at the URL.
func (s *server) subscribe(url string) endpoint {
	s.t.Helper()
	s.call("POST", "/tenants", `{"id": "acme"}`, nil)
	var ep endpoint
	s.call("POST", "/tenants/acme/endpoints",
		fmt.Sprintf(`{"url": %q, "events": ["*"], "retry": {"schedule": ["1s", "1s", "1s", "1s", "1s"]}}`, url), &ep)
	if !strings.HasPrefix(ep.Secret, "whsec_") {
		s.t.Fatalf("the endpoint's secret is %q", ep.Secret)
	}
	return ep
}

func (s *server) addType(name string) {
	s.t.Helper()
	s.call("PUT", "/event-types/"+name, `{}`, nil)
}

// addTypeSoon adds an event type, again while the server answers that its database is away: connections that were cut are
// found out one by one, also after the server is ready again.
func (s *server) addTypeSoon(name string) {
	s.t.Helper()
	eventually(s.t, "the event type is taken", func() bool {
		status, answer, err := s.do("PUT", "/event-types/"+name, []byte(`{}`))
		if err != nil || status != http.StatusServiceUnavailable && status >= 300 {
			s.t.Fatalf("PUT /event-types/%s answered %d: %s, %v", name, status, answer, err)
		}
		return status < 300
	})
}

// publish publishes bytes as they are, and returns the event's id.
func (s *server) publish(eventType string, data []byte) (string, error) {
	body := append(fmt.Appendf(nil, `{"type": %q, "data": `, eventType), data...)
	return s.publishBody(append(body, '}'))
}

func (s *server) publishBody(body []byte) (string, error) {
	status, answer, err := s.do("POST", "/tenants/acme/events", body)
	if err != nil {
		return "", err
	}
	if status != http.StatusAccepted {
		return "", fmt.Errorf("publish answered %d: %s", status, answer)
	}
	var receipt struct{ ID string }
	if err := json.Unmarshal(answer, &receipt); err != nil {
		return "", err
	}
	return receipt.ID, nil
}

// eventually waits until the condition holds, and fails the test if it never does. It looks more and more rarely, because many
// conditions take requests, which would slow down what is waited for.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	const rarely = 50 * time.Millisecond
	deadline := time.Now().Add(patience)
	for pause := time.Millisecond; !holds(); pause = min(2*pause, rarely) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s in vain until %s", patience, what)
		}
		time.Sleep(pause)
	}
}

// mustRead reads a file of the repository.
func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
