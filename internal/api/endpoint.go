package api

import (
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

// Endpoint is an endpoint on the wire, without its secrets.
type Endpoint struct {
	ID               string                  `json:"id" example:"ep_0198c7a3f2e47d0a9b1c2d3e4f506172"`
	Tenant           string                  `json:"tenant" example:"acme"`
	URL              string                  `json:"url" example:"https://example.com/webhooks" doc:"For tenant-read keys, values in the query and parts of the path that look like a token are redacted."`
	Description      string                  `json:"description"`
	Dialect          string                  `json:"dialect" example:"standard"`
	Events           []string                `json:"events" example:"invoice.*"`
	Filter           *string                 `json:"filter" nullable:"true" example:"data.amount > 100" doc:"The CEL expression that events must match; null for none."`
	OnError          bellwire.OnError        `json:"on_error" enum:"deliver,skip" doc:"What happens to an event for which the filter has no answer."`
	Retry            retryPolicy             `json:"retry" example:"{\"schedule\":[\"5s\",\"5m\",\"30m\"],\"jitter\":0.2}"`
	Auth             shownAuth               `json:"auth"`
	Headers          headers                 `json:"headers" doc:"The values are not shown."`
	RateLimit        *float64                `json:"rate_limit" nullable:"true" doc:"Events per second; null for no limit."`
	MaxInFlight      int                     `json:"max_in_flight" example:"64" doc:"Maximum number of concurrent requests, including tests and manual retries."`
	Timeout          bellwire.Duration       `json:"timeout" example:"15s" doc:"How long an attempt may take, from DNS to the last byte of the response."`
	AutoDisableAfter bellwire.Duration       `json:"auto_disable_after" example:"120h" doc:"How long attempts must have failed before Bellwire disables the endpoint; 0s for never."`
	Ordering         bellwire.Ordering       `json:"ordering" enum:"none,fifo,key"`
	Signing          bellwire.Signing        `json:"signing" enum:"hmac,ed25519,both"`
	Status           bellwire.EndpointStatus `json:"status" enum:"enabled,paused,disabled"`
	StatusReason     string                  `json:"status_reason" doc:"Why it is paused or disabled, as Bellwire or the request has said; empty if the request has not."`
	Metadata         map[string]string       `json:"metadata"`
	Versions         map[string]int          `json:"versions" doc:"The versions that were chosen for it, by event type. It gets other types in the version that was the newest when it was created."`
	CreatedAt        time.Time               `json:"created_at"`
	UpdatedAt        time.Time               `json:"updated_at"`
}

// shownAuth is an endpoint's authentication without its secrets.
type shownAuth struct {
	Type     bellwire.AuthType `json:"type" enum:"none,api_key,basic,bearer"`
	Header   string            `json:"header,omitzero" doc:"With api_key: the header that carries the key."`
	Username string            `json:"username,omitzero" doc:"With basic."`
}

func wireEndpoint(ep *service.Endpoint) Endpoint {
	wire := Endpoint{
		ID: ep.ID, Tenant: ep.Tenant, URL: ep.URL, Description: ep.Description, Dialect: ep.Dialect,
		Events: ep.Events, OnError: ep.OnError, Retry: retryPolicy{ep.Retry}, Headers: redacted(ep.Headers),
		Auth:        shownAuth{Type: ep.Auth.Type, Header: ep.Auth.Header, Username: ep.Auth.Username},
		MaxInFlight: ep.MaxInFlight, Timeout: bellwire.Duration(ep.Timeout), AutoDisableAfter: bellwire.Duration(ep.AutoDisableAfter),
		Ordering: ep.Ordering, Signing: ep.Signing,
		Status: ep.Status, StatusReason: ep.StatusReason, Metadata: ep.Metadata, Versions: ep.VersionNumbers(),
		CreatedAt: ep.CreatedAt.UTC(), UpdatedAt: ep.UpdatedAt.UTC(),
	}
	if wire.Auth.Type == "" {
		wire.Auth.Type = bellwire.AuthNone
	}
	if ep.Filter != "" {
		wire.Filter = &ep.Filter
	}
	if ep.RateLimit > 0 {
		wire.RateLimit = &ep.RateLimit
	}
	return wire
}

func redacted(hs []bellwire.Header) headers {
	out := make(headers, len(hs))
	for i, h := range hs {
		out[i] = bellwire.Header{Name: h.Name, Value: bellwire.Redacted}
	}
	return out
}

// EndpointChange has the settings of an endpoint, all of them optional.
type EndpointChange struct {
	URL              value[string]                  `json:"url,omitzero" format:"uri" example:"https://example.com/webhooks" doc:"Where to deliver: http or https."`
	Events           value[[]string]                `json:"events,omitzero" example:"invoice.*" doc:"Patterns: an exact name of the catalogue, or a prefix ended by *."`
	Filter           clearable[string]              `json:"filter,omitzero" example:"data.amount > 100" doc:"A CEL expression over type, data, id and occurred_at. Only events of the subscribed types for which it is true are delivered. It is checked against the schemas of these types. null removes it."`
	OnError          value[bellwire.OnError]        `json:"on_error,omitzero" enum:"deliver,skip" doc:"What happens to an event for which the filter has no answer, because a field is missing, for example; default deliver."`
	Description      clearable[string]              `json:"description,omitzero" doc:"null clears it."`
	Dialect          value[string]                  `json:"dialect,omitzero" doc:"The format of deliveries and of the management API; by default that of the server. Settings that the dialect cannot represent are refused. On a change, secrets without the dialect's form are replaced."`
	Retry            value[retryPolicy]             `json:"retry,omitzero" doc:"When failed deliveries are attempted again, in one of three forms: schedule; interval and count; or initial, factor, max_interval and max_elapsed. By default the dialect's policy."`
	Auth             clearable[auth]                `json:"auth,omitzero" doc:"How Bellwire authenticates, in addition to the signature; null for not at all."`
	Headers          clearable[headers]             `json:"headers,omitzero" doc:"Names and values, sent with each delivery. Replaces all present headers; null removes them. A present header that is given with the value [redacted], as it is shown, keeps its value."`
	RateLimit        clearable[float64]             `json:"rate_limit,omitzero" doc:"Events per second, above 0; null for no limit."`
	MaxInFlight      value[int]                     `json:"max_in_flight,omitzero" doc:"Maximum number of concurrent requests, including tests and manual retries; default 64."`
	Timeout          value[bellwire.Duration]       `json:"timeout,omitzero" example:"15s" doc:"How long an attempt may take: 1s to 60s, by default that of the dialect, which is 15s in standard."`
	AutoDisableAfter value[bellwire.Duration]       `json:"auto_disable_after,omitzero" example:"120h" doc:"How long attempts must have failed before Bellwire disables the endpoint: 1s to 8760h; 0s for never. By default that of the dialect, which is 120h in standard and 0s in those of the five vendors."`
	Ordering         value[bellwire.Ordering]       `json:"ordering,omitzero" enum:"none,fifo,key" doc:"With fifo, a delivery is sent only after the one before it has ended. With key, that holds among the events with the same ordering_key, and others are sent at the same time. Default none."`
	Status           value[bellwire.EndpointStatus] `json:"status,omitzero" enum:"enabled,paused,disabled" doc:"A paused endpoint keeps its deliveries for later, a disabled one receives only tests; default enabled."`
	StatusReason     clearable[string]              `json:"status_reason,omitzero" example:"the receiver moves" doc:"Why it is paused or disabled. Whoever sees the endpoint sees it. null removes it; another status does too."`
	Signing          value[bellwire.Signing]        `json:"signing,omitzero" enum:"hmac,ed25519,both" doc:"The signature schemes of deliveries; default hmac."`
	Secret           value[string]                  `json:"secret,omitzero" doc:"Your own secret instead of a generated one, in the dialect's form; that of standard is whsec_ and the base64 of 24 to 64 bytes. It replaces the present secret at once; to let both sign for a while, rotate it."`
	Versions         value[map[string]int]          `json:"versions,omitzero" doc:"Versions of event types that it is to get, by their names. Types that are not named stay."`
	Metadata         clearable[map[string]string]   `json:"metadata,omitzero" doc:"Up to 50 entries of your own. Replaces all present entries; null removes them."`
}

// wholeEndpoint is an EndpointChange that is documented with two required fields.
type wholeEndpoint struct{ EndpointChange }

// TransformSchema marks the required fields.
func (wholeEndpoint) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Required = []string{"url", "events"}
	return s
}

