package engine

import (
	"slices"
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine/fifo"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/share"
)

// Bounds of a queue. What tenants share is in package limits.
const (
	tenantQuantum      = limits.GatherEvents // events of a tenant that are stored in one turn, while others wait for theirs
	contendedFor       = time.Second         // how long after a change of tenant a queue counts as contended
	overloadRetryAfter = time.Second
)

// batchQueue holds the submissions that wait for a batcher. Tenants take turns, so a tenant that floods delays the others by one group and
// not by all that it has sent. The quantum of a turn is a number of events, not of publications, so tenants that publish in batches get no
// more than others. It is safe for concurrent use.
type batchQueue struct {
	bytes bound         // on the data that waits to be stored
	wake  chan struct{} // capacity 1

	mu        sync.Mutex
	tenants   map[string]*waiting
	ready     fifo.Queue[*waiting] // tenants with something to store
	gathering []*waiting           // tenants with waiting submissions whose turn is delayed, so that more events gather
	last      string               // the tenant that was stored last
	contended time.Time            // when the queue last went from one tenant to another
	all       amount
	closed    bool
}

func newBatchQueue(bytes bound) *batchQueue {
	return &batchQueue{bytes: bytes, wake: make(chan struct{}, 1), tenants: map[string]*waiting{}}
}

// bound is the most that may wait, and how much of it is kept for tenants that have nothing waiting.
type bound struct{ most, reserve int64 }

// The bounds on the data that waits in the batcher of ordinary publications, and in that of bulky ones.
var (
	ordinaryBytes = bound{limits.BatcherBytes, limits.BatcherBytesReserve}
	bulkyBytes    = bound{limits.BulkBytes, limits.BulkBytesReserve}
)

// amount is how much waits to be stored.
type amount struct {
	submissions int
	bytes       int
}

func (a *amount) add(s *submission, sign int) {
	a.submissions += sign
	a.bytes += sign * s.bytes
}

// fits reports whether s may wait too, for a tenant that has the amount a waiting. If nothing waits, anything fits. The caller must
// hold q.mu.
func (q *batchQueue) fits(a amount, s *submission) bool {
	if q.all.submissions == 0 {
		return true
	}
	return share.Fits(int64(a.submissions), 1, int64(limits.BatcherPublications-q.all.submissions), limits.BatcherPublicationsReserve) &&
		share.Fits(int64(a.bytes), int64(s.bytes), q.bytes.most-int64(q.all.bytes), q.bytes.reserve)
}

// waiting is what one tenant has in a queue.
type waiting struct {
	tenant      string
	queue       fifo.Queue[*submission]
	amount      amount
	events      int       // in queue
	credit      int       // events that may still be stored in this turn; a larger batch uses up later turns
	gatherUntil time.Time // the end of its wait for more events, after its last group
}

// gathers reports whether the tenant lets more of its events gather. Those of a quantum are enough.
func (w *waiting) gathers(now time.Time) bool {
	return w.events < tenantQuantum && now.Before(w.gatherUntil)
}

// push queues a submission. It refuses the submission if its tenant has used up its share of the queue, or if all tenants
// together have filled the queue.
func (q *batchQueue) push(s *submission) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	tenant := s.events[0].Event.Tenant
	w := q.tenants[tenant]
	switch {
	case w == nil && !q.fits(amount{}, s):
		return overloaded()
	case w == nil:
		w = &waiting{tenant: tenant, credit: tenantQuantum}
	case !q.fits(w.amount, s):
		return tooFast()
	}
	q.all.add(s, 1)
	w.amount.add(s, 1)
	w.events += len(s.events)
	w.queue.Push(s)
	if w.queue.Len() == 1 {
		q.tenants[tenant] = w
		q.ready.Push(w)
	}
	if !w.gathers(time.Now()) {
		poke(q.wake)
	}
	return nil
}

// pop takes the next submission, or returns nil if there is none. The caller must hold q.mu.
func (q *batchQueue) pop(now time.Time) *submission {
	w := q.next(now)
	if w == nil {
		return nil
	}
	if q.last != w.tenant {
		if q.last != "" {
			q.contended = now
		}
		q.last = w.tenant
	}
	s := w.queue.Pop()
	q.all.add(s, -1)
	w.amount.add(s, -1)
	w.events -= len(s.events)
	w.credit -= len(s.events)
	if w.queue.Len() == 0 {
		q.ready.Pop()
		delete(q.tenants, w.tenant)
	}
	return s
}

