package lanes

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// ScanInterval is how often the store is scanned for endpoints with something due. The scan is a safety net: normally the
// scheduler learns of everything that becomes due from this node's writes and from notifications.
const ScanInterval = time.Minute

// storeBackoff is the pause after the store or the directory failed for a lane.
const storeBackoff = time.Second

// Config configures a Scheduler. The functions run under the scheduler's lock.
type Config struct {
	MaxInFlight int // requests in flight in all
	MaxQueued   int // deliveries in memory in all
	MaxBytes    int // of events, request bodies and results in memory in all
	MaxStarting int // attempts of a portion that run at the same time; see pace

	Start       func(*Task)   // starts an attempt
	Release     func([]*Task) // returns deliveries to the store; Released confirms it
	WakeClaimer func()        // signals that ReadyToClaim has something
}

// Scheduler holds the lanes and decides which delivery is sent next, and when.
type Scheduler struct {
	config       Config
	timerChanged chan struct{} // capacity 1
	shardsIdle   chan struct{} // capacity 1

	ownership atomic.Pointer[ownership] // changed under mu

	mu       sync.Mutex
	draining bool
	shared   counts // of the resources that tenants share
	pace     pace
	lanes    map[string]*lane
	records  map[string]record // what is left of forgotten lanes, by endpoint
	crowd    int               // the number of lanes above which idle ones are forgotten early
	accounts map[string]*account
	contents map[bellwire.EventID]*Content // events that several deliveries may share
	ready    [waitKinds]readyQueue         // wait queues whose tenants may have what they need, in the order of their turns
	waiting  [resources]heapOf[*waitQueue] // wait queues whose tenants have used up their share
	rotation int                           // counts the kinds that next has tried, so that they take turns
	timers   heapOf[*lane]
	hosts    hosts
	found    memo // deliveries that searching claims have taken recently

	toRelease [bellwire.Shards]int64 // shards to be handed over, with the epochs that they are held in
	pending   [bellwire.Shards]int   // by shard: places for what is being stored, attempts, and results that are not in the store yet

	faults       backoff // after faults of this node that affect all lanes
	openBreakers int     // of the lanes
	leftInStore  int     // deliveries left in the store, because their tenant had used up its share, since the start
}

// New returns a scheduler that owns no shards.
func New(c Config) *Scheduler {
	s := &Scheduler{
		config: c, shared: newCounts(c.MaxInFlight, c.MaxQueued, c.MaxBytes),
		pace:         pace{limit: max(c.MaxStarting, 1), reached: make(chan struct{}, 1)},
		timerChanged: make(chan struct{}, 1), shardsIdle: make(chan struct{}, 1),
		lanes: map[string]*lane{}, records: map[string]record{}, crowd: usualCrowd,
		accounts: map[string]*account{}, contents: map[bellwire.EventID]*Content{},
	}
	s.ownership.Store(&ownership{leases: new(bellwire.Leases)})
	return s
}

// lane returns the endpoint's lane, which it makes if necessary. It returns nil if the tenant has used up its share of lanes.
// The tenant is empty if it is not known.
func (s *Scheduler) lane(endpoint, tenant string) *lane {
	l := s.lanes[endpoint]
	if l != nil {
		return l
	}
	a := s.account(tenant)
	if !s.shared.fits(a, laneCount, 1, false) {
		return nil
	}
	l = &lane{endpoint: endpoint, account: a, shard: bellwire.ShardOf(endpoint), timer: -1, window: newWindow(bellwire.DefaultMaxInFlight)}
	s.lanes[endpoint] = l
	s.take(a, laneCount, 1)
	return l
}

// forgetLane forgets a lane that has nothing in memory.
func (s *Scheduler) forgetLane(l *lane) {
	s.setTimer(l, time.Time{})
	delete(s.lanes, l.endpoint)
	s.give(l.account, laneCount, 1)
	if l.breaker.open() {
		s.openBreakers--
	}
}

// adopt gives a lane a state of its endpoint, if that is newer than the one it has.
func (s *Scheduler) adopt(l *lane, t *bellwire.Target, now time.Time) {
	isNew := l.target == nil
	if !l.adopt(t) {
		return
	}
	if isNew {
		s.recall(l)
	}
	if l.account.tenant != t.Endpoint.Tenant {
		s.give(l.account, laneCount, 1)
		l.account = s.account(t.Endpoint.Tenant)
		s.take(l.account, laneCount, 1)
	}
	s.hosts.attach(l, now)
	if !l.enabled() {
		s.evict(l, now)
	}
	if l.tenantPaused() {
		s.evictManual(l)
	}
	s.reevaluate(l, now)
}

