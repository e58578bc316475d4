package engine

import (
	"context"
	"runtime"
	"runtime/metrics"
	"time"

	"github.com/bellwire/bellwire/internal/engine/lanes"
	"github.com/bellwire/bellwire/internal/limits"
)

// pacer starts new portions of attempts.
type pacer struct {
	scheduler *lanes.Scheduler
	busy      func() bool // reports whether the processors are behind
}

// run starts portions until ctx ends.
func (p *pacer) run(ctx context.Context) {
	for {
		select {
		case <-p.scheduler.PortionFull():
		case <-ctx.Done():
			return
		}
		for range limits.PaceBusy / limits.Pace {
			sleep(ctx, limits.Pace)
			if !p.busy() {
				break
			}
		}
		p.scheduler.NextPortion(time.Now())
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
