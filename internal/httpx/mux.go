package httpx

import (
	"net/http"
	"path"
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

// ServeHTTP answers with the handler of the pattern that fits best. A path with empty segments or dots fits none:
// http.ServeMux would redirect it, in a shape of its own.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !clean(r.URL.Path) {
		m.notFound(w, r)
		return
	}
	m.serving.ServeHTTP(w, r)
}

func clean(p string) bool {
	cleaned := path.Clean(p)
	return p == cleaned || p == cleaned+"/"
}

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

// Dispatcher chooses a front end by the first or the first two segments of the path.
type Dispatcher struct {
	fronts   map[string]http.Handler // by the first segment, or the first two
	seconds  map[string]http.Handler // by the second segment alone
	fallback http.Handler
	wrap     func(http.Handler) http.Handler // nil: front ends are mounted as they are
}

// NewDispatcher makes a Dispatcher that sends everything to fallback.
func NewDispatcher(fallback http.Handler) *Dispatcher {
	return &Dispatcher{fronts: map[string]http.Handler{}, seconds: map[string]http.Handler{}, fallback: fallback}
}

// Through returns a Dispatcher with the same routes, which wraps each front end that is mounted on it.
func (d *Dispatcher) Through(wrap func(http.Handler) http.Handler) *Dispatcher {
	wrapping := *d
	wrapping.wrap = wrap
	return &wrapping
}

// Mount sends paths that begin with any of the prefixes, of one or two segments such as "healthz" or "api/v4", to the
// front end. The longer prefix wins. It panics if a prefix is taken already.
func (d *Dispatcher) Mount(front http.Handler, prefixes ...string) {
	for _, prefix := range prefixes {
		d.mount(d.fronts, "/"+prefix, front)
	}
}

// MountSecond sends paths whose second segment is the given one to the front end, if no prefix is theirs.
func (d *Dispatcher) MountSecond(front http.Handler, segment string) {
	d.mount(d.seconds, segment, front)
}

func (d *Dispatcher) mount(fronts map[string]http.Handler, at string, front http.Handler) {
	if _, taken := fronts[at]; taken {
		panic("httpx: two front ends at " + at)
	}
	if d.wrap != nil {
		front = d.wrap(front)
	}
	fronts[at] = front
}

// ServeHTTP passes the request on unchanged.
func (d *Dispatcher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.choose(r.URL.Path).ServeHTTP(w, r)
}

func (d *Dispatcher) choose(path string) http.Handler {
	first, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	second, _, _ := strings.Cut(rest, "/")
	if front, ok := d.fronts["/"+first+"/"+second]; ok {
		return front
	}
	if front, ok := d.fronts["/"+first]; ok {
		return front
	}
	if front, ok := d.seconds[second]; ok {
		return front
	}
	return d.fallback
}
