package client

import (
	"context"
	"encoding/json"
	"time"
)

// AuditEntry is a call to a management API: an action, a call that was refused because the key may not make it, or a request to the
// API of a dialect whose callers must name a principal and a justification.
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

	Action  string                     `json:"action"`  // such as "endpoint.update"; empty for other calls
	Subject string                     `json:"subject"` // the id of what the action is about; an endpoint's history has its fields
	Refused string                     `json:"refused"` // the error code of a refused call; empty if it was not refused
	By      Actor                      `json:"by"`
	Before  map[string]json.RawMessage `json:"before"`
	After   map[string]json.RawMessage `json:"after"`
}

// AuditFilter selects entries of the audit log. An empty field selects all.
type AuditFilter struct {
	Tenant string
	Key    string
	Since  time.Time // at or after
	Until  time.Time // before
}

// Audit lists the audit log, newest first.
func (c *Client) Audit(ctx context.Context, f AuditFilter, page Page) (*List[AuditEntry], error) {
	values := filter("tenant", f.Tenant, "key", f.Key)
	if !f.Since.IsZero() {
		values.Set("since", f.Since.Format(time.RFC3339Nano))
	}
	if !f.Until.IsZero() {
		values.Set("until", f.Until.Format(time.RFC3339Nano))
	}
	return fetchList[AuditEntry](ctx, c, path("audit"), page, values)
}
