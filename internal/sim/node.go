package sim

import (
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/engine/fifo"
	"github.com/bellwire/bellwire/internal/limits"
)

// Bounds of the engine that its packages keep to themselves.
const (
	gather      = 20 * time.Millisecond // for which results wait for others
	maxRecorded = 200                   // results of a transaction
	maxClaims   = 64                    // endpoints of a transaction that claims
	maxClaimed  = 512                   // deliveries of it
	laneFloor   = 32                    // of an endpoint, at least
)

// node is a server.
type node struct {
	cell       *cell
	number     int
	cpu        *station
	up         bool
	listed     bool // at the load balancer
	generation int  // grows when the node dies, so that nothing continues that it had begun

	publishes fifo.Queue[*publish]
	received  map[*publish]bool // without an answer
	storing   bool

	memory   int // deliveries that wait in memory
	inFlight int
	trials   int // of them to endpoints that are not known to answer
	ready    fifo.Queue[*lane]
	trying   fifo.Queue[*lane] // those that are not known to answer

	results    fifo.Queue[*outcome]
	unrecorded int
	recording  bool
	gathering  bool

	claims   fifo.Queue[*lane]
	claiming bool
}

// outcome is the result of an attempt.
type outcome struct {
	delivery *delivery
	epoch    int
	ok       bool
}

// work spends CPU time, in microseconds, and goes on unless the node has died.
func (n *node) work(cost float64, do func()) {
	if !n.up {
		return
	}
	generation := n.generation
	n.cpu.serve(n.cell.vary(cost), func() {
		if n.generation == generation {
			do()
		}
	})
}

// commit runs a transaction, and goes on unless the node has died.
func (n *node) commit(tenants []int, cost, bytes float64, done func(ok bool)) {
	generation := n.generation
	n.cell.database.commit(tenants, cost, bytes, func(ok bool) {
		if n.generation == generation {
			done(ok)
		}
	})
}

// receive takes a publish.
func (n *node) receive(p *publish) {
	if !n.up {
		n.cell.refuse(p)
		return
	}
	if n.received == nil {
		n.received = make(map[*publish]bool)
	}
	n.received[p] = true
	n.work(n.cell.costs.Node.Publish+float64(p.events)*n.cell.costs.Node.Event, func() {
		if n.publishes.Len() >= limits.BatcherPublications {
			n.refuse(p)
			return
		}
		n.publishes.Push(p)
		n.storeGroup()
	})
}

func (n *node) refuse(p *publish) {
	delete(n.received, p)
	n.cell.refuse(p)
}

// storeGroup stores what has come during the commit before.
func (n *node) storeGroup() {
	if n.storing || n.publishes.Len() == 0 {
		return
	}
	n.storing = true
	group, tenants, events, fresh := n.group()
	c := n.cell.costs
	cost := c.Database.Append + float64(fresh)*c.Database.Publish + float64(events)*c.Database.Event
	bytes := c.Log.Append + float64(events)*c.Log.Event
	generation := n.generation
	n.work(c.Node.Append, func() {
		n.cell.database.commit(tenants, cost, bytes, func(ok bool) {
			alive := n.generation == generation
			for _, p := range group {
				n.stored(p, ok, alive)
			}
			if alive {
				n.storing = false
				n.storeGroup()
			}
		})
	})
}

// group takes the next publishes, within bounds, and returns whose they are and how much of it is new.
func (n *node) group() (group []*publish, tenants []int, events, fresh int) {
	most := limits.GroupEvents
	if n.publishes.Len() > 1 && n.cell.scenario.Traffic.Tenants > 1 {
		most = limits.SharedGroupEvents
	}
	for taken := 0; n.publishes.Len() > 0 && taken < most; {
		p := n.publishes.Pop()
		taken += p.events
		group = append(group, p)
		if !p.stored {
			tenants = append(tenants, p.tenant)
			fresh, events = fresh+1, events+p.events
		}
	}
	n.cell.stats.groups++
	n.cell.stats.grouped += events
	slices.Sort(tenants)
	return group, slices.Compact(tenants), events, fresh
}

// stored answers a publish of a group. A node that has died meanwhile answers nothing, and its publisher repeats the publish.
func (n *node) stored(p *publish, ok, alive bool) {
	switch {
	case ok && !p.stored:
		storing := n
		if !alive {
			storing = nil
		}
		n.cell.store(storing, p)
	case !ok && alive:
		n.refuse(p)
		return
	}
	if alive {
		delete(n.received, p)
		n.cell.answer(p)
	}
}

