package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// eventsMaybe selects events from rows that have a place, with their data only if $5 says so. It ends one event after their data
// has $6 bytes, as listEvents does.
func eventsMaybe(rows string) string {
	return "SELECT " + eventWith + "CASE WHEN $5 THEN e.data END" + eventRest + `, e.place FROM (
			SELECT f.*, sum(octet_length(data)) OVER (ORDER BY place DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING) AS carried
			FROM (` + rows + `) f
		) e JOIN bellwire.tenants t ON t.n = e.tenant WHERE NOT $5 OR e.carried IS NULL OR e.carried < $6 ORDER BY e.place DESC`
}

var (
	// sqlAllEvents lists events from $1 to before $2, of the type $3 unless that is empty.
	sqlAllEvents = eventsMaybe(`SELECT e.*, e.id AS place FROM bellwire.events e WHERE e.id >= $1 AND e.id < $2 AND ($3 = '' OR e.type = $3)
		AND (SELECT deleted_at IS NULL FROM bellwire.tenants WHERE n = e.tenant) ORDER BY e.id DESC LIMIT $4`)
	// sqlEventsOfKey looks for the key in each of the tenants from $1 to before $2.
	sqlEventsOfKey = eventsMaybe(`SELECT e.*, t.n AS place FROM bellwire.tenants t
		CROSS JOIN LATERAL (SELECT event FROM bellwire.idempotency_keys WHERE tenant = t.n AND key = $3 LIMIT 1) k
		CROSS JOIN LATERAL (SELECT * FROM bellwire.events WHERE tenant = t.n AND id = k.event LIMIT 1) e
		WHERE t.n >= $1 AND t.n < $2 AND t.deleted_at IS NULL ORDER BY t.n DESC LIMIT $4`)
)

const (
	// sqlLastSearched is the last event that a search of the events between $1 and $2 comes to, if there are as many.
	sqlLastSearched = "SELECT id FROM bellwire.events WHERE id > $1 AND id < $2 ORDER BY id DESC LIMIT 1 OFFSET $3"
	// sqlLastTenant is the last tenant that a search of the tenants between $1 and $2 comes to, if there are as many.
	sqlLastTenant = "SELECT n FROM bellwire.tenants WHERE n > $1 AND n < $2 ORDER BY n DESC LIMIT 1 OFFSET $3"
)

// AllEvents lists the events of all tenants, newest first.
func (s *Store) AllEvents(ctx context.Context, f bellwire.EventFilter, data bool, page bellwire.Page) (*bellwire.List[*bellwire.Event], error) {
	f.OldestFirst = false
	above, below, err := eventRange(f, page.After)
	if err != nil {
		return nil, err
	}
	key := func(id [16]byte) []byte { return id[:] }
	return searchEvents(ctx, s, &search[[16]byte]{page: page, above: above, below: below, most: f.MostSearched(), last: sqlLastSearched, find: sqlAllEvents, key: key}, f.Type, data)
}

// EventsByKey finds the events of all tenants with an idempotency key.
func (s *Store) EventsByKey(ctx context.Context, key string, data bool, page bellwire.Page) (*bellwire.List[*bellwire.Event], error) {
	before, err := codec.RowCursor(page.After)
	if err != nil {
		return nil, err
	}
	return searchEvents(ctx, s, &search[int64]{page: page, below: before, most: bellwire.MaxSearched, last: sqlLastTenant, find: sqlEventsOfKey, key: codec.RowKey}, text(key), data)
}

// search looks at some rows at most, by their places between two.
type search[K any] struct {
	page         bellwire.Page
	above, below K
	most         int
	last, find   string // the statements for the place of the last row, and for events
	key          func(K) []byte
}

// searchEvents makes a page of the events that a search finds by a text.
func searchEvents[K any](ctx context.Context, s *Store, x *search[K], by string, data bool) (*bellwire.List[*bellwire.Event], error) {
	list := &lister[*bellwire.Event, K]{x.page, scanPlaced[K], x.key, rules.SizeOfEvent}
	var found *bellwire.List[*bellwire.Event]
	err := s.snapshotOn(ctx, s.lists, func(tx *tx) error {
		from, more := x.above, true
		err := tx.row(x.last, x.above, x.below, x.most-1).Scan(&from)
		if errors.Is(err, pgx.ErrNoRows) {
			more, err = false, nil
		}
		if err != nil {
			return err
		}
		found, err = list.collect(tx, x.find, from, x.below, by, list.fetch(), data, int64(x.page.MostBytes()))
		if err == nil && found.Next == "" && more {
			found.Next = bellwire.MakeCursor(x.key(from))
		}
		return err
	})
	return found, err
}

// scanPlaced reads a row of eventsMaybe.
func scanPlaced[K any](row pgx.Row) (e *bellwire.Event, place K, err error) {
	r := new(eventRow)
	if err := row.Scan(append(r.into(), &place)...); err != nil {
		return nil, place, err
	}
	e, err = r.done()
	return e, place, err
}
