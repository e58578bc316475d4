package bellwire

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// AuditEntry records a request to a management API whose callers must name the person who looks at personal data, and the
// reason. Equal requests within a minute share an entry.
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
}

// MaxAuditText is the maximum size in bytes of a principal, a justification and a path.
const MaxAuditText = 256

// Digest returns a value that only equal requests of the same minute share.
func (e *AuditEntry) Digest() [16]byte {
	h := sha256.New()
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(e.At.Unix()/60)))
	h.Write(e.Key[:])
	for _, text := range []string{e.Tenant, e.Method, e.Path, e.Principal, e.Justification} {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(text))))
		h.Write([]byte(text))
	}
	return [16]byte(h.Sum(nil))
}

// Day returns the day of the entry in UTC, counted from 1970.
func (e *AuditEntry) Day() int64 { return AuditDay(e.At) }

// AuditDay returns the day of t in UTC, counted from 1970.
func AuditDay(t time.Time) int64 { return t.Unix() / (24 * 60 * 60) }
