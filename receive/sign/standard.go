package sign

import (
	"crypto/ed25519"
	"crypto/hmac"
	"encoding/base64"
	"strconv"
)

// The versions of Standard Webhooks signatures, as they stand before the comma.
const (
	V1  = "v1"  // HMAC-SHA256 with a shared secret
	V1a = "v1a" // ed25519
)

// AppendV1 appends the v1 signature of a message, "v1," and base64. unix is in seconds.
func (m *MAC) AppendV1(dst []byte, id string, unix int64, body []byte) []byte {
	w := workshops.Get().(*workshop)
	defer workshops.Put(w)
	m.sumV1(w, id, unix, body)
	return base64.StdEncoding.AppendEncode(append(dst, V1+","...), w.sum[:])
}

// VerifyV1 tells whether one of the signatures, the bytes that stood in base64 behind "v1,", is the message's.
// Each is compared in constant time.
func (m *MAC) VerifyV1(signatures [][]byte, id string, unix int64, body []byte) bool {
	if len(signatures) == 0 {
		return false
	}
	w := workshops.Get().(*workshop)
	defer workshops.Put(w)
	m.sumV1(w, id, unix, body)
	for _, signature := range signatures {
		if hmac.Equal(w.sum[:], signature) {
			return true
		}
	}
	return false
}

// AppendV1a appends the v1a signature of a message, "v1a," and base64. unix is in seconds.
func AppendV1a(dst []byte, key ed25519.PrivateKey, id string, unix int64, body []byte) []byte {
	signature := ed25519.Sign(key, signedContent(id, unix, body))
	return base64.StdEncoding.AppendEncode(append(dst, V1a+","...), signature)
}

// VerifyV1a tells whether one of the signatures, the bytes that stood in base64 behind "v1a,", is the message's.
func VerifyV1a(key ed25519.PublicKey, signatures [][]byte, id string, unix int64, body []byte) bool {
	if len(signatures) == 0 {
		return false
	}
	content := signedContent(id, unix, body)
	for _, signature := range signatures {
		if ed25519.Verify(key, content, signature) {
			return true
		}
	}
	return false
}

// signedContent is what both versions sign: "id.timestamp.body". ed25519 passes over it twice and so needs it whole.
func signedContent(id string, unix int64, body []byte) []byte {
	content := make([]byte, 0, len(id)+len(body)+24)
	return append(appendHead(content, id, unix), body...)
}

func appendHead(dst []byte, id string, unix int64) []byte {
	dst = append(append(dst, id...), '.')
	return append(strconv.AppendInt(dst, unix, 10), '.')
}
