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
	// Gets reports whether the endpoint with the id gets an event, as Recipients decides it.
	Gets(ctx context.Context, endpoint string, e *Event, o Observer) (bool, error)
	// Targets returns all endpoints, including disabled ones.
	Targets() []*Target
}

// Schemas is the schemas of the event types at one revision of the catalogue.
type Schemas interface {
	// Check refuses data that does not fit the schema of its event type, with CodeInvalid.
	Check(ctx context.Context, eventType string, data []byte) error
}
