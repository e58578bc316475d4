package rules

import (
	"fmt"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// tooManyDeferred refuses an append that would defer more of a tenant's deliveries than may wait. A tenant that has none
// deferred is never refused, because a large append would be refused forever.
func tooManyDeferred(a *bellwire.Append, deferred, more int) error {
	if a.MaxDeferred == 0 || deferred == 0 || more == 0 || deferred+more <= a.MaxDeferred {
		return nil
	}
	return &bellwire.Error{
		Code: bellwire.CodeRateLimited,
		Message: fmt.Sprintf("%d deliveries of earlier events are still to be stored, and this request adds %d more; at most %d may wait",
			deferred, more, a.MaxDeferred),
		Hint:       "Nothing was accepted. Publish more slowly, and try again later.",
		RetryAfter: limits.FanOutRetryAfter,
	}
}

// IsDeferred reports whether an event's deliveries are deferred to FanOut. If its tenant has deferred deliveries already,
// ordered ones must not overtake them.
func IsDeferred(e *bellwire.NewEvent, already bool) bool {
	return e.Recipients != nil && len(*e.Recipients) > 0 || already && e.Ordered()
}

// fanOutBand is the number of events that FanOut stores together for one recipient after the other, so that neighboring rows
// share their event or their endpoint. It must not change: stored positions count in this order.
const fanOutBand = 32

// FanOutItem returns the event and the recipient of the delivery that FanOut stores at the given index of a row with so many
// events and recipients. Each recipient gets the events in their order.
func FanOutItem(index, events, recipients int64) (event, recipient int64) {
	first := index / (fanOutBand * recipients) * fanOutBand
	band := min(fanOutBand, events-first)
	index -= first * recipients
	return first + index%band, index / band
}
