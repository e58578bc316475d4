package postgres

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

const (
	eventColumns = eventWith + "e.data" + eventRest
	// eventWith and eventRest are the columns of an event, with an expression for its data in between.
	eventWith    = "e.id, t.id, e.type, coalesce(e.idempotency_key, ''), e.occurred_at, e.created_at, e.test, e.deliveries, coalesce(e.problem, ''), "
	eventRest    = ", e.deliver_at, e.expires_at, coalesce(e.ordering_key, ''), coalesce(e.erased, ''), e.trace, e.imported, coalesce(e.version, 0)"
	sqlEventByID = "SELECT " + eventColumns + ` FROM bellwire.tenants t JOIN bellwire.events e ON e.tenant = t.n
		WHERE t.id = $1 AND t.deleted_at IS NULL AND e.id = $2
		UNION ALL SELECT ` + unmatchedEvent + ` FROM bellwire.tenants t JOIN bellwire.unmatched u ON u.tenant = t.n
		WHERE t.id = $1 AND t.deleted_at IS NULL AND u.event = $2`
)

// eventRow is where a row's eventColumns go.
type eventRow struct {
	event      bellwire.Event
	occurredAt *time.Time
	deliverAt  *time.Time
	expiresAt  *time.Time
	erased     string
	trace      []byte
	version    int64
}

func (r *eventRow) into() []any {
	e := &r.event
	return []any{(*[16]byte)(&e.ID), &e.Tenant, &e.Type, &e.IdempotencyKey, &r.occurredAt, &e.CreatedAt, &e.Test, &e.Deliveries, &e.Problem, &e.Data, &r.deliverAt, &r.expiresAt, &e.OrderingKey, &r.erased, &r.trace, &e.Imported, &r.version}
}

func (r *eventRow) done() (e *bellwire.Event, err error) {
	r.event.OccurredAt, r.event.Trace = orZero(r.occurredAt), bellwire.DecodeTrace(r.trace)
	r.event.Version = bellwire.DecodeVersion(r.version)
	r.event.DeliverAt, r.event.ExpiresAt = orZero(r.deliverAt), orZero(r.expiresAt)
	r.event.Erased, err = codec.DecodeErasure(r.erased)
	return &r.event, err
}

func scanEvent(row pgx.Row) (*bellwire.Event, bellwire.EventID, error) {
	r := new(eventRow)
	if err := row.Scan(r.into()...); err != nil {
		return nil, r.event.ID, err
	}
	e, err := r.done()
	return e, r.event.ID, err
}

// Event finds an event.
func (s *Store) Event(ctx context.Context, tenant string, id bellwire.EventID) (*bellwire.Event, error) {
	var e *bellwire.Event
	err := s.list(ctx, func(tx *tx) (err error) {
		e, _, err = scanEvent(tx.row(sqlEventByID, tenant, [16]byte(id)))
		return orNotFound(err, "event", id.String())
	})
	if err != nil {
		return nil, err
	}
	return e, nil
}

const sqlDigests = "SELECT key, digest FROM bellwire.idempotency_keys WHERE tenant = " + theTenant + " AND key = ANY($2)"

// Digests returns the digests of what was published with publishers' ids.
func (s *Store) Digests(ctx context.Context, tenant string, keys []string) (map[string][32]byte, error) {
	digests := make(map[string][32]byte)
	err := s.read(ctx, func(tx *tx) error {
		var (
			key    string
			digest []byte
		)
		_, err := pgx.ForEachRow(tx.query(sqlDigests, tenant, keys), []any{&key, &digest}, func() error {
			digests[key] = [32]byte(digest)
			return nil
		})
		return err
	})
	return digests, err
}

// EventByKey returns the event of an idempotency key.
func (s *Store) EventByKey(ctx context.Context, tenant, key string) (id bellwire.EventID, err error) {
	err = s.list(ctx, func(tx *tx) error {
		err := tx.row("SELECT event FROM bellwire.idempotency_keys WHERE tenant = "+theTenant+" AND key = $2", tenant, text(key)).Scan((*[16]byte)(&id))
		return orNotFound(err, "event", key)
	})
	return id, err
}

// listEvents lists up to $4 events between $2 and $3, both exclusive. The size of data is known before it is read: the
// result ends one event after its data has $5 bytes.
func listEvents(more, order string) string {
	return fmt.Sprintf(`SELECT %s FROM (
			SELECT f.*, sum(octet_length(data)) OVER (ORDER BY id %[3]s ROWS BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING) AS carried
			FROM (SELECT * FROM bellwire.events WHERE tenant = %[4]s AND id > $2 AND id < $3%[2]s ORDER BY id %[3]s LIMIT $4) f
		) e JOIN bellwire.tenants t ON t.n = e.tenant
		WHERE e.carried IS NULL OR e.carried < $5 ORDER BY e.id %[3]s`, eventColumns, more, order, theTenant)
}

var (
	sqlNewestEvents       = listEvents("", "DESC")
	sqlOldestEvents       = listEvents("", "ASC")
	sqlNewestEventsOfType = listEvents(" AND type = $6", "DESC")
	sqlOldestEventsOfType = listEvents(" AND type = $6", "ASC")
)

// Events lists events.
func (s *Store) Events(ctx context.Context, f bellwire.EventFilter, page bellwire.Page) (*bellwire.List[*bellwire.Event], error) {
	above, below, err := eventRange(f, page.After)
	if err != nil {
		return nil, err
	}
	ofAny, ofType := sqlNewestEvents, sqlNewestEventsOfType
	if f.OldestFirst {
		ofAny, ofType = sqlOldestEvents, sqlOldestEventsOfType
	}
	list := &lister[*bellwire.Event, bellwire.EventID]{page, scanEvent, idKey[bellwire.EventID], rules.SizeOfEvent}
	args := []any{f.Tenant, above, below, list.fetch(), int64(page.MostBytes())}
	if f.Type == "" {
		return list.read(ctx, s, ofAny, args...)
	}
	return list.read(ctx, s, ofType, append(args, f.Type)...)
}

// eventRange returns the bounds of the ids of the listed events. No event has the id that FirstID returns, so
// events above it were accepted at that time or later.
func eventRange(f bellwire.EventFilter, after bellwire.Cursor) (above, below [16]byte, err error) {
	below = codec.LastID
	if !f.Since.IsZero() {
		above = bellwire.FirstID[bellwire.EventKind](f.Since)
	}
	if !f.Until.IsZero() {
		below = bellwire.FirstID[bellwire.EventKind](f.Until)
	}
	if after == "" {
		return above, below, nil
	}
	key, err := after.Key(16)
	switch {
	case err != nil:
		return above, below, err
	case f.OldestFirst && bytes.Compare(key, above[:]) > 0:
		above = [16]byte(key)
	case !f.OldestFirst && bytes.Compare(key, below[:]) < 0:
		below = [16]byte(key)
	}
	return above, below, nil
}