// NewEndpoint is a wholeEndpoint with what it had on another server.
type NewEndpoint struct {
	EndpointChange
	ID        string               `json:"id,omitzero" maxLength:"64" doc:"For admin keys: an id of your own, such as the one on another server."`
	CreatedAt time.Time            `json:"created_at,omitzero" doc:"For admin keys: when it was created on another server."`
	Secrets   value[[]movedSecret] `json:"secrets,omitzero" doc:"For admin keys: all secrets that sign, newest first, as they were on another server; instead of secret."`
}

type movedSecret struct {
	Secret     string    `json:"secret" doc:"In the dialect's form."`
	PrivateKey string    `json:"private_key,omitzero" doc:"The ed25519 key that signs besides, whsk_ and its base64; by default a new one if signing needs it."`
	ExpiresAt  time.Time `json:"expires_at,omitzero" doc:"When it stops to sign; required for all but the newest."`
}

// UnmarshalJSONFrom parses a secret. It says what it looks like where it is not one.
func (s *movedSecret) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != '{' {
		return bellwire.Invalid("", `must be an object, such as {"secret": "whsec_…"}, with an expires_at in all but the newest`)
	}
	type plain movedSecret
	return json.UnmarshalDecode(dec, (*plain)(s))
}

// TransformSchema marks the required fields.
func (NewEndpoint) TransformSchema(r huma.Registry, s *huma.Schema) *huma.Schema {
	return wholeEndpoint{}.TransformSchema(r, s)
}

