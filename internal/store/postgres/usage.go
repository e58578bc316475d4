package postgres

import (
	"context"

	"github.com/bellwire/bellwire/internal/bellwire"
)

const (
	sqlUsage = `SELECT (SELECT count(*) FROM bellwire.keys k WHERE k.tenant = t.n), count(p.n), coalesce(sum(
			octet_length(p.url) + octet_length(p.description) + octet_length(p.events) + octet_length(p.filter) + octet_length(p.retry) +
			octet_length(p.metadata) + octet_length(p.extra) + octet_length(p.versions) + coalesce(octet_length(p.sealed), 0)), 0)
		FROM bellwire.tenants t LEFT JOIN bellwire.endpoints p ON p.tenant = t.n AND p.deleted_at IS NULL
		WHERE t.id = $1 AND t.deleted_at IS NULL GROUP BY t.n`
	sqlCountEvents = "SELECT count(*) FROM (SELECT FROM bellwire.events WHERE tenant = " + theTenant + " LIMIT $2) counted"
)

// Usage counts what a tenant has.
func (s *Store) Usage(ctx context.Context, id string) (*bellwire.Usage, error) {
	var keys, endpoints, configuration int64
	err := s.read(ctx, func(tx *tx) error {
		return orNotFound(tx.row(sqlUsage, id).Scan(&keys, &endpoints, &configuration), "tenant", id)
	})
	if err != nil {
		return nil, err
	}
	return &bellwire.Usage{Keys: int(keys), Endpoints: int(endpoints), Configuration: int(configuration)}, nil
}

// CountEvents counts a tenant's events, up to a limit.
func (s *Store) CountEvents(ctx context.Context, tenant string, limit int) (int, error) {
	var count int64
	err := s.read(ctx, func(tx *tx) error { return tx.row(sqlCountEvents, tenant, limit).Scan(&count) })
	return int(count), err
}
