package bellwire

import (
	"net/http"
	"time"
)

// DefaultTimeout is the deadline of one attempt, from DNS to the last byte of the response, unless
// the dialect has its own.
const DefaultTimeout = 15 * time.Second

// Dialect is the delivery half of a webhook system's outside: what its endpoints look like and how a
// delivery to them is made and judged. Dialects keep no state and are safe for concurrent use.
type Dialect interface {
	// Name is the dialect's name in the API and in the database.
	Name() string

	// Defaults are what an endpoint gets that does not say otherwise.
	Defaults() Defaults

	// NewEndpointID makes an id in the dialect's form.
	NewEndpointID(now time.Time) string

	// NewSecret makes a secret in the dialect's form for the endpoint's signing schemes. A dialect
	// without secrets returns the zero Secret.
	NewSecret(signing Signing) (Secret, error)

	// CheckSecret refuses a caller's secret that is not in the dialect's form. Its error has CodeInvalid.
	CheckSecret(value string) error

	// CheckEndpoint refuses what the dialect cannot represent. Its error has CodeInvalid and names the field.
	CheckEndpoint(ep *Endpoint, c *Credentials) error

	// Bind prepares the rendering of deliveries to one endpoint: what can be done once is done here.
	Bind(ep *Endpoint, c *Credentials) (Renderer, error)
}

// Defaults are a dialect's choices for what an endpoint leaves open.
type Defaults struct {
	Retry   RetryPolicy
	Timeout time.Duration
}

// Message is what a Renderer makes one request of.
type Message struct {
	Event    *Event
	Delivery DeliveryID
	SentAt   time.Time
}

// Renderer makes the requests of deliveries to one endpoint and judges the answers. It is safe for
// concurrent use.
type Renderer interface {
	// AppendBody appends the request body to dst. It is the same on every attempt. An error means that
	// this event can never be sent to this endpoint; it is an *Error with CodeInvalid.
	AppendBody(dst []byte, m *Message) ([]byte, error)

	// SetHeaders sets the content type and what identifies and signs the body.
	SetHeaders(h http.Header, m *Message, body []byte)

	// Classify judges a response by its status.
	Classify(status int) Verdict

	// RetryAfter tells whether the dialect heeds the Retry-After header of a response.
	RetryAfter() bool
}

// Verdict is what an attempt's result means for the delivery.
type Verdict int

// The verdicts.
const (
	Failed       Verdict = iota // try again by the retry policy
	Acknowledged                // done
	Gone                        // the endpoint wants nothing any more and is disabled
	Impossible                  // no request can be made of it; no use in trying again
)

// Target is an endpoint made ready for sending, with its secrets opened. It is immutable.
type Target struct {
	Endpoint *Endpoint
	Renderer Renderer
	Headers  []Header // authentication and the endpoint's own headers: all of them credentials
	Timeout  time.Duration
}
