package bellwire

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"sync"
	"time"
)

// ID is a UUIDv7 (RFC 9562) of a kind of thing. Its text is the prefix of the kind and 32 lower-case hex digits. IDs sort by the
// time at which they were created.
type ID[K kind] [16]byte

type kind interface{ prefix() string }

// The kinds of id, for use as type parameters: NewID[EventKind].
type (
	EventKind     struct{}
	DeliveryKind  struct{}
	AttemptKind   struct{}
	KeyKind       struct{}
	AuditKind     struct{}
	JobIDKind     struct{}
	SessionIDKind struct{}
)

func (EventKind) prefix() string     { return "evt_" }
func (DeliveryKind) prefix() string  { return "dlv_" }
func (AttemptKind) prefix() string   { return "att_" }
func (KeyKind) prefix() string       { return "key_" }
func (AuditKind) prefix() string     { return "aud_" }
func (JobIDKind) prefix() string     { return "job_" }
func (SessionIDKind) prefix() string { return "ses_" }

// The ids. Those of endpoints are strings, because each dialect has its own form, and those of tenants are chosen by the
// operator.
type (
	EventID    = ID[EventKind]
	DeliveryID = ID[DeliveryKind]
	AttemptID  = ID[AttemptKind]
	KeyID      = ID[KeyKind]
	AuditID    = ID[AuditKind]
	JobID      = ID[JobIDKind]
	SessionID  = ID[SessionIDKind]
)

// Kind names a kind of thing that has an id.
type Kind string

// The kinds.
const (
	KindEvent    Kind = "event"
	KindDelivery Kind = "delivery"
	KindEndpoint Kind = "endpoint"
	KindJob      Kind = "job"
	KindBulkJob  Kind = "bulk_job"
	KindKey      Kind = "key"
	KindTenant   Kind = "tenant"
)

// String returns the id as text, such as "evt_" and 32 hex digits.
func (id ID[K]) String() string {
	b, _ := id.AppendText(make([]byte, 0, 36)) // never fails
	return string(b)
}

// AppendText appends the text of the id to b. It never fails.
func (id ID[K]) AppendText(b []byte) ([]byte, error) {
	var k K
	return hex.AppendEncode(append(b, k.prefix()...), id[:]), nil
}

// MarshalText returns the id as text.
func (id ID[K]) MarshalText() ([]byte, error) { return id.AppendText(nil) }

// UnmarshalText parses the text of an id.
func (id *ID[K]) UnmarshalText(text []byte) error {
	parsed, err := ParseID[K](string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}

// IsZero reports whether the id is the zero value, which names nothing.
func (id ID[K]) IsZero() bool { return id == ID[K]{} }

// Time returns when the id was created, to the millisecond.
func (id ID[K]) Time() time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(id[:8]) >> 16)).UTC()
}

// ParseID parses an id of the kind K. Its error has CodeInvalid.
func ParseID[K kind](text string) (ID[K], error) {
	var (
		k  K
		id ID[K]
	)
	prefix := k.prefix()
	if len(text) != len(prefix)+2*len(id) || text[:len(prefix)] != prefix || hasUpper(text) {
		return id, badID(prefix)
	}
	if _, err := hex.Decode(id[:], []byte(text[len(prefix):])); err != nil {
		return ID[K]{}, badID(prefix)
	}
	return id, nil
}

func hasUpper(s string) bool {
	for i := range len(s) {
		if s[i] >= 'A' && s[i] <= 'Z' {
			return true
		}
	}
	return false
}

func badID(prefix string) error {
	return Invalid("", "must be %q and 32 lower-case hex digits", prefix)
}

// NewID returns a new id for the given time. Ids of the same millisecond have no order; where that matters, use a Sequence.
func NewID[K kind](now time.Time) ID[K] {
	return ID[K](makeUUID(stamp(now)))
}

// NewUUID returns a UUIDv7 for the given time, for dialects with ids of their own form.
func NewUUID(now time.Time) [16]byte { return makeUUID(stamp(now)) }

// FirstID returns the smallest id of time t: all ids of earlier times are smaller.
func FirstID[K kind](t time.Time) ID[K] {
	var id ID[K]
	ms := uint64(max(t.UnixMilli(), 0))
	binary.BigEndian.PutUint64(id[:8], ms<<16)
	return id
}

// MaxDeliveries is the maximum number of deliveries of an event.
const MaxDeliveries = 1 << 16

// DeliveryOf returns the id of the delivery of an event with the given number, which must be less than MaxDeliveries. It is the
// event's id with the number as its last 16 bits, so that the deliveries of an event are stored together and found without
// an index.
func DeliveryOf(event EventID, number int) DeliveryID {
	id := DeliveryID(event)
	binary.BigEndian.PutUint16(id[14:], uint16(number))
	return id
}

// NumberOf returns the number of a delivery among those of its event.
func NumberOf(id DeliveryID) int { return int(binary.BigEndian.Uint16(id[14:])) }

// FannedOutOf returns the id of the delivery that Queue.FanOut stores for the recipient at the given place. The numbers count
// down from the last one, so that they differ from those of deliveries stored with the event.
func FannedOutOf(event EventID, place int) DeliveryID {
	return DeliveryOf(event, MaxDeliveries-1-place)
}

// DeliveriesOf returns the smallest and the largest id that a delivery of an event can have.
func DeliveriesOf(event EventID) (first, last DeliveryID) {
	return DeliveryOf(event, 0), DeliveryOf(event, MaxDeliveries-1)
}

// Around returns the ids between which, both exclusive, only those of an event and of its deliveries lie.
func Around(event EventID) (before, after EventID) {
	first, last := DeliveriesOf(event)
	before, after = EventID(first), EventID(last)
	for i := len(before) - 1; i >= 0; i-- {
		if before[i]--; before[i] != 0xff {
			break
		}
	}
	for i := len(after) - 1; i >= 0; i-- {
		if after[i]++; after[i] != 0 {
			break
		}
	}
	return before, after
}

// Sequence makes strictly increasing ids, also within a millisecond and when the clock is set back. The zero value is ready for
// use. It is safe for concurrent use.
type Sequence struct {
	mu   sync.Mutex
	last uint64
}

// Next returns a new id, which is larger than all others of s.
func Next[K kind](s *Sequence, now time.Time) ID[K] {
	s.mu.Lock()
	s.last = max(stamp(now), s.last+1)
	at := s.last
	s.mu.Unlock()
	return ID[K](makeUUID(at))
}

// stamp returns the 60 ordered bits of a UUIDv7: milliseconds, then 12 bits of their fraction
// (RFC 9562, 6.2, method 3).
func stamp(now time.Time) uint64 {
	now = now.UTC()
	fraction := uint64(now.Nanosecond()%1e6) << 12 / 1e6
	return uint64(max(now.UnixMilli(), 0))<<12 | fraction
}

func makeUUID(at uint64) [16]byte {
	var id [16]byte
	binary.BigEndian.PutUint64(id[:8], at>>12<<16|0x7000|at&0xfff)
	binary.BigEndian.PutUint64(id[8:], rand.Uint64()>>2|1<<63)
	return id
}
