// Package peer connects the nodes that share a database. A node sends deliveries that it has stored to the node that owns their
// endpoints, and gets an answer. Both sides of a connection prove that they have the keyset.
package peer

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// version is that of the protocol. A node connects only to nodes that know its version.
const version = 1

// Times of connections.
const (
	helloTimeout = 2 * time.Second // for everything until the first tick
	tickEvery    = time.Second
	silentFor    = 3 * time.Second      // without a tick or an answer, after which a connection is given up
	answerWithin = time.Second          // after which a connection is given up
	answerPause  = 5 * time.Millisecond // in which answers gather that are sent together
	firstPause   = time.Second / 10     // after a connection that broke, or the first that was refused
	redialPause  = time.Second
)

// Bounds of a node.
const (
	maxUnauthenticated = 32        // connections whose other side has not been authenticated
	batchBytes         = 512 << 10 // in one frame, unless one event has more
	batchForwards      = 512
	deliveryBytes      = 128 // that a delivery takes, about
)

// Config configures Links.
type Config struct {
	Node    string     // the name of this node
	Seeds   [][32]byte // of the keys that are derived from the keyset, that of the primary one first
	Listens bool       // other nodes can reach this one
	Logger  *slog.Logger
	// Dial connects to another node; nil: over TCP.
	Dial func(ctx context.Context, address string) (net.Conn, error)
}

// Links are the connections of a node to other nodes.
type Links struct {
	config  Config
	tls     *tls.Config
	receive func([]*bellwire.Forward) [][]bellwire.Disposition
	clock   func() int64

	ctx             context.Context
	cancel          context.CancelFunc
	running         sync.WaitGroup
	unauthenticated chan struct{}

	mu     sync.RWMutex
	self   [16]byte
	known  map[[16]byte]string // the names of the other nodes, by instance
	links  map[[16]byte]*link
	closed bool
	told   bool // that no node can reach this one
}

// New returns links to no nodes.
func New(c Config) (*Links, error) {
	secured, err := secured(c.Seeds)
	if err != nil {
		return nil, err
	}
	if c.Dial == nil {
		dialer := &net.Dialer{Timeout: helloTimeout}
		c.Dial = func(ctx context.Context, address string) (net.Conn, error) {
			return dialer.DialContext(ctx, "tcp", address)
		}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	l := &Links{config: c, tls: secured, unauthenticated: make(chan struct{}, maxUnauthenticated), links: make(map[[16]byte]*link)}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l, nil
}

// Handle sets what receives the deliveries of other nodes, and this node's clock.
func (l *Links) Handle(receive func([]*bellwire.Forward) [][]bellwire.Disposition, clock func() int64) {
	l.receive, l.clock = receive, clock
}

// SetPeers sets which other nodes there are. It connects to those that have an address, and leaves those that are gone.
func (l *Links) SetPeers(self [16]byte, peers []bellwire.Peer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	if len(peers) > 0 && !l.config.Listens && !l.told {
		l.told = true
		l.config.Logger.Info("other nodes cannot reach this one; with --node-listen, they can send it deliveries without the detour through the database")
	}
	l.self, l.known = self, make(map[[16]byte]string, len(peers))
	wanted := make(map[[16]byte]bool, len(peers))
	for i := range peers {
		p := &peers[i]
		l.known[p.Instance] = p.Name
		if p.Address == "" {
			continue
		}
		wanted[p.Instance] = true
		if l.links[p.Instance] == nil {
			k := newLink(l, p)
			l.links[p.Instance] = k
			l.running.Go(k.run)
		}
	}
	for instance, k := range l.links {
		if !wanted[instance] {
			delete(l.links, instance)
			k.cancel()
		}
	}
}

func (l *Links) link(instance [16]byte) *link {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.links[instance]
}

// Heard returns the clock of a node as last heard, if the node can be reached.
func (l *Links) Heard(instance [16]byte) (stamp int64, reachable bool) {
	k := l.link(instance)
	if k == nil || !k.up.Load() {
		return 0, false
	}
	return k.stamp.Load(), true
}

// Send queues deliveries for a node, to be sent at most once.
func (l *Links) Send(instance [16]byte, f *bellwire.Forward, answered func([]bellwire.Disposition)) {
	k := l.link(instance)
	if k == nil || !k.push(&sending{forward: f, answered: answered}) {
		answered(nil)
	}
}

// Flush sends what is queued.
func (l *Links) Flush() {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, k := range l.links {
		k.flush()
	}
}

// Close waits until everything that was sent is answered, but no longer than ctx, and closes all connections.
func (l *Links) Close(ctx context.Context) {
	l.mu.Lock()
	l.closed = true
	links := make([]*link, 0, len(l.links))
	for _, k := range l.links {
		links = append(links, k)
	}
	l.mu.Unlock()
	for _, k := range links {
		k.drain(ctx)
	}
	l.cancel()
	l.running.Wait()
}

// knows reports whether a node lives, as far as this one has learned from the database.
func (l *Links) knows(h *hello) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	name, known := l.known[h.from]
	return known && name == h.name && h.to == l.self
}
