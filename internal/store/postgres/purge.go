package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// Purge deletes up to limit rows of deleted tenants, tombstones of endpoints that no delivery names any more, publishers'
// ids past their window, and what has a time to end at. It deletes events that have nothing to be delivered any more: those
// that are older than their tenant keeps them, and of those from before the given time what the default partition holds, and
// weeks that stay. Then it makes partitions for the time to come, and gives up those that are all before the given time. Where
// this node's clock is ahead of the database's, the latter counts.
func (s *Store) Purge(ctx context.Context, now, before time.Time, limit int) (int, error) {
	s.retention.Lock()
	defer s.retention.Unlock()
	now, before, err := s.correct(ctx, now, before)
	if err != nil {
		return 0, err
	}
	deleted, failed := s.purgeRows(ctx, now, before, limit)
	for failed == nil && deleted == 0 && !s.retention.tombstones.Ended {
		deleted, failed = s.purgeRows(ctx, now, before, limit)
	}
	if deleted >= limit && time.Since(s.retention.changed) < partitionsEvery {
		return deleted, failed
	}
	s.retention.changed = time.Now()
	partitions, err := s.changePartitions(ctx, now, before)
	return min(deleted+partitions, limit), errors.Join(failed, s.translate(err))
}

// changePartitions makes partitions for the time to come and expires old ones, of which it returns the number.
func (s *Store) changePartitions(ctx context.Context, now, before time.Time) (int, error) {
	if err := s.makePartitions(ctx, s.options.Now()); err != nil || before.IsZero() {
		return 0, err
	}
	return s.expirePartitions(ctx, now, before)
}

// correct sets times back as far as this node's clock is ahead of the database's, so that a node with a wrong clock deletes
// nothing early.
func (s *Store) correct(ctx context.Context, now, before time.Time) (time.Time, time.Time, error) {
	var database time.Time
	err := s.read(ctx, func(tx *tx) error { return tx.row("SELECT now()").Scan(&database) })
	if ahead := now.Sub(database); ahead > 0 {
		now = database
		if !before.IsZero() {
			before = before.Add(-ahead)
		}
	}
	return now, before, err
}

// partitionsEvery is how often partitions are reviewed while there are many rows to be deleted.
const partitionsEvery = time.Minute

// round is one round of Purge over the kinds of rows.
type round struct {
	*Store
	ctx         context.Context
	now, before time.Time // zero before: no event is too old for the server
	left        int       // rows that may still be deleted
}

// purgeRows deletes rows, one kind after the other. Each round begins with another kind, so that no kind has to wait until all rows of
// another are gone. A round goes on if the rows of one kind cannot be deleted.
func (s *Store) purgeRows(ctx context.Context, now, before time.Time, limit int) (int, error) {
	r := &round{s, ctx, now, before, limit}
	kinds := []func() error{r.expireOld, r.expireOwn, r.expireWeeks, r.expireAttempts, r.oldKeys, r.ownKeys, r.deleted}
	for _, kind := range purgedKinds {
		kinds = append(kinds, func() error { return r.step(kind) })
	}
	var failed rules.Failures
	s.retention.turn++
	for n := 0; n < len(kinds) && r.left > 0; n++ {
		failed.Add(kinds[(s.retention.turn+n)%len(kinds)]())
	}
	s.retention.tombstones.Deleted(limit - r.left)
	return limit - r.left, errors.Join(failed...)
}

// step deletes rows in a transaction of its own, so that others soon see which are gone.
func (r *round) step(run func(*purge) error) error {
	var p *purge
	err := r.write(r.ctx, func(tx *tx) error {
		p = &purge{tx: tx, now: r.now, left: r.left, kept: r.options.StatisticsKept}
		return run(p)
	})
	if err == nil {
		r.left = p.left
	}
	return err
}

// deleted deletes rows of deleted tenants, and then tombstones.
func (r *round) deleted() error {
	tombstones, err := r.tombstones(r.ctx, r.now, r.left)
	if err != nil {
		return err
	}
	return r.step(func(p *purge) error {
		p.tombstones = tombstones
		return p.tenants()
	})
}

// purge deletes rows in one transaction.
type purge struct {
	tx         *tx
	now        time.Time
	left       int     // rows that may still be deleted
	tombstones []int64 // that were found before
	kept       bellwire.StatisticsKept
}

