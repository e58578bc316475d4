// Package catalogue reads the files in which dialects keep their vendors' event types, ready to be put into the catalogue
// of a server.
//
// A file is JSON:
//
//	{"dialect": "azakaw", "event_types": [
//	    {"name": "RiskAssessmentCalculated", "group": "azakaw", "description": "…", "schema": {…}, "example": {…}}
//	]}
//
// The schema is optional and holds the data of a publish, not the delivered body; the example is such data.
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

// EventType is one of them.
type EventType struct {
	Name        string         `json:"name"`
	Group       string         `json:"group"`
	Description string         `json:"description"`
	Schema      jsontext.Value `json:"schema,omitzero"` // nil: any data
	Example     jsontext.Value `json:"example"`
}

// Parse reads a file. It refuses what could not be loaded as a whole.
func Parse(data []byte) (*File, error) {
	f := new(File)
	if err := json.Unmarshal(data, f, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	if f.Dialect == "" || len(f.EventTypes) == 0 {
		return nil, fmt.Errorf("catalogue: it names no dialect, or has no event types")
	}
	seen := make(map[string]bool)
	for _, t := range f.EventTypes {
		if err := bellwire.CheckEventTypeName(t.Name); err != nil {
			return nil, fmt.Errorf("catalogue of %s: %q: %w", f.Dialect, t.Name, err)
		}
		if seen[t.Name] {
			return nil, fmt.Errorf("catalogue of %s: %s is there twice", f.Dialect, t.Name)
		}
		if t.Group == "" || t.Description == "" || len(t.Example) == 0 {
			return nil, fmt.Errorf("catalogue of %s: %s has no group, description or example", f.Dialect, t.Name)
		}
		seen[t.Name] = true
	}
	return f, nil
}
