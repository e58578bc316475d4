package postgres

import (
	"testing"
	"time"
)

// Plans last while tables grow little, and no longer than a minute.
func TestPlansLast(t *testing.T) {
	t.Parallel()
	const width = time.Hour
	middle := time.Date(2026, 11, 28, 16, 30, 0, 0, time.UTC)
	end := middle.Add(width/2 - leastPlanAge)
	for name, c := range map[string]struct {
		at           time.Time
		before, more int // rows
		age          time.Duration
		outdated     bool
	}{
		"Unused":         {at: middle, age: mostPlanAge},
		"Old":            {at: middle, age: mostPlanAge + 1, outdated: true},
		"ManyRowsAtOnce": {at: middle, more: 1_000_000, age: leastPlanAge - 1},
		"FirstRows":      {at: middle, more: plannedRows, age: leastPlanAge},
		"ManyFirstRows":  {at: middle, more: plannedRows + 1, age: leastPlanAge, outdated: true},
		"Twice":          {at: middle, before: 1_000_000, more: 1_000_000, age: leastPlanAge},
		"MoreThanTwice":  {at: middle, before: 1_000_000, more: 1_000_000 + plannedRows + 1, age: leastPlanAge, outdated: true},
		"SamePartition":  {at: end.Add(-1), before: 1_000_000, age: leastPlanAge},
		"NextPartition":  {at: end, before: 1_000_000, age: leastPlanAge, outdated: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var g growth
			g.now(c.at, width)
			g.add(c.before)
			then := g.now(c.at, width)
			g.add(c.more)
			if got := g.now(c.at.Add(c.age), width).outdates(then); got != c.outdated {
				t.Errorf("outdated: %v, want %v", got, c.outdated)
			}
		})
	}
}
