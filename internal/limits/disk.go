package limits

import "fmt"

// Bounds on the audit log, where every request to the API of some dialects is kept.
const (
	AuditEntries = 10_000 // new entries of one tenant a day
	AuditRate    = 20     // requests a second of one key
	AuditBurst   = 200    // of them at once
)

var auditLog = Resource{
	Name:    "audit log",
	Bound:   "none but the shares of the tenants; entries are kept for `--audit-retention`",
	Share:   fmt.Sprintf("%d new entries a day; %d requests a second of one key", AuditEntries, AuditRate),
	Reserve: "each tenant has its own share",
	Order:   "nobody waits",
	Answer:  "429 `rate_limited` with `Retry-After`; the request is not done",
}
