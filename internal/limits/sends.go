package limits

import (
	"fmt"
	"runtime"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds on requests for tests and manual retries, each of which takes several transactions.
const (
	SendsOf  = 1000             // of one tenant that wait
	SendWait = 10 * time.Second // for a turn
)

// Sends returns how many tests and manual retries are accepted at the same time.
func Sends() int { return max(2, runtime.GOMAXPROCS(0)) }

var sends = Resource{
	Name:    "Requests for tests and manual retries",
	Bound:   "one per processor at a time, and at least two",
	Share:   fmt.Sprintf("all places but one; %s waiting, each for up to %s", bellwire.Number(SendsOf), SendWait),
	Reserve: "one for tenants without such a request in progress",
	Order:   "tenants take turns",
	Answer:  "429 `rate_limited` with `Retry-After`",
}
