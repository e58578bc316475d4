package sqlite

import (
	"context"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

const (
	sqlImportTenant = "SELECT n FROM tenants WHERE id = ? AND deleted_at IS NULL"
	// sqlAlike finds the events whose deliveries have the same ids.
	sqlAlike       = sqlEvent + "FROM events e LEFT JOIN tenants t ON t.n = e.tenant AND t.deleted_at IS NULL WHERE e.id >= ? AND e.id <= ? ORDER BY e.id"
	sqlImportEvent = `INSERT INTO events (id, tenant, type, idempotency_key, occurred_at, created_at, test, deliveries, data, deliver_at, expires_at,
			ordering_key, erased, version, imported)
		VALUES (?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?, ?, ?, 1)`
)

// ImportEvents stores history.
func (s *Store) ImportEvents(ctx context.Context, events []*bellwire.NewEvent, dryRun bool) (results []bellwire.ImportResult, err error) {
	if dryRun {
		err = s.list(ctx, func(c *db) (err error) {
			results, err = c.decideImports(events, func(int64, *bellwire.NewEvent) error { return nil })
			return err
		})
		return results, err
	}
	err = s.write(ctx, func(w *writer) (err error) {
		results, err = w.decideImports(events, w.importEvent)
		if err != nil {
			return err
		}
		// The newest row no longer says where the clock stands.
		return w.query(sqlSaveClock).int(w.clock).exec()
	})
	return results, err
}

// decideImports decides what becomes of events, and calls store for each that is created.
func (c *db) decideImports(events []*bellwire.NewEvent, store func(tenant int64, e *bellwire.NewEvent) error) ([]bellwire.ImportResult, error) {
	tenants, err := c.importTenants(events)
	if err != nil {
		return nil, err
	}
	results := make([]bellwire.ImportResult, len(events))
	for i, e := range events {
		n := tenants[e.Event.Tenant]
		facts, err := c.importFacts(n, e)
		if err != nil {
			return nil, err
		}
		results[i] = rules.DecideImport(e, facts)
		if results[i].State != bellwire.ImportCreated {
			continue
		}
		if err := store(n, e); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// importTenants returns the numbers of the events' tenants.
func (c *db) importTenants(events []*bellwire.NewEvent) (map[string]int64, error) {
	tenants := make(map[string]int64)
	for _, e := range events {
		if _, known := tenants[e.Event.Tenant]; known {
			continue
		}
		n, found, err := c.query(sqlImportTenant).text(e.Event.Tenant).scalar()
		if err != nil {
			return nil, err
		}
		if !found {
			return nil, bellwire.NotFound("tenant", e.Event.Tenant)
		}
		tenants[e.Event.Tenant] = n
	}
	return tenants, nil
}

func (c *db) importFacts(tenant int64, e *bellwire.NewEvent) (*rules.ImportFacts, error) {
	facts := new(rules.ImportFacts)
	first, last := bellwire.DeliveriesOf(e.Event.ID)
	q := c.query(sqlAlike).blob(first[:]).blob(last[:])
	for q.next() {
		alike, id, err := scanEvent(q)
		if err != nil {
			return nil, firstError(q.close(), err)
		}
		if id == e.Event.ID && alike.Tenant == e.Event.Tenant {
			facts.Stored = alike
		} else {
			facts.Taken = &id
		}
	}
	if q.err != nil || e.Event.IdempotencyKey == "" || facts.Stored != nil {
		return facts, q.err
	}
	known, err := c.known(tenant, e.Event.IdempotencyKey)
	facts.Known = known
	return facts, err
}

func (w *writer) importEvent(tenant int64, n *bellwire.NewEvent) error {
	e := &n.Event
	erased, err := codec.EncodeErased(e)
	if err != nil {
		return err
	}
	q := w.query(sqlImportEvent).blob(e.ID[:]).int(tenant).text(e.Type)
	if e.IdempotencyKey == "" {
		q.null()
	} else {
		q.text(e.IdempotencyKey)
	}
	q.timeOrNull(e.OccurredAt).time(e.CreatedAt).data(e.Data).timeOrNull(e.DeliverAt).timeOrNull(e.ExpiresAt).textOrNull(e.OrderingKey).textOrNull(erased).version(e.Version)
	if err := q.exec(); err != nil || e.IdempotencyKey == "" {
		return err
	}
	return w.query(sqlInsertKey).int(tenant).text(e.IdempotencyKey).blob(e.ID[:]).blob(n.Digest[:]).int(0).exec()
}
