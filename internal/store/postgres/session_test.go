package postgres

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/pgtest"
)

// hostile are settings that a role, a database or another client of a pooler may have, each of which would break a promise or
// a statement.
var hostile = map[string]string{
	"synchronous_commit": "off", "client_encoding": "LATIN1", "standard_conforming_strings": "off", "DateStyle": "German",
	"IntervalStyle": "iso_8601", "TimeZone": "Asia/Tokyo", "bytea_output": "escape", "lock_timeout": "1", "statement_timeout": "1s",
	"idle_in_transaction_session_timeout": "1", "default_transaction_isolation": "serializable",
	"default_transaction_read_only": "on", "default_transaction_deferrable": "on", "search_path": "public",
	"enable_seqscan": "on", "enable_indexscan": "off", "enable_nestloop": "off", "jit": "on", "plan_cache_mode": "force_custom_plan",
	"max_parallel_workers_per_gather": "2",
}

// required is what each append must run with, whatever else is set.
var required = map[string]string{
	"synchronous_commit": "on", "client_encoding": "UTF8", "standard_conforming_strings": "on", "DateStyle": "ISO, DMY",
	"IntervalStyle": "postgres", "TimeZone": "UTC", "bytea_output": "hex", "lock_timeout": "0", "statement_timeout": "10s",
	"idle_in_transaction_session_timeout": "3s", "transaction_isolation": "read committed",
	"transaction_read_only": "off", "transaction_deferrable": "off", "search_path": "pg_catalog, pg_temp",
	"enable_seqscan": "off", "enable_indexscan": "on", "enable_nestloop": "on", "jit": "off", "plan_cache_mode": "force_generic_plan",
	"max_parallel_workers_per_gather": "0",
}

func databaseOf(t *testing.T, databaseURL string) string {
	t.Helper()
	u, err := url.Parse(databaseURL)
	check(t, err)
	return path.Base(u.Path)
}

// recordSettings has a trigger record the settings with which each append of an event runs.
func recordSettings(t *testing.T, s testStore) {
	t.Helper()
	var columns []string
	for name := range required {
		columns = append(columns, fmt.Sprintf("('%s', current_setting('%[1]s'))", name))
	}
	check(t, s.write(t.Context(), func(tx *tx) error {
		return tx.exec(`CREATE TABLE public.seen (name text, setting text);
			CREATE FUNCTION public.see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
				INSERT INTO public.seen VALUES `+strings.Join(columns, ", ")+`; RETURN NULL;
			END $$;
			CREATE TRIGGER see AFTER INSERT ON bellwire.events FOR EACH STATEMENT EXECUTE FUNCTION public.see()`,
			pgx.QueryExecModeSimpleProtocol)
	}))
}

// seen checks that the given number of appends ran with the expected settings.
func seen(t *testing.T, s testStore, appends int) {
	t.Helper()
	for name, setting := range required {
		if name == "DateStyle" { // the order of day and month is the server's, and counts for nothing that is written in ISO
			setting = "ISO, %"
		}
		if n := count1(t, s, "SELECT count(*) FROM public.seen WHERE name = $1 AND setting LIKE $2", name, setting); n != appends {
			t.Errorf("%d of %d appends ran with %s %s", n, appends, name, setting)
		}
	}
}

func appendEvents(t *testing.T, s testStore, n int) {
	t.Helper()
	e := publication(t, s, "acme")
	for range n {
		next := *e
		next.Event.ID = bellwire.NewID[bellwire.EventKind](e.Event.CreatedAt)
		next.Deliveries = nil
		publish(t, s, &next)
	}
}

