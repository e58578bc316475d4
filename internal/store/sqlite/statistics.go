package sqlite

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rollup"
)

// storeDelta stores what the transaction adds to the statistics.
func (w *writer) storeDelta() error {
	if w.delta.Empty() {
		return nil
	}
	return w.query("INSERT INTO statistics_deltas (data) VALUES (?)").data(w.delta.Encode()).exec()
}

const (
	sqlDeltas     = "SELECT n, data FROM statistics_deltas WHERE n > 0 ORDER BY n LIMIT +?"
	sqlDropDeltas = "DELETE FROM statistics_deltas WHERE n <= ?"
	sqlOwner      = "SELECT p.tenant, p.dialect FROM endpoints p WHERE p.id = ?"
	sqlIsTenant   = "SELECT 1 FROM tenants WHERE n = ? AND deleted_at IS NULL"
	sqlBucket     = "SELECT total, endpoints, types, cells FROM statistics WHERE tenant = ? AND length = ? AND at = ?"
	sqlSaveBucket = `INSERT INTO statistics (tenant, length, at, total, endpoints, types, cells) VALUES (?, ?, ?, ?, ?, ?, ?)
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

// Statistics returns statistics of a tenant, or of all together.
func (s *Store) Statistics(ctx context.Context, f bellwire.StatisticsFilter) ([]bellwire.StatisticsRow, error) {
	var stored []rollup.Stored
	err := s.list(ctx, snapshot(func(c *db) error {
		tenant := int64(rollup.Everybody)
		if f.Tenant != "" {
			n, found, err := c.query("SELECT n FROM tenants WHERE id = ? AND deleted_at IS NULL").text(f.Tenant).scalar()
			if err != nil || !found {
				return err
			}
			tenant = n
		}
		stored = nil
		q := c.query(sqlStatistics[rollup.ViewFor(f.By)]).int(tenant).int(f.Interval.Number()).int(f.Since.Unix()).int(f.Until.Unix())
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
