package test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// request is a delivery as it came.
type request struct {
	header http.Header
	body   []byte
}

// receiver stores the requests that it receives, by event.
type receiver struct {
	url   string
	delay time.Duration // before each answer

	mu       sync.Mutex
	requests map[string][]request
	changed  chan struct{} // closed and replaced with each request
}

// startReceiver starts a receiver that acknowledges everything after a delay.
func startReceiver(t *testing.T, delay time.Duration) *receiver {
	t.Helper()
	r := &receiver{delay: delay, requests: make(map[string][]request), changed: make(chan struct{})}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the sender was killed in the middle: this is no delivery
	}
	r.mu.Lock()
	id := req.Header.Get("webhook-id")
	r.requests[id] = append(r.requests[id], request{header: req.Header, body: body})
	close(r.changed)
	r.changed = make(chan struct{})
	r.mu.Unlock()
	select {
	case <-time.After(r.delay):
	case <-req.Context().Done():
	}
	w.WriteHeader(http.StatusNoContent)
}

// await waits until each of the events has come at least once, and returns what came.
func (r *receiver) await(t *testing.T, events []string) map[string][]request {
	t.Helper()
	deadline := time.After(2 * patience)
	for {
		missing, changed := r.missing(events)
		if missing == 0 {
			return r.snapshot()
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("%d of %d acknowledged events never came", missing, len(events))
		}
	}
}

func (r *receiver) missing(events []string) (int, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	missing := 0
	for _, id := range events {
		if len(r.requests[id]) == 0 {
			missing++
		}
	}
	return missing, r.changed
}

func (r *receiver) snapshot() map[string][]request {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make(map[string][]request, len(r.requests))
	for id, requests := range r.requests {
		all[id] = append([]request(nil), requests...)
	}
	return all
}
