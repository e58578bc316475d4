package lanes

import (
	"container/heap"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// laneMemory is how long a lane that has nothing to do is kept, because it knows how its endpoint behaved.
const laneMemory = 5 * time.Minute

const (
	usualCrowd    = 20_000           // the number of lanes above which idle ones are forgotten early
	crowdedMemory = 10 * time.Second // how long an idle lane is then kept, and how often Sweep runs
	sweepEvery    = time.Minute      // how often Sweep runs otherwise
)

// Tick reevaluates the lanes whose timers are due, and returns when the next timer is due; zero: there is none.
func (s *Scheduler) Tick(now time.Time) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.timers) > 0 && !s.timers[0].timerAt.After(now) {
		l := heap.Pop(&s.timers).(*lane)
		s.reevaluate(l, now)
	}
	s.dispatch(now)
	var next time.Time
	if now.Before(s.faults.until) {
		next = s.faults.until
	}
	if len(s.timers) > 0 {
		next = bellwire.Earlier(next, s.timers[0].timerAt)
	}
	return next
}

// TimerChanged signals that the next timer is due earlier than Tick returned.
func (s *Scheduler) TimerChanged() <-chan struct{} { return s.timerChanged }

// Sweep forgets lanes that have had nothing to do for laneMemory, and returns when to do so again. If there are more than crowd
// lanes, it forgets idle lanes of healthy endpoints earlier, and keeps a record of each.
func (s *Scheduler) Sweep(now time.Time) (next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for endpoint, r := range s.records {
		if now.Sub(r.progress) > laneMemory {
			delete(s.records, endpoint)
		}
	}
	for _, l := range s.lanes {
		crowded := len(s.lanes) > s.crowd && len(s.records) < limits.MaxLanes
		switch {
		case l.dispensable(now, laneMemory):
			s.forgetLane(l)
		case crowded && l.recordable() && l.dispensable(now, crowdedMemory):
			s.records[l.endpoint] = record{l.target.Endpoint.Revision, l.progress, l.window, l.health}
			s.forgetLane(l)
		}
	}
	if len(s.lanes) > s.crowd {
		return now.Add(crowdedMemory)
	}
	return now.Add(sweepEvery)
}

// record is what is left of a forgotten lane. It takes a tenth of the memory.
type record struct {
	revision int64 // of the endpoint
	progress time.Time
	window   window
	health   health
}

// recordable reports whether a record is enough to make an equal lane later, unless the endpoint changes.
func (l *lane) recordable() bool {
	return l.proven && l.acknowledged && l.target != nil && l.due.IsZero() && !l.ordered() && l.limiter == nil && l.permission == nil && l.hosts == [2]*host{} &&
		l.breaker == breaker{} && l.rests == 0
}

// recall restores a new lane from the record of its endpoint's last lane, if there is one.
func (s *Scheduler) recall(l *lane) {
	r, found := s.records[l.endpoint]
	if !found {
		return
	}
	delete(s.records, l.endpoint)
	if r.revision == l.target.Endpoint.Revision {
		l.proven, l.acknowledged, l.progress, l.window, l.health = true, true, r.progress, r.window, r.health
	}
}

// setTimer schedules l's next reevaluation; the zero time cancels it.
func (s *Scheduler) setTimer(l *lane, at time.Time) {
	switch {
	case at.Equal(l.timerAt) && (l.timer >= 0) == !at.IsZero():
		return
	case at.IsZero():
		l.timerAt = at
		if l.timer >= 0 {
			heap.Remove(&s.timers, l.timer)
		}
		return
	}
	l.timerAt = at
	if l.timer >= 0 {
		heap.Fix(&s.timers, l.timer)
	} else {
		heap.Push(&s.timers, l)
	}
	if l.timer == 0 {
		poke(s.timerChanged)
	}
}

// poke signals a channel of capacity 1 without waiting.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// before orders lanes by their timers.
func (l *lane) before(other *lane) bool { return l.timerAt.Before(other.timerAt) }

func (l *lane) setIndex(i int) { l.timer = i }