// current returns the present lane of l's endpoint: l may have been forgotten or dropped meanwhile. It returns nil if the
// shard is no longer this node's, or if there is no room for a lane.
func (s *Scheduler) current(l *lane) *lane {
	if s.Leases().Epochs[l.shard] == 0 {
		return nil
	}
	return s.lane(l.endpoint, l.account.tenant)
}

// enqueue puts a delivery that has its place in memory into a lane.
func (s *Scheduler) enqueue(l *lane, task *Task) {
	task.lane = l
	if task.Manual() {
		l.manualQueue.Push(task)
		return
	}
	l.queue.Push(task)
	l.bytes += task.size()
}

// release returns deliveries to the store.
func (s *Scheduler) release(l *lane, tasks []*Task) {
	if len(tasks) == 0 {
		return
	}
	l.releasing += len(tasks)
	s.config.Release(tasks)
}

// evict empties a lane's queue: its deliveries wait in the store, where waiting costs no memory.
func (s *Scheduler) evict(l *lane, now time.Time) {
	tasks := l.queue.TakeAll()
	for _, task := range tasks {
		l.bytes -= task.size()
		s.dismiss(task)
	}
	l.nextSequence = 0
	s.release(l, tasks)
	if s.dropLate(l) {
		l.mustSearch, l.due = true, bellwire.Earlier(l.due, now)
	}
}

// evictManual returns a lane's tests and manual retries to the store.
func (s *Scheduler) evictManual(l *lane) {
	tasks := l.manualQueue.TakeAll()
	for _, task := range tasks {
		s.dismiss(task)
	}
	s.release(l, tasks)
}

// Released records that deliveries are free in the store again.
func (s *Scheduler) Released(now time.Time, tasks []*Task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, task := range tasks {
		task.lane.releasing--
		delete(task.lane.forwarded, task.Delivery.ID)
		l := s.current(task.lane)
		if l == nil {
			continue
		}
		if task.Manual() {
			l.manualDue = true
		} else {
			l.due = bellwire.Earlier(l.due, now)
		}
		s.reevaluate(l, now)
	}
	s.dispatch(now)
}

// reevaluate decides, after a change to a lane, whether it can send, whether the store must be asked, and when its timer is
// due.
func (s *Scheduler) reevaluate(l *lane, now time.Time) {
	if s.draining {
		return
	}
	if k, ok := l.sends(now); ok {
		s.join(l, k)
	}
	if k, ok := l.claims(now); ok {
		s.join(l, k)
	}
	s.setTimer(l, l.wakeAt(now))
}

// dispatch starts attempts while there are lanes that can send, and the tenants' shares and the pace allow it.
func (s *Scheduler) dispatch(now time.Time) {
	for {
		task := s.pick(now)
		if task == nil {
			return
		}
		s.config.Start(task)
	}
}

// pick chooses the next delivery to attempt: tenants take turns, and so do the lanes of each.
func (s *Scheduler) pick(now time.Time) *Task {
	if s.draining || s.pace.full() || now.Before(s.faults.until) || !s.ownership.Load().valid(now) {
		return nil
	}
	for {
		q := s.next(waitToSend, waitToSendFailing)
		if q == nil {
			return nil
		}
		if task := s.takeFrom(q, now); task != nil {
			return task
		}
	}
}

// takeFrom takes the next delivery of a wait queue's first lane. It returns nil if the lane has nothing to send, or no memory for it.
func (s *Scheduler) takeFrom(q *waitQueue, now time.Time) *Task {
	l := q.lanes.First()
	if k, ok := l.sends(now); !ok || k != q.kind || l.account != q.account || s.lanes[l.endpoint] != l {
		q.pop()
		s.requeue(q)
		if s.lanes[l.endpoint] == l {
			s.reevaluate(l, now)
		}
		return nil
	}
	a := l.account
	if l.head().Content.needsBody(l.target) && a.held[requests] > 0 && !s.shared.fits(a, memory, 1, q.kind.lowPriority()) {
		s.wait(q, memory)
		return nil
	}
	q.pop()
	task := l.pop(now)
	s.pace.start(task)
	s.give(a, places, 1)
	s.take(a, requests, 1)
	if task.unproven = q.kind != waitToSend; task.unproven {
		s.take(a, unprovenRequests, 1)
	}
	s.countBody(task)
	s.addPending(l)
	s.requeue(q)
	s.reevaluate(l, now)
	return task
}

// Refresh schedules the endpoint to be loaded, and its deliveries to be claimed.
func (s *Scheduler) Refresh(endpoint string) {
	s.claimFrom(endpoint, func(l *lane) { l.reload, l.manualDue = true, true })
}

// Wake lets the endpoint's deliveries be claimed: something that held them up has ended.
func (s *Scheduler) Wake(endpoint string) { s.claimFrom(endpoint, func(*lane) {}) }

