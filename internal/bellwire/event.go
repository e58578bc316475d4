package bellwire

import (
	"crypto/sha256"
	"time"
)

// MaxIdempotencyKey is the most characters that an idempotency key may have.
const MaxIdempotencyKey = 128

// IdempotencyWindow is how long an idempotency key is remembered at least. It is kept as long as its event, if that is longer.
const IdempotencyWindow = 7 * 24 * time.Hour

// Digest identifies what is published: its type and data. An idempotency key stands for one digest: the same publication again
// is a duplicate, any other a conflict.
func Digest(eventType string, data []byte) [32]byte {
	h := sha256.New()
	h.Write([]byte(eventType))
	h.Write([]byte{0})
	h.Write(data)
	return [32]byte(h.Sum(nil))
}

// Event is an immutable fact, published once.
type Event struct {
	ID             EventID
	Tenant         string
	Type           string
	Data           []byte    // JSON, byte for byte as published
	IdempotencyKey string    // the id that the publisher chose; empty if none
	OccurredAt     time.Time // when it happened, as the publisher says; zero: unknown
	CreatedAt      time.Time // when Bellwire accepted it
	Test           bool      // made by testing an endpoint, not published
	Deliveries     int       // how many endpoints it matches
	// Problem is why it was sent to no endpoint although it was accepted: its data does not fit its type's schema. Only events
	// published inside the database can have one, because they are checked after they are accepted.
	Problem string
}

// Time returns when the event happened: as the publisher says, or else when Bellwire accepted it.
func (e *Event) Time() time.Time {
	if e.OccurredAt.IsZero() {
		return e.CreatedAt
	}
	return e.OccurredAt
}
