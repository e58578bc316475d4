package limits

import (
	"fmt"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds on what is published and not stored yet, and on how it is stored.
const (
	IntakePublishes        = 8192     // that wait to be stored, of all tenants
	IntakePublishesReserve = 512      // of them, for tenants of whom nothing waits
	IntakeBytes            = 32 << 20 // of their events' data
	IntakeBytesReserve     = 8 << 20

	// BulkFrom is how much data a publication may have that waits with the others. Larger ones are stored beside them.
	BulkFrom         = 1 << 20
	BulkBytes        = 64 << 20 // of them that wait
	BulkBytesReserve = 16 << 20

	GroupEvents           = 400  // in one transaction, unless one batch has more
	SharedGroupEvents     = 100  // the same while several tenants wait
	GroupDeliveries       = 4000 // that are stored with their events in one transaction
	SharedGroupDeliveries = 1000
	GroupBytes            = 8 << 20 // unless one batch has more

	// FanOutFrom is how many deliveries a publication may have that are stored with its events. Those of larger ones follow.
	FanOutFrom  = 1000
	FanOutStep  = 500 // deliveries that follow in one transaction
	FanOutShare = 3   // these transactions take one part in so many of the time

	FanOutRetryAfter = 10 * time.Second
)

var intake = Resource{
	Name:    "Publications waiting to be stored",
	Bound:   fmt.Sprintf("%s publications with %d MiB of data; separately, as many of more than %d MiB each, with %d MiB of data", bellwire.Number(IntakePublishes), IntakeBytes>>20, BulkFrom>>20, BulkBytes>>20),
	Share:   "as much as it leaves free for others: half, if it is alone",
	Reserve: fmt.Sprintf("%d publications and %d MiB; %d MiB for large ones", IntakePublishesReserve, IntakeBytesReserve>>20, BulkBytesReserve>>20),
	Order:   fmt.Sprintf("tenants take turns; while several wait, %d events and %s deliveries per transaction", SharedGroupEvents, bellwire.Number(SharedGroupDeliveries)),
	Answer:  "429 `rate_limited` with `Retry-After`; 503 if others have used up everything",
}

var fanOut = Resource{
	Name:    "Storing deliveries of large publications",
	Bound:   fmt.Sprintf("one part in %d of the time, %d deliveries per transaction", FanOutShare, FanOutStep),
	Share:   "`fan_out` deliveries waiting",
	Reserve: fmt.Sprintf("publications with up to %s deliveries do not wait", bellwire.Number(FanOutFrom)),
	Order:   "tenants take turns; events in order of publication",
	Answer:  "429 `rate_limited` with `Retry-After`; 413 `too_large` for a publication with more deliveries than can wait",
}
