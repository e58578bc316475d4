package rules

import (
	"fmt"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// AuditFull returns the error for a tenant that has perDay new entries of e's day in the audit log already.
func AuditFull(e *bellwire.AuditEntry, perDay int) error {
	return &bellwire.Error{
		Code:       bellwire.CodeRateLimited,
		Message:    fmt.Sprintf("every request is kept on record here, and today's %d different requests are used up", perDay),
		Hint:       "Equal requests within a minute count once. Try again tomorrow (UTC), or ask the operator for a higher limit.",
		RetryAfter: e.At.Truncate(day).Add(day).Sub(e.At),
	}
}

const day = 24 * time.Hour

// AuditCounter returns the name under which the entries of a tenant's share are counted by day. No tenant has an id with a colon.
func AuditCounter(e *bellwire.AuditEntry) string {
	share := e.Share()
	if share == bellwire.AuditedRequests {
		return e.Tenant
	}
	return string(share) + ":" + e.Tenant
}
