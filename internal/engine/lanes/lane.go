package lanes

import (
	"time"

	"golang.org/x/time/rate"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine/fifo"
	"github.com/bellwire/bellwire/internal/limits"
)

// Bounds of one lane.
const (
	laneFloor    = 32    // deliveries that any lane may hold
	laneCeiling  = 16384 // deliveries that no lane exceeds
	laneDepth    = 64    // deliveries that a lane may hold for each request it may have in flight
	laneFast     = 16    // requests in flight from which on that depth grows with their number
	laneBytes    = 8 << 20
	openInFlight = 4 // deliveries of a fixed interval in flight while the breaker is open

	// askedRests is how many answers that mean overload, without an acknowledgement in between, count as much as Retry-After.
	askedRests = 3

	// stallAfter is the time without an answer after which a lane sends no further requests beside those in flight.
	stallAfter = time.Second
)

// lane holds the state of an active endpoint in memory. The scheduler's lock guards it.
type lane struct {
	endpoint string
	account  *account // of its tenant; the account of the empty tenant until the tenant is known
	shard    int
	target   *bellwire.Target // nil: not loaded yet

	permission *bellwire.Permission // of the target; nil: none is needed

	queue       fifo.Queue[*Task] // deliveries of the schedule, in the order of sending
	manualQueue fifo.Queue[*Task] // tests and manual retries, which bypass the queue, the breaker and a pause
	reserved    int               // places promised to publications that are being stored
	bytes       int               // event data queued and reserved

	inFlight       int
	manualInFlight int
	unrecorded     int       // attempts that ended and are not in the store yet
	releasing      int       // deliveries on their way back to the store
	progress       time.Time // end of the last request, or start of the first of those in flight
	proven         bool      // an attempt was acknowledged, and none of the schedule has failed since; not of a former URL
	acknowledged   bool      // the last request of any kind to the present URL was acknowledged
	health         health

	window        window
	breaker       breaker
	rate          float64       // events a second that the limiter lets through
	limiter       *rate.Limiter // nil: no rate limit
	noTokenUntil  time.Time     // when the limiter will have a token, as computed last
	restUntil     time.Time     // end of the endpoint's rest, because it asked for one or is overloaded
	rests         int           // answers that caused a rest since the last acknowledgement; one with Retry-After counts as askedRests
	failuresUntil time.Time     // end of the pause because too many of the tenant's attempts fail
	hosts         [2]*host      // its host, and the address of its last request; nil: nothing has failed there lately
	faults        backoff       // after faults of this node

	// The part of the lane that is in the store:
	due               time.Time // earliest time at which a free delivery may be due; zero: there is none
	manualDue         bool      // there may be manual retries
	reload            bool      // the endpoint may have changed
	tooOld            bool      // there may be more deliveries past max_elapsed
	mustSearch        bool      // the next claim must search: some may have been stored to be forwarded, and not have arrived
	withClaimer       bool      // the claimer is loading or claiming for it
	searching         bool      // with a claim that takes what was stored to be forwarded
	unsureUntil       time.Time // end of such a claim whose outcome is not known
	storeBackoffUntil time.Time // end of the pause after the store or this node failed
	nextSequence      int64     // FIFO: the number of the next delivery that may be admitted; 0: claim from the store only

	forwarded map[bellwire.DeliveryID]bool // deliveries in memory that another node has forwarded
	late      []*Task                      // arrivals during a claim that searches, which may have found them

	queuedIn [waitKinds]bool // the wait queues that it is in
	timer    int             // index in the timer heap; -1: none
	timerAt  time.Time
}

func (l *lane) ordered() bool {
	return l.target != nil && l.target.Endpoint.Ordering == bellwire.OrderingFIFO
}

func (l *lane) enabled() bool { return l.notEnabled() == NotBlocked }

