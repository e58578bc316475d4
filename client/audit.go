package client

import (
	"context"
	"time"
)

// AuditEntry is one request to the API of a dialect whose callers must say on whose behalf they ask, and why.
type AuditEntry struct {
	ID            string    `json:"id"`
	At            time.Time `json:"at"`      // of the first request
	LastAt        time.Time `json:"last_at"` // of the last request
	Count         int       `json:"count"`   // of equal requests, which are one entry if they come within a minute
	Tenant        string    `json:"tenant"`
	Key           *string   `json:"key"` // nil: the configured admin key
	Method        string    `json:"method"`
	Path          string    `json:"path"`
	Principal     string    `json:"principal"`
	Justification string    `json:"justification"`
}

// Audit lists the audit log, newest first: what was asked of a tenant, or of all if tenant is empty.
func (c *Client) Audit(ctx context.Context, tenant string, page Page) (*List[AuditEntry], error) {
	return fetchList[AuditEntry](ctx, c, path("audit"), page, filter("tenant", tenant))
}
