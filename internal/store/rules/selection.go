package rules

import (
	"bytes"
	"container/heap"
	"slices"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Index is what a store has in indexes of what a selection looks at, between Selection.After and Selection.Before.
type Index interface {
	// Types returns the types of the tenant's events.
	Types() ([]string, error)
	// Count counts the entries of a range.
	Count(r Range) (int, error)
	// IDs returns the next ids of a range after the given one, up to a limit, in order.
	IDs(r Range, after [16]byte, limit int) ([][16]byte, error)
}

// Range is a range of an index, in which ids are in order: events of the tenant of one type, or deliveries to the endpoint with
// one status.
type Range struct {
	Type   string // of events; empty: the range is of deliveries
	Status bellwire.DeliveryStatus
	Aside  bool // only events that are sent to nobody, and deliveries that the selection passes over
}

// CountSelected counts what a selection selects. It only counts ranges, unless the endpoint has deliveries of types that are not
// selected: then it merges ranges by their ids.
func CountSelected(x Index, s *bellwire.Selection) (int, error) {
	c := &counting{Index: x, Selection: s}
	n, err := c.deliveries(s.Statuses, s.Type)
	if err != nil || !s.Missing {
		return n, err
	}
	types, err := c.types()
	if err != nil {
		return 0, err
	}
	events, err := countAll(x, eventRanges(types, s.MissingType, false))
	if err != nil || events == 0 {
		return n, err
	}
	aside, err := countAll(x, eventRanges(types, s.MissingType, true))
	if err != nil {
		return 0, err
	}
	// Each event has at most one delivery to the endpoint that jobs do not pass over.
	delivered, err := c.deliveries(bellwire.DeliveryStatuses, s.MissingType)
	return n + events - aside - delivered, err
}

// counting is one CountSelected.
type counting struct {
	Index
	*bellwire.Selection
	known []string
}

// types returns the types of the tenant's events, which are read once.
func (c *counting) types() (types []string, err error) {
	if c.known == nil {
		c.known, err = c.Types()
	}
	return c.known, err
}

// deliveries counts the current deliveries with one of the statuses that are of wanted types; nil: of all.
func (c *counting) deliveries(statuses []bellwire.DeliveryStatus, wanted func(string) bool) (int, error) {
	all, err := countAll(c, deliveryRanges(statuses, false))
	if err != nil || all == 0 {
		return 0, err
	}
	aside, err := countAll(c, deliveryRanges(statuses, true))
	if err != nil || wanted == nil {
		return all - aside, err
	}
	types, err := c.types()
	if err != nil {
		return 0, err
	}
	others, err := countAll(c, eventRanges(types, func(name string) bool { return !wanted(name) }, false))
	if err != nil || others == 0 {
		return all - aside, err
	}
	events := eventRanges(types, wanted, false)
	all, err = countBoth(c, c.Selection, deliveryRanges(statuses, false), events)
	if err != nil || aside == 0 {
		return all, err
	}
	aside, err = countBoth(c, c.Selection, deliveryRanges(statuses, true), events)
	return all - aside, err
}

func deliveryRanges(statuses []bellwire.DeliveryStatus, aside bool) (ranges []Range) {
	for _, status := range statuses {
		ranges = append(ranges, Range{Status: status, Aside: aside})
	}
	return ranges
}

func eventRanges(types []string, wanted func(string) bool, aside bool) (ranges []Range) {
	for _, name := range Names(types, wanted) {
		ranges = append(ranges, Range{Type: name, Aside: aside})
	}
	return ranges
}

// Names returns the names that are wanted.
func Names(names []string, wanted func(string) bool) (chosen []string) {
	for _, name := range names {
		if wanted(name) {
			chosen = append(chosen, name)
		}
	}
	return chosen
}

func countAll(x Index, ranges []Range) (n int, err error) {
	for _, r := range ranges {
		more, err := x.Count(r)
		if err != nil {
			return 0, err
		}
		n += more
	}
	return n, nil
}

// countBoth counts the deliveries whose event is in one of the ranges of events.
func countBoth(x Index, s *bellwire.Selection, deliveries, events []Range) (n int, err error) {
	d, err := newMerger(x, s, deliveries)
	if err != nil {
		return 0, err
	}
	e, err := newMerger(x, s, events)
	if err != nil {
		return 0, err
	}
	for len(d.streams) > 0 && len(e.streams) > 0 {
		switch c := bytes.Compare(prefixOf(d.first()), prefixOf(e.first())); {
		case c < 0:
			err = d.next()
		case c > 0:
			err = e.next()
		default:
			n++
			err = d.next() // the event may have more
		}
		if err != nil {
			return 0, err
		}
	}
	return n, nil
}

// prefixOf returns the part of an id that an event and its deliveries have in common; see bellwire.DeliveryOf.
func prefixOf(id *[16]byte) []byte { return id[:14] }

// merger merges ranges by their ids. It is a heap of the ranges that have more.
type merger struct {
	index   Index
	chunk   int
	streams []*stream
}

// stream is what was read of a range.
type stream struct {
	of    Range
	ids   [][16]byte // not merged yet; empty: the range has no more
	ended bool       // nothing follows ids
}

// mergeMemory is how many ids a merger holds.
const mergeMemory = 16 << 10

func newMerger(x Index, s *bellwire.Selection, ranges []Range) (*merger, error) {
	m := &merger{index: x, chunk: max(mergeMemory/max(len(ranges), 1), 16)}
	for _, r := range ranges {
		from, after := &stream{of: r}, [16]byte(s.After)
		if r.Type == "" {
			_, last := bellwire.DeliveriesOf(s.After)
			after = last
		}
		if err := m.fill(from, after); err != nil {
			return nil, err
		}
		if len(from.ids) > 0 {
			m.streams = append(m.streams, from)
		}
	}
	heap.Init(m)
	return m, nil
}

func (m *merger) fill(s *stream, after [16]byte) (err error) {
	s.ids, err = m.index.IDs(s.of, after, m.chunk)
	s.ended = len(s.ids) < m.chunk
	return err
}

func (m *merger) first() *[16]byte { return &m.streams[0].ids[0] }

// next passes over the first id.
func (m *merger) next() error {
	s := m.streams[0]
	last := s.ids[0]
	s.ids = s.ids[1:]
	if len(s.ids) == 0 && !s.ended {
		if err := m.fill(s, last); err != nil {
			return err
		}
	}
	if len(s.ids) == 0 {
		heap.Pop(m)
	} else if len(m.streams) > 1 {
		heap.Fix(m, 0)
	}
	return nil
}

// Len, Less, Swap, Push and Pop make it a heap.
func (m *merger) Len() int { return len(m.streams) }
func (m *merger) Less(i, j int) bool {
	return bytes.Compare(m.streams[i].ids[0][:], m.streams[j].ids[0][:]) < 0
}
func (m *merger) Swap(i, j int) { m.streams[i], m.streams[j] = m.streams[j], m.streams[i] }
func (m *merger) Push(s any)    { m.streams = append(m.streams, s.(*stream)) }
func (m *merger) Pop() any {
	last := len(m.streams) - 1
	s := m.streams[last]
	m.streams = m.streams[:last]
	return s
}

// FirstIDs merges parts of a range by their ids, up to a limit.
func FirstIDs(parts [][][16]byte, limit int) [][16]byte {
	if len(parts) == 1 {
		return parts[0]
	}
	all := slices.Concat(parts...)
	slices.SortFunc(all, func(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) })
	return all[:min(len(all), limit)]
}

