package sqlite

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/storetest"
	"github.com/bellwire/bellwire/internal/testenv"
)

func TestMain(m *testing.M) {
	testenv.Cases(25) // one makes dozens of transactions
	goleak.VerifyTestMain(m)
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, open, storetest.Hooks{Reopen: reopen, Crash: crash, Fill: fill, Plans: plans, Begin: beginRequests})
}

// open opens a copy of an empty database, because making one takes longer than most tests.
func open(t *testing.T) bellwire.Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bellwire.db")
	writeFile(t, path, empty())
	return openAt(t, path)
}

// empty returns the file of an empty database.
var empty = sync.OnceValue(func() []byte {
	dir, err := os.MkdirTemp("", "bellwire")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "bellwire.db")
	s, err := Open(context.Background(), path, Options{NoSync: true, Readers: 1, Lists: 1})
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		panic(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	return content
})

// openAt opens a store that need not survive a power loss. It remembers the statements for plans.
func openAt(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path, Options{NoSync: true, Readers: 2, Lists: 2, StatisticsKept: storetest.Kept, seen: statementsOf(path).add, runs: refusalsOf(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func reopen(t *testing.T, old bellwire.Store) bellwire.Store {
	t.Helper()
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	return openAt(t, old.(*Store).path)
}

// crash opens a copy of the files, as they are in the middle of things.
func crash(t *testing.T, s bellwire.Store) bellwire.Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "copy.db")
	copyFiles(t, s.(*Store), path)
	return openAt(t, path)
}

// copyFiles copies the database and then its log, as one would find them after a crash at that moment. That
// pages were moved from the log to the database meanwhile does not matter, unless the log began anew.
func copyFiles(t *testing.T, s *Store, path string) {
	t.Helper()
	for {
		before := readFile(t, s.path+"-wal")
		content, log := readFile(t, s.path), readFile(t, s.path+"-wal")
		if len(log) < logHeader || !bytes.Equal(before[:logHeader], log[:logHeader]) {
			continue
		}
		writeFile(t, path, content)
		writeFile(t, path+"-wal", log)
		return
	}
}

// logHeader is the size of a log's header, which changes when it begins anew.
const logHeader = 32

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func writeFile(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// fill forbids the database to grow.
func fill(t *testing.T, s bellwire.Store) (empty func()) {
	t.Helper()
	limit := func(pages string) {
		err := s.(*Store).write(t.Context(), func(w *writer) error { return w.exec("PRAGMA max_page_count = " + pages) })
		if err != nil {
			t.Fatal(err)
		}
	}
	limit("1") // SQLite makes it what there is
	return func() { limit("4294967294") }
}

func beginRequests(t *testing.T, s bellwire.Store, requests int, at time.Time) {
	t.Helper()
	err := s.(*Store).write(t.Context(), func(w *writer) error {
		return w.query(`WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
			INSERT INTO idempotent_requests (tenant, key, digest, try, begun_at, changed, status, answer, bytes, expires_at)
			SELECT 0, n, x'', x'', ?, 0, 0, x'', 0, ? FROM numbers`).
			int(int64(requests)).time(at).time(at.Add(bellwire.RequestWindow)).exec()
	})
	if err != nil {
		t.Fatal(err)
	}
}

// statements are those that were prepared for a database.
type statements struct {
	mu  sync.Mutex
	all []string
}

var allStatements sync.Map // path → *statements

func statementsOf(path string) *statements {
	s, _ := allStatements.LoadOrStore(path, new(statements))
	return s.(*statements)
}

func (s *statements) add(sql string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.all, sql) {
		s.all = append(s.all, sql)
	}
}

// scans are the statements that may read a whole table or index. sqlMostWaiting are others: they read a bounded part of one.
var scans = []string{
	sqlCountOpen, "SELECT count(*) FROM sqlite_schema", // once, when the database is opened
	sqlCatalogue,                   // all of it
	sqlCountEvents,                 // what one tenant has, up to its limit
	sqlAllDeferred, sqlSumDeferred, // of tenants with fan-outs under way
	sqlJobs, sqlOpenJobs, sqlCountJobs, // a page of jobs, and those that have not ended
	sqlUnsettled,      // the first of an index that has no others
	sqlNewestIDs,      // a page of the deliveries of all tenants
	sqlSealedAuths,    // all tenants, when secrets are sealed again
	sqlOwnRetentions,  // all tenants, once a minute
	sqlVersionReaders, // all endpoints, when an operator asks
}

// plans checks that no statement reads a whole table, or sorts its rows.
func plans(t *testing.T, store bellwire.Store) {
	s := store.(*Store)
	checked := 0
	for _, sql := range statementsOf(s.path).all {
		if strings.HasPrefix(sql, "PRAGMA") || slices.Contains(scans, sql) || slices.Contains(sqlMostWaiting, sql) {
			continue
		}
		err := s.read(t.Context(), func(c *db) error {
			plan := planOf(c, sql)
			for _, step := range strings.Split(strings.ReplaceAll(plan, sortOfPage, ""), "\n") {
				if isBadStep(step) {
					t.Errorf("%s\nin the plan of\n%s\n%s", step, sql, plan)
				}
			}
			checked++
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if checked < 40 {
		t.Errorf("only %d statements were seen", checked)
	}
}

// sortOfPage sorts no more than a page, to which the line is limited.
const sortOfPage = "SCAN line\nUSE TEMP B-TREE FOR ORDER BY"

func planOf(c *db, sql string) string {
	var steps []string
	q := c.query("EXPLAIN QUERY PLAN " + sql)
	for q.next() {
		q.skip()
		q.skip()
		q.skip()
		steps = append(steps, q.getText())
	}
	return strings.Join(steps, "\n")
}

func isBadStep(step string) bool {
	switch {
	case strings.Contains(step, "TEMP B-TREE"), strings.Contains(step, "AUTOMATIC"), strings.Contains(step, "PRIMARY KEY (id<?)"):
		return true
	case !strings.HasPrefix(step, "SCAN"):
		return false
	}
	return step != "SCAN line" && step != "SCAN types" && step != "SCAN CONSTANT ROW" && step != "SCAN free" // which has a limit
}
