package api

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/internal/suggest"
)

// parsePublication parses the body of a publish. The draft's data is a part of body.
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

// parseBatch parses the body of a batch. Each draft has its own copy of the data, so that an event that waits does not retain the
// data of the others.
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
	var faults faultList
	for p.dec.PeekKind() != '}' {
		name, err := p.name()
		if err != nil {
			return nil, err
		}
		switch {
		case string(name) != `"events"`:
			err = p.skip(unknown(alone, name, "events"))
		case seen:
			err = p.skip(twice("events"))
		default:
			seen = true
			drafts, err = p.drafts()
		}
		if !faults.add(err) {
			return nil, err
		}
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return nil, p.broken(err)
	}
	if len(drafts) == 0 && !faults.have("events") {
		faults.add(bellwire.Invalid("events", "must have 1 to %s entries", bellwire.Number(service.MaxBatchEvents)))
	}
	if err := faults.join(); err != nil {
		return nil, err
	}
	return drafts, p.end()
}

// parser parses publications. It accepts duplicate names and escapes of half a surrogate pair (RFC 8259, 8.2) in data, which is
// delivered unchanged and not interpreted.
type parser struct {
	body []byte
	buf  bytes.Buffer
	dec  jsontext.Decoder
}

var parsers = sync.Pool{New: func() any { return new(parser) }}

// parserOptions allow everything that the grammar of JSON does. AllowInvalidUTF8 is for the escapes; the bytes are checked
// before.
var parserOptions = []jsontext.Options{jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)}

func newParser(body []byte) *parser {
	p := parsers.Get().(*parser)
	p.reset(body)
	return p
}

func (p *parser) release() {
	p.reset(nil) // it must not retain the body
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
	var (
		drafts []service.Draft
		faults faultList
	)
	for p.dec.PeekKind() != ']' {
		if len(drafts) == service.MaxBatchEvents {
			return nil, p.skipRest(bellwire.Invalid("events", "must have at most %s entries; send the rest in another batch", bellwire.Number(service.MaxBatchEvents)))
		}
		draft, err := p.draft(eventIndex(len(drafts)))
		if !faults.add(err) {
			return nil, err
		}
		draft.Data = bytes.Clone(draft.Data)
		drafts = append(drafts, draft)
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return nil, p.broken(err)
	}
	return drafts, faults.join()
}

// The fields of a publication.
const (
	fieldType = 1 << iota
	fieldData
	fieldID
	fieldOccurredAt
	fieldDeliverAt
	fieldExpiresAt
	fieldOrderingKey
)

// eventIndex is the index of an event in a batch. It is formatted only for errors.
type eventIndex int

const alone eventIndex = -1 // not in a batch

func (at eventIndex) field(name string) string {
	if at == alone {
		return name
	}
	field := "events[" + strconv.Itoa(int(at)) + "]"
	if name == "" {
		return field
	}
	return field + "." + name
}

// draft parses one publication.
func (p *parser) draft(at eventIndex) (service.Draft, error) {
	var (
		d      service.Draft
		seen   int
		faults faultList
	)
	if err := p.begin('{', at, ""); err != nil {
		return d, err
	}
	for p.dec.PeekKind() != '}' {
		name, err := p.name()
		if err != nil {
			return d, err
		}
		field := 0
		switch string(name) {
		case `"type"`:
			field = fieldType
			d.Type, err = p.text(at, "type")
		case `"data"`:
			field = fieldData
			d.Data, err = p.raw()
		case `"id"`:
			field = fieldID
			d.IdempotencyKey, err = p.optionalText(at, "id")
		case `"occurred_at"`:
			field = fieldOccurredAt
			d.OccurredAt, err = p.time(at, "occurred_at")
		case `"deliver_at"`:
			field = fieldDeliverAt
			d.DeliverAt, err = p.time(at, "deliver_at")
		case `"expires_at"`:
			field = fieldExpiresAt
			d.ExpiresAt, err = p.time(at, "expires_at")
		case `"ordering_key"`:
			field = fieldOrderingKey
			d.OrderingKey, err = p.optionalText(at, "ordering_key")
		default:
			err = p.skip(unknown(at, name, "type", "data", "id", "occurred_at", "deliver_at", "expires_at", "ordering_key"))
		}
		if err == nil && seen&field != 0 {
			err = twice(at.field(string(name[1 : len(name)-1])))
		}
		if !faults.add(err) {
			return d, err
		}
		seen |= field
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return d, p.broken(err)
	}
	if seen&fieldType == 0 {
		faults.add(bellwire.Invalid(at.field("type"), "is required"))
	}
	if seen&fieldData == 0 {
		faults.add(bellwire.Invalid(at.field("data"), "is required; it may be null"))
	}
	return d, faults.join()
}

// maxFaults is the most faults that are reported of one body.
const maxFaults = 20

