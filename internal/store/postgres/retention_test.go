package postgres

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
)

// past is a store whose clock was two months ago, with partitions of a day.
type past struct {
	*testing.T
	testStore
	start  time.Time     // of the first partition
	passed time.Duration // how long ago the first step of expire was
	leases *bellwire.Leases
	ids    *bellwire.Sequence // of what is published, in the order of time
}

const day = 24 * time.Hour

func newPast(t *testing.T) *past {
	start := time.Now().UTC().Add(-60 * day).Truncate(day)
	p := &past{T: t, start: start, ids: new(bellwire.Sequence)}
	clock := start
	p.testStore = openAt(t, server.NewDatabase(t, ""), Options{NoSync: true, Now: func() time.Time { return clock }, PartitionWidth: day})
	clock = start.Add(30 * day)
	p.leases = renew(t, p.testStore, "node")
	check(t, p.CreateTenant(t.Context(), &bellwire.Tenant{ID: "acme", CreatedAt: start}))
	for _, id := range []string{"a", "b"} {
		check(t, p.CreateEndpoint(t.Context(), &bellwire.Endpoint{ID: id, Tenant: "acme", CreatedAt: start}, bellwire.ChangeNote{}))
	}
	return p
}

// publish publishes an event for both endpoints at the given time after start.
func (p *past) publish(after time.Duration, key string) *bellwire.NewEvent {
	p.Helper()
	at := p.start.Add(after)
	e := &bellwire.NewEvent{Event: bellwire.Event{
		ID: bellwire.Next[bellwire.EventKind](p.ids, at), Tenant: "acme", Type: "x", IdempotencyKey: key, Data: []byte(`"x"`), CreatedAt: at,
	}}
	for n, id := range []string{"a", "b"} {
		e.Deliveries = append(e.Deliveries, bellwire.NewDelivery{
			ID: bellwire.DeliveryOf(e.Event.ID, n), Endpoint: id, Epoch: p.leases.Epoch(id),
		})
	}
	publish(p.T, p.testStore, e)
	return e
}

// record records an attempt of a delivery.
func (p *past) record(d bellwire.NewDelivery, status bellwire.DeliveryStatus) {
	p.Helper()
	at := p.start.Add(3 * day)
	recorded, err := p.RecordResults(p.Context(), []*bellwire.Result{{
		Delivery: d.ID, Trigger: bellwire.TriggerSchedule, Epoch: p.leases.Epoch(d.Endpoint), EndedAt: at, Endpoint: d.Endpoint,
		Transition: bellwire.Transition{Status: status},
		Attempt:    &bellwire.Attempt{ID: bellwire.NewID[bellwire.AttemptKind](at), Trigger: bellwire.TriggerSchedule, StartedAt: at},
	}})
	check(p.T, err)
	if !recorded[0].Moved {
		p.Fatalf("the delivery is %s", recorded[0].Status)
	}
}

// finish ends an event's deliveries.
func (p *past) finish(e *bellwire.NewEvent) *bellwire.NewEvent {
	p.Helper()
	for _, d := range e.Deliveries {
		p.record(d, bellwire.DeliverySucceeded)
	}
	return e
}

// expire deletes events that are older than the given time after start, so long after the first call. Time does not pass for the
// database, so what was done before is made older.
func (p *past) expire(before, after time.Duration) int {
	p.Helper()
	r, more := &p.retention, after-p.passed
	p.passed = after
	for name, at := range r.reviewed {
		r.reviewed[name] = at.Add(-more)
	}
	for _, scan := range []*scan{&r.events, &r.keys, &r.attempts} {
		scan.begun = scan.begun.Add(-more)
	}
	n, err := p.Purge(p.Context(), time.Now(), p.start.Add(before), 1000)
	check(p.T, err)
	return n
}

// tables returns the remaining partitions of two days, without the common part of their names.
func (p *past) tables() (names []string) {
	p.Helper()
	for _, table := range []partitionedTable{eventsTable, deliveriesTable, attemptsTable} {
		found, err := p.partitions(p.Context(), table)
		check(p.T, err)
		for _, partition := range found {
			for n := range 2 {
				name := fmt.Sprintf("%s_%s", table.name, p.start.Add(time.Duration(n)*day).Format("20060102_1504"))
				switch partition.name {
				case name:
					names = append(names, fmt.Sprintf("%s %d", table.name, n))
				case name + remainderSuffix:
					names = append(names, fmt.Sprintf("%s %d kept", table.name, n))
				}
			}
		}
	}
	return names
}

