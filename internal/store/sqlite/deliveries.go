package sqlite

import (
	"context"
	"strings"

	"github.com/bellwire/bellwire"
)

// sqlIDsOfEvent finds the deliveries of an event; an empty endpoint or a negative status chooses all. An event
// has at most one delivery for each endpoint of its tenant, and usually few.
const sqlIDsOfEvent = `SELECT d.id FROM tenants t CROSS JOIN events e ON e.tenant = t.n CROSS JOIN deliveries d ON d.event = e.n
	WHERE t.id = ?1 AND t.deleted_at IS NULL AND e.id = ?2 AND d.id < ?3
		AND (?4 = '' OR d.endpoint = (SELECT n FROM endpoints WHERE id = ?4)) AND (?5 < 0 OR d.status = ?5)
	ORDER BY d.id DESC LIMIT +?6`

// The statements for lists of an endpoint or a tenant merge ranges of indexes, each of which has the wanted order.
var (
	sqlIDsOfEndpoint        = newestFirst(rangeOf(ofEndpoint + " AND " + hasStatus + "?5"))
	sqlPendingIDsOfEndpoint = newestFirst(rangeOf(ofEndpoint+" AND "+isPending), rangeOf(ofEndpoint+" AND "+isNumbered))
	sqlAllIDsOfEndpoint     = newestFirst(append(allButPending(ofEndpoint),
		rangeOf(ofEndpoint+" AND "+isPending), rangeOf(ofEndpoint+" AND "+isNumbered))...)

	sqlIDsOfTenant        = newestFirst(rangeOf(ofTenant + " AND " + hasStatus + "?5"))
	sqlPendingIDsOfTenant = sqlPendingLine + "SELECT id FROM line WHERE id > x''"
	sqlAllIDsOfTenant     = sqlPendingLine + newestFirst(append(allButPending(ofTenant), "SELECT id FROM line WHERE id > x''")...)
)

const (
	theTenant  = "(SELECT n FROM tenants WHERE id = ?1 AND deleted_at IS NULL)"
	ofTenant   = "tenant = " + theTenant
	ofEndpoint = "endpoint = (SELECT n FROM endpoints WHERE id = ?2 AND tenant = " + theTenant + ")"
)

func rangeOf(condition string) string {
	return "SELECT id FROM deliveries WHERE id < ?3 AND " + condition
}

func allButPending(of string) []string {
	var ranges []string
	for _, status := range []string{"1", "2", "3", "4"} {
		ranges = append(ranges, rangeOf(of+" AND "+hasStatus+status))
	}
	return ranges
}

func newestFirst(ranges ...string) string {
	return strings.Join(ranges, " UNION ALL ") + " ORDER BY id DESC LIMIT +?4"
}

// sqlPendingLine merges what is pending at a tenant's endpoints, deleted ones too. Its queue holds the newest of each
// endpoint; for one that is taken out the endpoint's next comes in. The empty blob stands for the end.
var sqlPendingLine = `WITH RECURSIVE line (endpoint, id) AS (
		SELECT n, ` + newestPending("endpoints.n", "?3") + ` FROM endpoints WHERE ` + ofTenant + ` AND deleted_at IS NULL
		UNION ALL
		SELECT n, ` + newestPending("endpoints.n", "?3") + ` FROM endpoints WHERE ` + ofTenant + ` AND deleted_at IS NOT NULL
		UNION ALL
		SELECT endpoint, ` + newestPending("line.endpoint", "line.id") + ` FROM line WHERE id > x''
		ORDER BY 2 DESC LIMIT +?4
	) `

func newestPending(endpoint, before string) string {
	newest := func(condition string) string {
		return "ifnull((SELECT max(id) FROM deliveries WHERE endpoint = " + endpoint + " AND id < " + before + " AND " + condition + "), x'')"
	}
	return "max(" + newest(isPending) + ", " + newest(isNumbered) + ")"
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
	if !f.Event.IsZero() {
		if f.Status == "" {
			status = none
		}
		return c.query(sqlIDsOfEvent).text(f.Tenant).blob(f.Event[:]).blob(before).text(f.Endpoint).int(status).int(fetch)
	}
	some, pending, all := sqlIDsOfTenant, sqlPendingIDsOfTenant, sqlAllIDsOfTenant
	if f.Endpoint != "" {
		some, pending, all = sqlIDsOfEndpoint, sqlPendingIDsOfEndpoint, sqlAllIDsOfEndpoint
	}
	with := func(sql string) *query { return c.query(sql).text(f.Tenant).text(f.Endpoint).blob(before).int(fetch) }
	switch f.Status {
	case "":
		return with(all)
	case bellwire.DeliveryPending:
		return with(pending)
	}
	return with(some).int(status)
}
