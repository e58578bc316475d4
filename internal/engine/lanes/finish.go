package lanes

import (
	"net/http"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Outcome is the result of a job's attempt.
type Outcome struct {
	Job        *Job
	Target     *bellwire.Target // the endpoint that the request was sent to
	Verdict    bellwire.Verdict
	Attempt    *bellwire.Attempt // nil: no request could be made
	RetryAfter time.Duration     // the rest that the receiver asked for
	Address    string            // the network that the request went to, unless it was acknowledged
	Retrying   bool              // the delivery gets another attempt

	// Finish sets these.
	Size       int  // of the attempt, in bytes of memory
	SpentHost  bool // the attempt used up the tenant's requests to the host
	WaitsForIt bool // the next attempt waits until the tenant may send requests to the host again
	Health     bellwire.HealthNote
}

// mayReturn reports whether the delivery may be attempted again. In a FIFO order, those behind it must then wait.
func (o *Outcome) mayReturn() bool { return o.Retrying || o.Verdict == bellwire.Gone }

// BreakerChange is what an attempt did to its endpoint's circuit breaker.
type BreakerChange int

// The changes of a breaker.
const (
	BreakerSame BreakerChange = iota
	BreakerOpened
	BreakerClosed
)

// Finish records an ended attempt whose outcome is about to be stored. It returns the delivery that the caller may attempt
// next, or nil, how the outcome changed the circuit breaker, and the number of failures in a row.
func (s *Scheduler) Finish(now time.Time, o *Outcome) (next *Job, change BreakerChange, failures int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j, l := o.Job, o.Job.lane
	full := l.inFlight >= l.window.limit()
	s.ended(j)
	l.faults.count = 0
	if !now.Before(s.faults.until) {
		s.faults.count = 0
	}
	o.Size = sizeOf(o.Attempt)
	s.take(l.account, unrecorded, 1)
	s.take(l.account, memory, o.Size)
	l.unrecorded++
	if !j.Manual() {
		l.progress = now
	}
	l.permitted(now)
	change, failures = s.adapt(l, now, o, full)
	o.Health = l.note(now, o)
	if j.Delivery.Sequence > 0 && !j.Manual() && o.mayReturn() {
		s.evict(l, now) // the ones behind it wait for it in the store
	}
	s.reevaluate(l, now)
	next = s.pick(now)
	s.dispatch(now)
	return next, change, failures
}

// ended takes a job out of flight, and frees what it has in memory.
func (s *Scheduler) ended(j *Job) {
	a := j.lane.account
	s.give(a, requests, 1)
	s.pace.end(j)
	if j.unproven {
		s.give(a, unprovenRequests, 1)
	}
	if j.Manual() {
		j.lane.manualInFlight--
		s.give(a, manualDeliveries, 1)
	} else {
		j.lane.inFlight--
	}
	if j.ownBody {
		j.Content.own--
	}
	s.releaseContent(a, j.Content)
	j.Content = nil // a result that waits to be stored keeps no event data in memory
	s.recheckSenders(a, memory)
}

// adapt adjusts the window, the breaker and the endpoint's rest to an outcome.
func (s *Scheduler) adapt(l *lane, now time.Time, o *Outcome, full bool) (change BreakerChange, failures int) {
	failures = l.breaker.failures
	if o.Verdict != bellwire.Acknowledged {
		l.beginRest(now, o)
		o.SpentHost = s.hosts.charge(l, o, now)
		o.WaitsForIt = o.Retrying && l.hostUsedUp(now)
	}
	switch {
	case o.Verdict == bellwire.Impossible:
		return BreakerSame, failures // the event is at fault, not the endpoint
	case o.Verdict == bellwire.Acknowledged:
		l.healthy, l.rests = true, 0
		if o.Job.Manual() {
			l.restUntil = time.Time{} // the endpoint takes requests again
		}
		if l.breaker.succeeded() {
			s.countBreaker(l, -1)
			l.window.restart()
			return BreakerClosed, failures
		}
		l.window.succeeded(o.Attempt.Timings.Total, full)
		return BreakerSame, failures
	case o.Job.Manual():
		return BreakerSame, failures
	}
	l.healthy = false
	l.window.failed()
	l.failuresUntil = l.account.fail(now)
	if l.breaker.failed(now) {
		s.countBreaker(l, 1)
		change = BreakerOpened
	}
	if (change == BreakerOpened && l.pauses()) || (l.putsOff() && l.target.Endpoint.Retry.MaxElapsed > 0) {
		s.evict(l, now) // what waits in memory takes up room meanwhile, and could not be ended by its max_elapsed
	}
	return change, failures + 1
}

// countBreaker counts the breaker of a lane that has opened or closed, unless the lane was dropped while its attempt was in flight.
func (s *Scheduler) countBreaker(l *lane, by int) {
	if s.lanes[l.endpoint] == l {
		s.openBreakers += by
	}
}

// minRest is how long an overloaded endpoint rests if its answer has no Retry-After.
const minRest = time.Second

// beginRest makes the endpoint rest if the outcome of an attempt asks for that.
func (l *lane) beginRest(now time.Time, o *Outcome) {
	rest := l.rest(o)
	if rest <= 0 {
		return
	}
	l.restUntil = bellwire.Later(l.restUntil, now.Add(rest))
	l.rests++
	if o.RetryAfter > 0 {
		l.rests = max(l.rests, askedRests)
	}
}

// rest returns how long the endpoint rests after a failure: for as long as it asks, and at least for minRest if it is
// overloaded. The tenant chose a fixed interval, so only Retry-After prolongs that. An answer from a URL that the endpoint no
// longer has causes no rest.
func (l *lane) rest(o *Outcome) time.Duration {
	if o.Target != nil && o.Target.Endpoint.URL != l.target.Endpoint.URL {
		return 0
	}
	if l.fixed() || o.Attempt == nil || !l.overloaded(o.Attempt.Response) {
		return o.RetryAfter
	}
	return max(o.RetryAfter, minRest)
}

// overloaded reports whether an answer means that the endpoint is overloaded. 429 always does. The answers that gateways give
// for an overloaded endpoint do, unless the endpoint acknowledges other requests.
func (l *lane) overloaded(answer *bellwire.AttemptResponse) bool {
	if answer == nil {
		return false
	}
	switch answer.Status {
	case http.StatusTooManyRequests:
		return true
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return !l.healthy
	}
	return false
}

// Recorded marks outcomes as stored.
func (s *Scheduler) Recorded(now time.Time, outcomes []*Outcome, records []bellwire.Recorded) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, o := range outcomes {
		j := o.Job
		s.give(j.lane.account, unrecorded, 1)
		s.give(j.lane.account, memory, o.Size)
		j.lane.unrecorded--
		delete(j.lane.forwarded, j.Delivery.ID)
		j.lane.noted(o, &records[i])
		s.donePending(j.lane)
		l := s.current(j.lane)
		if l == nil {
			continue
		}
		l.due = bellwire.Earlier(l.due, records[i].DueAt)
		if records[i].Next {
			l.due = bellwire.Earlier(l.due, now)
		}
		if records[i].Moved && j.Manual() {
			s.unqueue(l, j.Delivery.ID) // a manual retry succeeded while the delivery waited for its turn
		}
		if records[i].DisabledFor != "" {
			l.reload = true
		}
		s.reevaluate(l, now)
	}
	s.dispatch(now)
}

