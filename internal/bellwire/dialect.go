package bellwire

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// DefaultTimeout is the deadline of an attempt, from DNS to the last byte of the response, for dialects without their own.
const DefaultTimeout = 15 * time.Second

// Dialect is the delivery format of a webhook system: what its endpoints look like, how deliveries to them are made, and how
// their responses are classified. Dialects have no state and are safe for concurrent use.
type Dialect interface {
	// Name returns the dialect's name in the API and in the database.
	Name() string

	// Defaults returns the settings of an endpoint that has none of its own.
	Defaults() Defaults

	// NewEndpointID returns a new id in the dialect's form.
	NewEndpointID(now time.Time) string

	// NewSecret returns a new secret in the dialect's form for the signing schemes. A dialect without secrets returns the
	// zero Secret.
	NewSecret(signing Signing) (Secret, error)

	// PublicKey returns the text of the public key that verifies what the secret's private key signs; empty if the secret
	// has no private key.
	PublicKey(secret Secret) string

	// CheckSecret returns an error with CodeInvalid for a secret that does not have the dialect's form.
	CheckSecret(value string) error

	// Normalize makes ep an endpoint of the dialect. It refuses what the dialect cannot represent, with CodeInvalid and
	// the name of the field, and fills in ep.Extra. It is called after every change of an endpoint, and must not change
	// anything else. groupOf returns the group of an event type, empty if it has none.
	Normalize(ep *Endpoint, c *Credentials, groupOf func(eventType string) string) error

	// Headers returns the headers that authenticate the sender to the endpoint, such as a token. They are the same on
	// every attempt. Their values are redacted wherever attempts are shown.
	Headers(c *Credentials) []Header

	// Bind returns the Renderer of deliveries to an endpoint. What can be computed once is computed here.
	Bind(ep *Endpoint, c *Credentials) (Renderer, error)
}

// SecretImporter is a Dialect that can use secrets which other systems made in other forms.
type SecretImporter interface {
	Dialect
	// CheckImportedSecret returns an error with CodeInvalid, which says all forms, for a secret that the dialect cannot use.
	CheckImportedSecret(value string) error
}

// The bounds on the length of imported secrets.
const (
	MinImportedSecret = 8
	MaxImportedSecret = 512
)

// CheckTextSecret refuses a secret that cannot be a line of text. own is the form of the dialect's own secrets.
func CheckTextSecret(value, own string) error {
	printable := !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }) && strings.TrimSpace(value) == value
	if !printable || len(value) < MinImportedSecret || len(value) > MaxImportedSecret {
		return Invalid("secret", "must be %s, or from another system any %d to %d printable ASCII characters", own, MinImportedSecret, MaxImportedSecret)
	}
	return nil
}

// Defaults are a dialect's settings for endpoints that have none of their own.
type Defaults struct {
	Retry   RetryPolicy
	Timeout time.Duration
	// AutoDisableAfter is that of the endpoint. It is 0, never, if the vendor documents no such thing: its customers would not learn of
	// it, and many could not undo it.
	AutoDisableAfter time.Duration
	// Overlap is how long a rotated secret continues to sign. It is 0 if a delivery can carry only one signature.
	Overlap time.Duration
}

// Message is what a Renderer makes a request from.
type Message struct {
	Event    *Event
	Delivery DeliveryID
	SentAt   time.Time
}

// Renderer makes the requests of deliveries to one endpoint and classifies the responses. It is safe for concurrent use.
type Renderer interface {
	// AppendBody appends the request body to dst. The body is the same on every attempt. An *Error with
	// CodeInvalid means that the event can never be sent to this endpoint. Its message, which tenants see as the reason why the
	// delivery ended and operators in the log, must be the same for all data with the same fault. CodeNotFound means that the
	// endpoint is gone, any other code that this node cannot render the event now.
	AppendBody(dst []byte, m *Message) ([]byte, error)

	// SameBody reports whether the body depends on the event alone, so that one body serves all endpoints of the dialect.
	SameBody() bool

	// SetHeaders sets the content type and the headers that identify and sign the body.
	SetHeaders(h http.Header, m *Message, body []byte)

	// Classify returns the verdict on a response with the status.
	Classify(status int) Verdict

	// HonorsRetryAfter reports whether the dialect honors the Retry-After header of a response.
	HonorsRetryAfter() bool
}

