package engine

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/engine/lanes"
)

// sweepEvery is how often lanes are forgotten that have nothing to do.
const sweepEvery = time.Minute

// timekeeper runs the timers of lanes, and forgets lanes that are not needed.
type timekeeper struct{ scheduler *lanes.Scheduler }

// run keeps time until ctx ends.
func (k *timekeeper) run(ctx context.Context) {
	timer := time.NewTimer(sweepEvery)
	defer timer.Stop()
	sweep := time.Now().Add(sweepEvery)
	for {
		now := time.Now()
		if !now.Before(sweep) {
			k.scheduler.Sweep(now)
			sweep = now.Add(sweepEvery)
		}
		next := k.scheduler.Tick(now)
		if next.IsZero() || sweep.Before(next) {
			next = sweep
		}
		timer.Reset(max(time.Until(next), 0))
		select {
		case <-timer.C:
		case <-k.scheduler.TimerChanged():
		case <-ctx.Done():
			return
		}
	}
}
