package sign

import (
	"crypto/sha256"
	"encoding"
	"hash"
	"strconv"
	"sync"
)

// MAC computes HMAC-SHA256 (RFC 2104) with one key. Half of the work for a small body is hashing the key, which a MAC
// does once; crypto/hmac would do it for each message, or need a hash for each of many thousand keys. A MAC is safe for
// concurrent use.
type MAC struct {
	inner, outer []byte // the states of SHA-256 after the two pads of the key
}

// NewMAC returns a MAC with the given key.
func NewMAC(key []byte) *MAC {
	if len(key) > sha256.BlockSize {
		sum := sha256.Sum256(key)
		key = sum[:]
	}
	return &MAC{inner: padded(key, 0x36), outer: padded(key, 0x5c)}
}

func padded(key []byte, pad byte) []byte {
	var block [sha256.BlockSize]byte
	copy(block[:], key)
	for i := range block {
		block[i] ^= pad
	}
	h := sha256.New().(resumable)
	h.Write(block[:])
	state, err := h.MarshalBinary()
	if err != nil {
		panic(err) // SHA-256 returns no error
	}
	return state
}

// scratch is the memory for computing one signature.
type scratch struct {
	hash resumable
	head []byte            // what is signed before the body
	sum  [sha256.Size]byte // the HMAC
	text []byte            // the body as Python writes it
}

// resumable is a hash that can continue from a saved state, as all hashes of the standard library can.
type resumable interface {
	hash.Hash
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}

// scratches serves all keys: a pool for each of many thousand keys would slow down every garbage collection.
var scratches = sync.Pool{New: func() any { return &scratch{hash: sha256.New().(resumable)} }}

// sumV1 stores the HMAC of "id.timestamp.body" in s.sum.
func (m *MAC) sumV1(s *scratch, id string, unix int64, body []byte) {
	s.head = appendHead(s.head[:0], id, unix)
	m.sum(s, body)
}

// sumTimed stores the HMAC of "timestamp.body" in s.sum.
func (m *MAC) sumTimed(s *scratch, unix int64, body []byte) {
	s.head = append(strconv.AppendInt(s.head[:0], unix, 10), '.')
	m.sum(s, body)
}

// sum stores the HMAC of s.head and body in s.sum.
func (m *MAC) sum(s *scratch, body []byte) {
	s.resume(m.inner)
	s.hash.Write(s.head)
	s.hash.Write(body)
	s.hash.Sum(s.sum[:0])
	s.resume(m.outer)
	s.hash.Write(s.sum[:])
	s.hash.Sum(s.sum[:0])
}

func (s *scratch) resume(state []byte) {
	if err := s.hash.UnmarshalBinary(state); err != nil {
		panic(err) // the state comes from the same hash
	}
}
