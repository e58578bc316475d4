package api

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
)

// parsePublication reads the body of a publish. The draft's data is a part of body.
func parsePublication(body []byte) (service.Draft, error) {
	if !utf8.Valid(body) {
		return service.Draft{}, notUTF8()
	}
	p := newParser(body)
	defer p.release()
	draft, err := p.draft(alone)
	if err != nil {
		return service.Draft{}, err
	}
	return draft, p.end()
}

// parseBatch reads the body of a batch. Each draft has data of its own, so that one event that has to
// wait does not keep the others' bytes in memory.
func parseBatch(body []byte) ([]service.Draft, error) {
	if !utf8.Valid(body) {
		return nil, notUTF8()
	}
	p := newParser(body)
	defer p.release()
	if err := p.begin('{', alone, ""); err != nil {
		return nil, err
	}
	var drafts []service.Draft
	seen := false
	for p.dec.PeekKind() != '}' {
		name, err := p.name()
		if err != nil {
			return nil, err
		}
		switch {
		case string(name) != `"events"`:
			return nil, unknown(alone, name)
		case seen:
			return nil, twice("events")
		}
		seen = true
		if drafts, err = p.drafts(); err != nil {
			return nil, err
		}
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return nil, p.broken(err)
	}
	if len(drafts) == 0 {
		return nil, bellwire.Invalid("events", "It is required, with 1 to %d events.", service.MaxBatchEvents)
	}
	return drafts, p.end()
}

// parser reads publications from a body. Duplicate names, and escapes of half a surrogate pair (RFC 8259,
// 8.2), are let through in data, because it is delivered as it is and is nobody's to interpret here.
type parser struct {
	body []byte
	buf  bytes.Buffer
	dec  jsontext.Decoder
}

var parsers = sync.Pool{New: func() any { return new(parser) }}

// parserOptions allow what the grammar of JSON does. AllowInvalidUTF8 is about the escapes: the bytes have been
// looked at before.
var parserOptions = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

func newParser(body []byte) *parser {
	p := parsers.Get().(*parser)
	p.reset(body)
	return p
}

func (p *parser) release() {
	p.reset(nil) // it must not keep the body
	parsers.Put(p)
}

func (p *parser) reset(body []byte) {
	p.body = body
	p.buf = *bytes.NewBuffer(body)
	p.dec.Reset(&p.buf, parserOptions...)
}

func (p *parser) drafts() ([]service.Draft, error) {
	if err := p.begin('[', alone, "events"); err != nil {
		return nil, err
	}
	var drafts []service.Draft
	for p.dec.PeekKind() != ']' {
		if len(drafts) == service.MaxBatchEvents {
			return nil, bellwire.Invalid("events", "A batch has at most %d events; send the rest in another.", service.MaxBatchEvents)
		}
		draft, err := p.draft(place(len(drafts)))
		if err != nil {
			return nil, err
		}
		draft.Data = bytes.Clone(draft.Data)
		drafts = append(drafts, draft)
	}
	_, err := p.dec.ReadToken()
	return drafts, p.broken(err)
}

// The members of a publication.
const (
	memberType = 1 << iota
	memberData
	memberID
	memberOccurredAt
)

// place is an event's index in a batch, which is put into words only for an error.
type place int

const alone place = -1 // not in a batch

func (at place) field(name string) string {
	if at == alone {
		return name
	}
	field := "events[" + strconv.Itoa(int(at)) + "]"
	if name == "" {
		return field
	}
	return field + "." + name
}

// draft reads one publication.
func (p *parser) draft(at place) (service.Draft, error) {
	var (
		d    service.Draft
		seen int
	)
	if err := p.begin('{', at, ""); err != nil {
		return d, err
	}
	for p.dec.PeekKind() != '}' {
		name, err := p.name()
		if err != nil {
			return d, err
		}
		member := 0
		switch string(name) {
		case `"type"`:
			member = memberType
			d.Type, err = p.text(at, "type")
		case `"data"`:
			member = memberData
			d.Data, err = p.raw()
		case `"id"`:
			member = memberID
			d.IdempotencyKey, err = p.text(at, "id")
		case `"occurred_at"`:
			member = memberOccurredAt
			d.OccurredAt, err = p.time(at, "occurred_at")
		default:
			return d, unknown(at, name)
		}
		if err != nil {
			return d, err
		}
		if seen&member != 0 {
			return d, twice(at.field(string(name[1 : len(name)-1])))
		}
		seen |= member
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return d, p.broken(err)
	}
	switch {
	case seen&memberType == 0:
		return d, bellwire.Invalid(at.field("type"), "It is required.")
	case seen&memberData == 0:
		return d, bellwire.Invalid(at.field("data"), "It is required; null is allowed.")
	}
	return d, nil
}

// begin reads the start of an object or array.
func (p *parser) begin(kind jsontext.Kind, at place, name string) error {
	if got := p.dec.PeekKind(); got != kind && got != 0 {
		what := "an object"
		if kind == '[' {
			what = "an array"
		}
		return bellwire.Invalid(at.field(name), "It must be %s.", what)
	}
	_, err := p.dec.ReadToken()
	return p.broken(err)
}

// name reads a member's name, with its quotes and without needless escapes.
func (p *parser) name() ([]byte, error) {
	raw, err := p.dec.ReadValue()
	if err != nil {
		return nil, p.broken(err)
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw, nil
	}
	plain, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return nil, p.broken(err)
	}
	return jsontext.AppendQuote(nil, plain)
}

// raw reads a value as it is.
func (p *parser) raw() ([]byte, error) {
	value, err := p.dec.ReadValue()
	if err != nil {
		return nil, p.broken(err)
	}
	end := int(p.dec.InputOffset())
	return p.body[end-len(value) : end : end], nil
}

// text reads a string that is not empty. null is like a member left out, where that is allowed.
func (p *parser) text(at place, name string) (string, error) {
	raw, err := p.dec.ReadValue()
	if err != nil {
		return "", p.broken(err)
	}
	if raw.Kind() == 'n' && name != "type" {
		return "", nil
	}
	if raw.Kind() != '"' || len(raw) == len(`""`) {
		return "", bellwire.Invalid(at.field(name), "It must be a string that is not empty.")
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), nil
	}
	text, err := jsontext.AppendUnquote(nil, raw)
	return string(text), p.broken(err)
}

func (p *parser) time(at place, name string) (time.Time, error) {
	text, err := p.text(at, name)
	if err != nil {
		return time.Time{}, err
	}
	return parseTime(at.field(name), text)
}

// end makes sure that nothing follows.
func (p *parser) end() error {
	switch _, err := p.dec.ReadToken(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return p.broken(err)
	}
	return bellwire.Errorf(bellwire.CodeMalformed, "The body goes on after its JSON value.")
}

// broken gives an error of the decoder the form of ours.
func (p *parser) broken(err error) error {
	var syntax *jsontext.SyntacticError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax):
		return httpx.Broken(len(p.body), syntax)
	case errors.Is(err, io.EOF):
		return bellwire.Errorf(bellwire.CodeMalformed, "The body is empty; it must be JSON.")
	}
	return bellwire.Wrap(bellwire.CodeMalformed, err, "The body is not JSON.")
}

func notUTF8() error {
	return bellwire.Errorf(bellwire.CodeMalformed, "The body is not JSON: it is not UTF-8 text.")
}

func unknown(at place, name []byte) error {
	return bellwire.Invalid(at.field(string(name[1:len(name)-1])), "There is no member of this name here.")
}

func twice(field string) error {
	return bellwire.Invalid(field, "The member is given twice.")
}
