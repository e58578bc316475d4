package codec

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// encode returns what encoding/json makes of the attempt. There is one for each request, so the usual one is encoded without
// reflection.
func (a *attempt) encode() []byte {
	e := encoder{text: make([]byte, 0, a.size())}
	e.raw(`{"t":[`)
	for i, t := range a.Timings {
		if i > 0 {
			e.raw(",")
		}
		e.int(int64(t))
	}
	e.raw(`],"u":`)
	e.string(a.URL)
	e.headers(a.Headers, a.Cut)
	e.raw(`,"b":`)
	e.int(int64(a.BodyBytes))
	if r := a.Response; r != nil {
		e.response(r)
	}
	e.flag("d", a.Dropped)
	if len(a.BodyHash) > 0 {
		e.raw(`,"s":"`)
		e.text = base64.StdEncoding.AppendEncode(e.text, a.BodyHash)
		e.raw(`"`)
	}
	if a.Dialect != "" {
		e.raw(`,"l":`)
		e.string(a.Dialect)
	}
	if a.Version != 0 {
		e.raw(`,"v":`)
		e.int(int64(a.Version))
	}
	e.raw("}")
	return e.text
}

// size returns about how long the attempt is when it is encoded.
func (a *attempt) size() int {
	size := 240 + len(a.URL) + sizeOf(a.Headers)
	if a.Response != nil {
		size += sizeOf(a.Response.Headers)
	}
	return size
}

func sizeOf(headers []bellwire.Header) (size int) {
	for _, h := range headers {
		size += len(`{"Name":"","Value":""},`) + len(h.Name) + len(h.Value)
	}
	return size
}

// encoder appends JSON to a text.
type encoder struct{ text []byte }

func (e *encoder) raw(text string) { e.text = append(e.text, text...) }

func (e *encoder) int(n int64) { e.text = strconv.AppendInt(e.text, n, 10) }

// flag appends a member of an object if it is true.
func (e *encoder) flag(name string, is bool) {
	if is {
		e.raw(`,"` + name + `":true`)
	}
}

// string appends a text as a JSON string.
func (e *encoder) string(text string) {
	if isPlain(text) {
		e.text = append(append(append(e.text, '"'), text...), '"')
		return
	}
	var escaped bytes.Buffer
	enc := json.NewEncoder(&escaped)
	enc.SetEscapeHTML(false) // escaping would make six bytes of one, and no browser reads this
	_ = enc.Encode(text)     // any string can be encoded, and a buffer takes all of it
	e.text = append(e.text, bytes.TrimSuffix(escaped.Bytes(), []byte("\n"))...)
}

// isPlain reports whether a text is a JSON string without any escape.
func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// headers appends the members for headers, which must not come first in their object.
func (e *encoder) headers(headers []bellwire.Header, cut bool) {
	for i, h := range headers {
		if i == 0 {
			e.raw(`,"h":[`)
		} else {
			e.raw(",")
		}
		e.raw(`{"Name":`)
		e.string(h.Name)
		e.raw(`,"Value":`)
		e.string(h.Value)
		e.raw("}")
	}
	if len(headers) > 0 {
		e.raw("]")
	}
	e.flag("c", cut)
}

func (e *encoder) response(r *response) {
	e.raw(`,"r":{`)
	start := len(e.text)
	e.headers(r.Headers, r.Cut)
	e.flag("x", r.Truncated)
	if r.Note != "" {
		e.raw(`,"n":`)
		e.string(r.Note)
	}
	if len(e.text) > start {
		e.text = append(e.text[:start], e.text[start+1:]...) // the comma before the first member
	}
	e.raw("}")
}
