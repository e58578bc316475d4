package test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// alarming finds the counters of the rules that alert operators, and their conditions on labels.
var alarming = regexp.MustCompile(`(?:rate|increase)\((bellwire_[a-z_]+_total)(?:\{([^}]*)\})?\[`)

// Customers' broken endpoints are theirs to mend. However they fail, and however often, no rule that alerts the operators is
// touched, and the log has no errors.
func TestBrokenEndpointsAlarmNobody(t *testing.T) {
	t.Parallel()
	const tenants, events = 3, 20
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, err := strconv.Atoi(r.URL.Path[1:])
		if err != nil { // it dies in the middle of its answer
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(broken.Close)
	away, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	away.Close()
	urls := []string{
		broken.URL + "/404", broken.URL + "/500", broken.URL + "/301", broken.URL + "/dies", // bad answers
		"http://" + away.Addr().String(),                  // nobody listens
		strings.Replace(broken.URL, "http:", "https:", 1), // no TLS there
	}
	s := startServer(t, t.TempDir(), local...)
	s.addType("card.created")
	batch := `{"events": [` + strings.Repeat(`{"type": "card.created", "data": 1},`, events-1) + `{"type": "card.created", "data": 1}]}`
	for n := range tenants {
		path := fmt.Sprint("/tenants/t", n)
		s.call("POST", "/tenants", fmt.Sprintf(`{"id": "t%d"}`, n), nil)
		for _, url := range urls {
			s.call("POST", path+"/endpoints", fmt.Sprintf(`{"url": %q, "events": ["*"], "retry": {"schedule": []}}`, url), nil)
		}
		s.call("POST", path+"/events/batch", batch, nil)
	}
	eventually(t, "all deliveries have ended", func() bool {
		_, page := s.get("/metrics")
		return strings.Contains(page, fmt.Sprintf("bellwire_delivery_seconds_count{status=\"exhausted\"} %d\n", tenants*events*len(urls)))
	})
	rules, err := os.ReadFile("../deploy/prometheus/bellwire.rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, page := s.get("/metrics")
	var found [][]string
	for _, rule := range ruleExpr.FindAllStringSubmatch(string(rules), -1) {
		if !strings.Contains(rule[1], " and ") { // such a rule compares counters that may grow
			found = append(found, alarming.FindAllStringSubmatch(rule[1], -1)...)
		}
	}
	if len(found) < 5 {
		t.Fatalf("only %d counters are in the rules", len(found))
	}
	for _, rule := range found {
		series := 0
		for line := range strings.Lines(page) {
			if strings.HasPrefix(line, rule[1]) && strings.Contains(line, rule[2]) {
				if series++; !strings.HasSuffix(line, " 0\n") {
					t.Errorf("an alert would be raised: %s", line)
				}
			}
		}
		if series == 0 {
			t.Errorf("there is no series of %s", rule[0])
		}
	}
	for line := range strings.Lines(s.logged()) {
		if strings.Contains(line, "level=ERROR") || strings.Contains(line, `"level":"ERROR"`) {
			t.Errorf("logged: %s", line)
		}
	}
	s.terminate()
}
