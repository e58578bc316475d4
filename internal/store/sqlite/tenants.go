package sqlite

import (
	"context"
	"encoding/json"
	"time"

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
	err = s.write(ctx, func(w *writer) error {
		_, err := w.tenant(t.ID)
		if err == nil {
			return bellwire.Errorf(bellwire.CodeConflict, "tenant %q already exists", t.ID)
		}
		if bellwire.CodeOf(err) != bellwire.CodeNotFound {
			return err
		}
		if revision, err = w.nextRevision(); err != nil {
			return err
		}
		// No revision comes twice, so no two tenants ever have the same n: a delta of statistics may outlive its tenant.
		return w.query(`INSERT INTO tenants (n, id, name, metadata, limits, paused, status_reason, status_since,
			created_at, updated_at, revision, operational_events, dialects) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`).
			int(revision).text(t.ID).text(t.Name).text(j.Metadata).text(j.Limits).bool(t.Paused).text(t.StatusReason).timeOrNull(t.StatusSince).
			time(t.CreatedAt).time(t.UpdatedAt).int(revision).bool(t.OperationalEvents).text(j.Dialects).exec()
	})
	if err == nil {
		t.Revision = revision
	}
	return err
}

const sqlTenant = "SELECT n, id, name, metadata, limits, dialects, paused, status_reason, status_since, created_at, updated_at, revision, operational_events FROM tenants "

// scanTenant reads a row of sqlTenant.
func scanTenant(q *query) (*bellwire.Tenant, int64, error) {
	n := q.getInt()
	t := &bellwire.Tenant{ID: q.getText(), Name: q.getText()}
	err := firstError(
		json.Unmarshal([]byte(q.getText()), &t.Metadata),
		json.Unmarshal([]byte(q.getText()), &t.Limits),
		json.Unmarshal([]byte(q.getText()), &t.Dialects),
	)
	t.Paused, t.StatusReason, t.StatusSince = q.getBool(), q.getText(), q.getTimeOrZero()
	t.CreatedAt, t.UpdatedAt, t.Revision, t.OperationalEvents = q.getTime(), q.getTime(), q.getInt(), q.getBool()
	return t, n, err
}

// Tenant finds a tenant.
func (s *Store) Tenant(ctx context.Context, id string) (*bellwire.Tenant, error) {
	var tenant *bellwire.Tenant
	err := s.read(ctx, func(c *db) (err error) {
		tenant, _, err = c.findTenant(id)
		return err
	})
	return tenant, err
}

const (
	// sqlTenantDeletedAt reads the index of tenants whose rows are still there.
	sqlTenantDeletedAt = "SELECT deleted_at FROM tenants WHERE deleted_at > 0 AND id = ? ORDER BY deleted_at DESC LIMIT 1"
	sqlEventsOfDeleted = `SELECT count(*) FROM
		(SELECT 1 FROM tenants t CROSS JOIN events e ON e.tenant = t.n WHERE t.deleted_at > 0 LIMIT +?)`
)

// DeletedTenant returns a tenant of which rows are left.
func (s *Store) DeletedTenant(ctx context.Context, id string, limit int) (t *bellwire.DeletedTenant, err error) {
	err = s.read(ctx, func(c *db) error {
		at, found, err := c.query(sqlTenantDeletedAt).text(id).scalar()
		if err != nil || !found {
			return err
		}
		events, _, err := c.query(sqlEventsOfDeleted).int(int64(limit)).scalar()
		t = &bellwire.DeletedTenant{DeletedAt: time.UnixMicro(at).UTC(), Events: int(events)}
		return err
	})
	return t, err
}

func (c *db) findTenant(id string) (*bellwire.Tenant, int64, error) {
	q := c.query(sqlTenant + "WHERE id = ? AND deleted_at IS NULL").text(id)
	if found, err := q.one(); err != nil {
		return nil, 0, err
	} else if !found {
		return nil, 0, bellwire.NotFound("tenant", id)
	}
	t, n, err := scanTenant(q)
	return t, n, firstError(err, q.close())
}

// Tenants lists the tenants, newest first.
func (s *Store) Tenants(ctx context.Context, page bellwire.Page) (*bellwire.List[*bellwire.Tenant], error) {
	before, err := codec.RowCursor(page.After)
	if err != nil {
		return nil, err
	}
	list := newLister(page, scanTenant, codec.RowKey, rules.SizeOfTenant)
	return list.read(ctx, s, func(c *db) *query {
		return c.query(sqlTenant + "WHERE n < ? AND deleted_at IS NULL ORDER BY n DESC LIMIT +?").
			int(before).int(list.fetch())
	})
}

// OldestTenants lists the tenants, oldest first.
func (s *Store) OldestTenants(ctx context.Context, page bellwire.Page) (*bellwire.List[*bellwire.Tenant], error) {
	after, err := codec.RowCursorAfter(page.After)
	if err != nil {
		return nil, err
	}
	list := newLister(page, scanTenant, codec.RowKey, rules.SizeOfTenant)
	return list.read(ctx, s, func(c *db) *query {
		return c.query(sqlTenant + "WHERE n > ? AND deleted_at IS NULL ORDER BY n LIMIT +?").int(after).int(list.fetch())
	})
}

// UpdateTenant replaces the tenant, if it is still at t.Revision.
func (s *Store) UpdateTenant(ctx context.Context, t *bellwire.Tenant) error {
	j, err := codec.EncodeTenant(t)
	if err != nil {
		return err
	}
	var revision int64
	err = s.write(ctx, func(w *writer) error {
		ref, err := w.tenant(t.ID)
		if err != nil {
			return err
		}
		if ref.revision != t.Revision {
			return rules.StaleVersion("tenant", t.ID)
		}
		if revision, err = w.changeTenant(ref.n); err != nil {
			return err
		}
		return w.query(`UPDATE tenants SET name = ?, metadata = ?, limits = ?, paused = ?, status_reason = ?, status_since = ?,
			updated_at = ?, operational_events = ?, dialects = ? WHERE n = ?`).
			text(t.Name).text(j.Metadata).text(j.Limits).bool(t.Paused).text(t.StatusReason).timeOrNull(t.StatusSince).time(t.UpdatedAt).
			bool(t.OperationalEvents).text(j.Dialects).int(ref.n).exec()
	})
	if err == nil {
		t.Revision = revision
	}
	return err
}

// DeleteTenant makes the tenant and all it has invisible. Purge removes the rows.
func (s *Store) DeleteTenant(ctx context.Context, id string, now time.Time) error {
	return s.write(ctx, func(w *writer) error {
		ref, err := w.tenant(id)
		if err != nil {
			return err
		}
		w.refs.forget()
		return w.query("UPDATE tenants SET deleted_at = ? WHERE n = ?").time(now).int(ref.n).exec()
	})
}

// firstError returns the first of errs. All of them were evaluated, so use it only where running the later ones does no harm.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
