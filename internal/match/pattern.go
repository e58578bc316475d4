// Package match decides which event types an endpoint receives. It parses event patterns, and compiles the patterns of an
// endpoint into Patterns, which match the names of event types.
package match

import (
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Pattern selects event types: one by its exact name, or all whose names start with a prefix. The zero
// Pattern matches no event type.
type Pattern struct {
	name   string // the exact name, or the prefix without its *
	prefix bool
}

// Parse parses a pattern: an event type's name, or the start of one followed by a single * ("card*",
// "card.*", "*"). Its error has CodeInvalid.
func Parse(pattern string) (Pattern, error) {
	name, prefix := strings.CutSuffix(pattern, "*")
	if prefix && name == "" {
		return Pattern{prefix: true}, nil
	}
	if bellwire.CheckEventTypeName(name) != nil {
		// A pattern can be as long as a request body; its start is enough to recognize it.
		return Pattern{}, bellwire.Errorf(bellwire.CodeInvalid,
			"must be an event type, or the start of one followed by a single *, such as order.*; %.64q is not", pattern)
	}
	return Pattern{name: name, prefix: prefix}, nil
}

// Exact reports whether the pattern names one event type.
func (p Pattern) Exact() bool { return !p.prefix }

// Matches reports whether the pattern selects the event type of the given name.
func (p Pattern) Matches(name string) bool {
	if p.prefix {
		return strings.HasPrefix(name, p.name)
	}
	return name == p.name
}

// String returns the pattern as it was parsed.
func (p Pattern) String() string {
	if p.prefix {
		return p.name + "*"
	}
	return p.name
}
