package postgres

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

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

	// The attempts that lose their details.
	droppedOf [][16]byte // the deliveries
	dropped   []int32    // their numbers

	erasable [][16]byte // deliveries whose attempts lose their details if the data of their event was erased
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

const (
	attemptColumns = "id, delivery, number, trigger, started_at, outcome, error, details, status, response_body"
	attemptArrays  = `$1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::timestamptz[], $6::text[], $7::text[], $8::bytea[],
		$9::int[], $10::bytea[]`
	sqlInsertAttempts = "INSERT INTO bellwire.attempts (" + attemptColumns + ") SELECT * FROM unnest(" + attemptArrays + ")"
)

// arrays are the rows as parameters, for attemptArrays.
func (rows *attemptRows) arrays() []any {
	return []any{
		rows.ids, rows.deliveries, rows.numbers, rows.triggers, rows.startedAt, rows.outcomes, rows.texts, rows.details, rows.statuses,
		rows.bodies,
	}
}

// drop has an attempt lose its details; number 0: none.
func (rows *attemptRows) drop(delivery bellwire.DeliveryID, number int64) {
	if number > 0 {
		rows.droppedOf, rows.dropped = append(rows.droppedOf, delivery), append(rows.dropped, int32(number))
	}
}

// droppedDetails cuts the details behind their first bracket: the timings come first (rules.DroppedAttempt). They are cut as
// bytes, because PostgreSQL cannot look into JSON that has a NUL anywhere.
const (
	droppedDetails = `response_body = NULL,
		details = substring(a.details FROM 1 FOR position('\x5d'::bytea IN a.details)) || convert_to(',"d":true}', 'UTF8')`
	sqlDropDetails = "UPDATE bellwire.attempts a SET " + droppedDetails + `
	FROM unnest($1::uuid[], $2::int[]) AS r (delivery, number) WHERE a.delivery = r.delivery AND a.number = r.number`
)

func (rows *attemptRows) queue(batch *pgx.Batch) {
	if len(rows.ids) > 0 {
		batch.Queue(sqlInsertAttempts, rows.arrays()...)
	}
	if len(rows.dropped) > 0 {
		batch.Queue(sqlDropDetails, rows.droppedOf, rows.dropped)
	}
	if len(rows.erasable) > 0 {
		batch.Queue(sqlEraseLate, rows.erasable)
	}
}

const sqlAttempts = `SELECT id, number, trigger, started_at, outcome, error, details, status, response_body
	FROM bellwire.attempts WHERE delivery = $1 ORDER BY number DESC LIMIT $2`

// Attempts returns the newest attempts of a delivery, oldest first.
func (s *Store) Attempts(ctx context.Context, delivery bellwire.DeliveryID, limit int) ([]*bellwire.Attempt, error) {
	var attempts []*bellwire.Attempt
	err := s.list(ctx, func(tx *tx) error {
		attempts = nil
		rows := tx.query(sqlAttempts, [16]byte(delivery), limit)
		defer rows.Close()
		page := rules.NewPage(bellwire.MaxPageBytes)
		for full := false; !full && rows.Next(); {
			a, err := scanAttempt(rows)
			if err != nil {
				return err
			}
			a.Delivery = delivery
			attempts, full = append(attempts, a), page.Add(rules.SizeOfAttempt(a))
		}
		return rows.Err()
	})
	slices.Reverse(attempts)
	return attempts, err
}

// sqlLastAttempts looks in the partition of each delivery.
const sqlLastAttempts = `SELECT w.id, a.outcome, a.status, a.error FROM unnest($1::uuid[]) AS w (id) CROSS JOIN LATERAL
	(SELECT outcome, coalesce(status, 0) AS status, error FROM bellwire.attempts WHERE delivery = w.id ORDER BY number DESC LIMIT 1) a`

// LastAttempts returns the results of the newest attempts.
func (s *Store) LastAttempts(ctx context.Context, deliveries []bellwire.DeliveryID) (map[bellwire.DeliveryID]bellwire.AttemptResult, error) {
	results := make(map[bellwire.DeliveryID]bellwire.AttemptResult, len(deliveries))
	err := s.list(ctx, func(tx *tx) error {
		rows := tx.query(sqlLastAttempts, uuids(deliveries))
		defer rows.Close()
		for rows.Next() {
			var (
				id bellwire.DeliveryID
				r  bellwire.AttemptResult
			)
			if err := rows.Scan((*[16]byte)(&id), (*string)(&r.Outcome), &r.Status, &r.Error); err != nil {
				return err
			}
			results[id] = r
		}
		return rows.Err()
	})
	return results, err
}

func scanAttempt(row pgx.Row) (*bellwire.Attempt, error) {
	var (
		a               bellwire.Attempt
		status          *int
		encoded, answer []byte
	)
	err := row.Scan((*[16]byte)(&a.ID), &a.Number, (*string)(&a.Trigger), &a.StartedAt, (*string)(&a.Outcome), &a.Error, &encoded, &status, &answer)
	if err != nil {
		return nil, err
	}
	if status != nil {
		a.Response = &bellwire.AttemptResponse{Status: *status, Body: answer}
	}
	return &a, codec.DecodeAttempt(&a, encoded)
}