// Verdict says what the result of an attempt means for its delivery.
type Verdict int

// The verdicts.
const (
	Failed       Verdict = iota // to be retried by the retry policy
	Acknowledged                // the delivery has succeeded
	Gone                        // the endpoint wants no more deliveries and is disabled
	Impossible                  // no request can be made; a retry would not help
)

// Classify2xx is the rule of most webhook systems: any 2xx status acknowledges, and any other is a failure.
func Classify2xx(status int) Verdict {
	if status >= 200 && status <= 299 {
		return Acknowledged
	}
	return Failed
}

// CheckSingleSigning refuses signing schemes other than SigningHMAC, which means the dialect's own scheme in dialects without a
// choice.
func CheckSingleSigning(dialect string, signing Signing) error {
	if signing == SigningHMAC {
		return nil
	}
	return Invalid("signing", "must be %q for the dialect %s", SigningHMAC, dialect)
}

// CheckOwnHeaders refuses headers and authentication of an endpoint that would replace a header set by the dialect.
func CheckOwnHeaders(dialect string, c *Credentials, set ...string) error {
	for _, name := range set {
		switch replaces := strings.EqualFold(c.Auth.HeaderName(), name); {
		case replaces && c.Auth.Type == AuthAPIKey:
			return Invalid("auth.header", "must not be %s, which every delivery of the dialect %s has", name, dialect)
		case replaces:
			return Invalid("auth.type", "must not be %s, because every delivery of the dialect %s has an %s header of its own; use none", c.Auth.Type, dialect, name)
		}
		for _, h := range c.Headers {
			if strings.EqualFold(h.Name, name) {
				return Invalid("headers."+h.Name, "must not be set, because every delivery of the dialect %s has it", dialect)
			}
		}
	}
	return nil
}

// Target is an endpoint that is ready for sending, with its secrets opened. It is immutable.
type Target struct {
	Endpoint *Endpoint
	URL      *url.URL // where requests go; nil if the endpoint's URL cannot be requested
	Renderer Renderer
	Headers  []Header // authentication and the endpoint's own headers: all of them credentials
	Timeout  time.Duration
	Limits   *Limits          // of its tenant
	Settings *DialectSettings // of its dialect for the tenant; nil: none
	Versions Versions         // of event types; nil: all data is sent as it was published
}

// Versions are the versions of event types.
type Versions interface {
	// Conversion returns how an event's data becomes that of the version that an endpoint gets, nil for as it is. It is asked only if
	// the endpoint GetsOlder. As it is means also that the type was deleted since. Conversions of an event to the same version with the
	// same revision make the same data.
	Conversion(ctx context.Context, ep *Endpoint, e *Event) (Conversion, error)
}

// Conversion makes an older version of an event's data.
type Conversion interface {
	Number() int     // of the version that it makes
	Revision() int64 // of the event type's last change, which may have been one of its converters
	// Convert returns the event with the older data, and how many steps of filters that took. Its error has CodeInvalid.
	Convert(e *Event) (converted *Event, steps int, err error)
}

// TenantPaused reports whether the endpoint's tenant is paused.
func (t *Target) TenantPaused() bool { return t.Limits != nil && t.Limits.Paused }

// Ended reports whether the endpoint is disabled or deleted, so that it gets nothing but tests.
func (t *Target) Ended() bool { return t.Endpoint.Deleted || t.Endpoint.Status == EndpointDisabled }

// Since returns when max_elapsed begins to run for what is older: when the endpoint was last changed, or its tenant resumed.
func (t *Target) Since() time.Time {
	if t.Limits == nil {
		return t.Endpoint.UpdatedAt
	}
	return Later(t.Endpoint.UpdatedAt, t.Limits.ResumedAt)
}
