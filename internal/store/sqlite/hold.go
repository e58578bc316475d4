package sqlite

import (
	"context"

	"github.com/bellwire/bellwire/internal/bellwire"
)

const sqlAhead = `SELECT id FROM deliveries WHERE endpoint = (SELECT n FROM endpoints WHERE id = ?) AND sequence > 0 AND sequence < ?
	AND due_at IS NOT NULL ORDER BY sequence LIMIT 1`

// Hold returns what holds back a delivery. All shards are this process's.
func (s *Store) Hold(ctx context.Context, endpoint string, sequence int64) (*bellwire.Hold, error) {
	hold := &bellwire.Hold{Node: "this", Epoch: s.leases.epoch.Load()}
	err := s.read(ctx, func(c *db) error {
		q := c.query(sqlAhead).text(endpoint).int(sequence)
		found, err := q.one()
		if err != nil || !found {
			return err
		}
		q.getBytes(hold.Ahead[:])
		return q.close()
	})
	return hold, err
}
