package engine

import (
	"context"
	"runtime"
	"runtime/metrics"
	"time"

	"github.com/bellwire/bellwire/internal/limits"
)

// pace keeps attempts from beginning all at once: everything else would then wait for a processor behind them. So many of a
// portion may be under way. A new portion begins when attempts have been waiting for their endpoints for a moment, and then they
// cost no processor; attempts to endpoints that answer at once make room for each other. The scheduler's lock guards it.
type pace struct {
	most    int    // attempts of a portion under way
	portion uint32 // the number of the present one
	begun   int    // attempts of it that are under way
	wake    chan struct{}
}

// begins counts an attempt.
func (p *pace) begins(j *job) {
	j.portion = p.portion
	p.begun++
	if p.full() {
		poke(p.wake)
	}
}

// ends makes room for another attempt, if the one that has ended is of the present portion.
func (p *pace) ends(j *job) {
	if j.portion == p.portion {
		p.begun--
	}
}

func (p *pace) full() bool { return p.begun >= p.most }

// nextPortion lets more attempts begin, if no more of the present portion may.
func (s *scheduler) nextPortion(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.pace.full() {
		return
	}
	s.pace.portion++
	s.pace.begun = 0
	s.dispatch(now)
}

// pacer begins new portions.
type pacer struct {
	scheduler *scheduler
	busy      func() bool // reports whether the processors are behind
}

// run goes on until ctx ends.
func (p *pacer) run(ctx context.Context) {
	for {
		select {
		case <-p.scheduler.pace.wake:
		case <-ctx.Done():
			return
		}
		for range limits.PaceBusy / limits.Pace {
			sleep(ctx, limits.Pace)
			if !p.busy() {
				break
			}
		}
		p.scheduler.nextPortion(time.Now())
	}
}

// processorsBehind returns a function that reports whether more goroutines wait for a processor than it can soon serve.
func processorsBehind() func() bool {
	sample := []metrics.Sample{{Name: "/sched/goroutines/runnable:goroutines"}}
	return func() bool {
		metrics.Read(sample)
		return sample[0].Value.Uint64() > uint64(limits.RunnablePerProcessor*runtime.GOMAXPROCS(0))
	}
}
