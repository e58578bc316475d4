package limits

import (
	"fmt"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// What the engine has in memory and under way. One part in ReservePart of each is for tenants who have nothing yet.
const (
	MaxLanes    = 100_000  // endpoints with something in memory, or with an open circuit breaker
	MaxQueued   = 50_000   // deliveries that wait in memory
	MaxMemory   = 64 << 20 // bytes of events, request bodies and results in memory
	MaxInFlight = 4096     // requests under way
	TrialsPart  = 2        // one request in so many may be under way to endpoints that are not known to answer
	ByHandPart  = 4        // one in so many may be a test or a manual retry
	MaxByHand   = 4        // tests and manual retries of one endpoint in memory and under way
	ReservePart = 8

	// Attempts begin in portions. The next portion may begin after Pace, or after PaceBusy while more goroutines wait for
	// a processor than RunnablePerProcessor for each.
	BegunPerProcessor    = 16
	RunnablePerProcessor = 4
	Pace                 = time.Millisecond
	PaceBusy             = 5 * Pace

	FailureRate = 250 // failed attempts a second of one tenant, and at once, beyond which its failing endpoints wait
)

// inTheEngine are what deliveries share.
func inTheEngine() []Resource {
	const (
		half     = "as much as it leaves free: half, where it is alone"
		reserve  = "an eighth"
		turns    = "tenants in turn, then the endpoints of each"
		database = "the delivery waits in the database"
		turn     = "the delivery waits for its turn"
	)
	return []Resource{
		Resource{
			Name: "Deliveries that wait in memory", Bound: bellwire.Number(MaxQueued),
			Share: half, Reserve: reserve, Order: turns, Answer: database,
		},
		Resource{
			Name:  "Events, request bodies and results in memory",
			Bound: fmt.Sprintf("%d MiB; an event counts once for all of its deliveries", MaxMemory>>20),
			Share: half, Reserve: reserve, Order: turns, Answer: database,
		},
		Resource{
			Name: "Requests under way to endpoints", Bound: bellwire.Number(MaxInFlight) + ", and at most a quarter of the files that the process may open",
			Share: half, Reserve: reserve, Order: turns, Answer: turn,
		},
		Resource{
			Name: "Requests under way to endpoints that are not known to answer", Bound: "half of all requests under way",
			Share: half + "; a third for endpoints whose last attempt failed", Reserve: reserve, Order: turns, Answer: turn,
		},
		Resource{
			Name: "Requests that begin at the same time",
			Bound: fmt.Sprintf("%d for each processor that have not ended; as many more after %v, or after %v while the processors are behind",
				BegunPerProcessor, Pace, PaceBusy),
			Share: "as much as others leave", Reserve: "none: the wait is short", Order: turns, Answer: turn,
		},
		Resource{
			Name: "Tests and manual retries in memory and under way", Bound: fmt.Sprintf("as many as a quarter of the requests under way; %d of one endpoint", MaxByHand),
			Share: half, Reserve: reserve, Order: turns, Answer: database,
		},
		Resource{
			Name: "Results of attempts that are not in the database yet", Bound: bellwire.Number(MaxInFlight) + ", and those of the requests under way",
			Share: half, Reserve: reserve, Order: "tenants in turn", Answer: "nothing more is sent for it until they are",
		},
		Resource{
			Name: "Attempts that fail", Bound: "none but the shares of the tenants",
			Share: fmt.Sprintf("%d a second; %d may come at once", FailureRate, FailureRate), Reserve: "each tenant has its own share",
			Order: "the tenant's failing endpoints in turn", Answer: "their next attempts are made later",
		},
		Resource{
			Name: "Endpoints with something in memory", Bound: bellwire.Number(MaxLanes),
			Share: half, Reserve: reserve, Order: "none: the database is searched for them once a minute", Answer: database,
		},
	}
}
