package postgres

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// RecordOutcomes stores attempts and moves their deliveries on. What comes of most deliveries, success at the first
// attempt, is recorded without reading them first. If all results claim to be that, and some turn out not to be, those
// are recorded in a transaction of their own.
func (s *Store) RecordOutcomes(ctx context.Context, results []*bellwire.Result) ([]bellwire.Recorded, error) {
	details, err := codec.EncodeAttempts(results)
	if err != nil {
		return nil, err
	}
	r := &recording{store: s, results: results, details: details, recorded: make([]bellwire.Recorded, len(results))}
	var left []int
	err = s.write(ctx, func(tx *tx) error {
		batch := new(pgx.Batch)
		successes, others := r.queueSuccesses(batch)
		switch {
		case !successes:
			left = nil
			return r.settle(tx, others)
		case len(others) == 0:
			err := tx.sendLast(batch)
			left = r.left()
			return err
		}
		if err := tx.send(batch); err != nil {
			return err
		}
		left = nil
		return r.settle(tx, r.left())
	})
	if err == nil && len(left) > 0 {
		err = s.write(ctx, func(tx *tx) error { return r.settle(tx, left) })
	}
	if err != nil {
		return nil, err
	}
	return r.recorded, nil
}

// recording records a group of results.
type recording struct {
	store    *Store
	results  []*bellwire.Result
	details  [][]byte
	recorded []bellwire.Recorded
	done     map[int]bool // the places of those that were successes at the first attempt

	// The rest is about the results that are settled.
	tx       *tx
	rows     attemptRows
	states   map[bellwire.DeliveryID]*state
	attempts map[bellwire.AttemptID]bool // that are stored
	changed  map[bellwire.DeliveryID]time.Time
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

// settle records results, whatever they are.
func (r *recording) settle(tx *tx, places []int) error {
	r.tx, r.rows, r.states = tx, attemptRows{}, make(map[bellwire.DeliveryID]*state)
	r.attempts, r.changed = make(map[bellwire.AttemptID]bool), make(map[bellwire.DeliveryID]time.Time)
	if err := r.read(places); err != nil {
		return err
	}
	for _, i := range places {
		r.recorded[i] = bellwire.Recorded{}
		if err := r.record(i); err != nil {
			return err
		}
	}
	batch := new(pgx.Batch)
	r.queueMoves(batch)
	r.rows.queue(batch)
	return tx.sendLast(batch)
}

// sqlSucceed moves deliveries and inserts their attempts, of those that it has moved. The status is cast so that it is
// looked at and not looked for: its index would lead through all that is pending.
const sqlSucceed = `WITH moved AS (
		UPDATE bellwire.deliveries d SET status = 2, reason = r.reason, attempts = 1, epoch = 0, due_at = NULL, updated_at = r.at
		FROM unnest($11::text[], $12::timestamptz[], ` + attemptArrays + `) AS r (reason, at, ` + attemptColumns + `)
		WHERE d.id = r.delivery AND d.status::int = 0 AND d.attempts = 0 AND d.manual_epoch IS NULL
		RETURNING r.*
	)
	INSERT INTO bellwire.attempts (` + attemptColumns + ") SELECT " + attemptColumns + " FROM moved RETURNING delivery"

// queueSuccesses records what may be a success at the first attempt, and returns whether there is any, and the places
// of what cannot be one. Of several results of a delivery only the first can.
func (r *recording) queueSuccesses(batch *pgx.Batch) (any bool, others []int) {
	var (
		rows    attemptRows
		reasons []string
		at      []time.Time
	)
	places := make(map[bellwire.DeliveryID]int)
	seen := make(map[bellwire.DeliveryID]bool, len(r.results))
	for i, result := range r.results {
		if seen[result.Delivery] || result.Transition.Status != bellwire.DeliverySucceeded || result.Attempt == nil || result.Disable {
			others = append(others, i)
		} else {
			places[result.Delivery] = i
			rows.add(result.Attempt, result.Delivery, 1, r.details[i])
			reasons, at = append(reasons, result.Transition.Reason), append(at, result.EndedAt)
		}
		seen[result.Delivery] = true
	}
	r.done = make(map[int]bool, len(at))
	if len(at) == 0 {
		return false, others
	}
	batch.Queue(sqlSucceed, append(rows.arrays(), reasons, at)...).Query(func(moved pgx.Rows) error {
		return every(moved, func(row pgx.Rows) error {
			id, err := scanUUID(row)
			i := places[id]
			r.done[i], r.recorded[i] = true, bellwire.Recorded{Status: bellwire.DeliverySucceeded, Moved: true}
			return err
		})
	})
	return true, others
}

func (r *recording) addAttempt(i int, number int64) {
	result := r.results[i]
	r.rows.add(result.Attempt, result.Delivery, number, r.details[i])
	r.rows.drop(result.Delivery, rules.DroppedAttempt(result, number))
	r.attempts[result.Attempt.ID] = true
}

const (
	// Joined with ids, not compared with any of them, what lies in one partition is looked for in that alone.
	// They are locked in the order in which they are given.
	sqlStates = `SELECT d.* FROM unnest($1::uuid[]) AS w (id)
		CROSS JOIN LATERAL (SELECT id, status, reason, attempts, retries, epoch, manual_epoch, due_at FROM bellwire.deliveries WHERE id = w.id FOR UPDATE) d`
	sqlKnownAttempts = `SELECT a.id FROM unnest($1::uuid[]) AS w (delivery) JOIN bellwire.attempts a ON a.delivery = w.delivery
		WHERE a.id = ANY($2)`
)

// read reads the deliveries that results are of, and keeps others from changing them.
func (r *recording) read(places []int) error {
	var deliveries, attempts [][16]byte
	for _, i := range places {
		deliveries = append(deliveries, r.results[i].Delivery)
		if r.results[i].Attempt != nil {
			attempts = append(attempts, r.results[i].Attempt.ID)
		}
	}
	batch := new(pgx.Batch)
	slices.SortFunc(deliveries, func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) })
	batch.Queue(sqlStates, deliveries).Query(func(rows pgx.Rows) error {
		return every(rows, func(row pgx.Rows) error {
			var id bellwire.DeliveryID
			st := new(state)
			err := row.Scan((*[16]byte)(&id), &st.status, &st.reason, &st.attempts, &st.retries, &st.epoch, &st.manual, &st.due)
			r.states[id] = st
			return err
		})
	})
	batch.Queue(sqlKnownAttempts, deliveries, attempts).Query(func(rows pgx.Rows) error {
		return every(rows, func(row pgx.Rows) error {
			id, err := scanUUID(row)
			r.attempts[id] = true
			return err
		})
	})
	return r.tx.send(batch)
}

