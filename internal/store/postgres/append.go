package postgres

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// AppendEvents stores the appends, each whole or not at all. It first reads all that they depend on, and decides which are
// refused; then it writes all others together. If another transaction writes the same key or event in between, this one is
// retried and sees it.
//
// An append with an id that an open transaction of a publisher holds is refused. The others wait for it a moment at most.
func (s *Store) AppendEvents(ctx context.Context, appends []*bellwire.Append) ([]bellwire.AppendResult, error) {
	results, err := s.appendUnheld(ctx, appends)
	if err != nil {
		return nil, err
	}
	s.pending.answered(appends, results)
	return results, nil
}

func (s *Store) appendGroup(ctx context.Context, appends []*bellwire.Append, wait time.Duration) ([]bellwire.AppendResult, error) {
	var (
		results []bellwire.AppendResult
		careful bool
		g       *group
	)
	err := s.write(ctx, func(tx *tx) error {
		g = &group{
			tx: tx, careful: careful, heldKeyWait: wait, keys: make(map[ownKey]*rules.KnownEvent),
			stored: make(map[bellwire.EventID]*storedEvent), here: make(map[ownEvent]int), endpoints: make(map[string]endpointRef),
			deferred: make(map[string]int), open: make(openKeys),
		}
		careful = true // the transaction that this one conflicted with may have been an earlier try of the same appends
		if err := g.load(appends); err != nil {
			return err
		}
		results = make([]bellwire.AppendResult, len(appends))
		for i, a := range appends {
			var err error
			if results[i], err = g.append(a); err != nil {
				return err
			}
		}
		return s.storeGroup(g)
	})
	if errors.Is(err, errNothing) {
		return results, nil
	}
	// Also if the outcome of the commit is not known. A commit that takes effect later than this is found by the next scan of
	// the owner, within a minute.
	if g != nil && g.sent {
		s.notifier.add(g.wakes, g.wakesFanOut)
	}
	if err != nil && g != nil && g.sent && bellwire.CodeOf(err) == bellwire.CodeUnavailable {
		s.pending.addAppends(appends, time.Now())
	}
	if err != nil {
		return nil, err
	}
	return results, nil
}

// errNothing rolls a transaction back that has nothing to store: a commit, even of locks alone, waits for the disk.
var errNothing = errors.New("nothing is to be stored")

// group is a group of appends with all that they depend on.
type group struct {
	tx          *tx
	careful     bool // checks whether the events are stored already, which is rare and makes the insertion fail
	heldKeyWait time.Duration
	sent        bool     // COMMIT has been sent
	wakes       []string // endpoints of other nodes with new deliveries, whose owners are notified after the commit
	wakesFanOut bool     // other nodes have deliveries deferred to FanOut
	operator    int64
	tenants     map[string]tenantRef
	endpoints   map[string]endpointRef
	keys        map[ownKey]*rules.KnownEvent
	stored      map[bellwire.EventID]*storedEvent
	unmatched   map[bellwire.EventID]bool // events that still wait to be matched
	deferred    map[string]int            // number of deliveries deferred to FanOut, by tenant
	open        openKeys                  // keys that have open deliveries

	accepted []acceptedEvent
	here     map[ownEvent]int // the indexes of the events in accepted
	repeats  []repeat
}

type ownEvent struct {
	tenant int64
	id     bellwire.EventID
}

// repeat is an event that is in the group a second time.
type repeat struct {
	first    int // its index in accepted
	event    *bellwire.NewEvent
	appended *bellwire.AppendedEvent
}

type endpointRef struct{ n, tenant int64 }

// ownKey is a publisher's id.
type ownKey struct {
	tenant int64
	key    string
}

func (k ownKey) compare(other ownKey) int {
	return cmp.Or(cmp.Compare(k.tenant, other.tenant), cmp.Compare(k.key, other.key))
}

// storedEvent is an event that an earlier try of the same append has stored.
type storedEvent struct {
	tenant     int64
	createdAt  time.Time
	deliveries int
	rows       map[bellwire.DeliveryID]storedDelivery
}

// storedDelivery is a delivery of such an event.
type storedDelivery struct {
	number, epoch int64
	freed         bool // it was behind another when it was stored, and is not any more
}

