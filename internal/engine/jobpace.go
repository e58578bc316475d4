package engine

import (
	"context"
	"math"
	"time"

	"github.com/bellwire/bellwire/internal/limits"
)

// jobPace limits how many deliveries jobs store per second while events are published. Each of them costs the processors of this
// node and of the database about as much as a published one. While no events are published there is no limit.
//
// Under the limit, jobs work for workFor and then take a break:
//
//	work    steps store deliveries at the rate, evenly spread
//	settle  no steps, until what they have stored is sent
//	break   no steps, so that publishers have the node to themselves
//
// After each break, jobPace compares how long the commit of a group of events took during work with how long it took during breaks. If
// commits took longer during work, the rate falls; otherwise it rises. So publishers get about what they would get without jobs. The
// rate also falls during work, as soon as goroutines wait for a processor.
type jobPace struct {
	published func() int64      // counts publications
	commits   func() commitTime // adds up the commits of events
	late      func() bool       // reports whether goroutines have waited for a processor since its last call

	seen        int64     // publications that were counted last
	publishedAt time.Time // when the count last grew

	rate        float64 // deliveries per second; 0: no limit
	lateChecked time.Time
	stepSize    int // deliveries of the last step
	work        jobWork

	duringWork, duringBreaks commitTime
}

// jobWork is what jobs have done since the last break.
type jobWork struct {
	began      time.Time
	deliveries int
	before     commitTime // the commits before it
}

// When the limit applies, and how it changes.
const (
	publishingFor = 2 * time.Second // after a publication, others are expected

	startRate  = 200 // deliveries per second
	leastRate  = 50  // so that jobs end, however much is published
	growBy     = 1.5 // the rate is multiplied by growBy, and growMore is added
	growMore   = 100
	shrinkTo   = 0.6  // the rate is multiplied by it
	tolerated  = 1.05 // how many times longer commits may take during work than during breaks
	remembered = 0.7  // the weight of earlier measurements beside a new one
)

// The times of work and breaks.
const (
	stepSpan     = 500 * time.Millisecond // over which the deliveries of a step are spread: a step has a cost of its own
	longestPause = 2 * time.Second        // between two steps of the same work
	workFor      = 2 * time.Second
	settleFor    = 200 * time.Millisecond
	breakFor     = 500 * time.Millisecond
)

// limit returns how many deliveries the next step may store.
func (p *jobPace) limit(now time.Time) int {
	p.stepSize = 0
	switch {
	case !p.publishing(now):
		p.rate = 0
		return limits.JobStep
	case p.rate == 0:
		p.rate, p.duringWork, p.duringBreaks = startRate, commitTime{}, commitTime{}
		p.beginWork(now)
	case now.Sub(p.lateChecked) >= stepSpan && p.late():
		p.slowDown()
		p.lateChecked = now
	}
	return min(int(math.Ceil(p.rate*stepSpan.Seconds())), limits.JobStep)
}

// publishing reports whether events are being published.
func (p *jobPace) publishing(now time.Time) bool {
	if n := p.published(); n != p.seen {
		p.seen, p.publishedAt = n, now
	}
	return !p.publishedAt.IsZero() && now.Sub(p.publishedAt) <= publishingFor
}

// stored records how many deliveries a step has stored.
func (p *jobPace) stored(deliveries int) {
	p.stepSize = deliveries
	p.work.deliveries += deliveries
}

// rest pauses after a step that took some time. When the work has lasted long enough, it takes a break too.
func (p *jobPace) rest(ctx context.Context, took time.Duration) {
	sleep(ctx, min(p.pause(took), longestPause))
	switch worked := time.Since(p.work.began); {
	case p.rate == 0 || worked < workFor:
	case float64(p.work.deliveries) < leastRate/2*worked.Seconds(): // jobs have lower rates of their own, and need no break
		p.beginWork(time.Now())
	default:
		p.takeBreak(ctx)
	}
}

// pause returns how long to wait after a step. Steps take at most 1/limits.JobPart of the time, and their deliveries are spread at the rate.
func (p *jobPace) pause(took time.Duration) time.Duration {
	wait := (limits.JobPart - 1) * took
	if p.rate == 0 {
		return wait
	}
	return max(wait, lastsAt(p.stepSize, p.rate))
}

// beginWork begins to measure. Earlier commits, and earlier waits for a processor, do not count.
func (p *jobPace) beginWork(now time.Time) {
	p.late()
	p.lateChecked = now
	p.work = jobWork{began: now, before: p.commits()}
}

// takeBreak ends the work, waits, and adapts the rate to how long commits took.
func (p *jobPace) takeBreak(ctx context.Context) {
	p.duringWork.remember(p.commits().minus(p.work.before))
	sleep(ctx, settleFor)
	before := p.commits()
	sleep(ctx, breakFor)
	p.duringBreaks.remember(p.commits().minus(before))
	if p.duringWork.slowerThan(p.duringBreaks) {
		p.slowDown()
	} else {
		p.speedUp()
	}
	p.beginWork(time.Now())
}

func (p *jobPace) slowDown() { p.rate = max(p.rate*shrinkTo, leastRate) }

func (p *jobPace) speedUp() { p.rate = min(p.rate*growBy+growMore, limits.MaxJobRate) }
