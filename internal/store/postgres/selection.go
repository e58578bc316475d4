package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// selection is a rules.Index.
type selection struct {
	*bellwire.Selection
	tx               *tx
	tenant, endpoint int64
}

const (
	sqlSelectionOf = `SELECT p.n, t.n FROM bellwire.endpoints p JOIN bellwire.tenants t ON t.n = p.tenant
		WHERE p.id = $1 AND t.id = $2 AND t.deleted_at IS NULL`
	// sqlTypes steps from type to type through an index.
	sqlTypes = `WITH RECURSIVE types (type) AS (
			(SELECT type FROM bellwire.events WHERE tenant = $1 ORDER BY type LIMIT 1)
			UNION ALL
			SELECT (SELECT e.type FROM bellwire.events e WHERE e.tenant = $1 AND e.type > types.type ORDER BY e.type LIMIT 1)
			FROM types WHERE types.type IS NOT NULL
		) SELECT type FROM types WHERE type IS NOT NULL`
)

// The ranges of ids between $2 and $3, both exclusive.
const (
	eventsOf     = "FROM bellwire.events WHERE tenant = $1 AND type = $4 AND id > $2 AND id < $3"
	asideOf      = eventsOf + " AND (test OR problem IS NOT NULL)"
	deliveriesOf = "FROM bellwire.deliveries WHERE endpoint = $1 AND status = $4 AND id > $2 AND id < $3"
	delayedOf    = "FROM bellwire.deliveries WHERE endpoint = $1 AND status = -1 AND $4::smallint = 0 AND NOT ordered AND id > $2 AND id < $3"
	behindOf     = "FROM bellwire.deliveries WHERE endpoint = $1 AND status = -2 AND $4::smallint = 0 AND NOT ordered AND id > $2 AND id < $3"
	passedOverOf = deliveriesOf + " AND passed_over"
	// ofTests leaves those of passedOverOf that the jobs pass over which select deliveries that are not the current ones too.
	ofTests = " AND (SELECT e.test FROM bellwire.events e WHERE e.tenant = deliveries.tenant AND e.id = deliveries.event LIMIT 1)"
	// passedOverBehind are pending too.
	passedOverBehind = "FROM bellwire.deliveries WHERE endpoint = $1 AND status = -2 AND $4::smallint = 0 AND id > $2 AND id < $3 AND passed_over"
)

// Types returns the types of the tenant's events.
func (s *selection) Types() ([]string, error) {
	return pgx.CollectRows(s.tx.query(sqlTypes, s.tenant), pgx.RowTo[string])
}

// ranges returns the parts of a range, each of which is one of an index, with their first four parameters.
func (s *selection) ranges(r rules.Range, after [16]byte) (parts []string, args []any) {
	if r.Type != "" {
		args = []any{s.tenant, after, [16]byte(s.Before), r.Type}
		if r.Aside {
			return []string{asideOf}, args
		}
		return []string{eventsOf}, args
	}
	first, _ := bellwire.DeliveriesOf(s.Before)
	status, _ := codec.StatusNumber[int16](r.Status)
	args = []any{s.endpoint, after, [16]byte(first), status}
	switch {
	case r.Aside && s.Replaced:
		return []string{passedOverOf + ofTests}, args // no test is behind another delivery
	case r.Aside && r.Status == bellwire.DeliveryPending:
		return []string{passedOverOf, passedOverBehind}, args
	case r.Aside:
		return []string{passedOverOf}, args
	}
	parts = []string{deliveriesOf + " AND NOT ordered", deliveriesOf + " AND ordered"}
	if r.Status == bellwire.DeliveryPending {
		parts = append(parts, delayedOf, behindOf)
	}
	return parts, args
}

func (s *selection) begin(r rules.Range) [16]byte {
	if r.Type != "" {
		return s.After
	}
	_, last := bellwire.DeliveriesOf(s.After)
	return last
}