const (
	sqlPurgeAudit  = "DELETE FROM bellwire.audit WHERE n IN (SELECT n FROM bellwire.audit WHERE expires_at <= $1 LIMIT $2)"
	sqlPurgeNonces = `DELETE FROM bellwire.nonces WHERE (key, nonce) IN
		(SELECT key, nonce FROM bellwire.nonces WHERE expires_at <= $1 LIMIT $2)`
	sqlPurgeSessions = `DELETE FROM bellwire.sessions WHERE id IN
		(SELECT id FROM bellwire.sessions WHERE expires_at <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED)`
	sqlPurgeAuditDays = `DELETE FROM bellwire.audit_days WHERE (day, tenant) IN
		(SELECT day, tenant FROM bellwire.audit_days WHERE day < $1 LIMIT $2)`
	// sqlPurgeStatistics passes over rows that RollUp is changing, so that neither waits for the other.
	sqlPurgeStatistics = `DELETE FROM bellwire.statistics WHERE (tenant, length, at) IN
		(SELECT tenant, length, at FROM bellwire.statistics WHERE length = $1 AND at < $2 LIMIT $3 FOR UPDATE SKIP LOCKED)`
	sqlDeletedTenant = "SELECT n FROM bellwire.tenants WHERE deleted_at IS NOT NULL ORDER BY deleted_at LIMIT 1 FOR UPDATE"
)

// purgedKinds delete rows of a kind each, in one statement or a few.
var purgedKinds = []func(*purge) error{
	withTime(sqlPurgeRequests), withTime(sqlPurgeSessions), withTime(sqlPurgeAudit), withTime(sqlPurgeNonces),
	(*purge).statistics, (*purge).auditDays, (*purge).jobs,
}

// withTime deletes rows that have a time to end at.
func withTime(sql string) func(*purge) error {
	return func(p *purge) error { return p.delete(sql, p.now, p.left) }
}

func (p *purge) statistics() error {
	for _, interval := range bellwire.Intervals {
		if err := p.delete(sqlPurgeStatistics, interval.Number(), p.now.Add(-p.kept.Of(interval)), p.left); err != nil {
			return err
		}
	}
	return nil
}

// auditDays deletes counts of the audit log. Clocks of nodes may differ, so yesterday's is still needed.
func (p *purge) auditDays() error {
	return p.delete(sqlPurgeAuditDays, bellwire.AuditDay(p.now)-1, p.left)
}

func (p *purge) jobs() error {
	return p.delete(sqlPurgeJobs, p.now.Add(-bellwire.JobRetention), p.left)
}

// tenants deletes rows of deleted tenants, and then the tombstones that were found.
func (p *purge) tenants() error {
	for p.left > 0 {
		var tenant int64
		err := p.tx.row(sqlDeletedTenant).Scan(&tenant)
		if errors.Is(err, pgx.ErrNoRows) {
			return p.deleteTombstones()
		}
		if err != nil {
			return err
		}
		if err := p.tenant(tenant); err != nil {
			return err
		}
	}
	return nil
}

// deleteTombstones deletes the tombstones that were found. One that an append has locked is left for another round. The
// statement after the lock sees deliveries that were stored before it.
func (p *purge) deleteTombstones() error {
	held, err := pgx.CollectRows(p.tx.query(sqlHoldTombstones, p.tombstones[:min(p.left, len(p.tombstones))]), pgx.RowTo[int64])
	if err != nil || len(held) == 0 {
		return err
	}
	return p.delete(sqlDeleteTombstones, held)
}

// delete runs a statement and counts the rows that it deleted.
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
	`DELETE FROM bellwire.fanouts WHERE tenant = $1 AND at IN (SELECT at FROM bellwire.fanouts WHERE tenant = $1 LIMIT $2)`,
	`DELETE FROM bellwire.idempotency_keys WHERE tenant = $1 AND key IN
		(SELECT key FROM bellwire.idempotency_keys WHERE tenant = $1 LIMIT $2)`,
	`DELETE FROM bellwire.idempotent_requests WHERE n IN
		(SELECT n FROM bellwire.idempotent_requests WHERE tenant = $1 LIMIT $2)`,
	"DELETE FROM bellwire.keys WHERE id IN (SELECT id FROM bellwire.keys WHERE tenant = $1 LIMIT $2)",
	"DELETE FROM bellwire.endpoints WHERE n IN (SELECT n FROM bellwire.endpoints WHERE tenant = $1 LIMIT $2)",
	`DELETE FROM bellwire.endpoint_changes WHERE (history, number) IN (SELECT c.history, c.number
		FROM bellwire.endpoint_histories h JOIN bellwire.endpoint_changes c ON c.history = h.n WHERE h.tenant = $1 LIMIT $2)`,
	"DELETE FROM bellwire.endpoint_histories WHERE n IN (SELECT n FROM bellwire.endpoint_histories WHERE tenant = $1 LIMIT $2)",
	"DELETE FROM bellwire.jobs WHERE id IN (SELECT id FROM bellwire.jobs WHERE tenant = $1 LIMIT $2)",
	`DELETE FROM bellwire.statistics WHERE (tenant, length, at) IN
		(SELECT tenant, length, at FROM bellwire.statistics WHERE tenant = $1 LIMIT $2)`,
	"DELETE FROM bellwire.fanout_tenants WHERE tenant = $1 AND $2 > 0",
	"DELETE FROM bellwire.clocks WHERE tenant = $1 AND $2 > 0",
	"DELETE FROM bellwire.tenants WHERE n = $1 AND $2 > 0",
}

