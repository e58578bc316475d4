package limits

import (
	"fmt"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds on what callers read: lists, and what is looked up by its id.
const (
	Reads       = 2                // at the same time, with SQLite: one tenant alone leaves other processors to others
	ReadsOf     = 64               // of one tenant that wait
	ReadWait    = 10 * time.Second // for a turn
	ReadTimeout = 5 * time.Second  // of one, which reads one page
)

// ReadConnections returns how many of the connections that a node has for its work with PostgreSQL may read for callers. The
// others are for everything else.
func ReadConnections(work int) int { return max(work/4, 1) }

var reads = Resource{
	Name: "Lists and look-ups",
	Bound: fmt.Sprintf("%d reads at a time with SQLite, a quarter of the connections for work with PostgreSQL; %s per read, %d MiB per page",
		Reads, ReadTimeout, bellwire.MaxPageBytes>>20),
	Share:   fmt.Sprintf("%d waiting, each for up to %s; operators' keys together count as one tenant", ReadsOf, ReadWait),
	Reserve: "one for tenants without a read in progress; keys, configuration, readiness and metrics have connections of their own",
	Order:   "tenants take turns; a search queues again after each page that it examines",
	Answer:  "429 `rate_limited` with `Retry-After`",
}