// record decides what becomes of a delivery.
func (r *recording) record(i int) error {
	result := r.results[i]
	st := r.states[result.Delivery]
	if st == nil {
		return nil
	}
	if result.Attempt != nil {
		if r.attempts[result.Attempt.ID] {
			r.recorded[i] = st.recorded()
			return nil
		}
		st.attempts++
		r.addAttempt(i, st.attempts)
	}
	transition, disabled, err := r.disable(result)
	if err != nil {
		return err
	}
	moved := st.apply(result, transition)
	r.changed[result.Delivery] = result.EndedAt
	r.recorded[i] = st.recorded()
	r.recorded[i].Moved, r.recorded[i].Disabled = moved, disabled
	return nil
}

func (st *state) recorded() bellwire.Recorded {
	recorded := bellwire.Recorded{Status: codec.Status(st.status)}
	if st.status == codec.Retrying {
		recorded.DueAt = orZero(st.due)
	}
	return recorded
}

// apply makes a transition for a result, unless it comes from somebody who has the delivery no more.
func (st *state) apply(r *bellwire.Result, t bellwire.Transition) bool {
	byHand := r.Trigger != bellwire.TriggerSchedule
	taken := r.Epoch != 0 && (byHand && st.manual != nil && *st.manual == r.Epoch || !byHand && st.epoch == r.Epoch)
	if byHand && taken {
		st.manual = nil
	}
	switch {
	case t.Status == bellwire.DeliverySucceeded:
		if st.status == codec.Succeeded {
			return false
		}
		st.end(codec.Succeeded, t.Reason)
		return true
	case t.Status == "" || !taken || !st.open():
		return false
	case t.Status == bellwire.DeliveryRetrying:
		due := r.EndedAt.Add(t.Delay).UTC().Truncate(time.Microsecond)
		st.status, st.reason, st.epoch, st.due = codec.Retrying, t.Reason, 0, &due
		st.retries++
		return true
	}
	status, known := codec.StatusNumber[int16](t.Status)
	if !known {
		return false
	}
	st.end(status, t.Reason)
	return true
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
		ids, statuses, reasons = append(ids, id), append(statuses, st.status), append(reasons, st.reason)
		attempts, retries, epochs = append(attempts, st.attempts), append(retries, st.retries), append(epochs, st.epoch)
		manual, due, at = append(manual, st.manual), append(due, st.due), append(at, changedAt)
	}
	if len(ids) > 0 {
		batch.Queue(sqlMove, ids, statuses, reasons, attempts, retries, epochs, manual, due, at)
	}
}

