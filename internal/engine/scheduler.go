package engine

import (
	"container/heap"
	"sync"
	"time"

	"github.com/bellwire/bellwire"
)

// laneMemory is how long a lane that has nothing to do remembers how its endpoint behaved.
const laneMemory = 5 * time.Minute

// scheduler holds the lanes and decides what is sent when. It does no I/O: it starts attempts through
// start, and says through wakeClaimer that the store has to be asked.
type scheduler struct {
	maxInFlight int // requests in flight in all; also bounds results that wait to be recorded
	maxQueued   int // deliveries in memory in all
	maxBytes    int // of event data in memory in all
	start       func(*job)
	release     func([]*job)
	wakeClaimer func()
	wakeTimer   chan struct{} // capacity 1

	mu         sync.Mutex
	leases     *bellwire.Leases
	validUntil time.Time // when the leases may have been lost; zero: never
	draining   bool
	lanes      map[string]*lane
	ready      queue[*lane] // lanes that can send, served in turn
	suspended  queue[*lane] // lanes that wait for the share of endpoints not known to answer
	toClaim    queue[*lane]
	timers     laneHeap

	starved bool // claims wait for memory

	queued     int // in all lanes, reserved places included
	bytes      int // of event data in all lanes
	inFlight   load
	suspects   load // in flight to endpoints not known to answer
	unrecorded int
}

// load is a number of requests with the event data that they carry.
type load struct {
	requests int
	bytes    int
}

func (l *load) add(j *job) {
	l.requests++
	l.bytes += j.size()
}

func (l *load) remove(j *job) {
	l.requests--
	l.bytes -= j.size()
}

// within tells whether there is room below the given part of the budget.
func (s *scheduler) within(l load, divisor int) bool {
	return l.requests < max(s.maxInFlight/divisor, 1) && l.bytes < max(s.maxBytes/divisor, 1)
}

// lane returns the endpoint's lane, made if need be.
func (s *scheduler) lane(endpoint string) *lane {
	l := s.lanes[endpoint]
	if l == nil {
		l = &lane{endpoint: endpoint, timer: -1, window: newWindow(bellwire.DefaultMaxInFlight)}
		s.lanes[endpoint] = l
	}
	return l
}

// placement says where a delivery that is being published goes.
type placement struct {
	lane  *lane // nil: its shard is another node's
	epoch int64 // 0: it is written free
}

// reserve finds places for the deliveries of one event.
func (s *scheduler) reserve(now time.Time, targets []*bellwire.Target, size int, places []placement) []placement {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range targets {
		epoch := s.leases.Epoch(t.Endpoint.ID)
		if epoch == 0 {
			places = append(places, placement{})
			continue
		}
		l := s.lane(t.Endpoint.ID)
		s.adopt(l, t, now)
		if s.draining || s.full() || s.crowded() && !l.answering && !l.idle() || !l.takes(now, size) {
			places = append(places, placement{lane: l})
			continue
		}
		l.reserved++
		l.bytes += size
		s.queued++
		s.bytes += size
		places = append(places, placement{l, epoch})
	}
	return places
}

// adopt lets a lane know a state of its endpoint.
func (s *scheduler) adopt(l *lane, t *bellwire.Target, now time.Time) {
	if !l.adopt(t) {
		return
	}
	if !l.enabled() {
		s.park(l)
	}
	s.touch(l, now)
}

// cancel gives back places that reserve found, for deliveries that were not stored.
func (s *scheduler) cancel(places []placement, size int) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range places {
		if p.epoch != 0 {
			s.unreserve(p.lane, size)
			s.touch(p.lane, now)
		}
	}
}

// abandon gives back deliveries of which nobody knows whether they were stored: if they were, they must
// not stay taken.
func (s *scheduler) abandon(places []placement, jobs []*job) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, p := range places {
		if p.epoch == 0 {
			continue
		}
		s.unreserve(p.lane, jobs[i].size())
		if s.lanes[p.lane.endpoint] == p.lane {
			jobs[i].lane = p.lane
			p.lane.next = 0
			s.giveBack(p.lane, jobs[i:i+1:i+1])
		}
		s.touch(p.lane, now)
	}
}

func (s *scheduler) unreserve(l *lane, size int) {
	l.reserved--
	l.bytes -= size
	s.queued--
	s.bytes -= size
	s.feed()
}

