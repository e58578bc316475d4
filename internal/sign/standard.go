package sign

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
)

// The versions of Standard Webhooks signatures, as they stand before the comma.
const (
	V1  = "v1"  // HMAC-SHA256 with a shared secret
	V1a = "v1a" // ed25519
)

// AppendV1 appends the v1 signature of a message, "v1," and base64. unix is in seconds.
func AppendV1(dst, secret []byte, id string, unix int64, body []byte) []byte {
	sum := sumV1(secret, id, unix, body)
	dst = append(dst, V1+","...)
	return base64.StdEncoding.AppendEncode(dst, sum)
}

// VerifyV1 tells whether the signature, the bytes that stood in base64 behind "v1,", is the message's. It
// takes the same time whatever the signature is.
func VerifyV1(secret, signature []byte, id string, unix int64, body []byte) bool {
	return hmac.Equal(signature, sumV1(secret, id, unix, body))
}

func sumV1(secret []byte, id string, unix int64, body []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write(appendHead(make([]byte, 0, 64), id, unix))
	mac.Write(body)
	return mac.Sum(nil)
}

// AppendV1a appends the v1a signature of a message, "v1a," and base64. unix is in seconds.
func AppendV1a(dst []byte, key ed25519.PrivateKey, id string, unix int64, body []byte) []byte {
	signature := ed25519.Sign(key, signedContent(id, unix, body))
	dst = append(dst, V1a+","...)
	return base64.StdEncoding.AppendEncode(dst, signature)
}

// VerifyV1a tells whether the signature, the bytes that stood in base64 behind "v1a,", is the message's.
func VerifyV1a(key ed25519.PublicKey, signature []byte, id string, unix int64, body []byte) bool {
	return ed25519.Verify(key, signedContent(id, unix, body), signature)
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
