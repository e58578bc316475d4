package postgres

import (
	"context"
	"time"
)

// Purge deletes up to limit rows of deleted tenants, tombstones of endpoints that no delivery names any more, and what
// the audit keeps no longer. The publishers' ids need no clean-up of their own: they go with their tenant's events. It
// makes the partitions for the time to come, too.
func (s *Store) Purge(ctx context.Context, now time.Time, limit int) (int, error) {
	if err := s.makePartitions(ctx, s.options.Now()); err != nil {
		return 0, s.translate(err)
	}
	var deleted int
	err := s.write(ctx, func(tx *tx) error {
		p := &purge{tx: tx, now: now, left: limit}
		err := p.run()
		deleted = limit - p.left
		return err
	})
	return deleted, err
}

// purge is one round.
type purge struct {
	tx   *tx
	now  time.Time
	left int // rows that may still be deleted
}

const (
	sqlPurgeAudit  = "DELETE FROM bellwire.audit WHERE n IN (SELECT n FROM bellwire.audit WHERE expires_at <= $1 LIMIT $2)"
	sqlPurgeNonces = `DELETE FROM bellwire.nonces WHERE (key, nonce) IN
		(SELECT key, nonce FROM bellwire.nonces WHERE expires_at <= $1 LIMIT $2)`
	sqlDeletedTenant = "SELECT n FROM bellwire.tenants WHERE deleted_at IS NOT NULL ORDER BY deleted_at LIMIT 1 FOR UPDATE"
)

func (p *purge) run() error {
	for _, sql := range []string{sqlPurgeAudit, sqlPurgeNonces} {
		if err := p.delete(sql, p.now, p.left); err != nil {
			return err
		}
	}
	for p.left > 0 {
		var tenant int64
		ok, err := found(p.tx.row(sqlDeletedTenant), &tenant)
		if err != nil {
			return err
		}
		if !ok {
			return p.delete(sqlBury, p.left)
		}
		if err := p.tenant(tenant); err != nil {
			return err
		}
	}
	return nil
}

// delete runs a statement and counts what it deleted.
func (p *purge) delete(sql string, args ...any) error {
	n, err := p.tx.change(sql, args...)
	p.left -= n
	return err
}

const (
	sqlDeliveriesToPurge = "SELECT id FROM bellwire.deliveries WHERE tenant = $1 LIMIT $2"
	sqlPurgeAttempts     = `DELETE FROM bellwire.attempts WHERE delivery = ANY($1) AND (delivery, number) IN
		(SELECT delivery, number FROM bellwire.attempts WHERE delivery = ANY($1) LIMIT $2)`
	sqlPurgeDeliveries = "DELETE FROM bellwire.deliveries WHERE id = ANY($1)"
	sqlEventsToPurge   = "SELECT id FROM bellwire.events WHERE tenant = $1 LIMIT $2"
	sqlPurgeEvents     = "DELETE FROM bellwire.events WHERE tenant = $1 AND id = ANY($2)"
)

var sqlPurgeTenant = []string{
	`DELETE FROM bellwire.idempotency_keys WHERE tenant = $1 AND key IN
		(SELECT key FROM bellwire.idempotency_keys WHERE tenant = $1 LIMIT $2)`,
	"DELETE FROM bellwire.keys WHERE id IN (SELECT id FROM bellwire.keys WHERE tenant = $1 LIMIT $2)",
	"DELETE FROM bellwire.endpoints WHERE n IN (SELECT n FROM bellwire.endpoints WHERE tenant = $1 LIMIT $2)",
	"DELETE FROM bellwire.tenants WHERE n = $1 AND $2 > 0",
}

// tenant deletes rows of a tenant, itself last.
func (p *purge) tenant(n int64) error {
	for p.left > 0 {
		more, err := p.deliveries(n)
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	if p.left <= 0 {
		return nil
	}
	events, err := all(p.tx, scanUUID, sqlEventsToPurge, n, p.left)
	if err != nil {
		return err
	}
	if err := p.delete(sqlPurgeEvents, n, events); err != nil || p.left <= 0 {
		return err
	}
	for _, sql := range sqlPurgeTenant {
		if err := p.delete(sql, n, p.left); err != nil || p.left <= 0 {
			return err
		}
	}
	return nil
}

// deliveries deletes some of a tenant's deliveries, after their attempts, and tells whether there may be more.
func (p *purge) deliveries(tenant int64) (more bool, err error) {
	ids, err := all(p.tx, scanUUID, sqlDeliveriesToPurge, tenant, p.left)
	if err != nil || len(ids) == 0 {
		return false, err
	}
	if err := p.delete(sqlPurgeAttempts, ids, p.left); err != nil {
		return false, err
	}
	if p.left > 0 {
		err = p.delete(sqlPurgeDeliveries, ids[:min(p.left, len(ids))])
	}
	return true, err
}

// sqlBury deletes deleted endpoints that no delivery names.
const sqlBury = `DELETE FROM bellwire.endpoints WHERE n IN (
	SELECT n FROM bellwire.endpoints p WHERE deleted_at IS NOT NULL AND NOT EXISTS (
		SELECT FROM bellwire.deliveries WHERE status = ANY ('{0,1,2,3,4}') AND ordered = ANY ('{f,t}') AND endpoint = p.n
	) LIMIT $1)`
