package service

import (
	"context"
	"strconv"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Caller is the authenticated sender of a request.
type Caller struct {
	Key    bellwire.KeyID // zero for the configured admin key, and for callers that a front end has authenticated
	Role   bellwire.Role
	Tenant string // empty for operators
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

// Owner returns the owner of the resources that the caller's requests use: its tenant, or the operator's key, in a form that no
// tenant id has.
func (c Caller) Owner() string {
	if c.Tenant != "" {
		return c.Tenant
	}
	return "operator:" + c.name()
}

// Permission is a group of use cases that a role allows or denies.
type Permission int

// The permissions.
const (
	Manage        Permission = iota // tenants, keys and event types
	Publish                         // events, for any tenant
	ReadCatalogue                   // event types
	Change                          // endpoints with their secrets, deliveries
	Read                            // endpoints without secrets, events, deliveries
)

// allows reports whether a role has a permission. It is the role table of the public contract.
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

// Permitted returns an error if the caller does not have the permission, in the given tenant unless that is empty.
func Permitted(c Caller, p Permission, tenant string) error {
	if tenant == "" {
		return authorize(c, p)
	}
	return authorizeIn(c, p, tenant)
}

// Permit is Permitted, and adds the refused call to the audit log. Every use case checks permissions itself. A front end calls
// Permit before it reads a request, so that callers without permission cause no work and learn nothing.
func (s *Service) Permit(ctx context.Context, c Caller, p Permission, tenant string) error {
	err := Permitted(c, p, tenant)
	if err != nil {
		s.auditRefusal(ctx, c, err)
	}
	return err
}

// PermitOwn is Permit in the caller's own tenant, for APIs that do not name one. It refuses operators.
func (s *Service) PermitOwn(ctx context.Context, c Caller, need Permission) error {
	if c.Tenant != "" {
		return s.Permit(ctx, c, need, c.Tenant)
	}
	err := bellwire.Errorf(bellwire.CodeForbidden, "this key does not belong to a tenant; use a tenant's key")
	s.auditRefusal(ctx, c, err)
	return err
}

// authorize returns an error if the caller's role does not have the permission.
func authorize(c Caller, p Permission) error {
	if !c.Role.Valid() {
		return errUnauthenticated()
	}
	if !allows(c.Role, p) {
		return bellwire.Errorf(bellwire.CodeForbidden, "%s keys cannot %s; use %s", c.Role, p, keysWith(p))
	}
	return nil
}

// authorizeIn is authorize in a tenant. For a tenant's caller, other tenants do not exist.
func authorizeIn(c Caller, p Permission, tenant string) error {
	if c.Role.OfTenant() && c.Tenant != tenant {
		return bellwire.NotFound("tenant", tenant)
	}
	return authorize(c, p)
}

func errUnauthenticated() error {
	return bellwire.Errorf(bellwire.CodeUnauthenticated, "the API key is not valid; it may have been mistyped or deleted")
}

// requireTenant checks that the caller has the permission in the tenant, and that the tenant exists.
func (s *Service) requireTenant(ctx context.Context, c Caller, p Permission, tenant string) error {
	if err := authorizeIn(c, p, tenant); err != nil {
		return err
	}
	_, err := s.store.Tenant(ctx, tenant)
	return err
}
