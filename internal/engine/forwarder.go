package engine

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine/lanes"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/share"
)

// Link carries deliveries between nodes. Its methods do not wait, except Close.
type Link interface {
	// Handle sets what receives the deliveries that other nodes forward, and this node's clock, which they are told. It is called
	// once, before anything else.
	Handle(receive func(forwards []*bellwire.Forward) [][]bellwire.Disposition, clock func() int64)
	// SetPeers sets which other nodes there are.
	SetPeers(self [16]byte, peers []bellwire.Peer)
	// Heard returns the clock of a node as last heard, if the node can be reached.
	Heard(instance [16]byte) (stamp int64, reachable bool)
	// Send queues deliveries for a node, to be sent at most once, and at the latest with the next Flush. Send calls answered once,
	// from any goroutine, with the disposition of each delivery, or with nil if no answer came in time.
	Send(instance [16]byte, f *bellwire.Forward, answered func([]bellwire.Disposition))
	// Flush sends what is queued.
	Flush()
	// Close waits until everything that was sent is answered, but no longer than ctx.
	Close(ctx context.Context)
}

// Times of the forwarder.
const (
	forwardClosing = time.Second     // how long Close waits for answers
	leftFor        = time.Second     // how long deliveries of an endpoint are not forwarded after one was left in the store
	leftInOrderFor = leftFor / 20    // the same of a FIFO endpoint, whose owner may only have waited for the one before
	targetTimeout  = 2 * time.Second // for the endpoints of deliveries that were received
)

// maxLeft bounds the endpoints of which it is known that their deliveries are left in the store.
const maxLeft = 10_000

// forwarder passes deliveries that this node stores to the nodes that own their endpoints, and takes those that other nodes have
// stored for this one. The store has each, so whatever is lost on the way is found there.
type forwarder struct {
	link      Link // nil: nothing is forwarded
	store     Store
	scheduler *lanes.Scheduler
	directory Directory
	observer  bellwire.Observer
	began     time.Time

	owners atomic.Pointer[owners]

	mu   sync.Mutex
	left map[string]time.Time // endpoints whose deliveries are left in the store, and until when they are not forwarded
}

// owners are the other nodes, and what each owns.
type owners struct {
	peers map[[16]byte]*peer
	of    [bellwire.Shards]owner
}

type owner struct {
	peer  *peer // nil: none that takes deliveries
	epoch int64
}

// peer is another node that takes deliveries.
type peer struct {
	instance [16]byte
	pool     *share.Pool // of the bytes that wait for its answer, by tenant
}

// route is how a delivery goes to its owner.
type route struct {
	peer  *peer // nil: it is not forwarded
	epoch int64
	stamp int64
	bytes int64 // taken from the peer's pool
}

// clock returns the time of this node's monotonic clock that other nodes are told.
func (f *forwarder) clock() int64 { return time.Since(f.began).Milliseconds() }

// setLeases takes over which nodes there are, and what each owns.
func (f *forwarder) setLeases(l *bellwire.Leases) {
	if f.link == nil {
		return
	}
	before, current := f.owners.Load(), &owners{peers: make(map[[16]byte]*peer)}
	for i := range l.Peers {
		of := &l.Peers[i]
		if of.Address == "" {
			continue
		}
		p := &peer{instance: of.Instance, pool: share.NewPool(limits.ForwardBytes, limits.ForwardBytesReserve)}
		if before != nil && before.peers[of.Instance] != nil {
			p = before.peers[of.Instance]
		}
		current.peers[of.Instance] = p
		for shard, epoch := range of.Epochs {
			if epoch != 0 {
				current.of[shard] = owner{p, epoch}
			}
		}
	}
	f.owners.Store(current)
	f.link.SetPeers(l.Instance, l.Peers)
}

// plan decides which deliveries of an event to forward, appends a route for each of its targets, and gives the deliveries the
// epochs of their owners. It takes room for what it forwards.
func (f *forwarder) plan(e *bellwire.NewEvent, targets []*bellwire.Target, to []route) []route {
	if f.link == nil {
		return append(to, make([]route, len(targets))...)
	}
	owners := f.owners.Load()
	if owners == nil {
		return append(to, make([]route, len(targets))...)
	}
	first := len(to)
	leases := f.scheduler.Leases()
	for k, t := range targets {
		d := &e.Deliveries[k]
		if d.Epoch != 0 || leases.Epoch(t.Endpoint.ID) != 0 {
			to = append(to, route{})
			continue
		}
		r, why := f.route(owners, e, t, to[first:])
		if why != "" {
			f.observer.NotForwarded(1, why)
		}
		d.Epoch = -r.epoch
		to = append(to, r)
	}
	return to
}

