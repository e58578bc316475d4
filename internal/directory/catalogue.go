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

// Group returns the group of an event type, or "" if the type does not exist or has none.
func (c *Catalogue) Group(eventType string) string {
	if t, ok := c.types[eventType]; ok {
		return t.Group
	}
	return ""
}

// Len returns the number of event types, including archived ones.
func (c *Catalogue) Len() int { return len(c.types) }

// Names returns the names of all event types, sorted.
func (c *Catalogue) Names() []string { return slices.Sorted(maps.Keys(c.types)) }

// newCatalogue applies changes to the last catalogue, which is nil if there is none, and returns the new one. It compiles only
// schemas that the last catalogue does not have. A schema that can no longer be compiled affects only the events of its type.
func (d *Directory) newCatalogue(ctx context.Context, changes *bellwire.CatalogueChanges, last *Catalogue) *Catalogue {
	c := &Catalogue{Revision: changes.Revision}
	if changes.Since > 0 {
		c.types = maps.Clone(last.types)
	} else {
		c.types = make(map[string]*CompiledType, len(changes.Changed))
	}
	for _, t := range changes.Changed {
		compiled := last.sameSchema(t)
		if compiled == nil {
			var err error
			if compiled, err = CompileType(t); err != nil {
				d.logger.LogAttrs(ctx, slog.LevelError, "event type cannot be published",
					slog.String("type", t.Name), slog.Any("error", err))
				compiled = &CompiledType{EventType: *t, broken: err}
			}
		}
		d.compileConverters(ctx, compiled, last.typeOf(t.Name))
		c.types[t.Name] = compiled
	}
	return c
}

// typeOf returns the event type of the given name, nil if there is none.
func (c *Catalogue) typeOf(name string) *CompiledType {
	if c == nil {
		return nil
	}
	return c.types[name]
}

// sameSchema returns t with its schema as compiled in this catalogue, or nil if the catalogue does not have that schema.
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
