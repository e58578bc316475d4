package peer

import (
	"bytes"
	"encoding/binary"
	"errors"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// errMalformed is the error for a frame that this version does not understand.
var errMalformed = errors.New("the other node has sent a malformed message")

// Flags of an encoded event.
const (
	isTest = 1 << iota
	hasTrace
	hasVersion
)

func appendText[T ~string | ~[]byte](to []byte, text T) []byte {
	return append(binary.AppendUvarint(to, uint64(len(text))), text...)
}

// appendTime appends a time, to the microsecond.
func appendTime(to []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(to, 0)
	}
	return binary.AppendVarint(append(to, 1), t.UnixMicro())
}

func appendBool(to []byte, b bool) []byte {
	if b {
		return append(to, 1)
	}
	return append(to, 0)
}

// appendForward appends deliveries with their event.
func appendForward(to []byte, f *bellwire.Forward) []byte {
	e := f.Event
	to = append(to, e.ID[:]...)
	to = appendText(to, e.Tenant)
	to = appendText(to, e.Type)
	to = appendText(to, e.Data)
	to = appendText(to, e.IdempotencyKey)
	to = appendText(to, e.Problem)
	to = appendText(to, e.OrderingKey)
	for _, t := range []time.Time{e.OccurredAt, e.DeliverAt, e.ExpiresAt, e.CreatedAt, f.At} {
		to = appendTime(to, t)
	}
	to = binary.AppendUvarint(to, uint64(e.Deliveries))
	flags := byte(0)
	if e.Test {
		flags |= isTest
	}
	if e.Trace != nil {
		flags |= hasTrace
	}
	version := e.Version.Encode()
	if version > 0 {
		flags |= hasVersion
	}
	to = append(to, flags)
	if t := e.Trace; t != nil {
		to = append(append(append(append(to, t.ID[:]...), t.Span[:]...), t.Parent[:]...), t.Flags)
	}
	if version > 0 {
		to = binary.AppendVarint(to, version)
	}
	to = binary.AppendVarint(to, f.Stamp)
	to = binary.AppendUvarint(to, uint64(len(f.Deliveries)))
	for i := range f.Deliveries {
		d := &f.Deliveries[i]
		to = append(to, d.ID[:]...)
		to = appendText(to, d.Endpoint)
		to = binary.AppendVarint(to, d.Revision)
		to = binary.AppendVarint(to, d.Epoch)
		to = binary.AppendVarint(to, d.Sequence)
		to = appendBool(to, d.Keyed)
	}
	return to
}

// reader reads what the append functions have written. After the first fault it returns zero values.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) fail() { r.rest, r.bad = nil, true }

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.fail()
		return nil
	}
	part := r.rest[:n:n]
	r.rest = r.rest[n:]
	return part
}

func (r *reader) byte() byte {
	if part := r.bytes(1); part != nil {
		return part[0]
	}
	return 0
}

func (r *reader) unsigned() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) signed() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) text() string { return string(r.bytes(r.unsigned())) }

func (r *reader) time() time.Time {
	if r.byte() == 0 {
		return time.Time{}
	}
	return time.UnixMicro(r.signed()).UTC()
}

// count reads how many items follow, each of at least the given number of bytes.
func (r *reader) count(least int) int {
	n := r.unsigned()
	if n > uint64(len(r.rest)/least) {
		r.fail()
		return 0
	}
	return int(n)
}

// leastDelivery is the least number of bytes that an encoded delivery has.
const leastDelivery = 16 + 5

