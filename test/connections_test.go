package test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// A role that may have few connections is enough, also when all of them are cut under load: leases are kept, nothing is
// refused for want of a connection, and everything is delivered.
func TestRoleWithFewConnections(t *testing.T) {
	t.Parallel()
	database, _ := startPostgres(t)
	for _, sql := range []string{"CREATE ROLE low LOGIN CONNECTION LIMIT 8", "GRANT CREATE ON DATABASE postgres TO low"} {
		if err := database.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	s := startServer(t, t.TempDir(), append([]string{"--database-url=" + strings.Replace(database.url, "postgres@", "low@", 1)}, local...)...)
	r := startReceiver(t, 0)
	s.subscribe(r.url)
	s.addType("load")
	load := func() {
		t.Helper()
		var (
			work sync.WaitGroup
			mu   sync.Mutex
			ids  []string
		)
		for range 40 {
			work.Go(func() {
				for range 5 {
					id, err := s.publish("load", []byte("1"))
					if err != nil {
						t.Error(err)
						return
					}
					if status, _, err := s.do("GET", "/tenants/acme/events?limit=5", nil); err != nil || status != http.StatusOK {
						t.Errorf("a list is answered %d (%v)", status, err)
					}
					mu.Lock()
					ids = append(ids, id)
					mu.Unlock()
				}
			})
		}
		work.Wait()
		r.await(t, ids)
	}
	load()
	if err := database.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'low'"); err != nil {
		t.Fatal(err)
	}
	var hurry sync.WaitGroup
	for range 40 { // all want a connection before the one for leases is missed, until none of those that broke is left
		hurry.Go(func() {
			eventually(t, "lists are answered again", func() bool {
				for range 10 {
					if status, _, err := s.do("GET", "/tenants/acme/events?limit=5", nil); err != nil || status != http.StatusOK {
						return false
					}
				}
				return true
			})
		})
	}
	hurry.Wait()
	s.becomesReady()
	load()
	s.terminate()
}

// A node that cannot renew its leases takes events and sends none. It says so, and goes on by itself.
func TestNodeWithoutLeasesIsNotReady(t *testing.T) {
	t.Parallel()
	database, option := newDatabase(t)
	s := startServer(t, t.TempDir(), append([]string{option}, local...)...)
	r := startReceiver(t, 0)
	s.subscribe(r.url)
	s.addType("load")
	stranger, err := pgx.Connect(t.Context(), database.url)
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close(t.Context())
	const lock = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0; SELECT FROM bellwire.meta WHERE name = 'leases' FOR UPDATE"
	if _, err := stranger.Exec(t.Context(), lock); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the node is not ready", func() bool {
		status, body := s.get("/readyz")
		return status == http.StatusServiceUnavailable && strings.Contains(body, "leases")
	})
	if _, metrics := s.get("/metrics"); !strings.Contains(metrics, "bellwire_owned_shards 0\n") {
		t.Error("the metrics show shards")
	}
	id, err := s.publish("load", []byte("1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stranger.Exec(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	s.becomesReady()
	r.await(t, []string{id})
	if _, metrics := s.get("/metrics"); !strings.Contains(metrics, "bellwire_owned_shards 256\n") {
		t.Error("the metrics do not show all shards")
	}
	if !strings.Contains(s.logged(), `"msg":"shards taken over","shards":256`) {
		t.Error("the log does not say that the node took over shards")
	}
}
