package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bellwire/bellwire"
)

// maxTries bounds how often a transaction is run that others got in the way of.
const maxTries = 10

// errAgain has a transaction run again: somebody else's was committed while it ran, and it will see that then.
var errAgain = errors.New("another transaction came first")

// tx is a transaction.
type tx struct {
	ctx context.Context
	pgx.Tx
}

// write runs f in a transaction and returns when that is on disk. f may be run several times. A *bellwire.Error of f
// undoes the transaction too.
func (s *Store) write(ctx context.Context, f func(*tx) error) error {
	return s.transact(ctx, pgx.ReadWrite, pgx.ReadCommitted, f)
}

// snapshot runs f in a transaction in which all statements see the same state.
func (s *Store) snapshot(ctx context.Context, f func(*tx) error) error {
	return s.transact(ctx, pgx.ReadOnly, pgx.RepeatableRead, f)
}

// read runs f, which is to make one statement.
func (s *Store) read(ctx context.Context, f func(*tx) error) error { return s.snapshot(ctx, f) }

// leasing is write on the connection that is kept for leases, so that no other work holds up their renewal.
func (s *Store) leasing(ctx context.Context, f func(*tx) error) error {
	return s.transactOn(ctx, s.leasePool, pgx.ReadWrite, pgx.ReadCommitted, f)
}

func (s *Store) transact(ctx context.Context, mode pgx.TxAccessMode, level pgx.TxIsoLevel, f func(*tx) error) error {
	return s.transactOn(ctx, s.pool, mode, level, f)
}

func (s *Store) transactOn(ctx context.Context, pool *pgxpool.Pool, mode pgx.TxAccessMode, level pgx.TxIsoLevel, f func(*tx) error) error {
	if s.closed.Load() {
		return errClosed
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	for try := 1; ; try++ {
		err := s.once(ctx, pool, pgx.TxOptions{BeginQuery: s.begin(mode, level)}, f)
		if try == maxTries || !again(err) {
			return s.translate(err)
		}
		if !sleep(ctx, rand.N(time.Duration(try)*5*time.Millisecond)) {
			return s.translate(err)
		}
	}
}

// begin is one round trip. What is set holds for the transaction alone. Statistics lag behind tables that grow fast, and
// a plan that reads the whole of one would stop all work: here every join leads from few rows through an index. A node
// that is stopped in the middle keeps its locks, and so others from taking over, no longer than half a lease.
func (s *Store) begin(mode pgx.TxAccessMode, level pgx.TxIsoLevel) string {
	return fmt.Sprintf(`BEGIN ISOLATION LEVEL %s %s; SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off;
		SET LOCAL enable_mergejoin = off; SET LOCAL jit = off; SET LOCAL statement_timeout = %d;
		SET LOCAL idle_in_transaction_session_timeout = %d`,
		level, mode, s.options.Timeout.Milliseconds(), max(s.options.LeaseTerm/2, time.Second).Milliseconds())
}

func (s *Store) once(ctx context.Context, pool *pgxpool.Pool, o pgx.TxOptions, f func(*tx) error) error {
	t, err := pool.BeginTx(ctx, o)
	if err != nil {
		return err
	}
	if err := f(&tx{ctx: ctx, Tx: t}); err != nil {
		// A connection that cannot roll back is closed, and the server rolls back.
		undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.options.Timeout)
		defer cancel()
		_ = t.Rollback(undo)
		return err
	}
	return t.Commit(ctx)
}

// again tells whether a transaction failed because of others that ran at the same time.
func again(err error) bool {
	if errors.Is(err, errAgain) {
		return true
	}
	var refused *pgconn.PgError
	return errors.As(err, &refused) && (refused.Code == "40001" || refused.Code == "40P01")
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (t *tx) exec(sql string, args ...any) error {
	_, err := t.Exec(t.ctx, sql, args...)
	return err
}

// change runs a statement and returns how many rows it changed.
func (t *tx) change(sql string, args ...any) (int, error) {
	tag, err := t.Exec(t.ctx, sql, args...)
	return int(tag.RowsAffected()), err
}

func (t *tx) row(sql string, args ...any) pgx.Row { return t.QueryRow(t.ctx, sql, args...) }

// found scans a row that need not be there.
func found(row pgx.Row, into ...any) (bool, error) {
	err := row.Scan(into...)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// each runs a query and calls scan for each of its rows.
func (t *tx) each(scan func(pgx.Rows) error, sql string, args ...any) error {
	rows, err := t.Query(t.ctx, sql, args...)
	if err != nil {
		return err
	}
	return every(rows, scan)
}

func every(rows pgx.Rows, scan func(pgx.Rows) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// all returns the rows of a query.
func all[T any](t *tx, scan func(pgx.Rows) (T, error), sql string, args ...any) ([]T, error) {
	var items []T
	err := t.each(func(rows pgx.Rows) error {
		item, err := scan(rows)
		items = append(items, item)
		return err
	}, sql, args...)
	return items, err
}

// orNull makes NULL of the zero time.
func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// orZero makes the zero time of NULL.
func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// uuids are ids as the driver takes them.
func uuids[ID ~[16]byte](ids []ID) [][16]byte {
	plain := make([][16]byte, len(ids))
	for i, id := range ids {
		plain[i] = id
	}
	return plain
}

var errClosed = bellwire.Errorf(bellwire.CodeUnavailable, "The database is closed.")

// namesIn returns a set's members in their order.
func namesIn(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }

func earlierID(a [16]byte, b [16]byte) [16]byte {
	if bytes.Compare(b[:], a[:]) < 0 {
		return b
	}
	return a
}

func laterID(a [16]byte, b [16]byte) [16]byte {
	if bytes.Compare(b[:], a[:]) > 0 {
		return b
	}
	return a
}
