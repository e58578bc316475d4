package engine

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Publication is one or more events of a tenant that are stored all or none.
type Publication struct {
	Tenant string
	Events []Draft
	Checks Checker         // of the events; nil: they need none
	Trace  *bellwire.Trace // the publisher's span; nil: it sent none
}

// Checker checks the events of a publication.
type Checker interface {
	// Check refuses events that do not fit the catalogue, and returns the catalogue's revision. If the catalogue has changed by
	// the time the events are stored, Check is called again, after the directory has forgotten the catalogue; what it decides
	// then holds. CodeStale reports that the catalogue is known to have changed.
	Check(ctx context.Context, again bool) (catalogue int64, err error)
}

// Draft is an event before it is stored.
type Draft struct {
	Type           string
	Data           []byte // JSON; kept, so it must not be changed afterwards
	IdempotencyKey string
	OccurredAt     time.Time
	DeliverAt      time.Time // zero: at once
	ExpiresAt      time.Time // zero: never
	OrderingKey    string    // empty: none

	Version bellwire.Version // of the type, in which the data is; the Checker of a publication sets it
}

// Receipt confirms that an event is stored.
type Receipt struct {
	Event      bellwire.EventID
	Deliveries int
	Duplicate  bool // the publisher's id was known with the same type and data; Event is that of the first publication
}
