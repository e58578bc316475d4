// Package codec encodes what both stores keep in the same form: JSON columns, cursors, and the numbers of statuses.
package codec

import (
	"encoding/json"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// JSON encodes a value.
func JSON(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", bellwire.Wrap(bellwire.CodeInternal, err, "a value could not be encoded as JSON")
	}
	return string(b), nil
}

// Tenant holds the JSON columns of a tenant.
type Tenant struct {
	Metadata, Limits, Dialects string
}

// EncodeTenant encodes a tenant's JSON columns.
func EncodeTenant(t *bellwire.Tenant) (c Tenant, err error) {
	if c.Metadata, err = JSON(t.Metadata); err != nil {
		return c, err
	}
	if c.Limits, err = JSON(t.Limits); err != nil {
		return c, err
	}
	c.Dialects, err = JSON(t.Dialects)
	return c, err
}

// Endpoint holds the JSON columns of an endpoint.
type Endpoint struct {
	Events, Retry, Metadata, Extra, Versions string
}

// EncodeEndpoint encodes an endpoint's JSON columns.
func EncodeEndpoint(ep *bellwire.Endpoint) (c Endpoint, err error) {
	for _, column := range []struct {
		text  *string
		value any
	}{{&c.Events, ep.Events}, {&c.Retry, ep.Retry}, {&c.Metadata, ep.Metadata}, {&c.Extra, ep.Extra}, {&c.Versions, ep.Versions}} {
		if *column.text, err = JSON(column.value); err != nil {
			return c, err
		}
	}
	return c, nil
}
