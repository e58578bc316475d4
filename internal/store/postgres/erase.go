package postgres

import (
	"context"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

const (
	sqlEraseData = `UPDATE bellwire.events SET data = '', erased = $3, problem = CASE WHEN problem IS NOT NULL THEN $4 END
		WHERE tenant = $1 AND id = $2 AND erased IS NULL`
	sqlEraseDigest = "UPDATE bellwire.idempotency_keys SET digest = $4 WHERE tenant = $1 AND key = $2 AND event = $3"
	// sqlKeyedOf returns the endpoints at which deliveries are in the order of a key.
	sqlKeyedOf = `SELECT DISTINCT p.id FROM bellwire.deliveries d JOIN bellwire.endpoints p ON p.n = d.endpoint
		WHERE d.id BETWEEN $1 AND $2 AND d.ordering_key IS NOT NULL`
	sqlToErase = `SELECT d.id, d.status::int <= 1, d.status::int <= 1 OR d.manual_epoch IS NOT NULL, coalesce(p.id, ''), coalesce(d.ordering_key, 0)
		FROM (SELECT id, status, manual_epoch, endpoint, ordering_key FROM bellwire.deliveries WHERE id BETWEEN $1 AND $2 ORDER BY id FOR UPDATE) d
		LEFT JOIN bellwire.endpoints p ON p.n = d.endpoint ORDER BY d.id`
	sqlWithdrawManual = "UPDATE bellwire.deliveries d SET manual_epoch = NULL FROM unnest($1::uuid[]) AS w (id) WHERE d.id = w.id AND d.manual_epoch IS NOT NULL"
	sqlEraseAttempts  = "UPDATE bellwire.attempts a SET " + droppedDetails + " FROM unnest($1::uuid[]) AS w (id) WHERE a.delivery = w.id"
	// sqlEraseLate erases attempts that were recorded after their event was erased.
	sqlEraseLate = "UPDATE bellwire.attempts a SET " + droppedDetails + ` FROM unnest($1::uuid[]) AS w (id)
		CROSS JOIN LATERAL (SELECT tenant, event FROM bellwire.deliveries WHERE id = w.id LIMIT 1) d
		CROSS JOIN LATERAL (SELECT FROM bellwire.events WHERE tenant = d.tenant AND id = d.event AND erased IS NOT NULL LIMIT 1) e
		WHERE a.delivery = w.id`
	// sqlHoldEvent keeps an event from being erased until the transaction ends.
	sqlHoldEvent = "SELECT erased IS NOT NULL FROM bellwire.events WHERE tenant = " + theTenant + " AND id = $2 FOR SHARE"
)

// EraseEvent removes the data of an event.
func (s *Store) EraseEvent(ctx context.Context, tenant string, id bellwire.EventID, erasure bellwire.Erasure) (*bellwire.Erased, error) {
	encoded, err := codec.EncodeErasure(erasure)
	if err != nil {
		return nil, err
	}
	var erased *bellwire.Erased
	err = s.write(ctx, func(tx *tx) (err error) {
		erased, err = tx.eraseEvent(tenant, id, erasure, encoded)
		if err != nil || len(erased.Endpoints) == 0 {
			return err
		}
		return s.notify(tx, message{Endpoints: erased.Endpoints, Erased: id.String()})
	})
	if err != nil {
		return nil, err
	}
	return erased, nil
}

func (t *tx) eraseEvent(tenant string, id bellwire.EventID, erasure bellwire.Erasure, encoded string) (*bellwire.Erased, error) {
	var owner int64
	if err := t.row("SELECT n FROM bellwire.tenants WHERE id = $1 AND deleted_at IS NULL FOR SHARE", tenant).Scan(&owner); err != nil {
		return nil, orNotFound(err, "event", id.String())
	}
	// Steps of jobs store and restart deliveries.
	if err := t.exec(sqlHoldJobs, owner); err != nil {
		return nil, err
	}
	e, _, err := scanEvent(t.row(sqlEventByID, tenant, [16]byte(id)))
	if err != nil {
		return nil, orNotFound(err, "event", id.String())
	}
	if e.Erased != nil {
		return &bellwire.Erased{Event: e, Before: true}, nil
	}
	var fanningOut bool
	if err := t.row(sqlAnyFanned, owner, [][16]byte{id}).Scan(&fanningOut); err != nil {
		return nil, err
	}
	if fanningOut {
		return nil, rules.CannotEraseYet(id)
	}
	endpoints, canceled, err := t.eraseAll(e, owner, encoded, erasure)
	if err != nil {
		return nil, err
	}
	e.Data, e.Erased = nil, &erasure
	if e.Problem != "" {
		e.Problem = bellwire.ProblemErased
	}
	return &bellwire.Erased{Event: e, Endpoints: endpoints, Canceled: canceled}, nil
}

// eraseAll removes the data of an event, and all that tells something of it. It returns the endpoints of deliveries that will not be
// made, and of those that are canceled.
func (t *tx) eraseAll(e *bellwire.Event, owner int64, encoded string, erasure bellwire.Erasure) (endpoints, canceled []string, err error) {
	id := [16]byte(e.ID)
	erased, err := t.change(sqlEraseData, owner, id, encoded, bellwire.ProblemErased)
	switch {
	case err != nil:
		return nil, nil, err
	case erased == 0: // it waits to be matched, or another transaction was faster
		return nil, nil, rules.CannotEraseYet(e.ID)
	}
	if err := t.exec(sqlEraseDigest, owner, e.IdempotencyKey, id, bellwire.ErasedDigest[:]); err != nil {
		return nil, nil, err
	}
	var (
		ids, waiting [][16]byte
		delivery     [16]byte
		open, waits  bool
		endpoint     string
		key          int64
		keys         keySet
	)
	first, last := bellwire.DeliveriesOf(e.ID)
	if err := t.holdCountersOf(first, last); err != nil {
		return nil, nil, err
	}
	_, err = pgx.ForEachRow(t.query(sqlToErase, [16]byte(first), [16]byte(last)), []any{&delivery, &open, &waits, &endpoint, &key}, func() error {
		ids = append(ids, delivery)
		if open {
			canceled = append(canceled, endpoint)
		}
		if waits {
			waiting, endpoints = append(waiting, delivery), append(endpoints, endpoint)
			keys.add(endpointKey{endpoint, key})
		}
		return nil
	})
	if err != nil || len(ids) == 0 {
		return nil, nil, err
	}
	if _, err := t.endOpen(waiting, bellwire.DeliveryCanceled, bellwire.ReasonEventErased, erasure.At); err != nil {
		return nil, nil, err
	}
	if err := t.freeNext(&keys, erasure.At); err != nil {
		return nil, nil, err
	}
	slices.Sort(endpoints)
	return slices.Compact(endpoints), canceled, errors.Join(t.exec(sqlWithdrawManual, waiting), t.exec(sqlEraseAttempts, ids))
}

// holdCountersOf locks the counters of the endpoints at which deliveries are in the order of a key.
func (t *tx) holdCountersOf(first, last bellwire.DeliveryID) error {
	endpoints, err := pgx.CollectRows(t.query(sqlKeyedOf, [16]byte(first), [16]byte(last)), pgx.RowTo[string])
	if err != nil || len(endpoints) == 0 {
		return err
	}
	return t.holdCounters(endpoints...)
}

// refuseErased refuses an event whose data was erased, and keeps others from being erased until the transaction ends.
func (t *tx) refuseErased(tenant string, id bellwire.EventID) error {
	var erased bool
	err := t.row(sqlHoldEvent, tenant, [16]byte(id)).Scan(&erased)
	switch {
	case err != nil:
		return orNotFound(err, "event", id.String())
	case erased:
		return rules.Erased(id)
	}
	return nil
}
