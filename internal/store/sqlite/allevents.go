package sqlite

import (
	"context"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

const (
	// sqlEventMaybe is sqlEvent with the data only if ?5 says so.
	sqlEventMaybe = eventWith + "CASE WHEN ?5 THEN e.data END" + eventRest
	// sqlLastSearched is the last event that a search of the events between ?1 and ?2 comes to, if there are more than ?3.
	sqlLastSearched = "SELECT id FROM events WHERE id > ?1 AND id < ?2 ORDER BY id DESC LIMIT 1 OFFSET +?3"
	// sqlAllEvents lists events from ?1 to before ?2, of the type ?3 unless that is empty.
	sqlAllEvents = sqlEventMaybe + `FROM events e CROSS JOIN tenants t ON t.n = e.tenant
		WHERE e.id >= ?1 AND e.id < ?2 AND (?3 = '' OR e.type = ?3) AND t.deleted_at IS NULL ORDER BY e.id DESC LIMIT +?4`
	// sqlLastTenant is the last tenant that a search of the tenants before ?1 comes to, if there are as many.
	sqlLastTenant = "SELECT n FROM tenants WHERE n < ?1 ORDER BY n DESC LIMIT 1 OFFSET +?2"
	// sqlEventsOfKey looks for the key in each of the tenants from ?1 to before ?2.
	sqlEventsOfKey = eventWith + "CASE WHEN ?5 THEN e.data END, e.deliver_at, e.expires_at, e.ordering_key, e.erased, e.trace, e.imported, e.version, t.n FROM tenants t " +
		`CROSS JOIN idempotency_keys k ON k.tenant = t.n AND k.key = ?3 CROSS JOIN events e ON e.id = k.event
		WHERE t.n >= ?1 AND t.n < ?2 AND t.deleted_at IS NULL ORDER BY t.n DESC LIMIT +?4`
)

// AllEvents lists the events of all tenants, newest first.
func (s *Store) AllEvents(ctx context.Context, f bellwire.EventFilter, data bool, page bellwire.Page) (*bellwire.List[*bellwire.Event], error) {
	f.OldestFirst = false
	above, below, err := eventRange(f, page.After)
	if err != nil {
		return nil, err
	}
	list := newLister(page, scanEvent, func(id bellwire.EventID) []byte { return id[:] }, rules.SizeOfEvent)
	var found *bellwire.List[*bellwire.Event]
	err = s.list(ctx, snapshot(func(c *db) error {
		last, err := ids(c.query(sqlLastSearched).blob(above).blob(below).int(int64(f.MostSearched()) - 1))
		if err != nil {
			return err
		}
		if len(last) > 0 {
			above = last[0][:]
		}
		found, err = list.collect(c.query(sqlAllEvents).blob(above).blob(below).text(f.Type).int(list.fetch()).bool(data))
		if err == nil && found.Next == "" && len(last) > 0 {
			found.Next = bellwire.MakeCursor(above)
		}
		return err
	}))
	return found, err
}

// EventsByKey finds the events of all tenants with an idempotency key.
func (s *Store) EventsByKey(ctx context.Context, key string, data bool, page bellwire.Page) (*bellwire.List[*bellwire.Event], error) {
	before, err := codec.RowCursor(page.After)
	if err != nil {
		return nil, err
	}
	scan := func(q *query) (*bellwire.Event, int64, error) {
		e, _, err := scanEvent(q)
		return e, q.getInt(), err
	}
	list := newLister(page, scan, codec.RowKey, rules.SizeOfEvent)
	var found *bellwire.List[*bellwire.Event]
	err = s.list(ctx, snapshot(func(c *db) error {
		last, more, err := c.query(sqlLastTenant).int(before).int(bellwire.MaxSearched - 1).scalar()
		if err != nil {
			return err
		}
		found, err = list.collect(c.query(sqlEventsOfKey).int(last).int(before).text(key).int(list.fetch()).bool(data))
		if err == nil && found.Next == "" && more {
			found.Next = bellwire.MakeCursor(codec.RowKey(last))
		}
		return err
	}))
	return found, err
}
