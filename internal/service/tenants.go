package service

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// NewTenant describes a tenant to be created.
type NewTenant struct {
	ID       string
	Name     string
	Metadata map[string]string
	Limits   map[string]*float64 // its own values, by the name of the limit

	Status       *bellwire.TenantStatus // nil: active; PutTenant keeps it
	StatusReason *string                // nil: empty; PutTenant keeps it with the status

	OperationalEvents *bool // nil: false; PutTenant keeps it

	Dialects bellwire.SettingsByDialect // its own settings of dialects; nil entries are none
}

// TenantChange is a change of a tenant. Nil fields stay unchanged.
type TenantChange struct {
	Name     *string
	Metadata *map[string]string
	// Limits are the tenant's own values, by the name of the limit; nil removes one. ResetLimits removes all others.
	Limits      map[string]*float64
	ResetLimits bool

	// A reason is only for a paused tenant. It ends with the pause.
	Status       *bellwire.TenantStatus
	StatusReason *string

	OperationalEvents *bool

	// Dialects replace the tenant's own settings of these dialects; nil removes them. ResetDialects removes all others.
	Dialects      bellwire.SettingsByDialect
	ResetDialects bool
}

// CreateTenant creates a tenant. Its error has CodeConflict if the id is taken.
func (s *Service) CreateTenant(ctx context.Context, c Caller, in NewTenant) (*bellwire.Tenant, error) {
	if err := authorize(c, Manage); err != nil {
		return nil, err
	}
	t, err := s.newTenant(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := s.addTenant(ctx, c, t); err != nil {
		return nil, err
	}
	return t, nil
}

// addTenant stores a new tenant. Its error has CodeConflict if the id is taken.
func (s *Service) addTenant(ctx context.Context, c Caller, t *bellwire.Tenant) error {
	if err := s.store.CreateTenant(s.audit(ctx, c, t.ID, "tenant.create", t.ID, nil, fieldsOfTenant(t)), t); err != nil {
		return err
	}
	s.directory.ForgetTenant(t.ID)
	s.changed(ctx, c, "tenant.create", slog.String("tenant", t.ID))
	return nil
}

// newTenant checks the input, and returns the tenant that it describes.
func (s *Service) newTenant(ctx context.Context, in NewTenant) (*bellwire.Tenant, error) {
	t := &bellwire.Tenant{ID: in.ID, Name: in.Name, Metadata: in.Metadata, CreatedAt: now()}
	t.UpdatedAt = t.CreatedAt
	err := bellwire.Join(
		bellwire.CheckTenantID(in.ID),
		checkTenant(&TenantChange{Name: &in.Name, Metadata: &in.Metadata, Limits: in.Limits, Status: in.Status, StatusReason: in.StatusReason}),
		s.checkDialectSettings(in.Dialects), s.checkRetention(in.Limits),
		changeStatus(t, in.Status, in.StatusReason),
	)
	if err != nil {
		return nil, err
	}
	changeLimits(t, in.Limits)
	sealed, err := s.sealAuths(ctx, t.ID, in.Dialects, nil)
	changeDialects(t, sealed)
	t.OperationalEvents = in.OperationalEvents != nil && *in.OperationalEvents
	return t, err
}

// Tenant returns a tenant.
func (s *Service) Tenant(ctx context.Context, c Caller, id string) (*bellwire.Tenant, error) {
	if err := authorizeIn(c, Manage, id); err != nil {
		return nil, err
	}
	ctx, end, err := s.acquireReadOf(ctx, c, id)
	if err != nil {
		return nil, err
	}
	defer end()
	t, err := s.store.Tenant(ctx, id)
	if bellwire.CodeOf(err) == bellwire.CodeNotFound {
		return nil, s.sayRemoval(ctx, id, err)
	}
	return t, err
}

// sayRemoval returns notFound, or an error that says that rows of the tenant are still there.
func (s *Service) sayRemoval(ctx context.Context, id string, notFound error) error {
	deleted, err := s.store.DeletedTenant(ctx, id, maxCountedLeft)
	if err != nil || deleted == nil {
		return cmp.Or(err, notFound)
	}
	when, exact := goneBy(deleted, now())
	words := "will be gone by about"
	if !exact {
		words = "will not be gone before"
	}
	return bellwire.Errorf(bellwire.CodeNotFound, "tenant %q was deleted at %s; its data is still being removed from the database, and %s %s",
		id, moment(deleted.DeletedAt), words, moment(when))
}

// The figures of estimates of when the rows of deleted tenants are gone. Purge begins within a minute, and deletes several times as
// many events a second when the database is idle.
const (
	removalBegins     = 2 * time.Minute
	removedEachSecond = 1000    // events, with their deliveries and attempts
	maxCountedLeft    = 100_000 // events
)

// goneBy estimates when the rows of a deleted tenant are gone. If more events are left than are counted, it is not exact: they are
// not gone earlier.
func goneBy(t *bellwire.DeletedTenant, now time.Time) (at time.Time, exact bool) {
	at = now.Add(removalBegins + time.Duration(t.Events)*time.Second/removedEachSecond)
	return at.Truncate(time.Second), t.Events < maxCountedLeft
}

// TenantGoneBy estimates when the rows of a tenant that was deleted are gone; zero: they are gone, or there are too many to say.
func (s *Service) TenantGoneBy(ctx context.Context, c Caller, id string) (time.Time, error) {
	if err := authorizeIn(c, Manage, id); err != nil {
		return time.Time{}, err
	}
	ctx, end, err := s.acquireReadOf(ctx, c, id)
	if err != nil {
		return time.Time{}, err
	}
	defer end()
	deleted, err := s.store.DeletedTenant(ctx, id, maxCountedLeft)
	if err != nil || deleted == nil {
		return time.Time{}, err
	}
	at, exact := goneBy(deleted, now())
	if !exact {
		return time.Time{}, nil
	}
	return at, nil
}

// Tenants lists all tenants.
func (s *Service) Tenants(ctx context.Context, c Caller, page bellwire.Page) (*bellwire.List[*bellwire.Tenant], error) {
	if err := authorize(c, Manage); err != nil {
		return nil, err
	}
	if err := checkPage(&page); err != nil {
		return nil, err
	}
	ctx, end, err := s.acquireRead(ctx, c)
	if err != nil {
		return nil, err
	}
	defer end()
	return s.store.Tenants(ctx, fitted(ctx, page))
}

// UpdateTenant changes a tenant.
func (s *Service) UpdateTenant(ctx context.Context, c Caller, id string, in TenantChange) (*bellwire.Tenant, error) {
	if err := authorizeIn(c, Manage, id); err != nil {
		return nil, err
	}
	if err := bellwire.Join(checkTenant(&in), s.checkRetention(in.Limits)); err != nil {
		return nil, err
	}
	var affected []*bellwire.Target // endpoints whose limits, status or settings change
	t, err := retryStale(ctx, s, id, "tenant", func() (*bellwire.Tenant, error) {
		t, err := s.store.Tenant(ctx, id)
		if err == nil {
			err = checkMatch(ctx, "tenant", TenantVersion(t))
		}
		if err != nil {
			return nil, err
		}
		if in.Limits != nil || in.ResetLimits || in.Status != nil || in.Dialects != nil || in.ResetDialects {
			// They are read before the change is stored: after that, an error would deny that it was.
			known, err := s.directory.Tenant(ctx, id)
			if err != nil {
				return nil, err
			}
			affected = known.Targets()
		}
		before, had := fieldsOfTenant(t), t.Dialects
		given := withoutShown(in.Dialects, had)
		if err := s.checkDialectSettings(given); err != nil {
			return nil, err
		}
		if in.Name != nil {
			t.Name = *in.Name
		}
		if in.Metadata != nil {
			t.Metadata = *in.Metadata
		}
		if in.ResetLimits {
			t.Limits = nil
		}
		changeLimits(t, in.Limits)
		if in.ResetDialects {
			t.Dialects = nil
		}
		sealed, err := s.sealAuths(ctx, id, given, had)
		if err != nil {
			return nil, err
		}
		changeDialects(t, sealed)
		if in.OperationalEvents != nil {
			t.OperationalEvents = *in.OperationalEvents
		}
		t.UpdatedAt = now()
		if err := changeStatus(t, in.Status, in.StatusReason); err != nil {
			return nil, err
		}
		after := fieldsOfTenant(t)
		if secrets := changedAuths(had, t.Dialects); len(secrets) > 0 {
			after["secrets"] = secrets
		}
		return t, s.store.UpdateTenant(s.audit(ctx, c, id, "tenant.update", id, before, after), t)
	})
	if err != nil {
		return nil, err
	}
	s.directory.ForgetTenant(id)
	s.changed(ctx, c, "tenant.update", slog.String("tenant", id))
	for _, target := range affected {
		s.engine.Refresh(target.Endpoint.ID)
	}
	return t, nil
}

// DeleteTenant deletes a tenant with everything that belongs to it.
func (s *Service) DeleteTenant(ctx context.Context, c Caller, id string) error {
	if err := authorizeIn(c, Manage, id); err != nil {
		return err
	}
	known, err := s.directory.Tenant(ctx, id)
	if err != nil {
		return err
	}
	t, err := s.store.Tenant(ctx, id)
	if err != nil {
		return err
	}
	if err := keepOperations(t); err != nil {
		return err
	}
	if err := s.store.DeleteTenant(s.audit(ctx, c, id, "tenant.delete", id, fieldsOfTenant(t), nil), id, now()); err != nil {
		return err
	}
	s.directory.ForgetTenant(id)
	for _, target := range known.Targets() {
		s.engine.Refresh(target.Endpoint.ID)
	}
	s.changed(ctx, c, "tenant.delete", slog.String("tenant", id))
	return nil
}

// checkTenant refuses invalid values in a change. Values that the tenant has already are not checked.
func checkTenant(in *TenantChange) error {
	var faults []error
	if in.Name != nil {
		faults = append(faults, checkLine("name", *in.Name, bellwire.MaxNameLength))
	}
	if in.Metadata != nil {
		faults = append(faults, checkMetadata("metadata", *in.Metadata))
	}
	if in.Status != nil && *in.Status != bellwire.TenantActive && *in.Status != bellwire.TenantPaused {
		faults = append(faults, bellwire.Invalid("status", "must be %s or %s", bellwire.TenantActive, bellwire.TenantPaused))
	}
	if in.StatusReason != nil {
		faults = append(faults, checkLine("status_reason", *in.StatusReason, bellwire.MaxNameLength))
	}
	return bellwire.Join(append(faults, checkLimits(in.Limits))...)
}

// changeStatus pauses or resumes a tenant at t.UpdatedAt, and changes the reason. Nil stays unchanged.
func changeStatus(t *bellwire.Tenant, status *bellwire.TenantStatus, reason *string) error {
	if status != nil && *status != t.Status() {
		t.Paused, t.StatusReason, t.StatusSince = *status == bellwire.TenantPaused, "", t.UpdatedAt
	}
	if reason == nil {
		return nil
	}
	if !t.Paused && *reason != "" {
		return bellwire.Invalid("status_reason", "must be left out unless the tenant is paused")
	}
	t.StatusReason = *reason
	return nil
}

// fieldsOfTenant returns what the audit log shows of a tenant.
func fieldsOfTenant(t *bellwire.Tenant) map[string]any {
	return map[string]any{
		"name": t.Name, "metadata": t.Metadata, "limits": t.Limits, "status": t.Status(), "status_reason": t.StatusReason,
		"operational_events": t.OperationalEvents, "dialects": settingsShown(t.Dialects),
	}
}
