package engine

import (
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Publication is one or more events of a tenant, fully checked, that are taken all or none.
type Publication struct {
	Tenant string
	// OperatorRevision is that of the catalogue which the events were checked against. If it has changed
	// by the time of the append, Publish answers CodeStale: read it anew, check again and repeat with 0, which means that
	// it does not matter.
	OperatorRevision int64
	Events           []Draft
}

// Draft is an event before it is taken.
type Draft struct {
	Type           string
	Data           []byte // JSON; kept, so it must not be changed afterwards
	IdempotencyKey string
	OccurredAt     time.Time
}

// Receipt is what a publisher learns of one event.
type Receipt struct {
	Event      bellwire.EventID
	Deliveries int
	Duplicate  bool // the publisher's id was known with the same type and data; Event is the first one's
}
