package codec

import (
	"cmp"
	"encoding/json"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Change holds the JSON columns of a change of an endpoint.
type Change struct {
	Actor, Before, After, Standing string
}

// EncodeChange encodes the JSON columns of a change.
func EncodeChange(c *bellwire.Change, standing *bellwire.Standing) (out Change, err error) {
	out.Before, out.After = cmp.Or(string(c.Before), "{}"), cmp.Or(string(c.After), "{}")
	if out.Actor, err = JSON(c.Actor); err != nil {
		return out, err
	}
	out.Standing, err = JSON(standing)
	return out, err
}

// Size returns the size of the columns in bytes.
func (c *Change) Size() int { return len(c.Actor) + len(c.Before) + len(c.After) + len(c.Standing) }

// DecodeChange decodes the JSON columns of a change into c.
func DecodeChange(c *bellwire.Change, actor, before, after []byte) error {
	c.Before, c.After = json.RawMessage(before), json.RawMessage(after)
	return json.Unmarshal(actor, &c.Actor)
}
