package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Watch calls f with what other nodes did: first with changes of configuration, and then with Missed. It listens on a connection of
// its own, and polls for changes of configuration whose notification was lost. It returns when ctx ends or the connection is lost.
// If it cannot listen, it first polls on another connection, because a node must not use an old configuration for as long as
// Watch fails.
func (s *Store) Watch(ctx context.Context, f func(bellwire.Notification)) error {
	if s.closed.Load() {
		return errClosed
	}
	conn, isPooled, err := s.connectDirect(ctx)
	if err != nil {
		_ = s.pollOnPool(ctx, f)
		return s.translate(err)
	}
	defer hangUp(ctx, conn)
	if isPooled {
		err = s.pollAll(ctx, f)
	} else {
		err = s.listen(ctx, conn, f)
	}
	return s.translate(err)
}

// connectDirect returns a connection that listens, unless a pooler stands before the server.
func (s *Store) connectDirect(ctx context.Context) (conn *pgx.Conn, isPooled bool, err error) {
	config, err := pgx.ParseConfig(s.options.DirectURL)
	if err != nil {
		return nil, false, bellwire.Errorf(bellwire.CodeUnavailable, "the direct database URL %s has an invalid parameter", Shown(s.options.DirectURL))
	}
	configure(config)
	conn, err = connectMakingRoom(ctx, s, func(ctx context.Context) (*pgx.Conn, error) { return pgx.ConnectConfig(ctx, config) })
	if err != nil {
		return nil, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	if isPooled, err = s.startListening(ctx, conn); err != nil {
		hangUp(ctx, conn)
		return nil, false, err
	}
	return conn, isPooled, nil
}

func (s *Store) startListening(ctx context.Context, conn *pgx.Conn) (isPooled bool, err error) {
	if err := s.checkDirect(ctx, conn); err != nil {
		return false, err
	}
	if isPooled, err = pooled(ctx, conn); err != nil || isPooled {
		return isPooled, err
	}
	if err := s.setUp(ctx, conn); err != nil {
		return false, err
	}
	_, err = conn.Exec(ctx, "LISTEN "+channel)
	return false, err
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
		if err := s.pollOnPool(ctx, f); err != nil {
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

// listen polls before it reports Missed, because what was missed is looked for with the configuration of now.
func (s *Store) listen(ctx context.Context, conn *pgx.Conn, f func(bellwire.Notification)) error {
	if err := s.poll(ctx, conn, f); err != nil {
		return err
	}
	f(bellwire.Notification{Missed: true}) // notifications that were sent before LISTEN
	for {
		if err := s.receive(ctx, conn, f); err != nil {
			return err
		}
		if err := s.poll(ctx, conn, f); err != nil {
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
	revision int64     // up to which changes were read
	changed  time.Time // when the revision was last seen to have changed
	read     time.Time // when changes were last read
}

// startWatched has Watch pass on the changes from now on. The store calls it before anybody can read a configuration that may change.
func (s *Store) startWatched(ctx context.Context) error {
	return s.read(ctx, func(tx *tx) (err error) {
		s.watched.changed = time.Now() // the last change may not be committed yet
		s.watched.revision, err = revision(ctx, tx)
		return err
	})
}

const (
	// overlap is how many revisions are read again: a lower one may be committed after a higher one.
	overlap = 1000
	// maxChanges bounds the changes that are read at a time.
	maxChanges = 10_000
)

const (
	sqlRevision = "SELECT last_value FROM bellwire.revisions"
	sqlChanged  = "SELECT id, revision FROM bellwire.tenants WHERE revision > $1 ORDER BY revision LIMIT $2"
)

// querier is a connection or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func revision(ctx context.Context, conn querier) (int64, error) {
	rows, err := conn.Query(ctx, sqlRevision)
	if err != nil {
		return 0, err
	}
	return pgx.CollectExactlyOneRow(rows, pgx.RowTo[int64])
}

// pollOnPool is poll on a connection for work.
func (s *Store) pollOnPool(ctx context.Context, f func(bellwire.Notification)) error {
	return s.read(ctx, func(tx *tx) error { return s.poll(ctx, tx, f) })
}

// poll passes on the changes since the last poll.
func (s *Store) poll(ctx context.Context, conn querier, f func(bellwire.Notification)) error {
	for {
		more, err := s.pollPart(ctx, conn, f)
		if err != nil || !more {
			return err
		}
	}
}

// pollPart passes on the next maxChanges changes, and reports whether there may be more. A revision is assigned before the change is
// committed, so it looks for the change as long as that may take. A connection that has died without a sign ends it by its timeout.
func (s *Store) pollPart(ctx context.Context, conn querier, f func(bellwire.Notification)) (more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	now, err := revision(ctx, conn)
	if err != nil {
		return false, err
	}
	w, at := &s.watched, time.Now()
	if now != w.revision {
		w.changed = at
	}
	if w.read.Sub(w.changed) > s.options.Timeout+s.options.PollEvery {
		return false, nil
	}
	rows, err := conn.Query(ctx, sqlChanged, w.revision-overlap, maxChanges)
	if err != nil {
		return false, err
	}
	f(bellwire.Notification{Configuration: true})
	changes, last, err := passChanges(rows, f)
	switch {
	case err != nil:
		return false, err
	case changes == maxChanges:
		w.revision = last
		return true, nil
	}
	w.revision, w.read = now, at
	return false, nil
}

// passChanges returns the number of changes, and the revision of the last one.
func passChanges(rows pgx.Rows, f func(bellwire.Notification)) (changes int, last int64, err error) {
	var tenant string
	_, err = pgx.ForEachRow(rows, []any{&tenant, &last}, func() error {
		f(bellwire.Notification{Tenant: tenant})
		changes++
		return nil
	})
	return changes, last, err
}
