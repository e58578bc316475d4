package sqlite

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	zombie "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/storetest"
)

// refusalsOf checks that no write is refused after it has written something, because others in its transaction are not undone.
func refusalsOf(t *testing.T) func(*writer, func(*writer) error) error {
	return func(w *writer, run func(*writer) error) error {
		before := w.totalChanges(t)
		err := run(w)
		var refused *bellwire.Error
		if errors.As(err, &refused) && w.totalChanges(t) != before {
			t.Errorf("a write was refused after it had written: %v", err)
		}
		return err
	}
}

// totalChanges returns how many rows the connection has changed since it was opened.
func (w *writer) totalChanges(t *testing.T) int64 {
	n, _, err := w.query("SELECT total_changes()").scalar()
	if err != nil {
		t.Error(err)
	}
	return n
}

// TestWritesAreAtomic calls each verb of a store, and lets each statement of its writes fail once: then the verb fails, and nothing of
// it is stored.
func TestWritesAreAtomic(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bellwire.db")
	writeFile(t, path, empty())
	f := &failures{t: t}
	s, err := Open(t.Context(), path, Options{NoSync: true, Readers: 1, Lists: 2, StatisticsKept: storetest.Kept, fails: f.fail, around: f.around})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { check(t, s.Close()) })
	f.store = s
	storetest.UseAll(t, s)
	f.store = nil
	if f.count < 500 {
		t.Errorf("only %d statements have failed", f.count)
	}
}

// failures let one statement of a write after the other fail.
type failures struct {
	t     *testing.T
	store *Store       // nil: nothing fails
	left  atomic.Int64 // statements until the one that fails; negative: none does
	count int          // how many have failed
}

var errFailure = errors.New("this statement fails in a test")

func (f *failures) fail(sql string) error {
	if strings.HasPrefix(sql, "PRAGMA") || sql == "ROLLBACK" || f.left.Add(-1) != 0 {
		return nil
	}
	return errFailure
}

// around makes a write again and again, until none of its statements is left that has not failed.
func (f *failures) around(write func() error) error {
	if f.store == nil {
		return write()
	}
	before, version := f.contents(), f.version()
	for n := int64(1); ; n++ {
		f.left.Store(n)
		err := write()
		failed := f.left.Swap(-1) <= 0
		if failed && err == nil {
			f.t.Errorf("a write has succeeded although its statement %d had failed", n)
			return nil
		}
		if err != nil && f.version() != version {
			if after := f.contents(); after != before {
				f.t.Errorf("a write has failed at its statement %d with the error %v, and left behind\n%s", n, err, difference(before, after))
			}
		}
		if !failed {
			return err
		}
		f.count++
	}
}

// version returns a number that changes with each commit of the writer, and how many deliveries the store counts as open.
func (f *failures) version() (v struct{ data, open int64 }) {
	check(f.t, f.store.read(f.t.Context(), func(c *db) (err error) {
		v.data, _, err = c.query("PRAGMA data_version").scalar()
		return err
	}))
	v.open = f.store.open.Load()
	return v
}

// contents returns all that is stored, and what the store has counted.
func (f *failures) contents() string {
	var b strings.Builder
	fmt.Fprintln(&b, "open", f.store.open.Load())
	check(f.t, f.store.read(f.t.Context(), snapshot(func(c *db) error {
		var tables []string
		err := sqlitex.ExecuteTransient(c.conn, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name", &sqlitex.ExecOptions{
			ResultFunc: func(row *zombie.Stmt) error { tables = append(tables, row.ColumnText(0)); return nil },
		})
		for _, table := range tables {
			err = errors.Join(err, sqlitex.ExecuteTransient(c.conn, "SELECT * FROM "+table, &sqlitex.ExecOptions{ResultFunc: func(row *zombie.Stmt) error {
				b.WriteString(table)
				for i := range row.ColumnCount() {
					fmt.Fprintf(&b, " %q", row.ColumnText(i))
				}
				b.WriteByte('\n')
				return nil
			}}))
		}
		return err
	})))
	return b.String()
}

// difference returns the lines that only one of two texts has.
func difference(before, after string) string {
	var lines []string
	for line := range strings.Lines(after) {
		if !strings.Contains(before, line) {
			lines = append(lines, "+ "+line)
		}
	}
	for line := range strings.Lines(before) {
		if !strings.Contains(after, line) {
			lines = append(lines, "- "+line)
		}
	}
	return strings.Join(lines, "")
}
