package httpx

import (
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// How a member of a body does not fit. They are causes of an error with CodeInvalid whose Field names the member, so that
// each front end can phrase them in its vendor's words.
var (
	ErrUnknown   = errors.New("there is no such member")
	ErrDuplicate = errors.New("the member is there twice")
	ErrMissing   = errors.New("the member is missing")
	ErrNull      = errors.New("the member is null")
	ErrType      = errors.New("the member is of another type")
)

// Member is a member of a JSON object that may be left out, and that cannot be null.
type Member[T any] struct {
	Value T
	Given bool
}

// UnmarshalJSONFrom reads the member.
func (m *Member[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() == 'n' {
		return &bellwire.Error{Code: bellwire.CodeInvalid, Message: "must not be null", Err: ErrNull}
	}
	m.Given = true
	return json.UnmarshalDecode(dec, &m.Value)
}

// Pointer returns the value, nil if it was left out.
func (m Member[T]) Pointer() *T {
	if !m.Given {
		return nil
	}
	return &m.Value
}

// Require refuses a body without the member of the given name.
func Require(field string, given bool) error {
	if given {
		return nil
	}
	return &bellwire.Error{Code: bellwire.CodeInvalid, Field: field, Message: "is required", Err: ErrMissing}
}