func (p *past) want(names ...string) {
	p.Helper()
	if diff := cmp.Diff(names, p.tables(), cmpopts.EquateEmpty()); diff != "" {
		p.Errorf("partitions (-want +got):\n%s", diff)
	}
}

// has checks that an event exists with all its deliveries and attempts, or that nothing of it does.
func (p *past) has(e *bellwire.NewEvent, want bool, attempts int) {
	p.Helper()
	_, err := p.Event(p.Context(), "acme", e.Event.ID)
	if (err == nil) != want {
		p.Errorf("the event: %v", err)
	}
	n := 0
	for _, d := range e.Deliveries {
		_, err := p.Delivery(p.Context(), "acme", d.ID)
		if (err == nil) != want {
			p.Errorf("the delivery: %v", err)
		}
		found, err := p.Attempts(p.Context(), d.ID, 10)
		check(p.T, err)
		n += len(found)
	}
	if n != attempts {
		p.Errorf("there are %d attempts, want %d", n, attempts)
	}
}

func TestOldPartitionsAreDropped(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	first, second := p.finish(p.publish(time.Hour, "k1")), p.finish(p.publish(day, "k2"))
	if n := p.expire(day-time.Millisecond, 0); n != 0 {
		t.Errorf("%d were given up before all in them was old", n)
	}
	// Three partitions, and the publisher's id with the next step.
	if n := p.expire(day, 0) + p.expire(day, bellwire.RetentionReview); n != 4 {
		t.Errorf("%d were given up, want 4", n)
	}
	p.want("events 1", "deliveries 1", "attempts 1")
	p.has(first, false, 0)
	p.has(second, true, 2)
	for key, want := range map[string]bool{"k1": false, "k2": true} {
		if digests, err := p.Digests(t.Context(), "acme", []string{key}); err != nil || (len(digests) == 1) != want {
			t.Errorf("the publisher's id %s: %v", key, err)
		}
	}
}

// TestOldPartitionsKeepOpenDeliveries leaves open deliveries in a partition: the partition is kept complete, and they are still
// delivered.
func TestOldPartitionsKeepOpenDeliveries(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	ended, half, retried := p.finish(p.publish(time.Hour, "")), p.publish(time.Hour, "k"), p.finish(p.publish(time.Hour, ""))
	p.record(half.Deliveries[0], bellwire.DeliverySucceeded)
	p.record(half.Deliveries[1], bellwire.DeliveryRetrying)
	_, err := p.RequestRetry(t.Context(), "acme", retried.Deliveries[0].ID)
	check(t, err)
	if n := p.expire(day, 0); n != 3 {
		t.Errorf("%d were given up, want 3", n)
	}
	remaining := []string{"events 0 kept", "events 1", "deliveries 0 kept", "deliveries 1", "attempts 0 kept", "attempts 1"}
	p.want(remaining...)
	p.has(ended, false, 0)
	p.has(half, true, 2)
	p.has(retried, true, 2)
	p.sameIndexes()
	if n := p.expire(day, bellwire.RetentionReview); n != 0 {
		t.Errorf("%d were given up although things are open", n)
	}
	p.want(remaining...)

	claimed, err := p.ClaimDue(t.Context(), time.Now(), []bellwire.Claim{
		{Endpoint: "a", Epoch: p.leases.Epoch("a"), Limit: 9, ManualLimit: 100, MaxBytes: 100}, {Endpoint: "b", Epoch: p.leases.Epoch("b"), Limit: 9, ManualLimit: 100, MaxBytes: 100},
	})
	check(t, err)
	if len(claimed[0].Manual) != 1 || claimed[0].Manual[0].Delivery.ID != retried.Deliveries[0].ID ||
		len(claimed[1].Due) != 1 || claimed[1].Due[0].Delivery.ID != half.Deliveries[1].ID {
		t.Fatalf("not what is open was claimed: %+v", claimed)
	}
	p.record(half.Deliveries[1], bellwire.DeliverySucceeded)
	_, err = p.RecordResults(t.Context(), []*bellwire.Result{{ // no attempt could be made
		Delivery: retried.Deliveries[0].ID, Trigger: bellwire.TriggerManual, Epoch: p.leases.Epoch("a"), EndedAt: time.Now(), Endpoint: "a",
	}})
	check(t, err)
	if n := p.expire(day, 2*bellwire.RetentionReview); n != 3+12 {
		t.Errorf("%d were given up when all had ended, want 3 and the 12 rows in them", n)
	}
	p.want("events 1", "deliveries 1", "attempts 1")
	p.has(half, false, 0)
}

