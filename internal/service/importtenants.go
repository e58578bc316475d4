package service

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// ImportedTenant is a tenant of another system.
type ImportedTenant struct {
	NewTenant
	CreatedAt time.Time // zero: now
	LeftOut   []string  // what the export did not have of the tenant
}

// requireImportTenant returns the limits of a tenant that is stored or was in an earlier line.
func (i *Import) requireImportTenant(ctx context.Context, id string) (*bellwire.Limits, error) {
	if t := i.coming.tenants[id]; t != nil {
		return i.service.directory.LimitsOf(t), nil
	}
	if err := inField("tenant", bellwire.CheckTenantID(id)); err != nil {
		return nil, err
	}
	held, err := i.service.directory.Limits(ctx, id)
	if bellwire.CodeOf(err) == bellwire.CodeNotFound {
		return nil, bellwire.Invalid("tenant", "%q does not exist, and no line before this one creates it", id)
	}
	return held, err
}

// Tenant imports a tenant.
func (i *Import) Tenant(ctx context.Context, line int, in ImportedTenant) error {
	unchanged, err := i.tenant(ctx, line, in)
	return i.done(ctx, ImportTenant, unchanged, err)
}

func (i *Import) tenant(ctx context.Context, line int, in ImportedTenant) (unchanged bool, err error) {
	t, err := i.service.newTenant(ctx, in.NewTenant)
	if err := bellwire.Join(err, checkImportTime(in.CreatedAt)); err != nil {
		if _, unknown := i.service.directory.Limits(ctx, in.ID); bellwire.CodeOf(unknown) == bellwire.CodeNotFound {
			i.expectTenant(&bellwire.Tenant{ID: in.ID})
		}
		return false, err
	}
	if t.ID == bellwire.OperationsTenant {
		return false, bellwire.Invalid("id", "must not be %q, which is reserved", t.ID)
	}
	if err := i.first(line, ImportTenant, t.ID); err != nil {
		return false, err
	}
	if !in.CreatedAt.IsZero() {
		t.CreatedAt = bellwire.StoredTime(in.CreatedAt)
	}
	stored, err := i.service.store.Tenant(ctx, t.ID)
	switch {
	case err == nil:
		return true, i.compareTenant(stored, t, in.LeftOut)
	case bellwire.CodeOf(err) != bellwire.CodeNotFound:
		return false, err
	}
	if len(in.LeftOut) > 0 {
		return false, bellwire.Invalid("left_out", "names what the export did not have (%s), so that the tenant cannot be created as it was; export with secrets, "+
			"or remove left_out to create the tenant without that", strings.Join(in.LeftOut, ", "))
	}
	if i.checks(ctx) {
		i.expectTenant(t)
		return false, nil
	}
	if err := i.service.store.CreateTenant(ctx, t); err != nil {
		return false, err
	}
	i.service.directory.ForgetTenant(t.ID)
	return false, nil
}

// expectTenant has the lines behind that of a tenant know it in a dry run, so that they are checked as they will be imported, or are not
// blamed for its faults.
func (i *Import) expectTenant(t *bellwire.Tenant) {
	if i.dryRun && bellwire.CheckTenantID(t.ID) == nil {
		i.coming.tenants[t.ID] = t
	}
}

// compareTenant returns an error if a stored tenant differs from the one of a line. What the export did not have is not compared.
func (i *Import) compareTenant(stored, given *bellwire.Tenant, leftOut []string) error {
	was, is := fieldsOfTenant(stored), fieldsOfTenant(given)
	for _, of := range []struct {
		fields map[string]any
		tenant *bellwire.Tenant
	}{{was, stored}, {is, given}} {
		opened, err := i.service.openAuths(given.ID, of.tenant.Dialects)
		if err != nil {
			return err
		}
		of.fields["dialects"] = withoutAuths(opened, func(name string) bool { return slices.Contains(leftOut, authField(name)) })
	}
	return differing("tenant", was, is)
}
