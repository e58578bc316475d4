package engine

import (
	"math"
	"runtime/metrics"
	"time"

	"github.com/bellwire/bellwire/internal/limits"
)

// jobPace is how many deliveries jobs bring in while events are published. Each of them takes about as much of the processors as
// a published one. So the pace grows slowly while goroutines find a processor at once, and shrinks when they wait: what is
// published then gets what it had before. Without publications there is no bound.
type jobPace struct {
	late      func() bool  // reports whether goroutines have waited for a processor since the call before
	published func() int64 // counts publications

	seen    int64     // publications, when they were counted last
	live    time.Time // when there were new ones
	adapted time.Time
	rate    float64 // deliveries per second; 0: no bound
	last    int     // deliveries of the last step
}

// The figures of the pace.
const (
	liveFor    = 2 * time.Second        // after a publication, others are expected
	adaptEvery = 100 * time.Millisecond // the time in which a step's deliveries are spread, too
	startRate  = 200
	leastRate  = 100 // so that jobs end, however much is published
	growth     = 1.05
	gain       = 20 // beside growth
	shrinkage  = 0.6
)

// limit returns how many deliveries the next step may bring in.
func (p *jobPace) limit(now time.Time) int {
	p.last = 0
	if n := p.published(); n != p.seen {
		p.seen, p.live = n, now
	}
	if p.live.IsZero() || now.Sub(p.live) > liveFor {
		p.rate = 0
		return limits.JobStep
	}
	switch {
	case p.rate == 0:
		p.rate = startRate
		p.late() // what was before does not count
	case now.Sub(p.adapted) < adaptEvery:
		return p.share()
	case p.late():
		p.rate = max(p.rate*shrinkage, leastRate)
	default:
		p.rate = min(p.rate*growth+gain, limits.MaxJobRate)
	}
	p.adapted = now
	return p.share()
}

// share returns what may be brought in within adaptEvery.
func (p *jobPace) share() int {
	return min(int(math.Ceil(p.rate*adaptEvery.Seconds())), limits.JobStep)
}

// made records what a step has brought in.
func (p *jobPace) made(deliveries int) { p.last = deliveries }

// pause returns the time that the deliveries of the last step take at the pace.
func (p *jobPace) pause() time.Duration {
	if p.rate == 0 {
		return 0
	}
	return time.Duration(float64(p.last) / p.rate * float64(time.Second))
}

// A goroutine that waits longer than longWait for a processor is late. They are late together if more than one in mostLate is.
const (
	longWait = 500 * time.Microsecond
	mostLate = 20
)

// processorsLate returns a function that reports whether goroutines have been late since it was called before.
func processorsLate() func() bool {
	sample := []metrics.Sample{{Name: "/sched/latencies:seconds"}}
	var allBefore, lateBefore uint64
	return func() bool {
		metrics.Read(sample)
		h := sample[0].Value.Float64Histogram()
		var all, late uint64
		for i, n := range h.Counts {
			all += n
			if h.Buckets[i] >= longWait.Seconds() {
				late += n
			}
		}
		newly, lately := all-allBefore, late-lateBefore
		allBefore, lateBefore = all, late
		return newly > 0 && lately*mostLate > newly
	}
}
