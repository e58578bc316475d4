package sqlite

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// CreateEndpoint adds an endpoint. CodeConflict if the id is taken.
func (s *Store) CreateEndpoint(ctx context.Context, ep *bellwire.Endpoint, note bellwire.ChangeNote) error {
	j, err := codec.EncodeEndpoint(ep)
	if err != nil {
		return err
	}
	var revision, catalogue int64
	err = s.write(ctx, func(w *writer) error {
		tenant, err := w.tenant(ep.Tenant)
		if err != nil {
			return err
		}
		_, taken, err := w.query("SELECT 1 FROM endpoints WHERE id = ?").text(ep.ID).scalar()
		if err != nil {
			return err
		}
		if taken {
			return bellwire.Errorf(bellwire.CodeConflict, "endpoint %q already exists", ep.ID)
		}
		if catalogue, err = w.operatorRevision(); err != nil {
			return err
		}
		change, err := w.prepareChange(tenant.n, ep.ID, rules.Created(ep, catalogue, note))
		if err != nil {
			return err
		}
		delete(w.refs.endpoints, ep.ID) // one of a deleted tenant may have had the id
		if revision, err = w.changeTenant(tenant.n); err != nil {
			return err
		}
		err = w.query(`INSERT INTO endpoints (id, tenant, created_at, revision, updated_at, status, status_reason,
				ordering, dialect, url, description, events, retry, rate_limit, max_in_flight, signing, metadata, extra, sealed,
				filter, on_error, timeout, auto_disable_after, versions, catalogue)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`).
			text(ep.ID).int(tenant.n).time(ep.CreatedAt).changeable(ep, revision, j).int(catalogue).exec()
		if err != nil {
			return err
		}
		return firstError(
			w.query("INSERT INTO endpoint_health (endpoint) VALUES (?)").int(w.conn.LastInsertRowID()).exec(),
			w.storeChange(change),
		)
	})
	if err == nil {
		ep.Revision, ep.Catalogue = revision, catalogue
	}
	return err
}

// changeable binds what can be changed of an endpoint.
func (q *query) changeable(ep *bellwire.Endpoint, revision int64, j codec.Endpoint) *query {
	return q.int(revision).time(ep.UpdatedAt).text(string(ep.Status)).text(ep.StatusReason).
		text(string(ep.Ordering)).text(ep.Dialect).text(ep.URL).text(ep.Description).text(j.Events).text(j.Retry).
		float(ep.RateLimit).int(int64(ep.MaxInFlight)).text(string(ep.Signing)).text(j.Metadata).text(j.Extra).blob(ep.Sealed).
		text(ep.Filter).text(string(ep.OnError)).int(int64(ep.Timeout)).int(int64(ep.AutoDisableAfter)).text(j.Versions)
}

// selectEndpoint returns a SELECT of endpoints. The parameters are the expressions for the columns that matching and sending
// do not need.
func selectEndpoint(description, metadata string) string {
	return endpointColumns(description, metadata) + "FROM endpoints p JOIN tenants t ON t.n = p.tenant "
}

// selectEndpointFrom returns the SELECT of sqlEndpoint with another FROM clause.
func selectEndpointFrom(tables string) string {
	return endpointColumns("p.description", "p.metadata") + "FROM " + tables + " "
}

// endpointColumns returns the SELECT clause whose rows scanEndpoint reads, without FROM.
func endpointColumns(description, metadata string) string {
	return `SELECT p.n, p.id, t.id, p.created_at, p.revision, p.updated_at, p.status, p.status_reason, p.ordering, p.dialect,
			p.url, ` + description + `, p.events, p.retry, p.rate_limit, p.max_in_flight, p.signing, ` + metadata + `, p.extra, p.sealed,
			p.filter, p.on_error, p.timeout, p.auto_disable_after, p.deleted_at IS NOT NULL, p.versions, p.catalogue `
}

var (
	sqlEndpoint     = selectEndpoint("p.description", "p.metadata")
	sqlEndpointByID = sqlEndpoint + "WHERE p.id = ? AND t.deleted_at IS NULL"

	sqlServed          = selectEndpoint("''", "'null'")
	sqlServedEndpoints = sqlServed + "WHERE p.tenant = ?1 AND p.deleted_at IS NULL ORDER BY p.n DESC"
	sqlServedByID      = sqlServed + "WHERE p.id = ? AND t.deleted_at IS NULL"
	sqlServedSince     = sqlServed + "WHERE p.tenant = ?1 AND p.revision > ?2 ORDER BY p.revision DESC LIMIT +?3"
	sqlCountLiving     = "SELECT count(*) FROM endpoints WHERE tenant = ? AND deleted_at IS NULL"
)