// leased reports whether the node may send.
func (n *node) leased() bool {
	d := n.cell.database
	return n.up && (!d.down || n.cell.clock.now-d.since < leaseLasts)
}

// admits reports whether another request may be in flight.
func (n *node) admits(l *lane) bool {
	return n.leased() && n.inFlight+n.unrecorded < limits.MaxInFlight && (l.known || n.trials < limits.MaxInFlight/limits.TrialsPart)
}

// await lets a lane wait until another request may be in flight.
func (n *node) await(l *lane) {
	if l.awaiting {
		return
	}
	l.awaiting = true
	if l.known {
		n.ready.Push(l)
		return
	}
	n.trying.Push(l)
}

// dispatch lets lanes that wait send, one request each in turn.
func (n *node) dispatch() {
	for _, queue := range []*fifo.Queue[*lane]{&n.ready, &n.trying} {
		for queue.Len() > 0 && (queue.First().owner != n || n.admits(queue.First())) {
			l := queue.Pop()
			if l.owner != n {
				continue
			}
			l.awaiting = false
			if l.sends() {
				l.start()
				l.pump()
			}
		}
	}
}

// finished takes the result of an attempt.
func (n *node) finished(o *outcome) {
	n.results.Push(o)
	n.unrecorded++
	n.record()
}

// record stores results, which gather for a while.
func (n *node) record() {
	switch {
	case n.recording || n.results.Len() == 0:
	case n.results.Len() >= maxRecorded:
		n.recordGroup()
	case !n.gathering:
		n.gathering = true
		generation := n.generation
		n.cell.clock.after(gather, func() {
			if n.generation == generation {
				n.gathering = false
				if !n.recording && n.results.Len() > 0 {
					n.recordGroup()
				}
			}
		})
	}
}

func (n *node) recordGroup() {
	n.recording = true
	var group []*outcome
	for n.results.Len() > 0 && len(group) < maxRecorded {
		group = append(group, n.results.Pop())
	}
	n.persist(group)
}

// persist stores results, and tries again until the database has them.
func (n *node) persist(group []*outcome) {
	c := n.cell.costs
	cost, bytes := c.Database.Record+float64(len(group))*c.Database.Result, c.Log.Record+float64(len(group))*c.Log.Result
	n.work(c.Node.Record, func() {
		n.commit(nil, cost, bytes, func(ok bool) {
			if !ok {
				generation := n.generation
				n.cell.clock.after(storePause, func() {
					if n.generation == generation {
						n.persist(group)
					}
				})
				return
			}
			n.recording = false
			n.unrecorded -= len(group)
			for _, o := range group {
				o.recorded()
			}
			n.record()
			n.dispatch()
		})
	})
}

// requestClaim makes the claimer look for what is due at an endpoint.
func (n *node) requestClaim(l *lane) {
	if l.claiming || l.moving != nil || !n.up || l.claimLimit() == 0 {
		return
	}
	l.claiming = true
	n.claims.Push(l)
	n.claim()
}

// arrival is a delivery that is claimed.
type arrival struct {
	delivery *delivery
	epoch    int
}

// claim claims what is due at some endpoints.
func (n *node) claim() {
	if n.claiming || n.claims.Len() == 0 {
		return
	}
	n.claiming = true
	var claimed []arrival
	for asked := 0; n.claims.Len() > 0 && asked < maxClaims && len(claimed) < maxClaimed && n.memory < limits.MaxQueued; asked++ {
		l := n.claims.Pop()
		if l.owner != n {
			continue
		}
		l.claiming = false
		for range min(l.claimLimit(), l.stored.Len()) {
			d := l.stored.Pop()
			l.activate(d)
			claimed = append(claimed, arrival{d, l.epoch})
		}
	}
	n.claimGroup(claimed)
}

// claimGroup brings claimed deliveries into memory.
func (n *node) claimGroup(claimed []arrival) {
	c := n.cell.costs
	rows := float64(len(claimed))
	n.work(c.Node.Claim+rows*c.Node.Claimed, func() {
		n.commit(nil, c.Database.Claim+rows*c.Database.Claimed, c.Log.Claim+rows*c.Log.Claimed, func(ok bool) {
			pause := time.Duration(0)
			if !ok {
				pause = storePause
			}
			generation := n.generation
			n.cell.clock.after(pause, func() {
				if n.generation != generation {
					return
				}
				n.claiming = false
				for _, a := range claimed {
					a.delivery.arrive(a.epoch, ok)
				}
				n.claim()
			})
		})
	})
}
