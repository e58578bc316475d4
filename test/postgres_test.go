package test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/pgtest"
)

// startPostgres starts a database server for a test, and returns the option that leads there.
func startPostgres(t *testing.T) (database *pgtest.Server, option string) {
	t.Helper()
	database, err := pgtest.Start(pgtest.Durable...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := database.Stop(); err != nil {
			t.Error(err)
		}
	})
	return database, "--database-url=" + database.URL("postgres")
}

// Killed at random moments on PostgreSQL, each time with a node after it that has to wait for the leases of the dead.
func TestChaosOfKillsOnPostgres(t *testing.T) {
	t.Parallel()
	_, option := startPostgres(t)
	chaos(t, 0.2, killed, option)
}

// Terminated at random moments on PostgreSQL: the next node takes over at once, and nothing is sent again.
func TestChaosOfTerminationsOnPostgres(t *testing.T) {
	t.Parallel()
	_, option := startPostgres(t)
	if l := chaos(t, 0, terminated, option); l.again > 0 {
		t.Errorf("%d requests were repeated after a success", l.again)
	}
}

// PostgreSQL itself dies at random moments, and comes back: the server goes on by itself, and has lost nothing.
func TestChaosOfDyingPostgres(t *testing.T) {
	t.Parallel()
	database, option := startPostgres(t)
	chaos(t, 0.2, func(s *server, _ func() *server) *server {
		s.addType("load")
		if err := database.Crash(); err != nil {
			t.Error(err)
		}
		eventually(t, "publishers are told to try again later", func() bool { return s.retryAfter() >= 1 })
		if err := database.Restart(); err != nil {
			t.Error(err)
		}
		s.becomesReady()
		return s
	}, option)
}

// Two nodes share a database, and the one that is published to is killed again and again: the other goes on at once,
// takes over what the dead one owned, and the order of first receipts holds.
func TestChaosOfTwoNodes(t *testing.T) {
	t.Parallel()
	database, option := startPostgres(t)
	var standby *server
	chaos(t, 0.2, func(s *server, start func() *server) *server {
		if standby == nil {
			standby = start()
			eventually(t, "both nodes have their share", func() bool { return len(nodes(t, database)) == 2 })
		}
		s.kill()
		next := standby
		standby = start()
		return next
	}, option)
	standby.terminate()
}

// nodes returns the nodes that hold shards.
func nodes(t *testing.T, database *pgtest.Server) []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), "SELECT DISTINCT node FROM bellwire.shards WHERE node IS NOT NULL")
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return names
}
