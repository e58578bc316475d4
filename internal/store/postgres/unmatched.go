package postgres

import (
	"context"
	_ "embed"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// The bounds of one call of Unmatched.
const (
	maxTurns      = 64      // tenants
	maxTurn       = 250     // events of one of them
	maxMatching   = 1000    // events
	maxMatchBytes = 8 << 20 // of data, unless it is one event's
	maxTurnBytes  = 2 << 20 // of data of one tenant, likewise
	maxRetried    = 20      // events that could not be matched before
)

var (
	//go:embed queries/unmatched.sql
	sqlUnmatched string
	//go:embed queries/unmatched_again.sql
	sqlUnmatchedAgain string
)

const (
	// unmatchedEvent are the columns of unmatched events u in place of eventColumns.
	unmatchedEvent = `u.event, coalesce(t.id, ''), u.type, coalesce(u.idempotency_key, ''), NULL::timestamptz, u.created_at, false, 0,
		coalesce(u.problem, ''), u.data, u.deliver_at, u.expires_at, coalesce(u.ordering_key, ''), '', NULL::bytea, false, coalesce(u.version, 0)`

	// sqlDropUnmatched removes events of tenants that were deleted before the events were matched. Purge may have removed
	// the tenants already.
	sqlDropUnmatched = `WITH dropped AS (DELETE FROM bellwire.unmatched WHERE event = ANY($1) RETURNING event, tenant, idempotency_key)
		DELETE FROM bellwire.idempotency_keys k USING dropped d
		WHERE k.tenant = d.tenant AND k.key = d.idempotency_key AND k.event = d.event`
)

// Unmatched returns events that wait to be matched, of the tenants whose number falls into a shard that this node owns.
// bellwire.publish has the same rule. Tenants take turns.
func (s *Store) Unmatched(ctx context.Context, leases *bellwire.Leases, but []string) ([]bellwire.Unmatched, error) {
	var events []bellwire.Unmatched
	after := s.turn.Load()
	last, err := s.unmatchedAfter(ctx, leases, but, after, &events)
	if err == nil && last == 0 && after > 0 {
		last, err = s.unmatchedAfter(ctx, leases, but, 0, &events)
	}
	if err != nil {
		return nil, err
	}
	s.turn.Store(last)
	return s.dropOfDeleted(ctx, events)
}

// unmatchedAfter adds events of the tenants after the given one, and returns the last of them, 0 if that is the end.
func (s *Store) unmatchedAfter(ctx context.Context, leases *bellwire.Leases, but []string, after int64, events *[]bellwire.Unmatched) (last int64, err error) {
	epochs := leases.Epochs[:]
	if but == nil {
		but = []string{} // and not NULL
	}
	err = s.snapshot(ctx, func(tx *tx) error {
		*events, last = nil, 0
		batch := new(pgx.Batch)
		batch.Queue(sqlUnmatched, epochs, after, maxTurns, maxTurn, int64(maxMatchBytes), maxMatching, but, int64(maxTurnBytes)).Query(func(rows pgx.Rows) error {
			due, err := pgx.CollectRows(rows, rowToUnmatched(&last))
			for _, e := range due {
				*events = append(*events, bellwire.Unmatched{Event: e})
			}
			return err
		})
		batch.Queue(sqlUnmatchedAgain, epochs, maxRetried, but).Query(func(rows pgx.Rows) error {
			again, err := pgx.CollectRows(rows, rowToUnmatched(new(int64)))
			for _, e := range again {
				*events = append(*events, bellwire.Unmatched{Event: e, Again: true})
			}
			return err
		})
		return tx.send(batch)
	})
	return last, err
}

// rowToUnmatched reads rows of the two statements above. It leaves the number of the last row's tenant in tenant.
func rowToUnmatched(tenant *int64) pgx.RowToFunc[*bellwire.Event] {
	return func(row pgx.CollectableRow) (*bellwire.Event, error) {
		r := new(eventRow)
		if err := row.Scan(append([]any{tenant}, r.into()...)...); err != nil {
			return nil, err
		}
		return r.done()
	}
}

// dropOfDeleted removes the events whose tenant was deleted, and returns the others.
func (s *Store) dropOfDeleted(ctx context.Context, events []bellwire.Unmatched) ([]bellwire.Unmatched, error) {
	var dropped [][16]byte
	kept := events[:0]
	for _, u := range events {
		if u.Event.Tenant == "" {
			dropped = append(dropped, u.Event.ID)
			continue
		}
		kept = append(kept, u)
	}
	if len(dropped) == 0 {
		return kept, nil
	}
	return kept, s.write(ctx, func(tx *tx) error { return tx.exec(sqlDropUnmatched, dropped) })
}

const (
	sqlDefer = `UPDATE bellwire.unmatched SET retry_at = clock_timestamp() + $2, problem = $3 WHERE event = $1`
	// Entries of nodes that no longer poll are removed.
	sqlAnnouncePolling = `WITH gone AS (DELETE FROM bellwire.attendance WHERE until < clock_timestamp() - interval '1 hour')
		INSERT INTO bellwire.attendance (node, until) VALUES ($1, clock_timestamp() + $2)
		ON CONFLICT (node) DO UPDATE SET until = excluded.until`
	sqlLimitEvents = "UPDATE bellwire.meta SET number = $1 WHERE name = 'max_event_bytes' AND number <> $1"
)

// PostponeUnmatched postpones an event that cannot be matched now.
func (s *Store) PostponeUnmatched(ctx context.Context, id bellwire.EventID, problem string, wait time.Duration) error {
	return s.write(ctx, func(tx *tx) error { return tx.exec(sqlDefer, [16]byte(id), wait, problem) })
}

// AnnouncePolling records that the node polls for some time, so that publishers need not notify it.
func (s *Store) AnnouncePolling(ctx context.Context, node string, during time.Duration) error {
	return s.write(ctx, func(tx *tx) error { return tx.exec(sqlAnnouncePolling, node, during) })
}

// LimitEvents sets the most bytes that an event's data may have.
func (s *Store) LimitEvents(ctx context.Context, bytes int) error {
	return s.write(ctx, func(tx *tx) error { return tx.exec(sqlLimitEvents, bytes) })
}

// sqlCountUnmatched counts up to $1. Their ids begin with the time.
const sqlCountUnmatched = `SELECT (SELECT count(*) FROM (SELECT FROM bellwire.unmatched LIMIT $1) f),
	(SELECT created_at FROM bellwire.unmatched ORDER BY event LIMIT 1)`

// countUnmatched counts the events that wait to be matched.
func (t *tx) countUnmatched(b *bellwire.Backlog) error {
	var oldest *time.Time
	err := t.row(sqlCountUnmatched, maxCounted).Scan(&b.Unmatched, &oldest)
	b.OldestUnmatched = orZero(oldest)
	return err
}
