package httpx

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/suggest"
)

// DecodeJSON reads a body of at most limit bytes and parses it into v as ParseJSON does. The content type is ignored.
func DecodeJSON(r *http.Request, limit int64, v any, options ...json.Options) error {
	body, err := ReadBody(r, limit)
	if err != nil {
		return err
	}
	return ParseJSON(body, v, options...)
}

// ParseJSON parses a JSON value into v, strictly: names must match exactly, and unknown or repeated fields and invalid UTF-8 are
// refused. Its error is a *bellwire.Error: CodeMalformed if data is not JSON, and CodeInvalid with all faults if it does not fit v.
// Each fault has the field's path, and ErrUnknown, ErrDuplicate, ErrNull or ErrType as its cause. Options can loosen this.
func ParseJSON(data []byte, v any, options ...json.Options) error {
	_, err := ParseFitting(data, v, options...)
	return err
}

// ParseFitting parses as ParseJSON does. If it returns faults of fields, it reports whether v has all fields without a fault.
func ParseFitting(data []byte, v any, options ...json.Options) (parsed bool, err error) {
	options = append([]json.Options{json.RejectUnknownMembers(true)}, options...)
	err = json.Unmarshal(data, v, options...)
	if err == nil {
		return true, nil
	}
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		return false, Broken(data, syntax)
	}
	var meaning *json.SemanticError
	if errors.As(err, &meaning) {
		return misfits(data, reflect.ValueOf(v).Elem(), meaning, options)
	}
	return false, bellwire.Wrap(bellwire.CodeInvalid, err, "the body does not have the expected form")
}

// maxFaults is the most faults of one body that are looked for: each takes another pass over the body.
const maxFaults = 20

// misfits returns the fault that decoding has stopped at, together with those behind it. It finds them by leaving out the
// field at fault and decoding again. If that ends, v has the fields that are left.
func misfits(data []byte, v reflect.Value, meaning *json.SemanticError, options []json.Options) (parsed bool, err error) {
	var faults []error
	for len(faults) < maxFaults {
		faults = append(faults, misfit(meaning))
		rest, found := without(data, meaning.JSONPointer)
		if !found {
			break
		}
		data = rest
		v.SetZero()
		err := json.Unmarshal(data, v.Addr().Interface(), options...)
		if parsed = err == nil; parsed {
			break
		}
		// What is not JSON is of no interest any more: the request is refused for what comes before.
		if !errors.As(err, &meaning) {
			break
		}
	}
	return parsed, bellwire.Join(faults...)
}

// without returns a JSON text without the field at the given place. An element of an array is left out with the whole
// array, so that the places of the others stay what they are.
func without(data []byte, at jsontext.Pointer) (rest []byte, found bool) {
	for ; at != ""; at = at.Parent() {
		if rest, found = withoutMember(data, at); found {
			return rest, true
		}
	}
	return nil, false
}

func withoutMember(data []byte, at jsontext.Pointer) (rest []byte, found bool) {
	dec := jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	for {
		start := dec.InputOffset()
		if _, err := dec.ReadToken(); err != nil {
			return nil, false
		}
		kind, length := dec.StackIndex(dec.StackDepth())
		isName := kind == '{' && length%2 == 1
		if !isName || dec.StackPointer() != at {
			continue
		}
		if err := dec.SkipValue(); err != nil {
			return nil, false
		}
		rest = data[dec.InputOffset():]
		if length == 1 { // the first field: the comma behind it goes too
			rest = bytes.TrimPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte(","))
		}
		return slices.Concat(data[:start], rest), true
	}
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
		name := err.JSONPointer.LastToken()
		return unfit(field, ErrUnknown, "is not a known field"+suggest.DidYouMean(name, namesOf(err.GoType)))
	}
	if field == "" {
		return bellwire.Wrap(bellwire.CodeInvalid, fmt.Errorf("%w: %w", ErrType, err), "the body must be %s", kindOf(err.GoType))
	}
	return unfit(field, fmt.Errorf("%w: %w", ErrType, err), "must be "+kindOf(err.GoType))
}

// namesOf lists the names of the fields that a struct takes.
func namesOf(t reflect.Type) []string {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Struct {
		return nil
	}
	var names []string
	for _, field := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}

func unfit(field string, cause error, message string) error {
	return &bellwire.Error{Code: bellwire.CodeInvalid, Field: field, Message: message, Err: cause}
}

// kindOf names the JSON values of a Go type.
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
		return `a duration as text, such as "5s", "72h" or "30d"`
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

// Field returns a JSON pointer (RFC 6901) as a path for bellwire.Error.Field: "retry.schedule[2]".
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
