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

	MaxPageLimit = 250 // objects on a page of a list

	// A read that takes LongRead or more is followed by a pause, so that such reads take 1/LongReadPart of the time. The longest pause
	// is LongReadRest: reads that take longer mostly wait for a slow database, and their tenant must not wait for ReadWait after each.
	LongRead     = 25 * time.Millisecond
	LongReadPart = 3
	LongReadRest = time.Second
)

// ReadConnections returns how many of the connections that a node has for its work with PostgreSQL may read for callers. The
// others are for everything else. Pages are decoded and encoded while they are read, so more reads than processors would keep
// other work from the processors.
func ReadConnections(work int) int {
	return max(1, min(work/4, max(Reads, runtime.GOMAXPROCS(0))))
}

var reads = Resource{
	Name: "Lists, look-ups, and counts before jobs",
	Bound: fmt.Sprintf("%d reads at a time with SQLite; with PostgreSQL one per processor and at least %d, but at most a quarter of the connections for work; %s per read, %d MiB per page; %s steps for the filters that are evaluated again to explain an event",
		Reads, Reads, ReadTimeout, bellwire.MaxPageBytes>>20, bellwire.Number(ExplainSteps)),
	Share:   fmt.Sprintf("%d waiting, each for up to %s; operators' keys together count as one tenant, with as many waiting for each tenant whose data they read, and 16 times as many in all", ReadsOf, ReadWait),
	Reserve: "one for tenants without a read in progress; keys, configuration, readiness and metrics have connections of their own",
	Order:   fmt.Sprintf("tenants take turns, and for operators' keys the tenants whose data they read; a search queues again after each page that it examines; after a read of %v or more, the place counts as taken for three times as long, but for %v after it at most, and tenants without one may use it meanwhile", LongRead, LongReadRest),
	Answer:  "429 `rate_limited` with `Retry-After`",
}

// Bounds on changes that callers make, on PostgreSQL. On SQLite, all changes wait for the one writer.
const (
	ChangesOf  = 1000             // of one tenant that wait
	ChangeWait = 10 * time.Second // for a turn
)

// ChangeConnections returns in how many of the connections that a node has for its work with PostgreSQL callers may make changes.
func ChangeConnections(work int) int { return max(1, work/4) }

var changes = Resource{
	Name:    "Changes that callers make, with PostgreSQL",
	Bound:   "a quarter of the connections for work at a time, and at least one",
	Share:   fmt.Sprintf("all places but one; %s waiting, each for up to %s", bellwire.Number(ChangesOf), ChangeWait),
	Reserve: "one for tenants without a change in progress, if there are several; what is published, claimed and recorded has the other connections",
	Order:   "tenants take turns, and for each operator's key the tenants whose paths it calls",
	Answer:  "429 `rate_limited` with `Retry-After`",
}