// notEnabled returns why the endpoint gets no deliveries of the schedule, or NotBlocked if it gets them.
func (l *lane) notEnabled() Why {
	switch {
	case l.target == nil:
		return NotBlocked
	case l.ended():
		return Disabled
	case l.tenantPaused():
		return TenantPaused
	case l.target.Endpoint.Status != bellwire.EndpointEnabled:
		return Paused
	}
	return NotBlocked
}

// tenantPaused reports whether the endpoint's tenant is paused. Then tests and manual retries wait too, and nothing is sent.
func (l *lane) tenantPaused() bool { return l.target != nil && l.target.TenantPaused() }

// ended reports whether the endpoint is disabled or deleted, so that its open deliveries, except tests, must be canceled.
func (l *lane) ended() bool {
	return l.target != nil && l.target.Ended()
}

// fixed reports whether retries come at a fixed interval. The tenant chose that interval, so an open breaker bounds how many
// deliveries are tried at a time, and not when.
func (l *lane) fixed() bool { return l.target != nil && l.target.Endpoint.Retry.Fixed() }

// pauses reports whether the breaker is open and lets one attempt at a time through after each pause.
func (l *lane) pauses() bool { return l.breaker.open() && !l.fixed() }

// putsOff reports whether the endpoint has asked for less load since it last acknowledged an attempt: with one Retry-After, or with
// askedRests answers that mean overload, whatever came between. Fewer such answers without Retry-After can be an accident.
func (l *lane) putsOff() bool { return l.rests >= askedRests }

// limit returns how many requests of the schedule the window, the order, the permission and an open breaker allow. While the breaker
// pauses the lane, windowFull allows only one of them.
func (l *lane) limit() int {
	switch {
	case l.ordered() || l.permission != nil && l.granted() == nil: // one asks
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
	limit := l.limit()
	return max(laneFloor, min(laneDepth*limit*max(limit, laneFast)/laneFast, laneCeiling))
}

// byteLimit returns how much event data the lane may hold. It is small until the endpoint answers, so that endpoints that
// hang do not fill the memory of all.
func (l *lane) byteLimit() int {
	if l.proven {
		return laneBytes
	}
	return laneBytes / 32
}

// adopt takes over a newer state of the endpoint, and reports whether t is newer.
func (l *lane) adopt(t *bellwire.Target) bool {
	if l.target != nil && !isNewer(t, l.target) {
		return false
	}
	ep := t.Endpoint
	if l.target == nil {
		l.window = newWindow(ep.MaxInFlight)
	}
	if ep.Ordering != bellwire.OrderingFIFO {
		l.nextSequence = 0
	}
	if l.target != nil && l.target.Endpoint.URL != ep.URL {
		l.proven, l.acknowledged, l.restUntil, l.rests = false, false, time.Time{}, 0 // another receiver may be behind the new URL
		l.breaker.moved()
	}
	l.window.max = ep.MaxInFlight
	l.target = t
	l.permission = bellwire.PermissionOf(t)
	l.limitRate()
	return true
}

// limitRate makes the limiter let through what the endpoint's rate limit and its permission allow. It reports whether that changed.
func (l *lane) limitRate() bool {
	perSecond := l.target.Endpoint.RateLimit
	if g := l.granted(); g != nil && g.Rate > 0 {
		if allowed := float64(g.Rate) / 60; perSecond == 0 || allowed < perSecond {
			perSecond = allowed
		}
	}
	if perSecond == l.rate {
		return false
	}
	l.rate, l.limiter, l.noTokenUntil = perSecond, newLimiter(perSecond), time.Time{}
	return true
}

// granted returns the permission that the endpoint has given, or nil if it need not give one or has not done so.
func (l *lane) granted() *bellwire.Grant {
	if l.permission == nil {
		return nil
	}
	return l.permission.Grant()
}

// permitted applies the permission that the endpoint gave before an attempt that has ended. The attempt counts toward its rate.
func (l *lane) permitted(now time.Time) {
	if l.permission != nil && l.limitRate() && l.limiter != nil {
		l.limiter.AllowN(now, 1)
	}
}

// isNewer reports whether t is a newer state of an endpoint than the known one. The tenant's limits change without the
// endpoint's revision. Old limits may be adopted again for a moment: the store refuses what was published with them, and the
// publication is matched again.
func isNewer(t, known *bellwire.Target) bool {
	if t.Endpoint.Revision != known.Endpoint.Revision {
		return t.Endpoint.Revision > known.Endpoint.Revision
	}
	return t.Limits != nil && t.Limits != known.Limits && (known.Limits == nil || *t.Limits != *known.Limits)
}

// newLimiter returns a limiter with a burst of a tenth of a second's events, because timers are too coarse for single events.
func newLimiter(perSecond float64) *rate.Limiter {
	if perSecond <= 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(perSecond), max(1, int(perSecond/10)))
}

