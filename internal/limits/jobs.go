package limits

import (
	"fmt"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds on jobs.
const (
	BulkJobs   = 10_000 // jobs of bulk jobs that have not ended
	JobsInAll  = 1000   // that have not ended, of all tenants
	JobsKept   = 200    // that have ended, of a tenant
	JobStep    = 250    // deliveries in one transaction
	JobPart    = 3      // these transactions take 1/JobPart of the time
	JobWaiting = 1000   // pending deliveries of an endpoint at which a job waits
	MaxJobRate = maxRate
	MinJobRate = minRate
)

// Jobs is the limit on a tenant's jobs.
var Jobs = &Limit{
	Name: "jobs", Default: 10, Min: 1, Max: JobsInAll, Unit: "jobs", One: "job",
	Meaning: "Replays, bulk retries and bulk cancellations that have not ended.", Answer: answerRate, PerTenant: true,
	field: func(l *bellwire.Limits) any { return &l.Jobs },
}

var jobs = Resource{
	Name: "Replays, bulk retries and bulk cancellations",
	Bound: fmt.Sprintf("%s jobs that have not ended, and %s of those over all tenants, one for each tenant; a third of the time, %d deliveries per transaction; while events are published, only what does not slow them down, but at least about 40 per second, with breaks in between",
		bellwire.Number(JobsInAll), bellwire.Number(BulkJobs), JobStep),
	Share:   fmt.Sprintf("`jobs` jobs; a job for one endpoint waits while %s of its deliveries are pending; %d ended jobs are kept, for 30 days", bellwire.Number(JobWaiting), JobsKept),
	Reserve: "none",
	Order:   "tenants take turns, then their jobs",
	Answer:  "429 `rate_limited` with `Retry-After`",
}
