package main

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/internal/api"
	"github.com/bellwire/bellwire/internal/bellwire"
)

// startPatience is how long requests wait for the end of a start before they are refused. Most starts are shorter.
const startPatience = time.Second

// What a start is doing, as /readyz shows it.
const (
	openingDatabase = "the database is being opened"
	changingSchema  = "the schema of the database is being changed"
)

// entrance is the handler of the server's port. A start can take an hour, for example when it changes the schema of a large
// database. Until it ends, the entrance says that the process is alive, so that nothing restarts it, and refuses everything else.
type entrance struct {
	patience time.Duration
	doing    atomic.Value // a string
	probes   *operations
	refuse   http.Handler

	opened chan struct{} // closed after routes is set
	routes http.Handler
}

func newEntrance(log *slog.Logger) *entrance {
	e := &entrance{
		patience: startPatience, opened: make(chan struct{}),
		refuse: api.Unavailable(log, "the server is starting; try again in a moment"),
	}
	e.doing.Store(openingDatabase)
	e.probes = &operations{ready: func(context.Context) error {
		return bellwire.Errorf(bellwire.CodeUnavailable, "the server is starting: %s", e.doing.Load())
	}}
	return e
}

// open lets requests through to routes.
func (e *entrance) open(routes http.Handler) {
	e.routes = routes
	close(e.opened)
}

func (e *entrance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case <-e.opened:
		e.routes.ServeHTTP(w, r)
	default:
		e.starting(w, r)
	}
}

// starting answers a request that came before the end of the start.
func (e *entrance) starting(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/healthz" {
		e.probes.healthz(w, r)
		return
	}
	patience := time.NewTimer(e.patience)
	defer patience.Stop()
	select {
	case <-e.opened:
		e.routes.ServeHTTP(w, r)
	case <-r.Context().Done(): // nobody waits for an answer
	case <-patience.C:
		if r.URL.Path == "/readyz" {
			e.probes.readyz(w, r)
			return
		}
		e.refuse.ServeHTTP(w, r)
	}
}
