package verify

import (
	"crypto/ed25519"
	"encoding/hex"
	"strings"

	"github.com/bellwire/bellwire/receive/sign"
)

// key is the key of an HMAC, or a public key.
type key struct {
	shared []byte
	public ed25519.PublicKey
}

// keyList collects the keys that a secret can be taken for.
type keyList []choice[key]

func (l *keyList) right(shared []byte) {
	*l = append(*l, choice[key]{value: key{shared: shared}})
}

// wrong adds a key with a mistake, unless it is nil.
func (l *keyList) wrong(shared []byte, found, fix string) {
	if shared != nil {
		*l = append(*l, choice[key]{key{shared: shared}, &Finding{MistakeSecret, found, fix}})
	}
}

// trimmed returns a secret without what does not belong to it.
func trimmed(secret string) string { return strings.Trim(secret, " \t\r\n\"'`") }

const (
	fixStandardKey = "The key is what the base64 after the prefix whsec_ stands for, as bytes."
	fixLemonKey    = "The key is the text of the secret: its 64 lower-case hex digits."
	fixAtelioKey   = "The key is the text of the secret, with its prefix whsec_."
)

// standardKeys returns the keys that a secret of Standard Webhooks can be taken for.
func standardKeys(secret string) []choice[key] {
	text := trimmed(secret)
	if public, err := sign.ParsePublicKey(text); err == nil {
		of := choice[key]{value: key{public: public}}
		if text != secret {
			of.mistake = &around
		}
		return []choice[key]{of}
	}
	var list keyList
	if shared, err := sign.ParseAnySecret(secret); err == nil {
		list.right(shared)
	}
	whole := strings.TrimPrefix(text, "v1,")
	bare := strings.TrimPrefix(whole, sign.SecretPrefix)
	shared, err := sign.ParseAnySecret(sign.SecretPrefix + bare)
	switch {
	case err != nil:
		list.wrong(anyBase64(bare), "the secret is not written in the base64 of the API: its alphabet is that of URLs", "Copy the whole secret as the endpoint's API shows it.")
	case whole != text:
		list.wrong(shared, `the secret begins with "v1,", which belongs to signatures`, "Remove it: the secret begins with whsec_.")
	case bare == whole:
		list.wrong(shared, "the secret is given without its prefix whsec_", "Give the secret with its prefix, or let your library accept it without.")
	case text != secret:
		list.wrong(shared, around.Found, around.Fix)
	}
	list.wrong([]byte(text), "the key is the text of the secret, which was not decoded from base64", fixStandardKey)
	list.wrong([]byte(bare), "the key is the text of the secret after its prefix, which was not decoded from base64", fixStandardKey)
	list.wrong(anyBase64(sign.SecretPrefix+bare), "the prefix whsec_ was decoded as if it were base64", fixStandardKey)
	list.wrong(fromHex(bare), "the secret was decoded as hex", fixStandardKey)
	return list
}

// lemonKeys returns the keys that a secret of lemon.markets can be taken for.
func lemonKeys(secret string) []choice[key] {
	var list keyList
	text := trimmed(secret)
	if _, err := sign.NewTextMAC(secret); err == nil {
		list.right([]byte(secret))
	}
	if text != secret {
		list.wrong([]byte(text), around.Found, around.Fix)
		list.wrong([]byte(secret), around.Found, around.Fix)
	}
	if lower := strings.ToLower(text); lower != text {
		list.wrong([]byte(lower), "the hex digits of the secret are not in lower case", fixLemonKey)
	}
	if bare, prefixed := strings.CutPrefix(text, sign.SecretPrefix); prefixed {
		list.wrong([]byte(bare), "the secret begins with whsec_, which this dialect does not have", fixLemonKey)
	}
	list.wrong(fromHex(text), "the secret was decoded from hex", fixLemonKey)
	list.wrong(anyBase64(text), "the secret was decoded from base64", fixLemonKey)
	return list
}

// atelioKeys returns the keys that a secret of Atelio can be taken for.
func atelioKeys(secret string) []choice[key] {
	var list keyList
	text := trimmed(secret)
	bare, prefixed := strings.CutPrefix(text, sign.SecretPrefix)
	if _, err := sign.NewTextMAC(secret); err == nil {
		list.right([]byte(secret))
	}
	if text != secret {
		list.wrong([]byte(text), around.Found, around.Fix)
		list.wrong([]byte(secret), around.Found, around.Fix)
	}
	if !prefixed {
		list.wrong([]byte(sign.SecretPrefix+text), "the secret is given without its prefix whsec_", fixAtelioKey)
	}
	list.wrong([]byte(bare), "the key is the secret without its prefix whsec_", fixAtelioKey)
	list.wrong(anyBase64(bare), "the secret was decoded from base64", fixAtelioKey)
	return list
}

func fromHex(text string) []byte {
	raw, err := hex.DecodeString(text)
	if err != nil {
		return nil
	}
	return raw
}
