package directory

import (
	"context"

	"github.com/bellwire/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// LimitsOf returns what holds for a tenant: its own values, and the server's where it has none. It may be shared: it must
// not be changed.
func (d *Directory) LimitsOf(t *bellwire.Tenant) *bellwire.Limits {
	return limits.With(d.limits, t.Limits)
}

// Limits is LimitsOf by the tenant's id. CodeNotFound is always the store's own answer.
func (d *Directory) Limits(ctx context.Context, tenant string) (*bellwire.Limits, error) {
	d.mu.Lock()
	var cached *bellwire.Limits
	if s, known := d.tenants.Get(tenant); known {
		cached = s.limits
	}
	generation := d.generation
	d.mu.Unlock()
	if cached != nil {
		return cached, nil
	}
	return once(ctx, d, "limits", generation, tenant, func(ctx context.Context) (*bellwire.Limits, error) {
		row, err := d.store.Tenant(ctx, tenant)
		if err != nil {
			return nil, err
		}
		held := d.LimitsOf(row)
		d.keep(generation, func() { d.scope(tenant).limits = held })
		return held, nil
	})
}
