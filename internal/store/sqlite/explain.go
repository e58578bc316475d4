package sqlite

import (
	"context"
	"encoding/json"
	"maps"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

const (
	// sqlEndpointsAt lists histories with the first change, the standing now, and the one of the last change before ?3. The
	// clocks of a history never go back.
	sqlEndpointsAt = `SELECT h.n, h.endpoint, ifnull(p.n, 0), first.action, first.at, last.standing,
			(SELECT standing FROM endpoint_changes WHERE history = h.n AND clock < ?3 ORDER BY clock DESC, number DESC LIMIT 1)
		FROM endpoint_histories h
		CROSS JOIN endpoint_changes first ON first.history = h.n AND first.number = h.first
		CROSS JOIN endpoint_changes last ON last.history = h.n AND last.number = h.last
		LEFT JOIN endpoints p ON p.id = h.endpoint AND p.tenant = h.tenant
		WHERE h.tenant = ` + theTenant + ` AND h.n < ?2 ORDER BY h.n DESC LIMIT +?4`
	sqlDeliveriesByEndpoint = "SELECT endpoint, id, status, created_at FROM deliveries WHERE id >= ? AND id <= ? ORDER BY id LIMIT ?"
)

// endpointAt is a row of sqlEndpointsAt.
type endpointAt struct {
	bellwire.EndpointAt
	n int64 // of the endpoint; 0: its row is gone
}

func scanEndpointAt(q *query) (*endpointAt, int64, error) {
	n := q.getInt()
	at := &endpointAt{EndpointAt: bellwire.EndpointAt{Endpoint: q.getText(), Now: new(bellwire.Standing)}, n: q.getInt()}
	at.Begins = bellwire.Change{Action: bellwire.ChangeAction(q.getText()), At: q.getTime()}
	err := json.Unmarshal([]byte(q.getText()), at.Now)
	if then := q.getText(); then != "" {
		at.Then = new(bellwire.Standing)
		err = firstError(err, json.Unmarshal([]byte(then), at.Then))
	}
	return at, n, err
}

// Explain returns an event with the endpoints of its tenant.
func (s *Store) Explain(ctx context.Context, tenant string, id bellwire.EventID, page bellwire.Page) (*bellwire.Explained, error) {
	before, err := codec.RowCursor(page.After)
	if err != nil {
		return nil, err
	}
	var explained *bellwire.Explained
	err = s.list(ctx, snapshot(func(c *db) error {
		event, err := c.event(tenant, id)
		if err != nil {
			return err
		}
		lister := newLister(page, scanEndpointAt, codec.RowKey, func(at *endpointAt) int { return rules.SizeOfEndpointAt(&at.EndpointAt) })
		endpoints, err := lister.collect(c.query(sqlEndpointsAt).text(tenant).int(before).time(event.CreatedAt).int(lister.fetch()))
		if err != nil {
			return err
		}
		deliveries, stored, err := c.deliveriesByEndpoint(id, bellwire.MaxDeliveries)
		if err != nil {
			return err
		}
		explained = &bellwire.Explained{Event: event, FanningOut: stored < event.Deliveries}
		explained.Endpoints.Next = endpoints.Next
		for _, at := range endpoints.Items {
			if d := deliveries[at.n]; d != nil {
				if at.Delivery, err = c.delivery(d.ID); err != nil {
					return err
				}
				if at.Delivery != nil && at.Delivery.Behind {
					if at.Ahead, err = c.firstOfKey(at.Delivery); err != nil {
						return err
					}
				}
			}
			explained.Endpoints.Items = append(explained.Endpoints.Items, &at.EndpointAt)
		}
		return nil
	}))
	return explained, err
}

// EventOutcomes counts what became of events.
func (s *Store) EventOutcomes(ctx context.Context, ids []bellwire.EventID, limit int) (map[bellwire.EventID]*bellwire.EventOutcomes, error) {
	var outcomes map[bellwire.EventID]*bellwire.EventOutcomes
	err := s.list(ctx, snapshot(func(c *db) error {
		outcomes = make(map[bellwire.EventID]*bellwire.EventOutcomes, len(ids))
		for _, id := range ids {
			deliveries, read, err := c.deliveriesByEndpoint(id, limit+1)
			if err != nil {
				return err
			}
			if read > 0 {
				outcomes[id] = bellwire.CountOutcomes(maps.Values(deliveries), read > limit)
			}
		}
		return nil
	}))
	return outcomes, err
}

// deliveriesByEndpoint returns what supersedes the event's other deliveries to each endpoint, with only its id, status and time,
// and how many deliveries are stored. It reads at most limit deliveries.
func (c *db) deliveriesByEndpoint(event bellwire.EventID, limit int) (byEndpoint map[int64]*bellwire.Delivery, stored int, err error) {
	byEndpoint = make(map[int64]*bellwire.Delivery)
	first, last := bellwire.DeliveriesOf(event)
	q := c.query(sqlDeliveriesByEndpoint).blob(first[:]).blob(last[:]).int(int64(limit))
	for q.next() {
		endpoint, d := q.getInt(), new(bellwire.Delivery)
		q.getBytes(d.ID[:])
		d.Status, d.CreatedAt = codec.Status(q.getInt()), q.getTime()
		if other := byEndpoint[endpoint]; other == nil || d.Supersedes(other) {
			byEndpoint[endpoint] = d
		}
		stored++
	}
	return byEndpoint, stored, q.err
}
