package lanes

import (
	"container/heap"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine/fifo"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/share"
)

// resource is something of this node that all tenants share. share.Fits decides how much of it each may have.
type resource int8

const (
	laneCount        resource = iota // endpoints with a lane
	places                           // deliveries that wait in memory, and reserved places
	memory                           // bytes of events, request bodies and results
	requests                         // requests in flight
	unprovenRequests                 // requests in flight to endpoints that are not known to answer
	manualDeliveries                 // tests and manual retries in memory, waiting or in flight
	unrecorded                       // results that are not in the store yet
	resources
)

// waitKind is what the lanes of a wait queue wait for.
type waitKind int8

const (
	waitToSend          waitKind = iota // to send to endpoints that answer
	waitToSendUntried                   // to send to endpoints of which no attempt has ended
	waitToSendFailing                   // to send to endpoints whose last attempt failed
	waitToMaintain                      // to load changed endpoints, and to end deliveries in the store
	waitToClaim                         // to claim deliveries from the store
	waitToClaimUnproven                 // to claim more deliveries of endpoints that are not known to answer
	waitToClaimManual                   // to claim tests and manual retries from the store
	waitKinds
)

// needs lists the resources of which a wait queue's tenant must be allowed more.
var needs = [waitKinds][]resource{
	waitToSend:          {requests, unrecorded},
	waitToSendUntried:   {requests, unrecorded, unprovenRequests},
	waitToSendFailing:   {requests, unrecorded, unprovenRequests},
	waitToClaim:         {places, memory},
	waitToClaimUnproven: {places, memory},
	waitToClaimManual:   {places, memory, manualDeliveries},
}

// lowPriority reports whether lanes of the kind come after other lanes of their tenant. They get something only while twice as
// much is left as for the others, so a tenant can use no more than a third of a resource for them, and none of the reserve.
func (k waitKind) lowPriority() bool { return k == waitToSendFailing || k == waitToClaimUnproven }

// sends reports whether lanes of the kind wait to send.
func (k waitKind) sends() bool { return k <= waitToSendFailing }

// account counts what one tenant has in memory. The scheduler's lock guards it.
type account struct {
	tenant     string
	held       [resources]int
	waitQueues [waitKinds]waitQueue
	failed     time.Time // when the leaky bucket of failed attempts, which leaks limits.FailureRate a second, is empty again
}

// fail counts a failed attempt and returns until when its endpoint must pause, so that hundreds of endpoints that fail at once do
// not use up the node's time. Without many failures that time is in the past.
func (a *account) fail(now time.Time) time.Time {
	a.failed = bellwire.Later(a.failed, now.Add(-time.Second)).Add(time.Second / limits.FailureRate)
	return a.failed
}

// waitQueue holds lanes of one tenant that wait for the same thing. A wait queue that is not empty is either ready, which means
// that its tenant may have what it needs, or waits for a resource.
type waitQueue struct {
	account *account
	kind    waitKind
	lacks   resource // the resource that it waits for, if index is not -1
	index   int32    // in the heap of wait queues that wait for the same resource; -1: it waits for none
	lanes   fifo.Queue[*lane]
}

func newAccount(tenant string) *account {
	a := &account{tenant: tenant}
	for k := range a.waitQueues {
		a.waitQueues[k] = waitQueue{account: a, kind: waitKind(k), index: -1}
	}
	return a
}

// readyQueue holds the wait queues that take turns.
type readyQueue = fifo.Queue[*waitQueue]

// counts holds how much of each resource there is, and how much of it the tenants have.
type counts struct {
	most    [resources]int
	reserve [resources]int // for tenants that have nothing yet
	held    [resources]int
}

// newCounts returns the bounds of a node.
func newCounts(inFlight, queued, bytes int) counts {
	var c counts
	c.most = [resources]int{
		laneCount: limits.MaxLanes, places: queued, memory: bytes,
		requests: inFlight, unprovenRequests: max(inFlight/limits.TrialsPart, 1),
		manualDeliveries: max(inFlight/limits.ManualPart, 1), unrecorded: inFlight,
	}
	for r, most := range c.most {
		c.reserve[r] = most / limits.ReservePart
	}
	return c
}

// fits reports whether a tenant may have n more of a resource now. A tenant may always have some while no tenant has any.
func (c *counts) fits(a *account, r resource, n int, lowPriority bool) bool {
	if c.held[r] == 0 {
		return true
	}
	return share.Fits(int64(a.weight(r, lowPriority)), int64(n), int64(c.most[r]-c.held[r]), int64(c.reserve[r]))
}

// weight returns how much of a resource share.Fits counts for a tenant. As much must stay free for others.
func (a *account) weight(r resource, lowPriority bool) int {
	if lowPriority {
		return 2*a.held[r] + 1
	}
	return a.held[r]
}

// room returns how much more of a resource a tenant may have now, up to wanted.
func (c *counts) room(a *account, r resource, wanted int, lowPriority bool) int {
	free := c.most[r] - c.held[r]
	room := free
	if weight := a.weight(r, lowPriority); weight > 0 {
		room = min((free-weight)/2, free-c.reserve[r])
	}
	if c.held[r] == 0 {
		room = max(room, 1)
	}
	return max(min(room, wanted), 0)
}

