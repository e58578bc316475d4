package rollup

import (
	"encoding/binary"
	"maps"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Delta counts what transactions store. The zero value is empty.
type Delta struct {
	publications itemList[publication] // an item is the number of its kind
	attempts     itemList[attempts]    // an item is the number of its kind, and a byte for its duration
}

// publication identifies events that are counted together.
type publication struct {
	tenant, minute int64
	eventType      string
}

// attempts identifies attempts that are counted together.
type attempts struct {
	endpoint, eventType string
	minute              int64
	outcome             int
}

// itemList holds items in the order in which they were added.
type itemList[K comparable] struct {
	numbers map[K]int // where each kind is in kinds
	kinds   []K
	items   []byte
	count   int
}

// add adds an item of a kind.
func (t *itemList[K]) add(kind K) {
	number, known := t.numbers[kind]
	if !known {
		if t.numbers == nil {
			t.numbers = make(map[K]int)
		}
		number = len(t.kinds)
		t.numbers[kind], t.kinds = number, append(t.kinds, kind)
	}
	t.items, t.count = binary.AppendUvarint(t.items, uint64(number)), t.count+1
}

func (t *itemList[K]) mark() listMark { return listMark{len(t.kinds), len(t.items), t.count} }

// cut removes what was added after a mark.
func (t *itemList[K]) cut(m listMark) {
	for _, kind := range t.kinds[m.kinds:] {
		delete(t.numbers, kind)
	}
	t.kinds, t.items, t.count = t.kinds[:m.kinds], t.items[:m.items], m.count
}

func minuteOf(t time.Time) int64 { return max(t.Unix()/60, 0) }

// Publish counts an event of the tenant with the given number, unless it is a test.
func (d *Delta) Publish(tenant int64, e *bellwire.Event, at time.Time) {
	if !e.Test {
		d.publications.add(publication{tenant, minuteOf(at), e.Type})
	}
}

// Counts reports whether the result has an attempt that Attempt counts.
func Counts(r *bellwire.Result) bool { return r.Attempt != nil && r.Trigger != bellwire.TriggerTest }

// Attempt counts the attempt of a result, if Counts says so.
func (d *Delta) Attempt(r *bellwire.Result) {
	if !Counts(r) {
		return
	}
	d.attempts.add(attempts{r.Endpoint, r.EventType, minuteOf(r.EndedAt), outcomeNumber(r.Attempt.Outcome)})
	d.attempts.items = append(d.attempts.items, byte(bucketOf(r.Attempt.Timings.Total)))
}

// Len returns how many events and attempts are counted.
func (d *Delta) Len() int { return d.publications.count + d.attempts.count }

// Empty reports whether nothing was counted.
func (d *Delta) Empty() bool { return d.Len() == 0 }

// Reset makes the delta empty.
func (d *Delta) Reset() { d.Cut(Mark{}) }

// Mark is a point to which a delta can be cut.
type Mark struct{ publications, attempts listMark }

type listMark struct{ kinds, items, count int }

// Mark returns the present end of the delta.
func (d *Delta) Mark() Mark { return Mark{d.publications.mark(), d.attempts.mark()} }

// Cut removes what was counted after a mark.
func (d *Delta) Cut(m Mark) {
	d.publications.cut(m.publications)
	d.attempts.cut(m.attempts)
}

// Encode returns the delta as it is stored.
func (d *Delta) Encode() []byte {
	kinds := len(d.publications.kinds) + len(d.attempts.kinds)
	data := binary.AppendUvarint(make([]byte, 0, 64+64*kinds+len(d.attempts.items)), uint64(len(d.publications.kinds)))
	counts := make([]uint64, len(d.publications.kinds))
	for r := (&reader{data: d.publications.items}); len(r.data) > 0; {
		counts[r.count()]++
	}
	for i, p := range d.publications.kinds {
		data = binary.AppendUvarint(binary.AppendUvarint(data, uint64(p.tenant)), uint64(p.minute))
		data = appendText(binary.AppendUvarint(data, counts[i]), p.eventType)
	}
	data = binary.AppendUvarint(data, uint64(len(d.attempts.kinds)))
	for _, k := range d.attempts.kinds {
		data = binary.AppendUvarint(binary.AppendUvarint(data, uint64(k.minute)), uint64(k.outcome))
		data = appendText(appendText(data, k.endpoint), k.eventType)
	}
	return append(data, d.attempts.items...)
}

// Sum is the sum of deltas.
type Sum struct {
	publications map[publication]uint64
	attempts     map[attempts]*sketch
	endpoints    map[string]bool
	tenants      map[int64]bool // of the publications
}

// NewSum returns an empty sum.
func NewSum() *Sum {
	return &Sum{
		publications: make(map[publication]uint64), attempts: make(map[attempts]*sketch), endpoints: make(map[string]bool),
		tenants: make(map[int64]bool),
	}
}

// Full reports whether the sum is of the given number of tenants, or of so many endpoints, types and minutes that its buckets take
// as much memory as those of many tenants.
func (s *Sum) Full(tenants int) bool {
	return len(s.tenants) >= tenants || len(s.endpoints) >= 2*tenants || len(s.attempts)+len(s.publications) >= 5*tenants
}

// MaxDeltas is the most deltas that are added up at once.
const MaxDeltas = 1000

// The fewest bytes that a publication and a kind of attempts are encoded in.
const (
	leastPublication = 4
	leastAttempts    = 4
)

// Add adds an encoded delta. Of its attempts, only those at the given indexes count; nil: all.
func (s *Sum) Add(delta []byte, indexes []int16) error {
	r := &reader{data: delta}
	for range r.items(leastPublication) {
		p := publication{tenant: int64(r.number()), minute: int64(r.number())}
		count := r.number()
		p.eventType = r.text()
		s.publications[p] += count
		s.tenants[p.tenant] = true
	}
	kinds := make([]attempts, r.items(leastAttempts))
	for i := range kinds {
		k := attempts{minute: int64(r.number()), outcome: r.outcome()}
		k.endpoint, k.eventType = r.text(), r.text()
		kinds[i] = k
	}
	counted := make(map[int]bool, len(indexes))
	for _, index := range indexes {
		counted[int(index)] = true
	}
	for index := 0; len(r.data) > 0; index++ {
		kind, bucket := r.count(), r.octet()
		if r.broken || kind >= len(kinds) || bucket >= buckets {
			r.broken = true
			break
		}
		if indexes == nil || counted[index] {
			s.attempt(kinds[kind], bucket)
		}
	}
	return r.err()
}

func (s *Sum) attempt(k attempts, bucket int) {
	durations := s.attempts[k]
	if durations == nil {
		durations = new(sketch)
		s.attempts[k] = durations
		s.endpoints[k.endpoint] = true
	}
	durations.add(bucket, 1)
}

// Endpoints returns the ids of the endpoints with attempts. Buckets needs to be told their owners.
func (s *Sum) Endpoints() []string {
	return slices.Collect(maps.Keys(s.endpoints))
}

// Owner is the tenant and the dialect of an endpoint.
type Owner struct {
	Tenant  int64
	Dialect string
}

// Tenants returns the tenants whose buckets change.
func (s *Sum) Tenants(owners map[string]Owner) map[int64]bool {
	tenants := maps.Clone(s.tenants)
	for id := range s.endpoints {
		if owner, known := owners[id]; known {
			tenants[owner.Tenant] = true
		}
	}
	return tenants
}

// Buckets returns what is to be added to buckets: to those of each tenant that exists, and of Everybody. An endpoint that has no
// owner any more counts for Everybody only.
func (s *Sum) Buckets(owners map[string]Owner, exists map[int64]bool) map[Key]*Bucket {
	into := sums{buckets: make(map[Key]*Bucket), exists: exists}
	for p, count := range s.publications {
		into.each(p.tenant, p.minute, func(b *Bucket) { b.publish(p.eventType, count) })
	}
	for k, durations := range s.attempts {
		owner := owners[k.endpoint]
		into.each(owner.Tenant, k.minute, func(b *Bucket) {
			b.attempt(name{endpoint: k.endpoint, eventType: k.eventType, dialect: owner.Dialect}, k.outcome, *durations)
		})
	}
	return into.buckets
}

type sums struct {
	buckets map[Key]*Bucket
	exists  map[int64]bool
}

// each calls add with the buckets of a tenant and of Everybody that include a minute.
func (s *sums) each(tenant, minute int64, add func(*Bucket)) {
	at := time.Unix(minute*60, 0).UTC()
	for _, interval := range bellwire.Intervals {
		begin := interval.Begin(at)
		add(s.bucket(Key{Everybody, interval, begin}))
		if s.exists[tenant] {
			add(s.bucket(Key{tenant, interval, begin}))
		}
	}
}

func (s *sums) bucket(k Key) *Bucket {
	b := s.buckets[k]
	if b == nil {
		b = NewBucket()
		s.buckets[k] = b
	}
	return b
}
