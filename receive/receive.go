// Package receive verifies webhook deliveries in the programs that receive them.
//
// A receiver that serves HTTP uses a [Handler]. One that serves in another way calls a [Verifier] with the request's
// headers and its body, byte for byte as it came.
//
// Each dialect in which Bellwire delivers has a Verifier of its own, which is made from what the endpoint was created
// with: [Standard], [Akkuro], [Atelio], [AzakawAPIKey], [AzakawBasic], [Bluefin] and [Lemon].
package receive

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Delivery is a verified request. Fields that the dialect does not send are empty.
type Delivery struct {
	// ID identifies the event, and in the dialect bluefin the delivery. It is the same in every attempt, so that a receiver
	// recognizes what it has seen. It is empty in the dialects atelio and azakaw.
	ID string
	// Type is the event's type, such as "order.created".
	Type string
	// Timestamp is the time of the event.
	Timestamp time.Time
	// SentAt is the time of this attempt, to the second.
	SentAt time.Time
	// Data is the event's data, byte for byte as it was published.
	Data json.RawMessage
}

// Verifier verifies the deliveries of one dialect.
type Verifier interface {
	// Verify checks where a request comes from and reads the event in it. Its error matches ErrHeader, ErrTimestamp,
	// ErrSignature or ErrBody with errors.Is.
	Verify(h http.Header, body []byte) (*Delivery, error)
}

// The reasons for which a delivery is refused.
var (
	ErrHeader    = errors.New("missing or malformed header")
	ErrTimestamp = errors.New("timestamp too old or in the future")
	ErrSignature = errors.New("no matching signature")
	ErrBody      = errors.New("malformed body")
)

// DefaultTolerance is the largest difference between a delivery's time and the receiver's clock, unless the verifier
// has another one. The reference libraries of Standard Webhooks use the same.
const DefaultTolerance = 5 * time.Minute

// checkTime returns ErrTimestamp if a delivery's time differs from the clock by more than the tolerance. A nil clock
// is time.Now.
func checkTime(sentAt time.Time, clock func() time.Time, tolerance time.Duration) error {
	if clock == nil {
		clock = time.Now
	}
	now := clock()
	if now.Sub(sentAt).Abs() <= tolerance {
		return nil
	}
	return fmt.Errorf("%w: sent at %s, received at %s", ErrTimestamp, sentAt.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
}
