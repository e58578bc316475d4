package bellwire

import (
	"slices"
	"strings"
	"time"
)

// Role says what a key may do.
type Role string

// The roles, the most powerful first.
const (
	RoleAdmin      Role = "admin"       // everything
	RolePublisher  Role = "publisher"   // publish for any tenant, read event types
	RoleTenant     Role = "tenant"      // manage its own tenant's endpoints, with their secrets, and deliveries; read events and the catalogue
	RoleTenantRead Role = "tenant-read" // the reads of RoleTenant, without secrets

	// RolePortal is the role of portal sessions. No key has it.
	RolePortal Role = "portal"
)

// OfTenant reports whether callers with the role belong to a tenant.
func (r Role) OfTenant() bool { return r == RoleTenant || r == RoleTenantRead || r == RolePortal }

// Valid reports whether r is one of the roles.
func (r Role) Valid() bool {
	return r == RoleAdmin || r == RolePublisher || r.OfTenant()
}

// Scopes are the only operations of a vendor's API that a caller may perform, separated by spaces, such as
// "pcx:webhooks:read pcx:webhooks:create". Empty means all that the role permits.
type Scopes string

// Allow reports whether the scopes have one of the given ones, or restrict nothing.
func (s Scopes) Allow(any ...string) bool {
	if s == "" {
		return true
	}
	return slices.ContainsFunc(s.List(), func(scope string) bool { return slices.Contains(any, scope) })
}

// List returns the scopes one by one.
func (s Scopes) List() []string { return strings.Fields(string(s)) }

// ScopesOf returns the scopes of a list.
func ScopesOf(list []string) Scopes { return Scopes(strings.Join(list, " ")) }

// Key authenticates a caller of an API. It does not contain the secret itself.
type Key struct {
	ID         KeyID
	Tenant     string // empty for keys of the operator
	Name       string
	Role       Role
	Scopes     Scopes   // empty: all that the role permits
	Hash       [32]byte // SHA-256 of the secret
	Sealed     []byte   // the sealed secret of a key that can sign requests; nil for others
	CreatedAt  time.Time
	ExpiresAt  time.Time // from when on it authenticates nobody; zero: never
	LastUsedAt time.Time // to about a minute; zero: not since Bellwire keeps it
}

// Same reports whether another key has the same id, secret and rights.
func (k *Key) Same(other *Key) bool {
	return k.ID == other.ID && k.Hash == other.Hash && (k.Sealed == nil) == (other.Sealed == nil) &&
		k.Tenant == other.Tenant && k.Role == other.Role && k.Scopes == other.Scopes && k.ExpiresAt.Equal(other.ExpiresAt)
}

// Expired reports whether the key has expired at the given time.
func (k *Key) Expired(at time.Time) bool { return !k.ExpiresAt.IsZero() && !at.Before(k.ExpiresAt) }
