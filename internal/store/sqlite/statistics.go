package sqlite

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rollup"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// maxCounted is how many events and attempts are counted in memory before the delta is stored. A row of its own for each small
// transaction would cost a page of the log, a tenth of a lone event.
const maxCounted = 128

// maxPast is how many events and attempts of a past are in one delta.
const maxPast = 50_000

const (
	sqlStoreDelta = "INSERT INTO statistics_deltas (data) VALUES (?)"
	sqlCounted    = `UPDATE meta SET value = CASE name
			WHEN 'counted_event' THEN (SELECT coalesce(max(n), 0) FROM events)
			ELSE (SELECT coalesce(max(n), 0) FROM attempts)
		END
		WHERE name IN ('counted_event', 'counted_attempt')`
	sqlUncountedEvents = `SELECT tenant, type, created_at FROM events
		WHERE n > (SELECT value FROM meta WHERE name = 'counted_event') AND test = 0 AND imported = 0`
	sqlUncountedAttempts = `SELECT a.trigger, a.started_at, a.outcome, a.details, p.id, e.type FROM attempts a
		CROSS JOIN deliveries d ON d.id = a.delivery CROSS JOIN events e ON e.n = d.event CROSS JOIN endpoints p ON p.n = d.endpoint
		WHERE a.n > (SELECT value FROM meta WHERE name = 'counted_attempt')`
)

// storeDelta stores what is counted and not stored, if that is much or the transaction requires it. After a crash, countAgain
// finds what was not stored: it is in the events and attempts after those that meta names.
func (w *writer) storeDelta() error {
	if !w.settles && w.delta.Len() < maxCounted {
		return nil
	}
	w.settles = true
	if !w.delta.Empty() {
		if err := w.query(sqlStoreDelta).data(w.delta.Encode()).exec(); err != nil {
			return err
		}
	}
	return w.exec(sqlCounted)
}

// countAgain counts the events and attempts of an earlier process that are in no delta.
func (w *writer) countAgain() error {
	q := w.query(sqlUncountedEvents)
	for q.next() {
		tenant, e := q.getInt(), &bellwire.Event{Type: q.getText()}
		w.delta.Publish(tenant, e, q.getTime())
	}
	if q.err != nil {
		return q.err
	}
	q = w.query(sqlUncountedAttempts)
	for q.next() {
		a := &bellwire.Attempt{Trigger: bellwire.Trigger(q.getText()), StartedAt: q.getTime(), Outcome: bellwire.Outcome(q.getText())}
		if err := codec.DecodeAttempt(a, q.getBlob()); err != nil {
			return firstError(q.close(), err)
		}
		w.delta.Attempt(&bellwire.Result{
			Attempt: a, Trigger: a.Trigger, EndedAt: a.StartedAt.Add(a.Timings.Total), Endpoint: q.getText(), EventType: q.getText(),
		})
	}
	w.store.counted.Store(int64(w.delta.Len()))
	return q.err
}

// storeCounted makes the transaction store the delta. A transaction that deletes events or attempts must do so, because the
// numbers of deleted rows can be used again.
func (w *writer) storeCounted() error {
	w.settles = true
	return nil
}

// CountPast counts what happened before the database began, of which nothing else is stored. Only the demonstration has a past.
func (s *Store) CountPast(ctx context.Context, past iter.Seq[bellwire.Counted]) error {
	deltas, err := s.pastDeltas(ctx, past)
	if err != nil {
		return err
	}
	return s.write(ctx, func(w *writer) error {
		for _, delta := range deltas {
			if err := w.query(sqlStoreDelta).data(delta).exec(); err != nil {
				return err
			}
		}
		return nil
	})
}

// Backdate makes what was created before the first event as old as a past, so that it is not younger than its events.
func (s *Store) Backdate(ctx context.Context, at time.Time) error {
	return s.write(ctx, func(w *writer) error {
		for _, sql := range []string{
			"UPDATE tenants SET created_at = ?1, updated_at = ?1",
			"UPDATE endpoints SET created_at = ?1, updated_at = ?1",
			"UPDATE endpoint_changes SET at = ?1",
			"UPDATE event_types SET created_at = ?1, updated_at = ?1",
		} {
			if err := w.query(sql).time(at).exec(); err != nil {
				return err
			}
		}
		return nil
	})
}

