package postgres

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

const (
	healthColumns = `h.state, h.since, h.last_success_at, h.last_failure_at, h.last_error, h.last_outcome, h.failures, h.successes, h.first_failure_at,
		h.first_failed, h.others_since, h.breaker_open, h.held_until, h.epoch, h.allowed_at, h.allowed_rate`
	// sqlHealths locks the rows in their order.
	sqlHealths = "SELECT p.id, h.endpoint, " + healthColumns + ` FROM bellwire.endpoints p JOIN bellwire.endpoint_health h ON h.endpoint = p.n
		WHERE p.id = ANY($1) ORDER BY h.endpoint FOR UPDATE OF h`
	sqlHealth     = "SELECT '', h.endpoint, " + healthColumns + " FROM bellwire.endpoint_health h WHERE h.endpoint = $1 FOR UPDATE"
	sqlSaveHealth = `UPDATE bellwire.endpoint_health SET state = $2, since = $3, last_success_at = $4, last_failure_at = $5, last_error = $6,
		last_outcome = $7, failures = $8, successes = $9, first_failure_at = $10, first_failed = $11, others_since = $12,
		breaker_open = $13, held_until = $14, epoch = $15, allowed_at = $16, allowed_rate = $17
		WHERE endpoint = $1`
	sqlSeen = `UPDATE bellwire.endpoint_health h SET last_success_at = r.at
		FROM unnest($1::text[], $2::timestamptz[]) AS r (id, at) JOIN bellwire.endpoints p ON p.id = r.id
		WHERE h.endpoint = p.n AND h.state = 0 AND h.failures = 0`
)

// healthRow is the health of an endpoint, as a transaction changes it.
type healthRow struct {
	endpoint int64
	bellwire.Health
}

// scanHealth reads an id, the endpoint's number and healthColumns.
func scanHealth(row pgx.Row, more ...any) (id string, h *healthRow, err error) {
	var (
		state                                                 int16
		since, success, failure, first, others, held, allowed *time.Time
		failed                                                *[16]byte
	)
	h = new(healthRow)
	err = row.Scan(append([]any{&id, &h.endpoint, &state, &since, &success, &failure, &h.LastError, (*string)(&h.LastOutcome), &h.Failures,
		&h.Successes, &first, &failed, &others, &h.BreakerOpen, &held, &h.Epoch, &allowed, &h.Granted.Rate}, more...)...)
	if err != nil {
		return "", nil, err
	}
	h.State = codec.HealthState(int64(state))
	h.Since, h.LastSuccessAt, h.LastFailureAt = orZero(since), orZero(success), orZero(failure)
	h.FirstFailureAt, h.OthersSince, h.HeldUntil = orZero(first), orZero(others), orZero(held)
	h.Granted.At = orZero(allowed)
	if failed != nil {
		h.FirstFailed = *failed
	}
	return id, h, nil
}

// saved returns the parameters of sqlSaveHealth.
func (h *healthRow) saved() []any {
	var failed *[16]byte
	if h.Failures > 0 {
		failed = (*[16]byte)(&h.FirstFailed)
	}
	return []any{h.endpoint, int16(codec.HealthNumber(h.State)), orNull(h.Since), orNull(h.LastSuccessAt), orNull(h.LastFailureAt),
		h.LastError, string(h.LastOutcome), int64(h.Failures), int64(h.Successes), orNull(h.FirstFailureAt), failed, orNull(h.OthersSince),
		h.BreakerOpen, orNull(h.HeldUntil), h.Epoch, orNull(h.Granted.At), int64(h.Granted.Rate)}
}

// queueSeen has the times of acknowledgements kept that say nothing else about their endpoints.
func (r *recording) queueSeen(batch *pgx.Batch) {
	var (
		ids []string
		at  []time.Time
	)
	for _, result := range r.results {
		if result.Health.Kind == bellwire.HealthSeen {
			ids, at = append(ids, result.Endpoint), append(at, result.EndedAt)
		}
	}
	if len(ids) > 0 {
		batch.Queue(sqlSeen, ids, at)
	}
}

