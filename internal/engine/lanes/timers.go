package lanes

import (
	"container/heap"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// laneMemory is how long a lane that has nothing to do remembers how its endpoint behaved.
const laneMemory = 5 * time.Minute

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

// Sweep forgets lanes that have had nothing to do for a while.
func (s *Scheduler) Sweep(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.lanes {
		if l.dispensable(now) {
			s.forgetLane(l)
		}
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
