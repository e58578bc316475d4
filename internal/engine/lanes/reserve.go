package lanes

import (
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Reservation is where a delivery that is being published goes: a place in a lane, or the store.
type Reservation struct {
	lane  *lane // nil: its shard is another node's
	epoch int64 // 0: the delivery is stored free
}

// Epoch returns the epoch in which the delivery is stored as claimed, or 0 if it is stored free.
func (r Reservation) Epoch() int64 { return r.epoch }

// Reserve reserves places for the deliveries of one event, where there are any, and appends a Reservation for each target.
// Exactly one of Commit, Cancel and Abandon must follow. The tasks that they take are nil where a Reservation has no epoch.
func (s *Scheduler) Reserve(now time.Time, targets []*bellwire.Target, c *Content, to []Reservation) []Reservation {
	s.mu.Lock()
	defer s.mu.Unlock()
	owned := s.Leases()
	for _, t := range targets {
		to = append(to, s.reserve(now, owned.Epoch(t.Endpoint.ID), t, c))
	}
	return to
}

func (s *Scheduler) reserve(now time.Time, epoch int64, t *bellwire.Target, c *Content) Reservation {
	if epoch == 0 {
		return Reservation{}
	}
	l := s.lane(t.Endpoint.ID, t.Endpoint.Tenant)
	if l == nil {
		s.leftInStore++
		return Reservation{} // the next scan finds it
	}
	s.adopt(l, t, now)
	if s.draining || !l.admits(now, len(c.Data)) {
		return Reservation{lane: l}
	}
	if !s.hasRoom(l, c) {
		s.leftInStore++
		return Reservation{lane: l}
	}
	l.reserved++
	l.bytes += len(c.Data)
	s.addPending(l)
	s.retainContent(l.account, c)
	return Reservation{l, epoch}
}

// hasRoom reports whether the lane's tenant may have one more delivery of the event in memory.
func (s *Scheduler) hasRoom(l *lane, c *Content) bool {
	more := 0
	if c.users == 0 {
		more = 2 * len(c.Data)
	}
	lowPriority := !l.proven && !l.empty()
	return s.shared.fits(l.account, places, 1, lowPriority) && (more == 0 || s.shared.fits(l.account, memory, more, lowPriority))
}

// Commit hands over deliveries that were stored. Those with a place go into their lanes. The lanes of the others are marked as
// having something due in the store.
func (s *Scheduler) Commit(now time.Time, reserved []Reservation, tasks []*Task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, r := range reserved {
		if r.lane == nil {
			continue
		}
		if r.epoch != 0 {
			s.listContent(tasks[i].Content)
			s.unreserve(r.lane, tasks[i])
			s.admit(r.lane, now, tasks[i])
			continue
		}
		if l := s.current(r.lane); l != nil {
			l.due = bellwire.Earlier(l.due, now)
			s.reevaluate(l, now)
		}
	}
	s.dispatch(now)
}

// Cancel returns the places of deliveries that were not stored.
func (s *Scheduler) Cancel(reserved []Reservation, tasks []*Task) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, r := range reserved {
		if r.epoch != 0 {
			s.unreserve(r.lane, tasks[i])
			s.dismiss(tasks[i])
			s.reevaluate(r.lane, now)
		}
	}
	s.dispatch(now)
}

// Abandon returns the places of deliveries that may or may not be stored, and releases the deliveries: if they were stored, they
// must not stay claimed.
func (s *Scheduler) Abandon(reserved []Reservation, tasks []*Task) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, r := range reserved {
		if r.epoch == 0 {
			continue
		}
		s.unreserve(r.lane, tasks[i])
		s.dismiss(tasks[i])
		if s.lanes[r.lane.endpoint] == r.lane {
			r.lane.nextSequence = 0
			s.release(r.lane, tasks[i:i+1:i+1])
		}
		s.reevaluate(r.lane, now)
	}
	s.dispatch(now)
}

// unreserve ends the reservation of a place, which now belongs to the delivery.
func (s *Scheduler) unreserve(l *lane, task *Task) {
	task.lane = l
	l.reserved--
	l.bytes -= task.size()
	s.donePending(l)
}

// admit puts a delivery that was just published into its lane, or releases it if the lane has changed since the reservation.
func (s *Scheduler) admit(l *lane, now time.Time, task *Task) {
	switch {
	case s.lanes[l.endpoint] != l:
		s.dismiss(task) // the shard was lost, and with it the delivery's epoch
		return
	case s.draining || !l.enabled() || l.breaker.open():
		s.dismiss(task)
		s.release(l, []*Task{task})
	case !l.ordered():
		s.enqueue(l, task)
	case task.Delivery.Sequence == l.nextSequence:
		l.nextSequence++
		s.enqueue(l, task)
	default:
		// Another node's publication came between, or the order is kept in the store for now.
		l.nextSequence = 0
		s.dismiss(task)
		s.release(l, []*Task{task})
	}
	s.reevaluate(l, now)
}
