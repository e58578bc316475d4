package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// maxTries bounds how often a transaction is run that others got in the way of.
const maxTries = 10

// errAgain has a transaction run again: somebody else's was committed while it ran, and it will see that then.
var errAgain = errors.New("another transaction came first")

// tx is a transaction. It begins on the server with the first that is asked in it, and can end with the last: each
// way to the server and back costs more than most statements do.
type tx struct {
	ctx   context.Context
	conn  *pgx.Conn
	begin []string // the statements that begin it, until they are sent
	open  bool     // it has begun and not ended
}

// write runs f in a transaction and returns when that is on disk. f may be run several times. A *bellwire.Error of f
// undoes the transaction too.
func (s *Store) write(ctx context.Context, f func(*tx) error) error {
	return s.transactOn(ctx, s.pool, s.begin(pgx.ReadWrite, pgx.ReadCommitted), f)
}

// snapshot runs f in a transaction in which all statements see the same state.
func (s *Store) snapshot(ctx context.Context, f func(*tx) error) error {
	return s.snapshotOn(ctx, s.pool, f)
}

func (s *Store) snapshotOn(ctx context.Context, from lender, f func(*tx) error) error {
	return s.transactOn(ctx, from, s.begin(pgx.ReadOnly, pgx.RepeatableRead), f)
}

// read runs f, which is to make one statement. Where there is nothing to be set for it, that needs no transaction.
func (s *Store) read(ctx context.Context, f func(*tx) error) error {
	return s.readOn(ctx, s.lookups, f)
}

// list is read for what callers look up. However slow that is, connections are left for everything else.
func (s *Store) list(ctx context.Context, f func(*tx) error) error { return s.readOn(ctx, s.lists, f) }

func (s *Store) readOn(ctx context.Context, from lender, f func(*tx) error) error {
	if s.pooled {
		return s.snapshotOn(ctx, from, f)
	}
	return s.transactOn(ctx, from, nil, f)
}

// leasing is write on the connection that is kept for leases, so that no other work holds up their renewal.
func (s *Store) leasing(ctx context.Context, f func(*tx) error) error {
	return s.transactOn(ctx, s.leasePool, s.begin(pgx.ReadWrite, pgx.ReadCommitted), f)
}

func (s *Store) transactOn(ctx context.Context, from lender, begin []string, f func(*tx) error) error {
	if s.closed.Load() {
		return errClosed
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	for try := 1; ; try++ {
		err := once(ctx, from, begin, f)
		if try == maxTries || !again(err) {
			return s.translate(err)
		}
		if !sleep(ctx, rand.N(time.Duration(try)*5*time.Millisecond)) {
			return s.translate(err)
		}
	}
}

func once(ctx context.Context, from lender, begin []string, f func(*tx) error) error {
	conn, err := from.borrow(ctx)
	if err != nil {
		return err
	}
	defer from.giveBack(conn) // it is closed if its transaction has not ended
	t := &tx{ctx: ctx, conn: conn.Conn(), begin: fresh(conn.Conn(), begin)}
	if err := f(t); err != nil {
		t.undo()
		return err
	}
	return t.commit()
}

// start begins the transaction, unless it has begun.
func (t *tx) start() error {
	if len(t.begin) == 0 {
		return nil
	}
	_, err := t.conn.Exec(t.ctx, strings.Join(t.begin, "; "), pgx.QueryExecModeSimpleProtocol)
	t.begin, t.open = nil, true
	return err
}

func (t *tx) commit() error {
	if !t.open {
		return nil
	}
	tag, err := t.conn.Exec(t.ctx, sqlCommit, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		return err
	}
	return committed(tag)
}

const sqlCommit = "COMMIT"

// committed tells whether the end of a transaction was its commit: one that has failed is undone by it.
func committed(tag pgconn.CommandTag) error {
	if tag.String() != sqlCommit {
		return pgx.ErrTxCommitRollback
	}
	return nil
}

// undo rolls back. A connection that cannot is closed, and the server rolls back.
func (t *tx) undo() {
	if !t.open || t.conn.IsClosed() || t.conn.PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.ctx), undoTimeout)
	defer cancel()
	_, _ = t.conn.Exec(ctx, "ROLLBACK", pgx.QueryExecModeSimpleProtocol)
}

const undoTimeout = 5 * time.Second

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

// SendBatch sends statements together.
func (t *tx) SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults {
	if len(t.begin) == 0 {
		return t.conn.SendBatch(ctx, batch)
	}
	whole := new(pgx.Batch)
	for _, sql := range t.begin {
		whole.Queue(sql)
	}
	whole.QueuedQueries = append(whole.QueuedQueries, batch.QueuedQueries...)
	t.begin, t.open = nil, true
	return t.conn.SendBatch(ctx, whole)
}

// send runs statements together.
func (t *tx) send(batch *pgx.Batch) error { return t.SendBatch(t.ctx, batch).Close() }

// sendLast runs statements together and commits. An error means that they were undone, or that nobody knows.
func (t *tx) sendLast(batch *pgx.Batch) error {
	batch.Queue(sqlCommit).Exec(committed)
	if err := t.send(batch); err != nil {
		return err
	}
	t.open = false
	return nil
}

// query runs a statement that returns rows. The rows carry its error.
func (t *tx) query(sql string, args ...any) pgx.Rows {
	rows, err := t.Query(t.ctx, sql, args...)
	if rows == nil {
		return failedQuery{err: err}
	}
	return rows
}

// failedQuery is the result of a query that could not be sent.
type failedQuery struct {
	pgx.Rows
	err error
}

func (failedQuery) Next() bool                    { return false }
func (failedQuery) Close()                        {}
func (q failedQuery) Err() error                  { return q.err }
func (q failedQuery) Scan(...any) error           { return q.err }
func (failedQuery) CommandTag() pgconn.CommandTag { return pgconn.CommandTag{} }

// Query runs a statement that returns rows.
func (t *tx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if err := t.start(); err != nil {
		return nil, err
	}
	return t.conn.Query(ctx, sql, args...)
}

func (t *tx) exec(sql string, args ...any) error {
	_, err := t.change(sql, args...)
	return err
}

// change runs a statement and returns how many rows it changed.
func (t *tx) change(sql string, args ...any) (int, error) {
	if err := t.start(); err != nil {
		return 0, err
	}
	tag, err := t.conn.Exec(t.ctx, sql, args...)
	return int(tag.RowsAffected()), err
}

func (t *tx) row(sql string, args ...any) pgx.Row {
	if err := t.start(); err != nil {
		return failedQuery{err: err}
	}
	return t.conn.QueryRow(t.ctx, sql, args...)
}

// lock holds a row that stands for what only one may change at a time, until the transaction ends.
func (t *tx) lock(what string) error {
	rows, err := t.change("SELECT FROM bellwire.meta WHERE name = $1 FOR UPDATE", what)
	if err == nil && rows != 1 {
		return fmt.Errorf("bellwire.meta has no row %q", what)
	}
	return err
}

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

// orNotFound returns the error of something that does not exist if a query found no row.
func orNotFound(err error, kind, id string) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return bellwire.NotFound(kind, id)
	}
	return err
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

var errClosed = bellwire.Errorf(bellwire.CodeUnavailable, "the database is closed")

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
