package sqlite

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/testenv"
)

func TestLibraryVersion(t *testing.T) {
	t.Parallel()
	if err := checkLibrary(linked()); err != nil {
		t.Error(err)
	}
	s := openAt(t, filepath.Join(t.TempDir(), "bellwire.db"))
	err := s.read(t.Context(), func(c *db) error {
		q := c.query("SELECT sqlite_version()")
		for q.next() {
			if v := q.getText(); v != Version || v != dotted(linked()) {
				t.Errorf("the library is %s, and says that it is %s and %s", v, Version, dotted(linked()))
			}
		}
		return q.err
	})
	if err != nil {
		t.Fatal(err)
	}
	for version, sound := range map[int]bool{3_049_002: false, 3_051_002: false, 3_051_003: true, 3_053_000: true, 4_000_000: true} {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			if err := checkLibrary(version); (err == nil) != sound {
				t.Errorf("%s: %v", dotted(version), err)
			}
		})
	}
	refused(t, checkLibrary(3_049_002), bellwire.CodeUnavailable, "SQLite 3.49.2, which can lose")
}

// TestLibraryKeepsCommits commits on one connection a write that restarts the log, while others begin checkpoints.
// Before version 3.51.3 SQLite could lose that commit.
func TestLibraryKeepsCommits(t *testing.T) {
	// It takes a thread that is interrupted in the middle, so there must be more of them than processors.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(runtime.NumCPU() + 2))
	r, random := newRace(t), testenv.Random(t)
	for range runtime.NumCPU() {
		r.checkpoints()
	}
	duration := 3 * time.Second
	if testing.Short() {
		duration = time.Second / 2
	}
	for end := time.Now().Add(duration); time.Now().Before(end) && !t.Failed(); {
		for range 10 {
			r.insert()
		}
		r.check(r.writer.exec("PRAGMA wal_checkpoint(PASSIVE)"))
		r.copied.Store(true)
		time.Sleep(time.Duration(random.Int64N(int64(200 * time.Microsecond)))) // so that the commit comes at any moment of a checkpoint
		r.insert()
		r.copied.Store(false)
	}
	r.checkAll()
}

// race is a writer and those who copy its log once it is all copied already.
type race struct {
	*testing.T
	path          string
	writer        *db
	committed     int
	copied, ended atomic.Bool
	others        sync.WaitGroup
}

func newRace(t *testing.T) *race {
	r := &race{T: t, path: filepath.Join(t.TempDir(), "bellwire.db")}
	r.writer = r.connect()
	r.check(r.writer.exec("CREATE TABLE rows (n INTEGER PRIMARY KEY, filler BLOB)"))
	r.check(r.writer.exec("CREATE INDEX filler ON rows (filler)"))
	return r
}

func (r *race) connect() *db {
	r.Helper()
	conn, err := sqlite.OpenConn(r.path, sqlite.OpenReadWrite|sqlite.OpenCreate)
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { r.check(conn.Close()) })
	conn.SetBusyTimeout(time.Second)
	c := &db{conn: conn, queries: make(map[string]*query)}
	r.check(c.configure(readerCache, Options{NoSync: true, longLog: longLog}))
	return c
}

func (r *race) check(err error) {
	r.Helper()
	if err != nil {
		r.Error(err)
	}
}

func (r *race) checkpoints() {
	c := r.connect()
	r.others.Go(func() {
		for !r.ended.Load() {
			if !r.copied.Load() {
				runtime.Gosched()
				continue
			}
			r.check(c.checkpoint())
		}
	})
}

func (r *race) insert() {
	r.check(r.writer.exec("INSERT INTO rows (filler) VALUES (randomblob(200))"))
	r.committed++
}

// checkAll reads the database as a reader without cached pages finds it.
func (r *race) checkAll() {
	r.ended.Store(true)
	r.others.Wait()
	c := r.connect()
	r.check(intact(c.conn))
	left, _, err := c.query("SELECT count(*) FROM rows NOT INDEXED").scalar()
	r.check(err)
	if int(left) != r.committed {
		r.Errorf("%d rows are left of %d", left, r.committed)
	}
}

// intact returns what SQLite finds wrong with the whole database.
func intact(conn *sqlite.Conn) error {
	var found []error
	err := sqlitex.ExecuteTransient(conn, "PRAGMA integrity_check(3)", &sqlitex.ExecOptions{
		ResultFunc: func(stmt *sqlite.Stmt) error {
			if text := stmt.ColumnText(0); text != "ok" {
				found = append(found, errors.New(text))
			}
			return nil
		},
	})
	return errors.Join(append(found, err)...)
}