// claimFrom schedules the deliveries of an endpoint to be claimed, if this node owns it, after note has changed its lane.
func (s *Scheduler) claimFrom(endpoint string, note func(*lane)) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Leases().Epoch(endpoint) == 0 {
		return
	}
	if l := s.lane(endpoint, ""); l != nil { // else the next scan finds it
		note(l)
		l.due = bellwire.Earlier(l.due, now)
		s.reevaluate(l, now)
	}
}

// Forget drops deliveries that were canceled, if they are queued.
func (s *Scheduler) Forget(endpoint string, ids ...bellwire.DeliveryID) {
	if len(ids) == 0 {
		return
	}
	canceled := make(map[bellwire.DeliveryID]bool, len(ids))
	for _, id := range ids {
		canceled[id] = true
	}
	s.forget(endpoint, func(task *Task) bool { return canceled[task.Delivery.ID] })
}

// ForgetEvent drops queued deliveries of an event whose data was erased. A request in flight is not aborted.
func (s *Scheduler) ForgetEvent(endpoint string, event bellwire.EventID) {
	s.forget(endpoint, func(task *Task) bool { return task.Content.ID == event })
}

// forget drops queued deliveries that have ended in the store. They are released there, because one of them may have been restarted and
// claimed again, and what another node reports may be wrong. Releasing an ended delivery has no effect.
func (s *Scheduler) forget(endpoint string, ended func(*Task) bool) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lanes[endpoint]
	if l == nil {
		return
	}
	var back []*Task
	for task, found := l.queue.Remove(ended); found; task, found = l.queue.Remove(ended) {
		l.bytes -= task.size()
		s.dismiss(task)
		back = append(back, task)
	}
	if slices.ContainsFunc(l.late, ended) || len(back) > 0 && l.ordered() {
		s.evict(l, now) // the store knows which of them still come first
	}
	for task, found := l.manualQueue.Remove(ended); found; task, found = l.manualQueue.Remove(ended) {
		s.dismiss(task)
		back = append(back, task)
	}
	s.release(l, back)
	s.reevaluate(l, now)
}

// Due records that the store has deliveries for endpoints of this node. Some may have been stored to be forwarded, and not have
// arrived.
func (s *Scheduler) Due(due []bellwire.DueEndpoint) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range due {
		if s.Leases().Epoch(d.Endpoint) == 0 {
			continue
		}
		if !d.Manual && d.At.After(now.Add(2*ScanInterval)) {
			continue // a later scan finds it
		}
		l := s.lane(d.Endpoint, d.Tenant)
		if l == nil {
			continue
		}
		l.manualDue = l.manualDue || d.Manual
		l.mustSearch = true
		l.reload = l.reload || !l.enabled() // what has enabled the endpoint since may not have been reported
		l.due = bellwire.Earlier(l.due, d.At)
		s.reevaluate(l, now)
	}
}

// drop empties a lane without returning its deliveries to the store, and forgets it.
func (s *Scheduler) drop(l *lane) {
	for _, task := range l.queue.TakeAll() {
		s.dismiss(task)
	}
	for _, task := range l.manualQueue.TakeAll() {
		s.dismiss(task)
	}
	s.dropLate(l)
	l.bytes, l.forwarded, l.mustSearch, l.searching = 0, nil, false, false
	l.due, l.manualDue, l.reload, l.nextSequence = time.Time{}, false, false, 0
	if s.lanes[l.endpoint] == l {
		s.forgetLane(l)
	}
}

// TargetOf returns the newest state of the task's endpoint that its lane knows.
func (s *Scheduler) TargetOf(task *Task) *bellwire.Target {
	s.mu.Lock()
	defer s.mu.Unlock()
	return task.lane.target
}

// Stats describes a Scheduler.
type Stats struct {
	Lanes        int
	Queued       int // deliveries in memory that wait to be sent
	QueuedBytes  int // of events and request bodies, each counted once, and of results
	InFlight     int // requests in flight
	Unrecorded   int // results that are not in the store yet
	LeftInStore  int // deliveries that got no place in memory, since the start, because their tenant had used up its share
	OpenBreakers int
	OwnedShards  int // shards that this node sends for
}

// Stats returns the state of the scheduler. Its cost does not grow with the number of lanes.
func (s *Scheduler) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Stats{
		Lanes: len(s.lanes), Queued: s.shared.held[places], QueuedBytes: s.shared.held[memory], InFlight: s.shared.held[requests],
		Unrecorded: s.shared.held[unrecorded], LeftInStore: s.leftInStore, OpenBreakers: s.openBreakers,
		OwnedShards: s.ownership.Load().count(time.Now()),
	}
	return out
}
