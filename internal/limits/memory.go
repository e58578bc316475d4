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
		half     = "as much as it leaves free for others: half, if it is alone"
		reserve  = "an eighth"
		turns    = "tenants take turns, then their endpoints"
		database = "the delivery waits in the database"
		turn     = "the delivery waits for its turn"
	)
	return []Resource{
		Resource{
			Name: "Deliveries waiting in memory", Bound: bellwire.Number(MaxQueued),
			Share: half, Reserve: reserve, Order: turns, Answer: database,
		},
		Resource{
			Name:  "Events, request bodies and results in memory",
			Bound: fmt.Sprintf("%d MiB; an event counts once for all of its deliveries", MaxMemory>>20),
			Share: half, Reserve: reserve, Order: turns, Answer: database,
		},
		Resource{
			Name: "Requests to endpoints in flight", Bound: bellwire.Number(MaxInFlight) + ", and up to a quarter of the files that the process may open",
			Share: half, Reserve: reserve, Order: turns, Answer: turn,
		},
		Resource{
			Name: "Requests in flight to endpoints that are not known to answer", Bound: "half of all requests in flight",
			Share: half + "; a third for endpoints whose last attempt failed", Reserve: reserve, Order: turns, Answer: turn,
		},
		Resource{
			Name: "Attempts that start at the same time",
			Bound: fmt.Sprintf("%d unfinished per processor; as many more after %v, or after %v while the processors are busy",
				BegunPerProcessor, Pace, PaceBusy),
			Share: "what others leave", Reserve: "none, because the wait is short", Order: turns, Answer: turn,
		},
		Resource{
			Name: "Tests and manual retries in memory and in flight", Bound: fmt.Sprintf("a quarter of the requests in flight; %d per endpoint", MaxByHand),
			Share: half, Reserve: reserve, Order: turns, Answer: database,
		},
		Resource{
			Name: "Results of attempts that are not recorded yet", Bound: bellwire.Number(MaxInFlight) + ", and those of the requests in flight",
			Share: half, Reserve: reserve, Order: "tenants take turns", Answer: "nothing more is sent for the tenant until they are recorded",
		},
		Resource{
			Name: "Failing attempts", Bound: "only the shares",
			Share: fmt.Sprintf("%d per second; %d at once", FailureRate, FailureRate), Reserve: "not needed",
			Order: "the tenant's failing endpoints take turns", Answer: "their next attempts are delayed",
		},
		Resource{
			Name: "Endpoints with something in memory", Bound: bellwire.Number(MaxLanes),
			Share: half, Reserve: reserve, Order: "none; the database is searched for them once a minute", Answer: database,
		},
	}
}
