package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// Purge deletes up to limit rows of deleted tenants, of events taken before the given time, or before that of their tenant, that have
// nothing to be delivered any more, tombstones of endpoints that no delivery names any more, and what has a time to end at. It also settles
// deliveries of deleted endpoints. Space that becomes free is used again; the file does not shrink.
func (s *Store) Purge(ctx context.Context, now, before time.Time, limit int) (int, error) {
	s.retention.Lock()
	defer s.retention.Unlock()
	for {
		deleted, err := s.purgeSome(ctx, now, before, limit)
		if err != nil || deleted > 0 || s.retention.tombstones.Ended {
			return deleted, err
		}
	}
}

// purgeSome is Purge, but looks at some tombstones only.
func (s *Store) purgeSome(ctx context.Context, now, before time.Time, limit int) (int, error) {
	var failed rules.Failures // of some kinds: the others go on
	tombstones, err := s.tombstones(ctx, now, limit)
	failed.Add(err)
	old, own, err := s.nextEvents(ctx, now, before, limit)
	failed.Add(err)
	p := &purge{now: now, left: limit, tombstones: tombstones, old: old, done: s.retention.done}
	if own != nil {
		p.done = own.Done
	}
	if err := s.purgeKinds(ctx, p, purgedKinds...); err != nil {
		for _, kind := range purgedKinds {
			failed.Add(s.purgeKinds(ctx, p, kind))
		}
	}
	s.retention.tombstones.Deleted(limit - p.left)
	if own != nil {
		own.Done = p.done
	} else {
		s.retention.done = p.done
	}
	return limit - p.left, errors.Join(failed...)
}

// purgeKinds deletes rows of some kinds in one transaction. If that fails, p is as before.
func (s *Store) purgeKinds(ctx context.Context, p *purge, kinds ...func(*purge) error) error {
	var next purge
	err := s.write(ctx, func(w *writer) error {
		next = *p
		next.w = w
		for _, kind := range kinds {
			if err := kind(&next); err != nil {
				return err
			}
		}
		if next.left == p.left {
			return nil
		}
		if err := w.storeCounted(); err != nil {
			return err
		}
		return w.query(sqlSaveClock).int(w.clock).exec()
	})
	if err == nil {
		*p = next
	}
	return err
}

// purge is one round.
type purge struct {
	w          *writer
	now        time.Time
	left       int     // rows that may still be deleted
	tombstones []int64 // found before
	old        []oldEvent
	done       bellwire.EventID // the last event that has been examined
}

// purgedKinds delete rows of a kind each.
var purgedKinds = []func(*purge) error{
	(*purge).settle,
	withTime(sqlPurgeRequests),
	withTime("DELETE FROM audit WHERE n IN (SELECT n FROM audit WHERE expires_at <= ? LIMIT +?)"),
	withTime("DELETE FROM nonces WHERE (key, nonce) IN (SELECT key, nonce FROM nonces WHERE expires_at <= ? LIMIT +?)"),
	withTime("DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at <= ? LIMIT +?)"),
	(*purge).statistics,
	(*purge).auditDays,
	(*purge).jobs,
	(*purge).expiredKeys,
	(*purge).expire,
	(*purge).tenants,
}

// withTime deletes rows that have a time to end at.
func withTime(sql string) func(*purge) error {
	return func(p *purge) error { return p.delete(p.w.query(sql).time(p.now).int(int64(p.left))) }
}

// tenants deletes rows of deleted tenants, and then tombstones.
func (p *purge) tenants() error {
	for p.left > 0 {
		tenant, found, err := p.w.query("SELECT n FROM tenants WHERE deleted_at IS NOT NULL ORDER BY deleted_at LIMIT 1").scalar()
		if err != nil {
			return err
		}
		if !found {
			return p.bury()
		}
		if err := p.tenant(tenant); err != nil {
			return err
		}
	}
	return nil
}

// sqlUnsettled finds a deleted endpoint with deliveries that are not settled.
const sqlUnsettled = "SELECT n FROM endpoints WHERE deleted_at IS NOT NULL AND settled = 0 LIMIT 1"

// settle settles deliveries of deleted endpoints that had too many when they were deleted. They count as deleted rows, and are up to a
// third of them.
func (p *purge) settle() error {
	for limit := p.left / 3; limit > 0; {
		endpoint, found, err := p.w.query(sqlUnsettled).scalar()
		if err != nil || !found {
			return err
		}
		settled, err := p.w.settle(endpoint, limit)
		if err != nil {
			return err
		}
		limit -= max(settled, 1)
		p.left -= settled
	}
	return nil
}

