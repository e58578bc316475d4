package sim

import (
	"math"
	"time"

	"github.com/bellwire/bellwire/internal/engine/fifo"
	"github.com/bellwire/bellwire/internal/limits"
)

// behavior is how a receiver answers.
type behavior int

const (
	healthy behavior = iota
	failing          // with 500
	hanging          // never
)

// lane is an endpoint.
type lane struct {
	cell     *cell
	shard    int
	owner    *node
	moving   *node // to which the shard goes once nothing is active
	epoch    int
	receiver behavior
	broken   bool    // by a fault
	median   float64 // latency, in nanoseconds

	queue    fifo.Queue[*delivery] // in memory
	stored   fifo.Queue[*delivery] // due in the database
	active   []*delivery           // in memory: on their way, queued, in flight, or not recorded
	inFlight int
	window   window
	breaker  breaker
	known    bool // the last attempt was acknowledged
	awaiting bool
	claiming bool
}

// delivery is a delivery.
type delivery struct {
	lane      *lane
	published time.Duration
	attempts  int
	received  bool  // acknowledged by the receiver
	via       *node // that forwards it
	epoch     int
	index     int // in active
	trial     bool
}

// activate takes a delivery into the memory of the owner.
func (l *lane) activate(d *delivery) {
	d.epoch, d.index = l.epoch, len(l.active)
	l.active = append(l.active, d)
}

// remove takes a delivery out of what is active.
func (l *lane) remove(d *delivery) {
	end := len(l.active) - 1
	last := l.active[end]
	l.active[d.index], last.index = last, d.index
	l.active[end] = nil
	l.active = l.active[:end]
	d.epoch, d.via = -1, nil // nothing continues with it
}

// deactivate takes a delivery out of what is active. With the last one, a shard that is handed over moves.
func (l *lane) deactivate(d *delivery) {
	l.remove(d)
	if l.moving != nil && len(l.active) == 0 {
		l.take(l.moving)
	}
}

// add adds a delivery that a node has stored. n is nil if that node is dead.
func (l *lane) add(n *node, d *delivery) {
	owner := l.owner
	switch {
	case n == nil, !owner.up, l.moving != nil, owner.memory >= limits.MaxQueued, l.breaker.open():
		l.due(d)
	case owner == n:
		l.activate(d)
		d.arrive(l.epoch, true)
	default:
		l.forward(n, d)
	}
}

// forward sends a delivery from the node that has stored it to the owner.
func (l *lane) forward(n *node, d *delivery) {
	owner, epoch := l.owner, l.epoch
	l.activate(d)
	d.via = n
	n.work(l.cell.costs.Node.Forward, func() {
		l.cell.clock.after(l.cell.network(), func() {
			if d.stale(epoch) {
				return
			}
			d.via = nil
			owner.work(l.cell.costs.Node.Receive, func() { d.arrive(epoch, true) })
		})
	})
}

// stale reports whether the delivery has left the memory that it was in during an epoch of the shard.
func (d *delivery) stale(epoch int) bool { return d.epoch != epoch || d.lane.epoch != epoch }

// arrive puts a delivery that is active since an epoch into the queue, or back into the database.
func (d *delivery) arrive(epoch int, ok bool) {
	l := d.lane
	switch {
	case d.stale(epoch):
	case !ok || l.moving != nil:
		l.deactivate(d)
		l.due(d)
	default:
		l.queue.Push(d)
		l.owner.memory++
		l.pump()
	}
}

// due makes a delivery that is only in the database wait for its claim.
func (l *lane) due(d *delivery) {
	l.stored.Push(d)
	l.owner.requestClaim(l)
}

// claimLimit returns how many deliveries may be claimed now.
func (l *lane) claimLimit() int {
	if l.breaker.open() {
		if l.breaker.probing || l.cell.clock.now < l.breaker.probeAt || len(l.active) > 0 {
			return 0
		}
		return 1
	}
	return max(max(2*l.limit(), laneFloor)-l.queue.Len(), 0)
}

// limit returns how many requests may be in flight.
func (l *lane) limit() int {
	return max(1, min(int(l.window.size), l.cell.scenario.Receivers.MaxInFlight))
}

// sends reports whether the lane has something that it may send.
func (l *lane) sends() bool {
	if l.queue.Len() == 0 || l.inFlight >= l.limit() {
		return false
	}
	return !l.breaker.open() || !l.breaker.probing && l.cell.clock.now >= l.breaker.probeAt
}

// pump starts what may start, and claims more if little is left.
func (l *lane) pump() {
	for l.sends() {
		if !l.owner.admits(l) {
			l.owner.await(l)
			break
		}
		l.start()
	}
	if l.stored.Len() > 0 && l.queue.Len() < l.limit() {
		l.owner.requestClaim(l)
	}
}

