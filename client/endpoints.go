package client

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// Endpoint is a tenant's URL, the event types that it subscribes to, and how they are delivered.
type Endpoint struct {
	ID               string            `json:"id"`
	Tenant           string            `json:"tenant"`
	URL              string            `json:"url"`
	Description      string            `json:"description"`
	Dialect          string            `json:"dialect"`
	Events           []string          `json:"events"`
	Filter           *string           `json:"filter"` // the CEL expression that events must match; nil: none
	OnError          OnError           `json:"on_error"`
	Retry            RetryPolicy       `json:"retry"`
	Auth             Auth              `json:"auth"`       // without its secrets
	Headers          map[string]string `json:"headers"`    // with redacted values
	RateLimit        *float64          `json:"rate_limit"` // events per second; nil: no limit
	MaxInFlight      int               `json:"max_in_flight"`
	Timeout          Duration          `json:"timeout"`            // of an attempt
	AutoDisableAfter Duration          `json:"auto_disable_after"` // how long attempts must have failed before the endpoint is disabled; 0: never
	Ordering         Ordering          `json:"ordering"`
	Signing          Signing           `json:"signing"`
	Status           EndpointStatus    `json:"status"`
	StatusReason     string            `json:"status_reason"` // why it is paused or disabled; empty: nobody has said
	Metadata         map[string]string `json:"metadata"`
	Versions         map[string]int    `json:"versions"` // that were chosen for it, by event type
	Health           *Health           `json:"health"`   // nil in answers to changes
	Replay           *Job              `json:"replay"`   // that UpdateEndpoint has started; nil: none
	CreatedAt        time.Time         `json:"created_at"`
	UpdatedAt        time.Time         `json:"updated_at"`

	Secret    string `json:"secret"`     // only from CreateEndpoint
	PublicKey string `json:"public_key"` // only from CreateEndpoint, and only with ed25519

	ETag string `json:"-"` // its version, for WithIfMatch; not in lists
}

func (e *Endpoint) setVersion(etag string) { e.ETag = etag }

// EndpointInput creates or changes an endpoint. A nil field is left at its default when the endpoint is created, and
// unchanged when it is updated. Ptr makes pointers of values:
//
//	client.EndpointInput{
//		URL:      client.Ptr("https://example.com/webhooks"),
//		Events:   []string{"invoice.*"},
//		Ordering: client.Ptr(client.OrderingFIFO),
//	}
type EndpointInput struct {
	URL              *string            `json:"url,omitzero"`
	Events           []string           `json:"events,omitzero"`
	Filter           *string            `json:"filter,omitzero"` // a pointer to "" removes the filter
	OnError          *OnError           `json:"on_error,omitzero"`
	Description      *string            `json:"description,omitzero"`
	Dialect          *string            `json:"dialect,omitzero"`
	Retry            *RetryPolicy       `json:"retry,omitzero"`
	Auth             *Auth              `json:"auth,omitzero"`
	Headers          *map[string]string `json:"headers,omitzero"`
	RateLimit        *float64           `json:"rate_limit,omitzero"`
	NoRateLimit      bool               `json:"-"` // removes the rate limit
	MaxInFlight      *int               `json:"max_in_flight,omitzero"`
	Timeout          *Duration          `json:"timeout,omitzero"`
	AutoDisableAfter *Duration          `json:"auto_disable_after,omitzero"`
	Ordering         *Ordering          `json:"ordering,omitzero"`
	Signing          *Signing           `json:"signing,omitzero"`
	Status           *EndpointStatus    `json:"status,omitzero"`
	StatusReason     *string            `json:"status_reason,omitzero"` // why it is paused or disabled
	Secret           *string            `json:"secret,omitzero"`
	Metadata         *map[string]string `json:"metadata,omitzero"`
	Versions         map[string]int     `json:"versions,omitempty"` // of event types, by their names; others stay

	// Replay is ReplayMissed to replay what the endpoint has missed, from when it began to fail or was paused or disabled. Only
	// UpdateEndpoint takes it, together with the status EndpointEnabled.
	Replay ReplayStatus `json:"replay,omitzero"`

	// ID, CreatedAt and Secrets are those that the endpoint had on another server. Only CreateEndpoint with an admin key
	// takes them.
	ID        string        `json:"id,omitzero"`
	CreatedAt time.Time     `json:"created_at,omitzero"`
	Secrets   []MovedSecret `json:"secrets,omitzero"`
}

// MarshalJSON writes null for a rate limit that is removed.
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

// MovedSecret is a secret of an endpoint on another server.
type MovedSecret struct {
	Secret     string    `json:"secret"`
	PrivateKey string    `json:"private_key,omitzero"` // ed25519; by default a new one if signing needs it
	ExpiresAt  time.Time `json:"expires_at,omitzero"`  // required for all but the newest, which is the first
}

