// Package sign computes and verifies the signatures of deliveries, and parses their keys.
//
// Bellwire signs with it, and package receive verifies with it. Programs that receive deliveries use package receive;
// their tests can sign deliveries of their own with this one.
package sign

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"strings"
)

// The prefixes of keys in Standard Webhooks
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, "Signature scheme").
const (
	SecretPrefix     = "whsec_"
	PrivateKeyPrefix = "whsk_"
	PublicKeyPrefix  = "whpk_"
)

// The bounds on the length of a shared secret in bytes, by the same specification.
const (
	MinSecret = 24
	MaxSecret = 64
)

// The bounds on the length of a secret that another system made, in bytes.
const (
	MinImportedSecret = 8
	MaxImportedSecret = 512
)

// The errors of malformed keys. They never contain the key.
var (
	ErrSecret     = errors.New(`secret must be "whsec_" followed by the base64 of 24 to 64 bytes`)
	ErrImported   = errors.New("secret must be 8 to 512 printable ASCII characters, without a space at its ends")
	ErrPrivateKey = errors.New(`private key must be "whsk_" followed by the base64 of an ed25519 private key of 64 bytes or its seed of 32 bytes`)
	ErrPublicKey  = errors.New(`public key must be "whpk_" followed by the base64 of an ed25519 public key of 32 bytes`)
)

// FormatSecret returns the text of a shared secret.
func FormatSecret(secret []byte) string { return format(SecretPrefix, secret) }

// ParseSecret parses the text of a shared secret. Its error is ErrSecret.
func ParseSecret(text string) ([]byte, error) {
	secret, ok := parse(SecretPrefix, text)
	if !ok || len(secret) < MinSecret || len(secret) > MaxSecret {
		return nil, ErrSecret
	}
	return secret, nil
}

// ParseAnySecret is ParseSecret that also takes a secret of another system, which Bellwire has imported: it can be shorter or longer,
// and its base64 can lack its padding. Its error is ErrSecret.
func ParseAnySecret(text string) ([]byte, error) {
	encoded, prefixed := strings.CutPrefix(text, SecretPrefix)
	encoded = strings.TrimRight(encoded, "=")
	secret, err := base64.RawStdEncoding.DecodeString(encoded)
	if !prefixed || err != nil || base64.RawStdEncoding.EncodeToString(secret) != encoded ||
		len(secret) < MinImportedSecret || len(secret) > MaxImportedSecret {
		return nil, ErrSecret
	}
	return secret, nil
}

// NewTextMAC returns a MAC for a secret that another system made, and of which the text is the key. Its error is ErrImported.
func NewTextMAC(secret string) (*MAC, error) {
	unprintable := strings.ContainsFunc(secret, func(r rune) bool { return r < ' ' || r > '~' })
	if unprintable || strings.TrimSpace(secret) != secret || len(secret) < MinImportedSecret || len(secret) > MaxImportedSecret {
		return nil, ErrImported
	}
	return NewMAC([]byte(secret)), nil
}

// FormatPrivateKey returns the text of an ed25519 private key, which has its seed and its public key.
func FormatPrivateKey(key ed25519.PrivateKey) string { return format(PrivateKeyPrefix, key) }

// ParsePrivateKey parses the text of an ed25519 private key, or of its seed alone, which the reference libraries of
// Standard Webhooks use. Its error is ErrPrivateKey.
func ParsePrivateKey(text string) (ed25519.PrivateKey, error) {
	raw, ok := parse(PrivateKeyPrefix, text)
	if !ok || len(raw) != ed25519.SeedSize && len(raw) != ed25519.PrivateKeySize {
		return nil, ErrPrivateKey
	}
	key := ed25519.NewKeyFromSeed(raw[:ed25519.SeedSize])
	// Signing with a public key that does not belong to the seed reveals the seed.
	if len(raw) == ed25519.PrivateKeySize && !key.Equal(ed25519.PrivateKey(raw)) {
		return nil, ErrPrivateKey
	}
	return key, nil
}

// FormatPublicKey returns the text of an ed25519 public key.
func FormatPublicKey(key ed25519.PublicKey) string { return format(PublicKeyPrefix, key) }

// ParsePublicKey parses the text of an ed25519 public key. Its error is ErrPublicKey.
func ParsePublicKey(text string) (ed25519.PublicKey, error) {
	raw, ok := parse(PublicKeyPrefix, text)
	if !ok || len(raw) != ed25519.PublicKeySize {
		return nil, ErrPublicKey
	}
	return ed25519.PublicKey(raw), nil
}

// PublicKeyOf returns the text of the public key that belongs to a private key, given as text. Its error is
// ErrPrivateKey.
func PublicKeyOf(privateKey string) (string, error) {
	key, err := ParsePrivateKey(privateKey)
	if err != nil {
		return "", err
	}
	return FormatPublicKey(key.Public().(ed25519.PublicKey)), nil
}

func format(prefix string, raw []byte) string {
	return prefix + base64.StdEncoding.EncodeToString(raw)
}

// parse parses what format returns, and refuses other texts that decode to the same bytes: the decoder ignores line
// breaks and trailing bits, which other libraries refuse.
func parse(prefix, text string) ([]byte, bool) {
	encoded, ok := strings.CutPrefix(text, prefix)
	if !ok || len(encoded) > base64.StdEncoding.EncodedLen(MaxSecret) {
		return nil, false
	}
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || format(prefix, raw) != text {
		return nil, false
	}
	return raw, true
}
