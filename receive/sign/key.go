// Package sign holds the signature schemes that deliveries are signed with, and the text forms of their
// keys. It is pure: no clock, no state, standard library only.
package sign

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"strings"
)

// The prefixes by which Standard Webhooks tells keys apart
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, "Signature scheme").
const (
	SecretPrefix     = "whsec_"
	PrivateKeyPrefix = "whsk_"
	PublicKeyPrefix  = "whpk_"
)

// How many bytes a shared secret has, by the same source.
const (
	MinSecret = 24
	MaxSecret = 64
)

// What a text can fail to be. The errors never contain the text.
var (
	ErrSecret     = errors.New(`a secret is "whsec_" and the base64 of 24 to 64 bytes`)
	ErrPrivateKey = errors.New(`a private key is "whsk_" and the base64 of an ed25519 private key of 64 bytes or its seed of 32`)
	ErrPublicKey  = errors.New(`a public key is "whpk_" and the base64 of an ed25519 public key of 32 bytes`)
)

// FormatSecret writes a shared secret as text.
func FormatSecret(secret []byte) string { return format(SecretPrefix, secret) }

// ParseSecret reads what FormatSecret writes. Its error is ErrSecret.
func ParseSecret(text string) ([]byte, error) {
	secret, ok := parse(SecretPrefix, text)
	if !ok || len(secret) < MinSecret || len(secret) > MaxSecret {
		return nil, ErrSecret
	}
	return secret, nil
}

// FormatPrivateKey writes an ed25519 private key as text: its seed, then its public key.
func FormatPrivateKey(key ed25519.PrivateKey) string { return format(PrivateKeyPrefix, key) }

// ParsePrivateKey reads what FormatPrivateKey writes, and also a bare seed, which is what the reference
// libraries of Standard Webhooks take. Its error is ErrPrivateKey.
func ParsePrivateKey(text string) (ed25519.PrivateKey, error) {
	raw, ok := parse(PrivateKeyPrefix, text)
	if !ok || len(raw) != ed25519.SeedSize && len(raw) != ed25519.PrivateKeySize {
		return nil, ErrPrivateKey
	}
	key := ed25519.NewKeyFromSeed(raw[:ed25519.SeedSize])
	// Signing with a public half that is not the seed's own gives the seed away.
	if len(raw) == ed25519.PrivateKeySize && !key.Equal(ed25519.PrivateKey(raw)) {
		return nil, ErrPrivateKey
	}
	return key, nil
}

// FormatPublicKey writes an ed25519 public key as text.
func FormatPublicKey(key ed25519.PublicKey) string { return format(PublicKeyPrefix, key) }

// ParsePublicKey reads what FormatPublicKey writes. Its error is ErrPublicKey.
func ParsePublicKey(text string) (ed25519.PublicKey, error) {
	raw, ok := parse(PublicKeyPrefix, text)
	if !ok || len(raw) != ed25519.PublicKeySize {
		return nil, ErrPublicKey
	}
	return ed25519.PublicKey(raw), nil
}

// PublicKeyOf returns the text of the public key that belongs to the private key of the given text. Its
// error is ErrPrivateKey.
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

// parse reads what format writes, and nothing that merely decodes to the same: the decoder alone passes
// over line breaks and spare bits, other libraries do not.
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