// scanEndpoint reads a row of sqlEndpoint.
func scanEndpoint(q *query) (*bellwire.Endpoint, int64, error) {
	n := q.getInt()
	ep := &bellwire.Endpoint{
		ID: q.getText(), Tenant: q.getText(), CreatedAt: q.getTime(), Revision: q.getInt(), UpdatedAt: q.getTime(),
		Status: bellwire.EndpointStatus(q.getText()), StatusReason: q.getText(), Ordering: bellwire.Ordering(q.getText()),
		Dialect: q.getText(), URL: q.getText(), Description: q.getText(),
	}
	err := firstError(
		json.Unmarshal([]byte(q.getText()), &ep.Events),
		json.Unmarshal([]byte(q.getText()), &ep.Retry),
	)
	ep.RateLimit, ep.MaxInFlight, ep.Signing = q.getFloat(), int(q.getInt()), bellwire.Signing(q.getText())
	err = firstError(err,
		json.Unmarshal([]byte(q.getText()), &ep.Metadata),
		json.Unmarshal([]byte(q.getText()), &ep.Extra),
	)
	ep.Sealed, ep.Filter, ep.OnError = q.getBlob(), q.getText(), bellwire.OnError(q.getText())
	ep.Timeout, ep.AutoDisableAfter, ep.Deleted = time.Duration(q.getInt()), time.Duration(q.getInt()), q.getBool()
	err = firstError(err, json.Unmarshal([]byte(q.getText()), &ep.Versions))
	ep.Catalogue = q.getInt()
	return ep, n, err
}

// Endpoint finds an endpoint by its id alone; deleted ones too, but none of a deleted tenant.
func (s *Store) Endpoint(ctx context.Context, id string) (*bellwire.Endpoint, error) {
	var ep *bellwire.Endpoint
	err := s.read(ctx, func(c *db) error {
		q := c.query(sqlEndpointByID).text(id)
		found, err := q.one()
		if err != nil {
			return err
		}
		if !found {
			return bellwire.NotFound("endpoint", id)
		}
		ep, _, err = scanEndpoint(q)
		return firstError(err, q.close())
	})
	return ep, err
}

// EndpointsByID finds endpoints as Endpoint does, without what matching and sending do not need.
func (s *Store) EndpointsByID(ctx context.Context, ids []string) (endpoints []*bellwire.Endpoint, err error) {
	err = s.read(ctx, snapshot(func(c *db) error {
		endpoints = nil
		for _, id := range ids {
			found, err := scanEndpoints(c.query(sqlServedByID).text(id))
			if err != nil {
				return err
			}
			endpoints = append(endpoints, found...)
		}
		return nil
	}))
	return endpoints, err
}

// endpointLists returns the statements that list endpoints of a tenant, by the health that they filter by.
func endpointLists(of string) map[bellwire.HealthState]string {
	return listsByHealth(func(health string) string {
		return sqlEndpoint + "WHERE " + of + " AND p.n < ?2" + listedEndpoints + health + " ORDER BY p.n DESC LIMIT +?5"
	})
}

// allEndpointLists returns the statements that list endpoints of all tenants. Those by health step through an index of the health.
func allEndpointLists() map[bellwire.HealthState]string {
	const all = "WHERE ?1 = '' AND p.n < ?2" + listedEndpoints + " AND ?6 IS NOT NULL ORDER BY p.n DESC LIMIT +?5"
	list := func(index, health string) string {
		return selectEndpointFrom("endpoint_health h INDEXED BY endpoint_health_"+index+" CROSS JOIN endpoints p ON p.n = h.endpoint CROSS JOIN tenants t ON t.n = p.tenant") +
			"WHERE ?1 = '' AND h.endpoint < ?2 AND " + health + listedEndpoints + " ORDER BY h.endpoint DESC LIMIT +?5"
	}
	return map[bellwire.HealthState]string{
		"":                        sqlEndpoint + all,
		bellwire.HealthHealthy:    list("well", "state = 0 AND "+isAttempted),
		bellwire.HealthIdle:       list("well", "state = 0 AND NOT "+isAttempted),
		bellwire.HealthFailing:    list("unwell", "state > 0 AND state = 1 AND ?6 IS NOT NULL"),
		bellwire.HealthRecovering: list("unwell", "state > 0 AND state = 2 AND ?6 IS NOT NULL"),
	}
}

// isAttempted is true of the health of an endpoint that is not idle.
const isAttempted = "max(coalesce(last_success_at, 0), coalesce(last_failure_at, 0)) > ?6"

