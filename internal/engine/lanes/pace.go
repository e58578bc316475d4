package lanes

import "time"

// pace keeps attempts from starting all at once, so that other work does not wait for a processor behind them. At most limit
// attempts of one portion run at the same time. A new portion starts once attempts have been waiting for their endpoints for a moment,
// when they need no processor; attempts at endpoints that answer at once make room for each other.
type pace struct {
	limit   int    // of attempts of one portion that run at the same time
	portion uint32 // the number of the current portion
	running int    // attempts of the current portion
	reached chan struct{}
}

// start counts an attempt.
func (p *pace) start(task *Task) {
	task.portion = p.portion
	p.running++
	if p.full() {
		poke(p.reached)
	}
}

// end makes room for another attempt if the ended one is of the current portion.
func (p *pace) end(task *Task) {
	if task.portion == p.portion {
		p.running--
	}
}

func (p *pace) full() bool { return p.running >= p.limit }

// PortionFull signals that no more attempts start before NextPortion.
func (s *Scheduler) PortionFull() <-chan struct{} { return s.pace.reached }

// NextPortion lets more attempts start if the current portion is full.
func (s *Scheduler) NextPortion(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.pace.full() {
		return
	}
	s.pace.portion++
	s.pace.running = 0
	s.dispatch(now)
}
