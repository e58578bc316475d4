package postgres

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/rules"
)

const (
	sqlDeferred = "SELECT t.id, f.waiting FROM bellwire.fanout_tenants f JOIN bellwire.tenants t ON t.n = f.tenant WHERE t.id = ANY($1) AND t.deleted_at IS NULL"
	// The rows of a group are sorted by tenant, so that two groups cannot deadlock.
	sqlAddDeferred = `INSERT INTO bellwire.fanout_tenants AS f (tenant, waiting) SELECT * FROM unnest($1::bigint[], $2::bigint[])
		ON CONFLICT (tenant) DO UPDATE SET waiting = f.waiting + excluded.waiting`
	sqlAddFanout = `INSERT INTO bellwire.fanouts (tenant, at, events, times, endpoints, total, done)
		VALUES ($1, ($3::timestamptz[])[1], $2, $3, $4, $5, 0)`
)

// scanDeferred reads how many deliveries each tenant of the group has deferred to FanOut.
func (g *group) scanDeferred(rows pgx.Rows) error {
	var (
		id    string
		count int
	)
	_, err := pgx.ForEachRow(rows, []any{&id, &count}, func() error {
		g.deferred[id] = count
		return nil
	})
	return err
}

// deferUnnumbered defers the events with an ordered delivery that got no number, because their tenant has deferred
// deliveries.
func (g *group) deferUnnumbered(numbered map[int64]bool) {
	for i := range g.accepted {
		e := &g.accepted[i]
		e.deferred = e.deferred || slices.ContainsFunc(e.Deliveries, func(d bellwire.NewDelivery) bool {
			return d.Ordered && !numbered[g.endpoints[d.Endpoint].n]
		})
	}
}

// fanout is a row of the table.
type fanout struct {
	of        *bellwire.Recipients
	tenant    int64
	events    [][16]byte
	times     []time.Time
	endpoints []int64
}

func (f *fanout) total() int64 { return int64(len(f.events) * len(f.endpoints)) }

// queueFanouts stores the recipients of the events that are deferred to FanOut.
func (g *group) queueFanouts(batch *pgx.Batch) {
	var (
		rows   []*fanout
		latest *fanout
	)
	deferred := make(map[int64]int64)
	for i := range g.accepted {
		e := &g.accepted[i]
		if !e.deferred {
			latest = nil
			continue
		}
		if latest == nil || e.Recipients == nil || latest.of != e.Recipients {
			latest = &fanout{of: e.Recipients, tenant: e.tenant, endpoints: g.recipients(e.NewEvent)}
			rows = append(rows, latest)
		}
		latest.events, latest.times = append(latest.events, e.Event.ID), append(latest.times, e.appended.CreatedAt)
		deferred[e.tenant] += int64(e.Count())
		e.appended.Deferred, e.appended.Sequences = true, nil
	}
	if len(rows) == 0 {
		return
	}
	for _, f := range rows {
		batch.Queue(sqlAddFanout, f.tenant, f.events, f.times, f.endpoints, f.total())
	}
	tenants, counts := sortedCounts(deferred)
	batch.Queue(sqlAddDeferred, tenants, counts)
}

// recipients returns the endpoints that get an event, in the form in which they are stored.
func (g *group) recipients(e *bellwire.NewEvent) []int64 {
	of := e.Recipients
	if of == nil {
		of = bellwire.RecipientsOf(e.Deliveries)
	}
	endpoints := make([]int64, len(*of))
	for i, r := range *of {
		endpoints[i] = g.endpoints[r.Endpoint].n
		if r.Ordered {
			endpoints[i] = -endpoints[i]
		}
	}
	return endpoints
}

// defersToOthers reports whether deliveries were deferred to FanOut of tenants that other nodes own.
func (g *group) defersToOthers(owned *bellwire.Leases) bool {
	return slices.ContainsFunc(g.accepted, func(e acceptedEvent) bool {
		return e.deferred && owned.Epochs[e.tenant%bellwire.Shards] == 0
	})
}

