package sign

import (
	"crypto/hmac"
	"encoding/hex"
	"encoding/json"
	"strconv"
)

// AppendBond appends the value of Atelio's Bond-Signature header, "t=…,v1=…,v2=…", for a body that is valid JSON. unix
// is in seconds.
//
// v2 is the HMAC-SHA256 of "t.body" in hex. v1 is that of the text that Python's json.dumps makes of the body, see
// AppendPython; it is the same if the body is that text already. The key of a secret is all of its characters, the prefix
// included (https://docs.bond.tech/docs/signatures).
func (m *MAC) AppendBond(dst []byte, unix int64, body []byte) []byte {
	w := workshops.Get().(*workshop)
	defer workshops.Put(w)
	m.sumTimed(w, unix, body)
	v1, v2 := w.sum, w.sum
	if text := w.python(body); string(text) != string(body) {
		m.sumTimed(w, unix, text)
		v1 = w.sum
	}
	dst = strconv.AppendInt(append(dst, "t="...), unix, 10)
	dst = hex.AppendEncode(append(dst, ",v1="...), v1[:])
	return hex.AppendEncode(append(dst, ",v2="...), v2[:])
}

// VerifyBondV1 tells whether signature, without its hex, is the v1 signature of the body.
func (m *MAC) VerifyBondV1(signature []byte, unix int64, body []byte) bool {
	if !json.Valid(body) {
		return false
	}
	return m.verifyTimed(signature, unix, AppendPython(nil, body))
}

// VerifyBondV2 tells whether signature, without its hex, is the v2 signature of the body.
func (m *MAC) VerifyBondV2(signature []byte, unix int64, body []byte) bool {
	return m.verifyTimed(signature, unix, body)
}

func (m *MAC) verifyTimed(signature []byte, unix int64, body []byte) bool {
	w := workshops.Get().(*workshop)
	defer workshops.Put(w)
	m.sumTimed(w, unix, body)
	return hmac.Equal(w.sum[:], signature)
}

// maxKeptText is how large a workshop's room for texts may stay.
const maxKeptText = 64 << 10

// python returns what AppendPython makes of a body. It is good until the workshop is used again.
func (w *workshop) python(body []byte) []byte {
	text := AppendPython(w.text[:0], body)
	if cap(text) <= maxKeptText {
		w.text = text
	}
	return text
}
