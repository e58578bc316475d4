package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Error is the server's answer to a request that failed (RFC 9457).
type Error struct {
	Status     int
	Code       Code
	Detail     string        // what is wrong
	Hint       string        // what to do about it, a sentence; often empty
	Field      string        // the first field or parameter at fault, if there is one
	Faults     []Fault       // all fields and parameters at fault
	RetryAfter time.Duration // when to try again; 0 if the server did not say
	RequestID  string        // under which the server's log has more

	location string // of a redirect
}

// Fault is what is wrong with one field or parameter.
type Fault struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Code is a kind of error. Codes are stable.
type Code string

// The codes of an Error.
const (
	CodeMalformed           Code = "malformed"
	CodeInvalid             Code = "invalid"
	CodeUnauthenticated     Code = "unauthenticated"
	CodeForbidden           Code = "forbidden"
	CodeNotFound            Code = "not_found"
	CodeMethodNotAllowed    Code = "method_not_allowed"
	CodeUnsupportedEncoding Code = "unsupported_encoding"
	CodeConflict            Code = "conflict"
	CodeStale               Code = "stale"
	CodePreconditionFailed  Code = "precondition_failed" // see WithIfMatch
	CodeBreakingChange      Code = "breaking_change"     // see WithForce
	CodeTooLarge            Code = "too_large"
	CodeRateLimited         Code = "rate_limited"
	CodeUnavailable         Code = "unavailable"
	CodeNoSpace             Code = "no_space"
	CodeCanceled            Code = "canceled"
	CodeInternal            Code = "internal"
)

// Error returns what is wrong, with all faults and the hint.
func (e *Error) Error() string {
	if e.Code == "" && e.location != "" {
		return fmt.Sprintf("server answered %d %s; use the address that it names: %s", e.Status, http.StatusText(e.Status), e.location)
	}
	if e.Code == "" {
		return fmt.Sprintf("server answered %d %s", e.Status, http.StatusText(e.Status))
	}
	text := fmt.Sprintf("%s (%s)", e.detail(), e.Code)
	if e.Hint != "" {
		text += "; hint: " + e.Hint
	}
	return text
}

// detail returns Detail, or the text of all faults if there are several.
func (e *Error) detail() string {
	if len(e.Faults) < 2 {
		return e.Detail
	}
	texts := make([]string, len(e.Faults))
	for i, fault := range e.Faults {
		texts[i] = fault.Field + " " + fault.Message
	}
	return strings.Join(texts, "; ")
}

// explained is an error with a message of its own in place of that of its cause.
type explained struct {
	message string
	err     error
}

func (e *explained) Error() string { return e.message }

func (e *explained) Unwrap() error { return e.err }

// notReached returns an error that says why a server cannot be reached, or err if that is unknown.
func notReached(server string, err error) error {
	var unknown *net.DNSError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return &explained{fmt.Sprintf("no server answers at %s: connection refused", server), err}
	case errors.As(err, &unknown) && unknown.IsNotFound:
		return &explained{fmt.Sprintf("no server answers at %s: host %s does not exist", server, unknown.Name), err}
	}
	return err
}

// misread returns an error that says why the response to a request cannot be read.
func misread(method, path string, err error) error {
	var (
		syntax    *json.SyntaxError
		wrongType *json.UnmarshalTypeError
	)
	switch {
	case errors.As(err, &syntax), errors.As(err, &wrongType), err == io.EOF:
		return &explained{fmt.Sprintf("the response to %s %s is not that of a Bellwire server", method, path), err}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &explained{fmt.Sprintf("the response to %s %s ends too early", method, path), err}
	}
	return fmt.Errorf("read the response to %s %s: %w", method, path, err)
}

const maxProblem = 1 << 20 // bytes that are read of an error response

// readError returns the Error for a response that is not a success, whether the server or a proxy sent it.
func readError(response *http.Response) error {
	e := &Error{Status: response.StatusCode, RequestID: response.Header.Get("X-Request-Id")}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	if to, err := response.Location(); err == nil {
		e.location = to.Scheme + "://" + to.Host
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxProblem))
	if err != nil {
		return e
	}
	e.fill(body)
	return e
}

// fill takes what a problem says, if the text is one.
func (e *Error) fill(text []byte) {
	var problem struct {
		Code         Code
		Detail, Hint string
		Errors       []Fault
	}
	if json.Unmarshal(text, &problem) == nil {
		e.Code, e.Detail, e.Hint, e.Faults = problem.Code, problem.Detail, problem.Hint, problem.Errors
	}
	if len(e.Faults) > 0 {
		e.Field = e.Faults[0].Field
	}
}
