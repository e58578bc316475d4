package engine

import (
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// placement says where a delivery that is being published goes.
type placement struct {
	lane  *lane // nil: its shard is another node's
	epoch int64 // 0: it is written free
}

// reserve finds places for the deliveries of one event.
func (s *scheduler) reserve(now time.Time, targets []*bellwire.Target, c *content, found []placement) []placement {
	s.mu.Lock()
	defer s.mu.Unlock()
	owned := s.owned()
	for _, t := range targets {
		epoch := owned.Epoch(t.Endpoint.ID)
		if epoch == 0 {
			found = append(found, placement{})
			continue
		}
		l := s.lane(t.Endpoint.ID, t.Endpoint.Tenant)
		if l == nil {
			found = append(found, placement{}) // the next scan finds it
			s.left++
			continue
		}
		s.adopt(l, t, now)
		if s.draining || !l.takes(now, len(c.Data)) {
			found = append(found, placement{lane: l})
			continue
		}
		if !s.admits(l, c) {
			found = append(found, placement{lane: l})
			s.left++
			continue
		}
		l.reserved++
		l.bytes += len(c.Data)
		s.begun(l)
		s.hold(l.account, c)
		found = append(found, placement{l, epoch})
	}
	return found
}

// admits reports whether the lane's tenant may have one more delivery of the event in memory.
func (s *scheduler) admits(l *lane, c *content) bool {
	more := 0
	if c.users == 0 {
		more = 2 * len(c.Data)
	}
	lowPriority := !l.answering && !l.empty()
	return s.fits(l.account, places, 1, lowPriority) && (more == 0 || s.fits(l.account, memory, more, lowPriority))
}

// cancel gives back places that reserve found, for deliveries that were not stored.
func (s *scheduler) cancel(found []placement, jobs []*job) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, p := range found {
		if p.epoch != 0 {
			s.unreserve(p.lane, jobs[i])
			s.dismiss(jobs[i])
			s.touch(p.lane, now)
		}
	}
	s.dispatch(now)
}

// abandon gives back deliveries of which nobody knows whether they were stored: if they were, they must
// not stay taken.
func (s *scheduler) abandon(found []placement, jobs []*job) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, p := range found {
		if p.epoch == 0 {
			continue
		}
		s.unreserve(p.lane, jobs[i])
		s.dismiss(jobs[i])
		if s.lanes[p.lane.endpoint] == p.lane {
			p.lane.next = 0
			s.giveBack(p.lane, jobs[i:i+1:i+1])
		}
		s.touch(p.lane, now)
	}
	s.dispatch(now)
}

// unreserve ends a lane's promise of a place, which is the delivery's own from here on.
func (s *scheduler) unreserve(l *lane, j *job) {
	j.lane = l
	l.reserved--
	l.bytes -= j.size()
	s.over(l)
}

// accept takes over deliveries that were stored: the lanes get those that have a place, and learn of the others.
func (s *scheduler) accept(now time.Time, found []placement, jobs []*job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, p := range found {
		if p.lane == nil {
			continue
		}
		if p.epoch != 0 {
			s.list(jobs[i].event)
			s.unreserve(p.lane, jobs[i])
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

// admit puts a delivery that was just published into its lane, or back into the store where the lane has
// changed since it was reserved.
func (s *scheduler) admit(l *lane, j *job) {
	now := time.Now()
	switch {
	case s.lanes[l.endpoint] != l:
		s.dismiss(j) // the shard was lost, and with it the delivery's epoch
		return
	case s.draining || !l.enabled() || l.breaker.open():
		s.dismiss(j)
		s.giveBack(l, []*job{j})
	case !l.ordered():
		s.enqueue(l, j)
	case j.delivery.Sequence == l.next:
		l.next++
		s.enqueue(l, j)
	default:
		// Another node's publish came between, or the store keeps the order for now.
		l.next = 0
		s.dismiss(j)
		s.giveBack(l, []*job{j})
	}
	s.touch(l, now)
}