// Count counts the entries of a range.
func (s *selection) Count(r rules.Range) (int, error) {
	parts, args := s.ranges(r, s.begin(r))
	total := 0
	for _, from := range parts {
		var n int
		if err := s.tx.row("SELECT count(*) "+from, args...).Scan(&n); err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// IDs returns the next ids of a range.
func (s *selection) IDs(r rules.Range, after [16]byte, limit int) ([][16]byte, error) {
	sqls, args := s.ranges(r, after)
	var parts [][][16]byte
	for _, from := range sqls {
		ids, err := pgx.CollectRows(s.tx.query("SELECT id "+from+" ORDER BY id LIMIT $5", append(args, limit)...), pgx.RowTo[[16]byte])
		if err != nil {
			return nil, err
		}
		parts = append(parts, ids)
	}
	return rules.FirstIDs(parts, limit), nil
}

// selected runs f with the selection on a connection of the given ones, as a snapshot, unless the endpoint does not exist.
func (s *Store) selected(ctx context.Context, from lender, sel *bellwire.Selection, f func(*selection) error) error {
	return s.snapshotOn(ctx, from, func(tx *tx) error {
		x := &selection{Selection: sel, tx: tx}
		err := tx.row(sqlSelectionOf, sel.Endpoint, sel.Tenant).Scan(&x.endpoint, &x.tenant)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		return f(x)
	})
}

// CountSelected counts what a selection selects.
func (s *Store) CountSelected(ctx context.Context, sel *bellwire.Selection) (n int, err error) {
	err = s.selected(ctx, s.lists, sel, func(x *selection) (err error) {
		n, err = rules.CountSelected(x, sel)
		return err
	})
	return n, err
}

// Select returns the next of what a selection selects.
func (s *Store) Select(ctx context.Context, sel *bellwire.Selection, limit int) (*bellwire.Selected, error) {
	found := new(bellwire.Selected)
	err := s.selected(ctx, s.pool, sel, func(x *selection) error {
		var parts []rules.Part
		for _, status := range sel.Statuses {
			found, err := x.deliveries(status, limit)
			if err != nil {
				return err
			}
			parts = append(parts, found...)
		}
		if sel.Missing {
			missing, err := x.missing(limit)
			if err != nil {
				return err
			}
			parts = append(parts, missing...)
		}
		found = rules.Merge(parts, limit)
		return nil
	})
	return found, err
}

// selectDeliveries reads deliveries of a range with their events, each of which is looked up separately.
func selectDeliveries(from string) string {
	return `SELECT d.id, d.passed_over, e.test, e.id, e.type FROM (SELECT id ` + from + ` ORDER BY id LIMIT $5) f
		CROSS JOIN LATERAL (SELECT id, tenant, event, passed_over FROM bellwire.deliveries WHERE id = f.id LIMIT 1) d
		CROSS JOIN LATERAL (SELECT id, type, test FROM bellwire.events WHERE tenant = d.tenant AND id = d.event LIMIT 1) e ORDER BY d.id`
}

// deliveries examines deliveries of a status. Those of the last event are examined to the end: the next step begins after the event.
func (s *selection) deliveries(status bellwire.DeliveryStatus, limit int) (parts []rules.Part, err error) {
	r := rules.Range{Status: status}
	sqls, args := s.ranges(r, s.begin(r))
	for _, from := range sqls {
		var p rules.Part
		examined, last, err := s.examine(&p, from, args, limit)
		p.More = examined == limit
		for rest := s.of(p.Last); err == nil && examined == limit; {
			_, more := rest.ranges(r, last)
			examined, last, err = rest.examine(&p, from, more, limit)
		}
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// of returns the selection of one event.
func (s *selection) of(event bellwire.EventID) *selection {
	one := *s.Selection
	one.After, one.Before = bellwire.Around(event)
	return &selection{Selection: &one, tx: s.tx, tenant: s.tenant, endpoint: s.endpoint}
}

// examine adds the next deliveries of a range to p, and returns how many there were, and the last one.
func (s *selection) examine(p *rules.Part, from string, args []any, limit int) (examined int, last [16]byte, err error) {
	var (
		item         bellwire.JobItem
		passed, test bool
		name         string
	)
	into := []any{(*[16]byte)(&item.Delivery), &passed, &test, (*[16]byte)(&item.Event), &name}
	_, err = pgx.ForEachRow(s.tx.query(selectDeliveries(from), append(args, limit)...), into, func() error {
		if examined++; !s.PassesOver(passed, test) && s.Takes(name) {
			p.Items = append(p.Items, item)
		}
		p.Last, last = item.Event, item.Delivery
		return nil
	})
	return examined, last, err
}

// missing examines events of the types that the endpoint gets.
func (s *selection) missing(limit int) ([]rules.Part, error) {
	types, err := s.Types()
	if err != nil {
		return nil, err
	}
	return rules.Missing(rules.Names(types, s.MissingType), limit, s.missingOf)
}

const sqlAsideBetween = "SELECT id FROM bellwire.events WHERE tenant = $1 AND type = $2 AND id BETWEEN $3 AND $4 AND (test OR problem IS NOT NULL)"

func (s *selection) missingOf(name string, limit int) (p rules.Part, err error) {
	ids, err := s.IDs(rules.Range{Type: name}, s.After, limit)
	if err != nil || len(ids) == 0 {
		return p, err
	}
	p.Last, p.More = ids[len(ids)-1], len(ids) == limit
	has, err := s.tx.hasDelivery(s.endpoint, ids)
	if err != nil {
		return p, err
	}
	aside, err := pgx.CollectRows(s.tx.query(sqlAsideBetween, s.tenant, name, ids[0], ids[len(ids)-1]), pgx.RowTo[[16]byte])
	if err != nil {
		return p, err
	}
	for _, id := range aside {
		has[id] = true
	}
	for _, id := range ids {
		if !has[id] {
			p.Items = append(p.Items, bellwire.JobItem{Event: id})
		}
	}
	return p, nil
}

// sqlDeferredOf looks for events of a tenant between two ids, both exclusive, in what is deferred to FanOut.
const sqlDeferredOf = `SELECT EXISTS (SELECT FROM bellwire.fanouts f CROSS JOIN unnest(f.events) e (id)
	WHERE f.tenant = ` + theTenant + ` AND e.id > $2 AND e.id < $3)`

// Deferred reports whether deliveries of events of a selection are deferred to FanOut.
func (s *Store) Deferred(ctx context.Context, sel *bellwire.Selection) (found bool, err error) {
	err = s.read(ctx, func(tx *tx) error {
		return tx.row(sqlDeferredOf, sel.Tenant, [16]byte(sel.After), [16]byte(sel.Before)).Scan(&found)
	})
	return found, err
}

const sqlCountWaiting = `SELECT count(*) FROM (SELECT n FROM bellwire.endpoints WHERE id = $1) p CROSS JOIN unnest('{-2,0}'::smallint[]) s (status) CROSS JOIN unnest('{f,t}'::boolean[]) o (ordered)
	CROSS JOIN LATERAL (SELECT FROM bellwire.deliveries WHERE endpoint = p.n AND status = s.status AND ordered = o.ordered LIMIT $2) d`

// CountWaiting counts the pending deliveries of an endpoint, up to a limit, without delayed ones.
func (s *Store) CountWaiting(ctx context.Context, endpoint string, limit int) (n int, err error) {
	err = s.read(ctx, func(tx *tx) error { return tx.row(sqlCountWaiting, endpoint, limit).Scan(&n) })
	return min(n, limit), err
}

const sqlCountJob = `SELECT s.status, count(d.found) FROM unnest('{-2,-1,0,1,2,3,4}'::smallint[]) s (status)
	LEFT JOIN LATERAL (SELECT true AS found FROM bellwire.deliveries WHERE job = $1 AND status = s.status LIMIT $2) d ON true GROUP BY s.status`

// CountJobDeliveries counts the deliveries of a job by status, of each up to a limit.
func (s *Store) CountJobDeliveries(ctx context.Context, id bellwire.JobID, limit int) (map[bellwire.DeliveryStatus]int, error) {
	var counts map[bellwire.DeliveryStatus]int
	err := s.read(ctx, func(tx *tx) error {
		counts = make(map[bellwire.DeliveryStatus]int)
		var number int16
		var n int
		_, err := pgx.ForEachRow(tx.query(sqlCountJob, [16]byte(id), limit), []any{&number, &n}, func() error {
			status := codec.Status(number)
			counts[status] = min(counts[status]+n, limit)
			return nil
		})
		return err
	})
	return counts, err
}
