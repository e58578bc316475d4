package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/store/codec"
	"github.com/bellwire/bellwire/internal/store/rules"
)

// CreateTenant adds a tenant. CodeConflict if the id is taken.
func (s *Store) CreateTenant(ctx context.Context, t *bellwire.Tenant) error {
	j, err := codec.EncodeTenant(t)
	if err != nil {
		return err
	}
	var revision int64
	err = s.write(ctx, func(tx *tx) error {
		err := tx.row(`INSERT INTO bellwire.tenants (id, name, metadata, limits, created_at, updated_at, paused, status_reason,
				status_since, operational_events, dialects, revision)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, nextval('bellwire.revisions'))
			ON CONFLICT (id) WHERE deleted_at IS NULL DO NOTHING RETURNING revision`,
			t.ID, t.Name, j.Metadata, j.Limits, t.CreatedAt, t.UpdatedAt, t.Paused, t.StatusReason, orNull(t.StatusSince), t.OperationalEvents,
			j.Dialects).Scan(&revision)
		if errors.Is(err, pgx.ErrNoRows) {
			return bellwire.Errorf(bellwire.CodeConflict, "tenant %q already exists", t.ID)
		}
		return err
	})
	if err == nil {
		t.Revision = revision
	}
	return err
}

const (
	sqlTenant     = "SELECT n, id, name, metadata, limits, dialects, paused, status_reason, status_since, created_at, updated_at, revision, operational_events FROM bellwire.tenants "
	sqlTenantByID = sqlTenant + "WHERE id = $1 AND deleted_at IS NULL"
	sqlTenants    = sqlTenant + "WHERE n < $1 AND deleted_at IS NULL ORDER BY n DESC LIMIT $2"
	sqlOldest     = sqlTenant + "WHERE n > $1 AND deleted_at IS NULL ORDER BY n LIMIT $2"
	// theTenant is the number of the tenant whose id is the first parameter.
	theTenant = "(SELECT n FROM bellwire.tenants WHERE id = $1 AND deleted_at IS NULL)"
)

// scanTenant reads a row of sqlTenant.
func scanTenant(row pgx.Row) (*bellwire.Tenant, int64, error) {
	var (
		t                          bellwire.Tenant
		n                          int64
		metadata, limits, dialects []byte
		since                      *time.Time
	)
	if err := row.Scan(&n, &t.ID, &t.Name, &metadata, &limits, &dialects, &t.Paused, &t.StatusReason, &since, &t.CreatedAt, &t.UpdatedAt,
		&t.Revision, &t.OperationalEvents); err != nil {
		return nil, 0, err
	}
	if since != nil {
		t.StatusSince = *since
	}
	return &t, n, errors.Join(json.Unmarshal(metadata, &t.Metadata), json.Unmarshal(limits, &t.Limits), json.Unmarshal(dialects, &t.Dialects))
}

// Tenant finds a tenant.
func (s *Store) Tenant(ctx context.Context, id string) (*bellwire.Tenant, error) {
	var tenant *bellwire.Tenant
	err := s.read(ctx, func(tx *tx) (err error) {
		tenant, _, err = tx.findTenant(id)
		return err
	})
	return tenant, err
}

const (
	sqlTenantDeletedAt = "SELECT max(deleted_at) FROM bellwire.tenants WHERE deleted_at IS NOT NULL AND id = $1"
	sqlEventsOfDeleted = `SELECT count(*) FROM (SELECT FROM bellwire.tenants t
		CROSS JOIN LATERAL (SELECT FROM bellwire.events WHERE tenant = t.n LIMIT $1) e WHERE t.deleted_at IS NOT NULL LIMIT $1) counted`
)

// DeletedTenant returns a tenant of which rows are left.
func (s *Store) DeletedTenant(ctx context.Context, id string, limit int) (*bellwire.DeletedTenant, error) {
	var (
		at     *time.Time
		events int64
	)
	err := s.read(ctx, func(tx *tx) error {
		if err := tx.row(sqlTenantDeletedAt, id).Scan(&at); err != nil || at == nil {
			return err
		}
		return tx.row(sqlEventsOfDeleted, limit).Scan(&events)
	})
	if err != nil || at == nil {
		return nil, err
	}
	return &bellwire.DeletedTenant{DeletedAt: at.UTC(), Events: int(events)}, nil
}

func (t *tx) findTenant(id string) (tenant *bellwire.Tenant, n int64, err error) {
	tenant, n, err = scanTenant(t.row(sqlTenantByID, id))
	return tenant, n, orNotFound(err, "tenant", id)
}