// faultList collects what is wrong with a body that can be read.
type faultList []error

// add adds an error, nil for none, and reports whether the rest of the body can be read.
func (l *faultList) add(err error) bool {
	switch {
	case err == nil:
		return true
	case bellwire.CodeOf(err) != bellwire.CodeInvalid:
		return false
	case len(*l) < maxFaults:
		*l = append(*l, err)
	}
	return true
}

// have reports whether one of the faults is about the field.
func (l faultList) have(field string) bool {
	return slices.ContainsFunc(l, func(err error) bool {
		fault, ok := errors.AsType[*bellwire.Error](err)
		return ok && strings.HasPrefix(fault.Field, field)
	})
}

func (l faultList) join() error { return bellwire.Join(l...) }

// skipRest passes over the rest of an array, and returns what is wrong with it.
func (p *parser) skipRest(fault error) error {
	for p.dec.PeekKind() != ']' {
		if err := p.dec.SkipValue(); err != nil {
			return p.broken(err)
		}
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return p.broken(err)
	}
	return fault
}

// skip passes over a field's value, and returns what is wrong with the field.
func (p *parser) skip(fault error) error {
	if err := p.dec.SkipValue(); err != nil {
		return p.broken(err)
	}
	return fault
}

// begin consumes the start of an object or array.
func (p *parser) begin(kind jsontext.Kind, at eventIndex, name string) error {
	const unreadable jsontext.Kind = 0 // ReadToken returns the error
	if got := p.dec.PeekKind(); got != kind && got != unreadable {
		what := "an object"
		if kind == '[' {
			what = "an array"
		}
		field := at.field(name)
		if field == "" {
			return bellwire.Errorf(bellwire.CodeInvalid, "the body must be %s", what)
		}
		return p.skip(bellwire.Invalid(field, "must be %s", what))
	}
	_, err := p.dec.ReadToken()
	return p.broken(err)
}

// name parses the name of a field, with its quotes and without unnecessary escapes.
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

// raw returns a value unchanged.
func (p *parser) raw() ([]byte, error) {
	value, err := p.dec.ReadValue()
	if err != nil {
		return nil, p.broken(err)
	}
	end := int(p.dec.InputOffset())
	return p.body[end-len(value) : end : end], nil
}

// optionalText is text for a field that may be null, which means the same as omitting it: the text is empty then.
func (p *parser) optionalText(at eventIndex, name string) (string, error) {
	if p.dec.PeekKind() == 'n' {
		_, err := p.dec.ReadToken()
		return "", p.broken(err)
	}
	return p.text(at, name)
}

// text parses a string that is not empty.
func (p *parser) text(at eventIndex, name string) (string, error) {
	raw, err := p.dec.ReadValue()
	if err != nil {
		return "", p.broken(err)
	}
	if raw.Kind() != '"' || len(raw) == len(`""`) {
		return "", bellwire.Invalid(at.field(name), "must be a string that is not empty")
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), nil
	}
	text, err := jsontext.AppendUnquote(nil, raw)
	return string(text), p.broken(err)
}

func (p *parser) time(at eventIndex, name string) (time.Time, error) {
	text, err := p.optionalText(at, name)
	if err != nil {
		return time.Time{}, err
	}
	return parseTime(at.field(name), text)
}

// end checks that nothing follows.
func (p *parser) end() error {
	switch _, err := p.dec.ReadToken(); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return p.broken(err)
	}
	return bellwire.Errorf(bellwire.CodeMalformed, "the body continues after its JSON value")
}

// broken turns an error of the decoder into a *bellwire.Error.
func (p *parser) broken(err error) error {
	var syntax *jsontext.SyntacticError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax):
		return httpx.Broken(p.body, syntax)
	case errors.Is(err, io.EOF):
		return bellwire.Errorf(bellwire.CodeMalformed, "the body is empty; it must be JSON")
	}
	return bellwire.Wrap(bellwire.CodeMalformed, err, "the body is not JSON")
}

func notUTF8() error {
	return bellwire.Errorf(bellwire.CodeMalformed, "the body is not JSON, because it is not UTF-8 text")
}

// otherNames are what other systems call the fields of an event.
var otherNames = map[string]string{
	"payload": "data", "body": "data", "event_type": "type", "event": "type", "idempotency_key": "id", "timestamp": "occurred_at",
}

func unknown(at eventIndex, name []byte, known ...string) error {
	given := string(name[1 : len(name)-1])
	meant := suggest.DidYouMean(given, known)
	if other := otherNames[given]; meant == "" && slices.Contains(known, other) {
		meant = suggest.DidYouMean(other, known)
	}
	return bellwire.Invalid(at.field(given), "is not a known field%s", meant)
}

func twice(field string) error {
	return bellwire.Invalid(field, "is given twice")
}
