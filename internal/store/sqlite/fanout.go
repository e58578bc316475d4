package sqlite

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// fanout is a row of the table: events that follow each other and have the same recipients.
type fanout struct {
	tenant, event, events int64
	recipients            []recipient
	done                  int64
}

// recipient is an endpoint that gets the events.
type recipient struct {
	endpoint int64
	ordered  bool
}

const (
	sqlAddFanout   = "INSERT INTO fanouts (tenant, event, events, recipients, done, endpoints) VALUES (?, ?, ?, ?, 0, ?)"
	sqlAddDeferred = "INSERT INTO fanout_tenants (tenant, waiting) VALUES (?, ?) ON CONFLICT (tenant) DO UPDATE SET waiting = waiting + excluded.waiting"
	sqlAllDeferred = "SELECT tenant, waiting FROM fanout_tenants"
	sqlSumDeferred = "SELECT coalesce(sum(waiting), 0) FROM fanout_tenants"
	sqlFirstFanout = "SELECT event, events, done, endpoints FROM fanouts WHERE tenant = ? ORDER BY event LIMIT 1"
)

// encode sorts recipients by their numbers, and writes each as the difference to the one before.
func encode(recipients []recipient) []byte {
	slices.SortFunc(recipients, func(a, b recipient) int { return int(a.endpoint - b.endpoint) })
	var (
		b    []byte
		last int64
	)
	for _, r := range recipients {
		v := uint64(r.endpoint-last) << 1
		if r.ordered {
			v |= 1
		}
		b, last = binary.AppendUvarint(b, v), r.endpoint
	}
	return b
}

func decode(b []byte) ([]recipient, error) {
	var (
		recipients []recipient
		last       int64
	)
	for len(b) > 0 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, errors.New("fanouts.endpoints cannot be read")
		}
		b, last = b[n:], last+int64(v>>1)
		recipients = append(recipients, recipient{endpoint: last, ordered: v&1 == 1})
	}
	return recipients, nil
}

// deferred returns how many deliveries of a tenant are deferred to FanOut.
func (w *writer) deferred(tenant int64) (int, error) {
	if w.refs.deferred == nil {
		w.refs.deferred = make(map[int64]int)
		q := w.query(sqlAllDeferred)
		for q.next() {
			n := q.getInt()
			w.refs.deferred[n] = int(q.getInt())
		}
		if q.err != nil {
			w.refs.deferred = nil
			return 0, q.err
		}
	}
	return w.refs.deferred[tenant], nil
}

// run holds the deliveries that an append defers to FanOut, until they are written.
type run struct {
	of *bellwire.Recipients
	fanout
}

// deferDeliveries defers an event's deliveries to FanOut.
func (w *writer) deferDeliveries(r *run, tenant, event int64, e *bellwire.NewEvent) error {
	if e.Recipients != nil && r.of == e.Recipients && event == r.event+r.events {
		r.events++
		return nil
	}
	if err := w.finish(r); err != nil {
		return err
	}
	of := e.Recipients
	if of == nil {
		of = bellwire.RecipientsOf(e.Deliveries)
	}
	r.of, r.fanout = of, fanout{tenant: tenant, event: event, events: 1}
	return nil
}

// finish writes the run, if there is one.
func (w *writer) finish(r *run) error {
	if r.of == nil {
		return nil
	}
	recipients := make([]recipient, len(*r.of))
	for i, to := range *r.of {
		ref, err := w.endpoint(to.Endpoint)
		if err != nil {
			return err
		}
		recipients[i] = recipient{endpoint: ref.n, ordered: to.Ordered}
	}
	r.of = nil
	count := int64(len(recipients))
	err := w.query(sqlAddFanout).int(r.tenant).int(r.event).int(r.events).int(count).blob(encode(recipients)).exec()
	if err != nil {
		return err
	}
	return w.moveDeferred(r.tenant, int(r.events*count))
}

// moveDeferred changes the number of deliveries that are deferred to FanOut.
func (w *writer) moveDeferred(tenant int64, by int) error {
	before, err := w.deferred(tenant)
	if err != nil {
		return err
	}
	if before+by <= 0 {
		delete(w.refs.deferred, tenant)
		return w.query("DELETE FROM fanout_tenants WHERE tenant = ?").int(tenant).exec()
	}
	w.refs.deferred[tenant] = before + by
	return w.query(sqlAddDeferred).int(tenant).int(int64(by)).exec()
}

