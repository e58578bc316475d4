package api

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

// parseImportedEvent parses the line of an event. Its data is copied, byte for byte.
func parseImportedEvent(line []byte) (e service.ImportedEvent, err error) {
	p := newParser(line)
	defer p.release()
	if err := p.begin('{', alone, ""); err != nil {
		return e, err
	}
	seen := make(map[string]bool)
	var faults faultList
	for p.dec.PeekKind() != '}' {
		quoted, err := p.name()
		if err != nil {
			return e, err
		}
		name := string(quoted[1 : len(quoted)-1])
		switch name {
		case "kind":
			_, err = p.text(alone, name)
		case "tenant":
			e.Tenant, err = p.text(alone, name)
		case "type":
			e.Type, err = p.text(alone, name)
		case "data":
			e.Data, err = p.raw()
		case "data_base64":
			e.Data, err = p.base64JSON(name)
		case "id":
			e.ID, err = p.optionalText(alone, name)
		case "key":
			e.Key, err = p.optionalText(alone, name)
		case "created_at":
			e.CreatedAt, err = p.time(alone, name)
		case "occurred_at":
			e.OccurredAt, err = p.time(alone, name)
		case "deliver_at":
			e.DeliverAt, err = p.time(alone, name)
		case "expires_at":
			e.ExpiresAt, err = p.time(alone, name)
		case "ordering_key":
			e.OrderingKey, err = p.optionalText(alone, name)
		case "version":
			e.Version, err = p.number(name)
		case "erased_at":
			e.ErasedAt, err = p.time(alone, name)
		default:
			err = p.skip(unknown(alone, quoted, eventFields...))
		}
		if err == nil && seen[name] {
			err = twice(name)
		}
		if !faults.add(err) {
			return e, err
		}
		seen[name] = true
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return e, p.broken(err)
	}
	for _, name := range []string{"tenant", "type"} {
		if !seen[name] {
			faults.add(bellwire.Invalid(name, "is required"))
		}
	}
	switch {
	case seen["data"] && seen["data_base64"]:
		faults.add(bellwire.Invalid("data_base64", "must not be given together with data"))
	case !seen["data"] && !seen["data_base64"] && !seen["erased_at"]:
		faults.add(bellwire.Invalid("data", "is required; it may be null"))
	}
	if err := faults.join(); err != nil {
		return e, err
	}
	e.Data = bytes.Clone(e.Data)
	return e, p.end()
}

// eventFields are the fields of the line of an event.
var eventFields = []string{
	"kind", "tenant", "type", "data", "data_base64", "id", "key", "created_at", "occurred_at", "deliver_at", "expires_at", "ordering_key", "version", "erased_at",
}

// number parses a whole number from 1.
func (p *parser) number(name string) (int, error) {
	text, err := p.raw()
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 {
		return 0, bellwire.Invalid(name, "must be a whole number from 1")
	}
	return n, nil
}

// base64JSON parses text that is the base64 of JSON.
func (p *parser) base64JSON(name string) ([]byte, error) {
	text, err := p.text(alone, name)
	if err != nil {
		return nil, err
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || !utf8.Valid(data) || !jsontext.Value(data).IsValid(parserOptions...) {
		return nil, bellwire.Invalid(name, "must be the base64, with padding, of a JSON value")
	}
	return data, nil
}
