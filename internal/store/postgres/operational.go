package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

const (
	sqlListeners = `SELECT p.events FROM bellwire.tenants t JOIN bellwire.endpoints p ON p.tenant = t.n WHERE t.id = $1 AND t.deleted_at IS NULL
		AND t.operational_events AND p.deleted_at IS NULL AND p.status <> 'disabled' LIMIT $2`
	sqlSubjects = `SELECT p.id, t.id, t.operational_events, p.url, p.description, p.dialect, p.status, p.status_reason
		FROM bellwire.endpoints p JOIN bellwire.tenants t ON t.n = p.tenant WHERE p.id = ANY($1) AND t.deleted_at IS NULL`
	sqlSubjectOfJob = "SELECT id, operational_events FROM bellwire.tenants WHERE id = $1 AND deleted_at IS NULL"
	sqlEventsOf     = `SELECT d.id, e.id, e.type FROM unnest($1::uuid[]) AS w (id)
		CROSS JOIN LATERAL (SELECT id, tenant, event FROM bellwire.deliveries WHERE id = w.id OFFSET 0) d
		CROSS JOIN LATERAL (SELECT id, type FROM bellwire.events WHERE tenant = d.tenant AND id = d.event OFFSET 0) e`
	sqlKeepEvents = `INSERT INTO bellwire.operational_events (key, tenant, type, endpoint, at, data, taken)
		SELECT *, false FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::bytea[])`
)

// announcement collects the operational events that tell of news.
type announcement struct {
	tx       *tx
	audience *rules.Audience
	subjects map[string]*rules.Subject // by endpoint; that of a job has no endpoint

	events []*rules.KeptEvent
	alerts []keptAlert
}

// announce keeps the operational events that tell of news, for those who get them.
func (t *tx) announce(news ...*rules.News) error {
	if len(news) == 0 {
		return nil
	}
	a := &announcement{tx: t, audience: new(rules.Audience), subjects: make(map[string]*rules.Subject)}
	if err := a.readSubjects(news); err != nil {
		return err
	}
	if err := a.addEvents(news); err != nil {
		return err
	}
	for _, n := range news {
		if err := a.tell(n); err != nil {
			return err
		}
	}
	return a.keep()
}

// readSubjects reads what the news are about and who gets all news. Those of deleted tenants are left out.
func (a *announcement) readSubjects(news []*rules.News) error {
	var endpoints []string
	batch := new(pgx.Batch)
	for _, n := range news {
		if n.Job == nil {
			endpoints = append(endpoints, n.Endpoint)
			continue
		}
		batch.Queue(sqlSubjectOfJob, n.Job.Tenant).QueryRow(func(row pgx.Row) error {
			s := new(rules.Subject)
			err := row.Scan(&s.Tenant, &s.Own)
			if errors.Is(err, pgx.ErrNoRows) {
				return nil
			}
			a.subjects[""] = s
			return err
		})
	}
	if len(endpoints) > 0 {
		slices.Sort(endpoints)
		batch.Queue(sqlSubjects, slices.Compact(endpoints)).Query(func(rows pgx.Rows) error {
			for rows.Next() {
				s := &rules.Subject{Endpoint: new(bellwire.Endpoint)}
				ep := s.Endpoint
				err := rows.Scan(&ep.ID, &s.Tenant, &s.Own, &ep.URL, &ep.Description, &ep.Dialect, (*string)(&ep.Status), &ep.StatusReason)
				if err != nil {
					return err
				}
				a.subjects[ep.ID] = s
			}
			return rows.Err()
		})
	}
	batch.Queue(sqlListeners, bellwire.OperationsTenant, rules.MaxListeners).Query(func(rows pgx.Rows) error {
		var events string
		_, err := pgx.ForEachRow(rows, []any{&events}, func() error {
			var patterns []string
			err := json.Unmarshal([]byte(events), &patterns)
			a.audience.Listeners = append(a.audience.Listeners, patterns)
			return err
		})
		return err
	})
	if slices.ContainsFunc(news, (*rules.News).IsAlert) {
		a.readAddresses(batch)
	}
	return a.tx.send(batch)
}

// addEvents adds the events of exhausted deliveries of which somebody is told.
func (a *announcement) addEvents(news []*rules.News) error {
	exhausted := make(map[bellwire.DeliveryID]*bellwire.OperationalDelivery)
	for _, n := range news {
		if n.Delivery == nil || a.subjects[n.Endpoint] == nil {
			continue
		}
		if len(a.audience.Gets(n, a.subjects[n.Endpoint])) > 0 {
			exhausted[n.Delivery.ID] = n.Delivery
		}
	}
	if len(exhausted) == 0 {
		return nil
	}
	ids := make([][16]byte, 0, len(exhausted))
	for id := range exhausted {
		ids = append(ids, id)
	}
	var (
		id        bellwire.DeliveryID
		event     bellwire.EventID
		eventType string
	)
	rows := a.tx.query(sqlEventsOf, ids)
	_, err := pgx.ForEachRow(rows, []any{(*[16]byte)(&id), (*[16]byte)(&event), &eventType}, func() error {
		exhausted[id].Event, exhausted[id].EventType = event, eventType
		return nil
	})
	return err
}

