package limits

import (
	"fmt"
	"time"
)

// Bounds on probes, each of which is a request that waits for an attempt.
const (
	Probes    = 32               // at the same time
	ProbesOf  = 4                // of one tenant that wait for a turn
	ProbeWait = 75 * time.Second // for the attempt, which takes a minute at most
)

var probes = Resource{
	Name:    "Probes of endpoints",
	Bound:   fmt.Sprintf("%d at a time, each for up to %s", Probes, ProbeWait),
	Share:   fmt.Sprintf("all places but one; %d waiting", ProbesOf),
	Reserve: "one for tenants without a probe in progress",
	Order:   "tenants take turns",
	Answer:  "429 `rate_limited` with `Retry-After`",
}
