package verify

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"iter"
	"slices"
	"strings"

	"github.com/bellwire/bellwire/receive/sign"
)

// bodies iterates over the bodies that may have been signed, if the given one is what became of them. The given one comes
// first. With python, the texts are those that Python makes of them.
func bodies(body []byte, python bool) iter.Seq[choice[[]byte]] {
	return func(yield func(choice[[]byte]) bool) {
		form := func(text []byte) []byte {
			if python && json.Valid(text) {
				return sign.AppendPython(nil, text)
			}
			return text
		}
		if !yield(choice[[]byte]{value: form(body)}) {
			return
		}
		for found, changed := range changes(body) {
			if changed == nil || bytes.Equal(changed, body) {
				continue
			}
			if !yield(choice[[]byte]{form(changed), &Finding{MistakeBody, found, fixBody}}) {
				return
			}
		}
	}
}

// changes iterates over the texts of which a program may have made a body, with what was found then.
func changes(body []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for found, text := range textChanges(body) {
			if !yield(found, text) {
				return
			}
		}
		if !json.Valid(body) {
			return
		}
		for found, text := range jsonChanges(body) {
			if !yield(found, text) {
				return
			}
		}
	}
}

const reencoded = "the body was parsed and encoded again: "

func textChanges(body []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		unix := bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n"))
		_ = yield("a line break at the end of the body was not signed", bytes.TrimRight(body, "\r\n")) &&
			yield("white space at the beginning or the end of the body was not signed", bytes.TrimSpace(body)) &&
			yield("a line break at the end of the body was signed, and is missing", append(slices.Clone(body), '\n')) &&
			yield("a line break at the end of the body was signed, and is missing", append(slices.Clone(body), "\r\n"...)) &&
			yield("line breaks in the body were changed from LF to CRLF", unix) &&
			yield("line breaks in the body were changed from LF to CRLF, and one at its end was not signed", bytes.TrimRight(unix, "\n")) &&
			yield("line breaks in the body were changed from CRLF to LF", bytes.ReplaceAll(unix, []byte("\n"), []byte("\r\n"))) &&
			yield("a byte order mark at the beginning of the body was not signed", bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))) &&
			yield("the body is in base64, which has to be decoded first", fromBase64(body)) &&
			yield("the body is a JSON string that contains the message", fromString(body))
	}
}

// jsonChanges iterates over other encodings of a JSON text.
func jsonChanges(body []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		compact := compacted(body)
		utf8 := rewriteStrings(compact, plainString)
		spaced := sign.AppendPythonJSON(nil, body)
		ascii := compacted(spaced)
		ordered := inOrder(compact)
		if !yield(reencoded+"what was signed has no white space between its tokens", compact) ||
			!yield(reencoded+"what was signed has its characters without escapes", utf8) ||
			!yield(reencoded+"what was signed has escapes for characters outside ASCII", ascii) ||
			!yield(reencoded+"what was signed has escapes for <, > and &", escaped(utf8)) ||
			!yield(reencoded+`what was signed has "\/" for a slash`, rewriteStrings(ascii, slashedString)) ||
			!yield(reencoded+"what was signed has its fields in another order", ordered) ||
			!yield(reencoded+"what was signed has a space after commas and colons", spaced) ||
			!yield(reencoded+"what was signed has a space after commas and colons", rewriteStrings(spaced, plainString)) {
			return
		}
		for _, indent := range []string{"  ", "    ", "\t"} {
			if !yield(reencoded+"what was signed is printed over several lines", indented(body, indent)) {
				return
			}
		}
		for _, text := range [][]byte{body, ordered} {
			for _, style := range []func([]byte) []byte{
				func(data []byte) []byte { return sign.AppendPythonJSON(nil, data) },
				func(data []byte) []byte { return rewriteStrings(sign.AppendPythonJSON(nil, data), plainString) },
				func(data []byte) []byte { return indented(data, "  ") },
				func(data []byte) []byte { return indented(data, "    ") },
			} {
				if !yield(reencoded+"what was signed has white space in the event's data, as it was published", withData(text, style)) {
					return
				}
			}
		}
	}
}

