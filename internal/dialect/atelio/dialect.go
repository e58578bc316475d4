// Package atelio is the dialect of Atelio's webhooks (formerly Bond's). A subscription has one URL and several events. A
// delivery is a flat JSON object in the form of Python's json.dumps, with the header Bond-Signature. README.md is its
// contract, and says which parts are Atelio's.
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

// Catalogue is a catalogue file (package internal/catalogue) of Atelio's event types.
//
//go:embed catalogue.json
var Catalogue []byte

// secretBytes is the number of random bytes in a secret: 32 characters of base64, without padding.
const secretBytes = 24

// timeout is the deadline of one attempt. Atelio does not document one.
const timeout = 10 * time.Second

// signatureHeader is a canonical key of http.Header.
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

// Defaults returns eight retries within three days, after 1, 3, 9, 27, 81, 243, 729 and 2187 minutes. Atelio documents the
// number and the three days.
func (Dialect) Defaults() bellwire.Defaults {
	return bellwire.Defaults{
		Retry: bellwire.RetryPolicy{
			Initial: bellwire.Duration(time.Minute), Factor: 3, MaxElapsed: bellwire.Duration(72 * time.Hour),
		},
		Timeout: timeout,
	}
}

// NewEndpointID returns a random UUID.
func (Dialect) NewEndpointID(time.Time) string { return uuid.NewString() }

// NewSecret returns "whsec_" and the base64 of 24 random bytes.
func (Dialect) NewSecret(bellwire.Signing) (bellwire.Secret, error) {
	raw := make([]byte, secretBytes)
	rand.Read(raw) // never fails
	return bellwire.Secret{Value: sign.FormatSecret(raw)}, nil
}

// PublicKey returns nothing: deliveries are not signed with a key pair.
func (Dialect) PublicKey(bellwire.Secret) string { return "" }

// CheckSecret refuses a secret that is not of the form of NewSecret.
func (Dialect) CheckSecret(value string) error {
	if raw, err := sign.ParseSecret(value); err != nil || len(raw) != secretBytes {
		return bellwire.Invalid("secret", `must be "whsec_" and 32 characters of base64 (%d random bytes)`, secretBytes)
	}
	return nil
}

// CheckImportedSecret takes any text, because the key is the text itself.
func (Dialect) CheckImportedSecret(value string) error {
	return bellwire.CheckTextSecret(value, `"whsec_" and 32 characters of base64`)
}

// Normalize refuses other signing schemes, and endpoints whose own headers include Bond-Signature.
func (Dialect) Normalize(ep *bellwire.Endpoint, c *bellwire.Credentials, _ func(string) string) error {
	if err := bellwire.CheckSingleSigning(Name, ep.Signing); err != nil {
		return err
	}
	return bellwire.CheckOwnHeaders(Name, c, signatureHeader)
}

// Headers returns none: deliveries are signed.
func (Dialect) Headers(*bellwire.Credentials) []bellwire.Header { return nil }

// Bind returns a renderer that signs with the newest secret. Older secrets do not sign, even before they expire: the header
// has room for one signature of each version.
func (Dialect) Bind(_ *bellwire.Endpoint, c *bellwire.Credentials) (bellwire.Renderer, error) {
	if len(c.Secrets) == 0 {
		return nil, bellwire.Invalid("secret", "is missing; rotate the secret of the endpoint")
	}
	return &renderer{mac: sign.NewMAC([]byte(c.Secrets[0].Value))}, nil
}
