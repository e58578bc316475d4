package doctor

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/pgtest"
	"github.com/bellwire/bellwire/internal/seal"
	store "github.com/bellwire/bellwire/internal/store/postgres"
)

// startPostgres starts a server for a test.
func startPostgres(t *testing.T, settings ...string) *pgtest.Server {
	t.Helper()
	pgtest.Needed(t)
	server, err := pgtest.Start(settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// onPostgres returns a server whose database is a new one.
func onPostgres(t *testing.T, server *pgtest.Server, template string) *Subject {
	t.Helper()
	s := healthy(t)
	s.Database = Database{Postgres: server.NewDatabase(t, template), Connections: 18}
	return s
}

// run runs statements in the database of s, in a session that stays open until the test ends.
func run(t *testing.T, s *Subject, statements ...string) {
	t.Helper()
	t.Cleanup(runSession(t, s, statements...))
}

// runSession runs statements in a session, and returns what ends it.
func runSession(t *testing.T, s *Subject, statements ...string) (end func()) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // clean-ups run statements, too
	conn, err := pgx.Connect(ctx, s.Database.Postgres)
	if err != nil {
		t.Fatal(err)
	}
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	return func() { _ = conn.Close(ctx) } // the database may be gone
}

// oldSchema makes as much of the first schema as is examined.
var oldSchema = []string{
	"CREATE SCHEMA bellwire", "CREATE TABLE bellwire.meta (name text PRIMARY KEY, number bigint, value bytea)", "INSERT INTO bellwire.meta VALUES ('schema', 1)",
	"CREATE TABLE bellwire.nodes (id text PRIMARY KEY, incarnation uuid, renewals bigint)",
}

func TestPostgresFaults(t *testing.T) {
	t.Parallel()
	server := startPostgres(t, "fsync=on", "full_page_writes=on", "max_prepared_transactions=2")
	for _, c := range []faultCase{
		{"away", "database.reachable", "problem", "cannot be reached", func(_ *testing.T, s *Subject) {
			s.Database.Postgres = "postgres://bellwire:hunter2@127.0.0.1:1/bellwire"
		}},
		{"no database", "database.reachable", "problem", "does not exist", func(_ *testing.T, s *Subject) { s.Database.Postgres = server.URL("missing") }},
		{"read only", "database.reachable", "note", "by default", func(t *testing.T, s *Subject) {
			run(t, s, "ALTER DATABASE "+database(s)+" SET default_transaction_read_only = on")
		}},
		{"newer schema", "database.schema", "problem", "newer Bellwire", func(t *testing.T, s *Subject) {
			run(t, s, "CREATE SCHEMA bellwire", "CREATE TABLE bellwire.meta (name text, number bigint, value bytea)", "INSERT INTO bellwire.meta VALUES ('schema', 9999)")
		}},
		{"older node", "database.schema", "warning", "does not start while one of them runs: old.", func(t *testing.T, s *Subject) {
			run(t, s, append(oldSchema, "INSERT INTO bellwire.nodes VALUES ('old', gen_random_uuid(), 1)")...)
		}},
		{"synchronous_commit", "database.durability", "warning", "synchronous_commit", func(t *testing.T, s *Subject) {
			run(t, s, "ALTER DATABASE "+database(s)+" SET synchronous_commit = off")
		}},
		{"encoding", "database.encoding", "problem", "LATIN1", func(t *testing.T, s *Subject) {
			run(t, s, "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'")
			s.Database.Postgres = server.URL("latin")
		}},
		{"clock", "database.clock", "warning", "behind", func(_ *testing.T, s *Subject) { s.Now = func() time.Time { return time.Now().Add(-30 * time.Second) } }},
		{"clock far ahead", "database.clock", "problem", "ahead of", func(_ *testing.T, s *Subject) { s.Now = func() time.Time { return time.Now().Add(10 * time.Minute) } }},
		{"prepared transaction", "database.transactions", "warning", "prepared", func(t *testing.T, s *Subject) {
			s.Limits.Transaction = time.Nanosecond
			run(t, s, "BEGIN", "CREATE TABLE held ()", "PREPARE TRANSACTION 'held'")
			t.Cleanup(func() { run(t, s, "ROLLBACK PREPARED 'held'") })
		}},
		{"old transaction", "database.transactions", "warning", "keeps dead rows", func(t *testing.T, s *Subject) {
			s.Limits.Transaction = time.Nanosecond
			run(t, s, "BEGIN", "SELECT 1")
		}},
		{"few connections", "database.connections", "warning", "fewer than a node", func(_ *testing.T, s *Subject) { s.Database.Connections = 1000 }},
		{"old rows", "database.bloat", "warning", "not frozen", func(_ *testing.T, s *Subject) { s.Limits.XIDAge = -1 }},
		{"wrong keyset", "keyset.match", "problem", "another keyset", func(t *testing.T, s *Subject) {
			opened, err := store.Open(t.Context(), s.Database.Postgres, store.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer opened.Close()
			keyring, _, err := seal.OpenKeyring(s.Keyset.File)
			if err != nil {
				t.Fatal(err)
			}
			if err := keyring.Admit(t.Context(), opened); err != nil {
				t.Fatal(err)
			}
			if got := examineOne(t, s, "keyset.match"); got.level != bellwire.FindingOK {
				t.Errorf("with the right one: %+v", got)
			}
			if err := os.Remove(s.Keyset.File); err != nil {
				t.Fatal(err)
			}
			if _, err := seal.CreateKeyset(s.Keyset.File); err != nil {
				t.Fatal(err)
			}
		}},
		{"old backup", "database.backup", "warning", "3 days ago", func(t *testing.T, s *Subject) {
			run(t, s, oldSchema...)
			if err := store.RecordBackup(t.Context(), s.Database.Postgres, time.Now().Add(-73*time.Hour)); err != nil {
				t.Fatal(err)
			}
		}},
		{"dead rows", "database.bloat", "warning", "bellwire.filler", func(t *testing.T, s *Subject) {
			s.Limits.DeadRows = 1
			runSession(t, s, "CREATE SCHEMA bellwire", "CREATE TABLE bellwire.filler (n int) WITH (autovacuum_enabled = off)",
				"INSERT INTO bellwire.filler SELECT generate_series(1, 100)", "DELETE FROM bellwire.filler")()
			awaitFault(t, s, "database.bloat") // a session reports its statistics when it ends
		}},
		{"statement pooling", "database.pooler", "problem", "statement mode", func(t *testing.T, s *Subject) { pool(t, server, s, "pool_mode = statement") }},
		{"pooler alone", "database.pooler", "warning", "notifications", func(t *testing.T, s *Subject) {
			direct := s.Database.Postgres
			pool(t, server, s)
			with := *s
			with.Database.Direct = direct
			if got := examineOne(t, &with, "database.pooler"); got.level != bellwire.FindingOK {
				t.Errorf("with a direct URL: %+v", got)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, onPostgres(t, server, ""))
		})
	}
}

// A server with settings that lose data, and whose log is kept.
func TestUnsafePostgres(t *testing.T) {
	t.Parallel()
	server := startPostgres(t, "fsync=off", "full_page_writes=on", "autovacuum=off")
	s := onPostgres(t, server, "")
	for _, c := range []faultCase{
		{"", "database.durability", "problem", "fsync", nil},
		{"", "database.bloat", "problem", "Autovacuum", nil},
		{"", "database.log", "ok", "", nil},
	} {
		c.expect(t, s)
	}
	run(t, s, "SELECT pg_create_physical_replication_slot('gone', true)")
	(&faultCase{"", "database.log", "note", `"gone"`, nil}).expect(t, s)
	s.Limits.LogBytes = -1
	(&faultCase{"", "database.log", "problem", `"gone"`, nil}).expect(t, s)
}

// What needs other servers than the tests have is judged by its facts.
func TestPostgresFacts(t *testing.T) {
	t.Parallel()
	s := &Subject{}
	s.Limits.fill()
	good := store.Facts{Version: 170002, Local: true, Transactions: true, Vacuums: true, Most: 100, Fsync: "on", FullPageWrites: "on", SynchronousCommit: "on"}
	for _, c := range []struct {
		name  string
		judge func(*store.Facts) result
		level bellwire.FindingLevel
		fault func(*store.Facts)
	}{
		{"old", version, "problem", func(f *store.Facts) { f.Version = 120022 }},
		{"ending", version, "warning", func(f *store.Facts) { f.Version = 130022 }},
		{"standby", func(f *store.Facts) result { return reachable(f, nil) }, "problem", func(f *store.Facts) { f.Standby = true }},
		{"full_page_writes", durability, "problem", func(f *store.Facts) { f.FullPageWrites = "off" }},
		{"unencrypted", encryption, "warning", func(f *store.Facts) { f.Local = false }},
		{"unencrypted pooler", encryption, "note", func(f *store.Facts) { f.Local, f.Pooled = false, true }},
		{"archive", s.log, "warning", func(f *store.Facts) { f.ArchiveFails = true }},
		{"lagging standby", s.log, "warning", func(f *store.Facts) { f.Slot, f.SlotActive, f.SlotKeeps = "a", true, 1<<40 }},
		{"no connection", s.connections, "problem", func(f *store.Facts) { f.Used = 100 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := good
			if got := c.judge(&f); got.level != bellwire.FindingOK {
				t.Errorf("without the fault: %+v", got)
			}
			c.fault(&f)
			got := c.judge(&f)
			if got.level != c.level {
				t.Errorf("got %+v, want %s", got, c.level)
			}
			checkForm(t, bellwire.Finding{ID: c.name, Level: got.level, Found: got.found, Do: got.do})
		})
	}
}

// No finding repeats a password.
func TestSecretsAreNotFound(t *testing.T) {
	t.Parallel()
	s := healthy(t)
	for _, url := range []string{"postgres://bellwire:hunter2@127.0.0.1:1/bellwire", "postgres://bellwire:hunter2@127.0.0.1:1/bellwire?sslmode=hunter2", "postgres://bellwire:hunt/er2@x/y"} {
		s.Database = Database{Postgres: url}
		for _, f := range Examine(t.Context(), s) {
			if text := fmt.Sprint(f); strings.Contains(text, "er2") {
				t.Errorf("%s: %s", url, text)
			}
		}
	}
}

// database returns the name of the database of s.
func database(s *Subject) string {
	return strings.TrimSuffix(s.Database.Postgres[strings.LastIndex(s.Database.Postgres, "/")+1:], "?sslmode=disable")
}

// awaitFault waits until a check finds a fault.
func awaitFault(t *testing.T, s *Subject, id string) {
	t.Helper()
	for examineOne(t, s, id).level == bellwire.FindingOK {
		select {
		case <-t.Context().Done():
			t.Fatal("the fault is not found")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// pool puts a PgBouncer before the database of s.
func pool(t *testing.T, server *pgtest.Server, s *Subject, settings ...string) {
	t.Helper()
	pooler, err := server.StartPooler(settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pooler.Stop(); err != nil {
			t.Error(err)
		}
	})
	s.Database.Postgres = pooler.URL(s.Database.Postgres)
}
