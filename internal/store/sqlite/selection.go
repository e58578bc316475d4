package sqlite

import (
	"bytes"
	"context"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// selection is a rules.Index.
type selection struct {
	*bellwire.Selection
	db               *db
	tenant, endpoint int64
}

const sqlTypes = `WITH RECURSIVE types (type) AS (
		SELECT min(type) FROM events WHERE tenant = ?1
		UNION ALL
		SELECT (SELECT min(type) FROM events WHERE tenant = ?1 AND type > types.type) FROM types WHERE type IS NOT NULL
	) SELECT type FROM types WHERE type IS NOT NULL`

// The ranges of ids between ?2 and ?3, both exclusive.
const (
	eventsOf     = "FROM events WHERE tenant = ?1 AND type = ?4 AND id > ?2 AND id < ?3"
	testsOf      = eventsOf + " AND test = 1"
	passedOverOf = "FROM deliveries WHERE endpoint = ?1 AND status = ?4 AND id > ?2 AND id < ?3 AND passed_over = 1"
	// ofTests leaves those of passedOverOf that the jobs pass over which select deliveries that are not the current ones too.
	ofTests = " AND (SELECT test FROM events WHERE n = deliveries.event) = 1"
	// passedOverBehind are pending too.
	passedOverBehind = "FROM deliveries WHERE endpoint = ?1 AND status = " + behindNumber + " AND ?4 = 0 AND id > ?2 AND id < ?3 AND passed_over = 1"
)

func deliveriesOf(condition string) string {
	return "FROM deliveries WHERE endpoint = ?1 AND " + condition + " AND id > ?2 AND id < ?3"
}

// rangesOf returns the ranges of a status, each of which has its deliveries by id.
func rangesOf(status bellwire.DeliveryStatus) []string {
	if status == bellwire.DeliveryPending {
		return []string{deliveriesOf(isPending + " AND ?4 = 0"), deliveriesOf(isNumbered + " AND ?4 = 0"), deliveriesOf(isDelayed + " AND ?4 = 0"), deliveriesOf(isBehind + " AND ?4 = 0")}
	}
	return []string{deliveriesOf(hasStatus + "?4")}
}

// Types returns the types of the tenant's events.
func (s *selection) Types() ([]string, error) {
	var types []string
	q := s.db.query(sqlTypes).int(s.tenant)
	for q.next() {
		types = append(types, q.getText())
	}
	return types, q.err
}

// bounds binds the first four parameters of a range.
func (s *selection) bounds(q *query, r rules.Range, after []byte) *query {
	if r.Type != "" {
		return q.int(s.tenant).blob(after).blob(s.Before[:]).text(r.Type)
	}
	first, _ := bellwire.DeliveriesOf(s.Before)
	status, _ := codec.StatusNumber[int64](r.Status)
	return q.int(s.endpoint).blob(after).blob(first[:]).int(status)
}

func (s *selection) begin(r rules.Range) []byte {
	if r.Type != "" {
		return s.After[:]
	}
	_, last := bellwire.DeliveriesOf(s.After)
	return last[:]
}

func (s *selection) ranges(r rules.Range) []string {
	switch {
	case r.Type != "" && r.Aside:
		return []string{testsOf}
	case r.Type != "":
		return []string{eventsOf}
	case r.Aside && s.Replaced:
		return []string{passedOverOf + ofTests} // no test is behind another delivery
	case r.Aside && r.Status == bellwire.DeliveryPending:
		return []string{passedOverOf, passedOverBehind}
	case r.Aside:
		return []string{passedOverOf}
	}
	return rangesOf(r.Status)
}

// Count counts the entries of a range.
func (s *selection) Count(r rules.Range) (int, error) {
	total := 0
	for _, from := range s.ranges(r) {
		n, _, err := s.bounds(s.db.query("SELECT count(*) "+from), r, s.begin(r)).scalar()
		if err != nil {
			return 0, err
		}
		total += int(n)
	}
	return total, nil
}

// IDs returns the next ids of a range.
func (s *selection) IDs(r rules.Range, after [16]byte, limit int) ([][16]byte, error) {
	var parts [][][16]byte
	for _, from := range s.ranges(r) {
		var found [][16]byte
		q := s.bounds(s.db.query("SELECT id "+from+" ORDER BY id LIMIT +?5"), r, after[:]).int(int64(limit))
		for q.next() {
			var id [16]byte
			q.getBytes(id[:])
			found = append(found, id)
		}
		if q.err != nil {
			return nil, q.err
		}
		parts = append(parts, found)
	}
	return rules.FirstIDs(parts, limit), nil
}

// selected runs f with the selection on a connection of the given ones, as a snapshot, unless the endpoint does not exist.
func (s *Store) selected(ctx context.Context, from *readers, sel *bellwire.Selection, f func(*selection) error) error {
	return s.lend(ctx, from, snapshot(func(c *db) error {
		q := c.query("SELECT n, tenant FROM endpoints WHERE id = ?1 AND tenant = (SELECT n FROM tenants WHERE id = ?2 AND deleted_at IS NULL)").
			text(sel.Endpoint).text(sel.Tenant)
		if found, err := q.one(); !found {
			return err
		}
		endpoint, tenant := q.getInt(), q.getInt()
		if err := q.close(); err != nil {
			return err
		}
		return f(&selection{Selection: sel, db: c, tenant: tenant, endpoint: endpoint})
	}))
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
	err := s.selected(ctx, s.readers, sel, func(x *selection) error {
		var parts []rules.Part
		for _, status := range sel.Statuses {
			for _, from := range rangesOf(status) {
				part, err := x.deliveries(status, from, limit)
				if err != nil {
					return err
				}
				parts = append(parts, part)
			}
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

// deliveries examines deliveries of a range. Those of the last event are examined to the end: the next step begins after the event.
func (s *selection) deliveries(status bellwire.DeliveryStatus, from string, limit int) (p rules.Part, err error) {
	r := rules.Range{Status: status}
	examined, last, err := s.examine(&p, from, r, s.begin(r), limit)
	p.More = examined == limit
	for rest := s.of(p.Last); err == nil && examined == limit; {
		examined, last, err = rest.examine(&p, from, r, last[:], limit)
	}
	return p, err
}

// of returns the selection of one event.
func (s *selection) of(event bellwire.EventID) *selection {
	one := *s.Selection
	one.After, one.Before = bellwire.Around(event)
	return &selection{Selection: &one, db: s.db, tenant: s.tenant, endpoint: s.endpoint}
}

// examine adds the next deliveries of a range to p, and returns how many there were, and the last one.
func (s *selection) examine(p *rules.Part, from string, r rules.Range, after []byte, limit int) (examined int, last bellwire.DeliveryID, err error) {
	q := s.bounds(s.db.query("SELECT d.id, d.passed_over, e.test, e.id, e.type FROM (SELECT id "+from+` ORDER BY id LIMIT +?5) free
		CROSS JOIN deliveries d ON d.id = free.id CROSS JOIN events e ON e.n = d.event`), r, after).int(int64(limit))
	for q.next() {
		var item bellwire.JobItem
		q.getBytes(item.Delivery[:])
		passed := s.PassesOver(q.getBool(), q.getBool())
		q.getBytes(item.Event[:])
		if examined++; !passed && s.Takes(q.getText()) {
			p.Items = append(p.Items, item)
		}
		p.Last, last = item.Event, item.Delivery
	}
	return examined, last, q.err
}

// missing examines events of the types that the endpoint gets.
func (s *selection) missing(limit int) ([]rules.Part, error) {
	types, err := s.Types()
	if err != nil {
		return nil, err
	}
	return rules.Missing(rules.Names(types, s.MissingType), limit, s.missingOf)
}

func (s *selection) missingOf(name string, limit int) (p rules.Part, err error) {
	r := rules.Range{Type: name}
	ids, err := s.IDs(r, [16]byte(s.After), limit)
	if err != nil || len(ids) == 0 {
		return p, err
	}
	tests, err := s.testsBetween(name, ids)
	if err != nil {
		return p, err
	}
	for _, id := range ids {
		event := bellwire.EventID(id)
		if tests[event] {
			continue
		}
		has, err := s.db.hasDelivery(s.endpoint, event)
		if err != nil {
			return p, err
		}
		if !has {
			p.Items = append(p.Items, bellwire.JobItem{Event: event})
		}
	}
	p.Last, p.More = bellwire.EventID(ids[len(ids)-1]), len(ids) == limit
	return p, nil
}

// testsBetween returns the tests among events of a type.
func (s *selection) testsBetween(name string, ids [][16]byte) (map[bellwire.EventID]bool, error) {
	tests := make(map[bellwire.EventID]bool)
	q := s.db.query("SELECT id FROM events WHERE tenant = ?1 AND type = ?2 AND id >= ?3 AND id <= ?4 AND test = 1").
		int(s.tenant).text(name).blob(ids[0][:]).blob(bytes.Clone(ids[len(ids)-1][:]))
	for q.next() {
		var id bellwire.EventID
		q.getBytes(id[:])
		tests[id] = true
	}
	return tests, q.err
}

// hasDelivery reports whether the endpoint has a delivery of an event.
func (c *db) hasDelivery(endpoint int64, event bellwire.EventID) (bool, error) {
	first, last := bellwire.DeliveriesOf(event)
	for _, sql := range sqlHasDelivery {
		has, _, err := c.query(sql).int(endpoint).blob(first[:]).blob(last[:]).scalar()
		if err != nil || has != 0 {
			return has != 0, err
		}
	}
	return false, nil
}

// sqlDeferredOf looks for events of a tenant between two ids, both exclusive, in what is deferred to FanOut.
const sqlDeferredOf = `SELECT EXISTS (SELECT 1 FROM fanouts f CROSS JOIN events e ON e.n >= f.event AND e.n < f.event + f.events
	WHERE f.tenant = ` + theTenant + ` AND +e.id > ?2 AND +e.id < ?3)`

// Deferred reports whether deliveries of events of a selection are deferred to FanOut.
func (s *Store) Deferred(ctx context.Context, sel *bellwire.Selection) (found bool, err error) {
	err = s.read(ctx, func(c *db) error {
		any, _, err := c.query(sqlDeferredOf).text(sel.Tenant).blob(sel.After[:]).blob(sel.Before[:]).scalar()
		found = any != 0
		return err
	})
	return found, err
}

// CountWaiting counts the pending deliveries of an endpoint, up to a limit, without delayed ones.
func (s *Store) CountWaiting(ctx context.Context, endpoint string, limit int) (int, error) {
	total := 0
	err := s.read(ctx, func(c *db) error {
		total = 0
		for _, r := range []string{isPending, isNumbered, isBehind} {
			n, _, err := c.query("SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE endpoint = (SELECT n FROM endpoints WHERE id = ?) AND " + r + " LIMIT +?) free").
				text(endpoint).int(int64(limit)).scalar()
			if err != nil {
				return err
			}
			total += int(n)
		}
		return nil
	})
	return min(total, limit), err
}

const sqlCountJob = `SELECT s.value, (SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE job = ?1 AND status = s.value LIMIT +?2) d)
	FROM json_each('[-2, -1, 0, 1, 2, 3, 4]') s`

// CountJobDeliveries counts the deliveries of a job by status, of each up to a limit.
func (s *Store) CountJobDeliveries(ctx context.Context, id bellwire.JobID, limit int) (map[bellwire.DeliveryStatus]int, error) {
	var counts map[bellwire.DeliveryStatus]int
	err := s.read(ctx, func(c *db) error {
		counts = make(map[bellwire.DeliveryStatus]int)
		q := c.query(sqlCountJob).blob(id[:]).int(int64(limit))
		for q.next() {
			status := codec.Status(q.getInt())
			counts[status] = min(counts[status]+int(q.getInt()), limit)
		}
		return q.err
	})
	return counts, err
}
