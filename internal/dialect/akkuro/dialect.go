// Package akkuro is the dialect of Akkuro Lending's webhooks: one registration for each event, managed below the event's
// functional group, and deliveries that prove where they come from by a token. README.md states its contract, and what of
// it is Akkuro's.
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

// Catalogue is those of Akkuro's event types that are known, as package internal/catalogue reads them.
//
//go:embed catalogue.json
var Catalogue []byte

const (
	timeout    = 10 * time.Second
	tokenBytes = 32
)

// tokenHeader carries the token. It is a canonical key of http.Header.
const tokenHeader = "X-Event-Token"

// extraPath is where Endpoint.Extra keeps the path below which an endpoint is managed. It is kept because it is part of what
// is delivered: a path that was told stays good when the catalogue moves the event type to another group.
const extraPath = "path"

// Dialect is Akkuro's webhooks. All fields may be left out.
type Dialect struct {
	PublicURL string          // where clients reach this server, without a slash at its end
	Tokens    *token.Verifier // verifies callers' JSON Web Tokens; nil: only tenants' keys are accepted
	Strict    bool            // request bodies must be declared as application/json
	// Versions are the versions of the API that clients may ask for, each valid for CheckVersion. Default: DefaultVersion.
	Versions []string
}

var _ bellwire.Dialect = Dialect{}

// Name returns Name.
func (Dialect) Name() string { return Name }

// Defaults returns Bellwire's own retries, because Akkuro documents none.
func (Dialect) Defaults() bellwire.Defaults {
	return bellwire.Defaults{Retry: bellwire.StandardRetryPolicy(), Timeout: timeout}
}

// NewEndpointID makes 24 hex digits in the form of MongoDB's ObjectId: four bytes of the time in seconds, then eight that
// no other id has.
func (Dialect) NewEndpointID(now time.Time) string {
	var id [12]byte
	binary.BigEndian.PutUint32(id[:4], uint32(now.Unix()))
	rand.Read(id[4:]) // never fails
	return hex.EncodeToString(id[:])
}

// NewSecret makes a token.
func (Dialect) NewSecret(bellwire.Signing) (bellwire.Secret, error) {
	var token [tokenBytes]byte
	rand.Read(token[:]) // never fails
	return bellwire.Secret{Value: base64.StdEncoding.EncodeToString(token[:])}, nil
}

// PublicKey returns nothing: deliveries are not signed with a key pair.
func (Dialect) PublicKey(bellwire.Secret) string { return "" }

// CheckSecret refuses what is not the base64, with padding, of 32 bytes.
func (Dialect) CheckSecret(value string) error {
	raw, err := base64.StdEncoding.DecodeString(value)
	// The decoder alone passes over line breaks and spare bits.
	if err != nil || len(raw) != tokenBytes || base64.StdEncoding.EncodeToString(raw) != value {
		return bellwire.Invalid("secret", "It must be the base64, with padding, of %d random bytes.", tokenBytes)
	}
	return nil
}

// Normalize refuses endpoints that are not for one event of a functional group, and keeps where they are managed.
func (Dialect) Normalize(ep *bellwire.Endpoint, c *bellwire.Credentials, groupOf func(string) string) error {
	if err := bellwire.CheckSingleSigning(Name, ep.Signing); err != nil {
		return err
	}
	if err := bellwire.CheckOwnHeaders(Name, c, tokenHeader); err != nil {
		return err
	}
	if len(ep.Events) != 1 || strings.HasSuffix(ep.Events[0], "*") {
		return bellwire.Invalid("events", "An endpoint of the dialect %s is for one event, which it names; make one for each event.", Name)
	}
	event := ep.Events[0]
	if strings.HasSuffix(ep.Extra[extraPath], pathOf("", event)) {
		return nil
	}
	group := groupOf(event)
	if !segment(group) || !segment(event) {
		return bellwire.Invalid("events[0]",
			"The dialect %s has the event type's group in its paths; give %q a group of letters, digits and hyphens.", Name, event)
	}
	ep.Extra = map[string]string{extraPath: pathOf(group, event)}
	return nil
}

// segment tells whether a text can be a segment of a path as it is.
func segment(text string) bool {
	return text != "" && text != "." && text != ".." && url.PathEscape(text) == text
}

// pathOf is the path below which an event's endpoints are managed.
func pathOf(group, event string) string { return group + "/events/" + event }

// Headers carry the token: the newest, because there is room for one only.
func (Dialect) Headers(c *bellwire.Credentials) []bellwire.Header {
	if len(c.Secrets) == 0 {
		return nil // and Bind refuses
	}
	return []bellwire.Header{{Name: tokenHeader, Value: c.Secrets[0].Value}}
}

// Bind prepares what is the same in all bodies for an endpoint.
func (d Dialect) Bind(ep *bellwire.Endpoint, c *bellwire.Credentials) (bellwire.Renderer, error) {
	if len(c.Secrets) == 0 {
		return nil, bellwire.Invalid("secret", "The endpoint has no token. Rotate its secret.")
	}
	return d.renderer(ep.Extra[extraPath], ep.ID)
}
