package postgres

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rollup"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// queueDelta stores what a transaction adds to the statistics.
func queueDelta(batch *pgx.Batch, d *rollup.Delta) {
	if !d.Empty() {
		batch.Queue("INSERT INTO bellwire.statistics_deltas (data) VALUES ($1)", d.Encode())
	}
}

// delta returns what the group adds to the statistics; nil: nothing.
func (g *group) delta() []byte {
	var d rollup.Delta
	for i := range g.accepted {
		e := &g.accepted[i]
		d.Publish(e.tenant, &e.Event, e.at)
	}
	if d.Empty() {
		return nil
	}
	return d.Encode()
}

const (
	sqlHoldStatistics = "SELECT true FROM bellwire.meta WHERE name = 'statistics' FOR UPDATE SKIP LOCKED"
	sqlDeltas         = "SELECT n, data, counted FROM bellwire.statistics_deltas ORDER BY n LIMIT $1"
	sqlDropDeltas     = "DELETE FROM bellwire.statistics_deltas WHERE n = ANY($1)"
	sqlOwners         = "SELECT id, tenant, dialect FROM bellwire.endpoints WHERE id = ANY($1)"
	// sqlHoldOwners keeps Purge from deleting the tenants until their rows are written.
	sqlHoldOwners = "SELECT n FROM bellwire.tenants WHERE n = ANY($1) AND deleted_at IS NULL ORDER BY n FOR KEY SHARE"
	sqlBuckets    = `SELECT s.tenant, s.length, s.at, s.total, s.endpoints, s.types, s.cells
		FROM unnest($1::bigint[], $2::smallint[], $3::timestamptz[]) AS w (tenant, length, at)
		CROSS JOIN LATERAL (SELECT * FROM bellwire.statistics WHERE tenant = w.tenant AND length = w.length AND at = w.at) s`
	sqlSaveBuckets = `INSERT INTO bellwire.statistics (tenant, length, at, total, endpoints, types, cells)
		SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::timestamptz[], $4::bytea[], $5::bytea[], $6::bytea[], $7::bytea[])
		ON CONFLICT (tenant, length, at) DO UPDATE SET total = excluded.total, endpoints = excluded.endpoints, types = excluded.types,
			cells = excluded.cells`
)

// RollUp moves deltas into the rows of their intervals, unless another node is doing so.
func (s *Store) RollUp(ctx context.Context, tenants int) (deltas int, err error) {
	err = s.write(ctx, func(tx *tx) error {
		deltas = 0
		var held bool
		if err := tx.row(sqlHoldStatistics).Scan(&held); errors.Is(err, pgx.ErrNoRows) {
			return nil
		} else if err != nil {
			return err
		}
		done, err := tx.rollUp(tenants)
		deltas = done
		return err
	})
	if err != nil {
		return 0, err
	}
	return deltas, nil
}

func (t *tx) rollUp(most int) (deltas int, err error) {
	sum, moved, err := t.sumDeltas(most)
	if err != nil || len(moved) == 0 {
		return 0, err
	}
	owners, err := t.owners(sum.Endpoints())
	if err != nil {
		return 0, err
	}
	tenants, err := t.holdOwners(sum.Tenants(owners))
	if err != nil {
		return 0, err
	}
	buckets := sum.Buckets(owners, tenants)
	keys := keysOf(buckets)
	encoded, err := t.mergeStored(keys, buckets)
	if err != nil {
		return 0, err
	}
	batch := new(pgx.Batch)
	batch.Queue(sqlSaveBuckets, append(keys.arrays(), keys.views(encoded)...)...)
	batch.Queue(sqlDropDeltas, moved)
	return len(moved), t.sendLast(batch)
}

// sumDeltas adds up some deltas, and returns their numbers.
func (t *tx) sumDeltas(most int) (sum *rollup.Sum, moved []int64, err error) {
	sum = rollup.NewSum()
	rows := t.query(sqlDeltas, rollup.MaxDeltas)
	defer rows.Close()
	for !sum.Full(most) && rows.Next() {
		var (
			n       int64
			data    []byte
			counted []int16
		)
		if err := rows.Scan(&n, &data, &counted); err != nil {
			return nil, nil, err
		}
		if err := sum.Add(data, counted); err != nil {
			return nil, nil, err
		}
		moved = append(moved, n)
	}
	rows.Close()
	return sum, moved, rows.Err()
}

// owners finds the tenants and dialects of endpoints, also of deleted ones.
func (t *tx) owners(endpoints []string) (map[string]rollup.Owner, error) {
	owners := make(map[string]rollup.Owner, len(endpoints))
	var (
		id    string
		owner rollup.Owner
	)
	_, err := pgx.ForEachRow(t.query(sqlOwners, endpoints), []any{&id, &owner.Tenant, &owner.Dialect}, func() error {
		owners[id] = owner
		return nil
	})
	return owners, err
}

