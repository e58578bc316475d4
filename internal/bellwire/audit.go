package bellwire

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// AuditEntry is one request to a management API whose callers must say who looks at personal data, and why. Equal requests
// within a minute are one entry.
type AuditEntry struct {
	ID            AuditID
	At            time.Time // of the first of them
	LastAt        time.Time // of the last of them
	Count         int       // of them
	Tenant        string
	Key           KeyID // zero: the configured admin key
	Method        string
	Path          string
	Principal     string    // on whose behalf, in the caller's words
	Justification string    // why, in the caller's words
	ExpiresAt     time.Time // when it may be deleted
}

// MaxAuditText is the most bytes that a principal, a justification or a path may have in the audit log.
const MaxAuditText = 256

// Digest is the same for equal requests of the same minute, and for no others.
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

// Day is the day of the entry, counted from 1970 in UTC.
func (e *AuditEntry) Day() int64 { return AuditDay(e.At) }

// AuditDay returns the day of a time, counted from 1970 in UTC.
func AuditDay(t time.Time) int64 { return t.Unix() / (24 * 60 * 60) }
