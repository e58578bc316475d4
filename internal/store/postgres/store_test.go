package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/pgtest"
	"github.com/bellwire/bellwire/internal/store/storetest"
)

func refused(t *testing.T, err error, code bellwire.Code, says string) {
	t.Helper()
	var e *bellwire.Error
	if !errors.As(err, &e) || e.Code != code || !strings.Contains(e.Message, says) {
		t.Fatalf("got %v, want an error with the code %q that says %q", err, code, says)
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newStore opens a store on a database of its own. Unless a test sets the term of leases, they outlast its steps on a slow machine.
func newStore(t *testing.T, o Options) testStore {
	t.Helper()
	o.NoSync = true
	o.LeaseTerm = cmp.Or(o.LeaseTerm, time.Minute)
	return openAt(t, server.NewDatabase(t, template), o)
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	_, err := Open(t.Context(), s.url, Options{})
	refused(t, err, bellwire.CodeUnavailable, "fsync off")

	check(t, s.write(t.Context(), func(tx *tx) error {
		return tx.exec("UPDATE bellwire.meta SET number = 9999 WHERE name = 'schema'")
	}))
	_, err = Open(t.Context(), s.url, Options{NoSync: true})
	refused(t, err, bellwire.CodeUnavailable, "newer Bellwire")
}

// The error of a failed start says what is wrong, with what, and what to do. It says so once, and never shows a password.
func TestStartErrors(t *testing.T) {
	t.Parallel()
	pgtest.Needed(t)
	at := hostOf(server.URL("postgres"))
	const port = "127.0.0.1:1"
	for url, says := range map[string]string{
		"postgres://user:hunter2@" + port + "/base?connect_timeout=1": "the database at " + port +
			" cannot be reached; check that it is running and that --database-url is right: dial tcp " + port + ": connect: connection refused",
		"postgres://user:hunter2@[/base":                                "the database URL must be postgres://user:password@host:port/database; in the password, write / as %2F, @ as %40, ? as %3F, # as %23 and % as %25",
		"postgres://user:h@x/hunter2@" + at + "/base":                   "the database URL must be postgres://user:password@host:port/database; in the password, write / as %2F, @ as %40, ? as %3F, # as %23 and % as %25",
		"postgres://%2Fvar%2Frun/base":                                  "the database URL must name the directory of a socket by a parameter: postgres:///database?host=/var/run/postgresql",
		"postgres://" + at:                                              "the database URL must name a database: postgres://user@host:port/database",
		"postgres://" + at + "/base?pool_max_conns=3":                   "the database URL must not have the parameter pool_max_conns; use --database-connections for the number of connections",
		"postgres://postgres:hunter2@" + at + "/base?sslmode=disable":   "database \"base\" does not exist at " + at + "; create it (CREATE DATABASE) or correct --database-url",
		"postgres://postgres:hunter2@" + at + "/?dbname=base2":          "database \"base2\" does not exist at " + at + "; create it (CREATE DATABASE) or correct --database-url",
		"postgres://nobody:hunter2@" + at + "/postgres?sslmode=disable": "the database at " + at + " refuses the user \"nobody\"; check the user and the password in --database-url: FATAL: role \"nobody\" does not exist (SQLSTATE 28000)",
		"postgres://postgres:hunter2@/postgres?host=/nowhere":           "the database at /nowhere cannot be reached; check that it is running and that --database-url is right: dial unix /nowhere/.s.PGSQL.5432: connect: no such file or directory",
	} {
		t.Run(url, func(t *testing.T) {
			_, err := Open(t.Context(), url, Options{NoSync: true})
			refused(t, err, bellwire.CodeUnavailable, "")
			if err.Error() != says {
				t.Errorf("%s:\n got %s\nwant %s", url, err, says)
			}
		})
	}
}

// During a failover the database may be a read-only standby for a while. That is not the fault of an operation, and ends by
// itself.
func TestStandby(t *testing.T) {
	t.Parallel()
	pgtest.Needed(t)
	own, err := pgtest.Start()
	check(t, err)
	defer own.Stop()
	s := openAt(t, own.URL("postgres"), Options{NoSync: true})
	e := publication(t, s, "acme")
	check(t, own.Demote())
	unavailable := func(what string, err error) {
		t.Helper()
		if bellwire.CodeOf(err) != bellwire.CodeUnavailable {
			t.Errorf("on a standby, %s ends with: %v", what, err)
		}
	}
	for range 20 { // on each connection, also those that were cut
		unavailable("a look whether it is ready", s.Check(t.Context()))
	}
	_, err = s.AppendEvents(t.Context(), []*bellwire.Append{{Events: []*bellwire.NewEvent{e}}})
	unavailable("a publish", err)
	_, err = s.RenewLeases(t.Context(), "a")
	unavailable("a renewal", err)
	_, err = Open(t.Context(), s.url, s.options)
	refused(t, err, bellwire.CodeUnavailable, "check that it is the primary")
	if _, err := s.Tenant(t.Context(), "acme"); err != nil {
		t.Errorf("it cannot be read: %v", err)
	}
	check(t, own.Promote(t.Context()))
	waitFor(t, func() bool { return s.Check(t.Context()) == nil })
	publish(t, s, e)
}

// TestOpenTogether has several nodes make the schema at once.
func TestOpenTogether(t *testing.T) {
	t.Parallel()
	url := server.NewDatabase(t, "")
	var nodes sync.WaitGroup
	for range 4 {
		nodes.Go(func() {
			s, err := Open(t.Context(), url, Options{NoSync: true})
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	nodes.Wait()
}

func TestErrorsAreTranslated(t *testing.T) {
	t.Parallel()
	s := &Store{location: "postgres://host/db"}
	for _, c := range []struct {
		err  error
		code bellwire.Code
	}{
		{&pgconn.PgError{Code: "53100"}, bellwire.CodeNoSpace},
		{&pgconn.PgError{Code: "53300"}, bellwire.CodeUnavailable}, // too many connections
		{&pgconn.PgError{Code: "57P01"}, bellwire.CodeUnavailable}, // shutdown
		{&pgconn.PgError{Code: "57014"}, bellwire.CodeUnavailable}, // timeout
		{&pgconn.PgError{Code: "40P01"}, bellwire.CodeUnavailable}, // deadlock
		{&pgconn.PgError{Code: "28P01"}, bellwire.CodeUnavailable},
		{&pgconn.PgError{Code: "25006"}, bellwire.CodeUnavailable},
		{&pgconn.PgError{Code: "0A000"}, bellwire.CodeUnavailable}, // to begin writing on a standby
		{&pgconn.PgError{Code: "22021"}, bellwire.CodeInvalid},
		{&pgconn.PgError{Code: "42601"}, bellwire.CodeInternal},
		{&pgconn.ConnectError{}, bellwire.CodeUnavailable},
		{fmt.Errorf("read: %w", io.ErrUnexpectedEOF), bellwire.CodeUnavailable},
		{&net.OpError{Op: "read", Err: errors.New("reset")}, bellwire.CodeUnavailable},
		{context.DeadlineExceeded, bellwire.CodeUnavailable},
		{errRetry, bellwire.CodeUnavailable},
		{bellwire.NotFound("tenant", "a"), bellwire.CodeNotFound},
	} {
		if code := bellwire.CodeOf(s.translate(c.err)); code != c.code {
			t.Errorf("%v became %q, want %q", c.err, code, c.code)
		}
	}
}

// patience is for what happens at once where the machine is idle and fast.
const patience = 2 * time.Minute

// waitFor polls until the condition holds.
func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for !condition() {
		if ctx.Err() != nil {
			t.Fatal("it did not come about")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// publication makes a tenant with an endpoint, and an event for it.
func publication(t *testing.T, s testStore, name string) *bellwire.NewEvent {
	t.Helper()
	now := time.Now()
	check(t, s.CreateTenant(t.Context(), &bellwire.Tenant{ID: name, CreatedAt: now}))
	check(t, s.CreateEndpoint(t.Context(), &bellwire.Endpoint{ID: "ep_" + name, Tenant: name, CreatedAt: now}, bellwire.ChangeNote{}))
	id := bellwire.NewID[bellwire.EventKind](now)
	return &bellwire.NewEvent{
		Event:      bellwire.Event{ID: id, Tenant: name, Type: "a", Data: []byte("1"), CreatedAt: now},
		Deliveries: []bellwire.NewDelivery{{ID: bellwire.DeliveryOf(id, 0), Endpoint: "ep_" + name}},
	}
}

func publish(t *testing.T, s testStore, e *bellwire.NewEvent) {
	t.Helper()
	results, err := s.AppendEvents(t.Context(), []*bellwire.Append{{Events: []*bellwire.NewEvent{e}}})
	check(t, err)
	check(t, results[0].Err)
}

func TestWatchReportsOtherNodes(t *testing.T) {
	t.Parallel()
	here := newStore(t, Options{})
	there := openAt(t, here.url, here.options)
	e := publication(t, there, "acme")
	renew(t, here, "here")
	ctx, cancel := context.WithCancel(t.Context())
	var (
		mu      sync.Mutex
		notices = make(map[string]bool)
		watch   sync.WaitGroup
	)
	watch.Go(func() {
		_ = here.Watch(ctx, func(n bellwire.Notification) {
			mu.Lock()
			defer mu.Unlock()
			for _, endpoint := range n.Endpoints {
				notices[endpoint] = true
			}
			notices["tenant "+n.Tenant] = notices["tenant "+n.Tenant] || n.Tenant != ""
			notices["configuration"] = notices["configuration"] || n.Configuration
		})
	})
	heard := func(what string) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			return notices[what]
		}
	}
	waitFor(t, func() bool { // from here on it listens
		check(t, there.tell(t.Context(), message{Endpoints: []string{"listening"}}))
		return heard("listening")()
	})
	publish(t, there, e)
	waitFor(t, heard("ep_acme"))
	tenant, err := there.Tenant(t.Context(), "acme")
	check(t, err)
	check(t, there.UpdateTenant(t.Context(), tenant))
	waitFor(t, heard("tenant acme"))
	_, err = there.PutEventType(t.Context(), &bellwire.EventType{Name: "a"})
	check(t, err)
	waitFor(t, heard("configuration"))
	publication(t, here, "own")
	publish(t, there, publication(t, there, "last"))
	waitFor(t, heard("ep_last"))
	if heard("tenant own")() {
		t.Error("a node hears of itself")
	}
	cancel()
	watch.Wait()
	if t.Failed() {
		t.Log(slices.Collect(maps.Keys(notices)))
	}
}

// tell tells other nodes in a transaction of its own.
func (s testStore) tell(ctx context.Context, m message) error {
	return s.write(ctx, func(tx *tx) error { return s.notify(tx, m) })
}

func TestNoticesFitIntoTheirPayload(t *testing.T) {
	t.Parallel()
	var want []string
	for n := range 2000 {
		want = append(want, fmt.Sprintf("endpoint_%030d", n))
	}
	var got []string
	for _, payload := range new(Store).encode(message{Endpoints: want}) {
		if len(payload) > 7999 {
			t.Errorf("a payload has %d bytes", len(payload))
		}
		var n message
		check(t, json.Unmarshal([]byte(payload), &n))
		got = append(got, n.Endpoints...)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d of %d endpoints are named", len(got), len(want))
	}
}

// TestNewRowsHavePartitions checks in which partition new rows are.
func TestNewRowsHavePartitions(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	publish(t, s, publication(t, s, "acme"))
	for _, table := range []string{"events", "deliveries"} {
		var name string
		check(t, s.read(t.Context(), func(tx *tx) error {
			return tx.row("SELECT tableoid::regclass::text FROM bellwire." + table).Scan(&name)
		}))
		if name == "bellwire."+table+"_default" {
			t.Errorf("a new row is in %s", name)
		}
	}
	check(t, s.makePartitions(t.Context(), time.Now().Add(1000*time.Hour))) // again, and more
}

// TestClaimOfUnknownOutcome loses the answer to a claim's commit: the next claim must return the same deliveries.
func TestClaimOfUnknownOutcome(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	e := publication(t, s, "acme")
	publish(t, s, e)
	epoch := renew(t, s, "a").Epoch("ep_acme")
	claims := []bellwire.Claim{{Endpoint: "ep_acme", Epoch: epoch, Limit: 10, ManualLimit: 100, MaxBytes: 100}}
	taken, err := s.ClaimDue(t.Context(), time.Now(), claims)
	check(t, err)
	s.pending.addClaims([]bellwire.ClaimToken{{Delivery: taken[0].Due[0].Delivery.ID, Epoch: epoch}}) // as if it had not been answered
	again, err := s.ClaimDue(t.Context(), time.Now(), claims)
	check(t, err)
	if len(again[0].Due) != 1 {
		t.Fatal("it is lost until the next epoch")
	}
	if last, err := s.ClaimDue(t.Context(), time.Now(), claims); err != nil || len(last[0].Due) != 0 {
		t.Fatalf("it was claimed twice: %v", err)
	}
}

// A claim that got no answer may be under way still when the next one is made.
func TestClaimThatIsUnderWay(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	e := publication(t, s, "acme")
	publish(t, s, e)
	epoch, id := renew(t, s, "a").Epoch("ep_acme"), e.Deliveries[0].ID
	earlier, err := s.pool.Begin(t.Context())
	check(t, err)
	_, err = earlier.Exec(t.Context(), "UPDATE bellwire.deliveries SET epoch = $1 WHERE id = $2", epoch, [16]byte(id))
	check(t, err)
	s.pending.addClaims([]bellwire.ClaimToken{{Delivery: id, Epoch: epoch}})

	claimed := make(chan int, 1)
	go func() {
		results, err := s.ClaimDue(t.Context(), time.Now(), []bellwire.Claim{{Endpoint: "ep_acme", Epoch: epoch, Limit: 10, ManualLimit: 100, MaxBytes: 100}})
		if err != nil {
			t.Error(err)
			claimed <- 0
			return
		}
		claimed <- len(results[0].Due)
	}()
	waitFor(t, func() bool {
		return count1(t, s, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0
	})
	check(t, earlier.Commit(t.Context()))
	if n := <-claimed; n != 1 {
		t.Errorf("%d were claimed: it is lost until the next epoch", n)
	}
}

// An append without an answer may be committed after its publisher has stopped waiting.
func TestAppendThatIsCommittedLate(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	e := publication(t, s, "acme")
	leases := renew(t, s, "a")
	taken := []bellwire.ClaimToken{{Delivery: e.Deliveries[0].ID, Epoch: leases.Epoch("ep_acme")}}
	e.Deliveries[0].Epoch = taken[0].Epoch
	s.pending.addAppends([]*bellwire.Append{{Events: []*bellwire.NewEvent{e}}}, time.Now()) // as if it had not been answered
	check(t, s.ReleaseDeliveries(t.Context(), taken))                                       // as the engine gives its places up
	claims := []bellwire.Claim{{Endpoint: "ep_acme", Epoch: taken[0].Epoch, Limit: 10, ManualLimit: 100, MaxBytes: 100}}
	if results, err := s.ClaimDue(t.Context(), time.Now(), claims); err != nil || len(results[0].Due) != 0 {
		t.Fatalf("claimed before it is there: %v", err)
	}
	publish(t, openAt(t, s.url, Options{NoSync: true}), e) // past this store, as what is committed late is
	if due, err := storetest.DueEndpoints(t.Context(), s, leases); err != nil || len(due) != 1 {
		t.Fatalf("%d endpoints are due: it is lost until the next epoch: %v", len(due), err)
	}
	if results, err := s.ClaimDue(t.Context(), time.Now(), claims); err != nil || len(results[0].Due) != 1 {
		t.Fatalf("it cannot be claimed: %v", err)
	}
	if results, err := s.ClaimDue(t.Context(), time.Now(), claims); err != nil || len(results[0].Due) != 0 {
		t.Fatalf("it was claimed twice: %v", err)
	}
}

// What was answered after all is in a lane.
func TestAppendThatIsAnsweredInTheEnd(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	e := publication(t, s, "acme")
	leases := renew(t, s, "a")
	e.Deliveries[0].Epoch = leases.Epoch("ep_acme")
	s.pending.addAppends([]*bellwire.Append{{Events: []*bellwire.NewEvent{e}}}, time.Now())
	publish(t, s, e)
	s.pending.abandon([]bellwire.ClaimToken{{Delivery: e.Deliveries[0].ID, Epoch: e.Deliveries[0].Epoch}})
	if due, err := storetest.DueEndpoints(t.Context(), s, leases); err != nil || len(due) != 0 {
		t.Fatalf("%d endpoints are due, although a lane has what they get: %v", len(due), err)
	}
}

// Whoever may make functions in the database must not have them called with Bellwire's rights.
func TestFunctionsOfOthersAreNotCalled(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	other := newPlatform(t, s)
	_, err := other.Exec(t.Context(), `CREATE FUNCTION public.unnest(uuid[]) RETURNS SETOF uuid LANGUAGE plpgsql
		AS $$ BEGIN RAISE EXCEPTION 'somebody else''s function was called'; END $$`)
	check(t, err)
	e := publication(t, s, "acme")
	publish(t, s, e)
	_, err = s.CancelDelivery(t.Context(), "acme", e.Deliveries[0].ID, "test", time.Now())
	check(t, err)
}

// TestServerDies kills the server under load and starts it again. Acknowledged writes must exist, others must be safe to
// repeat, and work must continue by itself.
func TestServerDies(t *testing.T) {
	t.Parallel()
	pgtest.Needed(t)
	own, err := pgtest.Start()
	check(t, err)
	defer own.Stop()
	s := openAt(t, own.URL("postgres"), Options{NoSync: true})
	now := time.Now()
	check(t, s.CreateTenant(t.Context(), &bellwire.Tenant{ID: "acme", CreatedAt: now}))
	var (
		work               sync.WaitGroup
		answered, failures atomic.Int64
	)
	ctx, stop := context.WithCancel(t.Context())
	for range 4 {
		work.Go(func() {
			for ctx.Err() == nil {
				e := &bellwire.NewEvent{Event: bellwire.Event{
					ID: bellwire.NewID[bellwire.EventKind](now), Tenant: "acme", Type: "a", Data: []byte("1"), CreatedAt: now,
				}}
				for { // until it is answered
					_, err := s.AppendEvents(t.Context(), []*bellwire.Append{{Events: []*bellwire.NewEvent{e}}})
					if err == nil {
						break
					}
					failures.Add(1)
					if bellwire.CodeOf(err) != bellwire.CodeUnavailable {
						t.Errorf("got %v", err)
						return
					}
					time.Sleep(10 * time.Millisecond)
				}
				answered.Add(1)
			}
		})
	}
	waitFor(t, func() bool { return answered.Load() > 50 })
	check(t, own.Crash())
	before := answered.Load()
	waitFor(t, func() bool { return failures.Load() > 0 })
	check(t, own.Restart())
	waitFor(t, func() bool { return answered.Load() > before+50 })
	stop()
	work.Wait()
	var events int64
	check(t, s.read(t.Context(), func(tx *tx) error { return tx.row("SELECT count(*) FROM bellwire.events").Scan(&events) }))
	if events != answered.Load() {
		t.Errorf("there are %d events, want %d", events, answered.Load())
	}
}