func (e *NewEndpoint) input() service.EndpointInput {
	in := e.EndpointChange.input()
	if e.ID == "" && e.CreatedAt.IsZero() && e.Secrets.given == nil {
		return in
	}
	in.Origins = &service.Origins{ID: e.ID, CreatedAt: e.CreatedAt}
	if e.Secrets.given != nil {
		for _, secret := range *e.Secrets.given {
			in.Origins.Secrets = append(in.Origins.Secrets, bellwire.Secret{Value: secret.Secret, PrivateKey: secret.PrivateKey, ExpiresAt: secret.ExpiresAt})
		}
	}
	return in
}

func (e *EndpointChange) input() service.EndpointInput {
	in := service.EndpointInput{
		URL: e.URL.given, Events: e.Events.given, Filter: e.Filter.given, OnError: e.OnError.given, Description: e.Description.given, Dialect: e.Dialect.given,
		Headers: (*[]bellwire.Header)(e.Headers.given), RateLimit: e.RateLimit.given, NoRateLimit: e.RateLimit.null,
		MaxInFlight: e.MaxInFlight.given, Timeout: (*time.Duration)(e.Timeout.given),
		AutoDisableAfter: (*time.Duration)(e.AutoDisableAfter.given), Ordering: e.Ordering.given, Status: e.Status.given, StatusReason: e.StatusReason.given,
		Signing: e.Signing.given, Secret: e.Secret.given, Metadata: e.Metadata.given,
	}
	if e.RateLimit.null {
		in.RateLimit = nil
	}
	if e.Versions.given != nil {
		in.Versions = *e.Versions.given
	}
	if e.Retry.given != nil {
		in.Retry = &e.Retry.given.RetryPolicy
	}
	if e.Auth.given != nil {
		in.Auth = e.Auth.given.auth()
	}
	return in
}

