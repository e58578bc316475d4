package postgres

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rollup"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// RecordResults stores attempts and updates their deliveries. Successes at the first attempt, which are most results, are
// recorded without reading their deliveries first. If all results seem to be such, and some turn out not to be, these are
// recorded in a transaction of their own.
func (s *Store) RecordResults(ctx context.Context, results []*bellwire.Result) ([]bellwire.Recorded, error) {
	details := codec.EncodeAttempts(results)
	r := &recording{store: s, results: results, details: details, recorded: make([]bellwire.Recorded, len(results)), freed: make(map[string]bool)}
	var left []int
	err := s.write(ctx, func(tx *tx) error {
		batch := new(pgx.Batch)
		successes, others := r.queueSuccesses(batch)
		switch {
		case !successes:
			left = nil
			return r.settle(tx, others)
		case len(others) == 0:
			r.queueSeen(batch)
			err := tx.sendLast(batch)
			left = r.left()
			return err
		}
		r.queueSeen(batch)
		if err := tx.send(batch); err != nil {
			return err
		}
		left = nil
		return r.settle(tx, r.left())
	})
	if err == nil && len(left) > 0 {
		err = s.write(ctx, func(tx *tx) error { return r.settle(tx, left) })
	}
	s.notifier.add(others(namesIn(r.freed), s.owned.Load()), false) // also if the outcome of the commit is not known
	if err != nil {
		return nil, err
	}
	s.growth.add(len(results))
	return r.recorded, nil
}

// recording records a group of results.
type recording struct {
	store    *Store
	results  []*bellwire.Result
	details  [][]byte
	recorded []bellwire.Recorded
	done     map[int]bool    // the places of those that were successes at the first attempt
	freed    map[string]bool // endpoints at which the next delivery of a key is free

	// The rest is about the results that are settled.
	tx       *tx
	rows     attemptRows
	states   map[bellwire.DeliveryID]*bellwire.DeliveryState
	attempts map[bellwire.AttemptID]bool // that are stored
	changed  map[bellwire.DeliveryID]time.Time
	delta    rollup.Delta
	healths  map[string]*healthRow // of their endpoints
	news     []*rules.News
}

// left returns the places of the results that are not recorded yet.
func (r *recording) left() (places []int) {
	for i := range r.results {
		if !r.done[i] {
			places = append(places, i)
		}
	}
	return places
}

// at returns the results at some places.
func (r *recording) at(places []int) []*bellwire.Result {
	results := make([]*bellwire.Result, len(places))
	for k, i := range places {
		results[k] = r.results[i]
	}
	return results
}

// settle records results, whatever they are.
func (r *recording) settle(tx *tx, places []int) error {
	r.tx, r.rows, r.states = tx, attemptRows{}, make(map[bellwire.DeliveryID]*bellwire.DeliveryState)
	r.attempts, r.changed = make(map[bellwire.AttemptID]bool), make(map[bellwire.DeliveryID]time.Time)
	r.delta.Reset()
	r.news = nil
	keys := r.keysOf(r.at(places))
	if err := r.read(places, keys); err != nil {
		return err
	}
	for _, i := range places {
		r.recorded[i] = bellwire.Recorded{}
		if err := r.record(i); err != nil {
			return err
		}
	}
	if err := tx.announce(r.news...); err != nil {
		return err
	}
	batch := new(pgx.Batch)
	r.queueMoves(batch)
	keys.queueFreeNext(batch, latest(slices.Collect(maps.Values(r.changed))), r.freedNext)
	r.queueHealth(batch)
	r.rows.queue(batch)
	queueDelta(batch, &r.delta)
	return tx.sendLast(batch)
}

// sqlSucceed moves deliveries and inserts their attempts, of those that it has moved. The cast keeps
// PostgreSQL from using the index of the status, which would lead through all pending deliveries.
const sqlSucceed = `WITH moved AS (
		UPDATE bellwire.deliveries d SET status = 2, reason = r.reason, attempts = 1, epoch = 0, due_at = NULL, updated_at = r.at
		FROM unnest($11::text[], $12::timestamptz[], $13::smallint[], ` + attemptArrays + `) AS r (reason, at, place, ` + attemptColumns + `)
		WHERE d.id = r.delivery AND d.status::int = 0 AND d.attempts = 0 AND d.manual_epoch IS NULL
		RETURNING r.*
	), counted AS (
		INSERT INTO bellwire.statistics_deltas (data, counted)
		SELECT $14::bytea, CASE WHEN count(*) < $15::bigint THEN array_agg(place) END FROM moved WHERE place >= 0 HAVING count(*) > 0
	)
	INSERT INTO bellwire.attempts (` + attemptColumns + ") SELECT " + attemptColumns + " FROM moved RETURNING delivery"