// acceptedEvent is an event to be stored.
type acceptedEvent struct {
	tenant int64
	*bellwire.NewEvent
	appended *bellwire.AppendedEvent
	numbers  []int64   // to be filled
	places   []int64   // of those with Keyed, to be filled; nil: there are none
	place    int64     // its position among its tenant's events in the group, from 1
	at       time.Time // its time, unless the tenant's clock in the database is ahead
	deferred bool      // its deliveries are deferred to FanOut
}

const (
	// Changes of the tenant wait for this lock, so that none is answered before the append is committed.
	sqlHoldTenants = "SELECT id, n, revision FROM bellwire.tenants WHERE id = ANY($1) AND deleted_at IS NULL ORDER BY id FOR SHARE"
	// Other nodes that match the same events wait for this lock, and then find them stored.
	sqlHoldUnmatched = "SELECT event FROM bellwire.unmatched WHERE event = ANY($1) ORDER BY event FOR UPDATE"
	sqlFindEndpoints = "SELECT id, n, tenant FROM bellwire.endpoints WHERE id = ANY($1) AND deleted_at IS NULL"
	// The lock keeps Purge from removing endpoints before this append has stored deliveries to them.
	sqlHoldDeleted = "SELECT id, n, tenant FROM bellwire.endpoints WHERE id = ANY($1) AND deleted_at IS NOT NULL ORDER BY id FOR KEY SHARE"
	sqlFindKeys    = `SELECT k.tenant, k.key, k.event, k.digest, k.deliveries
		FROM unnest($1::text[], $2::text[]) AS w (tenant, key)
		JOIN bellwire.idempotency_keys k ON k.tenant = ` + tenantWanted + ` AND k.key = w.key`
	sqlFindEvents = `SELECT e.id, e.tenant, e.created_at, e.deliveries FROM unnest($1::text[], $2::uuid[]) AS w (tenant, id)
		JOIN bellwire.events e ON e.tenant = ` + tenantWanted + ` AND e.id = w.id
		WHERE e.id BETWEEN $3 AND $4`
	// As a subquery, each tenant is looked up in the index, however few tenants the statistics show.
	tenantWanted   = "(SELECT t.n FROM bellwire.tenants t WHERE t.id = w.tenant AND t.deleted_at IS NULL)"
	sqlFindNumbers = `SELECT d.event, d.id, d.sequence, d.epoch, d.updated_at > d.created_at FROM unnest($1::uuid[]) AS w (id)
		JOIN bellwire.deliveries d ON d.id = w.id`
)

// load reads all that the appends depend on, in one round trip.
func (g *group) load(appends []*bellwire.Append) error {
	w := wantedOf(appends)
	batch := new(pgx.Batch)
	batch.Queue(sqlHoldTenants, w.tenants).Query(g.scanTenants)
	if len(w.unmatched) > 0 {
		batch.Queue(sqlHoldUnmatched, w.unmatched).Query(g.scanUnmatched)
	}
	batch.Queue(sqlOperatorRevision).QueryRow(func(row pgx.Row) error { return row.Scan(&g.operator) })
	batch.Queue(sqlFindEndpoints, w.endpoints).Query(g.scanEndpoints)
	if len(w.anyState) > 0 {
		batch.Queue(sqlHoldDeleted, w.anyState).Query(g.scanEndpoints)
	}
	if w.ordered {
		batch.Queue(sqlDeferred, w.tenants).Query(g.scanDeferred)
	}
	if len(w.keys) > 0 {
		batch.Queue(sqlFindKeys, w.keyTenants, w.keys).Query(g.scanKeys)
	}
	if (g.careful || len(w.unmatched) > 0) && len(w.events) > 0 {
		batch.Queue(sqlFindEvents, w.eventTenants, w.events, w.first, w.last).Query(g.scanStored)
	}
	if err := g.tx.send(batch); err != nil {
		return err
	}
	if len(g.stored) == 0 {
		return nil
	}
	return g.lookUpNumbers(appends)
}

// wanted is what appends depend on.
type wanted struct {
	tenants, endpoints []string
	anyState           []string // endpoints that may have been deleted
	keyTenants, keys   []string
	eventTenants       []string
	events             [][16]byte
	first, last        [16]byte // of the events
	unmatched          [][16]byte
	ordered            bool // deliveries may have to be deferred to FanOut
}

