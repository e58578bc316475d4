package declared

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/receive/sign"
)

// The forms of secrets that files can name.
const (
	formNone    = "none"
	formText    = "text"    // any text; a new secret is written in hex
	formEd25519 = "ed25519" // a key pair, of which the public key is the secret's value
)

// textEncoding writes bytes as text.
type textEncoding struct {
	encode func([]byte) string
	decode func(string) ([]byte, error)
}

// textEncodings are the forms of secrets that stand for bytes, and the encodings of public keys.
var textEncodings = map[string]textEncoding{
	"hex":       {hex.EncodeToString, hex.DecodeString},
	"base64":    {base64.StdEncoding.EncodeToString, base64.StdEncoding.DecodeString},
	"base64url": {base64.RawURLEncoding.EncodeToString, base64.RawURLEncoding.DecodeString},
}

// What a secret signs with.
const (
	keyIsText       = "text"       // the whole text
	keyIsUnprefixed = "unprefixed" // the text after the prefix
	keyIsBytes      = "bytes"      // the bytes that the text after the prefix stands for
)

// form is the form of endpoints' secrets.
type form struct {
	name        string
	prefix      string
	encoding    textEncoding // of the text after the prefix; zero: any text
	size        int          // of a new secret, in bytes
	least, most int          // the length of a secret: in bytes, or in characters if it is any text
	signs       string       // keyIsText, keyIsUnprefixed or keyIsBytes
}

func (f *form) exists() bool { return f.name != formNone }

func (f *form) pair() bool { return f.name == formEd25519 }

// make returns a new secret.
func (f *form) make() (bellwire.Secret, error) {
	if !f.exists() {
		return bellwire.Secret{}, nil
	}
	if f.pair() {
		_, private, err := ed25519.GenerateKey(nil)
		if err != nil {
			return bellwire.Secret{}, bellwire.Wrap(bellwire.CodeInternal, err, "cannot generate an ed25519 key")
		}
		return bellwire.Secret{Value: f.public(private), PrivateKey: sign.FormatPrivateKey(private)}, nil
	}
	raw := make([]byte, f.size)
	rand.Read(raw) // never fails
	if f.name == formText {
		return bellwire.Secret{Value: f.prefix + hex.EncodeToString(raw)}, nil
	}
	return bellwire.Secret{Value: f.prefix + f.encoding.encode(raw)}, nil
}

// public returns the text of the public key that belongs to a private key.
func (f *form) public(private ed25519.PrivateKey) string {
	return f.prefix + f.encoding.encode(private.Public().(ed25519.PublicKey))
}

// check returns an error for a secret that does not have the form. The error does not contain the secret.
func (f *form) check(dialect, value string) error {
	text, prefixed := strings.CutPrefix(value, f.prefix)
	after := ""
	if f.prefix != "" {
		after = " after " + f.prefix
	}
	switch {
	case !f.exists():
		return bellwire.Invalid("secret", "must not be set, because the dialect %s does not sign; use auth", dialect)
	case f.name == formText:
		length := utf8.RuneCountInString(text)
		if !prefixed || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) || length < f.least || length > f.most {
			return bellwire.Invalid("secret", "must have %d to %d characters%s", f.least, f.most, after)
		}
		return nil
	}
	raw, err := f.encoding.decode(text)
	// Decoders ignore line breaks, trailing bits and the case of letters.
	if !prefixed || err != nil || f.encoding.encode(raw) != text || len(raw) < f.least || len(raw) > f.most {
		if f.pair() {
			return bellwire.Invalid("secret", "must be a public key of %d bytes that belongs to a private key of the server; leave it out to get a new one", f.least)
		}
		if f.least == f.most {
			return bellwire.Invalid("secret", "must be the %s of %d bytes%s", f.name, f.least, after)
		}
		return bellwire.Invalid("secret", "must be the %s of %d to %d bytes%s", f.name, f.least, f.most, after)
	}
	return nil
}

// key returns what a secret signs with, and false if it cannot sign.
func (f *form) key(value string) (raw []byte, ok bool) {
	text, prefixed := strings.CutPrefix(value, f.prefix)
	switch f.signs {
	case keyIsText:
		return []byte(value), value != ""
	case keyIsUnprefixed:
		return []byte(text), prefixed && text != ""
	}
	raw, err := f.encoding.decode(text)
	return raw, prefixed && err == nil && len(raw) > 0
}

// verifies returns what receivers verify with, and false if they cannot: the public key of a pair, or what a secret signs with.
func (f *form) verifies(value string) (raw []byte, ok bool) {
	if !f.pair() {
		return f.key(value)
	}
	raw, err := f.encoding.decode(strings.TrimPrefix(value, f.prefix))
	return raw, err == nil && len(raw) == ed25519.PublicKeySize
}
