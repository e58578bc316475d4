package bellwire

import "context"

// Subscriptions is the endpoints of a tenant at one revision of its configuration.
type Subscriptions interface {
	// Match returns the endpoints that get events of a type. The list is shared and must not be changed.
	Match(eventType string) []*Target
}

// Schemas is the schemas of the event types at one revision of the catalogue.
type Schemas interface {
	// Check refuses data that does not fit the schema of its event type, with CodeInvalid.
	Check(ctx context.Context, eventType string, data []byte) error
}
