package bellwire

import "time"

// DialectSettings are the settings of a dialect, for all tenants or for one. A zero field is not set: a tenant's falls back to
// that for all tenants, and this one to the dialect's own. No field shows a secret.
type DialectSettings struct {
	// Of new endpoints that have none of their own.
	Retry        *RetryPolicy `json:"retry,omitempty"`
	Timeout      Duration     `json:"timeout,omitempty"`
	APIKeyHeader string       `json:"api_key_header,omitempty"` // that has the API key, where the vendor's customers do not name it

	// Auth is the authentication of new endpoints that have none of their own, of one tenant only. What is stored is without its
	// secrets, which SealedAuth has; see SealedSecret.
	Auth       *Auth  `json:"auth,omitempty"`
	SealedAuth []byte `json:"sealed_auth,omitempty"`

	// Of all deliveries.
	UserAgent string            `json:"user_agent,omitempty"`
	Headers   map[string]string `json:"headers,omitzero"` // by name; an endpoint's own come first

	// IgnoreReadOnly lets customers send back what the vendor's API has shown, with the fields that cannot be changed.
	IgnoreReadOnly *bool `json:"ignore_read_only,omitempty"`
}

// Over returns s with the fields of base where s has none.
func (s DialectSettings) Over(base DialectSettings) DialectSettings {
	if s.Retry == nil {
		s.Retry = base.Retry
	}
	if s.Timeout == 0 {
		s.Timeout = base.Timeout
	}
	if s.APIKeyHeader == "" {
		s.APIKeyHeader = base.APIKeyHeader
	}
	if s.UserAgent == "" {
		s.UserAgent = base.UserAgent
	}
	if s.Headers == nil {
		s.Headers = base.Headers
	}
	if s.IgnoreReadOnly == nil {
		s.IgnoreReadOnly = base.IgnoreReadOnly
	}
	return s
}

// Defaults returns the settings of an endpoint that has none of its own, in a dialect with the given ones.
func (s *DialectSettings) Defaults(d Defaults) Defaults {
	if d.Timeout == 0 {
		d.Timeout = DefaultTimeout
	}
	if s == nil {
		return d
	}
	if s.Retry != nil {
		d.Retry = *s.Retry
	}
	if s.Timeout > 0 {
		d.Timeout = time.Duration(s.Timeout)
	}
	return d
}

// SettingsByDialect are the settings of dialects, by name.
type SettingsByDialect map[string]*DialectSettings

// Of returns the settings of a dialect, nil if none is set.
func (s *SettingsByDialect) Of(dialect string) *DialectSettings {
	if s == nil {
		return nil
	}
	return (*s)[dialect]
}

// MaxUserAgent is the maximum length of a user agent, in bytes.
const MaxUserAgent = 256
