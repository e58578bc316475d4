package postgres

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// probe detects a pooler, and the server's version.
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
			"the database %s runs on PostgreSQL %d; Bellwire needs 13 or newer", s.location, s.version/10000)
	}
	return err
}

// checkSession refuses a server that acknowledges a commit before it is durable, and a database whose encoding cannot
// store every text.
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
			s.location, encoding)
	}
	if !s.options.NoSync && (commit != "on" && commit != "remote_apply" || fsync == "off") {
		return bellwire.Errorf(bellwire.CodeUnavailable,
			"the database %s has synchronous_commit %s and fsync %s, so a crash would lose events; both must be on",
			s.location, commit, fsync)
	}
	return nil
}

// pooled reports whether a pooler stands between the client and the server. A pooler gives its clients process ids of its
// own, by which they can cancel requests, while the server reports the id of its process.
func pooled(ctx context.Context, conn *pgx.Conn) (bool, error) {
	var pid uint32
	err := conn.QueryRow(ctx, "SELECT pg_backend_pid()", pgx.QueryExecModeSimpleProtocol).Scan(&pid)
	return pid != conn.PgConn().PID(), err
}

// hangUp closes a connection. If that fails, the server notices by itself.
func hangUp(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}

// chooseMode decides whether sessions keep prepared statements. Through a pooler there are no sessions: each statement is
// parsed every time, and its description is cached on this side. For a pooler that tracks prepared statements, as PgBouncer
// 1.21 can, the URL may set the driver's default_query_exec_mode=cache_statement.
func (s *Store) chooseMode(c *pgx.ConnConfig, databaseURL string) {
	if u, err := url.Parse(databaseURL); err != nil || u.Query().Get("default_query_exec_mode") == "" {
		c.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
		if s.pooled {
			c.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
		}
	}
	if !s.pooled { // it also bounds the statement that sets the other parameters
		c.RuntimeParams["statement_timeout"] = strconv.FormatInt(s.options.Timeout.Milliseconds(), 10)
	}
}

// parameter is a setting with the SQL of its value.
type parameter struct{ name, value string }

// parameters returns the settings of every transaction, whatever the server, the database, the role, the URL or another
// client of a pooler has set:
//
//   - A commit waits for the disk, or for more if the operator has asked for that.
//   - Nothing but Bellwire's own limits ends a statement or a wait.
//   - Statistics lag behind tables that grow fast, and a plan that reads a whole table would stop all work. So every join
//     must lead from few rows through an index.
//   - A statement takes one processor of the server, not those of others as well.
//   - A node that is suspended in a transaction keeps its locks, and so prevents others from taking over, for half a lease
//     at most.
//   - The search path excludes functions of other roles in the same database: one for uuid[] would be called instead of
//     unnest(anyarray), with all of Bellwire's rights.
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
		{"max_parallel_workers_per_gather", "'0'"},
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

// sessionParameters returns the settings of a session that is not shared.
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

// setting returns the statement that sets parameters for the transaction or the session.
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

// begin returns the statements that begin a transaction. Through a pooler they set the parameters of the transaction.
func (s *Store) begin(mode pgx.TxAccessMode, level pgx.TxIsoLevel) []string {
	statements := []string{fmt.Sprintf("BEGIN ISOLATION LEVEL %s %s NOT DEFERRABLE", level, mode)}
	if !s.pooled {
		return statements
	}
	return append(statements, setting(s.parameters(), true))
}
