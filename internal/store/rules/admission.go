// Package rules decides what stores do: what may be appended, and what is claimed. Its functions are pure. A store loads the
// facts, asks, and writes what was decided.
package rules

import "github.com/bellwire/bellwire/internal/bellwire"

// Stale returns the parts of the configuration that are not at the revisions that the append was decided on.
func Stale(a *bellwire.Append, tenant, operator int64) bellwire.Stale {
	return bellwire.Stale{
		Tenant:    a.TenantRevision != 0 && a.TenantRevision != tenant,
		Catalogue: a.OperatorRevision != 0 && a.OperatorRevision != operator,
	}
}

// StaleAppend returns the error of an append that was decided on configuration that has changed since.
func StaleAppend(tenant string, stale bellwire.Stale) error {
	if stale.Tenant {
		return StaleVersion("tenant", tenant)
	}
	return bellwire.Errorf(bellwire.CodeStale, "the catalogue has changed since the events were checked against it")
}

// StaleVersion returns the error of a change that is based on an older version than the stored one.
func StaleVersion(kind, id string) error {
	return bellwire.Errorf(bellwire.CodeStale, "%s %q has changed since it was read; read it again and repeat", kind, id)
}