// Auth is how Bellwire authenticates itself to an endpoint.
type Auth struct {
	Type     AuthType `json:"type"`
	Header   string   `json:"header,omitzero"`
	Key      string   `json:"key,omitzero"`
	Username string   `json:"username,omitzero"`
	Password string   `json:"password,omitzero"`
	Token    string   `json:"token,omitzero"`
}

// EndpointChange is a change of an endpoint.
type EndpointChange struct {
	At     time.Time                  `json:"at"`
	Action ChangeAction               `json:"action"`
	By     Actor                      `json:"by"`
	Before map[string]json.RawMessage `json:"before"` // fields that changed, or all of an endpoint that was deleted
	After  map[string]json.RawMessage `json:"after"`  // fields that changed, or all of a new endpoint; without secrets
}

// Actor is the originator of a change.
type Actor struct {
	Kind      ActorKind `json:"kind"`
	Key       string    `json:"key"`      // the key's id; empty without one, or if it is an operator's and the caller a tenant
	KeyName   string    `json:"key_name"` // empty if it has none, or was deleted
	Session   string    `json:"session"`  // the session in a browser in which it was made; empty without one
	Role      Role      `json:"role"`
	RequestID string    `json:"request_id"`
	Address   string    `json:"address"`
	Reason    string    `json:"reason"` // why Bellwire made the change
}

// EndpointSecret is the secret with which a receiver verifies deliveries.
type EndpointSecret struct {
	Secret    string `json:"secret"`
	PublicKey string `json:"public_key"` // empty without ed25519

	// Secrets are all secrets that sign, newest first. Only Client.EndpointSecret returns them.
	Secrets []SigningSecret `json:"secrets"`
	// PreviousExpiresAt is when the previous secret stops signing, nil if it has stopped. Only Client.RotateSecret
	// returns it.
	PreviousExpiresAt *time.Time `json:"previous_expires_at"`
}

// SigningSecret is one of an endpoint's secrets.
type SigningSecret struct {
	Secret    string     `json:"secret"`
	PublicKey string     `json:"public_key"` // empty without ed25519
	Imported  bool       `json:"imported"`   // another system made it, in a form that the dialect does not give to its own
	ExpiresAt *time.Time `json:"expires_at"` // when it stops signing; nil: it is the newest one
}

// TestReceipt is what a test created.
type TestReceipt struct {
	Event    string `json:"event"`
	Delivery string `json:"delivery"`
	Type     string `json:"type"`
}

// CreateEndpoint creates an endpoint. URL and Events are required.
func (c *Client) CreateEndpoint(ctx context.Context, tenant string, in EndpointInput) (*Endpoint, error) {
	return fetch[Endpoint](ctx, c, http.MethodPost, inTenant(tenant, "endpoints"), in)
}

// PutEndpoint creates the endpoint with the given id, or replaces all its settings by those of in and defaults; its dialect,
// status and secret stay if in does not have them. URL and Events are required.
func (c *Client) PutEndpoint(ctx context.Context, tenant, id string, in EndpointInput) (*Endpoint, error) {
	return fetch[Endpoint](ctx, c, http.MethodPut, inTenant(tenant, "endpoints", id), in)
}

// EndpointFilter selects endpoints. An empty field selects all.
type EndpointFilter struct {
	Health  HealthState
	Status  EndpointStatus
	Dialect string
	Waiting bool         // only those for which deliveries wait
	Sort    EndpointSort // empty: newest first
	Type    string       // an event type to which they subscribe
}