// What the role is told counts for nothing, neither at the start nor on a connection that is made later.
func TestSettingsOfTheRole(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{LeaseTerm: 6 * time.Second}) // half of it is how long a transaction may stand still
	recordSettings(t, s)
	for name, value := range hostile {
		t.Run(name, func(t *testing.T) {
			check(t, server.Exec(t.Context(), fmt.Sprintf("ALTER ROLE postgres IN DATABASE %s SET %s = '%s'", databaseOf(t, s.url), name, value)))
		})
	}
	check(t, server.Exec(t.Context(), fmt.Sprintf("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '%s'", databaseOf(t, s.url))))
	waitFor(t, func() bool { return s.Check(t.Context()) == nil }) // connections that are cut are found out
	appendEvents(t, s, 3)
	seen(t, s, 3)
	fresh := openAt(t, s.url, s.options)
	renew(t, fresh, "fresh")
	e := publication(t, fresh, "other")
	publish(t, fresh, e)
	seen(t, fresh, 4)
	for _, through := range []testStore{s, fresh} {
		listens := new(listener)
		heard := listens.heard(missed)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- through.Watch(ctx, listens.tell) }()
		waitFor(t, heard)
		cancel()
		<-ended
	}
}

// Of what another client of the same pool has set in a session, nothing counts in Bellwire's transactions.
func TestSettingsOfAnotherClient(t *testing.T) {
	t.Parallel()
	direct := newStore(t, Options{})
	recordSettings(t, direct)
	s := openAt(t, pooler.URL(direct.url), Options{NoSync: true})
	var set []string
	for name, value := range hostile {
		switch name {
		case "statement_timeout", "idle_in_transaction_session_timeout": // the other client's own transactions must end
		case "client_encoding", "standard_conforming_strings", "DateStyle", "TimeZone": // the pooler keeps them apart by itself
		default:
			set = append(set, fmt.Sprintf("SET %s = '%s'", name, value))
		}
	}
	const connections = 4 // of the pooler, to the server
	inEach := func(sql string) (last []string) {
		var held []pgx.Tx
		for range connections {
			other, err := pgx.Connect(t.Context(), pooler.URL(direct.url))
			check(t, err)
			defer hangUp(t.Context(), other)
			tx, err := other.Begin(t.Context())
			check(t, err)
			_, err = tx.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol)
			check(t, err)
			held = append(held, tx)
		}
		for _, tx := range held {
			var setting string
			check(t, tx.QueryRow(t.Context(), "SHOW synchronous_commit", pgx.QueryExecModeSimpleProtocol).Scan(&setting))
			check(t, tx.Commit(t.Context()))
			last = append(last, setting)
		}
		return last
	}
	inEach(strings.Join(set, "; "))
	if diff := cmp.Diff([]string{"off", "off", "off", "off"}, inEach("SELECT 1")); diff != "" {
		t.Fatalf("the next client is not given what the other one has set (-want +got):\n%s", diff)
	}
	appendEvents(t, s, 20)
	seen(t, direct, 20)
}

// Who asks for more than the own disk gets it.
func TestCommitsWaitForMore(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	check(t, server.Exec(t.Context(), fmt.Sprintf("ALTER DATABASE %s SET synchronous_commit = remote_apply", databaseOf(t, s.url))))
	for name, at := range map[string]string{"direct": s.url, "pooled": pooler.URL(s.url)} {
		var commit string
		fresh := openAt(t, at, s.options)
		check(t, fresh.write(t.Context(), func(tx *tx) error {
			return tx.row("SELECT current_setting('synchronous_commit')").Scan(&commit)
		}))
		if diff := cmp.Diff("remote_apply", commit); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestEncodingsThatAreRefused(t *testing.T) {
	t.Parallel()
	pgtest.Needed(t)
	for _, encoding := range []string{"LATIN1", "SQL_ASCII", "EUC_JP"} {
		name := "encoded_" + strings.ToLower(encoding)
		check(t, server.Exec(t.Context(), fmt.Sprintf("CREATE DATABASE %s TEMPLATE template0 ENCODING '%s'", name, encoding)))
		_, err := Open(t.Context(), server.URL(name), Options{NoSync: true})
		refused(t, err, bellwire.CodeUnavailable, "encoding "+encoding)
		check(t, server.Exec(t.Context(), "DROP DATABASE "+name))
	}
}
