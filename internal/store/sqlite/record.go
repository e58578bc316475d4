package sqlite

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// RecordResults stores attempts and the new states of their deliveries.
func (s *Store) RecordResults(ctx context.Context, results []*bellwire.Result) ([]bellwire.Recorded, error) {
	recorded := make([]bellwire.Recorded, len(results))
	details := codec.EncodeAttempts(results)
	err := s.write(ctx, func(w *writer) error {
		w.news = nil
		for i, r := range results {
			var err error
			if recorded[i], err = w.record(r, details[i]); err != nil {
				return err
			}
		}
		if err := w.recordHealth(results, recorded); err != nil {
			return err
		}
		return w.announce(w.news...)
	})
	if err != nil {
		return nil, err
	}
	return recorded, nil
}

func (w *writer) record(r *bellwire.Result, details []byte) (recorded bellwire.Recorded, err error) {
	if done, err := w.recordPlainSuccess(r, details); done || err != nil {
		after := r.AfterPlainSuccess()
		recorded = after.Recorded(true, "")
		if err == nil {
			recorded.Next, err = w.freeNextOf(r)
		}
		return recorded, err
	}
	st, found, err := w.state(r.Delivery)
	if err != nil || !found {
		return recorded, err
	}
	if r.Attempt != nil && st.Attempts > 0 {
		known, err := w.hasAttempt(r.Delivery, r.Attempt.ID)
		if err != nil || known {
			return st.Recorded(false, ""), err
		}
	}
	disabledFor := ""
	if r.Disable {
		if disabledFor, err = w.disable(r, r.DisableReason()); err != nil {
			return recorded, err
		}
	}
	wasOpen, canceled := st.Status.Open(), st.Status == bellwire.DeliveryCanceled
	moved := st.Apply(r, disabledFor != "")
	if r.Attempt != nil {
		number := int64(st.Attempts)
		if err := w.insertAttempt(r.Attempt, r.Delivery, number, details); err != nil {
			return recorded, err
		}
		w.delta.Attempt(r)
		if err := w.dropDetails(r.Delivery, rules.DroppedAttempt(r, number)); err != nil {
			return recorded, err
		}
	}
	if r.Attempt != nil && (r.Trigger != bellwire.TriggerSchedule || canceled) {
		if err := w.eraseLate(r.Delivery); err != nil {
			return recorded, err
		}
	}
	if wasOpen && !st.Status.Open() {
		w.opened--
	}
	write := w.setAttempts
	if moved {
		write = w.setState
		if n := rules.DeliveryNews(r, &st.DeliveryState); n != nil {
			w.news = append(w.news, n)
		}
	}
	recorded = st.Recorded(moved, disabledFor)
	if err := write(r.Delivery, &st.DeliveryState, r.EndedAt); err != nil || !moved || st.Status.Open() {
		return recorded, err
	}
	recorded.Next, err = w.freeNext(st.endpoint, st.key, r.EndedAt)
	return recorded, err
}

// recordPlainSuccess records a success at the first attempt, the most frequent outcome, without reading the delivery first. It
// does nothing if the outcome is any other.
func (w *writer) recordPlainSuccess(r *bellwire.Result, details []byte) (done bool, err error) {
	if !r.IsPlainSuccess() {
		return false, nil
	}
	after := r.AfterPlainSuccess()
	err = w.query(`UPDATE deliveries SET status = 2, reason = ?, attempts = 1, epoch = 0, due_at = NULL, updated_at = ?
			WHERE id = ? AND status = 0 AND attempts = 0 AND manual_epoch IS NULL`).
		text(after.Reason).time(r.EndedAt).blob(r.Delivery[:]).exec()
	if err != nil || w.conn.Changes() == 0 {
		return false, err
	}
	w.opened--
	w.delta.Attempt(r)
	return true, w.insertAttempt(r.Attempt, r.Delivery, 1, details)
}

// setAttempts writes the part of a state that changes without a transition. No index of statuses or due times changes.
func (w *writer) setAttempts(id bellwire.DeliveryID, st *bellwire.DeliveryState, now time.Time) error {
	return w.query("UPDATE deliveries SET attempts = ?, manual_epoch = ?, updated_at = ? WHERE id = ?").
		int(int64(st.Attempts)).intOrNull(manualEpoch(st)).time(now).blob(id[:]).exec()
}

// disable disables the endpoint of a result and returns why. It returns "" if the endpoint has changed since the attempt began.
func (w *writer) disable(r *bellwire.Result, why string) (string, error) {
	q := w.query("SELECT n, tenant, status, status_reason FROM endpoints WHERE id = ? AND revision = ? AND deleted_at IS NULL").
		text(r.Endpoint).int(r.EndpointRevision)
	if found, err := q.one(); !found {
		return "", err
	}
	n, tenant, status, reason := q.getInt(), q.getInt(), bellwire.EndpointStatus(q.getText()), q.getText()
	if err := q.close(); err != nil {
		return "", err
	}
	change, err := w.prepareChange(tenant, r.Endpoint, rules.Disabled(r, why, status, reason))
	if err != nil {
		return "", err
	}
	revision, err := w.changeTenant(tenant)
	if err != nil {
		return "", err
	}
	return why, firstError(
		w.query("UPDATE endpoints SET status = ?, status_reason = ?, revision = ?, updated_at = ? WHERE n = ?").
			text(string(bellwire.EndpointDisabled)).text(why).int(revision).time(r.EndedAt).int(n).exec(),
		w.storeChange(change),
	)
}

// ReleaseDeliveries releases deliveries that were claimed and not attempted.
func (s *Store) ReleaseDeliveries(ctx context.Context, taken []bellwire.ClaimToken) error {
	return s.write(ctx, func(w *writer) error {
		for _, t := range taken {
			sql := "UPDATE deliveries SET epoch = 0 WHERE id = ? AND abs(epoch) = ?"
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