// TestCrowdedPartitions leaves more in a partition than is copied: it stays, and what has ended is deleted row by row.
func TestCrowdedPartitions(t *testing.T) {
	t.Parallel()
	all := []string{"events 0", "events 1", "deliveries 0", "deliveries 1", "attempts 0", "attempts 1"}
	for name, most := range map[string]survivorBounds{
		"outstanding deliveries": {outstanding: 2, rows: 100}, "deliveries": {outstanding: 100, rows: 3}, "attempts": {outstanding: 100, rows: 9},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPast(t)
			p.retention.most = most
			ended, open, half := p.finish(p.publish(time.Hour, "k")), p.publish(2*time.Hour, ""), p.publish(3*time.Hour, "")
			p.record(half.Deliveries[0], bellwire.DeliverySucceeded)
			p.record(half.Deliveries[1], bellwire.DeliveryRetrying)
			check(t, p.write(t.Context(), func(tx *tx) error {
				return tx.exec("UPDATE bellwire.deliveries SET attempts = 10 WHERE id = $1", [16]byte(half.Deliveries[1].ID))
			}))
			nobody := publication(t, p.testStore, "other") // without deliveries
			nobody.Event.ID, nobody.Deliveries = bellwire.Next[bellwire.EventKind](p.ids, p.start.Add(4*time.Hour)), nil
			publish(t, p.testStore, nobody)
			if n := p.expire(day, 0); n != 0 {
				t.Errorf("%d partitions were given up", n)
			}
			if n := p.expire(day, 0); n != 7 {
				t.Errorf("%d rows were deleted, want 7", n)
			}
			p.want(all...)
			p.has(ended, false, 0)
			p.has(open, true, 0)
			p.has(half, true, 2)
			if _, err := p.Event(t.Context(), "other", nobody.Event.ID); bellwire.CodeOf(err) != bellwire.CodeNotFound {
				t.Errorf("the event without deliveries: %v", err)
			}
			if ids, err := p.Digests(t.Context(), "acme", []string{"k"}); err != nil || len(ids) > 0 {
				t.Errorf("the publisher's id is kept: %v", err)
			}
			if n := p.expire(day, 0); n != 0 {
				t.Errorf("%d more rows were deleted", n)
			}
			p.retention.most = defaultSurvivorBounds
			p.expire(day, bellwire.RetentionReview)
			p.want("events 0 kept", "events 1", "deliveries 0 kept", "deliveries 1", "attempts 0 kept", "attempts 1")
			p.has(open, true, 0)
			p.record(half.Deliveries[1], bellwire.DeliverySucceeded)
			p.expire(day, 2*bellwire.RetentionReview)
			p.expire(day, 2*bellwire.RetentionReview)
			p.has(half, false, 0)
			p.has(open, true, 0)
		})
	}
}

// TestPurgeGoesOn has one kind of rows that cannot be deleted: others are, and partitions are made.
func TestPurgeGoesOn(t *testing.T) {
	t.Parallel()
	clock := time.Now()
	s := newStore(t, Options{Now: func() time.Time { return clock }})
	publish(t, s, publication(t, s, "acme"))
	check(t, s.AppendAudit(t.Context(), &bellwire.AuditEntry{
		ID: bellwire.NewID[bellwire.AuditKind](clock), At: clock, LastAt: clock, Count: 1, Tenant: "acme", Action: "tenant.update", ExpiresAt: clock,
	}, 100))
	check(t, s.write(t.Context(), func(tx *tx) error { return tx.exec("UPDATE bellwire.tenants SET limits = '{'") }))
	clock = clock.Add(60 * day)
	n, err := s.Purge(t.Context(), time.Now(), time.Time{}, 100)
	if n != 1 || err == nil {
		t.Errorf("%d rows were deleted, want 1: %v", n, err)
	}
	set, err := s.partitions(t.Context(), eventsTable)
	check(t, err)
	end := bellwire.FirstID[bellwire.EventKind](clock)
	if len(set) == 0 || set[len(set)-1].endsBy(end) {
		t.Error("no partition was made")
	}
}

