package sqlite

import (
	"bytes"
	"context"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// sqlIDsOfEvent finds deliveries of an event by where they lie; an empty endpoint or a negative status chooses all.
const sqlIDsOfEvent = `SELECT id FROM deliveries WHERE id >= ?2 AND id < ?3 AND tenant = ` + theTenant + `
		AND (?4 = '' OR endpoint = (SELECT n FROM endpoints WHERE id = ?4)) AND (?5 < 0 OR max(status, 0) = ?5)
	ORDER BY id DESC LIMIT +?6`

// everyStatus are the ranges of an endpoint's deliveries in the indexes, each of which has them by id.
var everyStatus = []string{isPending, isNumbered, isDelayed, isBehind, hasStatus + retryingNumber, hasStatus + succeededNumber, hasStatus + exhaustedNumber, hasStatus + canceledNumber}

// The statements for lists of an endpoint merge ranges, and those of a tenant merge what its endpoints have.
var (
	sqlIDsOfEndpoint        = newestOfEndpoint(hasStatus + "?5")
	sqlPendingIDsOfEndpoint = newestOfEndpoint(isPending, isNumbered, isDelayed, isBehind)
	sqlAllIDsOfEndpoint     = newestOfEndpoint(everyStatus...)

	sqlIDsOfTenant        = newestOfTenant([]string{"status = ?5"}, hasStatus+"?5")
	sqlPendingIDsOfTenant = newestOfTenant([]string{"status = " + pendingNumber, "status = " + delayedNumber, "status = " + behindNumber}, isPending, isNumbered, isDelayed, isBehind)
	sqlAllIDsOfTenant     = newestOfTenant([]string{
		"status = " + pendingNumber, "status = " + delayedNumber, "status = " + behindNumber, "status = " + retryingNumber, "status = " + succeededNumber, "status = " + exhaustedNumber, "status = " + canceledNumber,
	}, everyStatus...)
)

// The statements for lists of a job merge ranges too.
var (
	sqlIDsOfJob        = newestOfJob("?5")
	sqlPendingIDsOfJob = newestOfJob(pendingNumber, delayedNumber, behindNumber)
	sqlAllIDsOfJob     = newestOfJob(pendingNumber, delayedNumber, behindNumber, retryingNumber, succeededNumber, exhaustedNumber, canceledNumber)
)

func newestOfJob(statuses ...string) string {
	var selects []string
	for _, status := range statuses {
		selects = append(selects, "SELECT id FROM deliveries WHERE job = ?2 AND tenant = "+theTenant+" AND id < ?3 AND status = "+status)
	}
	return strings.Join(selects, " UNION ALL ") + " ORDER BY id DESC LIMIT +?4"
}

const theTenant = "(SELECT n FROM tenants WHERE id = ?1 AND deleted_at IS NULL)"

func newestOfEndpoint(ranges ...string) string {
	var selects []string
	for _, r := range ranges {
		selects = append(selects, `SELECT id FROM deliveries
			WHERE endpoint = (SELECT n FROM endpoints WHERE id = ?2 AND tenant = `+theTenant+`) AND id < ?3 AND `+r)
	}
	return strings.Join(selects, " UNION ALL ") + " ORDER BY id DESC LIMIT +?4"
}

// newestOfTenant merges what a tenant's endpoints have, of which it has a thousand at most. Its queue holds the newest of
// each endpoint; for one that is taken out the endpoint's next comes in. Settled deliveries, of any number of deleted endpoints,
// are one place in the queue, with the number 0. Deleted endpoints have a place of their own until Purge has settled the rest of
// their deliveries, which are those from settled_to on. The empty blob stands for the end.
func newestOfTenant(statuses []string, ranges ...string) string {
	newest := func(endpoint, from, before string) string {
		return newestOf("endpoint = "+endpoint+" AND id >= "+from+" AND id < "+before, ranges)
	}
	newestOfDeleted := func(before string) string {
		return newestOf("tenant = "+theTenant+" AND of_deleted = 1 AND id < "+before, statuses)
	}
	return `WITH RECURSIVE line (endpoint, id, first) AS (
		SELECT n, ` + newest("endpoints.n", "x''", "?3") + `, x'' FROM endpoints WHERE tenant = ` + theTenant + ` AND deleted_at IS NULL
		UNION ALL
		SELECT n, ` + newest("endpoints.n", "endpoints.settled_to", "?3") + `, settled_to FROM endpoints
		WHERE tenant = ` + theTenant + ` AND deleted_at IS NOT NULL AND settled = 0
		UNION ALL
		SELECT 0, ` + newestOfDeleted("?3") + `, x''
		UNION ALL
		SELECT endpoint, CASE endpoint WHEN 0 THEN ` + newestOfDeleted("line.id") + ` ELSE ` + newest("line.endpoint", "line.first", "line.id") + ` END, first
		FROM line WHERE id > x''
		ORDER BY 2 DESC LIMIT +?4
	) SELECT id FROM line WHERE id > x''`
}

// newestOf selects the greatest id in some ranges, or the empty blob.
func newestOf(condition string, ranges []string) string {
	var each []string
	for _, r := range ranges {
		each = append(each, "ifnull((SELECT max(id) FROM deliveries WHERE "+condition+" AND "+r+"), x'')")
	}
	if len(each) == 1 {
		return each[0]
	}
	return "max(" + strings.Join(each, ", ") + ")"
}

// Deliveries lists deliveries, newest first.
func (s *Store) Deliveries(ctx context.Context, f bellwire.DeliveryFilter, page bellwire.Page) (*bellwire.List[*bellwire.Delivery], error) {
	before, err := codec.IDCursor(page.After)
	if err != nil {
		return nil, err
	}
	status, known := codec.StatusNumber[int64](f.Status)
	if !known && f.Status != "" {
		return &bellwire.List[*bellwire.Delivery]{}, nil
	}
	var list *bellwire.List[*bellwire.Delivery]
	err = s.list(ctx, snapshot(func(c *db) error {
		list, err = c.deliveries(c.ids(f, status, before[:], page.Limit), page)
		return err
	}))
	return list, err
}

const sqlNewestIDs = "SELECT id FROM deliveries WHERE id < ? ORDER BY id DESC LIMIT +?"

// AllDeliveries lists the deliveries of all tenants, newest first.
func (s *Store) AllDeliveries(ctx context.Context, page bellwire.Page) (*bellwire.List[*bellwire.Delivery], error) {
	before, err := codec.IDCursor(page.After)
	if err != nil {
		return nil, err
	}
	var list *bellwire.List[*bellwire.Delivery]
	err = s.list(ctx, snapshot(func(c *db) error {
		list, err = c.deliveries(c.query(sqlNewestIDs).blob(before[:]).int(int64(page.Limit)+1), page)
		return err
	}))
	return list, err
}

// deliveries reads the deliveries whose ids a query selects, without those of deleted tenants.
func (c *db) deliveries(q *query, page bellwire.Page) (*bellwire.List[*bellwire.Delivery], error) {
	lister := newLister(page, scanID, func(id bellwire.DeliveryID) []byte { return id[:] }, func(bellwire.DeliveryID) int { return 0 })
	ids, err := lister.collect(q)
	if err != nil {
		return nil, err
	}
	size := rules.NewPage(page.MostBytes())
	list := &bellwire.List[*bellwire.Delivery]{Next: ids.Next}
	for i, id := range ids.Items {
		d, err := c.delivery(id)
		if err != nil {
			return nil, err
		}
		if d == nil {
			continue
		}
		list.Items = append(list.Items, d)
		if size.Add(rules.SizeOfDelivery(d)) && i+1 < len(ids.Items) {
			list.Next = bellwire.DeliveryCursor(id)
			break
		}
	}
	return list, nil
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
		first, last := bellwire.DeliveriesOf(f.Event)
		if bytes.Compare(before, last[:]) > 0 {
			before = append(last[:], 0) // what comes behind the last, but before any other id
		}
		return c.query(sqlIDsOfEvent).text(f.Tenant).blob(first[:]).blob(before).text(f.Endpoint).int(status).int(fetch)
	}
	some, pending, all := sqlIDsOfTenant, sqlPendingIDsOfTenant, sqlAllIDsOfTenant
	if f.Endpoint != "" {
		some, pending, all = sqlIDsOfEndpoint, sqlPendingIDsOfEndpoint, sqlAllIDsOfEndpoint
	}
	with := func(sql string) *query { return c.query(sql).text(f.Tenant).text(f.Endpoint).blob(before).int(fetch) }
	if !f.Job.IsZero() {
		some, pending, all = sqlIDsOfJob, sqlPendingIDsOfJob, sqlAllIDsOfJob
		with = func(sql string) *query { return c.query(sql).text(f.Tenant).blob(f.Job[:]).blob(before).int(fetch) }
	}
	switch f.Status {
	case "":
		return with(all)
	case bellwire.DeliveryPending:
		return with(pending)
	}
	return with(some).int(status)
}
