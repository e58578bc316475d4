// Package standard is the dialect of Standard Webhooks (https://www.standardwebhooks.com), the default of endpoints that are
// created with the native API. README.md is its contract.
package standard

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/receive/sign"
)

// Name is the dialect's name in the API and in the database.
const Name = "standard"

// newSecretBytes is the length of a new secret: that of the hash that it keys.
const newSecretBytes = 32

// overlap is how long a rotated secret still signs by default.
const overlap = 24 * time.Hour

// Dialect is Standard Webhooks.
type Dialect struct{}

var _ bellwire.Dialect = Dialect{}

// Name returns Name.
func (Dialect) Name() string { return Name }

// Defaults returns the retry schedule that Standard Webhooks recommends.
func (Dialect) Defaults() bellwire.Defaults {
	return bellwire.Defaults{
		Retry: bellwire.StandardRetryPolicy(), Timeout: bellwire.DefaultTimeout, AutoDisableAfter: bellwire.DefaultAutoDisableAfter, Overlap: overlap,
	}
}

// NewEndpointID returns "ep_" and the 32 hex digits of a UUIDv7.
func (Dialect) NewEndpointID(now time.Time) string {
	id := bellwire.NewUUID(now)
	return "ep_" + hex.EncodeToString(id[:])
}

// NewSecret returns a shared secret, with an ed25519 key if the signing scheme needs one.
func (Dialect) NewSecret(signing bellwire.Signing) (bellwire.Secret, error) {
	if err := checkSigning(signing); err != nil {
		return bellwire.Secret{}, err
	}
	shared := make([]byte, newSecretBytes)
	rand.Read(shared) // never fails
	secret := bellwire.Secret{Value: sign.FormatSecret(shared)}
	if !asymmetric(signing) {
		return secret, nil
	}
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return bellwire.Secret{}, bellwire.Wrap(bellwire.CodeInternal, err, "cannot generate an ed25519 key")
	}
	secret.PrivateKey = sign.FormatPrivateKey(key)
	return secret, nil
}

// PublicKey returns the ed25519 public key of the secret's private key, if it has one.
func (Dialect) PublicKey(secret bellwire.Secret) string {
	key, err := sign.PublicKeyOf(secret.PrivateKey)
	if err != nil {
		return ""
	}
	return key
}

// CheckSecret refuses a secret that is not "whsec_" and the base64 of 24 to 64 bytes.
func (Dialect) CheckSecret(value string) error {
	if _, err := sign.ParseSecret(value); err != nil {
		return bellwire.Invalid("secret", `must be "whsec_" and the base64, with padding, of %d to %d random bytes`,
			sign.MinSecret, sign.MaxSecret)
	}
	return nil
}

// CheckImportedSecret refuses a secret that is not "whsec_" and the base64 of 8 to 512 bytes.
func (Dialect) CheckImportedSecret(value string) error {
	if _, err := parseSecret(&bellwire.Secret{Value: value, Imported: true}); err != nil {
		return bellwire.Invalid("secret", `must be "whsec_" and the base64 of %d to %d bytes; of a secret that is text, those are its bytes`,
			bellwire.MinImportedSecret, bellwire.MaxImportedSecret)
	}
	return nil
}

// Normalize refuses an endpoint whose deliveries cannot be signed. Everything else can be expressed.
func (Dialect) Normalize(ep *bellwire.Endpoint, c *bellwire.Credentials, _ func(string) string) error {
	_, err := newSigners(ep.Signing, c.Secrets)
	return err
}

// Headers returns none: deliveries are signed.
func (Dialect) Headers(*bellwire.Credentials) []bellwire.Header { return nil }

// Bind returns a renderer that signs with all secrets that have not expired.
func (Dialect) Bind(ep *bellwire.Endpoint, c *bellwire.Credentials) (bellwire.Renderer, error) {
	signers, err := newSigners(ep.Signing, c.Secrets)
	if err != nil {
		return nil, err
	}
	return &renderer{signers: signers}, nil
}

func checkSigning(signing bellwire.Signing) error {
	if !symmetric(signing) && !asymmetric(signing) {
		return bellwire.Invalid("signing", "must be hmac, ed25519 or both, but is %.32q", string(signing))
	}
	return nil
}

func symmetric(signing bellwire.Signing) bool {
	return signing == bellwire.SigningHMAC || signing == bellwire.SigningBoth
}

func asymmetric(signing bellwire.Signing) bool {
	return signing == bellwire.SigningEd25519 || signing == bellwire.SigningBoth
}
