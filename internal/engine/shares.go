package engine

import (
	"container/heap"
	"time"

	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/share"
)

// resource is something of this node that all tenants share. share.Fits says how much of it each may have.
type resource int

const (
	laneCount  resource = iota // endpoints with a lane
	places                     // deliveries that wait in memory, those included for which a place is reserved
	memory                     // bytes of events, request bodies and results
	requests                   // under way
	trials                     // those of them to endpoints that are not known to answer
	byHand                     // tests and manual retries in memory, waiting or under way
	unrecorded                 // results that are not in the store yet
	resources
)

// kind is what lanes wait for. Lanes of one kind and tenant form a line.
type kind int

const (
	sending          kind = iota // requests to endpoints that answer
	sendingUnproven              // to endpoints that may answer
	sendingFailing               // to endpoints that have failed
	maintaining                  // configuration that has changed, or deliveries that are to be canceled or expired
	claiming                     // deliveries from the store
	claimingUnproven             // the same, for endpoints that are not known to answer and have some in memory
	claimingByHand               // tests and manual retries from the store
	kinds
)

// needs says of which resources a line's tenant must be able to have more.
var needs = [kinds][]resource{
	sending:          {requests, unrecorded},
	sendingUnproven:  {requests, unrecorded, trials},
	sendingFailing:   {requests, unrecorded, trials},
	claiming:         {places, memory},
	claimingUnproven: {places, memory},
	claimingByHand:   {places, memory, byHand},
}

// lowPriority reports whether lanes of the kind come after others of their tenant. Before they get anything, twice as much
// must be left as for the others; so a tenant cannot have more than a third of a resource for them, and not the reserve.
func (k kind) lowPriority() bool { return k == sendingFailing || k == claimingUnproven }

// sends reports whether lanes of the kind wait to send.
func (k kind) sends() bool { return k <= sendingFailing }

// account is what one tenant has in memory. The scheduler's lock guards it.
type account struct {
	tenant string
	held   [resources]int
	lines  [kinds]line
	failed time.Time // when its failed attempts would have ended, had they come one after the other at limits.FailureRate
}

// fail notes a failed attempt and returns until when its endpoint rests, so that endpoints that fail at once, by the
// hundred, do not take the node's time. Without many failures that is in the past.
func (a *account) fail(now time.Time) time.Time {
	a.failed = later(a.failed, now.Add(-time.Second)).Add(time.Second / limits.FailureRate)
	return a.failed
}

// line is the lanes of one tenant that wait for the same, in turn.
type line struct {
	account *account
	kind    kind
	lanes   queue[*lane]
	lacks   resource // that it waits for, if it is blocked
	place   int      // in the heap of those that lack the same; -1: it is not blocked
}

func newAccount(tenant string) *account {
	a := &account{tenant: tenant}
	for k := range a.lines {
		a.lines[k] = line{account: a, kind: kind(k), place: -1}
	}
	return a
}

// counts is how much of each resource there is and how much of it is held.
type counts struct {
	most    [resources]int
	reserve [resources]int // for tenants who have nothing yet
	held    [resources]int
}

// newCounts divides what an engine may use.
func newCounts(inFlight, queued, bytes int) counts {
	var c counts
	c.most = [resources]int{
		laneCount: limits.MaxLanes, places: queued, memory: bytes,
		requests: inFlight, trials: max(inFlight/limits.TrialsPart, 1), byHand: max(inFlight/limits.ByHandPart, 1), unrecorded: inFlight,
	}
	for r, most := range c.most {
		c.reserve[r] = most / limits.ReservePart
	}
	return c
}

// fits reports whether a tenant may have n more of a resource now. Where nobody has anything, it may, however much that is.
func (c *counts) fits(a *account, r resource, n int, lowPriority bool) bool {
	if c.held[r] == 0 {
		return true
	}
	return share.Fits(int64(a.weight(r, lowPriority)), int64(n), int64(c.most[r]-c.held[r]), int64(c.reserve[r]))
}

// weight is how much a tenant counts as having of a resource: share.Fits leaves as much free for others.
func (a *account) weight(r resource, lowPriority bool) int {
	if lowPriority {
		return 2*a.held[r] + 1
	}
	return a.held[r]
}

// room returns how much more of a resource a tenant may have now, at most as much as wanted.
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
func (s *scheduler) take(a *account, r resource, n int) {
	a.held[r] += n
	s.held[r] += n
	s.reorder(a, r)
}

// give takes n of a resource back from a tenant, and lets those go on who waited for them.
func (s *scheduler) give(a *account, r resource, n int) {
	a.held[r] -= n
	s.held[r] -= n
	s.reorder(a, r)
	s.unblock(r)
	if a.held == [resources]int{} && s.accounts[a.tenant] == a {
		delete(s.accounts, a.tenant)
	}
}

