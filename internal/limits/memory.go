package limits

import (
	"fmt"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds on what the engine has in memory and in flight. An eighth of each, 1/ReservePart, is for tenants that use none of it yet.
const (
	MaxLanes    = 100_000  // endpoints with something in memory, or with an open circuit breaker
	MaxQueued   = 50_000   // deliveries that wait in memory
	MaxMemory   = 64 << 20 // bytes of events, request bodies and results in memory
	MaxInFlight = 4096     // requests
	TrialsPart  = 2        // 1/TrialsPart of the requests in flight may be to endpoints that are not known to answer
	ManualPart  = 4        // 1/ManualPart of them may be tests and manual retries
	MaxManual   = 4        // tests and manual retries of one endpoint in memory and in flight
	ReservePart = 8

	// Attempts start in portions. The next portion starts after Pace, or after PaceBusy while more than
	// RunnablePerProcessor goroutines wait for each processor.
	StartingPerProcessor = 16
	RunnablePerProcessor = 4
	Pace                 = time.Millisecond
	PaceBusy             = 5 * Pace

	FailureRate = 250 // failed attempts of one tenant per second, and at once; beyond it, its failing endpoints wait
)

// inTheEngine returns the resources that deliveries share.
func inTheEngine() []Resource {
	const (
		fair     = "a fair share"
		reserve  = "an eighth"
		turns    = "tenants take turns, then their endpoints"
		database = "the delivery waits in the database"
		turn     = "the delivery waits for its turn"
	)
	return []Resource{
		Resource{
			Name: "Deliveries waiting in memory", Bound: bellwire.Number(MaxQueued),
			Share: fair, Reserve: reserve, Order: turns, Answer: database,
		},
		Resource{
			Name:  "Events, request bodies and results in memory",
			Bound: fmt.Sprintf("%d MiB; an event counts once for all of its deliveries", MaxMemory>>20),
			Share: fair, Reserve: reserve, Order: turns, Answer: database,
		},
		Resource{
			Name: "Requests to endpoints in flight", Bound: bellwire.Number(MaxInFlight) + ", and up to a quarter of the files that the process may open",
			Share: fair, Reserve: reserve, Order: turns, Answer: turn,
		},
		Resource{
			Name: "Requests in flight to endpoints that are not known to answer", Bound: "half of all requests in flight",
			Share: fair + "; a third for endpoints whose last attempt failed", Reserve: reserve, Order: turns, Answer: turn,
		},
		Resource{
			Name: "Attempts that start at the same time",
			Bound: fmt.Sprintf("%d unfinished per processor; as many more after %v, or after %v while the processors are busy",
				StartingPerProcessor, Pace, PaceBusy),
			Share: "what others leave", Reserve: "none, because the wait is short", Order: turns, Answer: turn,
		},
		Resource{
			Name: "Tests and manual retries in memory and in flight", Bound: fmt.Sprintf("a quarter of the requests in flight; %d per endpoint", MaxManual),
			Share: fair, Reserve: reserve, Order: turns, Answer: database,
		},
		Resource{
			Name: "Results of attempts that are not recorded yet", Bound: bellwire.Number(MaxInFlight) + ", plus one for each request in flight",
			Share: fair, Reserve: reserve, Order: "tenants take turns", Answer: "nothing more is sent for the tenant until they are recorded",
		},
		Resource{
			Name: "Failing attempts", Bound: "only the shares",
			Share: fmt.Sprintf("%d per second; %d at once", FailureRate, FailureRate), Reserve: "not needed",
			Order: "the tenant's failing endpoints take turns", Answer: "their next attempts are delayed",
		},
		Resource{
			Name: "Endpoints with something in memory", Bound: bellwire.Number(MaxLanes),
			Share: fair, Reserve: reserve, Order: "none; the database is searched for them once a minute", Answer: database,
		},
	}
}
