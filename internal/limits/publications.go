package limits

import (
	"fmt"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds on publications that are not stored yet, and on the transactions that store them.
const (
	BatcherPublications        = 8192     // waiting to be stored, of all tenants
	BatcherPublicationsReserve = 512      // of them, for tenants without a waiting one
	BatcherBytes               = 32 << 20 // of their events' data
	BatcherBytesReserve        = 8 << 20

	// BulkFrom is the most data of a publication in the main queue. Larger ones wait in a second one.
	BulkFrom         = 1 << 20
	BulkBytes        = 64 << 20 // of data in the second queue
	BulkBytesReserve = 16 << 20

	GroupEvents           = 400  // in one transaction, unless one batch has more
	SharedGroupEvents     = 100  // the same while several tenants wait
	GroupDeliveries       = 4000 // that are stored with their events in one transaction
	SharedGroupDeliveries = 1000
	GroupBytes            = 8 << 20 // unless one batch has more

	// While others publish, a tenant that has published more while its events were stored lets them gather before the next
	// transaction, until there are GatherEvents, for as long as the last one took, but not longer than GatherMost.
	GatherEvents = 32
	GatherMost   = 50 * time.Millisecond

	// FanOutFrom is the most deliveries of a publication that are stored with its events. Those of larger ones follow.
	FanOutFrom = 1000
	FanOutStep = 500 // deliveries that follow in one transaction
	FanOutPart = 3   // these transactions take 1/FanOutPart of the time

	FanOutRetryAfter = 10 * time.Second
)

// Bounds on the deliveries that a node has sent to each other node, which owns their endpoints, and that have no answer yet.
const (
	ForwardBytes        = 8 << 20 // of their events' data and of themselves
	ForwardBytesReserve = 1 << 20
	ForwardCost         = 512     // bytes that a delivery counts
	ForwardFrom         = 1 << 20 // events with more data are claimed from the database
)

var forwards = Resource{
	Name:    "Deliveries on their way to the node that sends them",
	Bound:   fmt.Sprintf("%d MiB without an answer, for each other node; events up to %d MiB", ForwardBytes>>20, ForwardFrom>>20),
	Share:   "a fair share",
	Reserve: fmt.Sprintf("%d MiB", ForwardBytesReserve>>20),
	Order:   "in order of their commits",
	Answer:  "none; the other node claims them from the database",
}

var publications = Resource{
	Name:    "Publications waiting to be stored",
	Bound:   fmt.Sprintf("%[1]s publications with %[2]d MiB of data; a second queue of the same length, with %[4]d MiB of data, for publications over %[3]d MiB", bellwire.Number(BatcherPublications), BatcherBytes>>20, BulkFrom>>20, BulkBytes>>20),
	Share:   "a fair share",
	Reserve: fmt.Sprintf("%d publications and %d MiB; %d MiB for large ones", BatcherPublicationsReserve, BatcherBytesReserve>>20, BulkBytesReserve>>20),
	Order: fmt.Sprintf("tenants take turns; while several wait, %d events and %s deliveries per transaction; while others publish, up to %d events of a tenant that publishes several at a time gather for up to %s",
		SharedGroupEvents, bellwire.Number(SharedGroupDeliveries), GatherEvents, GatherMost),
	Answer: "429 `rate_limited` with `Retry-After`; 503 if others have used up everything",
}

var fanOut = Resource{
	Name:    "Storing deliveries of large publications",
	Bound:   fmt.Sprintf("a third of the time, %d deliveries per transaction", FanOutStep),
	Share:   "`fan_out` deliveries waiting",
	Reserve: fmt.Sprintf("publications with up to %s deliveries do not wait", bellwire.Number(FanOutFrom)),
	Order:   "tenants take turns; events in order of publication",
	Answer:  "429 `rate_limited` with `Retry-After`; 413 `too_large` for a publication with more deliveries than can wait",
}
