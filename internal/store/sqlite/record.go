package sqlite

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// RecordOutcomes stores attempts and moves their deliveries on.
func (s *Store) RecordOutcomes(ctx context.Context, results []*bellwire.Result) ([]bellwire.Recorded, error) {
	recorded := make([]bellwire.Recorded, len(results))
	details, err := codec.EncodeAttempts(results)
	if err != nil {
		return nil, err
	}
	err = s.write(ctx, func(w *writer) error {
		for i, r := range results {
			var err error
			if recorded[i], err = w.record(r, details[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return recorded, nil
}

func (w *writer) record(r *bellwire.Result, details []byte) (bellwire.Recorded, error) {
	if done, err := w.succeedAtOnce(r, details); done || err != nil {
		return bellwire.Recorded{Status: bellwire.DeliverySucceeded, Moved: true}, err
	}
	st, found, err := w.state(r.Delivery)
	if err != nil || !found {
		return bellwire.Recorded{}, err
	}
	if r.Attempt != nil && st.attempts > 0 {
		known, err := w.hasAttempt(r.Delivery, r.Attempt.ID)
		if err != nil || known {
			return st.recorded(), err
		}
	}
	if r.Attempt != nil {
		st.attempts++
		if err := w.insertAttempt(r.Attempt, r.Delivery, st.attempts, details); err != nil {
			return bellwire.Recorded{}, err
		}
		if err := w.dropDetails(r.Delivery, rules.DroppedAttempt(r, st.attempts)); err != nil {
			return bellwire.Recorded{}, err
		}
	}
	transition, disabled, err := w.disable(r)
	if err != nil {
		return bellwire.Recorded{}, err
	}
	wasOpen := st.open()
	moved := st.apply(r, transition)
	if moved {
		err = w.move(r.Delivery, &st, r.EndedAt)
	} else {
		err = w.touch(r.Delivery, &st, r.EndedAt)
	}
	if wasOpen && !st.open() {
		w.opened--
	}
	recorded := st.recorded()
	recorded.Moved, recorded.Disabled = moved, disabled
	return recorded, err
}

// succeedAtOnce records what comes of most deliveries, success at the first attempt, without reading them first. It
// does nothing if it is anything else.
func (w *writer) succeedAtOnce(r *bellwire.Result, details []byte) (done bool, err error) {
	if r.Transition.Status != bellwire.DeliverySucceeded || r.Attempt == nil || r.Disable {
		return false, nil
	}
	err = w.query(`UPDATE deliveries SET status = 2, reason = ?, attempts = 1, epoch = 0, due_at = NULL, updated_at = ?
			WHERE id = ? AND status = 0 AND attempts = 0 AND manual_epoch IS NULL`).
		text(r.Transition.Reason).time(r.EndedAt).blob(r.Delivery[:]).exec()
	if err != nil || w.conn.Changes() == 0 {
		return false, err
	}
	w.opened--
	return true, w.insertAttempt(r.Attempt, r.Delivery, 1, details)
}

func (st *state) recorded() bellwire.Recorded {
	recorded := bellwire.Recorded{Status: codec.Status(st.status)}
	if st.status == codec.Retrying {
		recorded.DueAt = time.UnixMicro(st.due).UTC()
	}
	return recorded
}

// apply makes a transition for a result, unless it comes from somebody who has the delivery no more.
func (st *state) apply(r *bellwire.Result, t bellwire.Transition) bool {
	byHand := r.Trigger != bellwire.TriggerSchedule
	taken := r.Epoch != 0 && (byHand && st.manual == r.Epoch || !byHand && st.epoch == r.Epoch)
	if byHand && taken {
		st.manual = none
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
		st.status, st.reason, st.epoch = codec.Retrying, t.Reason, 0
		st.retries++
		st.due = r.EndedAt.Add(t.Delay).UnixMicro()
		return true
	}
	status, known := codec.StatusNumber[int64](t.Status)
	if !known {
		return false
	}
	st.end(status, t.Reason)
	return true
}

// touch notes an attempt that moved nothing. No index of status or schedule changes.
func (w *writer) touch(id bellwire.DeliveryID, st *state, now time.Time) error {
	return w.query("UPDATE deliveries SET attempts = ?, manual_epoch = ?, updated_at = ? WHERE id = ?").
		int(st.attempts).intOrNull(st.manual).time(now).blob(id[:]).exec()
}

// disable disables the endpoint if the result asks for it and the endpoint is still as it was when the attempt
// was made. It returns the transition to be made of the delivery.
func (w *writer) disable(r *bellwire.Result) (t bellwire.Transition, disabled bool, err error) {
	if !r.Disable {
		return r.Transition, false, nil
	}
	q := w.query("SELECT n, tenant FROM endpoints WHERE id = ? AND revision = ? AND deleted_at IS NULL").
		text(r.Endpoint).int(r.EndpointRevision)
	if found, err := q.one(); !found {
		return r.Otherwise, false, err
	}
	n, tenant := q.getInt(), q.getInt()
	if err := q.close(); err != nil {
		return t, false, err
	}
	revision, err := w.changeTenant(tenant)
	if err != nil {
		return t, false, err
	}
	reason := r.Transition.Reason
	if reason == "" {
		reason = bellwire.ReasonEndpointGone
	}
	return r.Transition, true, w.query("UPDATE endpoints SET status = ?, status_reason = ?, revision = ?, updated_at = ? WHERE n = ?").
		text(string(bellwire.EndpointDisabled)).text(reason).int(revision).time(r.EndedAt).int(n).exec()
}

// ReleaseDeliveries gives back what was taken and not attempted.
func (s *Store) ReleaseDeliveries(ctx context.Context, taken []bellwire.ClaimToken) error {
	return s.write(ctx, func(w *writer) error {
		for _, t := range taken {
			sql := "UPDATE deliveries SET epoch = 0 WHERE id = ? AND epoch = ?"
			if t.Manual {
				sql = "UPDATE deliveries SET manual_epoch = 0 WHERE id = ? AND manual_epoch = ?"
			}
			if err := w.query(sql).blob(t.Delivery[:]).int(t.Epoch).exec(); err != nil {
				return err
			}
		}
		return nil
	})
}