// TestWideEventsAreReadInParts has events with thousands of deliveries each: a read does not look for what is open in all of them.
func TestWideEventsAreReadInParts(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	for n := range 10 {
		p.finish(p.publish(time.Duration(n+1)*time.Hour, ""))
	}
	check(t, p.write(t.Context(), func(tx *tx) error { return tx.exec("UPDATE bellwire.events SET deliveries = 2000") }))
	var tenant int64
	check(t, p.read(t.Context(), func(tx *tx) error { return tx.row("SELECT n FROM bellwire.tenants").Scan(&tenant) }))
	found, err := p.oldEventsOf(t.Context(), tenant, [16]byte{}, codec.LastID, 100)
	check(t, err)
	if len(found) != 3 || found[0].kept {
		t.Errorf("%d events with 2000 deliveries each were read, want 3", len(found))
	}
}

// sameIndexes expects that each partition has all indexes of its table.
func (p *past) sameIndexes() {
	p.Helper()
	check(p.T, p.read(p.Context(), func(tx *tx) error {
		missing, err := pgx.CollectRows(tx.query(`SELECT i.inhrelid::regclass || ' lacks ' || x.indexrelid::regclass
			FROM pg_inherits i JOIN pg_index x ON x.indrelid = i.inhparent
			WHERE NOT EXISTS (SELECT FROM pg_inherits ii JOIN pg_index c ON c.indexrelid = ii.inhrelid
				WHERE ii.inhparent = x.indexrelid AND c.indrelid = i.inhrelid)`), pgx.RowTo[string])
		for _, m := range missing {
			p.Error(m)
		}
		return err
	}))
}

// TestOldPartitionsBehindAReader runs a long read, as a backup does. A change of partitions gives up soon, because publishers
// wait behind it.
func TestOldPartitionsBehindAReader(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	p.finish(p.publish(time.Hour, ""))
	reader, err := p.pool.Begin(t.Context())
	check(t, err)
	defer reader.Rollback(t.Context()) //nolint:errcheck // it is only there to hold a lock
	_, err = reader.Exec(t.Context(), "SET LOCAL idle_in_transaction_session_timeout = 0")
	check(t, err)
	_, err = reader.Exec(t.Context(), "LOCK TABLE bellwire.events, bellwire.deliveries, bellwire.attempts IN ACCESS SHARE MODE")
	check(t, err)
	_, err = p.alter(t.Context(), time.Minute, func(tx *tx) (bool, error) {
		var most string
		err := tx.row("SELECT current_setting('lock_timeout')").Scan(&most)
		if most != lockTimeout.String() {
			t.Errorf("a change of partitions waits for %q, want %s", most, lockTimeout)
		}
		return true, err
	})
	check(t, err)
	if n := p.expire(day, 0); n != 0 { // without a bound it would wait for the reader, which is still there
		t.Errorf("%d were given up under the reader", n)
	}
	p.publish(day, "")
	p.want("events 0", "events 1", "deliveries 0", "deliveries 1", "attempts 0", "attempts 1")
	check(t, reader.Rollback(t.Context()))
	p.expire(day, 2*busyPause)
	p.want("events 1", "deliveries 1", "attempts 1")
}

func TestOldPartitionsOfSeveralNodes(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	p.finish(p.publish(time.Hour, ""))
	open := p.publish(time.Hour, "")
	p.finish(p.publish(day, ""))
	var nodes sync.WaitGroup
	for range 4 {
		other := openAt(t, p.url, p.options)
		nodes.Go(func() {
			for range 3 {
				if _, err := other.Purge(t.Context(), time.Now(), p.start.Add(2*day), 1000); err != nil {
					t.Error(err)
				}
			}
		})
	}
	nodes.Wait()
	p.expire(2*day, 10*bellwire.RetentionReview)
	p.want("events 0 kept", "deliveries 0 kept")
	p.has(open, true, 0)
}