func (t *tx) holdOwners(tenants map[int64]bool) (map[int64]bool, error) {
	exist := make(map[int64]bool, len(tenants))
	var n int64
	_, err := pgx.ForEachRow(t.query(sqlHoldOwners, slices.Sorted(maps.Keys(tenants))), []any{&n}, func() error {
		exist[n] = true
		return nil
	})
	return exist, err
}

// bucketKeys are keys of buckets, in the order in which they are written.
type bucketKeys []rollup.Key

func keysOf(buckets map[rollup.Key]*rollup.Bucket) bucketKeys { return rollup.SortedKeys(buckets) }

func (keys bucketKeys) arrays() []any {
	tenants, lengths, at := make([]int64, len(keys)), make([]int16, len(keys)), make([]time.Time, len(keys))
	for i, k := range keys {
		tenants[i], lengths[i], at[i] = k.Tenant, int16(k.Interval.Number()), k.At
	}
	return []any{tenants, lengths, at}
}

// views returns the buckets, with an array for each view.
func (keys bucketKeys) views(encoded map[rollup.Key][rollup.Views][]byte) []any {
	columns := make([][][]byte, rollup.Views)
	for _, k := range keys {
		for i, view := range encoded[k] {
			columns[i] = append(columns[i], view)
		}
	}
	arrays := make([]any, len(columns))
	for i, column := range columns {
		arrays[i] = column
	}
	return arrays
}

// mergeStored adds what is stored of the buckets, and encodes them. A bucket takes more memory than its encoding, so each is
// dropped at once.
func (t *tx) mergeStored(keys bucketKeys, buckets map[rollup.Key]*rollup.Bucket) (map[rollup.Key][rollup.Views][]byte, error) {
	encoded := make(map[rollup.Key][rollup.Views][]byte, len(keys))
	encode := func(k rollup.Key) {
		encoded[k] = buckets[k].Encode()
		delete(buckets, k)
	}
	var (
		k      rollup.Key
		length int16
		stored [rollup.Views][]byte
	)
	into := []any{&k.Tenant, &length, &k.At}
	for i := range stored {
		into = append(into, &stored[i])
	}
	_, err := pgx.ForEachRow(t.query(sqlBuckets, keys.arrays()...), into, func() error {
		k.Interval, k.At = bellwire.Intervals[length], k.At.UTC()
		err := buckets[k].Merge(stored)
		encode(k)
		return err
	})
	for k := range buckets {
		encode(k)
	}
	return encoded, err
}

// sqlStatistics are the statements that read one view each.
var sqlStatistics = [rollup.Views]string{
	rollup.ByNothing: statisticsOf("total"), rollup.ByEndpoint: statisticsOf("endpoints"), rollup.ByType: statisticsOf("types"),
	rollup.ByAll: statisticsOf("cells"),
}

func statisticsOf(view string) string {
	return `SELECT s.at, s.` + view + ` FROM (SELECT 0::bigint AS n WHERE $1 = '' UNION ALL
			SELECT n FROM bellwire.tenants WHERE id = $1 AND deleted_at IS NULL) t
		JOIN bellwire.statistics s ON s.tenant = t.n AND s.length = $2 AND s.at >= $3 AND s.at < $4 ORDER BY s.at`
}

// sqlTenantStatistics are the statements that read one view each of all tenants.
var sqlTenantStatistics = [rollup.Views]string{
	rollup.ByNothing: tenantStatistics("total"), rollup.ByEndpoint: tenantStatistics("endpoints"), rollup.ByType: tenantStatistics("types"),
	rollup.ByAll: tenantStatistics("cells"),
}

func tenantStatistics(view string) string {
	return "SELECT s.at, s." + view + `, t.id FROM bellwire.statistics s JOIN bellwire.tenants t ON t.n = s.tenant
		WHERE s.length = $1 AND s.at >= $2 AND s.at < $3 AND t.deleted_at IS NULL ORDER BY s.at LIMIT $4`
}

// statisticsByTenant answers a question by tenant.
func (s *Store) statisticsByTenant(ctx context.Context, f bellwire.StatisticsFilter) ([]bellwire.StatisticsRow, error) {
	var stored []rollup.Stored
	err := s.list(ctx, func(tx *tx) error {
		stored = nil
		var row rollup.Stored
		rows := tx.query(sqlTenantStatistics[rollup.ViewFor(f.By)], int16(f.Interval.Number()), f.Since, f.Until, bellwire.MaxTenantRows+1)
		_, err := pgx.ForEachRow(rows, []any{&row.At, &row.View, &row.Tenant}, func() error {
			stored = append(stored, rollup.Stored{At: row.At.UTC(), View: row.View, Tenant: row.Tenant})
			return nil
		})
		return err
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
	err := s.list(ctx, func(tx *tx) error {
		stored = nil
		var row rollup.Stored
		rows := tx.query(sqlStatistics[rollup.ViewFor(f.By)], f.Tenant, int16(f.Interval.Number()), f.Since, f.Until)
		_, err := pgx.ForEachRow(rows, []any{&row.At, &row.View}, func() error {
			stored = append(stored, rollup.Stored{At: row.At.UTC(), View: row.View})
			return nil
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return rollup.Answer(f.By, stored)
}
