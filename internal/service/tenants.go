package service

import (
	"context"
	"log/slog"

	"github.com/bellwire/bellwire"
)

// NewTenant is a tenant to be created.
type NewTenant struct {
	ID       string
	Name     string
	Metadata map[string]string
}

// TenantChange is what is to change of a tenant; nil members stay as they are.
type TenantChange struct {
	Name     *string
	Metadata *map[string]string
}

// CreateTenant creates a tenant. CodeConflict: its id is taken.
func (s *Service) CreateTenant(ctx context.Context, c Caller, in NewTenant) (*bellwire.Tenant, error) {
	if err := authorize(c, Manage); err != nil {
		return nil, err
	}
	if err := bellwire.CheckTenantID(in.ID); err != nil {
		return nil, err
	}
	t := &bellwire.Tenant{ID: in.ID, Name: in.Name, Metadata: in.Metadata, CreatedAt: now()}
	t.UpdatedAt = t.CreatedAt
	if err := checkTenant(t); err != nil {
		return nil, err
	}
	if err := s.store.CreateTenant(ctx, t); err != nil {
		return nil, err
	}
	s.directory.ForgetTenant(t.ID)
	s.changed(ctx, c, "tenant.create", slog.String("tenant", t.ID))
	return t, nil
}

// Tenant returns a tenant.
func (s *Service) Tenant(ctx context.Context, c Caller, id string) (*bellwire.Tenant, error) {
	if err := authorizeIn(c, Manage, id); err != nil {
		return nil, err
	}
	return s.store.Tenant(ctx, id)
}

// Tenants lists all tenants.
func (s *Service) Tenants(ctx context.Context, c Caller, page bellwire.Page) (*bellwire.List[*bellwire.Tenant], error) {
	if err := authorize(c, Manage); err != nil {
		return nil, err
	}
	if err := checkPage(&page); err != nil {
		return nil, err
	}
	return s.store.Tenants(ctx, page)
}

// UpdateTenant changes a tenant.
func (s *Service) UpdateTenant(ctx context.Context, c Caller, id string, in TenantChange) (*bellwire.Tenant, error) {
	if err := authorizeIn(c, Manage, id); err != nil {
		return nil, err
	}
	t, err := untilFresh(ctx, s, id, "tenant", func() (*bellwire.Tenant, error) {
		t, err := s.store.Tenant(ctx, id)
		if err != nil {
			return nil, err
		}
		if in.Name != nil {
			t.Name = *in.Name
		}
		if in.Metadata != nil {
			t.Metadata = *in.Metadata
		}
		if err := checkTenant(t); err != nil {
			return nil, err
		}
		t.UpdatedAt = now()
		return t, s.store.UpdateTenant(ctx, t)
	})
	if err != nil {
		return nil, err
	}
	s.directory.ForgetTenant(id)
	s.changed(ctx, c, "tenant.update", slog.String("tenant", id))
	return t, nil
}

// DeleteTenant deletes a tenant with all it has.
func (s *Service) DeleteTenant(ctx context.Context, c Caller, id string) error {
	if err := authorizeIn(c, Manage, id); err != nil {
		return err
	}
	known, err := s.directory.Tenant(ctx, id)
	if err != nil {
		return err
	}
	if err := s.store.DeleteTenant(ctx, id, now()); err != nil {
		return err
	}
	s.directory.ForgetTenant(id)
	for _, target := range known.Targets() {
		s.engine.Refresh(target.Endpoint.ID)
	}
	s.changed(ctx, c, "tenant.delete", slog.String("tenant", id))
	return nil
}

func checkTenant(t *bellwire.Tenant) error {
	if err := checkText("name", t.Name, bellwire.MaxNameLength); err != nil {
		return err
	}
	return checkMetadata("metadata", t.Metadata)
}
