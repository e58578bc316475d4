package test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/bellwire/bellwire/internal/testenv"
)

// Nodes are killed at the moment at which endpoints begin to fail, each of them once, so that the one that publishes operational
// events is among them. In the end there is exactly one event for each thing that has happened to each endpoint.
func TestOperationalEventsSurviveKills(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		killAtTransitions(t, 1, func(int) *server { return startServer(t, dir, local...) })
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		_, option := newDatabase(t)
		dir := t.TempDir()
		killAtTransitions(t, 3, func(node int) *server {
			return startServer(t, dir, append([]string{option, "--node", fmt.Sprint("node", node)}, local...)...)
		})
	})
}

// failer answers every request with 500, and calls a function when a number of them has come.
type failer struct {
	mu    sync.Mutex
	until int
	then  func()
}

func (f *failer) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	_, _ = io.Copy(io.Discard, req.Body) // its sender may be dead
	w.WriteHeader(http.StatusInternalServerError)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.until--; f.until == 0 {
		f.then()
	}
}

func (f *failer) after(requests int, then func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.until, f.then = requests, then
}

// killAtTransitions has endpoints of acme fail while nodes are killed, and expects the operational events.
func killAtTransitions(t *testing.T, nodes int, start func(node int) *server) {
	const each = 6 // endpoints in a round
	bad := new(failer)
	failing := httptest.NewServer(bad)
	t.Cleanup(failing.Close)
	operators := startReceiver(t, 0)
	all := make([]*server, nodes)
	for i := range all {
		all[i] = start(i)
	}
	s := all[0]
	s.call("POST", "/tenants", `{"id": "acme"}`, nil)
	s.call("POST", "/tenants/bellwire/endpoints", fmt.Sprintf(
		`{"url": %q, "events": ["bellwire.*"], "retry": {"interval": "20ms", "count": 100}}`, operators.url), nil)
	const rounds = 3
	for round := range rounds {
		s.addTypeSoon(fmt.Sprint("round.", round))
		dying := round % nodes
		publisher := all[(dying+1)%nodes] // another one, if there is one
		for i := range each {
			publisher.call("POST", "/tenants/acme/endpoints", fmt.Sprintf(
				`{"id": "ep-%d-%d", "url": %q, "events": ["round.%d"], "retry": {"schedule": []}}`, round, i, failing.URL, round), nil)
		}
		killed := make(chan struct{})
		bad.after(1+round, func() {
			_ = all[dying].cmd.Process.Kill()
			close(killed)
		})
		_, _ = publisher.publish(fmt.Sprint("round.", round), []byte("{}")) // it may be the one that dies
		<-killed
		<-all[dying].exited
		all[dying] = start(dying)
		s = all[dying]
	}
	var told map[string]int // by type and endpoint
	eventually(t, "all that happened is told", func() bool {
		told = s.operational()
		return len(told) >= rounds*each*3
	})
	eventually(t, "all of it arrives", func() bool { return len(operators.snapshot()) >= rounds*each*3 })
	for round := range rounds {
		for i := range each {
			for _, what := range []string{"endpoint.created", "delivery.exhausted", "endpoint.failing"} {
				event := fmt.Sprintf("bellwire.%s ep-%d-%d", what, round, i)
				if told[event] != 1 {
					t.Errorf("%s is told %d times", event, told[event])
				}
				delete(told, event)
			}
		}
	}
	if len(told) > 0 {
		t.Errorf("something else is told: %v", told)
	}
	for _, node := range all {
		node.terminate()
	}
}

// operational counts the operational events that are stored for operators, by type and endpoint.
func (s *server) operational() map[string]int {
	s.t.Helper()
	var page struct {
		Data []struct {
			Type string
			Data struct{ Endpoint struct{ ID string } }
		}
	}
	s.call("GET", "/tenants/bellwire/events?limit=250", "", &page)
	told := make(map[string]int)
	for _, e := range page.Data {
		told[e.Type+" "+e.Data.Endpoint.ID]++
	}
	return told
}
