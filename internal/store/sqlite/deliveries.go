package sqlite

import (
	"context"

	"github.com/bellwire/bellwire"
)

// sqlIDsOfEvent finds the deliveries of an event; an empty endpoint or a negative status chooses all. An event
// has at most one delivery for each endpoint of its tenant, and usually few.
const sqlIDsOfEvent = `SELECT d.id FROM tenants t CROSS JOIN events e ON e.tenant = t.n CROSS JOIN deliveries d ON d.event = e.n
	WHERE t.id = ?1 AND t.deleted_at IS NULL AND e.id = ?2 AND d.id < ?3
		AND (?4 = '' OR d.endpoint = (SELECT n FROM endpoints WHERE id = ?4)) AND (?5 < 0 OR d.status = ?5)
	ORDER BY d.id DESC LIMIT ?6`

// The statements for lists of a tenant or an endpoint: one range of an index for each status. Those for any
// status merge five ranges.
var (
	sqlIDsOfTenant, sqlAllIDsOfTenant     = rangesOf("tenant", "(SELECT n FROM tenants WHERE id = ?1 AND deleted_at IS NULL)")
	sqlIDsOfEndpoint, sqlAllIDsOfEndpoint = rangesOf("endpoint", `(SELECT p.n FROM endpoints p JOIN tenants t ON t.n = p.tenant
		WHERE p.id = ?5 AND t.id = ?1 AND t.deleted_at IS NULL)`)
)

func rangesOf(column, value string) (one, all string) {
	from := "SELECT id FROM deliveries WHERE " + column + " = " + value + " AND id < ?2 AND status = "
	const end = " ORDER BY id DESC LIMIT ?3"
	all = from + "0"
	for _, status := range []string{"1", "2", "3", "4"} {
		all += " UNION ALL " + from + status
	}
	return from + "?4" + end, all + end
}

// Deliveries lists deliveries, newest first.
func (s *Store) Deliveries(ctx context.Context, f bellwire.DeliveryFilter, page bellwire.Page) (*bellwire.List[*bellwire.Delivery], error) {
	before, err := idCursor(page.After)
	if err != nil {
		return nil, err
	}
	status, known := numberOf(f.Status)
	if !known && f.Status != "" {
		return &bellwire.List[*bellwire.Delivery]{}, nil
	}
	var list *bellwire.List[*bellwire.Delivery]
	err = s.snapshot(ctx, func(c *db) error {
		ids, err := newLister(page, scanID, func(id bellwire.DeliveryID) []byte { return id[:] }).collect(c.ids(f, status, before, page.Limit))
		if err != nil {
			return err
		}
		list = &bellwire.List[*bellwire.Delivery]{Next: ids.Next}
		for _, id := range ids.Items {
			d, err := c.delivery(id)
			if err != nil {
				return err
			}
			list.Items = append(list.Items, d)
		}
		return nil
	})
	return list, err
}

func scanID(q *query) (id, key bellwire.DeliveryID, err error) {
	q.getBytes(id[:])
	return id, id, nil
}

// ids chooses the statement for a filter.
func (c *db) ids(f bellwire.DeliveryFilter, status int64, before []byte, limit int) *query {
	fetch := int64(limit) + 1
	switch {
	case !f.Event.IsZero():
		if f.Status == "" {
			status = none
		}
		return c.query(sqlIDsOfEvent).text(f.Tenant).blob(f.Event[:]).blob(before).text(f.Endpoint).int(status).int(fetch)
	case f.Endpoint != "" && f.Status != "":
		return c.query(sqlIDsOfEndpoint).text(f.Tenant).blob(before).int(fetch).int(status).text(f.Endpoint)
	case f.Endpoint != "":
		return c.query(sqlAllIDsOfEndpoint).text(f.Tenant).blob(before).int(fetch).null().text(f.Endpoint)
	case f.Status != "":
		return c.query(sqlIDsOfTenant).text(f.Tenant).blob(before).int(fetch).int(status)
	}
	return c.query(sqlAllIDsOfTenant).text(f.Tenant).blob(before).int(fetch)
}
