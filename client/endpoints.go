package client

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// Endpoint is a tenant's URL plus what it subscribes to and how it is served.
type Endpoint struct {
	ID           string            `json:"id"`
	Tenant       string            `json:"tenant"`
	URL          string            `json:"url"`
	Description  string            `json:"description"`
	Dialect      string            `json:"dialect"`
	Events       []string          `json:"events"`
	Retry        RetryPolicy       `json:"retry"`
	Auth         Auth              `json:"auth"`    // without its secrets
	Headers      map[string]string `json:"headers"` // with their values redacted
	RateLimit    *float64          `json:"rate_limit"`
	MaxInFlight  int               `json:"max_in_flight"`
	Ordering     string            `json:"ordering"`
	Signing      string            `json:"signing"`
	Status       string            `json:"status"`
	StatusReason string            `json:"status_reason"`
	Metadata     map[string]string `json:"metadata"`
	CreatedAt    time.Time         `json:"created_at"`
	UpdatedAt    time.Time         `json:"updated_at"`

	Secret    string `json:"secret"`     // only in the answer of CreateEndpoint
	PublicKey string `json:"public_key"` // only there, and only with ed25519
}

// EndpointInput is what is said of an endpoint to create or to change it; nil members are left at their
// defaults, or as they are.
type EndpointInput struct {
	URL         *string            `json:"url,omitzero"`
	Events      []string           `json:"events,omitzero"`
	Description *string            `json:"description,omitzero"`
	Dialect     *string            `json:"dialect,omitzero"`
	Retry       *RetryPolicy       `json:"retry,omitzero"`
	Auth        *Auth              `json:"auth,omitzero"`
	Headers     *map[string]string `json:"headers,omitzero"`
	RateLimit   *float64           `json:"rate_limit,omitzero"`
	NoRateLimit bool               `json:"-"` // takes the rate limit away
	MaxInFlight *int               `json:"max_in_flight,omitzero"`
	Ordering    *string            `json:"ordering,omitzero"`
	Signing     *string            `json:"signing,omitzero"`
	Status      *string            `json:"status,omitzero"`
	Secret      *string            `json:"secret,omitzero"`
	Metadata    *map[string]string `json:"metadata,omitzero"`
}

// MarshalJSON writes null for a rate limit that is to be taken away.
func (in EndpointInput) MarshalJSON() ([]byte, error) {
	type plain EndpointInput
	if !in.NoRateLimit {
		return json.Marshal(plain(in))
	}
	return json.Marshal(struct {
		plain
		RateLimit *float64 `json:"rate_limit"`
	}{plain: plain(in)})
}

// RetryPolicy says when failed deliveries are attempted again, in one of three forms: a Schedule;
// Interval and Count; or Initial, Factor, MaxInterval and MaxElapsed. Durations are text such as "5s".
type RetryPolicy struct {
	Schedule    *[]string `json:"schedule,omitzero"` // empty: one attempt only
	Interval    string    `json:"interval,omitzero"`
	Count       *int      `json:"count,omitzero"`
	Initial     string    `json:"initial,omitzero"`
	Factor      float64   `json:"factor,omitzero"`
	MaxInterval string    `json:"max_interval,omitzero"`
	MaxElapsed  string    `json:"max_elapsed,omitzero"`
	Jitter      float64   `json:"jitter,omitzero"` // the share of each delay that is random
}

// Auth is how Bellwire proves itself to an endpoint: "none", "api_key" with Header and Key, "basic" with
// Username and Password, or "bearer" with Token.
type Auth struct {
	Type     string `json:"type"`
	Header   string `json:"header,omitzero"`
	Key      string `json:"key,omitzero"`
	Username string `json:"username,omitzero"`
	Password string `json:"password,omitzero"`
	Token    string `json:"token,omitzero"`
}

// EndpointSecret is what receivers verify deliveries with.
type EndpointSecret struct {
	Secret    string `json:"secret"`
	PublicKey string `json:"public_key"` // empty without ed25519

	// Secrets are all that sign, newest first. Only Client.EndpointSecret returns them.
	Secrets []SigningSecret `json:"secrets"`
	// PreviousExpiresAt is until when the secret before a rotation signs too, nil if it does not. Only
	// Client.RotateSecret returns it.
	PreviousExpiresAt *time.Time `json:"previous_expires_at"`
}

// SigningSecret is one of several secrets that sign.
type SigningSecret struct {
	Secret    string     `json:"secret"`
	PublicKey string     `json:"public_key"` // empty without ed25519
	ExpiresAt *time.Time `json:"expires_at"` // until when it signs; nil: it is the newest one
}

// TestReceipt tells what a test made.
type TestReceipt struct {
	Event    string `json:"event"`
	Delivery string `json:"delivery"`
	Type     string `json:"type"`
}

// CreateEndpoint creates an endpoint. URL and Events are required.
func (c *Client) CreateEndpoint(ctx context.Context, tenant string, in EndpointInput) (*Endpoint, error) {
	return fetch[Endpoint](ctx, c, http.MethodPost, inTenant(tenant, "endpoints"), in)
}

// Endpoints lists a tenant's endpoints.
func (c *Client) Endpoints(ctx context.Context, tenant string, page Page) (*List[Endpoint], error) {
	return fetchList[Endpoint](ctx, c, inTenant(tenant, "endpoints"), page, nil)
}

// Endpoint returns an endpoint.
func (c *Client) Endpoint(ctx context.Context, tenant, id string) (*Endpoint, error) {
	return fetch[Endpoint](ctx, c, http.MethodGet, inTenant(tenant, "endpoints", id), nil)
}

// UpdateEndpoint changes an endpoint.
func (c *Client) UpdateEndpoint(ctx context.Context, tenant, id string, in EndpointInput) (*Endpoint, error) {
	return fetch[Endpoint](ctx, c, http.MethodPatch, inTenant(tenant, "endpoints", id), in)
}

// DeleteEndpoint deletes an endpoint and cancels its open deliveries.
func (c *Client) DeleteEndpoint(ctx context.Context, tenant, id string) error {
	return c.call(ctx, http.MethodDelete, inTenant(tenant, "endpoints", id), nil, nil)
}

// EndpointSecret returns what deliveries to the endpoint are verified with.
func (c *Client) EndpointSecret(ctx context.Context, tenant, id string) (*EndpointSecret, error) {
	return fetch[EndpointSecret](ctx, c, http.MethodGet, inTenant(tenant, "endpoints", id, "secret"), nil)
}

// RotateSecret makes a new secret. The old one signs too until overlap has passed, which must be 0 in dialects whose
// deliveries carry one signature.
func (c *Client) RotateSecret(ctx context.Context, tenant, id string, overlap time.Duration) (*EndpointSecret, error) {
	in := map[string]string{"overlap": overlap.String()}
	return fetch[EndpointSecret](ctx, c, http.MethodPost, inTenant(tenant, "endpoints", id, "secret", "rotate"), in)
}

// TestEndpoint delivers the example of an event type, or of one that the endpoint subscribes to if
// eventType is empty.
func (c *Client) TestEndpoint(ctx context.Context, tenant, id, eventType string) (*TestReceipt, error) {
	in := struct {
		Type string `json:"type,omitzero"`
	}{eventType}
	return fetch[TestReceipt](ctx, c, http.MethodPost, inTenant(tenant, "endpoints", id, "test"), in)
}
