package postgres

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/pgtest"
	"github.com/bellwire/bellwire/internal/store/storetest"
	"github.com/bellwire/bellwire/internal/testenv"
)

var (
	server *pgtest.Server
	pooler *pgtest.Pooler // before it
)

// template is a database with the schema, so that not every test has to make it.
const template = "bellwire_template"

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	testenv.Cases(10) // one takes a hundred round trips or so
	if !testing.Short() {
		stop, err := startServers()
		defer stop()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// startServers starts what all tests share. Under -short nothing is started, and tests that need it are skipped.
func startServers() (stop func(), err error) {
	if server, err = pgtest.Start(); err != nil {
		return func() {}, err
	}
	stop = func() { server.Stop() }
	if err := makeTemplate(); err != nil {
		return stop, err
	}
	if pooler, err = server.StartPooler(); err != nil {
		return stop, err
	}
	return func() { pooler.Stop(); server.Stop() }, nil
}

func makeTemplate() error {
	ctx := context.Background()
	if err := server.Exec(ctx, "CREATE DATABASE "+template); err != nil {
		return err
	}
	s, err := Open(ctx, server.URL(template), Options{NoSync: true})
	if err != nil {
		return err
	}
	return s.Close()
}

// poolerParts are the parts of the suite that run through a pooler as well. They execute every statement, and cover what connections
// of a pooler change: transactions of several clients at a time, leases, and sessions. The rest depends on the store alone.
var poolerParts = []string{
	"Verbs", "Append", "Claim", "Concurrency", "Endpoints", "EventTypes", "Forward", "History", "Holds", "Idempotency", "Leases", "Nodes",
	"Purge", "Replay", "Sessions", "Store", "Tenants", "Retention/KeepsIdsForTheirWindow",
}

func TestStore(t *testing.T) {
	t.Parallel()
	for _, way := range []struct {
		name    string
		through func(url string) string
		most    int // connections
		hooks   storetest.Hooks
	}{
		{name: "Direct", through: func(url string) string { return url }, most: MinConnections},
		{name: "Pooled", through: pooler.URL, most: 8, hooks: storetest.Hooks{Brief: true, Only: poolerParts}},
	} {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			way.hooks.Reopen, way.hooks.Begin = reopen, beginRequests
			storetest.Run(t, func(t *testing.T) bellwire.Store {
				return openAt(t, way.through(server.NewDatabase(t, template)), Options{
					NoSync: true, Connections: way.most, StatisticsKept: storetest.Kept,
					LeaseTerm: time.Minute, // half of it is how long a transaction may stand still, as it does on a slow machine
				})
			}, way.hooks)
		})
	}
}

// testStore is a store that can be opened again.
type testStore struct {
	*Store
	url string
}

func openAt(t *testing.T, url string, o Options) testStore {
	t.Helper()
	s, err := Open(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return testStore{s, url}
}

func reopen(t *testing.T, old bellwire.Store) bellwire.Store {
	t.Helper()
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	s := old.(testStore)
	return openAt(t, s.url, s.options)
}

func beginRequests(t *testing.T, s bellwire.Store, requests int, at time.Time) {
	t.Helper()
	err := s.(testStore).write(t.Context(), func(tx *tx) error {
		return tx.exec(`INSERT INTO bellwire.idempotent_requests (tenant, key, digest, try, begun_at, changed, status, answer, bytes, expires_at)
			SELECT 0, n, '', gen_random_uuid(), $2::timestamptz, false, 0, '', 0, $3 FROM generate_series(1, $1::int) n`,
			requests, at, at.Add(bellwire.RequestWindow))
	})
	if err != nil {
		t.Fatal(err)
	}
}