const listedEndpoints = " AND p.deleted_at IS NULL AND t.deleted_at IS NULL AND (?3 = '' OR p.status = ?3) AND (?4 = '' OR p.dialect = ?4)"

// waitingLists returns the statements that list endpoints of all tenants for which deliveries wait. They step from endpoint to
// endpoint through the indexes of what waits.
func waitingLists() map[bellwire.HealthState]string {
	return listsByHealth(func(health string) string {
		return lineOfWaiting("?2") + selectEndpointFrom("line CROSS JOIN endpoints p ON p.n = line.endpoint CROSS JOIN tenants t ON t.n = p.tenant") +
			"WHERE ?1 = ''" + isWaitedFor + listedEndpoints + health + " LIMIT +?5"
	})
}

// lineOfWaiting returns a WITH clause whose table line lists the endpoints with waiting deliveries, in descending order of their
// numbers.
func lineOfWaiting(first string) string {
	before := func(n string) string {
		var newest []string
		for _, condition := range []string{isPending, isLater, isOrdered} {
			newest = append(newest, "ifnull((SELECT max(endpoint) FROM deliveries WHERE "+condition+" AND endpoint < "+n+"), 0)")
		}
		return "nullif(max(" + strings.Join(newest, ", ") + "), 0)"
	}
	return `WITH RECURSIVE line (endpoint) AS (
			SELECT ` + before(first) + ` UNION ALL SELECT ` + before("line.endpoint") + ` FROM line WHERE line.endpoint IS NOT NULL
		) `
}

// isWaitedFor is true of endpoints for which deliveries wait.
var isWaitedFor = func() string {
	var exist []string
	for _, condition := range []string{isPending + " AND due_at IS NOT NULL", isLater, isOrdered} {
		exist = append(exist, "EXISTS (SELECT 1 FROM deliveries WHERE endpoint = p.n AND "+condition+")")
	}
	return " AND (" + strings.Join(exist, " OR ") + ")"
}()

// listsByHealth returns the statements that list makes of conditions for each health.
func listsByHealth(list func(health string) string) map[bellwire.HealthState]string {
	is := func(health string) string {
		return " AND EXISTS (SELECT 1 FROM endpoint_health WHERE endpoint = p.n AND " + health + ")"
	}
	return map[bellwire.HealthState]string{
		"":                        list(" AND ?6 IS NOT NULL"),
		bellwire.HealthHealthy:    list(is("state = 0 AND " + isAttempted)),
		bellwire.HealthIdle:       list(is("state = 0 AND NOT " + isAttempted)),
		bellwire.HealthFailing:    list(is("state = 1 AND ?6 IS NOT NULL")),
		bellwire.HealthRecovering: list(is("state = 2 AND ?6 IS NOT NULL")),
	}
}

const ofTheTenant = "p.tenant = (SELECT n FROM tenants WHERE id = ?1 AND deleted_at IS NULL)"

var (
	sqlEndpointsOfTenant = endpointLists(ofTheTenant)
	sqlEndpointsOfAll    = allEndpointLists()
	sqlWaitingOfTenant   = endpointLists(ofTheTenant + isWaitedFor)
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
	list := newLister(page, scanEndpoint, codec.RowKey, rules.SizeOfEndpoint)
	return list.read(ctx, s, func(c *db) *query {
		return c.query(sql).text(f.Tenant).int(before).text(string(f.Status)).text(f.Dialect).int(list.fetch()).
			time(f.Now.Add(-bellwire.HealthIdleAfter))
	})
}

// Patterns returns the event patterns of endpoints that get events.
func (s *Store) Patterns(ctx context.Context, limit int) (all [][]string, err error) {
	err = s.list(ctx, func(c *db) error {
		all = nil
		q := c.query(`SELECT p.events FROM endpoints p CROSS JOIN tenants t ON t.n = p.tenant WHERE p.n > 0 AND p.deleted_at IS NULL AND t.deleted_at IS NULL
			AND p.status <> 'disabled' ORDER BY p.n DESC LIMIT +?`).int(int64(limit))
		for q.next() {
			var patterns []string
			if err := json.Unmarshal([]byte(q.getText()), &patterns); err != nil {
				return firstError(q.close(), err)
			}
			all = append(all, patterns)
		}
		return q.err
	})
	return all, err
}