// tell makes the operational events that tell of one of the news.
func (a *announcement) tell(n *rules.News) error {
	subject := a.subjects[n.Endpoint]
	if subject == nil {
		return nil
	}
	if n.Delivery != nil && (n.Delivery.EventType == "" || bellwire.IsOperational(n.Delivery.EventType)) {
		return nil
	}
	for _, tenant := range a.audience.Gets(n, subject) {
		e, err := n.Event(subject, tenant)
		if err != nil {
			return err
		}
		a.events = append(a.events, e)
	}
	return a.alert(subject, n)
}

// keep stores what was collected.
func (a *announcement) keep() error {
	if err := a.keepAlerts(); err != nil {
		return err
	}
	if len(a.events) == 0 {
		return nil
	}
	var (
		keys, tenants, types, endpoints []string
		at                              []time.Time
		data                            [][]byte
	)
	for _, e := range a.events {
		keys, tenants, types, endpoints = append(keys, e.Key), append(tenants, e.Tenant), append(types, e.Type), append(endpoints, e.Endpoint)
		at, data = append(at, e.At), append(data, e.Data)
	}
	return a.tx.exec(sqlKeepEvents, keys, tenants, types, endpoints, at, data)
}

const (
	sqlAnyOperational = "SELECT EXISTS (SELECT FROM bellwire.operational_events)"
	sqlOperational    = `SELECT n, key, tenant, type, endpoint, at, data, taken FROM bellwire.operational_events
		WHERE tenant <> ALL ($1) ORDER BY n LIMIT $2 FOR UPDATE`
	sqlTakeOperational = `UPDATE bellwire.operational_events e SET data = w.data, taken = true
		FROM unnest($1::bigint[], $2::bytea[]) AS w (n, data) WHERE e.n = w.n`
	sqlEndOperational = "DELETE FROM bellwire.operational_events WHERE n = ANY ($1)"
)

// TakeOperational returns the operational events that are kept.
func (s *Store) TakeOperational(ctx context.Context, but []string, limit int) ([]*bellwire.OperationalEvent, error) {
	var any bool
	err := s.read(ctx, func(tx *tx) error { return tx.row(sqlAnyOperational).Scan(&any) })
	if err != nil || !any {
		return nil, err
	}
	var events []*bellwire.OperationalEvent
	err = s.write(ctx, func(tx *tx) (err error) {
		events, err = tx.takeOperational(append([]string{}, but...), limit)
		return err
	})
	return events, err
}

func (t *tx) takeOperational(but []string, limit int) (events []*bellwire.OperationalEvent, err error) {
	kept, err := t.operational(but, limit)
	if err != nil {
		return nil, err
	}
	left, gone, err := rules.Share(kept)
	if err != nil {
		return nil, err
	}
	var (
		taken []int64
		data  [][]byte
	)
	for _, e := range left {
		if !e.Taken {
			taken, data = append(taken, e.Number), append(data, e.Data)
		}
		events = append(events, &e.OperationalEvent)
	}
	batch := new(pgx.Batch)
	if len(taken) > 0 {
		batch.Queue(sqlTakeOperational, taken, data)
	}
	if len(gone) > 0 {
		batch.Queue(sqlEndOperational, gone)
	}
	if batch.Len() == 0 {
		return events, nil
	}
	return events, t.sendLast(batch)
}

// operational reads the oldest operational events, and keeps other nodes from taking them meanwhile.
func (t *tx) operational(but []string, limit int) (kept []*rules.KeptEvent, err error) {
	rows := t.query(sqlOperational, but, limit)
	defer rows.Close()
	for bytes := 0; bytes < rules.MaxTakenBytes && rows.Next(); {
		e := new(rules.KeptEvent)
		if err := rows.Scan(&e.Number, &e.Key, &e.Tenant, &e.Type, &e.Endpoint, &e.At, &e.Data, &e.Taken); err != nil {
			return nil, err
		}
		kept = append(kept, e)
		bytes += len(e.Data)
	}
	rows.Close()
	return kept, rows.Err()
}

// EndOperational forgets operational events that were published.
func (s *Store) EndOperational(ctx context.Context, numbers []int64) error {
	return s.write(ctx, func(tx *tx) error { return tx.exec(sqlEndOperational, numbers) })
}

// Announced returns nil: other nodes keep events too, so that they are looked for anyway.
func (s *Store) Announced() <-chan struct{} { return nil }