// unqueue removes a delivery from its lane's queue, if it is there.
func (s *Scheduler) unqueue(l *lane, id bellwire.DeliveryID) {
	if j, ok := l.queue.Remove(func(j *Job) bool { return j.Delivery.ID == id }); ok {
		l.bytes -= j.size()
		delete(l.forwarded, j.Delivery.ID)
		s.dismiss(j)
	}
}

// Abort releases a delivery whose attempt was aborted or not sent. That says nothing about its endpoint.
func (s *Scheduler) Abort(j *Job) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.putBack(j, now)
	s.reevaluate(j.lane, now)
	s.dispatch(now)
}

// putBack releases a delivery that was not sent. The caller must hold s.mu.
func (s *Scheduler) putBack(j *Job, now time.Time) {
	l := j.lane
	s.ended(j)
	s.donePending(l)
	if !j.Manual() && j.Delivery.Sequence > 0 {
		s.evict(l, now) // deliveries behind it must not overtake it
	}
	s.release(l, []*Job{j})
}

// sizeOf returns about how many bytes an attempt has in memory, and in the store.
func sizeOf(a *bellwire.Attempt) int {
	if a == nil {
		return 0
	}
	size := len(a.Error) + len(a.Request.URL) + sizeOfHeaders(a.Request.Headers)
	if a.Response != nil {
		size += len(a.Response.Body) + sizeOfHeaders(a.Response.Headers)
	}
	return size
}

func sizeOfHeaders(headers []bellwire.Header) (size int) {
	for _, h := range headers {
		size += len(h.Name) + len(h.Value)
	}
	return size
}
