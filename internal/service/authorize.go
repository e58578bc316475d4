package service

import (
	"slices"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Caller is who asks. Front ends get it from Authenticate, or make it from a proof of their own.
type Caller struct {
	Key    bellwire.KeyID // zero: the configured admin key, or a front end's own proof
	Role   bellwire.Role
	Tenant string // of a tenant's caller; empty for operators
}

func (c Caller) name() string {
	switch {
	case !c.Key.IsZero():
		return c.Key.String()
	case c.Role.OfTenant():
		return "vouched" // by a front end
	}
	return "configured"
}

// Owner returns who is charged for what the caller's requests hold: its tenant, or the operator's key. No tenant has an
// id of that form.
func (c Caller) Owner() string {
	if c.Tenant != "" {
		return c.Tenant
	}
	return "operator:" + c.name()
}

// Permission is a kind of thing that roles may or may not do.
type Permission int

// The permissions.
const (
	Manage        Permission = iota // tenants, keys and event types
	Publish                         // events, for any tenant
	ReadCatalogue                   // event types
	Change                          // endpoints with their secrets, deliveries
	Read                            // endpoints without secrets, events, deliveries
)

// allows is the role table of the public contract.
func allows(r bellwire.Role, p Permission) bool {
	switch r {
	case bellwire.RoleAdmin:
		return true
	case bellwire.RolePublisher:
		return p == Publish || p == ReadCatalogue
	case bellwire.RoleTenant:
		return p == Change || p == Read || p == ReadCatalogue
	case bellwire.RoleTenantRead:
		return p == Read || p == ReadCatalogue
	}
	return false
}

// rolesThatMay lists the roles with a permission, the least one first.
func rolesThatMay(p Permission) []bellwire.Role {
	all := []bellwire.Role{bellwire.RoleTenantRead, bellwire.RoleTenant, bellwire.RolePublisher, bellwire.RoleAdmin}
	return slices.DeleteFunc(all, func(r bellwire.Role) bool { return !allows(r, p) })
}

// Permit refuses what the caller may not do, in the given tenant unless that is empty. Every use case makes
// sure of it by itself; a front end asks before it reads what the caller sent, so that it does no work for,
// and tells nothing to, a caller who may not.
func Permit(c Caller, p Permission, tenant string) error {
	if tenant == "" {
		return authorize(c, p)
	}
	return authorizeIn(c, p, tenant)
}

// authorize refuses what the caller's role may not do.
func authorize(c Caller, p Permission) error {
	if !c.Role.Valid() {
		return errUnauthenticated()
	}
	if !allows(c.Role, p) {
		return bellwire.Errorf(bellwire.CodeForbidden, "A key with the role %q may not do this; use one with the role %s.", c.Role,
			alternatives(rolesThatMay(p)))
	}
	return nil
}

// authorizeIn refuses what the caller may not do in a tenant. To a tenant's caller other tenants do not exist.
func authorizeIn(c Caller, p Permission, tenant string) error {
	if c.Role.OfTenant() && c.Tenant != tenant {
		return bellwire.NotFound("tenant", tenant)
	}
	return authorize(c, p)
}

func errUnauthenticated() error {
	return bellwire.Errorf(bellwire.CodeUnauthenticated, "No valid key was given; send one that exists and was not deleted.")
}
