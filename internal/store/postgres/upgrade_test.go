package postgres

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// TestKilledMigrations ends the connection after each statement of each migration. Nothing of the migration may be left, and the next
// start must bring the schema up to date.
func TestKilledMigrations(t *testing.T) {
	t.Parallel()
	url := server.NewDatabase(t, "template1")
	conn := connect(t, url)
	_, err := conn.Exec(t.Context(), "CREATE SCHEMA bellwire; "+sqlMakeMeta, pgx.QueryExecModeSimpleProtocol)
	check(t, err)
	files := migrationFiles()
	for i, file := range files[:len(files)-1] {
		script, err := migrations.ReadFile(file)
		check(t, err)
		statements := split(string(script))
		before := fingerprint(t, conn)
		for n := 1; n <= len(statements); n++ {
			runPart(t, url, statements[:n])
			if diff := cmp.Diff(before, fingerprint(t, conn)); diff != "" {
				t.Fatalf("%s: the end of the connection after %d of %d statements leaves (-before +after):\n%s", file, n, len(statements), diff)
			}
		}
		begin(t, conn)
		for _, sql := range statements {
			_, err := conn.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol)
			check(t, err)
		}
		_, err = conn.Exec(t.Context(), fmt.Sprintf("UPDATE bellwire.meta SET number = %d WHERE name = 'schema'; COMMIT", i+1), pgx.QueryExecModeSimpleProtocol)
		check(t, err)
	}
	s := openAt(t, url, Options{NoSync: true})
	if diff := cmp.Diff(fingerprint(t, connect(t, newStore(t, Options{}).url)), fingerprint(t, conn)); diff != "" {
		t.Errorf("the schema differs (-want +got):\n%s", diff)
	}
	if run := count1(t, s, "SELECT number FROM bellwire.meta WHERE name = 'migrations'"); run != len(files) {
		t.Errorf("%d migrations have run, want %d", run, len(files))
	}
}

// begin begins a transaction as a migration does: it waits until the server has noticed the end of the one before.
func begin(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	_, err := conn.Exec(t.Context(), "BEGIN; SELECT number FROM bellwire.meta WHERE name = 'schema' FOR UPDATE", pgx.QueryExecModeSimpleProtocol)
	check(t, err)
}

// runPart runs statements in a transaction, and hangs up before its end.
func runPart(t *testing.T, url string, statements []string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	check(t, err)
	begin(t, conn)
	for _, sql := range statements {
		_, err := conn.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol)
		check(t, err)
	}
	check(t, conn.PgConn().Conn().Close())
	if _, err := conn.Exec(t.Context(), "COMMIT"); err == nil {
		t.Fatal("the connection is still open")
	}
}

// fingerprint returns the columns, indexes and functions of the schema, without partitions.
func fingerprint(t *testing.T, conn *pgx.Conn) (all []string) {
	t.Helper()
	check(t, conn.QueryRow(t.Context(), `SELECT coalesce(array_agg(what ORDER BY what), '{}') FROM (
		SELECT c.relname || '.' || a.attname || ' ' || a.atttypid::regtype || ' ' || a.attnotnull FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
			WHERE c.relnamespace = 'bellwire'::regnamespace AND NOT a.attisdropped AND c.relispartition = false
		UNION ALL SELECT proname || prosrc FROM pg_proc WHERE pronamespace = 'bellwire'::regnamespace) AS all_of_it (what)`).Scan(&all))
	return all
}

// split returns the statements of a script.
func split(script string) (statements []string) {
	var b strings.Builder
	for rest := script; rest != ""; {
		n := 1
		switch {
		case strings.HasPrefix(rest, "--"):
			n = strings.IndexByte(rest+"\n", '\n')
			rest = rest[min(n, len(rest)):]
			continue
		case rest[0] == '\'', rest[0] == '"':
			n = 2 + strings.IndexByte(rest[1:], rest[0])
		case rest[0] == '$':
			if tag := strings.IndexByte(rest[1:], '$'); tag >= 0 && !strings.ContainsAny(rest[1:1+tag], " ,);\n") {
				quote := rest[:tag+2]
				n = 2*len(quote) + strings.Index(rest[len(quote):], quote)
			}
		case rest[0] == ';':
			statements = append(statements, b.String())
			b.Reset()
			rest = rest[1:]
			continue
		}
		b.WriteString(rest[:n])
		rest = rest[n:]
	}
	return slices.DeleteFunc(append(statements, b.String()), func(sql string) bool { return strings.TrimSpace(sql) == "" })
}

// TestNewerSchemas opens databases that a newer Bellwire has changed: one that this build may use, and one that it may not.
func TestNewerSchemas(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	conn := connect(t, s.url)
	_, err := conn.Exec(t.Context(), "UPDATE bellwire.meta SET number = 9999 WHERE name = 'migrations'; ALTER TABLE bellwire.tenants ADD COLUMN later text", pgx.QueryExecModeSimpleProtocol)
	check(t, err)
	again := openAt(t, s.url, Options{NoSync: true})
	if run := count1(t, again, "SELECT number FROM bellwire.meta WHERE name = 'migrations'"); run != 9999 {
		t.Errorf("the older build has recorded %d migrations", run)
	}
	_, err = conn.Exec(t.Context(), "UPDATE bellwire.meta SET number = 9998 WHERE name = 'schema'")
	check(t, err)
	_, err = Open(t.Context(), s.url, Options{NoSync: true})
	refused(t, err, bellwire.CodeUnavailable, fmt.Sprintf("it needs a build with at least 9998 migrations, and this one has %d", len(migrationFiles())))
	refused(t, again.Check(t.Context()), bellwire.CodeUnavailable, "was changed by a newer Bellwire")
}

// TestMigrationsYield holds a lock that a migration needs: the migration waits only shortly, so that others who want it come first, and
// tries again.
func TestMigrationsYield(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	conn := connect(t, s.url)
	_, err := conn.Exec(t.Context(), "BEGIN; LOCK TABLE bellwire.tenants IN ACCESS SHARE MODE", pgx.QueryExecModeSimpleProtocol)
	check(t, err)
	tries := 0
	check(t, s.migrating(t.Context(), func(tx *tx) error {
		if tries++; tries == 2 {
			_, err := conn.Exec(t.Context(), "COMMIT")
			check(t, err)
		}
		if err := tx.exec("SET LOCAL lock_timeout = 10"); err != nil {
			return err
		}
		return tx.exec("ALTER TABLE bellwire.tenants ADD COLUMN later text")
	}))
	if tries != 2 {
		t.Errorf("the migration was tried %d times, want 2", tries)
	}
}

// TestSchemaChangesAreReported opens a database that is up to date, then one of an older schema.
func TestSchemaChangesAreReported(t *testing.T) {
	t.Parallel()
	var reported [][2]int
	report := func(from, to int) { reported = append(reported, [2]int{from, to}) }
	openAt(t, newStore(t, Options{}).url, Options{NoSync: true, Migrating: report})
	older, last := server.NewDatabase(t, "template1"), len(migrationFiles())
	makeVersion(t, connect(t, older), last-2)
	openAt(t, older, Options{NoSync: true, Migrating: report})
	if want := [][2]int{{last - 2, last}}; !slices.Equal(reported, want) {
		t.Errorf("the changes %v are reported, want %v", reported, want)
	}
}