// forward reads deliveries with their event.
func (r *reader) forward() *bellwire.Forward {
	e := new(bellwire.Event)
	f := &bellwire.Forward{Event: e}
	copy(e.ID[:], r.bytes(uint64(len(e.ID))))
	e.Tenant, e.Type = r.text(), r.text()
	e.Data = bytes.Clone(r.bytes(r.unsigned())) // a queued delivery must not keep its whole batch in memory
	e.IdempotencyKey, e.Problem, e.OrderingKey = r.text(), r.text(), r.text()
	for _, t := range []*time.Time{&e.OccurredAt, &e.DeliverAt, &e.ExpiresAt, &e.CreatedAt, &f.At} {
		*t = r.time()
	}
	e.Deliveries = int(min(r.unsigned(), bellwire.MaxDeliveries))
	flags := r.byte()
	e.Test = flags&isTest != 0
	if flags&hasTrace != 0 {
		t := new(bellwire.Trace)
		copy(t.ID[:], r.bytes(uint64(len(t.ID))))
		copy(t.Span[:], r.bytes(uint64(len(t.Span))))
		copy(t.Parent[:], r.bytes(uint64(len(t.Parent))))
		t.Flags = r.byte()
		e.Trace = t
	}
	if flags&hasVersion != 0 {
		version := r.signed()
		e.Version = bellwire.DecodeVersion(version)
		if version <= 0 || e.Version.Encode() != version { // version 1 has no number here
			r.fail()
		}
	}
	f.Stamp = r.signed()
	f.Deliveries = make([]bellwire.ForwardedDelivery, r.count(leastDelivery))
	for i := range f.Deliveries {
		d := &f.Deliveries[i]
		copy(d.ID[:], r.bytes(uint64(len(d.ID))))
		d.Endpoint = r.text()
		d.Revision, d.Epoch, d.Sequence = r.signed(), r.signed(), r.signed()
		d.Keyed = r.byte() != 0
	}
	return f
}

// appendBatch appends the deliveries of one frame, and their number.
func appendBatch(to []byte, number uint64, forwards []*bellwire.Forward) []byte {
	to = binary.AppendUvarint(to, number)
	to = binary.AppendUvarint(to, uint64(len(forwards)))
	for _, f := range forwards {
		to = appendForward(to, f)
	}
	return to
}

// kindOf returns the kind of the frame for deliveries. A node of an older release, which would misread the version of an event,
// refuses the second kind, and finds the deliveries in the store.
func kindOf(forwards []*bellwire.Forward) byte {
	for _, f := range forwards {
		if f.Event.Version.Since > 0 {
			return kindVersioned
		}
	}
	return kindBatch
}

// leastForward is less than the number of bytes that encoded deliveries of an event have.
const leastForward = 30

func parseBatch(frame []byte) (number uint64, forwards []*bellwire.Forward, err error) {
	r := &reader{rest: frame}
	number = r.unsigned()
	forwards = make([]*bellwire.Forward, r.count(leastForward))
	for i := range forwards {
		forwards[i] = r.forward()
	}
	if r.bad || len(r.rest) > 0 {
		return 0, nil, errMalformed
	}
	return number, forwards, nil
}

// appendAnswer appends what was done with the deliveries of a batch, and this node's clock.
func appendAnswer(to []byte, number uint64, stamp int64, dispositions [][]bellwire.Disposition) []byte {
	to = binary.AppendVarint(binary.AppendUvarint(to, number), stamp)
	to = binary.AppendUvarint(to, uint64(len(dispositions)))
	for _, of := range dispositions {
		to = binary.AppendUvarint(to, uint64(len(of)))
		for _, d := range of {
			to = append(to, byte(d))
		}
	}
	return to
}

func parseAnswer(frame []byte) (number uint64, stamp int64, dispositions [][]bellwire.Disposition, err error) {
	r := &reader{rest: frame}
	number, stamp = r.unsigned(), r.signed()
	dispositions = make([][]bellwire.Disposition, r.count(1))
	for i := range dispositions {
		of := r.bytes(r.unsigned())
		dispositions[i] = make([]bellwire.Disposition, len(of))
		for k, d := range of {
			dispositions[i][k] = bellwire.Disposition(d)
		}
	}
	if r.bad || len(r.rest) > 0 {
		return 0, 0, nil, errMalformed
	}
	return number, stamp, dispositions, nil
}

// hello is the first message on a connection.
type hello struct {
	version  uint64
	name     string
	from, to [16]byte // instances
}

func (h *hello) encode() []byte {
	b := binary.AppendUvarint(nil, h.version)
	return append(append(appendText(b, h.name), h.from[:]...), h.to[:]...)
}

func parseHello(frame []byte) (*hello, error) {
	r := &reader{rest: frame}
	h := &hello{version: r.unsigned(), name: r.text()}
	copy(h.from[:], r.bytes(16))
	copy(h.to[:], r.bytes(16))
	if r.bad || len(r.rest) > 0 {
		return nil, errMalformed
	}
	return h, nil
}
