package sign

import (
	"crypto/hmac"
	"encoding/hex"
	"encoding/json"
	"strconv"
)

// AppendBond appends the value of Atelio's header Bond-Signature, "t=…,v1=…,v2=…", for a body that is valid JSON. The time
// of the attempt is in seconds since 1970.
//
// v2 is the HMAC-SHA256 of "t.body" in hex. v1 is that of "t." and the text that Python's json.dumps makes of the body; see
// AppendPython. The key is the text of the secret with its prefix (https://docs.bond.tech/docs/signatures).
func (m *MAC) AppendBond(dst []byte, unix int64, body []byte) []byte {
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	m.sumTimed(s, unix, body)
	v1, v2 := s.sum, s.sum
	if text := s.python(body); string(text) != string(body) {
		m.sumTimed(s, unix, text)
		v1 = s.sum
	}
	dst = strconv.AppendInt(append(dst, "t="...), unix, 10)
	dst = hex.AppendEncode(append(dst, ",v1="...), v1[:])
	return hex.AppendEncode(append(dst, ",v2="...), v2[:])
}

// VerifyBondV1 reports whether signature, decoded from hex, is the v1 signature of the body.
func (m *MAC) VerifyBondV1(signature []byte, unix int64, body []byte) bool {
	if !json.Valid(body) {
		return false
	}
	return m.verifyTimed(signature, unix, AppendPython(nil, body))
}

// VerifyBondV2 reports whether signature, decoded from hex, is the v2 signature of the body.
func (m *MAC) VerifyBondV2(signature []byte, unix int64, body []byte) bool {
	return m.verifyTimed(signature, unix, body)
}

func (m *MAC) verifyTimed(signature []byte, unix int64, body []byte) bool {
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	m.sumTimed(s, unix, body)
	return hmac.Equal(s.sum[:], signature)
}

// maxKeptText is the largest text buffer that is kept for another signature, in bytes.
const maxKeptText = 64 << 10

// python returns the body as AppendPython writes it, which is valid until s is used again.
func (s *scratch) python(body []byte) []byte {
	text := AppendPython(s.text[:0], body)
	if cap(text) <= maxKeptText {
		s.text = text
	}
	return text
}
