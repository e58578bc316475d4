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
	sqlLiving = ` CROSS JOIN endpoints p ON p.n = line.endpoint CROSS JOIN tenants t ON t.n = p.tenant
		WHERE t.deleted_at IS NULL`

	// A number means nothing at an endpoint without order: what has one is taken at once to be looked at.
	sqlDueEndpoints = sqlEndpointsOnSchedule + `
		SELECT p.id,
			(SELECT due_at FROM deliveries
				WHERE endpoint = line.endpoint AND sequence = 0 AND due_at IS NOT NULL AND epoch <> ?1 ORDER BY due_at, id LIMIT 1),
			(SELECT iif(p.ordering = 'fifo', due_at, created_at) FROM deliveries
				WHERE endpoint = line.endpoint AND sequence > 0 AND due_at IS NOT NULL AND epoch <> ?1 ORDER BY sequence LIMIT 1)
		FROM line` + sqlLiving
	sqlManualEndpoints = sqlEndpointsByHand + `
		SELECT p.id,
			(SELECT created_at FROM deliveries
				WHERE endpoint = line.endpoint AND manual_epoch IS NOT NULL AND manual_epoch <> ?1 ORDER BY id LIMIT 1),
			NULL
		FROM line` + sqlLiving

	sqlOldest = sqlEndpointsOnSchedule + `
		SELECT min(
			ifnull((SELECT due_at FROM deliveries
				WHERE endpoint = line.endpoint AND sequence = 0 AND due_at IS NOT NULL ORDER BY due_at, id LIMIT 1), 9223372036854775807),
			ifnull((SELECT due_at FROM deliveries
				WHERE endpoint = line.endpoint AND sequence > 0 AND due_at IS NOT NULL ORDER BY sequence LIMIT 1), 9223372036854775807))
		FROM line` + sqlLiving

	// What is open is on the schedule, or a test.
	sqlCountOpen = `SELECT (SELECT count(*) FROM deliveries WHERE due_at IS NOT NULL)
		+ (SELECT count(*) FROM deliveries WHERE manual_epoch IS NOT NULL AND due_at IS NULL AND status < 2)`
)

// DueEndpoints returns each endpoint of the leased shards that has something free to be claimed.
func (s *Store) DueEndpoints(ctx context.Context, leases *bellwire.Leases) ([]bellwire.DueEndpoint, error) {
	var due []bellwire.DueEndpoint
	err := s.snapshot(ctx, func(c *db) error {
		due = nil
		place := make(map[string]int)
		for _, sql := range []string{sqlDueEndpoints, sqlManualEndpoints} {
			q := c.query(sql).int(s.leases.epoch.Load())
			for q.next() {
				id, at := q.getText(), earlier(q.getTimeOrZero(), q.getTimeOrZero())
				if at.IsZero() || leases.Epoch(id) == 0 {
					continue
				}
				i, known := place[id]
				if !known {
					i = len(due)
					place[id] = i
					due = append(due, bellwire.DueEndpoint{Endpoint: id})
				}
				if sql == sqlManualEndpoints {
					due[i].Manual = true
				} else {
					due[i].At = at
				}
			}
			if q.err != nil {
				return q.err
			}
		}
		return nil
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
