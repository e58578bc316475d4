package sqlite

import (
	"context"
	"slices"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

func (w *writer) hasAttempt(delivery bellwire.DeliveryID, id bellwire.AttemptID) (bool, error) {
	_, found, err := w.query("SELECT 1 FROM attempts WHERE delivery = ? AND id = ?").blob(delivery[:]).blob(id[:]).scalar()
	return found, err
}

func (w *writer) insertAttempt(a *bellwire.Attempt, delivery bellwire.DeliveryID, number int64, details []byte) error {
	q := w.query(`INSERT INTO attempts (id, delivery, number, trigger, started_at, outcome, error, details, status, response_body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`).
		blob(a.ID[:]).blob(delivery[:]).int(number).text(string(a.Trigger)).time(a.StartedAt).
		text(string(a.Outcome)).text(a.Error).data(details)
	if a.Response == nil {
		return q.null().null().exec()
	}
	return q.int(int64(a.Response.Status)).blob(a.Response.Body).exec()
}

// sqlDropDetailsOf cuts the details behind their first bracket: the timings come first (rules.DroppedAttempt).
const (
	sqlDropDetailsOf = `UPDATE attempts SET response_body = NULL, details = CAST(substr(details, 1, instr(details, x'5d')) || ',"d":true}' AS BLOB)
		WHERE `
	sqlDropDetails = sqlDropDetailsOf + "delivery = ? AND number = ?"
)

// dropDetails removes the details of an attempt, except its time, outcome and timings; number 0: of none.
func (w *writer) dropDetails(delivery bellwire.DeliveryID, number int64) error {
	if number == 0 {
		return nil
	}
	return w.query(sqlDropDetails).blob(delivery[:]).int(number).exec()
}

// Attempts returns the newest attempts of a delivery, oldest first.
func (s *Store) Attempts(ctx context.Context, delivery bellwire.DeliveryID, limit int) ([]*bellwire.Attempt, error) {
	var attempts []*bellwire.Attempt
	err := s.list(ctx, func(c *db) error {
		q := c.query(`SELECT id, number, trigger, started_at, outcome, error, details, status, response_body
			FROM attempts WHERE delivery = ? ORDER BY number DESC LIMIT +?`).blob(delivery[:]).int(int64(limit))
		page := rules.NewPage(bellwire.MaxPageBytes)
		for q.next() {
			a, err := scanAttempt(q)
			if err != nil {
				return firstError(q.close(), err)
			}
			a.Delivery = delivery
			attempts = append(attempts, a)
			if page.Add(rules.SizeOfAttempt(a)) {
				return q.close()
			}
		}
		return q.err
	})
	slices.Reverse(attempts)
	return attempts, err
}

// LastAttempts returns the results of the newest attempts.
func (s *Store) LastAttempts(ctx context.Context, deliveries []bellwire.DeliveryID) (map[bellwire.DeliveryID]bellwire.AttemptResult, error) {
	results := make(map[bellwire.DeliveryID]bellwire.AttemptResult, len(deliveries))
	err := s.list(ctx, func(c *db) error {
		for _, id := range deliveries {
			q := c.query("SELECT outcome, coalesce(status, 0), error FROM attempts WHERE delivery = ? ORDER BY number DESC LIMIT 1").blob(id[:])
			found, err := q.one()
			if err != nil {
				return err
			}
			if !found {
				continue
			}
			results[id] = bellwire.AttemptResult{Outcome: bellwire.Outcome(q.getText()), Status: int(q.getInt()), Error: q.getText()}
			if err := q.close(); err != nil {
				return err
			}
		}
		return nil
	})
	return results, err
}

func scanAttempt(q *query) (*bellwire.Attempt, error) {
	a := new(bellwire.Attempt)
	q.getBytes(a.ID[:])
	a.Number, a.Trigger, a.StartedAt = int(q.getInt()), bellwire.Trigger(q.getText()), q.getTime()
	a.Outcome, a.Error = bellwire.Outcome(q.getText()), q.getText()
	encoded := q.getBlob()
	if !q.isNull() {
		a.Response = &bellwire.AttemptResponse{Status: int(q.getInt()), Body: q.getBlob()}
	}
	return a, codec.DecodeAttempt(a, encoded)
}
