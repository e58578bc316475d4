//go:build unix

package test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/bellwire/bellwire/internal/testenv"
)

// withFiles has a command run with a limit on open files.
func withFiles(limit int, cmd *exec.Cmd) *exec.Cmd {
	wrapped := exec.Command("/bin/sh", append([]string{"-c", `ulimit -n "$1" && shift && exec "$@"`, "sh", fmt.Sprint(limit)}, cmd.Args...)...)
	wrapped.Dir = cmd.Dir
	return wrapped
}

// hangingReceiver accepts connections and answers nothing.
func hangingReceiver(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				_, _ = io.Copy(io.Discard, c) // until the sender gives up
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	return "http://" + l.Addr().String()
}

// With few file descriptors and more hanging endpoints than that, clients are still served, events still arrive at endpoints
// that answer, and nothing fails for lack of a descriptor.
func TestHangingEndpointsLeaveDescriptors(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	const limit, hanging = 512, 620
	url := hangingReceiver(t)
	s := launch(t, withFiles(limit, serve(t.TempDir(), local...)))
	if !strings.Contains(s.logged(), `"limit":512`) || !strings.Contains(s.logged(), "LimitNOFILE") {
		t.Errorf("the low limit was not warned of:\n%s", s.logged())
	}
	s.addType("ping")
	r := startReceiver(t, 0)
	s.subscribe(r.url)
	first, err := s.publish("ping", []byte("0"))
	if err != nil {
		t.Fatal(err)
	}
	events := []string{first}
	r.await(t, events)
	s.call("POST", "/tenants", `{"id": "slow"}`, nil)
	var making sync.WaitGroup
	for i := range 8 {
		making.Go(func() {
			for n := i; n < hanging; n += 8 {
				status, answer, err := s.do("POST", "/tenants/slow/endpoints", fmt.Appendf(nil, `{"url": "%s/%d", "events": ["*"]}`, url, n))
				if err != nil || status != http.StatusCreated {
					t.Errorf("an endpoint was answered %d %s: %v", status, answer, err)
					return
				}
			}
		})
	}
	making.Wait()
	s.call("POST", "/tenants/slow/events", `{"type": "ping", "data": 1}`, nil)
	eventually(t, "many requests hang", func() bool {
		_, metrics := s.get("/metrics")
		return strings.Contains(metrics, "bellwire_in_flight_requests 32\n") // a tenant's half of what is for endpoints that may hang, which is half of a quarter of the limit
	})

	for range 50 {
		fresh := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := fresh.Get(s.url + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("/readyz answered %d", resp.StatusCode)
		}
		id, err := s.publish("ping", []byte("1"))
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, id)
	}
	r.await(t, events)
	_, metrics := s.get("/metrics")
	for _, want := range []string{`bellwire_node_faults_total{kind="descriptors"} 0`, `bellwire_open_breakers 0`} {
		if !strings.Contains(metrics, want+"\n") {
			t.Errorf("the metrics do not say %s", want)
		}
	}
	s.kill()
}

// With very few file descriptors, and more tenants with hanging endpoints than requests can be in flight to such endpoints, another
// tenant's events are still accepted and delivered, to endpoints that have answered before and to new ones.
func TestHangingEndpointsOfManyTenantsLeaveDescriptors(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	const limit, tenants = 256, 40 // 32 requests can be in flight to endpoints that may hang
	url := hangingReceiver(t)
	s := launch(t, withFiles(limit, serve(t.TempDir(), local...)))
	s.addType("ping")
	r := startReceiver(t, 0)
	s.subscribe(r.url)
	first, err := s.publish("ping", []byte("0"))
	if err != nil {
		t.Fatal(err)
	}
	events := []string{first}
	r.await(t, events)
	for i := range tenants {
		s.call("POST", "/tenants", fmt.Sprintf(`{"id": "slow%d"}`, i), nil)
		for n := range 2 {
			s.call("POST", fmt.Sprintf("/tenants/slow%d/endpoints", i), fmt.Sprintf(`{"url": "%s/%d/%d", "events": ["*"]}`, url, i, n), nil)
		}
	}
	for i := range tenants {
		s.call("POST", fmt.Sprintf("/tenants/slow%d/events", i), `{"type": "ping", "data": 1}`, nil)
	}
	eventually(t, "as many requests hang as can", func() bool {
		_, metrics := s.get("/metrics")
		return strings.Contains(metrics, "bellwire_in_flight_requests 32\n")
	})
	for range 50 {
		id, err := s.publish("ping", []byte("1"))
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, id)
	}
	r.await(t, events)
	fresh := startReceiver(t, 0)
	s.call("POST", "/tenants/acme/endpoints", fmt.Sprintf(`{"url": %q, "events": ["*"]}`, fresh.url), nil)
	id, err := s.publish("ping", []byte("2"))
	if err != nil {
		t.Fatal(err)
	}
	fresh.await(t, []string{id})
	if _, metrics := s.get("/metrics"); !strings.Contains(metrics, `bellwire_node_faults_total{kind="descriptors"} 0`+"\n") {
		t.Error("something failed for lack of a descriptor")
	}
	s.kill()
}
