package postgres

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// makeRole makes a role that lives as long as the test, and returns the URL by which it connects to a database.
func makeRole(t *testing.T, databaseURL, options string) (role, roleURL string) {
	t.Helper()
	role = "role_of_" + databaseOf(t, databaseURL)
	for n := 0; ; n++ {
		name := fmt.Sprintf("%s_%d", role, n)
		err := server.Exec(t.Context(), "CREATE ROLE "+name+" LOGIN "+options)
		if isState(err, "42710") { // duplicate_object: the test has made that already
			continue
		}
		check(t, err)
		return name, strings.Replace(databaseURL, "postgres://postgres@", "postgres://"+name+"@", 1)
	}
}

func connect(t *testing.T, databaseURL string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), databaseURL)
	check(t, err)
	t.Cleanup(func() { hangUp(t.Context(), conn) })
	return conn
}

func run1(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	_, err := conn.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol)
	check(t, err)
}

// Everybody who can connect may take any advisory lock and keep it. Nothing of Bellwire's waits for one.
func TestAdvisoryLocksOfOthers(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	p.finish(p.publish(time.Hour, ""))
	_, low := makeRole(t, p.url, "")
	stranger := connect(t, low)
	for key := range 16 { // those that Bellwire once took are the first four
		run1(t, stranger, fmt.Sprintf("SELECT pg_advisory_lock(%d)", 0x42454c4c0001+key))
	}
	options := p.options
	options.Timeout = 5 * time.Second
	fresh := openAt(t, p.url, options)
	renew(t, fresh, "fresh")
	p.expire(day, 0)
	p.want("events 1", "deliveries 1", "attempts 1")
}

// Who may publish in the database can lock nothing of Bellwire's.
func TestPublishersLockNothing(t *testing.T) {
	t.Parallel()
	s := newInbox(t)
	role, low := makeRole(t, s.url, "")
	check(t, s.write(t.Context(), func(tx *tx) error {
		return tx.exec("GRANT USAGE ON SCHEMA bellwire TO "+role+"; GRANT EXECUTE ON FUNCTION bellwire.publish TO "+role,
			pgx.QueryExecModeSimpleProtocol)
	}))
	publisher := connect(t, low)
	run1(t, publisher, "SELECT bellwire.publish('acme', 'order.paid', '1')")
	for _, table := range []string{"meta", "nodes", "shards", "events", "deliveries", "tenants"} {
		t.Run(table, func(t *testing.T) {
			for _, sql := range []string{
				"SELECT FROM bellwire.%s FOR UPDATE", "SELECT FROM bellwire.%s FOR KEY SHARE", "DO $$ BEGIN LOCK TABLE bellwire.%s IN ACCESS SHARE MODE; END $$",
			} {
				_, err := publisher.Exec(t.Context(), fmt.Sprintf(sql, table))
				if !isState(err, "42501") { // insufficient_privilege
					t.Errorf("%s: %v", fmt.Sprintf(sql, table), err)
				}
			}
		})
	}
}

// A node of a version that locks otherwise, and was left running during an upgrade, must not share leases with one of this.
func TestNodesThatLockOtherwiseCannotRenew(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	renew(t, s, "old")
	err := s.write(t.Context(), func(tx *tx) error {
		return tx.exec(`INSERT INTO bellwire.nodes (id, incarnation, renewals) VALUES ('old', gen_random_uuid(), 1)
			ON CONFLICT (id) DO UPDATE SET renewals = nodes.renewals + 1`)
	})
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.Code != "23502" || refused.ColumnName != "locking" {
		t.Errorf("an older node renews with: %v", err)
	}
}

// Whoever has made the schema, or a table in it, could have all that is done there done with Bellwire's rights.
func TestSchemasOfOthers(t *testing.T) {
	t.Parallel()
	refusedTo := func(t *testing.T, databaseURL, says string) {
		t.Helper()
		_, err := Open(t.Context(), databaseURL, Options{NoSync: true})
		refused(t, err, bellwire.CodeUnavailable, says)
	}
	t.Run("MadeBeforehand", func(t *testing.T) {
		t.Parallel()
		admin := server.NewDatabase(t, "")
		database := databaseOf(t, admin)
		_, ours := makeRole(t, admin, "")
		mallory, theirs := makeRole(t, admin, "")
		check(t, server.Exec(t.Context(), "GRANT CREATE ON DATABASE "+database+" TO PUBLIC"))
		attacker := connect(t, theirs)
		run1(t, attacker, "CREATE SCHEMA bellwire; GRANT ALL ON SCHEMA bellwire TO PUBLIC")
		refusedTo(t, ours, fmt.Sprintf("schema bellwire in the database postgres://%s/%s belongs to the role %q", hostOf(ours), database, mallory))
		refusedTo(t, admin, "schema bellwire") // a superuser as well
		run1(t, attacker, "CREATE TABLE bellwire.meta (name text PRIMARY KEY, number bigint, value bytea)")
		run1(t, connect(t, admin), "ALTER SCHEMA bellwire OWNER TO postgres; GRANT CREATE ON SCHEMA public TO "+mallory)
		refusedTo(t, ours, "table bellwire.meta")
		run1(t, attacker, "ALTER TABLE bellwire.meta RENAME TO mine; ALTER TABLE bellwire.mine SET SCHEMA public; "+
			"CREATE VIEW bellwire.meta AS SELECT * FROM public.mine; GRANT ALL ON bellwire.meta TO PUBLIC")
		refusedTo(t, ours, "view bellwire.meta")
		run1(t, connect(t, admin), "DROP SCHEMA bellwire CASCADE")
		openAt(t, ours, Options{NoSync: true})
		run1(t, attacker, "SELECT") // it is there still
		_, err := attacker.Exec(t.Context(), "CREATE TABLE bellwire.mine ()")
		if !isState(err, "42501") {
			t.Errorf("somebody else makes a table in Bellwire's schema: %v", err)
		}
	})
	t.Run("MadeForUs", func(t *testing.T) { // by an administrator, and Bellwire may make no schema itself
		t.Parallel()
		admin := server.NewDatabase(t, "")
		role, ours := makeRole(t, admin, "")
		run1(t, connect(t, admin), "CREATE SCHEMA bellwire AUTHORIZATION "+role)
		renew(t, openAt(t, ours, Options{NoSync: true}), "a")
		refusedTo(t, admin, role)
	})
	t.Run("OfTheAdministrator", func(t *testing.T) {
		t.Parallel()
		admin := server.NewDatabase(t, "")
		role, ours := makeRole(t, admin, "")
		run1(t, connect(t, admin), "CREATE SCHEMA bellwire; GRANT USAGE, CREATE ON SCHEMA bellwire TO "+role)
		renew(t, openAt(t, ours, Options{NoSync: true}), "a")
	})
	t.Run("OfAGroup", func(t *testing.T) {
		t.Parallel()
		admin := server.NewDatabase(t, "")
		group, _ := makeRole(t, admin, "")
		_, ours := makeRole(t, admin, "IN ROLE "+group)
		check(t, server.Exec(t.Context(), "GRANT CREATE ON DATABASE "+databaseOf(t, admin)+" TO "+group))
		run1(t, connect(t, ours), "SET ROLE "+group+"; CREATE SCHEMA bellwire")
		openAt(t, ours, Options{NoSync: true})
	})
}