func wantedOf(appends []*bellwire.Append) *wanted {
	w := &wanted{first: codec.LastID}
	tenants, endpoints, anyState := make(map[string]bool), make(map[string]bool), make(map[string]bool)
	lists := make(map[*bellwire.Recipients]bool)
	for _, a := range appends {
		for _, e := range a.Events {
			id := e.Event.ID
			tenants[e.Event.Tenant] = true
			w.eventTenants, w.events = append(w.eventTenants, e.Event.Tenant), append(w.events, id)
			w.first, w.last = earlierID(w.first, id), laterID(w.last, id)
			if e.Unmatched {
				w.unmatched = append(w.unmatched, id)
			}
			if e.Event.IdempotencyKey != "" {
				w.keyTenants, w.keys = append(w.keyTenants, e.Event.Tenant), append(w.keys, e.Event.IdempotencyKey)
			}
			for i := range e.Deliveries {
				endpoints[e.Deliveries[i].Endpoint] = true
				if a.TenantRevision == 0 {
					anyState[e.Deliveries[i].Endpoint] = true
				}
			}
			w.ordered = w.ordered || rules.IsDeferred(e, true)
			if e.Recipients != nil && !lists[e.Recipients] {
				lists[e.Recipients] = true
				for _, r := range *e.Recipients {
					endpoints[r.Endpoint] = true
					if a.TenantRevision == 0 {
						anyState[r.Endpoint] = true
					}
				}
			}
		}
	}
	w.tenants, w.endpoints, w.anyState = namesIn(tenants), namesIn(endpoints), namesIn(anyState)
	return w
}

func (g *group) scanTenants(rows pgx.Rows) error {
	g.tenants = make(map[string]tenantRef)
	var (
		id  string
		ref tenantRef
	)
	_, err := pgx.ForEachRow(rows, []any{&id, &ref.n, &ref.revision}, func() error {
		g.tenants[id] = ref
		return nil
	})
	return err
}

func (g *group) scanEndpoints(rows pgx.Rows) error {
	var (
		id  string
		ref endpointRef
	)
	_, err := pgx.ForEachRow(rows, []any{&id, &ref.n, &ref.tenant}, func() error {
		g.endpoints[id] = ref
		return nil
	})
	return err
}

func (g *group) scanUnmatched(rows pgx.Rows) error {
	g.unmatched = make(map[bellwire.EventID]bool)
	var id bellwire.EventID
	_, err := pgx.ForEachRow(rows, []any{(*[16]byte)(&id)}, func() error {
		g.unmatched[id] = true
		return nil
	})
	return err
}

func (g *group) scanKeys(rows pgx.Rows) error {
	var (
		key    ownKey
		known  rules.KnownEvent
		digest []byte
	)
	_, err := pgx.ForEachRow(rows, []any{&key.tenant, &key.key, (*[16]byte)(&known.ID), &digest, &known.Deliveries}, func() error {
		found := known
		copy(found.Digest[:], digest)
		g.keys[key] = &found
		return nil
	})
	return err
}

func (g *group) scanStored(rows pgx.Rows) error {
	var (
		id bellwire.EventID
		e  storedEvent
	)
	_, err := pgx.ForEachRow(rows, []any{(*[16]byte)(&id), &e.tenant, &e.createdAt, &e.deliveries}, func() error {
		found := e
		found.rows = make(map[bellwire.DeliveryID]storedDelivery)
		g.stored[id] = &found
		return nil
	})
	return err
}

// lookUpNumbers reads the numbers of what an earlier try has stored.
func (g *group) lookUpNumbers(appends []*bellwire.Append) error {
	var ids [][16]byte
	for _, a := range appends {
		for _, e := range a.Events {
			if g.stored[e.Event.ID] == nil {
				continue
			}
			for i := range e.Deliveries {
				ids = append(ids, e.Deliveries[i].ID)
			}
		}
	}
	var (
		event    bellwire.EventID
		delivery bellwire.DeliveryID
		row      storedDelivery
	)
	scans := []any{(*[16]byte)(&event), (*[16]byte)(&delivery), &row.number, &row.epoch, &row.freed}
	_, err := pgx.ForEachRow(g.tx.query(sqlFindNumbers, ids), scans, func() error {
		if e := g.stored[event]; e != nil {
			e.rows[delivery] = row
		}
		return nil
	})
	return err
}