const (
	sqlOwnerAt = `SELECT t.id FROM bellwire.endpoints p JOIN bellwire.tenants t ON t.n = p.tenant AND t.deleted_at IS NULL
		WHERE p.id = $1 AND p.revision = $2 AND p.deleted_at IS NULL`
	sqlDisable = "UPDATE bellwire.endpoints SET status = $1, status_reason = $2, revision = $3, updated_at = $4 WHERE n = $5"
)

// disable disables the endpoint if the result asks for it and the endpoint is still as it was when the attempt was
// made. It returns the transition to be made of the delivery.
func (r *recording) disable(result *bellwire.Result) (t bellwire.Transition, disabled bool, err error) {
	if !result.Disable {
		return result.Transition, false, nil
	}
	var tenant string
	ok, err := found(r.tx.row(sqlOwnerAt, result.Endpoint, result.EndpointRevision), &tenant)
	if !ok {
		return result.Otherwise, false, err
	}
	n, owner, revision, err := r.tx.holdEndpoint(tenant, result.Endpoint)
	switch {
	case bellwire.CodeOf(err) == bellwire.CodeNotFound, err == nil && revision != result.EndpointRevision:
		return result.Otherwise, false, nil // somebody was quicker
	case err != nil:
		return t, false, err
	}
	if revision, err = r.tx.changeTenant(owner); err != nil {
		return t, false, err
	}
	if err := r.store.notify(r.tx, notice{Tenant: tenant, Endpoints: []string{result.Endpoint}}); err != nil {
		return t, false, err
	}
	reason := result.Transition.Reason
	if reason == "" {
		reason = bellwire.ReasonEndpointGone
	}
	return result.Transition, true, r.tx.exec(sqlDisable, string(bellwire.EndpointDisabled), reason, revision, result.EndedAt, n)
}

const (
	sqlRelease = `UPDATE bellwire.deliveries d SET epoch = 0 FROM unnest($1::uuid[], $2::bigint[]) AS r (id, epoch)
		WHERE d.id = r.id AND d.epoch = r.epoch`
	// Put this way it does not lead through the index of all retries by hand.
	sqlReleaseManual = `UPDATE bellwire.deliveries d SET manual_epoch = 0 FROM unnest($1::uuid[], $2::bigint[]) AS r (id, epoch)
		WHERE d.id = r.id AND d.manual_epoch IS NOT DISTINCT FROM r.epoch`
)

// ReleaseDeliveries gives back what was taken and not attempted.
func (s *Store) ReleaseDeliveries(ctx context.Context, taken []bellwire.ClaimToken) error {
	err := s.write(ctx, func(tx *tx) error { return tx.release(taken) })
	if err == nil {
		s.doubts.giveUp(taken)
	}
	return err
}

func (t *tx) release(taken []bellwire.ClaimToken) error {
	batch := new(pgx.Batch)
	queueRelease(batch, taken)
	return t.sendLast(batch)
}

func queueRelease(batch *pgx.Batch, taken []bellwire.ClaimToken) {
	for _, kind := range []struct {
		manual bool
		sql    string
	}{{false, sqlRelease}, {true, sqlReleaseManual}} {
		var (
			ids    [][16]byte
			epochs []int64
		)
		for _, d := range taken {
			if d.Manual == kind.manual {
				ids, epochs = append(ids, d.Delivery), append(epochs, d.Epoch)
			}
		}
		if len(ids) > 0 {
			batch.Queue(kind.sql, ids, epochs)
		}
	}
}
