package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/bellwire/bellwire/internal/testenv"
)

// keyReceiver is a receiver that refuses each event once or not at all, and notes the order in which the events of each key came first.
type keyReceiver struct {
	mu       sync.Mutex
	first    map[string][]int // numbers of events by key
	requests map[int]int      // by number
	done     map[int]bool     // acknowledged
}

func (r *keyReceiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	var body struct {
		Data struct {
			Key string
			N   int
		}
	}
	if err := json.NewDecoder(req.Body).Decode(&body); err != nil {
		return // its sender died in the middle: this is no delivery
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	n := body.Data.N
	if r.requests[n]++; r.requests[n] == 1 {
		r.first[body.Data.Key] = append(r.first[body.Data.Key], n)
		if n%3 == 0 {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
	}
	r.done[n] = true
}

// keysUnder publishes events with several keys to an endpoint that is ordered by key, and disturbs the server in between. The events of
// each key come first in their order.
func keysUnder(t *testing.T, disturb disturbance, args ...string) {
	t.Helper()
	const keys, events, batch = 7, 420, 42
	dir := t.TempDir()
	args = append(args, local...)
	start := func() *server { return startServer(t, dir, args...) }
	s := start()
	r := &keyReceiver{first: make(map[string][]int), requests: make(map[int]int), done: make(map[int]bool)}
	url := httptest.NewServer(r)
	t.Cleanup(url.Close)
	s.call("POST", "/tenants", `{"id": "acme"}`, nil)
	s.addType("ping")
	s.call("POST", "/tenants/acme/endpoints", fmt.Sprintf(`{"url": %q, "events": ["*"], "ordering": "key", "retry": {"interval": "20ms", "count": 100}}`, url.URL), nil)
	for n := 0; n < events; n += batch {
		var all []string
		for i := n; i < n+batch; i++ {
			all = append(all, fmt.Sprintf(`{"type": "ping", "data": {"key": "k%d", "n": %d}, "ordering_key": "k%[1]d"}`, i%keys, i))
		}
		s.call("POST", "/tenants/acme/events/batch", `{"events": [`+strings.Join(all, ",")+`]}`, nil)
		if n/batch%4 == 1 {
			s = disturb(s, start)
		}
	}
	eventually(t, "all events are acknowledged", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.done) == events
	})
	s.terminate()
	for key, numbers := range r.first {
		if len(numbers) != events/keys || !slices.IsSorted(numbers) {
			t.Errorf("the events of %s came first in the order %v", key, numbers)
		}
	}
}

// Kills leave the events of each ordering key in their order, and lose none.
func TestOrderOfKeysSurvivesKills(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	keysUnder(t, killed)
}

// The same when nodes die, and others take over.
func TestOrderOfKeysSurvivesNodes(t *testing.T) {
	t.Parallel()
	database, option := newDatabase(t)
	disturb, end := killedBesideStandby(t, database)
	keysUnder(t, disturb, option)
	end()
}
