package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// changeable are the parameters for what can be changed of an endpoint, after those given.
func changeable(ep *bellwire.Endpoint, revision int64, j codec.Endpoint, before ...any) []any {
	return append(before, revision, ep.UpdatedAt, string(ep.Status), ep.StatusReason, string(ep.Ordering), ep.Dialect, ep.URL,
		ep.Description, j.Events, j.Retry, ep.RateLimit, int64(ep.MaxInFlight), string(ep.Signing), j.Metadata, j.Extra, ep.Sealed,
		ep.Filter, string(ep.OnError), int64(ep.Timeout), int64(ep.AutoDisableAfter), j.Versions)
}

// CreateEndpoint adds an endpoint. CodeConflict if the id is taken.
func (s *Store) CreateEndpoint(ctx context.Context, ep *bellwire.Endpoint, note bellwire.ChangeNote) error {
	j, err := codec.EncodeEndpoint(ep)
	if err != nil {
		return err
	}
	var revision, catalogue int64
	err = s.write(ctx, func(tx *tx) error {
		tenant, err := tx.holdTenant(ep.Tenant)
		if err != nil {
			return err
		}
		if revision, err = tx.changeTenant(tenant.n); err != nil {
			return err
		}
		err = tx.row(`INSERT INTO bellwire.endpoints (id, tenant, shard, created_at, revision, updated_at, status, status_reason,
				ordering, dialect, url, description, events, retry, rate_limit, max_in_flight, signing, metadata, extra, sealed,
				filter, on_error, timeout, auto_disable_after, versions, catalogue)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, (`+sqlOperatorRevision+`))
			ON CONFLICT (id) DO NOTHING RETURNING catalogue`,
			changeable(ep, revision, j, ep.ID, tenant.n, int16(bellwire.ShardOf(ep.ID)), ep.CreatedAt)...).Scan(&catalogue)
		if errors.Is(err, pgx.ErrNoRows) {
			return bellwire.Errorf(bellwire.CodeConflict, "endpoint %q already exists", ep.ID)
		}
		if err != nil {
			return err
		}
		if err := tx.exec("INSERT INTO bellwire.endpoint_health (endpoint) SELECT n FROM bellwire.endpoints WHERE id = $1", ep.ID); err != nil {
			return err
		}
		if err := tx.addChange(tenant.n, ep.ID, rules.Created(ep, catalogue, note)); err != nil {
			return err
		}
		return s.notify(tx, message{Tenant: ep.Tenant})
	})
	if err == nil {
		ep.Revision, ep.Catalogue = revision, catalogue
	}
	return err
}

// selectEndpoint returns a SELECT of endpoints. The parameters are the expressions for the columns that matching and sending
// do not need.
func selectEndpoint(description, metadata string) string {
	return endpointColumns(description, metadata) + "FROM bellwire.endpoints p JOIN bellwire.tenants t ON t.n = p.tenant "
}

// endpointColumns returns the SELECT clause whose rows scanEndpoint reads, without FROM.
func endpointColumns(description, metadata string) string {
	return `SELECT p.n, p.id, t.id, p.created_at, p.revision, p.updated_at, p.status, p.status_reason, p.ordering, p.dialect,
			p.url, ` + description + `, p.events, p.retry, p.rate_limit, p.max_in_flight, p.signing, ` + metadata + `, p.extra, p.sealed,
			p.filter, p.on_error, p.timeout, p.auto_disable_after, p.deleted_at IS NOT NULL, p.versions, p.catalogue `
}

