package engine

import (
	"context"
	"errors"
	"sync/atomic"
)

// fence lets an attempt's request out only while its delivery is this node's to send. A node that is stopped for longer
// than its lease goes on in the middle of what it did, so the last moment before the request leaves is the one to look.
// An idle connection keeps the last one, so it holds nothing big.
type fence struct {
	mine     func(endpoint string, epoch int64) bool // whether this node owns the endpoint in the epoch
	endpoint string
	epoch    int64
	giveUp   context.CancelFunc // ends the attempt
	refused  atomic.Bool
}

var errFenced = errors.New("the delivery is another node's now")

// allows tells whether the request may go out.
func (f *fence) allows() bool {
	if f.mine(f.endpoint, f.epoch) {
		return true
	}
	f.refused.Store(true)
	return false
}

// guard puts the fence in front of the connection that the transport has chosen for the request. On a shared connection the
// request is stopped here or not at all.
func (f *fence) guard(c *conn, shared bool) {
	if shared {
		if !f.allows() {
			f.giveUp()
		}
		return
	}
	if c != nil {
		c.fence.Store(f)
	}
}
