package bellwire

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// MaxIdempotencyKey is the most characters that an idempotency key may have.
const MaxIdempotencyKey = 128

// MaxOrderingKey is the most characters that an ordering key may have.
const MaxOrderingKey = 128

// HashOrderingKey returns the number by which stores find the deliveries of an ordering key; 0 for no key. Two keys with the same
// number would be one order, which is stricter than necessary, but not wrong. The numbers are stored and must not change.
func HashOrderingKey(key string) int64 {
	if key == "" {
		return 0
	}
	sum := sha256.Sum256([]byte(key))
	return max(int64(binary.BigEndian.Uint64(sum[:8])>>1), 1)
}

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

// ErasedDigest replaces the digest of an event whose data was erased, so that nobody can try out what the data was.
var ErasedDigest [32]byte

// SameDigest reports whether a publication with the key of a stored event is a duplicate of it. That of an event whose data was
// erased always is.
func SameDigest(stored, published [32]byte) bool {
	return stored == published || stored == ErasedDigest
}

// Erasure is the removal of an event's data.
type Erasure struct {
	At time.Time
	By Actor
}

// Erased is what an erasure has done.
type Erased struct {
	Event     *Event
	Before    bool     // the data was erased before: nothing was done
	Endpoints []string // to which deliveries were open, or manual retries requested
	Canceled  []string // the endpoint of each delivery that was canceled
}

// ProblemErased replaces the problem of an event whose data was erased, which may quote it.
const ProblemErased = "its data did not fit its type's schema; the details were erased with the data"

// Event is an immutable fact, published once.
type Event struct {
	ID             EventID
	Tenant         string
	Type           string
	Version        Version   // of the type, in which Data is
	Data           []byte    // JSON, byte for byte as published
	IdempotencyKey string    // the id that the publisher chose; empty if none
	OccurredAt     time.Time // when it happened, as the publisher says; zero: unknown
	DeliverAt      time.Time // when it is to be delivered at the earliest; zero: at once
	ExpiresAt      time.Time // nothing is sent from then on; zero: it does not expire
	OrderingKey    string    // endpoints ordered by key get events with the same key in their order; empty: none
	CreatedAt      time.Time // when Bellwire accepted it
	Test           bool      // made by testing an endpoint, not published
	Imported       bool      // history of another system, which was sent to nobody
	Deliveries     int       // how many endpoints it matches
	Trace          *Trace    // the span that its attempts are children of; nil: it belongs to no trace
	// Problem is why it was sent to no endpoint although it was accepted: its data does not fit its type's schema. Only events
	// published inside the database can have one, because they are checked after they are accepted.
	Problem string
	// Erased is when and by whom Data was erased; nil: it was not. Then Data is empty.
	Erased *Erasure
}

// MaxDeliverIn is how far ahead an event may be published.
const MaxDeliverIn = 365 * 24 * time.Hour

// Delayed reports whether the event is to be delivered later than at once. Its deliveries are then outside any order.
func (e *Event) Delayed() bool { return e.DeliverAt.After(e.CreatedAt) }

// Expired reports whether something that expires at the given time, zero for never, has expired.
func Expired(at, now time.Time) bool { return !at.IsZero() && !at.After(now) }

// Time returns when the event happened: as the publisher says, or else when Bellwire accepted it.
func (e *Event) Time() time.Time {
	if e.OccurredAt.IsZero() {
		return e.CreatedAt
	}
	return e.OccurredAt
}
