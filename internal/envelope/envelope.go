// Package envelope embeds published data in the messages of dialects, byte for byte. Data must be a valid JSON value, as checked by
// publishing.
package envelope

import (
	"bytes"
	"iter"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Object returns the text between the braces of data, whose fields can be combined with others. It is empty for an empty object.
// Its error has CodeInvalid if data is not an object.
func Object(dialect string, data []byte) ([]byte, error) {
	data = bytes.TrimSpace(data)
	if len(data) < 2 || data[0] != '{' {
		return nil, bellwire.Errorf(bellwire.CodeInvalid,
			"the event's data is not an object, as the dialect %s requires; nothing was sent", dialect)
	}
	inner := data[1 : len(data)-1]
	if len(bytes.TrimSpace(inner)) == 0 {
		return nil, nil
	}
	return inner, nil
}

// Members iterates over the fields in a text that Object has returned. Names have their quotes and escapes; values have no
// surrounding white space.
func Members(inner []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		for m := range members(inner) {
			if !yield(m.name, m.value) {
				return
			}
		}
	}
}

// member is a field of an object: its name, its value, and its whole text with surrounding white space.
type member struct {
	name, value, whole []byte
	at                 int // where the value begins
}

func members(inner []byte) iter.Seq[member] {
	return func(yield func(member) bool) {
		for begin := 0; ; {
			name := skipSpace(inner, begin)
			if name >= len(inner) {
				return
			}
			end := skipString(inner, name)
			value := skipSpace(inner, skipSpace(inner, end)+1) // over the colon
			last := skipValue(inner, value)
			comma := skipSpace(inner, last)
			if !yield(member{name: inner[name:end], value: inner[value:last], whole: inner[begin:comma], at: value}) {
				return
			}
			begin = comma + 1
		}
	}
}

// Has reports whether the fields have one with the given name.
func Has(inner []byte, name string) bool {
	_, found := Find(inner, name)
	return found
}

// Find returns the value of the first field with the given name.
func Find(inner []byte, name string) (value []byte, found bool) {
	if !mayHave(inner, name) {
		return nil, false
	}
	for m := range members(inner) {
		if Is(m.name, name) {
			return m.value, true
		}
	}
	return nil, false
}

// mayHave reports whether the name occurs, or may be written with escapes. It quickly excludes most data.
func mayHave(inner []byte, name string) bool {
	return bytes.Contains(inner, []byte(name)) || bytes.IndexByte(inner, '\\') >= 0
}

// Without returns the fields without those of the given name, whose values must be the text want, which the dialect's message has
// anyway. Its error has CodeInvalid if one has another value.
func Without(dialect string, inner []byte, name, want string) ([]byte, error) {
	if !Has(inner, name) {
		return inner, nil
	}
	var rest []byte
	for m := range members(inner) {
		if !Is(m.name, name) {
			if rest != nil {
				rest = append(rest, ',')
			}
			rest = append(rest, m.whole...)
			continue
		}
		if text, ok := Text(m.value); !ok || text != want {
			return nil, bellwire.Errorf(bellwire.CodeInvalid,
				"the dialect %s sends the event's type as %s, which the data must leave out or set to %q; nothing was sent", dialect, name, want)
		}
	}
	return rest, nil
}

// AppendElements appends an array with its elements as appended by change. The text between them stays unchanged.
func AppendElements(dst, array []byte, change func(dst, element []byte) []byte) []byte {
	dst = append(dst, '[')
	inner := array[1 : len(array)-1]
	for last := 0; ; {
		begin := skipSpace(inner, last)
		if begin >= len(inner) {
			return append(append(dst, inner[last:]...), ']')
		}
		end := skipValue(inner, begin)
		dst = change(append(dst, inner[last:begin]...), inner[begin:end])
		last = skipSpace(inner, end)
		dst = append(dst, inner[end:last]...)
		if last < len(inner) {
			dst = append(dst, ',')
			last++
		}
	}
}

// AppendWith appends an object with the given value for all fields of the given name, or with such a field added at its end. The
// rest stays unchanged, as does a value that is not an object.
func AppendWith(dst, object []byte, name string, value []byte) []byte {
	if object[0] != '{' {
		return append(dst, object...)
	}
	inner := object[1 : len(object)-1]
	dst = append(dst, '{')
	copied, end, found := 0, 0, false
	for m := range members(inner) {
		end = m.at + len(m.value)
		if Is(m.name, name) {
			dst = append(append(dst, inner[copied:m.at]...), value...)
			copied, found = end, true
		}
	}
	if !found {
		dst = append(dst, inner[:end]...)
		if end > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), name...), `":`...)
		dst = append(dst, value...)
		copied = end
	}
	return append(append(dst, inner[copied:]...), '}')
}

// Is reports whether a quoted name, as yielded by Fields, equals the given one.
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

// skipString returns the index after the string that begins at i.
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

// skipValue returns the index after the value that begins at i.
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
