package httpx

import (
	"net/http"
	"path"
	"strings"
)

// Mux is an http.ServeMux whose answers to unknown paths and wrong methods have the form of the front end that it belongs
// to. Routers that offer such handlers do not fit: chi's handler for wrong methods does not get the allowed ones, it does
// not serve HEAD with GET's handler, and it matches paths by their escapes.
type Mux struct {
	routes           *http.ServeMux // with the catch-all pattern, whose handler is miss
	notFound         http.HandlerFunc
	methodNotAllowed http.HandlerFunc
}

// catchAll is the pattern of everything that has no pattern of its own.
const catchAll = "/"

// NewMux returns a Mux without patterns. The Allow header is set when methodNotAllowed is called.
func NewMux(notFound, methodNotAllowed http.HandlerFunc) *Mux {
	m := &Mux{routes: http.NewServeMux(), notFound: notFound, methodNotAllowed: methodNotAllowed}
	m.routes.HandleFunc(catchAll, m.miss)
	return m
}

// Handle adds a handler for a pattern of http.ServeMux that names a method.
func (m *Mux) Handle(pattern string, handler http.Handler) { m.routes.Handle(pattern, handler) }

// HandleFunc adds a handler function, as Handle does.
func (m *Mux) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	m.routes.HandleFunc(pattern, handler)
}

// ServeHTTP calls the handler whose pattern matches best. A path with empty segments or dots matches no pattern, because
// http.ServeMux would answer it with a redirect of its own form.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !clean(r.URL.Path) {
		m.notFound(w, r)
		return
	}
	m.routes.ServeHTTP(w, r)
}

// clean reports whether p has neither empty segments nor dots.
func clean(p string) bool {
	cleaned := path.Clean(p)
	return p == cleaned || p == cleaned+"/"
}

// miss answers a request that matches no pattern.
func (m *Mux) miss(w http.ResponseWriter, r *http.Request) {
	allowed := m.allowed(r)
	if len(allowed) == 0 {
		m.notFound(w, r)
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	m.methodNotAllowed(w, r)
}

// methods are the methods that patterns may name, in the order of the Allow header.
var methods = []string{
	http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPatch, http.MethodPost, http.MethodPut,
}

// allowed returns the methods that have a pattern for the path of r.
func (m *Mux) allowed(r *http.Request) []string {
	var allowed []string
	for _, method := range methods {
		if _, pattern := m.routes.Handler(&http.Request{Method: method, Host: r.Host, URL: r.URL}); pattern != catchAll {
			allowed = append(allowed, method)
		}
	}
	return allowed
}

// Dispatcher chooses a front end by the first or the first two segments of the path.
type Dispatcher struct {
	fronts   map[string]http.Handler // by the first segment, or the first two
	seconds  map[string]http.Handler // by the second segment alone
	fallback http.Handler
}

// NewDispatcher returns a Dispatcher that sends everything to fallback.
func NewDispatcher(fallback http.Handler) *Dispatcher {
	return &Dispatcher{fronts: map[string]http.Handler{}, seconds: map[string]http.Handler{}, fallback: fallback}
}

// Mount sends paths that begin with one of the prefixes to the front end. A prefix has one or two segments, such as
// "healthz" or "api/v4", and the longer one wins. Mount panics if a prefix is in use.
func (d *Dispatcher) Mount(front http.Handler, prefixes ...string) {
	for _, prefix := range prefixes {
		d.mount(d.fronts, "/"+prefix, front)
	}
}

// MountSecond sends paths with the given second segment to the front end, unless a prefix matches them.
func (d *Dispatcher) MountSecond(front http.Handler, segment string) {
	d.mount(d.seconds, segment, front)
}

func (d *Dispatcher) mount(fronts map[string]http.Handler, at string, front http.Handler) {
	if _, taken := fronts[at]; taken {
		panic("httpx: two front ends at " + at)
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
