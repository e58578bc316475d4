package directory

import (
	"context"

	"github.com/bellwire/bellwire/internal/bellwire"
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

// Schemas returns what refuses data that does not fit the schema of its event type, and the operator's revision that it
// holds for. Data of a type that is not in the catalogue any more, or is archived, was taken when it was: a type
// without schema refuses nothing. Checks that take long wait for the tenant's turn.
func (d *Directory) Schemas(ctx context.Context, tenant string) (fit func(eventType string, data []byte) error, revision int64, err error) {
	c, err := d.Catalogue(ctx)
	if err != nil {
		return nil, 0, err
	}
	return func(eventType string, data []byte) error {
		t, known := c.Type(eventType)
		if !known {
			return nil
		}
		checks := d.Checks(tenant, len(data))
		defer checks.End()
		return checks.Check(ctx, t, data)
	}, c.Revision, nil
}
