package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Watch calls f with what other nodes did, and first with Missed. It listens on a connection of its own, and polls for
// changes of configuration whose notification was lost. It returns when ctx ends or the connection is lost.
func (s *Store) Watch(ctx context.Context, f func(bellwire.Notification)) error {
	if s.closed.Load() {
		return errClosed
	}
	config, err := pgx.ParseConfig(s.options.DirectURL)
	if err != nil {
		return bellwire.Errorf(bellwire.CodeUnavailable, "the direct database URL %s has an invalid parameter", Shown(s.options.DirectURL))
	}
	configure(config)
	conn, err := connectMakingRoom(ctx, s, func(ctx context.Context) (*pgx.Conn, error) { return pgx.ConnectConfig(ctx, config) })
	if err != nil {
		return s.translate(err)
	}
	defer hangUp(ctx, conn)
	if err := s.checkDirect(ctx, conn); err != nil {
		return s.translate(err)
	}
	isPooled, err := pooled(ctx, conn)
	switch {
	case err != nil:
	case isPooled:
		err = s.pollAll(ctx, f)
	default:
		err = s.listen(ctx, conn, f)
	}
	return s.translate(err)
}

// pollInterval is how often a node polls if no notification can reach it.
const pollInterval = 2 * time.Second

// pollAll is Watch through a pooler, where LISTEN has no effect: it polls, and reports Missed each time.
func (s *Store) pollAll(ctx context.Context, f func(bellwire.Notification)) error {
	s.polls.Do(func() {
		s.options.Logger.Warn("notifications do not pass the pooler; other nodes' work is found by polling unless --database-direct-url leads past the pooler",
			"database", Shown(s.options.DirectURL), "every", pollInterval.String())
	})
	timer := time.NewTicker(pollInterval)
	defer timer.Stop()
	for {
		if err := s.read(ctx, func(tx *tx) error { return s.poll(ctx, tx, f) }); err != nil {
			return err
		}
		f(bellwire.Notification{Missed: true})
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// checkDirect refuses a direct connection to another database: no notification would come, and work would be found late.
func (s *Store) checkDirect(ctx context.Context, direct *pgx.Conn) error {
	if Shown(s.options.DirectURL) == s.location {
		return nil
	}
	var here, there identity
	err := s.read(ctx, func(tx *tx) error { return here.scan(tx.row(sqlIdentity)) })
	if err != nil {
		return err
	}
	if err := there.scan(direct.QueryRow(ctx, sqlIdentity, pgx.QueryExecModeSimpleProtocol)); err != nil {
		return err
	}
	if here != there {
		return bellwire.Errorf(bellwire.CodeUnavailable,
			"the direct URL %s leads to another database than %s; both must lead to the same one", Shown(s.options.DirectURL), s.location)
	}
	return nil
}

// sqlIdentity identifies a database. The start time is read as a number because the text of a time depends on the session.
const sqlIdentity = "SELECT current_database()::text, (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint"

type identity struct {
	database string
	started  int64 // the server, in microseconds
}

func (i *identity) scan(row pgx.Row) error { return row.Scan(&i.database, &i.started) }

func (s *Store) listen(ctx context.Context, conn *pgx.Conn, f func(bellwire.Notification)) error {
	if err := s.setUp(ctx, conn); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return err
	}
	f(bellwire.Notification{Missed: true}) // notifications that were sent before LISTEN
	for {
		if err := s.poll(ctx, conn, f); err != nil {
			return err
		}
		if err := s.receive(ctx, conn, f); err != nil {
			return err
		}
	}
}

// receive passes notifications on until it is time to poll.
func (s *Store) receive(ctx context.Context, conn *pgx.Conn, f func(bellwire.Notification)) error {
	until, cancel := context.WithTimeout(ctx, s.options.PollEvery)
	defer cancel()
	for {
		received, err := conn.WaitForNotification(until)
		switch {
		case err != nil && ctx.Err() == nil && errors.Is(until.Err(), context.DeadlineExceeded) && !conn.IsClosed():
			return nil
		case err != nil:
			return err
		}
		var m message
		if json.Unmarshal([]byte(received.Payload), &m) != nil || m.From == s.sender() && !m.Missed {
			continue // our own, or not sent by Bellwire
		}
		f(m.notification())
	}
}

// watched is the progress of Watch in passing on changes of configuration.
type watched struct {
	revision int64     // 0: it never ran
	changed  time.Time // when the revision was last seen to have changed
}

// overlap is how many revisions are read again: a lower one may be committed after a higher one.
const overlap = 1000

const (
	sqlRevision = "SELECT last_value FROM bellwire.revisions"
	sqlChanged  = "SELECT id FROM bellwire.tenants WHERE revision > $1 ORDER BY revision LIMIT 10000"
)

// querier is a connection or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// poll passes on the changes since the last poll. The first poll has nothing to pass on, because a node reads what it
// knows later. A revision is assigned before the change is committed, so polls look for the change as long as that may take.
func (s *Store) poll(ctx context.Context, conn querier, f func(bellwire.Notification)) error {
	var now int64
	rows, err := conn.Query(ctx, sqlRevision)
	if err != nil {
		return err
	}
	if now, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[int64]); err != nil {
		return err
	}
	w := &s.watched
	since := w.revision
	if since == 0 {
		w.revision = now
		return nil
	}
	if now != since {
		w.changed = time.Now()
	}
	if time.Since(w.changed) > s.options.Timeout+s.options.PollEvery {
		return nil
	}
	if rows, err = conn.Query(ctx, sqlChanged, since-overlap); err != nil {
		return err
	}
	f(bellwire.Notification{Configuration: true})
	var tenant string
	_, err = pgx.ForEachRow(rows, []any{&tenant}, func() error {
		f(bellwire.Notification{Tenant: tenant})
		return nil
	})
	if err == nil {
		w.revision = now
	}
	return err
}
