package test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/testenv"
)

func (s *server) get(path string) (status int, body string) {
	s.t.Helper()
	return s.getAs(path, "*/*")
}

// getAs reads a page of a media type.
func (s *server) getAs(path, accept string) (status int, body string) {
	s.t.Helper()
	req, err := http.NewRequest("GET", s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// publishCard adds an event type, publishes an event of it, and returns the event's id.
func (s *server) publishCard(data string) string {
	s.t.Helper()
	s.addType("card.created")
	id, err := s.publish("card.created", []byte(data))
	if err != nil {
		s.t.Fatal(err)
	}
	return id
}

// What operators and load balancers ask needs no key, and everything else does.
func TestOperatorsQuestions(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	s := startServer(t, t.TempDir(), local...)
	r := startReceiver(t, 0)
	s.subscribe(r.url)
	id := s.publishCard(`1`)
	r.await(t, []string{id})

	for path, want := range map[string]string{
		"/healthz":      `"alive"`,
		"/readyz":       `"ready"`,
		"/":             `"/docs"`,
		"/docs":         "<html",
		"/openapi.json": `"openapi"`,
	} {
		t.Run(path, func(t *testing.T) {
			if status, body := s.get(path); status != http.StatusOK || !strings.Contains(body, want) {
				t.Errorf("GET %s answered %d without %s: %.200s", path, status, want, body)
			}
		})
	}
	eventually(t, "the metrics show the delivery", func() bool {
		_, body := s.get("/metrics")
		return strings.Contains(body, "bellwire_events_total 1\n") &&
			strings.Contains(body, `bellwire_attempts_total{dialect="standard",outcome="ok",trigger="schedule"} 1`) &&
			strings.Contains(body, `bellwire_delivery_seconds_count{status="succeeded"} 1`) &&
			strings.Contains(body, "bellwire_backlog_deliveries 0\n")
	})
	if status, _ := s.get("/api/v1/tenants"); status != http.StatusUnauthorized {
		t.Errorf("without a key the API answered %d", status)
	}
	for _, path := range []string{"/no/such/page", "//docs", "//healthz", "/%FF"} { // none is another's address, to go on to
		t.Run(path, func(t *testing.T) {
			if status, body := s.get(path); status != http.StatusNotFound || !strings.Contains(body, `"not_found"`) {
				t.Errorf("GET %s answered %d: %s", path, status, body)
			}
		})
	}
	s.terminate()
}

// Endpoints on this machine cannot be reached unless the operator allows it, not even those that were stored before.
func TestPrivateNetworksAreRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := startServer(t, dir, local...)
	r := startReceiver(t, 0)
	s.subscribe(r.url)
	s.terminate()
	s = startServer(t, dir)
	s.publishCard(`1`)
	var deliveries struct{ Data []struct{ ID string } }
	s.call("GET", "/tenants/acme/deliveries", "", &deliveries)
	var delivery struct{ Attempts []struct{ Outcome string } }
	eventually(t, "the first attempt is recorded", func() bool {
		s.call("GET", "/tenants/acme/deliveries/"+deliveries.Data[0].ID, "", &delivery)
		return len(delivery.Attempts) > 0
	})
	if got := delivery.Attempts[0].Outcome; got != "blocked" {
		t.Errorf("the attempt ended with %q, want blocked", got)
	}
	if got := r.snapshot(); len(got) > 0 {
		t.Errorf("the receiver was reached: %v", got)
	}
	s.terminate()
}

// Who asks twice does not want to wait for a drain, and still loses nothing.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := startServer(t, dir, local...)
	r := startReceiver(t, patience) // answers too late for what the test waits for
	s.subscribe(r.url)
	id := s.publishCard(`1`)
	r.await(t, []string{id})

	started := time.Now()
	s.signal(syscall.SIGTERM)
	eventually(t, "the server drains", func() bool { return strings.Contains(s.logged(), `"draining"`) })
	var exit *exec.ExitError
	if err := s.terminateRepeatedly(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("after two signals the server ended with: %v", err)
	}
	if took := time.Since(started); took > r.delay/2 {
		t.Errorf("it took %s", took)
	}

	s = startServer(t, dir, local...)
	eventually(t, "the delivery is sent again", func() bool { return len(r.snapshot()[id]) == 2 })
	s.signal(syscall.SIGKILL)
}