// queueSuccesses records what may be a success at the first attempt, and returns whether there is any, and the places
// of what cannot be one. Of several results of a delivery only the first can.
func (r *recording) queueSuccesses(batch *pgx.Batch) (found bool, others []int) {
	var (
		rows    attemptRows
		reasons []string
		at      []time.Time
		counted []int16 // the place of each attempt in the delta; -1: it does not count
		delta   rollup.Delta
		counts  int16
	)
	places := make(map[bellwire.DeliveryID]int)
	seen := make(map[bellwire.DeliveryID]bool, len(r.results))
	for i, result := range r.results {
		if seen[result.Delivery] || !result.IsPlainSuccess() || result.Health.Kind == bellwire.HealthCounts {
			others = append(others, i)
		} else {
			places[result.Delivery] = i
			rows.add(result.Attempt, result.Delivery, 1, r.details[i])
			reasons, at = append(reasons, result.AfterPlainSuccess().Reason), append(at, result.EndedAt)
			place := int16(-1)
			if rollup.Counts(result) {
				place, counts = counts, counts+1
			}
			delta.Attempt(result)
			counted = append(counted, place)
		}
		seen[result.Delivery] = true
	}
	r.done = make(map[int]bool, len(at))
	if len(at) == 0 {
		return false, others
	}
	keys := r.keysOf(r.results)
	keys.queueHold(batch)
	batch.Queue(sqlSucceed, append(rows.arrays(), reasons, at, counted, delta.Encode(), int64(counts))...).Query(func(moved pgx.Rows) error {
		var id [16]byte
		_, err := pgx.ForEachRow(moved, []any{&id}, func() error {
			i := places[id]
			after := r.results[i].AfterPlainSuccess()
			r.done[i], r.recorded[i] = true, after.Recorded(true, "")
			return nil
		})
		return err
	})
	keys.queueFreeNext(batch, latest(at), r.freedNext)
	return true, others
}

// keysOf returns the keys in whose order the deliveries of results are.
func (r *recording) keysOf(results []*bellwire.Result) *keySet {
	keys := new(keySet)
	for _, result := range results {
		keys.add(endpointKey{result.Endpoint, result.Key})
	}
	return keys
}

// freedNext records that the next delivery of a key is free.
func (r *recording) freedNext(k endpointKey) {
	r.freed[k.endpoint] = true
	for i, result := range r.results {
		if result.Key == k.key && result.Endpoint == k.endpoint {
			r.recorded[i].Next = true
		}
	}
}

func latest(times []time.Time) (last time.Time) {
	for _, at := range times {
		last = bellwire.Later(last, at)
	}
	return last
}

func (r *recording) addAttempt(i int, number int64) {
	result := r.results[i]
	r.rows.add(result.Attempt, result.Delivery, number, r.details[i])
	r.rows.drop(result.Delivery, rules.DroppedAttempt(result, number))
	r.attempts[result.Attempt.ID] = true
	r.delta.Attempt(result)
}

const (
	// Joined with ids, not compared with any of them, what lies in one partition is looked for in that alone.
	// They are locked in the order in which they are given.
	sqlStates = `SELECT d.* FROM unnest($1::uuid[]) AS w (id)
		CROSS JOIN LATERAL (SELECT id, status, reason, attempts, retries, epoch, manual_epoch, due_at, expires_at, restarted_at
			FROM bellwire.deliveries WHERE id = w.id FOR UPDATE) d`
	sqlKnownAttempts = `SELECT a.id FROM unnest($1::uuid[]) AS w (delivery) JOIN bellwire.attempts a ON a.delivery = w.delivery
		WHERE a.id = ANY($2)`
)

// read reads the deliveries that results are of, and keeps others from changing them.
func (r *recording) read(places []int, keys *keySet) error {
	var deliveries, attempts [][16]byte
	for _, i := range places {
		deliveries = append(deliveries, r.results[i].Delivery)
		if r.results[i].Attempt != nil {
			attempts = append(attempts, r.results[i].Attempt.ID)
		}
	}
	batch := new(pgx.Batch)
	keys.queueHold(batch)
	slices.SortFunc(deliveries, func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) })
	batch.Queue(sqlStates, deliveries).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			id, st, err := scanState(rows)
			if err != nil {
				return err
			}
			r.states[id] = st
		}
		return rows.Err()
	})
	batch.Queue(sqlKnownAttempts, deliveries, attempts).Query(func(rows pgx.Rows) error {
		var id [16]byte
		_, err := pgx.ForEachRow(rows, []any{&id}, func() error {
			r.attempts[id] = true
			return nil
		})
		return err
	})
	r.queueReadHealth(batch, places)
	return r.tx.send(batch)
}

// record applies a result to the state of its delivery.
func (r *recording) record(i int) error {
	result := r.results[i]
	st := r.states[result.Delivery]
	if st == nil {
		return nil
	}
	if result.Attempt != nil && r.attempts[result.Attempt.ID] {
		r.recorded[i] = st.Recorded(false, "")
		return nil
	}
	disabledFor := ""
	if result.Disable {
		var err error
		if disabledFor, err = r.disable(result, result.DisableReason()); err != nil {
			return err
		}
	}
	canceled := st.Status == bellwire.DeliveryCanceled
	moved := st.Apply(result, disabledFor != "")
	if n := rules.DeliveryNews(result, st); moved && n != nil {
		r.news = append(r.news, n)
	}
	if result.Attempt != nil {
		r.addAttempt(i, int64(st.Attempts))
		if canceled || result.Trigger != bellwire.TriggerSchedule {
			r.rows.erasable = append(r.rows.erasable, result.Delivery)
		}
	}
	r.changed[result.Delivery] = result.EndedAt
	r.recorded[i] = st.Recorded(moved, disabledFor)
	return r.recordHealth(i)
}

