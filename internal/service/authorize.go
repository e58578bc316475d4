package service

import (
	"context"
	"strconv"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/share"
)

// Caller is the authenticated sender of a request.
type Caller struct {
	Key    bellwire.KeyID // zero for the configured admin key, and for callers that a front end has authenticated
	Role   bellwire.Role
	Tenant string // empty for operators

	key *bellwire.Key // as it was when it authenticated the caller; nil for none

	// Scopes are those of Key. Within makes a caller of it that may do what they permit; others may do nothing.
	Scopes bellwire.Scopes

	// Session is the session in a browser that Key has made; zero for none.
	Session      bellwire.SessionID
	Capabilities bellwire.Capabilities // of a portal session
}

// hasKey reports whether a key with the id of the caller's is the one that authenticated the caller.
func (c Caller) hasKey(key *bellwire.Key) bool { return c.key == nil || c.key.Same(key) }

func (c Caller) name() string {
	switch {
	case !c.Key.IsZero():
		return c.Key.String()
	case c.Role == "":
		return "nobody"
	case c.Role.OfTenant() && c.Session.IsZero():
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

// onBehalfOf returns a context whose changes wait in the turns of the caller, which is authenticated, but not yet known to the front end.
// Otherwise they would wait in one queue with those of everybody who is not authenticated.
func onBehalfOf(ctx context.Context, c Caller) context.Context {
	return share.WithCaller(ctx, func() share.Caller { return share.Caller{Owner: c.Owner()} })
}

// Permission is a group of use cases that a role allows or denies.
type Permission int

// The permissions.
const (
	Manage        Permission = iota // tenants, keys and event types
	Publish                         // events, for any tenant
	ReadCatalogue                   // event types
	Change                          // endpoints
	Read                            // endpoints without secrets, events, deliveries
	ReadSecrets                     // of endpoints
	Redeliver                       // retry and cancel deliveries, and jobs that do
	Test                            // endpoints, by requests to them
	Invite                          // people into the portal of a tenant
	SignIn                          // to the console
)

// may reports whether the caller has a permission in its tenant, or everywhere if it has none.
func (c Caller) may(p Permission) bool {
	if c.Scopes != "" {
		return false
	}
	if c.Role == bellwire.RolePortal {
		return c.Capabilities&capabilityFor(p) != 0
	}
	return allows(c.Role, p)
}

// capabilityFor returns the capability of a portal session that has a permission, 0 if none has it.
func capabilityFor(p Permission) bellwire.Capabilities {
	switch p {
	case Read, ReadCatalogue:
		return bellwire.CanView
	case ReadSecrets:
		return bellwire.CanViewSecret
	case Change:
		return bellwire.CanManage
	case Redeliver:
		return bellwire.CanReplay
	case Test:
		return bellwire.CanTest
	}
	return 0
}

// allows reports whether a role of keys has a permission. It is the role table of the public contract.
func allows(r bellwire.Role, p Permission) bool {
	switch r {
	case bellwire.RoleAdmin:
		return true
	case bellwire.RolePublisher:
		return p == Publish || p == ReadCatalogue || p == SignIn
	case bellwire.RoleTenant:
		return p != Manage && p != Publish && p != SignIn
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
		return "manage endpoints"
	case ReadSecrets:
		return "read secrets of endpoints"
	case Redeliver:
		return "retry, replay and cancel deliveries"
	case Test:
		return "test endpoints"
	case Invite:
		return "manage portal sessions"
	case SignIn:
		return "sign in to the console"
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

// Within returns the caller as one that may do what its role permits, if its scopes have one of the given ones or restrict nothing. It
// adds a refused call to the audit log. Front ends of dialects with scopes call it.
func (s *Service) Within(ctx context.Context, c Caller, any ...string) (Caller, error) {
	if !c.Scopes.Allow(any...) {
		err := bellwire.Errorf(bellwire.CodeForbidden, "the scopes of this key do not permit this operation, which needs %s", strings.Join(any, " or "))
		s.auditRefusal(ctx, c, err)
		return c, err
	}
	c.Scopes = ""
	return c, nil
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

// authorize returns an error if the caller does not have the permission.
func authorize(c Caller, p Permission) error {
	if c.may(p) {
		return nil
	}
	switch need := capabilityFor(p); {
	case c.Scopes != "":
		return bellwire.Errorf(bellwire.CodeForbidden, "keys with scopes can be used only in the vendor's API that the scopes belong to")
	case c.Role == bellwire.RolePortal && need != 0:
		return bellwire.Errorf(bellwire.CodeForbidden, "this portal session cannot %s; it lacks the capability %q", p, need)
	case c.Role == bellwire.RolePortal:
		return bellwire.Errorf(bellwire.CodeForbidden, "portal sessions cannot %s; use %s", p, keysWith(p))
	case !c.Role.Valid():
		return errUnauthenticated()
	default:
		return bellwire.Errorf(bellwire.CodeForbidden, "%s keys cannot %s; use %s", c.Role, p, keysWith(p))
	}
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
