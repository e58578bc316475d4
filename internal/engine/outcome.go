package engine

import (
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine/send"
)

// result is the outcome of a job.
type result struct {
	send.Result
	job        *job
	target     *bellwire.Target // the endpoint that the request was sent to
	transition bellwire.Transition
	otherwise  bellwire.Transition // applies instead if the endpoint that is gone was changed meanwhile
	size       int                 // of the attempt, in bytes of memory
	overdrawn  bool                // it was the last of its tenant's requests to its host for now
}

// newResult decides what becomes of a delivery after an attempt.
func newResult(j *job, t *bellwire.Target, sent send.Result) *result {
	r := &result{Result: sent, job: j, target: t}
	if r.Attempt == nil {
		r.transition = j.delivery.Decide(j.trigger, r.Verdict, t.Endpoint, r.EndedAt, 0, 0)
		if r.transition.Status == bellwire.DeliveryExhausted {
			r.transition.Reason = r.Reason
		}
		return r
	}
	r.transition = r.decide(r.Verdict)
	if r.Verdict == bellwire.Gone {
		r.otherwise = r.decide(bellwire.Failed)
	}
	return r
}

// decide returns the transition of the delivery for a verdict. A retry policy that is older than the tenant's limit on retry
// delays is held to that limit.
func (r *result) decide(v bellwire.Verdict) bellwire.Transition {
	next := r.job.delivery.Decide(r.job.trigger, v, r.target.Endpoint, r.EndedAt, r.RetryAfter, rand.Float64())
	if limits := r.target.Limits; limits != nil && next.Status == bellwire.DeliveryRetrying {
		next.Delay = max(next.Delay, limits.MinRetryDelay)
	}
	return next
}

// holdsUp reports whether the delivery had its turn in an order and may need another one.
func (r *result) holdsUp() bool {
	return r.transition.Status == bellwire.DeliveryRetrying || r.Verdict == bellwire.Gone
}

// breakerChange tells what a finished attempt did to its endpoint's circuit breaker.
type breakerChange int

const (
	breakerSame breakerChange = iota
	breakerOpened
	breakerClosed
)

// finish takes note of an ended attempt, whose result is about to be recorded, and returns the delivery that
// the caller may attempt next, nil if there is none.
func (s *scheduler) finish(now time.Time, r *result) (next *job, change breakerChange, failures int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	j, l := r.job, r.job.lane
	full := l.inFlight >= l.window.limit()
	s.ended(j)
	l.faults.count = 0
	if !now.Before(s.faults.until) {
		s.faults.count = 0
	}
	r.size = sizeOf(r.Attempt)
	s.take(l.account, unrecorded, 1)
	s.take(l.account, memory, r.size)
	l.unrecorded++
	if !j.express() {
		l.progress = now
	}
	change, failures = s.judge(l, now, r, full)
	if j.delivery.Sequence > 0 && !j.express() && r.holdsUp() {
		s.park(l) // the ones behind it wait for it in the store
	}
	s.touch(l, now)
	next = s.pick(now)
	s.dispatch(now)
	return next, change, failures
}

// ended takes a job out of what is in flight, and frees what it has in memory.
func (s *scheduler) ended(j *job) {
	a := j.lane.account
	s.give(a, requests, 1)
	s.pace.ends(j)
	if j.trial {
		s.give(a, trials, 1)
	}
	if j.express() {
		j.lane.expressInFlight--
		s.give(a, byHand, 1)
	} else {
		j.lane.inFlight--
	}
	if j.ownBody {
		j.event.own--
	}
	s.releaseContent(a, j.event)
	j.event = nil // what waits to be recorded keeps no data in memory
	s.retry(a, memory)
}

// judge adjusts window, breaker and hold to an attempt's result. It returns what became of the breaker, and
// after how many failures in a row.
func (s *scheduler) judge(l *lane, now time.Time, r *result, full bool) (change breakerChange, failures int) {
	failures = l.breaker.failures
	if r.Verdict != bellwire.Acknowledged {
		l.hold = later(l.hold, now.Add(l.rest(r)))
		s.chargeHost(l, now, r)
	}
	switch {
	case r.Verdict == bellwire.Impossible:
		return breakerSame, failures // the event was at fault, not the endpoint
	case r.Verdict == bellwire.Acknowledged:
		l.answering = true
		if l.breaker.succeeded() {
			l.window.restart()
			return breakerClosed, failures
		}
		l.window.succeeded(r.Attempt.Timings.Total, full)
		return breakerSame, failures
	case r.job.express():
		return breakerSame, failures
	}
	l.answering = false
	l.window.failed()
	l.hold = later(l.hold, l.account.fail(now))
	if l.breaker.failed(now) {
		if l.pauses() {
			s.park(l)
		}
		return breakerOpened, failures + 1
	}
	return breakerSame, failures + 1
}

// minRest is how long an endpoint rests that is overloaded and does not say for how long.
const minRest = time.Second

// rest returns how long the endpoint is left alone after a failure: for as long as it asks, and otherwise for minRest if
// it is overloaded. A fixed interval is the tenant's own, which nothing but the endpoint's wish makes longer.
func (l *lane) rest(r *result) time.Duration {
	if l.fixed() || r.Attempt == nil || !l.overloaded(r.Attempt.Response) {
		return r.RetryAfter
	}
	return max(r.RetryAfter, minRest)
}

// overloaded reports whether an answer means that the endpoint is: 429 always does, and those that gateways give in its
// place do unless it acknowledges others.
func (l *lane) overloaded(answer *bellwire.AttemptResponse) bool {
	if answer == nil {
		return false
	}
	switch answer.Status {
	case http.StatusTooManyRequests:
		return true
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return !l.answering
	}
	return false
}

// recorded takes note that results are in the store.
func (s *scheduler) recorded(now time.Time, results []*result, records []bellwire.Recorded) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, r := range results {
		s.give(r.job.lane.account, unrecorded, 1)
		s.give(r.job.lane.account, memory, r.size)
		r.job.lane.unrecorded--
		s.over(r.job.lane)
		l := s.current(r.job.lane)
		if l == nil {
			continue
		}
		l.due = sooner(l.due, records[i].DueAt)
		if records[i].Moved && r.job.express() {
			s.unqueue(l, r.job.delivery.ID) // it succeeded by hand while it waited for its turn
		}
		if records[i].Disabled {
			l.reload = true
		}
		s.touch(l, now)
	}
	s.dispatch(now)
}

// unqueue takes a delivery out of its lane's queue, if it is there.
func (s *scheduler) unqueue(l *lane, id bellwire.DeliveryID) {
	if j, ok := l.queue.remove(func(j *job) bool { return j.delivery.ID == id }); ok {
		l.bytes -= j.size()
		s.dismiss(j)
	}
}

// giveUp gives back a delivery whose attempt was aborted or withheld.
func (s *scheduler) giveUp(j *job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended(j)
	s.over(j.lane)
	s.giveBack(j.lane, []*job{j})
	s.dispatch(time.Now())
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