// auth is an endpoint's authentication with its secrets.
type auth struct {
	Type     bellwire.AuthType `json:"type" enum:"none,api_key,basic,bearer"`
	Header   string            `json:"header,omitzero" example:"X-Api-Key" doc:"With api_key: the header that carries the key."`
	Key      string            `json:"key,omitzero" doc:"With api_key."`
	Username string            `json:"username,omitzero" doc:"With basic."`
	Password string            `json:"password,omitzero" doc:"With basic."`
	Token    string            `json:"token,omitzero" doc:"With bearer."`
}

func (a *auth) auth() *bellwire.Auth {
	if *a == (auth{}) { // null
		return &bellwire.Auth{Type: bellwire.AuthNone}
	}
	return &bellwire.Auth{
		Type: a.Type, Header: a.Header, Key: a.Key,
		Username: a.Username, Password: a.Password, Token: a.Token,
	}
}

// retryPolicy is a bellwire.RetryPolicy with a schema.
type retryPolicy struct{ bellwire.RetryPolicy }

// Schema describes the three forms.
func (retryPolicy) Schema(huma.Registry) *huma.Schema {
	duration := func(doc string) *huma.Schema {
		return &huma.Schema{Type: huma.TypeString, Description: doc, Examples: []any{"5m"}}
	}
	return &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: false,
		Description: "When failed deliveries are attempted again, in one of three forms: `{schedule}`, `{interval, count}` or " +
			"`{initial, factor, max_interval, max_elapsed}`. An empty schedule means one attempt only. " +
			"Durations are text such as 5s, 72h or 30d.",
		Properties: map[string]*huma.Schema{
			"schedule":     {Type: huma.TypeArray, Items: duration(""), Description: "The delay before each retry."},
			"interval":     duration("The delay before each of count retries."),
			"count":        {Type: huma.TypeInteger, Description: "Number of retries; there is one attempt more."},
			"initial":      duration("The delay before the first retry."),
			"factor":       {Type: huma.TypeNumber, Description: "By which each delay is multiplied for the next; default 2."},
			"max_interval": duration("The longest delay."),
			"max_elapsed": duration("No retry is due later than this after the event was accepted, or after the endpoint was last changed, " +
				"unless Retry-After or the limit min_retry_delay puts it off."),
			"jitter": {Type: huma.TypeNumber, Description: "The random share of each delay, half of it on either side: 0.2 spreads a delay over ±10 %. 0 to 1; default 0."},
		},
	}
}

// headers are HTTP headers as a JSON object that keeps their order.
type headers []bellwire.Header

// Schema is an object of strings.
func (headers) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type:                 huma.TypeObject,
		AdditionalProperties: &huma.Schema{Type: huma.TypeString},
	}
}

// MarshalJSONTo writes the headers. The values of one name are joined by commas (RFC 9110, 5.3).
func (hs headers) MarshalJSONTo(enc *jsontext.Encoder) error {
	if err := enc.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	seen := map[string]bool{}
	for i, h := range hs {
		if seen[h.Name] {
			continue
		}
		seen[h.Name] = true
		if err := enc.WriteToken(jsontext.String(h.Name)); err != nil {
			return err
		}
		if err := enc.WriteToken(jsontext.String(strings.Join(hs[i:].values(h.Name), ", "))); err != nil {
			return err
		}
	}
	return enc.WriteToken(jsontext.EndObject)
}

func (hs headers) values(name string) []string {
	var values []string
	for _, h := range hs {
		if h.Name == name {
			values = append(values, strings.ToValidUTF8(h.Value, "\uFFFD"))
		}
	}
	return values
}

// UnmarshalJSONFrom parses what MarshalJSONTo writes.
func (hs *headers) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != '{' {
		return bellwire.Invalid("", "must be an object of names and values")
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	*hs = headers{}
	for dec.PeekKind() != '}' {
		var h bellwire.Header
		if err := json.UnmarshalDecode(dec, &h.Name); err != nil {
			return err
		}
		if err := json.UnmarshalDecode(dec, &h.Value); err != nil {
			return err
		}
		*hs = append(*hs, h)
	}
	_, err := dec.ReadToken()
	return err
}