// Endpoints lists a tenant's endpoints, or those of all tenants if tenant is empty.
func (c *Client) Endpoints(ctx context.Context, tenant string, f EndpointFilter, page Page) (*List[Endpoint], error) {
	values := filter("health", string(f.Health), "status", string(f.Status), "dialect", f.Dialect, "event_type", f.Type, "sort", string(f.Sort))
	if f.Waiting {
		values.Set("waiting", "true")
	}
	if tenant == "" {
		return fetchList[Endpoint](ctx, c, path("endpoints"), page, values)
	}
	return fetchList[Endpoint](ctx, c, inTenant(tenant, "endpoints"), page, values)
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

// EndpointHistory lists the changes of an endpoint, newest first, also of one that was deleted.
func (c *Client) EndpointHistory(ctx context.Context, tenant, id string, page Page) (*List[EndpointChange], error) {
	return fetchList[EndpointChange](ctx, c, inTenant(tenant, "endpoints", id, "history"), page, nil)
}

// EndpointVersion is the version of an event type that an endpoint gets.
type EndpointVersion struct {
	EventType string `json:"event_type"`
	Version   int    `json:"version"`
	Newest    int    `json:"newest"` // the version that is published
	Chosen    bool   `json:"chosen"` // for the endpoint; else it was the newest when the endpoint was created
}

// EndpointVersions returns the versions that an endpoint gets of the event types with several versions to which it subscribes, by
// name.
func (c *Client) EndpointVersions(ctx context.Context, tenant, id string) ([]EndpointVersion, error) {
	answer, err := fetch[struct {
		Data []EndpointVersion `json:"data"`
	}](ctx, c, http.MethodGet, inTenant(tenant, "endpoints", id, "versions"), nil)
	if err != nil {
		return nil, err
	}
	return answer.Data, nil
}

// VersionPreview is a delivery of an endpoint, as it is and as it would be with other versions of its event's type.
type VersionPreview struct {
	Delivery  string      `json:"delivery"`
	Event     string      `json:"event"`
	EventType string      `json:"event_type"`
	Before    PreviewBody `json:"before"` // what the newest attempt has sent, or what one would send
	After     PreviewBody `json:"after"`
}

// PreviewBody is a request body, or why there is none.
type PreviewBody struct {
	Version     int    `json:"version"` // 0: there is no body
	ContentType string `json:"content_type"`
	Body        string `json:"body"`
	Problem     string `json:"problem"`
}

// PreviewVersions shows up to limit of the last events of these types that an endpoint got, newest first, as they were sent and as they
// would be sent in these versions. With limit 0 the server chooses.
func (c *Client) PreviewVersions(ctx context.Context, tenant, id string, versions map[string]int, limit int) ([]VersionPreview, error) {
	in := struct {
		Versions map[string]int `json:"versions"`
		Limit    int            `json:"limit,omitempty"`
	}{versions, limit}
	answer, err := fetch[struct {
		Data []VersionPreview `json:"data"`
	}](ctx, c, http.MethodPost, inTenant(tenant, "endpoints", id, "versions", "preview"), in)
	if err != nil {
		return nil, err
	}
	return answer.Data, nil
}

// EndpointSecret returns the secrets with which deliveries to an endpoint are signed.
func (c *Client) EndpointSecret(ctx context.Context, tenant, id string) (*EndpointSecret, error) {
	return fetch[EndpointSecret](ctx, c, http.MethodGet, inTenant(tenant, "endpoints", id, "secret"), nil)
}

// RotateSecret creates a new secret. The previous one signs too until overlap has passed; overlap must be 0 in dialects
// whose deliveries have one signature.
func (c *Client) RotateSecret(ctx context.Context, tenant, id string, overlap time.Duration) (*EndpointSecret, error) {
	in := map[string]string{"overlap": overlap.String()}
	return fetch[EndpointSecret](ctx, c, http.MethodPost, inTenant(tenant, "endpoints", id, "secret", "rotate"), in)
}

// Missed is how many events an endpoint has missed.
type Missed struct {
	JobCount
	Since     time.Time  `json:"since"`      // of those accepted at or after it
	StoppedAt *time.Time `json:"stopped_at"` // when it was paused or disabled; nil if it is enabled
}

// CountMissed counts what a change that enables the endpoint would replay.
func (c *Client) CountMissed(ctx context.Context, tenant, id string) (*Missed, error) {
	return fetch[Missed](ctx, c, http.MethodGet, inTenant(tenant, "endpoints", id, "missed"), nil)
}

// TestEndpoint delivers the example of an event type, or of one that the endpoint subscribes to if eventType is empty, also
// while the endpoint is paused or disabled.
func (c *Client) TestEndpoint(ctx context.Context, tenant, id, eventType string) (*TestReceipt, error) {
	in := struct {
		Type string `json:"type,omitzero"`
	}{eventType}
	return fetch[TestReceipt](ctx, c, http.MethodPost, inTenant(tenant, "endpoints", id, "test"), in)
}

// Probe is what a probe of an endpoint has found: its attempt, with the event and the delivery that it made.
type Probe struct {
	TestReceipt
	Attempt
}

// ProbeEndpoint tests an endpoint as TestEndpoint does, and waits for the attempt.
func (c *Client) ProbeEndpoint(ctx context.Context, tenant, id, eventType string) (*Probe, error) {
	in := struct {
		Type string `json:"type,omitzero"`
	}{eventType}
	return fetch[Probe](ctx, c, http.MethodPost, inTenant(tenant, "endpoints", id, "probe"), in)
}

// CheckedURL says whether the host of a URL can be reached.
type CheckedURL struct {
	URL     string  `json:"url"`     // as an endpoint would have it
	Outcome Outcome `json:"outcome"` // OutcomeOK: a connection was made
	Error   string  `json:"error"`   // why none was made
	Timings Timings `json:"timings"`
}

// CheckURL connects to the host of a URL as deliveries would, before an endpoint gets it. Its error is that of an endpoint that may
// not have the URL.
func (c *Client) CheckURL(ctx context.Context, tenant, url string) (*CheckedURL, error) {
	in := struct {
		URL string `json:"url"`
	}{url}
	return fetch[CheckedURL](ctx, c, http.MethodPost, inTenant(tenant, "urls", "check"), in)
}

// Dialects returns the names of the dialects that an endpoint can have.
func (c *Client) Dialects(ctx context.Context) ([]string, error) {
	list, err := fetch[List[struct {
		Name string `json:"name"`
	}]](ctx, c, http.MethodGet, path("dialects"), nil)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(list.Data))
	for i, d := range list.Data {
		names[i] = d.Name
	}
	return names, nil
}
