package postgres

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// probe finds out whether there is a pooler in between, and the server's version.
func (s *Store) probe(ctx context.Context, config *pgx.ConnConfig) error {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer hangUp(ctx, conn)
	if s.pooled, err = pooled(ctx, conn); err != nil {
		return err
	}
	err = conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int", pgx.QueryExecModeSimpleProtocol).Scan(&s.version)
	if err == nil && s.version < minVersion {
		return bellwire.Errorf(bellwire.CodeUnavailable,
			"the database %s runs on PostgreSQL %d; Bellwire needs 13 or newer", s.place, s.version/10000)
	}
	return err
}

// checkSession refuses a server that acknowledges a commit before it is on disk, and a database whose encoding cannot store
// every text.
func (s *Store) checkSession(ctx context.Context) error {
	var commit, fsync, encoding string
	err := s.write(ctx, func(tx *tx) error {
		return tx.row("SELECT current_setting('synchronous_commit'), current_setting('fsync'), current_setting('server_encoding')").
			Scan(&commit, &fsync, &encoding)
	})
	if err != nil {
		return err
	}
	if encoding != "UTF8" {
		return bellwire.Errorf(bellwire.CodeUnavailable,
			"the database %s has the encoding %s, but Bellwire needs UTF8; create another one: CREATE DATABASE bellwire TEMPLATE template0 ENCODING 'UTF8'",
			s.place, encoding)
	}
	if !s.options.NoSync && (commit != "on" && commit != "remote_apply" || fsync == "off") {
		return bellwire.Errorf(bellwire.CodeUnavailable,
			"the database %s has synchronous_commit %s and fsync %s, so a crash would lose events; both must be on",
			s.place, commit, fsync)
	}
	return nil
}

// pooled tells whether a pooler answers for the server: it makes up the process number that it tells its clients, so
// that they can cancel requests at it, while the number that the server knows is its own.
func pooled(ctx context.Context, conn *pgx.Conn) (bool, error) {
	var pid uint32
	err := conn.QueryRow(ctx, "SELECT pg_backend_pid()", pgx.QueryExecModeSimpleProtocol).Scan(&pid)
	return pid != conn.PgConn().PID(), err
}

// hangUp closes a connection. The server would notice by itself, too.
func hangUp(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}

// settle decides what is kept in a session: where there are none, nothing. Then each statement is parsed anew, and what it
// looks like is remembered on this side. A pooler that keeps track of prepared statements, as PgBouncer 1.21 does if it is told to, can be made use of by the
// driver's default_query_exec_mode=cache_statement in the URL.
func (s *Store) settle(c *pgx.ConnConfig, databaseURL string) {
	if u, err := url.Parse(databaseURL); err != nil || u.Query().Get("default_query_exec_mode") == "" {
		c.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
		if s.pooled {
			c.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
		}
	}
	if !s.pooled { // it bounds the statement that sets the rest, too
		c.RuntimeParams["statement_timeout"] = strconv.FormatInt(s.options.Timeout.Milliseconds(), 10)
	}
}

// parameter is a setting with the SQL of its value.
type parameter struct{ name, value string }

// parameters hold for every transaction, whatever the server, the database, the role, the URL or another client of a
// pooler says. A commit waits for the disk at least, and for more where the operator asks for more. Nothing ends a statement or
// a wait sooner than Bellwire wants. Statistics lag behind tables that grow fast, and a plan that reads the whole of
// one would stop all work: here every join leads from few rows through an index. A node that is stopped in
// the middle keeps its locks, and so others from taking over, no longer than half a lease. The search path keeps out
// functions of others in the same database: one for uuid[] would be called in place of unnest(anyarray), with all our rights.
func (s *Store) parameters() []parameter {
	parameters := []parameter{
		{"search_path", "'pg_catalog, pg_temp'"},
		{"synchronous_commit", "CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END"},
		{"client_encoding", "'UTF8'"},
		{"standard_conforming_strings", "'on'"},
		{"bytea_output", "'hex'"},
		{"IntervalStyle", "'postgres'"},
		{"enable_seqscan", "'off'"},
		{"enable_indexscan", "'on'"},
		{"enable_hashjoin", "'off'"},
		{"enable_mergejoin", "'off'"},
		{"enable_nestloop", "'on'"},
		{"jit", "'off'"},
		{"plan_cache_mode", "'force_generic_plan'"},
		{"lock_timeout", "'0'"},
		{"statement_timeout", milliseconds(s.options.Timeout)},
		{"idle_in_transaction_session_timeout", milliseconds(max(s.options.LeaseTerm/2, time.Second))},
	}
	if s.version >= 170000 {
		parameters = append(parameters, parameter{"transaction_timeout", "'0'"})
	}
	return parameters
}

