package live

import (
	"context"
	"encoding/json"
	"iter"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// Bounds on what nodes tell each other.
const (
	maxTold    = limits.LiveTold / ticksPerSecond // attempts in a tick
	maxFilters = 20                               // of a tenant, and of all operators
	maxRemote  = 64                               // nodes
	maxHeard   = maxPending
)

// message is what nodes tell each other, as JSON.
type message struct {
	Node     string    `json:"n"`
	Watches  []Filter  `json:"w,omitempty"` // what is watched at the node; an empty Filter stands for everything
	Attempts []Attempt `json:"a,omitempty"`
	Left     []leftOut `json:"l,omitempty"`
	Second   *tally    `json:"c,omitempty"`
}

// leftOut is how many attempts that a filter selects are left out.
type leftOut struct {
	Filter Filter `json:"f"`
	Number int    `json:"k"`
}

// interest is what is watched at other nodes, by the tenant of the filters, and until when that is believed.
type interest map[string]map[Filter]time.Time

// add adds a filter. Of a tenant with very many, it adds one that selects all of the tenant's attempts.
func (of interest) add(f Filter, until time.Time) {
	filters := of[f.Tenant]
	if filters == nil {
		filters = make(map[Filter]time.Time)
		of[f.Tenant] = filters
	}
	if _, known := filters[f]; !known && len(filters) >= maxFilters {
		f = Filter{Tenant: f.Tenant}
	}
	filters[f] = until
}

// forget removes what is no longer believed.
func (of interest) forget(now time.Time) {
	for tenant, filters := range of {
		maps.DeleteFunc(filters, func(_ Filter, until time.Time) bool { return now.After(until) })
		if len(filters) == 0 {
			delete(of, tenant)
		}
	}
}

// forOthers returns what other nodes are to be told in a tick. h.mu is held.
func (h *Hub) forOthers(now time.Time, secondOver bool) (messages []message) {
	if h.tell == nil {
		return nil
	}
	for watched := range parts(h.news(now), sizeOfFilter) {
		messages = append(messages, message{Node: h.node, Watches: watched})
	}
	if len(h.remote) == 0 {
		return messages
	}
	attempts, left := h.wanted()
	for some := range parts(attempts, sizeOfAttempt) {
		messages = append(messages, message{Node: h.node, Attempts: some})
	}
	for some := range parts(left, func(l leftOut) int { return 30 + sizeOfFilter(l.Filter) }) {
		messages = append(messages, message{Node: h.node, Left: some})
	}
	if secondOver && (h.second.Attempts > 0 || h.second.Published > 0) {
		messages = append(messages, h.watchedNumbers()...)
	}
	return messages
}

// news returns what is watched here that other nodes were not told lately. h.mu is held.
func (h *Hub) news(now time.Time) (filters []Filter) {
	if now.Sub(h.told) >= announceEvery {
		h.told = now
		clear(h.toldOf)
	}
	for s := range h.streams {
		if !h.toldOf[s.told] {
			h.toldOf[s.told] = true
			filters = append(filters, s.told)
		}
	}
	return filters
}

// wanted returns this node's attempts that are watched at others. If there are very many, all tenants that watch get as many, operators
// together count as one, and so do all filters of a tenant; in an operator's filter, all tenants get as many. What is left out of a
// filter is counted. h.mu is held.
func (h *Hub) wanted() (attempts []Attempt, left []leftOut) {
	selections := h.selections()
	chosen := make([]bool, len(h.pending))
	deal(maxTold, slices.Collect(maps.Values(selections)), wantsOf, func(of []*selection, room int) {
		deal(room, of, (*selection).wants, func(s *selection, room int) { s.choose(room, chosen) })
	})
	for i := range h.pending {
		if chosen[i] {
			attempts = append(attempts, h.pending[i])
		}
	}
	for _, of := range selections {
		for _, s := range of {
			if n := s.leftOut(chosen); n > 0 {
				left = append(left, leftOut{s.filter, n})
			}
		}
	}
	return attempts, left
}

// selection is what a filter selects of the pending attempts, as their indexes by tenant.
type selection struct {
	filter   Filter
	size     int
	byTenant map[string][]int
}

// selections returns what the filters of other nodes select, by the tenant of the filters. h.mu is held.
func (h *Hub) selections() map[string][]*selection {
	found := make(map[Filter]*selection)
	all := make(map[string][]*selection)
	for i := range h.pending {
		a := &h.pending[i]
		for _, tenant := range [...]string{"", a.Tenant} {
			for f := range h.remote[tenant] {
				if !f.selects(a) {
					continue
				}
				s := found[f]
				if s == nil {
					s = &selection{filter: f, byTenant: make(map[string][]int)}
					found[f] = s
					all[tenant] = append(all[tenant], s)
				}
				s.size++
				s.byTenant[a.Tenant] = append(s.byTenant[a.Tenant], i)
			}
		}
	}
	return all
}

// wants returns how many attempts a stream with the filter may show.
func (s *selection) wants() int { return min(s.size, perTick) }

func wantsOf(all []*selection) (n int) {
	for _, s := range all {
		n += s.wants()
	}
	return n
}

// choose chooses as many attempts as there is room for, of each tenant spread evenly.
func (s *selection) choose(room int, chosen []bool) {
	size := func(of []int) int { return len(of) }
	deal(room, slices.Collect(maps.Values(s.byTenant)), size, func(of []int, some int) {
		for n := range some {
			chosen[of[n*len(of)/some]] = true
		}
	})
}

func (s *selection) leftOut(chosen []bool) (n int) {
	for _, of := range s.byTenant {
		for _, i := range of {
			if !chosen[i] {
				n++
			}
		}
	}
	return n
}

// deal divides room among the items, so that none gets more than it wants, or more than another that wants more. If there is not enough
// for one each, chance decides.
func deal[T any](room int, items []T, wants func(T) int, give func(item T, share int)) {
	rand.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	if room >= len(items) {
		slices.SortFunc(items, func(a, b T) int { return wants(a) - wants(b) })
	}
	for i, item := range items {
		share := min(wants(item), max(room/(len(items)-i), min(room, 1)))
		give(item, share)
		room -= share
	}
}

// watchedNumbers returns the numbers of the second, of tenants only those that are watched. h.mu is held.
func (h *Hub) watchedNumbers() (messages []message) {
	sum := &tally{Published: h.second.Published, Attempts: h.second.Attempts, Succeeded: h.second.Succeeded}
	messages = []message{{Node: h.node, Second: sum}}
	var tenants []string
	for tenant := range h.remote {
		if _, counted := h.second.Tenants[tenant]; counted {
			tenants = append(tenants, tenant)
		}
	}
	for some := range parts(tenants, func(tenant string) int { return 40 + len(tenant) }) {
		numbers := make(map[string][2]int, len(some))
		for _, tenant := range some {
			numbers[tenant] = h.second.Tenants[tenant]
		}
		messages = append(messages, message{Node: h.node, Second: &tally{Tenants: numbers}})
	}
	return messages
}

const (
	attemptBytes   = 450  // that the JSON of an attempt takes at most, without its texts
	maxFilterBytes = 1000 // of a filter that other nodes are told
)

// sayable returns a filter that other nodes can be told, and that selects no less.
func (f Filter) sayable() Filter {
	if sizeOfFilter(f) <= maxFilterBytes {
		return f
	}
	return Filter{Tenant: f.Tenant}
}

func sizeOfAttempt(a Attempt) int {
	return attemptBytes + len(a.Tenant) + len(a.Endpoint) + 2*len(a.EventType) + len(a.Dialect)
}

func sizeOfFilter(f Filter) int {
	encoded, _ := json.Marshal(f) // fails for no filter
	return len(encoded) + 1
}

// parts returns the items in parts that fit into a message each.
func parts[T any](items []T, sizeOf func(T) int) iter.Seq[[]T] {
	return func(yield func([]T) bool) {
		from, size := 0, 0
		for i, item := range items {
			n := sizeOf(item)
			if i > from && 200+size+n > bellwire.MaxTold {
				if !yield(items[from:i]) {
					return
				}
				from, size = i, 0
			}
			size += n
		}
		if from < len(items) {
			yield(items[from:])
		}
	}
}

// send sends a message. Lost ones are only logged: nobody relies on them.
func (h *Hub) send(ctx context.Context, m message) {
	encoded, err := json.Marshal(&m)
	if err == nil && len(encoded) <= bellwire.MaxTold {
		ctx, cancel := context.WithTimeout(ctx, tellTimeout)
		defer cancel()
		err = h.tell(ctx, encoded)
	}
	if err != nil && ctx.Err() == nil {
		h.log.LogAttrs(ctx, slog.LevelDebug, "live attempts not sent to other nodes", slog.Any("error", err))
	}
}

// Told takes a message of another node.
func (h *Hub) Told(encoded []byte) {
	var m message
	if json.Unmarshal(encoded, &m) != nil || m.Node == h.node {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, f := range m.Watches {
		h.remote.add(f, time.Now().Add(announced))
	}
	if len(m.Watches) > 0 && !h.watched.Swap(true) {
		select {
		case h.wake <- struct{}{}:
		default:
		}
	}
	if len(h.streams) == 0 && time.Now().After(h.until) {
		return
	}
	room := min(len(m.Attempts), maxHeard-len(h.heard))
	h.heard = append(h.heard, m.Attempts[:room]...)
	for _, a := range m.Attempts[room:] {
		h.lost[a.Tenant]++
	}
	for _, l := range m.Left {
		h.left[l.Filter] += l.Number
	}
	if m.Second != nil && len(h.others) < maxRemote {
		sum := h.others[m.Node]
		sum.Tenants = maps.Clone(sum.Tenants)
		sum.add(*m.Second)
		h.others[m.Node] = sum
	}
}
