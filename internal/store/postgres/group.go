package postgres

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

const (
	sqlLockTimeout = "SELECT set_config('lock_timeout', $1, true)"
	sqlInsertKeys  = `INSERT INTO bellwire.idempotency_keys (tenant, key, event, digest, deliveries)
		SELECT * FROM unnest($1::bigint[], $2::text[], $3::uuid[], $4::bytea[], $5::int[])`
	// sqlInsertEvents also stores the delta for the statistics, which so needs no statement of its own. It is given no arrays of
	// schedules, ordering keys and versions if no event has one.
	sqlInsertEvents = `WITH counted AS (INSERT INTO bellwire.statistics_deltas (data) SELECT $12::bytea WHERE $12 IS NOT NULL)
		INSERT INTO bellwire.events (id, tenant, type, idempotency_key, occurred_at, created_at, test, deliveries, problem, data,
			trace, deliver_at, expires_at, ordering_key, version)
		WITH c AS MATERIALIZED (SELECT tenant, before FROM bellwire.clocks WHERE tenant = ANY($2))
		SELECT id, tenant, type, key, occurred_at, greatest(at, before + place * interval '1 microsecond'), test, deliveries, problem, data,
			trace, deliver_at, expires_at, ordering_key, version
		FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::bigint[], $8::boolean[], $9::int[], $10::text[], $11::bytea[],
				$13::bytea[], $14::timestamptz[], $15::timestamptz[], $16::text[], $17::bigint[])
			AS e (id, tenant, type, key, occurred_at, at, place, test, deliveries, problem, data, trace, deliver_at, expires_at, ordering_key, version) JOIN c USING (tenant)`
	// sqlMoveClocks moves the tenants' clocks on by the events of the group, and returns where they stood.
	sqlMoveClocks = `INSERT INTO bellwire.clocks AS c (tenant, before, events, last)
		SELECT tenant, to_timestamp(0), events, last FROM unnest($1::bigint[], $2::int[], $3::timestamptz[]) AS m (tenant, events, last)
		ON CONFLICT (tenant) DO UPDATE SET before = c.last, events = excluded.events,
			last = greatest(excluded.last, c.last + excluded.events * interval '1 microsecond')
		RETURNING tenant, before`
	// sqlEndUnmatched ends the wait of events that were unmatched. Their publishers' ids are known already.
	sqlEndUnmatched = `WITH matched AS (
			DELETE FROM bellwire.unmatched u USING unnest($1::uuid[], $2::int[]) AS w (event, deliveries) WHERE u.event = w.event
			RETURNING u.tenant, u.idempotency_key, u.event, w.deliveries
		)
		UPDATE bellwire.idempotency_keys k SET deliveries = m.deliveries FROM matched m
		WHERE k.tenant = m.tenant AND k.key = m.idempotency_key AND k.event = m.event`
	// sqlNextNumbers takes numbers, but not for tenants that have something deferred to FanOut: that comes first. This group
	// holds their clocks, so that no other group defers anything to it before this one is committed.
	sqlNextNumbers = `INSERT INTO bellwire.sequences AS s (endpoint, last)
		SELECT w.endpoint, w.count FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS w (endpoint, count, tenant)
		WHERE NOT EXISTS (SELECT FROM bellwire.fanout_tenants f WHERE f.tenant = w.tenant) ORDER BY w.endpoint` + addNumbers
	sqlTakeNumbers      = "INSERT INTO bellwire.sequences AS s (endpoint, last) SELECT * FROM unnest($1::bigint[], $2::bigint[])" + addNumbers
	addNumbers          = " ON CONFLICT (endpoint) DO UPDATE SET last = s.last + excluded.last RETURNING endpoint, last"
	sqlInsertDeliveries = `INSERT INTO bellwire.deliveries (id, event, tenant, endpoint, status, reason, attempts, retries, sequence,
			epoch, manual_epoch, due_at, created_at, updated_at, passed_over, not_before, expires_at, ordering_key, place)
		SELECT id, event, tenant, endpoint, coalesce(status, 0), '', 0, 0, sequence, epoch, manual_epoch, due_at, at, at, manual_epoch IS NOT NULL,
			not_before, expires_at, ordering_key, place
		FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::timestamptz[], $9::timestamptz[],
				$10::smallint[], $11::timestamptz[], $12::timestamptz[], $13::bigint[], $14::bigint[])
			AS d (id, event, tenant, endpoint, sequence, epoch, manual_epoch, due_at, at, status, not_before, expires_at, ordering_key, place)`
)