// accept takes over deliveries that were stored: the lanes get those that have a place, and learn of the others.
func (s *scheduler) accept(now time.Time, places []placement, jobs []*job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, p := range places {
		if p.lane == nil {
			continue
		}
		if p.epoch != 0 {
			s.unreserve(p.lane, jobs[i].size())
			s.admit(p.lane, jobs[i])
			continue
		}
		if l := s.current(p.lane); l != nil {
			l.due = sooner(l.due, now)
			s.touch(l, now)
		}
	}
	s.dispatch(now)
}

// current returns the endpoint's lane now: a lane may have been forgotten or dropped meanwhile. It returns
// nil if the shard is no longer this node's.
func (s *scheduler) current(l *lane) *lane {
	if s.leases.Epoch(l.endpoint) == 0 {
		return nil
	}
	return s.lane(l.endpoint)
}

// admit puts a delivery that was just published into its lane, or back into the store where the lane has
// changed since it was reserved.
func (s *scheduler) admit(l *lane, j *job) {
	now := time.Now()
	j.lane = l
	switch {
	case s.lanes[l.endpoint] != l:
		return // the shard was lost, and with it the delivery's epoch
	case s.draining || !l.enabled() || l.breaker.open():
		s.giveBack(l, []*job{j})
	case !l.ordered():
		s.enqueue(l, j)
	case j.delivery.Sequence == l.next:
		l.next++
		s.enqueue(l, j)
	default:
		// Another node's publish came between, or the store keeps the order for now.
		l.next = 0
		s.giveBack(l, []*job{j})
	}
	s.touch(l, now)
}

func (s *scheduler) enqueue(l *lane, j *job) {
	j.lane = l
	if j.trigger == bellwire.TriggerSchedule {
		l.queue.push(j)
		l.bytes += j.size()
	} else {
		l.express.push(j)
	}
	s.queued++
	s.bytes += j.size()
}

// giveBack returns deliveries to the store.
func (s *scheduler) giveBack(l *lane, jobs []*job) {
	if len(jobs) == 0 {
		return
	}
	l.releasing += len(jobs)
	s.release(jobs)
}

// park empties a lane: what is queued waits in the store, where waiting costs no memory.
func (s *scheduler) park(l *lane) {
	jobs := l.queue.takeAll()
	for _, j := range jobs {
		s.dequeued(j)
		l.bytes -= j.size()
	}
	l.next = 0
	s.giveBack(l, jobs)
}

func (s *scheduler) dequeued(j *job) {
	s.queued--
	s.bytes -= j.size()
	s.feed()
}

// full tells whether the memory for deliveries is used up.
func (s *scheduler) full() bool { return s.queued >= s.maxQueued || s.bytes >= s.maxBytes }

// crowded tells whether half of it is: the rest is for endpoints that answer, and for the first deliveries of
// the others.
func (s *scheduler) crowded() bool {
	return s.queued >= max(s.maxQueued/2, 1) || s.bytes >= max(s.maxBytes/2, 1)
}

// feed wakes the claims that wait for memory.
func (s *scheduler) feed() {
	if s.starved && !s.crowded() {
		s.starved = false
		s.wakeClaimer()
	}
}

// released takes note that deliveries are free in the store again.
func (s *scheduler) released(now time.Time, jobs []*job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range jobs {
		j.lane.releasing--
		l := s.current(j.lane)
		if l == nil {
			continue
		}
		if j.trigger == bellwire.TriggerSchedule {
			l.due = sooner(l.due, now)
		} else {
			l.manual = true
		}
		s.touch(l, now)
	}
	s.dispatch(now)
}

// touch looks at a lane after something about it has changed: whether it can send, whether the store
// has to be asked, and when it has to be looked at again.
func (s *scheduler) touch(l *lane, now time.Time) {
	if s.draining {
		return
	}
	if !l.inReady && l.sendable(now) {
		l.inReady = true
		s.ready.push(l)
	}
	if !l.inClaim && l.claims(now) {
		l.inClaim = true
		s.toClaim.push(l)
		s.wakeClaimer()
	}
	s.setTimer(l, l.wake(now))
}

// dispatch starts attempts for as long as there are lanes that can send and budget for it.
func (s *scheduler) dispatch(now time.Time) {
	for {
		j := s.pick(now)
		if j == nil {
			return
		}
		s.start(j)
	}
}

