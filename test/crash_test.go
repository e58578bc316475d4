package test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/testenv"
	"github.com/bellwire/bellwire/receive"
)

const publishers = 8

// load publishes numbered events from several publishers until the server is gone.
type load struct {
	mu       sync.Mutex
	acked    []string // ids of acknowledged events
	unsure   []string // bodies of publishes without an answer
	enough   chan struct{}
	finished sync.WaitGroup
}

// startLoad closes enough once so many events are acknowledged.
func startLoad(s *server, run string, enough int) *load {
	l := &load{enough: make(chan struct{})}
	for p := range publishers {
		l.finished.Go(func() {
			for n := 0; ; n++ {
				body := fmt.Sprintf(`{"type": "load", "id": "%s-%d-%d", "data": {"publisher": %d, "n": %d}}`, run, p, n, p, n)
				id, err := s.publishBody([]byte(body))
				if !l.note(id, body, err, enough) {
					return
				}
			}
		})
	}
	return l
}

// note records the result of a publish, and reports whether to continue.
func (l *load) note(id, body string, err error, enough int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.unsure = append(l.unsure, body)
		return false
	}
	l.acked = append(l.acked, id)
	if len(l.acked) == enough {
		close(l.enough)
	}
	return true
}

func (l *load) awaitEnough(t *testing.T) {
	t.Helper()
	select {
	case <-l.enough:
	case <-time.After(patience):
		t.Fatal("too few publishes are acknowledged")
	}
}

// Everything acknowledged before a kill -9 under load arrives after it, and a publish without an answer can be repeated
// without making a second event.
func TestNothingAcknowledgedIsLostByKill(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	dir := t.TempDir()
	s := startServer(t, dir, local...)
	r := startReceiver(t, 20*time.Millisecond) // slow enough for a backlog
	ep := s.subscribe(r.url)
	s.addType("load")

	l := startLoad(s, "kill", 1000)
	l.awaitEnough(t)
	s.kill()
	l.finished.Wait()

	s = startServer(t, dir, local...)
	if len(l.unsure) != publishers {
		t.Errorf("%d publishers of %d ended without an answer", len(l.unsure), publishers)
	}
	ids := l.acked
	for _, body := range l.unsure {
		id, err := s.publishBody([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	got := r.await(t, ids)

	verifier, err := receive.Standard(ep.Secret)
	if err != nil {
		t.Fatal(err)
	}
	events := make(map[string]string) // by data
	for id, requests := range got {
		for _, req := range requests {
			delivery, err := verifier.Verify(req.header, req.body)
			if err != nil {
				t.Fatal(err)
			}
			if other, known := events[string(delivery.Data)]; known && other != id {
				t.Errorf("%s came as %s and as %s", delivery.Data, other, id)
			}
			events[string(delivery.Data)] = id
		}
	}
	if len(events) != len(ids) {
		t.Errorf("%d events were acknowledged, %d different ones came", len(ids), len(events))
	}
	s.terminate()
}

// After SIGTERM the server completes the attempts in flight: nothing is lost, and nothing is sent a second time.
func TestTerminationLosesAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := startServer(t, dir, local...)
	r := startReceiver(t, 5*time.Millisecond)
	s.subscribe(r.url)
	s.addType("load")

	l := startLoad(s, "term", 500)
	l.awaitEnough(t)
	s.terminate()
	l.finished.Wait()

	s = startServer(t, dir, local...)
	for id, requests := range r.await(t, l.acked) {
		if len(requests) != 1 {
			t.Errorf("%s came %d times", id, len(requests))
		}
	}
	s.terminate()
}
