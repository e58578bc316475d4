package sign

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"strconv"
	"sync"
	"weak"
)

// MAC computes HMAC-SHA256 with one key. It is safe for concurrent use.
type MAC struct {
	key []byte

	mu    sync.Mutex
	keyed weak.Pointer[keyedHash] // until the next garbage collection: it is ten times as large as a key that is not in use
}

// keyedHash is a hash with a key. Reset spares it half of the work on a small body.
type keyedHash struct{ hash.Hash }

// NewMAC returns the MAC of a key.
func NewMAC(key []byte) *MAC { return &MAC{key: bytes.Clone(key)} }

// newHash returns a hash with the key.
func (m *MAC) newHash() hash.Hash { return hmac.New(sha256.New, m.key) }

// headSize has room for an id and a timestamp, so that most heads need no allocation of their own.
const headSize = 96

// sumV1 returns the HMAC of "id.timestamp.body".
func (m *MAC) sumV1(id string, unix int64, body []byte) []byte {
	return m.sum(appendHead(make([]byte, 0, headSize), id, unix), body)
}

// sumTimed returns the HMAC of "timestamp.body".
func (m *MAC) sumTimed(unix int64, body []byte) []byte {
	return m.sum(append(strconv.AppendInt(make([]byte, 0, headSize), unix, 10), '.'), body)
}

// sum returns the HMAC of head and body, in the memory of head. While another message uses the hash, it makes one of its own: a
// large body must not hold up others.
func (m *MAC) sum(head, body []byte) []byte {
	if !m.mu.TryLock() {
		return sum(m.newHash(), head, body)
	}
	defer m.mu.Unlock()
	kept := m.keyed.Value()
	if kept == nil {
		kept = &keyedHash{m.newHash()}
		m.keyed = weak.Make(kept)
	}
	kept.Reset()
	return sum(kept, head, body)
}

func sum(h hash.Hash, head, body []byte) []byte {
	h.Write(head)
	h.Write(body)
	return h.Sum(head[:0])
}
