package sqlite

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// TestOpenFollowsLinks opens a database through symbolic links, also before the file exists.
func TestOpenFollowsLinks(t *testing.T) {
	t.Parallel()
	data, links := t.TempDir(), t.TempDir()
	real := filepath.Join(data, "real.db")
	absolute, relative, chain := filepath.Join(links, "absolute.db"), filepath.Join(data, "relative.db"), filepath.Join(links, "chain.db")
	for link, target := range map[string]string{absolute: real, relative: "real.db", chain: "absolute.db"} {
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{chain, absolute, relative, real} {
		t.Run(path, func(t *testing.T) {
			s := openAt(t, path)
			if s.path != real {
				t.Errorf("%s leads to %s, want %s", path, s.path, real)
			}
			if err := s.Check(t.Context()); err != nil {
				t.Error(err)
			}
			for _, other := range []string{chain, relative, real} {
				_, err := Open(t.Context(), other, Options{})
				refused(t, err, bellwire.CodeUnavailable, "in use by another process")
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
	if left, err := filepath.Glob(filepath.Join(links, "*.db-*")); err != nil || len(left) > 0 {
		t.Errorf("files were made beside the links: %v %v", left, err)
	}
}

// TestSecondNameIsWarnedOf opens a database that has a hard link, as some backups make.
func TestSecondNameIsWarnedOf(t *testing.T) {
	t.Parallel()
	path := makeLarge(t)
	for names := range 2 {
		if names == 1 {
			check(t, os.Link(path, path+".copy"))
		}
		s, logged := openLogged(t, path, Options{})
		if got, want := logged.count("several names"), names; runtime.GOOS == "linux" && got != want {
			t.Errorf("with %d more names it is said %d times", names, got)
		}
		check(t, s.Close())
	}
}

// TestMovedFileRefusesWrites moves each file of an open database away, and puts it back.
func TestMovedFileRefusesWrites(t *testing.T) {
	t.Parallel()
	s := openAt(t, filepath.Join(t.TempDir(), "bellwire.db"))
	aside := filepath.Join(t.TempDir(), "aside")
	write := func() error {
		return s.write(t.Context(), func(w *writer) error { return w.exec("INSERT INTO meta (name, value) VALUES (hex(randomblob(8)), 1)") })
	}
	move := func(from, to string) {
		t.Helper()
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		file := s.path + suffix
		move(file, aside)
		refused(t, write(), bellwire.CodeUnavailable, "moved, deleted or replaced")
		refused(t, s.Check(t.Context()), bellwire.CodeUnavailable, "moved, deleted or replaced")
		writeFile(t, file, readFile(t, aside)) // the same bytes are not the same file
		refused(t, write(), bellwire.CodeUnavailable, "moved, deleted or replaced")
		move(aside, file)
		if err := write(); err != nil {
			t.Errorf("%s is back in its place: %v", file, err)
		}
		if err := s.Check(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if s.Damaged() {
		t.Error("a file that is back is no damage")
	}
}

// TestLockedByAnotherProgram waits in vain once, and then only shortly, until the database is free.
func TestLockedByAnotherProgram(t *testing.T) {
	t.Parallel()
	s, _ := openLogged(t, filepath.Join(t.TempDir(), "bellwire.db"), Options{busyWait: 300 * time.Millisecond})
	other, err := sqlite.OpenConn(s.path, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	exec := func(sql string) {
		t.Helper()
		if err := sqlitex.ExecuteTransient(other, sql, nil); err != nil {
			t.Fatal(err)
		}
	}
	wait := func() (milliseconds int64) {
		t.Helper()
		milliseconds, _, err := s.writer.query("PRAGMA busy_timeout").scalar() // nothing is being written
		if err != nil {
			t.Fatal(err)
		}
		return milliseconds
	}
	write := func() error { return s.write(t.Context(), func(*writer) error { return nil }) }

	exec("BEGIN IMMEDIATE")
	for range 2 {
		refused(t, write(), bellwire.CodeUnavailable, "another program has locked the database")
		if got, want := wait(), busyAgain.Milliseconds(); got != want {
			t.Errorf("having waited in vain it waits for %d ms, want %d", got, want)
		}
	}
	exec("ROLLBACK")
	if err := write(); err != nil {
		t.Fatal(err)
	}
	if got := wait(); got != 300 {
		t.Errorf("once the database is free it waits for %d ms, want 300", got)
	}
}
