package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/testenv"
)

func TestOpenRefusesASecondProcess(t *testing.T) {
	t.Parallel()
	s := openAt(t, filepath.Join(t.TempDir(), "bellwire.db"))
	_, err := Open(t.Context(), s.path, Options{})
	refused(t, err, bellwire.CodeUnavailable, s.path+"-lock")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	openAt(t, s.path)
}

func TestOpenRefusesForeignFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change string
		says   string
	}{
		"newer schema":    {"PRAGMA user_version = 9999", "newer Bellwire"},
		"another program": {"PRAGMA application_id = 1", "another program"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openAt(t, filepath.Join(t.TempDir(), "bellwire.db"))
			if err := s.write(t.Context(), func(w *writer) error { return w.exec(c.change) }); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			_, err := Open(t.Context(), s.path, Options{})
			refused(t, err, bellwire.CodeUnavailable, c.says)
		})
	}
	t.Run("a note", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "bellwire.db")
		writeFile(t, path, []byte("hello\n"))
		_, err := Open(t.Context(), path, Options{})
		refused(t, err, bellwire.CodeUnavailable, path)
	})
	t.Run("not a database", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "bellwire.db")
		writeFile(t, path, []byte(strings.Repeat("This is a letter. ", 100)))
		_, err := Open(t.Context(), path, Options{})
		refused(t, err, bellwire.CodeUnavailable, "damaged")
		if !strings.Contains(err.Error(), path) {
			t.Error("the operator does not learn which file it is:", err)
		}
	})
	t.Run("no folder", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "nowhere", "bellwire.db")
		_, err := Open(t.Context(), path, Options{})
		refused(t, err, bellwire.CodeUnavailable, path)
	})
}

func refused(t *testing.T, err error, code bellwire.Code, says string) {
	t.Helper()
	var e *bellwire.Error
	if !errors.As(err, &e) || e.Code != code || !strings.Contains(e.Message, says) {
		t.Fatalf("got %v, want an error with the code %q that says %q", err, code, says)
	}
}

func TestFilesAreForTheOwnerOnly(t *testing.T) {
	t.Parallel()
	s := openAt(t, filepath.Join(t.TempDir(), "bellwire.db"))
	for _, suffix := range []string{"", "-wal", "-shm", "-lock"} {
		t.Run(suffix, func(t *testing.T) {
			info, err := os.Stat(s.path + suffix)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != 0o600 {
				t.Errorf("%s has the mode %v", info.Name(), info.Mode())
			}
		})
	}
}

// TestGroupOutlivesOneBadWrite puts a write that the database refuses among others into one transaction.
func TestGroupOutlivesOneBadWrite(t *testing.T) {
	t.Parallel()
	s := openAt(t, filepath.Join(t.TempDir(), "bellwire.db"))
	hold, held := make(chan struct{}), make(chan struct{})
	var callers sync.WaitGroup
	callers.Go(func() {
		_ = s.write(t.Context(), func(*writer) error { close(held); <-hold; return nil })
	})
	<-held
	errs := make([]error, 5)
	for i := range errs {
		callers.Go(func() {
			errs[i] = s.write(t.Context(), func(w *writer) error {
				sql := "INSERT INTO meta (name, value) VALUES (?, 1)"
				if err := w.query(sql).text(fmt.Sprintf("write %d", i)).exec(); err != nil || i != 3 {
					return err
				}
				return w.query(sql).text("epoch").exec()
			})
		})
	}
	waitFor(t, func() bool { return len(s.queue) == len(errs) })
	close(hold)
	callers.Wait()
	for i, err := range errs {
		if (err != nil) != (i == 3) {
			t.Errorf("write %d: %v", i, err)
		}
		_, found := scalar(t, s, fmt.Sprintf("SELECT 1 FROM meta WHERE name = 'write %d'", i))
		if found != (i != 3) {
			t.Errorf("write %d is there: %v", i, found)
		}
	}
}

// TestWithdrawnWriteIsNotExecuted lets a caller give up while its write is queued.
func TestWithdrawnWriteIsNotExecuted(t *testing.T) {
	t.Parallel()
	s := openAt(t, filepath.Join(t.TempDir(), "bellwire.db"))
	hold, held := make(chan struct{}), make(chan struct{})
	var callers sync.WaitGroup
	callers.Go(func() {
		_ = s.write(t.Context(), func(*writer) error { close(held); <-hold; return nil })
	})
	<-held
	ctx, cancel := context.WithCancel(t.Context())
	callers.Go(func() {
		err := s.write(ctx, func(*writer) error { t.Error("it was executed"); return nil })
		refused(t, err, bellwire.CodeUnavailable, "in time")
		close(hold)
	})
	waitFor(t, func() bool { return len(s.queue) == 1 })
	cancel()
	callers.Wait()
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// waitFor yields until the condition holds.
func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !condition() {
		if ctx.Err() != nil {
			t.Fatal("it did not come about")
		}
		time.Sleep(time.Millisecond)
	}
}

