package directory

import (
	"context"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Subscriptions returns the tenant's endpoints, and the revision of its configuration.
func (d *Directory) Subscriptions(ctx context.Context, tenant string) (s bellwire.Subscriptions, revision int64, err error) {
	t, err := d.Tenant(ctx, tenant)
	if err != nil {
		return nil, 0, err
	}
	return t, t.Revision, nil
}

// Schemas returns the schemas for a tenant's data, and the revision of the catalogue. Long checks wait for the tenant's turn.
func (d *Directory) Schemas(ctx context.Context, tenant string) (s bellwire.Schemas, revision int64, err error) {
	c, err := d.Catalogue(ctx)
	if err != nil {
		return nil, 0, err
	}
	return tenantSchemas{d, c, tenant}, c.Revision, nil
}

// tenantSchemas checks one tenant's data.
type tenantSchemas struct {
	directory *Directory
	catalogue *Catalogue
	tenant    string
}

// Check refuses data that does not fit the schema of its event type, in the version in which it was published. It accepts data of a type that the catalogue no longer has,
// because that data was accepted before the type was removed.
func (s tenantSchemas) Check(ctx context.Context, e *bellwire.Event) error {
	t, known := s.catalogue.Type(e.Type)
	if !known {
		return nil
	}
	if v, same := t.Version(e.Version.Of()); same && e.Version.Number > 0 && v != e.Version {
		return nil // of a type that was deleted since
	}
	if e.Version.Of() <= len(t.Older) {
		older, err := CompileType(t.OfVersion(e.Version.Of()))
		if err != nil {
			return err
		}
		t = older
	}
	checks := s.directory.Checks(s.tenant, len(e.Data))
	defer checks.End()
	return checks.Validate(ctx, t, e.Data)
}
