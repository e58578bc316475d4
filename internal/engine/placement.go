package engine

import (
	"time"

	"github.com/bellwire/bellwire"
)

// placement says where a delivery that is being published goes.
type placement struct {
	lane  *lane // nil: its shard is another node's
	epoch int64 // 0: it is written free
}

// reserve finds places for the deliveries of one event.
func (s *scheduler) reserve(now time.Time, targets []*bellwire.Target, size int, places []placement) []placement {
	s.mu.Lock()
	defer s.mu.Unlock()
	owned := s.owned()
	for _, t := range targets {
		epoch := owned.Epoch(t.Endpoint.ID)
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
		s.begun(l)
		l.bytes += size
		s.queued++
		s.bytes += size
		places = append(places, placement{l, epoch})
	}
	return places
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
	s.over(l)
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