// TestRetentionUnderAWrongClock has a node whose clock is years ahead.
func TestRetentionUnderAWrongClock(t *testing.T) {
	t.Parallel()
	s := newStore(t, Options{})
	now := time.Now()
	check(t, s.CreateTenant(t.Context(), &bellwire.Tenant{ID: "own", Limits: map[string]float64{"event_retention": 3600}}))
	event := func(tenant string, at time.Time) *bellwire.NewEvent {
		return &bellwire.NewEvent{Event: bellwire.Event{
			ID: bellwire.NewID[bellwire.EventKind](at), Tenant: tenant, Type: "x", IdempotencyKey: at.String(), Data: []byte("1"), CreatedAt: at,
		}}
	}
	check(t, s.CreateTenant(t.Context(), &bellwire.Tenant{ID: "acme"}))
	events := []*bellwire.NewEvent{event("acme", now), event("own", now), event("acme", now.Add(-20*day))} // the last one is in the default partition
	for _, e := range events {
		publish(t, s, e)
	}
	check(t, s.AppendAudit(t.Context(), &bellwire.AuditEntry{
		ID: bellwire.NewID[bellwire.AuditKind](now), At: now, LastAt: now, Count: 1, Tenant: "acme", Action: "tenant.update", ExpiresAt: now.Add(90 * day),
	}, 100))
	future := now.Add(10 * 365 * day)
	for range 5 {
		n, err := s.Purge(t.Context(), future, future.Add(-30*day), 1000)
		check(t, err)
		if n != 0 {
			t.Errorf("%d rows were deleted", n)
		}
	}
	for _, e := range events {
		if _, err := s.Event(t.Context(), e.Event.Tenant, e.Event.ID); err != nil {
			t.Error(err)
		}
	}
}

// TestMissingPartitions publishes while no partition exists, as other programs do when all nodes were off for weeks.
func TestMissingPartitions(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	now := time.Now()
	e := p.finish(p.publish(now.Sub(p.start), ""))
	where := func() (tables []string) {
		check(t, p.read(t.Context(), func(tx *tx) (err error) {
			tables, err = pgx.CollectRows(tx.query(`SELECT DISTINCT tableoid::regclass::text FROM bellwire.events UNION SELECT tableoid::regclass::text
				FROM bellwire.deliveries UNION SELECT tableoid::regclass::text FROM bellwire.attempts ORDER BY 1`), pgx.RowTo[string])
			return err
		}))
		return tables
	}
	if diff := cmp.Diff([]string{"bellwire.attempts_default", "bellwire.deliveries_default", "bellwire.events_default"}, where()); diff != "" {
		t.Fatalf("without partitions (-want +got):\n%s", diff)
	}
	p.options.Now = time.Now
	openAt(t, p.url, p.options)
	suffix := now.UTC().Format("20060102") + "_0000"
	want := []string{"bellwire.attempts_" + suffix, "bellwire.deliveries_" + suffix, "bellwire.events_" + suffix}
	if diff := cmp.Diff(want, where()); diff != "" {
		t.Errorf("with partitions (-want +got):\n%s", diff)
	}
	p.has(e, true, 2)
}

// TestAttemptsOutsideOfTheirPartition has the default partition hold attempts of deliveries that have a partition.
func TestAttemptsOutsideOfTheirPartition(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	old, recent := p.finish(p.publish(time.Hour, "")), p.finish(p.publish(day, ""))
	for n := range 2 {
		table := attemptsTable.name + "_" + p.start.Add(time.Duration(n)*day).Format("20060102_1504")
		check(t, p.write(t.Context(), func(tx *tx) error {
			return tx.ddl(`ALTER TABLE bellwire.attempts DETACH PARTITION bellwire.%[1]s;
				INSERT INTO bellwire.attempts SELECT * FROM bellwire.%[1]s; DROP TABLE bellwire.%[1]s`, table)
		}))
	}
	p.expire(day, 0)
	p.want("events 1", "deliveries 1")
	if n := p.expire(day, bellwire.RetentionReview); n != 2 {
		t.Errorf("%d attempts were deleted, want 2", n)
	}
	p.has(old, false, 0)
	p.has(recent, true, 2)
}

// Of two nodes one finds a publisher's id, the other one deletes it, and it is used again before the first goes on.
func TestRetentionSparesAnIDThatIsUsedAgain(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	again := p.publish(20*day, "order-1")
	old := oldRow{key: "order-1", event: bellwire.NewID[bellwire.EventKind](p.start)}
	check(t, p.write(t.Context(), func(tx *tx) error {
		if err := tx.row("SELECT n FROM bellwire.tenants WHERE id = 'acme'").Scan(&old.tenant); err != nil {
			return err
		}
		_, err := (&purge{tx: tx, left: 1}).key(old)
		return err
	}))
	if n := count1(t, p.testStore, "SELECT count(*) FROM bellwire.idempotency_keys WHERE event = $1", [16]byte(again.Event.ID)); n != 1 {
		t.Error("the id is forgotten, so that a repeated publish is taken once more")
	}
}

