package api_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
)

// stuckWriter is a client that reads nothing until it is let go.
type stuckWriter struct {
	header http.Header
	wrote  chan struct{} // gets one when the answer begins to be sent
	free   chan struct{}
}

func (w stuckWriter) Header() http.Header { return w.header }
func (w stuckWriter) WriteHeader(int)     {}
func (w stuckWriter) Write(b []byte) (int, error) {
	w.wrote <- struct{}{}
	<-w.free
	return len(b), nil
}

// TestStuckReadersHoldBoundedMemory has clients that ask for large events and do not read them.
func TestStuckReadersHoldBoundedMemory(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := `{"type":"invoice.paid","data":"` + strings.Repeat("x", 1<<20-2) + `"}`
	for range 4 {
		w.step(t, step{name: "publish", method: "POST", path: "/tenants/acme/events", body: body, status: 202})
	}
	const page = "/tenants/acme/events?limit=4"
	stuck := stuckWriter{wrote: make(chan struct{}), free: make(chan struct{})}
	var readers sync.WaitGroup
	for range 16 { // 4 MiB each, so 64 MiB in all
		readers.Go(func() {
			own := stuck
			own.header = http.Header{}
			w.handler.ServeHTTP(own, request("GET", page, adminKey, ""))
		})
		<-stuck.wrote
	}
	w.step(t, step{name: "one too many", method: "GET", path: page, status: 503, problem: "unavailable"})
	w.step(t, step{name: "small answers", method: "GET", path: "/tenants/acme", status: 200})
	close(stuck.free)
	readers.Wait()
	w.step(t, step{name: "list when they are gone", method: "GET", path: page, status: 200})
}