func scalar(t *testing.T, s *Store, sql string) (value int64, found bool) {
	t.Helper()
	err := s.read(t.Context(), func(c *db) (err error) {
		value, found, err = c.query(sql).scalar()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return value, found
}

// TestLongReadIsCutOff reads without end, and expects the read to be broken off and the log to stay short.
func TestLongReadIsCutOff(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "bellwire.db"), Options{NoSync: true, ReadTimeout: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.read(t.Context(), func(c *db) error {
		return c.exec("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n")
	})
	refused(t, err, bellwire.CodeUnavailable, "too long")
	if err := s.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestLogBeginsAnew writes many times the size of the log, with readers always active.
func TestLogBeginsAnew(t *testing.T) {
	t.Parallel()
	const pages = 64
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "bellwire.db"), Options{NoSync: true, longLog: pages})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for ctx.Err() == nil {
				_ = s.list(ctx, snapshot(func(c *db) error {
					return c.query("SELECT count(*) FROM meta WHERE name LIKE '%' || hex(randomblob(10000))").exec()
				}))
			}
		})
	}
	for range 100 {
		err := s.write(t.Context(), func(w *writer) error {
			return w.exec("INSERT OR REPLACE INTO meta (name, value) VALUES ('blob', randomblob(40000))")
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	readers.Wait()
	// While the readers are waited for the writer goes on, but not for long.
	if length, limit := size(t, s.path+"-wal"), int64(100*10*4096/2); length > limit {
		t.Errorf("the log has %d bytes, more than %d", length, limit)
	}
	if err := s.checkpointer.err(); err != nil {
		t.Error(err)
	}
}

// TestTornLog cuts the log off anywhere, as a power loss can. What remains must be a database whose
// transactions are whole: the first so many, and none of the others.
func TestTornLog(t *testing.T) {
	t.Parallel()
	s := openAt(t, filepath.Join(t.TempDir(), "bellwire.db"))
	const writes = 20
	sizes := []int64{size(t, s.path+"-wal")}
	for n := range writes {
		err := s.write(t.Context(), func(w *writer) error {
			for part := range 3 {
				q := w.query("INSERT INTO meta (name, value) VALUES (?, randomblob(3000))").text(fmt.Sprintf("%d/%d", n, part))
				if err := q.exec(); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, size(t, s.path+"-wal"))
	}
	path := filepath.Join(t.TempDir(), "torn.db")
	random := testenv.Random(t)
	for range 15 {
		cut := sizes[0] + random.Int64N(sizes[writes]-sizes[0]+1)
		copyFiles(t, s, path)
		if err := os.Truncate(path+"-wal", cut); err != nil {
			t.Fatal(err)
		}
		torn := openAt(t, path)
		complete := int64(0)
		for complete < writes && sizes[complete+1] <= cut {
			complete++
		}
		rows, _ := scalar(t, torn, "SELECT count(*) FROM meta WHERE name LIKE '%/%'")
		if rows != 3*complete {
			t.Errorf("cut at %d of %d bytes: %d rows are left of %d whole transactions", cut, sizes[writes], rows, complete)
		}
		checkIntegrity(t, torn)
		if err := torn.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func checkIntegrity(t *testing.T, s *Store) {
	t.Helper()
	err := s.read(t.Context(), func(c *db) error {
		q := c.query("PRAGMA integrity_check")
		for q.next() {
			if text := q.getText(); text != "ok" {
				t.Error(text)
			}
		}
		return q.err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestInBubble uses a store where time stands still unless all goroutines wait.
func TestInBubble(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bellwire.db")
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(t.Context(), path, Options{NoSync: true})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		var callers sync.WaitGroup
		for n := range 20 {
			callers.Go(func() {
				id := fmt.Sprintf("tenant%d", n)
				if err := s.CreateTenant(t.Context(), &bellwire.Tenant{ID: id, CreatedAt: time.Now()}); err != nil {
					t.Error(err)
				}
				if _, err := s.Tenant(t.Context(), id); err != nil {
					t.Error(err)
				}
			})
		}
		callers.Wait()
		synctest.Wait()
		time.Sleep(72 * time.Hour)
		if err := s.Check(t.Context()); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if passed := time.Since(start); passed != 72*time.Hour {
			t.Errorf("the store slept for %v", passed-72*time.Hour)
		}
	})
}
