package api

import (
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// dialectSettings are the settings of a dialect on the wire. Those that are not set are left out.
type dialectSettings struct {
	Retry          *settingsRetry    `json:"retry,omitzero" doc:"The retry policy of new endpoints that have none of their own."`
	Timeout        bellwire.Duration `json:"timeout,omitzero" example:"10s" doc:"How long an attempt may take, for new endpoints that have no timeout of their own: 1s to 60s."`
	APIKeyHeader   string            `json:"api_key_header,omitzero" example:"X-API-Key" doc:"The header of API keys of new endpoints, in dialects whose customers do not name it, such as azakaw."`
	Auth           *auth             `json:"auth,omitzero" doc:"The authentication of new endpoints that have none of their own. Its secrets are shown by exports only. If it is left out, or is as it is shown, it stays; the type none removes it."`
	UserAgent      string            `json:"user_agent,omitzero" maxLength:"256" example:"azakaw-webhooks/1.0" doc:"The User-Agent of all deliveries."`
	Headers        map[string]string `json:"headers,omitzero" doc:"Headers of all deliveries. Those of an endpoint come first. They are shown, so that they must not be secret."`
	IgnoreReadOnly *bool             `json:"ignore_read_only,omitzero" doc:"Whether the vendor's API ignores fields that cannot be changed, so that what it has shown can be sent back."`
}

// settingsRetry is a retryPolicy that is not the field retry of the body.
type settingsRetry struct{ retryPolicy }

// UnmarshalJSONFrom parses the policy. Its errors leave the field to the place in the body.
func (r *settingsRetry) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	err := json.UnmarshalDecode(dec, &r.RetryPolicy)
	known, ok := errors.AsType[*bellwire.Error](err)
	if !ok {
		return err
	}
	placed := *known
	placed.Field = ""
	return &placed
}

// dialectsSettings are the settings of dialects, by name. Null removes those of one.
type dialectsSettings map[string]*dialectSettings

func (d dialectsSettings) settings() bellwire.SettingsByDialect {
	if d == nil {
		return nil
	}
	given := make(bellwire.SettingsByDialect, len(d))
	for name, s := range d {
		if s == nil {
			given[name] = nil
			continue
		}
		given[name] = &bellwire.DialectSettings{
			Timeout: s.Timeout, APIKeyHeader: s.APIKeyHeader, UserAgent: s.UserAgent, Headers: s.Headers, IgnoreReadOnly: s.IgnoreReadOnly,
		}
		if s.Retry != nil {
			given[name].Retry = &s.Retry.RetryPolicy
		}
		if s.Auth != nil {
			given[name].Auth = s.Auth.auth()
		}
	}
	return given
}

func wireDialects(set bellwire.SettingsByDialect) dialectsSettings {
	shown := make(dialectsSettings, len(set))
	for name, s := range set {
		shown[name] = &dialectSettings{
			Timeout: s.Timeout, APIKeyHeader: s.APIKeyHeader, UserAgent: s.UserAgent, Headers: s.Headers, IgnoreReadOnly: s.IgnoreReadOnly,
		}
		if s.Retry != nil {
			shown[name].Retry = &settingsRetry{retryPolicy{*s.Retry}}
		}
		if a := s.Auth; a != nil {
			shown[name].Auth = &auth{Type: a.Type, Header: a.Header, Key: a.Key, Username: a.Username, Password: a.Password, Token: a.Token}
		}
	}
	return shown
}