// storeGroup writes the accepted events, and commits. It writes keys, then clocks, and then counters, each sorted, so that two
// groups cannot deadlock.
func (s *Store) storeGroup(g *group) error {
	if len(g.accepted) == 0 {
		return errNothing
	}
	batch := new(pgx.Batch)
	g.queueKeys(batch)
	g.queueMatched(batch)
	g.queueClocks(batch)
	g.queueEvents(batch)
	defers := slices.ContainsFunc(g.accepted, func(e acceptedEvent) bool { return e.deferred }) // with the events' times
	if g.queueNumbers(batch) || defers {
		if err := g.sendGroup(batch, g.tx.send); err != nil {
			return err
		}
		batch = new(pgx.Batch)
	}
	g.queueFanouts(batch)
	g.queueDeliveries(batch)
	owned := s.owned.Load()
	g.sent, g.wakes, g.wakesFanOut = true, g.woken(owned), g.defersToOthers(owned)
	if err := g.sendGroup(batch, g.tx.sendLast); err != nil {
		return err
	}
	s.growth.add(g.rows())
	g.reportRepeats()
	return nil
}

// sendGroup sends statements of storeGroup. The transaction is retried if another one has inserted the same key or event
// since this one looked.
func (g *group) sendGroup(batch *pgx.Batch, send func(*pgx.Batch) error) error {
	err := send(batch)
	if isState(err, "23505") { // unique_violation
		return errRetry
	}
	return err
}

// reportRepeats answers events that the group contains twice.
func (g *group) reportRepeats() {
	for _, r := range g.repeats {
		first := &g.accepted[r.first]
		stored := storedEvent{createdAt: first.appended.CreatedAt, deliveries: first.Count(), rows: make(map[bellwire.DeliveryID]storedDelivery)}
		for i := range first.Deliveries {
			if !first.deferred {
				d := &first.Deliveries[i]
				stored.rows[d.ID] = storedDelivery{number: first.numbers[i], epoch: d.Epoch, freed: first.isBehind(i)}
			}
		}
		*r.appended = stored.of(r.event).Answer(r.event)
	}
}

func (g *group) queueKeys(batch *pgx.Batch) {
	var keyed []acceptedEvent
	for _, e := range g.accepted {
		if e.Event.IdempotencyKey != "" && !e.Unmatched {
			keyed = append(keyed, e)
		}
	}
	if len(keyed) == 0 {
		return
	}
	slices.SortFunc(keyed, func(a, b acceptedEvent) int {
		return ownKey{a.tenant, a.Event.IdempotencyKey}.compare(ownKey{b.tenant, b.Event.IdempotencyKey})
	})
	var (
		tenants    []int64
		keys       []string
		events     [][16]byte
		digests    [][]byte
		deliveries []int32
	)
	for i := range keyed {
		e := &keyed[i]
		tenants, keys = append(tenants, e.tenant), append(keys, e.Event.IdempotencyKey)
		events, digests = append(events, e.Event.ID), append(digests, e.Digest[:])
		deliveries = append(deliveries, int32(e.Count()))
	}
	batch.Queue(sqlLockTimeout, strconv.FormatInt(g.heldKeyWait.Milliseconds(), 10))
	batch.Queue(sqlInsertKeys, tenants, keys, events, digests, deliveries)
	batch.Queue(sqlLockTimeout, "0") // other locks are Bellwire's own, and end soon
}