var (
	sqlEndpoint     = selectEndpoint("p.description", "p.metadata")
	sqlEndpointByID = sqlEndpoint + "WHERE p.id = $1 AND t.deleted_at IS NULL"
	sqlAllEndpoints = sqlEndpoint + "WHERE p.tenant = $1 AND p.deleted_at IS NULL ORDER BY p.n DESC"

	sqlServed          = selectEndpoint("''", "'null'::text")
	sqlServedEndpoints = sqlServed + "WHERE p.tenant = $1 AND p.deleted_at IS NULL ORDER BY p.n DESC"
	sqlServedByID      = sqlServed + "WHERE p.id = ANY($1) AND t.deleted_at IS NULL"
	sqlServedSince     = sqlServed + "WHERE p.tenant = $1 AND p.revision > $2 ORDER BY p.revision DESC LIMIT $3"
	sqlCountLiving     = "SELECT count(*) FROM bellwire.endpoints WHERE tenant = $1 AND deleted_at IS NULL"
)

// scanEndpoint reads a row of sqlEndpoint.
func scanEndpoint(row pgx.Row) (*bellwire.Endpoint, int64, error) {
	var (
		ep                             bellwire.Endpoint
		n, maxInFlight                 int64
		events, retry, metadata, extra []byte
		versions                       []byte
	)
	err := row.Scan(&n, &ep.ID, &ep.Tenant, &ep.CreatedAt, &ep.Revision, &ep.UpdatedAt, (*string)(&ep.Status), &ep.StatusReason,
		(*string)(&ep.Ordering), &ep.Dialect, &ep.URL, &ep.Description, &events, &retry, &ep.RateLimit, &maxInFlight,
		(*string)(&ep.Signing), &metadata, &extra, &ep.Sealed, &ep.Filter, (*string)(&ep.OnError), (*int64)(&ep.Timeout),
		(*int64)(&ep.AutoDisableAfter), &ep.Deleted, &versions, &ep.Catalogue)
	if err != nil {
		return nil, 0, err
	}
	ep.MaxInFlight = int(maxInFlight)
	return &ep, n, errors.Join(json.Unmarshal(events, &ep.Events), json.Unmarshal(retry, &ep.Retry),
		json.Unmarshal(metadata, &ep.Metadata), json.Unmarshal(extra, &ep.Extra), json.Unmarshal(versions, &ep.Versions))
}

// Endpoint finds an endpoint by its id alone; deleted ones too, but none of a deleted tenant.
func (s *Store) Endpoint(ctx context.Context, id string) (*bellwire.Endpoint, error) {
	var ep *bellwire.Endpoint
	err := s.read(ctx, func(tx *tx) (err error) {
		ep, _, err = scanEndpoint(tx.row(sqlEndpointByID, id))
		return orNotFound(err, "endpoint", id)
	})
	return ep, err
}

// EndpointsByID finds endpoints as Endpoint does, without what matching and sending do not need.
func (s *Store) EndpointsByID(ctx context.Context, ids []string) (endpoints []*bellwire.Endpoint, err error) {
	err = s.read(ctx, func(tx *tx) (err error) {
		endpoints, err = pgx.CollectRows(tx.query(sqlServedByID, ids), rowToEndpoint)
		return err
	})
	return endpoints, err
}

// endpointLists returns the statements that list endpoints, by the health that they filter by. of limits them to a tenant.
func endpointLists(of string) map[bellwire.HealthState]string {
	return listsByHealth(sqlEndpoint+"JOIN bellwire.endpoint_health h ON h.endpoint = p.n WHERE "+of+" AND p.n < $2", " ORDER BY p.n DESC LIMIT $5")
}

// waitingLists returns the statements that list endpoints of all tenants for which deliveries wait. They step from endpoint to
// endpoint through the indexes of what waits.
func waitingLists() map[bellwire.HealthState]string {
	return listsByHealth(lineOfWaiting("$2")+endpointColumns("p.description", "p.metadata")+`FROM line CROSS JOIN LATERAL (SELECT * FROM bellwire.endpoints WHERE n = line.endpoint LIMIT 1) p
		CROSS JOIN LATERAL (SELECT * FROM bellwire.tenants WHERE n = p.tenant LIMIT 1) t
		CROSS JOIN LATERAL (SELECT * FROM bellwire.endpoint_health WHERE endpoint = p.n LIMIT 1) h WHERE $1 = ''`+isWaitedFor, " LIMIT $5")
}

