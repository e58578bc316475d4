package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// TestKeysAreInOrderBetweenNodes has two nodes append events with few keys and cancel some of them, while one of the nodes claims and
// records what is due. No key may be stuck, and each is claimed in the order of its events' times.
func TestKeysAreInOrderBetweenNodes(t *testing.T) {
	t.Parallel()
	a := newInbox(t)
	b := openAt(t, a.url, Options{NoSync: true})
	check(t, a.CreateEndpoint(t.Context(), &bellwire.Endpoint{ID: "ep", Tenant: "acme", Ordering: bellwire.OrderingKey, CreatedAt: time.Now()}, bellwire.ChangeNote{}))
	leases := renew(t, a, "a")
	const appends, each = 60, 4
	var (
		ids     bellwire.Sequence
		nodes   sync.WaitGroup
		mu      sync.Mutex
		events  = make(map[bellwire.EventID]time.Time)
		open    int
		claimed = make(map[int64][]bellwire.EventID)
	)
	for n, s := range []testStore{a, b} {
		nodes.Go(func() {
			random := rand.New(rand.NewPCG(uint64(n), 1))
			for range appends {
				append := new(bellwire.Append)
				for range each {
					now := time.Now()
					e := &bellwire.NewEvent{Event: bellwire.Event{
						ID: bellwire.Next[bellwire.EventKind](&ids, now), Tenant: "acme", Type: "order.paid", Data: []byte("1"), CreatedAt: bellwire.StoredTime(now),
						OrderingKey: fmt.Sprint(random.IntN(3)),
					}}
					e.Deliveries = []bellwire.NewDelivery{{ID: bellwire.DeliveryOf(e.Event.ID, 0), Endpoint: "ep", Ordered: true, Keyed: true}}
					append.Events = slices.Concat(append.Events, []*bellwire.NewEvent{e})
				}
				result := appendOne(t, s, append)
				check(t, result.Err)
				mu.Lock()
				for _, e := range result.Events {
					events[e.ID] = e.CreatedAt
					open++
				}
				mu.Unlock()
				if random.IntN(4) == 0 {
					_, err := s.CancelDelivery(t.Context(), "acme", append.Events[random.IntN(each)].Deliveries[0].ID, "because", time.Now())
					if err != nil && bellwire.CodeOf(err) != bellwire.CodeConflict {
						t.Error(err)
					}
				}
			}
		})
	}
	published := make(chan struct{})
	go func() {
		nodes.Wait()
		close(published)
	}()
	random := rand.New(rand.NewPCG(7, 7))
	for done := false; ; {
		got, err := a.ClaimDue(t.Context(), time.Now(), []bellwire.Claim{{Endpoint: "ep", Epoch: leases.Epoch("ep"), Limit: 10, MaxBytes: 1 << 20}})
		check(t, err)
		var results []*bellwire.Result
		for _, c := range got[0].Due {
			if before := claimed[c.Delivery.Key]; !slices.Contains(before, c.Event.ID) {
				claimed[c.Delivery.Key] = append(before, c.Event.ID)
			}
			transition := bellwire.Transition{Status: bellwire.DeliverySucceeded}
			if random.IntN(3) == 0 {
				transition = bellwire.Transition{Status: bellwire.DeliveryRetrying}
			}
			now := time.Now()
			results = append(results, &bellwire.Result{
				Attempt: &bellwire.Attempt{
					ID: bellwire.Next[bellwire.AttemptKind](&ids, now), Delivery: c.Delivery.ID, Trigger: bellwire.TriggerSchedule, StartedAt: now,
				},
				Delivery: c.Delivery.ID, Trigger: bellwire.TriggerSchedule, Epoch: c.Delivery.Epoch, Key: c.Delivery.Key, Endpoint: "ep",
				Transition: transition, EndedAt: now,
			})
		}
		_, err = a.RecordResults(t.Context(), results)
		check(t, err)
		if done && len(results) == 0 {
			break
		}
		select {
		case <-published:
			done = true
		default:
		}
	}
	if n := count1(t, a, "SELECT count(*) FROM bellwire.deliveries WHERE status <= 1"); n != 0 {
		t.Errorf("%d deliveries of %d are open, and nothing can be claimed", n, open)
	}
	for key, of := range claimed {
		if !slices.IsSortedFunc(of, func(x, y bellwire.EventID) int { return events[x].Compare(events[y]) }) {
			t.Errorf("the events of the key %d were claimed in another order than they were stored in", key)
		}
	}
}

