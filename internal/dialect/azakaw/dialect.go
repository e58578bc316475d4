// Package azakaw is the dialect of azakaw's webhooks: configurations of a tenant that each receive all of its events as
// flat JSON objects. README.md states its contract, and what of it is azakaw's.
package azakaw

import (
	_ "embed"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Name is the dialect's name in the API and in the database.
const Name = "azakaw"

// Catalogue is azakaw's event types, as package internal/catalogue reads them.
//
//go:embed catalogue.json
var Catalogue []byte

// What a configuration gets that does not say otherwise.
const (
	defaultRetryCount    = 3
	defaultRetryInterval = time.Minute
	timeout              = 10 * time.Second
)

// What the dialect keeps in Endpoint.Extra: the two parts that the URL is joined of.
const (
	extraBase = "webhookBaseUrl"
	extraPath = "webhookRelativePath"
)

// Dialect is azakaw's webhooks.
type Dialect struct{}

var _ bellwire.Dialect = Dialect{}

// Name returns Name.
func (Dialect) Name() string { return Name }

// Defaults returns the retries that a configuration has which does not name any.
func (Dialect) Defaults() bellwire.Defaults {
	return bellwire.Defaults{
		Retry:   bellwire.RetryPolicy{Interval: bellwire.Duration(defaultRetryInterval), Count: defaultRetryCount},
		Timeout: timeout,
	}
}

// NewEndpointID makes a UUID.
func (Dialect) NewEndpointID(now time.Time) string { return uuid.UUID(bellwire.NewUUID(now)).String() }

// NewSecret makes none: deliveries are not signed.
func (Dialect) NewSecret(bellwire.Signing) (bellwire.Secret, error) { return bellwire.Secret{}, nil }

// PublicKey returns nothing: deliveries are not signed with a key pair.
func (Dialect) PublicKey(bellwire.Secret) string { return "" }

// CheckSecret refuses every secret, because none would be used.
func (Dialect) CheckSecret(string) error {
	return bellwire.Invalid("secret", "The dialect %s signs nothing; use auth.", Name)
}

// Normalize refuses what AuthType has no word for, and splits a URL that was not given in two parts.
func (Dialect) Normalize(ep *bellwire.Endpoint, c *bellwire.Credentials, _ func(string) string) error {
	if err := bellwire.CheckSingleSigning(Name, ep.Signing); err != nil {
		return err
	}
	if c.Auth.Type == bellwire.AuthBearer {
		return bellwire.Invalid("auth.type", "The dialect %s knows none, api_key and basic.", Name)
	}
	if join(ep.Extra[extraBase], ep.Extra[extraPath]) != ep.URL {
		base, path := split(ep.URL)
		ep.Extra = map[string]string{extraBase: base, extraPath: path}
	}
	return nil
}

// Headers are none beside those of the endpoint's authentication.
func (Dialect) Headers(*bellwire.Credentials) []bellwire.Header { return nil }

// Bind returns a renderer, which is the same for all endpoints.
func (Dialect) Bind(*bellwire.Endpoint, *bellwire.Credentials) (bellwire.Renderer, error) {
	return renderer{}, nil
}

// join makes the URL: with one slash between the two parts, and not by the rules for relative references, which would
// drop the last part of https://example.com/api before /webhook/events.
func join(base, path string) string {
	if path == "" {
		return base
	}
	return strings.TrimRight(base, "/") + "/" + strings.TrimLeft(path, "/")
}

// split takes a URL apart behind its host, if the parts join to the same again.
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
