package bellwire

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"time"
)

// AuditEntry records a call to a management API: an action of a caller, a call that was refused because the caller may not make
// it, or a request to an API whose callers must name the person who looks at personal data, and the reason. Equal requests within a
// minute share an entry, unless they change something.
type AuditEntry struct {
	ID            AuditID
	At            time.Time // of the first of them
	LastAt        time.Time // of the last of them
	Count         int       // of them
	Tenant        string
	Key           KeyID // zero for the configured admin key
	Method        string
	Path          string
	Principal     string    // the person on whose behalf, as given by the caller
	Justification string    // the reason, as given by the caller
	ExpiresAt     time.Time // when the entry may be deleted

	// Action is empty for a refused call, and for a request to an API whose callers must name a person.
	Action  string // such as "endpoint.update"
	Subject string // the id of what the action is about
	Refused Code   // what the caller was told; empty: the call was not refused
	Actor   Actor
	// Before and After are as in a ChangeNote. They are empty for endpoints, whose history has them.
	Before, After json.RawMessage
}

// AuditFilter selects entries of the audit log. Zero fields select all.
type AuditFilter struct {
	Tenant string
	Key    KeyID
	Since  time.Time // at or after
	Until  time.Time // before
}

// The actions that change no configuration.
const (
	AuditRetry      = "delivery.retry"
	AuditCancel     = "delivery.cancel"
	AuditTest       = "endpoint.test"
	AuditProbe      = "endpoint.probe"
	AuditReadSecret = "endpoint.read-secret"
	AuditCreateJob  = "job.create"
	AuditUpdateJob  = "job.update"
	AuditTestAlerts = "alerts.test"
	AuditImport     = "import" // of many things at once, with their counts
	AuditExport     = "export" // of many things at once, without secrets

	AuditExportSecrets = "export.secrets" // of many things at once, with secrets

	AuditConsoleCreate   = "console-session.create"
	AuditConsoleExchange = "console-session.exchange"
	AuditConsoleDelete   = "console-session.delete"
	AuditPortalCreate    = "portal-session.create"
	AuditPortalExchange  = "portal-session.exchange"
	AuditPortalDelete    = "portal-session.delete"
)

// AuditShare is a part of the audit log that has a bound of its own for each tenant and day, so that a flood of one kind of entries
// displaces none of another.
type AuditShare string

// The shares.
const (
	AuditedRequests AuditShare = ""         // requests to APIs whose callers must name a person
	AuditedChanges  AuditShare = "changes"  // of the configuration
	AuditedActions  AuditShare = "actions"  // those that change no configuration
	AuditedRefusals AuditShare = "refusals" // calls that were refused
)

// Share returns the share that the entry belongs to.
func (e *AuditEntry) Share() AuditShare {
	switch {
	case e.Refused != "":
		return AuditedRefusals
	case e.Action == "":
		return AuditedRequests
	}
	switch e.Action {
	case AuditRetry, AuditCancel, AuditTest, AuditProbe, AuditReadSecret, AuditCreateJob, AuditUpdateJob, AuditTestAlerts, AuditExport, AuditExportSecrets,
		AuditConsoleCreate, AuditConsoleExchange, AuditConsoleDelete, AuditPortalCreate, AuditPortalExchange, AuditPortalDelete:
		return AuditedActions
	}
	return AuditedChanges
}

type auditKey struct{}

// AuditedChange is an entry that is stored in the transaction of its change, unless the tenant has PerDay new entries of that day
// already (0: no limit). The change is made in any case.
type AuditedChange struct {
	Entry  *AuditEntry
	PerDay int
}

// WithAudit returns a context for one change, which a Store adds to the audit log in the same transaction.
func WithAudit(ctx context.Context, change *AuditedChange) context.Context {
	return context.WithValue(ctx, auditKey{}, change)
}

// AuditOf returns the change of the context, nil if there is none.
func AuditOf(ctx context.Context) *AuditedChange {
	change, _ := ctx.Value(auditKey{}).(*AuditedChange)
	return change
}

// MaxAuditText is the maximum size in bytes of a principal, a justification and a path.
const MaxAuditText = 256

// Digest returns a value that only equal requests of the same minute share.
func (e *AuditEntry) Digest() [16]byte {
	h := sha256.New()
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(e.At.Unix()/60)))
	h.Write(e.Key[:])
	for _, text := range []string{e.Tenant, e.Method, e.Path, e.Principal, e.Justification, e.Action, e.Subject, string(e.Refused), e.Actor.Address} {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(text))))
		h.Write([]byte(text))
	}
	return [16]byte(h.Sum(nil))
}

// Day returns the day of the entry in UTC, counted from 1970.
func (e *AuditEntry) Day() int64 { return AuditDay(e.At) }

// AuditDay returns the day of t in UTC, counted from 1970.
func AuditDay(t time.Time) int64 { return t.Unix() / (24 * 60 * 60) }
