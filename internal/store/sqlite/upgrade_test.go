package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/testenv"
)

// TestKilledMigrations ends the process after each statement of each migration. Nothing of the migration may be left, and the next
// start must bring the schema up to date.
func TestKilledMigrations(t *testing.T) {
	t.Parallel()
	testenv.Long(t)
	path := filepath.Join(t.TempDir(), "bellwire.db")
	files := migrationFiles()
	for i, file := range files {
		before := fingerprint(t, path)
		script, err := migrationScript(file, i+1)
		check(t, err)
		for n := 1; runPart(t, path, script, n); n++ {
			if after := fingerprint(t, path); after != before {
				t.Fatalf("%s: the end of the process after %d statements leaves %s, want %s", file, n, after, before)
			}
		}
		withConn(t, path, func(conn *sqlite.Conn) { check(t, (&writer{db: db{conn: conn}}).apply(file, i+1)) })
	}
	want := filepath.Join(t.TempDir(), "bellwire.db")
	writeFile(t, want, empty())
	check(t, openAt(t, path).Close())
	if got, want := tablesOf(t, path), tablesOf(t, want); got != want {
		t.Errorf("the schema is\n%s\nwant\n%s", got, want)
	}
}

// runPart begins a migration and ends the connection after n statements, unless it has no more than n.
func runPart(t *testing.T, path, script string, n int) (more bool) {
	t.Helper()
	withConn(t, path, func(conn *sqlite.Conn) {
		check(t, sqlitex.ExecuteTransient(conn, "SAVEPOINT migration", nil)) // as sqlitex.ExecuteScript does
		for range n {
			stmt, rest, err := conn.PrepareTransient(script)
			check(t, err)
			for row := true; row; {
				row, err = stmt.Step()
				check(t, err)
			}
			check(t, stmt.Finalize())
			script = strings.TrimSpace(script[len(script)-rest:])
		}
	})
	return script != ""
}

func withConn(t *testing.T, path string, f func(*sqlite.Conn)) {
	t.Helper()
	conn, err := sqlite.OpenConn(path, sqlite.OpenReadWrite|sqlite.OpenCreate|sqlite.OpenWAL)
	check(t, err)
	defer func() { check(t, conn.Close()) }()
	f(conn)
}

// fingerprint returns what a migration changes at least.
func fingerprint(t *testing.T, path string) (all string) {
	t.Helper()
	withConn(t, path, func(conn *sqlite.Conn) {
		c := &db{conn: conn, queries: make(map[string]*query)}
		recorded, err := c.recorded(path)
		check(t, err)
		size, _, err := c.query("SELECT count(*) FROM sqlite_schema").scalar()
		check(t, err)
		columns, _, err := c.query("SELECT count(*) FROM sqlite_schema s, pragma_table_info(s.name)").scalar()
		check(t, err)
		all = fmt.Sprintf("%+v %d %d", recorded, size, columns)
	})
	return all
}

func tablesOf(t *testing.T, path string) (all string) {
	t.Helper()
	withConn(t, path, func(conn *sqlite.Conn) {
		check(t, sqlitex.ExecuteTransient(conn, "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name",
			&sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
				all += fmt.Sprintln(stmt.ColumnText(0), stmt.ColumnText(1), stmt.ColumnText(2))
				return nil
			}}))
	})
	return all
}

// TestNewerSchemas opens databases that a newer Bellwire has changed: one that this build may use, and one that it may not.
func TestNewerSchemas(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bellwire.db")
	writeFile(t, path, empty())
	withConn(t, path, func(conn *sqlite.Conn) {
		check(t, sqlitex.ExecuteScript(conn, "UPDATE meta SET value = 9999 WHERE name = 'migrations'; ALTER TABLE tenants ADD COLUMN later TEXT", nil))
	})
	check(t, openAt(t, path).Close())
	withConn(t, path, func(conn *sqlite.Conn) { check(t, sqlitex.ExecuteScript(conn, "PRAGMA user_version = 9998", nil)) })
	_, err := Open(t.Context(), path, Options{})
	refused(t, err, bellwire.CodeUnavailable, fmt.Sprintf("it needs a build with at least 9998 migrations, and this one has %d", len(migrationFiles())))
}