// lineOfWaiting begins a statement on the line of the endpoints for which deliveries wait, those with greater numbers first.
func lineOfWaiting(first string) string {
	before := func(n string) string {
		var newest []string
		for _, condition := range waitConditions {
			newest = append(newest, "(SELECT max(endpoint) FROM bellwire.deliveries WHERE "+condition+" AND endpoint < "+n+")")
		}
		return "greatest(" + strings.Join(newest, ", ") + ")"
	}
	return `WITH RECURSIVE line (endpoint) AS (
			SELECT ` + before(first) + ` UNION ALL SELECT ` + before("line.endpoint") + ` FROM line WHERE line.endpoint IS NOT NULL
		) `
}

// waitConditions are those of the indexes in which the deliveries lie that wait.
var waitConditions = []string{"status = 0 AND NOT ordered", "status IN (1, -1) AND NOT ordered", "ordered AND due_at IS NOT NULL"}

// isWaitedFor is true of endpoints for which deliveries wait.
var isWaitedFor = func() string {
	var exist []string
	for _, condition := range waitConditions {
		exist = append(exist, "EXISTS (SELECT FROM bellwire.deliveries WHERE endpoint = p.n AND due_at IS NOT NULL AND "+condition+")")
	}
	return " AND (" + strings.Join(exist, " OR ") + ")"
}()

// listsByHealth returns the statements that begin and end so, with the conditions for each health.
func listsByHealth(begin, end string) map[bellwire.HealthState]string {
	list := func(health string) string {
		return begin + ` AND p.deleted_at IS NULL AND t.deleted_at IS NULL AND ($3 = '' OR p.status = $3) AND ($4 = '' OR p.dialect = $4)
			AND $6::timestamptz IS NOT NULL` + health + end
	}
	const attempted = "greatest(h.last_success_at, h.last_failure_at) > $6"
	return map[bellwire.HealthState]string{
		"":                        list(""),
		bellwire.HealthHealthy:    list(" AND h.state = 0 AND " + attempted),
		bellwire.HealthIdle:       list(" AND h.state = 0 AND (" + attempted + ") IS NOT TRUE"),
		bellwire.HealthFailing:    list(" AND h.state = 1 AND h.state > 0"),
		bellwire.HealthRecovering: list(" AND h.state = 2 AND h.state > 0"),
	}
}

var (
	sqlEndpointsOfTenant = endpointLists("p.tenant = " + theTenant)
	sqlEndpointsOfAll    = endpointLists("$1 = ''")
	sqlWaitingOfTenant   = endpointLists("p.tenant = " + theTenant + isWaitedFor)
	sqlWaitingOfAll      = waitingLists()
)

// endpointListFor returns the statement for a filter.
func endpointListFor(f *bellwire.EndpointFilter) string {
	switch {
	case f.Waiting && f.Tenant == "":
		return sqlWaitingOfAll[f.Health]
	case f.Waiting:
		return sqlWaitingOfTenant[f.Health]
	case f.Tenant == "":
		return sqlEndpointsOfAll[f.Health]
	}
	return sqlEndpointsOfTenant[f.Health]
}

// Endpoints lists endpoints that are not deleted, newest first.
func (s *Store) Endpoints(ctx context.Context, f bellwire.EndpointFilter, page bellwire.Page) (*bellwire.List[*bellwire.Endpoint], error) {
	before, err := codec.RowCursor(page.After)
	if err != nil {
		return nil, err
	}
	sql := endpointListFor(&f)
	list := &lister[*bellwire.Endpoint, int64]{page, scanEndpoint, codec.RowKey, rules.SizeOfEndpoint}
	return list.read(ctx, s, sql, f.Tenant, before, string(f.Status), f.Dialect, list.fetch(), f.Now.Add(-bellwire.HealthIdleAfter))
}

