package bellwire

import (
	"encoding/json"
	"time"
)

// EventType is a named kind of event in the catalogue.
type EventType struct {
	Name        string
	Group       string // the functional group in the dialect akkuro; free text in others
	Description string
	Schema      json.RawMessage // JSON Schema 2020-12 for the data; nil allows any data
	Example     json.RawMessage // what a test delivers; nil for null
	Archived    bool            // archived types cannot be published or newly subscribed to
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// CheckEventTypeName refuses names that are not [A-Za-z0-9._:-]{1,128}.
func CheckEventTypeName(name string) error {
	if !isName(name, 128, "._:-") {
		return Invalid("name", `must have 1 to 128 characters, each of A-Z, a-z, 0-9, ".", "_", ":" or "-"`)
	}
	return nil
}
