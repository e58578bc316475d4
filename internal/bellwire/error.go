package bellwire

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Code says what kind of thing went wrong. Codes are stable: clients match on them, and each front
// end has one table from code to status and body.
type Code string

// The codes an Error can carry.
const (
	CodeMalformed       Code = "malformed"       // the input could not be read at all: broken JSON
	CodeInvalid         Code = "invalid"         // the input was read and cannot be accepted
	CodeUnauthenticated Code = "unauthenticated" // no key, or one that nobody knows
	CodeForbidden       Code = "forbidden"       // the key is known and may not do this
	CodeNotFound        Code = "not_found"       // no such thing, or another tenant's
	CodeConflict        Code = "conflict"        // it contradicts what is already there
	CodeStale           Code = "stale"           // it was decided on configuration that has changed since; look again and repeat
	CodeTooLarge        Code = "too_large"       // the input is over a limit
	CodeRateLimited     Code = "rate_limited"    // more than the caller's share or rate; try again later, more slowly
	CodeUnavailable     Code = "unavailable"     // overload, shutdown, or no database; try again later
	CodeNoSpace         Code = "no_space"        // the database has no room left
	CodeCanceled        Code = "canceled"        // the caller went away before an answer
	CodeInternal        Code = "internal"        // a fault of ours
)

// Error is the one error type that crosses package borders. Message is a sentence for a person: what
// happened, to what, and what to do about it. It never contains a secret.
type Error struct {
	Code       Code
	Message    string
	Field      string        // the member or parameter at fault, such as "events[2]"; empty if none
	RetryAfter time.Duration // with CodeUnavailable and CodeRateLimited: when to try again; 0 if unknown
	Err        error         // the cause, for logs; never shown to clients
}

func (e *Error) Error() string {
	msg := e.Message
	if e.Field != "" {
		msg = e.Field + ": " + msg
	}
	if e.Err != nil {
		msg = strings.TrimSuffix(msg, ".") + ": " + e.Err.Error()
	}
	return msg
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error of the given code.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Wrap makes an Error of the given code that keeps err as its cause.
func Wrap(code Code, err error, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Err: err}
}

// Invalid makes an Error of CodeInvalid about one field.
func Invalid(field, format string, args ...any) *Error {
	return &Error{Code: CodeInvalid, Field: field, Message: fmt.Sprintf(format, args...)}
}

// NotFound makes the Error for a thing of the given kind that is not there.
func NotFound(kind, id string) *Error {
	return &Error{Code: CodeNotFound, Message: fmt.Sprintf("There is no %s %q.", kind, id)}
}

// CodeOf returns the code that err carries, and CodeInternal for an error without one.
// It returns the empty code for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}