// pastDeltas encodes a past beside the writer, because it takes a second.
func (s *Store) pastDeltas(ctx context.Context, past iter.Seq[bellwire.Counted]) (encoded [][]byte, err error) {
	delta, tenants := new(rollup.Delta), make(map[string]int64)
	for c := range past {
		if _, known := tenants[c.Tenant]; !known {
			if tenants[c.Tenant], err = s.numberOf(ctx, c.Tenant); err != nil {
				return nil, err
			}
		}
		if c.Endpoint == "" {
			delta.Publish(tenants[c.Tenant], &bellwire.Event{Type: c.Type}, c.At)
		} else {
			a := &bellwire.Attempt{Outcome: c.Outcome, Timings: bellwire.Timings{Total: c.Took}}
			delta.Attempt(&bellwire.Result{Attempt: a, EndedAt: c.At, Endpoint: c.Endpoint, EventType: c.Type})
		}
		if delta.Len() >= maxPast {
			encoded = append(encoded, delta.Encode())
			delta.Reset()
		}
	}
	return append(encoded, delta.Encode()), nil
}

// numberOf returns the number of a tenant.
func (s *Store) numberOf(ctx context.Context, tenant string) (n int64, err error) {
	err = s.read(ctx, func(c *db) error {
		found := false
		if n, found, err = c.query(sqlTenantNumber).text(tenant).scalar(); err == nil && !found {
			err = bellwire.NotFound("tenant", tenant)
		}
		return err
	})
	return n, err
}

const (
	sqlDeltas       = "SELECT n, data FROM statistics_deltas WHERE n > 0 ORDER BY n LIMIT +?"
	sqlDropDeltas   = "DELETE FROM statistics_deltas WHERE n <= ?"
	sqlOwner        = "SELECT p.tenant, p.dialect FROM endpoints p WHERE p.id = ?"
	sqlTenantNumber = "SELECT n FROM tenants WHERE id = ? AND deleted_at IS NULL"
	sqlIsTenant     = "SELECT 1 FROM tenants WHERE n = ? AND deleted_at IS NULL"
	sqlBucket       = "SELECT total, endpoints, types, cells FROM statistics WHERE tenant = ? AND length = ? AND at = ?"
	sqlSaveBucket   = `INSERT INTO statistics (tenant, length, at, total, endpoints, types, cells) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, length, at) DO UPDATE SET total = excluded.total, endpoints = excluded.endpoints, types = excluded.types,
			cells = excluded.cells`
)

// rolledUp is what RollUp writes.
type rolledUp struct {
	deltas  int
	last    int64 // the number of the last delta
	buckets []encodedBucket
}

type encodedBucket struct {
	rollup.Key
	views [rollup.Views][]byte
}

// RollUp moves deltas into the rows of their intervals. It computes the rows beside the writer: nothing else changes them, but
// that Purge deletes some.
func (s *Store) RollUp(ctx context.Context, tenants int) (int, error) {
	s.rollups.Lock()
	defer s.rollups.Unlock()
	if s.counted.Load() > 0 {
		if err := s.write(ctx, (*writer).storeCounted); err != nil {
			return 0, err
		}
	}
	var up *rolledUp
	err := s.read(ctx, snapshot(func(c *db) (err error) {
		up, err = c.rollUp(tenants)
		return err
	}))
	if err != nil || up.deltas == 0 {
		return 0, err
	}
	err = s.write(ctx, func(w *writer) error { return w.saveRolledUp(up) })
	if err != nil {
		return 0, err
	}
	return up.deltas, nil
}

func (c *db) rollUp(most int) (*rolledUp, error) {
	sum, up := rollup.NewSum(), new(rolledUp)
	q := c.query(sqlDeltas).int(rollup.MaxDeltas)
	for q.next() {
		up.last = q.getInt()
		if err := sum.Add(q.getBlob(), nil); err != nil {
			return nil, firstError(q.close(), err)
		}
		if up.deltas++; sum.Full(most) {
			break
		}
	}
	if err := q.close(); err != nil || up.deltas == 0 {
		return up, err
	}
	owners, err := c.owners(sum.Endpoints())
	if err != nil {
		return nil, err
	}
	tenants := sum.Tenants(owners)
	for n := range tenants {
		if tenants[n], err = c.isTenant(n); err != nil {
			return nil, err
		}
	}
	buckets := sum.Buckets(owners, tenants)
	for _, k := range rollup.SortedKeys(buckets) {
		if err := c.mergeStored(k, buckets[k]); err != nil {
			return nil, err
		}
		up.buckets = append(up.buckets, encodedBucket{k, buckets[k].Encode()})
		delete(buckets, k) // a bucket takes more memory than its encoding
	}
	return up, nil
}

// owners finds the tenants and dialects of endpoints, also of deleted ones.
func (c *db) owners(endpoints []string) (map[string]rollup.Owner, error) {
	owners := make(map[string]rollup.Owner, len(endpoints))
	for _, id := range endpoints {
		q := c.query(sqlOwner).text(id)
		found, err := q.one()
		if err != nil {
			return nil, err
		}
		if found {
			owners[id] = rollup.Owner{Tenant: q.getInt(), Dialect: q.getText()}
			if err := q.close(); err != nil {
				return nil, err
			}
		}
	}
	return owners, nil
}