func (g *group) queueMatched(batch *pgx.Batch) {
	var (
		events     [][16]byte
		deliveries []int32
	)
	for _, e := range g.accepted {
		if e.Unmatched {
			events, deliveries = append(events, e.Event.ID), append(deliveries, int32(e.Count()))
		}
	}
	if len(events) > 0 {
		batch.Queue(sqlEndUnmatched, events, deliveries)
	}
}

// queueClocks gives the events their times, each later than the tenant's event before it. The database has the time of the
// last one.
func (g *group) queueClocks(batch *pgx.Batch) {
	type clock struct {
		events int32
		last   time.Time
	}
	clocks := make(map[int64]clock)
	for i := range g.accepted {
		e := &g.accepted[i]
		c := clocks[e.tenant]
		c = clock{c.events + 1, bellwire.Later(e.Event.CreatedAt.Truncate(time.Microsecond), c.last.Add(time.Microsecond))}
		e.place, e.at = int64(c.events), c.last
		clocks[e.tenant] = c
	}
	tenants := slices.Sorted(maps.Keys(clocks))
	events, last := make([]int32, len(tenants)), make([]time.Time, len(tenants))
	for i, n := range tenants {
		events[i], last[i] = clocks[n].events, clocks[n].last
	}
	batch.Queue(sqlMoveClocks, tenants, events, last).Query(func(rows pgx.Rows) error {
		before := make(map[int64]time.Time)
		var (
			tenant int64
			at     time.Time
		)
		_, err := pgx.ForEachRow(rows, []any{&tenant, &at}, func() error {
			before[tenant] = at
			return nil
		})
		for i := range g.accepted {
			e := &g.accepted[i]
			e.appended.CreatedAt = bellwire.Later(e.at, before[e.tenant].Add(time.Duration(e.place)*time.Microsecond)).UTC()
		}
		return err
	})
}

func (g *group) queueEvents(batch *pgx.Batch) {
	n := len(g.accepted)
	ids, tenants, types := make([][16]byte, n), make([]int64, n), make([]string, n)
	keys, occurred, at, places := make([]*string, n), make([]*time.Time, n), make([]time.Time, n), make([]int64, n)
	tests, deliveries, problems, data := make([]bool, n), make([]int32, n), make([]*string, n), make([][]byte, n)
	var traces [][]byte
	for i, a := range g.accepted {
		e := &a.Event
		ids[i], tenants[i], types[i] = e.ID, a.tenant, e.Type
		if e.IdempotencyKey != "" {
			keys[i] = &e.IdempotencyKey
		}
		occurred[i], at[i], places[i] = orNull(e.OccurredAt), a.at, a.place
		tests[i], deliveries[i], data[i] = e.Test, int32(a.Count()), e.Data
		if e.Problem != "" {
			problems[i] = &e.Problem
		}
		if e.Data == nil {
			data[i] = []byte{}
		}
		if e.Trace != nil && traces == nil {
			traces = make([][]byte, n) // without it, all are NULL
		}
		if e.Trace != nil {
			traces[i] = e.Trace.Encode()
		}
	}
	var deliver, expire []*time.Time
	if g.scheduled() {
		deliver, expire = make([]*time.Time, n), make([]*time.Time, n)
		for i := range g.accepted {
			deliver[i], expire[i] = orNull(g.accepted[i].Event.DeliverAt), orNull(g.accepted[i].Event.ExpiresAt)
		}
	}
	batch.Queue(sqlInsertEvents, ids, tenants, types, keys, occurred, at, places, tests, deliveries, problems, data, g.delta(), traces, deliver, expire,
		g.orderingKeys(), g.versions())
}

// scheduled reports whether one of the events has a schedule.
func (g *group) scheduled() bool {
	return slices.ContainsFunc(g.accepted, func(e acceptedEvent) bool { return rules.ScheduleOf(&e.Event) != (rules.Schedule{}) })
}

