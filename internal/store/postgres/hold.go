package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// sqlHold reads the owner of a shard, unless that is gone, and the first open delivery of an endpoint before a number.
const sqlHold = `SELECT coalesce((SELECT n.id FROM bellwire.nodes n WHERE n.id = s.node), ''), s.epoch, (
		SELECT id FROM bellwire.deliveries WHERE endpoint = (SELECT n FROM bellwire.endpoints WHERE id = $2)
		AND ordered AND due_at IS NOT NULL AND sequence < $3 ORDER BY sequence LIMIT 1
	) FROM bellwire.shards s WHERE s.shard = $1`

// Hold returns what holds back a delivery.
func (s *Store) Hold(ctx context.Context, endpoint string, sequence int64) (*bellwire.Hold, error) {
	hold := new(bellwire.Hold)
	err := s.read(ctx, func(tx *tx) error {
		var ahead *[16]byte
		err := tx.row(sqlHold, int16(bellwire.ShardOf(endpoint)), endpoint, sequence).Scan(&hold.Node, &hold.Epoch, &ahead)
		if ahead != nil {
			hold.Ahead = *ahead
		}
		if errors.Is(err, pgx.ErrNoRows) { // no node has ever run
			return nil
		}
		return err
	})
	return hold, err
}
