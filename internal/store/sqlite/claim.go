package sqlite

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// ClaimDue claims free deliveries.
func (s *Store) ClaimDue(ctx context.Context, now time.Time, claims []bellwire.Claim) ([]bellwire.ClaimResult, error) {
	results := make([]bellwire.ClaimResult, len(claims))
	err := s.write(ctx, func(w *writer) error {
		g := &claimRun{
			w: w, now: now, current: s.leases.epoch.Load(), chooser: rules.NewChooser(now),
			found: make(map[bellwire.DeliveryID]*free), events: make(map[int64]*bellwire.Event),
		}
		for i := range claims {
			if g.chooser.Full() {
				results[i] = bellwire.ClaimResult{Skipped: true}
				continue
			}
			var err error
			if results[i], err = g.run(&claims[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// claimRun is the state that several claims share.
type claimRun struct {
	w       *writer
	now     time.Time
	current int64 // the current epoch: what was claimed in any other is free
	chooser *rules.Chooser
	found   map[bellwire.DeliveryID]*free
	events  map[int64]*bellwire.Event // those that were read, by their row
}

// free is a free delivery.
type free struct {
	delivery *bellwire.Delivery
	event    int64 // the row of its event
}

func (g *claimRun) run(claim *bellwire.Claim) (result bellwire.ClaimResult, err error) {
	found, there, err := g.search(claim)
	if err != nil || !there {
		return result, err
	}
	choice := g.chooser.Choose(claim, found)
	result.Next, result.NextSequence = choice.Next, choice.NextSequence
	if result.Manual, err = g.take(sqlTakeManual, claim.Epoch, choice.Manual); err != nil {
		return result, err
	}
	result.Due, err = g.take(sqlTake, claim.Epoch, choice.Due)
	for i := range result.Due { // which were read before they were marked
		result.Due[i].Delivery.Epoch = claim.Epoch
	}
	return result, err
}

const (
	sqlFreeManual  = sqlFree + "manual_epoch IS NOT NULL AND manual_epoch <> ?3 ORDER BY id" + sqlRead
	sqlFreePending = sqlFree + isPending + " AND due_at IS NOT NULL AND epoch NOT IN (?3, -?3) ORDER BY id" + sqlRead
	sqlLostPending = sqlFree + isPending + " AND due_at IS NOT NULL AND epoch <> ?3 ORDER BY id" + sqlRead
	sqlFreeLater   = sqlFree + isLater + " AND epoch <> ?3 ORDER BY due_at, id" + sqlRead
	sqlFreeInOrder = sqlFree + isOrdered + " AND epoch <> ?3 ORDER BY sequence" + sqlRead
	// The inner query finds free deliveries in an index, without reading their rows. Only those within the limit are read,
	// and of their events' data only the size.
	sqlFree = "SELECT " + dueAt + ", e.n, length(e.data), " + unnamedColumns + ", ?5, ?6 FROM (SELECT id FROM deliveries WHERE endpoint = ?1 AND "
	sqlRead = " LIMIT +?4) free CROSS JOIN deliveries d ON d.id = free.id CROSS JOIN events e ON e.n = d.event"

	sqlTake       = "UPDATE deliveries SET epoch = ? WHERE id = ?"
	sqlTakeManual = "UPDATE deliveries SET manual_epoch = ? WHERE id = ?"
	sqlTakenEvent = sqlEvent + "FROM events e CROSS JOIN tenants t ON t.n = e.tenant WHERE e.n = ?"
)

// claimedEndpoint is the endpoint of a claim.
type claimedEndpoint struct {
	n        int64
	id       string
	tenant   string
	ordering bellwire.Ordering // the stored one, which the claim may not know yet
	sequence int64
}

// search finds what a claim could take, and reports whether its endpoint exists.
func (g *claimRun) search(claim *bellwire.Claim) (found *rules.Candidates, there bool, err error) {
	ep, there, err := g.endpoint(claim.Endpoint)
	if err != nil || !there {
		return nil, false, err
	}
	found = &rules.Candidates{LastSequence: ep.sequence}
	if found.More, err = g.unorder(ep); err != nil {
		return nil, false, err
	}
	manual, byTime, inOrder := rules.Wanted(claim)
	byTime += len(claim.Held) // which the choice leaves out
	pending := sqlFreePending
	if claim.Search || claim.Ordered {
		pending = sqlLostPending
	}
	for _, kind := range []struct {
		sql    string
		wanted int
		into   *[]rules.Candidate
	}{
		{sqlFreeManual, manual, &found.Manual},
		{pending, byTime, &found.ByTime},
		{sqlFreeLater, byTime, &found.ByTime},
		{sqlFreeInOrder, inOrder, &found.InOrder},
	} {
		if kind.wanted == 0 {
			continue
		}
		if err := g.scan(kind.sql, ep, kind.wanted, kind.into); err != nil {
			return nil, false, err
		}
	}
	return found, true, nil
}

func (g *claimRun) endpoint(endpoint string) (ep *claimedEndpoint, there bool, err error) {
	q := g.w.query(`SELECT p.n, t.id, p.sequence, p.ordering FROM endpoints p JOIN tenants t ON t.n = p.tenant
		WHERE p.id = ? AND p.deleted_at IS NULL AND t.deleted_at IS NULL`).text(endpoint)
	if there, err = q.one(); !there {
		return nil, false, err
	}
	ep = &claimedEndpoint{n: q.getInt(), id: endpoint, tenant: q.getText(), sequence: q.getInt(), ordering: bellwire.Ordering(q.getText())}
	return ep, true, q.close()
}

// sqlUnnumber takes deliveries out of the order of their numbers.
const sqlUnnumber = `UPDATE deliveries SET sequence = 0 WHERE id IN (SELECT id FROM deliveries
	WHERE endpoint = ?1 AND ` + isOrdered + ` AND ?2 > 0 ORDER BY sequence LIMIT +?3)`

// unorder takes deliveries out of orders that their endpoint no longer keeps, so that they are found by their due time. It reports
// whether some may be left, which are due at once.
func (g *claimRun) unorder(ep *claimedEndpoint) (more bool, err error) {
	if ep.sequence == 0 {
		return false, nil // it never had an order
	}
	for _, kind := range []struct {
		ordering bellwire.Ordering
		sql      string
	}{{bellwire.OrderingFIFO, sqlUnnumber}, {bellwire.OrderingKey, sqlUnkey}} {
		if ep.ordering == kind.ordering {
			continue
		}
		if err := g.w.query(kind.sql).int(ep.n).time(g.now).int(rules.MaxUnnumbered).exec(); err != nil {
			return false, err
		}
		if g.w.conn.Changes() < rules.MaxUnnumbered {
			continue
		}
		more = true
		if err := g.w.query(sqlFreeFirst).int(ep.n).time(g.now).exec(); err != nil {
			return false, err
		}
	}
	return more, nil
}

// scan appends up to limit candidates.
func (g *claimRun) scan(sql string, ep *claimedEndpoint, limit int, into *[]rules.Candidate) error {
	q := g.w.query(sql).int(ep.n).time(g.now).int(g.current).int(int64(limit)).text(ep.id).text(ep.tenant)
	for q.next() {
		due, event, size := q.getTimeOrZero(), q.getInt(), int(q.getInt())
		d := scanDelivery(q)
		g.found[d.ID] = &free{delivery: d, event: event}
		*into = append(*into, rules.Candidate{ID: d.ID, Due: due, Sequence: d.Sequence, Bytes: size})
	}
	return q.err
}

// take marks deliveries as claimed, and returns them with their events, which all deliveries of an event share.
func (g *claimRun) take(sql string, epoch int64, ids []bellwire.DeliveryID) ([]bellwire.Claimed, error) {
	taken := make([]bellwire.Claimed, len(ids))
	for i, id := range ids {
		if err := g.w.query(sql).int(epoch).blob(id[:]).exec(); err != nil {
			return nil, err
		}
		f := g.found[id]
		event, err := g.event(f.event)
		if err != nil {
			return nil, err
		}
		taken[i] = bellwire.Claimed{Delivery: *f.delivery, Event: event}
	}
	return taken, nil
}

// event reads an event. It exists, because the writer has just found it.
func (g *claimRun) event(n int64) (*bellwire.Event, error) {
	if e := g.events[n]; e != nil {
		return e, nil
	}
	q := g.w.query(sqlTakenEvent).int(n)
	if _, err := q.one(); err != nil {
		return nil, err
	}
	e, _, err := scanEvent(q)
	g.events[n] = e
	return e, firstError(err, q.close())
}