var (
	sqlFanoutTurn = `SELECT f.tenant, t.id FROM bellwire.fanout_tenants f JOIN bellwire.tenants t ON t.n = f.tenant AND t.deleted_at IS NULL
		WHERE f.tenant > $2 AND ($1::bigint[])[f.tenant % 256 + 1] > 0 ORDER BY f.tenant LIMIT 1`
	sqlHoldTenant   = "SELECT FROM bellwire.tenants WHERE n = $1 AND deleted_at IS NULL FOR SHARE"
	sqlHoldDeferred = "SELECT FROM bellwire.fanout_tenants WHERE tenant = $1 FOR UPDATE"
	// sqlFirstFanouts reads as many rows as have $2 deliveries to be stored, and maxFanouts at most.
	sqlFirstFanouts = `SELECT at, events, times, endpoints, total, done FROM (
			SELECT f.*, sum(total - done) OVER (ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
			FROM (SELECT * FROM bellwire.fanouts WHERE tenant = $1 ORDER BY at LIMIT $3) f
		) g WHERE before IS NULL OR before < $2 ORDER BY at`
	sqlEndFanouts   = "DELETE FROM bellwire.fanouts WHERE tenant = $1 AND at = ANY($2)"
	sqlMoveFanout   = "UPDATE bellwire.fanouts SET done = $3 WHERE tenant = $1 AND at = $2"
	sqlLessDeferred = "UPDATE bellwire.fanout_tenants SET waiting = waiting - $2 WHERE tenant = $1"
	sqlNoneDeferred = "DELETE FROM bellwire.fanout_tenants WHERE tenant = $1 AND waiting <= 0"
	sqlNames        = "SELECT n, id, ordering FROM bellwire.endpoints WHERE n = ANY($1)"
	sqlSumDeferred  = "SELECT coalesce(sum(waiting), 0)::bigint FROM bellwire.fanout_tenants"
)

const maxFanouts = 200

// FanOut stores deliveries that were deferred to it, of the tenant whose turn it is.
func (s *Store) FanOut(ctx context.Context, leases *bellwire.Leases, limit int) (*bellwire.FannedOut, error) {
	var (
		out   *bellwire.FannedOut
		wakes []string
	)
	err := s.write(ctx, func(tx *tx) error {
		out, wakes = new(bellwire.FannedOut), nil
		tenant, name, there, err := s.fanoutTurn(tx, leases)
		if err != nil || !there {
			return err
		}
		f := &fanning{tx: tx, tenant: tenant, remaining: limit}
		if err := f.read(limit); err != nil {
			return err
		}
		err = f.store(s)
		if wakes = f.wakes; err != nil {
			return err
		}
		*out = bellwire.FannedOut{Tenant: name, Deliveries: limit - f.remaining, Endpoints: f.names}
		return nil
	})
	s.notifier.add(wakes, false) // also if the outcome of the commit is not known
	if err != nil {
		return nil, err
	}
	return out, nil
}

// fanoutTurn returns the tenant whose turn it is.
func (s *Store) fanoutTurn(tx *tx, leases *bellwire.Leases) (tenant int64, name string, there bool, err error) {
	after := s.fanned.Load()
	err = tx.row(sqlFanoutTurn, leases.Epochs[:], after).Scan(&tenant, &name)
	if errors.Is(err, pgx.ErrNoRows) && after > 0 {
		err = tx.row(sqlFanoutTurn, leases.Epochs[:], 0).Scan(&tenant, &name)
	}
	s.fanned.Store(tenant)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, "", false, nil
	}
	return tenant, name, err == nil, err
}

// fanning is one step of FanOut, for one tenant.
type fanning struct {
	tx        *tx
	tenant    int64
	remaining int // deliveries that this step may still store
	rows      []fanoutRow
	named     map[int64]fannedEndpoint
	names     []string // of endpoints that have something new
	wakes     []string // those of them that other nodes own

	ids, events        [][16]byte
	endpoints, ordered []int64 // of the deliveries; 0 in ordered: it gets no number
	at                 []time.Time
}

// fannedEndpoint is an endpoint that has something new.
type fannedEndpoint struct {
	id       string
	ordering bellwire.Ordering
}