// admits reports whether a delivery that is being published, with data of the given size, may go into memory directly.
func (l *lane) admits(now time.Time, size int) bool {
	held := l.queue.Len() + l.reserved + l.releasing
	switch {
	case !l.may(now, toAdmit):
		return false
	case held > 0 && l.bytes+size > l.byteLimit():
		return false
	case l.ordered():
		return l.nextSequence != 0 && l.due.IsZero() && held < l.capacity()
	case l.withClaimer || isDue(l.due, now):
		return held < l.capacity()/2 // the other half is for deliveries that wait in the store
	}
	return held < l.capacity()
}

// sendable reports whether an attempt may start now.
func (l *lane) sendable(now time.Time) bool {
	return l.manualQueue.Len() > 0 && l.may(now, toSendManual) || l.queue.Len() > 0 && l.may(now, toSend)
}

// sends returns what the lane waits for in order to send, and reports whether it can send.
func (l *lane) sends(now time.Time) (k waitKind, ok bool) {
	switch {
	case !l.sendable(now):
		return 0, false
	case l.proven:
		return waitToSend, true
	case l.breaker.failures > 0:
		return waitToSendFailing, true
	}
	return waitToSendUntried, true
}

// head returns the delivery to be attempted next. The lane must be sendable.
func (l *lane) head() *Task {
	if l.manualQueue.Len() > 0 {
		return l.manualQueue.First()
	}
	return l.queue.First()
}

// tokenAt returns when the rate limit allows a request, or a time in the past if it does now.
func (l *lane) tokenAt(now time.Time) time.Time {
	if l.limiter != nil && !l.noTokenUntil.After(now) {
		l.noTokenUntil = tokenAt(l.limiter, now)
	}
	return l.noTokenUntil
}

// tokenAt returns when a limiter will have a token, or zero if it has one now.
func tokenAt(l *rate.Limiter, now time.Time) time.Time {
	missing := 1 - l.TokensAt(now)
	if missing <= 0 {
		return time.Time{}
	}
	return now.Add(max(time.Duration(missing/float64(l.Limit())*float64(time.Second)), time.Microsecond))
}

// pop removes the delivery to be attempted next. The lane must be sendable.
func (l *lane) pop(now time.Time) *Task {
	if l.manualQueue.Len() > 0 {
		task := l.manualQueue.Pop()
		l.manualInFlight++
		return task
	}
	task := l.queue.Pop()
	l.bytes -= task.size()
	if l.inFlight == 0 {
		l.progress = now
	}
	l.inFlight++
	l.breaker.probing = l.breaker.open()
	if l.limiter != nil {
		l.limiter.AllowN(now, 1)
	}
	return task
}

// claims returns what the lane needs of the claimer, and reports whether the store should be asked now.
func (l *lane) claims(now time.Time) (k waitKind, ok bool) {
	switch {
	case l.withClaimer:
		return 0, false
	case l.mustMaintain(now):
		return waitToMaintain, l.may(now, toMaintain)
	case isDue(l.due, now) && l.may(now, toClaim):
		if l.proven || l.empty() {
			return waitToClaim, true
		}
		return waitToClaimUnproven, true
	}
	return waitToClaimManual, l.manualDue && l.may(now, toClaimManual)
}