func (c *db) isTenant(n int64) (bool, error) {
	_, found, err := c.query(sqlIsTenant).int(n).scalar()
	return found, err
}

// mergeStored adds what is stored of a bucket.
func (c *db) mergeStored(k rollup.Key, b *rollup.Bucket) error {
	q := c.query(sqlBucket).int(k.Tenant).int(k.Interval.Number()).int(k.At.Unix())
	found, err := q.one()
	if err != nil || !found {
		return err
	}
	var stored [rollup.Views][]byte
	for i := range stored {
		stored[i] = q.getBlob()
	}
	return firstError(q.close(), b.Merge(stored))
}

func (w *writer) saveRolledUp(up *rolledUp) error {
	exists := map[int64]bool{rollup.Everybody: true}
	for i := range up.buckets {
		b := &up.buckets[i]
		is, known := exists[b.Tenant]
		if !known { // it may have been deleted meanwhile
			var err error
			if is, err = w.isTenant(b.Tenant); err != nil {
				return err
			}
			exists[b.Tenant] = is
		}
		if !is {
			continue
		}
		q := w.query(sqlSaveBucket).int(b.Tenant).int(b.Interval.Number()).int(b.At.Unix())
		for _, view := range b.views {
			q.data(view)
		}
		if err := q.exec(); err != nil {
			return err
		}
	}
	return w.query(sqlDropDeltas).int(up.last).exec()
}

// sqlStatistics are the statements that read one view each.
var sqlStatistics = [rollup.Views]string{
	rollup.ByNothing: statisticsOf("total"), rollup.ByEndpoint: statisticsOf("endpoints"), rollup.ByType: statisticsOf("types"),
	rollup.ByAll: statisticsOf("cells"),
}

func statisticsOf(view string) string {
	return "SELECT at, " + view + " FROM statistics WHERE tenant = ? AND length = ? AND at >= ? AND at < ? ORDER BY at"
}

// sqlTenantStatistics are the statements that read one view each of all tenants.
var sqlTenantStatistics = [rollup.Views]string{
	rollup.ByNothing: tenantStatistics("total"), rollup.ByEndpoint: tenantStatistics("endpoints"), rollup.ByType: tenantStatistics("types"),
	rollup.ByAll: tenantStatistics("cells"),
}

func tenantStatistics(view string) string {
	return "SELECT s.at, s." + view + `, t.id FROM statistics s CROSS JOIN tenants t ON t.n = s.tenant
		WHERE s.length = ? AND s.at >= ? AND s.at < ? AND t.deleted_at IS NULL ORDER BY s.at LIMIT +?`
}

// statisticsByTenant answers a question by tenant.
func (s *Store) statisticsByTenant(ctx context.Context, f bellwire.StatisticsFilter) ([]bellwire.StatisticsRow, error) {
	var stored []rollup.Stored
	err := s.list(ctx, func(c *db) error {
		q := c.query(sqlTenantStatistics[rollup.ViewFor(f.By)]).int(f.Interval.Number()).int(f.Since.Unix()).
			int(f.Until.Add(time.Second - 1).Unix()).int(bellwire.MaxTenantRows + 1)
		for q.next() {
			stored = append(stored, rollup.Stored{At: time.Unix(q.getInt(), 0).UTC(), View: q.getBlob(), Tenant: q.getText()})
		}
		return q.err
	})
	if err != nil {
		return nil, err
	}
	if len(stored) > bellwire.MaxTenantRows {
		return nil, rules.TooManyTenantRows()
	}
	return rollup.Answer(f.By, stored)
}

// Statistics returns statistics of a tenant, or of all.
func (s *Store) Statistics(ctx context.Context, f bellwire.StatisticsFilter) ([]bellwire.StatisticsRow, error) {
	if slices.Contains(f.By, bellwire.ByTenant) {
		return s.statisticsByTenant(ctx, f)
	}
	var stored []rollup.Stored
	err := s.list(ctx, snapshot(func(c *db) error {
		tenant := int64(rollup.Everybody)
		if f.Tenant != "" {
			n, found, err := c.query(sqlTenantNumber).text(f.Tenant).scalar()
			if err != nil || !found {
				return err
			}
			tenant = n
		}
		stored = nil
		q := c.query(sqlStatistics[rollup.ViewFor(f.By)]).int(tenant).int(f.Interval.Number()).int(f.Since.Unix()).int(f.Until.Add(time.Second - 1).Unix())
		for q.next() {
			at := time.Unix(q.getInt(), 0).UTC()
			stored = append(stored, rollup.Stored{At: at, View: q.getBlob()})
		}
		return q.err
	}))
	if err != nil {
		return nil, err
	}
	return rollup.Answer(f.By, stored)
}
