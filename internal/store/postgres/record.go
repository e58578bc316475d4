package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire"
	"github.com/bellwire/bellwire/internal/store/columns"
)

// RecordOutcomes stores attempts and moves their deliveries on.
func (s *Store) RecordOutcomes(ctx context.Context, results []*bellwire.Result) ([]bellwire.Recorded, error) {
	details, err := columns.OfAttempts(results)
	if err != nil {
		return nil, err
	}
	var recorded []bellwire.Recorded
	err = s.write(ctx, func(tx *tx) error {
		r := &recording{
			store: s, tx: tx, results: results, details: details, recorded: make([]bellwire.Recorded, len(results)),
			states: make(map[bellwire.DeliveryID]*state), attempts: make(map[bellwire.AttemptID]bool),
			changed: make(map[bellwire.DeliveryID]time.Time),
		}
		recorded = r.recorded
		return r.run()
	})
	if err != nil {
		return nil, err
	}
	return recorded, nil
}

// recording records a group of results.
type recording struct {
	store    *Store
	tx       *tx
	results  []*bellwire.Result
	details  [][]byte
	recorded []bellwire.Recorded

	rows     attemptRows
	states   map[bellwire.DeliveryID]*state
	attempts map[bellwire.AttemptID]bool // that are stored
	changed  map[bellwire.DeliveryID]time.Time
}

func (r *recording) run() error {
	left, err := r.succeedAtOnce()
	if err != nil {
		return err
	}
	if len(left) > 0 {
		if err := r.read(left); err != nil {
			return err
		}
		for _, i := range left {
			if err := r.record(i); err != nil {
				return err
			}
		}
		if err := r.move(); err != nil {
			return err
		}
	}
	return r.rows.insert(r.tx)
}

// The status is cast so that it is looked at and not looked for: its index would lead through all that is pending.
const sqlSucceed = `UPDATE bellwire.deliveries d SET status = 2, reason = r.reason, attempts = 1, epoch = 0, due_at = NULL, updated_at = r.at
	FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS r (id, reason, at)
	WHERE d.id = r.id AND d.status::int = 0 AND d.attempts = 0 AND d.manual_epoch IS NULL
	RETURNING d.id`

// succeedAtOnce records what comes of most deliveries, success at the first attempt, without reading them first. It
// returns the places of the results that are anything else. Of several results of a delivery only the first is tried.
func (r *recording) succeedAtOnce() (left []int, err error) {
	var (
		ids     [][16]byte
		reasons []string
		at      []time.Time
	)
	first := make(map[bellwire.DeliveryID]int)
	for i, result := range r.results {
		if _, seen := first[result.Delivery]; seen {
			continue
		}
		first[result.Delivery] = i
		if result.Transition.Status == bellwire.DeliverySucceeded && result.Attempt != nil && !result.Disable {
			ids, reasons, at = append(ids, result.Delivery), append(reasons, result.Transition.Reason), append(at, result.EndedAt)
		}
	}
	done := make(map[bellwire.DeliveryID]bool)
	if len(ids) > 0 {
		err = r.tx.each(func(row pgx.Rows) error {
			var id bellwire.DeliveryID
			err := row.Scan((*[16]byte)(&id))
			done[id] = true
			return err
		}, sqlSucceed, ids, reasons, at)
	}
	for i, result := range r.results {
		if !done[result.Delivery] || first[result.Delivery] != i {
			left = append(left, i)
			continue
		}
		r.recorded[i] = bellwire.Recorded{Status: bellwire.DeliverySucceeded, Moved: true}
		r.addAttempt(i, 1)
	}
	return left, err
}

func (r *recording) addAttempt(i int, number int64) {
	result := r.results[i]
	r.rows.add(result.Attempt, result.Delivery, number, r.details[i])
	r.attempts[result.Attempt.ID] = true
}

const (
	sqlStates = `SELECT id, status, reason, attempts, retries, epoch, manual_epoch, due_at FROM bellwire.deliveries
		WHERE id = ANY($1) ORDER BY id FOR UPDATE`
	sqlKnownAttempts = "SELECT id FROM bellwire.attempts WHERE delivery = ANY($1) AND id = ANY($2)"
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
	return r.tx.SendBatch(r.tx.ctx, batch).Close()
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
	recorded := bellwire.Recorded{Status: bellwire.DeliveryStatuses[st.status]}
	if st.status == retrying {
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
		if st.status == succeeded {
			return false
		}
		st.end(succeeded, t.Reason)
		return true
	case t.Status == "" || !taken || !st.open():
		return false
	case t.Status == bellwire.DeliveryRetrying:
		due := r.EndedAt.Add(t.Delay).UTC().Truncate(time.Microsecond)
		st.status, st.reason, st.epoch, st.due = retrying, t.Reason, 0, &due
		st.retries++
		return true
	}
	status, known := numberOf(t.Status)
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

// move writes the states that have changed.
func (r *recording) move() error {
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
	if len(ids) == 0 {
		return nil
	}
	return r.tx.exec(sqlMove, ids, statuses, reasons, attempts, retries, epochs, manual, due, at)
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
func (s *Store) ReleaseDeliveries(ctx context.Context, taken []bellwire.Taken) error {
	return s.write(ctx, func(tx *tx) error { return tx.release(taken) })
}

func (t *tx) release(taken []bellwire.Taken) error {
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
		if len(ids) == 0 {
			continue
		}
		if err := t.exec(kind.sql, ids, epochs); err != nil {
			return err
		}
	}
	return nil
}
