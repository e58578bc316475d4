package sqlite

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/bellwire/bellwire"
)

// details are the parts of an attempt that are only ever shown. Their names are short because there is one
// of these for each request made.
type details struct {
	Timings   [5]time.Duration  `json:"t"` // DNS, connect, TLS, first byte, total
	URL       string            `json:"u"`
	Headers   []bellwire.Header `json:"h,omitempty"`
	BodyBytes int               `json:"b"`
	Response  *responseDetails  `json:"r,omitempty"`
}

type responseDetails struct {
	Headers   []bellwire.Header `json:"h,omitempty"`
	Truncated bool              `json:"x,omitempty"`
}

// encodeAttempts writes the details of each result's attempt, so that the writer need not.
func encodeAttempts(results []*bellwire.Result) ([][]byte, error) {
	encoded := make([][]byte, len(results))
	for i, r := range results {
		if r.Attempt == nil {
			continue
		}
		var err error
		if encoded[i], err = json.Marshal(detailsOf(r.Attempt)); err != nil {
			return nil, bellwire.Wrap(bellwire.CodeInternal, err, "The attempt %s could not be written as JSON.", r.Attempt.ID)
		}
	}
	return encoded, nil
}

func detailsOf(a *bellwire.Attempt) *details {
	t := a.Timings
	d := &details{
		Timings: [5]time.Duration{t.DNS, t.Connect, t.TLS, t.FirstByte, t.Total},
		URL:     a.Request.URL, Headers: a.Request.Headers, BodyBytes: a.Request.BodyBytes,
	}
	if a.Response != nil {
		d.Response = &responseDetails{Headers: a.Response.Headers, Truncated: a.Response.Truncated}
	}
	return d
}

// fill is the reverse of detailsOf.
func (d *details) fill(a *bellwire.Attempt) {
	t := d.Timings
	a.Timings = bellwire.Timings{DNS: t[0], Connect: t[1], TLS: t[2], FirstByte: t[3], Total: t[4]}
	a.Request = bellwire.AttemptRequest{URL: d.URL, Headers: d.Headers, BodyBytes: d.BodyBytes}
	if d.Response != nil && a.Response != nil {
		a.Response.Headers, a.Response.Truncated = d.Response.Headers, d.Response.Truncated
	}
}

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

// Attempts returns the newest limit attempts of a delivery, oldest first.
func (s *Store) Attempts(ctx context.Context, delivery bellwire.DeliveryID, limit int) ([]*bellwire.Attempt, error) {
	var attempts []*bellwire.Attempt
	err := s.read(ctx, func(c *db) error {
		q := c.query(`SELECT id, number, trigger, started_at, outcome, error, details, status, response_body
			FROM attempts WHERE delivery = ? ORDER BY number DESC LIMIT +?`).blob(delivery[:]).int(int64(limit))
		for q.next() {
			a, err := scanAttempt(q)
			if err != nil {
				return firstError(q.close(), err)
			}
			a.Delivery = delivery
			attempts = append(attempts, a)
		}
		return q.err
	})
	slices.Reverse(attempts)
	return attempts, err
}

func scanAttempt(q *query) (*bellwire.Attempt, error) {
	a := new(bellwire.Attempt)
	q.getBytes(a.ID[:])
	a.Number, a.Trigger, a.StartedAt = int(q.getInt()), bellwire.Trigger(q.getText()), q.getTime()
	a.Outcome, a.Error = bellwire.Outcome(q.getText()), q.getText()
	var d details
	if err := json.Unmarshal(q.getBlob(), &d); err != nil {
		return nil, err
	}
	if !q.isNull() {
		a.Response = &bellwire.AttemptResponse{Status: int(q.getInt()), Body: q.getBlob()}
	}
	d.fill(a)
	return a, nil
}
