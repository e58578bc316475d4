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

// Error is the one error type that crosses package borders. It never contains a secret.
//
// Message says what is wrong, without a full stop. With a Field it is a predicate, of which the field is the subject: Field
// "url" and Message "must be an absolute http or https URL" read "url must be an absolute http or https URL". So a front end
// whose customers know the field under another name changes the Field alone.
type Error struct {
	Code       Code
	Message    string
	Field      string        // the field or parameter at fault, such as "events[2].type"; empty if none
	Hint       string        // what to do about it, if Message does not say so already; a sentence of its own
	Faults     []*Error      // every faulty field, if there are several: the first has the same Field and Message
	RetryAfter time.Duration // with CodeUnavailable and CodeRateLimited: when to try again; 0 if unknown
	Err        error         // the cause, for logs; never shown to clients
}

// Error returns the message with its field and cause, in one line. The hint is left out.
func (e *Error) Error() string {
	msg := e.Text()
	if e.Err != nil {
		msg += ": " + e.Err.Error()
	}
	return msg
}

// Text returns the message with its field, which clients may see.
func (e *Error) Text() string {
	if e.Field == "" {
		return e.Message
	}
	return e.Field + " " + e.Message
}

// Summary returns the texts of all faults, separated by semicolons.
func (e *Error) Summary() string {
	if len(e.Faults) == 0 {
		return e.Text()
	}
	texts := make([]string, len(e.Faults))
	for i, fault := range e.Faults {
		texts[i] = fault.Text()
	}
	return strings.Join(texts, "; ")
}

// Join returns one error for several: nil if all are nil, the error itself if there is one, and otherwise an *Error like the
// first whose Faults are those of all of them. An error that is no *Error, or has another code than the first, is returned
// alone, because it is no fault of a field.
func Join(errs ...error) error {
	var faults []*Error
	for _, err := range errs {
		if err == nil {
			continue
		}
		e, ok := errors.AsType[*Error](err)
		switch {
		case !ok, len(faults) > 0 && e.Code != faults[0].Code:
			return err
		case len(e.Faults) > 0:
			faults = append(faults, e.Faults...)
		default:
			faults = append(faults, e)
		}
	}
	switch len(faults) {
	case 0:
		return nil
	case 1:
		return faults[0]
	}
	joined := *faults[0]
	joined.Faults = faults
	return &joined
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
	return &Error{Code: CodeNotFound, Message: fmt.Sprintf("%s %q does not exist", kind, id)}
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