// queueReadHealth reads the health of the endpoints that results at the given places are about.
func (r *recording) queueReadHealth(batch *pgx.Batch, places []int) {
	var ids []string
	for _, i := range places {
		if r.results[i].Health.Kind == bellwire.HealthCounts {
			ids = append(ids, r.results[i].Endpoint)
		}
	}
	r.healths = make(map[string]*healthRow, len(ids))
	if len(ids) == 0 {
		return
	}
	batch.Queue(sqlHealths, ids).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			id, h, err := scanHealth(rows)
			if err != nil {
				return err
			}
			r.healths[id] = h
		}
		return rows.Err()
	})
}

// recordHealth applies a result to the health of its endpoint, which it can disable.
func (r *recording) recordHealth(i int) (err error) {
	result := r.results[i]
	h := r.healths[result.Endpoint]
	if h == nil || result.Health.Kind != bellwire.HealthCounts {
		return nil
	}
	before := h.State
	disables := h.Record(result, r.recorded[i].Moved, r.recorded[i].Status)
	if n := rules.HealthNews(result, before, &h.Health); n != nil {
		r.news = append(r.news, n)
	}
	r.recorded[i].Settled = h.Settled()
	if disables {
		r.recorded[i].DisabledFor, err = r.disable(result, h.AutoDisableReason(result.Health.DisableAfter))
	}
	return err
}

func (r *recording) queueHealth(batch *pgx.Batch) {
	for _, h := range r.healths {
		batch.Queue(sqlSaveHealth, h.saved()...)
	}
}

// restartHealth begins the health of an endpoint anew.
func (t *tx) restartHealth(endpoint int64, at time.Time, urlChanged bool) error {
	_, h, err := scanHealth(t.row(sqlHealth, endpoint))
	if err != nil {
		return err
	}
	h.Restart(at, urlChanged)
	return t.exec(sqlSaveHealth, h.saved()...)
}

// sqlHealthOf reads the health of endpoints with what waits for each, and the epochs of their shards. Ids begin with the times of
// their events, those of replays too.
var sqlHealthOf = "SELECT p.id, h.endpoint, " + healthColumns + `, s.epoch, pending.*, retrying.*, ordered.*, behind.*, oldest.id
	FROM bellwire.endpoints p JOIN bellwire.endpoint_health h ON h.endpoint = p.n JOIN bellwire.shards s ON s.shard = p.shard` +
	waitingOf("pending", "status = 0 AND NOT ordered", "id", "min(due_at)") +
	waitingOf("retrying", "status IN (1, -1) AND NOT ordered", "due_at", "min(due_at)") +
	waitingOf("ordered", "ordered", "sequence", "(array_agg(due_at ORDER BY sequence))[1]") + // the first holds up the others
	waitingOf("behind", "status = -2 AND NOT ordered", "id", "NULL::timestamptz") + // others hold them up
	`
	LEFT JOIN LATERAL (
		SELECT d.id FROM unnest('{-2,0,1}'::smallint[]) s (status) CROSS JOIN unnest('{f,t}'::boolean[]) o (ordered)
		CROSS JOIN LATERAL (SELECT id FROM bellwire.deliveries WHERE status = s.status AND ordered = o.ordered AND endpoint = p.n
			AND due_at IS NOT NULL ORDER BY id LIMIT 1) d
		ORDER BY d.id LIMIT 1
	) oldest ON true
	WHERE p.id = ANY($1)`

func waitingOf(name, condition, order, due string) string {
	return `
	CROSS JOIN LATERAL (SELECT count(*), ` + due + ` AS due FROM (SELECT due_at, sequence FROM bellwire.deliveries
		WHERE endpoint = p.n AND ` + condition + " AND due_at IS NOT NULL ORDER BY " + order + " LIMIT $2 + 1) d) " + name
}

// Health returns the health of endpoints, with what waits for each.
func (s *Store) Health(ctx context.Context, endpoints []string, limit int) ([]bellwire.EndpointHealth, error) {
	found := make(map[string]bellwire.EndpointHealth, len(endpoints))
	err := s.list(ctx, func(tx *tx) error {
		rows := tx.query(sqlHealthOf, endpoints, limit)
		defer rows.Close()
		for rows.Next() {
			var (
				epoch  int64
				counts [4]int
				due    [4]*time.Time
				oldest *[16]byte
			)
			id, h, err := scanHealth(rows, &epoch, &counts[0], &due[0], &counts[1], &due[1], &counts[2], &due[2], &counts[3], &due[3], &oldest)
			if err != nil {
				return err
			}
			waiting := rules.Waiting{Limit: limit}
			if oldest != nil {
				waiting.Oldest = bellwire.DeliveryID(*oldest).Time()
			}
			for i, n := range counts {
				waiting.Add(n, orZero(due[i]))
			}
			found[id] = waiting.Health(&h.Health, epoch)
		}
		return rows.Err()
	})
	all := make([]bellwire.EndpointHealth, len(endpoints))
	for i, id := range endpoints {
		all[i] = found[id]
	}
	return all, err
}

