package sqlite

import (
	"context"
	"time"

	"github.com/bellwire/bellwire"
)

// The statements here step from endpoint to endpoint through an index, so that they cost by endpoints and not
// by deliveries. What is taken lies between the free ones, but a lane holds few.
const (
	sqlEndpointsOnSchedule = `WITH RECURSIVE line (endpoint) AS (
			SELECT min(endpoint) FROM deliveries WHERE due_at IS NOT NULL
			UNION ALL
			SELECT (SELECT min(endpoint) FROM deliveries WHERE due_at IS NOT NULL AND endpoint > line.endpoint)
			FROM line WHERE line.endpoint IS NOT NULL
		)`
	sqlEndpointsByHand = `WITH RECURSIVE line (endpoint) AS (
			SELECT min(endpoint) FROM deliveries WHERE manual_epoch IS NOT NULL
			UNION ALL
			SELECT (SELECT min(endpoint) FROM deliveries WHERE manual_epoch IS NOT NULL AND endpoint > line.endpoint)
			FROM line WHERE line.endpoint IS NOT NULL
		)`
	sqlOfLivingTenants = ` CROSS JOIN endpoints p ON p.n = line.endpoint CROSS JOIN tenants t ON t.n = p.tenant
		WHERE t.deleted_at IS NULL`

	// A number means nothing at an endpoint without order: what has one is taken at once to be looked at.
	sqlDueEndpoints = sqlEndpointsOnSchedule + `
		SELECT p.id,
			(SELECT due_at FROM deliveries
				WHERE endpoint = line.endpoint AND sequence = 0 AND due_at IS NOT NULL AND epoch <> ?1 ORDER BY due_at, id LIMIT 1),
			(SELECT iif(p.ordering = 'fifo', due_at, created_at) FROM deliveries
				WHERE endpoint = line.endpoint AND sequence > 0 AND due_at IS NOT NULL AND epoch <> ?1 ORDER BY sequence LIMIT 1)
		FROM line` + sqlOfLivingTenants
	// Of a deleted endpoint only what is open matters, because it is to be canceled.
	sqlManualEndpoints = sqlEndpointsByHand + `
		SELECT p.id FROM line` + sqlOfLivingTenants + `
			AND EXISTS (SELECT 1 FROM deliveries WHERE endpoint = line.endpoint AND manual_epoch IS NOT NULL AND manual_epoch <> ?1)
			AND (p.deleted_at IS NULL
				OR EXISTS (SELECT 1 FROM deliveries WHERE endpoint = line.endpoint AND status IN (0, 1)))`

	sqlOldest = sqlEndpointsOnSchedule + `
		SELECT min(
			ifnull((SELECT due_at FROM deliveries
				WHERE endpoint = line.endpoint AND sequence = 0 AND due_at IS NOT NULL ORDER BY due_at, id LIMIT 1), 9223372036854775807),
			ifnull((SELECT due_at FROM deliveries
				WHERE endpoint = line.endpoint AND sequence > 0 AND due_at IS NOT NULL ORDER BY sequence LIMIT 1), 9223372036854775807))
		FROM line` + sqlOfLivingTenants

	// What is open is on the schedule, or a test.
	sqlCountOpen = `SELECT (SELECT count(*) FROM deliveries WHERE due_at IS NOT NULL)
		+ (SELECT count(*) FROM deliveries WHERE manual_epoch IS NOT NULL AND due_at IS NULL AND status < 2)`
)

// DueEndpoints returns each endpoint of the leased shards that has something free to be claimed.
func (s *Store) DueEndpoints(ctx context.Context, leases *bellwire.Leases) ([]bellwire.DueEndpoint, error) {
	var due []bellwire.DueEndpoint
	err := s.snapshot(ctx, func(c *db) error {
		due = nil
		epoch := s.leases.epoch.Load()
		place := make(map[string]int)
		q := c.query(sqlDueEndpoints).int(epoch)
		for q.next() {
			d := bellwire.DueEndpoint{Endpoint: q.getText(), At: earlier(q.getTimeOrZero(), q.getTimeOrZero())}
			if !d.At.IsZero() && leases.Epoch(d.Endpoint) != 0 {
				place[d.Endpoint] = len(due)
				due = append(due, d)
			}
		}
		if q.err != nil {
			return q.err
		}
		q = c.query(sqlManualEndpoints).int(epoch)
		for q.next() {
			id := q.getText()
			if i, known := place[id]; known {
				due[i].Manual = true
			} else if leases.Epoch(id) != 0 {
				due = append(due, bellwire.DueEndpoint{Endpoint: id, Manual: true})
			}
		}
		return q.err
	})
	return due, err
}

// earlier returns the earlier of two times; zero means never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Backlog tells how much is open. The writer counts along; the longest waiting one is looked for among the
// first of each endpoint.
func (s *Store) Backlog(ctx context.Context) (*bellwire.Backlog, error) {
	backlog := &bellwire.Backlog{Open: int(s.open.Load())}
	err := s.read(ctx, func(c *db) error {
		q := c.query(sqlOldest)
		for q.next() {
			backlog.Oldest = earlier(backlog.Oldest, q.getTime())
		}
		return q.err
	})
	if err != nil {
		return nil, err
	}
	if backlog.Oldest.After(time.Now()) {
		backlog.Oldest = time.Time{}
	}
	return backlog, nil
}
