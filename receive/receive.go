// Package receive is for those who receive deliveries: it verifies that a request comes from the sender
// it claims to come from, and reads the event in it.
//
// A receiver that serves HTTP uses a Handler; one that has its own way to serve calls a Verifier with the
// request's header and the body exactly as it came, byte for byte.
package receive

import (
	"encoding/json"
	"errors"
	"net/http"
	"time"
)

// Delivery is a verified request, read.
type Delivery struct {
	// ID is the event's id. It is the same on every attempt, so that what has been seen can be told from
	// what is new.
	ID string
	// Type is the event's type.
	Type string
	// Timestamp is when the event happened.
	Timestamp time.Time
	// SentAt is when this attempt was made, to the second.
	SentAt time.Time
	// Data is the event's data, byte for byte as it was published.
	Data json.RawMessage
}

// A Verifier knows how the deliveries of one dialect prove where they come from.
type Verifier interface {
	// Verify checks a request that arrived at the given time, and reads it. Its error is, for errors.Is,
	// ErrHeader, ErrTimestamp, ErrSignature or ErrBody.
	Verify(h http.Header, body []byte, now time.Time) (*Delivery, error)
}

// Why a delivery is refused.
var (
	ErrHeader    = errors.New("a header of the delivery is missing or malformed")
	ErrTimestamp = errors.New("the delivery was sent too long ago, or in the future")
	ErrSignature = errors.New("no signature of the delivery is good")
	ErrBody      = errors.New("the body is not a delivery's")
)
