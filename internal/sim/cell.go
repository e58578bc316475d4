package sim

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Times of the model. Those of leases are what docs/nodes.md says.
const (
	publisherPause = time.Second            // before a publisher repeats a publish that was refused; it doubles each time
	longestPause   = 16 * time.Second       // of a publisher
	takeover       = 7 * time.Second        // from a node's death until others own its shards
	leaseLasts     = 4 * time.Second        // without the database, until a node stops sending
	unlisted       = 2 * time.Second        // from a node's death until the load balancer leaves it out
	storePause     = 500 * time.Millisecond // before a transaction is repeated
	roundTrips     = 4                      // of a transaction
)

// cell is a database with its nodes, publishers and receivers.
type cell struct {
	scenario *Scenario
	costs    *Costs
	clock    *clock
	random   *rand.Rand
	retry    bellwire.RetryPolicy
	database *database
	nodes    []*node
	shared   *station  // all cores, if there is one machine
	lanes    [][]*lane // by tenant

	sent     int // publishes
	waiting  int // events of publishers that are not accepted
	accepted int // events
	made     int // deliveries
	open     int // deliveries
	healthy  int // of them to endpoints that acknowledge
	stats    *statistics
}

// database is PostgreSQL.
type database struct {
	clock        *clock
	vary         func(cost float64) time.Duration
	cpu          *station
	log          *device
	delay        time.Duration // of a transaction's round trips
	standby      time.Duration
	tenants      []lock // rows of the tenants' clocks
	down         bool
	since        time.Duration // when it went down
	generation   int
	transactions int
}

func newCell(s *Scenario) *cell {
	c := &cell{
		scenario: s, costs: s.Costs, clock: new(clock), random: rand.New(rand.NewPCG(s.Seed, 0)), retry: bellwire.StandardRetryPolicy(),
		stats: new(statistics),
	}
	if c.costs == nil {
		c.costs = MeasuredCosts()
	}
	c.database = &database{
		clock: c.clock, vary: c.vary, cpu: &station{clock: c.clock, servers: s.Cell.DatabaseCores},
		log:   &device{clock: c.clock, latency: time.Duration(s.Cell.Flush), perByte: 1000 / s.Cell.LogMBs},
		delay: 2 * roundTrips * time.Duration(s.Cell.Network), standby: time.Duration(s.Cell.Standby),
		tenants: make([]lock, s.Traffic.Tenants),
	}
	if s.Cell.SharedCores > 0 {
		c.shared = &station{clock: c.clock, servers: s.Cell.SharedCores}
		c.database.cpu = c.shared
	}
	for i := range s.Cell.Nodes {
		n := &node{cell: c, number: i, cpu: &station{clock: c.clock, servers: s.Cell.NodeCores}, up: true, listed: true}
		if c.shared != nil {
			n.cpu = c.shared
		}
		c.nodes = append(c.nodes, n)
	}
	c.addLanes()
	return c
}

// addLanes makes the endpoints, and divides their shards among the nodes.
func (c *cell) addLanes() {
	r, number := &c.scenario.Receivers, 0
	for tenant := range c.scenario.Traffic.Tenants {
		endpoints := c.scenario.Traffic.Endpoints
		if tenant == 0 && c.scenario.Traffic.LargestEndpoints > 0 {
			endpoints = c.scenario.Traffic.LargestEndpoints
		}
		var lanes []*lane
		for range endpoints {
			shard := number % bellwire.Shards
			l := &lane{cell: c, shard: shard, owner: c.nodes[shard%len(c.nodes)], window: window{size: 1}}
			l.median = float64(r.Median) * math.Exp(r.Spread*c.random.NormFloat64())
			switch kind := c.random.Float64(); {
			case kind < r.Failing:
				l.receiver = failing
			case kind < r.Failing+r.Hanging:
				l.receiver = hanging
			}
			lanes, number = append(lanes, l), number+1
		}
		c.lanes = append(c.lanes, lanes)
	}
}

// vary returns a cost in microseconds as a duration, around which it varies: half of it is exponentially distributed.
func (c *cell) vary(cost float64) time.Duration {
	return time.Duration((0.5 + 0.5*c.random.ExpFloat64()) * cost * float64(time.Microsecond))
}

