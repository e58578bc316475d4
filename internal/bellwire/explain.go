package bellwire

import (
	"iter"
	"time"
)

// Explained is an event with some of the endpoints that its tenant has or had, and all that decides what became of it there.
type Explained struct {
	Event      *Event
	Unmatched  bool // it waits to be matched
	FanningOut bool // some of its deliveries are deferred to Queue.FanOut
	Endpoints  List[*EndpointAt]
}

// EndpointAt is an endpoint, its standing when an event was stored, and its delivery of that event.
type EndpointAt struct {
	Endpoint string
	// Then is the endpoint's standing when the event was stored. It is nil if its history begins later.
	Then *Standing
	Now  *Standing
	// Begins is the first change that the history has: the creation of the endpoint, unless older changes are lost.
	Begins   Change
	Delivery *Delivery  // nil: there is none. Of several deliveries, the one that succeeded, or else the latest.
	Ahead    DeliveryID // if Delivery.Behind: the delivery that it is behind
}

// Supersedes reports whether d says better than other, another delivery of the same event to the same endpoint, what became of
// the event there.
func (d *Delivery) Supersedes(other *Delivery) bool {
	if a, b := d.Status == DeliverySucceeded, other.Status == DeliverySucceeded; a != b {
		return a
	}
	return !d.CreatedAt.Before(other.CreatedAt)
}

// EventOutcomes counts the endpoints that have deliveries of an event, by the status of the one that supersedes the others there.
type EventOutcomes struct {
	Pending, Retrying, Succeeded, Exhausted, Canceled int
	Capped                                            bool // the event has more deliveries than were looked at
}

// CountOutcomes counts what supersedes an event's other deliveries to each endpoint.
func CountOutcomes(deliveries iter.Seq[*Delivery], capped bool) *EventOutcomes {
	o := &EventOutcomes{Capped: capped}
	of := map[DeliveryStatus]*int{
		DeliveryPending: &o.Pending, DeliveryRetrying: &o.Retrying, DeliverySucceeded: &o.Succeeded, DeliveryExhausted: &o.Exhausted, DeliveryCanceled: &o.Canceled,
	}
	for d := range deliveries {
		*of[d.Status]++
	}
	return o
}

// Fate is what became of an event at an endpoint.
type Fate string

// The fates of an event.
const (
	FateDelivered     Fate = "delivered"
	FatePending       Fate = "pending"
	FateRetrying      Fate = "retrying"
	FateExhausted     Fate = "exhausted"
	FateCanceled      Fate = "canceled"
	FatePaused        Fate = "paused"         // it waits because the endpoint or the tenant is paused
	FateNotSubscribed Fate = "not_subscribed" // the endpoint's events did not match
	FateFiltered      Fate = "filtered"       // the endpoint's filter did not match
	FateDisabled      Fate = "disabled"       // the endpoint was disabled
	FateCreatedLater  Fate = "created_later"  // the endpoint was created after the event
	FateDeleted       Fate = "deleted"        // the endpoint was deleted before the event
	FateUnknown       Fate = "unknown"        // the endpoint's history does not reach back to the event
)

// Explanation says what became of an event at an endpoint, and why.
type Explanation struct {
	Endpoint string
	Fate     Fate
	Reason   string // in words; empty if the fate says it all
	Delivery *Delivery
	// Since and By say when and by whom the endpoint was paused, disabled, deleted or created, if that explains the fate.
	Since time.Time
	By    *Actor
}
