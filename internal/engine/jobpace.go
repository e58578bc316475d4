package engine

import (
	"context"
	"math"
	"runtime/metrics"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/internal/limits"
)

// jobPace limits how many deliveries jobs store per second while events are published. Each of them costs the processors of this
// node and of the database about as much as a published one.
//
// While no events are published there is no limit. While they are, jobs alternate between work and breaks:
//
//   - Work lasts workFor. Each step of a job has at most the deliveries of stepEvery at the present rate, and the time after it
//     spreads them.
//   - A break lasts settleFor, in which what was stored is sent, and then breakFor.
//
// After a break, the time in which groups of events were stored during work is compared with that during breaks. If it was longer, the
// rate falls, otherwise it rises. So publishers get about what they would have without jobs. The rate also falls, within the work,
// while goroutines wait for a processor.
type jobPace struct {
	late      func() bool  // reports whether goroutines have waited for a processor since its last call
	published func() int64 // counts publications
	stored    func() storing

	counted       int64     // publications at the last look
	lastPublished time.Time // when a look found new ones
	lateChecked   time.Time // when late was called last

	rate         float64 // deliveries per second; 0: no limit
	ofStep       int     // deliveries of the last step
	worksSince   time.Time
	ofWork       int     // deliveries since then
	storedBefore storing // until then
	duringWork   storing // in this and earlier work
	duringBreaks storing
}

// The settings of the pace.
const (
	expectFor = 2 * time.Second        // after a publication, others are expected
	stepEvery = 500 * time.Millisecond // the time over which the deliveries of a step are spread, because a step has a cost of its own
	startRate = 200
	leastRate = 50 // so that jobs end, however much is published
	growth    = 1.5
	gain      = 100 // beside growth
	shrinkage = 0.6

	workFor   = 2 * time.Second
	settleFor = 200 * time.Millisecond // until what was stored has been sent
	breakFor  = 500 * time.Millisecond
	slower    = 1.05 // how many times longer it may take to store events during work than during breaks
	memory    = 0.7  // how much of what was measured earlier counts beside a new measurement

	maxJobPause = 2 * time.Second // between two steps, beside breaks
)

// storing is how often groups of events were stored, and how long that took.
type storing struct{ groups, seconds float64 }

func (s storing) minus(other storing) storing {
	return storing{s.groups - other.groups, s.seconds - other.seconds}
}

// remember adds what is new to what was before.
func (s *storing) remember(more storing) {
	s.groups, s.seconds = s.groups*memory+more.groups, s.seconds*memory+more.seconds
}

// slowerThan reports whether a group took longer, so far as both are known.
func (s storing) slowerThan(other storing) bool {
	return s.groups > 0 && other.groups > 0 && s.seconds/s.groups > slower*other.seconds/other.groups
}

// storingTimes adds up how long groups of events take to be stored.
type storingTimes struct{ groups, nanoseconds atomic.Int64 }

func (t *storingTimes) add(took time.Duration) {
	t.groups.Add(1)
	t.nanoseconds.Add(int64(took))
}

func (t *storingTimes) sum() storing {
	return storing{float64(t.groups.Load()), time.Duration(t.nanoseconds.Load()).Seconds()}
}

// limit returns how many deliveries the next step may store.
func (p *jobPace) limit(now time.Time) int {
	p.ofStep = 0
	if !p.publishing(now) {
		p.rate = 0
		return limits.JobStep
	}
	if p.rate == 0 {
		p.rate, p.duringWork, p.duringBreaks = startRate, storing{}, storing{}
		p.beginWork(now)
	} else if now.Sub(p.lateChecked) >= stepEvery && p.late() {
		p.slowDown()
		p.lateChecked = now
	}
	return min(int(math.Ceil(p.rate*stepEvery.Seconds())), limits.JobStep)
}

// publishing reports whether events are being published.
func (p *jobPace) publishing(now time.Time) bool {
	if n := p.published(); n != p.counted {
		p.counted, p.lastPublished = n, now
	}
	return !p.lastPublished.IsZero() && now.Sub(p.lastPublished) <= expectFor
}

// beginWork starts measuring. What happened before does not count.
func (p *jobPace) beginWork(now time.Time) {
	p.late()
	p.lateChecked, p.worksSince, p.ofWork, p.storedBefore = now, now, 0, p.stored()
}

func (p *jobPace) slowDown() { p.rate = max(p.rate*shrinkage, leastRate) }

func (p *jobPace) speedUp() { p.rate = min(p.rate*growth+gain, limits.MaxJobRate) }

// made records how many deliveries a step has stored.
func (p *jobPace) made(deliveries int) {
	p.ofStep = deliveries
	p.ofWork += deliveries
}

// leave waits after a step that took some time, and takes a break when the work has lasted long enough.
func (p *jobPace) leave(ctx context.Context, took time.Duration) {
	sleep(ctx, min(p.pause(took), maxJobPause))
	worked := time.Since(p.worksSince)
	switch {
	case p.rate == 0 || worked < workFor:
	case float64(p.ofWork) < leastRate/2*worked.Seconds(): // jobs have lower rates of their own, and need no break
		p.beginWork(time.Now())
	default:
		p.takeBreak(ctx)
	}
}

// pause returns how long to wait after a step. Steps take no more than 1/limits.JobPart of the time, and their deliveries are spread.
func (p *jobPace) pause(took time.Duration) time.Duration {
	wait := (limits.JobPart - 1) * took
	if p.rate == 0 {
		return wait
	}
	return max(wait, time.Duration(float64(p.ofStep)/p.rate*float64(time.Second)))
}

// takeBreak makes no steps for a while, and adapts the rate to how quickly events were stored meanwhile.
func (p *jobPace) takeBreak(ctx context.Context) {
	p.duringWork.remember(p.stored().minus(p.storedBefore))
	sleep(ctx, settleFor)
	before := p.stored()
	sleep(ctx, breakFor)
	p.duringBreaks.remember(p.stored().minus(before))
	if p.duringWork.slowerThan(p.duringBreaks) {
		p.slowDown()
	} else {
		p.speedUp()
	}
	p.beginWork(time.Now())
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