// A drain ends with its time: what hangs is cut off, kept, and sent again after the next start.
func TestDrainTimeoutAbortsHangingAttempts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := startServer(t, dir, append(local, "--drain-timeout", "100ms")...)
	r := startReceiver(t, 10*time.Second)
	s.subscribe(r.url)
	id := s.publishCard(`1`)
	r.await(t, []string{id})
	s.terminate()
	if !strings.Contains(s.logged(), "drain timeout passed") {
		t.Errorf("the log does not say that something was cut off:\n%s", s.logged())
	}

	s = startServer(t, dir, local...)
	eventually(t, "the delivery is sent again", func() bool { return len(r.snapshot()[id]) == 2 })
	s.signal(syscall.SIGKILL)
}

// Every record of the log is JSON, and none holds a secret.
func TestLogs(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir(), append(local, "--log-level", "debug")...)
	r := startReceiver(t, 0)
	ep := s.subscribe(r.url)
	id := s.publishCard(`"confidential"`)
	r.await(t, []string{id})
	s.terminate()

	for line := range strings.Lines(s.logged()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
	for _, secret := range []string{ep.Secret, adminKey, "confidential"} {
		if strings.Contains(s.logged(), secret) {
			t.Errorf("the log contains %q", secret)
		}
	}
}

// Who is refused for its credentials is counted for each front end, and logged sparsely, without them.
func TestFailedAuthentication(t *testing.T) {
	t.Parallel()
	s := startServer(t, t.TempDir())
	const guess = "guess-guess-guess-guess"
	for path, headers := range map[string][]http.Header{
		"/api/v1/tenants":                          {{}, {"Authorization": {"Bearer " + guess}}},
		"/lending/events/event-types":              {{"Authorization": {"Bearer " + guess}}},
		"/api/v0.1/webhooks":                       {{"Identity": {guess}, "Authorization": {guess}}},
		"/webhooks":                                {{}},
		"/v1/webhooks":                             {{"Authorization": {"Bearer " + guess}}},
		"/api/v4/accounts/123456789012/webhooks":   {{"Authorization": {"Hmac " + guess}}},
		"/api/v1/tenants/acme/endpoints":           {{"Authorization": {"Basic " + guess}}},
		"/api/v1/tenants/acme/deliveries?status=x": {{}},
	} {
		for _, header := range headers {
			s.sendEncoded("GET", path, header, "", nil)
		}
	}
	status, _ := s.sendEncoded("POST", "/api/v1/tenants/acme/events", http.Header{"Authorization": {"Bearer " + guess}}, "", []byte("{}"))
	if status != http.StatusUnauthorized {
		t.Errorf("a publish with a guessed key answers %d", status)
	}
	if status, _ := s.sendEncoded("GET", "/api/v1/tenants", http.Header{"Authorization": {"Bearer " + adminKey}}, "", nil); status != http.StatusOK {
		t.Errorf("the right key answers %d", status)
	}
	_, metrics := s.get("/metrics")
	for _, want := range []string{
		`{front_end="api",reason="missing"} 2`, `{front_end="api",reason="invalid"} 3`, `{front_end="akkuro",reason="invalid"} 1`,
		`{front_end="atelio",reason="invalid"} 1`, `{front_end="azakaw",reason="missing"} 1`, `{front_end="lemon",reason="invalid"} 1`,
		`{front_end="bluefin",reason="invalid"} 1`,
	} {
		if !strings.Contains(metrics, "bellwire_authentication_failures_total"+want+"\n") {
			t.Errorf("the metrics lack %s", want)
		}
	}
	s.terminate()
	if log := s.logged(); strings.Count(log, "authentication failed") == 0 || strings.Count(log, "authentication failed") > 4 ||
		!strings.Contains(log, `"from":"127.0.0.1"`) || strings.Contains(log, guess) {
		t.Errorf("the log:\n%s", log)
	}
}
