package postgres

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

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

// encodeAttempts writes the details of each result's attempt, before the transaction begins.
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

// text makes what came from outside fit to be kept as text: UTF-8 without U+0000.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// attemptRows are the columns of attempts to be stored.
type attemptRows struct {
	ids, deliveries           [][16]byte
	numbers                   []int32
	triggers, outcomes, texts []string
	startedAt                 []time.Time
	statuses                  []*int32
	details, bodies           [][]byte
}

func (rows *attemptRows) add(a *bellwire.Attempt, delivery bellwire.DeliveryID, number int64, details []byte) {
	rows.ids, rows.deliveries = append(rows.ids, a.ID), append(rows.deliveries, delivery)
	rows.numbers = append(rows.numbers, int32(number))
	rows.triggers, rows.outcomes = append(rows.triggers, string(a.Trigger)), append(rows.outcomes, string(a.Outcome))
	rows.texts, rows.startedAt = append(rows.texts, text(a.Error)), append(rows.startedAt, a.StartedAt)
	rows.details = append(rows.details, details)
	var (
		status *int32
		body   []byte
	)
	if a.Response != nil {
		status, body = new(int32(a.Response.Status)), a.Response.Body
	}
	rows.statuses, rows.bodies = append(rows.statuses, status), append(rows.bodies, body)
}

const sqlInsertAttempts = `INSERT INTO bellwire.attempts (id, delivery, number, trigger, started_at, outcome, error, details, status, response_body)
	SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::timestamptz[], $6::text[], $7::text[], $8::bytea[], $9::int[], $10::bytea[])`

func (rows *attemptRows) insert(tx *tx) error {
	if len(rows.ids) == 0 {
		return nil
	}
	return tx.exec(sqlInsertAttempts, rows.ids, rows.deliveries, rows.numbers, rows.triggers, rows.startedAt, rows.outcomes,
		rows.texts, rows.details, rows.statuses, rows.bodies)
}

const sqlAttempts = `SELECT id, number, trigger, started_at, outcome, error, details, status, response_body
	FROM bellwire.attempts WHERE delivery = $1 ORDER BY number DESC LIMIT $2`

// Attempts returns the newest limit attempts of a delivery, oldest first.
func (s *Store) Attempts(ctx context.Context, delivery bellwire.DeliveryID, limit int) ([]*bellwire.Attempt, error) {
	var attempts []*bellwire.Attempt
	err := s.read(ctx, func(tx *tx) (err error) {
		attempts, err = all(tx, scanAttempt, sqlAttempts, [16]byte(delivery), limit)
		return err
	})
	for _, a := range attempts {
		a.Delivery = delivery
	}
	slices.Reverse(attempts)
	return attempts, err
}

func scanAttempt(row pgx.Rows) (*bellwire.Attempt, error) {
	var (
		a               bellwire.Attempt
		status          *int
		encoded, answer []byte
		d               details
	)
	err := row.Scan((*[16]byte)(&a.ID), &a.Number, (*string)(&a.Trigger), &a.StartedAt, (*string)(&a.Outcome), &a.Error, &encoded, &status, &answer)
	if err != nil {
		return nil, err
	}
	if status != nil {
		a.Response = &bellwire.AttemptResponse{Status: *status, Body: answer}
	}
	err = json.Unmarshal(encoded, &d)
	d.fill(&a)
	return &a, err
}
