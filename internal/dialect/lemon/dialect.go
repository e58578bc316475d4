// Package lemon is the dialect of lemon.markets' webhooks: signed messages that are also the elements of the list of
// events, which receivers read to make up for what they have missed. README.md states its contract.
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

// Catalogue is lemon.markets' event types, as package internal/catalogue reads them.
//
//go:embed catalogue.json
var Catalogue []byte

// timeout is within which the vendor wants its answer.
const timeout = 10 * time.Second

// SignatureHeader carries the time of an attempt and its signature.
const SignatureHeader = "LMG-Signature"

// Dialect is lemon.markets' webhooks.
type Dialect struct {
	// StrictAck takes the status 200 alone as acknowledged, to the letter of the vendor's guide, and no other 2xx.
	StrictAck bool
}

var _ bellwire.Dialect = Dialect{}

// Name returns Name.
func (Dialect) Name() string { return Name }

// Defaults returns a doubling delay for a day, which is ours: lemon.markets does not publish its own.
func (Dialect) Defaults() bellwire.Defaults {
	return bellwire.Defaults{
		Retry: bellwire.RetryPolicy{
			Initial: bellwire.Duration(time.Minute), Factor: 2,
			MaxInterval: bellwire.Duration(time.Hour), MaxElapsed: bellwire.Duration(24 * time.Hour),
		},
		Timeout: timeout,
	}
}

// NewEndpointID makes an id of "wbh_" and 32 hex digits.
func (Dialect) NewEndpointID(now time.Time) string { return newID("wbh_", now) }

// newID makes an id of a prefix and the 32 hex digits of a UUIDv7.
func newID(prefix string, now time.Time) string {
	id := bellwire.NewUUID(now)
	return prefix + hex.EncodeToString(id[:])
}

// NewSecret makes 64 hex digits.
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
		return bellwire.Invalid("secret", "It must be %d lower-case hex digits.", 2*sign.LemonSecretBytes)
	}
	return nil
}

// Normalize refuses wildcards, which lemon.markets has not, and what would collide with the signature.
func (Dialect) Normalize(ep *bellwire.Endpoint, c *bellwire.Credentials, _ func(string) string) error {
	if err := bellwire.CheckSingleSigning(Name, ep.Signing); err != nil {
		return err
	}
	for i, pattern := range ep.Events {
		if strings.HasSuffix(pattern, "*") {
			return bellwire.Invalid(fmt.Sprintf("events[%d]", i), "The dialect %s has no wildcards; name each event type.", Name)
		}
	}
	if err := bellwire.CheckOwnHeaders(Name, c, SignatureHeader); err != nil {
		return err
	}
	_, err := newMAC(c)
	return err
}

// Headers are none: what is sent is signed.
func (Dialect) Headers(*bellwire.Credentials) []bellwire.Header { return nil }

// Bind prepares the endpoint's secret.
func (d Dialect) Bind(_ *bellwire.Endpoint, c *bellwire.Credentials) (bellwire.Renderer, error) {
	mac, err := newMAC(c)
	if err != nil {
		return nil, err
	}
	return &renderer{mac: mac, strictAck: d.StrictAck}, nil
}

// newMAC prepares the newest secret. It alone signs while an older one overlaps: the header has room for one signature.
func newMAC(c *bellwire.Credentials) (*sign.MAC, error) {
	if len(c.Secrets) == 0 {
		return nil, bellwire.Invalid("secret", "The endpoint has no secret. Rotate its secret.")
	}
	mac, err := sign.NewLemonMAC(c.Secrets[0].Value)
	if err != nil {
		return nil, &bellwire.Error{Code: bellwire.CodeInvalid, Field: "secret", Message: "The endpoint's secret cannot sign. Rotate it.", Err: err}
	}
	return mac, nil
}
