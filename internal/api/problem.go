package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
)

// statuses maps error codes to the API's HTTP statuses.
var statuses = httpx.Statuses(httpx.StatusTable{
	bellwire.CodeStale:   http.StatusConflict,
	bellwire.CodeNoSpace: http.StatusInsufficientStorage,
})

const (
	codeMethodNotAllowed    = httpx.CodeMethodNotAllowed
	codeUnsupportedEncoding = httpx.CodeUnsupportedEncoding
)

// titles are the titles of problems by their code.
var titles = map[bellwire.Code]string{
	bellwire.CodeMalformed:       "Malformed request",
	bellwire.CodeInvalid:         "Invalid request",
	bellwire.CodeUnauthenticated: "Authentication required",
	bellwire.CodeForbidden:       "Permission denied",
	bellwire.CodeNotFound:        "Not found",
	bellwire.CodeConflict:        "Conflict",
	bellwire.CodeStale:           "Changed in the meantime",
	bellwire.CodePrecondition:    "Changed since it was read",
	bellwire.CodeBreaking:        "Breaking change",
	bellwire.CodeTooLarge:        "Request too large",
	bellwire.CodeRateLimited:     "Too many requests",
	bellwire.CodeUnavailable:     "Temporarily unavailable",
	bellwire.CodeNoSpace:         "No space left",
	bellwire.CodeCanceled:        "Incomplete request",
	bellwire.CodeInternal:        "Internal error",
	codeMethodNotAllowed:         "Method not allowed",
	codeUnsupportedEncoding:      "Unsupported content encoding",
}

// defaultWait is the Retry-After of errors that do not have one.
const defaultWait = time.Second

// Problem is the response to a failed request (RFC 9457).
type Problem struct {
	Type   string        `json:"type" format:"uri-reference" example:"/docs#error-invalid" doc:"Link to the description of this kind of problem."`
	Title  string        `json:"title" example:"Invalid request" doc:"The kind of problem, for people."`
	Status int           `json:"status" example:"422" doc:"The HTTP status."`
	Code   bellwire.Code `json:"code" example:"invalid" doc:"The kind of problem, for programs. Codes are stable."`
	Detail string        `json:"detail" example:"url must be an absolute http or https URL, such as https://example.com/hooks" doc:"What is wrong, in a sentence. With several errors, the first of them."`
	Hint   string        `json:"hint,omitempty" example:"Wait until one of them expires, or rotate with the overlap 0s." doc:"What to do about it, where the detail does not say so already."`
	Errors []Fault       `json:"errors,omitempty" doc:"The fields or parameters at fault, all of them, if there are any."`

	retryAfter time.Duration
}

// Fault says what is wrong with one field or parameter.
type Fault struct {
	Field   string `json:"field" example:"url" doc:"The field or parameter at fault, such as retry.schedule[2]."`
	Message string `json:"message" example:"must be an absolute http or https URL, such as https://example.com/hooks" doc:"What is wrong with it. The field is the subject of the sentence."`
}

func problemOf(err *bellwire.Error) *Problem {
	p := &Problem{
		Type:       "/docs#error-" + string(err.Code),
		Title:      titles[err.Code],
		Status:     statuses.Of(err.Code),
		Code:       err.Code,
		Detail:     err.Text(),
		Hint:       err.Hint,
		retryAfter: err.RetryAfter,
	}
	faults := err.Faults
	if len(faults) == 0 {
		faults = []*bellwire.Error{err}
	}
	for _, fault := range faults {
		if fault.Field != "" {
			p.Errors = append(p.Errors, Fault{Field: fault.Field, Message: fault.Message})
		}
	}
	return p
}

// Error returns the detail. With the methods below it makes a Problem an error that Huma writes as it should be.
func (p *Problem) Error() string { return p.Detail }

// GetStatus returns the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType returns the media type of RFC 9457.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders returns the headers that go with the status.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	switch p.Code {
	case bellwire.CodeUnauthenticated:
		h.Set("WWW-Authenticate", `Bearer realm="bellwire"`)
	case bellwire.CodeUnavailable, bellwire.CodeRateLimited:
		wait := p.retryAfter
		if wait <= 0 {
			wait = defaultWait
		}
		httpx.RetryAfter(h, wait)
	}
	return h
}

func init() {
	// Huma has only package variables for these. No other package of this program uses Huma.
	huma.NewError = humaError
	huma.DefaultArrayNullable = false
}

// humaError makes the Problem for errors that do not come from a handler: those of reading the body, and what Huma itself
// finds wrong. Huma's texts are left out. checkParameters has found the same faults before, and a value may be a secret.
func humaError(status int, _ string, errs ...error) huma.StatusError {
	if status == http.StatusInternalServerError {
		return problemOf(httpx.AsError(errors.Join(errs...)))
	}
	faults := make([]error, len(errs))
	for i, err := range errs {
		faults[i] = err
		if detail, ok := errors.AsType[*huma.ErrorDetail](err); ok {
			_, field, _ := strings.Cut(detail.Location, ".") // after "query" or "path"
			faults[i] = bellwire.Invalid(field, "is not valid")
		}
	}
	if err := bellwire.Join(faults...); err != nil {
		return problemOf(httpx.AsError(err))
	}
	return problemOf(bellwire.Errorf(bellwire.CodeInvalid, "the request is not valid"))
}

// problem returns the Problem for an error, and logs what the client is not told.
func (a *api) problem(ctx context.Context, requestID string, err error) *Problem {
	known := httpx.AsError(err)
	a.refused.Add(ctx, requestID, known)
	return problemOf(known)
}

// fail writes an error response outside of Huma.
func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := a.problem(r.Context(), httpx.RequestID(w), err)
	httpx.NoteRefusal(w, p.Code)
	httpx.Refuse(w, r)
	header := w.Header()
	for name, values := range p.GetHeaders() {
		header[name] = values
	}
	header.Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	body, err := marshal(nil, p)
	if err != nil { // a Problem can always be encoded
		panic(err)
	}
	_, _ = w.Write(body) // the client may be gone
}

// Unavailable returns a handler that refuses every request with CodeUnavailable, in place of an API that is not there yet.
func Unavailable(log *slog.Logger, message string) http.Handler {
	a := &api{refused: httpx.NewRefusalLog(log)}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.fail(w, r, bellwire.Errorf(bellwire.CodeUnavailable, "%s", message))
	})
}

func (a *api) notFound(w http.ResponseWriter, r *http.Request) {
	a.fail(w, r, bellwire.Errorf(bellwire.CodeNotFound, "path %s does not exist; /docs lists all paths", r.URL.EscapedPath()))
}

func (a *api) methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	a.fail(w, r, bellwire.Errorf(codeMethodNotAllowed, "method %s is not allowed for this path; use %s",
		r.Method, strings.Join(w.Header()["Allow"], ", ")))
}

func (a *api) panicked(w http.ResponseWriter, r *http.Request) {
	a.fail(w, r, bellwire.Errorf(bellwire.CodeInternal, "a handler panicked"))
}
