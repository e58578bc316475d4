package live

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds on what nodes tell each other.
const (
	maxFilters = 10
	maxRemote  = 64 // nodes
	maxHeard   = maxPending
)

// message is what nodes tell each other, as JSON.
type message struct {
	Node     string    `json:"n"`
	Watches  []Filter  `json:"w,omitempty"` // what is watched at the node; an empty Filter stands for everything
	Attempts []Attempt `json:"a,omitempty"`
	Skipped  int       `json:"k,omitempty"` // attempts that are left out
	Second   *tally    `json:"c,omitempty"`
}

// forOthers returns what other nodes are to be told in a tick. h.mu is held.
func (h *Hub) forOthers(now time.Time, secondOver bool) (messages []message) {
	if h.tell == nil {
		return nil
	}
	if filters := h.filters(); len(filters) > 0 && (now.Sub(h.told) >= announceEvery || !cover(h.toldOf, filters)) {
		h.told, h.toldOf = now, filters
		messages = append(messages, message{Node: h.node, Watches: filters})
	}
	if len(h.remote) == 0 {
		return messages
	}
	wanted, skipped := h.wanted()
	for len(wanted) > 0 || skipped > 0 {
		part := fitting(wanted)
		messages = append(messages, message{Node: h.node, Attempts: wanted[:part], Skipped: skipped})
		wanted, skipped = wanted[part:], 0
	}
	if secondOver && (h.second.Attempts > 0 || h.second.Published > 0) {
		messages = append(messages, message{Node: h.node, Second: h.watchedNumbers()})
	}
	return messages
}

// filters returns what is watched here, or everything if that is too much to say. h.mu is held.
func (h *Hub) filters() []Filter {
	different := make(map[Filter]bool)
	for s := range h.streams {
		different[s.filter] = true
		if len(different) > maxFilters {
			return []Filter{{}}
		}
	}
	var filters []Filter
	for f := range different {
		filters = append(filters, f)
	}
	return filters
}

// cover reports whether who was told of the first filters knows all that others select.
func cover(told, filters []Filter) bool {
	return slices.Contains(told, Filter{}) || !slices.ContainsFunc(filters, func(f Filter) bool { return !slices.Contains(told, f) })
}

// wanted returns this node's attempts that are watched at others, and how many are left out of them. h.mu is held.
func (h *Hub) wanted() (attempts []Attempt, skipped int) {
	for i := range h.pending {
		if h.isWanted(&h.pending[i]) {
			attempts = append(attempts, h.pending[i])
		}
	}
	step := max(1, (len(attempts)+perTick-1)/perTick)
	if step == 1 {
		return attempts, h.lost
	}
	var some []Attempt
	for i := 0; i < len(attempts); i += step {
		some = append(some, attempts[i])
	}
	return some, len(attempts) - len(some) + h.lost
}

func (h *Hub) isWanted(a *Attempt) bool {
	for _, of := range h.remote {
		for i := range of.filters {
			if of.filters[i].selects(a) {
				return true
			}
		}
	}
	return false
}

// watchedNumbers returns the numbers of the second, of tenants only those that are watched. h.mu is held.
func (h *Hub) watchedNumbers() *tally {
	numbers := tally{Published: h.second.Published, Attempts: h.second.Attempts, Succeeded: h.second.Succeeded}
	for _, of := range h.remote {
		for _, f := range of.filters {
			if n, ok := h.second.Tenants[f.Tenant]; ok && f.Tenant != "" {
				if numbers.Tenants == nil {
					numbers.Tenants = make(map[string][2]int)
				}
				numbers.Tenants[f.Tenant] = n
			}
		}
	}
	return &numbers
}

// attemptBytes is the most that the JSON of an attempt takes without its texts.
const attemptBytes = 450

// fitting returns how many attempts fit into a message.
func fitting(attempts []Attempt) int {
	size := 200
	for i := range attempts {
		a := &attempts[i]
		size += attemptBytes + len(a.Tenant) + len(a.Endpoint) + 2*len(a.EventType) + len(a.Dialect)
		if size > bellwire.MaxTold && i > 0 {
			return i
		}
	}
	return len(attempts)
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
	if len(m.Watches) > 0 && (len(h.remote) < maxRemote || h.remote[m.Node].filters != nil) {
		h.remote[m.Node] = interest{filters: m.Watches, until: time.Now().Add(announced)}
		if !h.watched.Swap(true) {
			select {
			case h.wake <- struct{}{}:
			default:
			}
		}
	}
	if len(h.streams) == 0 && time.Now().After(h.until) {
		return
	}
	room := min(len(m.Attempts), maxHeard-len(h.heard))
	h.heard = append(h.heard, m.Attempts[:room]...)
	h.skipped += m.Skipped + len(m.Attempts) - room
	if m.Second != nil && len(h.others) < maxRemote {
		sum := h.others[m.Node]
		sum.Tenants = maps.Clone(sum.Tenants)
		sum.add(*m.Second)
		h.others[m.Node] = sum
	}
}
