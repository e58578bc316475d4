package sqlite

import (
	"context"
	"errors"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

const (
	sqlEventToErase = "SELECT e.n, e.tenant, " + isFanningOut + ` FROM events e CROSS JOIN tenants t ON t.n = e.tenant
		WHERE t.id = ? AND t.deleted_at IS NULL AND e.id = ?`
	sqlEraseData         = "UPDATE events SET data = x'', erased = ? WHERE n = ?"
	sqlEraseDigest       = "UPDATE idempotency_keys SET digest = ? WHERE tenant = ? AND key = ? AND event = ?"
	sqlDeliveriesOfEvent = `SELECT d.id, d.status, d.manual_epoch IS NOT NULL, coalesce(p.id, '') FROM deliveries d LEFT JOIN endpoints p ON p.n = d.endpoint
		WHERE d.id BETWEEN ? AND ? ORDER BY d.id`
	sqlWithdrawManual   = "UPDATE deliveries SET manual_epoch = NULL WHERE id = ?"
	sqlEraseAttempts    = sqlDropDetailsOf + "delivery = ?"
	sqlIsErased         = "SELECT erased IS NOT NULL FROM events WHERE id = ?"
	sqlIsErasedDelivery = "SELECT e.erased IS NOT NULL FROM deliveries d JOIN events e ON e.n = d.event WHERE d.id = ?"
)

// EraseEvent removes the data of an event.
func (s *Store) EraseEvent(ctx context.Context, tenant string, id bellwire.EventID, erasure bellwire.Erasure) (*bellwire.Erased, error) {
	var erased *bellwire.Erased
	err := s.write(ctx, func(w *writer) (err error) {
		erased, err = w.eraseEvent(tenant, id, erasure)
		return err
	})
	if err != nil {
		return nil, err
	}
	return erased, nil
}

func (w *writer) eraseEvent(tenant string, id bellwire.EventID, erasure bellwire.Erasure) (*bellwire.Erased, error) {
	e, err := w.event(tenant, id)
	if err != nil {
		return nil, err
	}
	if e.Erased != nil {
		return &bellwire.Erased{Event: e, Before: true}, nil
	}
	q := w.query(sqlEventToErase).text(tenant).blob(id[:])
	if _, err := q.one(); err != nil {
		return nil, err
	}
	n, owner, fanningOut := q.getInt(), q.getInt(), q.getBool()
	if err := q.close(); err != nil {
		return nil, err
	}
	if fanningOut {
		return nil, rules.CannotEraseYet(id)
	}
	encoded, err := codec.EncodeErasure(erasure)
	if err != nil {
		return nil, err
	}
	// What becomes free in the file is overwritten with zeros.
	if err := w.exec("PRAGMA secure_delete = ON"); err != nil {
		return nil, err
	}
	endpoints, canceled, err := w.eraseAll(e, n, owner, encoded, erasure)
	if err := errors.Join(err, w.exec("PRAGMA secure_delete = OFF")); err != nil {
		return nil, err
	}
	e.Data, e.Erased = nil, &erasure
	return &bellwire.Erased{Event: e, Endpoints: endpoints, Canceled: canceled}, nil
}

// eraseAll removes the data of an event, and all that tells something of it. It returns the endpoints of deliveries that will not be made,
// and of those that are canceled.
func (w *writer) eraseAll(e *bellwire.Event, n, tenant int64, erasure string, by bellwire.Erasure) (endpoints, canceled []string, err error) {
	err = firstError(
		w.query(sqlEraseData).text(erasure).int(n).exec(),
		w.query(sqlEraseDigest).blob(bellwire.ErasedDigest[:]).int(tenant).text(e.IdempotencyKey).blob(e.ID[:]).exec(),
	)
	if err != nil {
		return nil, nil, err
	}
	type delivery struct {
		id           bellwire.DeliveryID
		open, manual bool
		endpoint     string
	}
	var deliveries []delivery
	first, last := bellwire.DeliveriesOf(e.ID)
	q := w.query(sqlDeliveriesOfEvent).blob(first[:]).blob(last[:])
	for q.next() {
		var d delivery
		q.getBytes(d.id[:])
		d.open, d.manual, d.endpoint = codec.Status(q.getInt()).Open(), q.getBool(), q.getText()
		deliveries = append(deliveries, d)
	}
	if q.err != nil {
		return nil, nil, q.err
	}
	for _, d := range deliveries {
		if d.open {
			canceled = append(canceled, d.endpoint)
			err = w.endOpen(d.id, bellwire.DeliveryCanceled, bellwire.ReasonEventErased, by.At)
		}
		if err == nil && d.manual {
			err = w.query(sqlWithdrawManual).blob(d.id[:]).exec()
		}
		if d.open || d.manual {
			endpoints = append(endpoints, d.endpoint)
		}
		if err := firstError(err, w.query(sqlEraseAttempts).blob(d.id[:]).exec()); err != nil {
			return nil, nil, err
		}
	}
	return endpoints, canceled, nil
}

// refuseErased refuses an event whose data was erased.
func (w *writer) refuseErased(id bellwire.EventID) error {
	erased, err := w.isErased(id)
	if err == nil && erased {
		err = rules.Erased(id)
	}
	return err
}

func (w *writer) isErased(id bellwire.EventID) (bool, error) {
	erased, _, err := w.query(sqlIsErased).blob(id[:]).scalar()
	return erased != 0, err
}

// eraseLate erases what an attempt tells of an event that was erased while the attempt was made.
func (w *writer) eraseLate(delivery bellwire.DeliveryID) error {
	erased, _, err := w.query(sqlIsErasedDelivery).blob(delivery[:]).scalar()
	if err != nil || erased == 0 {
		return err
	}
	return w.query(sqlEraseAttempts).blob(delivery[:]).exec()
}
