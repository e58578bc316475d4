package engine_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/standard"
	"github.com/bellwire/bellwire/internal/directory"
	"github.com/bellwire/bellwire/internal/engine"
	"github.com/bellwire/bellwire/internal/store/sqlite"
)

// cluster is several engines on one store, as PostgreSQL serves them: each shard has an owner and an epoch of its own. The store
// beneath has one epoch for all, so what goes to it and comes from it is translated.
type cluster struct {
	*world
	nodes []*clusterNode

	// moving guards the epochs. It is held for as long as an operation of the store takes, so that no epoch ends in the middle of one.
	moving    sync.RWMutex
	owner     [bellwire.Shards]int
	epochs    [bellwire.Shards]int64
	inStore   int64                          // the epoch of the store beneath
	endpoints map[bellwire.DeliveryID]string // of the deliveries, guarded by its own lock
	known     sync.Mutex
	moves     int
}

// clusterNode is a node, and its view of the store.
type clusterNode struct {
	bellwire.Store
	cluster  *cluster
	number   int
	instance [16]byte
	engine   *engine.Engine
	link     *wire
	counts   *forwardCounts
	dead     atomic.Bool // it has crashed
	news     chan bellwire.Notification

	appended func() error // after an append was committed; an error is its answer
	claimed  func() error // the same of a claim
}

// forwardCounts counts what a node has reported of deliveries for others.
type forwardCounts struct {
	bellwire.NopObserver
	mu        sync.Mutex
	forwarded int
	not       map[string]int
	claimed   int
}

func (c *forwardCounts) Forwarded(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forwarded += n
}

func (c *forwardCounts) NotForwarded(n int, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.not == nil {
		c.not = make(map[string]int)
	}
	c.not[reason] += n
}

func (c *forwardCounts) Claimed(n int, _ time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.claimed += n
}

// inCluster runs a test with so many nodes.
func inCluster(t *testing.T, nodes int, test func(t *testing.T, c *cluster)) {
	inWorld(t, func(t *testing.T, w *world) {
		w.stop()
		store, err := sqlite.Open(t.Context(), filepath.Join(w.dir, databaseFile), sqlite.Options{NoSync: true, Now: w.wall})
		must(t, err)
		w.store = store
		leases, err := store.RenewLeases(t.Context(), "cluster")
		must(t, err)
		c := &cluster{world: w, inStore: leases.Epochs[0], endpoints: make(map[bellwire.DeliveryID]string)}
		for shard := range c.epochs {
			c.epochs[shard], c.owner[shard] = 1, shard%nodes
		}
		for n := range nodes {
			c.nodes = append(c.nodes, &clusterNode{Store: store, cluster: c, number: n, instance: [16]byte{byte(n) + 1}})
		}
		for _, n := range c.nodes {
			n.start()
		}
		c.pass(2 * time.Second) // all know each other
		test(t, c)
		for _, n := range c.nodes {
			if !n.dead.Load() {
				n.stop()
			}
		}
		must(t, store.Close())
		w.start() // which the world stops
	})
}

func (n *clusterNode) start() {
	w := n.cluster.world
	n.news, n.counts = make(chan bellwire.Notification, 10_000), new(forwardCounts)
	n.link = &wire{node: n}
	config := w.config
	config.Store, config.Link, config.Observer, config.Node = n, n.link, n.counts, fmt.Sprint("node", n.number)
	n.link.ctx, n.link.cancel = context.WithCancel(context.Background())
	config.Directory = directory.New(directory.Config{
		Store: n.Store, Keyring: w.keyring, Dialects: map[string]bellwire.Dialect{"standard": standard.Dialect{}}, Limits: &w.limits,
	})
	n.engine = engine.New(config)
	must(w.t, n.engine.Start(w.t.Context()))
}

func (n *clusterNode) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	must(n.cluster.t, n.engine.Close(ctx))
	n.dead.Store(true)
}