// sqlVersionReaders reads all endpoints. A pattern is the name, or a prefix that ends with *.
const sqlVersionReaders = `SELECT CASE WHEN json_type(p.versions, '$."' || ?1 || '"') IS NULL THEN p.catalogue ELSE json_extract(p.versions, '$."' || ?1 || '".Since') END,
		count(*), sum(p.status = 'disabled')
	FROM endpoints p CROSS JOIN tenants t ON t.n = p.tenant WHERE p.n > 0 AND p.deleted_at IS NULL AND t.deleted_at IS NULL AND EXISTS
		(SELECT 1 FROM json_each(p.events) WHERE value = ?1 OR value LIKE '%*' AND substr(?1, 1, length(value) - 1) = substr(value, 1, length(value) - 1))
	GROUP BY 1 ORDER BY 1`

// VersionReaders counts the endpoints that get each version of an event type.
func (s *Store) VersionReaders(ctx context.Context, eventType string) (all []bellwire.VersionReaders, err error) {
	err = s.list(ctx, func(c *db) error {
		all = nil
		q := c.query(sqlVersionReaders).text(eventType)
		for q.next() {
			all = append(all, bellwire.VersionReaders{At: q.getInt(), Endpoints: int(q.getInt()), Disabled: int(q.getInt())})
		}
		return q.err
	})
	return all, err
}

// TenantEndpoints returns a tenant with all its endpoints, read at one revision.
func (s *Store) TenantEndpoints(ctx context.Context, tenant string) (*bellwire.Tenant, []*bellwire.Endpoint, error) {
	var (
		t         *bellwire.Tenant
		endpoints []*bellwire.Endpoint
	)
	err := s.read(ctx, snapshot(func(c *db) error {
		found, n, err := c.findTenant(tenant)
		if err != nil {
			return err
		}
		t = found
		endpoints, err = scanEndpoints(c.query(sqlEndpoint + "WHERE p.tenant = ? AND p.deleted_at IS NULL ORDER BY p.n DESC").int(n))
		return err
	}))
	return t, endpoints, err
}

func scanEndpoints(q *query) (endpoints []*bellwire.Endpoint, err error) {
	for q.next() {
		ep, _, err := scanEndpoint(q)
		if err != nil {
			return nil, firstError(q.close(), err)
		}
		endpoints = append(endpoints, ep)
	}
	return endpoints, q.err
}

// EndpointsSince returns what has changed among a tenant's endpoints since a revision.
func (s *Store) EndpointsSince(ctx context.Context, tenant string, revision int64) (*bellwire.EndpointChanges, error) {
	var changes *bellwire.EndpointChanges
	err := s.read(ctx, snapshot(func(c *db) error {
		t, n, err := c.findTenant(tenant)
		if err != nil {
			return err
		}
		changes = &bellwire.EndpointChanges{Tenant: t, Since: revision}
		living, _, err := c.query(sqlCountLiving).int(n).scalar()
		if err != nil {
			return err
		}
		changes.Total = int(living)
		if revision > 0 {
			q := c.query(sqlServedSince).int(n).int(revision).int(bellwire.MaxEndpointChanges + 1)
			if changes.Changed, err = scanEndpoints(q); err != nil || len(changes.Changed) <= bellwire.MaxEndpointChanges {
				return err
			}
		}
		changes.Since = 0
		changes.Changed, err = scanEndpoints(c.query(sqlServedEndpoints).int(n))
		return err
	}))
	return changes, err
}

// UpdateEndpoint replaces the endpoint, if it is still at ep.Revision.
func (s *Store) UpdateEndpoint(ctx context.Context, ep *bellwire.Endpoint, note bellwire.ChangeNote) error {
	nothing := func(*writer, int64) error { return nil }
	return s.updateEndpoint(ctx, ep, note, companion{nothing, nothing})
}

// companion is what is stored together with the change of an endpoint. refuse writes nothing, and runs first.
type companion struct {
	refuse, store func(w *writer, tenant int64) error
}

// updateEndpoint changes an endpoint, and stores its companion in the same transaction.
func (s *Store) updateEndpoint(ctx context.Context, ep *bellwire.Endpoint, note bellwire.ChangeNote, with companion) error {
	j, err := codec.EncodeEndpoint(ep)
	if err != nil {
		return err
	}
	var revision int64
	err = s.write(ctx, func(w *writer) error {
		ref, err := w.ownEndpoint(ep.Tenant, ep.ID)
		if err != nil {
			return err
		}
		before, err := w.endpointBefore(ref.n)
		if err != nil {
			return err
		}
		if before.Revision != ep.Revision {
			return rules.StaleVersion("endpoint", ep.ID)
		}
		change, err := w.prepareChange(ref.tenant, ep.ID, rules.Updated(ep, note))
		if err != nil {
			return err
		}
		if err := with.refuse(w, ref.tenant); err != nil {
			return err
		}
		if bellwire.Restarts(before, ep) {
			if err := w.restartHealth(ref.n, ep.UpdatedAt, before.URL != ep.URL); err != nil {
				return err
			}
		}
		if revision, err = w.changeTenant(ref.tenant); err != nil {
			return err
		}
		return firstError(
			w.query(`UPDATE endpoints SET revision = ?, updated_at = ?, status = ?, status_reason = ?, ordering = ?, dialect = ?,
					url = ?, description = ?, events = ?, retry = ?, rate_limit = ?, max_in_flight = ?, signing = ?, metadata = ?,
					extra = ?, sealed = ?, filter = ?, on_error = ?, timeout = ?, auto_disable_after = ?, versions = ?
				WHERE n = ?`).changeable(ep, revision, j).int(ref.n).exec(),
			w.storeChange(change),
			with.store(w, ref.tenant),
		)
	})
	if err == nil {
		ep.Revision = revision
	}
	return err
}

