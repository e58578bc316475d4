package limits

import (
	"fmt"
	"time"
)

// Bounds on what a node knows of the configuration, and on what it takes to keep that up to date.
const (
	CachedConfiguration = 128 << 20 // of tenants' endpoints with their secrets, in memory
	ConfigurationLoads  = 4         // tenants whose changes are read from the database at the same time
)

// Bounds on the checks of events against schemas. A step takes less than a microsecond.
const (
	ShortCheckSteps = 10_000    // of one publication; a check that takes more is a long one
	ShortCheckBytes = 64 << 10  // of data of one publication, or of the body of another request, likewise
	CheckTurnSteps  = 200_000   // after which a long one lets others go before it
	BatchSteps      = 2_000_000 // of one batch, and one for every four bytes of its data; or as many as its largest event may take
	WaitingChecks   = 1000      // long ones of one tenant
	CheckPatience   = 20 * time.Second
)

var configuration = Resource{
	Name:    "configuration in memory",
	Bound:   fmt.Sprintf("%d MiB of endpoints with their secrets; what was not used for ten minutes makes room first, then the largest tenants do", CachedConfiguration>>20),
	Share:   "what is left by tenants that are smaller",
	Reserve: "tenants smaller than the others keep what they use",
	Order:   "nobody waits",
	Answer:  "none: the configuration is read again when it is needed",
}

var configurationReloads = Resource{
	Name:    "reloads of configuration",
	Bound:   fmt.Sprintf("%d tenants at the same time, each what has changed since it was last read", ConfigurationLoads),
	Share:   "one at a time, and not the last free place",
	Reserve: "one place for tenants that have none",
	Order:   "tenants take turns",
	Answer:  "none: who needs what is being read waits for it",
}

var schemaChecks = Resource{
	Name: "processors for requests that take long",
	Bound: fmt.Sprintf("reading a body of more than %d KiB, and checks against schemas of as much or of more than %d steps: one fewer at the same time than there are processors, at least one; a batch may take %d steps and one more for every four bytes",
		ShortCheckBytes>>10, ShortCheckSteps, BatchSteps),
	Share:   fmt.Sprintf("a turn of %d steps while others wait; %d waiting, each for %v at most", CheckTurnSteps, WaitingChecks, CheckPatience),
	Reserve: "small requests wait for nobody; of several places one is for tenants that have none",
	Order:   "tenants take turns",
	Answer:  "413 `too_large` for a batch that takes too many steps: it must be sent in parts; 429 `rate_limited` for too many waiting",
}
