package sqlite

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

const (
	healthColumns = `state, since, last_success_at, last_failure_at, last_error, last_outcome, failures, successes, first_failure_at,
		first_failed, others_since, breaker_open, held_until, epoch, allowed_at, allowed_rate`
	sqlHealth     = "SELECT " + healthColumns + " FROM endpoint_health WHERE endpoint = ?"
	sqlSaveHealth = `UPDATE endpoint_health SET state = ?, since = ?, last_success_at = ?, last_failure_at = ?, last_error = ?,
		last_outcome = ?, failures = ?, successes = ?, first_failure_at = ?, first_failed = ?, others_since = ?, breaker_open = ?, held_until = ?,
		epoch = ?, allowed_at = ?, allowed_rate = ?
		WHERE endpoint = ?`
	sqlSeen = "UPDATE endpoint_health SET last_success_at = ? WHERE endpoint = ? AND state = 0 AND failures = 0"
)

// scanHealth reads healthColumns.
func scanHealth(q *query) *bellwire.Health {
	h := &bellwire.Health{
		State: codec.HealthState(q.getInt()), Since: q.getTimeOrZero(), LastSuccessAt: q.getTimeOrZero(), LastFailureAt: q.getTimeOrZero(),
		LastError: q.getText(), LastOutcome: bellwire.Outcome(q.getText()), Failures: int(q.getInt()), Successes: int(q.getInt()),
		FirstFailureAt: q.getTimeOrZero(),
	}
	if q.isNull() {
		q.skip()
	} else {
		q.getBytes(h.FirstFailed[:])
	}
	h.OthersSince, h.BreakerOpen, h.HeldUntil, h.Epoch = q.getTimeOrZero(), q.getBool(), q.getTimeOrZero(), q.getInt()
	h.Granted = bellwire.Grant{At: q.getTimeOrZero(), Rate: int(q.getInt())}
	return h
}

// health reads the health of an endpoint.
func (c *db) health(endpoint int64) (*bellwire.Health, error) {
	q := c.query(sqlHealth).int(endpoint)
	found, err := q.one()
	if err != nil || !found {
		return nil, err
	}
	h := scanHealth(q)
	return h, q.close()
}

func (w *writer) saveHealth(endpoint int64, h *bellwire.Health) error {
	var first []byte
	if h.Failures > 0 {
		first = h.FirstFailed[:]
	}
	return w.query(sqlSaveHealth).int(codec.HealthNumber(h.State)).timeOrNull(h.Since).timeOrNull(h.LastSuccessAt).
		timeOrNull(h.LastFailureAt).text(h.LastError).text(string(h.LastOutcome)).int(int64(h.Failures)).int(int64(h.Successes)).
		timeOrNull(h.FirstFailureAt).blob(first).timeOrNull(h.OthersSince).bool(h.BreakerOpen).timeOrNull(h.HeldUntil).int(h.Epoch).
		timeOrNull(h.Granted.At).int(int64(h.Granted.Rate)).int(endpoint).exec()
}

// recordHealth applies results to the health of their endpoints. An endpoint has one row, whatever the number of its results.
func (w *writer) recordHealth(results []*bellwire.Result, recorded []bellwire.Recorded) error {
	changed := make(map[int64]*bellwire.Health)
	for i, r := range results {
		if r.Health.Kind == bellwire.HealthUnchanged || recorded[i].Status == "" {
			continue
		}
		ref, err := w.endpoint(r.Endpoint)
		if bellwire.CodeOf(err) == bellwire.CodeNotFound {
			continue
		}
		if err != nil {
			return err
		}
		if r.Health.Kind == bellwire.HealthSeen {
			if err := w.query(sqlSeen).time(r.EndedAt).int(ref.n).exec(); err != nil {
				return err
			}
			continue
		}
		h := changed[ref.n]
		if h == nil {
			if h, err = w.health(ref.n); err != nil {
				return err
			}
			changed[ref.n] = h
		}
		before := h.State
		disables := h.Record(r, recorded[i].Moved, recorded[i].Status)
		if n := rules.HealthNews(r, before, h); n != nil {
			w.news = append(w.news, n)
		}
		recorded[i].Settled = h.Settled()
		if !disables {
			continue
		}
		if recorded[i].DisabledFor, err = w.disable(r, h.AutoDisableReason(r.Health.DisableAfter)); err != nil {
			return err
		}
	}
	for endpoint, h := range changed {
		if err := w.saveHealth(endpoint, h); err != nil {
			return err
		}
	}
	return nil
}

// restartHealth begins the health of an endpoint anew.
func (w *writer) restartHealth(endpoint int64, at time.Time, urlChanged bool) error {
	h, err := w.health(endpoint)
	if err != nil {
		return err
	}
	h.Restart(at, urlChanged)
	return w.saveHealth(endpoint, h)
}

// The deliveries that wait for an endpoint lie in four indexes; see due.go.
var sqlWaiting = []string{
	waitingOf(isPending, "id"), waitingOf(isLater, "due_at, id"), waitingOf(isOrdered, "sequence"), waitingOf(isBehind, "id"),
}

// Places in sqlWaiting.
const (
	waitingInOrder = 2
	waitingBehind  = 3
)

func waitingOf(condition, order string) string {
	return "SELECT due_at FROM deliveries WHERE endpoint = ?1 AND " + condition + " AND due_at IS NOT NULL ORDER BY " + order + " LIMIT +?2"
}

// sqlOldestWaiting reads the oldest of what waits for an endpoint in the indexes by id. Ids begin with the times of their events,
// those of replays too.
var sqlOldestWaiting = []string{
	oldestWaitingOf(isPending + " AND due_at IS NOT NULL"), oldestWaitingOf(isNumbered), oldestWaitingOf(isBehind), oldestWaitingOf(hasStatus + retryingNumber),
}

