package test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/testenv"
)

// waitingFor is what an answer says that a delivery waits for.
type waitingFor struct{ Reason, Behind, Node string }

// Three nodes are asked why deliveries wait and what became of events. Each answers truly, whichever of them sends for the endpoint;
// what only that one knows, the others say of it.
func TestWaitsAreExplainedOnEveryNode(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	_, option := newDatabase(t)
	dir := t.TempDir()
	nodes := make(map[string]*server)
	for i := range 3 {
		name := fmt.Sprint("node", i)
		nodes[name] = startServer(t, dir, append([]string{option, "--node", name}, local...)...)
	}
	eventually(t, "all nodes have their share", func() bool {
		for _, node := range nodes {
			if owned := node.metric("bellwire_owned_shards"); owned < 80 || owned > 90 {
				return false
			}
		}
		return true
	})
	s := nodes["node0"]
	s.call("POST", "/tenants", `{"id": "acme"}`, nil)
	overloaded := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	t.Cleanup(overloaded.Close)
	// Each endpoint gets events of its own type.
	const refused = `"url": "http://127.0.0.1:9/", `
	for id, more := range map[string]string{
		"paused":  refused + `"status": "paused"`,
		"resting": fmt.Sprintf(`"url": %q, "retry": {"schedule": ["1h"]}`, overloaded.URL),
		"limited": refused + `"rate_limit": 0.001, "retry": {"schedule": ["1h"]}`,
		"ordered": refused + `"ordering": "fifo", "retry": {"schedule": ["1h"]}`,
		// Ten failures in a row within more than a minute open the circuit breaker.
		"broken": refused + `"retry": {"schedule": ["3s", "4s", "5s", "6s", "7s", "8s", "9s", "10s", "11s", "1h"]}`,
	} {
		s.addType(id)
		s.call("POST", "/tenants/acme/endpoints", fmt.Sprintf(`{"id": %q, "events": [%q], %s}`, id, id, more), nil)
	}
	publish := func(eventType string) (event string) {
		t.Helper()
		event, err := s.publish(eventType, []byte("1"))
		if err != nil {
			t.Fatal(err)
		}
		return event
	}
	status := func(event string) string {
		var d struct{ Status string }
		s.call("GET", "/tenants/acme/deliveries/"+s.deliveryOf(event), "", &d)
		return d.Status
	}
	retrying := func(event string) {
		t.Helper()
		eventually(t, "the delivery waits for its retry", func() bool { return status(event) == "retrying" })
	}

	broken := publish("broken")
	first := publish("ordered")
	retrying(first)
	limited := publish("limited")
	retrying(limited)
	retrying(publish("resting"))
	type wait struct {
		event string
		want  string // of all nodes, unless the owner alone knows
		owner string // of the owner; empty: like others
	}
	// answers waits until all nodes say what they should, and returns what they say.
	answers := func(what string, c wait) (got map[string]waitingFor) {
		t.Helper()
		delivery := s.deliveryOf(c.event)
		eventually(t, "all nodes say what waits for "+what, func() bool {
			got = make(map[string]waitingFor)
			owners := 0
			for name, node := range nodes {
				var d struct {
					WaitingFor waitingFor `json:"waiting_for"`
				}
				node.call("GET", "/tenants/acme/deliveries/"+delivery, "", &d)
				got[name] = d.WaitingFor
				switch d.WaitingFor.Reason {
				case c.owner:
					owners++
				case c.want:
				default:
					return false
				}
			}
			return c.owner == "" || owners == 1
		})
		return got
	}
	for what, c := range map[string]wait{
		"an endpoint that is paused":  {publish("paused"), "paused", ""},
		"an endpoint that rests":      {publish("resting"), "rest", ""},
		"the first of an order":       {first, "retry", ""},
		"one behind another in order": {publish("ordered"), "order", ""},
		"a retry":                     {limited, "retry", ""},
		"a rate limit":                {publish("limited"), "other_node", "rate_limit"},
	} {
		got := answers(what, c)
		for name, w := range got {
			if c.want == "order" && w.Behind != s.deliveryOf(first) {
				t.Errorf("%s: %s says behind %s, want %s", what, name, w.Behind, s.deliveryOf(first))
			}
			if c.owner != "" && w.Reason != c.owner && got[w.Node].Reason != c.owner {
				t.Errorf("%s: %s says that %q knows, which says %+v", what, name, w.Node, got)
			}
		}
		eventually(t, "all nodes explain the event of "+what+" alike", func() bool {
			answers := make(map[string]string)
			for name, node := range nodes {
				var e struct{ Endpoints json.RawMessage }
				node.call("GET", "/tenants/acme/events/"+c.event, "", &e)
				answers[string(e.Endpoints)] = name
			}
			return len(answers) == 1 && len(slices.Collect(maps.Keys(answers))[0]) > 100
		})
	}
	for n := range 10 {
		eventually(t, fmt.Sprintf("attempt %d is made", n+1), func() bool {
			var d struct {
				Attempts int `json:"attempt_count"`
			}
			s.call("GET", "/tenants/acme/deliveries/"+s.deliveryOf(broken), "", &d)
			return d.Attempts > n
		})
	}
	others := 0
	for name, w := range answers("an open circuit breaker", wait{event: publish("broken"), want: "breaker"}) {
		if w.Node != "" && w.Node != name {
			others++
		}
	}
	if others != 2 {
		t.Errorf("%d nodes say that another one sends for the endpoint, want 2", others)
	}
	for _, node := range nodes {
		node.terminate()
	}
}

// deliveryOf returns the id of the one delivery of an event of acme.
func (s *server) deliveryOf(event string) string {
	s.t.Helper()
	var page struct{ Data []struct{ ID string } }
	s.call("GET", "/tenants/acme/deliveries?event="+event, "", &page)
	if len(page.Data) != 1 {
		s.t.Fatalf("event %s has %d deliveries", event, len(page.Data))
	}
	return page.Data[0].ID
}

// metric returns the value of a metric without labels.
func (s *server) metric(name string) (value float64) {
	s.t.Helper()
	_, page := s.get("/metrics")
	for line := range strings.Lines(page) {
		if text, found := strings.CutPrefix(line, name+" "); found {
			if _, err := fmt.Sscan(text, &value); err != nil {
				s.t.Fatal(err)
			}
			return value
		}
	}
	s.t.Fatalf("no metric %s", name)
	return 0
}
