package engine

import (
	"context"
	"math"
	"runtime/metrics"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/internal/limits"
)

// jobPace is how many deliveries jobs bring in while events are published. Each of them takes about as much of the processors as
// a published one, also of those that the database has. So jobs rest from time to time: the pace grows while events are stored as
// quickly beside their work as in their rests, and shrinks while that takes longer, or while goroutines wait for a processor. What
// is published then gets about what it had before. Without publications there is no bound.
type jobPace struct {
	late      func() bool  // reports whether goroutines have waited for a processor since the call before
	published func() int64 // counts publications
	stored    func() storing

	seen   int64     // publications, when they were counted last
	live   time.Time // when there were new ones
	looked time.Time // when goroutines were late or not
	rate   float64   // deliveries per second; 0: no bound
	last   int       // deliveries of the last step

	began        time.Time // of the work since the last rest
	brought      int       // deliveries since then
	before       storing   // until then
	beside, rest storing   // beside the work and in the rests of late
}

// The figures of the pace.
const (
	liveFor   = 2 * time.Second        // after a publication, others are expected
	stepEvery = 500 * time.Millisecond // the time in which a step's deliveries are spread, too: a step costs as much as some deliveries
	startRate = 200
	leastRate = 50 // so that jobs end, however much is published
	growth    = 1.5
	gain      = 100 // beside growth
	shrinkage = 0.6

	workFor   = 2 * time.Second
	settleFor = 200 * time.Millisecond // until what was brought in has been sent
	restFor   = 500 * time.Millisecond
	slower    = 1.05 // how much longer it may take to store events beside the work of jobs
	memory    = 0.7  // how much one rest counts at the next one
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
		p.rate, p.beside, p.rest = startRate, storing{}, storing{}
		p.begin(now)
	case now.Sub(p.looked) < stepEvery:
	case p.late():
		p.shrink()
		p.looked = now
	}
	return min(int(math.Ceil(p.rate*stepEvery.Seconds())), limits.JobStep)
}

// begin begins to work; what was before does not count.
func (p *jobPace) begin(now time.Time) {
	p.late()
	p.looked, p.began, p.brought, p.before = now, now, 0, p.stored()
}

func (p *jobPace) shrink() { p.rate = max(p.rate*shrinkage, leastRate) }

// made records what a step has brought in.
func (p *jobPace) made(deliveries int) {
	p.last = deliveries
	p.brought += deliveries
}

// leave waits after a step that took some time: steps take a share of the time, and their deliveries are spread.
func (p *jobPace) leave(ctx context.Context, took time.Duration) {
	pause := (limits.JobShare - 1) * took
	if p.rate > 0 {
		pause = max(pause, time.Duration(float64(p.last)/p.rate*float64(time.Second)))
	}
	sleep(ctx, min(pause, maxJobPause))
	worked := time.Since(p.began)
	switch {
	case p.rate == 0 || worked < workFor:
	case float64(p.brought) < leastRate/2*worked.Seconds(): // jobs have lower rates of their own, and need no rest
		p.begin(time.Now())
	default:
		p.compare(ctx)
	}
}

// maxJobPause bounds the time between two steps, beside rests.
const maxJobPause = 2 * time.Second

// compare rests, and adapts the pace to what that makes of the time in which events are stored.
func (p *jobPace) compare(ctx context.Context) {
	p.beside.remember(p.stored().minus(p.before))
	sleep(ctx, settleFor)
	before := p.stored()
	sleep(ctx, restFor)
	p.rest.remember(p.stored().minus(before))
	if p.beside.slowerThan(p.rest) {
		p.shrink()
	} else {
		p.rate = min(p.rate*growth+gain, limits.MaxJobRate)
	}
	p.begin(time.Now())
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
