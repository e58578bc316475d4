// Package live streams attempts to people who watch, as the attempts end. Those of this node come from its engine, and those of other
// nodes by messages. The package reads nothing from the store. While nobody watches, an attempt costs the check of a flag.
package live

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// Tick is how often watchers get what is new.
const Tick = 250 * time.Millisecond

const (
	ticksPerSecond = int(time.Second / Tick)
	perTick        = limits.LivePerSecond / ticksPerSecond
	maxPending     = 4096 // attempts of one tick
	maxKept        = 2000 // attempts that a watcher who comes back can still get
	// linger is how long attempts are kept after the last watcher has left, for one who comes back.
	linger = 30 * time.Second
	// Other nodes learn every announceEvery that somebody watches here, and believe it for announced.
	announceEvery = 5 * time.Second
	announced     = 15 * time.Second
	tellTimeout   = 2 * time.Second
)

// Config configures a Hub.
type Config struct {
	Node string // the name of this node
	// Tell sends a message to other nodes; nil: there are none.
	Tell   func(ctx context.Context, message []byte) error
	Logger *slog.Logger // for messages that cannot be sent; nil: none
}

// Hub passes attempts on. It is safe for concurrent use. Run must run.
type Hub struct {
	node string
	tell func(ctx context.Context, message []byte) error
	log  *slog.Logger

	watched atomic.Bool // somebody watches, here or at another node
	wake    chan struct{}

	mu      sync.Mutex
	closed  bool
	streams map[*Stream]struct{}
	ofOwner map[string]int   // streams
	pending []Attempt        // of this node since the last tick
	lost    int              // attempts of this node that found no room in pending
	heard   []Attempt        // of other nodes since the last tick
	skipped int              // that other nodes have left out
	kept    []item           // the newest attempts, oldest first
	counted time.Time        // when the last second was over
	second  tally            // of this node
	others  map[string]tally // of other nodes in the last second
	until   time.Time        // when attempts are kept, after the last watcher has left
	told    time.Time        // when other nodes were told what is watched here
	toldOf  []Filter         // what they were told
	remote  map[string]interest
}

// New returns a Hub without watchers.
func New(c Config) *Hub {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Hub{
		node: c.Node, tell: c.Tell, log: c.Logger, wake: make(chan struct{}, 1),
		streams: make(map[*Stream]struct{}), ofOwner: make(map[string]int),
		others: make(map[string]tally), remote: make(map[string]interest),
	}
}

// interest is what is watched at another node.
type interest struct {
	filters []Filter
	until   time.Time
}

// Observer returns an observer that passes everything to next, and attempts to the hub too.
func (h *Hub) Observer(next bellwire.Observer) bellwire.Observer { return observer{next, h} }

type observer struct {
	bellwire.Observer
	hub *Hub
}

// Attempted passes an attempt on.
func (o observer) Attempted(a *bellwire.Attempt, ep *bellwire.Endpoint, e *bellwire.Event) {
	o.Observer.Attempted(a, ep, e)
	if o.hub.watched.Load() {
		o.hub.add(attemptOf(a, ep, e))
	}
}

// Appended counts published events.
func (o observer) Appended(events, deliveries int, took time.Duration) {
	o.Observer.Appended(events, deliveries, took)
	if o.hub.watched.Load() {
		o.hub.mu.Lock()
		defer o.hub.mu.Unlock()
		o.hub.second.Published += events
	}
}

func (h *Hub) add(a Attempt) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.second.count(&a)
	if len(h.pending) == maxPending {
		h.lost++
		return
	}
	h.pending = append(h.pending, a)
}

// Run passes on what is new until ctx ends. Then it ends all streams.
func (h *Hub) Run(ctx context.Context) {
	defer h.Close()
	ticker := time.NewTicker(Tick)
	defer ticker.Stop()
	for {
		if !h.watched.Load() {
			ticker.Stop()
			select {
			case <-ctx.Done():
				return
			case <-h.wake:
			}
			ticker.Reset(Tick)
		}
		for _, message := range h.tick(time.Now()) {
			h.send(ctx, message)
		}
		select {
		case <-ctx.Done():
			return
		case <-h.wake:
		case <-ticker.C:
		}
	}
}

// Close ends all streams, and lets no new one begin.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for s := range h.streams {
		s.end()
	}
}

// tick gives watchers what is new, and returns the messages for other nodes.
func (h *Hub) tick(now time.Time) (messages []message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	secondOver := now.Sub(h.counted) >= time.Second
	if secondOver {
		h.counted = now
	}
	messages = h.forOthers(now, secondOver)
	items := make([]item, 0, len(h.pending)+len(h.heard))
	for _, attempts := range [][]Attempt{h.pending, h.heard} {
		for i := range attempts {
			items = append(items, item{Attempt: attempts[i]})
		}
	}
	for s := range h.streams {
		s.add(items, h.lost+h.skipped)
	}
	h.kept = append(h.kept, items...)
	if more := len(h.kept) - maxKept; more > 0 {
		h.kept = append(h.kept[:0], h.kept[more:]...)
	}
	h.pending, h.heard, h.lost, h.skipped = h.pending[:0], h.heard[:0], 0, 0
	if secondOver {
		h.count()
	}
	h.settle(now)
	return messages
}

// count gives watchers the numbers of the last second. h.mu is held.
func (h *Hub) count() {
	sum := h.second
	for _, other := range h.others {
		sum.add(other)
	}
	for s := range h.streams {
		s.count(sum)
	}
	h.second = tally{}
	clear(h.others)
}

// settle sets whether anybody watches. h.mu is held.
func (h *Hub) settle(now time.Time) {
	for node, i := range h.remote {
		if now.After(i.until) {
			delete(h.remote, node)
		}
	}
	if len(h.streams) > 0 {
		h.until = now.Add(linger)
	}
	watched := len(h.remote) > 0 || now.Before(h.until)
	if !watched {
		h.pending, h.kept, h.second = nil, nil, tally{}
	}
	h.watched.Store(watched)
}

// Watch begins a stream of the attempts that a filter selects, after the one with the id last, unless that is empty. The owner is
// who is charged for the stream. Its error has CodeRateLimited if there are too many, and CodeUnavailable if the hub is closed.
func (h *Hub) Watch(f Filter, owner, last string) (*Stream, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return nil, bellwire.Errorf(bellwire.CodeUnavailable, "the server is shutting down")
	case len(h.streams) >= limits.LiveStreams || h.ofOwner[owner] >= limits.LiveStreamsOf:
		return nil, &bellwire.Error{
			Code: bellwire.CodeRateLimited, Message: "too many live streams are open; close some, and try again", RetryAfter: announceEvery,
		}
	}
	s := &Stream{hub: h, filter: f, owner: owner, ready: make(chan struct{}, 1), ended: make(chan struct{})}
	if last != "" {
		s.resume(h.kept, last)
	}
	h.streams[s] = struct{}{}
	h.ofOwner[owner]++
	if !h.watched.Swap(true) {
		h.second = tally{}
		select {
		case h.wake <- struct{}{}:
		default:
		}
	}
	return s, nil
}

func (h *Hub) leave(s *Stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, there := h.streams[s]; !there {
		return
	}
	delete(h.streams, s)
	if h.ofOwner[s.owner]--; h.ofOwner[s.owner] == 0 {
		delete(h.ofOwner, s.owner)
	}
}
