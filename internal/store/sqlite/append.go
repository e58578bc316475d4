package sqlite

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// AppendEvents stores the appends, each whole or not at all.
func (s *Store) AppendEvents(ctx context.Context, appends []*bellwire.Append) ([]bellwire.AppendResult, error) {
	results := make([]bellwire.AppendResult, len(appends))
	err := s.write(ctx, func(w *writer) error {
		for i, a := range appends {
			result, err := w.append(a)
			if refused, ok := errors.AsType[*bellwire.Error](err); ok {
				result.Err = refused
			} else if err != nil {
				return err
			}
			results[i] = result
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// append stores one append. All reasons to refuse it are found before anything is written, so that no savepoint is needed.
func (w *writer) append(a *bellwire.Append) (result bellwire.AppendResult, err error) {
	if len(a.Events) == 0 {
		return result, nil
	}
	tenant, err := w.tenant(a.Events[0].Event.Tenant)
	if err != nil {
		return result, err
	}
	facts, err := w.appendFacts(tenant, a)
	if err != nil {
		return result, err
	}
	admitted := rules.Admit(a, facts)
	if admitted.Late {
		if err := w.loadStored(tenant, a, facts); err != nil {
			return result, err
		}
		return rules.Repeated(a, facts, admitted.AppendResult), nil
	}
	if admitted.Err != nil {
		return admitted.AppendResult, nil
	}
	deferred := new(run)
	for _, i := range admitted.Store {
		if err := w.insertEvent(tenant.n, a.Events[i], deferred, &admitted.Events[i]); err != nil {
			return result, err
		}
	}
	return admitted.AppendResult, w.finish(deferred)
}

// appendFacts loads the facts about an append, but not whether its events are stored already: that is rare, and inserting them
// again has no effect. The facts are valid until the next call.
func (w *writer) appendFacts(tenant tenantRef, a *bellwire.Append) (facts *rules.AppendFacts, err error) {
	facts = &w.facts
	*facts = rules.AppendFacts{TenantRevision: tenant.revision, Events: facts.Events[:0]}
	if facts.OperatorRevision, err = w.operatorRevision(); err != nil {
		return nil, err
	}
	mayDefer := func(e *bellwire.NewEvent) bool { return rules.IsDeferred(e, true) }
	if slices.ContainsFunc(a.Events, mayDefer) {
		if facts.Deferred, err = w.deferred(tenant.n); err != nil {
			return nil, err
		}
	}
	for i, e := range a.Events {
		// If there is an outbox, it is in another database, so an event that comes from one is assumed to be still in it.
		f := rules.EventFacts{Unmatched: true}
		if i > 0 && e.Recipients != nil && e.Recipients == a.Events[i-1].Recipients { // events mostly share the list
			f.MissingEndpoint = facts.Events[i-1].MissingEndpoint
		} else if f.MissingEndpoint, err = w.missingEndpoint(tenant, e); err != nil {
			return nil, err
		}
		if e.Event.IdempotencyKey != "" {
			if f.Known, err = w.known(tenant.n, e.Event.IdempotencyKey); err != nil {
				return nil, err
			}
		}
		facts.Events = append(facts.Events, f)
	}
	return facts, nil
}

// missingEndpoint returns an endpoint that is to get the event and is not the tenant's.
func (w *writer) missingEndpoint(tenant tenantRef, e *bellwire.NewEvent) (string, error) {
	for i := range e.Deliveries {
		if missing, err := w.isMissing(tenant, e.Deliveries[i].Endpoint); missing || err != nil {
			return e.Deliveries[i].Endpoint, err
		}
	}
	if e.Recipients == nil {
		return "", nil
	}
	for _, r := range *e.Recipients {
		if missing, err := w.isMissing(tenant, r.Endpoint); missing || err != nil {
			return r.Endpoint, err
		}
	}
	return "", nil
}

func (w *writer) isMissing(tenant tenantRef, endpoint string) (bool, error) {
	ref, err := w.endpoint(endpoint)
	if bellwire.CodeOf(err) == bellwire.CodeNotFound {
		return true, nil
	}
	return ref.tenant != tenant.n, err
}

// known returns the event that an idempotency key names, nil if there is none.
func (c *db) known(tenant int64, key string) (*rules.KnownEvent, error) {
	q := c.query("SELECT event, digest, deliveries FROM idempotency_keys WHERE tenant = ? AND key = ?").int(tenant).text(key)
	if found, err := q.one(); !found {
		return nil, err
	}
	known := new(rules.KnownEvent)
	q.getBytes(known.ID[:])
	q.getBytes(known.Digest[:])
	known.Deliveries = int(q.getInt())
	return known, q.close()
}

// loadStored adds the events that are stored already to the facts.
func (w *writer) loadStored(tenant tenantRef, a *bellwire.Append, facts *rules.AppendFacts) (err error) {
	for i, e := range a.Events {
		if facts.Events[i].Stored, err = w.storedEvent(tenant.n, e); err != nil {
			return err
		}
	}
	return nil
}

// storedEvent returns an event that is stored already, nil if it is not.
func (w *writer) storedEvent(tenant int64, e *bellwire.NewEvent) (*rules.StoredEvent, error) {
	q := w.query("SELECT created_at, deliveries FROM events WHERE tenant = ? AND id = ?").int(tenant).blob(e.Event.ID[:])
	if found, err := q.one(); !found {
		return nil, err
	}
	stored := &rules.StoredEvent{CreatedAt: q.getTime(), Deliveries: int(q.getInt()), Sequences: make([]int64, len(e.Deliveries))}
	if err := q.close(); err != nil {
		return nil, err
	}
	for i := range e.Deliveries {
		d := &e.Deliveries[i]
		q := w.query(sqlStoredDelivery).blob(d.ID[:]).int(d.Epoch)
		found, err := q.one()
		if err != nil {
			return nil, err
		}
		if !found {
			stored.Sequences, stored.Behind = nil, nil
			break
		}
		stored.Sequences[i] = q.getInt()
		if touched := q.getBool(); touched && d.Keyed {
			stored.Behind = putBehind(stored.Behind, len(e.Deliveries), i)
		}
		if err := q.close(); err != nil {
			return nil, err
		}
	}
	return stored, nil
}

// sqlStoredDelivery also tells whether a delivery is not claimed in an epoch since it was stored. What was behind another is
// updated when it is freed.
const sqlStoredDelivery = "SELECT sequence, epoch <> ?2 OR updated_at > created_at FROM deliveries WHERE id = ?1"

// putBehind sets an element of AppendedEvent.Behind.
func putBehind(behind []bool, deliveries, i int) []bool {
	if behind == nil {
		behind = make([]bool, deliveries)
	}
	behind[i] = true
	return behind
}

const (
	sqlInsertEvent = `INSERT INTO events (id, tenant, type, idempotency_key, occurred_at, created_at, test, deliveries, data, trace, deliver_at, expires_at,
			ordering_key, version)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`
	sqlInsertKey      = "INSERT INTO idempotency_keys (tenant, key, event, digest, deliveries) VALUES (?, ?, ?, ?, ?)"
	sqlInsertDelivery = `INSERT INTO deliveries (id, event, tenant, endpoint, status, reason, attempts, retries, sequence,
			epoch, manual_epoch, due_at, created_at, updated_at, passed_over)
		VALUES (?1, ?2, ?3, ?4, 0, '', 0, 0, ?5, ?6, ?7, ?8, ?9, ?9, ?7 IS NOT NULL)` // what is manual from the start is a test
	// sqlInsertPlaced inserts a delivery of an event with a schedule, or in the order of a key.
	sqlInsertPlaced = `INSERT INTO deliveries (id, event, tenant, endpoint, status, reason, attempts, retries, sequence,
			epoch, due_at, created_at, updated_at, not_before, expires_at, ordering_key, place)
		VALUES (?1, ?2, ?3, ?4, ?5, '', 0, 0, ?6, ?7, ?8, ?9, ?9, ?10, ?11, ?12, ?13)`
	// sqlSettleLate settles a delivery to an endpoint that was deleted meanwhile, unless the endpoint's later ones are still to be
	// settled.
	sqlSettleLate   = "UPDATE deliveries SET of_deleted = 1 WHERE id = ?1 AND (SELECT settled OR settled_to > ?1 FROM endpoints WHERE n = ?2) = 1"
	sqlNextSequence = "UPDATE endpoints SET sequence = sequence + 1 WHERE n = ? RETURNING sequence"
)

// The times of all tenants' events come from one clock, which never goes back. It stands at the time of the newest event, or at
// the time that Purge has saved if that event is gone.
const (
	sqlClock = `SELECT max(coalesce((SELECT value FROM meta WHERE name = 'clock'), 0),
		coalesce((SELECT created_at FROM events WHERE n = (SELECT max(n) FROM events)), 0))`
	sqlSaveClock = "INSERT INTO meta (name, value) VALUES ('clock', ?) ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)"
)

// insertEvent stores an event with its deliveries, or reports what is stored if an earlier try has stored it.
func (w *writer) insertEvent(tenant int64, n *bellwire.NewEvent, deferred *run, appended *bellwire.AppendedEvent) error {
	e := &n.Event
	q := w.query(sqlInsertEvent).blob(e.ID[:]).int(tenant).text(e.Type)
	if e.IdempotencyKey == "" {
		q.null()
	} else {
		q.text(e.IdempotencyKey)
	}
	at := max(e.CreatedAt.UnixMicro(), w.clock+1)
	q.timeOrNull(e.OccurredAt).int(at).bool(e.Test).int(int64(n.Count())).data(e.Data).blob(e.Trace.Encode()).timeOrNull(e.DeliverAt).timeOrNull(e.ExpiresAt).textOrNull(e.OrderingKey).version(e.Version)
	if err := q.exec(); err != nil {
		return err
	}
	if w.conn.Changes() == 0 {
		return w.answerStored(tenant, n, appended)
	}
	w.clock = at
	appended.CreatedAt = time.UnixMicro(at).UTC()
	w.delta.Publish(tenant, e, appended.CreatedAt)
	if err := w.insertDeliveries(tenant, w.conn.LastInsertRowID(), n, deferred, appended); err != nil {
		return err
	}
	w.opened += n.Count()
	if e.IdempotencyKey == "" {
		return nil
	}
	return w.query(sqlInsertKey).int(tenant).text(e.IdempotencyKey).blob(e.ID[:]).blob(n.Digest[:]).int(int64(n.Count())).exec()
}

// answerStored answers an event that is stored already. An event of another tenant counts as not found.
func (w *writer) answerStored(tenant int64, n *bellwire.NewEvent, appended *bellwire.AppendedEvent) error {
	stored, err := w.storedEvent(tenant, n)
	if err == nil && stored == nil {
		err = bellwire.NotFound("event", n.Event.ID.String())
	}
	if err != nil {
		return err
	}
	*appended = stored.Answer(n)
	return nil
}

// insertDeliveries stores the deliveries of an event, or defers them to FanOut.
func (w *writer) insertDeliveries(tenant, event int64, n *bellwire.NewEvent, deferred *run, appended *bellwire.AppendedEvent) error {
	if appended.Deferred {
		return w.deferDeliveries(deferred, tenant, event, n)
	}
	appended.Sequences = make([]int64, len(n.Deliveries))
	key := bellwire.HashOrderingKey(n.Event.OrderingKey)
	for i := range n.Deliveries {
		d := &n.Deliveries[i]
		endpoint, err := w.endpoint(d.Endpoint)
		if err != nil {
			return err
		}
		row := &newDelivery{
			id: d.ID, event: event, tenant: tenant, endpoint: endpoint.n, ordered: d.Ordered, manual: d.Manual, epoch: d.Epoch,
			at: n.Event.CreatedAt, deleted: endpoint.deleted, schedule: rules.ScheduleOf(&n.Event),
		}
		if d.Keyed {
			row.key = key
		}
		var behind bool
		if appended.Sequences[i], behind, err = w.insertDelivery(row); err != nil {
			return err
		}
		if behind {
			appended.Behind = putBehind(appended.Behind, len(n.Deliveries), i)
		}
	}
	return nil
}

// insertDelivery stores a delivery. It returns its number, 0 if it has none, and whether it is behind another of its key.
func (w *writer) insertDelivery(d *newDelivery) (number int64, behind bool, err error) {
	if d.ordered {
		if number, _, err = w.query(sqlNextSequence).int(d.endpoint).scalar(); err != nil {
			return 0, false, err
		}
	}
	switch {
	case d.key != 0:
		if behind, err = w.hasOpenOfKey(d.endpoint, d.key); err == nil {
			err = w.insertPlaced(d, 0, number, behind)
		}
		number = 0
	case d.schedule != (rules.Schedule{}) && !d.manual:
		err = w.insertPlaced(d, number, 0, false)
	default:
		err = w.insertPlain(d, number)
	}
	if err == nil && d.deleted {
		err = w.query(sqlSettleLate).blob(d.id[:]).int(d.endpoint).exec()
	}
	return number, behind, err
}

// insertPlain stores a delivery of an event without a schedule, or a test.
func (w *writer) insertPlain(d *newDelivery, number int64) error {
	q := w.query(sqlInsertDelivery).blob(d.id[:]).int(d.event).int(d.tenant).int(d.endpoint).int(number)
	if d.manual {
		q.int(0).int(d.epoch).null()
	} else {
		q.int(d.epoch).null().time(d.at)
	}
	return q.time(d.at).exec()
}

// insertPlaced stores any other delivery. place is its place among those of its key.
func (w *writer) insertPlaced(d *newDelivery, number, place int64, behind bool) error {
	at := rules.PlacementOf(d.schedule, d.at, behind)
	st, epoch := at.State(), d.epoch
	if behind {
		epoch = 0
	}
	q := w.query(sqlInsertPlaced).blob(d.id[:]).int(d.event).int(d.tenant).int(d.endpoint).int(codec.StateNumber[int64](&st)).int(number).
		int(epoch).time(at.DueAt).time(d.at).timeOrNull(at.NotBefore).timeOrNull(d.schedule.ExpiresAt)
	if d.key == 0 {
		return q.null().null().exec()
	}
	return q.int(d.key).int(place).exec()
}