func hostOf(databaseURL string) string {
	_, rest, _ := strings.Cut(databaseURL, "@")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// A delivery that is being stored for a deleted endpoint keeps its tombstone, also where Purge has found that nothing names it.
func TestTombstoneOfDeliveryThatIsBeingStored(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	e := publication(t, s, "acme")
	publish(t, s, e) // so that the tenant has a clock
	check(t, s.CreateEndpoint(t.Context(), &bellwire.Endpoint{ID: "gone", Tenant: "acme"}, bellwire.ChangeNote{}))
	check(t, s.DeleteEndpoint(t.Context(), "acme", "gone", time.Now(), bellwire.ChangeNote{}))
	late := bellwire.NewEvent{Event: bellwire.Event{ID: bellwire.NewID[bellwire.EventKind](time.Now()), Tenant: "acme", Type: "x", Data: []byte("1"), CreatedAt: time.Now()}}
	late.Deliveries = []bellwire.NewDelivery{{ID: bellwire.DeliveryOf(late.Event.ID, 0), Endpoint: "gone"}}

	other := connect(t, s.url)
	run1(t, other, "BEGIN; SELECT FROM bellwire.clocks FOR UPDATE")
	stored, purged := make(chan error, 1), make(chan error, 1)
	go func() {
		results, err := s.AppendEvents(t.Context(), []*bellwire.Append{{Events: []*bellwire.NewEvent{&late}}})
		if err == nil {
			err = results[0].Err
		}
		stored <- err
	}()
	watcher := connect(t, s.url)
	waitFor := func(waiting int, ended <-chan error) {
		t.Helper()
		for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			var n int
			check(t, watcher.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity
				WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&n))
			if n >= waiting || len(ended) > 0 {
				return
			}
		}
		t.Fatal("nobody waits")
	}
	waitFor(1, stored)
	go func() {
		_, err := s.Purge(t.Context(), time.Now(), time.Time{}, 100)
		purged <- err
	}()
	waitFor(2, purged)
	run1(t, other, "COMMIT")
	check(t, <-stored)
	check(t, <-purged)
	if _, err := s.Endpoint(t.Context(), "gone"); err != nil {
		t.Errorf("the delivery's endpoint: %v", err)
	}
	if _, err := s.Delivery(t.Context(), "acme", late.Deliveries[0].ID); err != nil {
		t.Errorf("the delivery: %v", err)
	}
}

// A search for forwarded deliveries leaves out those that the node has, without waiting for their rows: it is the same node that
// records their outcomes, several at a time and in another order, so that each could wait for the other.
func TestSearchBesideRecordsOfWhatIsHeld(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	held := publication(t, s, "acme")
	leases := renew(t, s, "a")
	lost := *held
	lost.Event.ID = bellwire.NewID[bellwire.EventKind](time.Now())
	lost.Deliveries = []bellwire.NewDelivery{{ID: bellwire.DeliveryOf(lost.Event.ID, 0), Endpoint: held.Deliveries[0].Endpoint}}
	for _, e := range []*bellwire.NewEvent{held, &lost} {
		e.Deliveries[0].Epoch = -leases.Epoch(e.Deliveries[0].Endpoint)
		publish(t, s, e)
	}
	other := connect(t, s.url)
	run1(t, other, "BEGIN")
	_, err := other.Exec(t.Context(), "SELECT FROM bellwire.deliveries WHERE id = $1 FOR UPDATE", [16]byte(held.Deliveries[0].ID))
	check(t, err)
	results, err := s.ClaimDue(t.Context(), time.Now(), []bellwire.Claim{{
		Endpoint: held.Deliveries[0].Endpoint, Epoch: leases.Epoch(held.Deliveries[0].Endpoint), Limit: 10, MaxBytes: 1 << 20,
		Search: true, Held: []bellwire.DeliveryID{held.Deliveries[0].ID},
	}})
	check(t, err)
	if due := results[0].Due; len(due) != 1 || due[0].Delivery.ID != lost.Deliveries[0].ID {
		t.Errorf("%d deliveries were found", len(due))
	}
	run1(t, other, "ROLLBACK")
}
