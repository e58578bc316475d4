package test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/pgtest"
)

// startPostgres starts a PostgreSQL server for a test, and returns the option that connects to it.
func startPostgres(t *testing.T) (database *pgtest.Server, option string) {
	t.Helper()
	pgtest.Needed(t)
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
		s.addTypeSoon("load")
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

// Two nodes share a database, and the one that gets the publishes is killed again and again: the other continues at once,
// takes over the shards of the killed one, and keeps the order of first receipts.
func TestChaosOfTwoNodes(t *testing.T) {
	t.Parallel()
	database, option := startPostgres(t)
	disturb, end := killedBesideStandby(t, database)
	chaos(t, 0.2, disturb, option)
	end()
}

// killedBesideStandby returns a disturbance that kills the node which is published to: another one stands by and goes on. The
// end terminates the last that stood by.
func killedBesideStandby(t *testing.T, database *pgtest.Server) (disturb disturbance, end func()) {
	var standby *server
	disturb = func(s *server, start func() *server) *server {
		if standby == nil {
			standby = start()
			eventually(t, "both nodes have their share", func() bool { return len(nodes(t, database)) == 2 })
		}
		s.kill()
		next := standby
		standby = start()
		return next
	}
	return disturb, func() { standby.terminate() }
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

// What is changed on one node counts on the other: for a publish the moment it was answered, and soon for all else.
func TestConfigurationOfTwoNodes(t *testing.T) {
	t.Parallel()
	_, option := startPostgres(t)
	dir := t.TempDir()
	here := startServer(t, dir, option)
	there := startServer(t, dir, option)
	here.call("POST", "/tenants", `{"id": "acme"}`, nil)
	for n := range 20 {
		eventType := fmt.Sprintf("type.%d", n)
		here.addType(eventType)
		if _, err := there.publish(eventType, []byte("1")); err != nil { // nobody wants it, and the other node knows the tenant
			t.Fatal(err)
		}
		var ep endpoint
		here.call("POST", "/tenants/acme/endpoints", fmt.Sprintf(`{"url": "https://example.invalid", "events": [%q]}`, eventType), &ep)
		id, err := there.publish(eventType, []byte("2"))
		if err != nil {
			t.Fatal(err)
		}
		var event struct{ Deliveries int }
		there.call("GET", "/tenants/acme/events/"+id, "", &event)
		if event.Deliveries != 1 {
			t.Fatalf("after endpoint %d was made, a publish on the other node has %d deliveries", n, event.Deliveries)
		}
	}
	var key struct{ ID, Secret string }
	here.call("POST", "/keys", `{"name": "gone", "role": "publisher"}`, &key)
	with := func(s *server, key string) int {
		as := &server{t: t, url: s.url, key: key}
		status, _, err := as.do("GET", "/event-types", nil)
		if err != nil {
			t.Fatal(err)
		}
		return status
	}
	if status := with(there, key.Secret); status != http.StatusOK {
		t.Fatalf("the new key is answered %d", status)
	}
	here.call("DELETE", "/keys/"+key.ID, "", nil)
	eventually(t, "the deleted key is refused by the other node", func() bool { return with(there, key.Secret) == http.StatusUnauthorized })
}
