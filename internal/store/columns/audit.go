package columns

import (
	"strconv"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// AuditFull is the error of a tenant that has as many new entries of e's day in the audit log as it may have.
func AuditFull(e *bellwire.AuditEntry, perDay int) error {
	return &bellwire.Error{
		Code: bellwire.CodeRateLimited,
		Message: "Every request is kept on record here, and there is room for " + strconv.Itoa(perDay) +
			" different ones a day. Equal ones within a minute count once. Try again tomorrow (UTC), or ask the operator for more room.",
		RetryAfter: e.At.Truncate(day).Add(day).Sub(e.At),
	}
}

const day = 24 * time.Hour
