package peer

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Kinds of frames.
const (
	kindHello     = 'h' // from the node that connects
	kindTick      = 't' // the clock of the node that was connected to; the first one answers the hello
	kindBatch     = 'b'
	kindVersioned = 'v' // a batch with an event of a later version than the first
	kindAnswer    = 'a'
)

// Bounds of frames.
const (
	frameHeader = 5
	maxHello    = 1 << 10
	maxFrame    = 8 << 20
)

// beginFrame appends the header of a frame, which endFrame completes.
func beginFrame(to []byte, kind byte) []byte { return append(to, 0, 0, 0, 0, kind) }

// endFrame completes the frame that begins at a place.
func endFrame(frame []byte, at int) []byte {
	binary.BigEndian.PutUint32(frame[at:], uint32(len(frame)-at-frameHeader))
	return frame
}

// readFrame reads a frame of at most the given number of bytes into a buffer, which grows as they arrive.
func readFrame(from io.Reader, buffer []byte, most int) (kind byte, frame []byte, err error) {
	var header [frameHeader]byte
	if _, err := io.ReadFull(from, header[:]); err != nil {
		return 0, buffer, err
	}
	size := int(binary.BigEndian.Uint32(header[:4]))
	if size > most {
		return 0, buffer, fmt.Errorf("%w: %d bytes", errMalformed, size)
	}
	const step = 64 << 10
	buffer = buffer[:0]
	for len(buffer) < size {
		had := len(buffer)
		part := min(size-had, max(step, cap(buffer)-had))
		if cap(buffer) < had+part {
			buffer = append(buffer, make([]byte, part)...)
		}
		buffer = buffer[:had+part]
		if _, err := io.ReadFull(from, buffer[had:]); err != nil {
			return 0, buffer, err
		}
	}
	return header[4], buffer, nil
}
