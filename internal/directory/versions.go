package directory

import (
	"context"
	"errors"
	"log/slog"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/filter"
)

// compileConverters compiles those converters of an event type that the last catalogue does not have. Where one can no longer be
// compiled, its place is nil.
func (d *Directory) compileConverters(ctx context.Context, t, last *CompiledType) {
	t.converters = make([]*filter.Converter, len(t.Older))
	for i := range t.Older {
		text := t.Older[i].Converter
		if last != nil && i < len(last.Older) && last.Older[i].Converter == text {
			t.converters[i] = last.converters[i]
			continue
		}
		compiled, err := filter.CompileConverter(text)
		if err != nil {
			d.logger.LogAttrs(ctx, slog.LevelError, "converter of an event type cannot be compiled",
				slog.String("type", t.Name), slog.Int("version", i+1), slog.Any("error", err))
		}
		t.converters[i] = compiled
	}
}

// Conversion implements bellwire.Versions.
func (d *Directory) Conversion(ctx context.Context, ep *bellwire.Endpoint, e *bellwire.Event) (bellwire.Conversion, error) {
	t, err := d.typeOf(ctx, e)
	if err != nil || t == nil {
		return nil, err
	}
	return t.Conversion(e.Version, t.VersionAt(ep.At(e.Type))), nil
}

// ConversionTo returns how an event's data becomes that of an older version, nil as Conversion of a CompiledType does.
func (d *Directory) ConversionTo(ctx context.Context, e *bellwire.Event, number int) (bellwire.Conversion, error) {
	t, err := d.typeOf(ctx, e)
	if err != nil || t == nil {
		return nil, err
	}
	return t.Conversion(e.Version, number), nil
}

// typeOf returns the type of an event, nil if it was deleted.
func (d *Directory) typeOf(ctx context.Context, e *bellwire.Event) (*CompiledType, error) {
	c, err := d.Catalogue(ctx)
	if err != nil {
		return nil, err
	}
	if c.Revision < e.Version.Since { // another node has published the event, and this one does not have its version yet
		d.ForgetCatalogueAt(c.Revision)
		if c, err = d.Catalogue(ctx); err != nil {
			return nil, err
		}
	}
	return c.typeOf(e.Type), nil
}

// Conversion returns how data of a version becomes that of an older one, nil if the type has no such versions: then the type is
// another one, which has got the name since.
func (t *CompiledType) Conversion(from bellwire.Version, to int) bellwire.Conversion {
	if v, ok := t.Version(from.Number); !ok || v != from || to >= from.Number || to < 1 {
		return nil
	}
	return &conversion{t, from.Number, to}
}

// conversion converts the data of an event type.
type conversion struct {
	of       *CompiledType
	from, to int
}

func (c *conversion) Number() int { return c.to }

func (c *conversion) Revision() int64 { return c.of.EventType.Revision }

// Convert implements bellwire.Conversion.
func (c *conversion) Convert(e *bellwire.Event) (made *bellwire.Event, steps int, err error) {
	converted := *e
	for number := c.from - 1; number >= c.to; number-- {
		converter := c.of.converters[number-1]
		if converter == nil {
			return nil, steps, c.refuse(number, errors.New("its converter cannot be compiled"))
		}
		data, spent, err := converter.Convert(&converted)
		steps += spent
		if err != nil {
			return nil, steps, c.refuse(number, err)
		}
		converted.Data = data
		converted.Version, _ = c.of.Version(number)
	}
	return &converted, steps, nil
}

func (c *conversion) refuse(number int, err error) error {
	return bellwire.Errorf(bellwire.CodeInvalid, "the data cannot be converted to version %d of event type %q: %s", number, c.of.Name, err.Error())
}

// OfVersion returns the event type with the schema and the example of one of its versions in place of the newest.
func (t *CompiledType) OfVersion(number int) *bellwire.EventType {
	of := t.EventType
	if number >= 1 && number <= len(t.Older) {
		of.Schema, of.Example = t.Older[number-1].Schema, t.Older[number-1].Example
	}
	return &of
}
