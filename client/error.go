package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"
)

// Error is what the server answered instead of what was asked for (RFC 9457).
type Error struct {
	Status     int
	Code       string // what kind of problem it is; stable: one of the constants below
	Detail     string // what happened, and what to do about it
	Field      string // the first member or parameter at fault; empty if none
	Faults     []Fault
	RetryAfter time.Duration // when to try again; 0: the server did not say
	RequestID  string        // under which the server's log has more
}

// Fault is what is wrong with one member or parameter.
type Fault struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// The codes of an Error.
const (
	CodeMalformed           = "malformed"
	CodeInvalid             = "invalid"
	CodeUnauthenticated     = "unauthenticated"
	CodeForbidden           = "forbidden"
	CodeNotFound            = "not_found"
	CodeMethodNotAllowed    = "method_not_allowed"
	CodeUnsupportedEncoding = "unsupported_encoding"
	CodeConflict            = "conflict"
	CodeStale               = "stale"
	CodeTooLarge            = "too_large"
	CodeRateLimited         = "rate_limited"
	CodeUnavailable         = "unavailable"
	CodeNoSpace             = "no_space"
	CodeCanceled            = "canceled"
	CodeInternal            = "internal"
)

func (e *Error) Error() string {
	if e.Code == "" {
		return fmt.Sprintf("the server answered %d %s", e.Status, http.StatusText(e.Status))
	}
	return fmt.Sprintf("%s (%s)", e.Detail, e.Code)
}

// unreachable is why no request could be made, in words.
type unreachable struct {
	message string
	err     error
}

func (e *unreachable) Error() string { return e.message }

func (e *unreachable) Unwrap() error { return e.err }

// notReached says in words why a server could not be reached, where that is known.
func notReached(server string, err error) error {
	var unknown *net.DNSError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return &unreachable{fmt.Sprintf("no server answers at %s: the connection was refused", server), err}
	case errors.As(err, &unknown) && unknown.IsNotFound:
		return &unreachable{fmt.Sprintf("no server answers at %s: there is no host %s", server, unknown.Name), err}
	}
	return err
}

const maxProblem = 1 << 20 // bytes read of an error answer

// readError makes an Error of any answer, also one that a proxy on the way made.
func readError(response *http.Response) error {
	e := &Error{Status: response.StatusCode, RequestID: response.Header.Get("X-Request-Id")}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxProblem))
	if err != nil {
		return e
	}
	var problem struct {
		Code, Detail string
		Errors       []Fault
	}
	if json.Unmarshal(body, &problem) == nil {
		e.Code, e.Detail, e.Faults = problem.Code, problem.Detail, problem.Errors
	}
	if len(e.Faults) > 0 {
		e.Field = e.Faults[0].Field
	}
	return e
}
