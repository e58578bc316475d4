package sqlite

import (
	"context"
	"errors"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
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

// append stores one append. All reasons to refuse it are found before anything is written, so that no
// savepoint is needed.
func (w *writer) append(a *bellwire.Append) (result bellwire.AppendResult, err error) {
	if len(a.Events) == 0 {
		return result, nil
	}
	tenant, err := w.tenant(a.Events[0].Event.Tenant)
	if err != nil {
		return result, err
	}
	operator, err := w.operatorRevision()
	if err != nil {
		return result, err
	}
	if stale := rules.Stale(a, tenant.revision, operator); stale != (bellwire.Stale{}) {
		return w.repeated(tenant, a, bellwire.AppendResult{Err: rules.StaleAppend(a.Events[0].Event.Tenant, stale), Stale: stale})
	}
	appended := make([]bellwire.AppendedEvent, len(a.Events))
	if err := w.admit(tenant, a, appended); err != nil {
		return result, err
	}
	if err := w.room(tenant.n, a, appended); err != nil {
		return w.repeated(tenant, a, bellwire.AppendResult{Err: err})
	}
	left := new(run)
	for i, e := range a.Events {
		if appended[i].Duplicate {
			continue
		}
		if err := w.insertEvent(tenant.n, e, left, &appended[i]); err != nil {
			return result, err
		}
	}
	return bellwire.AppendResult{Events: appended}, w.finish(left)
}

// admit looks up the publisher's ids, and refuses the append if one of them names another event.
func (w *writer) admit(tenant tenantRef, a *bellwire.Append, appended []bellwire.AppendedEvent) error {
	var (
		here    map[string]int       // the publisher's ids within this append
		checked *bellwire.Recipients // most events have those of the one before
	)
	for i, e := range a.Events {
		if e.Recipients == nil || e.Recipients != checked {
			if err := w.checkEndpoints(tenant, e); err != nil {
				return err
			}
			checked = e.Recipients
		}
		key := e.Event.IdempotencyKey
		if key == "" {
			continue
		}
		known, err := w.lookUp(tenant.n, e, &appended[i])
		if err != nil {
			return err
		}
		if known || len(a.Events) == 1 {
			continue
		}
		if first, ok := here[key]; ok {
			of := a.Events[first]
			if of.Digest != e.Digest {
				return conflict(key)
			}
			appended[i] = bellwire.AppendedEvent{ID: of.Event.ID, Duplicate: true, Deliveries: of.Count()}
			continue
		}
		if here == nil {
			here = make(map[string]int)
		}
		here[key] = i
	}
	return nil
}

func (w *writer) checkEndpoints(tenant tenantRef, e *bellwire.NewEvent) error {
	for i := range e.Deliveries {
		if err := w.checkEndpoint(tenant, e.Deliveries[i].Endpoint); err != nil {
			return err
		}
	}
	if e.Recipients == nil {
		return nil
	}
	for _, r := range *e.Recipients {
		if err := w.checkEndpoint(tenant, r.Endpoint); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) checkEndpoint(tenant tenantRef, id string) error {
	ref, err := w.endpoint(id)
	if err == nil && ref.tenant != tenant.n {
		err = bellwire.NotFound("endpoint", id)
	}
	return err
}

// lookUp finds the event that the publisher's id already names. That the event is this very one means that
// an append is repeated, which is no duplicate.
func (w *writer) lookUp(tenant int64, e *bellwire.NewEvent, appended *bellwire.AppendedEvent) (known bool, err error) {
	q := w.query("SELECT event, digest, deliveries FROM idempotency_keys WHERE tenant = ? AND key = ?").
		int(tenant).text(e.Event.IdempotencyKey)
	if known, err = q.one(); !known {
		return false, err
	}
	var (
		first  bellwire.EventID
		digest [32]byte
	)
	q.getBytes(first[:])
	q.getBytes(digest[:])
	deliveries := int(q.getInt())
	if err := q.close(); err != nil {
		return false, err
	}
	if digest != e.Digest {
		return false, conflict(e.Event.IdempotencyKey)
	}
	if first != e.Event.ID {
		*appended = bellwire.AppendedEvent{ID: first, Duplicate: true, Deliveries: deliveries}
	}
	return true, nil
}

func conflict(key string) error {
	return bellwire.Errorf(bellwire.CodeConflict,
		"The id %q was used before, with another type or other data. Give this event an id of its own.", key)
}

const (
	sqlInsertEvent = `INSERT INTO events (id, tenant, type, idempotency_key, occurred_at, created_at, test, deliveries, data)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`
	sqlInsertKey      = "INSERT INTO idempotency_keys (tenant, key, event, digest, deliveries) VALUES (?, ?, ?, ?, ?)"
	sqlInsertDelivery = `INSERT INTO deliveries (id, event, tenant, endpoint, status, reason, attempts, retries, sequence,
			epoch, manual_epoch, due_at, created_at, updated_at)
		VALUES (?1, ?2, ?3, ?4, 0, '', 0, 0, ?5, ?6, ?7, ?8, ?9, ?9)`
	// A delivery to an endpoint that was deleted meanwhile is listed where those are that it had before.
	sqlSettleLate   = "UPDATE deliveries SET of_deleted = 1 WHERE id = ?1 AND (SELECT settled FROM endpoints WHERE n = ?2) = 1"
	sqlNextSequence = "UPDATE endpoints SET sequence = sequence + 1 WHERE n = ? RETURNING sequence"
)

// The clock of the events' times is one for all tenants, and never set back: the newest event shows it, and what Purge has
// saved if that event is gone.
const (
	sqlClock = `SELECT max(coalesce((SELECT value FROM meta WHERE name = 'clock'), 0),
		coalesce((SELECT created_at FROM events WHERE n = (SELECT max(n) FROM events)), 0))`
	sqlSaveClock = "INSERT INTO meta (name, value) VALUES ('clock', ?) ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)"
)

// insertEvent stores an event with its deliveries, or reports what is stored if it is there already.
func (w *writer) insertEvent(tenant int64, n *bellwire.NewEvent, left *run, appended *bellwire.AppendedEvent) error {
	e := &n.Event
	q := w.query(sqlInsertEvent).blob(e.ID[:]).int(tenant).text(e.Type)
	if e.IdempotencyKey == "" {
		q.null()
	} else {
		q.text(e.IdempotencyKey)
	}
	at := max(e.CreatedAt.UnixMicro(), w.clock+1)
	q.timeOrNull(e.OccurredAt).int(at).bool(e.Test).int(int64(n.Count())).data(e.Data)
	if err := q.exec(); err != nil {
		return err
	}
	if w.conn.Changes() == 0 {
		return w.storedEvent(tenant, n, appended)
	}
	w.clock = at
	row := w.conn.LastInsertRowID()
	*appended = bellwire.AppendedEvent{ID: e.ID, CreatedAt: time.UnixMicro(at).UTC(), Deliveries: n.Count()}
	if err := w.insertDeliveries(tenant, row, n, left, appended); err != nil {
		return err
	}
	w.opened += n.Count()
	if e.IdempotencyKey == "" {
		return nil
	}
	return w.query(sqlInsertKey).int(tenant).text(e.IdempotencyKey).blob(e.ID[:]).blob(n.Digest[:]).int(int64(n.Count())).exec()
}

// insertDeliveries stores the deliveries of an event, or leaves them to FanOut.
func (w *writer) insertDeliveries(tenant, event int64, n *bellwire.NewEvent, left *run, appended *bellwire.AppendedEvent) error {
	behind, err := w.isLeft(tenant, n, left)
	if err != nil {
		return err
	}
	if behind {
		appended.Deferred = true
		return w.leave(left, tenant, event, n)
	}
	appended.Sequences = make([]int64, len(n.Deliveries))
	for i := range n.Deliveries {
		d := &n.Deliveries[i]
		endpoint, err := w.endpoint(d.Endpoint)
		if err != nil {
			return err
		}
		appended.Sequences[i], err = w.insertDelivery(&newDelivery{
			id: d.ID, event: event, tenant: tenant, endpoint: endpoint.n, ordered: d.Ordered, manual: d.Manual, epoch: d.Epoch,
			at: n.Event.CreatedAt, deleted: endpoint.deleted,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// isLeft reports whether an event's deliveries are left to FanOut.
func (w *writer) isLeft(tenant int64, n *bellwire.NewEvent, left *run) (bool, error) {
	if !rules.IsDeferred(n, true) {
		return false, nil
	}
	waiting, err := w.waiting(tenant)
	return rules.IsDeferred(n, waiting > 0 || left.of != nil), err
}

// insertDelivery stores a delivery and returns its number, 0 if it is not ordered.
func (w *writer) insertDelivery(d *newDelivery) (number int64, err error) {
	if d.ordered {
		if number, _, err = w.query(sqlNextSequence).int(d.endpoint).scalar(); err != nil {
			return 0, err
		}
	}
	q := w.query(sqlInsertDelivery).blob(d.id[:]).int(d.event).int(d.tenant).int(d.endpoint).int(number)
	if d.manual {
		q.int(0).int(d.epoch).null()
	} else {
		q.int(d.epoch).null().time(d.at)
	}
	if err := q.time(d.at).exec(); err != nil || !d.deleted {
		return number, err
	}
	return number, w.query(sqlSettleLate).blob(d.id[:]).int(d.endpoint).exec()
}

// repeated answers an append that came too late for its configuration: with what is stored if all of it was
// stored by an earlier try, and with the refusal otherwise.
func (w *writer) repeated(tenant tenantRef, a *bellwire.Append, refusal bellwire.AppendResult) (bellwire.AppendResult, error) {
	appended := make([]bellwire.AppendedEvent, len(a.Events))
	for i, e := range a.Events {
		err := w.stored(tenant, e, &appended[i])
		if _, ok := errors.AsType[*bellwire.Error](err); ok {
			return refusal, nil
		}
		if err != nil {
			return bellwire.AppendResult{}, err
		}
	}
	return bellwire.AppendResult{Events: appended}, nil
}

func (w *writer) stored(tenant tenantRef, e *bellwire.NewEvent, appended *bellwire.AppendedEvent) error {
	if e.Event.IdempotencyKey != "" {
		if _, err := w.lookUp(tenant.n, e, appended); err != nil || appended.Duplicate {
			return err
		}
	}
	return w.storedEvent(tenant.n, e, appended)
}

// storedEvent reports on an event that was stored by an earlier try.
func (w *writer) storedEvent(tenant int64, n *bellwire.NewEvent, appended *bellwire.AppendedEvent) error {
	q := w.query("SELECT created_at, deliveries FROM events WHERE tenant = ? AND id = ?").int(tenant).blob(n.Event.ID[:])
	found, err := q.one()
	if err != nil {
		return err
	}
	if !found {
		return bellwire.NotFound("event", n.Event.ID.String())
	}
	*appended = bellwire.AppendedEvent{ID: n.Event.ID, CreatedAt: q.getTime(), Deliveries: int(q.getInt())}
	if err := q.close(); err != nil {
		return err
	}
	if appended.Deferred = n.Recipients != nil; appended.Deferred {
		return nil
	}
	appended.Sequences = make([]int64, len(n.Deliveries))
	for i := range n.Deliveries {
		number, found, err := w.query("SELECT sequence FROM deliveries WHERE id = ?").blob(n.Deliveries[i].ID[:]).scalar()
		if err != nil {
			return err
		}
		if !found { // FanOut gives them other ids
			appended.Sequences, appended.Deferred = nil, true
			return nil
		}
		appended.Sequences[i] = number
	}
	return nil
}
