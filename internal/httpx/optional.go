package httpx

import (
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// The kinds of faults of a field. They are the causes of errors with CodeInvalid, so that front ends can phrase them in the words of
// their vendors.
var (
	ErrUnknown   = errors.New("unknown field")
	ErrDuplicate = errors.New("duplicate field")
	ErrMissing   = errors.New("missing field")
	ErrNull      = errors.New("null field")
	ErrType      = errors.New("field of another type")
)

// Optional is a field of a JSON object that may be omitted and must not be null.
type Optional[T any] struct {
	Value T
	Given bool
}

// UnmarshalJSONFrom parses the field.
func (m *Optional[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() == 'n' {
		return &bellwire.Error{Code: bellwire.CodeInvalid, Message: "must not be null", Err: ErrNull}
	}
	m.Given = true
	return json.UnmarshalDecode(dec, &m.Value)
}

// Pointer returns the value, nil if it was omitted.
func (m Optional[T]) Pointer() *T {
	if !m.Given {
		return nil
	}
	return &m.Value
}

// Require returns an error about the field unless it was given.
func Require(field string, given bool) error {
	if given {
		return nil
	}
	return &bellwire.Error{Code: bellwire.CodeInvalid, Field: field, Message: "is required", Err: ErrMissing}
}
