package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

const (
	theEndpoint = "(SELECT n FROM bellwire.endpoints WHERE id = $5 AND tenant = " + theTenant + ")"
	// An event has at most one delivery for each endpoint of its tenant, and usually few. They lie together by their ids.
	sqlDeliveriesOfEvent = "SELECT " + deliveryColumns + " FROM " + deliveryTables + ` WHERE d.id BETWEEN $4 AND $5 AND d.tenant = ` + theTenant + `
		AND d.id < $2 AND ($6 = '' OR p.id = $6) AND ($7::smallint < 0 OR greatest(d.status, 0) = $7) ORDER BY d.id DESC LIMIT $3`
)

// firstOf and lastOf are the ids between which those of an event's deliveries lie, as bellwire.DeliveriesOf has them.
func firstOf(event string) string { return "(left(" + event + "::text, 32) || '0000')::uuid" }
func lastOf(event string) string  { return "(left(" + event + "::text, 32) || 'ffff')::uuid" }

// isOfEvent is true of ids of an event's deliveries.
func isOfEvent(id, event string) string {
	return id + " BETWEEN " + firstOf(event) + " AND " + lastOf(event)
}

// The statements for lists choose ids first, of each status in $4.
var (
	sqlDeliveriesOfTenant   = newestFirst(theTenant, "", "tenant = w.n", "status", "s.status")
	sqlDeliveriesOfEndpoint = newestFirst(theEndpoint, "CROSS JOIN unnest('{f,t}'::boolean[]) o (ordered)",
		"status = s.status AND ordered = o.ordered", "endpoint", "w.n")
	sqlDeliveriesOfJob = newestFirst("$5::uuid", "", "job = w.n AND tenant = "+theTenant, "status", "s.status")
)

// statusNumbers returns the numbers that deliveries of a status are stored under, or all numbers if it is empty.
func statusNumbers(status bellwire.DeliveryStatus) []int16 {
	switch status {
	case "":
		return []int16{codec.Behind, codec.Delayed, codec.Pending, codec.Retrying, codec.Succeeded, codec.Exhausted, codec.Canceled}
	case bellwire.DeliveryPending:
		return []int16{codec.Behind, codec.Delayed, codec.Pending}
	}
	number, _ := codec.StatusNumber[int16](status)
	return []int16{number}
}

// newestFirst lists deliveries of w.n before $2, and not more than $3. For each status it searches an index of what a condition is
// about, a column with a value, and the id. One plan serves all statuses: with a subquery for each, PostgreSQL took longer to plan a
// list than to read it.
func newestFirst(of, each, condition, column, value string) string {
	// To the planner this is a range in the order of that index. Of a comparison with = it would expect that most deliveries match,
	// and go through all of them by id.
	before := fmt.Sprintf("%[1]s >= %[2]s AND (%[1]s, id) < (%[2]s, $2) ORDER BY %[1]s DESC, id DESC", column, value)
	chosen := "SELECT f.id FROM (SELECT " + of + " AS n OFFSET 0) w CROSS JOIN unnest($4::smallint[]) s (status) " + each +
		" CROSS JOIN LATERAL (SELECT id FROM bellwire.deliveries WHERE " + condition + " AND " + before + " LIMIT $3) f ORDER BY f.id DESC LIMIT $3"
	// OFFSET 0 keeps the planner from joining the tables before it looks up the chosen ids: while many deliveries end at once, the
	// statistics that it goes by are of another time.
	one := "SELECT " + deliveryColumns + " FROM " + deliveryTables + " WHERE d.id = c.id OFFSET 0"
	return "SELECT r.* FROM (" + chosen + ") c CROSS JOIN LATERAL (" + one + ") r ORDER BY c.id DESC"
}

// Deliveries lists deliveries, newest first.
func (s *Store) Deliveries(ctx context.Context, f bellwire.DeliveryFilter, page bellwire.Page) (*bellwire.List[*bellwire.Delivery], error) {
	before, err := codec.IDCursor(page.After)
	if err != nil {
		return nil, err
	}
	status, known := codec.StatusNumber[int16](f.Status)
	if !known && f.Status != "" {
		return &bellwire.List[*bellwire.Delivery]{}, nil
	}
	list := &lister[*bellwire.Delivery, bellwire.DeliveryID]{page, scanDelivery, idKey[bellwire.DeliveryID], rules.SizeOfDelivery}
	if !f.Event.IsZero() {
		if f.Status == "" {
			status = -1
		}
		first, last := bellwire.DeliveriesOf(f.Event)
		return list.read(ctx, s, sqlDeliveriesOfEvent, f.Tenant, before, list.fetch(), [16]byte(first), [16]byte(last), f.Endpoint, status)
	}
	args := []any{f.Tenant, before, list.fetch(), statusNumbers(f.Status)}
	switch {
	case !f.Job.IsZero():
		return list.read(ctx, s, sqlDeliveriesOfJob, append(args, [16]byte(f.Job))...)
	case f.Endpoint != "":
		return list.read(ctx, s, sqlDeliveriesOfEndpoint, append(args, f.Endpoint)...)
	}
	return list.read(ctx, s, sqlDeliveriesOfTenant, args...)
}

const sqlNewestIDs = "SELECT id FROM bellwire.deliveries WHERE id < $1 ORDER BY id DESC LIMIT $2"

// AllDeliveries lists the deliveries of all tenants, newest first.
func (s *Store) AllDeliveries(ctx context.Context, page bellwire.Page) (*bellwire.List[*bellwire.Delivery], error) {
	before, err := codec.IDCursor(page.After)
	if err != nil {
		return nil, err
	}
	lister := &lister[bellwire.DeliveryID, bellwire.DeliveryID]{page, scanID, idKey[bellwire.DeliveryID], func(bellwire.DeliveryID) int { return 0 }}
	var list *bellwire.List[*bellwire.Delivery]
	err = s.list(ctx, func(tx *tx) error {
		ids, err := lister.collect(tx, sqlNewestIDs, before, lister.fetch())
		if err != nil {
			return err
		}
		list, err = tx.deliveries(ids, page)
		return err
	})
	return list, err
}

// deliveries reads deliveries in the order of their ids' list, without those of deleted tenants.
func (t *tx) deliveries(ids *bellwire.List[bellwire.DeliveryID], page bellwire.Page) (*bellwire.List[*bellwire.Delivery], error) {
	found := make(map[bellwire.DeliveryID]*bellwire.Delivery, len(ids.Items))
	rows := t.query(sqlClaimed, uuids(ids.Items))
	defer rows.Close()
	for rows.Next() {
		d, id, err := scanDelivery(rows)
		if err != nil {
			return nil, err
		}
		found[id] = d
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	size := rules.NewPage(page.MostBytes())
	list := &bellwire.List[*bellwire.Delivery]{Next: ids.Next}
	for i, id := range ids.Items {
		d := found[id]
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

func scanID(row pgx.Row) (id, key bellwire.DeliveryID, err error) {
	err = row.Scan((*[16]byte)(&id))
	return id, id, err
}
