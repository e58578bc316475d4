package lanes

import (
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// The pauses after faults of this node double while the faults last: those of one endpoint, and those of the whole node.
const (
	firstEndpointPause   = time.Second
	longestEndpointPause = 30 * time.Second
	firstNodePause       = 250 * time.Millisecond
	longestNodePause     = 4 * time.Second
)

// backoff counts consecutive faults of this node.
type backoff struct {
	count int
	until time.Time // end of the pause in sending
}

// add counts a fault. A fault during the pause is of an attempt that started before it, and does not prolong it.
func (b *backoff) add(now time.Time, first, longest time.Duration) {
	if now.Before(b.until) {
		return
	}
	b.until = now.Add(min(first<<min(b.count, 20), longest))
	b.count++
}

// RequeueUnsent releases a delivery that could not be sent because of a fault of this node. The fault counts neither as an attempt
// nor as a failure of the endpoint. nodeWide reports whether it is likely to affect other endpoints too.
func (s *Scheduler) RequeueUnsent(now time.Time, task *Task, nodeWide bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := task.lane
	s.putBack(task, now)
	l.faults.add(now, firstEndpointPause, longestEndpointPause)
	l.storeBackoffUntil = bellwire.Later(l.storeBackoffUntil, l.faults.until)
	if nodeWide {
		s.faults.add(now, firstNodePause, longestNodePause)
		poke(s.timerChanged)
	}
	s.reevaluate(l, now)
	s.dispatch(now)
}
