package client

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// Tenant is a customer of the platform. ID, Name, Metadata and Limits are what CreateTenant looks at.
type Tenant struct {
	ID        string            `json:"id"`
	Name      string            `json:"name,omitzero"`
	Metadata  map[string]string `json:"metadata,omitzero"`
	Limits    Limits            `json:"limits,omitzero"`           // that it has values of its own for
	Effective Limits            `json:"effective_limits,omitzero"` // all, as they hold for it
	CreatedAt time.Time         `json:"created_at,omitzero"`
	UpdatedAt time.Time         `json:"updated_at,omitzero"`
}

// Limits are values of limits by name, such as "endpoints" or "publish_rate": numbers, or text such as "2s" for times.
type Limits map[string]any

// TenantChange is what is to change of a tenant; nil members stay as they are.
type TenantChange struct {
	Name     *string            `json:"name,omitzero"`
	Metadata *map[string]string `json:"metadata,omitzero"`
	Limits   Limits             `json:"limits,omitzero"` // a value of nil takes the tenant's own away
}

// CreateTenant creates a tenant. CodeConflict: the id is taken.
func (c *Client) CreateTenant(ctx context.Context, t Tenant) (*Tenant, error) {
	t.CreatedAt, t.UpdatedAt, t.Effective = time.Time{}, time.Time{}, nil
	return fetch[Tenant](ctx, c, http.MethodPost, path("tenants"), t)
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

// DeleteTenant deletes a tenant with all it has.
func (c *Client) DeleteTenant(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, inTenant(id), nil, nil)
}

// Key is what a caller of the API proves its identity with.
type Key struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Role      string    `json:"role"`
	HMAC      bool      `json:"hmac"`
	CreatedAt time.Time `json:"created_at"`
	Secret    string    `json:"secret"` // only in the answer of CreateKey
}

// NewKey is a key to be made. Roles of a tenant's keys are "tenant" and "tenant-read", of operator keys
// "admin" and "publisher".
type NewKey struct {
	Name string `json:"name,omitzero"`
	Role string `json:"role"`
	HMAC bool   `json:"hmac,omitzero"` // of a tenant's key: it can sign requests
}

// CreateKey makes a key of a tenant, or of the operator if tenant is empty. Its secret is in this answer only.
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

// EventType is a named kind of event in the catalogue.
type EventType struct {
	Name        string          `json:"name"`
	Group       string          `json:"group"`
	Description string          `json:"description"`
	Schema      json.RawMessage `json:"schema"`  // nil: any data
	Example     json.RawMessage `json:"example"` // nil: none
	Archived    bool            `json:"archived"`
	CreatedAt   time.Time       `json:"created_at"`
	UpdatedAt   time.Time       `json:"updated_at"`
}

// PutEventType adds an event type, or replaces the one of the same name.
func (c *Client) PutEventType(ctx context.Context, t EventType) (*EventType, error) {
	in := struct {
		Group       string          `json:"group,omitzero"`
		Description string          `json:"description,omitzero"`
		Schema      json.RawMessage `json:"schema,omitempty"`
		Example     json.RawMessage `json:"example,omitempty"`
		Archived    bool            `json:"archived,omitzero"`
	}{t.Group, t.Description, t.Schema, t.Example, t.Archived}
	return fetch[EventType](ctx, c, http.MethodPut, path("event-types", t.Name), in)
}

// EventTypes lists event types.
func (c *Client) EventTypes(ctx context.Context, page Page) (*List[EventType], error) {
	return fetchList[EventType](ctx, c, path("event-types"), page, nil)
}

// EventType returns an event type.
func (c *Client) EventType(ctx context.Context, name string) (*EventType, error) {
	return fetch[EventType](ctx, c, http.MethodGet, path("event-types", name), nil)
}

// DeleteEventType deletes an event type.
func (c *Client) DeleteEventType(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, path("event-types", name), nil, nil)
}