// crash ends a node without a word. The others notice it as they would notice a process that no longer renews.
func (n *clusterNode) crash() {
	n.cluster.moving.Lock()
	n.dead.Store(true)
	n.cluster.moving.Unlock()
	n.link.cancel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = n.engine.Close(ctx)
	time.Sleep(6 * time.Second)
	n.cluster.moving.Lock()
	var living []int
	for _, other := range n.cluster.nodes {
		if !other.dead.Load() {
			living = append(living, other.number)
		}
	}
	var theirs []int
	for shard, owner := range n.cluster.owner {
		if owner == n.number {
			theirs = append(theirs, shard)
		}
	}
	n.cluster.moving.Unlock()
	for i, shard := range theirs {
		n.cluster.move(shard, living[i%len(living)])
	}
	n.cluster.tell(-1, bellwire.Notification{Leases: true, Missed: true})
}

// move gives a shard another owner, in a new epoch, in which all its deliveries are free.
func (c *cluster) move(shard, to int) {
	c.moving.Lock()
	defer c.moving.Unlock()
	c.owner[shard] = to
	c.epochs[shard]++
	c.moves++
	c.known.Lock()
	var tokens []bellwire.ClaimToken
	for id, endpoint := range c.endpoints {
		if bellwire.ShardOf(endpoint) == shard {
			tokens = append(tokens, bellwire.ClaimToken{Delivery: id, Epoch: c.inStore})
		}
	}
	c.known.Unlock()
	must(c.t, c.store.ReleaseDeliveries(context.Background(), tokens))
}

// tell notifies all nodes but one.
func (c *cluster) tell(from int, news bellwire.Notification) {
	for _, n := range c.nodes {
		if n.number != from && !n.dead.Load() {
			n.news <- news
		}
	}
}

// translated returns the epoch of the store beneath for a delivery in an epoch of its shard, with its sign. It is 0, as of what is
// free, if the epoch is not the shard's any more.
func (c *cluster) translated(endpoint string, epoch int64) int64 {
	switch c.epochs[bellwire.ShardOf(endpoint)] {
	case epoch:
		return c.inStore
	case -epoch:
		return -c.inStore
	}
	return 0
}

func (n *clusterNode) gone() error {
	if n.dead.Load() {
		return bellwire.Errorf(bellwire.CodeUnavailable, "the node is dead")
	}
	return nil
}

func (n *clusterNode) RenewLeases(context.Context, string) (*bellwire.Leases, error) {
	c := n.cluster
	c.moving.RLock()
	defer c.moving.RUnlock()
	if err := n.gone(); err != nil {
		return nil, err
	}
	l := &bellwire.Leases{Term: 6 * time.Second, Nodes: len(c.nodes), Instance: n.instance}
	for _, other := range c.nodes {
		p := bellwire.Peer{Name: fmt.Sprint("node", other.number), Instance: other.instance, Address: "here"}
		for shard, owner := range c.owner {
			switch {
			case owner != other.number:
			case other == n:
				l.Epochs[shard] = c.epochs[shard]
			default:
				p.Epochs[shard] = c.epochs[shard]
			}
		}
		if other != n && !other.dead.Load() {
			l.Peers = append(l.Peers, p)
		}
	}
	return l, nil
}

func (n *clusterNode) HandOver(_ context.Context, _ string, shards []int, leaving bool) error {
	c := n.cluster
	for i, shard := range shards {
		for k := range c.nodes {
			to := c.nodes[(n.number+1+i+k)%len(c.nodes)]
			if !to.dead.Load() && (to != n || !leaving) {
				c.move(shard, to.number)
				break
			}
		}
	}
	c.tell(n.number, bellwire.Notification{Leases: true})
	return nil
}

func (n *clusterNode) ReleaseLeases(context.Context, string) error { return nil }

