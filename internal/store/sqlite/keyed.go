package sqlite

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// isKeyed is true of the open deliveries in the order of a key. The first of a key is not behind; all others are.
const isKeyed = "ordering_key IS NOT NULL AND status <= 1" // by ordering_key and place

const (
	ofKey          = "endpoint = ?1 AND ordering_key = ?2 AND " + isKeyed
	sqlOpenOfKey   = "SELECT EXISTS (SELECT 1 FROM deliveries WHERE " + ofKey + ")"
	sqlFirstOfKey  = "SELECT id FROM deliveries WHERE " + ofKey + " ORDER BY place LIMIT 1"
	sqlFreeNext    = "UPDATE deliveries SET status = " + pendingNumber + ", updated_at = max(?3, created_at + 1) WHERE id = (" + sqlFirstOfKey + ") AND status = " + behindNumber
	sqlOrderingNow = "SELECT 1 FROM endpoints WHERE n = ? AND ordering = ?"
)

// hasOpenOfKey reports whether an endpoint has an open delivery of a key.
func (w *writer) hasOpenOfKey(endpoint, key int64) (bool, error) {
	open, _, err := w.query(sqlOpenOfKey).int(endpoint).int(key).scalar()
	return open != 0, err
}

// freeNext frees the first delivery of a key, after another one of the key has ended. It reports whether it was behind that.
func (w *writer) freeNext(endpoint, key int64, now time.Time) (freed bool, err error) {
	if key == 0 {
		return false, nil
	}
	err = w.query(sqlFreeNext).int(endpoint).int(key).time(now).exec()
	return w.conn.Changes() > 0, err
}

// freeNextOf does that for a result.
func (w *writer) freeNextOf(r *bellwire.Result) (freed bool, err error) {
	if r.Key == 0 {
		return false, nil
	}
	endpoint, err := w.endpoint(r.Endpoint)
	if bellwire.CodeOf(err) == bellwire.CodeNotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return w.freeNext(endpoint.n, r.Key, r.EndedAt)
}

// keyPosition is a position in the order of a key.
type keyPosition struct {
	key, number int64 // key 0: none
	behind      bool
}

// positionAgain returns where a delivery goes that is restarted: one that has ended goes behind all of its key. At an endpoint that is
// no longer ordered by key it is in no order.
func (w *writer) positionAgain(row *deliveryRow) (p keyPosition, err error) {
	if row.key == 0 || row.Status.Open() {
		return keyPosition{key: row.key, number: row.place}, nil
	}
	_, ordered, err := w.query(sqlOrderingNow).int(row.endpoint).text(string(bellwire.OrderingKey)).scalar()
	if err != nil || !ordered {
		return keyPosition{}, err
	}
	p.key = row.key
	if p.number, _, err = w.query(sqlNextSequence).int(row.endpoint).scalar(); err != nil {
		return p, err
	}
	p.behind, err = w.hasOpenOfKey(row.endpoint, row.key)
	return p, err
}

// sqlUnkey takes deliveries out of the order of their keys.
const sqlUnkey = `UPDATE deliveries SET ordering_key = NULL, place = NULL, status = max(status, ` + pendingNumber + `),
		updated_at = iif(status = ` + behindNumber + `, max(?2, created_at + 1), updated_at)
	WHERE id IN (SELECT id FROM deliveries WHERE endpoint = ?1 AND ` + isKeyed + ` ORDER BY ordering_key, place LIMIT +?3)`

// sqlFreeFirst frees the first delivery that is left in the order of a key: those before it in its key may have left the order.
const sqlFreeFirst = `UPDATE deliveries SET status = ` + pendingNumber + `, updated_at = max(?2, created_at + 1)
	WHERE id = (SELECT id FROM deliveries WHERE endpoint = ?1 AND ` + isKeyed + ` ORDER BY ordering_key, place LIMIT 1) AND status = ` + behindNumber

// firstOfKey returns the first open delivery of the key that a delivery is behind, zero if there is none.
func (c *db) firstOfKey(behind *bellwire.Delivery) (first bellwire.DeliveryID, err error) {
	n, found, err := c.query("SELECT n FROM endpoints WHERE id = ?").text(behind.Endpoint).scalar()
	if err != nil || !found {
		return first, err
	}
	q := c.query(sqlFirstOfKey).int(n).int(behind.Key)
	if found, err := q.one(); err != nil || !found {
		return first, err
	}
	q.getBytes(first[:])
	return first, q.close()
}

// FirstOfKeys returns the deliveries that others are behind.
func (s *Store) FirstOfKeys(ctx context.Context, behind []*bellwire.Delivery) (map[bellwire.DeliveryID]bellwire.DeliveryID, error) {
	first := make(map[bellwire.DeliveryID]bellwire.DeliveryID, len(behind))
	err := s.list(ctx, snapshot(func(c *db) error {
		for _, d := range behind {
			id, err := c.firstOfKey(d)
			if err != nil {
				return err
			}
			if !id.IsZero() && id != d.ID {
				first[d.ID] = id
			}
		}
		return nil
	}))
	return first, err
}
