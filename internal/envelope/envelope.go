// Package envelope helps dialects to put published data into their messages: byte for byte, in the order, the spelling
// and the spacing that it was published with. Data is one valid JSON value, which publishing has made sure of.
package envelope

import (
	"bytes"
	"iter"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire"
)

// Object returns what stands between the braces of data: members that can be written beside others. It is empty for an
// object without members. Its error has CodeInvalid: data is no object, and the dialect cannot send it.
func Object(dialect string, data []byte) ([]byte, error) {
	data = bytes.TrimSpace(data)
	if len(data) < 2 || data[0] != '{' {
		return nil, bellwire.Errorf(bellwire.CodeInvalid,
			"The dialect %s can send objects only, and the event's data is none; nothing was sent.", dialect)
	}
	inner := data[1 : len(data)-1]
	if len(bytes.TrimSpace(inner)) == 0 {
		return nil, nil
	}
	return inner, nil
}

// Members goes through the members that Object has returned. Names are in their quotes, with their escapes; values are
// without the spaces around them.
func Members(inner []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		for i := 0; ; {
			i = skipSpace(inner, i)
			if i >= len(inner) {
				return
			}
			name := i
			i = skipString(inner, i)
			end := i
			i = skipSpace(inner, skipSpace(inner, i)+1) // over the colon
			value := i
			i = skipValue(inner, i)
			if !yield(inner[name:end], inner[value:i]) {
				return
			}
			i = skipSpace(inner, i) + 1 // over the comma
		}
	}
}

// Has tells whether the members that Object has returned have one of the given name.
func Has(inner []byte, name string) bool {
	_, found := Find(inner, name)
	return found
}

// Find returns the value of the first member of the given name.
func Find(inner []byte, name string) (value []byte, found bool) {
	for n, v := range Members(inner) {
		if Is(n, name) {
			return v, true
		}
	}
	return nil, false
}

// Is tells whether a name in quotes, as Members yields it, means the given one.
func Is(quoted []byte, name string) bool {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1:len(quoted)-1]) == name
	}
	plain, err := jsontext.AppendUnquote(nil, quoted)
	return err == nil && string(plain) == name
}

// Text returns the text of a value that is a string.
func Text(value []byte) (string, bool) {
	if len(value) == 0 || value[0] != '"' {
		return "", false
	}
	plain, err := jsontext.AppendUnquote(nil, value)
	return string(plain), err == nil
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// skipString returns the place behind the string that begins at i.
func skipString(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

// skipValue returns the place behind the value that begins at i.
func skipValue(b []byte, i int) int {
	for depth := 0; i < len(b); {
		switch b[i] {
		case '"':
			i = skipString(b, i)
		case '{', '[':
			depth++
			i++
		case '}', ']':
			depth--
			i++
		case ',', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return i
			}
			i++
			continue
		default:
			i++
			continue
		}
		if depth == 0 {
			return i
		}
	}
	return len(b)
}
