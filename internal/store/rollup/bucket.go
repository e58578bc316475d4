package rollup

import (
	"cmp"
	"encoding/binary"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Everybody is the number of the tenant whose buckets count what all tenants do.
const Everybody = 0

// Key identifies a bucket.
type Key struct {
	Tenant   int64
	Interval bellwire.Interval
	At       time.Time // when it begins
}

// SortedKeys returns the keys in the order in which stores write them.
func SortedKeys(buckets map[Key]*Bucket) []Key {
	return slices.SortedFunc(maps.Keys(buckets), func(a, b Key) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Interval.Number(), b.Interval.Number()), a.At.Compare(b.At))
	})
}

// Views are the ways in which a bucket counts. Each is a column, so that a question reads only what it needs.
const (
	ByNothing  = iota // only by outcome
	ByEndpoint        // by endpoint and dialect
	ByType
	ByAll
	Views = iota
)

// ViewFor returns the view that answers a question about the given dimensions.
func ViewFor(by []bellwire.Dimension) int {
	endpoint := slices.Contains(by, bellwire.ByEndpoint) || slices.Contains(by, bellwire.ByDialect)
	eventType := slices.Contains(by, bellwire.ByType)
	switch {
	case endpoint && eventType:
		return ByAll
	case endpoint:
		return ByEndpoint
	case eventType:
		return ByType
	}
	return ByNothing
}

// MaxGroups is the most endpoints, types, or combinations that a view counts by themselves. The others are counted together.
const MaxGroups = 100

// Bucket counts what happened in one interval of time.
type Bucket struct{ views [Views]view }

// view counts by name.
type view map[name]*group

// name is what a group has in common. A view leaves parts empty.
type name struct {
	endpoint, eventType, dialect string
	others                       bool // the smallest groups of the view, taken together; by dialect, if it has dialects
}

// group counts attempts by outcome, and events.
type group struct {
	published uint64
	durations [len(outcomes)]sketch
}

// NewBucket returns an empty bucket.
func NewBucket() *Bucket {
	b := new(Bucket)
	for i := range b.views {
		b.views[i] = make(view)
	}
	return b
}

func (v view) group(n name) *group {
	g := v[n]
	if g == nil {
		g = new(group)
		v[n] = g
	}
	return g
}

// publish counts events. They belong to no endpoint, so that two views cannot count them.
func (b *Bucket) publish(eventType string, count uint64) {
	b.views[ByNothing].group(name{}).published += count
	b.views[ByType].group(name{eventType: eventType}).published += count
}

// attempt counts attempts.
func (b *Bucket) attempt(n name, outcome int, durations sketch) {
	for i, part := range [Views]name{
		ByNothing: {}, ByEndpoint: {endpoint: n.endpoint, dialect: n.dialect}, ByType: {eventType: n.eventType}, ByAll: n,
	} {
		b.views[i].group(part).durations[outcome].merge(durations)
	}
}

func (g *group) merge(other *group) {
	g.published += other.published
	for i := range other.durations {
		g.durations[i].merge(other.durations[i])
	}
}

// weight is how much a group counts.
func (g *group) weight() uint64 {
	total := g.published
	for _, durations := range g.durations {
		total += durations.count()
	}
	return total
}

// Merge adds stored views, as Encode returns them.
func (b *Bucket) Merge(stored [Views][]byte) error {
	for i, data := range stored {
		v, err := decodeView(data)
		if err != nil {
			return err
		}
		for n, g := range v {
			b.views[i].group(n).merge(g)
		}
	}
	return nil
}

// Encode returns the views as they are stored, each with its largest groups.
func (b *Bucket) Encode() (views [Views][]byte) {
	for i, v := range b.views {
		v.fold()
		views[i] = v.encode()
	}
	return views
}

// fold takes all groups together but the largest. Groups of the same size are kept in the order of their names, so that every
// node keeps the same ones.
func (v view) fold() {
	kept := slices.DeleteFunc(slices.Collect(maps.Keys(v)), func(n name) bool { return n.others })
	if len(kept) <= MaxGroups {
		return
	}
	weights := make(map[name]uint64, len(kept))
	for _, n := range kept {
		weights[n] = v[n].weight()
	}
	slices.SortFunc(kept, func(a, b name) int { return cmp.Or(cmp.Compare(weights[b], weights[a]), a.compare(b)) })
	for _, n := range kept[MaxGroups:] {
		g := v[n]
		delete(v, n)
		v.group(name{dialect: n.dialect, others: true}).merge(g)
	}
}

func (n name) compare(other name) int {
	return cmp.Or(
		strings.Compare(n.endpoint, other.endpoint), strings.Compare(n.eventType, other.eventType), strings.Compare(n.dialect, other.dialect),
	)
}

func (v view) encode() []byte {
	data := binary.AppendUvarint(nil, uint64(len(v)))
	for n, g := range v {
		others := byte(0)
		if n.others {
			others = 1
		}
		data = appendText(appendText(appendText(append(data, others), n.endpoint), n.eventType), n.dialect)
		data = binary.AppendUvarint(data, g.published)
		data = g.encode(data)
	}
	return data
}

// encode appends the outcomes that there were, with their durations.
func (g *group) encode(to []byte) []byte {
	seen := 0
	for _, durations := range g.durations {
		if len(durations) > 0 {
			seen++
		}
	}
	to = binary.AppendUvarint(to, uint64(seen))
	for outcome, durations := range g.durations {
		if len(durations) > 0 {
			to = durations.encode(binary.AppendUvarint(to, uint64(outcome)))
		}
	}
	return to
}

// The fewest bytes that a group and its durations of an outcome are encoded in.
const (
	leastGroup     = 6
	leastDurations = 2
)

func decodeView(data []byte) (view, error) {
	r := &reader{data: data}
	v := make(view)
	for range r.items(leastGroup) {
		n := name{others: r.number() == 1}
		n.endpoint, n.eventType, n.dialect = r.text(), r.text(), r.text()
		g := &group{published: r.number()}
		for range r.items(leastDurations) {
			g.durations[r.outcome()] = r.sketch()
		}
		if r.broken {
			break
		}
		v[n] = g
	}
	return v, r.err()
}
