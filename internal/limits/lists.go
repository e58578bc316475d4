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
	Bound: fmt.Sprintf("%d reads at the same time with SQLite, with PostgreSQL a quarter of the connections that are for work; %s a read, %d MiB a page",
		Reads, ReadTimeout, bellwire.MaxPageBytes>>20),
	Share:   fmt.Sprintf("%d waiting, each for %s at most; operators' keys together count as one tenant", ReadsOf, ReadWait),
	Reserve: "one for a tenant that has none under way; keys, configuration, readiness and metrics have connections of their own",
	Order:   "tenants in turns; a search goes back into line after each page that it looks at",
	Answer:  "429 `rate_limited` with `Retry-After`",
}