// TestUpgradeCopiesFirst opens a database of an older schema.
func TestUpgradeCopiesFirst(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bellwire.db")
	const old = 44
	writeAtVersion(t, path, old, "INSERT INTO tenants (n, id, name, metadata, created_at, updated_at, revision) VALUES (1, 'acme', 'Acme', 'null', 1, 1, 7)")
	check(t, openAt(t, path).Close())
	check(t, openAt(t, path).Close()) // changes nothing, so it makes no copy
	copies, err := filepath.Glob(path + ".before-schema-*")
	check(t, err)
	if len(copies) != 1 {
		t.Fatalf("the copies are %q, want one", copies)
	}
	info, err := os.Stat(copies[0])
	check(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the copy has the mode %04o", info.Mode().Perm())
	}
	found, err := Inspect(t.Context(), copies[0])
	check(t, err)
	if found.Migrations != old {
		t.Errorf("the copy has run %d migrations, want %d", found.Migrations, old)
	}
	check(t, os.Rename(copies[0], path))
	tenant, err := openAt(t, path).Tenant(t.Context(), "acme")
	check(t, err)
	if tenant.Name != "Acme" {
		t.Errorf("the tenant in the copy is %+v", tenant)
	}
}

// TestUpgradesThatFailCopyOnce opens a database that a migration cannot change, as a service manager does: again and again.
func TestUpgradesThatFailCopyOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bellwire.db")
	writeAtVersion(t, path, 44, "ALTER TABLE jobs ADD COLUMN acted_at INTEGER") // which a later migration adds
	now := time.Date(2026, 1, 31, 12, 30, 0, 0, time.UTC)
	start := func() error {
		now = now.Add(time.Minute)
		s, err := Open(t.Context(), path, Options{NoSync: true, Now: func() time.Time { return now }})
		if err == nil {
			err = s.Close()
		}
		return err
	}
	copies := func(want ...string) {
		t.Helper()
		found, err := filepath.Glob(path + ".before-schema-*")
		check(t, err)
		for i := range found {
			found[i] = found[i][strings.LastIndex(found[i], "-")+1:]
		}
		if !slices.Equal(found, want) {
			t.Errorf("the copies are of %q, want %q", found, want)
		}
	}
	part := path + ".before-schema-51-20260131T122900Z.123.tmp" // of a start that was killed
	check(t, os.WriteFile(part, nil, 0o600))
	for range 3 {
		if err := start(); err == nil {
			t.Fatal("the database is opened")
		}
		copies("20260131T123100Z")
	}
	made, err := filepath.Glob(path + ".before-schema-*")
	check(t, err)
	check(t, os.Remove(made[0]))
	if err := start(); err == nil {
		t.Fatal("the database is opened")
	}
	copies("20260131T123400Z")
	withConn(t, path, func(conn *sqlite.Conn) {
		check(t, sqlitex.ExecuteScript(conn, "UPDATE meta SET value = value + 1 WHERE name = 'epoch'", nil)) // the release before has run
	})
	if err := start(); err == nil {
		t.Fatal("the database is opened")
	}
	copies("20260131T123400Z", "20260131T123500Z")
	withConn(t, path, func(conn *sqlite.Conn) {
		check(t, sqlitex.ExecuteScript(conn, "ALTER TABLE jobs DROP COLUMN acted_at", nil))
	})
	check(t, start())
	check(t, start())
	copies("20260131T123400Z", "20260131T123500Z")
}

// TestSchemaChangesAreReported opens a database that is new, then one that is up to date, then one of an older schema.
func TestSchemaChangesAreReported(t *testing.T) {
	t.Parallel()
	var reported [][2]int
	open := func(path string) {
		t.Helper()
		s, err := Open(t.Context(), path, Options{
			NoSync: true, NoUpgradeCopy: true, Migrating: func(from, to int) { reported = append(reported, [2]int{from, to}) },
		})
		check(t, err)
		check(t, s.Close())
	}
	path, last := filepath.Join(t.TempDir(), "bellwire.db"), len(migrationFiles())
	open(path)
	open(path)
	older := path + ".older"
	writeAtVersion(t, older, last-1, "")
	open(older)
	if want := [][2]int{{last - 1, last}}; !slices.Equal(reported, want) {
		t.Errorf("the changes %v are reported, want %v", reported, want)
	}
}
