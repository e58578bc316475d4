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
	"github.com/bellwire/bellwire/internal/share"
)

// Tick is how often watchers get what is new.
const Tick = 250 * time.Millisecond

const (
	ticksPerSecond = int(time.Second / Tick)
	perTick        = limits.LivePerSecond / ticksPerSecond
	maxPending     = 8192 // attempts of one tick
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
	held    map[string]int   // of them, by tenant
	lost    map[string]int   // attempts since the last tick for which there was no room, by tenant
	heard   []Attempt        // of other nodes since the last tick
	left    map[Filter]int   // attempts that a filter selects, and that other nodes have left out since the last tick
	kept    []item           // the newest attempts, oldest first
	counted time.Time        // when the last second was over
	second  tally            // of this node
	others  map[string]tally // of other nodes in the last second
	until   time.Time        // when attempts are kept, after the last watcher has left
	told    time.Time        // when other nodes were told all that is watched here
	toldOf  map[Filter]bool  // what they were told since
	remote  interest         // what is watched at other nodes
}

// New returns a Hub without watchers.
func New(c Config) *Hub {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Hub{
		node: c.Node, tell: c.Tell, log: c.Logger, wake: make(chan struct{}, 1),
		streams: make(map[*Stream]struct{}), ofOwner: make(map[string]int),
		held: make(map[string]int), lost: make(map[string]int), left: make(map[Filter]int),
		others: make(map[string]tally), toldOf: make(map[Filter]bool), remote: make(interest),
	}
}

// Observer returns an observer that passes everything to next, and attempts to the hub too.
func (h *Hub) Observer(next bellwire.Observer) bellwire.Observer { return observer{next, h} }

type observer struct {
	bellwire.Observer
	hub *Hub
}

// Attempted passes an attempt on.
func (o observer) Attempted(a *bellwire.Attempt, ep *bellwire.Endpoint, d *bellwire.Delivery) {
	o.Observer.Attempted(a, ep, d)
	if o.hub.watched.Load() {
		o.hub.add(attemptOf(a, ep, d))
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
	if !share.Fits(int64(h.held[a.Tenant]), 1, int64(maxPending-len(h.pending)), maxPending/limits.ReservePart) {
		h.lost[a.Tenant]++
		return
	}
	h.pending = append(h.pending, a)
	h.held[a.Tenant]++
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
		s.add(items, h.unseen(s))
	}
	h.kept = append(h.kept, items...)
	if more := len(h.kept) - maxKept; more > 0 {
		h.kept = append(h.kept[:0], h.kept[more:]...)
	}
	h.pending, h.heard = h.pending[:0], h.heard[:0]
	clear(h.held)
	clear(h.lost)
	clear(h.left)
	if secondOver {
		h.count()
	}
	h.settle(now)
	return messages
}

// unseen returns how many attempts are missing that a stream's filter may select. h.mu is held.
func (h *Hub) unseen(s *Stream) int {
	n := h.left[s.told]
	if s.filter.Tenant != "" {
		return n + h.lost[s.filter.Tenant]
	}
	for _, lost := range h.lost {
		n += lost
	}
	return n
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
	h.remote.forget(now)
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
	case h.ofOwner[owner] >= limits.LiveStreamsOf || !h.hasRoom(owner):
		return nil, &bellwire.Error{
			Code: bellwire.CodeRateLimited, Message: "too many live streams are open; close some, and try again", RetryAfter: announceEvery,
		}
	}
	s := &Stream{hub: h, filter: f, told: f.sayable(), owner: owner, ready: make(chan struct{}, 1), ended: make(chan struct{})}
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

// hasRoom reports whether an owner may have another stream. h.mu is held.
func (h *Hub) hasRoom(owner string) bool {
	free := limits.LiveStreams - len(h.streams)
	return share.Fits(int64(h.ofOwner[owner]), 1, int64(free), limits.LiveStreams/limits.ReservePart)
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
