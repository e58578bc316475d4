package bellwire

import "time"

// MaxIdempotencyKey is the most characters a publisher's id may have.
const MaxIdempotencyKey = 128

// IdempotencyWindow is how long a publisher's id is remembered at least. It is kept as long as the
// event, if that is longer.
const IdempotencyWindow = 7 * 24 * time.Hour

// Event is an immutable fact, published once.
type Event struct {
	ID             EventID
	Tenant         string
	Type           string
	Data           []byte    // JSON, byte for byte as published
	IdempotencyKey string    // the id that the publisher gave; empty if none
	OccurredAt     time.Time // when it happened by the publisher's word; zero: not said
	CreatedAt      time.Time // when Bellwire took it
	Test           bool      // made by testing an endpoint, not published
	Deliveries     int       // how many endpoints it was matched to
	// Problem is why it was sent to nobody although it was taken: its data does not fit its type's schema. Only what was
	// published inside the database, past all checks of that, can have one.
	Problem string
}

// Time returns when the event happened: the publisher's word, or else when Bellwire took it.
func (e *Event) Time() time.Time {
	if e.OccurredAt.IsZero() {
		return e.CreatedAt
	}
	return e.OccurredAt
}