// Patterns returns the event patterns of endpoints that get events.
func (s *Store) Patterns(ctx context.Context, limit int) (all [][]string, err error) {
	err = s.list(ctx, func(tx *tx) error {
		all = nil
		var text string
		rows := tx.query(`SELECT p.events FROM bellwire.endpoints p JOIN bellwire.tenants t ON t.n = p.tenant AND t.deleted_at IS NULL
			WHERE p.deleted_at IS NULL AND p.status <> 'disabled' ORDER BY p.n DESC LIMIT $1`, limit)
		_, err := pgx.ForEachRow(rows, []any{&text}, func() error {
			var patterns []string
			err := json.Unmarshal([]byte(text), &patterns)
			all = append(all, patterns)
			return err
		})
		return err
	})
	return all, err
}

// sqlVersionReaders reads all endpoints. A pattern is the name, or a prefix that ends with *.
const sqlVersionReaders = `SELECT coalesce((p.versions::jsonb -> $1::text ->> 'Since')::bigint, p.catalogue) AS at, count(*), count(*) FILTER (WHERE p.status = 'disabled')
	FROM bellwire.endpoints p JOIN bellwire.tenants t ON t.n = p.tenant AND t.deleted_at IS NULL
	WHERE p.deleted_at IS NULL AND EXISTS
		(SELECT FROM jsonb_array_elements_text(p.events::jsonb) e WHERE e = $1::text OR right(e, 1) = '*' AND starts_with($1::text, left(e, -1)))
	GROUP BY 1 ORDER BY 1`

// VersionReaders counts the endpoints that get each version of an event type.
func (s *Store) VersionReaders(ctx context.Context, eventType string) (all []bellwire.VersionReaders, err error) {
	err = s.list(ctx, func(tx *tx) error {
		all, err = pgx.CollectRows(tx.query(sqlVersionReaders, eventType), pgx.RowToStructByPos[bellwire.VersionReaders])
		return err
	})
	return all, err
}

// TenantEndpoints returns a tenant with all its endpoints, read at one revision.
func (s *Store) TenantEndpoints(ctx context.Context, tenant string) (*bellwire.Tenant, []*bellwire.Endpoint, error) {
	var (
		t         *bellwire.Tenant
		endpoints []*bellwire.Endpoint
	)
	err := s.snapshotOn(ctx, s.lookups, func(tx *tx) error {
		found, n, err := tx.findTenant(tenant)
		if err != nil {
			return err
		}
		t = found
		endpoints, err = pgx.CollectRows(tx.query(sqlAllEndpoints, n), rowToEndpoint)
		return err
	})
	return t, endpoints, err
}

func rowToEndpoint(row pgx.CollectableRow) (*bellwire.Endpoint, error) {
	ep, _, err := scanEndpoint(row)
	return ep, err
}

// EndpointsSince returns what has changed among a tenant's endpoints since a revision.
func (s *Store) EndpointsSince(ctx context.Context, tenant string, revision int64) (*bellwire.EndpointChanges, error) {
	var changes *bellwire.EndpointChanges
	err := s.snapshotOn(ctx, s.lookups, func(tx *tx) error {
		t, n, err := tx.findTenant(tenant)
		if err != nil {
			return err
		}
		changes = &bellwire.EndpointChanges{Tenant: t, Since: revision}
		if err := tx.row(sqlCountLiving, n).Scan(&changes.Total); err != nil {
			return err
		}
		if revision > 0 {
			changes.Changed, err = pgx.CollectRows(tx.query(sqlServedSince, n, revision, bellwire.MaxEndpointChanges+1), rowToEndpoint)
			if err != nil || len(changes.Changed) <= bellwire.MaxEndpointChanges {
				return err
			}
		}
		changes.Since = 0
		changes.Changed, err = pgx.CollectRows(tx.query(sqlServedEndpoints, n), rowToEndpoint)
		return err
	})
	return changes, err
}

