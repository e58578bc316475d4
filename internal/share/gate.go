package share

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// gateRetryAfter is the Retry-After for an owner with too many waiting at a Gate.
const gateRetryAfter = time.Second

// queuesOf is the ratio of the waiting callers that an owner may have to those that a queue may have.
const queuesOf = 16

// Gate is a semaphore that is fair between owners. Callers of one owner wait in queues, and those of one queue in order; owners take
// turns, and so do the queues of an owner. An owner without a place comes before those that have one. If there is more than one place,
// the last free one is reserved for such an owner. A place that its owner has left can linger: it counts as the owner's for some time,
// and meanwhile it is lent to owners without a place. A Gate is safe for concurrent use.
type Gate struct {
	most int // waiting callers of one queue

	mu        sync.Mutex
	free      int // negative if lingering places are lent
	lingering int // places that are left, and that their owners still have
	places    int
	owners    map[string]*visitors // those with a place or waiting callers
	turns     list.List            // of *visitors with waiting callers, the next one first
}

// visitors are the callers of one owner.
type visitors struct {
	owner   string
	inside  int // places, lingering ones included
	waiting int
	queues  map[string]*queue
	order   list.List     // of *queue, the next one first
	turn    *list.Element // nil if none waits
}

// queue holds callers of one owner that wait in order.
type queue struct {
	name    string
	waiting list.List     // of *Place
	turn    *list.Element // in the order of queues
}

// Place is a place at a Gate.
type Place struct {
	gate    *Gate
	of      *visitors
	queue   *queue        // while it is waited for
	waits   *list.Element // the same
	entered chan struct{} // closed to let a caller in; nil: it did not wait
	left    bool
}

// NewGate returns a Gate with the given number of places, at which each queue of an owner may have the given number of waiting callers.
func NewGate(places, waiting int) *Gate {
	return &Gate{most: waiting, free: places, places: places, owners: make(map[string]*visitors)}
}

// Enter waits for a place, and returns the function that releases it. Its error has CodeRateLimited if too many callers of the owner
// are waiting, and CodeCanceled if ctx ended before there was a place.
func (g *Gate) Enter(ctx context.Context, owner string) (leave func(), err error) {
	place, err := g.EnterQueue(ctx, owner, "")
	if err != nil {
		return nil, err
	}
	return place.Leave, nil
}

// EnterQueue is Enter for a caller that waits in a queue of its owner's callers.
func (g *Gate) EnterQueue(ctx context.Context, owner, name string) (*Place, error) {
	g.mu.Lock()
	v := g.owners[owner]
	if v == nil {
		v = &visitors{owner: owner}
		g.owners[owner] = v
	}
	place := &Place{gate: g, of: v}
	if v.waiting == 0 && g.fits(v) {
		g.enter(v)
		g.mu.Unlock()
		return place, nil
	}
	if !g.push(place, name) {
		g.forget(v)
		g.mu.Unlock()
		return nil, &bellwire.Error{
			Code:       bellwire.CodeRateLimited,
			Message:    "too many of your requests are waiting; send fewer at the same time, and try again shortly",
			RetryAfter: gateRetryAfter,
		}
	}
	g.mu.Unlock()
	select {
	case <-place.entered:
		return place, nil
	case <-ctx.Done():
		g.giveUp(place)
		if errors.Is(context.Cause(ctx), ErrLate) {
			return nil, &bellwire.Error{
				Code:       bellwire.CodeRateLimited,
				Message:    "the request has waited too long behind others; send fewer at the same time, and try again shortly",
				RetryAfter: gateRetryAfter,
				Err:        ErrLate,
			}
		}
		return nil, bellwire.Wrap(bellwire.CodeCanceled, context.Cause(ctx), "the caller disconnected before its turn came")
	}
}

// ErrLate is wrapped by an error of EnterWithin or EnterQueueWithin if the turn has not come in time. Its code is CodeRateLimited.
var ErrLate = errors.New("the turn has not come in time")

