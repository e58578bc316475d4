package main

import (
	"bytes"
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
	"time"

	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/receive"
)

// benchReceiverCommand is the other side of a benchmark, in a process of its own so that the cost of receiving
// is not the server's.
type benchReceiverCommand struct{}

// benchPlan is what the receiver is told before the events come.
type benchPlan struct {
	Events  int      `json:"events"`
	Secrets []string `json:"secrets"` // by endpoint
}

// benchSeen is what the receiver got.
type benchSeen struct {
	Received  int       `json:"received"`  // different events
	Repeated  int       `json:"repeated"`  // more than once
	Unsigned  int       `json:"unsigned"`  // not verified
	Last      time.Time `json:"last"`      // when the last different one came
	Latencies []float64 `json:"latencies"` // percentiles of healthy endpoints, in milliseconds; see benchPercentiles
}

// benchPercentiles are those that are reported.
var benchPercentiles = []float64{0.5, 0.9, 0.99, 0.999, 1}

const slowAnswer = 200 * time.Millisecond

// Run receives until its parent closes standard input.
func (c *benchReceiverCommand) Run(ctx context.Context, std streams) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	r := &benchReceiver{}
	server := httpx.NewServer("", r.routes())
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	gone := make(chan struct{})
	go func() { _, _ = io.Copy(io.Discard, std.in); close(gone) }()
	fmt.Fprintf(std.err, "http://%s\n", listener.Addr())
	select {
	case err := <-failed:
		return err
	case <-gone:
	case <-ctx.Done():
	}
	return server.Close()
}

type benchReceiver struct {
	verifiers []*receive.StandardVerifier

	mu        sync.Mutex
	known     []bool // by number
	seen      benchSeen
	latencies []time.Duration
}

func (r *benchReceiver) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /baseline", func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /plan", r.plan)
	mux.HandleFunc("GET /seen", r.report)
	mux.HandleFunc("POST /healthy/{endpoint}", func(w http.ResponseWriter, req *http.Request) { r.take(w, req, true) })
	mux.HandleFunc("POST /slow/{endpoint}", func(w http.ResponseWriter, req *http.Request) {
		time.Sleep(slowAnswer)
		r.take(w, req, false)
	})
	mux.HandleFunc("POST /failing/{endpoint}", func(w http.ResponseWriter, req *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
	})
	mux.HandleFunc("POST /hanging/{endpoint}", func(_ http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body) // only then a closed connection is noticed
		<-req.Context().Done()
	})
	return mux
}

func (r *benchReceiver) plan(w http.ResponseWriter, req *http.Request) {
	var plan benchPlan
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
	r.mu.Lock()
	defer r.mu.Unlock()
	r.verifiers, r.known = verifiers, make([]bool, plan.Events)
	r.latencies = make([]time.Duration, 0, plan.Events)
	w.WriteHeader(http.StatusNoContent)
}

// take verifies and counts one delivery.
func (r *benchReceiver) take(w http.ResponseWriter, req *http.Request, healthy bool) {
	now := time.Now()
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the connection broke off: it will come again
	}
	endpoint, err := strconv.Atoi(req.PathValue("endpoint"))
	if err != nil || endpoint >= len(r.verifiers) {
		http.NotFound(w, req)
		return
	}
	delivery, err := r.verifiers[endpoint].Verify(req.Header, body, now)
	n, sent := -1, time.Time{}
	if err == nil {
		n, sent = readBenchData(delivery.Data)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case n < 0 || n >= len(r.known):
		r.seen.Unsigned++
		http.Error(w, "not what was published", http.StatusBadRequest)
		return
	case r.known[n]:
		r.seen.Repeated++
	default:
		r.known[n] = true
		r.seen.Received++
		r.seen.Last = now
		if healthy {
			r.latencies = append(r.latencies, now.Sub(sent))
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// readBenchData reads what appendBenchData wrote; -1 if it is anything else.
func readBenchData(data []byte) (n int, at time.Time) {
	rest, ok := bytes.CutPrefix(data, []byte(`{"n":`))
	if !ok || len(data) < minBenchData {
		return -1, at
	}
	number, err := strconv.ParseInt(string(rest[:benchNumber]), 10, 64)
	text, ok := strings.CutPrefix(string(rest[benchNumber:benchNumber+5+benchNumber]), `,"t":`)
	if err != nil || !ok {
		return -1, at
	}
	nanoseconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return -1, at
	}
	return int(number - firstBenchNumber), time.Unix(0, nanoseconds)
}

func (r *benchReceiver) report(w http.ResponseWriter, _ *http.Request) {
	r.mu.Lock()
	seen := r.seen
	latencies := slices.Sorted(slices.Values(r.latencies))
	r.mu.Unlock()
	seen.Latencies = make([]float64, len(benchPercentiles))
	for i, p := range benchPercentiles {
		if len(latencies) > 0 {
			at := min(int(p*float64(len(latencies))), len(latencies)-1)
			seen.Latencies[i] = float64(latencies[at].Microseconds()) / 1000
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(seen) // the other side notices what is cut off
}
