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
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/share"
)

// maxTries bounds how often a transaction is run that conflicts with others.
const maxTries = 10

// errRetry makes transactOn rerun a transaction after another one has changed what it read.
var errRetry = errors.New("another transaction came first")

// tx is a transaction. BEGIN is sent with the first statement, and COMMIT can be sent with the last: a round trip to the
// server costs more than most statements.
type tx struct {
	ctx   context.Context
	conn  *pgx.Conn
	begin []string   // the statements that begin it, until they are sent
	open  bool       // it has begun and not ended
	last  *pgx.Batch // the statements that are sent with COMMIT; nil: none
}

// write runs f in a transaction and returns when that is durable. f may be run several times. Any error of f rolls the
// transaction back.
func (s *Store) write(ctx context.Context, f func(*tx) error) error {
	if bellwire.IsDryRun(ctx) {
		return bellwire.ErrDryRun
	}
	leave, err := s.enterCalls(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return s.transactOn(ctx, s.pool, s.begin(pgx.ReadWrite, pgx.ReadCommitted), marking(ctx, auditing(ctx, f)))
}

// enterCalls waits for the turn of the caller whose request the context is of, if it is of one. Changes that callers make wait for each
// other's locks with a connection each, so they have but a part of the connections, in which owners take turns.
func (s *Store) enterCalls(ctx context.Context) (leave func(), err error) {
	caller, ok := share.CallerOf(ctx)
	if !ok {
		return func() {}, nil
	}
	place, err := s.calls.EnterQueueWithin(ctx, caller.Owner, caller.Queue, limits.ChangeWait)
	if err != nil {
		return nil, err
	}
	return place.Leave, nil
}

// marking returns f, which also marks the idempotent request of the context, if there is one.
func marking(ctx context.Context, f func(*tx) error) func(*tx) error {
	r := bellwire.RequestOf(ctx)
	if r == nil {
		return f
	}
	return func(tx *tx) error {
		if err := tx.mark(r); err != nil {
			return err
		}
		return f(tx)
	}
}

// snapshot runs f in a transaction in which all statements see the same state.
func (s *Store) snapshot(ctx context.Context, f func(*tx) error) error {
	return s.snapshotOn(ctx, s.pool, f)
}

func (s *Store) snapshotOn(ctx context.Context, from lender, f func(*tx) error) error {
	return s.transactOn(ctx, from, s.begin(pgx.ReadOnly, pgx.RepeatableRead), f)
}

// read runs f, which must make one statement only. Unless settings must be made for it, that needs no transaction.
func (s *Store) read(ctx context.Context, f func(*tx) error) error {
	return s.readOn(ctx, s.lookups, f)
}

// list is read for the lists and look-ups of callers. However slow these are, connections remain for all other work.
func (s *Store) list(ctx context.Context, f func(*tx) error) error { return s.readOn(ctx, s.lists, f) }

func (s *Store) readOn(ctx context.Context, from lender, f func(*tx) error) error {
	if s.pooled {
		return s.snapshotOn(ctx, from, f)
	}
	return s.transactOn(ctx, from, nil, f)
}

// leasing is write on the connection that is reserved for leases, so that no other work delays their renewal.
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
		err := s.runOnce(ctx, from, begin, f)
		if try == maxTries || !isRetryable(err) {
			return s.translate(err)
		}
		if !sleep(ctx, rand.N(time.Duration(try)*5*time.Millisecond)) {
			return s.translate(err)
		}
	}
}

func (s *Store) runOnce(ctx context.Context, from lender, begin []string, f func(*tx) error) error {
	conn, err := from.borrow(ctx)
	if err != nil {
		return err
	}
	defer from.release(conn) // which closes it if its transaction has not ended
	if begin, err = s.withFreshPlans(ctx, conn.Conn(), begin); err != nil {
		return err
	}
	t := &tx{ctx: ctx, conn: conn.Conn(), begin: begin}
	err = f(t)
	if err == nil {
		err = t.commit()
	}
	if err != nil {
		t.rollback()
	}
	return err
}

// start sends the statements that begin the transaction, unless they have been sent.
func (t *tx) start() error {
	if len(t.begin) == 0 {
		return nil
	}
	_, err := t.conn.Exec(t.ctx, strings.Join(t.begin, "; "), pgx.QueryExecModeSimpleProtocol)
	t.begin, t.open = nil, true
	return err
}

// queueLast adds a statement that is sent with COMMIT: the locks that it takes are not held for another round trip.
func (t *tx) queueLast(sql string, args ...any) {
	if t.last == nil {
		t.last = new(pgx.Batch)
	}
	t.last.Queue(sql, args...)
}

func (t *tx) commit() error {
	if t.last != nil {
		return t.sendLast(t.last)
	}
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

// committed returns an error if COMMIT has rolled the transaction back, as it does with one that has failed.
func committed(tag pgconn.CommandTag) error {
	if tag.String() != sqlCommit {
		return pgx.ErrTxCommitRollback
	}
	return nil
}

// rollback rolls back. If that fails, the connection is closed, and the server rolls back.
func (t *tx) rollback() {
	if !t.open || t.conn.IsClosed() || t.conn.PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.ctx), rollbackTimeout)
	defer cancel()
	_, _ = t.conn.Exec(ctx, "ROLLBACK", pgx.QueryExecModeSimpleProtocol)
}

const rollbackTimeout = 5 * time.Second

// isRetryable reports whether a transaction failed because of others that ran at the same time.
func isRetryable(err error) bool {
	if errors.Is(err, errRetry) {
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

// send runs statements in one round trip.
func (t *tx) send(batch *pgx.Batch) error {
	if len(t.begin) == 0 {
		return t.conn.SendBatch(t.ctx, batch).Close()
	}
	whole := new(pgx.Batch)
	for _, sql := range t.begin {
		whole.Queue(sql)
	}
	whole.QueuedQueries = append(whole.QueuedQueries, batch.QueuedQueries...)
	t.begin, t.open = nil, true
	return t.conn.SendBatch(t.ctx, whole).Close()
}

// sendLast runs statements and commits in one round trip. After an error the transaction is rolled back, or its outcome is
// unknown.
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

// Query makes tx a querier.
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

// change runs a statement and returns the number of rows that it changed.
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

// lock holds a named lock, which is a row of its own, until the transaction ends.
func (t *tx) lock(name string) error {
	rows, err := t.change("SELECT FROM bellwire.meta WHERE name = $1 FOR UPDATE", name)
	if err == nil && rows != 1 {
		return fmt.Errorf("bellwire.meta has no row %q", name)
	}
	return err
}

// orNotFound returns the error of something that does not exist if a query found no row.
func orNotFound(err error, kind, id string) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return bellwire.NotFound(kind, id)
	}
	return err
}

// orNull returns nil, for NULL, for the zero time.
func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// textOrNull returns nil for an empty text.
func textOrNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// orZero returns the zero time for NULL.
func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// uuids converts ids to the type that the driver encodes.
func uuids[ID ~[16]byte](ids []ID) [][16]byte {
	plain := make([][16]byte, len(ids))
	for i, id := range ids {
		plain[i] = id
	}
	return plain
}

var errClosed = bellwire.Errorf(bellwire.CodeUnavailable, "the database is closed")

// namesIn returns the fields of a set in their order.
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
