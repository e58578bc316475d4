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
	unprovenRequests                 // those of them to endpoints that are not known to answer
	manualDeliveries                 // tests and manual retries in memory, waiting or in flight
	unrecorded                       // results that are not in the store yet
	resources
)

// kind is what lanes wait for. The lanes of one kind and tenant form a line.
type kind int8

const (
	sending          kind = iota // requests to endpoints that answer
	sendingUnproven              // to endpoints that are not known to answer
	sendingFailing               // to endpoints whose last attempt failed
	maintaining                  // changed endpoints, and deliveries in the store that must end
	claiming                     // deliveries in the store
	claimingUnproven             // the same, of endpoints that are not known to answer and have some in memory
	claimingManual               // tests and manual retries in the store
	kinds
)

// needs lists the resources of which a line's tenant must be allowed more.
var needs = [kinds][]resource{
	sending:          {requests, unrecorded},
	sendingUnproven:  {requests, unrecorded, unprovenRequests},
	sendingFailing:   {requests, unrecorded, unprovenRequests},
	claiming:         {places, memory},
	claimingUnproven: {places, memory},
	claimingManual:   {places, memory, manualDeliveries},
}

// lowPriority reports whether lanes of the kind come after other lanes of their tenant. They get something only while twice as
// much is left as for the others, so a tenant can use no more than a third of a resource for them, and none of the reserve.
func (k kind) lowPriority() bool { return k == sendingFailing || k == claimingUnproven }

// sends reports whether lanes of the kind wait to send.
func (k kind) sends() bool { return k <= sendingFailing }

// account is what one tenant has in memory. The scheduler's lock guards it.
type account struct {
	tenant string
	held   [resources]int
	lines  [kinds]line
	failed time.Time // leaky bucket of failed attempts, which leaks limits.FailureRate a second: when it is empty again
}

// fail counts a failed attempt and returns until when its endpoint rests, so that hundreds of endpoints that fail at once do
// not use up the node's time. Without many failures that time is in the past.
func (a *account) fail(now time.Time) time.Time {
	a.failed = bellwire.Later(a.failed, now.Add(-time.Second)).Add(time.Second / limits.FailureRate)
	return a.failed
}

// line is the lanes of one tenant that wait for the same thing, in turn. A line is in the turns of its kind, or waits for a resource.
type line struct {
	account *account
	kind    kind
	lacks   resource // that it waits for, if it does
	index   int32    // in the heap of lines that wait for the same resource; -1: it waits for none
	lanes   fifo.Queue[*lane]
}

func newAccount(tenant string) *account {
	a := &account{tenant: tenant}
	for k := range a.lines {
		a.lines[k] = line{account: a, kind: kind(k), index: -1}
	}
	return a
}

// lineQueue is lines that take turns.
type lineQueue = fifo.Queue[*line]

// counts is how much of each resource there is and how much of it is held.
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
		requests: inFlight, unprovenRequests: max(inFlight/limits.TrialsPart, 1), manualDeliveries: max(inFlight/limits.ManualPart, 1), unrecorded: inFlight,
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

// take gives a tenant n more of a resource, whether or not they fit.
func (s *Scheduler) take(a *account, r resource, n int) {
	a.held[r] += n
	s.held[r] += n
	s.reorder(a, r)
}

// give takes n of a resource back from a tenant, and wakes the lines that waited for them.
func (s *Scheduler) give(a *account, r resource, n int) {
	a.held[r] -= n
	s.held[r] -= n
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

// join puts a lane at the end of its tenant's line of a kind, unless it is there already.
func (s *Scheduler) join(l *lane, k kind) {
	if l.queuedIn[k] {
		return
	}
	l.queuedIn[k] = true
	ln := &l.account.lines[k]
	ln.lanes.Push(l)
	if ln.lanes.Len() == 1 {
		s.queue(ln)
	}
}

// queue gives a line its turn after those that wait already.
func (s *Scheduler) queue(ln *line) {
	s.turns[ln.kind].Push(ln)
	if !ln.kind.sends() {
		s.config.WakeClaimer()
	}
}

// next returns the line whose turn it is, of one of the kinds, and takes it out of the turns. It returns nil if no line has a
// turn whose tenant may have more. The kinds take turns too.
func (s *Scheduler) next(from, to kind) *line {
	for range to - from + 1 {
		k := from + kind(s.rotation%int(to-from+1))
		s.rotation++
		for s.turns[k].Len() > 0 {
			ln := s.turns[k].Pop()
			lacks, lacking := s.lacks(ln)
			if !lacking {
				return ln
			}
			s.wait(ln, lacks)
		}
	}
	return nil
}

// requeue gives a line that had its turn another one.
func (s *Scheduler) requeue(ln *line) {
	if ln.lanes.Len() > 0 {
		s.turns[ln.kind].Push(ln)
	}
}

// leave removes the first lane of a line.
func (ln *line) leave() *lane {
	l := ln.lanes.Pop()
	l.queuedIn[ln.kind] = false
	return l
}

// lacks returns a resource of which the line's tenant may not have more now, if there is one.
func (s *Scheduler) lacks(ln *line) (r resource, lacking bool) {
	for _, r := range needs[ln.kind] {
		if !s.suffices(ln, r) {
			return r, true
		}
	}
	return 0, false
}

// claimBatch is how many places in memory a line that claims waits for, unless its tenant has nothing in memory: claiming
// deliveries one by one would take a transaction for each.
const claimBatch = 64

// suffices reports whether a line's tenant may have enough of a resource for the line's next turn.
func (s *Scheduler) suffices(ln *line, r resource) bool {
	n := 1
	if r == places && ln.account.held[r] > 0 {
		n = max(min(claimBatch, s.most[r]/100), 1)
	}
	return s.fits(ln.account, r, n, ln.kind.lowPriority())
}

// wait makes a line wait for a resource.
func (s *Scheduler) wait(ln *line, lacks resource) {
	ln.lacks = lacks
	heap.Push(&s.waiting[lacks], ln)
}

// wakeWaiting gives a turn to the lines whose tenants may have more of a resource. If the heap's first line may not have more, no
// line may.
func (s *Scheduler) wakeWaiting(r resource) {
	h := &s.waiting[r]
	for len(*h) > 0 && s.suffices((*h)[0], r) {
		s.queue(heap.Pop(h).(*line))
	}
}

// recheckSenders gives a turn to those of a tenant's lines that wait for a resource to send: they may no longer need more of it.
func (s *Scheduler) recheckSenders(a *account, r resource) {
	if len(s.waiting[r]) == 0 {
		return
	}
	for k := range a.lines {
		if ln := &a.lines[k]; ln.kind.sends() && ln.index >= 0 && ln.lacks == r {
			heap.Remove(&s.waiting[r], int(ln.index))
			s.queue(ln)
		}
	}
}

// reorder restores the order of the lines that wait for a resource after their tenant's part of it has changed.
func (s *Scheduler) reorder(a *account, r resource) {
	if len(s.waiting[r]) == 0 {
		return
	}
	for k := range a.lines {
		if ln := &a.lines[k]; ln.index >= 0 && ln.lacks == r {
			heap.Fix(&s.waiting[r], int(ln.index))
		}
	}
}

func (ln *line) weight() int { return ln.account.weight(ln.lacks, ln.kind.lowPriority()) }

// before orders the lines that wait for the same resource by how much of it their tenants have.
func (ln *line) before(other *line) bool { return ln.weight() < other.weight() }

func (ln *line) setIndex(i int) { ln.index = int32(i) } // there are fewer tenants
