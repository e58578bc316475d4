// Package sim simulates a platform of any size: publishers, receivers, and cells, each with nodes and a PostgreSQL database, with the
// costs that were measured. It is a discrete-event simulation: actions in a heap, ordered by their virtual times. It leaves out what
// changes little at this scale, such as shares of tenants, order, rate limits and memory.
package sim

import (
	"context"
	"time"
)

// sampleEvery is the time between two looks at the backlog.
const sampleEvery = 250 * time.Millisecond

// Run simulates a scenario. Runs of the same scenario have the same result.
func Run(ctx context.Context, s *Scenario) (*Result, error) {
	c := newCell(s)
	c.publishers()
	if err := c.pass(ctx, time.Duration(s.Warmup)); err != nil {
		return nil, err
	}
	c.begin()
	c.schedule()
	if err := c.pass(ctx, time.Duration(s.Duration)); err != nil {
		return nil, err
	}
	return c.result(), nil
}

// pass lets time pass, and looks whether ctx has ended.
func (c *cell) pass(ctx context.Context, passing time.Duration) error {
	begin := c.clock.now
	for passed := time.Duration(0); passed < passing; {
		passed = min(passed+sampleEvery, passing)
		c.clock.run(begin + passed)
		c.stats.samples = append(c.stats.samples, sample{at: passed, waiting: c.waiting, open: c.healthy})
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// begin begins the measurement.
func (c *cell) begin() {
	c.stats.begin()
	c.database.transactions = 0
	c.database.log.begin()
	c.database.cpu.begin()
	for _, n := range c.nodes {
		n.cpu.begin()
	}
}
