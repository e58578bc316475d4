package sqlite

import (
	"context"
	"encoding/hex"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// sqlTenantOf finds the tenant of what has an id.
var sqlTenantOf = map[bellwire.Kind]string{
	bellwire.KindEvent:    "SELECT t.id FROM events e CROSS JOIN tenants t ON t.n = e.tenant WHERE e.id = ? AND t.deleted_at IS NULL",
	bellwire.KindDelivery: "SELECT t.id FROM deliveries d CROSS JOIN tenants t ON t.n = d.tenant WHERE d.id = ? AND t.deleted_at IS NULL",
	bellwire.KindJob:      "SELECT t.id FROM jobs j CROSS JOIN tenants t ON t.n = j.tenant WHERE j.id = ? AND t.deleted_at IS NULL",
}

// TenantOf finds the tenant of an event, a delivery or a job.
func (s *Store) TenantOf(ctx context.Context, kind bellwire.Kind, id [16]byte) (tenant string, err error) {
	err = s.read(ctx, func(c *db) error {
		q := c.query(sqlTenantOf[kind]).blob(id[:])
		if found, err := q.one(); err != nil {
			return err
		} else if !found {
			return bellwire.NotFound(string(kind), hex.EncodeToString(id[:]))
		}
		tenant = q.getText()
		return q.close()
	})
	return tenant, err
}