// minExamined is how many events of each type Select examines at least.
const minExamined = 16

// Missing examines events of some types, up to about limit of them in all. of examines up to a limit of one type.
func Missing(types []string, limit int, of func(eventType string, limit int) (Part, error)) ([]Part, error) {
	parts := make([]Part, len(types))
	for i, name := range types {
		var err error
		if parts[i], err = of(name, max(limit/len(types), minExamined)); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// Part is what was found in one range of a selection.
type Part struct {
	Items []bellwire.JobItem // in order
	Last  bellwire.EventID   // the last event that was examined
	More  bool               // there are events behind it
}

// Merge makes one list of parts, of up to limit items, that ends where the first of them was not examined further.
func Merge(parts []Part, limit int) *bellwire.Selected {
	s := &bellwire.Selected{}
	for _, p := range parts {
		s.Items = append(s.Items, p.Items...)
		if p.More && (!s.More || compareEvents(p.Last, s.Last) < 0) {
			s.Last, s.More = p.Last, true
		}
	}
	slices.SortFunc(s.Items, func(a, b bellwire.JobItem) int { return compareEvents(a.Event, b.Event) })
	if s.More {
		s.Items = slices.DeleteFunc(s.Items, func(i bellwire.JobItem) bool { return compareEvents(i.Event, s.Last) > 0 })
	}
	if len(s.Items) > limit {
		s.Items = s.Items[:limit]
		s.Last, s.More = s.Items[limit-1].Event, true
	}
	return s
}

func compareEvents(a, b bellwire.EventID) int { return bytes.Compare(a[:], b[:]) }

// FreeNumber returns a number for another delivery of an event: the one after the last that is below those of FanOut.
// taken are the numbers below those, in order, and are asked for only if there is none after the last.
func FreeNumber(deliveries int, last int, taken func() ([]int, error)) (number int, found bool, err error) {
	end := bellwire.MaxDeliveries - deliveries
	if last+1 < end {
		return last + 1, true, nil
	}
	numbers, err := taken()
	if err != nil {
		return 0, false, err
	}
	for _, n := range numbers {
		if n > number {
			break
		}
		number = n + 1
	}
	return number, number < end, nil
}
