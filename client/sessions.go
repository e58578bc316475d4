package client

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// Capability is what a portal session may do.
type Capability string

// The capabilities.
const (
	CapabilityView       Capability = "view"        // endpoints, events, deliveries and event types, without secrets
	CapabilityViewSecret Capability = "view_secret" // secrets and whole URLs of endpoints
	CapabilityManage     Capability = "manage"      // create, change and delete endpoints
	CapabilityReplay     Capability = "replay"      // retry, replay and cancel deliveries
	CapabilityTest       Capability = "test"        // send tests and probes
)

// NewPortalSession creates a portal session.
type NewPortalSession struct {
	Capabilities []Capability  `json:"capabilities,omitempty"` // none: all; view is always included
	ExpiresIn    time.Duration `json:"-"`                      // 0: an hour
	Origins      []string      `json:"origins,omitempty"`      // of the pages that may show the portal in a frame
	Theme        Theme         `json:"theme,omitzero"`
}

// MarshalJSON writes the session as the API reads it.
func (s NewPortalSession) MarshalJSON() ([]byte, error) {
	type plain NewPortalSession
	wire := struct {
		plain
		ExpiresIn string `json:"expires_in,omitempty"`
	}{plain: plain(s)}
	if s.ExpiresIn != 0 {
		wire.ExpiresIn = s.ExpiresIn.String()
	}
	return json.Marshal(wire)
}

// Theme is the look of a portal session.
type Theme struct {
	Accent string `json:"accent,omitzero"` // a color such as #4f46e5; empty: the portal's own
	Mode   string `json:"mode,omitzero"`   // light, dark or system; empty: system
}

// SessionLink is a new session, with the URL that a person opens, once.
type SessionLink struct {
	ID        string    `json:"id"`
	URL       string    `json:"url"` // it gives access to whoever opens it first, within ten minutes, or one for the console
	ExpiresAt time.Time `json:"expires_at"`
}

// Session is access for a person in a browser.
type Session struct {
	ID         string     `json:"id"`
	Key        string     `json:"key"` // that made it; empty for the configured admin key
	Exchanged  bool       `json:"exchanged"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  time.Time  `json:"expires_at"`
	LastUsedAt *time.Time `json:"last_used_at"` // to about a minute; nil: never
	Address    string     `json:"address"`      // of the client that got the token
	UserAgent  string     `json:"user_agent"`

	Role    Role `json:"role"`    // of a console session
	Current bool `json:"current"` // of a console session

	Capabilities []Capability `json:"capabilities"` // of a portal session
	Origins      []string     `json:"origins"`      // of a portal session
	Theme        Theme        `json:"theme"`        // of a portal session
}

// CreatePortalSession creates a session of a tenant's portal. Its URL is for one person.
func (c *Client) CreatePortalSession(ctx context.Context, tenant string, s NewPortalSession) (*SessionLink, error) {
	return fetch[SessionLink](ctx, c, http.MethodPost, sessionsOf(tenant), s)
}

// CreateConsoleLink creates a link that signs in to the console as the client's key, which must be an admin key.
func (c *Client) CreateConsoleLink(ctx context.Context) (*SessionLink, error) {
	return fetch[SessionLink](ctx, c, http.MethodPost, sessionsOf("", "links"), nil)
}

// Sessions lists the sessions of a tenant's portal, or of the console if tenant is empty.
func (c *Client) Sessions(ctx context.Context, tenant string, page Page) (*List[Session], error) {
	return fetchList[Session](ctx, c, sessionsOf(tenant), page, nil)
}

// EndSession ends a session of a tenant's portal, or of the console if tenant is empty.
func (c *Client) EndSession(ctx context.Context, tenant, id string) error {
	return c.call(ctx, http.MethodDelete, sessionsOf(tenant, id), nil, nil)
}

func sessionsOf(tenant string, id ...string) string {
	if tenant == "" {
		return path(append([]string{"console-sessions"}, id...)...)
	}
	return inTenant(tenant) + path(append([]string{"portal-sessions"}, id...)...)
}
