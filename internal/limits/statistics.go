package limits

import "time"

// Bounds on the work for statistics.
const (
	StatisticsEvery       = 10 * time.Second // how old statistics may be, unless there are many tenants
	StatisticsStep        = 100              // tenants in one transaction
	StatisticsLargestStep = 800              // while the work is behind
	StatisticsPart        = 10               // these transactions take 1/StatisticsPart of the time

	StatisticsIntervals      = 1500 // of one answer: a day of minutes
	StatisticsSplitIntervals = 750  // if it is split: a month of hours
)