// append decides about one append.
func (g *group) append(a *bellwire.Append) (bellwire.AppendResult, error) {
	if len(a.Events) == 0 {
		return bellwire.AppendResult{}, nil
	}
	id := a.Events[0].Event.Tenant
	tenant, known := g.tenants[id]
	if !known {
		return bellwire.AppendResult{Err: bellwire.NotFound("tenant", id)}, nil
	}
	facts := g.facts(id, tenant, a)
	admitted := rules.Admit(a, facts)
	switch {
	case admitted.Late && !g.careful:
		return bellwire.AppendResult{}, errRetry
	case admitted.Late:
		return rules.Repeated(a, facts, admitted.AppendResult), nil
	}
	g.deferred[id] += admitted.Deferred
	for _, i := range admitted.Store {
		g.accept(tenant.n, a.Events[i], &admitted.Events[i])
	}
	return admitted.AppendResult, nil
}

// facts returns what the group has loaded about an append.
func (g *group) facts(id string, tenant tenantRef, a *bellwire.Append) *rules.AppendFacts {
	facts := &rules.AppendFacts{
		TenantRevision: tenant.revision, OperatorRevision: g.operator, Deferred: g.deferred[id],
		Events: make([]rules.EventFacts, len(a.Events)),
	}
	for i, e := range a.Events {
		f := &facts.Events[i]
		if i > 0 && e.Recipients != nil && e.Recipients == a.Events[i-1].Recipients { // as with most
			f.MissingEndpoint = facts.Events[i-1].MissingEndpoint
		} else {
			f.MissingEndpoint = g.missingEndpoint(tenant, e)
		}
		f.Unmatched = g.unmatched[e.Event.ID]
		if e.Event.IdempotencyKey != "" {
			f.Known = g.keys[ownKey{tenant.n, e.Event.IdempotencyKey}]
		}
		if stored := g.stored[e.Event.ID]; stored != nil && stored.tenant == tenant.n {
			f.Stored = stored.of(e)
		}
	}
	return facts
}

// missingEndpoint returns an endpoint that is to get the event and is not the tenant's.
func (g *group) missingEndpoint(tenant tenantRef, e *bellwire.NewEvent) string {
	for i := range e.Deliveries {
		if g.isMissing(tenant, e.Deliveries[i].Endpoint) {
			return e.Deliveries[i].Endpoint
		}
	}
	if e.Recipients == nil {
		return ""
	}
	for _, r := range *e.Recipients {
		if g.isMissing(tenant, r.Endpoint) {
			return r.Endpoint
		}
	}
	return ""
}

func (g *group) isMissing(tenant tenantRef, endpoint string) bool {
	ref, known := g.endpoints[endpoint]
	return !known || ref.tenant != tenant.n
}

// of returns the stored event with the numbers of the deliveries that the append gives it.
func (stored *storedEvent) of(e *bellwire.NewEvent) *rules.StoredEvent {
	s := &rules.StoredEvent{CreatedAt: stored.createdAt.UTC(), Deliveries: stored.deliveries, Sequences: make([]int64, len(e.Deliveries))}
	for i := range e.Deliveries {
		d := &e.Deliveries[i]
		row, own := stored.rows[d.ID]
		if !own {
			s.Sequences, s.Behind = nil, nil
			break
		}
		s.Sequences[i] = row.number
		if d.Keyed && (row.freed || row.epoch != d.Epoch) {
			s.Behind = putBehind(s.Behind, len(e.Deliveries), i)
		}
	}
	return s
}

// putBehind sets an element of AppendedEvent.Behind.
func putBehind(behind []bool, deliveries, i int) []bool {
	if behind == nil {
		behind = make([]bool, deliveries)
	}
	behind[i] = true
	return behind
}

// accept adds an event to those that are to be stored. One that the group has already is answered with the first.
func (g *group) accept(tenant int64, e *bellwire.NewEvent, appended *bellwire.AppendedEvent) {
	if first, here := g.here[ownEvent{tenant, e.Event.ID}]; here {
		g.repeats = append(g.repeats, repeat{first, e, appended})
		return
	}
	g.here[ownEvent{tenant, e.Event.ID}] = len(g.accepted)
	numbers := make([]int64, len(e.Deliveries))
	appended.Sequences = numbers
	g.accepted = append(g.accepted, acceptedEvent{tenant: tenant, NewEvent: e, appended: appended, numbers: numbers, deferred: appended.Deferred})
	if e.Event.IdempotencyKey != "" {
		g.keys[ownKey{tenant, e.Event.IdempotencyKey}] = &rules.KnownEvent{ID: e.Event.ID, Digest: e.Digest, Deliveries: e.Count()}
	}
}