// compacted returns a JSON text without white space. The text must be valid.
func compacted(text []byte) []byte {
	var b bytes.Buffer
	_ = json.Compact(&b, text) // it fails for invalid JSON only
	return b.Bytes()
}

func indented(text []byte, indent string) []byte {
	var b bytes.Buffer
	_ = json.Indent(&b, bytes.TrimSpace(text), "", indent) // it fails for invalid JSON only
	return b.Bytes()
}

func escaped(text []byte) []byte {
	var b bytes.Buffer
	json.HTMLEscape(&b, text)
	return b.Bytes()
}

// rewriteStrings returns a valid JSON text with every string in another spelling.
func rewriteStrings(text []byte, spell func(string) []byte) []byte {
	var out []byte
	for at := 0; at < len(text); {
		if text[at] != '"' {
			out = append(out, text[at])
			at++
			continue
		}
		end := at + 1
		for text[end] != '"' {
			if text[end] == '\\' {
				end++
			}
			end++
		}
		var value string
		_ = json.Unmarshal(text[at:end+1], &value) // it is a JSON string
		out = append(out, spell(value)...)
		at = end + 1
	}
	return out
}

// plainString returns a JSON string with as few escapes as possible.
func plainString(value string) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // strings can be encoded
	text := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	text = bytes.ReplaceAll(text, []byte(`\u2028`), []byte("\u2028"))
	return bytes.ReplaceAll(text, []byte(`\u2029`), []byte("\u2029"))
}

// slashedString returns a JSON string in the form of PHP.
func slashedString(value string) []byte {
	quoted, _ := json.Marshal(value) // strings can be encoded
	return bytes.ReplaceAll(sign.AppendPythonJSON(nil, quoted), []byte("/"), []byte(`\/`))
}

// order is the order in which messages of the dialects have their fields.
var order = []string{"id", "type", "timestamp", "created_at", "data", "context"}

// member is a field of an object.
type member struct {
	name  string
	value json.RawMessage
}

// members returns the fields of a JSON object in their order, or nil for another text.
func members(text []byte) []member {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return nil
	}
	var list []member
	for decoder.More() {
		name, err := decoder.Token()
		var value json.RawMessage
		if err != nil || decoder.Decode(&value) != nil {
			return nil
		}
		list = append(list, member{name.(string), value})
	}
	return list
}

// joined returns the object of some fields.
func joined(list []member) []byte {
	text := []byte{'{'}
	for i, m := range list {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(append(append(text, plainString(m.name)...), ':'), m.value...)
	}
	return append(text, '}')
}

// inOrder returns an object with its fields in the order of the dialects' messages, or nil if it has others.
func inOrder(text []byte) []byte {
	list := members(text)
	for _, m := range list {
		if !slices.Contains(order, m.name) {
			return nil
		}
	}
	slices.SortStableFunc(list, func(a, b member) int { return slices.Index(order, a.name) - slices.Index(order, b.name) })
	return joined(list)
}

// withData returns an object without white space, but with the event's data in a style. It returns nil if it has none.
func withData(text []byte, style func([]byte) []byte) []byte {
	list, has := members(text), false
	for i, m := range list {
		list[i].value = compacted(m.value)
		if m.name == "data" || m.name == "context" {
			list[i].value, has = style(m.value), true
		}
	}
	if !has {
		return nil
	}
	return joined(list)
}

// memberText returns a text field of a JSON object, or "".
func memberText(body []byte, name string) string {
	for _, m := range members(body) {
		var text string
		if m.name == name && json.Unmarshal(m.value, &text) == nil {
			return text
		}
	}
	return ""
}

// fromBase64 returns the bytes of a body that was written in base64, or nil.
func fromBase64(body []byte) []byte {
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(body)))
	if err != nil {
		return nil
	}
	return raw
}

// fromString returns the text of a body that is a JSON string, or nil.
func fromString(body []byte) []byte {
	var text string
	if json.Unmarshal(body, &text) != nil {
		return nil
	}
	return []byte(text)
}
