package limits

import (
	"fmt"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
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
	Name:    "Configuration in memory",
	Bound:   fmt.Sprintf("%d MiB of endpoints with their secrets; what was unused for ten minutes makes room first, then the largest tenants", CachedConfiguration>>20),
	Share:   "what is left by tenants that are smaller",
	Reserve: "tenants smaller than the others keep what they use",
	Order:   "nobody waits",
	Answer:  "none: the configuration is read again when it is needed",
}

var configurationReloads = Resource{
	Name:    "Reloads of configuration",
	Bound:   fmt.Sprintf("%d tenants at the same time, each what has changed since it was last read", ConfigurationLoads),
	Share:   "one at a time, and not the last free one",
	Reserve: "one for tenants that have none under way",
	Order:   "tenants take turns",
	Answer:  "none: callers wait until it is read",
}

var longChecks = Resource{
	Name: "Processors for requests that take long",
	Bound: fmt.Sprintf("bodies of more than %d KiB, and checks against schemas that take more than %s steps, use all processors but one, and at least one; the checks of a batch may take %s steps together, and one more for every four bytes",
		ShortCheckBytes>>10, bellwire.Number(ShortCheckSteps), bellwire.Number(BatchSteps)),
	Share:   fmt.Sprintf("a turn of %s steps while others wait; %s waiting, each for %v at most", bellwire.Number(CheckTurnSteps), bellwire.Number(WaitingChecks), CheckPatience),
	Reserve: "small requests do not wait; where several processors are used, one is for tenants that use none",
	Order:   "tenants take turns",
	Answer:  "413 `too_large` for a batch that takes too many steps: it must be sent in parts; 429 `rate_limited` for too many waiting",
}
