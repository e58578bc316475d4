package postgres

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// sqlHolds reads for each endpoint the owner of its shard, unless that is gone, and the first open delivery before a number.
const sqlHolds = `SELECT p.id, p.status, p.deleted_at IS NOT NULL, t.paused, coalesce(h.breaker_open, false), h.held_until, coalesce(h.epoch, 0),
		coalesce(n.id, ''), coalesce(s.epoch, 0), a.id, coalesce(a.sequence, 0)
	FROM unnest($1::text[], $2::bigint[]) AS w (id, before) JOIN bellwire.endpoints p ON p.id = w.id JOIN bellwire.tenants t ON t.n = p.tenant
	LEFT JOIN bellwire.endpoint_health h ON h.endpoint = p.n
	LEFT JOIN bellwire.shards s ON s.shard = p.shard LEFT JOIN bellwire.nodes n ON n.id = s.node
	LEFT JOIN LATERAL (SELECT id, sequence FROM bellwire.deliveries WHERE w.before > 0 AND endpoint = p.n
		AND ordered AND due_at IS NOT NULL AND sequence < w.before ORDER BY sequence LIMIT 1) a ON true`

// Holds returns what holds back deliveries of endpoints.
func (s *Store) Holds(ctx context.Context, before map[string]int64) (map[string]*bellwire.Hold, error) {
	ids, numbers := make([]string, 0, len(before)), make([]int64, 0, len(before))
	for id, number := range before {
		ids, numbers = append(ids, id), append(numbers, number)
	}
	holds := make(map[string]*bellwire.Hold, len(before))
	err := s.list(ctx, func(tx *tx) error {
		rows := tx.query(sqlHolds, ids, numbers)
		defer rows.Close()
		for rows.Next() {
			var (
				id    string
				until *time.Time
				ahead *[16]byte
				h     bellwire.Hold
			)
			err := rows.Scan(&id, (*string)(&h.Status), &h.Deleted, &h.TenantPaused, &h.BreakerOpen, &until, &h.HeldEpoch,
				&h.Node, &h.Epoch, &ahead, &h.Sequence)
			if err != nil {
				return err
			}
			h.HeldUntil = orZero(until)
			if ahead != nil {
				h.Ahead = *ahead
			}
			holds[id] = &h
		}
		return rows.Err()
	})
	return holds, err
}
