package sqlite

import (
	"bytes"
	"context"

	"github.com/bellwire/bellwire"
)

const (
	sqlEvent = `SELECT e.id, t.id, e.type, e.idempotency_key, e.occurred_at, e.created_at, e.test, e.deliveries, e.data
		FROM tenants t CROSS JOIN events e ON e.tenant = t.n `
	sqlEventByID    = sqlEvent + "WHERE t.id = ? AND t.deleted_at IS NULL AND e.id = ?"
	sqlEvents       = sqlEvent + "WHERE t.id = ? AND t.deleted_at IS NULL AND e.id >= ? AND e.id < ? ORDER BY e.id DESC LIMIT ?"
	sqlEventsOfType = sqlEvent + "WHERE t.id = ? AND t.deleted_at IS NULL AND e.type = ? AND e.id >= ? AND e.id < ? ORDER BY e.id DESC LIMIT ?"
)

// scanEvent reads a row of sqlEvent.
func scanEvent(q *query) (*bellwire.Event, bellwire.EventID, error) {
	e := new(bellwire.Event)
	q.getBytes(e.ID[:])
	e.Tenant, e.Type, e.IdempotencyKey = q.getText(), q.getText(), q.getText()
	e.OccurredAt, e.CreatedAt = q.getTimeOrZero(), q.getTime()
	e.Test, e.Deliveries, e.Data = q.getBool(), int(q.getInt()), q.getBlob()
	return e, e.ID, nil
}

// event reads an event of the tenant.
func (c *db) event(tenant string, id bellwire.EventID) (*bellwire.Event, error) {
	q := c.query(sqlEventByID).text(tenant).blob(id[:])
	if found, err := q.one(); err != nil {
		return nil, err
	} else if !found {
		return nil, bellwire.NotFound("event", id.String())
	}
	e, _, _ := scanEvent(q)
	return e, q.close()
}

// Event finds an event.
func (s *Store) Event(ctx context.Context, tenant string, id bellwire.EventID) (*bellwire.Event, error) {
	var e *bellwire.Event
	err := s.read(ctx, func(c *db) (err error) {
		e, err = c.event(tenant, id)
		return err
	})
	return e, err
}

// Events lists events, newest first.
func (s *Store) Events(ctx context.Context, f bellwire.EventFilter, page bellwire.Page) (*bellwire.List[*bellwire.Event], error) {
	before, err := idCursor(page.After)
	if err != nil {
		return nil, err
	}
	if !f.Until.IsZero() {
		if until := bellwire.FirstID[bellwire.EventKind](f.Until); bytes.Compare(until[:], before) < 0 {
			before = until[:]
		}
	}
	var since bellwire.EventID
	if !f.Since.IsZero() {
		since = bellwire.FirstID[bellwire.EventKind](f.Since)
	}
	list := newLister(page, scanEvent, func(id bellwire.EventID) []byte { return id[:] })
	size, count := 0, 0
	list.scan = func(q *query) (*bellwire.Event, bellwire.EventID, error) {
		e, id, err := scanEvent(q)
		size, count = size+len(e.Data), count+1
		if size >= bellwire.MaxPageBytes {
			list.page.Limit = count // the page is full with this one
		}
		return e, id, err
	}
	return list.read(ctx, s, func(c *db) *query {
		if f.Type == "" {
			return c.query(sqlEvents).text(f.Tenant).blob(since[:]).blob(before).int(list.fetch())
		}
		return c.query(sqlEventsOfType).text(f.Tenant).text(f.Type).blob(since[:]).blob(before).int(list.fetch())
	})
}
