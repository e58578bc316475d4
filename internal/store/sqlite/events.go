package sqlite

import (
	"bytes"
	"context"

	"github.com/bellwire/bellwire"
)

const (
	sqlEvent        = "SELECT e.id, t.id, e.type, e.idempotency_key, e.occurred_at, e.created_at, e.test, e.deliveries, e.data "
	sqlEventByID    = sqlEvent + "FROM events e CROSS JOIN tenants t ON t.n = e.tenant WHERE t.id = ? AND t.deleted_at IS NULL AND e.id = ?"
	sqlEventsOfType = sqlEvent + `FROM tenants t CROSS JOIN events e ON e.tenant = t.n
		WHERE t.id = ?1 AND t.deleted_at IS NULL AND e.type = ?5 AND e.id >= ?2 AND e.id < ?3 ORDER BY e.id DESC LIMIT +?4`
)

// sqlEvents merges the types of a tenant's events. Its queue holds the newest of each type; for one that is taken out
// the type's next comes in.
var sqlEvents = `WITH RECURSIVE types (type) AS (
		SELECT min(type) FROM events WHERE tenant = ` + theTenant + `
		UNION ALL
		SELECT (SELECT min(type) FROM events WHERE tenant = ` + theTenant + ` AND type > types.type)
		FROM types WHERE type IS NOT NULL
	), line (type, id) AS (
		SELECT type, ` + newestOfType("types.type", "?3") + ` FROM types WHERE type IS NOT NULL
		UNION ALL
		SELECT type, ` + newestOfType("line.type", "line.id") + ` FROM line WHERE id IS NOT NULL
		ORDER BY 2 DESC LIMIT +?4
	) ` + sqlEvent + "FROM line CROSS JOIN events e ON e.id = line.id CROSS JOIN tenants t ON t.n = e.tenant"

func newestOfType(of, before string) string {
	return "(SELECT max(id) FROM events WHERE tenant = " + theTenant + " AND type = " + of + " AND id >= ?2 AND id < " + before + ")"
}

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

// Digest returns the digest of what was published with a publisher's id.
func (s *Store) Digest(ctx context.Context, tenant, key string) (digest [32]byte, err error) {
	err = s.read(ctx, func(c *db) error {
		q := c.query(`SELECT digest FROM idempotency_keys WHERE key = ?
			AND tenant = (SELECT n FROM tenants WHERE id = ? AND deleted_at IS NULL)`).text(key).text(tenant)
		found, err := q.one()
		if err != nil {
			return err
		}
		if !found {
			return bellwire.NotFound("publish with the id", key)
		}
		q.getBytes(digest[:])
		return q.close()
	})
	return digest, err
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
		return c.query(sqlEventsOfType).text(f.Tenant).blob(since[:]).blob(before).int(list.fetch()).text(f.Type)
	})
}