// Tenants lists the tenants, newest first.
func (s *Store) Tenants(ctx context.Context, page bellwire.Page) (*bellwire.List[*bellwire.Tenant], error) {
	before, err := codec.RowCursor(page.After)
	if err != nil {
		return nil, err
	}
	list := &lister[*bellwire.Tenant, int64]{page, scanTenant, codec.RowKey, rules.SizeOfTenant}
	return list.read(ctx, s, sqlTenants, before, list.fetch())
}

// OldestTenants lists the tenants, oldest first.
func (s *Store) OldestTenants(ctx context.Context, page bellwire.Page) (*bellwire.List[*bellwire.Tenant], error) {
	after, err := codec.RowCursorAfter(page.After)
	if err != nil {
		return nil, err
	}
	list := &lister[*bellwire.Tenant, int64]{page, scanTenant, codec.RowKey, rules.SizeOfTenant}
	return list.read(ctx, s, sqlOldest, after, list.fetch())
}

// UpdateTenant replaces the tenant, if it is still at t.Revision.
func (s *Store) UpdateTenant(ctx context.Context, t *bellwire.Tenant) error {
	j, err := codec.EncodeTenant(t)
	if err != nil {
		return err
	}
	var revision int64
	err = s.write(ctx, func(tx *tx) error {
		ref, err := tx.holdTenant(t.ID)
		if err != nil {
			return err
		}
		if ref.revision != t.Revision {
			return rules.StaleVersion("tenant", t.ID)
		}
		if revision, err = tx.changeTenant(ref.n); err != nil {
			return err
		}
		limited, err := pgx.CollectRows(tx.query(sqlNewlyLimited, ref.n, j.Limits, t.Paused, j.Dialects), pgx.RowTo[string])
		if err != nil {
			return err
		}
		if err := s.notify(tx, message{Tenant: t.ID, Endpoints: limited}); err != nil {
			return err
		}
		return tx.exec(`UPDATE bellwire.tenants SET name = $1, metadata = $2, limits = $3, updated_at = $4, paused = $5, status_reason = $6,
			status_since = $7, operational_events = $9, dialects = $10 WHERE n = $8`,
			t.Name, j.Metadata, j.Limits, t.UpdatedAt, t.Paused, t.StatusReason, orNull(t.StatusSince), ref.n, t.OperationalEvents, j.Dialects)
	})
	if err == nil {
		t.Revision = revision
	}
	return err
}

// sqlNewlyLimited selects the tenant's endpoints if its limits, its status or its settings of dialects are about to change, so that
// their owners are notified.
const sqlNewlyLimited = `SELECT p.id FROM bellwire.tenants t JOIN bellwire.endpoints p ON p.tenant = t.n
	WHERE t.n = $1 AND (t.limits <> $2 OR t.paused <> $3 OR t.dialects <> $4) AND p.deleted_at IS NULL`

// DeleteTenant hides the tenant and all it has. Purge removes the rows.
func (s *Store) DeleteTenant(ctx context.Context, id string, now time.Time) error {
	return s.write(ctx, func(tx *tx) error {
		ref, err := tx.holdTenant(id)
		if err != nil {
			return err
		}
		if err := s.notify(tx, message{Tenant: id}); err != nil {
			return err
		}
		return tx.exec("UPDATE bellwire.tenants SET deleted_at = $1 WHERE n = $2", now, ref.n)
	})
}

type tenantRef struct{ n, revision int64 }

// holdTenant finds a tenant that is not deleted, and keeps other transactions from changing it or what it has. Every change
// of a tenant begins with this lock, so that two of them cannot deadlock.
func (t *tx) holdTenant(id string) (ref tenantRef, err error) {
	err = t.row("SELECT n, revision FROM bellwire.tenants WHERE id = $1 AND deleted_at IS NULL FOR UPDATE", id).Scan(&ref.n, &ref.revision)
	return ref, orNotFound(err, "tenant", id)
}

// changeTenant raises a tenant's revision.
func (t *tx) changeTenant(n int64) (revision int64, err error) {
	err = t.row("UPDATE bellwire.tenants SET revision = nextval('bellwire.revisions') WHERE n = $1 RETURNING revision", n).Scan(&revision)
	return revision, err
}

// changeOperator raises the operator's revision.
func (s *Store) changeOperator(tx *tx) error {
	if err := s.notify(tx, message{Configuration: true}); err != nil {
		return err
	}
	return tx.exec("UPDATE bellwire.meta SET number = nextval('bellwire.revisions') WHERE name = 'operator_revision'")
}

const sqlOperatorRevision = "SELECT number FROM bellwire.meta WHERE name = 'operator_revision'"
