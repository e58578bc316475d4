// Package azakaw is the dialect of azakaw's webhooks. Each configuration of a tenant gets all of the tenant's events as flat
// JSON objects. README.md is its contract, and says which parts are azakaw's.
package azakaw

import (
	_ "embed"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/token"
)

// Name is the dialect's name in the API and in the database.
const Name = "azakaw"

// Catalogue is a catalogue file (package internal/catalogue) of azakaw's event types.
//
//go:embed catalogue.json
var Catalogue []byte

// Defaults of a configuration. azakaw does not document its own.
const (
	defaultRetryCount    = 3
	defaultRetryInterval = time.Minute
	timeout              = 10 * time.Second
)

// Keys of Endpoint.Extra, for the two parts of the URL.
const (
	extraBase = "webhookBaseUrl"
	extraPath = "webhookRelativePath"
)

// Dialect is azakaw's webhooks.
type Dialect struct {
	Tokens *token.Verifier // verifies callers' JSON Web Tokens; nil: only tenants' keys are accepted
}

var _ bellwire.Dialect = Dialect{}

// Name returns Name.
func (Dialect) Name() string { return Name }

// Defaults returns the retry policy of a configuration that has none of its own.
func (Dialect) Defaults() bellwire.Defaults {
	return bellwire.Defaults{
		Retry:   bellwire.RetryPolicy{Interval: bellwire.Duration(defaultRetryInterval), Count: defaultRetryCount},
		Timeout: timeout,
	}
}

// NewEndpointID returns a UUIDv7.
func (Dialect) NewEndpointID(now time.Time) string { return uuid.UUID(bellwire.NewUUID(now)).String() }

// NewSecret returns none: deliveries are not signed.
func (Dialect) NewSecret(bellwire.Signing) (bellwire.Secret, error) { return bellwire.Secret{}, nil }

// PublicKey returns nothing: deliveries are not signed with a key pair.
func (Dialect) PublicKey(bellwire.Secret) string { return "" }

// CheckSecret refuses every secret: deliveries are not signed.
func (Dialect) CheckSecret(string) error {
	return bellwire.Invalid("secret", "must not be set, because the dialect %s does not sign; use auth", Name)
}

// Normalize refuses what AuthType cannot express, and splits a URL that was given as a whole.
func (Dialect) Normalize(ep *bellwire.Endpoint, c *bellwire.Credentials, _ func(string) string) error {
	if err := bellwire.CheckSingleSigning(Name, ep.Signing); err != nil {
		return err
	}
	if c.Auth.Type == bellwire.AuthBearer {
		return bellwire.Invalid("auth.type", "must be none, api_key or basic for the dialect %s", Name)
	}
	if join(ep.Extra[extraBase], ep.Extra[extraPath]) != ep.URL {
		base, path := split(ep.URL)
		ep.Extra = map[string]string{extraBase: base, extraPath: path}
	}
	return nil
}

// Headers returns none: the endpoint's authentication sets its own.
func (Dialect) Headers(*bellwire.Credentials) []bellwire.Header { return nil }

// Bind returns a renderer. It is the same for all endpoints.
func (Dialect) Bind(*bellwire.Endpoint, *bellwire.Credentials) (bellwire.Renderer, error) {
	return renderer{}, nil
}

// join returns the URL of two parts, with one slash between them. It does not resolve the path as a relative reference: the
// seed's example joins https://example.com/api and /webhook/events, and keeps /api.
func join(base, path string) string {
	if path == "" {
		return base
	}
	return strings.TrimRight(base, "/") + "/" + strings.TrimLeft(path, "/")
}

// split splits a URL after its host. If the parts would not join to the same URL, the base is the whole URL.
func split(url string) (base, path string) {
	scheme := strings.Index(url, "://") + len("://")
	end := strings.IndexByte(url[scheme:], '/')
	if end < 0 {
		return url, ""
	}
	base, path = url[:scheme+end], url[scheme+end:]
	if join(base, path) != url || strings.Contains(base, "?") {
		return url, ""
	}
	return base, path
}
