package postgres

import (
	"context"
	_ "embed"
	"encoding/json"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// Each of these queries steps through an index from endpoint to endpoint (a skip scan), so that its cost grows with the
// endpoints and not with their deliveries. Claimed deliveries lie between the free ones, but one endpoint has few of them.
// The steps are made in each partition separately: most open deliveries are new, so steps across all partitions would
// search most of them in vain.
var (
	//go:embed queries/due_pending.sql
	sqlDuePending string
	//go:embed queries/due_retrying.sql
	sqlDueRetrying string
	//go:embed queries/due_ordered.sql
	sqlDueOrdered string
	//go:embed queries/due_keyed.sql
	sqlDueKeyed string
	//go:embed queries/due_manual.sql
	sqlDueManual string

	//go:embed queries/oldest_pending.sql
	sqlOldestPending string
	//go:embed queries/oldest_retrying.sql
	sqlOldestRetrying string
	//go:embed queries/oldest_ordered.sql
	sqlOldestOrdered string
)

// sqlInOrderOfIndex has the rest of the transaction read what it needs in the order of an index. The planner knows the bounds of a
// step only as parameters, and may think that so few deliveries lie between them that they can all be read and sorted.
const sqlInOrderOfIndex = "SELECT set_config('enable_sort', 'off', true), set_config('enable_bitmapscan', 'off', true)"

// dueKinds are the searches for what is due. Each finds a part, and says where to go on in which partition.
var dueKinds = []struct {
	sql    string
	manual bool
}{{sql: sqlDuePending}, {sql: sqlDueRetrying}, {sql: sqlDueOrdered}, {sql: sqlDueKeyed}, {sql: sqlDueManual, manual: true}}

// spans are ranges of ids, from first to before next, with the endpoint after which a search begins in each.
type spans struct {
	first, next [][16]byte
	after       []int64
}

// DueEndpoints finds what is due in transactions that are short however many endpoints have something. Each goes on where the last one has
// ended, in each partition.
func (s *Store) DueEndpoints(ctx context.Context, leases *bellwire.Leases, found func([]bellwire.DueEndpoint)) error {
	if err := s.releaseAnyPending(ctx); err != nil {
		return err
	}
	var whole spans
	if err := s.snapshot(ctx, func(tx *tx) (err error) {
		whole.first, whole.next, err = tx.spans()
		return err
	}); err != nil {
		return err
	}
	whole.after = make([]int64, len(whole.first))
	left := make([]spans, len(dueKinds))
	for i := range left {
		left[i] = whole
	}
	for more := true; more; {
		due, rest, err := s.duePart(ctx, leases, left)
		if err != nil {
			return err
		}
		found(due)
		left = rest
		more = slices.ContainsFunc(left, func(s spans) bool { return len(s.first) > 0 })
	}
	return nil
}

// duePart searches the spans of each of dueKinds, and returns what it has found and what is left to be searched.
func (s *Store) duePart(ctx context.Context, leases *bellwire.Leases, in []spans) (due []bellwire.DueEndpoint, left []spans, err error) {
	err = s.snapshot(ctx, func(tx *tx) error {
		part, now := new(rules.Due), s.options.Now()
		left = make([]spans, len(dueKinds))
		batch := new(pgx.Batch)
		batch.Queue(sqlInOrderOfIndex)
		for i, kind := range dueKinds {
			if len(in[i].first) == 0 {
				continue
			}
			batch.Queue(kind.sql, in[i].first, in[i].next, in[i].after, leases.Epochs[:], now).Query(func(rows pgx.Rows) error {
				var (
					id, tenant  string
					at          time.Time
					span, after int64
				)
				_, err := pgx.ForEachRow(rows, []any{&id, &tenant, &at, &span, &after}, func() error {
					switch {
					case span > 0:
						left[i].first = append(left[i].first, in[i].first[span-1])
						left[i].next = append(left[i].next, in[i].next[span-1])
						left[i].after = append(left[i].after, after)
					case kind.manual:
						part.Add(id, tenant, time.Time{}, true)
					default:
						part.Add(id, tenant, at, false)
					}
					return nil
				})
				return err
			})
		}
		err := tx.send(batch)
		due = part.All
		return err
	})
	return due, left, err
}

// spans returns the bounds of the ranges of ids that the partitions of deliveries, and the gaps between them, hold.
func (t *tx) spans() (first, next [][16]byte, err error) {
	set, err := t.partitions(deliveriesTable)
	first, next = set.spans()
	return first, next, err
}

// maxCounted is the most open deliveries of each kind that are counted. If there are more, their number is estimated.
const maxCounted = 20_000

// sqlCountOpen counts up to $1 of each kind.
const sqlCountOpen = `SELECT
	(SELECT count(*) FROM (SELECT FROM bellwire.deliveries WHERE status = 0 AND NOT ordered LIMIT $1) f),
	(SELECT count(*) FROM (SELECT FROM bellwire.deliveries WHERE status = 0 AND ordered LIMIT $1) f),
	(SELECT count(*) FROM (SELECT FROM bellwire.deliveries WHERE status IN (1, -1) AND NOT ordered LIMIT $1) f),
	(SELECT count(*) FROM (SELECT FROM bellwire.deliveries WHERE status = 1 AND ordered LIMIT $1) f),
	(SELECT count(*) FROM (SELECT FROM bellwire.deliveries WHERE status = -2 AND NOT ordered LIMIT $1) f)`

// sqlEstimateOpen returns how many rows the planner expects.
const sqlEstimateOpen = "EXPLAIN (FORMAT JSON) SELECT FROM bellwire.deliveries WHERE status <= 1"

// Backlog counts the open deliveries, and finds how long the oldest due one has waited.
func (s *Store) Backlog(ctx context.Context) (*bellwire.Backlog, error) {
	backlog := new(bellwire.Backlog)
	err := s.snapshot(ctx, func(tx *tx) (err error) {
		*backlog = bellwire.Backlog{CountedAt: time.Now()}
		if backlog.Open, err = tx.countOpen(); err != nil {
			return err
		}
		first, next, err := tx.spans()
		if err != nil {
			return err
		}
		if err := tx.exec(sqlInOrderOfIndex); err != nil {
			return err
		}
		for _, sql := range []string{sqlOldestPending, sqlOldestRetrying, sqlOldestOrdered} {
			var oldest *time.Time
			if err := tx.row(sql, first, next).Scan(&oldest); err != nil {
				return err
			}
			backlog.Oldest = bellwire.Earlier(backlog.Oldest, orZero(oldest))
		}
		if err := tx.row(sqlSumDeferred).Scan(&backlog.FanOut); err != nil {
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

// countOpen counts the open deliveries, or estimates their number if they are many.
func (t *tx) countOpen() (int, error) {
	var counts [5]int
	if err := t.row(sqlCountOpen, maxCounted).Scan(&counts[0], &counts[1], &counts[2], &counts[3], &counts[4]); err != nil {
		return 0, err
	}
	total := counts[0] + counts[1] + counts[2] + counts[3] + counts[4]
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
