package postgres

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// TestMigrationsSpareOlderNodes opens a database on which a node of a release runs that needs what the migrations remove. Nothing is
// changed while it lives.
func TestMigrationsSpareOlderNodes(t *testing.T) {
	t.Parallel()
	url := server.NewDatabase(t, "template1")
	conn := connect(t, url)
	makeVersion(t, conn, rules.OldestSchema-1)
	run1(t, conn, "INSERT INTO bellwire.nodes (id, incarnation, renewals, locking, version) VALUES ('old', gen_random_uuid(), 1, 2, '0.1.0')")
	before := fingerprint(t, conn)

	renewing := connect(t, url)
	var ended atomic.Bool
	node := make(chan error, 1)
	go func() {
		for !ended.Load() {
			if _, err := renewing.Exec(t.Context(), "UPDATE bellwire.nodes SET renewals = renewals + 1", pgx.QueryExecModeSimpleProtocol); err != nil {
				node <- err
				return
			}
		}
		node <- nil
	}()
	_, err := Open(t.Context(), url, Options{NoSync: true})
	refused(t, err, bellwire.CodeConflict, `the node "old" (version 0.1.0) runs`)
	if len(before) != len(fingerprint(t, conn)) {
		t.Error("the schema was changed while an older node ran")
	}
	ended.Store(true) // as if it were killed: its row stays
	check(t, <-node)

	const term = 200 * time.Millisecond
	began := time.Now()
	s := openAt(t, url, Options{NoSync: true, LeaseTerm: term})
	if took := time.Since(began); took < term {
		t.Errorf("the schema was changed after %s, before the lease of %s could have ended", took, term)
	}
	if oldest := count1(t, s, "SELECT number FROM bellwire.meta WHERE name = 'schema'"); oldest != rules.OldestSchema {
		t.Errorf("a build needs %d migrations, want %d", oldest, rules.OldestSchema)
	}
}

// A node says how many migrations its build contains. What one says holds for its own process only: a build that does not say it may
// run under the same name later.
func TestNodesSayWhatTheyContain(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	renew(t, s, "a")
	conn, contained := connect(t, s.url), len(migrationFiles())
	for _, c := range []struct {
		what   string
		do     string
		oldest int
		found  int
	}{
		{what: "the node contains as many", oldest: contained},
		{what: "the node contains fewer", oldest: contained + 1, found: 1},
		{
			what: "a build that does not say it has taken the name", oldest: 47, found: 1,
			do: "UPDATE bellwire.nodes SET incarnation = gen_random_uuid(), renewals = renewals + 1",
		},
		{what: "that build has at most what has run", oldest: 46},
	} {
		if c.do != "" {
			run1(t, conn, c.do)
		}
		var members []member
		check(t, s.read(t.Context(), func(tx *tx) (err error) {
			members, err = outdated(tx.query(sqlOutdated, c.oldest, contained))
			return err
		}))
		if len(members) != c.found {
			t.Errorf("%s: %d nodes need less than %d migrations, want %d", c.what, len(members), c.oldest, c.found)
		}
	}
}

// A node was taken for dead while it was cut off, and a newer release has removed what it uses.
func TestOutrunNodesRenewNothing(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	renew(t, s, "a")
	run1(t, connect(t, s.url), "UPDATE bellwire.meta SET number = 9999 WHERE name = 'schema'")
	_, err := s.RenewLeases(t.Context(), "a")
	refused(t, err, bellwire.CodeUnavailable, "was changed by a newer Bellwire")
}
