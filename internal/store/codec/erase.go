package codec

import (
	"encoding/json"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// EncodeErasure returns the JSON column of an event whose data was erased.
func EncodeErasure(e bellwire.Erasure) (string, error) { return JSON(e) }

// EncodeErased returns the JSON column of an event, empty if its data was not erased.
func EncodeErased(e *bellwire.Event) (string, error) {
	if e.Erased == nil {
		return "", nil
	}
	return EncodeErasure(*e.Erased)
}

// DecodeErasure decodes what EncodeErasure has encoded; empty: the event was not erased.
func DecodeErasure(text string) (*bellwire.Erasure, error) {
	if text == "" {
		return nil, nil
	}
	e := new(bellwire.Erasure)
	return e, json.Unmarshal([]byte(text), e)
}