const sqlPurgeAuditDays = `DELETE FROM audit_days WHERE (day, tenant) IN
	(SELECT day, tenant FROM audit_days WHERE day < ? LIMIT +?)`

const sqlPurgeStatistics = "DELETE FROM statistics WHERE n IN (SELECT n FROM statistics WHERE length = ? AND at < ? LIMIT +?)"

func (p *purge) statistics() error {
	for _, interval := range bellwire.Intervals {
		q := p.w.query(sqlPurgeStatistics).int(interval.Number()).int(p.now.Add(-p.w.store.options.StatisticsKept.Of(interval)).Unix()).int(int64(p.left))
		if err := p.delete(q); err != nil {
			return err
		}
	}
	return nil
}

// auditDays deletes counts of the audit log. Clocks of nodes may differ, so that yesterday's is still needed.
func (p *purge) auditDays() error {
	return p.delete(p.w.query(sqlPurgeAuditDays).int(bellwire.AuditDay(p.now) - 1).int(int64(p.left)))
}

func (p *purge) jobs() error {
	return p.delete(p.w.query(sqlPurgeJobs).time(p.now.Add(-bellwire.JobRetention)).int(int64(p.left)))
}

// tenant deletes rows of a tenant, itself last.
func (p *purge) tenant(n int64) error {
	if err := p.fanouts(n); err != nil || p.left <= 0 {
		return err
	}
	if err := p.events(n); err != nil || p.left <= 0 {
		return err
	}
	for _, sql := range []string{
		"DELETE FROM idempotency_keys WHERE tenant = ?1 AND key IN (SELECT key FROM idempotency_keys WHERE tenant = ?1 LIMIT +?2)",
		"DELETE FROM idempotent_requests WHERE n IN (SELECT n FROM idempotent_requests WHERE tenant = ?1 LIMIT +?2)",
		"DELETE FROM keys WHERE id IN (SELECT id FROM keys WHERE tenant = ?1 LIMIT +?2)",
		"DELETE FROM endpoints WHERE n IN (SELECT n FROM endpoints WHERE tenant = ?1 AND deleted_at IS NULL LIMIT +?2)",
		"DELETE FROM endpoints WHERE n IN (SELECT n FROM endpoints WHERE tenant = ?1 AND deleted_at IS NOT NULL LIMIT +?2)",
		`DELETE FROM endpoint_changes WHERE (history, number) IN (SELECT c.history, c.number
			FROM endpoint_histories h CROSS JOIN endpoint_changes c ON c.history = h.n WHERE h.tenant = ?1 LIMIT +?2)`,
		"DELETE FROM endpoint_histories WHERE n IN (SELECT n FROM endpoint_histories WHERE tenant = ?1 LIMIT +?2)",
		sqlPurgeJobsOfTenant,
		"DELETE FROM statistics WHERE n IN (SELECT n FROM statistics WHERE tenant = ?1 LIMIT +?2)",
		"DELETE FROM tenants WHERE n = ?1 AND ?2 > 0",
	} {
		if err := p.delete(p.w.query(sql).int(n).int(int64(p.left))); err != nil {
			return err
		}
		if p.left <= 0 {
			return nil
		}
	}
	return nil
}

// fanouts deletes the deliveries that a tenant has deferred to FanOut.
func (p *purge) fanouts(tenant int64) error {
	deferred, err := p.w.deferred(tenant)
	if err != nil {
		return err
	}
	if deferred > 0 {
		p.w.opened -= deferred
		if err := p.w.moveDeferred(tenant, -deferred); err != nil {
			return err
		}
	}
	return p.delete(p.w.query("DELETE FROM fanouts WHERE tenant = ?1 AND event IN (SELECT event FROM fanouts WHERE tenant = ?1 LIMIT +?2)").
		int(tenant).int(int64(p.left)))
}

// delete runs a statement and counts what it deleted.
func (p *purge) delete(q *query) error {
	if err := q.exec(); err != nil {
		return err
	}
	p.left -= p.w.conn.Changes()
	return nil
}

