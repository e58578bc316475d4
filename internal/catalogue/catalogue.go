// Package catalogue reads the files with the event types of dialects' vendors, for the catalogue of a server.
//
// A file is JSON:
//
//	{"dialect": "azakaw", "event_types": [
//	    {"name": "RiskAssessmentCalculated", "group": "azakaw", "description": "…", "schema": {…}, "example": {…}}
//	]}
//
// The optional schema describes the data of a publish, not the delivered body. The example is such data.
package catalogue

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// File is the event types of one vendor.
type File struct {
	Dialect    string      `json:"dialect"`
	EventTypes []EventType `json:"event_types"`
}

// EventType is an event type with an example.
type EventType struct {
	Name        string         `json:"name"`
	Group       string         `json:"group"`
	Description string         `json:"description"`
	Schema      jsontext.Value `json:"schema,omitzero"` // nil: any data
	Example     jsontext.Value `json:"example"`
}

// Parse reads a file. It refuses files that could not be loaded completely.
func Parse(data []byte) (*File, error) {
	f := new(File)
	if err := json.Unmarshal(data, f, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	if f.Dialect == "" || len(f.EventTypes) == 0 {
		return nil, fmt.Errorf("catalogue: dialect and event_types are required")
	}
	seen := make(map[string]bool)
	for _, t := range f.EventTypes {
		if err := bellwire.CheckEventTypeName(t.Name); err != nil {
			return nil, fmt.Errorf("catalogue of %s: %q: %w", f.Dialect, t.Name, err)
		}
		if seen[t.Name] {
			return nil, fmt.Errorf("catalogue of %s: event type %s is defined twice", f.Dialect, t.Name)
		}
		if t.Group == "" || t.Description == "" || len(t.Example) == 0 {
			return nil, fmt.Errorf("catalogue of %s: group, description and example of %s are required", f.Dialect, t.Name)
		}
		seen[t.Name] = true
	}
	return f, nil
}