// TestPublishersIDsOfDeletedEventsInAPartition has a tenant keep its events for less time than publishers' ids are remembered, in a
// partition that stays for the events of another one.
func TestPublishersIDsOfDeletedEventsInAPartition(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	check(t, p.CreateTenant(t.Context(), &bellwire.Tenant{ID: "own", Limits: map[string]float64{"event_retention": 3600}}))
	var keys []string
	for n := range 10 {
		at, key := p.start.Add(time.Duration(n)*time.Hour), fmt.Sprint("k", n)
		publish(t, p.testStore, &bellwire.NewEvent{Event: bellwire.Event{
			ID: bellwire.Next[bellwire.EventKind](p.ids, at), Tenant: "own", Type: "x", IdempotencyKey: key, Data: []byte("1"), CreatedAt: at,
		}})
		p.publish(time.Duration(n)*time.Hour, key)
		keys = append(keys, key)
	}
	for _, step := range []struct {
		after                 time.Duration
		events, ids, deletion int
	}{
		{2 * day, 0, 10, 10}, {bellwire.IdempotencyWindow - time.Minute, 0, 10, 0}, {bellwire.IdempotencyWindow + 4*time.Hour + time.Minute, 0, 5, 5},
		{bellwire.IdempotencyWindow + 9*time.Hour + time.Minute, 0, 0, 5},
	} {
		deletion := 0
		for n := 1; n > 0; deletion += n {
			var err error
			n, err = p.Purge(t.Context(), p.start.Add(step.after), time.Time{}, 3)
			check(t, err)
		}
		events, err := p.CountEvents(t.Context(), "own", 100)
		check(t, err)
		ids, err := p.Digests(t.Context(), "own", keys)
		check(t, err)
		if events != step.events || len(ids) != step.ids || deletion != step.deletion {
			t.Errorf("after %s, %d rows were deleted, and %d events and %d ids are left: want %+v", step.after, deletion, events, len(ids), step)
		}
	}
	if ids, err := p.Digests(t.Context(), "acme", keys); err != nil || len(ids) != len(keys) {
		t.Errorf("of the other tenant, %d ids are left: %v", len(ids), err)
	}
}

// TestOldPartitionsOfLargePublications has an event grow old before all of its deliveries are stored. Those that are stored and
// have ended stay with it until the others have ended too.
func TestOldPartitionsOfLargePublications(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	before := p.finish(p.publish(time.Hour, ""))
	at := p.start.Add(2 * time.Hour)
	wide := &bellwire.NewEvent{
		Event: bellwire.Event{
			ID: bellwire.Next[bellwire.EventKind](p.ids, at), Tenant: "acme", Type: "x", IdempotencyKey: "k", Data: []byte(`"x"`), CreatedAt: at,
		},
		Recipients: &bellwire.Recipients{{Endpoint: "a"}, {Endpoint: "b", Ordered: true}},
	}
	publish(t, p.testStore, wide)
	step := func() {
		t.Helper()
		out, err := p.FanOut(t.Context(), p.leases, 1)
		check(t, err)
		if len(out.Endpoints) != 1 {
			t.Fatalf("stored for %q", out.Endpoints)
		}
		claimed, err := p.ClaimDue(t.Context(), time.Now(), []bellwire.Claim{
			{Endpoint: out.Endpoints[0], Epoch: p.leases.Epoch(out.Endpoints[0]), Limit: 9, MaxBytes: 100, Ordered: true},
		})
		check(t, err)
		if len(claimed[0].Due) != 1 || claimed[0].Due[0].Event == nil || claimed[0].Due[0].Event.ID != wide.Event.ID {
			t.Fatalf("claimed: %+v", claimed)
		}
		d := claimed[0].Due[0].Delivery
		wide.Deliveries = append(wide.Deliveries, bellwire.NewDelivery{ID: d.ID, Endpoint: d.Endpoint})
		p.record(wide.Deliveries[len(wide.Deliveries)-1], bellwire.DeliverySucceeded)
	}
	for waiting := 2; waiting > 0; waiting-- {
		if n := p.expire(day, time.Duration(2-waiting)*bellwire.RetentionReview); n != 0 {
			t.Errorf("%d were given up with %d deliveries to be stored", n, waiting)
		}
		p.want("events 0", "events 1", "deliveries 0", "deliveries 1", "attempts 0", "attempts 1")
		p.has(wide, true, 2-waiting)
		step()
	}
	if n := p.expire(day, 2*bellwire.RetentionReview); n != 3 {
		t.Errorf("%d were given up when all had ended, want 3", n)
	}
	p.has(wide, false, 0)
	p.has(before, false, 0)
}