// sqlBefore reads what a change of an endpoint is compared with.
const sqlBefore = "SELECT status, url FROM bellwire.endpoints WHERE n = $1"

// UpdateEndpoint replaces the endpoint, if it is still at ep.Revision.
func (s *Store) UpdateEndpoint(ctx context.Context, ep *bellwire.Endpoint, note bellwire.ChangeNote) error {
	j, err := codec.EncodeEndpoint(ep)
	if err != nil {
		return err
	}
	var revision int64
	err = s.write(ctx, func(tx *tx) (err error) {
		revision, err = s.updateEndpoint(tx, ep, note, j)
		return err
	})
	if err == nil {
		ep.Revision = revision
	}
	return err
}

// updateEndpoint changes an endpoint, and returns its new revision.
func (s *Store) updateEndpoint(tx *tx, ep *bellwire.Endpoint, note bellwire.ChangeNote, j codec.Endpoint) (revision int64, err error) {
	n, tenant, current, err := tx.holdEndpoint(ep.Tenant, ep.ID)
	if err != nil {
		return 0, err
	}
	if current != ep.Revision {
		return 0, rules.StaleVersion("endpoint", ep.ID)
	}
	var before bellwire.Endpoint
	if err := tx.row(sqlBefore, n).Scan((*string)(&before.Status), &before.URL); err != nil {
		return 0, err
	}
	if bellwire.Restarts(&before, ep) {
		if err := tx.restartHealth(n, ep.UpdatedAt, before.URL != ep.URL); err != nil {
			return 0, err
		}
	}
	if revision, err = tx.changeTenant(tenant); err != nil {
		return 0, err
	}
	if err := s.notify(tx, message{Tenant: ep.Tenant, Endpoints: []string{ep.ID}}); err != nil {
		return 0, err
	}
	err = tx.exec(`UPDATE bellwire.endpoints SET revision = $2, updated_at = $3, status = $4, status_reason = $5, ordering = $6,
			dialect = $7, url = $8, description = $9, events = $10, retry = $11, rate_limit = $12, max_in_flight = $13,
			signing = $14, metadata = $15, extra = $16, sealed = $17, filter = $18,
			on_error = $19, timeout = $20, auto_disable_after = $21, versions = $22
		WHERE n = $1`, changeable(ep, revision, j, n)...)
	if err != nil {
		return 0, err
	}
	return revision, tx.addChange(tenant, ep.ID, rules.Updated(ep, note))
}

// holdEndpoint finds an endpoint of the tenant, and keeps others from changing either.
func (t *tx) holdEndpoint(tenant, id string) (n, owner, revision int64, err error) {
	ref, err := t.holdTenant(tenant)
	if err != nil {
		return 0, 0, 0, err
	}
	err = t.row("SELECT n, revision FROM bellwire.endpoints WHERE id = $1 AND tenant = $2 AND deleted_at IS NULL", id, ref.n).Scan(&n, &revision)
	return n, ref.n, revision, orNotFound(err, "endpoint", id)
}

// DeleteEndpoint leaves a tombstone, so that deliveries can still name it.
func (s *Store) DeleteEndpoint(ctx context.Context, tenant, id string, now time.Time, note bellwire.ChangeNote) error {
	return s.write(ctx, func(tx *tx) error {
		n, owner, _, err := tx.holdEndpoint(tenant, id)
		if err != nil {
			return err
		}
		revision, err := tx.changeTenant(owner)
		if err != nil {
			return err
		}
		if err := s.notify(tx, message{Tenant: tenant, Endpoints: []string{id}}); err != nil {
			return err
		}
		err = tx.exec("UPDATE bellwire.endpoints SET sealed = NULL, deleted_at = $1, updated_at = $1, revision = $2 WHERE n = $3",
			now, revision, n)
		if err != nil {
			return err
		}
		return tx.addChange(owner, id, rules.Deleted(now, note))
	})
}
