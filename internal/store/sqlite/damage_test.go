package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// records stores log records.
type records struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *records) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *records) count(text string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Count(r.text.String(), text)
}

// openLogged opens a store whose log the test can read.
func openLogged(t *testing.T, path string, o Options) (*Store, *records) {
	t.Helper()
	logged := new(records)
	o.NoSync, o.Logger = true, slog.New(slog.NewTextHandler(logged, nil))
	s, err := Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, logged
}

// makeLarge makes a database with some megabytes in it, and returns its path.
func makeLarge(t *testing.T) string {
	t.Helper()
	s := openAt(t, filepath.Join(t.TempDir(), "bellwire.db"))
	err := s.write(t.Context(), func(w *writer) error {
		return w.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
			INSERT INTO meta (name, value) SELECT hex(randomblob(16)), randomblob(3000) FROM n`)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return s.path
}

// corrupt overwrites the second half of a database.
func corrupt(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	half := size(t, path) / 2
	if _, err := f.WriteAt(bytes.Repeat([]byte("damage! "), int(half)/8), half); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

const readAll = "SELECT sum(length(value)) FROM meta NOT INDEXED"

// TestDamageIsDetected damages the file under a store that has it open. From the first read that comes upon it on, nothing
// is written, and the store says why.
func TestDamageIsDetected(t *testing.T) {
	t.Parallel()
	s, logged := openLogged(t, makeLarge(t), Options{})
	if err := s.Check(t.Context()); err != nil || s.Damaged() {
		t.Fatal("it is damaged before it was touched:", err)
	}
	corrupt(t, s.path)
	read := func() error { return s.read(t.Context(), func(c *db) error { return c.query(readAll).exec() }) }
	write := func() error {
		return s.write(t.Context(), func(w *writer) error { return w.exec("DELETE FROM nonces WHERE nonce = 'nothing'") })
	}
	if err := write(); err != nil { // the table is empty, and lies at the file's beginning
		t.Fatal("what nobody has seen is no reason:", err)
	}
	for range 3 {
		refused(t, read(), bellwire.CodeUnavailable, "damaged")
		refused(t, write(), bellwire.CodeUnavailable, "damaged")
		refused(t, s.Check(t.Context()), bellwire.CodeUnavailable, "damaged")
	}
	if !s.Damaged() || logged.count("the database is damaged") != 1 || logged.count(s.path) == 0 {
		t.Errorf("damaged: %v, and the log says %d times so:\n%s", s.Damaged(), logged.count("the database is damaged"), logged.text.String())
	}
	var e *bellwire.Error
	if err := s.Check(t.Context()); !errors.As(err, &e) || strings.Contains(e.Message, s.path) {
		t.Error("clients are told where the database is:", err)
	}
}

// TestDamageIsDetectedByTheWriter has the writer itself come upon it.
func TestDamageIsDetectedByTheWriter(t *testing.T) {
	t.Parallel()
	s, _ := openLogged(t, makeLarge(t), Options{})
	corrupt(t, s.path)
	change := func() error {
		return s.write(t.Context(), func(w *writer) error {
			if err := w.exec("PRAGMA shrink_memory"); err != nil {
				return err
			}
			return w.exec("UPDATE meta SET value = 1 WHERE length(name) = 32")
		})
	}
	refused(t, change(), bellwire.CodeUnavailable, "damaged")
	if !s.Damaged() {
		t.Error("the store does not know")
	}
}

func TestDamageCodes(t *testing.T) {
	t.Parallel()
	for code, damage := range map[sqlite.ResultCode]bool{
		sqlite.ResultCorrupt: true, sqlite.ResultCorruptVTab: true, sqlite.ResultNotADB: true, sqlite.ResultIOErrShortRead: true,
		sqlite.ResultIOErrRead: false, sqlite.ResultIOErrFsync: false, sqlite.ResultIOErr: false, sqlite.ResultFull: false,
		sqlite.ResultBusy: false, sqlite.ResultInterrupt: false, sqlite.ResultConstraintUnique: false, sqlite.ResultNoMem: false,
	} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			if err := fmt.Errorf("step: %w", code.ToError()); isDamage(err) != damage {
				t.Errorf("%v counts as damage: %v", code, isDamage(err))
			}
		})
	}
}

func TestOpenRefusesADamagedDatabase(t *testing.T) {
	t.Parallel()
	path := makeLarge(t)
	corrupt(t, path)
	damaged := readFile(t, path)
	_, err := Open(t.Context(), path, Options{})
	refused(t, err, bellwire.CodeUnavailable, path+" is damaged")
	faults, err := FindFaults(t.Context(), path)
	if err != nil || len(faults) == 0 {
		t.Errorf("a full check finds %q, %v", faults, err)
	}
	if !bytes.Equal(damaged, readFile(t, path)) {
		t.Error("the damaged file was changed")
	}
}

// TestLargeDatabaseIsCheckedInPart lets the check of the start take no time at all.
func TestLargeDatabaseIsCheckedInPart(t *testing.T) {
	t.Parallel()
	s, logged := openLogged(t, makeLarge(t), Options{startCheck: time.Nanosecond})
	if logged.count("was not finished") != 1 {
		t.Errorf("the log does not say that the check was not finished: %s", logged.text.String())
	}
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	faults, err := FindFaults(t.Context(), s.path) // beside the store
	if err != nil || len(faults) != 0 {
		t.Errorf("a full check finds %q, %v", faults, err)
	}
}

// TestCheckLeavesTheFilesAlone checks a database after a crash.
func TestCheckLeavesTheFilesAlone(t *testing.T) {
	t.Parallel()
	s := openAt(t, filepath.Join(t.TempDir(), "bellwire.db"))
	path := filepath.Join(t.TempDir(), "copy.db")
	copyFiles(t, s, path)
	database, log := readFile(t, path), readFile(t, path+"-wal")
	faults, err := FindFaults(t.Context(), path)
	if err != nil || len(faults) != 0 {
		t.Errorf("a full check finds %q, %v", faults, err)
	}
	if !bytes.Equal(database, readFile(t, path)) || !bytes.Equal(log, readFile(t, path+"-wal")) {
		t.Error("the check has changed the files")
	}
	_, err = FindFaults(t.Context(), filepath.Join(t.TempDir(), "nothing.db"))
	refused(t, err, bellwire.CodeUnavailable, "nothing.db")
}

// TestNewDatabaseIsAskedFor refuses to make a database where there is none, where it is empty, and where it is lost with
// its log.
func TestNewDatabaseIsAskedFor(t *testing.T) {
	t.Parallel()
	never := Options{NoSync: true, New: func(path string) error {
		return bellwire.Errorf(bellwire.CodeUnavailable, "no new database %s", path)
	}}
	folder := t.TempDir()
	missing, empty, cut := filepath.Join(folder, "missing.db"), filepath.Join(folder, "empty.db"), filepath.Join(folder, "cut.db")
	writeFile(t, empty, nil)
	young := openAt(t, filepath.Join(t.TempDir(), "bellwire.db"))
	copyFiles(t, young, cut)
	if err := os.Remove(cut + "-wal"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{missing, empty, cut} {
		_, err := Open(t.Context(), path, never)
		refused(t, err, bellwire.CodeUnavailable, "no new database "+path)
	}
	if left, err := filepath.Glob(missing + "*"); err != nil || len(left) > 0 {
		t.Errorf("files were made where there were none: %v %v", left, err)
	}
	used := openAt(t, filepath.Join(folder, "used.db"))
	if err := used.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), used.path, never)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