func scanState(row pgx.Rows) (bellwire.DeliveryID, *bellwire.DeliveryState, error) {
	var (
		id     bellwire.DeliveryID
		status int16
		manual *int64
		due    *time.Time
		expire *time.Time
		again  *time.Time
	)
	st := new(bellwire.DeliveryState)
	err := row.Scan((*[16]byte)(&id), &status, &st.Reason, &st.Attempts, &st.Retries, &st.Epoch, &manual, &due, &expire, &again)
	if manual != nil {
		st.Manual = bellwire.ManualRetry{Requested: true, Epoch: *manual}
	}
	codec.SetStatus(st, status)
	st.DueAt, st.ExpiresAt, st.RestartedAt = orZero(due), orZero(expire), orZero(again)
	return id, st, err
}

const sqlMove = `UPDATE bellwire.deliveries d SET status = r.status, reason = r.reason, attempts = r.attempts, retries = r.retries,
		epoch = r.epoch, manual_epoch = r.manual_epoch, due_at = r.due_at, updated_at = r.at
	FROM unnest($1::uuid[], $2::smallint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::timestamptz[], $9::timestamptz[])
		AS r (id, status, reason, attempts, retries, epoch, manual_epoch, due_at, at)
	WHERE d.id = r.id`

// queueMoves writes the states that have changed.
func (r *recording) queueMoves(batch *pgx.Batch) {
	var (
		ids                       [][16]byte
		statuses                  []int16
		reasons                   []string
		attempts, retries, epochs []int64
		manual                    []*int64
		due                       []*time.Time
		at                        []time.Time
	)
	for id, changedAt := range r.changed {
		st := r.states[id]
		status := codec.StateNumber[int16](st)
		ids, statuses, reasons = append(ids, id), append(statuses, status), append(reasons, st.Reason)
		attempts, retries, epochs = append(attempts, int64(st.Attempts)), append(retries, int64(st.Retries)), append(epochs, st.Epoch)
		manual, due, at = append(manual, manualEpoch(st)), append(due, orNull(st.DueAt)), append(at, changedAt)
	}
	if len(ids) > 0 {
		batch.Queue(sqlMove, ids, statuses, reasons, attempts, retries, epochs, manual, due, at)
	}
}

func manualEpoch(st *bellwire.DeliveryState) *int64 {
	if !st.Manual.Requested {
		return nil
	}
	return &st.Manual.Epoch
}

const (
	sqlOwnerAt = `SELECT t.id FROM bellwire.endpoints p JOIN bellwire.tenants t ON t.n = p.tenant AND t.deleted_at IS NULL
		WHERE p.id = $1 AND p.revision = $2 AND p.deleted_at IS NULL`
	sqlDisable = "UPDATE bellwire.endpoints SET status = $1, status_reason = $2, revision = $3, updated_at = $4 WHERE n = $5"
)

// disable disables the endpoint of a result and returns why. It returns "" if the endpoint has changed since the attempt began.
func (r *recording) disable(result *bellwire.Result, why string) (string, error) {
	var tenant string
	err := r.tx.row(sqlOwnerAt, result.Endpoint, result.EndpointRevision).Scan(&tenant)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	n, owner, revision, err := r.tx.holdEndpoint(tenant, result.Endpoint)
	switch {
	case bellwire.CodeOf(err) == bellwire.CodeNotFound, err == nil && revision != result.EndpointRevision:
		return "", nil // another transaction changed it first
	case err != nil:
		return "", err
	}
	change, err := r.tx.disabling(n, result, why)
	if err != nil {
		return "", err
	}
	if revision, err = r.tx.changeTenant(owner); err != nil {
		return "", err
	}
	if err := r.store.notify(r.tx, message{Tenant: tenant, Endpoints: []string{result.Endpoint}}); err != nil {
		return "", err
	}
	if err := r.tx.exec(sqlDisable, string(bellwire.EndpointDisabled), why, revision, result.EndedAt, n); err != nil {
		return "", err
	}
	return why, r.tx.addChange(owner, result.Endpoint, change)
}

// disabling returns the change of the endpoint with the number n that a result disables.
func (t *tx) disabling(n int64, result *bellwire.Result, why string) (*rules.EndpointChange, error) {
	var status, reason string
	err := t.row("SELECT status, status_reason FROM bellwire.endpoints WHERE n = $1", n).Scan(&status, &reason)
	return rules.Disabled(result, why, bellwire.EndpointStatus(status), reason), err
}
