package declared

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bellwire/bellwire/internal/suggest"
)

// template is a compiled text: literals and values in turn.
type template []segment

// segment is a literal or a value.
type segment struct {
	literal  string // of a segment without a value
	value    value
	encoding encoding
}

// value is what a name in braces stands for.
type value int

// The values.
const (
	valueNone value = iota
	valueEventID
	valueEventType
	valueEventTime
	valueEventCreatedAt
	valueDeliveryID
	valueEndpointID
	valueEndpointURL
	valueTenantID
	valueServerURL
	valueServerHost
	valueData
	valueMembers
	valueObject
	valueSentAt
	valueBody
	valueSecret
	valueSignature
	valueSignatures
)

// kind decides which encodings a value can have.
type kind int

const (
	kindID kind = iota
	kindText
	kindTime
	kindData
	kindPlain // as it is, in no other encoding
)

// encoding is how a value is written.
type encoding int

// The encodings.
const (
	encodeDefault encoding = iota
	encodeHex
	encodeUUID
	encodeUnix
	encodeUnixMilli
	encodeSeconds
	encodeMillis
	encodeMicros
	encodeMicrosOffset
	encodeJSON
	encodeForm
	encodePercent
	encodeBase64
)

// encodings are the encodings of each kind, by the name that follows the colon.
var encodings = map[kind]map[string]encoding{
	kindID:   {"hex": encodeHex, "uuid": encodeUUID},
	kindText: {"json": encodeJSON, "form": encodeForm, "percent": encodePercent},
	kindTime: {
		"unix": encodeUnix, "unix_ms": encodeUnixMilli, "rfc3339": encodeDefault, "rfc3339_s": encodeSeconds, "rfc3339_ms": encodeMillis,
		"rfc3339_us": encodeMicros, "rfc3339_us_offset": encodeMicrosOffset,
	},
	kindData: {"json": encodeJSON, "form": encodeForm, "percent": encodePercent, "base64": encodeBase64},
}

// place is where a template stands. Each has values of its own.
type place int

// The places.
const (
	inBody place = 1 << iota
	inHeader
	inContent
	inFormat
	inEach
	inOrigin
)

var placeNames = map[place]string{
	inBody: "body", inHeader: "a header", inContent: "content", inFormat: "format", inEach: "each", inOrigin: "origin",
}

// names are the values by the names that templates use.
var names = map[string]struct {
	value  value
	kind   kind
	places place
}{
	"event.id":         {valueEventID, kindID, inBody | inHeader | inContent | inFormat},
	"event.type":       {valueEventType, kindText, inBody | inHeader | inContent | inFormat},
	"event.time":       {valueEventTime, kindTime, inBody | inHeader | inContent},
	"event.created_at": {valueEventCreatedAt, kindTime, inBody | inHeader | inContent},
	"delivery.id":      {valueDeliveryID, kindID, inBody | inHeader | inContent | inFormat},
	"endpoint.id":      {valueEndpointID, kindText, inBody | inHeader | inContent | inFormat},
	"endpoint.url":     {valueEndpointURL, kindText, inContent},
	"tenant.id":        {valueTenantID, kindText, inBody | inHeader | inContent},
	"server.url":       {valueServerURL, kindText, inBody | inHeader | inContent},
	"server.host":      {valueServerHost, kindText, inBody | inHeader | inContent | inOrigin},
	"data":             {valueData, kindData, inBody | inContent},
	"data.members":     {valueMembers, kindPlain, inBody},
	"data.object":      {valueObject, kindPlain, inBody},
	"sent_at":          {valueSentAt, kindTime, inHeader | inContent | inFormat | inEach},
	"body":             {valueBody, kindPlain, inContent},
	"secret":           {valueSecret, kindPlain, inHeader},
	"signature":        {valueSignature, kindPlain, inFormat | inEach},
	"signatures":       {valueSignatures, kindPlain, inFormat},
}

// namesIn returns the names that templates in a place can use, in order.
func namesIn(p place) []string {
	var list []string
	for name, n := range names {
		if n.places&p != 0 {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// compile parses a template. A name follows "{" at once, so that the braces of JSON need no escapes; "{{" before a letter stands
// for "{". It returns all that is wrong with the text.
func compile(text string, p place) (template, []string) {
	var (
		compiled template
		faults   []string
		literal  strings.Builder
	)
	for i := 0; i < len(text); i++ {
		next := text[i+1:]
		switch {
		case text[i] != '{' || next == "" || !letter(next[0]) && next[0] != '{':
			literal.WriteByte(text[i])
			continue
		case next[0] == '{':
			literal.WriteByte('{')
			if len(next) > 1 && letter(next[1]) {
				i++
			}
			continue
		}
		name, _, closed := strings.Cut(next, "}")
		if !closed {
			return nil, append(faults, fmt.Sprintf("has {%.32s without a closing brace; write {{ for a brace before a letter", next))
		}
		i += len(name) + 1
		s, fault := parseName(name, p)
		if fault != "" {
			faults = append(faults, fault)
			continue
		}
		if literal.Len() > 0 {
			compiled = append(compiled, segment{literal: literal.String()})
			literal.Reset()
		}
		compiled = append(compiled, s)
	}
	if literal.Len() > 0 {
		compiled = append(compiled, segment{literal: literal.String()})
	}
	return compiled, faults
}

// parseName parses what stands between braces: a name, and an encoding after a colon. The fault is empty if there is none.
func parseName(text string, p place) (s segment, fault string) {
	name, suffix, encoded := strings.Cut(text, ":")
	known, found := names[name]
	switch {
	case !found:
		return s, fmt.Sprintf("has {%.64s}, which is not a known name%s", name, suggest.DidYouMean(name, namesIn(p)))
	case known.places&p == 0 && p == inBody && known.value == valueSentAt:
		return s, "must not have {sent_at}, because the body is the same on every attempt"
	case known.places&p == 0:
		return s, fmt.Sprintf("must not have {%s}; the names in %s are %s", name, placeNames[p], strings.Join(namesIn(p), ", "))
	case !encoded:
		return segment{value: known.value}, ""
	}
	e, found := encodings[known.kind][suffix]
	if !found {
		var list []string
		for name := range encodings[known.kind] {
			list = append(list, name)
		}
		if len(list) == 0 {
			return s, fmt.Sprintf("has {%s:%.32s}, but %s has no other encodings", name, suffix, name)
		}
		slices.Sort(list)
		return s, fmt.Sprintf("has {%s:%.32s}; the encodings of %s are %s", name, suffix, name, strings.Join(list, ", "))
	}
	return segment{value: known.value, encoding: e}, ""
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// has reports whether the template has one of the values.
func (t template) has(values ...value) bool {
	return slices.ContainsFunc(t, func(s segment) bool { return slices.Contains(values, s.value) })
}

// literal returns the text of a template without values.
func (t template) literal() (text string, ok bool) {
	switch {
	case len(t) == 0:
		return "", true
	case len(t) == 1 && t[0].value == valueNone:
		return t[0].literal, true
	}
	return "", false
}
