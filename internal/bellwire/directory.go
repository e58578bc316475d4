package bellwire

import "context"

// Subscriptions is the endpoints of a tenant at one revision of its configuration.
type Subscriptions interface {
	// Recipients sets targets to the endpoints that get each of the events, which are none if the event has a Problem. A list can
	// be shared and must not be changed. The observer gets the filters that have no answer for an event. If the filters take long,
	// Recipients waits for the tenant's turn. Its error has CodeRateLimited if that does not come.
	Recipients(ctx context.Context, events []NewEvent, targets [][]*Target, o Observer) error
	// Match returns the endpoints that get events of a type. The list is shared and must not be changed.
	Match(eventType string) []*Target
	// JobFilter compiles the filter of a job; nil if text is empty.
	JobFilter(text string) (JobFilter, error)
	// Sift leaves out of what a job has selected the events that a filter keeps from it, and returns how many. It ends what was
	// found where it has read or evaluated enough. Its error has CodeRateLimited if the tenant's turn does not come.
	Sift(ctx context.Context, s Sieve, found *Selected) (skipped int, err error)
	// Targets returns all endpoints, including disabled ones.
	Targets() []*Target
}

// JobFilter reports whether a job is about an event, and how many steps that took. Events for which the filter has no answer are
// left out.
type JobFilter func(e *Event) (takes bool, steps int)

// Sieve is what decides which of the events that a job selects at an endpoint it is about.
type Sieve struct {
	Filter   JobFilter // of the job; nil: it has none
	Endpoint *Endpoint
	Missing  bool // whether the filter of the endpoint decides on events without a delivery, as Recipients does
	Event    func(ctx context.Context, tenant string, id EventID) (*Event, error)
	Outcome  Outcome // of the newest attempts of deliveries; empty: any
	Attempts func(ctx context.Context, ids []DeliveryID) (map[DeliveryID]AttemptResult, error)
	Observer Observer // gets filters of endpoints that have no answer
}

// Schemas is the schemas of the event types at one revision of the catalogue.
type Schemas interface {
	// Check refuses an event whose data does not fit the schema of its type, in the event's version, with CodeInvalid.
	Check(ctx context.Context, e *Event) error
}
