package bellwire

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Code is the kind of an error. Codes are stable: clients match on them, and front ends map them to statuses.
type Code string

// The codes an Error can carry.
const (
	CodeMalformed       Code = "malformed"           // the input cannot be parsed, such as broken JSON
	CodeInvalid         Code = "invalid"             // the input can be parsed but not accepted
	CodeUnauthenticated Code = "unauthenticated"     // no key, or an unknown one
	CodeForbidden       Code = "forbidden"           // the key does not have the permission
	CodeNotFound        Code = "not_found"           // the thing does not exist, or belongs to another tenant
	CodeConflict        Code = "conflict"            // the request conflicts with the current state
	CodeStale           Code = "stale"               // the configuration has changed since it was read; read it again and repeat
	CodePrecondition    Code = "precondition_failed" // what the request changes has another version than it requires
	CodeBreaking        Code = "breaking_change"     // the change would surprise the readers of what it changes
	CodeTooLarge        Code = "too_large"           // the input exceeds a limit
	CodeRateLimited     Code = "rate_limited"        // the caller exceeds its share or rate; try again later
	CodeUnavailable     Code = "unavailable"         // overload, shutdown or no database; try again later
	CodeNoSpace         Code = "no_space"            // the database has no room left
	CodeCanceled        Code = "canceled"            // the caller disconnected
	CodeInternal        Code = "internal"            // a fault of the server
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
// first whose Faults are those of all of them. An error that is not an *Error, or has another code than the first, is returned
// alone, because it is not a fault of a field.
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

// AddFaults adds to the faults of fields that were left out, nil for none, what is wrong with the others. Unless that is about fields, it
// is not said: the request must be mended first.
func AddFaults(misfits, found error) error {
	if misfits == nil {
		return found
	}
	other, ok := errors.AsType[*Error](found)
	if !ok || other.Code != CodeInvalid {
		return misfits
	}
	left := faultsOf(misfits)
	errs := []error{misfits}
	for _, fault := range faultsOf(found) {
		if !slices.ContainsFunc(left, func(out *Error) bool {
			return within(out.Field, fault.Field) || within(fault.Field, out.Field)
		}) {
			errs = append(errs, fault)
		}
	}
	return Join(errs...)
}

// within reports whether a field is another one, or a part of it. Names that differ in case only are those of one field.
func within(part, whole string) bool {
	if len(part) < len(whole) || !strings.EqualFold(part[:len(whole)], whole) {
		return false
	}
	rest := part[len(whole):]
	return rest == "" || rest[0] == '.' || rest[0] == '['
}

// faultsOf returns the faults that an error joins, or the error itself.
func faultsOf(err error) []*Error {
	e, ok := errors.AsType[*Error](err)
	switch {
	case !ok:
		return nil
	case len(e.Faults) > 0:
		return e.Faults
	}
	return []*Error{e}
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an Error with the given code.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Wrap returns an Error with the given code and the cause err.
func Wrap(code Code, err error, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Err: err}
}

// Invalid returns an Error with CodeInvalid about a field.
func Invalid(field, format string, args ...any) *Error {
	return &Error{Code: CodeInvalid, Field: field, Message: fmt.Sprintf(format, args...)}
}

// NotFound returns the Error for a thing of the given kind that does not exist.
func NotFound(kind, id string) *Error {
	return &Error{Code: CodeNotFound, Message: fmt.Sprintf("%s %q does not exist", kind, id)}
}

// CodeOf returns the code of err, CodeInternal if it has none, and the empty code for nil.
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