// sessionParameters are for statements outside of transactions, and for what lasts longer.
func (s *Store) sessionParameters() []parameter {
	parameters := append(s.parameters(),
		parameter{"default_transaction_isolation", "'read committed'"},
		parameter{"default_transaction_read_only", "'off'"},
		parameter{"default_transaction_deferrable", "'off'"},
	)
	if s.version >= 140000 {
		parameters = append(parameters, parameter{"idle_session_timeout", "'0'"})
	}
	return parameters
}

// setting returns the statement that sets parameters, in the transaction or in the session.
func setting(parameters []parameter, inTransaction bool) string {
	var set []string
	for _, p := range parameters {
		set = append(set, fmt.Sprintf("set_config('%s', %s, %t)", p.name, p.value, inTransaction))
	}
	return "SELECT " + strings.Join(set, ", ")
}

// setUp sets the parameters of a session that is not shared.
func (s *Store) setUp(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, setting(s.sessionParameters(), false), pgx.QueryExecModeSimpleProtocol)
	return err
}

func milliseconds(d time.Duration) string { return "'" + strconv.FormatInt(d.Milliseconds(), 10) + "'" }

// plansLast is how long a connection keeps the plans of its statements. To make one takes longer than to carry it out, and
// one that was made while a table was empty is bad when there are millions of rows.
const plansLast = 2 * time.Second

const plannedAt = "planned at" // in a connection's custom data

// fresh adds to the statements that begin a transaction what makes the connection forget its plans, if they are old.
func fresh(conn *pgx.Conn, begin []string) []string {
	data, now := conn.PgConn().CustomData(), time.Now()
	at, known := data[plannedAt].(time.Time)
	if known && now.Sub(at) < plansLast || len(begin) == 0 {
		return begin
	}
	data[plannedAt] = now
	return append(slices.Clone(begin), "DISCARD PLANS")
}

// begin are the statements that begin a transaction. Through a pooler its parameters are set for it alone.
func (s *Store) begin(mode pgx.TxAccessMode, level pgx.TxIsoLevel) []string {
	statements := []string{fmt.Sprintf("BEGIN ISOLATION LEVEL %s %s NOT DEFERRABLE", level, mode)}
	if !s.pooled {
		return statements
	}
	return append(statements, setting(s.parameters(), true))
}

// lookEvery is how often a node looks for what others did if nobody can tell it.
const lookEvery = 2 * time.Second

// look is Watch where notifications do not come through: it says again and again that there may be something.
func (s *Store) look(ctx context.Context, f func(bellwire.Notification)) error {
	s.deaf.Do(func() {
		s.options.Logger.Warn("notifications do not pass the pooler; other nodes' work is found by polling unless --database-direct-url leads past the pooler",
			"database", Shown(s.options.DirectURL), "every", lookEvery.String())
	})
	timer := time.NewTicker(lookEvery)
	defer timer.Stop()
	for {
		if err := s.lookOnce(ctx, f); err != nil {
			return err
		}
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *Store) lookOnce(ctx context.Context, f func(bellwire.Notification)) error {
	if err := s.read(ctx, func(tx *tx) error { return s.poll(ctx, tx, f) }); err != nil {
		return err
	}
	f(bellwire.Notification{Missed: true})
	return nil
}
