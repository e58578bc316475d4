package bellwire

import (
	"strings"
	"time"
)

// Tenant is a customer of the platform.
type Tenant struct {
	ID        string
	Name      string
	Metadata  map[string]string
	Limits    map[string]float64 // the tenant's own values, by the name of the limit; delays in seconds
	CreatedAt time.Time
	UpdatedAt time.Time

	Paused       bool      // nothing is sent to its endpoints
	StatusReason string    // why it is paused, as the operator said; empty if it is not
	StatusSince  time.Time // when it was last paused or resumed; zero: never

	// OperationalEvents means that the operational events about the tenant are published to it. Those about all tenants are
	// published to OperationsTenant if it has this set.
	OperationalEvents bool

	// Dialects are the tenant's own settings of dialects, by name. No entry is nil.
	Dialects SettingsByDialect

	// Revision is incremented whenever the tenant, its endpoints or its keys change. AppendEvents refuses what was decided
	// on another revision.
	Revision int64
}

// TenantStatus says whether a tenant is paused.
type TenantStatus string

// The statuses of tenants.
const (
	TenantActive TenantStatus = "active"
	TenantPaused TenantStatus = "paused"
)

// Status returns the tenant's status.
func (t *Tenant) Status() TenantStatus {
	if t.Paused {
		return TenantPaused
	}
	return TenantActive
}

// ResumedAt returns when the tenant was last resumed; zero: never, or it is paused.
func (t *Tenant) ResumedAt() time.Time {
	if t.Paused {
		return time.Time{}
	}
	return t.StatusSince
}

// Bounds on the names and metadata of tenants and endpoints.
const (
	MaxNameLength     = 256 // bytes
	MaxMetadata       = 50  // entries
	MaxMetadataLength = 512 // bytes of one key or value
)

// CheckTenantID refuses ids that are not [A-Za-z0-9_-]{1,64}.
func CheckTenantID(id string) error {
	if !isName(id, 64, "_-") {
		return Invalid("id", `must have 1 to 64 characters, each of A-Z, a-z, 0-9, "_" or "-"`)
	}
	return nil
}

// CheckMetadata refuses metadata over the limits.
func CheckMetadata(m map[string]string) error {
	if len(m) > MaxMetadata {
		return Invalid("metadata", "must have at most %d entries, but has %s", MaxMetadata, Number(len(m)))
	}
	for k, v := range m {
		if k == "" || len(k) > MaxMetadataLength || len(v) > MaxMetadataLength {
			return Invalid("metadata", "must have names of 1 to %[1]d bytes, and values of at most %[1]d bytes", MaxMetadataLength)
		}
	}
	return nil
}

// CheckText refuses a text of more than limit bytes.
func CheckText(field, text string, limit int) error {
	if len(text) > limit {
		return Invalid(field, "must have at most %s bytes, but has %s", Number(limit), Number(len(text)))
	}
	return nil
}

// isName reports whether s has 1 to limit characters, each an ASCII letter, a digit or one of extra.
func isName(s string, limit int, extra string) bool {
	if s == "" || len(s) > limit {
		return false
	}
	for i := range len(s) {
		c := s[i]
		alnum := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !alnum && strings.IndexByte(extra, c) < 0 {
			return false
		}
	}
	return true
}
