package api_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/testenv"
)

// serve serves the world as the program does, and returns its address.
func (w *world) serve(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := httpx.NewServer("", 1000, w.handler)
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(l) })
	t.Cleanup(func() {
		server.Close()
		serving.Wait()
	})
	return l.Addr().String()
}

// fetch asks for a path of the API, and returns the status, and the code of the problem if it is one.
func fetch(t *testing.T, address, path, key string) (status int, code string) {
	t.Helper()
	r := request("GET", path, key, "")
	r.URL.Scheme, r.URL.Host, r.RequestURI = "http", address, ""
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var problem struct{ Code string }
	if err := json.Unmarshal(body, &problem); err != nil {
		t.Errorf("%v: %.100s", err, body)
	}
	return resp.StatusCode, problem.Code
}

// A tenant whose clients ask for large answers and do not read them is refused more of them. Others get theirs, and it gets
// small ones, and large ones when those clients are gone.
func TestStuckReadersHoldBoundedMemory(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	w := newWorld(t)
	body := `{"type":"invoice.paid","data":"` + strings.Repeat("x", 1<<20-2) + `"}`
	for range 4 {
		for _, tenant := range []string{"acme", "other"} {
			w.step(t, step{name: "publish", method: "POST", path: "/tenants/" + tenant + "/events", body: body, status: 202})
		}
	}
	address := w.serve(t)
	const page = "/tenants/acme/events?limit=4" // 4 MiB
	var stuck []net.Conn
	defer func() {
		for _, c := range stuck {
			c.Close()
		}
	}()
	refused := func() bool {
		status, code := fetch(t, address, page, w.keys["tenant"])
		if status != http.StatusOK && (status != http.StatusTooManyRequests || code != "rate_limited") {
			t.Fatalf("%d %s", status, code)
		}
		return status != http.StatusOK
	}
	for !refused() {
		if len(stuck) == 20 {
			t.Fatal("20 stuck readers, and the next is served")
		}
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		stuck = append(stuck, c)
		if _, err := io.WriteString(c, "GET /api/v1"+page+" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+w.keys["tenant-read"]+"\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); err != nil { // the answer is on its way
			t.Fatal(err)
		}
	}
	if status, code := fetch(t, address, "/tenants/other/events?limit=4", w.keys["other"]); status != http.StatusOK {
		t.Errorf("another tenant is answered %d %s", status, code)
	}
	if status, code := fetch(t, address, "/tenants/acme/events?limit=1&type=none", w.keys["tenant"]); status != http.StatusOK {
		t.Errorf("a small answer: %d %s", status, code)
	}
	for _, c := range stuck {
		c.Close()
	}
	for deadline := time.Now().Add(2 * time.Minute); refused(); {
		if time.Now().After(deadline) {
			t.Fatal("it is refused when they are gone")
		}
	}
}
