package httpx

import (
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// RequestIDHeader has the request's id: in the request if the client chose one, and in every response.
const RequestIDHeader = "X-Request-Id"

const maxRequestID = 64

// RequestID returns the id of the request that w responds to.
func RequestID(w http.ResponseWriter) string { return w.Header().Get(RequestIDHeader) }

// CallOf returns the request that w responds to, for the audit log and the history of what it changes.
func CallOf(w http.ResponseWriter, r *http.Request) bellwire.Call {
	return bellwire.Call{
		Origin: bellwire.Origin{RequestID: RequestID(w), Address: clientAddress(r)},
		Method: r.Method, Path: auditPath(r),
	}
}

// auditPath returns the path with its escapes, so that it is always text. A path that is too long for the audit log, which
// no route has, is cut.
func auditPath(r *http.Request) string {
	const cut = "…"
	path := r.URL.EscapedPath()
	if len(path) <= bellwire.MaxAuditText {
		return path
	}
	return path[:bellwire.MaxAuditText-len(cut)] + cut
}

// clientAddress returns the client's address without its port.
func clientAddress(r *http.Request) string {
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return address
}

// Observe assigns an id to each request, and logs the request at debug level after the response. Bodies, headers and queries, which
// may contain secrets, are not logged. Errors are logged where they occur.
func Observe(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		w.Header()[RequestIDHeader] = []string{requestID(r)}
		rec := newRecorder(w, r)
		defer func() {
			if !log.Enabled(r.Context(), slog.LevelDebug) {
				return
			}
			log.LogAttrs(r.Context(), slog.LevelDebug, "request",
				slog.String("id", RequestID(rec)),
				slog.String("method", r.Method),
				slog.String("path", r.URL.Path),
				slog.Int("status", rec.status),
				slog.Int64("bytes", rec.bytes),
				slog.Duration("took", time.Since(start)),
				slog.String("from", r.RemoteAddr))
		}()
		next.ServeHTTP(rec, r)
	})
}

// The reasons that WatchAuthentication reports.
const (
	ReasonMissing = "missing" // no credentials were sent
	ReasonInvalid = "invalid" // the credentials are unknown or no longer valid
)

// WatchAuthentication calls failed for each request that a front end refuses with CodeUnauthenticated, with the reason and the
// client's address. It must be wrapped by Observe.
func WatchAuthentication(front http.Handler, failed func(reason, from string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		front.ServeHTTP(w, r)
		rec, ok := w.(*recorder)
		if !ok || rec.code != bellwire.CodeUnauthenticated {
			return
		}
		reason := ReasonInvalid
		if r.Header.Get("Authorization") == "" {
			reason = ReasonMissing
		}
		failed(reason, clientAddress(r))
	})
}

// Recover logs a panic of a handler, and responds with internal, the front end's own 500, if nothing has been sent yet. Otherwise it
// aborts the response, so that the client does not take a part for the whole.
func Recover(log *slog.Logger, internal http.HandlerFunc, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec, ok := w.(*recorder)
		if !ok {
			rec = newRecorder(w, r)
		}
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if cause == http.ErrAbortHandler {
				panic(cause)
			}
			log.LogAttrs(r.Context(), slog.LevelError, "handler panicked",
				slog.String("id", RequestID(rec)),
				slog.String("method", r.Method),
				slog.String("path", r.URL.Path),
				slog.Any("panic", cause),
				slog.String("stack", string(debug.Stack())))
			if rec.status != 0 {
				panic(http.ErrAbortHandler)
			}
			internal(rec, r)
		}()
		next.ServeHTTP(rec, r)
	})
}

// requestID returns the client's id if it is short and plain, so that it cannot forge log lines, and a new one otherwise.
func requestID(r *http.Request) string {
	given := r.Header.Get(RequestIDHeader)
	if given == "" || len(given) > maxRequestID {
		return newRequestID()
	}
	for i := range len(given) {
		if c := given[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return newRequestID()
		}
	}
	return given
}

func newRequestID() string { return strconv.FormatUint(rand.Uint64()|1<<63, 16) }

// recorder records the response.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
	code   bellwire.Code // of a refusal

	conn    *connection // nil if not of a Server
	changes bool        // the request changes something
}

func newRecorder(w http.ResponseWriter, r *http.Request) *recorder {
	return &recorder{
		ResponseWriter: w, conn: connectionOf(r),
		changes: r.Method != http.MethodGet && r.Method != http.MethodHead,
	}
}

// NoteRefusal records the code of a refusal, for WatchAuthentication.
func NoteRefusal(w http.ResponseWriter, code bellwire.Code) {
	if rec, ok := w.(*recorder); ok {
		rec.code = code
	}
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= http.StatusOK { // informational responses come before
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap gives http.ResponseController the connection's own writer.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
