package directory

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"slices"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Catalogue is all event types at one revision of the operator's configuration.
type Catalogue struct {
	Revision int64

	types map[string]*CompiledType
}

// Type returns the event type of the given name.
func (c *Catalogue) Type(name string) (*CompiledType, bool) {
	t, ok := c.types[name]
	return t, ok
}

// Group returns the group of an event type, empty if there is no such type or it has none.
func (c *Catalogue) Group(eventType string) string {
	if t, ok := c.types[eventType]; ok {
		return t.Group
	}
	return ""
}

// Len tells how many event types there are, archived ones too.
func (c *Catalogue) Len() int { return len(c.types) }

// Names returns the names of all event types, sorted.
func (c *Catalogue) Names() []string { return slices.Sorted(maps.Keys(c.types)) }

// newCatalogue compiles the schemas that were not in the catalogue before. A schema that cannot be compiled
// any more refuses its own type's events only.
func (d *Directory) newCatalogue(ctx context.Context, types []*bellwire.EventType, revision int64, last *Catalogue) *Catalogue {
	c := &Catalogue{Revision: revision, types: make(map[string]*CompiledType, len(types))}
	for _, t := range types {
		if compiled := last.sameSchema(t); compiled != nil {
			c.types[t.Name] = compiled
			continue
		}
		compiled, err := CompileType(t)
		if err != nil {
			d.logger.LogAttrs(ctx, slog.LevelError, "event type cannot be published",
				slog.String("type", t.Name), slog.Any("error", err))
			compiled = &CompiledType{EventType: *t, broken: err}
		}
		c.types[t.Name] = compiled
	}
	return c
}

// sameSchema returns t with the schema as it was compiled before, nil if it was not.
func (c *Catalogue) sameSchema(t *bellwire.EventType) *CompiledType {
	if c == nil {
		return nil
	}
	known, ok := c.types[t.Name]
	if !ok || known.broken != nil || !bytes.Equal(known.Schema, t.Schema) {
		return nil
	}
	return &CompiledType{EventType: *t, checker: known.checker}
}
