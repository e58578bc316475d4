package client

import (
	"context"
	"time"
)

// AuditEntry is a request to the API of a dialect whose callers must name a principal and a justification.
type AuditEntry struct {
	ID            string    `json:"id"`
	At            time.Time `json:"at"`      // of the first request
	LastAt        time.Time `json:"last_at"` // of the last request
	Count         int       `json:"count"`   // of equal requests; those within a minute share an entry
	Tenant        string    `json:"tenant"`
	Key           *string   `json:"key"` // nil for the configured admin key
	Method        string    `json:"method"`
	Path          string    `json:"path"`
	Principal     string    `json:"principal"`
	Justification string    `json:"justification"`
}

// Audit lists the audit log of a tenant, or of all tenants if tenant is empty, newest first.
func (c *Client) Audit(ctx context.Context, tenant string, page Page) (*List[AuditEntry], error) {
	return fetchList[AuditEntry](ctx, c, path("audit"), page, filter("tenant", tenant))
}
