package test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// crowd is the receiver of many endpoints that all get everything: /<endpoint>. Even ones are FIFO.
type crowd struct {
	mu    sync.Mutex
	first [crowdSize][]int // numbers in the order of their first receipt
	bad   []string
}

const (
	crowdSize  = 40
	crowdBatch = 100 // events of a batch, so that it has four times as many deliveries as are stored with their events
)

func (c *crowd) ServeHTTP(_ http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the server was killed in the middle: this is no delivery
	}
	endpoint, err := strconv.Atoi(strings.TrimPrefix(req.URL.Path, "/"))
	var message struct{ Data struct{ N int } }
	if err == nil {
		err = json.Unmarshal(body, &message)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil || endpoint >= crowdSize {
		c.bad = append(c.bad, fmt.Sprintf("%s: %s: %v", req.URL.Path, body, err))
		return
	}
	if !slices.Contains(c.first[endpoint], message.Data.N) {
		c.first[endpoint] = append(c.first[endpoint], message.Data.N)
	}
}

// missing returns how many of so many events are still to come.
func (c *crowd) missing(events int) (missing int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, got := range c.first {
		missing += max(events-len(got), 0)
	}
	return missing
}

// fanOutChaos publishes batches to many endpoints, and disturbs the server while it stores their deliveries. What was
// acknowledged reaches everybody, and FIFO endpoints in order, what was published behind a batch included.
func fanOutChaos(t *testing.T, disturb disturbance, args ...string) {
	t.Helper()
	dir := t.TempDir()
	args = append(args, local...)
	c := new(crowd)
	receiver := httptest.NewServer(c)
	t.Cleanup(receiver.Close)
	start := func() *server { return startServer(t, dir, args...) }
	s := start()
	s.call("POST", "/tenants", `{"id": "acme"}`, nil)
	s.addType("ping")
	for i := range crowdSize {
		s.call("POST", "/tenants/acme/endpoints", fmt.Sprintf(`{"url": "%s/%d", "events": ["*"], "ordering": %q}`,
			receiver.URL, i, [...]string{"fifo", "none"}[i%2]), nil)
	}
	next := 0
	for range rounds(t) {
		var batch []string
		for range crowdBatch {
			batch = append(batch, fmt.Sprintf(`{"type": "ping", "data": {"n": %d}}`, next))
			next++
		}
		var taken struct {
			Data []struct{ Deliveries int }
		}
		s.call("POST", "/tenants/acme/events/batch", `{"events": [`+strings.Join(batch, ",")+`]}`, &taken)
		if len(taken.Data) != crowdBatch || taken.Data[0].Deliveries != crowdSize {
			t.Fatalf("the batch was answered %+v", taken)
		}
		s.call("POST", "/tenants/acme/events", fmt.Sprintf(`{"type": "ping", "data": {"n": %d}}`, next), nil)
		next++
		time.Sleep(time.Duration(rand.IntN(300)) * time.Millisecond) // at any moment at all
		s = disturb(s, start)
	}
	deadline := time.Now().Add(4 * patience)
	for c.missing(next) > 0 {
		if time.Now().After(deadline) {
			t.Fatalf("%d acknowledged deliveries never came", c.missing(next))
		}
		time.Sleep(10 * time.Millisecond) // between two looks
	}
	s.terminate()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, bad := range c.bad {
		t.Error(bad)
	}
	for i, got := range c.first {
		if len(got) != next {
			t.Errorf("endpoint %d got %d events, want %d", i, len(got), next)
		}
		if i%2 == 0 && !slices.IsSorted(got) {
			t.Errorf("endpoint %d got its events in another order: %v", i, got)
		}
	}
}

func TestChaosOfFanOut(t *testing.T) {
	t.Parallel()
	fanOutChaos(t, killed)
}

// Two nodes share a database, and the one that is published to is killed: the other goes on.
func TestChaosOfFanOutOfTwoNodes(t *testing.T) {
	t.Parallel()
	database, option := startPostgres(t)
	disturb, end := killedBesideStandby(t, database)
	fanOutChaos(t, disturb, option)
	end()
}
