package sign

import (
	"crypto/hmac"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
)

// LemonSecretBytes is the length of a secret of lemon.markets in bytes, each of which is two hex digits.
const LemonSecretBytes = 32

// ErrLemonSecret is the error of a malformed secret. It never contains the secret.
var ErrLemonSecret = errors.New("secret must be 64 lower-case hex digits")

// NewLemonMAC returns a MAC for a secret of lemon.markets. The key is the text of the secret, not the bytes that it stands
// for (https://developer.lemon.markets/docs/webhooks-implementation). The error is ErrLemonSecret.
func NewLemonMAC(secret string) (*MAC, error) {
	raw, err := hex.DecodeString(secret)
	if err != nil || len(raw) != LemonSecretBytes || strings.ToLower(secret) != secret {
		return nil, ErrLemonSecret
	}
	return NewMAC([]byte(secret)), nil
}

// AppendLemon appends the value of LMG-Signature: "t=", seconds since 1970, ",v1=" and hex.
func (m *MAC) AppendLemon(dst []byte, unix int64, body []byte) []byte {
	dst = strconv.AppendInt(append(dst, "t="...), unix, 10)
	return hex.AppendEncode(append(dst, ",v1="...), m.sumTimed(unix, body))
}

// VerifyLemon reports whether one of the signatures, decoded from the hex after "v1=", is the delivery's. It compares in
// constant time.
func (m *MAC) VerifyLemon(signatures [][]byte, unix int64, body []byte) bool {
	sum := m.sumTimed(unix, body)
	for _, signature := range signatures {
		if hmac.Equal(sum, signature) {
			return true
		}
	}
	return false
}
