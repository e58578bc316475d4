package sim

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"
)

// schedule schedules the faults, whose times count from now.
func (c *cell) schedule() {
	for _, f := range c.scenario.Faults {
		begin, end := c.fault(&f)
		c.clock.after(time.Duration(f.At), begin)
		if f.For > 0 {
			c.clock.after(time.Duration(f.At+f.For), end)
		}
	}
}

// fault returns what begins a fault, and what ends it.
func (c *cell) fault(f *Fault) (begin, end func()) {
	switch f.Kind {
	case FaultNode:
		count := min(max(int(math.Round(f.Share*float64(len(c.nodes)))), 1), len(c.nodes))
		dying := c.nodes[len(c.nodes)-count:]
		return func() { c.die(dying) }, func() { c.revive(dying) }
	case FaultDatabase:
		return c.database.stop, c.start
	default:
		var broken []*lane
		return func() {
				c.each(func(l *lane) {
					if l.receiver == healthy && c.random.Float64() < f.Share {
						l.broken = true
						broken = append(broken, l)
					}
				})
			}, func() {
				for _, l := range broken {
					l.broken = false
				}
			}
	}
}

// each visits all lanes.
func (c *cell) each(visit func(l *lane)) {
	for _, lanes := range c.lanes {
		for _, l := range lanes {
			visit(l)
		}
	}
}

func (d *database) stop() { d.down, d.since, d.generation = true, d.clock.now, d.generation+1 }

// start brings the database back.
func (c *cell) start() {
	c.database.down = false
	for _, n := range c.nodes {
		n.dispatch()
	}
}

// die kills nodes. Others own their shards once their leases have expired.
func (c *cell) die(dying []*node) {
	for _, n := range dying {
		if !n.up {
			continue
		}
		lost := c.forwardedBy(n)
		for _, p := range slices.SortedFunc(maps.Keys(n.received), func(a, b *publish) int { return cmp.Compare(a.number, b.number) }) {
			c.refuse(p)
		}
		c.stats.flying(-n.inFlight)
		*n = node{cell: c, number: n.number, cpu: n.cpu, listed: n.listed, generation: n.generation + 1}
		generation := n.generation
		c.clock.after(unlisted, func() {
			if n.generation == generation && !n.up {
				n.listed = false
			}
		})
		c.clock.after(takeover, func() { c.find(n, lost) })
	}
	c.clock.after(takeover, c.takeOver)
}

// forwardedBy returns the deliveries that a node is about to forward.
func (c *cell) forwardedBy(n *node) (all []*delivery) {
	c.each(func(l *lane) {
		for _, d := range l.active {
			if d.via == n {
				all = append(all, d)
			}
		}
	})
	return all
}

// find brings to their owners what a dead node has not forwarded.
func (c *cell) find(n *node, lost []*delivery) {
	for _, d := range lost {
		if d.via == n {
			d.lane.deactivate(d)
			d.lane.due(d)
		}
	}
}

// takeOver gives the shards of dead nodes to those that live.
func (c *cell) takeOver() {
	var living []*node
	for _, n := range c.nodes {
		if n.up {
			living = append(living, n)
		}
	}
	if len(living) == 0 {
		return
	}
	c.each(func(l *lane) {
		if !l.owner.up {
			l.take(living[l.shard%len(living)])
		}
	})
}

// take gives a shard, of which nothing continues, to another owner.
func (l *lane) take(owner *node) {
	l.owner, l.moving = owner, nil
	l.epoch++
	l.inFlight, l.window, l.breaker, l.known, l.awaiting, l.claiming = 0, window{size: 1}, breaker{}, false, false, false
	for _, d := range l.active {
		d.epoch, d.via = -1, nil
		l.stored.Push(d)
	}
	l.queue.TakeAll()
	l.active = nil
	if l.stored.Len() > 0 {
		owner.requestClaim(l)
	}
}

// revive starts nodes. What nobody has taken over is theirs again; the rest is divided anew.
func (c *cell) revive(dead []*node) {
	dead = slices.DeleteFunc(slices.Clone(dead), func(n *node) bool { return n.up })
	for _, n := range dead {
		n.up, n.listed = true, true
	}
	c.each(func(l *lane) {
		home := c.nodes[l.shard%len(c.nodes)]
		switch {
		case !slices.Contains(dead, home):
		case l.owner == home:
			l.take(home)
		default:
			l.move(home)
		}
	})
}

// move hands a shard over once nothing of it is active.
func (l *lane) move(to *node) {
	l.moving = to
	for l.queue.Len() > 0 {
		d := l.queue.Pop()
		l.owner.memory--
		l.remove(d)
		l.stored.Push(d)
	}
	if len(l.active) == 0 {
		l.take(to)
	}
}