// next returns the tenant whose turn it is, or nil if none waits. The caller must hold q.mu.
func (q *batchQueue) next(now time.Time) *waiting {
	for q.ready.Len() > 0 {
		w := q.ready.First()
		if w.gathers(now) && !q.closed {
			q.gathering = append(q.gathering, q.ready.Pop())
			continue
		}
		w.gatherUntil = time.Time{} // what it has is taken now, also when less than a quantum is left
		switch {
		case q.ready.Len() == 1:
			w.credit = tenantQuantum // nobody waits for it, so it uses up no later turns
			return w
		case w.credit <= 0:
			w.credit += tenantQuantum
			q.ready.Push(q.ready.Pop())
		default:
			return w
		}
	}
	return nil
}

// delayNext delays the next turn of each tenant of the group that has more submissions waiting, if other tenants publish too. Each
// transaction costs as much as several events, and several nodes that store a tenant's events wait for each other. So a tenant that
// publishes faster than its events are stored one by one leaves processors and locks to others, and more the longer storing takes.
func (q *batchQueue) delayNext(group []*submission, took time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	if now.Sub(q.contended) > contendedFor {
		return
	}
	until := now.Add(min(took, limits.GatherMost))
	for _, s := range group {
		if w := q.tenants[s.events[0].Event.Tenant]; w != nil {
			w.gatherUntil = until
		}
	}
}

// endGathering lets the tenants take turns whose wait for more events has ended, and returns how long the next one still waits;
// 0: none does. The caller must hold q.mu.
func (q *batchQueue) endGathering(now time.Time) (next time.Duration) {
	q.gathering = slices.DeleteFunc(q.gathering, func(w *waiting) bool {
		if w.gathers(now) && !q.closed {
			if left := w.gatherUntil.Sub(now); next == 0 || left < next {
				next = left
			}
			return false
		}
		q.ready.Push(w)
		return true
	})
	return next
}

func overloaded() error {
	return &bellwire.Error{
		Code:       bellwire.CodeUnavailable,
		Message:    "more is being published than this node can store; nothing was stored",
		Hint:       "Try again shortly.",
		RetryAfter: overloadRetryAfter,
	}
}

// tooFast refuses a tenant that has too much waiting, while others have not.
func tooFast() error {
	return &bellwire.Error{
		Code:       bellwire.CodeRateLimited,
		Message:    "too many of your events wait to be stored; nothing was stored",
		Hint:       "Send fewer at the same time, and try again shortly.",
		RetryAfter: overloadRetryAfter,
	}
}

// wait waits for something to store. It returns false if the queue is closed and empty.
func (q *batchQueue) wait() bool {
	q.mu.Lock()
	closed, left := q.closed, q.endGathering(time.Now())
	ready := q.ready.Len() > 0
	q.mu.Unlock()
	switch {
	case closed || ready:
		return ready
	case left == 0:
		<-q.wake
		return true
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-q.wake:
	case <-timer.C:
	}
	return true
}

// close lets wait return false once the queue is empty.
func (q *batchQueue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	poke(q.wake)
}

// length returns how many publications wait.
func (q *batchQueue) length() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.all.submissions
}

// takeGroup takes what has been queued, within bounds.
func (q *batchQueue) takeGroup(group []*submission) []*submission {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	q.endGathering(now)
	events, deliveries, bytes, mostEvents, mostDeliveries := 0, 0, 0, limits.GroupEvents, limits.GroupDeliveries
	if q.ready.Len() > 1 { // each tenant waits for the groups before its own
		mostEvents, mostDeliveries = limits.SharedGroupEvents, limits.SharedGroupDeliveries
	}
	for events < mostEvents && deliveries < mostDeliveries && bytes < limits.GroupBytes {
		s := q.pop(now)
		if s == nil {
			break
		}
		group = append(group, s)
		events += len(s.events)
		if !s.wide() {
			deliveries += s.deliveries()
		}
		bytes += s.bytes
	}
	return group
}