type fanoutRow struct {
	at          time.Time
	events      [][16]byte
	times       []time.Time
	endpoints   []int64
	total, done int64
}

// read locks the tenant, so that no other node stores the same deliveries, and reads what is left to be stored. If the rows
// are gone, because all was stored or the tenant was deleted while it waited for the lock, the transaction is retried.
func (f *fanning) read(limit int) error {
	batch := new(pgx.Batch)
	for _, sql := range []string{sqlHoldTenant, sqlHoldDeferred} {
		batch.Queue(sql, f.tenant).Exec(func(tag pgconn.CommandTag) error {
			if tag.RowsAffected() == 0 {
				return errRetry
			}
			return nil
		})
	}
	if err := f.tx.send(batch); err != nil {
		return err
	}
	rows, err := pgx.CollectRows(f.tx.query(sqlFirstFanouts, f.tenant, limit, maxFanouts), func(row pgx.CollectableRow) (r fanoutRow, err error) {
		err = row.Scan(&r.at, &r.events, &r.times, &r.endpoints, &r.total, &r.done)
		return r, err
	})
	f.rows = rows
	return err
}

// store stores the next deliveries and the progress.
func (f *fanning) store(s *Store) error {
	if len(f.rows) == 0 {
		return nil
	}
	batch := new(pgx.Batch)
	var ended []time.Time
	before := f.remaining
	for i := range f.rows {
		r := &f.rows[i]
		f.expand(r)
		if r.done == r.total {
			ended = append(ended, r.at)
		} else {
			batch.Queue(sqlMoveFanout, f.tenant, r.at, r.done)
		}
	}
	if len(ended) > 0 {
		batch.Queue(sqlEndFanouts, f.tenant, ended)
	}
	batch.Queue(sqlLessDeferred, f.tenant, before-f.remaining)
	batch.Queue(sqlNoneDeferred, f.tenant)
	if err := f.name(); err != nil {
		return err
	}
	numbers, err := f.number()
	if err != nil {
		return err
	}
	traits, err := f.tx.traits(f.tenant, f.events)
	if err != nil {
		return err
	}
	keys, open, err := f.keys(traits)
	if err != nil {
		return err
	}
	n := len(f.ids)
	tenants, epochs, manual, due := make([]int64, n), make([]int64, n), make([]*int64, n), make([]*time.Time, n)
	var placed placedColumns
	for i := range n {
		of := traits[f.events[i]]
		place := rules.PlacementOf(of.Schedule, f.at[i], open.behind(keys[i]))
		tenants[i], due[i] = f.tenant, &place.DueAt
		if len(traits) > 0 {
			placed.add(place, of.ExpiresAt, keys[i].key, numbers[i])
		}
		if keys[i].key != 0 {
			numbers[i] = 0 // it is the place
		}
	}
	batch.Queue(sqlInsertDeliveries, f.ids, f.events, tenants, f.endpoints, numbers, epochs, manual, due, f.at, placed.statuses,
		placed.notBefore, placed.expires, placed.keys, placed.places)
	f.wakes = others(f.names, s.owned.Load())
	s.growth.add(n)
	return f.tx.sendLast(batch)
}

// keys returns the keys in whose order the deliveries are, with the number 0 for none, and which of them have open deliveries. number
// has locked the counters.
func (f *fanning) keys(traits map[[16]byte]eventTraits) ([]endpointKey, openKeys, error) {
	keys := make([]endpointKey, len(f.ids))
	var all keySet
	for i, endpoint := range f.ordered {
		if endpoint == 0 {
			continue
		}
		to, of := f.named[endpoint], traits[f.events[i]]
		keys[i] = endpointKey{to.id, rules.KeyAt(of.orderingKey, to.ordering, of.Schedule, f.at[i])}
		all.add(keys[i])
	}
	open, err := f.tx.openKeys(&all)
	return keys, open, err
}

// eventTraits are the parts of an event on which deliveries depend that are stored later.
type eventTraits struct {
	rules.Schedule
	orderingKey string
}