// orderingKeys returns the ordering keys of the events; nil: they have none.
func (g *group) orderingKeys() (keys []*string) {
	for i := range g.accepted {
		if key := &g.accepted[i].Event.OrderingKey; *key != "" {
			if keys == nil {
				keys = make([]*string, len(g.accepted))
			}
			keys[i] = key
		}
	}
	return keys
}

// versions returns the versions of the events; nil: they are the first ones.
func (g *group) versions() (versions []*int64) {
	for i := range g.accepted {
		if version := g.accepted[i].Event.Version.Encode(); version > 0 {
			if versions == nil {
				versions = make([]*int64, len(g.accepted))
			}
			versions[i] = &version
		}
	}
	return versions
}

// queueNumbers assigns numbers to the ordered deliveries. It reports whether there are ordered deliveries.
func (g *group) queueNumbers(batch *pgx.Batch) bool {
	count := make(map[int64]int64)
	tenantOf := make(map[int64]int64)
	for i := range g.accepted {
		e := &g.accepted[i]
		if e.deferred {
			continue
		}
		for k := range e.Deliveries {
			if e.Deliveries[k].Ordered {
				n := g.endpoints[e.Deliveries[k].Endpoint].n
				count[n]++
				tenantOf[n] = e.tenant
			}
		}
	}
	if len(count) == 0 {
		return false
	}
	endpoints, counts := sortedCounts(count)
	tenants := make([]int64, len(endpoints))
	for i, n := range endpoints {
		tenants[i] = tenantOf[n]
	}
	batch.Queue(sqlNextNumbers, endpoints, counts, tenants).Query(func(rows pgx.Rows) error {
		next, numbered := make(map[int64]int64), make(map[int64]bool)
		var endpoint, last int64
		_, err := pgx.ForEachRow(rows, []any{&endpoint, &last}, func() error {
			next[endpoint], numbered[endpoint] = last-count[endpoint], true
			return nil
		})
		g.deferUnnumbered(numbered)
		g.number(next)
		return err
	})
	g.queueOpenKeys(batch)
	return true
}

// queueOpenKeys finds out which keys have open deliveries, once the counters are locked.
func (g *group) queueOpenKeys(batch *pgx.Batch) {
	var keys keySet
	for i := range g.accepted {
		for k := range g.accepted[i].Deliveries {
			keys.add(g.accepted[i].keyOf(k))
		}
	}
	if !keys.empty() {
		batch.Queue(sqlOpenKeys, keys.endpoints, keys.keys).Query(func(rows pgx.Rows) error { return forEachKey(rows, g.open.found) })
	}
}

// keyOf returns the key in whose order a delivery is, with the number 0 for none.
func (e *acceptedEvent) keyOf(delivery int) endpointKey {
	d := &e.Deliveries[delivery]
	if !d.Keyed {
		return endpointKey{}
	}
	return endpointKey{d.Endpoint, bellwire.HashOrderingKey(e.Event.OrderingKey)}
}

// placeOf returns a delivery's place among those of its key.
func (e *acceptedEvent) placeOf(delivery int) int64 {
	if e.places == nil {
		return 0
	}
	return e.places[delivery]
}

// isBehind reports whether a delivery is stored behind another.
func (e *acceptedEvent) isBehind(delivery int) bool {
	return e.appended.Behind != nil && e.appended.Behind[delivery]
}

// sortedCounts returns the keys, sorted, and their counts.
func sortedCounts(count map[int64]int64) (keys, counts []int64) {
	keys = slices.Sorted(maps.Keys(count))
	counts = make([]int64, len(keys))
	for i, n := range keys {
		counts[i] = count[n]
	}
	return keys, counts
}