// FanOut stores deliveries that were deferred to it, of the tenant whose turn it is.
func (s *Store) FanOut(ctx context.Context, leases *bellwire.Leases, limit int) (*bellwire.FannedOut, error) {
	out := new(bellwire.FannedOut)
	if leases.Epochs[0] == 0 { // one node has all shards, or none
		return out, nil
	}
	err := s.write(ctx, func(w *writer) error {
		f := fanning{w: w, remaining: limit, endpoints: make(map[int64]fannedEndpoint)}
		err := f.run()
		*out = bellwire.FannedOut{Tenant: f.tenant, Deliveries: limit - f.remaining, Endpoints: f.names}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// fanning is one step of FanOut.
type fanning struct {
	w         *writer
	tenant    string                   // whose turn it is
	remaining int                      // deliveries that this step may still store
	endpoints map[int64]fannedEndpoint // the endpoints that got deliveries
	names     []string                 // ids of these endpoints
}

// sqlFanoutTurn finds the next tenant after a given one.
const sqlFanoutTurn = `SELECT f.tenant, t.id FROM fanout_tenants f CROSS JOIN tenants t ON t.n = f.tenant
	WHERE f.tenant > ? AND t.deleted_at IS NULL ORDER BY f.tenant LIMIT 1`

func (f *fanning) run() error {
	tenant, found, err := f.turn(f.w.turn)
	if err == nil && !found {
		tenant, found, err = f.turn(0)
	}
	if err != nil || !found {
		return err
	}
	f.w.turn = tenant
	before := f.remaining
	for f.remaining > 0 {
		more, err := f.first(tenant)
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	return f.w.moveDeferred(tenant, f.remaining-before)
}

// turn finds the next tenant after a given one.
func (f *fanning) turn(after int64) (tenant int64, found bool, err error) {
	q := f.w.query(sqlFanoutTurn).int(after)
	if found, err = q.one(); !found {
		return 0, false, err
	}
	tenant, f.tenant = q.getInt(), q.getText()
	return tenant, true, q.close()
}

// first stores deliveries of the first of a tenant's rows. It reports whether there was a row.
func (f *fanning) first(tenant int64) (found bool, err error) {
	q := f.w.query(sqlFirstFanout).int(tenant)
	if found, err = q.one(); !found {
		return false, err
	}
	row := fanout{tenant: tenant, event: q.getInt(), events: q.getInt(), done: q.getInt()}
	row.recipients, err = decode(q.getBlob())
	if err := firstError(err, q.close()); err != nil {
		return false, err
	}
	total := row.events * int64(len(row.recipients))
	events := make(map[int64]fannedEvent)
	for ; f.remaining > 0 && row.done < total; row.done++ {
		if err := f.store(&row, events); err != nil {
			return false, err
		}
		f.remaining--
	}
	if row.done == total {
		return true, f.w.query("DELETE FROM fanouts WHERE tenant = ? AND event = ?").int(tenant).int(row.event).exec()
	}
	return true, f.w.query("UPDATE fanouts SET done = ? WHERE tenant = ? AND event = ?").int(row.done).int(tenant).int(row.event).exec()
}

// fannedEvent is what deliveries have of their event.
type fannedEvent struct {
	id       bellwire.EventID
	at       time.Time
	schedule rules.Schedule
	key      string // the ordering key
}

// store stores the next delivery of a row.
func (f *fanning) store(row *fanout, events map[int64]fannedEvent) error {
	event, place := rules.FanOutItem(row.done, row.events, int64(len(row.recipients)))
	n, r := row.event+event, row.recipients[place]
	e, known := events[n]
	if !known {
		var err error
		if e, err = f.w.fannedEvent(n); err != nil {
			return err
		}
		events[n] = e
	}
	to, there, err := f.name(r.endpoint)
	if err != nil {
		return err
	}
	if !there {
		f.w.opened--
		return nil
	}
	d := &newDelivery{
		id: bellwire.FannedOutOf(e.id, int(place)), event: n, tenant: row.tenant, endpoint: r.endpoint, ordered: r.ordered, at: e.at,
		deleted: to.deleted, schedule: e.schedule,
	}
	if r.ordered {
		d.key = rules.KeyAt(e.key, to.ordering, e.schedule, e.at)
	}
	_, _, err = f.w.insertDelivery(d)
	return err
}

func (w *writer) fannedEvent(n int64) (e fannedEvent, err error) {
	q := w.query("SELECT id, created_at, deliver_at, expires_at, ordering_key FROM events WHERE n = ?").int(n)
	found, err := q.one()
	if err == nil && !found {
		err = errors.New("an event is gone whose deliveries are still to be stored")
	}
	if err != nil {
		return e, err
	}
	q.getBytes(e.id[:])
	e.at, e.schedule, e.key = q.getTime(), rules.Schedule{DeliverAt: q.getTimeOrZero(), ExpiresAt: q.getTimeOrZero()}, q.getText()
	return e, q.close()
}

// fannedEndpoint is what deliveries depend on of their endpoint.
type fannedEndpoint struct {
	deleted  bool
	ordering bellwire.Ordering
}

// name records that an endpoint has something new. It returns the endpoint, and reports whether its row still exists.
func (f *fanning) name(endpoint int64) (to fannedEndpoint, there bool, err error) {
	if to, known := f.endpoints[endpoint]; known {
		return to, true, nil
	}
	q := f.w.query("SELECT id, deleted_at IS NOT NULL, ordering FROM endpoints WHERE n = ?").int(endpoint)
	if there, err = q.one(); !there {
		return to, false, err
	}
	f.names = append(f.names, q.getText())
	to = fannedEndpoint{deleted: q.getBool(), ordering: bellwire.Ordering(q.getText())}
	f.endpoints[endpoint] = to
	return to, true, q.close()
}

// newDelivery is a row to be stored.
type newDelivery struct {
	id                      bellwire.DeliveryID
	event, tenant, endpoint int64
	ordered, manual         bool
	key                     int64 // of its event's ordering key, if it is in the order of that; else 0
	deleted                 bool  // its endpoint is
	epoch                   int64
	at                      time.Time
	schedule                rules.Schedule // of its event
}
