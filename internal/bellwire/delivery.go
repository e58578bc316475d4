package bellwire

import "time"

// DeliveryStatus is how far a delivery has come.
type DeliveryStatus string

// The states of a delivery. The last three are ends, though a retry by hand may still turn them into
// succeeded.
const (
	DeliveryPending   DeliveryStatus = "pending"   // no attempt has been recorded
	DeliveryRetrying  DeliveryStatus = "retrying"  // an attempt failed; another is due
	DeliverySucceeded DeliveryStatus = "succeeded" // acknowledged
	DeliveryExhausted DeliveryStatus = "exhausted" // the retry policy is spent, or it cannot be sent at all
	DeliveryCanceled  DeliveryStatus = "canceled"  // by hand, or its endpoint was disabled or deleted
)

// DeliveryStatuses lists all states, in the order of a delivery's life.
var DeliveryStatuses = []DeliveryStatus{
	DeliveryPending, DeliveryRetrying, DeliverySucceeded, DeliveryExhausted, DeliveryCanceled,
}

// Open tells whether the schedule goes on.
func (s DeliveryStatus) Open() bool { return s == DeliveryPending || s == DeliveryRetrying }

// Why deliveries end or wait, where the status alone does not say it.
const (
	ReasonRetriesSpent     = "The retry policy is spent."
	ReasonSkipped          = "The retry policy is spent; the next delivery in order goes ahead."
	ReasonTimeOver         = "The retry policy's max_elapsed has passed."
	ReasonCanceledByHand   = "Canceled on request."
	ReasonEndpointDisabled = "The endpoint was disabled."
	ReasonEndpointDeleted  = "The endpoint was deleted."
	ReasonEndpointGone     = "The endpoint answered 410 Gone and was disabled."
	ReasonTestFailed       = "A test is one attempt only."
	ReasonTargetRequests   = "Too many requests to its host were not acknowledged within the last hour, so that the next attempt may come late (limit target_requests)."
)

// Delivery is one event on its way to one endpoint.
type Delivery struct {
	ID        DeliveryID
	Event     EventID
	EventType string
	Tenant    string
	Endpoint  string
	Status    DeliveryStatus
	Reason    string    // why it ended, or why it could not be sent; empty if the status says it all
	Attempts  int       // attempts recorded, of any trigger
	Retries   int       // how many steps of the retry policy are used up
	Sequence  int64     // its number in a FIFO endpoint's order, from 1; 0: outside any order
	Epoch     int64     // the shard epoch in which it was taken into memory; 0: free
	DueAt     time.Time // when the next attempt is due; zero unless open
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Trigger says what caused an attempt.
type Trigger string

// The triggers.
const (
	TriggerSchedule Trigger = "schedule" // the first attempt and those of the retry policy
	TriggerManual   Trigger = "manual"   // a retry by hand: it never uses up or ends the schedule
	TriggerTest     Trigger = "test"     // an endpoint's test: one attempt only
)

// Transition is what an attempt makes of a delivery.
type Transition struct {
	Status DeliveryStatus // empty: as it was
	Reason string
	Delay  time.Duration // with DeliveryRetrying: until the next attempt
}

// Since returns when d could first be attempted at the endpoint as it is: when its event was taken, or when the
// endpoint was last changed, if that was later. So a pause costs no retries, and a corrected URL has all its time.
func (d *Delivery) Since(ep *Endpoint) time.Time {
	if ep.UpdatedAt.After(d.CreatedAt) {
		return ep.UpdatedAt
	}
	return d.CreatedAt
}

// Decide is the delivery's state machine: it says what becomes of d after an attempt with the given verdict that ended
// at now. retryAfter is the wait that the receiver asked for, 0 if none; random is in [0, 1) and spreads the retries.
func (d *Delivery) Decide(trigger Trigger, v Verdict, ep *Endpoint, now time.Time, retryAfter time.Duration, random float64) Transition {
	switch {
	case v == Acknowledged:
		return Transition{Status: DeliverySucceeded}
	case trigger == TriggerTest && v == Gone:
		return Transition{Status: DeliveryExhausted, Reason: ReasonEndpointGone}
	case trigger == TriggerTest:
		return Transition{Status: DeliveryExhausted, Reason: ReasonTestFailed}
	case trigger == TriggerManual:
		return Transition{}
	case v == Gone:
		return Transition{Status: DeliveryCanceled, Reason: ReasonEndpointGone}
	case v == Impossible:
		return Transition{Status: DeliveryExhausted}
	}
	delay, more := ep.Retry.Delay(d.Retries+1, random)
	if !more {
		reason := ReasonRetriesSpent
		if d.Sequence > 0 {
			reason = ReasonSkipped
		}
		return Transition{Status: DeliveryExhausted, Reason: reason}
	}
	if limit := time.Duration(ep.Retry.MaxElapsed); limit > 0 {
		left := d.Since(ep).Add(limit).Sub(now)
		if left <= 0 {
			return Transition{Status: DeliveryExhausted, Reason: ReasonTimeOver}
		}
		delay = min(delay, left)
	}
	return Transition{Status: DeliveryRetrying, Delay: max(delay, retryAfter)}
}
