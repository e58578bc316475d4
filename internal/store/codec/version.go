package codec

import (
	"encoding/json"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// olderVersion holds an older version of an event type. Its texts are JSON, which stays as it is written.
type olderVersion struct {
	Schema    string    `json:"schema,omitempty"`
	Example   string    `json:"example,omitempty"`
	Converter string    `json:"converter"`
	Since     int64     `json:"since,omitempty"`
	Until     time.Time `json:"until,omitzero"`
}

// EncodeOlder encodes the older versions of an event type.
func EncodeOlder(t *bellwire.EventType) (string, error) {
	older := make([]olderVersion, len(t.Older))
	for i, v := range t.Older {
		older[i] = olderVersion{string(v.Schema), string(v.Example), v.Converter, v.Since, v.Until}
	}
	return JSON(older)
}

// DecodeOlder is the inverse of EncodeOlder.
func DecodeOlder(t *bellwire.EventType, text string) error {
	var older []olderVersion
	err := json.Unmarshal([]byte(text), &older)
	for _, v := range older {
		t.Older = append(t.Older, bellwire.OlderVersion{Schema: orNone(v.Schema), Example: orNone(v.Example), Converter: v.Converter, Since: v.Since, Until: v.Until})
	}
	return err
}

func orNone(text string) json.RawMessage {
	if text == "" {
		return nil
	}
	return json.RawMessage(text)
}