// account returns a tenant's account, made if need be.
func (s *scheduler) account(tenant string) *account {
	a := s.accounts[tenant]
	if a == nil {
		a = newAccount(tenant)
		s.accounts[tenant] = a
	}
	return a
}

// join puts a lane at the end of its tenant's line of a kind, unless it stands there already.
func (s *scheduler) join(l *lane, k kind) {
	if l.in[k] {
		return
	}
	l.in[k] = true
	ln := &l.account.lines[k]
	ln.lanes.push(l)
	if ln.lanes.len() == 1 {
		s.queue(ln)
	}
}

// queue lets a line have its turn after those that wait already.
func (s *scheduler) queue(ln *line) {
	s.turns[ln.kind].push(ln)
	if !ln.kind.sends() {
		s.wakeClaimer()
	}
}

// next returns the line whose turn it is, of one of the kinds, and takes it out of the turns; nil: none that waits has a
// share left. The kinds take turns too.
func (s *scheduler) next(from, to kind) *line {
	for range to - from + 1 {
		k := from + kind(s.rotation%int(to-from+1))
		s.rotation++
		for s.turns[k].len() > 0 {
			ln := s.turns[k].pop()
			lacks, blocked := s.lacks(ln)
			if !blocked {
				return ln
			}
			s.block(ln, lacks)
		}
	}
	return nil
}

// requeue lets a line that had its turn wait for its next one.
func (s *scheduler) requeue(ln *line) {
	if ln.lanes.len() > 0 {
		s.turns[ln.kind].push(ln)
	}
}

// leave takes the first lane out of a line.
func (ln *line) leave() *lane {
	l := ln.lanes.pop()
	l.in[ln.kind] = false
	return l
}

// lacks returns of what the line's tenant may not have more now.
func (s *scheduler) lacks(ln *line) (r resource, blocked bool) {
	for _, r := range needs[ln.kind] {
		if !s.suffices(ln, r) {
			return r, true
		}
	}
	return 0, false
}

// claimBatch is for how many places in memory a line waits that claims, unless its tenant has nothing: to claim deliveries
// one by one would take a transaction for each.
const claimBatch = 64

// suffices reports whether a line's tenant may have enough of a resource for the line's next turn.
func (s *scheduler) suffices(ln *line, r resource) bool {
	n := 1
	if r == places && ln.account.held[r] > 0 {
		n = max(min(claimBatch, s.most[r]/100), 1)
	}
	return s.fits(ln.account, r, n, ln.kind.lowPriority())
}

// block has a line wait for a resource.
func (s *scheduler) block(ln *line, lacks resource) {
	ln.lacks = lacks
	heap.Push(&s.blocked[lacks], ln)
}

// unblock lets those lines go on whose tenants may have more of a resource. The first of the heap is the one that may
// before all others.
func (s *scheduler) unblock(r resource) {
	h := &s.blocked[r]
	for len(*h) > 0 && s.suffices((*h)[0], r) {
		s.queue(heap.Pop(h).(*line))
	}
}

// retry lets a tenant's lines go on that wait to send and lack a resource: it may be that they need no more of it.
func (s *scheduler) retry(a *account, r resource) {
	if len(s.blocked[r]) == 0 {
		return
	}
	for k := range a.lines {
		if ln := &a.lines[k]; ln.kind.sends() && ln.place >= 0 && ln.lacks == r {
			heap.Remove(&s.blocked[r], ln.place)
			s.queue(ln)
		}
	}
}

// reorder keeps the lines in order that wait for a resource of which their tenant now has more or less.
func (s *scheduler) reorder(a *account, r resource) {
	if len(s.blocked[r]) == 0 {
		return
	}
	for k := range a.lines {
		if ln := &a.lines[k]; ln.place >= 0 && ln.lacks == r {
			heap.Fix(&s.blocked[r], ln.place)
		}
	}
}

func (ln *line) weight() int { return ln.account.weight(ln.lacks, ln.kind.lowPriority()) }

// lineHeap orders lines that lack the same by how much of it their tenants have.
type lineHeap []*line

func (h lineHeap) Len() int           { return len(h) }
func (h lineHeap) Less(i, j int) bool { return h[i].weight() < h[j].weight() }
func (h lineHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}
func (h *lineHeap) Push(x any) {
	ln := x.(*line)
	ln.place = len(*h)
	*h = append(*h, ln)
}
func (h *lineHeap) Pop() any {
	old := *h
	ln := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	ln.place = -1
	return ln
}
