package postgres

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// The statements for lists choose ids first: each range has the wanted order in an index, and they are merged.
const (
	ofEndpoint = "endpoint = (SELECT n FROM bellwire.endpoints WHERE id = $4 AND tenant = " + theTenant + ")"
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

// These hold a statement for each status, and one for all at the end.
var (
	sqlDeliveriesOfTenant   = byStatus(func(status string) []string { return []string{"tenant = " + theTenant + " AND status = " + status} })
	sqlDeliveriesOfEndpoint = byStatus(func(status string) []string {
		return []string{ofEndpoint + " AND NOT ordered AND status = " + status, ofEndpoint + " AND ordered AND status = " + status}
	})
	sqlDeliveriesOfJob = byStatus(func(status string) []string {
		return []string{"job = $4 AND tenant = " + theTenant + " AND status = " + status}
	})
)

// byStatus makes a statement for each status, and one for all at the end.
func byStatus(ranges func(status string) []string) []string {
	var statements, every []string
	for _, status := range []string{"0", "1", "2", "3", "4"} {
		these := ranges(status)
		if status == "0" {
			these = append(append(these, ranges("-1")...), ranges("-2")...) // pending too
		}
		statements = append(statements, newestFirst(these))
		every = append(every, these...)
	}
	return append(statements, newestFirst(every))
}

// newestFirst lists what lies in one of the ranges before $2, and not more than $3.
func newestFirst(ranges []string) string {
	var parts []string
	for _, condition := range ranges {
		parts = append(parts, "(SELECT id FROM bellwire.deliveries WHERE "+condition+" AND id < $2 ORDER BY id DESC LIMIT $3)")
	}
	chosen := "SELECT id FROM (" + strings.Join(parts, " UNION ALL ") + ") r ORDER BY id DESC LIMIT $3"
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
	which := int(status)
	if f.Status == "" {
		which = len(bellwire.DeliveryStatuses)
	}
	if !f.Job.IsZero() {
		return list.read(ctx, s, sqlDeliveriesOfJob[which], f.Tenant, before, list.fetch(), [16]byte(f.Job))
	}
	if f.Endpoint != "" {
		return list.read(ctx, s, sqlDeliveriesOfEndpoint[which], f.Tenant, before, list.fetch(), f.Endpoint)
	}
	return list.read(ctx, s, sqlDeliveriesOfTenant[which], f.Tenant, before, list.fetch())
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
