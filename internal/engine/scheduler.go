package engine

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire"
)

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
	quieted     chan struct{} // capacity 1: a shard that is to be handed over has become quiet

	ownership atomic.Pointer[ownership] // changed under mu

	mu        sync.Mutex
	draining  bool
	lanes     map[string]*lane
	ready     queue[*lane] // lanes that can send, served in turn
	suspended queue[*lane] // lanes that wait for the share of endpoints not known to answer
	toClaim   queue[*lane]
	timers    laneHeap

	leaving  [bellwire.Shards]int64 // shards to be handed over, by the epoch that they are still held in
	underWay [bellwire.Shards]int   // what keeps them from being handed over

	starved bool   // claims wait for memory
	faults  faults // that meet all lanes

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
		l = &lane{endpoint: endpoint, shard: bellwire.ShardOf(endpoint), timer: -1, window: newWindow(bellwire.DefaultMaxInFlight)}
		s.lanes[endpoint] = l
	}
	return l
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

// current returns the endpoint's lane now: a lane may have been forgotten or dropped meanwhile. It returns
// nil if the shard is no longer this node's.
func (s *scheduler) current(l *lane) *lane {
	if s.owned().Epochs[l.shard] == 0 {
		return nil
	}
	return s.lane(l.endpoint)
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
	if s.draining || now.Before(s.faults.until) || !s.ownership.Load().lasts(now) {
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
		s.begun(l)
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

// refresh has the endpoint's configuration and its part of the store looked at again.
func (s *scheduler) refresh(endpoint string) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owned().Epoch(endpoint) == 0 {
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

// found takes note of what the store has for endpoints of this node.
func (s *scheduler) found(due []bellwire.DueEndpoint) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range due {
		if s.owned().Epoch(d.Endpoint) == 0 {
			continue
		}
		l := s.lane(d.Endpoint)
		l.manual = l.manual || d.Manual
		l.due = sooner(l.due, d.At)
		s.touch(l, now)
	}
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

// targetOf returns the endpoint's newest state that the job's lane knows.
func (s *scheduler) targetOf(j *job) *bellwire.Target {
	s.mu.Lock()
	defer s.mu.Unlock()
	return j.lane.target
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
	out.OwnedShards = s.ownership.Load().count(time.Now())
	return out
}
