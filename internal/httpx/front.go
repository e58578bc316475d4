package httpx

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// Codes of errors of HTTP itself.
const (
	CodeMethodNotAllowed    bellwire.Code = "method_not_allowed"
	CodeUnsupportedEncoding bellwire.Code = "unsupported_encoding" // a compressed body
)

// MaxSmallBody bounds the body of a request to a dialect's management API, in bytes. Bodies of this size are read without
// waiting for a turn.
const MaxSmallBody = limits.ShortCheckBytes

// Front is a dialect's management API: a Mux whose handlers return their errors. One function of the dialect writes all errors
// in the vendor's shape: those of handlers, and those for unknown paths, wrong methods and panics.
type Front struct {
	mux     *Mux
	refused *RefusalLog
	fail    func(w http.ResponseWriter, r *http.Request, err *bellwire.Error)
	handler http.Handler
}

// NewFront returns a Front without routes. fail writes an error. The headers Allow, for CodeMethodNotAllowed, and Retry-After
// are set before. A nil logger discards its records.
func NewFront(log *slog.Logger, fail func(w http.ResponseWriter, r *http.Request, err *bellwire.Error)) *Front {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	f := &Front{refused: NewRefusalLog(log), fail: fail}
	f.mux = NewMux(f.notFound, f.methodNotAllowed)
	f.handler = Recover(log, f.panicked, f.mux)
	return f
}

// Handle adds a handler for a pattern of http.ServeMux. A handler that returns an error must not have answered yet.
func (f *Front) Handle(pattern string, handler func(w http.ResponseWriter, r *http.Request) error) {
	f.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if err := handler(w, r.WithContext(bellwire.WithCall(r.Context(), CallOf(w, r)))); err != nil {
			f.refuse(w, r, err)
		}
	})
}

// Authorized returns a handler that calls next with the caller that authorize returns. authorize must refuse callers that
// lack the permission, which is the front end's own type.
func Authorized[Permission, Caller any](authorize func(*http.Request, Permission) (Caller, error), need Permission,
	next func(http.ResponseWriter, *http.Request, Caller) error,
) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		c, err := authorize(r, need)
		if err != nil {
			return err
		}
		return next(w, r, c)
	}
}

// ServeHTTP serves the routes.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) { f.handler.ServeHTTP(w, r) }

// refuse logs the error and writes it.
func (f *Front) refuse(w http.ResponseWriter, r *http.Request, err error) {
	known := AsError(err)
	NoteRefusal(w, known.Code)
	f.refused.Add(r.Context(), RequestID(w), known)
	if known.Code == bellwire.CodeUnavailable || known.Code == bellwire.CodeRateLimited {
		RetryAfter(w.Header(), known.RetryAfter)
	}
	Refuse(w, r)
	f.fail(w, r, forCustomers(known))
}

// forCustomers replaces messages that are about the operator's server, which a vendor's customers know nothing of: its
// database, its keys and the names of its limits. The log has the original.
func forCustomers(err *bellwire.Error) *bellwire.Error {
	switch err.Code {
	case bellwire.CodeUnavailable, bellwire.CodeNoSpace, bellwire.CodeStale:
		return reworded(err, "the service is temporarily unavailable; try again later")
	case bellwire.CodeRateLimited:
		return reworded(err, fmt.Sprintf("too many requests; try again in %d s", retrySeconds(err.RetryAfter)))
	}
	return err
}

func reworded(err *bellwire.Error, message string) *bellwire.Error {
	return &bellwire.Error{Code: err.Code, Message: message, RetryAfter: err.RetryAfter, Err: err}
}

func (f *Front) notFound(w http.ResponseWriter, r *http.Request) {
	f.refuse(w, r, bellwire.Errorf(bellwire.CodeNotFound, "path %s does not exist", r.URL.EscapedPath()))
}

func (f *Front) methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	f.refuse(w, r, bellwire.Errorf(CodeMethodNotAllowed, "method %s is not allowed for this path; use %s",
		r.Method, strings.Join(w.Header()["Allow"], ", ")))
}

func (f *Front) panicked(w http.ResponseWriter, r *http.Request) {
	f.fail(w, r, AsError(bellwire.Errorf(bellwire.CodeInternal, "a handler panicked")))
}

// WriteJSON answers with v as JSON, in the order of its fields, and the content type application/json unless another one
// is set. Bytes that are no UTF-8 become U+FFFD: an error may repeat what a client sent, and has to be written all the same.
// CodeRateLimited: see Charge.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v, jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return bellwire.Wrap(bellwire.CodeInternal, err, "the response could not be encoded")
	}
	return WriteBody(w, status, body)
}

// WriteBody answers with a body that is JSON already. CodeRateLimited: see Charge. What a change has come to is told in any
// case.
func WriteBody(w http.ResponseWriter, status int, body []byte) error {
	if err := Charge(w, len(body)); err != nil && !changes(w) {
		return err
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.Header().Set("Cache-Control", "no-store") // secrets may be in it
	w.WriteHeader(status)
	_, _ = w.Write(body) // fails only if the client has gone
	return nil
}

// changes reports whether the request was one to change something.
func changes(w http.ResponseWriter) bool {
	rec, ok := w.(*recorder)
	return ok && rec.changes
}
