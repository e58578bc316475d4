package bellwire

import (
	"context"
	"time"
)

// OperationalEvent is an event that a Store has kept in the transaction of what it is about, and that is to be published to a
// tenant.
type OperationalEvent struct {
	Number int64  // in the order of the transactions, of one store
	Key    string // its idempotency key, which is random
	Tenant string // to which it is published
	Type   string
	At     time.Time
	Data   []byte // JSON of OperationalData
}

// Operations is the part of a Store that keeps operational events until they are published. RecordResults, ExhaustTooOld, AdvanceJob,
// ChangeJob and the changes of endpoints keep them, each in its transaction: for OperationsTenant if it has OperationalEvents and an
// endpoint that subscribes to the type and is not disabled, and for each tenant with OperationalEvents those about itself. None are
// kept about OperationsTenant, nor about what attempts to deliver operational events lead to.
type Operations interface {
	// TakeOperational returns up to about limit of the events that are kept, oldest first, except those of the tenants in but. What
	// was returned once never changes: it is returned again until EndOperational. Exhausted deliveries of one endpoint that have not
	// been returned yet share events if there are many.
	TakeOperational(ctx context.Context, but []string, limit int) ([]*OperationalEvent, error)
	// EndOperational forgets events that were published.
	EndOperational(ctx context.Context, numbers []int64) error
	// Announced returns a channel that receives a value after this process has kept events. A store for several nodes may return
	// nil.
	Announced() <-chan struct{}
}
