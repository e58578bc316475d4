package lanes

import (
	"net/http"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Result is what came of a task's attempt, as the lane needs it.
type Result struct {
	Task       *Task
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
func (r *Result) mayReturn() bool { return r.Retrying || r.Verdict == bellwire.Gone }

// BreakerChange is what an attempt did to its endpoint's circuit breaker.
type BreakerChange int

// The changes of a breaker.
const (
	BreakerSame BreakerChange = iota
	BreakerOpened
	BreakerClosed
)

// Finish records an ended attempt whose result is about to be stored. It returns the delivery that the caller may attempt
// next, or nil, how the result changed the circuit breaker, and the number of failures in a row.
func (s *Scheduler) Finish(now time.Time, r *Result) (next *Task, change BreakerChange, failures int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	task, l := r.Task, r.Task.lane
	full := l.inFlight >= l.window.limit()
	s.ended(task)
	l.faults.count = 0
	if !now.Before(s.faults.until) {
		s.faults.count = 0
	}
	r.Size = sizeOf(r.Attempt)
	s.take(l.account, unrecorded, 1)
	s.take(l.account, memory, r.Size)
	l.unrecorded++
	if !task.Manual() {
		l.progress = now
	}
	l.permitted(now)
	change, failures = s.adapt(l, now, r, full)
	r.Health = l.note(now, r)
	if task.Delivery.Sequence > 0 && !task.Manual() && r.mayReturn() {
		s.evict(l, now) // the ones behind it wait for it in the store
	}
	s.reevaluate(l, now)
	next = s.pick(now)
	s.dispatch(now)
	return next, change, failures
}

// ended takes a task out of flight, and frees what it has in memory.
func (s *Scheduler) ended(task *Task) {
	a := task.lane.account
	s.give(a, requests, 1)
	s.pace.end(task)
	if task.unproven {
		s.give(a, unprovenRequests, 1)
	}
	if task.Manual() {
		task.lane.manualInFlight--
		s.give(a, manualDeliveries, 1)
	} else {
		task.lane.inFlight--
	}
	if task.ownBody {
		task.Content.own--
	}
	s.releaseContent(a, task.Content)
	task.Content = nil // a result that waits to be stored keeps no event data in memory
	s.recheckSenders(a, memory)
}

// adapt adjusts the window, the breaker and the endpoint's rest to a result.
func (s *Scheduler) adapt(l *lane, now time.Time, r *Result, full bool) (change BreakerChange, failures int) {
	failures = l.breaker.failures
	if r.Verdict != bellwire.Acknowledged {
		l.beginRest(now, r)
		r.SpentHost = s.hosts.charge(l, r, now)
		r.WaitsForIt = r.Retrying && l.hostUsedUp(now)
	}
	former := l.ofFormerURL(r)
	if r.Attempt != nil && !former {
		l.acknowledged = r.Verdict == bellwire.Acknowledged
	}
	switch {
	case r.Verdict == bellwire.Impossible:
		return BreakerSame, failures // the event is at fault, not the endpoint
	case r.Verdict == bellwire.Acknowledged && former:
		return BreakerSame, failures
	case r.Verdict == bellwire.Acknowledged:
		l.proven, l.rests = true, 0
		if r.Task.Manual() {
			l.restUntil = time.Time{} // the endpoint takes requests again
		}
		if l.breaker.succeeded() {
			s.countBreaker(l, -1)
			l.window.restart()
			return BreakerClosed, failures
		}
		l.window.succeeded(r.Attempt.Timings.Total, full)
		return BreakerSame, failures
	case r.Task.Manual():
		return BreakerSame, failures
	}
	l.proven = false
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

// beginRest makes the endpoint rest if the result of an attempt asks for that.
func (l *lane) beginRest(now time.Time, r *Result) {
	rest := l.rest(r)
	if rest <= 0 {
		return
	}
	l.restUntil = bellwire.Later(l.restUntil, now.Add(rest))
	l.rests++
	if r.RetryAfter > 0 {
		l.rests = max(l.rests, askedRests)
	}
}

// rest returns how long the endpoint rests after a failure: for as long as it asks, and at least for minRest if it is
// overloaded. With a fixed interval, which the tenant chose, only Retry-After makes it rest. An answer from a former URL causes
// no rest.
func (l *lane) rest(r *Result) time.Duration {
	if l.ofFormerURL(r) {
		return 0
	}
	if l.fixed() || r.Attempt == nil || !l.overloaded(r.Attempt.Response) {
		return r.RetryAfter
	}
	return max(r.RetryAfter, minRest)
}

// ofFormerURL reports whether the attempt was made to a URL that the endpoint no longer has, so that its result says nothing about the
// present one.
func (l *lane) ofFormerURL(r *Result) bool {
	return r.Target != nil && r.Target.Endpoint.URL != l.target.Endpoint.URL
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
		return !l.proven
	}
	return false
}

// Recorded marks results as stored.
func (s *Scheduler) Recorded(now time.Time, results []*Result, records []bellwire.Recorded) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, r := range results {
		task := r.Task
		s.give(task.lane.account, unrecorded, 1)
		s.give(task.lane.account, memory, r.Size)
		task.lane.unrecorded--
		delete(task.lane.forwarded, task.Delivery.ID)
		task.lane.noted(r, &records[i])
		s.donePending(task.lane)
		l := s.current(task.lane)
		if l == nil {
			continue
		}
		l.due = bellwire.Earlier(l.due, records[i].DueAt)
		if records[i].Next {
			l.due = bellwire.Earlier(l.due, now)
		}
		if records[i].Moved && task.Manual() {
			s.unqueue(l, task.Delivery.ID) // a manual retry succeeded while the delivery waited for its turn
			if task.Delivery.Sequence > 0 {
				l.due = bellwire.Earlier(l.due, now) // those behind it in the order need not wait for its next attempt
			}
		}
		if records[i].DisabledFor != "" {
			l.reload = true
			l.due = bellwire.Earlier(l.due, now) // what is due much later must be canceled too, and a new lane does not have its time
		}
		s.reevaluate(l, now)
	}
	s.dispatch(now)
}

// unqueue removes a delivery from its lane's queue, if it is there.
func (s *Scheduler) unqueue(l *lane, id bellwire.DeliveryID) {
	if task, ok := l.queue.Remove(func(task *Task) bool { return task.Delivery.ID == id }); ok {
		l.bytes -= task.size()
		delete(l.forwarded, task.Delivery.ID)
		s.dismiss(task)
	}
}

// Abort releases a delivery whose attempt was aborted or not sent. That says nothing about its endpoint.
func (s *Scheduler) Abort(task *Task) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.putBack(task, now)
	s.reevaluate(task.lane, now)
	s.dispatch(now)
}

// putBack releases a delivery that was not sent. The caller must hold s.mu.
func (s *Scheduler) putBack(task *Task, now time.Time) {
	l := task.lane
	s.ended(task)
	s.donePending(l)
	if !task.Manual() && task.Delivery.Sequence > 0 {
		s.evict(l, now) // deliveries behind it must not overtake it
	}
	s.release(l, []*Task{task})
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
