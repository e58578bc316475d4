package service

import "github.com/bellwire/bellwire"

// Caller is who asks. Front ends get it from Authenticate, or make it from a proof of their own.
type Caller struct {
	Key    bellwire.KeyID // zero: the configured admin key, or a front end's own proof
	Role   bellwire.Role
	Tenant string // of a tenant's caller; empty for operators
}

func (c Caller) name() string {
	if c.Key.IsZero() {
		return "configured"
	}
	return c.Key.String()
}

// permission is something that roles may or may not do.
type permission int

const (
	manage        permission = iota // tenants, keys and event types
	publish                         // events, for any tenant
	readCatalogue                   // event types
	change                          // endpoints with their secrets, deliveries
	read                            // endpoints without secrets, events, deliveries
)

// allows is the role table of the public contract.
func allows(r bellwire.Role, p permission) bool {
	switch r {
	case bellwire.RoleAdmin:
		return true
	case bellwire.RolePublisher:
		return p == publish || p == readCatalogue
	case bellwire.RoleTenant:
		return p == change || p == read || p == readCatalogue
	case bellwire.RoleTenantRead:
		return p == read || p == readCatalogue
	}
	return false
}

// authorize refuses what the caller's role may not do.
func authorize(c Caller, p permission) error {
	if !c.Role.Valid() {
		return errUnauthenticated()
	}
	if !allows(c.Role, p) {
		return bellwire.Errorf(bellwire.CodeForbidden, "A key with the role %q may not do this; use one with a role that may.", c.Role)
	}
	return nil
}

// authorizeIn refuses what the caller may not do in a tenant. To a tenant's caller other tenants do not exist.
func authorizeIn(c Caller, p permission, tenant string) error {
	if c.Role.OfTenant() && c.Tenant != tenant {
		return bellwire.NotFound("tenant", tenant)
	}
	return authorize(c, p)
}

func errUnauthenticated() error {
	return bellwire.Errorf(bellwire.CodeUnauthenticated, "No valid key was given; send one that exists and was not deleted.")
}
