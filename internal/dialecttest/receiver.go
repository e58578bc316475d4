package dialecttest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Receiver is a customer's server. It answers 200 by default.
type Receiver struct {
	URL string

	t        testing.TB
	arrivals chan *Arrival
	mu       sync.Mutex
	answers  []int
}

// Arrival is a request that the receiver got.
type Arrival struct {
	Method string
	Target string // path and query
	Header http.Header
	Body   []byte
	At     time.Time
}

// NewReceiver starts a Receiver. It ends with the test.
func NewReceiver(t testing.TB) *Receiver {
	t.Helper()
	r := &Receiver{t: t, arrivals: make(chan *Arrival, 1024)}
	server := httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(server.Close)
	r.URL = server.URL
	return r
}

// Answer sets the statuses of the next answers, in order.
func (r *Receiver) Answer(statuses ...int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers = append(r.answers, statuses...)
}

func (r *Receiver) serve(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	status := r.nextStatus() // first, because a test that sees the arrival may set the answer to the request after it
	r.arrivals <- &Arrival{Method: req.Method, Target: req.URL.RequestURI(), Header: req.Header, Body: body, At: time.Now()}
	w.WriteHeader(status)
}

func (r *Receiver) nextStatus() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.answers) == 0 {
		return http.StatusOK
	}
	status := r.answers[0]
	r.answers = r.answers[1:]
	return status
}

// Next waits for the next request.
func (r *Receiver) Next() *Arrival {
	r.t.Helper()
	select {
	case a := <-r.arrivals:
		return a
	case <-time.After(patience):
		r.t.Fatal("no delivery came in time")
		return nil
	}
}

// None fails the test if a request has come. Call it once the deliveries have ended.
func (r *Receiver) None() {
	r.t.Helper()
	select {
	case a := <-r.arrivals:
		r.t.Errorf("a delivery came: %s", a.Body)
	default:
	}
}

// Render returns the body and the headers of a delivery to an endpoint with these credentials.
func Render(t testing.TB, d bellwire.Dialect, ep *bellwire.Endpoint, c *bellwire.Credentials, m *bellwire.Message) ([]byte, http.Header) {
	t.Helper()
	renderer, err := d.Bind(ep, c)
	check(t, err)
	body, err := renderer.AppendBody(nil, m)
	check(t, err)
	h := http.Header{}
	for _, header := range d.Headers(c) {
		h.Set(header.Name, header.Value)
	}
	renderer.SetHeaders(h, m, body)
	return body, h
}
