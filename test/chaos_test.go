package test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/testenv"
)

// rounds is how often the server is ended and started again. make chaos asks for many.
func rounds(t *testing.T) int { return fromEnvironment(t, "BELLWIRE_CHAOS_ROUNDS", 3) }

// fromEnvironment returns how much of something a test is asked for.
func fromEnvironment(t *testing.T, variable string, usual int) int {
	text := os.Getenv(variable)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q, not a number", variable, text)
	}
	return n
}

// chaosPace is between two events of a stream. All streams together keep the server at work in each of its parts, and what has
// piled up when they end is soon delivered.
const chaosPace = 10 * time.Millisecond

// chaosStreams is the number of publishers. Each has an event type and an endpoint of its own, half of them FIFO, and
// repeats a publish with the same id until it has an answer. So the test knows which events a stream published, and in
// which order, without asking the server.
const chaosStreams = 16

// ledger counts, for each stream, which events were acknowledged to the publisher and which were received by the endpoint.
type ledger struct {
	failRate float64
	random   *rand.Rand

	mu     sync.Mutex
	acked  []int   // by stream: events 0 to acked-1 are acknowledged
	first  [][]int // by stream: numbers in the order of their first receipt
	ids    []map[int]string
	done   []map[int]bool
	again  int // requests after a success of the same event
	failed int // requests that were answered 500
	faults []string
}

func newLedger(t *testing.T, streams int, failRate float64) *ledger {
	t.Helper()
	l := &ledger{
		failRate: failRate, random: testenv.Random(t),
		acked: make([]int, streams), first: make([][]int, streams), ids: make([]map[int]string, streams), done: make([]map[int]bool, streams),
	}
	for i := range streams {
		l.ids[i], l.done[i] = make(map[int]string), make(map[int]bool)
	}
	return l
}

// ServeHTTP is the customers' receiver: /<stream>.
func (l *ledger) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the server was killed in the middle: this is no delivery
	}
	stream, err := strconv.Atoi(strings.TrimPrefix(req.URL.Path, "/"))
	var message struct{ Data struct{ N int } }
	if err == nil {
		err = json.Unmarshal(body, &message)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil || stream >= len(l.first) {
		l.faults = append(l.faults, fmt.Sprintf("%s: %s: %v", req.URL.Path, body, err))
		return
	}
	n, id := message.Data.N, req.Header.Get("webhook-id")
	switch known := l.ids[stream][n]; {
	case known == "":
		l.ids[stream][n] = id
		l.first[stream] = append(l.first[stream], n)
	case known != id:
		l.faults = append(l.faults, fmt.Sprintf("event %d of stream %d came as %s and as %s", n, stream, known, id))
	}
	if l.done[stream][n] {
		l.again++
	}
	if l.random.Float64() < l.failRate {
		l.failed++
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	l.done[stream][n] = true
}

// missing returns the number of acknowledged events that are still to come.
func (l *ledger) missing() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	missing := 0
	for i := range l.acked {
		for n := range l.acked[i] {
			if !l.done[i][n] {
				missing++
			}
		}
	}
	return missing
}

// await waits until all acknowledged events have come, and returns the number of those that have not in time.
func (l *ledger) await(within time.Duration) (missing int) {
	deadline := time.Now().Add(within)
	for {
		if missing = l.missing(); missing == 0 || time.Now().After(deadline) {
			return missing
		}
		time.Sleep(10 * time.Millisecond) // between two looks
	}
}

// moment waits for a random time, so that what follows happens at any moment of the work.
func (l *ledger) moment(from, to time.Duration) {
	time.Sleep(from + time.Duration(l.random.Int64N(int64(to-from))))
}

// check checks what came. Even streams are FIFO.
func (l *ledger) check(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, fault := range l.faults {
		t.Error(fault)
	}
	total := 0
	for i := range l.acked {
		total += l.acked[i]
		for at, n := range l.first[i] {
			if i%2 == 0 && n != at {
				t.Errorf("stream %d: event %d came first at place %d", i, n, at)
				break
			}
		}
	}
	t.Logf("%d events acknowledged, 0 lost; %d requests answered 500, %d repeated after a success", total, l.failed, l.again)
}

// publish publishes one stream until stop is closed. The server may come and go.
func (l *ledger) publish(t *testing.T, current *atomic.Pointer[server], stream int, stop <-chan struct{}) {
	for n := 0; ; n++ {
		body := fmt.Sprintf(`{"type": "stream.%d", "id": "%d-%d", "data": {"n": %d}}`, stream, stream, n, n)
		for {
			_, err := current.Load().publishBody([]byte(body))
			if err == nil {
				break
			}
			select {
			case <-stop:
				return // nobody knows of this one, which may or may not come
			case <-time.After(5 * time.Millisecond):
			}
		}
		l.mu.Lock()
		l.acked[stream] = n + 1
		l.mu.Unlock()
		select {
		case <-stop:
			return
		case <-time.After(chaosPace):
		}
	}
}

// disturbance does something to a server under load, and returns the one that there is then, started anew or not.
type disturbance func(s *server, start func() *server) *server

func killed(s *server, start func() *server) *server {
	s.kill()
	return start()
}

func terminated(s *server, start func() *server) *server {
	s.terminate()
	return start()
}

// chaos disturbs the server again and again while events are published and delivered.
func chaos(t *testing.T, failRate float64, disturb disturbance, args ...string) *ledger {
	t.Helper()
	testenv.Long(t)
	dir := t.TempDir()
	args = append(args, local...)
	l := newLedger(t, chaosStreams, failRate)
	receiver := httptest.NewServer(l)
	t.Cleanup(receiver.Close)
	start := func() *server { return startServer(t, dir, args...) }
	s := start()
	s.call("POST", "/tenants", `{"id": "acme"}`, nil)
	for i := range chaosStreams {
		ordering := [...]string{"fifo", "none"}[i%2]
		s.addType(fmt.Sprintf("stream.%d", i))
		s.call("POST", "/tenants/acme/endpoints", fmt.Sprintf(
			`{"url": "%s/%d", "events": ["stream.%d"], "ordering": %q, "retry": {"initial": "20ms", "factor": 1.1, "max_interval": "1s", "max_elapsed": "1h"}}`,
			receiver.URL, i, i, ordering), nil)
	}
	var (
		current    atomic.Pointer[server]
		publishers sync.WaitGroup
		stop       = make(chan struct{})
	)
	current.Store(s)
	for i := range chaosStreams {
		publishers.Go(func() { l.publish(t, &current, i, stop) })
	}
	for range rounds(t) {
		l.moment(100*time.Millisecond, 900*time.Millisecond)
		current.Store(disturb(current.Load(), start))
	}
	close(stop)
	publishers.Wait()
	if missing := l.await(2 * patience); missing > 0 {
		t.Fatalf("%d acknowledged events never came", missing)
	}
	current.Load().terminate()
	l.check(t)
	return l
}

// The server is killed at random moments under load, and one request in five fails: no acknowledged event is lost or exists
// twice, and FIFO endpoints get first receipts in order. Only attempts that were in flight are repeated.
func TestChaosOfKills(t *testing.T) {
	t.Parallel()
	chaos(t, 0.2, killed)
}

// Terminated at random moments under load: all that, and nothing is sent again.
func TestChaosOfTerminations(t *testing.T) {
	t.Parallel()
	if l := chaos(t, 0, terminated); l.again > 0 {
		t.Errorf("%d requests were repeated after a success", l.again)
	}
}