func (n *clusterNode) Watch(ctx context.Context, f func(bellwire.Notification)) error {
	f(bellwire.Notification{Missed: true})
	for {
		select {
		case news := <-n.news:
			f(news)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (n *clusterNode) RequestSearch(endpoints []string) {
	n.cluster.tell(n.number, bellwire.Notification{Endpoints: endpoints, Search: true})
}

func (n *clusterNode) AppendEvents(ctx context.Context, appends []*bellwire.Append) ([]bellwire.AppendResult, error) {
	c := n.cluster
	c.moving.RLock()
	if err := n.gone(); err != nil {
		c.moving.RUnlock()
		return nil, err
	}
	var epochs []int64
	wake := make(map[string]bool)
	for _, a := range appends {
		for _, e := range a.Events {
			for i := range e.Deliveries {
				d := &e.Deliveries[i]
				c.known.Lock()
				c.endpoints[d.ID] = d.Endpoint
				c.known.Unlock()
				if d.Epoch == 0 {
					wake[d.Endpoint] = true
				}
				epochs = append(epochs, d.Epoch)
				d.Epoch = c.translated(d.Endpoint, d.Epoch)
			}
		}
	}
	results, err := n.Store.AppendEvents(ctx, appends)
	c.moving.RUnlock()
	for _, a := range appends {
		for _, e := range a.Events {
			for i := range e.Deliveries {
				e.Deliveries[i].Epoch, epochs = epochs[0], epochs[1:]
			}
		}
	}
	if len(wake) > 0 {
		c.tell(n.number, bellwire.Notification{Endpoints: slices.Collect(maps.Keys(wake))})
	}
	if n.appended != nil && err == nil {
		if err := n.appended(); err != nil {
			return nil, err
		}
	}
	return results, err
}

func (n *clusterNode) ClaimDue(ctx context.Context, at time.Time, claims []bellwire.Claim) ([]bellwire.ClaimResult, error) {
	results, err := n.claim(ctx, at, claims)
	failed := n.failing()
	if err != nil || failed == nil {
		return results, err
	}
	if err := failed(); err != nil {
		// What was claimed without an answer is released before anything else is claimed.
		var tokens []bellwire.ClaimToken
		for i, r := range results {
			for _, d := range r.Due {
				tokens = append(tokens, bellwire.ClaimToken{Delivery: d.Delivery.ID, Epoch: claims[i].Epoch})
			}
		}
		_ = n.ReleaseDeliveries(context.Background(), tokens) // fails if the node has died
		return nil, err
	}
	return results, nil
}

func (n *clusterNode) claim(ctx context.Context, at time.Time, claims []bellwire.Claim) ([]bellwire.ClaimResult, error) {
	c := n.cluster
	c.moving.RLock()
	defer c.moving.RUnlock()
	if err := n.gone(); err != nil {
		return nil, err
	}
	results := make([]bellwire.ClaimResult, len(claims))
	for i := range claims {
		claim := claims[i]
		if claim.Epoch = c.translated(claim.Endpoint, claim.Epoch); claim.Epoch == 0 {
			continue // the epoch has ended
		}
		got, err := n.Store.ClaimDue(ctx, at, []bellwire.Claim{claim})
		if err != nil {
			return nil, err
		}
		results[i] = got[0]
		for k := range results[i].Due {
			results[i].Due[k].Delivery.Epoch = claims[i].Epoch
		}
	}
	return results, nil
}

// fail sets which claims get no answer from now on.
func (n *clusterNode) fail(claimed func() error) {
	n.cluster.known.Lock()
	defer n.cluster.known.Unlock()
	n.claimed = claimed
}

func (n *clusterNode) failing() func() error {
	n.cluster.known.Lock()
	defer n.cluster.known.Unlock()
	return n.claimed
}

func (n *clusterNode) ReleaseDeliveries(ctx context.Context, tokens []bellwire.ClaimToken) error {
	c := n.cluster
	c.moving.RLock()
	defer c.moving.RUnlock()
	if err := n.gone(); err != nil {
		return err
	}
	translated := slices.Clone(tokens)
	for i := range translated {
		c.known.Lock()
		endpoint := c.endpoints[translated[i].Delivery]
		c.known.Unlock()
		translated[i].Epoch = c.translated(endpoint, translated[i].Epoch)
	}
	return n.Store.ReleaseDeliveries(ctx, slices.DeleteFunc(translated, func(t bellwire.ClaimToken) bool { return t.Epoch == 0 }))
}

func (n *clusterNode) RecordResults(ctx context.Context, results []*bellwire.Result) ([]bellwire.Recorded, error) {
	c := n.cluster
	c.moving.RLock()
	defer c.moving.RUnlock()
	if err := n.gone(); err != nil {
		return nil, err
	}
	translated := make([]*bellwire.Result, len(results))
	for i, r := range results {
		r := *r
		if r.Epoch = c.translated(r.Endpoint, r.Epoch); r.Epoch == 0 {
			r.Epoch = -1 << 40 // of no delivery
		}
		translated[i] = &r
	}
	return n.Store.RecordResults(ctx, translated)
}

// wire is a node's link to the others. As a connection between nodes does, it delivers each message at most once, and it gives up
// after a second without an answer.
type wire struct {
	node    *clusterNode
	receive func([]*bellwire.Forward) [][]bellwire.Disposition
	clock   func() int64
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu    sync.Mutex
	cut   bool                                                 // no node can be reached
	fault func() (before time.Duration, lost, answerLost bool) // what happens to the next message; nil: nothing
	sent  int
}

func (l *wire) Handle(receive func([]*bellwire.Forward) [][]bellwire.Disposition, clock func() int64) {
	l.receive, l.clock = receive, clock
}

func (l *wire) SetPeers([16]byte, []bellwire.Peer) {}

func (l *wire) to(instance [16]byte) *clusterNode { return l.node.cluster.nodes[instance[0]-1] }

func (l *wire) Heard(instance [16]byte) (int64, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	to := l.to(instance)
	return to.link.clock(), !l.cut && !to.dead.Load()
}

func (l *wire) Send(instance [16]byte, f *bellwire.Forward, answered func([]bellwire.Disposition)) {
	l.mu.Lock()
	var (
		delay            time.Duration
		lost, answerLost bool
	)
	if l.fault != nil {
		delay, lost, answerLost = l.fault()
	}
	l.sent++
	l.mu.Unlock()
	event := *f.Event
	copied := *f
	copied.Event = &event
	to := l.to(instance)
	var once sync.Once
	answer := func(d []bellwire.Disposition) { once.Do(func() { answered(d) }) }
	late := time.AfterFunc(time.Second, func() {
		if l.ctx.Err() == nil {
			answer(nil)
		}
	})
	l.running.Go(func() {
		select {
		case <-time.After(delay):
		case <-to.link.ctx.Done():
			return
		}
		if lost || to.dead.Load() {
			return
		}
		got := to.link.receive([]*bellwire.Forward{&copied})
		if !answerLost && l.ctx.Err() == nil {
			late.Stop()
			answer(got[0])
		}
	})
}

// Flush does nothing: everything is sent at once.
func (l *wire) Flush() {}

// change sets what happens to messages from now on.
func (l *wire) change(fault func() (time.Duration, bool, bool)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fault = fault
}

// Close waits until all that can still be answered is.
func (l *wire) Close(context.Context) {
	time.Sleep(1100 * time.Millisecond)
	l.cancel()
}

// publishAt publishes events on a node and returns their ids.
func (c *cluster) publishAt(node, n int) (ids []bellwire.EventID) {
	c.t.Helper()
	for i := range n {
		receipts, err := c.nodes[node].engine.Publish(c.t.Context(), &engine.Publication{
			Tenant: "acme", Events: []engine.Draft{{Type: "ping", Data: fmt.Appendf(nil, `{"n":%d}`, i), OrderingKey: "k"}},
		})
		must(c.t, err)
		ids = append(ids, receipts[0].Event)
	}
	return ids
}

// endpointOf makes an endpoint that a node owns.
func (c *cluster) endpointOf(node int, name string, change ...func(*bellwire.Endpoint)) *bellwire.Endpoint {
	c.t.Helper()
	var ep *bellwire.Endpoint
	dialect := standard.Dialect{}
	ep = c.endpoint(name, append(change, func(ep *bellwire.Endpoint) {
		for c.owner[bellwire.ShardOf(ep.ID)] != node {
			ep.ID = dialect.NewEndpointID(now())
		}
	})...)
	c.tell(-1, bellwire.Notification{Tenant: "acme"})
	c.pass(0)
	return ep
}

// chance returns true so often.
func chance(r *rand.Rand, p float64) bool { return r.Float64() < p }
