package codec

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// EncodeAudit returns the JSON columns of an entry of the audit log.
func EncodeAudit(e *bellwire.AuditEntry) (actor, before, after string, err error) {
	encoded, err := json.Marshal(e.Actor)
	return string(encoded), orObject(e.Before), orObject(e.After), err
}

func orObject(fields json.RawMessage) string {
	if len(fields) == 0 {
		return "{}"
	}
	return string(fields)
}

// DecodeAudit sets what EncodeAudit has encoded.
func DecodeAudit(e *bellwire.AuditEntry, actor, before, after string) error {
	e.Before, e.After = fromObject(before), fromObject(after)
	return json.Unmarshal([]byte(actor), &e.Actor)
}

func fromObject(fields string) json.RawMessage {
	if fields == "{}" {
		return nil
	}
	return json.RawMessage(fields)
}

// AuditPosition is the position of an entry in the audit log.
type AuditPosition struct {
	At time.Time
	N  int64
}

// Key returns what CursorOfAudit decodes.
func (p AuditPosition) Key() []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(p.At.UnixMicro())), uint64(p.N))
}

// CursorOfAudit returns the place in a cursor of a list of entries before the given time, which may be zero: the page has the
// entries in lower places.
func CursorOfAudit(c bellwire.Cursor, until time.Time) (AuditPosition, error) {
	if c == "" {
		if until.IsZero() {
			until = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
		}
		return AuditPosition{At: until, N: math.MinInt64}, nil
	}
	key, err := c.Key(16)
	if err != nil {
		return AuditPosition{}, err
	}
	return AuditPosition{At: time.UnixMicro(int64(binary.BigEndian.Uint64(key))).UTC(), N: int64(binary.BigEndian.Uint64(key[8:]))}, nil
}
