package test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// A probe answers with its attempt, which opens a connection of its own, whatever comes of it and whatever the endpoint's status
// is. It changes nothing about the endpoint's health unless the endpoint is enabled and acknowledges it.
func TestProbe(t *testing.T) {
	t.Parallel()
	for name, args := range map[string]func(t *testing.T) []string{
		"SQLite": func(*testing.T) []string { return local },
		"PostgreSQL": func(t *testing.T) []string {
			_, option := newDatabase(t)
			return append(local, option)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			probe(t, startServer(t, t.TempDir(), args(t)...))
		})
	}
}

func probe(t *testing.T, s *server) {
	var down atomic.Bool
	var connections atomic.Int32
	r := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	r.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	r.Start()
	t.Cleanup(r.Close)
	ep := s.subscribe(r.URL)
	s.addType("ping")
	type found struct {
		Delivery, Trigger, Outcome, Error string
		Timings                           struct{ Connect, FirstByte, Total float64 }
		Response                          *struct{ Status int }
	}
	look := func() (f found) {
		t.Helper()
		s.call("POST", "/tenants/acme/endpoints/"+ep.ID+"/probe", "", &f)
		return f
	}
	for n := range int32(2) {
		f := look()
		if f.Outcome != "ok" || f.Trigger != "test" || f.Response == nil || f.Response.Status != 200 || f.Timings.Connect <= 0 || f.Timings.Total <= 0 {
			t.Errorf("a probe of a receiver that works: %+v", f)
		}
		if got := connections.Load(); got != n+1 {
			t.Errorf("after %d probes there were %d connections", n+1, got)
		}
	}
	down.Store(true)
	f := look()
	if f.Outcome != "status" || f.Error == "" || f.Response == nil || f.Response.Status != 503 {
		t.Errorf("a probe of a receiver that is down: %+v", f)
	}
	type health struct {
		State    string
		Failures int
		Since    string
	}
	healthNow := func() health {
		t.Helper()
		var shown struct{ Health health }
		s.call("GET", "/tenants/acme/endpoints/"+ep.ID, "", &shown)
		return shown.Health
	}
	if got := healthNow(); got.State != "healthy" || got.Failures != 0 {
		t.Errorf("after a probe that failed, the health is %+v", got)
	}
	// A test has no schedule that could begin again: it is tried once more.
	type delivery struct {
		Status   string
		Attempts []struct{ Trigger string }
	}
	var restarted delivery
	s.call("POST", "/tenants/acme/deliveries/"+f.Delivery+"/retry", `{"restart": true}`, nil)
	eventually(t, "the test is tried again", func() bool {
		restarted = delivery{}
		s.call("GET", "/tenants/acme/deliveries/"+f.Delivery, "", &restarted)
		return len(restarted.Attempts) == 2
	})
	for _, attempt := range restarted.Attempts {
		if restarted.Status != "exhausted" || attempt.Trigger != "test" {
			t.Errorf("the restart of a test: %+v", restarted)
		}
	}

	s.call("PATCH", "/tenants/acme/endpoints/"+ep.ID, `{"retry": {"schedule": ["1h"]}}`, nil)
	for range 3 {
		if _, err := s.publish("ping", []byte("1")); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the endpoint fails", func() bool { return healthNow().State == "failing" && healthNow().Failures == 3 })
	down.Store(false)
	for _, status := range []string{"paused", "disabled"} {
		s.call("PATCH", "/tenants/acme/endpoints/"+ep.ID, `{"status": "`+status+`"}`, nil)
		before := healthNow()
		if f := look(); f.Outcome != "ok" || f.Trigger != "test" || f.Timings.Total <= 0 {
			t.Errorf("a probe of an endpoint that is %s: %+v", status, f)
		}
		if got := healthNow(); got != before {
			t.Errorf("a probe of an endpoint that is %s has changed its health from %+v to %+v", status, before, got)
		}
	}
	// A session that may test and may not see secrets does not see those of the URL either.
	s.call("PATCH", "/tenants/acme/endpoints/"+ep.ID, `{"url": "`+r.URL+`/?token=only-the-owner-knows"}`, nil)
	var made struct{ URL string }
	s.call("POST", "/tenants/acme/portal-sessions", `{"capabilities": ["view", "test"]}`, &made)
	_, code, _ := strings.Cut(made.URL, "#code=")
	var session struct{ Token string }
	post(t, s.url+"/api/v1/portal-sessions/exchange", "", map[string]any{"code": code}, &session)
	var shown struct{ Request struct{ URL string } }
	post(t, s.url+"/api/v1/tenants/acme/endpoints/"+ep.ID+"/probe", session.Token, nil, &shown)
	if want := r.URL + "/?token=[redacted]"; shown.Request.URL != want {
		t.Errorf("the session sees %s, want %s", shown.Request.URL, want)
	}
	r.Close()
	if f := look(); f.Outcome != "connect" || f.Response != nil {
		t.Errorf("a probe of no receiver: %+v", f)
	}
}
