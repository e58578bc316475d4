package limits

import (
	"fmt"
	"runtime"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds on what callers read: lists, and what is looked up by its id.
const (
	Reads       = 2                // at the same time, with SQLite: one tenant alone leaves other processors to others
	ReadsOf     = 64               // of one tenant that wait
	ReadWait    = 10 * time.Second // for a turn
	ReadTimeout = 5 * time.Second  // of one, which reads one page

	// A read that takes LongRead or more is followed by a pause, so that such reads take 1/LongReadShare of the time.
	LongRead      = 25 * time.Millisecond
	LongReadShare = 3
	LongReadRest  = time.Second // the longest pause
)

// ReadConnections returns how many of the connections that a node has for its work with PostgreSQL may read for callers. The
// others are for everything else. Pages are decoded and encoded while they are read, so more reads than processors would keep
// other work from the processors.
func ReadConnections(work int) int {
	return max(1, min(work/4, max(Reads, runtime.GOMAXPROCS(0))))
}

var reads = Resource{
	Name: "Lists and look-ups",
	Bound: fmt.Sprintf("%d reads at a time with SQLite; with PostgreSQL one per processor and at least %d, but at most a quarter of the connections for work; %s per read, %d MiB per page",
		Reads, Reads, ReadTimeout, bellwire.MaxPageBytes>>20),
	Share:   fmt.Sprintf("%d waiting, each for up to %s; operators' keys together count as one tenant", ReadsOf, ReadWait),
	Reserve: "one for tenants without a read in progress; keys, configuration, readiness and metrics have connections of their own",
	Order:   fmt.Sprintf("tenants take turns; a search queues again after each page that it examines; reads of %v or more keep their place for three times as long", LongRead),
	Answer:  "429 `rate_limited` with `Retry-After`",
}
