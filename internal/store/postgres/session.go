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

	"github.com/bellwire/bellwire"
)

// probe looks whether the server is safe, and whether there is a pooler between.
func (s *Store) probe(ctx context.Context, config *pgx.ConnConfig) error {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer hangUp(ctx, conn)
	if s.pooled, err = pooled(ctx, conn); err != nil || s.options.NoSync {
		return err
	}
	var commit, fsync string
	err = conn.QueryRow(ctx, "SELECT current_setting('synchronous_commit'), current_setting('fsync')",
		pgx.QueryExecModeSimpleProtocol).Scan(&commit, &fsync)
	if err == nil && (commit == "off" || fsync == "off") {
		return bellwire.Errorf(bellwire.CodeUnavailable,
			"The database %s has synchronous_commit %s and fsync %s, so that it loses events when it dies. Set both to on.",
			s.place, commit, fsync)
	}
	return err
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
	if s.pooled {
		return
	}
	for _, p := range s.parameters() {
		c.RuntimeParams[p.name] = p.value
	}
}

type parameter struct{ name, value string }

// parameters hold for every transaction. Statistics lag behind tables that grow fast, and a plan that reads the whole of
// one would stop all work: here every join leads from few rows through an index. A node that is stopped in
// the middle keeps its locks, and so others from taking over, no longer than half a lease. The search path keeps out
// functions of others in the same database: one for uuid[] would be called in place of unnest(anyarray), with all our rights.
func (s *Store) parameters() []parameter {
	return []parameter{
		{"search_path", "pg_catalog, pg_temp"},
		{"enable_seqscan", "off"},
		{"enable_hashjoin", "off"},
		{"enable_mergejoin", "off"},
		{"jit", "off"},
		{"plan_cache_mode", "force_generic_plan"},
		{"statement_timeout", milliseconds(s.options.Timeout)},
		{"idle_in_transaction_session_timeout", milliseconds(max(s.options.LeaseTerm/2, time.Second))},
	}
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

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
	statements := []string{fmt.Sprintf("BEGIN ISOLATION LEVEL %s %s", level, mode)}
	if !s.pooled {
		return statements
	}
	var set []string
	for _, p := range s.parameters() {
		set = append(set, fmt.Sprintf("set_config('%s', '%s', true)", p.name, p.value))
	}
	return append(statements, "SELECT "+strings.Join(set, ", "))
}

// lookEvery is how often a node looks for what others did if nobody can tell it.
const lookEvery = 2 * time.Second

// look is Watch where notifications do not come through: it says again and again that there may be something.
func (s *Store) look(ctx context.Context, f func(bellwire.Notice)) error {
	s.deaf.Do(func() {
		s.options.Logger.Warn("there is a pooler between this node and the database, which does not pass on notifications: what other nodes store is found late; --database-direct-url can lead past the pooler",
			"database", redacted(s.options.DirectURL), "late", lookEvery.String())
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

func (s *Store) lookOnce(ctx context.Context, f func(bellwire.Notice)) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	err = s.poll(ctx, conn.Conn(), f)
	conn.Release()
	if err != nil {
		return err
	}
	f(bellwire.Notice{Missed: true})
	return nil
}
