package test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/testenv"
)

// Each event goes to so many endpoints, and a batch has twice as many deliveries as are stored with their events.
const (
	wideEndpoints = 40
	wideBatch     = 50
)

// fanOutChaos publishes batches to many endpoints, and disturbs the server while it stores their deliveries. Every
// acknowledged event reaches every endpoint, and FIFO endpoints in order, including events that were published after a
// batch.
func fanOutChaos(t *testing.T, disturb disturbance, args ...string) {
	t.Helper()
	testenv.Long(t)
	dir := t.TempDir()
	args = append(args, local...)
	l := newLedger(t, wideEndpoints, 0) // a stream for each endpoint
	receiver := httptest.NewServer(l)
	t.Cleanup(receiver.Close)
	start := func() *server { return startServer(t, dir, args...) }
	s := start()
	s.call("POST", "/tenants", `{"id": "acme"}`, nil)
	s.addType("ping")
	for i := range wideEndpoints {
		s.call("POST", "/tenants/acme/endpoints", fmt.Sprintf(`{"url": "%s/%d", "events": ["*"], "ordering": %q}`,
			receiver.URL, i, [...]string{"fifo", "none"}[i%2]), nil)
	}
	next := 0
	for range rounds(t) {
		var batch []string
		for range wideBatch {
			batch = append(batch, fmt.Sprintf(`{"type": "ping", "data": {"n": %d}}`, next))
			next++
		}
		var taken struct {
			Data []struct{ Deliveries int }
		}
		s.call("POST", "/tenants/acme/events/batch", `{"events": [`+strings.Join(batch, ",")+`]}`, &taken)
		if len(taken.Data) != wideBatch || taken.Data[0].Deliveries != wideEndpoints {
			t.Fatalf("the batch was answered %+v", taken)
		}
		s.call("POST", "/tenants/acme/events", fmt.Sprintf(`{"type": "ping", "data": {"n": %d}}`, next), nil)
		next++
		l.ackAll(next)
		l.moment(0, 300*time.Millisecond)
		s = disturb(s, start)
	}
	if missing := l.await(4 * patience); missing > 0 {
		t.Fatalf("%d acknowledged deliveries never came", missing)
	}
	s.terminate()
	l.check(t)
}

// ackAll records that so many events are acknowledged, each of which goes to every endpoint.
func (l *ledger) ackAll(events int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.acked {
		l.acked[i] = events
	}
}

func TestChaosOfFanOut(t *testing.T) {
	t.Parallel()
	fanOutChaos(t, killed)
}

// Two nodes share a database, and the one that is published to is killed: the other goes on.
func TestChaosOfFanOutOfTwoNodes(t *testing.T) {
	t.Parallel()
	database, option := newDatabase(t)
	disturb, end := killedBesideStandby(t, database)
	fanOutChaos(t, disturb, option)
	end()
}