// endpointBefore reads what a change of an endpoint is compared with.
func (w *writer) endpointBefore(n int64) (*bellwire.Endpoint, error) {
	q := w.query("SELECT revision, status, url FROM endpoints WHERE n = ?").int(n)
	if _, err := q.one(); err != nil {
		return nil, err
	}
	before := &bellwire.Endpoint{Revision: q.getInt(), Status: bellwire.EndpointStatus(q.getText()), URL: q.getText()}
	return before, q.close()
}

// ownEndpoint finds an endpoint of the tenant.
func (w *writer) ownEndpoint(tenant, id string) (endpointRef, error) {
	owner, err := w.tenant(tenant)
	if err != nil {
		return endpointRef{}, err
	}
	ref, err := w.endpoint(id)
	if err != nil {
		return endpointRef{}, err
	}
	if ref.tenant != owner.n || ref.deleted {
		return endpointRef{}, bellwire.NotFound("endpoint", id)
	}
	return ref, nil
}

// DeleteEndpoint leaves a tombstone, so that deliveries can still name it.
func (s *Store) DeleteEndpoint(ctx context.Context, tenant, id string, now time.Time, note bellwire.ChangeNote) error {
	return s.write(ctx, func(w *writer) error {
		ref, err := w.ownEndpoint(tenant, id)
		if err != nil {
			return err
		}
		change, err := w.prepareChange(ref.tenant, id, rules.Deleted(now, note))
		if err != nil {
			return err
		}
		revision, err := w.changeTenant(ref.tenant)
		if err != nil {
			return err
		}
		delete(w.refs.endpoints, id)
		err = w.query("UPDATE endpoints SET sealed = NULL, deleted_at = ?1, updated_at = ?1, revision = ?2 WHERE n = ?3").
			time(now).int(revision).int(ref.n).exec()
		if err != nil {
			return err
		}
		if _, err := w.settle(ref.n, maxSettled); err != nil {
			return err
		}
		return w.storeChange(change)
	})
}

// maxSettled is how many of an endpoint's deliveries are settled when it is deleted. It bounds how long the writer is busy with one.
const maxSettled = 1000

// sqlUnsettledOf selects the oldest of an endpoint's deliveries that are not settled, in whichever state.
var sqlUnsettledOf = func() string {
	var selects []string
	for _, r := range everyStatus {
		selects = append(selects, "SELECT id FROM deliveries WHERE endpoint = ?1 AND id >= (SELECT settled_to FROM endpoints WHERE n = ?1) AND "+r)
	}
	return strings.Join(selects, " UNION ALL ") + " ORDER BY id LIMIT +?2"
}()

// settle makes up to limit deliveries of a deleted endpoint ones of deleted endpoints, which are listed together. It begins with
// the oldest, and returns how many there were. The endpoint is settled when none is left. Deliveries that are stored later among
// settled ones are settled at once.
func (w *writer) settle(endpoint int64, limit int) (settled int, err error) {
	all, err := ids(w.query(sqlUnsettledOf).int(endpoint).int(int64(limit) + 1))
	if err != nil {
		return 0, err
	}
	if len(all) <= limit {
		return len(all), firstError(w.markDeleted(all), w.query("UPDATE endpoints SET settled = 1 WHERE n = ?").int(endpoint).exec())
	}
	rest := all[limit]
	return limit, firstError(
		w.markDeleted(all[:limit]),
		w.query("UPDATE endpoints SET settled_to = ? WHERE n = ?").blob(rest[:]).int(endpoint).exec(),
	)
}

func (w *writer) markDeleted(deliveries []bellwire.DeliveryID) error {
	for _, id := range deliveries {
		if err := w.query("UPDATE deliveries SET of_deleted = 1 WHERE id = ?").blob(id[:]).exec(); err != nil {
			return err
		}
	}
	return nil
}
