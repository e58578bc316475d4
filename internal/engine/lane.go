package engine

import (
	"time"

	"golang.org/x/time/rate"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// job is a delivery in memory, with all that its attempt needs.
type job struct {
	lane     *lane
	delivery bellwire.Delivery
	event    *content // nil: it is not needed any more
	trigger  bellwire.Trigger
	trial    bool   // it was started while its endpoint was not known to answer
	ownBody  bool   // its attempt has a request body that no other one shares
	portion  uint32 // in which its attempt began; see pace
}

func (j *job) size() int { return len(j.event.Data) }

// express reports whether the delivery passes its endpoint's queue by.
func (j *job) express() bool { return j.trigger != bellwire.TriggerSchedule }

func (j *job) taken() bellwire.ClaimToken {
	return bellwire.ClaimToken{
		Delivery: j.delivery.ID,
		Epoch:    j.delivery.Epoch,
		Manual:   j.express(),
	}
}

// Bounds of one lane.
const (
	laneFloor    = 32   // deliveries that any lane may hold
	laneCeiling  = 4096 // deliveries that no lane exceeds
	laneDepth    = 64   // deliveries that a lane may hold for each request it may have in flight
	laneBytes    = 4 << 20
	openInFlight = 4 // deliveries of a fixed interval in flight while the breaker is open

	// A lane whose requests bring no answer for this long gets no more of them in flight.
	stallAfter = time.Second
)

// lane is what an active endpoint has in memory. The scheduler's lock guards all of it.
type lane struct {
	endpoint string
	account  *account // of its tenant; of nobody until the endpoint is loaded
	shard    int
	target   *bellwire.Target // nil: not loaded yet

	queue    queue[*job] // the schedule's deliveries, to be sent in this order
	express  queue[*job] // manual retries and tests: they pass the queue, the breaker and a pause by
	reserved int         // places promised to publishes that are being stored
	bytes    int         // of event data queued and reserved

	inFlight        int
	expressInFlight int
	unrecorded      int       // attempts that ended and are not in the store yet
	releasing       int       // deliveries on their way back to the store
	progress        time.Time // when a request last ended, or the first of those in flight started
	answering       bool      // its last attempt was acknowledged

	window  window
	breaker breaker
	limiter *rate.Limiter // nil: no rate limit
	limited time.Time     // the rate limit lets nothing be sent before
	hold    time.Time     // the endpoint asked to be left alone until then
	hosts   [2]*host      // its host, and its address where its last request went; nil: nothing has failed there of late
	faults  faults        // of this node

	// What is in the store and not here:
	due      time.Time // when the first free delivery may be due; zero: there is none
	manual   bool      // there may be retries by hand
	reload   bool      // the configuration has to be looked at again
	overdue  bool      // there may be more whose time for retries is over
	claiming bool      // the claimer is at it
	quiet    time.Time // the store is not asked before, because it or this node has failed
	next     int64     // FIFO: the number that the next delivery taken directly must have; 0: take from the store only

	in    [kinds]bool // the lines in which it stands
	timer int         // its place in the timer heap, -1 if none
	at    time.Time
}

func (l *lane) ordered() bool {
	return l.target != nil && l.target.Endpoint.Ordering == bellwire.OrderingFIFO
}

func (l *lane) enabled() bool {
	return l.target == nil || l.target.Endpoint.Status == bellwire.EndpointEnabled && !l.target.Endpoint.Deleted
}

// ended tells whether the endpoint gets nothing any more, so that what is open is to be canceled.
func (l *lane) ended() bool {
	return l.target != nil && (l.target.Endpoint.Deleted || l.target.Endpoint.Status == bellwire.EndpointDisabled)
}

// fixed reports whether retries come at a fixed interval. That is the tenant's own: an open breaker then bounds how many
// are tried at a time, and not when.
func (l *lane) fixed() bool { return l.target != nil && l.target.Endpoint.Retry.Fixed() }

// pauses reports whether the breaker is open, and one attempt at a time is let through when a pause is over.
func (l *lane) pauses() bool { return l.breaker.open() && !l.fixed() }

// limit returns how many requests may be in flight.
func (l *lane) limit() int {
	switch {
	case l.ordered():
		return 1
	case l.breaker.open():
		return min(openInFlight, max(l.window.max, 1))
	}
	return l.window.limit()
}

// capacity returns how many deliveries the lane may hold.
func (l *lane) capacity() int {
	if l.breaker.open() {
		return laneFloor
	}
	return max(laneFloor, min(laneDepth*l.limit(), laneCeiling))
}

// byteLimit returns how much event data the lane may hold: little until its endpoint answers, so that those
// that hang do not fill everybody's memory.
func (l *lane) byteLimit() int {
	if l.answering {
		return laneBytes
	}
	return laneBytes / 16
}

// adopt takes over a newer state of the endpoint, and tells whether it was one.
func (l *lane) adopt(t *bellwire.Target) bool {
	if l.target != nil && !isNewer(t, l.target) {
		return false
	}
	ep := t.Endpoint
	if l.target == nil {
		l.window = newWindow(ep.MaxInFlight)
	}
	if l.target == nil || l.target.Endpoint.RateLimit != ep.RateLimit {
		l.limiter, l.limited = newLimiter(ep.RateLimit), time.Time{}
	}
	if ep.Ordering != bellwire.OrderingFIFO {
		l.next = 0
	}
	l.window.max = ep.MaxInFlight
	l.target = t
	return true
}

// isNewer reports whether a lane that knows one state of its endpoint has something to take over from another. The limits of
// its tenant change without the endpoint's revision. That the old ones come again is short-lived: the store refuses what was
// published by them, and the publish is matched anew.
func isNewer(t, known *bellwire.Target) bool {
	if t.Endpoint.Revision != known.Endpoint.Revision {
		return t.Endpoint.Revision > known.Endpoint.Revision
	}
	return t.Limits != nil && t.Limits != known.Limits && (known.Limits == nil || *t.Limits != *known.Limits)
}

// newLimiter allows a tenth of a second's events at once, since timers are no finer than that needs.
func newLimiter(perSecond float64) *rate.Limiter {
	if perSecond <= 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(perSecond), max(1, int(perSecond/10)))
}

