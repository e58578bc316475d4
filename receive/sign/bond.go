package sign

import (
	"bytes"
	"crypto/hmac"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"sync"
)

// AppendBond appends the value of Atelio's header Bond-Signature, "t=…,v1=…,v2=…", for a body that is valid JSON. The time
// of the attempt is in seconds since 1970.
//
// v2 is the HMAC-SHA256 of "t.body" in hex. v1 is that of "t." and the text that Python's json.dumps makes of the body; see
// AppendPython. The key is the text of the secret with its prefix (https://docs.bond.tech/docs/signatures).
func (m *MAC) AppendBond(dst []byte, unix int64, body []byte) []byte {
	v2 := m.sumTimed(unix, body)
	v1 := v2
	text := pythonText(body)
	defer keepText(text)
	if !bytes.Equal(*text, body) {
		v1 = m.sumTimed(unix, *text)
	}
	dst = strconv.AppendInt(append(dst, "t="...), unix, 10)
	dst = hex.AppendEncode(append(dst, ",v1="...), v1)
	return hex.AppendEncode(append(dst, ",v2="...), v2)
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
	return hmac.Equal(m.sumTimed(unix, body), signature)
}

// maxKeptText is the largest buffer that is kept for another text.
const maxKeptText = 64 << 10

// texts holds buffers for texts.
var texts = sync.Pool{New: func() any { return new([]byte) }}

// pythonText returns the result of AppendPython in a buffer that belongs to texts.
func pythonText(body []byte) *[]byte {
	text := texts.Get().(*[]byte)
	*text = AppendPython((*text)[:0], body)
	return text
}

// keepText returns a buffer to texts.
func keepText(text *[]byte) {
	if cap(*text) <= maxKeptText {
		texts.Put(text)
	}
}
