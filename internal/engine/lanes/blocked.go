package lanes

import (
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Why is the reason for which an endpoint's deliveries wait.
type Why int

// The reasons.
const (
	NotBlocked    Why = iota
	Paused            // the endpoint is paused
	TenantPaused      // the tenant is paused
	Disabled          // the endpoint is disabled or deleted
	BreakerOpen       // the circuit breaker is open
	Resting           // the endpoint asked for a rest with Retry-After, or is overloaded
	FailureRate       // too many of the tenant's attempts fail, so its failing endpoints take turns
	HostLimit         // the tenant's requests to the host that may go unacknowledged are used up
	RateLimited       // the endpoint's rate limit is reached
	InFlightLimit     // as many requests are in flight as the endpoint takes
	Unanswered        // the requests in flight bring no answer
	InOrder           // a delivery before it in the endpoint's order has not ended
	NodeFault         // this node lacks something that sending needs
	StoreBackoff      // the store or this node failed a moment ago
	QueueFull         // the endpoint's queue in memory is full
	TenantShare       // the tenant has its share of what this node can do at a time
	Pacing            // other attempts are starting
	OtherNode         // another node sends for the endpoint
	LeaseLapsed       // this node could not renew its leases
	Draining          // this node is shutting down
	whys
)

// waitReasons are the reasons as tenants see them.
var waitReasons = [whys]bellwire.WaitReason{
	NotBlocked: bellwire.WaitQueued, Paused: bellwire.WaitPaused, TenantPaused: bellwire.WaitTenantPaused, Disabled: bellwire.WaitEnding, BreakerOpen: bellwire.WaitBreaker,
	Resting: bellwire.WaitRest, FailureRate: bellwire.WaitFailureRate, HostLimit: bellwire.WaitHostLimit,
	RateLimited: bellwire.WaitRateLimit, InFlightLimit: bellwire.WaitInFlight, Unanswered: bellwire.WaitUnanswered,
	InOrder: bellwire.WaitOrder, NodeFault: bellwire.WaitFault, StoreBackoff: bellwire.WaitFault, QueueFull: bellwire.WaitQueued,
	TenantShare: bellwire.WaitShare, Pacing: bellwire.WaitQueued, OtherNode: bellwire.WaitOtherNode,
	LeaseLapsed: bellwire.WaitTakeover, Draining: bellwire.WaitTakeover,
}

// WaitReason returns the reason as tenants see it.
func (w Why) WaitReason() bellwire.WaitReason { return waitReasons[w] }

// purpose is something that a lane does.
type purpose int

const (
	toAdmit       purpose = iota // take a delivery that is being published into memory
	toSend                       // send a delivery of the schedule
	toSendManual                 // send a test or a manual retry
	toClaim                      // claim deliveries of the schedule from the store
	toClaimManual                // claim tests and manual retries from the store
	toMaintain                   // load the endpoint, or end its open deliveries in the store
	purposes
)

// guard is a condition that can keep a lane from a purpose.
type guard uint

const (
	ifEnabled       guard = 1 << iota // the endpoint must be enabled, and its tenant active
	ifTenantActive                    // the endpoint's tenant must not be paused
	ifBreakerClosed                   // the breaker must be closed
	ifBreakerLets                     // the breaker must be closed, or let an attempt through now
	ifHostLeft                        // the host must have requests left
	ifNotPausing                      // the endpoint must not rest, and few enough of the tenant's attempts must fail
	ifNodeAble                        // this node must not have failed a moment ago
	ifToken                           // the rate limit must allow a request
	ifSlot                            // fewer requests than max_in_flight must be in flight
	ifWindow                          // the limit, the order, an open breaker and what is unanswered must allow a request: see windowFull
	ifAlone                           // a FIFO lane, or one whose breaker pauses it, must hold no other delivery
	ifRoom                            // the lane must have room for a group of deliveries
	ifManualRoom                      // the lane must have room for a test or a manual retry
	ifStoreAble                       // the store must not have failed a moment ago
)

// guards holds the guards of each purpose. head prefers manual deliveries, so whatever toSend allows, toSendManual must allow.
var guards = [purposes]guard{
	toAdmit:       ifEnabled | ifBreakerClosed | ifHostLeft,
	toSend:        ifEnabled | ifTenantActive | ifBreakerLets | ifHostLeft | ifNotPausing | ifNodeAble | ifToken | ifSlot | ifWindow,
	toSendManual:  ifTenantActive | ifHostLeft | ifNodeAble | ifSlot,
	toClaim:       ifEnabled | ifBreakerLets | ifHostLeft | ifNotPausing | ifStoreAble | ifAlone | ifRoom,
	toClaimManual: ifTenantActive | ifStoreAble | ifManualRoom,
	toMaintain:    ifStoreAble,
}

// blocked returns what keeps the lane from a purpose at now, and until when. Everything that asks whether a lane may do
// something, or when, derives from it. Reasons that end with an event, such as the end of an attempt, come first and have a zero
// time; the lane is reevaluated after the event. Of the reasons that end at a known time, it returns the one that lasts longest.
func (l *lane) blocked(now time.Time, p purpose) (why Why, until time.Time) {
	g := guards[p]
	if why := l.blockedByState(now, g); why != NotBlocked {
		return why, time.Time{}
	}
	if g&ifBreakerLets != 0 && l.pauses() && l.breaker.probeAt.After(now) {
		why, until = BreakerOpen, l.breaker.probeAt
	}
	if g&ifNotPausing != 0 && l.restUntil.After(now) && l.restUntil.After(until) {
		why, until = Resting, l.restUntil
	}
	if g&ifNotPausing != 0 && l.failuresUntil.After(now) && l.failuresUntil.After(until) {
		why, until = FailureRate, l.failuresUntil
	}
	if g&ifNodeAble != 0 && l.faults.until.After(now) && l.faults.until.After(until) {
		why, until = NodeFault, l.faults.until
	}
	if g&ifStoreAble != 0 && l.storeBackoffUntil.After(now) && l.storeBackoffUntil.After(until) {
		why, until = StoreBackoff, l.storeBackoffUntil
	}
	if g&ifHostLeft != 0 {
		if at := l.hostUsedUpUntil(now); at.After(now) && at.After(until) {
			why, until = HostLimit, at
		}
	}
	if g&ifToken != 0 {
		if at := l.tokenAt(now); at.After(now) && at.After(until) {
			why, until = RateLimited, at
		}
	}
	return why, until
}

// blockedByState returns the reason that ends with an event, if there is one.
func (l *lane) blockedByState(now time.Time, g guard) Why {
	switch {
	case g&ifEnabled != 0 && !l.enabled():
		return l.notEnabled()
	case g&ifTenantActive != 0 && l.tenantPaused():
		return TenantPaused
	case g&ifBreakerClosed != 0 && l.breaker.open():
		return BreakerOpen
	case g&ifSlot != 0 && l.inFlight+l.manualInFlight >= max(l.window.max, 1):
		return InFlightLimit
	case g&ifWindow != 0 && l.inFlight > 0:
		return l.windowFull(now)
	case g&ifAlone != 0 && !l.idle() && l.pauses():
		return BreakerOpen
	case g&ifAlone != 0 && !l.idle() && l.ordered():
		return InOrder
	case g&ifRoom != 0 && l.room() == 0:
		return QueueFull
	case g&ifManualRoom != 0 && l.manualRoom() <= 0:
		return QueueFull
	}
	return NotBlocked
}

// windowFull returns why no further request may be in flight, or NotBlocked if one may. At least one is in flight.
func (l *lane) windowFull(now time.Time) Why {
	switch {
	case l.ordered():
		return InOrder
	case l.inFlight >= l.limit():
		return InFlightLimit
	case l.pauses():
		return BreakerOpen
	case !l.breaker.open() && now.Sub(l.progress) > stallAfter:
		return Unanswered
	}
	return NotBlocked
}

// may reports whether nothing keeps the lane from a purpose.
func (l *lane) may(now time.Time, p purpose) bool {
	why, _ := l.blocked(now, p)
	return why == NotBlocked
}

// Blocked returns what keeps the endpoint's next attempt with the trigger from being made, and until when. A zero time with a
// reason means that the time is not known.
func (s *Scheduler) Blocked(endpoint string, trigger bellwire.Trigger) (why Why, until time.Time) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.ownership.Load()
	switch {
	case s.draining:
		return Draining, time.Time{}
	case o.leases.Epoch(endpoint) == 0:
		return OtherNode, time.Time{}
	case !o.valid(now):
		return LeaseLapsed, time.Time{}
	}
	l := s.lanes[endpoint]
	if l == nil {
		return NotBlocked, time.Time{}
	}
	for _, p := range l.nextSteps(trigger) {
		if why, until = l.blocked(now, p); why != NotBlocked {
			return why, until
		}
	}
	return s.blockedBeside(l, now)
}

// nextSteps returns the purposes through which the lane's next delivery with the trigger gets to its endpoint.
func (l *lane) nextSteps(trigger bellwire.Trigger) []purpose {
	claim, send, queued := toClaim, toSend, l.queue.Len()
	if trigger != bellwire.TriggerSchedule {
		claim, send, queued = toClaimManual, toSendManual, l.manualQueue.Len()
	}
	if queued > 0 {
		return []purpose{send}
	}
	return []purpose{claim, send}
}

// blockedBeside returns what keeps a lane waiting that could proceed by itself.
func (s *Scheduler) blockedBeside(l *lane, now time.Time) (why Why, until time.Time) {
	if s.faults.until.After(now) {
		return NodeFault, s.faults.until
	}
	waits := false
	for k, queued := range l.queuedIn {
		if queued && l.account.waitQueues[k].index >= 0 {
			return TenantShare, time.Time{}
		}
		waits = waits || queued
	}
	if waits && s.pace.full() {
		return Pacing, time.Time{}
	}
	return NotBlocked, time.Time{}
}
