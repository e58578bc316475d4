package sqlite

import (
	"bytes"
	"context"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

const (
	sqlEvent = eventWith + "e.data" + eventRest
	// eventWith and eventRest select an event, with an expression for its data in between.
	eventWith       = "SELECT e.id, t.id, e.type, e.idempotency_key, e.occurred_at, e.created_at, e.test, e.deliveries, "
	eventRest       = ", e.deliver_at, e.expires_at, e.ordering_key, e.erased, e.trace, e.imported, e.version "
	sqlEventByID    = sqlEvent + "FROM events e CROSS JOIN tenants t ON t.n = e.tenant WHERE t.id = ? AND t.deleted_at IS NULL AND e.id = ?"
	sqlEventsOfType = sqlEvent + `FROM tenants t CROSS JOIN events e ON e.tenant = t.n
		WHERE t.id = ?1 AND t.deleted_at IS NULL AND e.type = ?5 AND e.id > ?2 AND e.id < ?3 ORDER BY e.id `
)

// noEvent is greater than the id of any event.
const noEvent = "x'ffffffffffffffffffffffffffffffff'"

// eventsQuery lists what lies between ?2 and ?3, without these, and not more than ?4: of the type ?5, or of any.
type eventsQuery struct{ ofType, ofAny string }

var (
	newestEvents = eventsQuery{
		ofType: sqlEventsOfType + "DESC LIMIT +?4",
		ofAny:  mergeTypes("max(id)", "?2", "?3", "?2", "line.id", "DESC"),
	}
	oldestEvents = eventsQuery{
		ofType: sqlEventsOfType + "ASC LIMIT +?4",
		ofAny:  mergeTypes("coalesce(min(id), "+noEvent+")", "?2", "?3", "line.id", "?3", "ASC"),
	}
)

// mergeTypes merges the types of a tenant's events. Its queue holds the first of each type; for one that is taken out
// the type's next comes in. A type that has no more is last in the queue, as what pick finds among no rows is.
func mergeTypes(pick, above, below, nextAbove, nextBelow, order string) string {
	return mergedTypes(theTenant, pick, above, below, nextAbove, nextBelow, order) +
		sqlEvent + "FROM line CROSS JOIN events e ON e.id = line.id CROSS JOIN tenants t ON t.n = e.tenant"
}

// mergedTypes is mergeTypes, but leaves to its caller what is selected of the line.
func mergedTypes(tenant, pick, above, below, nextAbove, nextBelow, order string) string {
	first := func(ofType, above, below string) string {
		return "(SELECT " + pick + " FROM events WHERE tenant = " + tenant + " AND type = " + ofType +
			" AND id > " + above + " AND id < " + below + ")"
	}
	return `WITH RECURSIVE types (type) AS (
		SELECT min(type) FROM events WHERE tenant = ` + tenant + `
		UNION ALL
		SELECT (SELECT min(type) FROM events WHERE tenant = ` + tenant + ` AND type > types.type)
		FROM types WHERE type IS NOT NULL
	), line (type, id) AS (
		SELECT type, ` + first("types.type", above, below) + ` FROM types WHERE type IS NOT NULL
		UNION ALL
		SELECT type, ` + first("line.type", nextAbove, nextBelow) + ` FROM line WHERE id IS NOT NULL AND id < ` + noEvent + `
		ORDER BY 2 ` + order + ` LIMIT +?4
	) `
}

// scanEvent reads a row of sqlEvent.
func scanEvent(q *query) (*bellwire.Event, bellwire.EventID, error) {
	e := new(bellwire.Event)
	q.getBytes(e.ID[:])
	e.Tenant, e.Type, e.IdempotencyKey = q.getText(), q.getText(), q.getText()
	e.OccurredAt, e.CreatedAt = q.getTimeOrZero(), q.getTime()
	e.Test, e.Deliveries, e.Data = q.getBool(), int(q.getInt()), q.getBlob()
	e.DeliverAt, e.ExpiresAt, e.OrderingKey = q.getTimeOrZero(), q.getTimeOrZero(), q.getText()
	var err error
	e.Erased, err = codec.DecodeErasure(q.getText())
	e.Trace, e.Imported = bellwire.DecodeTrace(q.getBlob()), q.getBool()
	e.Version = bellwire.DecodeVersion(q.getInt())
	return e, e.ID, err
}

// event reads an event of the tenant.
func (c *db) event(tenant string, id bellwire.EventID) (*bellwire.Event, error) {
	q := c.query(sqlEventByID).text(tenant).blob(id[:])
	if found, err := q.one(); err != nil {
		return nil, err
	} else if !found {
		return nil, bellwire.NotFound("event", id.String())
	}
	e, _, err := scanEvent(q)
	return e, firstError(err, q.close())
}

// Event finds an event.
func (s *Store) Event(ctx context.Context, tenant string, id bellwire.EventID) (*bellwire.Event, error) {
	var e *bellwire.Event
	err := s.list(ctx, func(c *db) (err error) {
		e, err = c.event(tenant, id)
		return err
	})
	return e, err
}

// Digests returns the digests of what was published with publishers' ids.
func (s *Store) Digests(ctx context.Context, tenant string, keys []string) (map[string][32]byte, error) {
	digests := make(map[string][32]byte)
	err := s.read(ctx, func(c *db) error {
		for _, key := range keys {
			q := c.query(`SELECT digest FROM idempotency_keys WHERE key = ?
				AND tenant = (SELECT n FROM tenants WHERE id = ? AND deleted_at IS NULL)`).text(key).text(tenant)
			found, err := q.one()
			if err != nil {
				return err
			}
			if !found {
				continue
			}
			var digest [32]byte
			q.getBytes(digest[:])
			if err := q.close(); err != nil {
				return err
			}
			digests[key] = digest
		}
		return nil
	})
	return digests, err
}

// EventByKey returns the event of an idempotency key.
func (s *Store) EventByKey(ctx context.Context, tenant, key string) (id bellwire.EventID, err error) {
	err = s.list(ctx, func(c *db) error {
		q := c.query("SELECT event FROM idempotency_keys WHERE tenant = " + theTenant + " AND key = ?2").text(tenant).text(key)
		if found, err := q.one(); err != nil {
			return err
		} else if !found {
			return bellwire.NotFound("event", key)
		}
		q.getBytes(id[:])
		return q.close()
	})
	return id, err
}

// Events lists events.
func (s *Store) Events(ctx context.Context, f bellwire.EventFilter, page bellwire.Page) (*bellwire.List[*bellwire.Event], error) {
	sql := newestEvents
	above, below, err := eventRange(f, page.After)
	if err != nil {
		return nil, err
	}
	if f.OldestFirst {
		sql = oldestEvents
	}
	list := newLister(page, scanEvent, func(id bellwire.EventID) []byte { return id[:] }, rules.SizeOfEvent)
	return list.read(ctx, s, func(c *db) *query {
		if f.Type == "" {
			return c.query(sql.ofAny).text(f.Tenant).blob(above).blob(below).int(list.fetch())
		}
		return c.query(sql.ofType).text(f.Tenant).blob(above).blob(below).int(list.fetch()).text(f.Type)
	})
}

// eventRange returns the ids between which events are looked for. No event has the id that FirstID returns, so that
// what is above it is what was taken at that time or later.
func eventRange(f bellwire.EventFilter, after bellwire.Cursor) (above, below []byte, err error) {
	above, below = make([]byte, 16), codec.LastID[:]
	if !f.Since.IsZero() {
		since := bellwire.FirstID[bellwire.EventKind](f.Since)
		above = since[:]
	}
	if !f.Until.IsZero() {
		until := bellwire.FirstID[bellwire.EventKind](f.Until)
		below = until[:]
	}
	if after == "" {
		return above, below, nil
	}
	key, err := after.Key(16)
	switch {
	case err != nil:
		return nil, nil, err
	case f.OldestFirst && bytes.Compare(key, above) > 0:
		above = key
	case !f.OldestFirst && bytes.Compare(key, below) < 0:
		below = key
	}
	return above, below, nil
}
