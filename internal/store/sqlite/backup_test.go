package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// Copies are made by VACUUM, which numbers rows anew where no column has their number.
func TestRowsKeepTheirNumbers(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bellwire.db")
	writeFile(t, path, empty())
	withConn(t, path, func(conn *sqlite.Conn) {
		check(t, sqlitex.ExecuteTransient(conn, `SELECT l.name FROM pragma_table_list() l WHERE l.type = 'table' AND NOT l.wr AND l.name NOT LIKE 'sqlite\_%' ESCAPE '\'
			AND NOT EXISTS (SELECT 1 FROM pragma_table_info(l.name) WHERE pk = 1 AND type = 'INTEGER')`,
			&sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
				t.Errorf("the rows of %s have numbers that a copy changes; give it an INTEGER PRIMARY KEY or make it WITHOUT ROWID", stmt.ColumnText(0))
				return nil
			}}))
	})
}

// accept accepts every copy.
func accept(*Copy) error { return nil }

func TestRestore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, copied := filepath.Join(dir, "bellwire.db"), filepath.Join(dir, "copy")
	writeFile(t, path, empty())
	s := openAt(t, path)
	before := s.leases.epoch.Load()
	now := time.Date(2026, 1, 31, 12, 30, 0, 0, time.UTC)
	made, err := Backup(t.Context(), path, copied, now)
	check(t, err)
	if made.Migrations != len(migrationFiles()) || made.Bytes == 0 {
		t.Errorf("the copy is %+v", made)
	}
	if at, _ := scalar(t, s, "SELECT value FROM meta WHERE name = 'backup'"); at != now.UnixMicro() {
		t.Errorf("the recorded time is %d, want %d", at, now.UnixMicro())
	}
	_, err = Backup(t.Context(), path, copied, now)
	refused(t, err, bellwire.CodeConflict, "exists already")

	request := Restoration{From: copied, To: path, Now: now, Check: accept}
	_, err = Restore(t.Context(), request)
	refused(t, err, bellwire.CodeConflict, "--replace")
	request.Replace = true
	_, err = Restore(t.Context(), request)
	refused(t, err, bellwire.CodeUnavailable, "in use by another process")
	check(t, s.Close())
	wrong := errors.New("another keyset")
	request.Check = func(*Copy) error { return wrong }
	if _, err := Restore(t.Context(), request); !errors.Is(err, wrong) {
		t.Errorf("the check is answered with %v", err)
	}
	request.Check = accept
	restored, err := Restore(t.Context(), request)
	check(t, err)
	if restored.Aside != path+".replaced-20260131T123000Z" {
		t.Errorf("the database that was there is now %q", restored.Aside)
	}
	if _, err := Inspect(t.Context(), restored.Aside); err != nil {
		t.Error("what was moved aside:", err)
	}
	if epoch := openAt(t, path).leases.epoch.Load(); epoch != before+rules.RestoreGap+1 {
		t.Errorf("the epoch is %d, want one after %d and the gap", epoch, before)
	}
}

// What cannot be restored is refused before anything is changed.
func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change string
		says   string
	}{
		"a newer schema":  {"PRAGMA user_version = 9999", "it needs a build with at least 9999 migrations"},
		"another program": {"PRAGMA application_id = 1", "another program"},
		"a damaged copy":  {"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = rootpage + 1 WHERE name = 'keys_tenant'", "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			copied, path := filepath.Join(dir, "copy"), filepath.Join(dir, "bellwire.db")
			writeFile(t, copied, empty())
			withConn(t, copied, func(conn *sqlite.Conn) { check(t, sqlitex.ExecuteScript(conn, c.change, nil)) })
			_, err := Restore(t.Context(), Restoration{From: copied, To: path, Check: accept})
			refused(t, err, bellwire.CodeUnavailable, c.says)
			if _, err := os.Stat(path); err == nil {
				t.Error("there is a database")
			}
		})
	}
}
