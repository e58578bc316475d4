package bellwire

import "time"

// AuditEntry is one request to a management API whose callers must say who looks at personal data, and why.
type AuditEntry struct {
	ID            AuditID
	At            time.Time
	Tenant        string
	Key           KeyID // zero: the configured admin key
	Method        string
	Path          string
	Principal     string    // on whose behalf, in the caller's words
	Justification string    // why, in the caller's words
	ExpiresAt     time.Time // when it may be deleted
}

// MaxAuditText is the most bytes that a principal or justification may have.
const MaxAuditText = 1024
