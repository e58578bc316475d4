package directory

import (
	"context"
	"maps"
	"reflect"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// LimitsOf returns the limits of a tenant: its own values, and the server's for the others, its status, and its settings of
// dialects. They can be shared and must not be changed.
func (d *Directory) LimitsOf(t *bellwire.Tenant) *bellwire.Limits {
	held := limits.With(d.limits, t.Limits)
	if t.StatusSince.IsZero() && len(t.Dialects) == 0 {
		return held
	}
	own := *held
	own.Paused, own.ResumedAt = t.Paused, t.ResumedAt()
	own.Settings = settingsOver(t.Dialects, held.Settings)
	return &own
}

// settingsOver returns a tenant's own settings over those for all tenants.
func settingsOver(own bellwire.SettingsByDialect, all *bellwire.SettingsByDialect) *bellwire.SettingsByDialect {
	if len(own) == 0 {
		return all
	}
	merged := make(bellwire.SettingsByDialect, len(own))
	if all != nil {
		maps.Copy(merged, *all)
	}
	for name, settings := range own {
		if base := all.Of(name); base != nil {
			settings = new(settings.Over(*base))
		}
		merged[name] = settings
	}
	return &merged
}

// sameLimits reports whether two limits have the same values.
func sameLimits(a, b *bellwire.Limits) bool {
	if a.Settings != b.Settings && !reflect.DeepEqual(a.Settings, b.Settings) {
		return false
	}
	other := *b
	other.Settings = a.Settings
	return *a == other
}

// Limits returns the limits of the tenant with the given id.
func (d *Directory) Limits(ctx context.Context, tenant string) (*bellwire.Limits, error) {
	d.mu.Lock()
	if o := d.owners.get(tenant); o != nil && o.limits != nil {
		defer d.mu.Unlock()
		return o.limits, nil
	}
	return found[*bellwire.Limits](ctx, d, "limits/"+tenant, d.flights.last(tenant), func(ctx context.Context, begin func() uint64) (any, error) {
		began := begin()
		row, err := d.store.Tenant(ctx, tenant)
		if err != nil {
			return nil, err
		}
		held := d.LimitsOf(row)
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.flights.last(tenant) <= began {
			d.owners.add(tenant).limits = held
		}
		return held, nil
	})
}

// Bounds on the memory of an endpoint, for MostBytes.
const (
	mostFixedBytes    = EndpointBytes + 500 // with its id and the headers of its dialect
	mostBytesPerBytes = 9                   // of what is stored: short event patterns take most
)

// MostBytes returns the most memory that endpoints of a tenant with the given limits take.
func MostBytes(held *bellwire.Limits) int {
	return tenantBytes + mostFixedBytes*held.Endpoints + (mostBytesPerBytes+limits.FilterMemory)*held.ConfigurationBytes
}

// Bytes returns how much memory the tenant's endpoints take, estimated.
func (t *Tenant) Bytes() int { return t.bytes }

// BytesWith returns Bytes as it would be with a new or changed endpoint.
func (t *Tenant) BytesWith(ctx context.Context, ep *bellwire.Endpoint) (int, error) {
	m, err := t.directory.newMember(ctx, ep, t.limits)
	if err != nil {
		return 0, err
	}
	bytes := t.bytes + m.bytes
	if before := t.byID[ep.ID]; before != nil {
		bytes -= before.bytes
	}
	if f := t.directory.compileFilter(ctx, ep); f != nil {
		bytes += t.FilterBytes(f.program) - t.filterBytes
	}
	return bytes, nil
}
