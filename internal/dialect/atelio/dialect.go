// Package atelio is the dialect of Atelio's webhooks (formerly Bond): subscriptions to events that arrive as flat JSON
// objects, in the form and with the signature that its Python has. README.md states its contract, and what of it is
// Atelio's.
package atelio

import (
	"crypto/rand"
	_ "embed"
	"time"

	"github.com/google/uuid"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/receive/sign"
)

// Name is the dialect's name in the API and in the database.
const Name = "atelio"

// Catalogue is Atelio's event types, as package internal/catalogue reads them.
//
//go:embed catalogue.json
var Catalogue []byte

// secretBytes is how many random bytes a secret stands for: 32 characters of base64, without padding.
const secretBytes = 24

// timeout is the deadline of one attempt. Atelio names none.
const timeout = 10 * time.Second

// signatureHeader carries what proves where a delivery comes from, in Go's spelling of header names.
const signatureHeader = "Bond-Signature"

// Dialect is Atelio's webhooks.
type Dialect struct {
	// ExpandWildcards stores the event types that a wildcard matches when it is written, instead of the wildcard. The
	// endpoint then does not subscribe to event types that are added later.
	ExpandWildcards bool
}

var _ bellwire.Dialect = Dialect{}

// Name returns Name.
func (Dialect) Name() string { return Name }

// Defaults returns a policy of eight retries within three days: after 1, 3, 9, 27, 81, 243, 729 and 2187 minutes.
func (Dialect) Defaults() bellwire.Defaults {
	return bellwire.Defaults{
		Retry: bellwire.RetryPolicy{
			Initial: bellwire.Duration(time.Minute), Factor: 3, MaxElapsed: bellwire.Duration(72 * time.Hour),
		},
		Timeout: timeout,
	}
}

// NewEndpointID makes a random UUID.
func (Dialect) NewEndpointID(time.Time) string { return uuid.NewString() }

// NewSecret makes "whsec_" and the base64 of 24 random bytes.
func (Dialect) NewSecret(bellwire.Signing) (bellwire.Secret, error) {
	raw := make([]byte, secretBytes)
	rand.Read(raw) // never fails
	return bellwire.Secret{Value: sign.FormatSecret(raw)}, nil
}

// PublicKey returns nothing: deliveries are not signed with a key pair.
func (Dialect) PublicKey(bellwire.Secret) string { return "" }

// CheckSecret refuses what NewSecret could not have made.
func (Dialect) CheckSecret(value string) error {
	if raw, err := sign.ParseSecret(value); err != nil || len(raw) != secretBytes {
		return bellwire.Invalid("secret", `It must be "whsec_" and the base64 of %d random bytes, which are 32 characters.`, secretBytes)
	}
	return nil
}

// Normalize refuses other signatures, and endpoints that would set the signature's header themselves.
func (Dialect) Normalize(ep *bellwire.Endpoint, c *bellwire.Credentials, _ func(string) string) error {
	if err := bellwire.CheckSingleSigning(Name, ep.Signing); err != nil {
		return err
	}
	return bellwire.CheckOwnHeaders(Name, c, signatureHeader)
}

// Headers are none: what is sent is signed.
func (Dialect) Headers(*bellwire.Credentials) []bellwire.Header { return nil }

// Bind prepares the newest secret. The header has room for one signature of each version, so that an older secret that
// has not expired does not sign.
func (Dialect) Bind(_ *bellwire.Endpoint, c *bellwire.Credentials) (bellwire.Renderer, error) {
	if len(c.Secrets) == 0 {
		return nil, bellwire.Invalid("secret", "The endpoint has no secret. Rotate its secret.")
	}
	return &renderer{mac: sign.NewMAC([]byte(c.Secrets[0].Value))}, nil
}
