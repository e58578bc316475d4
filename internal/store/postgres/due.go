package postgres

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// The schedule lies in three indexes, each for some of the deliveries. The conditions are those of the indexes.
const (
	isPending  = "status = 0 AND NOT ordered"     // by id; tests too, which are never due
	isRetrying = "status = 1 AND NOT ordered"     // by due_at
	isOrdered  = "ordered AND due_at IS NOT NULL" // by sequence
	isNumbered = "status = 0 AND ordered"         // by id, for lists
	isByHand   = "manual_epoch IS NOT NULL"       // by id
	ofLiving   = " JOIN bellwire.endpoints p ON p.n = line.endpoint JOIN bellwire.tenants t ON t.n = p.tenant AND t.deleted_at IS NULL "
	ownEpoch   = "($1::bigint[])[p.shard + 1]" // $1 holds the epochs of the shards that are owned
	isOwned    = ownEpoch + " > 0"
)

// dueAt is when the delivery d is due as things stand at $5: what has not been attempted yet is due, also if the clock
// was set back since it was made.
const dueAt = "CASE WHEN d.status = 0 THEN least(d.due_at, $5::timestamptz) ELSE d.due_at END"

// The statements here step from endpoint to endpoint through an index, so that they cost by endpoints and not by
// deliveries. What is taken lies between the free ones, but a lane holds few.
var (
	sqlDuePending  = endpointsWith(isPending) + firstOfEach("line", isPending+inSpan, "id", dueNow)
	sqlDueRetrying = endpointsWith(isRetrying) + firstOfEach("line", isRetrying+inSpan, "due_at, id", dueNow)
	// A number means nothing at an endpoint without order: what has one is taken at once to be looked at.
	sqlDueOrdered = endpointsWith(isOrdered) + firstOfEach(eachOnce, isOrdered, "sequence",
		"CASE WHEN p.ordering = 'fifo' THEN "+dueNow+" ELSE least(d.created_at, $2) END")
)

const dueNow = "(CASE WHEN d.status = 0 THEN least(d.due_at, $2::timestamptz) ELSE d.due_at END)"

// firstOfEach selects each endpoint of the leased shards with a time of its first delivery that is free.
func firstOfEach(line, condition, order, at string) string {
	return "SELECT p.id, t.id, " + at + " FROM " + line + ofLiving + `
		CROSS JOIN LATERAL (SELECT status, due_at, created_at FROM bellwire.deliveries
			WHERE endpoint = line.endpoint AND ` + condition + ` AND due_at IS NOT NULL AND epoch <> ` + ownEpoch + `
			ORDER BY ` + order + ` LIMIT 1) d
		WHERE ` + isOwned
}

// Each step is in one partition. Most that is open is new: were each step in all partitions, most of them would be for
// nothing. An endpoint is in the line as often as there are partitions in which it has such deliveries.
const (
	sqlSpans = `span (first, next) AS MATERIALIZED (
		SELECT at, lead(at, 1, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid) OVER (ORDER BY at) FROM (
			SELECT '00000000-0000-0000-0000-000000000000'::uuid AS at
			UNION SELECT b FROM (` + sqlPartitions + `) AS p (name, first, next) CROSS JOIN LATERAL (VALUES (p.first), (p.next)) v (b)
		) f
	)`
	inSpan   = " AND id >= line.first AND id < line.next"
	eachOnce = "(SELECT DISTINCT endpoint FROM line WHERE endpoint IS NOT NULL) line"
)

// endpointsWith begins a statement on the line of the endpoints that have such deliveries.
func endpointsWith(condition string) string {
	of := "(SELECT min(endpoint) FROM bellwire.deliveries WHERE " + condition + inSpan
	return "WITH RECURSIVE " + strings.ReplaceAll(sqlSpans, "$1::regclass", "'bellwire.deliveries'::regclass") + `,
		line (first, next, endpoint) AS (
			SELECT first, next, ` + of + `) FROM span line
			UNION ALL
			SELECT first, next, ` + of + ` AND endpoint > line.endpoint) FROM line WHERE line.endpoint IS NOT NULL
		) `
}

// Of a deleted endpoint only what is open matters, because it is to be canceled.
var sqlManualEndpoints = endpointsWith(isByHand) + "SELECT p.id, t.id FROM " + eachOnce + ofLiving + `
	WHERE ` + isOwned + `
		AND EXISTS (SELECT FROM bellwire.deliveries WHERE endpoint = line.endpoint AND ` + isByHand + ` AND manual_epoch <> ` + ownEpoch + `)
		AND (p.deleted_at IS NULL
			OR EXISTS (SELECT FROM bellwire.deliveries WHERE endpoint = line.endpoint AND ` + isPending + `)
			OR EXISTS (SELECT FROM bellwire.deliveries WHERE endpoint = line.endpoint AND ` + isNumbered + `)
			OR EXISTS (SELECT FROM bellwire.deliveries WHERE endpoint = line.endpoint AND ` + isRetrying + `)
			OR EXISTS (SELECT FROM bellwire.deliveries WHERE endpoint = line.endpoint AND status = 1 AND ordered))`

