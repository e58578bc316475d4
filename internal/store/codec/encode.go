package codec

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// sizeOf returns about how long the details of an attempt are when they are encoded.
func sizeOf(a *bellwire.Attempt) int {
	const rest = 200
	size := rest + len(a.Request.URL) + len(a.Request.Dialect) + sizeOfHeaders(a.Request.Headers)
	if a.Response != nil {
		size += sizeOfHeaders(a.Response.Headers)
	}
	return size
}

func sizeOfHeaders(headers []bellwire.Header) (size int) {
	for _, h := range headers {
		size += len(`"","",`) + len(h.Name) + len(h.Value)
	}
	return size
}

// encoder appends JSON to a text.
type encoder struct{ text []byte }

func (e *encoder) raw(text string) { e.text = append(e.text, text...) }

func (e *encoder) int(n int64) { e.text = strconv.AppendInt(e.text, n, 10) }

// flag appends a field of an object if it is true.
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

// attempt appends the details of an attempt, as encoding/json would encode the type attempt. There is one for each request, so this
// works without reflection.
func (e *encoder) attempt(a *bellwire.Attempt) {
	t, r := &a.Timings, &a.Request
	e.raw(`{"t":[`)
	for i, took := range [...]time.Duration{t.DNS, t.Connect, t.TLS, t.FirstByte, t.Total} {
		if i > 0 {
			e.raw(",")
		}
		e.int(int64(took))
	}
	e.raw(`],"u":`)
	e.string(r.URL)
	e.headers(r.Headers, r.HeadersTruncated)
	e.raw(`,"b":`)
	e.int(int64(r.BodyBytes))
	if a.Response != nil {
		e.response(a.Response)
	}
	if r.BodyHash != [32]byte{} {
		e.raw(`,"s":"`)
		e.text = base64.StdEncoding.AppendEncode(e.text, r.BodyHash[:])
		e.raw(`"`)
	}
	if r.Dialect != "" {
		e.raw(`,"l":`)
		e.string(r.Dialect)
	}
	if r.Version != 0 {
		e.raw(`,"v":`)
		e.int(int64(r.Version))
	}
	e.raw("}")
}

// headers appends the fields for headers, which must not come first in their object.
func (e *encoder) headers(headers []bellwire.Header, cut bool) {
	for i, h := range headers {
		if i == 0 {
			e.raw(`,"q":[`)
		} else {
			e.raw(",")
		}
		e.string(h.Name)
		e.raw(",")
		e.string(h.Value)
	}
	if len(headers) > 0 {
		e.raw("]")
	}
	e.flag("c", cut)
}

func (e *encoder) response(r *bellwire.AttemptResponse) {
	e.raw(`,"r":{`)
	start := len(e.text)
	e.headers(r.Headers, r.HeadersTruncated)
	e.flag("x", r.Truncated)
	if r.Note != "" {
		e.raw(`,"n":`)
		e.string(r.Note)
	}
	if len(e.text) > start {
		e.text = append(e.text[:start], e.text[start+1:]...) // the comma before the first field
	}
	e.raw("}")
}
