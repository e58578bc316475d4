package postgres

import (
	"context"
	"encoding/hex"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// sqlTenantOf finds the tenant of what has an id.
var sqlTenantOf = map[bellwire.Kind]string{
	bellwire.KindEvent: `SELECT t.id FROM bellwire.events e JOIN bellwire.tenants t ON t.n = e.tenant WHERE e.id = $1 AND t.deleted_at IS NULL
		UNION ALL SELECT t.id FROM bellwire.unmatched u JOIN bellwire.tenants t ON t.n = u.tenant WHERE u.event = $1 AND t.deleted_at IS NULL LIMIT 1`,
	bellwire.KindDelivery: "SELECT t.id FROM bellwire.deliveries d JOIN bellwire.tenants t ON t.n = d.tenant WHERE d.id = $1 AND t.deleted_at IS NULL",
	bellwire.KindJob:      "SELECT t.id FROM bellwire.jobs j JOIN bellwire.tenants t ON t.n = j.tenant WHERE j.id = $1 AND t.deleted_at IS NULL",
}

// TenantOf finds the tenant of an event, a delivery or a job.
func (s *Store) TenantOf(ctx context.Context, kind bellwire.Kind, id [16]byte) (tenant string, err error) {
	err = s.read(ctx, func(tx *tx) error {
		return orNotFound(tx.row(sqlTenantOf[kind], id).Scan(&tenant), string(kind), hex.EncodeToString(id[:]))
	})
	return tenant, err
}
