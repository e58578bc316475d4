package engine

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// compactor moves what transactions have added to the statistics into rows. All nodes try; the store lets one at a time.
type compactor struct {
	store    Store
	observer bellwire.Observer
}

// run moves deltas until ctx ends. Between two steps it leaves most of the time to others. While it is behind, steps grow,
// because one row then takes the deltas of more events.
func (c *compactor) run(ctx context.Context) {
	tenants := limits.StatisticsStep
	for {
		started := time.Now()
		moved, err := c.step(ctx, tenants)
		pause := limits.StatisticsEvery
		switch {
		case err != nil:
			reportStore(ctx, c.observer, "move statistics", err)
			tenants = limits.StatisticsStep
		case moved == 0:
			tenants = limits.StatisticsStep
		default:
			pause = min((limits.StatisticsPart-1)*time.Since(started), limits.StatisticsEvery)
			tenants = min(2*tenants, limits.StatisticsLargestStep)
		}
		if !sleep(ctx, pause) {
			return
		}
	}
}

// step moves some deltas, and returns how many.
func (c *compactor) step(ctx context.Context, tenants int) (moved int, err error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return c.store.RollUp(ctx, tenants)
}
