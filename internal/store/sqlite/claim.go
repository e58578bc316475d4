package sqlite

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// maxUnnumbered is how many deliveries one claim frees from a number that has lost its meaning.
const maxUnnumbered = 500

// ClaimDue takes free deliveries into memory.
func (s *Store) ClaimDue(ctx context.Context, now time.Time, claims []bellwire.Claim) ([]bellwire.ClaimResult, error) {
	results := make([]bellwire.ClaimResult, len(claims))
	err := s.write(ctx, func(w *writer) error {
		g := &claiming{w: w, now: now, current: s.leases.epoch.Load(), events: make(map[bellwire.DeliveryID]*bellwire.Event)}
		for i := range claims {
			if g.read >= bellwire.MaxClaimBytes {
				results[i] = bellwire.ClaimResult{Skipped: true}
				continue
			}
			c := &claim{Claim: &claims[i], claiming: g}
			if err := c.run(); err != nil {
				return err
			}
			results[i] = c.result
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// claiming is what several claims have in common.
type claiming struct {
	w       *writer
	now     time.Time
	current int64                                   // what was taken in this epoch is not free
	events  map[bellwire.DeliveryID]*bellwire.Event // that were read, by the first id of their deliveries
	read    int                                     // bytes of their data
}

// claim is one bellwire.Claim as it is carried out.
type claim struct {
	*bellwire.Claim
	*claiming
	endpoint int64
	ordering bellwire.Ordering // as it is now, whatever the claimer knows
	bytes    int
	result   bellwire.ClaimResult
}

func (c *claim) run() error {
	q := c.w.query(`SELECT p.n, p.sequence, p.ordering FROM endpoints p JOIN tenants t ON t.n = p.tenant
		WHERE p.id = ? AND p.deleted_at IS NULL AND t.deleted_at IS NULL`).text(c.Endpoint)
	if found, err := q.one(); !found {
		return err
	}
	c.endpoint = q.getInt()
	c.result.NextSequence = q.getInt() + 1
	c.ordering = bellwire.Ordering(q.getText())
	if err := q.close(); err != nil {
		return err
	}
	if err := c.manual(); err != nil {
		return err
	}
	if c.ordering != bellwire.OrderingFIFO {
		if err := c.unnumber(); err != nil {
			return err
		}
	}
	if err := c.byTime(); err != nil || !c.Ordered {
		return err
	}
	return c.inOrder()
}

const (
	sqlFreeManual   = "SELECT id FROM deliveries WHERE endpoint = ? AND manual_epoch IS NOT NULL AND manual_epoch <> ? ORDER BY id LIMIT +?"
	sqlFreePending  = sqlFree + isPending + " AND due_at IS NOT NULL AND epoch <> ?3 ORDER BY id LIMIT +?4"
	sqlFreeRetrying = sqlFree + isRetrying + " AND epoch <> ?3 ORDER BY due_at, id LIMIT +?4"
	sqlFreeInOrder  = sqlFree + isOrdered + " AND epoch <> ?3 ORDER BY sequence LIMIT +?4"
	sqlFree         = "SELECT id, " + dueAt + " FROM deliveries WHERE endpoint = ?1 AND "
)

// manual takes the retries by hand.
func (c *claim) manual() error {
	var ids []bellwire.DeliveryID
	q := c.w.query(sqlFreeManual).int(c.endpoint).int(c.current).int(int64(c.ManualLimit))
	for q.next() {
		var id bellwire.DeliveryID
		q.getBytes(id[:])
		ids = append(ids, id)
	}
	if q.err != nil {
		return q.err
	}
	for _, id := range ids {
		if len(c.result.Manual) > 0 && c.bytes >= c.MaxBytes {
			break
		}
		if err := c.w.query("UPDATE deliveries SET manual_epoch = ? WHERE id = ?").int(c.Epoch).blob(id[:]).exec(); err != nil {
			return err
		}
		claimed, err := c.claimed(id)
		if err != nil {
			return err
		}
		c.bytes += len(claimed.Event.Data)
		c.result.Manual = append(c.result.Manual, claimed)
	}
	return nil
}

// unnumber frees deliveries from an order that their endpoint no longer keeps, so that they are found by
// their due time. It does some at each claim; what is left is due at once.
func (c *claim) unnumber() error {
	return c.w.query(`UPDATE deliveries SET sequence = 0 WHERE id IN (SELECT id FROM deliveries
			WHERE endpoint = ? AND ` + isOrdered + ` ORDER BY sequence LIMIT +?)`).
		int(c.endpoint).int(maxUnnumbered).exec()
}

// candidate is a free delivery on the schedule.
type candidate struct {
	id  bellwire.DeliveryID
	due time.Time
}

// byTime takes what has no order.
func (c *claim) byTime() error {
	free, err := c.candidates(sqlFreePending)
	if err != nil {
		return err
	}
	retrying, err := c.candidates(sqlFreeRetrying)
	if err != nil {
		return err
	}
	free = append(free, retrying...)
	slices.SortFunc(free, func(a, b candidate) int {
		return cmp.Or(a.due.Compare(b.due), bytes.Compare(a.id[:], b.id[:]))
	})
	return c.take(free)
}

// inOrder takes what has an order, where one that is not due holds up the rest.
func (c *claim) inOrder() error {
	free, err := c.candidates(sqlFreeInOrder)
	if err != nil {
		return err
	}
	return c.take(free)
}

// take takes what is due until the claim's limits are reached. The first that is left is what is next.
func (c *claim) take(free []candidate) error {
	for _, f := range free {
		full := len(c.result.Due) >= c.Limit || len(c.result.Due) > 0 && c.bytes >= c.MaxBytes
		if full || f.due.After(c.now) {
			c.next(f.due)
			return nil
		}
		q := c.w.query("UPDATE deliveries SET epoch = ? WHERE id = ?").int(c.Epoch).blob(f.id[:])
		if err := q.exec(); err != nil {
			return err
		}
		claimed, err := c.claimed(f.id)
		if err != nil {
			return err
		}
		c.bytes += len(claimed.Event.Data)
		c.result.Due = append(c.result.Due, claimed)
	}
	return nil
}

// candidates returns as many free deliveries as could be taken, and one more.
func (c *claim) candidates(sql string) ([]candidate, error) {
	wanted := max(c.Limit-len(c.result.Due), 0) + 1
	var free []candidate
	q := c.w.query(sql).int(c.endpoint).time(c.now).int(c.current).int(int64(wanted))
	for q.next() {
		var f candidate
		q.getBytes(f.id[:])
		f.due = q.getTime()
		free = append(free, f)
	}
	return free, q.err
}

func (c *claim) next(due time.Time) {
	if c.result.Next.IsZero() || due.Before(c.result.Next) {
		c.result.Next = due
	}
}

const sqlClaimed = "SELECT " + deliveryColumns + ", " + eventColumns + fromDeliveries

// claimed reads a delivery with its event, which all deliveries of it share. The delivery is there: the writer has just
// found it.
func (g *claiming) claimed(id bellwire.DeliveryID) (claimed bellwire.Claimed, err error) {
	first := bellwire.DeliveryOf(bellwire.EventID(id), 0)
	if e := g.events[first]; e != nil {
		d, err := g.w.delivery(id)
		if err != nil {
			return claimed, err
		}
		return bellwire.Claimed{Delivery: *d, Event: e}, nil
	}
	q := g.w.query(sqlClaimed).blob(id[:])
	if _, err := q.one(); err != nil {
		return claimed, err
	}
	claimed.Delivery = *scanDelivery(q)
	claimed.Event, _, err = scanEvent(q)
	g.events[first] = claimed.Event
	g.read += len(claimed.Event.Data)
	return claimed, firstError(err, q.close())
}
