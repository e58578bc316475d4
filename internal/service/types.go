package service

import (
	"encoding/json"
	"time"

	"github.com/bellwire/bellwire"
)

// NewTenant is a tenant to be created.
type NewTenant struct {
	ID       string
	Name     string
	Metadata map[string]string
}

// TenantChange is what is to change of a tenant; nil members stay as they are.
type TenantChange struct {
	Name     *string
	Metadata *map[string]string
}

// NewKey is a key to be made.
type NewKey struct {
	Name string
	Role bellwire.Role
	HMAC bool // keep the secret, sealed, so that requests can be signed with it
}

// Key is what can be told of a key: all but its secret.
type Key struct {
	ID        bellwire.KeyID
	Tenant    string // empty for operator keys
	Name      string
	Role      bellwire.Role
	HMAC      bool
	CreatedAt time.Time
}

// EventTypeInput is all of an event type but its name.
type EventTypeInput struct {
	Description string
	Group       string
	Schema      json.RawMessage // empty or null: any data
	Example     json.RawMessage // empty: none
	Archived    bool
}

// EndpointInput is what a caller says about an endpoint, to create or to change it. Nil members are left
// at their defaults when it is created, and as they are when it is changed.
type EndpointInput struct {
	URL         *string
	Description *string
	Dialect     *string
	Events      *[]string
	Retry       *bellwire.RetryPolicy
	Auth        *bellwire.Auth
	Headers     *[]bellwire.Header
	RateLimit   *float64 // events a second, above 0
	NoRateLimit bool     // takes the rate limit away
	MaxInFlight *int
	Ordering    *bellwire.Ordering
	Signing     *bellwire.Signing
	Status      *bellwire.EndpointStatus
	// Secret is the caller's own instead of a made one. On a change it replaces all there are at once;
	// RotateSecret lets both sign for a while.
	Secret   *string
	Metadata *map[string]string
	Extra    *map[string]string // for front ends of dialects only
}

// Endpoint is an endpoint as it may be shown: Sealed is nil, the secret members of Auth and the values
// of Headers are left out or redacted.
type Endpoint struct {
	bellwire.Endpoint
	Auth    bellwire.Auth
	Headers []bellwire.Header
}

// EndpointSecret is what a receiver verifies deliveries with. Empty members: the endpoint has none.
type EndpointSecret struct {
	Secret    string
	PublicKey string // "whpk_" and base64 of an ed25519 public key
}

// TestReceipt tells what a test made.
type TestReceipt struct {
	Event    bellwire.EventID
	Delivery bellwire.DeliveryID
	Type     string
}
