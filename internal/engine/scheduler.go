package engine

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// scheduler holds the lanes and decides what is sent when. It does no I/O: it starts attempts through
// start, and says through wakeClaimer that the store has to be asked.
type scheduler struct {
	counts      // of what tenants share, guarded by mu
	pace        pace
	start       func(*job)
	release     func([]*job)
	wakeClaimer func()
	wakeTimer   chan struct{} // capacity 1
	quieted     chan struct{} // capacity 1: a shard that is to be handed over has become quiet

	ownership atomic.Pointer[ownership] // changed under mu

	mu       sync.Mutex
	draining bool
	lanes    map[string]*lane
	accounts map[string]*account
	contents map[bellwire.EventID]*content // that more than one delivery may share
	turns    [kinds]queue[*line]           // lines whose tenants may have more, one after the other
	blocked  [resources]lineHeap           // lines whose tenants have their share
	rotation int                           // among the kinds
	timers   laneHeap
	hosts    hosts

	leaving  [bellwire.Shards]int64 // shards to be handed over, by the epoch that they are still held in
	underWay [bellwire.Shards]int   // what keeps them from being handed over

	faults faults // that meet all lanes
	left   int    // deliveries left in the store because their tenant had its share, since the start
}

// newScheduler makes a scheduler for so many requests in flight, and deliveries and bytes in memory.
func newScheduler(inFlight, queued, bytes int) *scheduler {
	s := &scheduler{
		counts: newCounts(inFlight, queued, bytes), pace: pace{most: max(inFlight, 1), wake: make(chan struct{}, 1)},
		wakeTimer: make(chan struct{}, 1), quieted: make(chan struct{}, 1),
		lanes: map[string]*lane{}, accounts: map[string]*account{}, contents: map[bellwire.EventID]*content{},
	}
	s.ownership.Store(&ownership{leases: new(bellwire.Leases)})
	return s
}

// lane returns the endpoint's lane, made if need be; nil if its tenant has as many as it may. The tenant is empty if it is
// not known.
func (s *scheduler) lane(endpoint, tenant string) *lane {
	l := s.lanes[endpoint]
	if l != nil {
		return l
	}
	a := s.account(tenant)
	if !s.fits(a, laneCount, 1, false) {
		return nil
	}
	l = &lane{endpoint: endpoint, account: a, shard: bellwire.ShardOf(endpoint), timer: -1, window: newWindow(bellwire.DefaultMaxInFlight)}
	s.lanes[endpoint] = l
	s.take(a, laneCount, 1)
	return l
}

// forgetLane forgets a lane that has nothing in memory.
func (s *scheduler) forgetLane(l *lane) {
	s.setTimer(l, time.Time{})
	delete(s.lanes, l.endpoint)
	s.give(l.account, laneCount, 1)
}

// adopt lets a lane know a state of its endpoint.
func (s *scheduler) adopt(l *lane, t *bellwire.Target, now time.Time) {
	if !l.adopt(t) {
		return
	}
	if l.account.tenant != t.Endpoint.Tenant {
		s.give(l.account, laneCount, 1)
		l.account = s.account(t.Endpoint.Tenant)
		s.take(l.account, laneCount, 1)
	}
	s.hosts.attach(l)
	if !l.enabled() {
		s.park(l)
	}
	s.touch(l, now)
}

// current returns the endpoint's lane now: a lane may have been forgotten or dropped meanwhile. It returns
// nil if the shard is no longer this node's, or if there is no room for a lane.
func (s *scheduler) current(l *lane) *lane {
	if s.owned().Epochs[l.shard] == 0 {
		return nil
	}
	return s.lane(l.endpoint, l.account.tenant)
}

// enqueue puts a delivery that has its place in memory into a lane.
func (s *scheduler) enqueue(l *lane, j *job) {
	j.lane = l
	if j.express() {
		l.express.push(j)
		return
	}
	l.queue.push(j)
	l.bytes += j.size()
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
		l.bytes -= j.size()
		s.dismiss(j)
	}
	l.next = 0
	s.giveBack(l, jobs)
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
		if j.express() {
			l.manual = true
		} else {
			l.due = sooner(l.due, now)
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
	if k, ok := l.sends(now); ok {
		s.join(l, k)
	}
	if k, ok := l.claims(now); ok {
		s.join(l, k)
	}
	s.setTimer(l, l.wake(now))
}

// dispatch starts attempts for as long as there are lanes that can send, and budget and pace allow it.
func (s *scheduler) dispatch(now time.Time) {
	for {
		j := s.pick(now)
		if j == nil {
			return
		}
		s.start(j)
	}
}

// pick chooses the next delivery to attempt: tenants take turns, and the lanes of each.
func (s *scheduler) pick(now time.Time) *job {
	if s.draining || s.pace.full() || now.Before(s.faults.until) || !s.ownership.Load().lasts(now) {
		return nil
	}
	for {
		ln := s.next(sending, sendingFailing)
		if ln == nil {
			return nil
		}
		if j := s.serve(ln, now); j != nil {
			return j
		}
	}
}

// serve takes the next delivery of a line's first lane; nil if that has none to send, or no memory for it.
func (s *scheduler) serve(ln *line, now time.Time) *job {
	l := ln.lanes.first()
	if k, ok := l.sends(now); !ok || k != ln.kind || l.account != ln.account || s.lanes[l.endpoint] != l {
		ln.leave()
		s.requeue(ln)
		if s.lanes[l.endpoint] == l {
			s.touch(l, now)
		}
		return nil
	}
	a := l.account
	if l.head().event.needsBody(l.target) && a.held[requests] > 0 && !s.fits(a, memory, 1, ln.kind.lowPriority()) {
		s.block(ln, memory)
		return nil
	}
	ln.leave()
	j := l.take(now)
	s.pace.begins(j)
	s.unplace(a)
	s.take(a, requests, 1)
	if j.trial = ln.kind != sending; j.trial {
		s.take(a, trials, 1)
	}
	s.countBody(j)
	s.begun(l)
	s.requeue(ln)
	s.touch(l, now)
	return j
}

// refresh has the endpoint's configuration and its part of the store looked at again.
func (s *scheduler) refresh(endpoint string) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owned().Epoch(endpoint) == 0 {
		return
	}
	l := s.lane(endpoint, "")
	if l == nil {
		return // the next scan finds what there is to do
	}
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
		if !d.Manual && d.At.After(now.Add(2*scanEvery)) {
			continue // a later scan finds it
		}
		l := s.lane(d.Endpoint, d.Tenant)
		if l == nil {
			continue
		}
		l.manual = l.manual || d.Manual
		l.due = sooner(l.due, d.At)
		s.touch(l, now)
	}
}

func (s *scheduler) drop(l *lane) {
	for _, q := range []*queue[*job]{&l.queue, &l.express} {
		for _, j := range q.takeAll() {
			s.dismiss(j)
		}
	}
	l.bytes = 0
	l.due, l.manual, l.reload, l.next = time.Time{}, false, false, 0
	if s.lanes[l.endpoint] == l {
		s.forgetLane(l)
	}
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
			s.dismiss(j)
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
	out := Stats{
		Lanes: len(s.lanes), Queued: s.held[places], QueuedBytes: s.held[memory], InFlight: s.held[requests],
		Unrecorded: s.held[unrecorded], LeftInStore: s.left,
	}
	for _, l := range s.lanes {
		if l.breaker.open() {
			out.OpenBreakers++
		}
	}
	out.OwnedShards = s.ownership.Load().count(time.Now())
	return out
}