// mustMaintain reports whether the endpoint must be loaded, or deliveries in the store ended.
func (l *lane) mustMaintain(now time.Time) bool {
	return l.reload || isDue(l.due, now) && (l.ended() || l.tooOld)
}

// manualRoom returns how many tests and manual retries to claim.
func (l *lane) manualRoom() int {
	return limits.MaxManual - l.manualQueue.Len() - l.manualInFlight
}

// empty reports whether the lane has nothing in memory.
func (l *lane) empty() bool {
	return l.idle() && l.manualQueue.Len() == 0 && l.manualInFlight == 0
}

// idle reports whether no delivery of the schedule is in memory or on its way to the store.
func (l *lane) idle() bool {
	return l.queue.Len() == 0 && l.reserved == 0 && l.inFlight == 0 && l.unrecorded == 0 && l.releasing == 0 && len(l.late) == 0
}

// room returns how many deliveries to claim. It is 0 while half of the capacity is in use, so that claims come in groups.
func (l *lane) room() int {
	held := l.queue.Len() + l.reserved
	if held > l.capacity()/2 || l.bytes > l.byteLimit()/2 {
		return 0
	}
	return l.capacity() - held
}

// claimLimit returns how many deliveries of the schedule the lane can take from the store now.
func (l *lane) claimLimit(now time.Time) int {
	switch {
	case !l.may(now, toClaim):
		return 0
	case l.pauses():
		return 1
	}
	return l.room()
}

// wakeAt returns when after now the lane must be reevaluated though no event occurs; zero: never.
func (l *lane) wakeAt(now time.Time) time.Time {
	var at time.Time
	consider := func(from time.Time, p purpose) {
		why, until := l.blocked(now, p)
		if why != NotBlocked && until.IsZero() {
			return // an event ends that
		}
		if t := bellwire.Later(from, until); t.After(now) {
			at = bellwire.Earlier(at, t)
		}
	}
	if l.manualQueue.Len() > 0 {
		consider(time.Time{}, toSendManual)
	}
	if l.queue.Len() > 0 {
		consider(time.Time{}, toSend)
	}
	if l.withClaimer {
		return at
	}
	if l.reload {
		consider(time.Time{}, toMaintain)
	}
	if l.manualDue {
		consider(time.Time{}, toClaimManual)
	}
	if !l.due.IsZero() {
		if l.ended() || l.tooOld {
			consider(l.due, toMaintain)
		}
		consider(l.due, toClaim)
	}
	return at
}

// dispensable reports whether the lane has been idle for the given time and holds no state that must be kept, except its
// endpoint's past behavior. The open breaker of a deleted endpoint need not be kept.
func (l *lane) dispensable(now time.Time, idle time.Duration) bool {
	keepsBreaker := l.breaker.open() && !l.target.Endpoint.Deleted
	return now.Sub(l.progress) > idle && !l.hasWork(now) && !keepsBreaker && !l.hasPendingTimes(now)
}

// hasWork reports whether the lane has deliveries in memory, or needs something from the store now or soon.
func (l *lane) hasWork(now time.Time) bool {
	return !l.empty() || len(l.forwarded) > 0 || l.withClaimer || l.manualDue || l.reload || l.queuedIn != [waitKinds]bool{} ||
		!l.due.IsZero() && !l.due.After(now.Add(2*ScanInterval))
}

// hasPendingTimes reports whether a time until which the lane must not send, or not accept arrivals, has not passed.
func (l *lane) hasPendingTimes(now time.Time) bool {
	return l.restUntil.After(now) || l.failuresUntil.After(now) || l.tokenAt(now).After(now) ||
		now.Sub(l.unsureUntil) <= forwardTerm
}

func isDue(t, now time.Time) bool { return !t.IsZero() && !t.After(now) }
