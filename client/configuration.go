package client

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// Tenant is a customer of the platform. CreateTenant uses ID, Name, Metadata,
// Limits, Status, StatusReason, OperationalEvents and Dialects.
type Tenant struct {
	ID        string            `json:"id,omitzero"`
	Name      string            `json:"name,omitzero"`
	Metadata  map[string]string `json:"metadata,omitzero"`
	Limits    Limits            `json:"limits,omitzero"`           // that are set for this tenant
	Effective Limits            `json:"effective_limits,omitzero"` // all limits, with defaults
	CreatedAt time.Time         `json:"created_at,omitzero"`
	UpdatedAt time.Time         `json:"updated_at,omitzero"`

	Status       TenantStatus `json:"status,omitzero"`
	StatusReason string       `json:"status_reason,omitzero"` // why it is paused
	StatusSince  *time.Time   `json:"status_since,omitzero"`  // when it was last paused or resumed; nil: never

	OperationalEvents bool `json:"operational_events,omitzero"` // those about the tenant are published to it too

	Dialects map[string]*DialectSettings `json:"dialects,omitzero"` // its own settings of dialects, by name

	ETag string `json:"-"` // its version, for WithIfMatch; not in lists
}

func (t *Tenant) setVersion(etag string) { t.ETag = etag }

// DialectSettings are settings of a dialect for a tenant. Those that are zero are the server's.
type DialectSettings struct {
	// Of new endpoints that have none of their own.
	Retry        *RetryPolicy `json:"retry,omitzero"`
	Timeout      Duration     `json:"timeout,omitzero"`
	APIKeyHeader string       `json:"api_key_header,omitzero"` // that has the API key, where the vendor's customers do not name it

	// Auth is that of new endpoints that have none of their own. It is shown without its secrets. Nil leaves it as it is; the type
	// "none" removes it.
	Auth *Auth `json:"auth,omitzero"`

	// Of all deliveries.
	UserAgent string            `json:"user_agent,omitzero"`
	Headers   map[string]string `json:"headers,omitzero"` // no secrets

	// IgnoreReadOnly lets customers send back what the vendor's API has shown, with the fields that cannot be changed.
	IgnoreReadOnly *bool `json:"ignore_read_only,omitzero"`
}

// TenantStatus says whether a tenant is paused.
type TenantStatus string

// The statuses of tenants. Nothing is sent to the endpoints of a paused tenant, and everything waits.
const (
	TenantActive TenantStatus = "active"
	TenantPaused TenantStatus = "paused"
)

// Limits are values by the names of limits, such as "endpoints" or "publish_rate": numbers, or text such as "2s" for
// durations.
type Limits map[string]any

// TenantChange changes a tenant. A nil field is left unchanged.
type TenantChange struct {
	Name     *string            `json:"name,omitzero"`
	Metadata *map[string]string `json:"metadata,omitzero"`
	Limits   Limits             `json:"limits,omitzero"` // a nil value restores the default

	Status       TenantStatus `json:"status,omitzero"` // empty: unchanged
	StatusReason *string      `json:"status_reason,omitzero"`

	OperationalEvents *bool `json:"operational_events,omitzero"`

	Dialects map[string]*DialectSettings `json:"dialects,omitzero"` // replaces those of these dialects; nil removes them
}

// CreateTenant creates a tenant. It fails with CodeConflict if the id is in use.
func (c *Client) CreateTenant(ctx context.Context, t Tenant) (*Tenant, error) {
	t.CreatedAt, t.UpdatedAt, t.Effective, t.StatusSince = time.Time{}, time.Time{}, nil, nil
	return fetch[Tenant](ctx, c, http.MethodPost, path("tenants"), t)
}

// PutTenant creates the tenant with t.ID, or replaces its Name, Metadata, Limits and Dialects, its Status unless it is empty, and its
// OperationalEvents if it is true.
func (c *Client) PutTenant(ctx context.Context, t Tenant) (*Tenant, error) {
	return fetch[Tenant](ctx, c, http.MethodPut, inTenant(t.ID), Tenant{
		Name: t.Name, Metadata: t.Metadata, Limits: t.Limits, Status: t.Status, StatusReason: t.StatusReason,
		OperationalEvents: t.OperationalEvents, Dialects: t.Dialects,
	})
}

