package sim

import (
	"time"

	"github.com/bellwire/bellwire/internal/engine/fifo"
)

// station has servers, such as the cores of a machine, that serve jobs in the order of their arrival.
type station struct {
	clock   *clock
	servers int
	busy    int
	queue   fifo.Queue[job]
	measure measure
}

type job struct {
	cost    time.Duration
	arrived time.Duration
	done    func()
}

// measure is what is measured at a station.
type measure struct {
	since     time.Duration // when the measurement began
	changed   time.Duration // up to when the sums count
	busy      time.Duration // sum over the servers
	present   time.Duration // sum over the jobs that wait or are served
	sojourn   time.Duration // sum over the jobs that were completed
	arrived   int
	completed int
}

// serve runs done once a server has spent the cost on it.
func (s *station) serve(cost time.Duration, done func()) {
	s.count()
	s.measure.arrived++
	j := job{cost: cost, arrived: s.clock.now, done: done}
	if s.busy >= s.servers {
		s.queue.Push(j)
		return
	}
	s.start(j)
}

func (s *station) start(j job) {
	s.busy++
	s.clock.after(j.cost, func() {
		s.count()
		s.busy--
		s.measure.completed++
		s.measure.sojourn += s.clock.now - j.arrived
		if s.queue.Len() > 0 {
			s.start(s.queue.Pop())
		}
		j.done()
	})
}

// count brings the sums up to now.
func (s *station) count() {
	passed := s.clock.now - s.measure.changed
	s.measure.changed = s.clock.now
	s.measure.busy += passed * time.Duration(s.busy)
	s.measure.present += passed * time.Duration(s.busy+s.queue.Len())
}

// begin begins the measurement anew.
func (s *station) begin() {
	s.measure = measure{since: s.clock.now, changed: s.clock.now}
}

// utilization returns the share of the time that the servers were busy.
func (s *station) utilization() float64 {
	s.count()
	passed := s.clock.now - s.measure.since
	if passed == 0 || s.servers == 0 {
		return 0
	}
	return float64(s.measure.busy) / float64(passed) / float64(s.servers)
}

// device is a log that is flushed to disk: one flush at a time, for all that was written meanwhile.
type device struct {
	clock    *clock
	latency  time.Duration // of a flush
	perByte  float64       // nanoseconds
	flushing bool
	waiting  []func()
	bytes    int
	busy     time.Duration
	written  int
	since    time.Duration
}

// flush runs done once the bytes are on disk.
func (d *device) flush(bytes int, done func()) {
	d.waiting, d.bytes = append(d.waiting, done), d.bytes+bytes
	if !d.flushing {
		d.start()
	}
}

func (d *device) start() {
	group, cost := d.waiting, d.latency+time.Duration(float64(d.bytes)*d.perByte)
	d.written += d.bytes
	d.busy += cost
	d.waiting, d.bytes, d.flushing = nil, 0, true
	d.clock.after(cost, func() {
		d.flushing = false
		if len(d.waiting) > 0 {
			d.start()
		}
		for _, done := range group {
			done()
		}
	})
}

func (d *device) begin() { d.since, d.busy, d.written = d.clock.now, 0, 0 }

func (d *device) utilization() float64 {
	if d.clock.now == d.since {
		return 0
	}
	return min(float64(d.busy)/float64(d.clock.now-d.since), 1)
}

// lock is held by one transaction at a time.
type lock struct {
	held    bool
	waiting fifo.Queue[func()]
}

// acquire runs do once the lock is held.
func (l *lock) acquire(do func()) {
	if l.held {
		l.waiting.Push(do)
		return
	}
	l.held = true
	do()
}

func (l *lock) release() {
	if l.waiting.Len() > 0 {
		l.waiting.Pop()()
		return
	}
	l.held = false
}
