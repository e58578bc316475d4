// Package akkuro is the dialect of Akkuro Lending's webhooks. Each endpoint has one event, and is managed under a path with
// the functional group of that event. A delivery has the endpoint's token in a header. README.md is its contract, and says
// which parts are Akkuro's.
package akkuro

import (
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"net/url"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/token"
)

// Name is the dialect's name in the API and in the database.
const Name = "akkuro"

// Catalogue is a catalogue file (package internal/catalogue) of the event types that Akkuro's public pages name.
//
//go:embed catalogue.json
var Catalogue []byte

const (
	timeout    = 10 * time.Second
	tokenBytes = 32
)

// tokenHeader has the token. It is a canonical key of http.Header.
const tokenHeader = "X-Event-Token"

// extraPath is the key of the endpoint's path in Endpoint.Extra. The path is stored because deliveries contain it: it must stay
// valid when the catalogue moves the event type to another group.
const extraPath = "path"

// Dialect is Akkuro's webhooks. All fields may be left out.
type Dialect struct {
	PublicURL string          // where clients reach this server, without a slash at its end
	Tokens    *token.Verifier // verifies callers' JSON Web Tokens; nil: only tenants' keys are accepted
	Strict    bool            // request bodies must be declared as application/json
	Provision bool            // a valid token for a tenant that does not exist creates it
	// Versions are the versions of the API that clients may ask for. Default: DefaultVersion.
	Versions []Version
}

var _ bellwire.Dialect = Dialect{}

// Name returns Name.
func (Dialect) Name() string { return Name }

// Defaults returns Bellwire's own retry policy. Akkuro does not document one.
func (Dialect) Defaults() bellwire.Defaults {
	return bellwire.Defaults{Retry: bellwire.StandardRetryPolicy(), Timeout: timeout}
}

// NewEndpointID returns an id in the form of MongoDB's ObjectId, as the vendor's are: the time in seconds and 8 random bytes,
// as 24 hex digits.
func (Dialect) NewEndpointID(now time.Time) string {
	var id [12]byte
	binary.BigEndian.PutUint32(id[:4], uint32(now.Unix()))
	rand.Read(id[4:]) // never fails
	return hex.EncodeToString(id[:])
}

// NewSecret returns a new token.
func (Dialect) NewSecret(bellwire.Signing) (bellwire.Secret, error) {
	var token [tokenBytes]byte
	rand.Read(token[:]) // never fails
	return bellwire.Secret{Value: base64.StdEncoding.EncodeToString(token[:])}, nil
}

// PublicKey returns nothing: deliveries are not signed with a key pair.
func (Dialect) PublicKey(bellwire.Secret) string { return "" }

// CheckSecret refuses a token that is not the base64, with padding, of 32 bytes.
func (Dialect) CheckSecret(value string) error {
	raw, err := base64.StdEncoding.DecodeString(value)
	// The decoder ignores line breaks and trailing bits.
	if err != nil || len(raw) != tokenBytes || base64.StdEncoding.EncodeToString(raw) != value {
		return bellwire.Invalid("secret", "must be the base64, with padding, of %d random bytes", tokenBytes)
	}
	return nil
}

// CheckImportedSecret takes any text that can be sent in a header.
func (Dialect) CheckImportedSecret(value string) error {
	return bellwire.CheckTextSecret(value, "the base64, with padding, of 32 bytes")
}

// Normalize refuses endpoints that are not for exactly one event of a functional group, and stores their path.
func (Dialect) Normalize(ep *bellwire.Endpoint, c *bellwire.Credentials, groupOf func(string) string) error {
	if err := bellwire.CheckSingleSigning(Name, ep.Signing); err != nil {
		return err
	}
	if err := bellwire.CheckOwnHeaders(Name, c, tokenHeader); err != nil {
		return err
	}
	if len(ep.Events) != 1 || strings.HasSuffix(ep.Events[0], "*") {
		return bellwire.Invalid("events", "must be one event type, because an endpoint of the dialect %s is for one; create an endpoint for each", Name)
	}
	event := ep.Events[0]
	if strings.HasSuffix(ep.Extra[extraPath], pathOf("", event)) {
		return nil
	}
	group := groupOf(event)
	if !segment(group) || !segment(event) {
		return bellwire.Invalid("events[0]",
			"must have a group of letters, digits and hyphens in the catalogue, which the paths of the dialect %s contain", Name)
	}
	ep.Extra = map[string]string{extraPath: pathOf(group, event)}
	return nil
}

// segment reports whether a text can be a path segment without escapes.
func segment(text string) bool {
	return text != "" && text != "." && text != ".." && url.PathEscape(text) == text
}

// pathOf returns the path of an event, under which its endpoints are managed.
func pathOf(group, event string) string { return group + "/events/" + event }

// Headers returns the newest token: there is room for one.
func (Dialect) Headers(c *bellwire.Credentials) []bellwire.Header {
	if len(c.Secrets) == 0 {
		return nil // Bind refuses the endpoint
	}
	return []bellwire.Header{{Name: tokenHeader, Value: c.Secrets[0].Value}}
}

// Bind returns a renderer for the endpoint.
func (d Dialect) Bind(ep *bellwire.Endpoint, c *bellwire.Credentials) (bellwire.Renderer, error) {
	if len(c.Secrets) == 0 {
		return nil, bellwire.Invalid("secret", "is missing; rotate the secret of the endpoint")
	}
	return d.renderer(ep.Extra[extraPath], ep.ID)
}
