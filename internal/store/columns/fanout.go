package columns

import (
	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// TooManyWaiting refuses an append that would leave more deliveries of a tenant to FanOut than may wait. Who has none
// waiting is never refused, as it would be refused forever.
func TooManyWaiting(a *bellwire.Append, waiting, more int) error {
	if a.MaxWaiting == 0 || waiting == 0 || more == 0 || waiting+more <= a.MaxWaiting {
		return nil
	}
	err := bellwire.Errorf(bellwire.CodeRateLimited, "%d deliveries of events before are still to be stored, and here are %d more; "+
		"at most %d may wait. Nothing was taken. Publish more slowly, and try again later.", waiting, more, a.MaxWaiting)
	err.RetryAfter = limits.FanOutRetryAfter
	return err
}

// IsLeftToFanOut reports whether an event's deliveries are left to FanOut. Those with an order must not pass by what waits.
func IsLeftToFanOut(e *bellwire.NewEvent, waiting bool) bool {
	return e.Recipients != nil && len(*e.Recipients) > 0 || waiting && e.Ordered()
}

// fanOutBand is how many events are stored together for one recipient after the other. Rows that are stored together lie
// together then, by their events and by their endpoints. What databases hold of it is counted in this order, so that the
// number must stay.
const fanOutBand = 32

// FanOutPlace returns of which event, and to which recipient, the delivery is that FanOut stores at the given place of a row
// about so many of both. For each recipient the events come in their order.
func FanOutPlace(place, events, recipients int64) (event, recipient int64) {
	first := place / (fanOutBand * recipients) * fanOutBand
	band := min(fanOutBand, events-first)
	place -= first * recipients
	return first + place%band, place / band
}
