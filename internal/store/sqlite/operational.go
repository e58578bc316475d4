package sqlite

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

const (
	sqlListeners = `SELECT p.events FROM tenants t JOIN endpoints p ON p.tenant = t.n WHERE t.id = ? AND t.deleted_at IS NULL
		AND t.operational_events AND p.deleted_at IS NULL AND p.status <> 'disabled' LIMIT +?`
	sqlSubject = `SELECT t.id, t.operational_events, p.url, p.description, p.dialect, p.status, p.status_reason
		FROM endpoints p JOIN tenants t ON t.n = p.tenant WHERE p.id = ? AND t.deleted_at IS NULL`
	sqlSubjectOfJob = "SELECT id, operational_events FROM tenants WHERE id = ? AND deleted_at IS NULL"
	sqlEventOf      = "SELECT e.id, e.type FROM deliveries d JOIN events e ON e.n = d.event WHERE d.id = ?"
	sqlKeepEvent    = "INSERT INTO operational_events (key, tenant, type, endpoint, at, data, taken) VALUES (?, ?, ?, ?, ?, ?, 0)"
)

// announce keeps the operational events that tell of news, for those who get them.
func (w *writer) announce(news ...*rules.News) error {
	if len(news) == 0 {
		return nil
	}
	audience, err := w.audience()
	if err != nil {
		return err
	}
	if slices.ContainsFunc(news, (*rules.News).IsAlert) {
		if audience.Addresses, err = w.openAddresses(); err != nil {
			return err
		}
	}
	subjects := make(map[string]*rules.Subject)
	for _, n := range news {
		subject, known := subjects[n.Endpoint]
		if !known {
			if subject, err = w.subject(n); err != nil {
				return err
			}
			subjects[n.Endpoint] = subject
		}
		if subject == nil {
			continue // the tenant was deleted
		}
		if err := w.tell(audience, subject, n); err != nil {
			return err
		}
	}
	return nil
}

// tell keeps the operational events that tell of one of the news.
func (w *writer) tell(audience *rules.Audience, subject *rules.Subject, n *rules.News) error {
	tenants := audience.Gets(n, subject)
	if len(tenants) > 0 && n.Delivery != nil {
		if known, err := w.addEvent(n.Delivery); err != nil || !known {
			return err
		}
	}
	for _, tenant := range tenants {
		e, err := n.Event(subject, tenant)
		if err != nil {
			return err
		}
		err = w.query(sqlKeepEvent).text(e.Key).text(e.Tenant).text(e.Type).text(e.Endpoint).time(e.At).blob(e.Data).exec()
		if err != nil {
			return err
		}
		w.announced = true
	}
	return w.alert(audience.Mails(n, subject), subject, n)
}

// addEvent adds the event of an exhausted delivery, and reports whether it is one to tell of.
func (w *writer) addEvent(d *bellwire.OperationalDelivery) (bool, error) {
	q := w.query(sqlEventOf).blob(d.ID[:])
	if found, err := q.one(); !found {
		return false, err
	}
	q.getBytes(d.Event[:])
	d.EventType = q.getText()
	return !bellwire.IsOperational(d.EventType), q.close()
}

func (w *writer) audience() (*rules.Audience, error) {
	a := new(rules.Audience)
	q := w.query(sqlListeners).text(bellwire.OperationsTenant).int(rules.MaxListeners)
	for q.next() {
		var patterns []string
		if err := json.Unmarshal([]byte(q.getText()), &patterns); err != nil {
			return nil, firstError(q.close(), err)
		}
		a.Listeners = append(a.Listeners, patterns)
	}
	return a, q.err
}

// subject reads what news are about; nil if the tenant was deleted.
func (w *writer) subject(n *rules.News) (*rules.Subject, error) {
	sql, id := sqlSubject, n.Endpoint
	if n.Job != nil {
		sql, id = sqlSubjectOfJob, n.Job.Tenant
	}
	q := w.query(sql).text(id)
	if found, err := q.one(); !found {
		return nil, err
	}
	s := &rules.Subject{Tenant: q.getText(), Own: q.getBool()}
	if n.Job == nil {
		s.Endpoint = &bellwire.Endpoint{
			ID: n.Endpoint, URL: q.getText(), Description: q.getText(), Dialect: q.getText(),
			Status: bellwire.EndpointStatus(q.getText()), StatusReason: q.getText(),
		}
	}
	return s, q.close()
}

const (
	sqlAnyOperational = "SELECT EXISTS (SELECT 1 FROM operational_events WHERE n > 0)"
	sqlOperational    = `SELECT n, key, tenant, type, endpoint, at, data, taken FROM operational_events
		WHERE n > 0 AND instr(?, ' ' || tenant || ' ') = 0 ORDER BY n LIMIT +?`
	sqlTakeOperational = "UPDATE operational_events SET data = ?, taken = 1 WHERE n = ? AND NOT taken"
	sqlEndOperational  = "DELETE FROM operational_events WHERE n = ?"
)

// TakeOperational returns the operational events that are kept.
func (s *Store) TakeOperational(ctx context.Context, but []string, limit int) ([]*bellwire.OperationalEvent, error) {
	var any int64
	err := s.read(ctx, func(c *db) (err error) {
		any, _, err = c.query(sqlAnyOperational).scalar()
		return err
	})
	if err != nil || any == 0 {
		return nil, err
	}
	excluded := " " + strings.Join(but, " ") + " "
	var events []*bellwire.OperationalEvent
	err = s.write(ctx, func(w *writer) (err error) {
		events, err = w.takeOperational(excluded, limit)
		return err
	})
	return events, err
}

func (w *writer) takeOperational(excluded string, limit int) (events []*bellwire.OperationalEvent, err error) {
	var kept []*rules.KeptEvent
	q := w.query(sqlOperational).text(excluded).int(int64(limit))
	for bytes := 0; bytes < rules.MaxTakenBytes && q.next(); {
		e := new(rules.KeptEvent)
		e.Number, e.Key, e.Tenant, e.Type, e.Endpoint = q.getInt(), q.getText(), q.getText(), q.getText(), q.getText()
		e.At, e.Data, e.Taken = q.getTime(), q.getBlob(), q.getBool()
		kept = append(kept, e)
		bytes += len(e.Data)
	}
	if err := firstError(q.err, q.close()); err != nil {
		return nil, err
	}
	left, gone, err := rules.Share(kept)
	if err != nil {
		return nil, err
	}
	for _, e := range left {
		if !e.Taken {
			if err := w.query(sqlTakeOperational).blob(e.Data).int(e.Number).exec(); err != nil {
				return nil, err
			}
		}
		events = append(events, &e.OperationalEvent)
	}
	return events, w.endOperational(gone)
}

func (w *writer) endOperational(numbers []int64) error {
	for _, n := range numbers {
		if err := w.query(sqlEndOperational).int(n).exec(); err != nil {
			return err
		}
	}
	return nil
}

// EndOperational forgets operational events that were published.
func (s *Store) EndOperational(ctx context.Context, numbers []int64) error {
	return s.write(ctx, func(w *writer) error { return w.endOperational(numbers) })
}

// Announced receives a value after operational events were kept.
func (s *Store) Announced() <-chan struct{} { return s.announced }
