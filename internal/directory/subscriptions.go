package directory

import (
	"context"

	"github.com/bellwire/bellwire"
)

// Subscriptions returns what says who gets a tenant's events of a type, and the tenant's revision that it
// holds for. It is how the engine sees a Tenant.
func (d *Directory) Subscriptions(ctx context.Context, tenant string) (match func(eventType string) []*bellwire.Target, revision int64, err error) {
	t, err := d.Tenant(ctx, tenant)
	if err != nil {
		return nil, 0, err
	}
	return t.match, t.Revision, nil
}
