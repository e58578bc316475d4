package postgres

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/pgtest"
	"github.com/bellwire/bellwire/internal/store/storetest"
)

// limited makes a database for a role that may have so many connections, and returns its URL as that role.
func limited(t *testing.T, connections int) (role, roleURL string) {
	t.Helper()
	admin := server.NewDatabase(t, "")
	role, roleURL = makeRole(t, admin, fmt.Sprintf("CONNECTION LIMIT %d", connections))
	check(t, server.Exec(t.Context(), "GRANT CREATE ON DATABASE "+databaseOf(t, admin)+" TO "+role))
	return role, roleURL
}

// busy has many publish, look and renew at the same time, and nothing of it may fail.
func busy(t *testing.T, s testStore, tenant string) {
	t.Helper()
	e := publication(t, s, tenant)
	var work sync.WaitGroup
	for range 30 {
		work.Go(func() {
			for range 10 {
				next := *e
				next.Event.ID = bellwire.NewID[bellwire.EventKind](time.Now())
				next.Deliveries = nil
				if _, err := s.AppendEvents(t.Context(), []*bellwire.Append{{Events: []*bellwire.NewEvent{&next}}}); err != nil {
					t.Error(err)
				}
				if _, err := s.Tenants(t.Context(), bellwire.Page{Limit: 1}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 10 {
		renew(t, s, "a")
	}
	work.Wait()
}

// If the server allows fewer connections than a node wants, the node works with those, also after all were cut and while
// many operations want one.
func TestFewConnections(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		limit, most int
	}{
		"Shrinks": {8, 0}, "Least": {MinConnections, MinConnections}, "LeastThatIsForced": {MinConnections, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			role, url := limited(t, c.limit)
			s := openAt(t, url, Options{NoSync: true, Connections: c.most})
			l := new(listener)
			listens := l.heard(missed)
			ctx, stop := context.WithCancel(t.Context())
			var watch sync.WaitGroup
			watch.Go(func() {
				for ctx.Err() == nil {
					_ = s.Watch(ctx, l.tell) // the engine goes on, too
				}
			})
			defer watch.Wait()
			defer stop()
			busy(t, s, "before")
			waitFor(t, listens)
			listens = l.heard(missed)
			check(t, server.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '"+role+"'"))
			var hurry sync.WaitGroup
			for range 30 {
				hurry.Go(func() { // they take all connections, some before they learn that theirs was cut
					for s.Check(t.Context()) != nil {
					}
				})
			}
			waitFor(t, func() bool { _, err := s.RenewLeases(t.Context(), "a"); return err == nil })
			hurry.Wait()
			waitFor(t, listens)
			busy(t, s, "after")
		})
	}
}

// A node closes connections that it does not use, so that another node can start.
func TestIdleConnectionsAreGivenBack(t *testing.T) {
	t.Parallel()
	_, url := limited(t, 6)
	first := openAt(t, url, Options{NoSync: true, IdleFor: 100 * time.Millisecond})
	busy(t, first, "acme")
	waitFor(t, func() bool {
		second, err := Open(t.Context(), url, Options{NoSync: true})
		if err != nil {
			refused(t, err, bellwire.CodeUnavailable, "--database-connections")
			return false
		}
		defer second.Close()
		renew(t, testStore{second, url}, "b")
		return true
	})
}

// A pooler has limits, too.
func TestPoolerWithFewConnections(t *testing.T) {
	t.Parallel()
	pgtest.Needed(t)
	narrow, err := server.StartPooler("max_client_conn = 8")
	check(t, err)
	defer narrow.Stop()
	direct := newStore(t, Options{})
	busy(t, openAt(t, narrow.URL(direct.url), Options{NoSync: true}), "acme")
}

// TestReadsLeaveConnections has callers read on all connections that there are for it. Keys are found all the same. If those
// who look for keys have theirs too, events are taken, and so on.
func TestReadsLeaveConnections(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	e := publication(t, s, "acme")
	key := &bellwire.Key{ID: bellwire.NewID[bellwire.KeyKind](time.Now()), Tenant: "acme"}
	check(t, s.CreateKey(t.Context(), key))
	lists := func(ctx context.Context) error {
		_, err := s.Deliveries(ctx, bellwire.DeliveryFilter{Tenant: "acme"}, bellwire.Page{Limit: 1})
		return err
	}
	lookUp := func(ctx context.Context) error { _, err := s.Key(ctx, key.ID); return err }
	takeAll(t, s.lists, lists)
	check(t, lookUp(t.Context()))
	takeAll(t, s.lookups, lookUp)
	leases := renew(t, s, "a")
	for name, work := range map[string]func() error{
		"events": func() error {
			_, err := s.AppendEvents(t.Context(), []*bellwire.Append{{Events: []*bellwire.NewEvent{e}}})
			return err
		},
		"what is due": func() error { _, err := storetest.DueEndpoints(t.Context(), s, leases); return err },
		"readiness":   func() error { return s.Check(t.Context()) },
		"metrics":     func() error { _, err := s.Backlog(t.Context()); return err },
	} {
		t.Run(name, func(t *testing.T) {
			if err := work(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// takeAll borrows connections until there are no more, for which a read then waits in vain.
func takeAll(t *testing.T, p *part, read func(context.Context) error) {
	t.Helper()
	for p.turns.TryAcquire(1) {
		t.Cleanup(func() { p.turns.Release(1) })
		conn, err := p.lender.borrow(t.Context())
		check(t, err)
		t.Cleanup(func() { p.lender.release(conn) })
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := read(ctx); bellwire.CodeOf(err) != bellwire.CodeUnavailable {
		t.Errorf("without a connection: %v", err)
	}
}

// TestListsHaveTheirOwn looks which connections lists are lent: a few of their own, and those for work while the server has no others.
func TestListsHaveTheirOwn(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{Connections: reserved + leastForLists})
	lends := func() (own bool) {
		conn, err := s.lists.borrow(t.Context())
		check(t, err)
		defer s.lists.release(conn)
		return conn.Conn().PgConn().CustomData()[ofLists] != nil
	}
	if !lends() {
		t.Error("lists share the connections for work")
	}
	if !s.pool.shorten() {
		t.Error("lists have no connection to give back")
	}
	if lends() {
		t.Error("while there are too few connections, lists have their own")
	}
	few := newStore(t, Options{Connections: reserved + leastForLists - 1})
	if _, own := few.lists.lender.(*listPool); own {
		t.Error("of few connections, some are for lists only")
	}
}
