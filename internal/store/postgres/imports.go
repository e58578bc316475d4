package postgres

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

const (
	sqlImportTenants = "SELECT id, n FROM bellwire.tenants WHERE id = ANY($1) AND deleted_at IS NULL"
	sqlHoldImports   = sqlImportTenants + " ORDER BY n FOR SHARE"
	// sqlAlike finds the events whose deliveries have the same ids. Each is looked up separately, in the partitions of their time.
	sqlAlike = "SELECT w.place, " + eventColumns + ` FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS w (first, last, place)
		CROSS JOIN LATERAL (SELECT * FROM bellwire.events WHERE id BETWEEN w.first AND w.last AND id BETWEEN $3 AND $4 ORDER BY id LIMIT 8) e
		LEFT JOIN bellwire.tenants t ON t.n = e.tenant AND t.deleted_at IS NULL`
	sqlImportKeys = `SELECT k.tenant, k.key, k.event, k.digest, k.deliveries FROM unnest($1::bigint[], $2::text[]) AS w (tenant, key)
		JOIN bellwire.idempotency_keys k ON k.tenant = w.tenant AND k.key = w.key`
	sqlImportEvents = `INSERT INTO bellwire.events (id, tenant, type, idempotency_key, occurred_at, created_at, test, deliveries, data, deliver_at,
			expires_at, ordering_key, erased, version, imported)
		SELECT id, tenant, type, key, occurred_at, created_at, false, 0, data, deliver_at, expires_at, ordering_key, erased, version, true
		FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::bytea[], $8::timestamptz[], $9::timestamptz[], $10::text[],
			$11::text[], $12::bigint[]) AS e (tenant, id, type, key, occurred_at, created_at, data, deliver_at, expires_at, ordering_key, erased, version)`
)

