package service

import (
	"strconv"
	"strings"

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

// String says what a caller with the permission can do.
func (p Permission) String() string {
	switch p {
	case Manage:
		return "manage tenants, keys and event types"
	case Publish:
		return "publish"
	case ReadCatalogue:
		return "read event types"
	case Change:
		return "manage endpoints and deliveries"
	case Read:
		return "read endpoints, events and deliveries"
	}
	return "permission " + strconv.Itoa(int(p))
}

// keysWith names the keys that have a permission, the least powerful first: "a publisher or admin key".
func keysWith(p Permission) string {
	var names []string
	for _, r := range []bellwire.Role{bellwire.RoleTenantRead, bellwire.RoleTenant, bellwire.RolePublisher, bellwire.RoleAdmin} {
		if allows(r, p) {
			names = append(names, string(r))
		}
	}
	article := "a "
	if names[0] == string(bellwire.RoleAdmin) {
		article = "an "
	}
	last := len(names) - 1
	if last == 0 {
		return article + names[0] + " key"
	}
	return article + strings.Join(names[:last], ", ") + " or " + names[last] + " key"
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
		return bellwire.Errorf(bellwire.CodeForbidden, "%s keys cannot %s; use %s", c.Role, p, keysWith(p))
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
	return bellwire.Errorf(bellwire.CodeUnauthenticated, "the API key is not valid; it may have been mistyped or deleted")
}
