package sign

import (
	"crypto/hmac"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
)

// LemonSecretBytes is how many bytes a secret of lemon.markets stands for, as two hex digits each.
const LemonSecretBytes = 32

// ErrLemonSecret is what a text can fail to be. It never contains the text.
var ErrLemonSecret = errors.New("a secret of lemon.markets is 64 lower-case hex digits")

// NewLemonMAC prepares a secret of lemon.markets, whose text itself is the key: it is not decoded
// (https://developer.lemon.markets/docs/webhooks-implementation). Its error is ErrLemonSecret.
func NewLemonMAC(secret string) (*MAC, error) {
	raw, err := hex.DecodeString(secret)
	if err != nil || len(raw) != LemonSecretBytes || strings.ToLower(secret) != secret {
		return nil, ErrLemonSecret
	}
	return NewMAC([]byte(secret)), nil
}

// AppendLemon appends the value of LMG-Signature for a body: "t=", seconds since 1970, ",v1=" and hex.
func (m *MAC) AppendLemon(dst []byte, unix int64, body []byte) []byte {
	w := workshops.Get().(*workshop)
	defer workshops.Put(w)
	m.sumTimed(w, unix, body)
	dst = strconv.AppendInt(append(dst, "t="...), unix, 10)
	return hex.AppendEncode(append(dst, ",v1="...), w.sum[:])
}

// VerifyLemon tells whether one of the signatures, the bytes that stood in hex behind "v1=", is the body's. Each is
// compared in constant time.
func (m *MAC) VerifyLemon(signatures [][]byte, unix int64, body []byte) bool {
	w := workshops.Get().(*workshop)
	defer workshops.Put(w)
	m.sumTimed(w, unix, body)
	for _, signature := range signatures {
		if hmac.Equal(w.sum[:], signature) {
			return true
		}
	}
	return false
}