// pick chooses the next delivery to attempt: lanes take turns. Those of endpoints not known to answer
// have half of the budget at most, so that the others always have the rest.
func (s *scheduler) pick(now time.Time) *job {
	if s.draining || !s.validUntil.IsZero() && !now.Before(s.validUntil) {
		return nil
	}
	for s.within(s.inFlight, 1) && s.unrecorded < s.maxInFlight {
		l := s.nextLane()
		if l == nil {
			return nil
		}
		if !l.sendable(now) {
			l.inReady = false
			s.touch(l, now)
			continue
		}
		if !l.answering && !s.within(s.suspects, 2) {
			s.suspended.push(l)
			continue
		}
		j := l.take(now)
		s.dequeued(j)
		s.inFlight.add(j)
		if j.suspect = !l.answering; j.suspect {
			s.suspects.add(j)
		}
		l.inReady = false
		s.touch(l, now)
		return j
	}
	return nil
}

func (s *scheduler) nextLane() *lane {
	switch {
	case s.suspended.len() > 0 && s.within(s.suspects, 2):
		return s.suspended.pop()
	case s.ready.len() > 0:
		return s.ready.pop()
	}
	return nil
}

// result is what came of a job.
type result struct {
	job        *job
	target     *bellwire.Target // that was sent to
	transition bellwire.Transition
	otherwise  bellwire.Transition // instead, if the endpoint that is gone was changed meanwhile
	verdict    bellwire.Verdict
	attempt    *bellwire.Attempt // nil: no request could be made
	endedAt    time.Time
	slowDown   time.Duration // the receiver asked to be left alone for this long
}

// holdsUp tells whether a delivery that had its turn in an order may need another one.
func (r *result) holdsUp() bool {
	return r.transition.Status == bellwire.DeliveryRetrying || r.verdict == bellwire.Gone
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
	s.unrecorded++
	l.unrecorded++
	if j.trigger == bellwire.TriggerSchedule {
		l.progress = now
	}
	change, failures = s.judge(l, now, r, full)
	if j.delivery.Sequence > 0 && j.trigger == bellwire.TriggerSchedule && r.holdsUp() {
		s.park(l) // the ones behind it wait for it in the store
	}
	s.touch(l, now)
	next = s.pick(now)
	s.dispatch(now)
	return next, change, failures
}

// ended takes a job out of what is in flight.
func (s *scheduler) ended(j *job) {
	s.inFlight.remove(j)
	if j.suspect {
		s.suspects.remove(j)
	}
	if j.trigger == bellwire.TriggerSchedule {
		j.lane.inFlight--
	} else {
		j.lane.expressInFlight--
	}
}

// judge adjusts window, breaker and hold to an attempt's result. It returns what became of the breaker, and
// after how many failures in a row.
func (s *scheduler) judge(l *lane, now time.Time, r *result, full bool) (change breakerChange, failures int) {
	failures = l.breaker.failures
	switch {
	case r.verdict == bellwire.Impossible:
		return breakerSame, failures // the event was at fault, not the endpoint
	case r.verdict == bellwire.Acknowledged:
		l.answering = true
		if l.breaker.succeeded() {
			l.window.restart()
			return breakerClosed, failures
		}
		l.window.succeeded(r.attempt.Timings.Total, full)
		return breakerSame, failures
	case r.job.trigger != bellwire.TriggerSchedule:
		return breakerSame, failures
	}
	l.answering = false
	l.window.failed()
	if r.slowDown > 0 {
		l.hold = later(l.hold, now.Add(r.slowDown))
	}
	if l.breaker.failed(now) {
		s.park(l)
		return breakerOpened, failures + 1
	}
	return breakerSame, failures + 1
}

// recorded takes note that results are in the store.
func (s *scheduler) recorded(now time.Time, results []*result, records []bellwire.Recorded) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, r := range results {
		s.unrecorded--
		r.job.lane.unrecorded--
		l := s.current(r.job.lane)
		if l == nil {
			continue
		}
		l.due = sooner(l.due, records[i].DueAt)
		if records[i].Moved && r.job.trigger != bellwire.TriggerSchedule {
			s.unqueue(l, r.job.delivery.ID) // it succeeded by hand while it waited for its turn
		}
		if records[i].Disabled {
			l.reload = true
		}
		s.touch(l, now)
	}
	s.dispatch(now)
}

// refresh has the endpoint's configuration and its part of the store looked at again.
func (s *scheduler) refresh(endpoint string) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leases.Epoch(endpoint) == 0 {
		return
	}
	l := s.lane(endpoint)
	l.reload, l.manual = true, true
	l.due = sooner(l.due, now)
	s.touch(l, now)
}

// forget drops a delivery that was canceled, if it is queued.
func (s *scheduler) forget(endpoint string, id bellwire.DeliveryID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.lanes[endpoint]; l != nil {
		s.unqueue(l, id)
		s.touch(l, time.Now())
	}
}