// sqlTraits reads the traits of those events that have any.
const sqlTraits = `SELECT e.id, e.deliver_at, e.expires_at, coalesce(e.ordering_key, '') FROM unnest($2::uuid[]) AS w (id)
	CROSS JOIN LATERAL (SELECT id, deliver_at, expires_at, ordering_key FROM bellwire.events WHERE tenant = $1 AND id = w.id LIMIT 1) e
	WHERE e.deliver_at IS NOT NULL OR e.expires_at IS NOT NULL OR e.ordering_key IS NOT NULL`

// traits returns the traits of those events that have any.
func (t *tx) traits(tenant int64, events [][16]byte) (map[[16]byte]eventTraits, error) {
	traits := make(map[[16]byte]eventTraits)
	var (
		id                [16]byte
		deliverAt, expire *time.Time
		key               string
	)
	each := slices.Clone(events)
	slices.SortFunc(each, func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) })
	_, err := pgx.ForEachRow(t.query(sqlTraits, tenant, slices.Compact(each)), []any{&id, &deliverAt, &expire, &key}, func() error {
		traits[id] = eventTraits{rules.Schedule{DeliverAt: orZero(deliverAt), ExpiresAt: orZero(expire)}, key}
		return nil
	})
	return traits, err
}

// expand makes the next deliveries of a row.
func (f *fanning) expand(r *fanoutRow) {
	for ; f.remaining > 0 && r.done < r.total; r.done++ {
		event, place := rules.FanOutItem(r.done, int64(len(r.events)), int64(len(r.endpoints)))
		endpoint, ordered := r.endpoints[place], int64(0)
		if endpoint < 0 {
			endpoint, ordered = -endpoint, -endpoint
		}
		f.ids, f.events = append(f.ids, bellwire.FannedOutOf(r.events[event], int(place))), append(f.events, r.events[event])
		f.endpoints, f.ordered = append(f.endpoints, endpoint), append(f.ordered, ordered)
		f.at = append(f.at, r.times[event])
		f.remaining--
	}
}

// number assigns numbers to the ordered deliveries.
func (f *fanning) number() ([]int64, error) {
	numbers := make([]int64, len(f.ids))
	count := make(map[int64]int64)
	for _, endpoint := range f.ordered {
		if endpoint != 0 {
			count[endpoint]++
		}
	}
	if len(count) == 0 {
		return numbers, nil
	}
	endpoints, counts := sortedCounts(count)
	last := make(map[int64]int64)
	var endpoint, to int64
	_, err := pgx.ForEachRow(f.tx.query(sqlTakeNumbers, endpoints, counts), []any{&endpoint, &to}, func() error {
		last[endpoint] = to - count[endpoint]
		return nil
	})
	for i, endpoint := range f.ordered {
		if endpoint != 0 {
			last[endpoint]++
			numbers[i] = last[endpoint]
		}
	}
	return numbers, err
}

// name finds the ids of the endpoints that have something new. Endpoints whose tombstone was purged get nothing.
func (f *fanning) name() error {
	endpoints := slices.Clone(f.endpoints)
	slices.Sort(endpoints)
	f.named = make(map[int64]fannedEndpoint)
	var (
		n  int64
		to fannedEndpoint
	)
	_, err := pgx.ForEachRow(f.tx.query(sqlNames, slices.Compact(endpoints)), []any{&n, &to.id, (*string)(&to.ordering)}, func() error {
		f.named[n], f.names = to, append(f.names, to.id)
		return nil
	})
	kept := 0
	for i, endpoint := range f.endpoints {
		if _, there := f.named[endpoint]; there {
			f.ids[kept], f.events[kept], f.endpoints[kept], f.ordered[kept], f.at[kept] = f.ids[i], f.events[i], endpoint, f.ordered[i], f.at[i]
			kept++
		}
	}
	f.ids, f.events, f.endpoints, f.ordered, f.at = f.ids[:kept], f.events[:kept], f.endpoints[:kept], f.ordered[:kept], f.at[:kept]
	return err
}

// others returns the endpoints that other nodes own.
func others(endpoints []string, owned *bellwire.Leases) []string {
	return slices.DeleteFunc(slices.Clone(endpoints), func(id string) bool { return owned.Epoch(id) != 0 })
}