// Tenants lists tenants.
func (c *Client) Tenants(ctx context.Context, page Page) (*List[Tenant], error) {
	return fetchList[Tenant](ctx, c, path("tenants"), page, nil)
}

// Tenant returns a tenant.
func (c *Client) Tenant(ctx context.Context, id string) (*Tenant, error) {
	return fetch[Tenant](ctx, c, http.MethodGet, inTenant(id), nil)
}

// UpdateTenant changes a tenant.
func (c *Client) UpdateTenant(ctx context.Context, id string, change TenantChange) (*Tenant, error) {
	return fetch[Tenant](ctx, c, http.MethodPatch, inTenant(id), change)
}

// DeleteTenant deletes a tenant with its keys, endpoints, events and deliveries.
func (c *Client) DeleteTenant(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, inTenant(id), nil, nil)
}

// Key is an API key.
type Key struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Role       Role       `json:"role"`
	HMAC       bool       `json:"hmac"`
	Scopes     []string   `json:"scopes"` // the only operations of a vendor's API that it permits; empty: all of its role
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at"`   // nil: never
	LastUsedAt *time.Time `json:"last_used_at"` // to about a minute; nil if that is not known
	Secret     string     `json:"secret"`       // only from CreateKey
}

// NewKey creates a key.
type NewKey struct {
	Name string `json:"name,omitzero"`
	Role Role   `json:"role"`
	HMAC bool   `json:"hmac,omitzero"` // for a key of a tenant: it can sign requests

	// Scopes restrict a key of a tenant to operations of a vendor's API, such as "pcx:webhooks:read". Empty: no restriction.
	Scopes []string `json:"scopes,omitzero"`

	ExpiresAt time.Time `json:"expires_at,omitzero"` // zero: never

	// ID and Secret are those that the key had on another server or in another system. A secret of Bellwire's contains the id.
	ID           string `json:"id,omitzero"`
	Secret       string `json:"secret,omitzero"`
	SecretSHA256 string `json:"secret_sha256,omitzero"` // in hex, instead of Secret
}

// CreateKey creates a key of a tenant, or of the operator if tenant is empty. Only this call returns its secret.
func (c *Client) CreateKey(ctx context.Context, tenant string, k NewKey) (*Key, error) {
	return fetch[Key](ctx, c, http.MethodPost, keysOf(tenant), k)
}

// Keys lists the keys of a tenant, or of the operator if tenant is empty, without their secrets.
func (c *Client) Keys(ctx context.Context, tenant string, page Page) (*List[Key], error) {
	return fetchList[Key](ctx, c, keysOf(tenant), page, nil)
}

// DeleteKey deletes a key of a tenant, or of the operator if tenant is empty.
func (c *Client) DeleteKey(ctx context.Context, tenant, id string) error {
	return c.call(ctx, http.MethodDelete, keysOf(tenant, id), nil, nil)
}

func keysOf(tenant string, id ...string) string {
	keys := path(append([]string{"keys"}, id...)...)
	if tenant == "" {
		return keys
	}
	return inTenant(tenant) + keys
}

// EventType is an entry of the catalogue.
type EventType struct {
	Name        string          `json:"name"`
	Group       string          `json:"group"`
	Description string          `json:"description"`
	Schema      json.RawMessage `json:"schema"`  // nil: any data
	Example     json.RawMessage `json:"example"` // nil: none
	Archived    bool            `json:"archived"`
	Version     int             `json:"version"`        // the newest; PutEventType ignores it
	Older       []OlderVersion  `json:"older_versions"` // those before it, the first one first; PutEventType ignores them
	CreatedAt   time.Time       `json:"created_at"`
	UpdatedAt   time.Time       `json:"updated_at"`

	ETag string `json:"-"` // its version, for WithIfMatch; not in lists
}

// OlderVersion is a version of an event type before the newest.
type OlderVersion struct {
	Version   int             `json:"version"`
	Schema    json.RawMessage `json:"schema"`
	Example   json.RawMessage `json:"example"`
	Converter string          `json:"converter"` // makes its data of that of the next version
	Until     *time.Time      `json:"until"`     // when the next version was added; nil: unknown
}