// takes tells whether a delivery that is just being published may go into memory directly.
func (l *lane) takes(now time.Time, size int) bool {
	held := l.queue.len() + l.reserved + l.releasing
	switch {
	case !l.enabled() || l.breaker.open() || now.Before(l.hostUsedUpUntil(now)):
		return false
	case held > 0 && l.bytes+size > l.byteLimit():
		return false
	case l.ordered():
		return l.next != 0 && l.due.IsZero() && held < l.capacity()
	case l.claiming || isDue(l.due, now):
		return held < l.capacity()/2 // the backlog in the store has the other half
	}
	return held < l.capacity()
}

// sendable tells whether an attempt may start now.
func (l *lane) sendable(now time.Time) bool {
	if l.fullUp() || now.Before(l.faults.until) || now.Before(l.hostUsedUpUntil(now)) {
		return false
	}
	if l.expressSendable() {
		return true
	}
	switch {
	case l.queue.len() == 0 || !l.enabled():
		return false
	case l.inFlight >= l.limit() || now.Before(l.hold) || now.Before(l.limited):
		return false
	case l.inFlight > 0 && now.Sub(l.progress) > stallAfter && !l.breaker.open():
		return false
	case l.pauses() && (l.inFlight > 0 || now.Before(l.breaker.probeAt)):
		return false
	}
	return l.hasToken(now)
}

// fullUp reports whether the endpoint has as many requests under way as it may have in all.
func (l *lane) fullUp() bool { return l.inFlight+l.expressInFlight >= max(l.window.max, 1) }

func (l *lane) expressSendable() bool { return l.express.len() > 0 }

// sends returns the line in which the lane waits to send, if it can.
func (l *lane) sends(now time.Time) (k kind, ok bool) {
	switch {
	case !l.sendable(now):
		return 0, false
	case l.answering:
		return sending, true
	case l.breaker.failures > 0:
		return sendingFailing, true
	}
	return sendingUnproven, true
}

// head returns the delivery to be attempted next. The lane must be sendable.
func (l *lane) head() *job {
	if l.expressSendable() {
		return l.express.first()
	}
	return l.queue.first()
}

// hasToken asks the rate limit, and remembers when there will be a token if there is none.
func (l *lane) hasToken(now time.Time) bool {
	if l.limiter == nil {
		return true
	}
	at := tokenAt(l.limiter, now)
	if at.IsZero() {
		return true
	}
	l.limited = at
	return false
}