// TestKeysOfAnEndpointThatIsOrderedAgain changes an endpoint from ordering by key and back, while a claim takes its deliveries out of the
// order. The next event of the key must not wait for the one that is no longer in the order.
func TestKeysOfAnEndpointThatIsOrderedAgain(t *testing.T) {
	t.Parallel()
	s := newInbox(t)
	ep := &bellwire.Endpoint{ID: "ep", Tenant: "acme", Ordering: bellwire.OrderingKey, CreatedAt: time.Now()}
	check(t, s.CreateEndpoint(t.Context(), ep, bellwire.ChangeNote{}))
	order := func(by bellwire.Ordering) {
		t.Helper()
		ep.Ordering = by
		check(t, s.UpdateEndpoint(t.Context(), ep, bellwire.ChangeNote{}))
	}
	publish := func() {
		now := time.Now()
		e := &bellwire.NewEvent{Event: bellwire.Event{
			ID: bellwire.NewID[bellwire.EventKind](now), Tenant: "acme", Type: "order.paid", Data: []byte("1"), CreatedAt: bellwire.StoredTime(now), OrderingKey: "a",
		}}
		e.Deliveries = []bellwire.NewDelivery{{ID: bellwire.DeliveryOf(e.Event.ID, 0), Endpoint: "ep", Ordered: true, Keyed: true}}
		results, err := s.AppendEvents(t.Context(), []*bellwire.Append{{Events: []*bellwire.NewEvent{e}}})
		if err != nil || results[0].Err != nil {
			t.Error(err, results)
		}
	}
	publish()
	order(bellwire.OrderingNone)
	epoch := renew(t, s, "a").Epoch("ep")
	published := make(chan struct{})
	check(t, s.write(t.Context(), func(tx *tx) error {
		g := &claimRun{tx: tx, now: time.Now(), claims: []*claim{{Claim: &bellwire.Claim{Endpoint: "ep", Epoch: epoch, Limit: 10, MaxBytes: 1 << 20}}}}
		batch := new(pgx.Batch)
		g.queueClaims(batch)
		g.queueSearch(batch)
		if err := tx.send(batch); err != nil {
			return err
		}
		order(bellwire.OrderingKey)
		go func() {
			defer close(published)
			publish()
		}()
		waitFor(t, func() bool {
			select {
			case <-published:
				return true
			default:
				return count1(t, s, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0
			}
		})
		return nil
	}))
	<-published
	if n := count1(t, s, "SELECT count(*) FROM bellwire.deliveries WHERE status = -2"); n != 0 {
		t.Errorf("%d deliveries are behind one that is in no order", n)
	}
}

// TestMigrationKeepsTheRightsToPublish grants a role the function before version 41, which makes it anew.
func TestMigrationKeepsTheRightsToPublish(t *testing.T) {
	t.Parallel()
	url := server.NewDatabase(t, "template1")
	conn, err := pgx.Connect(t.Context(), url)
	check(t, err)
	t.Cleanup(func() { check(t, conn.Close(context.Background())) })
	makeVersion(t, conn, 40)
	role := "kept_" + conn.Config().Database
	_, err = conn.Exec(t.Context(), "CREATE ROLE "+role+` NOLOGIN; GRANT USAGE ON SCHEMA bellwire TO `+role+`;
		GRANT EXECUTE ON FUNCTION bellwire.publish(text, text, text, text) TO `+role, pgx.QueryExecModeSimpleProtocol)
	check(t, err)
	openAt(t, url, Options{NoSync: true})
	var mine, everyones bool
	err = conn.QueryRow(t.Context(), `SELECT has_function_privilege($1, p.oid, 'EXECUTE'), EXISTS (SELECT FROM aclexplode(p.proacl) WHERE grantee = 0)
		FROM pg_proc p WHERE p.proname = 'publish' AND p.pronamespace = 'bellwire'::regnamespace`, role).Scan(&mine, &everyones)
	check(t, err)
	if !mine || everyones {
		t.Errorf("the role may publish: %t; everyone may: %t", mine, everyones)
	}
	_, err = conn.Exec(t.Context(), "DROP OWNED BY "+role+"; DROP ROLE "+role, pgx.QueryExecModeSimpleProtocol)
	check(t, err)
}

// TestPublishTakesASchedule publishes inside the database with the parameters that are given by name.
func TestPublishTakesASchedule(t *testing.T) {
	t.Parallel()
	s := newInbox(t)
	p := newPlatform(t, s)
	publish := func(more string, args ...any) error {
		_, err := p.Exec(t.Context(), "SELECT bellwire.publish('acme', 'order.paid', '1', "+more+")", args...)
		return err
	}
	deliver, expire := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond), time.Now().Add(2*time.Hour).UTC().Truncate(time.Microsecond)
	check(t, publish("deliver_at => $1, expires_at => $2, ordering_key => $3", deliver, expire, "a"))
	check(t, publish("deliver_at => '-infinity', ordering_key => NULL"))
	waiting := unmatched(t, s)
	if len(waiting) != 2 {
		t.Fatalf("%d events wait, want 2", len(waiting))
	}
	if e := waiting[0].Event; !e.DeliverAt.Equal(deliver) || !e.ExpiresAt.Equal(expire) || e.OrderingKey != "a" {
		t.Errorf("the first event is %+v", e)
	}
	if e := waiting[1].Event; !e.DeliverAt.IsZero() || !e.ExpiresAt.IsZero() || e.OrderingKey != "" {
		t.Errorf("the second event is %+v", e)
	}
	check(t, appendOne(t, s, matched(waiting, "")).Err)
	e, err := s.Event(t.Context(), "acme", waiting[0].Event.ID)
	check(t, err)
	if !e.DeliverAt.Equal(deliver) || !e.ExpiresAt.Equal(expire) || e.OrderingKey != "a" {
		t.Errorf("the stored event is %+v", e)
	}
	for message, more := range map[string]string{
		"deliver_at must be at most 365 days ahead":        "deliver_at => 'infinity'",
		"expires_at must be before the year 10000":         "expires_at => 'infinity'",
		"expires_at must be in the future":                 "expires_at => now()",
		"expires_at must be after deliver_at":              "expires_at => now() + interval '1h', deliver_at => now() + interval '2h'",
		"ordering_key must be a string that is not empty":  "ordering_key => ''",
		"ordering_key must have at most 128 characters":    "ordering_key => repeat('é', 129)",
		"ordering_key must have printable characters only": "ordering_key => E'a\\n'",
	} {
		var refused *pgconn.PgError
		if err := publish(more); !errors.As(err, &refused) || refused.Code != "WH422" || refused.Message != message || !strings.HasPrefix(message, refused.ColumnName) {
			t.Errorf("%s is answered %v, want %q", more, err, message)
		}
	}
}
