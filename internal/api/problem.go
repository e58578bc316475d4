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

// titles are the same for every problem of a code.
var titles = map[bellwire.Code]string{
	bellwire.CodeMalformed:       "The request cannot be read",
	bellwire.CodeInvalid:         "The request cannot be accepted",
	bellwire.CodeUnauthenticated: "A key is needed",
	bellwire.CodeForbidden:       "The key may not do this",
	bellwire.CodeNotFound:        "Not found",
	bellwire.CodeConflict:        "In conflict with what is there",
	bellwire.CodeStale:           "It has changed in the meantime",
	bellwire.CodeTooLarge:        "The request is too large",
	bellwire.CodeRateLimited:     "Too many requests",
	bellwire.CodeUnavailable:     "Not available right now",
	bellwire.CodeNoSpace:         "No space left",
	bellwire.CodeCanceled:        "The request did not arrive whole",
	bellwire.CodeInternal:        "A fault of the server",
	codeMethodNotAllowed:         "This method is not for this path",
	codeUnsupportedEncoding:      "The body is compressed",
}

// defaultWait is what clients are told to wait when the error does not know.
const defaultWait = time.Second

// Problem is an error answer (RFC 9457).
type Problem struct {
	Type   string        `json:"type" format:"uri-reference" example:"/docs#error-invalid" doc:"Where this kind of problem is described."`
	Title  string        `json:"title" example:"The request cannot be accepted" doc:"What kind of problem it is, for people."`
	Status int           `json:"status" example:"422" doc:"The HTTP status."`
	Code   bellwire.Code `json:"code" example:"invalid" doc:"What kind of problem it is, for programs. Codes are stable."`
	Detail string        `json:"detail" example:"It must be an absolute http or https URL, such as https://example.com/webhooks." doc:"What happened, and what to do about it."`
	Errors []Fault       `json:"errors,omitempty" doc:"The members or parameters at fault, where there are some."`

	retryAfter time.Duration
}

// Fault is what is wrong with one member or parameter.
type Fault struct {
	Field   string `json:"field" example:"url" doc:"The member or parameter at fault, such as retry.schedule[2]."`
	Message string `json:"message" example:"It must be an absolute http or https URL, such as https://example.com/webhooks."`
}

func problemOf(err *bellwire.Error) *Problem {
	p := &Problem{
		Type:       "/docs#error-" + string(err.Code),
		Title:      titles[err.Code],
		Status:     statuses.Of(err.Code),
		Code:       err.Code,
		Detail:     err.Message,
		retryAfter: err.RetryAfter,
	}
	if err.Field != "" {
		p.Errors = []Fault{{Field: err.Field, Message: err.Message}}
		p.Detail = err.Field + ": " + err.Message
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
	// Huma takes these from package variables only. No other package of this program uses Huma.
	huma.NewError = humaError
	huma.DefaultArrayNullable = false
}

// humaError makes the Problem of what Huma finds wrong by itself: parameters, and what a body could not
// be read as. Values are left out, because they could be secrets.
func humaError(status int, _ string, errs ...error) huma.StatusError {
	p := problemOf(&bellwire.Error{Code: bellwire.CodeInvalid, Message: "The request cannot be accepted."})
	if status == http.StatusInternalServerError {
		p = problemOf(httpx.AsError(errors.Join(errs...)))
	}
	for _, err := range errs {
		var known *bellwire.Error
		if errors.As(err, &known) {
			return problemOf(known)
		}
		var detail *huma.ErrorDetail
		if errors.As(err, &detail) {
			_, field, _ := strings.Cut(detail.Location, ".") // after "query", "path" or "body"
			p.Errors = append(p.Errors, Fault{Field: field, Message: sentence(detail.Message)})
		}
	}
	if len(p.Errors) > 0 {
		p.Detail = p.Errors[0].Field + ": " + p.Errors[0].Message
	}
	return p
}

// sentence gives Huma's messages the form of ours.
func sentence(message string) string {
	if message == "" {
		return message
	}
	return strings.ToUpper(message[:1]) + message[1:] + "."
}

// problem turns any error into the Problem to answer with, and logs what the client is not told.
func (a *api) problem(ctx context.Context, requestID string, err error) *Problem {
	known := httpx.AsError(err)
	level := slog.LevelDebug
	switch known.Code {
	case bellwire.CodeInternal, bellwire.CodeNoSpace:
		level = slog.LevelError
	case bellwire.CodeUnavailable:
		level = slog.LevelWarn
	}
	// While the database is away or full, every publish fails: a few of them say it.
	if a.log.Enabled(ctx, level) && (known.Code == bellwire.CodeInternal || level == slog.LevelDebug || a.outage.Allow()) {
		a.log.LogAttrs(ctx, level, "request refused",
			slog.String("id", requestID), slog.String("code", string(known.Code)), slog.String("error", known.Error()))
	}
	return problemOf(known)
}

// fail writes an error answer where no use of Huma is.
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
	if err != nil { // a Problem holds nothing that could fail
		panic(err)
	}
	_, _ = w.Write(body) // the client may be gone: nobody is left to tell
}

func (a *api) notFound(w http.ResponseWriter, r *http.Request) {
	a.fail(w, r, bellwire.Errorf(bellwire.CodeNotFound, "There is nothing at %s; /docs lists all paths.", r.URL.EscapedPath()))
}

func (a *api) methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	a.fail(w, r, bellwire.Errorf(codeMethodNotAllowed, "%s is not for this path; allowed are %s.",
		r.Method, strings.Join(w.Header()["Allow"], ", ")))
}

func (a *api) panicked(w http.ResponseWriter, r *http.Request) {
	a.fail(w, r, bellwire.Errorf(bellwire.CodeInternal, "A handler panicked."))
}
