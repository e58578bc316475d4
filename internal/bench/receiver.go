package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/receive"
)

// receiverPlan is sent to the receiver before the events.
type receiverPlan struct {
	Events  int      `json:"events"`
	Secrets []string `json:"secrets"` // by endpoint
}

// sighting describes the deliveries that the receiver got, of all events or of a range.
type sighting struct {
	Received  int           `json:"received"`  // different events
	Repeated  int           `json:"repeated"`  // repetitions of all events
	Unsigned  int           `json:"unsigned"`  // unverified deliveries of all events
	Last      time.Time     `json:"last"`      // time of the last different one
	Latencies []float64     `json:"latencies"` // percentiles of healthy endpoints, in milliseconds; see percentiles
	CPU       time.Duration `json:"cpu"`       // time of the process
}

// Receive is the other side of a benchmark, in a process of its own so that the cost of receiving is not the server's. It
// writes its address to errOut and receives until in ends.
func Receive(ctx context.Context, in io.Reader, errOut io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	r := &receiver{}
	server := &http.Server{Handler: r.routes()}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	gone := make(chan struct{})
	go func() { _, _ = io.Copy(io.Discard, in); close(gone) }()
	fmt.Fprintf(errOut, "http://%s\n", listener.Addr())
	select {
	case err := <-failed:
		return err
	case <-gone:
	case <-ctx.Done():
	}
	return server.Close()
}

type receiver struct {
	verifiers []*receive.StandardVerifier
	arrivals  []arrival // by number
	repeated  atomic.Int64
	unsigned  atomic.Int64
	away      atomic.Bool // all endpoints fail
}

// arrival records when an event came first, without a lock.
type arrival struct {
	at      atomic.Int64 // nanoseconds since 1970; 0: not yet
	latency atomic.Int64 // nanoseconds; 0: the endpoint is slow on purpose
}

func (r *receiver) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /baseline", func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /plan", r.plan)
	mux.HandleFunc("GET /seen", r.report)
	mux.HandleFunc("POST /away", func(w http.ResponseWriter, _ *http.Request) { r.away.Store(true); w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("POST /back", func(w http.ResponseWriter, _ *http.Request) { r.away.Store(false); w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("POST /healthy/", func(w http.ResponseWriter, req *http.Request) { r.take(w, req, true) })
	mux.HandleFunc("POST /slow/", func(w http.ResponseWriter, req *http.Request) {
		time.Sleep(slowAnswer)
		r.take(w, req, false)
	})
	mux.HandleFunc("POST /failing/", func(w http.ResponseWriter, req *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
	})
	mux.HandleFunc("POST /resetting/", func(w http.ResponseWriter, _ *http.Request) { reset(w) })
	mux.HandleFunc("POST /hanging/", func(_ http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body) // otherwise a closed connection goes unnoticed
		<-req.Context().Done()
	})
	return mux
}

const slowAnswer = 200 * time.Millisecond

func (r *receiver) plan(w http.ResponseWriter, req *http.Request) {
	var plan receiverPlan
	if err := json.NewDecoder(req.Body).Decode(&plan); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	verifiers := make([]*receive.StandardVerifier, len(plan.Secrets))
	for i, secret := range plan.Secrets {
		verifier, err := receive.Standard(secret)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		verifiers[i] = verifier
	}
	// Deliveries start after this answer.
	r.verifiers, r.arrivals = verifiers, make([]arrival, plan.Events)
	w.WriteHeader(http.StatusNoContent)
}

// reset resets the connection instead of closing it.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err) // the server does not speak HTTP/1.1 over TCP
	}
	_ = conn.(*net.TCPConn).SetLinger(0) // the connection may be gone
	_ = conn.Close()
}

// bodies holds buffers for bodies.
var bodies = sync.Pool{New: func() any { return new([]byte) }}

// take verifies and counts one delivery.
func (r *receiver) take(w http.ResponseWriter, req *http.Request, healthy bool) {
	if r.away.Load() {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	now := time.Now()
	body := bodies.Get().(*[]byte)
	defer bodies.Put(body)
	// Bellwire's deliveries have a length, so one buffer serves many bodies.
	*body = slices.Grow((*body)[:0], max(int(req.ContentLength), 0))[:max(req.ContentLength, 0)]
	if _, err := io.ReadFull(req.Body, *body); err != nil {
		return // the connection broke; the delivery will be repeated
	}
	n, sent, ok := r.verified(req, *body, now)
	if !ok {
		r.unsigned.Add(1)
		http.Error(w, "unexpected body", http.StatusBadRequest)
		return
	}
	arrival := &r.arrivals[n]
	switch {
	case !arrival.at.CompareAndSwap(0, now.UnixNano()):
		r.repeated.Add(1)
	case healthy:
		arrival.latency.Store(now.UnixNano() - sent)
	}
	w.WriteHeader(http.StatusNoContent)
}

// verified verifies a delivery, and returns the number of its event and the time of the publish.
func (r *receiver) verified(req *http.Request, body []byte, now time.Time) (n int, sent int64, ok bool) {
	endpoint, err := strconv.Atoi(req.URL.Path[strings.LastIndexByte(req.URL.Path, '/')+1:])
	if err != nil || endpoint < 0 || endpoint >= len(r.verifiers) {
		return 0, 0, false
	}
	if _, _, err := r.verifiers[endpoint].Check(req.Header, body); err != nil {
		return 0, 0, false
	}
	n, sent, ok = readData(body)
	return n, sent, ok && n >= 0 && n < len(r.arrivals)
}

// report describes the events with numbers from "first" to before "end", or all events.
func (r *receiver) report(w http.ResponseWriter, req *http.Request) {
	first, end := 0, len(r.arrivals)
	if req.URL.RawQuery != "" {
		if _, err := fmt.Sscanf(req.URL.RawQuery, "first=%d&end=%d", &first, &end); err != nil || first < 0 || first > end || end > len(r.arrivals) {
			http.Error(w, "invalid range", http.StatusBadRequest)
			return
		}
	}
	seen := sighting{Repeated: int(r.repeated.Load()), Unsigned: int(r.unsigned.Load()), CPU: usedCPU()}
	var latencies []time.Duration
	last := int64(0)
	for i := range r.arrivals[first:end] {
		arrival := &r.arrivals[first+i]
		at := arrival.at.Load()
		if at == 0 {
			continue
		}
		seen.Received++
		last = max(last, at)
		if latency := arrival.latency.Load(); latency != 0 {
			latencies = append(latencies, time.Duration(latency))
		}
	}
	seen.Last = time.Unix(0, last)
	seen.Latencies = percentiles(latencies)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(seen) // the other side notices an incomplete answer
}