// DueEndpoints returns each endpoint of the leased shards that has something free to be claimed.
func (s *Store) DueEndpoints(ctx context.Context, leases *bellwire.Leases) ([]bellwire.DueEndpoint, error) {
	if err := s.releaseDoubts(ctx); err != nil {
		return nil, err
	}
	var due []bellwire.DueEndpoint
	err := s.snapshot(ctx, func(tx *tx) error {
		d := new(rules.Due)
		epochs, now := leases.Epochs[:], s.options.Now()
		batch := new(pgx.Batch)
		for _, sql := range []string{sqlDuePending, sqlDueRetrying, sqlDueOrdered} {
			batch.Queue(sql, epochs, now).Query(func(rows pgx.Rows) error {
				var (
					id, tenant string
					at         time.Time
				)
				_, err := pgx.ForEachRow(rows, []any{&id, &tenant, &at}, func() error {
					d.Add(id, tenant, at, false)
					return nil
				})
				return err
			})
		}
		batch.Queue(sqlManualEndpoints, epochs).Query(func(rows pgx.Rows) error {
			var id, tenant string
			_, err := pgx.ForEachRow(rows, []any{&id, &tenant}, func() error {
				d.Add(id, tenant, time.Time{}, true)
				return nil
			})
			return err
		})
		err := tx.SendBatch(tx.ctx, batch).Close()
		due = d.All
		return err
	})
	return due, err
}

// The longest waiting ones are looked for among the first of each endpoint, taken or not.
var sqlOldest = []string{
	endpointsWith(isPending) + oldestOf("line", isPending+inSpan, "id"),
	endpointsWith(isRetrying) + oldestOf("line", isRetrying+inSpan, "due_at, id"),
	endpointsWith(isOrdered) + oldestOf(eachOnce, isOrdered, "sequence"),
}

func oldestOf(line, condition, order string) string {
	return "SELECT min(d.due_at) FROM " + line + ofLiving + `
		CROSS JOIN LATERAL (SELECT due_at FROM bellwire.deliveries
			WHERE endpoint = line.endpoint AND ` + condition + ` AND due_at IS NOT NULL ORDER BY ` + order + ` LIMIT 1) d`
}

// maxCounted is how many open deliveries are counted one by one, of each kind. More are estimated.
const maxCounted = 20_000

// sqlCountOpen counts up to $1 of each kind.
const sqlCountOpen = `SELECT
	(SELECT count(*) FROM (SELECT FROM bellwire.deliveries WHERE status = 0 AND NOT ordered LIMIT $1) f),
	(SELECT count(*) FROM (SELECT FROM bellwire.deliveries WHERE status = 0 AND ordered LIMIT $1) f),
	(SELECT count(*) FROM (SELECT FROM bellwire.deliveries WHERE status = 1 AND NOT ordered LIMIT $1) f),
	(SELECT count(*) FROM (SELECT FROM bellwire.deliveries WHERE status = 1 AND ordered LIMIT $1) f)`

// sqlEstimateOpen has the planner say how many rows it expects.
const sqlEstimateOpen = "EXPLAIN (FORMAT JSON) SELECT FROM bellwire.deliveries WHERE status <= 1"

// Backlog tells how much is open.
func (s *Store) Backlog(ctx context.Context) (*bellwire.Backlog, error) {
	backlog := new(bellwire.Backlog)
	err := s.snapshot(ctx, func(tx *tx) (err error) {
		*backlog = bellwire.Backlog{}
		if backlog.Open, err = tx.countOpen(); err != nil {
			return err
		}
		for _, sql := range sqlOldest {
			var oldest *time.Time
			if err := tx.row(sql).Scan(&oldest); err != nil {
				return err
			}
			backlog.Oldest = rules.Earlier(backlog.Oldest, orZero(oldest))
		}
		if err := tx.row(sqlSumWaiting).Scan(&backlog.FanOut); err != nil {
			return err
		}
		backlog.Open += backlog.FanOut
		return tx.countUnmatched(backlog)
	})
	if err != nil {
		return nil, err
	}
	if backlog.Oldest.After(s.options.Now()) {
		backlog.Oldest = time.Time{}
	}
	return backlog, nil
}

// countOpen counts what is open, or estimates it where that is much.
func (t *tx) countOpen() (int, error) {
	var counts [4]int
	if err := t.row(sqlCountOpen, maxCounted).Scan(&counts[0], &counts[1], &counts[2], &counts[3]); err != nil {
		return 0, err
	}
	total := counts[0] + counts[1] + counts[2] + counts[3]
	if slices.Max(counts[:]) < maxCounted {
		return total, nil
	}
	var plan []byte
	if err := t.row(sqlEstimateOpen).Scan(&plan); err != nil {
		return 0, err
	}
	var explained []struct {
		Plan struct {
			Rows int `json:"Plan Rows"`
		}
	}
	if err := json.Unmarshal(plan, &explained); err != nil || len(explained) != 1 {
		return total, err
	}
	return max(total, explained[0].Plan.Rows), nil
}