// tokenAt returns when a limiter will have a token, zero if it has one now.
func tokenAt(l *rate.Limiter, now time.Time) time.Time {
	missing := 1 - l.TokensAt(now)
	if missing <= 0 {
		return time.Time{}
	}
	return now.Add(max(time.Duration(missing/float64(l.Limit())*float64(time.Second)), time.Microsecond))
}

// take removes the delivery to be attempted next. The lane must be sendable.
func (l *lane) take(now time.Time) *job {
	if l.expressSendable() {
		j := l.express.pop()
		l.expressInFlight++
		return j
	}
	j := l.queue.pop()
	l.bytes -= j.size()
	if l.inFlight == 0 {
		l.progress = now
	}
	l.inFlight++
	l.breaker.probing = l.breaker.open()
	if l.limiter != nil {
		l.limiter.AllowN(now, 1)
	}
	return j
}

// claims returns the line in which the lane waits for the claimer, if the store should be asked now.
func (l *lane) claims(now time.Time) (k kind, ok bool) {
	switch {
	case l.claiming || now.Before(l.quiet):
		return 0, false
	case l.reload || isDue(l.due, now) && (l.ended() || l.overdue):
		return maintaining, true
	case l.claimsDue(now):
		if l.answering || l.empty() {
			return claiming, true
		}
		return claimingUnproven, true
	}
	return claimingByHand, l.manual && l.roomByHand() > 0
}

// claimsDue reports whether deliveries of the schedule should be claimed now.
func (l *lane) claimsDue(now time.Time) bool {
	switch {
	case !isDue(l.due, now) || !l.enabled() || now.Before(l.hold) || now.Before(l.hostUsedUpUntil(now)):
		return false
	case l.pauses():
		return l.idle() && !now.Before(l.breaker.probeAt)
	case l.ordered():
		return l.idle()
	}
	return l.room() > 0
}

// roomByHand returns how many tests and manual retries to claim.
func (l *lane) roomByHand() int {
	return limits.MaxByHand - l.express.len() - l.expressInFlight
}

// empty reports whether the lane has nothing in memory.
func (l *lane) empty() bool { return l.idle() && l.express.len() == 0 && l.expressInFlight == 0 }

// idle tells whether nothing of the schedule is in memory or on its way to the store.
func (l *lane) idle() bool {
	return l.queue.len() == 0 && l.reserved == 0 && l.inFlight == 0 && l.unrecorded == 0 && l.releasing == 0
}

// room returns how many deliveries to claim: none while half of the capacity is in use, so that claims
// come in groups.
func (l *lane) room() int {
	held := l.queue.len() + l.reserved
	if held > l.capacity()/2 || l.bytes > l.byteLimit()/2 {
		return 0
	}
	return l.capacity() - held
}

// wake returns when after now the lane has to be looked at again though nothing happens; zero: never.
func (l *lane) wake(now time.Time) time.Time {
	var at time.Time
	consider := func(t time.Time) {
		if t.After(now) {
			at = sooner(at, t)
		}
	}
	usedUpUntil := l.hostUsedUpUntil(now)
	free := later(l.hold, usedUpUntil)
	if l.pauses() {
		free = later(free, l.breaker.probeAt)
	}
	if l.queue.len() > 0 && l.enabled() {
		consider(later(later(free, l.limited), l.faults.until))
	}
	if l.express.len() > 0 {
		consider(later(l.faults.until, usedUpUntil))
	}
	if l.claiming {
		return at
	}
	if l.manual || l.reload || l.ended() && !l.due.IsZero() {
		consider(l.quiet)
	}
	if !l.due.IsZero() && l.enabled() {
		consider(later(later(l.due, free), l.quiet))
	}
	return at
}

// dispensable tells whether nothing would be lost by forgetting the lane.
func (l *lane) dispensable(now time.Time) bool {
	return l.empty() && !l.claiming && !l.manual && !l.reload && l.in == [kinds]bool{} &&
		(l.due.IsZero() || l.due.After(now.Add(2*scanEvery))) && !l.breaker.open() && now.Sub(l.progress) > laneMemory && !now.Before(l.hold) && !now.Before(l.limited)
}

// stored returns a time as the store keeps it.
func stored(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func isDue(t, now time.Time) bool { return !t.IsZero() && !t.After(now) }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// sooner returns the earlier of two times, of which a zero one means never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
