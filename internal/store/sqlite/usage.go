package sqlite

import (
	"context"

	"github.com/bellwire/bellwire/internal/bellwire"
)

const (
	sqlUsage = `SELECT (SELECT count(*) FROM keys k WHERE k.tenant = t.n), count(p.n), coalesce(sum(
			octet_length(p.url) + octet_length(p.description) + octet_length(p.events) + octet_length(p.filter) + octet_length(p.retry) +
			octet_length(p.metadata) + octet_length(p.extra) + octet_length(p.versions) + coalesce(octet_length(p.sealed), 0)), 0)
		FROM tenants t LEFT JOIN endpoints p ON p.tenant = t.n AND p.deleted_at IS NULL
		WHERE t.id = ? AND t.deleted_at IS NULL GROUP BY t.n`
	sqlCountEvents = "SELECT count(*) FROM (SELECT 1 FROM events WHERE tenant = " + theTenant + " LIMIT +?2)"
)

// Usage counts what a tenant has.
func (s *Store) Usage(ctx context.Context, id string) (*bellwire.Usage, error) {
	var usage *bellwire.Usage
	err := s.read(ctx, func(c *db) error {
		q := c.query(sqlUsage).text(id)
		if found, err := q.one(); err != nil {
			return err
		} else if !found {
			return bellwire.NotFound("tenant", id)
		}
		usage = &bellwire.Usage{Keys: int(q.getInt()), Endpoints: int(q.getInt()), Configuration: int(q.getInt())}
		return q.close()
	})
	return usage, err
}

// CountEvents counts a tenant's events, up to a limit.
func (s *Store) CountEvents(ctx context.Context, tenant string, limit int) (int, error) {
	var count int64
	err := s.read(ctx, func(c *db) (err error) {
		count, _, err = c.query(sqlCountEvents).text(tenant).int(int64(limit)).scalar()
		return err
	})
	return int(count), err
}