// EnterWithin is Enter with a limit on the time to wait.
func (g *Gate) EnterWithin(ctx context.Context, owner string, patience time.Duration) (leave func(), err error) {
	place, err := g.EnterQueueWithin(ctx, owner, "", patience)
	if err != nil {
		return nil, err
	}
	return place.Leave, nil
}

// EnterQueueWithin is EnterQueue with a limit on the time to wait.
func (g *Gate) EnterQueueWithin(ctx context.Context, owner, name string, patience time.Duration) (*Place, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, ErrLate)
	defer cancel()
	return g.EnterQueue(ctx, owner, name)
}

// Leave releases the place. Only the first call of Leave or LeaveAfter has an effect.
func (p *Place) Leave() { p.LeaveAfter(0) }

// LeaveAfter lets the place linger for a while before it is released.
func (p *Place) LeaveAfter(linger time.Duration) {
	g := p.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	if p.left {
		return
	}
	p.left = true
	if linger <= 0 {
		g.release(p.of)
		return
	}
	g.lingering++
	time.AfterFunc(linger, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.lingering--
		g.release(p.of)
	})
	g.admit()
}

// fits reports whether an owner may have another place.
func (g *Gate) fits(v *visitors) bool {
	switch {
	case v.inside == 0:
		return g.free+g.lingering > 0
	case g.places == 1:
		return g.free > 0
	}
	return g.free > 1
}

func (g *Gate) enter(v *visitors) {
	g.free--
	v.inside++
}

// release gives a place of an owner back.
func (g *Gate) release(v *visitors) {
	g.free++
	v.inside--
	g.admit()
	g.forget(v)
}

// push has a caller wait in a queue of its owner, unless too many do.
func (g *Gate) push(p *Place, name string) bool {
	v := p.of
	q := v.queues[name]
	if q != nil && q.waiting.Len() >= g.most || v.waiting >= queuesOf*g.most {
		return false
	}
	if q == nil {
		if v.queues == nil {
			v.queues = make(map[string]*queue)
		}
		q = &queue{name: name}
		q.turn = v.order.PushBack(q)
		v.queues[name] = q
	}
	p.entered = make(chan struct{})
	p.queue, p.waits = q, q.waiting.PushBack(p)
	v.waiting++
	if v.turn == nil {
		v.turn = g.turns.PushBack(v)
	}
	return true
}

// giveUp removes a waiting caller. If it has just been let in, its place goes to the next one.
func (g *Gate) giveUp(p *Place) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if p.waits == nil {
		g.release(p.of)
		return
	}
	g.remove(p)
	g.admit()
	g.forget(p.of)
}

// admit lets in waiting callers while there are places for them.
func (g *Gate) admit() {
	for {
		v := g.next()
		if v == nil {
			return
		}
		g.enter(v)
		g.turns.MoveToBack(v.turn)
		q := v.order.Front().Value.(*queue)
		v.order.MoveToBack(q.turn)
		p := q.waiting.Front().Value.(*Place)
		g.remove(p)
		close(p.entered)
	}
}

// next returns the owner whose turn it is, nil if there is no place for one.
func (g *Gate) next() *visitors {
	var first *visitors
	for e := g.turns.Front(); e != nil && g.free+g.lingering > 0; e = e.Next() {
		v := e.Value.(*visitors)
		if v.inside == 0 {
			return v
		}
		if first == nil && g.fits(v) {
			first = v
		}
	}
	return first
}

// remove removes a waiting caller from its queue, and queues and owners without waiting callers from the turns.
func (g *Gate) remove(p *Place) {
	v, q := p.of, p.queue
	q.waiting.Remove(p.waits)
	p.queue, p.waits = nil, nil
	v.waiting--
	if q.waiting.Len() == 0 {
		v.order.Remove(q.turn)
		delete(v.queues, q.name)
	}
	if v.waiting == 0 {
		g.turns.Remove(v.turn)
		v.turn = nil
	}
}

// forget removes an owner without places and waiting callers.
func (g *Gate) forget(v *visitors) {
	if v.inside == 0 && v.waiting == 0 {
		delete(g.owners, v.owner)
	}
}
