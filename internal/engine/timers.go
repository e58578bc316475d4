package engine

import (
	"container/heap"
	"time"
)

// laneMemory is how long a lane that has nothing to do remembers how its endpoint behaved.
const laneMemory = 5 * time.Minute

// tick does what the timers ask for, and returns when the next one is due; zero: there is none.
func (s *scheduler) tick(now time.Time) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.timers) > 0 && !s.timers[0].at.After(now) {
		l := heap.Pop(&s.timers).(*lane)
		s.touch(l, now)
	}
	s.dispatch(now)
	var next time.Time
	if now.Before(s.faults.until) {
		next = s.faults.until
	}
	if len(s.timers) > 0 {
		next = sooner(next, s.timers[0].at)
	}
	return next
}

// sweep forgets lanes that have had nothing to do for a while.
func (s *scheduler) sweep(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.lanes {
		if l.dispensable(now) {
			s.forgetLane(l)
		}
	}
}

// setTimer has the lane looked at again at the given time; zero: not by a timer.
func (s *scheduler) setTimer(l *lane, at time.Time) {
	switch {
	case at.Equal(l.at) && (l.timer >= 0) == !at.IsZero():
		return
	case at.IsZero():
		l.at = at
		if l.timer >= 0 {
			heap.Remove(&s.timers, l.timer)
		}
		return
	}
	l.at = at
	if l.timer >= 0 {
		heap.Fix(&s.timers, l.timer)
	} else {
		heap.Push(&s.timers, l)
	}
	if l.timer == 0 {
		poke(s.wakeTimer)
	}
}

// poke signals a channel of capacity 1 without waiting.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// laneHeap orders lanes by when they have to be looked at.
type laneHeap []*lane

func (h laneHeap) Len() int           { return len(h) }
func (h laneHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h laneHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].timer, h[j].timer = i, j
}
func (h *laneHeap) Push(x any) {
	l := x.(*lane)
	l.timer = len(*h)
	*h = append(*h, l)
}
func (h *laneHeap) Pop() any {
	old := *h
	l := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	l.timer = -1
	return l
}
