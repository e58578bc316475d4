package api

import (
	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// ownLimits are a tenant's own values, by the name of the limit. A nil value stands for null, which removes one.
type ownLimits map[string]*float64

// UnmarshalJSONFrom parses an object whose values are numbers, text for delays, or null.
func (o *ownLimits) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != '{' {
		return bellwire.Invalid("", "must be an object of names and values")
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	*o = ownLimits{}
	for dec.PeekKind() != '}' {
		var name string
		if err := json.UnmarshalDecode(dec, &name); err != nil {
			return err
		}
		value, err := readLimit(dec, name)
		if err != nil {
			return err
		}
		(*o)[name] = value
	}
	_, err := dec.ReadToken()
	return err
}

// readLimit parses a value, which is nil for null. The service refuses unknown names.
func readLimit(dec *jsontext.Decoder, name string) (*float64, error) {
	if l := limits.Find(name); l != nil && l.Kind == limits.Delay {
		var delay *bellwire.Duration
		if err := json.UnmarshalDecode(dec, &delay); err != nil || delay == nil {
			return nil, err
		}
		return new(limits.OfSeconds(*delay)), nil
	}
	var number *float64
	err := json.UnmarshalDecode(dec, &number)
	return number, err
}

// Schema has a property for each limit of tenants, which can be null.
func (ownLimits) Schema(huma.Registry) *huma.Schema { return limitsSchema(true) }

// heldLimits are values by the name of the limit: numbers, and bellwire.Duration for delays.
type heldLimits map[string]any

// MarshalJSONTo writes the limits in the order of docs/limits.md, so that answers can be compared.
func (h heldLimits) MarshalJSONTo(enc *jsontext.Encoder) error {
	if err := enc.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for _, l := range limits.All {
		value, shown := h[l.Name]
		if !shown {
			continue
		}
		if err := enc.WriteToken(jsontext.String(l.Name)); err != nil {
			return err
		}
		if err := json.MarshalEncode(enc, value); err != nil {
			return err
		}
	}
	return enc.WriteToken(jsontext.EndObject)
}

// Schema has a property for each limit of tenants.
func (heldLimits) Schema(huma.Registry) *huma.Schema { return limitsSchema(false) }

func limitsSchema(nullable bool) *huma.Schema {
	object := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: false, Properties: map[string]*huma.Schema{}}
	for _, l := range limits.All {
		if !l.PerTenant {
			continue
		}
		field := &huma.Schema{Type: huma.TypeInteger, Nullable: nullable, Description: l.Meaning + " Must be " + l.Range() + "."}
		switch l.Kind {
		case limits.Rate:
			field.Type = huma.TypeNumber
		case limits.Delay:
			field.Type = huma.TypeString
		}
		object.Properties[l.Name] = field
	}
	return object
}

// wireOwn returns the tenant's own values.
func wireOwn(own map[string]float64) heldLimits {
	shown := heldLimits{}
	for _, l := range limits.All {
		if v, given := own[l.Name]; given && l.PerTenant {
			shown[l.Name] = wireLimit(l, v)
		}
	}
	return shown
}

// wireHeld returns all limits of a tenant.
func wireHeld(held *bellwire.Limits) heldLimits {
	shown := heldLimits{}
	for _, l := range limits.All {
		if l.PerTenant {
			shown[l.Name] = wireLimit(l, l.Of(held))
		}
	}
	return shown
}

func wireLimit(l *limits.Limit, v float64) any {
	if l.Kind == limits.Delay {
		return limits.Seconds(v)
	}
	return v
}
