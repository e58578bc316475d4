package send

import (
	"context"
	"errors"
	"sync/atomic"
)

// leaseCheck lets an attempt's request out only while this node owns the delivery's endpoint. A node that is stopped for
// longer than its lease resumes in the middle of an attempt, so the check comes at the last moment before the request
// leaves. An idle connection keeps the check of its last request, so the check must not reference anything large.
type leaseCheck struct {
	owns     func(endpoint string, epoch int64) bool
	endpoint string
	epoch    int64
	abort    context.CancelFunc // ends the attempt
	lost     atomic.Bool
}

var errLeaseLost = errors.New("the delivery belongs to another node now")

// ok reports whether the request may go out.
func (l *leaseCheck) ok() bool {
	if l.owns(l.endpoint, l.epoch) {
		return true
	}
	l.lost.Store(true)
	return false
}

// guard attaches the check to the connection that the transport has chosen for the request. A shared connection carries other
// requests too, so there the request is aborted at once if the lease is lost.
func (l *leaseCheck) guard(c *conn, shared bool) {
	if shared {
		if !l.ok() {
			l.abort()
		}
		return
	}
	if c != nil {
		c.lease.Store(l)
	}
}