// Why deliveries are not forwarded.
const (
	forwardUnreachable = "unreachable" // their owner is not known, or cannot be reached
	forwardLarge       = "large"
	forwardFull        = "full"    // too much waits for the owner's answer
	forwardLeft        = "left"    // their endpoint takes none, or has too many in memory
	forwardRefused     = "refused" // the shard has another owner
	forwardNoAnswer    = "no_answer"
)

// route returns how a delivery goes to its owner, or why it is not forwarded. before are the routes of the event's other deliveries.
func (f *forwarder) route(owners *owners, e *bellwire.NewEvent, t *bellwire.Target, before []route) (r route, why string) {
	owner := owners.of[bellwire.ShardOf(t.Endpoint.ID)]
	if owner.peer == nil {
		return route{}, forwardUnreachable
	}
	stamp, reachable := f.link.Heard(owner.peer.instance)
	switch {
	case !reachable:
		return route{}, forwardUnreachable
	case len(e.Event.Data) > limits.ForwardFrom:
		return route{}, forwardLarge
	case t.Endpoint.Status != bellwire.EndpointEnabled || t.TenantPaused() || f.isLeft(t.Endpoint.ID):
		return route{}, forwardLeft
	}
	r = route{peer: owner.peer, epoch: owner.epoch, stamp: stamp, bytes: limits.ForwardCost}
	if !goesTo(owner.peer, before) {
		r.bytes += int64(len(e.Event.Data))
	}
	if !owner.peer.pool.Take(e.Event.Tenant, r.bytes) {
		return route{}, forwardFull
	}
	return r, ""
}

// goesTo reports whether one of the routes leads to a node.
func goesTo(p *peer, routes []route) bool {
	for i := range routes {
		if routes[i].peer == p {
			return true
		}
	}
	return false
}

func (f *forwarder) isLeft(endpoint string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	until, known := f.left[endpoint]
	if known && !time.Now().Before(until) {
		delete(f.left, endpoint)
		return false
	}
	return known
}

// giveBack returns the room of deliveries that are not sent.
func (f *forwarder) giveBack(tenant string, routes []route) {
	for i := range routes {
		if routes[i].peer != nil {
			routes[i].peer.pool.Give(tenant, routes[i].bytes)
		}
	}
}

// unknown gives up deliveries of which it is not known whether they are stored.
func (f *forwarder) unknown(e *bellwire.NewEvent, routes []route) {
	f.giveBack(e.Event.Tenant, routes)
	var endpoints []string
	for k := range routes {
		if routes[k].peer != nil {
			endpoints = append(endpoints, e.Deliveries[k].Endpoint)
		}
	}
	f.requestSearch(endpoints)
}

// send sends the deliveries of an event that was stored to their owners, except those that are behind others of their key.
func (f *forwarder) send(e *bellwire.NewEvent, stored *bellwire.AppendedEvent, targets []*bellwire.Target, routes []route) {
	for k := range stored.Behind {
		if stored.Behind[k] {
			f.giveBack(e.Event.Tenant, routes[k:k+1])
			routes[k] = route{}
		}
	}
	for i := range routes {
		if p := routes[i].peer; p != nil && !goesTo(p, routes[:i]) {
			f.sendTo(p, e, stored, targets, routes)
		}
	}
}

func (f *forwarder) sendTo(p *peer, e *bellwire.NewEvent, stored *bellwire.AppendedEvent, targets []*bellwire.Target, routes []route) {
	event := e.Event // its batch must not stay in memory
	event.CreatedAt = stored.CreatedAt
	forward := &bellwire.Forward{Event: &event, At: e.Event.CreatedAt}
	bytes := int64(0)
	for k := range routes {
		r := &routes[k]
		if r.peer != p {
			continue
		}
		bytes += r.bytes
		forward.Stamp = r.stamp
		forward.Deliveries = append(forward.Deliveries, bellwire.ForwardedDelivery{
			ID: e.Deliveries[k].ID, Endpoint: e.Deliveries[k].Endpoint, Revision: targets[k].Endpoint.Revision, Epoch: r.epoch,
			Sequence: stored.Sequences[k], Keyed: e.Deliveries[k].Keyed,
		})
	}
	f.link.Send(p.instance, forward, func(d []bellwire.Disposition) {
		p.pool.Give(event.Tenant, bytes)
		f.answered(forward, d)
	})
}

// flush sends what a group of publications has for other nodes, together.
func (f *forwarder) flush() {
	if f.link != nil {
		f.link.Flush()
	}
}

