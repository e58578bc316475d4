package test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// A customer of azakaw that allows no retry gets one request of an event on which its receiver dies, however many
// connections are kept for it; and one that allows two gets three.
func TestReceiverThatDiesGetsOneRequestPerAttempt(t *testing.T) {
	t.Parallel()
	const ordinary = 40
	var (
		mu   sync.Mutex
		died = map[string]int{}
	)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // a part of it is counted too
		if bytes.Contains(body, []byte("poison")) {
			mu.Lock()
			died[r.URL.Path]++
			mu.Unlock()
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(receiver.Close)
	s := startServer(t, t.TempDir(), "--allow-network", "127.0.0.0/8")
	a := openAccount(t, s)
	for path, count := range map[string]int{"/none": 0, "/two": 2} {
		a.must(vendorOf("azakaw"), "POST", "/webhooks", object("webhookBaseUrl", receiver.URL, "webhookRelativePath", path,
			"authType", "None", "retryCount", count, "retryInterval", 1))
	}
	publish := func(data string) {
		s.call("POST", "/tenants/"+a.id+"/events", `{"type": "`+cards+`", "data": `+data+`}`, nil)
	}
	var all sync.WaitGroup
	for range ordinary {
		all.Go(func() { publish(`{"n": 1}`) })
	}
	all.Wait()
	eventually(t, "the ordinary events have come", func() bool {
		return len(deliveriesOf(t, s, a.id, "status=succeeded&")) == 2*ordinary
	})
	publish(`{"poison": true}`)
	eventually(t, "the retries are spent", func() bool { return len(deliveriesOf(t, s, a.id, "status=exhausted&")) == 2 })
	attempts := 0
	for _, d := range deliveriesOf(t, s, a.id, "status=exhausted&") {
		attempts += d.AttemptCount
	}
	mu.Lock()
	defer mu.Unlock()
	if died["/none"] != 1 || died["/two"] != 3 || attempts != 4 {
		t.Errorf("the receiver saw %v requests, and %d attempts are recorded", died, attempts)
	}
}