// tenant deletes rows of a tenant, itself last.
func (p *purge) tenant(n int64) error {
	if err := p.deliveriesOf(n); err != nil || p.left <= 0 {
		return err
	}
	events, err := pgx.CollectRows(p.tx.query(sqlEventsToPurge, n, p.left), pgx.RowTo[[16]byte])
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

// deliveriesOf deletes a tenant's deliveries.
func (p *purge) deliveriesOf(tenant int64) error {
	for p.left > 0 {
		ids, err := pgx.CollectRows(p.tx.query(sqlDeliveriesToPurge, tenant, p.left), pgx.RowTo[[16]byte])
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := p.deliveries(ids); err != nil {
			return err
		}
	}
	return nil
}

// deliveries deletes deliveries, after their attempts.
func (p *purge) deliveries(ids [][16]byte) error {
	if len(ids) == 0 {
		return nil
	}
	if err := p.delete(sqlPurgeAttempts, ids, p.left); err != nil || p.left <= 0 {
		return err
	}
	return p.delete(sqlPurgeDeliveries, ids[:min(p.left, len(ids))])
}

// These find, and delete, deleted endpoints that no delivery names, not even one that is deferred to FanOut. Each endpoint's first
// delivery is looked up separately: for an EXISTS in the select list, PostgreSQL might hash all deliveries.
var (
	sqlTombstones = `SELECT p.tenant, p.n, d.named IS NULL AND NOT ` + isFanningOut("p.tenant") + ` FROM (
			SELECT tenant, n FROM bellwire.endpoints WHERE deleted_at IS NOT NULL AND (tenant, n) > ($1, $2) ORDER BY tenant, n LIMIT $3
		) p LEFT JOIN LATERAL (
			SELECT true AS named ` + namingEndpoint + ` LIMIT 1
		) d ON true ORDER BY p.tenant, p.n`
	sqlHoldTombstones   = "SELECT n FROM bellwire.endpoints WHERE n = ANY ($1) AND deleted_at IS NOT NULL FOR UPDATE SKIP LOCKED"
	sqlDeleteTombstones = "DELETE FROM bellwire.endpoints p WHERE n = ANY ($1) AND deleted_at IS NOT NULL AND NOT EXISTS (SELECT " + namingEndpoint +
		") AND NOT " + isFanningOut("p.tenant")
)

// namingEndpoint selects deliveries of an endpoint p. Each kind is looked up separately, because the endpoint is the last
// column of the index.
const namingEndpoint = `FROM unnest('{-2,-1,0,1,2,3,4}'::smallint[]) s (status) CROSS JOIN unnest('{f,t}'::boolean[]) o (ordered)
	CROSS JOIN LATERAL (SELECT FROM bellwire.deliveries WHERE status = s.status AND ordered = o.ordered AND endpoint = p.n LIMIT 1) d`

// tombstones finds some deleted endpoints that no delivery names, outside of any transaction that others may wait for.
func (s *Store) tombstones(ctx context.Context, now time.Time, limit int) ([]int64, error) {
	g := &s.retention.tombstones
	g.Begin(now)
	if g.Ended || limit <= 0 {
		return nil, nil
	}
	var (
		found []int64
		next  rules.TombstoneScan
	)
	err := s.read(ctx, func(tx *tx) error {
		found, next = nil, *g
		looked := 0
		rows := tx.query(sqlTombstones, g.Tenant, g.N, rules.MaxTombstones)
		defer rows.Close()
		for len(found) < limit && rows.Next() {
			var unnamed bool
			if err := rows.Scan(&next.Tenant, &next.N, &unnamed); err != nil {
				return err
			}
			if looked++; unnamed {
				found = append(found, next.N)
			}
		}
		next.Ended = len(found) < limit && looked < rules.MaxTombstones
		return rows.Err()
	})
	if err == nil {
		*g = next
	}
	return found, err
}
