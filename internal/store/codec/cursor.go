package codec

import (
	"encoding/binary"
	"math"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// RowCursor returns the row number in a cursor: the page has the rows with lower numbers. The empty cursor yields the highest
// number.
func RowCursor(c bellwire.Cursor) (int64, error) {
	if c == "" {
		return math.MaxInt64, nil
	}
	key, err := c.Key(8)
	if err != nil {
		return 0, err
	}
	return int64(binary.BigEndian.Uint64(key)), nil
}

// RowCursorAfter is RowCursor for a list in ascending order, which begins at 0.
func RowCursorAfter(c bellwire.Cursor) (int64, error) {
	if c == "" {
		return 0, nil
	}
	return RowCursor(c)
}

// RowKey returns the key of a row, of which bellwire.MakeCursor makes a cursor.
func RowKey(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

// LastID is greater than all ids.
var LastID = [16]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// IDCursor returns the id in a cursor: the page has the lower ids. The empty cursor yields LastID.
func IDCursor(c bellwire.Cursor) ([16]byte, error) {
	if c == "" {
		return LastID, nil
	}
	key, err := c.Key(16)
	if err != nil {
		return LastID, err
	}
	return [16]byte(key), nil
}
