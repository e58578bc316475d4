package sign

import (
	"crypto/sha256"
	"encoding"
	"hash"
	"strconv"
	"sync"
)

// MAC is a key made ready for HMAC-SHA256 (RFC 2104). Half of the work on a small body is taking in the
// key; a MAC does it once, and needs no memory of its own for each message. It is safe for concurrent use.
type MAC struct {
	inner, outer []byte // the states of SHA-256 after the key's two pads
}

// NewMAC prepares a key.
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
		panic(err) // SHA-256 has no error to report
	}
	return state
}

// workshop is what it takes to make one sum.
type workshop struct {
	hash resumable
	head []byte
	sum  [sha256.Size]byte
	text []byte // of a body in another form
}

// resumable is a hash that can go on from a state kept before, as all of the standard library's can.
type resumable interface {
	hash.Hash
	encoding.BinaryMarshaler
	encoding.BinaryUnmarshaler
}

// One pool serves all keys: a pool for each of many thousand keys would burden every garbage collection.
var workshops = sync.Pool{New: func() any { return &workshop{hash: sha256.New().(resumable)} }}

// sumV1 leaves the HMAC of "id.timestamp.body" in w.sum.
func (m *MAC) sumV1(w *workshop, id string, unix int64, body []byte) {
	w.head = appendHead(w.head[:0], id, unix)
	m.sum(w, body)
}

// sumTimed leaves the HMAC of "timestamp.body" in w.sum.
func (m *MAC) sumTimed(w *workshop, unix int64, body []byte) {
	w.head = append(strconv.AppendInt(w.head[:0], unix, 10), '.')
	m.sum(w, body)
}

// sum leaves the HMAC of w.head and body in w.sum.
func (m *MAC) sum(w *workshop, body []byte) {
	w.resume(m.inner)
	w.hash.Write(w.head)
	w.hash.Write(body)
	w.hash.Sum(w.sum[:0])
	w.resume(m.outer)
	w.hash.Write(w.sum[:])
	w.hash.Sum(w.sum[:0])
}

func (w *workshop) resume(state []byte) {
	if err := w.hash.UnmarshalBinary(state); err != nil {
		panic(err) // the state is one that the same hash made
	}
}