// take gives a tenant n more of a resource, even if fits is false.
func (s *Scheduler) take(a *account, r resource, n int) {
	a.held[r] += n
	s.shared.held[r] += n
	s.reorder(a, r)
}

// give takes n of a resource back from a tenant, and wakes the wait queues that waited for them.
func (s *Scheduler) give(a *account, r resource, n int) {
	a.held[r] -= n
	s.shared.held[r] -= n
	s.reorder(a, r)
	s.wakeWaiting(r)
	if a.held == [resources]int{} && s.accounts[a.tenant] == a {
		delete(s.accounts, a.tenant)
	}
}

// account returns a tenant's account, which it makes if necessary.
func (s *Scheduler) account(tenant string) *account {
	a := s.accounts[tenant]
	if a == nil {
		a = newAccount(tenant)
		s.accounts[tenant] = a
	}
	return a
}

// join puts a lane at the end of its tenant's wait queue of a kind, unless it is there already.
func (s *Scheduler) join(l *lane, k waitKind) {
	if l.queuedIn[k] {
		return
	}
	l.queuedIn[k] = true
	q := &l.account.waitQueues[k]
	q.lanes.Push(l)
	if q.lanes.Len() == 1 {
		s.makeReady(q)
	}
}

// makeReady puts a wait queue behind the other ready ones of its kind.
func (s *Scheduler) makeReady(q *waitQueue) {
	s.ready[q.kind].Push(q)
	if !q.kind.sends() {
		s.config.WakeClaimer()
	}
}

// next removes and returns a ready wait queue of one of the kinds, or returns nil if there is none. The kinds take turns, and so do
// the wait queues of each kind.
func (s *Scheduler) next(from, to waitKind) *waitQueue {
	for range to - from + 1 {
		k := from + waitKind(s.rotation%int(to-from+1))
		s.rotation++
		for s.ready[k].Len() > 0 {
			q := s.ready[k].Pop()
			lacks, lacking := s.lacks(q)
			if !lacking {
				return q
			}
			s.wait(q, lacks)
		}
	}
	return nil
}

// requeue puts a wait queue that had its turn behind the other ready ones of its kind, unless it is empty.
func (s *Scheduler) requeue(q *waitQueue) {
	if q.lanes.Len() > 0 {
		s.ready[q.kind].Push(q)
	}
}

// pop removes the first lane.
func (q *waitQueue) pop() *lane {
	l := q.lanes.Pop()
	l.queuedIn[q.kind] = false
	return l
}

// lacks returns a resource of which the wait queue's tenant may not have more now, if there is one.
func (s *Scheduler) lacks(q *waitQueue) (r resource, lacking bool) {
	for _, r := range needs[q.kind] {
		if !s.suffices(q, r) {
			return r, true
		}
	}
	return 0, false
}

// claimBatch is the number of free places in memory that a wait queue waits for before its lanes claim, unless its tenant has nothing in
// memory. Without it, each delivery could take a transaction of its own.
const claimBatch = 64

// suffices reports whether a wait queue's tenant may have enough of a resource for its next lane.
func (s *Scheduler) suffices(q *waitQueue, r resource) bool {
	n := 1
	if r == places && q.account.held[r] > 0 {
		n = max(min(claimBatch, s.shared.most[r]/100), 1)
	}
	return s.shared.fits(q.account, r, n, q.kind.lowPriority())
}

// wait makes a wait queue wait for a resource.
func (s *Scheduler) wait(q *waitQueue, lacks resource) {
	q.lacks = lacks
	heap.Push(&s.waiting[lacks], q)
}

// wakeWaiting makes the wait queues ready whose tenants may have more of a resource. If the tenant of the heap's first one may not
// have more, no other tenant may.
func (s *Scheduler) wakeWaiting(r resource) {
	h := &s.waiting[r]
	for len(*h) > 0 && s.suffices((*h)[0], r) {
		s.makeReady(heap.Pop(h).(*waitQueue))
	}
}

// recheckSenders makes a tenant's wait queues ready that wait for a resource to send: they may no longer need more of it.
func (s *Scheduler) recheckSenders(a *account, r resource) {
	if len(s.waiting[r]) == 0 {
		return
	}
	for k := range a.waitQueues {
		if q := &a.waitQueues[k]; q.kind.sends() && q.index >= 0 && q.lacks == r {
			heap.Remove(&s.waiting[r], int(q.index))
			s.makeReady(q)
		}
	}
}

// reorder restores the order of the wait queues that wait for a resource after their tenant's part of it has changed.
func (s *Scheduler) reorder(a *account, r resource) {
	if len(s.waiting[r]) == 0 {
		return
	}
	for k := range a.waitQueues {
		if q := &a.waitQueues[k]; q.index >= 0 && q.lacks == r {
			heap.Fix(&s.waiting[r], int(q.index))
		}
	}
}

func (q *waitQueue) weight() int { return q.account.weight(q.lacks, q.kind.lowPriority()) }

// before orders the wait queues that wait for the same resource by how much of it their tenants have.
func (q *waitQueue) before(other *waitQueue) bool { return q.weight() < other.weight() }

func (q *waitQueue) setIndex(i int) { q.index = int32(i) } // there are fewer tenants