// sqlMostWaitingOfTenant and sqlMostWaiting count what waits for the next endpoints, of a tenant or of all, in each of the indexes.
var sqlMostWaitingOfTenant, sqlMostWaiting = func() (ofTenant, ofAll []string) {
	for _, condition := range append(slices.Clone(waitConditions), "status = -2 AND NOT ordered") {
		condition += " AND due_at IS NOT NULL"
		ofAll = append(ofAll, "SELECT endpoint, count(*) FROM (SELECT endpoint FROM bellwire.deliveries WHERE endpoint >= $1 AND "+condition+
			" ORDER BY endpoint LIMIT $2) d GROUP BY endpoint ORDER BY endpoint")
		ofTenant = append(ofTenant, `SELECT endpoint, count(*) FROM (SELECT d.endpoint FROM (SELECT n FROM bellwire.endpoints
			WHERE tenant = $3 AND n >= $1 AND deleted_at IS NULL ORDER BY n) p
			CROSS JOIN LATERAL (SELECT endpoint FROM bellwire.deliveries WHERE endpoint = p.n AND `+condition+
			") d ORDER BY p.n LIMIT $2) d GROUP BY endpoint ORDER BY endpoint")
	}
	return ofTenant, ofAll
}()

const sqlLivingEndpoints = `SELECT p.n, p.id FROM bellwire.endpoints p JOIN bellwire.tenants t ON t.n = p.tenant
	WHERE p.n = ANY ($1) AND p.deleted_at IS NULL AND t.deleted_at IS NULL`

// MostWaiting returns the endpoints for which most deliveries wait.
func (s *Store) MostWaiting(ctx context.Context, tenant string, count, limit int) (found []bellwire.Waiting, err error) {
	err = s.list(ctx, func(tx *tx) error {
		found = nil
		statements, args := sqlMostWaiting, []any(nil)
		if tenant != "" {
			var n int64
			err := tx.row("SELECT n FROM bellwire.tenants WHERE id = $1 AND deleted_at IS NULL", tenant).Scan(&n)
			if errors.Is(err, pgx.ErrNoRows) {
				return nil
			}
			if err != nil {
				return err
			}
			statements, args = sqlMostWaitingOfTenant, []any{n}
		}
		most, err := tx.mostWaiting(statements, args, count, limit)
		if err != nil {
			return err
		}
		found, err = tx.living(most, limit)
		return err
	})
	return found, err
}

func (t *tx) mostWaiting(statements []string, args []any, count, limit int) ([]rules.Queue, error) {
	var indexes []func(int64, int) ([]rules.Queue, error)
	for _, sql := range statements {
		indexes = append(indexes, func(from int64, deliveries int) ([]rules.Queue, error) {
			return pgx.CollectRows(t.query(sql, append([]any{from, deliveries}, args...)...), pgx.RowToStructByPos[rules.Queue])
		})
	}
	return rules.MostWaiting(count, limit, indexes)
}

// living returns the first of the endpoints that are not deleted.
func (t *tx) living(most []rules.Queue, limit int) ([]bellwire.Waiting, error) {
	numbers := make([]int64, len(most))
	for i, m := range most {
		numbers[i] = m.Endpoint
	}
	ids := make(map[int64]string, len(most))
	var (
		n  int64
		id string
	)
	_, err := pgx.ForEachRow(t.query(sqlLivingEndpoints, numbers), []any{&n, &id}, func() error {
		ids[n] = id
		return nil
	})
	if err != nil {
		return nil, err
	}
	var found []bellwire.Waiting
	for _, m := range most {
		if id := ids[m.Endpoint]; id != "" && len(found) < limit {
			found = append(found, bellwire.Waiting{Endpoint: id, Count: m.Count})
		}
	}
	slices.SortFunc(found, bellwire.Waiting.Compare)
	return found, nil
}