// start makes an attempt.
func (l *lane) start() {
	d, n, epoch := l.queue.Pop(), l.owner, l.epoch
	n.memory--
	n.inFlight++
	l.inFlight++
	l.cell.stats.flying(1)
	if d.trial = !l.known; d.trial {
		n.trials++
	}
	l.breaker.probing = l.breaker.open()
	n.work(l.cell.costs.Node.Attempt, func() { l.cell.request(d, epoch) })
}

// request is a request on its way to the receiver and back.
func (c *cell) request(d *delivery, epoch int) {
	if c.shared != nil {
		c.shared.serve(c.vary(c.costs.Others.Receipt), func() { c.respond(d, epoch) })
		return
	}
	c.respond(d, epoch)
}

// respond lets the receiver answer.
func (c *cell) respond(d *delivery, epoch int) {
	l, r := d.lane, &c.scenario.Receivers
	latency := time.Duration(l.median * math.Exp(r.Jitter*c.random.NormFloat64()))
	timeout := time.Duration(r.Timeout)
	ok := l.receiver == healthy && !l.broken && latency < timeout
	if l.receiver == hanging {
		latency = timeout
	}
	latency = min(latency, timeout)
	if ok {
		c.stats.receipt(d, c.clock.now-d.published)
	}
	c.clock.after(latency, func() {
		if d.stale(epoch) {
			return
		}
		n := l.owner
		n.work(c.costs.Node.Result, func() {
			if !d.stale(epoch) {
				d.finish(n, ok, latency)
			}
		})
	})
}

// finish ends an attempt.
func (d *delivery) finish(n *node, ok bool, latency time.Duration) {
	l := d.lane
	full := l.inFlight >= l.limit()
	n.inFlight--
	l.inFlight--
	l.cell.stats.flying(-1)
	if d.trial {
		n.trials--
	}
	if l.known = ok; ok {
		l.window.succeeded(latency, full, l.cell.scenario.Receivers.MaxInFlight)
		l.breaker = breaker{}
	} else {
		l.window.failed()
		l.failed()
	}
	n.finished(&outcome{d, l.epoch, ok})
	l.pump()
	n.dispatch()
}

// failed tells the circuit breaker of a failure.
func (l *lane) failed() {
	opened, probe := l.breaker.failed(l.cell.clock.now)
	if opened { // what waits goes back to the database
		for l.queue.Len() > 0 {
			d := l.queue.Pop()
			l.owner.memory--
			l.deactivate(d)
			l.stored.Push(d)
		}
	}
	if opened || probe {
		l.cell.clock.after(l.breaker.pause, func() {
			l.owner.requestClaim(l)
			l.pump()
		})
	}
}

// recorded ends the delivery, or schedules its retry.
func (o *outcome) recorded() {
	d := o.delivery
	l := d.lane
	if d.stale(o.epoch) {
		return
	}
	l.deactivate(d)
	if o.ok {
		d.end(&l.cell.stats.acknowledged)
		l.cell.stats.acknowledgements++
		l.pump()
		return
	}
	d.attempts++
	delay, more := l.cell.retry.Delay(d.attempts, l.cell.random.Float64())
	if !more {
		d.end(&l.cell.stats.exhausted)
		return
	}
	l.cell.stats.retrying++
	l.cell.clock.after(delay, func() {
		l.cell.stats.retrying--
		l.due(d)
	})
}

// end counts a delivery that has ended.
func (d *delivery) end(counter *int) {
	*counter++
	d.lane.cell.open--
	if d.lane.receiver == healthy {
		d.lane.cell.healthy--
	}
}

// window is the limit of requests in flight, as in internal/engine/lanes.
type window struct {
	size  float64
	base  time.Duration
	eased bool
}

func (w *window) succeeded(latency time.Duration, full bool, most int) {
	if w.base == 0 || latency < w.base {
		w.base = latency
	} else {
		w.base += (latency - w.base) / 256
	}
	switch {
	case latency > 4*w.base+100*time.Millisecond:
		w.size, w.eased = max(1, w.size*0.9), true
	case !full:
	case w.eased:
		w.size = min(w.size+1/w.size, float64(most))
	default:
		w.size = min(w.size+1, float64(most))
	}
}

func (w *window) failed() { w.size, w.eased = max(1, w.size/2), true }

// breaker is the circuit breaker, as in internal/engine/lanes.
type breaker struct {
	failures int
	since    time.Duration
	pause    time.Duration
	probeAt  time.Duration
	probing  bool
}

func (b *breaker) open() bool { return b.pause > 0 }

// failed records a failure. It reports whether that opened the breaker, and whether it was that of a probe.
func (b *breaker) failed(now time.Duration) (opened, probe bool) {
	if b.failures == 0 {
		b.since = now
	}
	b.failures++
	switch {
	case b.open() && !b.probing:
		return false, false
	case b.open():
		b.probing, b.pause = false, min(2*b.pause, 5*time.Minute)
		b.probeAt = now + b.pause
		return false, true
	case b.failures < 10 || now-b.since < time.Minute:
		return false, false
	}
	b.pause = 10 * time.Second
	b.probeAt = now + b.pause
	return true, false
}
