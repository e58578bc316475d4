package test

import (
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/pgtest"
)

// startPooler starts a PgBouncer before a database server, for a test.
func startPooler(t *testing.T, database *database) *pgtest.Pooler {
	t.Helper()
	pooler, err := database.StartPooler()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pooler.Stop(); err != nil {
			t.Error(err)
		}
	})
	return pooler
}

// PgBouncer between the server and PostgreSQL is killed again and again under load. Publishers are told to try again,
// nothing that was acknowledged is lost, and work goes on by itself.
func TestChaosOfDyingPgBouncer(t *testing.T) {
	t.Parallel()
	database, _ := startPostgres(t)
	direct := database.url
	pooler := startPooler(t, database)
	chaos(t, 0.2, func(s *server, _ func() *server) *server {
		s.addTypeSoon("load")
		if err := pooler.Kill(); err != nil {
			t.Error(err)
		}
		eventually(t, "publishers are told to try again later", func() bool { return s.retryAfter() >= 1 })
		if err := pooler.Restart(); err != nil {
			t.Error(err)
		}
		s.becomesReady()
		return s
	}, "--database-url="+pooler.URL(direct), "--database-direct-url="+direct)
}

// slowestPublish publishes on each server in turn, and returns how long the slowest event was on its way.
func slowestPublish(t *testing.T, r *receiver, servers ...*server) (slowest time.Duration) {
	t.Helper()
	for range 3 {
		for _, s := range servers {
			start := time.Now()
			r.await(t, []string{s.publishCard(`{"n": 1}`)})
			slowest = max(slowest, time.Since(start))
		}
	}
	return slowest
}

// Through a pooler alone no notification comes. What one node stores for the other is found all the same, and the log
// says that it is found late; with a URL past the pooler, or if it is forwarded, it comes at once.
func TestNodesBehindPgBouncer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		direct, forwards bool
		within           time.Duration // of each publish on either node, in one round of five: a busy machine may be late
	}{
		"Alone":     {within: patience},
		"Direct":    {direct: true, within: time.Second},
		"Forwarded": {forwards: true, within: patience},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			database, _ := startPostgres(t)
			args := append([]string{"--database-url=" + startPooler(t, database).URL(database.url)}, local...)
			if c.direct {
				args = append(args, "--database-direct-url="+database.url)
			}
			if c.forwards {
				args = append(args, "--node-listen=127.0.0.1:0")
			}
			dir := t.TempDir()
			here := startServer(t, dir, args...)
			there := startServer(t, dir, args...)
			eventually(t, "both nodes have their share", func() bool { return len(database.held(t)) == 2 })
			r := startReceiver(t, 0)
			here.subscribe(r.url)
			if c.forwards {
				publishUntilForwarded(t, here, there)
			}
			missed := total(notForwardedCount, here, there)
			slowest := slowestPublish(t, r, here, there)
			for range 4 {
				if slowest <= c.within {
					break
				}
				slowest = slowestPublish(t, r, here, there)
			}
			if slowest > c.within {
				t.Errorf("it was delivered after %v", slowest)
			}
			if c.forwards && total(notForwardedCount, here, there) > missed {
				t.Error("a delivery was not forwarded")
			}
			for _, s := range []*server{here, there} {
				if warned := strings.Contains(s.logged(), "--database-direct-url leads past the pooler"); warned == c.direct {
					t.Errorf("it is %v that the log warns of the pooler", warned)
				}
			}
		})
	}
}

// publishUntilForwarded publishes on both nodes until a delivery has been forwarded.
func publishUntilForwarded(t *testing.T, nodes ...*server) {
	t.Helper()
	eventually(t, "deliveries are forwarded", func() bool {
		for _, s := range nodes {
			s.publishCard(`{"n": 0}`)
		}
		return total(forwardedCount, nodes...) > 0
	})
}
