package bellwire

import (
	"net/http"
	"net/url"
	"strings"
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

	// PublicKey returns the text of the public key that verifies what the secret's private key signs; empty if the secret
	// has no private key.
	PublicKey(secret Secret) string

	// CheckSecret refuses a caller's secret that is not in the dialect's form. Its error has CodeInvalid.
	CheckSecret(value string) error

	// Normalize makes ep an endpoint of the dialect: it refuses what the dialect cannot represent, with CodeInvalid and
	// the field's name, and fills in what the dialect alone knows of it, in ep.Extra. It is called after every change
	// of an endpoint, and may change nothing else. groupOf returns an event type's group, empty if it has none.
	Normalize(ep *Endpoint, c *Credentials, groupOf func(eventType string) string) error

	// Headers are the same on every attempt and prove to the endpoint who sends, such as a token. Their values are
	// redacted wherever attempts are shown.
	Headers(c *Credentials) []Header

	// Bind prepares the rendering of deliveries to one endpoint: what can be done once is done here.
	Bind(ep *Endpoint, c *Credentials) (Renderer, error)
}

// Defaults are a dialect's choices for what an endpoint leaves open.
type Defaults struct {
	Retry   RetryPolicy
	Timeout time.Duration
	// Overlap is how long a rotated secret goes on signing. 0: a delivery has room for one signature, so that there can
	// be none.
	Overlap time.Duration
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
	// this event can never be sent to this endpoint; it is an *Error with CodeInvalid, whose message tenants read as the
	// reason of the delivery's end, and operators in the log: it must be the same for all data with the same fault.
	AppendBody(dst []byte, m *Message) ([]byte, error)

	// SameBody reports whether the body depends on the event alone, so that it is the same for all endpoints of the
	// dialect, and can be made once for all of them.
	SameBody() bool

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

// Classify2xx is the rule of most webhook systems: any 2xx acknowledges, and nothing else means more than that the
// attempt failed.
func Classify2xx(status int) Verdict {
	if status >= 200 && status <= 299 {
		return Acknowledged
	}
	return Failed
}

// CheckSingleSigning refuses signing schemes other than SigningHMAC, which stands for "as the dialect does" in dialects
// that leave no choice.
func CheckSingleSigning(dialect string, signing Signing) error {
	if signing == SigningHMAC {
		return nil
	}
	return Invalid("signing", "must be %q for the dialect %s", SigningHMAC, dialect)
}

// CheckOwnHeaders refuses endpoints whose own headers or authentication would take the place of a header that the
// dialect sets.
func CheckOwnHeaders(dialect string, c *Credentials, set ...string) error {
	for _, name := range set {
		if c.Auth.Type == AuthAPIKey && strings.EqualFold(c.Auth.Header, name) {
			return Invalid("auth.header", "must not be %s, which every delivery of the dialect %s has", name, dialect)
		}
		for _, h := range c.Headers {
			if strings.EqualFold(h.Name, name) {
				return Invalid("headers."+h.Name, "must not be set, because every delivery of the dialect %s has it", dialect)
			}
		}
	}
	return nil
}

// Target is an endpoint made ready for sending, with its secrets opened. It is immutable.
type Target struct {
	Endpoint *Endpoint
	URL      *url.URL // that requests go to; nil: the endpoint's URL cannot be requested
	Renderer Renderer
	Headers  []Header // authentication and the endpoint's own headers: all of them credentials
	Timeout  time.Duration
	Limits   *Limits // of its tenant
}
