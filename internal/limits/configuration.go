package limits

import (
	"fmt"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds on what a node knows of the configuration, and on what it takes to keep that up to date.
const (
	CachedConfiguration = 128 << 20 // of tenants' endpoints with their secrets, in memory
	TenantConfiguration = 96 << 20  // of one tenant; a larger one would be dropped and read again and again
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
	Bound:   fmt.Sprintf("%d MiB of endpoints with their secrets. Configuration that was not used for ten minutes is dropped first, then that of the largest tenants", CachedConfiguration>>20),
	Share:   fmt.Sprintf("%d MiB, of what smaller tenants leave", TenantConfiguration>>20),
	Reserve: "smaller tenants keep what they use",
	Order:   "none",
	Answer:  "409 `conflict` for changes beyond the share; dropped configuration is read again when needed",
}

var configurationReloads = Resource{
	Name:    "Reloads of configuration",
	Bound:   fmt.Sprintf("%d tenants at a time; only changes since the last time are read", ConfigurationLoads),
	Share:   "one at a time, and not the last free place",
	Reserve: "one place for tenants without a reload in progress",
	Order:   "tenants take turns",
	Answer:  "none: callers wait",
}

var longChecks = Resource{
	Name:    fmt.Sprintf("Bodies over %d KiB being parsed, and schema checks of more than %s steps", ShortCheckBytes>>10, bellwire.Number(ShortCheckSteps)),
	Bound:   "one for each processor but one, and at least one",
	Share:   fmt.Sprintf("%s steps per turn while others wait; %s waiting, each for up to %v", bellwire.Number(CheckTurnSteps), bellwire.Number(WaitingChecks), CheckPatience),
	Reserve: "smaller requests do not wait; if there are several places, one is for tenants that use none",
	Order:   "tenants take turns",
	Answer:  "429 `rate_limited` with `Retry-After`",
}

var batchChecks = Resource{
	Name:    "Schema checks of one batch",
	Bound:   fmt.Sprintf("%s steps, plus one for every four bytes of data", bellwire.Number(BatchSteps)),
	Share:   "each batch has the whole bound",
	Reserve: "not needed",
	Order:   "none",
	Answer:  "413 `too_large`; smaller batches pass",
}
