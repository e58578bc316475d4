package sign

import (
	"crypto/ed25519"
	"crypto/hmac"
	"encoding/base64"
	"strconv"
)

// The versions of signatures in Standard Webhooks, which precede the comma.
const (
	V1  = "v1"  // HMAC-SHA256 with a shared secret
	V1a = "v1a" // ed25519
)

// AppendV1 appends the v1 signature of a delivery: "v1," and base64. The time of the attempt is in seconds since 1970.
func (m *MAC) AppendV1(dst []byte, id string, unix int64, body []byte) []byte {
	return base64.StdEncoding.AppendEncode(append(dst, V1+","...), m.sumV1(id, unix, body))
}

// VerifyV1 reports whether one of the signatures, decoded from the base64 after "v1,", is the delivery's. It compares in
// constant time.
func (m *MAC) VerifyV1(signatures [][]byte, id string, unix int64, body []byte) bool {
	if len(signatures) == 0 {
		return false
	}
	sum := m.sumV1(id, unix, body)
	for _, signature := range signatures {
		if hmac.Equal(sum, signature) {
			return true
		}
	}
	return false
}

// AppendV1a appends the v1a signature of a delivery: "v1a," and base64. The time of the attempt is in seconds since 1970.
func AppendV1a(dst []byte, key ed25519.PrivateKey, id string, unix int64, body []byte) []byte {
	signature := ed25519.Sign(key, signedContent(id, unix, body))
	return base64.StdEncoding.AppendEncode(append(dst, V1a+","...), signature)
}

// VerifyV1a reports whether one of the signatures, decoded from the base64 after "v1a,", is the delivery's.
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

// signedContent returns what both versions sign: "id.timestamp.body". ed25519 reads it twice and needs it in one piece.
func signedContent(id string, unix int64, body []byte) []byte {
	content := make([]byte, 0, len(id)+len(body)+24)
	return append(appendHead(content, id, unix), body...)
}

func appendHead(dst []byte, id string, unix int64) []byte {
	dst = append(append(dst, id...), '.')
	return append(strconv.AppendInt(dst, unix, 10), '.')
}