// answered acts on what a node has done with deliveries; nil: it is not known.
func (f *forwarder) answered(forward *bellwire.Forward, dispositions []bellwire.Disposition) {
	var (
		missing        []string
		accepted, left int
	)
	if len(dispositions) != len(forward.Deliveries) {
		for i := range forward.Deliveries {
			missing = append(missing, forward.Deliveries[i].Endpoint)
		}
		f.observer.NotForwarded(len(missing), forwardNoAnswer)
		f.requestSearch(missing)
		return
	}
	for i, d := range dispositions {
		switch d {
		case bellwire.Accepted:
			accepted++
		case bellwire.LeftInStore:
			left++
			f.leave(&forward.Deliveries[i])
		default:
			missing = append(missing, forward.Deliveries[i].Endpoint)
		}
	}
	if accepted > 0 {
		f.observer.Forwarded(accepted)
	}
	if left > 0 {
		f.observer.NotForwarded(left, forwardLeft)
	}
	if len(missing) > 0 {
		f.observer.NotForwarded(len(missing), forwardRefused)
		f.requestSearch(missing)
	}
}

// requestSearch makes the owners of endpoints search the store for their deliveries. This node may be the owner by now.
func (f *forwarder) requestSearch(endpoints []string) {
	if len(endpoints) == 0 {
		return
	}
	f.store.RequestSearch(endpoints)
	for _, endpoint := range endpoints {
		f.scheduler.Search(endpoint)
	}
}

// leave records that deliveries of an endpoint are left in the store for now.
func (f *forwarder) leave(d *bellwire.ForwardedDelivery) {
	wait := leftFor
	if d.Sequence > 0 {
		wait = leftInOrderFor
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left == nil || len(f.left) >= maxLeft {
		f.left = make(map[string]time.Time)
	}
	f.left[d.Endpoint] = time.Now().Add(wait)
}

// receive takes deliveries that another node has stored for this one.
func (f *forwarder) receive(forwards []*bellwire.Forward) [][]bellwire.Disposition {
	ctx, cancel := context.WithTimeout(context.Background(), targetTimeout)
	defer cancel()
	var (
		endpoints []string
		arrivals  []lanes.Arrival
	)
	for _, forward := range forwards {
		for i := range forward.Deliveries {
			endpoints = append(endpoints, forward.Deliveries[i].Endpoint)
		}
	}
	_ = f.directory.Prefetch(ctx, endpoints) // Target returns the error
	dispositions := make([][]bellwire.Disposition, len(forwards))
	for i, forward := range forwards {
		dispositions[i] = make([]bellwire.Disposition, len(forward.Deliveries))
		content := lanes.NewContent(forward.Event)
		for k := range forward.Deliveries {
			if t := f.target(ctx, &forward.Deliveries[k]); t != nil {
				arrivals = append(arrivals, f.arrival(forward, content, &forward.Deliveries[k], t))
			}
		}
	}
	taken := f.scheduler.Receive(time.Now(), arrivals)
	at := 0
	for i, forward := range forwards {
		for k := range forward.Deliveries {
			if at < len(arrivals) && arrivals[at].Task.Delivery.ID == forward.Deliveries[k].ID {
				dispositions[i][k] = taken[at]
				at++
			}
		}
	}
	return dispositions
}

// target returns the endpoint of a delivery in the state with which its event was matched, or a later one. It returns nil if that cannot
// be read.
func (f *forwarder) target(ctx context.Context, d *bellwire.ForwardedDelivery) *bellwire.Target {
	t, err := f.directory.Target(ctx, d.Endpoint)
	if err == nil && t.Endpoint.Revision < d.Revision {
		f.directory.ForgetEndpoint(d.Endpoint)
		t, err = f.directory.Target(ctx, d.Endpoint)
	}
	if err != nil || t.Endpoint.Revision < d.Revision {
		return nil
	}
	return t
}

func (f *forwarder) arrival(forward *bellwire.Forward, content *lanes.Content, d *bellwire.ForwardedDelivery, t *bellwire.Target) lanes.Arrival {
	e := forward.Event
	task := &lanes.Task{
		Content: content, Trigger: bellwire.TriggerSchedule,
		Delivery: bellwire.Delivery{
			ID: d.ID, Event: e.ID, EventType: e.Type, Tenant: e.Tenant, Endpoint: d.Endpoint, Status: bellwire.DeliveryPending,
			Epoch: d.Epoch, Sequence: d.Sequence, DueAt: forward.At, CreatedAt: forward.At, ExpiresAt: e.ExpiresAt,
		},
	}
	if d.Keyed {
		task.Delivery.Key = bellwire.HashOrderingKey(e.OrderingKey)
	}
	return lanes.Arrival{Target: t, Since: f.began.Add(time.Duration(forward.Stamp) * time.Millisecond), Task: task}
}

// close waits for answers, so that what is lost can still be announced.
func (f *forwarder) close() {
	if f.link == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), forwardClosing)
	defer cancel()
	f.link.Close(ctx)
}