func (t *EventType) setVersion(etag string) { t.ETag = etag }

// PutEventType creates an event type, or replaces the one of the same name.
func (c *Client) PutEventType(ctx context.Context, t EventType) (*EventType, error) {
	in := struct {
		Group       string          `json:"group,omitzero"`
		Description string          `json:"description,omitzero"`
		Schema      json.RawMessage `json:"schema,omitempty"`
		Example     json.RawMessage `json:"example,omitempty"`
		Archived    bool            `json:"archived,omitzero"`
	}{t.Group, t.Description, t.Schema, t.Example, t.Archived}
	to := path("event-types", t.Name)
	if forced, _ := ctx.Value(force{}).(bool); forced {
		to += "?force=true"
	}
	return fetch[EventType](ctx, c, http.MethodPut, to, in)
}

type force struct{}

// WithForce returns a context in which PutEventType changes a schema even if that breaks what readers rely on. Without it, such a
// change fails with CodeBreakingChange.
func WithForce(ctx context.Context) context.Context { return context.WithValue(ctx, force{}, true) }

// NewVersion is a version to be added to an event type.
type NewVersion struct {
	Schema    json.RawMessage `json:"schema,omitempty"`
	Example   json.RawMessage `json:"example,omitempty"`
	Converter string          `json:"converter"` // a CEL expression that makes data of the version before
}

// VersionCount says how many endpoints get a version of an event type, of all tenants.
type VersionCount struct {
	Version   int `json:"version"`
	Endpoints int `json:"endpoints"`
	Disabled  int `json:"disabled"` // of Endpoints
}

// EventTypeVersions counts the endpoints that get each version of an event type, the first version first.
func (c *Client) EventTypeVersions(ctx context.Context, name string) ([]VersionCount, error) {
	counted, err := fetch[struct {
		Data []VersionCount `json:"data"`
	}](ctx, c, http.MethodGet, path("event-types", name, "versions"), nil)
	if err != nil {
		return nil, err
	}
	return counted.Data, nil
}

// AddEventTypeVersion adds a version to an event type, which is published from then on. Endpoints that exist get the one before.
func (c *Client) AddEventTypeVersion(ctx context.Context, name string, v NewVersion) (*EventType, error) {
	return fetch[EventType](ctx, c, http.MethodPost, path("event-types", name, "versions"), v)
}

// PutConverter replaces the converter to an older version of an event type.
func (c *Client) PutConverter(ctx context.Context, name string, version int, converter string) (*EventType, error) {
	in := struct {
		Converter string `json:"converter"`
	}{converter}
	return fetch[EventType](ctx, c, http.MethodPut, path("event-types", name, "versions", strconv.Itoa(version), "converter"), in)
}

// EventTypes lists event types.
func (c *Client) EventTypes(ctx context.Context, page Page) (*List[EventType], error) {
	return fetchList[EventType](ctx, c, path("event-types"), page, nil)
}

// EventType returns an event type.
func (c *Client) EventType(ctx context.Context, name string) (*EventType, error) {
	return fetch[EventType](ctx, c, http.MethodGet, path("event-types", name), nil)
}

// Subscriptions say how many endpoints subscribe to each event type.
type Subscriptions struct {
	Data   []Subscription `json:"data"`   // by name, of all event types
	Capped bool           `json:"capped"` // only the newest 10,000 endpoints were counted
}

// Subscription says how many endpoints subscribe to an event type.
type Subscription struct {
	EventType string `json:"event_type"`
	Endpoints int    `json:"endpoints"` // that are not disabled, of all tenants
}

// Subscriptions counts the endpoints that subscribe to each event type. Only admin keys can do this.
func (c *Client) Subscriptions(ctx context.Context) (*Subscriptions, error) {
	return fetch[Subscriptions](ctx, c, http.MethodGet, path("subscriptions"), nil)
}

// DeleteEventType deletes an event type.
func (c *Client) DeleteEventType(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, path("event-types", name), nil, nil)
}