// number gives the ordered deliveries their numbers. next holds the last number that each endpoint has given.
func (g *group) number(next map[int64]int64) {
	for k := range g.accepted {
		e := &g.accepted[k]
		if e.deferred {
			continue
		}
		for i := range e.Deliveries {
			d := &e.Deliveries[i]
			if !d.Ordered {
				continue
			}
			n := g.endpoints[d.Endpoint].n
			next[n]++
			if !d.Keyed {
				e.numbers[i] = next[n]
				continue
			}
			if e.places == nil {
				e.places = make([]int64, len(e.Deliveries))
			}
			e.places[i] = next[n]
		}
	}
}

// rows returns the number of events and deliveries that the group stores.
func (g *group) rows() int {
	rows := len(g.accepted)
	for i := range g.accepted {
		if !g.accepted[i].deferred {
			rows += len(g.accepted[i].Deliveries)
		}
	}
	return rows
}

func (g *group) queueDeliveries(batch *pgx.Batch) {
	var (
		ids, events                         [][16]byte
		tenants, endpoints, numbers, epochs []int64
		manual                              []*int64
		due                                 []*time.Time
		at                                  []time.Time
		placed                              placedColumns
	)
	placing := g.scheduled() || slices.ContainsFunc(g.accepted, func(e acceptedEvent) bool { return e.places != nil })
	for i := range g.accepted {
		e := &g.accepted[i]
		if e.deferred {
			continue
		}
		for j := range e.Deliveries {
			d := &e.Deliveries[j]
			key := e.keyOf(j)
			place := rules.PlacementOf(rules.ScheduleOf(&e.Event), e.Event.CreatedAt, g.open.behind(key))
			ids, events, tenants = append(ids, d.ID), append(events, e.Event.ID), append(tenants, e.tenant)
			endpoints, numbers = append(endpoints, g.endpoints[d.Endpoint].n), append(numbers, e.numbers[j])
			at = append(at, e.Event.CreatedAt)
			if d.Manual {
				epochs, manual, due = append(epochs, 0), append(manual, &d.Epoch), append(due, nil)
			} else {
				epochs, manual, due = append(epochs, d.Epoch), append(manual, nil), append(due, &place.DueAt)
			}
			if place.Behind {
				epochs[len(epochs)-1] = 0
				e.appended.Behind = putBehind(e.appended.Behind, len(e.Deliveries), j)
			}
			if placing {
				placed.add(place, e.Event.ExpiresAt, key.key, e.placeOf(j))
			}
		}
	}
	if len(ids) > 0 {
		batch.Queue(sqlInsertDeliveries, ids, events, tenants, endpoints, numbers, epochs, manual, due, at, placed.statuses, placed.notBefore, placed.expires,
			placed.keys, placed.places)
	}
}

// placedColumns are the columns of deliveries that differ only if an event of the group has a schedule, or a delivery is in the order
// of a key. Otherwise they are nil.
type placedColumns struct {
	statuses           []int16
	notBefore, expires []*time.Time
	keys, places       []*int64
}

func (c *placedColumns) add(p rules.Placement, expires time.Time, key, place int64) {
	st := p.State()
	c.statuses, c.notBefore = append(c.statuses, codec.StateNumber[int16](&st)), append(c.notBefore, orNull(p.NotBefore))
	c.expires = append(c.expires, orNull(expires))
	if key == 0 {
		c.keys, c.places = append(c.keys, nil), append(c.places, nil)
	} else {
		c.keys, c.places = append(c.keys, &key), append(c.places, &place)
	}
}

// woken returns the endpoints that other nodes own and that have something new.
func (g *group) woken(owned *bellwire.Leases) []string {
	endpoints := make(map[string]bool)
	for _, e := range g.accepted {
		if e.deferred {
			continue
		}
		for i := range e.Deliveries {
			if d := &e.Deliveries[i]; d.Epoch == 0 && !e.isBehind(i) && owned.Epoch(d.Endpoint) == 0 {
				endpoints[d.Endpoint] = true
			}
		}
	}
	return namesIn(endpoints)
}
