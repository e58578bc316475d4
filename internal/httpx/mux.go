package httpx

import (
	"net/http"
	"strings"
)

// Mux is an http.ServeMux whose answers to unknown paths and wrong methods have the shape of the front
// end that it belongs to.
type Mux struct {
	serving *http.ServeMux // all patterns, and one that catches what they leave
	known   *http.ServeMux // the patterns alone, asked only for what was caught

	notFound         http.HandlerFunc
	methodNotAllowed http.HandlerFunc
}

// NewMux makes a Mux without patterns. When methodNotAllowed is called, the Allow header is set.
func NewMux(notFound, methodNotAllowed http.HandlerFunc) *Mux {
	m := &Mux{
		serving: http.NewServeMux(), known: http.NewServeMux(),
		notFound: notFound, methodNotAllowed: methodNotAllowed,
	}
	m.serving.HandleFunc("/", m.miss)
	return m
}

// Handle adds a handler for a pattern of http.ServeMux other than "/".
func (m *Mux) Handle(pattern string, handler http.Handler) {
	m.serving.Handle(pattern, handler)
	m.known.Handle(pattern, handler)
}

// HandleFunc is Handle for a function.
func (m *Mux) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	m.Handle(pattern, http.HandlerFunc(handler))
}

// ServeHTTP answers with the handler of the pattern that fits best.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.serving.ServeHTTP(w, r) }

// miss answers what no pattern fits. Only ServeMux itself knows which methods a path would have, and it
// tells in an answer alone: so that is asked for, and only its Allow header used.
func (m *Mux) miss(w http.ResponseWriter, r *http.Request) {
	handler, _ := m.known.Handler(r)
	answer := &discard{header: http.Header{}}
	handler.ServeHTTP(answer, r)
	if answer.status != http.StatusMethodNotAllowed {
		m.notFound(w, r)
		return
	}
	w.Header()["Allow"] = answer.header["Allow"]
	m.methodNotAllowed(w, r)
}

// discard is a response that keeps only status and header.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }

// Dispatcher chooses a front end by the first segment of the path.
type Dispatcher struct {
	fronts   map[string]http.Handler
	fallback http.Handler
}

// NewDispatcher makes a Dispatcher that sends everything to fallback.
func NewDispatcher(fallback http.Handler) *Dispatcher {
	return &Dispatcher{fronts: map[string]http.Handler{}, fallback: fallback}
}

// Mount sends paths that begin with any of the segments, such as "api" or "healthz", to the front end.
// It panics if a segment is taken already.
func (d *Dispatcher) Mount(front http.Handler, segments ...string) {
	for _, segment := range segments {
		if _, taken := d.fronts[segment]; taken {
			panic("httpx: two front ends at /" + segment)
		}
		d.fronts[segment] = front
	}
}

// ServeHTTP passes the request on unchanged.
func (d *Dispatcher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	segment, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if front, ok := d.fronts[segment]; ok {
		front.ServeHTTP(w, r)
		return
	}
	d.fallback.ServeHTTP(w, r)
}