// unqueue takes a delivery out of its lane's queue, if it is there.
func (s *scheduler) unqueue(l *lane, id bellwire.DeliveryID) {
	if j, ok := l.queue.remove(func(j *job) bool { return j.delivery.ID == id }); ok {
		l.bytes -= j.size()
		s.dequeued(j)
	}
}

// found takes note of what the store has for endpoints of this node.
func (s *scheduler) found(due []bellwire.DueEndpoint) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range due {
		if s.leases.Epoch(d.Endpoint) == 0 {
			continue
		}
		l := s.lane(d.Endpoint)
		l.manual = l.manual || d.Manual
		l.due = sooner(l.due, d.At)
		s.touch(l, now)
	}
}

// own takes over new leases. Lanes of shards that were lost are dropped as they are: their new owner's
// epoch has freed what was in them.
func (s *scheduler) own(leases *bellwire.Leases, validUntil time.Time) (gained bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for shard, epoch := range leases.Epochs {
		gained = gained || epoch != 0 && epoch != s.leases.Epochs[shard]
	}
	for id, l := range s.lanes {
		if before := s.leases.Epoch(id); before != leases.Epoch(id) {
			s.drop(l)
		}
	}
	s.leases, s.validUntil = leases, validUntil
	s.dispatch(time.Now())
	return gained
}

func (s *scheduler) drop(l *lane) {
	for _, q := range []*queue[*job]{&l.queue, &l.express} {
		for _, j := range q.takeAll() {
			s.dequeued(j)
		}
	}
	l.bytes = 0
	l.due, l.manual, l.reload, l.next = time.Time{}, false, false, 0
	s.setTimer(l, time.Time{})
	delete(s.lanes, l.endpoint)
}

// drain stops all sending and gives back what is queued.
func (s *scheduler) drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = true
	for _, l := range s.lanes {
		s.park(l)
		express := l.express.takeAll()
		for _, j := range express {
			s.dequeued(j)
		}
		s.giveBack(l, express)
	}
}

// tick does what the timers ask for, and returns when the next one is due; zero: there is none.
func (s *scheduler) tick(now time.Time) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.timers) > 0 && !s.timers[0].at.After(now) {
		l := heap.Pop(&s.timers).(*lane)
		s.touch(l, now)
	}
	s.dispatch(now)
	if len(s.timers) == 0 {
		return time.Time{}
	}
	return s.timers[0].at
}

// sweep forgets lanes that have had nothing to do for a while.
func (s *scheduler) sweep(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, l := range s.lanes {
		if l.dispensable(now) && !l.inReady && !l.inClaim {
			s.setTimer(l, time.Time{})
			delete(s.lanes, id)
		}
	}
}

// targetOf returns the endpoint's newest state that the job's lane knows.
func (s *scheduler) targetOf(j *job) *bellwire.Target {
	s.mu.Lock()
	defer s.mu.Unlock()
	return j.lane.target
}

// giveUp gives back a delivery whose attempt was aborted.
func (s *scheduler) giveUp(j *job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended(j)
	s.giveBack(j.lane, []*job{j})
}

func (s *scheduler) stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Stats{Lanes: len(s.lanes), Queued: s.queued, QueuedBytes: s.bytes, InFlight: s.inFlight.requests, Unrecorded: s.unrecorded}
	for _, l := range s.lanes {
		if l.breaker.open() {
			out.OpenBreakers++
		}
	}
	return out
}

// setTimer has the lane looked at again at the given time; zero: not by a timer.
func (s *scheduler) setTimer(l *lane, at time.Time) {
	switch {
	case at.Equal(l.at) && (l.timer >= 0) == !at.IsZero():
		return
	case at.IsZero():
		l.at = at
		if l.timer >= 0 {
			heap.Remove(&s.timers, l.timer)
		}
		return
	}
	l.at = at
	if l.timer >= 0 {
		heap.Fix(&s.timers, l.timer)
	} else {
		heap.Push(&s.timers, l)
	}
	if l.timer == 0 {
		poke(s.wakeTimer)
	}
}

// poke signals a channel of capacity 1 without waiting.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// laneHeap orders lanes by when they have to be looked at.
type laneHeap []*lane

func (h laneHeap) Len() int           { return len(h) }
func (h laneHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h laneHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].timer, h[j].timer = i, j
}
func (h *laneHeap) Push(x any) {
	l := x.(*lane)
	l.timer = len(*h)
	*h = append(*h, l)
}
func (h *laneHeap) Pop() any {
	old := *h
	l := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	l.timer = -1
	return l
}
