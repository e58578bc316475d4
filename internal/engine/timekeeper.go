package engine

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/engine/lanes"
)

// timekeeper runs the timers of lanes, and forgets lanes that are not needed.
type timekeeper struct{ scheduler *lanes.Scheduler }

// run keeps time until ctx ends.
func (k *timekeeper) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var sweep time.Time
	for {
		now := time.Now()
		if !now.Before(sweep) {
			sweep = k.scheduler.Sweep(now)
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
