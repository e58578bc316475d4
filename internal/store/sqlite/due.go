package sqlite

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// The numbers of statuses as the text of statements has them. They are those of codec, which explains them.
const (
	pendingNumber   = "0"
	retryingNumber  = "1"
	succeededNumber = "2"
	exhaustedNumber = "3"
	canceledNumber  = "4"
	delayedNumber   = "-1"
	behindNumber    = "-2"
)

// The schedule lies in three indexes, each for some of the deliveries. The conditions are those of the indexes.
const (
	isPending = "status = " + pendingNumber + " AND sequence = 0"                            // by id; tests too, which are never due
	isLater   = "status IN (" + retryingNumber + ", " + delayedNumber + ") AND sequence = 0" // by due_at
	isOrdered = "sequence > 0 AND due_at IS NOT NULL"                                        // by sequence
	// isNumbered is what is pending and has an order, for lists.
	isNumbered = "status = " + pendingNumber + " AND sequence > 0" // by id
	// hasStatus, with a status other than pending behind it, is for lists too.
	hasStatus = "status > 0 AND status = " // by id
	// isApart is what is pending and is not in the first index: it lies by due time, or by its key.
	isApart = "status < 0"
	// isDelayed and isBehind are these two, for lists.
	isDelayed = isApart + " AND status = " + delayedNumber // by id
	isBehind  = isApart + " AND status = " + behindNumber  // by id
)

// dueAt is when a delivery is due as things stand at ?2: what has not been attempted yet is due, also if the clock was
// set back since it was made.
const dueAt = "iif(status = " + pendingNumber + ", min(due_at, ?2), due_at)"

// The statements here step from endpoint to endpoint through an index, so that they cost by endpoints and not
// by deliveries. Claimed deliveries lie between the free ones, but a lane holds few.
var (
	sqlDuePending = firstOfEach(isPending, "id", dueAt)
	sqlDueLater   = firstOfEach(isLater, "due_at, id", dueAt)
	// An endpoint without an order ignores numbers: deliveries that have one are due at once, so that a claim removes it.
	sqlDueOrdered = firstOfEach(isOrdered, "sequence", "iif(p.ordering = 'fifo', "+dueAt+", min(created_at, ?2))")
	// The same goes for the order of keys.
	sqlDueKeyed = endpointsWith(isKeyed) + `
		SELECT p.id, t.id, (SELECT min(created_at, ?2) FROM deliveries WHERE endpoint = line.endpoint AND ` + isKeyed + ` LIMIT 1)
		FROM line` + sqlOfLivingTenants + " AND p.ordering <> 'key'"
)

// firstOfEach selects each endpoint with a time of its first delivery that is free.
func firstOfEach(condition, order, time string) string {
	return endpointsWith(condition) + `
		SELECT p.id, t.id, (SELECT ` + time + ` FROM deliveries
			WHERE endpoint = line.endpoint AND ` + condition + ` AND due_at IS NOT NULL AND epoch <> ?1 ORDER BY ` + order + ` LIMIT 1)
		FROM line` + sqlOfLivingTenants
}

// endpointsWith begins a statement on the line of the endpoints that have such deliveries.
func endpointsWith(condition string) string {
	return `WITH RECURSIVE line (endpoint) AS (
			SELECT min(endpoint) FROM deliveries WHERE ` + condition + `
			UNION ALL
			SELECT (SELECT min(endpoint) FROM deliveries WHERE ` + condition + ` AND endpoint > line.endpoint)
			FROM line WHERE line.endpoint IS NOT NULL
		)`
}

const sqlOfLivingTenants = ` CROSS JOIN endpoints p ON p.n = line.endpoint CROSS JOIN tenants t ON t.n = p.tenant
		WHERE t.deleted_at IS NULL`

