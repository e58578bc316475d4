package httpx

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// DecodeJSON reads a body of at most limit bytes into v, as ParseJSON does. The content type is not
// looked at: whatever comes is read as JSON.
func DecodeJSON(r *http.Request, limit int64, v any, options ...json.Options) error {
	body, err := ReadBody(r, limit)
	if err != nil {
		return err
	}
	return ParseJSON(body, v, options...)
}

// ParseJSON reads one JSON value into v, strictly: names match exactly, unknown and repeated members
// and invalid UTF-8 are refused. Its errors are *bellwire.Error: CodeMalformed for what is not JSON,
// CodeInvalid with the member's path as Field, and ErrUnknown, ErrDuplicate, ErrNull or ErrType as a cause, for what does
// not fit v. Options loosen this.
func ParseJSON(data []byte, v any, options ...json.Options) error {
	err := json.Unmarshal(data, v, append([]json.Options{json.RejectUnknownMembers(true)}, options...)...)
	if err == nil {
		return nil
	}
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		return Broken(len(data), syntax)
	}
	var meaning *json.SemanticError
	if errors.As(err, &meaning) {
		return misfit(meaning)
	}
	return bellwire.Wrap(bellwire.CodeInvalid, err, "The body does not fit.")
}

// Broken turns a fault in JSON of the given size into a *bellwire.Error.
func Broken(size int, err *jsontext.SyntacticError) error {
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return unfit(Field(err.JSONPointer), ErrDuplicate, "The member is given twice.")
	}
	if size == 0 {
		return bellwire.Errorf(bellwire.CodeMalformed, "The body is empty; it must be JSON.")
	}
	return bellwire.Wrap(bellwire.CodeMalformed, err, "The body is not JSON: %v, at byte %d.", err.Err, err.ByteOffset)
}

func misfit(err *json.SemanticError) error {
	field := Field(err.JSONPointer)
	var known *bellwire.Error
	if errors.As(err.Err, &known) {
		found := *known
		if found.Field == "" {
			found.Field = field
		}
		return &found
	}
	if errors.Is(err, json.ErrUnknownName) {
		return unfit(field, ErrUnknown, "There is no member of this name here.")
	}
	return unfit(field, fmt.Errorf("%w: %w", ErrType, err), "It must be "+kindOf(err.GoType)+".")
}

func unfit(field string, cause error, message string) error {
	return &bellwire.Error{Code: bellwire.CodeInvalid, Field: field, Message: message, Err: cause}
}

// kindOf says in the words of JSON what a Go type takes.
func kindOf(t reflect.Type) string {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil {
		return "of another kind"
	}
	if t == reflect.TypeFor[time.Time]() { // a struct to Go, and text in JSON
		return "a time such as 2006-01-02T15:04:05Z"
	}
	if t == reflect.TypeFor[bellwire.Duration]() { // a number to Go, and text in JSON
		return `a duration as text, such as "5s", "30m" or "72h"`
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return "a string"
}

// Field writes a JSON pointer (RFC 6901) as the path that bellwire.Error has: "retry.schedule[2]".
func Field(pointer jsontext.Pointer) string {
	var b strings.Builder
	for token := range pointer.Tokens() {
		if _, err := strconv.ParseUint(token, 10, 32); err == nil && b.Len() > 0 {
			b.WriteString("[" + token + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(token)
	}
	return b.String()
}
