package sqlite

import (
	"context"

	"github.com/bellwire/bellwire/internal/bellwire"
)

const (
	sqlHold = `SELECT p.n, p.status, p.deleted_at IS NOT NULL, t.paused, coalesce(h.breaker_open, 0), h.held_until, coalesce(h.epoch, 0)
		FROM endpoints p CROSS JOIN tenants t ON t.n = p.tenant LEFT JOIN endpoint_health h ON h.endpoint = p.n WHERE p.id = ?`
	sqlAhead = "SELECT id, sequence FROM deliveries WHERE endpoint = ? AND " + isOrdered + " AND sequence < ? ORDER BY sequence LIMIT 1"
)

// Holds returns what holds back deliveries of endpoints. All shards are this process's.
func (s *Store) Holds(ctx context.Context, before map[string]int64) (map[string]*bellwire.Hold, error) {
	holds := make(map[string]*bellwire.Hold, len(before))
	err := s.list(ctx, snapshot(func(c *db) error {
		for id, number := range before {
			hold, err := c.hold(id, number)
			if err != nil {
				return err
			}
			if hold != nil {
				hold.Node, hold.Epoch = "this", s.leases.epoch.Load()
				holds[id] = hold
			}
		}
		return nil
	}))
	return holds, err
}

// hold reads what holds back an endpoint's deliveries; nil if there is no such endpoint.
func (c *db) hold(endpoint string, before int64) (*bellwire.Hold, error) {
	q := c.query(sqlHold).text(endpoint)
	if found, err := q.one(); err != nil || !found {
		return nil, err
	}
	n := q.getInt()
	hold := &bellwire.Hold{
		Status: bellwire.EndpointStatus(q.getText()), Deleted: q.getBool(), TenantPaused: q.getBool(),
		BreakerOpen: q.getBool(), HeldUntil: q.getTimeOrZero(), HeldEpoch: q.getInt(),
	}
	if err := q.close(); err != nil || before == 0 {
		return hold, err
	}
	q = c.query(sqlAhead).int(n).int(before)
	if found, err := q.one(); err != nil || !found {
		return hold, err
	}
	q.getBytes(hold.Ahead[:])
	hold.Sequence = q.getInt()
	return hold, q.close()
}
