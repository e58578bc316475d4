package main

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
)

// readyTimeout bounds the store's answers to readiness probes.
const readyTimeout = 2 * time.Second

// The durations of counts of the backlog. With 100,000 endpoints for which deliveries wait, a count takes a second, and it must
// take no more than a twentieth of one processor.
const (
	backlogEvery    = 5 * time.Second // for scrapes
	backlogTimeout  = 10 * time.Second
	backlogPatience = 5 * time.Millisecond // of callers, if there is an earlier count
	backlogKeeps    = 10 * time.Minute
	backlogRests    = 19
)

// newBacklog returns what counts the backlog, beside those who ask for it.
func newBacklog(count func(context.Context) (*bellwire.Backlog, error)) *glance[*bellwire.Backlog] {
	g := newGlance(backlogTimeout, count)
	g.patience, g.keeps, g.rests = backlogPatience, backlogKeeps, backlogRests
	return g
}

// operations serves the pages for operators and load balancers, which need no key.
type operations struct {
	ready   func(context.Context) error
	metrics http.Handler
}

// handler serves the pages, and passes everything else to other.
func (o *operations) handler(other http.Handler) http.Handler {
	mux := httpx.NewMux(other.ServeHTTP, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Del("Allow") // other sets its own
		other.ServeHTTP(w, r)
	})
	mux.HandleFunc("GET /healthz", o.healthz)
	mux.HandleFunc("GET /readyz", o.readyz)
	mux.Handle("GET /metrics", o.metrics)
	mux.HandleFunc("GET /{$}", o.index)
	return mux
}

func (o *operations) healthz(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]string{"status": "alive"})
}

func (o *operations) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	if err := o.ready(ctx); err != nil {
		answer(w, http.StatusServiceUnavailable, map[string]string{"status": "not ready", "reason": reasonOf(err)})
		return
	}
	answer(w, http.StatusOK, map[string]string{"status": "ready"})
}

// reasonOf returns the message of an error without its cause, which may name files of this machine.
func reasonOf(err error) string {
	return httpx.AsError(err).Message
}

// index answers programs with what there is, and sends people to the console.
func (o *operations) index(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Vary", "Accept")
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		w.Header().Set("Location", "console") // relative, because a proxy may add a prefix
		w.WriteHeader(http.StatusFound)
		return
	}
	answer(w, http.StatusOK, map[string]string{"name": "Bellwire", "console": "/console", "docs": "/docs", "openapi": "/openapi.json", "api": "/api/v1"})
}

func answer(w http.ResponseWriter, status int, body map[string]string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body) // a client that went away needs no answer
}