func oldestWaitingOf(condition string) string {
	return "SELECT id FROM deliveries WHERE endpoint = ? AND " + condition + " ORDER BY id LIMIT 1"
}

// oldestWaiting returns when the oldest event that waits for an endpoint was accepted.
func (c *db) oldestWaiting(endpoint int64) (oldest time.Time, err error) {
	for _, sql := range sqlOldestWaiting {
		first, err := ids(c.query(sql).int(endpoint))
		if err != nil {
			return oldest, err
		}
		for _, id := range first {
			oldest = bellwire.Earlier(oldest, id.Time())
		}
	}
	return oldest, nil
}

// Health returns the health of endpoints, with what waits for each.
func (s *Store) Health(ctx context.Context, endpoints []string, limit int) ([]bellwire.EndpointHealth, error) {
	all := make([]bellwire.EndpointHealth, len(endpoints))
	err := s.list(ctx, snapshot(func(c *db) error {
		for i, id := range endpoints {
			n, found, err := c.query("SELECT n FROM endpoints WHERE id = ?").text(id).scalar()
			if err != nil {
				return err
			}
			if !found {
				continue
			}
			if all[i], err = s.endpointHealth(c, n, limit); err != nil {
				return err
			}
		}
		return nil
	}))
	return all, err
}

func (s *Store) endpointHealth(c *db, endpoint int64, limit int) (bellwire.EndpointHealth, error) {
	h, err := c.health(endpoint)
	if err != nil || h == nil {
		return bellwire.EndpointHealth{}, err
	}
	found := rules.Waiting{Limit: limit}
	if found.Oldest, err = c.oldestWaiting(endpoint); err != nil {
		return bellwire.EndpointHealth{}, err
	}
	for i, sql := range sqlWaiting {
		q := c.query(sql).int(endpoint).int(int64(limit) + 1)
		for first := true; q.next(); first = false {
			due := q.getTime()
			if i == waitingInOrder && !first || i == waitingBehind {
				due = time.Time{} // another one holds it up
			}
			found.Add(1, due)
		}
		if q.err != nil {
			return bellwire.EndpointHealth{}, q.err
		}
	}
	return found.Health(h, s.leases.epoch.Load()), nil
}

// sqlMostWaiting counts what waits for the next endpoints, in each of the indexes.
var sqlMostWaiting = func() (statements []string) {
	for _, condition := range waitConditions {
		statements = append(statements, "SELECT endpoint, count(*) FROM (SELECT endpoint FROM deliveries WHERE endpoint >= ? AND "+condition+
			" ORDER BY endpoint LIMIT +?) GROUP BY endpoint ORDER BY endpoint")
	}
	return statements
}()

var waitConditions = []string{isPending + " AND due_at IS NOT NULL", isLater, isOrdered, isBehind}

// sqlMostWaitingOfTenant counts up to ?2 in each of the indexes for the next endpoints of a tenant, all of them.
var sqlMostWaitingOfTenant = func() string {
	var counts []string
	for _, condition := range waitConditions {
		counts = append(counts, "(SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE endpoint = p.n AND "+condition+" LIMIT +?2) free)")
	}
	return "SELECT p.n, " + strings.Join(counts, " + ") + " FROM endpoints p WHERE p.deleted_at IS NULL AND " + ofTheTenant +
		" AND p.n >= ?3 ORDER BY p.n"
}()

const sqlLivingEndpoint = "SELECT p.id FROM endpoints p CROSS JOIN tenants t ON t.n = p.tenant WHERE p.n = ? AND p.deleted_at IS NULL AND t.deleted_at IS NULL"

// MostWaiting returns the endpoints for which most deliveries wait.
func (s *Store) MostWaiting(ctx context.Context, tenant string, count, limit int) (found []bellwire.Waiting, err error) {
	err = s.list(ctx, snapshot(func(c *db) error {
		found = nil
		most, err := rules.MostWaiting(count, limit, c.waitingIndexes(tenant, count))
		if err != nil {
			return err
		}
		found, err = c.living(most, limit)
		return err
	}))
	return found, err
}

// waitingIndexes returns what reads the deliveries that wait: one function for each index, or for a tenant one that reads all.
func (c *db) waitingIndexes(tenant string, count int) (indexes []func(int64, int) ([]rules.Queue, error)) {
	if tenant != "" {
		return append(indexes, func(from int64, _ int) ([]rules.Queue, error) {
			return queues(c.query(sqlMostWaitingOfTenant).text(tenant).int(int64(count)).int(from))
		})
	}
	for _, sql := range sqlMostWaiting {
		indexes = append(indexes, func(from int64, deliveries int) ([]rules.Queue, error) {
			return queues(c.query(sql).int(from).int(int64(deliveries)))
		})
	}
	return indexes
}

func queues(q *query) (found []rules.Queue, err error) {
	for q.next() {
		if one := (rules.Queue{Endpoint: q.getInt(), Count: int(q.getInt())}); one.Count > 0 {
			found = append(found, one)
		}
	}
	return found, q.err
}

// living returns the first of the endpoints that are not deleted.
func (c *db) living(most []rules.Queue, limit int) (found []bellwire.Waiting, err error) {
	for _, m := range most {
		if len(found) == limit {
			break
		}
		q := c.query(sqlLivingEndpoint).int(m.Endpoint)
		living, err := q.one()
		if err != nil {
			return nil, err
		}
		if !living {
			continue
		}
		found = append(found, bellwire.Waiting{Endpoint: q.getText(), Count: m.Count})
		if err := q.close(); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(found, bellwire.Waiting.Compare)
	return found, nil
}
