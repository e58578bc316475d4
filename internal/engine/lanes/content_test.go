package lanes

import (
	"context"
	"strconv"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// converters has one older version, whose converter puts its revision before the data.
type converters struct{ revision int64 }

func (c *converters) Conversion(context.Context, *bellwire.Endpoint, *bellwire.Event) (bellwire.Conversion, error) {
	return converter(c.revision), nil
}

type converter int64

func (c converter) Number() int     { return 1 }
func (c converter) Revision() int64 { return int64(c) }

func (c converter) Convert(e *bellwire.Event) (*bellwire.Event, int, error) {
	made := *e
	made.Data = []byte(strconv.Itoa(int(c)) + "/" + string(e.Data))
	made.Version = bellwire.Version{Number: 1}
	return &made, 0, nil
}

// What a converter made is replaced when the converter is, so that there are never more bodies than are charged. A node that still has
// the former converter does not bring it back.
func TestBodiesOfReplacedConverters(t *testing.T) {
	t.Parallel()
	c := NewContent(&bellwire.Event{Type: "a", Data: []byte("1"), Deliveries: 10, Version: bellwire.Version{Number: 2, Since: 5}})
	rendered, versions := 0, new(converters)
	target := &bellwire.Target{
		Endpoint: &bellwire.Endpoint{Dialect: "a"}, Renderer: counting{same: true, rendered: &rendered}, Versions: versions,
	}
	for i, step := range []struct {
		revision int64
		want     string
		rendered int
	}{{6, "6/1", 1}, {6, "6/1", 1}, {9, "9/1", 2}, {6, "9/1", 2}} {
		versions.revision = step.revision
		m := &bellwire.Message{Event: c.Event}
		body, err := c.Body(t.Context(), target, m)
		if err != nil || string(body) != step.want || string(m.Event.Data) != step.want || rendered != step.rendered {
			t.Errorf("step %d: body %q of %q after %d bodies, %v; want %+v", i, body, m.Event.Data, rendered, err, step)
		}
	}
	if len(c.older) != 1 || len(c.bodies) != 1 {
		t.Errorf("%d older versions and %d bodies are in memory", len(c.older), len(c.bodies))
	}
	replaced, _, err := converter(6).Convert(c.Event)
	if err != nil || c.keeps(replaced) {
		t.Error("bodies of what was replaced are kept:", err)
	}
}