// ImportEvents stores history.
func (s *Store) ImportEvents(ctx context.Context, events []*bellwire.NewEvent, dryRun bool) ([]bellwire.ImportResult, error) {
	if dryRun {
		i := newImporting(events)
		err := s.snapshotOn(ctx, s.lists, func(tx *tx) error { return i.load(tx, sqlImportTenants) })
		return i.results, err
	}
	if err := s.makePast(ctx, events); err != nil {
		return nil, s.translate(err)
	}
	var i *importing
	err := s.write(ctx, func(tx *tx) error {
		i = newImporting(events)
		if err := i.load(tx, sqlHoldImports); err != nil {
			return err
		}
		err := i.store(tx)
		if isState(err, "23505") { // unique_violation: somebody has stored the same id or key since
			return errRetry
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return i.results, nil
}

// importing is an import of some events.
type importing struct {
	tenants map[string]int64 // their numbers
	events  []*bellwire.NewEvent
	facts   []rules.ImportFacts
	results []bellwire.ImportResult
}

func newImporting(events []*bellwire.NewEvent) *importing {
	return &importing{
		tenants: make(map[string]int64), events: events, facts: make([]rules.ImportFacts, len(events)), results: make([]bellwire.ImportResult, len(events)),
	}
}

// load reads the facts, and decides by them.
func (i *importing) load(tx *tx, sqlTenants string) error {
	if err := i.loadTenants(tx, sqlTenants); err != nil {
		return err
	}
	if err := i.loadAlike(tx); err != nil {
		return err
	}
	if err := i.loadKnown(tx); err != nil {
		return err
	}
	for k, e := range i.events {
		i.results[k] = rules.DecideImport(e, &i.facts[k])
	}
	return nil
}

func (i *importing) loadTenants(tx *tx, sqlTenants string) error {
	wanted := make(map[string]bool)
	for _, e := range i.events {
		wanted[e.Event.Tenant] = true
	}
	ids := slices.Sorted(maps.Keys(wanted))
	var (
		id string
		n  int64
	)
	_, err := pgx.ForEachRow(tx.query(sqlTenants, ids), []any{&id, &n}, func() error {
		i.tenants[id] = n
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range ids {
		if _, found := i.tenants[id]; !found {
			return bellwire.NotFound("tenant", id)
		}
	}
	return nil
}

// key returns the idempotency key of an event.
func (i *importing) key(e *bellwire.NewEvent) ownKey {
	return ownKey{i.tenants[e.Event.Tenant], e.Event.IdempotencyKey}
}

func (i *importing) loadAlike(tx *tx) error {
	first, last := make([][16]byte, len(i.events)), make([][16]byte, len(i.events))
	from, to := codec.LastID, [16]byte{}
	for k, e := range i.events {
		begin, end := bellwire.DeliveriesOf(e.Event.ID)
		first[k], last[k] = begin, end
		from, to = earlierID(from, begin), laterID(to, end)
	}
	var place int
	rows := tx.query(sqlAlike, first, last, from, to)
	defer rows.Close()
	for rows.Next() {
		r := new(eventRow)
		var of *string // NULL: of a deleted tenant
		into := append([]any{&place}, r.into()...)
		into[2] = &of
		if err := rows.Scan(into...); err != nil {
			return err
		}
		alike, err := r.done()
		if err != nil {
			return err
		}
		facts := &i.facts[place-1]
		if e := &i.events[place-1].Event; alike.ID == e.ID && of != nil && *of == e.Tenant {
			facts.Stored = alike
		} else {
			facts.Taken = &alike.ID
		}
	}
	return rows.Err()
}

func (i *importing) loadKnown(tx *tx) error {
	wanted := make(map[ownKey]int)
	for k, e := range i.events {
		if e.Event.IdempotencyKey != "" {
			wanted[i.key(e)] = k
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	tenants, keys := make([]int64, 0, len(wanted)), make([]string, 0, len(wanted))
	for key := range wanted {
		tenants, keys = append(tenants, key.tenant), append(keys, key.key)
	}
	var (
		own    ownKey
		known  rules.KnownEvent
		digest []byte
	)
	_, err := pgx.ForEachRow(tx.query(sqlImportKeys, tenants, keys), []any{&own.tenant, &own.key, (*[16]byte)(&known.ID), &digest, &known.Deliveries}, func() error {
		found := known
		copy(found.Digest[:], digest)
		i.facts[wanted[own]].Known = &found
		return nil
	})
	return err
}

// store writes the events that are created, keys before events and sorted, as storeGroup does, so that the two cannot deadlock.
func (i *importing) store(tx *tx) error {
	var created []*bellwire.NewEvent
	for k, e := range i.events {
		if i.results[k].State == bellwire.ImportCreated {
			created = append(created, e)
		}
	}
	if len(created) == 0 {
		return nil
	}
	batch := new(pgx.Batch)
	i.queueKeys(batch, created)
	n := len(created)
	ids, types, at, data := make([][16]byte, n), make([]string, n), make([]time.Time, n), make([][]byte, n)
	occurred, deliver, expires := make([]*time.Time, n), make([]*time.Time, n), make([]*time.Time, n)
	tenants, versions := make([]int64, n), make([]int64, n)
	keys, orders, erased := make([]*string, n), make([]*string, n), make([]*string, n)
	for k, c := range created {
		e := &c.Event
		erasure, err := codec.EncodeErased(e)
		if err != nil {
			return err
		}
		tenants[k], versions[k] = i.tenants[e.Tenant], e.Version.Encode()
		ids[k], types[k], at[k], data[k] = e.ID, e.Type, e.CreatedAt, e.Data
		occurred[k], deliver[k], expires[k] = orNull(e.OccurredAt), orNull(e.DeliverAt), orNull(e.ExpiresAt)
		keys[k], orders[k], erased[k] = textOrNull(e.IdempotencyKey), textOrNull(e.OrderingKey), textOrNull(erasure)
		if e.Data == nil {
			data[k] = []byte{} // not NULL
		}
	}
	batch.Queue(sqlImportEvents, tenants, ids, types, keys, occurred, at, data, deliver, expires, orders, erased, versions)
	return tx.send(batch)
}

func (i *importing) queueKeys(batch *pgx.Batch, created []*bellwire.NewEvent) {
	keyed := slices.DeleteFunc(slices.Clone(created), func(e *bellwire.NewEvent) bool { return e.Event.IdempotencyKey == "" })
	if len(keyed) == 0 {
		return
	}
	slices.SortFunc(keyed, func(a, b *bellwire.NewEvent) int {
		return i.key(a).compare(i.key(b))
	})
	n := len(keyed)
	tenants, keys, events, digests := make([]int64, n), make([]string, n), make([][16]byte, n), make([][]byte, n)
	for k, e := range keyed {
		tenants[k], keys[k], events[k], digests[k] = i.tenants[e.Event.Tenant], e.Event.IdempotencyKey, e.Event.ID, e.Digest[:]
	}
	batch.Queue(sqlInsertKeys, tenants, keys, events, digests, make([]int32, n))
}

// makePast makes a partition for all that is older than the oldest one, unless no event is. History would otherwise go to the default
// partition, all of which PostgreSQL searches, while nothing can be published, each time that a partition is made. If other
// transactions are in the way, the default partition takes the events all the same, and a call a minute later tries again.
func (s *Store) makePast(ctx context.Context, events []*bellwire.NewEvent) error {
	s.past.Lock()
	defer s.past.Unlock()
	if time.Since(s.past.failed) < partitionsEvery {
		return nil
	}
	oldest := codec.LastID
	for _, e := range events {
		oldest = earlierID(oldest, e.Event.ID)
	}
	for _, table := range []partitionedTable{eventsTable, deliveriesTable, attemptsTable} {
		present, err := s.partitions(ctx, table)
		if err != nil {
			return err
		}
		if len(present) == 0 || bytes.Compare(present[0].begin[:], oldest[:]) <= 0 {
			continue
		}
		end := present[0].begin
		p := &partition{table: table, name: table.name + "_until_" + bellwire.EventID(end).Time().Format("20060102_1504"), end: end}
		made, err := s.alter(ctx, s.options.Timeout, func(tx *tx) (bool, error) { return true, tx.makePartition(p) })
		if err != nil {
			return err
		}
		if !made {
			s.past.failed = time.Now()
			return nil
		}
	}
	return nil
}

// pastPartition guards the making of the partition for the past.
type pastPartition struct {
	sync.Mutex
	failed time.Time // when others were last in the way
}
