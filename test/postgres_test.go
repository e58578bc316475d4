package test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/bellwire/bellwire/internal/pgtest"
	"github.com/bellwire/bellwire/internal/store/postgres"
)

// database is a PostgreSQL database for a test.
type database struct {
	*pgtest.Server // nil where other tests use it, too
	url            string
	pool           *pgxpool.Pool // for queries that are repeated: a connection for each costs more than they do
}

// databaseAt returns the database at a URL, and the option that connects to it.
func databaseAt(t *testing.T, own *pgtest.Server, url string) (d *database, option string) {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return &database{own, url, pool}, "--database-url=" + url
}

// Crash ends the server at once, and the pool's connections with it.
func (d *database) Crash() error {
	err := d.Server.Crash()
	d.pool.Reset()
	return err
}

// startPostgres starts a PostgreSQL server with an empty database for a test that needs one of its own, and returns the option
// that connects to it.
func startPostgres(t *testing.T) (own *database, option string) {
	t.Helper()
	pgtest.Needed(t)
	server, err := pgtest.Start(pgtest.Durable...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return databaseAt(t, server, server.URL("postgres"))
}

// newDatabase makes a database with the schema on the server that tests share, and returns the option that connects to it. That
// saves most tests the start of a server and the making of the schema.
func newDatabase(t *testing.T) (shared *database, option string) {
	t.Helper()
	pgtest.Needed(t)
	server, err := sharedPostgres()
	if err != nil {
		t.Fatal(err)
	}
	return databaseAt(t, nil, server.NewDatabase(t, template))
}

// template is the database of the shared server that has the schema and nothing else.
const template = "bellwire_template"

// sharedPostgres returns the server that tests share, and starts it for the first of them. stopSharedPostgres stops it.
var sharedPostgres = sync.OnceValues(func() (server *pgtest.Server, err error) {
	if server, err = pgtest.Start(pgtest.Durable...); err != nil {
		return nil, err
	}
	stopSharedPostgres = server.Stop
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := server.Exec(ctx, "CREATE DATABASE "+template); err != nil {
		return nil, err
	}
	store, err := postgres.Open(ctx, server.URL(template), postgres.Options{})
	if err != nil {
		return nil, err
	}
	return server, store.Close()
})

var stopSharedPostgres = func() error { return nil }

// Killed at random moments on PostgreSQL, each time with a node after it that has to wait for the leases of the dead.
func TestChaosOfKillsOnPostgres(t *testing.T) {
	t.Parallel()
	_, option := newDatabase(t)
	chaos(t, 0.2, killed, option)
}

// Terminated at random moments on PostgreSQL: the next node takes over at once, and nothing is sent again.
func TestChaosOfTerminationsOnPostgres(t *testing.T) {
	t.Parallel()
	_, option := newDatabase(t)
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
	database, option := newDatabase(t)
	disturb, end := killedBesideStandby(t, database)
	chaos(t, 0.2, disturb, option)
	end()
}

// killedBesideStandby returns a disturbance that kills the node which is published to: another one stands by and goes on. The
// end terminates the last that stood by.
func killedBesideStandby(t *testing.T, database *database) (disturb disturbance, end func()) {
	var standby *server
	disturb = func(s *server, start func() *server) *server {
		if standby == nil {
			standby = start()
			eventually(t, "both nodes have their share", func() bool { return len(database.held(t)) == 2 })
		}
		s.kill()
		next := standby
		standby = start()
		return next
	}
	return disturb, func() { standby.terminate() }
}

// held returns how many shards each node holds.
func (d *database) held(t *testing.T) map[string]int {
	t.Helper()
	rows, err := d.pool.Query(t.Context(), "SELECT node, count(*) FROM bellwire.shards WHERE node IS NOT NULL GROUP BY node")
	if err != nil {
		t.Fatal(err)
	}
	held := make(map[string]int)
	var (
		name string
		n    int
	)
	if _, err := pgx.ForEachRow(rows, []any{&name, &n}, func() error { held[name] = n; return nil }); err != nil {
		t.Fatal(err)
	}
	return held
}

// What is changed on one node counts on the other: for a publish the moment it was answered, and soon for all else.
func TestConfigurationOfTwoNodes(t *testing.T) {
	t.Parallel()
	_, option := newDatabase(t)
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
