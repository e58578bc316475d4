package bellwire

import "time"

// Role says what a key may do.
type Role string

// The roles, from most to least.
const (
	RoleAdmin      Role = "admin"       // everything
	RolePublisher  Role = "publisher"   // publish for any tenant, read event types
	RoleTenant     Role = "tenant"      // its own tenant's endpoints with their secrets, deliveries, retries and tests; read events and the catalogue
	RoleTenantRead Role = "tenant-read" // the reads of RoleTenant, without secrets
)

// OfTenant tells whether keys of this role belong to one tenant.
func (r Role) OfTenant() bool { return r == RoleTenant || r == RoleTenantRead }

// Valid tells whether r is a role at all.
func (r Role) Valid() bool {
	return r == RoleAdmin || r == RolePublisher || r.OfTenant()
}

// Key is what a caller of an API proves its identity with. The secret itself is not in it.
type Key struct {
	ID        KeyID
	Tenant    string // empty for operator keys
	Name      string
	Role      Role
	Hash      [32]byte // SHA-256 of the secret
	Sealed    []byte   // the sealed secret, only of a key that can sign requests; nil otherwise
	CreatedAt time.Time
}