// commit runs a transaction that holds the rows of the given tenants, in ascending order, until its commit is on disk.
func (d *database) commit(tenants []int, cost, bytes float64, done func(ok bool)) {
	generation := d.generation
	if d.down {
		d.clock.after(time.Millisecond, func() { done(false) })
		return
	}
	d.clock.after(d.delay/2, func() { // reads come before the first lock
		d.hold(tenants, func() {
			d.clock.after(d.delay/2, func() {
				d.cpu.serve(d.vary(cost), func() {
					d.log.flush(int(bytes), func() {
						d.clock.after(d.standby, func() {
							for _, t := range tenants {
								d.tenants[t].release()
							}
							d.transactions++
							done(!d.down && d.generation == generation)
						})
					})
				})
			})
		})
	})
}

// hold acquires locks one after the other.
func (d *database) hold(tenants []int, do func()) {
	if len(tenants) == 0 {
		do()
		return
	}
	d.tenants[tenants[0]].acquire(func() { d.hold(tenants[1:], do) })
}

// publish is what a publisher sends, again and again until it is accepted.
type publish struct {
	number  int
	tenant  int
	events  int
	first   time.Duration // when it was sent first
	stored  bool          // without an answer: it is a duplicate from then on
	refused int           // how often
	next    func()        // what the publisher does afterwards
}

// publishers begins to publish.
func (c *cell) publishers() {
	t := &c.scenario.Traffic
	if t.Publishers > 0 {
		for range t.Publishers {
			c.publishAgain()
		}
		return
	}
	var next func()
	next = func() {
		c.send(&publish{tenant: c.tenant(), events: t.Batch, first: c.clock.now, next: func() {}})
		c.clock.after(time.Duration(c.random.ExpFloat64()*float64(t.Batch)/t.Rate*float64(time.Second)), next)
	}
	next()
}

// publishAgain publishes, and does so again once that is answered.
func (c *cell) publishAgain() {
	begin := func() {
		c.send(&publish{tenant: c.tenant(), events: c.scenario.Traffic.Batch, first: c.clock.now, next: c.publishAgain})
	}
	if c.shared == nil {
		c.clock.after(0, begin)
		return
	}
	c.shared.serve(c.vary(c.costs.Others.Publish), begin)
}

// tenant returns whose event is next.
func (c *cell) tenant() int {
	t := &c.scenario.Traffic
	if t.Tenants == 1 || t.Largest > 0 && c.random.Float64() < t.Largest {
		return 0
	}
	if t.Largest > 0 {
		return 1 + c.random.IntN(t.Tenants-1)
	}
	return c.random.IntN(t.Tenants)
}

// send sends a publish for the first time.
func (c *cell) send(p *publish) {
	c.waiting += p.events
	c.stats.offered += p.events
	c.sent++
	p.number = c.sent
	c.balance(p)
}

// balance gives a publish to one of the nodes that the load balancer knows.
func (c *cell) balance(p *publish) {
	var listed []*node
	for _, n := range c.nodes {
		if n.listed {
			listed = append(listed, n)
		}
	}
	if len(listed) == 0 {
		c.refuse(p)
		return
	}
	n := listed[c.random.IntN(len(listed))]
	if c.scenario.Cell.ByTenant {
		n = listed[p.tenant%len(listed)]
	}
	c.clock.after(c.network(), func() { n.receive(p) })
}

func (c *cell) network() time.Duration { return time.Duration(c.scenario.Cell.Network) }

// refuse makes the publisher repeat a publish.
func (c *cell) refuse(p *publish) {
	c.stats.refused++
	pause := min(publisherPause<<p.refused, longestPause)
	p.refused = min(p.refused+1, 10)
	c.clock.after(pause+time.Duration(c.random.Int64N(int64(pause)/4)), func() { c.balance(p) })
}

// answer ends a publish.
func (c *cell) answer(p *publish) {
	c.clock.after(c.network(), func() {
		c.waiting -= p.events
		c.stats.publish.add(c.clock.now - p.first)
		p.next()
	})
}

// store makes the deliveries of a publish that is on disk. n is the node that has stored it, or nil if it is dead.
func (c *cell) store(n *node, p *publish) {
	p.stored = true
	c.accepted += p.events
	c.stats.accepted += p.events
	lanes := c.lanes[p.tenant]
	for range p.events {
		begin := c.random.IntN(len(lanes))
		for i := range c.scenario.Traffic.Deliveries {
			l := lanes[(begin+i)%len(lanes)]
			c.made++
			c.open++
			if l.receiver == healthy {
				c.healthy++
			}
			l.add(n, &delivery{lane: l, published: p.first})
		}
	}
}
