package filter

import (
	"encoding/json"
	"strings"
)

// bytesPerStep is how many bytes of JSON are read in a step.
const bytesPerStep = 32

// maxIndexed is the most fields of the data that an Evaluation remembers.
const maxIndexed = 64

// name is a field's name, or another string, as it stands between its quotes.
type name struct {
	raw     string
	escaped bool // it has a backslash
}

func (n name) is(text string) bool {
	if !n.escaped {
		return n.raw == text
	}
	return len(n.raw) > len(text) && n.decoded() == text
}

// decoded returns the text that is meant.
func (n name) decoded() string {
	if !n.escaped {
		return n.raw
	}
	var text string
	if err := json.Unmarshal([]byte(`"`+n.raw+`"`), &text); err != nil {
		return n.raw
	}
	return text
}

// member is a field of an object, with its value as JSON.
type member struct {
	name  name
	value string
}

// cursor reads the fields of an object or the elements of an array.
type cursor struct {
	json   string
	at     int
	object bool
	first  bool
	bad    bool // the JSON is malformed
}

// open returns a cursor over an object or array, and counts the steps of reading all of it.
func (ev *Evaluation) open(v value) cursor {
	ev.spend(1 + len(v.text)/bytesPerStep)
	return cursor{json: v.text, at: 1, object: v.kind == kindObject, first: true}
}

// next returns the next field or element; ok is false at the end, and if the JSON is malformed.
func (c *cursor) next() (n name, json string, ok bool) {
	i := skipSpace(c.json, c.at)
	if i >= len(c.json) {
		return c.fault()
	}
	switch c.json[i] {
	case '}', ']':
		return name{}, "", false
	case ',':
		i = skipSpace(c.json, i+1)
	default:
		if !c.first {
			return c.fault()
		}
	}
	c.first = false
	if c.object {
		end, escaped := skipString(c.json, i)
		if end < 0 {
			return c.fault()
		}
		n = name{c.json[i+1 : end-1], escaped}
		if i = skipSpace(c.json, end); i >= len(c.json) || c.json[i] != ':' {
			return c.fault()
		}
		i = skipSpace(c.json, i+1)
	}
	end := skipValue(c.json, i)
	if end < 0 {
		return c.fault()
	}
	c.at = end
	return n, c.json[i:end], true
}

func (c *cursor) fault() (name, string, bool) {
	c.bad = true
	return name{}, "", false
}

func skipSpace(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\n' || s[i] == '\t' || s[i] == '\r') {
		i++
	}
	return i
}

// skipString returns the end of the string that starts at i, or -1 if there is none, and whether it has a backslash.
func skipString(s string, i int) (end int, escaped bool) {
	if i >= len(s) || s[i] != '"' {
		return -1, false
	}
	i++
	quote := strings.IndexByte(s[i:], '"')
	if quote < 0 {
		return -1, false
	}
	backslash := strings.IndexByte(s[i:i+quote], '\\')
	if backslash < 0 {
		return i + quote + 1, false
	}
	for i += backslash; i < len(s); i++ {
		switch s[i] {
		case '"':
			return i + 1, true
		case '\\':
			i++
		}
	}
	return -1, false
}

// skipValue returns the end of the value that starts at i, or -1 if there is none. It does not check what is inside.
func skipValue(s string, i int) int {
	if i >= len(s) {
		return -1
	}
	switch s[i] {
	case '"':
		end, _ := skipString(s, i)
		return end
	case '{', '[':
		return skipNested(s, i)
	}
	start := i
	for i < len(s) && !delimits(s[i]) {
		i++
	}
	if i == start {
		return -1
	}
	return i
}

func delimits(c byte) bool {
	switch c {
	case ',', '}', ']', ':', '"', '{', '[', ' ', '\n', '\t', '\r':
		return true
	}
	return false
}

// skipNested returns the end of the object or array that starts at i, or -1 if it does not end.
func skipNested(s string, i int) int {
	depth := 0
	for i < len(s) {
		switch s[i] {
		case '"':
			end, _ := skipString(s, i)
			if end < 0 {
				return -1
			}
			i = end
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return -1
}

// fromJSON returns the value that JSON stands for. Objects, arrays and numbers are not read any further.
func fromJSON(json string) value {
	if json == "" {
		return fail(reasonMalformed, "")
	}
	switch json[0] {
	case '"':
		end, escaped := skipString(json, 0)
		if end != len(json) {
			return fail(reasonMalformed, "")
		}
		return stringValue(name{json[1 : end-1], escaped}.decoded())
	case '{':
		return value{kind: kindObject, text: json}
	case '[':
		return value{kind: kindArray, text: json}
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return numberValue(json)
	}
	switch json {
	case "true":
		return valueTrue
	case "false":
		return valueFalse
	case "null":
		return valueNull
	}
	return fail(reasonMalformed, "")
}

// root returns the event's data.
func (ev *Evaluation) root() value {
	if ev.data == "" {
		return valueNull
	}
	if c := ev.data[0]; c == ' ' || c == '\n' || c == '\t' || c == '\r' {
		return fromJSON(strings.Trim(ev.data, " \n\t\r"))
	}
	return fromJSON(strings.TrimRight(ev.data, " \n\t\r"))
}

// index reads the first fields of the data, which most filters look at.
func (ev *Evaluation) index(data value) (ok bool) {
	if ev.indexed {
		return true
	}
	ev.spent += 1 + len(data.text)/bytesPerStep // not counted with an evaluation: another one may find the fields read
	c := cursor{json: data.text, at: 1, object: true, first: true}
	for len(ev.members) < maxIndexed {
		n, json, ok := c.next()
		if !ok {
			break
		}
		ev.members = append(ev.members, member{n, json})
	}
	if c.bad {
		ev.members = ev.members[:0]
		return false
	}
	ev.indexed = true
	if len(ev.members) == maxIndexed {
		ev.rest = c.json[c.at-1:]
	}
	return true
}

// dataMember returns a field of the event's data.
func (ev *Evaluation) dataMember(data value, key string) (json string, found, ok bool) {
	if !ev.index(data) {
		return "", false, false
	}
	ev.spend(1 + len(ev.members)/8)
	if ev.rest != "" { // of fields with the same name the last one counts
		json, found, ok = ev.find(cursor{json: ev.rest, at: 1, object: true}, key)
		if found || !ok {
			return json, found, ok
		}
	}
	for i := len(ev.members) - 1; i >= 0; i-- {
		if ev.members[i].name.is(key) {
			return ev.members[i].value, true, true
		}
	}
	return "", false, true
}

// lookup returns a field of an object. Of fields with the same name the last one counts, as for most receivers.
func (ev *Evaluation) lookup(object value, key string) (json string, found, ok bool) {
	return ev.find(ev.open(object), key)
}

func (ev *Evaluation) find(c cursor, key string) (json string, found, ok bool) {
	ev.spend((len(c.json) - c.at) / bytesPerStep)
	for n, v, more := c.next(); more; n, v, more = c.next() {
		if n.is(key) {
			json, found = v, true
		}
	}
	return json, found, !c.bad
}

// element returns an element of an array.
func (ev *Evaluation) element(array value, index int64) value {
	c := ev.open(array)
	for i := int64(0); ; i++ {
		_, json, ok := c.next()
		switch {
		case c.bad:
			return fail(reasonMalformed, "")
		case !ok:
			return fail(reasonIndex, "")
		case i == index:
			return fromJSON(json)
		}
	}
}
