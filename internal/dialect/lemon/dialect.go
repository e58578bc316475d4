// Package lemon is the dialect of lemon.markets' webhooks. A delivery is a signed event, and the list of events has the same
// bytes, so that receivers can fetch what they missed. README.md is its contract, and says which parts are lemon.markets'.
package lemon

import (
	"crypto/rand"
	_ "embed"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/receive/sign"
)

// Name is the dialect's name in the API and in the database.
const Name = "lemon"

// Catalogue is a catalogue file (package internal/catalogue) of lemon.markets' event types.
//
//go:embed catalogue.json
var Catalogue []byte

// timeout is the vendor's: receivers must answer within 10 seconds.
const timeout = 10 * time.Second

// SignatureHeader has the time of the attempt and the signature.
const SignatureHeader = "LMG-Signature"

// Dialect is lemon.markets' webhooks.
type Dialect struct {
	// StrictAck acknowledges the status 200 only, as the vendor's guide has it, and no other 2xx.
	StrictAck bool
}

var _ bellwire.Dialect = Dialect{}

// Name returns Name.
func (Dialect) Name() string { return Name }

// Defaults returns delays that double for a day. lemon.markets does not document its own schedule.
func (Dialect) Defaults() bellwire.Defaults {
	return bellwire.Defaults{
		Retry: bellwire.RetryPolicy{
			Initial: bellwire.Duration(time.Minute), Factor: 2,
			MaxInterval: bellwire.Duration(time.Hour), MaxElapsed: bellwire.Duration(24 * time.Hour),
		},
		Timeout: timeout,
	}
}

// NewEndpointID returns "wbh_" and 32 hex digits.
func (Dialect) NewEndpointID(now time.Time) string { return newID("wbh_", now) }

// newID returns the prefix and the 32 hex digits of a UUIDv7.
func newID(prefix string, now time.Time) string {
	id := bellwire.NewUUID(now)
	return prefix + hex.EncodeToString(id[:])
}

// NewSecret returns 64 hex digits.
func (Dialect) NewSecret(bellwire.Signing) (bellwire.Secret, error) {
	secret := make([]byte, sign.LemonSecretBytes)
	rand.Read(secret) // never fails
	return bellwire.Secret{Value: hex.EncodeToString(secret)}, nil
}

// PublicKey returns nothing: deliveries are not signed with a key pair.
func (Dialect) PublicKey(bellwire.Secret) string { return "" }

// CheckSecret refuses what is not 64 lower-case hex digits.
func (Dialect) CheckSecret(value string) error {
	if _, err := sign.NewLemonMAC(value); err != nil {
		return bellwire.Invalid("secret", "must be %d lower-case hex digits", 2*sign.LemonSecretBytes)
	}
	return nil
}

// CheckImportedSecret takes any text, because the key is the text itself.
func (Dialect) CheckImportedSecret(value string) error {
	return bellwire.CheckTextSecret(value, "64 lower-case hex digits")
}

// Normalize refuses wildcards, which lemon.markets does not have, other signing schemes, and endpoints whose own headers
// include LMG-Signature.
func (Dialect) Normalize(ep *bellwire.Endpoint, c *bellwire.Credentials, _ func(string) string) error {
	if err := bellwire.CheckSingleSigning(Name, ep.Signing); err != nil {
		return err
	}
	for i, pattern := range ep.Events {
		if strings.HasSuffix(pattern, "*") {
			return bellwire.Invalid(fmt.Sprintf("events[%d]", i), "must name one event type, because the dialect %s has no wildcards", Name)
		}
	}
	if err := bellwire.CheckOwnHeaders(Name, c, SignatureHeader); err != nil {
		return err
	}
	_, err := newMAC(c)
	return err
}

// Headers returns none: deliveries are signed.
func (Dialect) Headers(*bellwire.Credentials) []bellwire.Header { return nil }

// Bind returns a renderer that signs with the newest secret.
func (d Dialect) Bind(_ *bellwire.Endpoint, c *bellwire.Credentials) (bellwire.Renderer, error) {
	mac, err := newMAC(c)
	if err != nil {
		return nil, err
	}
	return &renderer{mac: mac, strictAck: d.StrictAck}, nil
}

// newMAC returns the MAC of the newest secret. Older secrets do not sign, even before they expire: the header has room for
// one signature.
func newMAC(c *bellwire.Credentials) (*sign.MAC, error) {
	if len(c.Secrets) == 0 {
		return nil, bellwire.Invalid("secret", "is missing; rotate the secret of the endpoint")
	}
	if c.Secrets[0].Imported {
		return sign.NewMAC([]byte(c.Secrets[0].Value)), nil
	}
	mac, err := sign.NewLemonMAC(c.Secrets[0].Value)
	if err != nil {
		return nil, &bellwire.Error{Code: bellwire.CodeInvalid, Field: "secret", Message: "cannot sign; rotate the secret of the endpoint", Err: err}
	}
	return mac, nil
}