// events deletes a tenant's events, each after its deliveries.
func (p *purge) events(tenant int64) error {
	var events []bellwire.EventID
	q := p.w.query("SELECT id FROM events WHERE tenant = ? LIMIT +?").int(tenant).int(int64(p.left))
	for q.next() {
		var id bellwire.EventID
		q.getBytes(id[:])
		events = append(events, id)
	}
	if q.err != nil {
		return q.err
	}
	for _, id := range events {
		next, err := p.deliveriesOf(id, p.left)
		if err != nil {
			return err
		}
		if err := p.deliveries(next); err != nil || p.left <= 0 {
			return err
		}
		if err := p.delete(p.w.query("DELETE FROM events WHERE id = ?").blob(id[:])); err != nil || p.left <= 0 {
			return err
		}
	}
	return nil
}

// deliveries deletes deliveries, each after its attempts.
func (p *purge) deliveries(all []doomed) error {
	for _, d := range all {
		err := p.delete(p.w.query("DELETE FROM attempts WHERE n IN (SELECT n FROM attempts WHERE delivery = ? LIMIT +?)").
			blob(d.id[:]).int(int64(p.left)))
		if err != nil || p.left <= 0 {
			return err
		}
		if err := p.delete(p.w.query("DELETE FROM deliveries WHERE id = ?").blob(d.id[:])); err != nil {
			return err
		}
		if d.status <= codec.Retrying {
			p.w.opened--
		}
		if p.left <= 0 {
			return nil
		}
	}
	return nil
}

// doomed is a delivery that is to be deleted.
type doomed struct {
	id     [16]byte
	status int64
	wanted bool // it is still to be made
}

// deliveriesOf returns the first deliveries of an event.
func (p *purge) deliveriesOf(event bellwire.EventID, most int) ([]doomed, error) {
	var all []doomed
	first, last := bellwire.DeliveriesOf(event)
	q := p.w.query("SELECT id, status, " + isWanted + " FROM deliveries WHERE id >= ? AND id <= ? ORDER BY id LIMIT +?").
		blob(first[:]).blob(last[:]).int(int64(most))
	for q.next() {
		var d doomed
		q.getBytes(d.id[:])
		d.status, d.wanted = q.getInt(), q.getBool()
		all = append(all, d)
	}
	return all, q.err
}

// sqlUnnamed is true of an endpoint p that no delivery names, and none that is deferred to FanOut can.
const (
	sqlUnnamed = `NOT EXISTS (SELECT 1 FROM deliveries WHERE endpoint = p.n AND status > 0)
		AND NOT EXISTS (SELECT 1 FROM deliveries WHERE endpoint = p.n AND ` + isPending + `)
		AND NOT EXISTS (SELECT 1 FROM deliveries WHERE endpoint = p.n AND ` + isNumbered + `)
		AND NOT EXISTS (SELECT 1 FROM deliveries WHERE endpoint = p.n AND ` + isApart + `)
		AND NOT EXISTS (SELECT 1 FROM fanout_tenants WHERE tenant = p.tenant)`
	sqlTombstones = "SELECT tenant, n, " + sqlUnnamed + ` FROM endpoints AS p
		WHERE deleted_at IS NOT NULL AND (tenant, n) > (?, ?) ORDER BY tenant, n LIMIT +?`
	sqlBury = "DELETE FROM endpoints AS p WHERE n = ? AND deleted_at IS NOT NULL AND " + sqlUnnamed
)

// tombstones finds some deleted endpoints that no delivery names. It reads, so that the writer is not kept busy with the
// search.
func (s *Store) tombstones(ctx context.Context, now time.Time, limit int) ([]int64, error) {
	g := &s.retention.tombstones
	g.Begin(now)
	if g.Ended {
		return nil, nil
	}
	var (
		found []int64
		next  rules.TombstoneScan
	)
	err := s.read(ctx, func(c *db) error {
		found, next = nil, *g
		q := c.query(sqlTombstones).int(g.Tenant).int(g.N).int(rules.MaxTombstones)
		looked := 0
		for q.next() {
			looked++
			next.Tenant, next.N = q.getInt(), q.getInt()
			if q.getBool() {
				found = append(found, next.N)
			}
			if len(found) == limit {
				return q.close()
			}
		}
		next.Ended = looked < rules.MaxTombstones
		return q.err
	})
	if err == nil {
		*g = next
	}
	return found, err
}

// bury deletes the tombstones that were found.
func (p *purge) bury() error {
	for _, n := range p.tombstones {
		if p.left <= 0 {
			return nil
		}
		if err := p.delete(p.w.query(sqlBury).int(n)); err != nil {
			return err
		}
	}
	return nil
}