// Of a deleted endpoint only open deliveries matter, because they must be canceled.
var sqlManualEndpoints = endpointsWith("manual_epoch IS NOT NULL") + `
		SELECT p.id, t.id FROM line` + sqlOfLivingTenants + `
			AND EXISTS (SELECT 1 FROM deliveries WHERE endpoint = line.endpoint AND manual_epoch IS NOT NULL AND manual_epoch <> ?1)
			AND (p.deleted_at IS NULL
				OR EXISTS (SELECT 1 FROM deliveries WHERE endpoint = line.endpoint AND ` + isPending + `)
				OR EXISTS (SELECT 1 FROM deliveries WHERE endpoint = line.endpoint AND ` + isNumbered + `)
				OR EXISTS (SELECT 1 FROM deliveries WHERE endpoint = line.endpoint AND ` + isApart + `)
				OR EXISTS (SELECT 1 FROM deliveries WHERE endpoint = line.endpoint AND ` + hasStatus + retryingNumber + "))"

// sqlOldest looks for the longest waiting deliveries among the first ones of each endpoint, claimed or free.
var sqlOldest = []string{
	oldestOf(isPending, "id"), oldestOf(isLater, "due_at, id"), oldestOf(isOrdered, "sequence"),
}

func oldestOf(condition, order string) string {
	return endpointsWith(condition) + `
		SELECT min((SELECT due_at FROM deliveries
			WHERE endpoint = line.endpoint AND ` + condition + ` AND due_at IS NOT NULL ORDER BY ` + order + ` LIMIT 1))
		FROM line` + sqlOfLivingTenants
}

// What is deferred to FanOut is open too.
const sqlCountOpen = `SELECT (SELECT count(*) FROM deliveries WHERE ` + isPending + `)
		+ (SELECT count(*) FROM deliveries WHERE ` + isLater + `)
		+ (SELECT count(*) FROM deliveries WHERE ` + isOrdered + `)
		+ (SELECT count(*) FROM deliveries WHERE ` + isBehind + `)
		+ (` + sqlSumDeferred + `)`

// DueEndpoints finds all in one snapshot, which takes a third of a second for 100,000 endpoints.
func (s *Store) DueEndpoints(ctx context.Context, leases *bellwire.Leases, found func([]bellwire.DueEndpoint)) error {
	var due []bellwire.DueEndpoint
	err := s.read(ctx, snapshot(func(c *db) error {
		d := new(rules.Due)
		epoch, now := s.leases.epoch.Load(), s.options.Now()
		for _, sql := range []string{sqlDuePending, sqlDueLater, sqlDueOrdered, sqlDueKeyed} {
			q := c.query(sql).int(epoch).time(now)
			for q.next() {
				if id, tenant, at := q.getText(), q.getText(), q.getTimeOrZero(); !at.IsZero() && leases.Epoch(id) != 0 {
					d.Add(id, tenant, at, false)
				}
			}
			if q.err != nil {
				return q.err
			}
		}
		q := c.query(sqlManualEndpoints).int(epoch)
		for q.next() {
			if id, tenant := q.getText(), q.getText(); leases.Epoch(id) != 0 {
				d.Add(id, tenant, time.Time{}, true)
			}
		}
		due = d.All
		return q.err
	}))
	if err == nil {
		found(due)
	}
	return err
}

// Backlog counts open deliveries. The writer keeps their number up to date.
func (s *Store) Backlog(ctx context.Context) (*bellwire.Backlog, error) {
	backlog := &bellwire.Backlog{Open: int(s.open.Load()), CountedAt: time.Now()}
	err := s.read(ctx, func(c *db) error {
		deferred, _, err := c.query(sqlSumDeferred).scalar()
		if err != nil {
			return err
		}
		backlog.FanOut = int(deferred)
		for _, sql := range sqlOldest {
			q := c.query(sql)
			for q.next() {
				backlog.Oldest = bellwire.Earlier(backlog.Oldest, q.getTimeOrZero())
			}
			if q.err != nil {
				return q.err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if backlog.Oldest.After(s.options.Now()) {
		backlog.Oldest = time.Time{}
	}
	return backlog, nil
}
