package engine

import "time"

// The pauses after a fault double while it lasts: those of an endpoint, and those of the whole node.
const (
	firstFaultPause   = time.Second
	longestFaultPause = 30 * time.Second
	firstNodePause    = 250 * time.Millisecond
	longestNodePause  = 4 * time.Second
)

// faults counts consecutive faults.
type faults struct {
	count int
	until time.Time // nothing is sent before
}

// add notes a fault. One that was under way when the pause began makes it no longer.
func (f *faults) add(now time.Time, first, longest time.Duration) {
	if now.Before(f.until) {
		return
	}
	f.until = now.Add(min(first<<min(f.count, 20), longest))
	f.count++
}

// setBack gives back a delivery that could not be sent through a fault of the node. That counts for nothing: neither as an
// attempt, nor for the endpoint's window and breaker.
func (s *scheduler) setBack(now time.Time, j *job, nodeWide bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := j.lane
	s.ended(j)
	s.over(l)
	if !j.express() && j.delivery.Sequence > 0 {
		s.park(l) // the ones behind it must not go first
	}
	s.giveBack(l, []*job{j})
	l.faults.add(now, firstFaultPause, longestFaultPause)
	l.quiet = later(l.quiet, l.faults.until)
	if nodeWide {
		s.faults.add(now, firstNodePause, longestNodePause)
		poke(s.wakeTimer)
	}
	s.touch(l, now)
	s.dispatch(now)
}
