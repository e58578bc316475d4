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

// Gate is a semaphore that is fair between owners. Callers of one owner wait in order, and owners take turns; an owner without a
// place comes before those that have one. If there is more than one place, the last free one is reserved for such an owner. A Gate
// is safe for concurrent use.
type Gate struct {
	most int // waiting callers of one owner

	mu     sync.Mutex
	free   int
	places int
	owners map[string]*visitors // those with a place or waiting callers
	turns  list.List            // of *visitors with waiting callers, the next one first
}

// visitors are the callers of one owner.
type visitors struct {
	owner   string
	inside  int
	waiting list.List     // of chan struct{}, which is closed to let a caller in
	turn    *list.Element // nil if none waits
}

// NewGate returns a Gate with the given number of places, at which each owner may have the given number of waiting callers.
func NewGate(places, waiting int) *Gate {
	return &Gate{most: waiting, free: places, places: places, owners: make(map[string]*visitors)}
}

// Enter waits for a place, and returns the function that releases it. Its error has CodeRateLimited if too many callers of the owner
// are waiting, and CodeCanceled if ctx ended before there was a place.
func (g *Gate) Enter(ctx context.Context, owner string) (leave func(), err error) {
	g.mu.Lock()
	v := g.owners[owner]
	if v == nil {
		v = &visitors{owner: owner}
		g.owners[owner] = v
	}
	if v.waiting.Len() == 0 && g.fits(v) {
		g.enter(v)
		g.mu.Unlock()
		return sync.OnceFunc(func() { g.leave(v) }), nil
	}
	if v.waiting.Len() >= g.most {
		g.mu.Unlock()
		return nil, &bellwire.Error{
			Code:       bellwire.CodeRateLimited,
			Message:    "too many of your requests are waiting; send fewer at the same time, and try again shortly",
			RetryAfter: gateRetryAfter,
		}
	}
	entered := make(chan struct{})
	place := v.waiting.PushBack(entered)
	if v.turn == nil {
		v.turn = g.turns.PushBack(v)
	}
	g.mu.Unlock()
	select {
	case <-entered:
		return sync.OnceFunc(func() { g.leave(v) }), nil
	case <-ctx.Done():
		g.giveUp(v, place, entered)
		return nil, bellwire.Wrap(bellwire.CodeCanceled, context.Cause(ctx), "the caller disconnected before its turn came")
	}
}

// ErrLate is the cause of EnterWithin's error if the owner's turn has not come in time.
var ErrLate = errors.New("the turn has not come in time")

// EnterWithin is Enter with a limit on the time to wait.
func (g *Gate) EnterWithin(ctx context.Context, owner string, patience time.Duration) (leave func(), err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, ErrLate)
	defer cancel()
	return g.Enter(ctx, owner)
}

// fits reports whether an owner may have another place.
func (g *Gate) fits(v *visitors) bool {
	if v.inside == 0 || g.places == 1 {
		return g.free > 0
	}
	return g.free > 1
}

func (g *Gate) enter(v *visitors) {
	g.free--
	v.inside++
}

func (g *Gate) leave(v *visitors) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.free++
	v.inside--
	g.admit()
	g.forget(v)
}

// giveUp removes a waiting caller. If it has just been let in, its place goes to the next one.
func (g *Gate) giveUp(v *visitors, place *list.Element, entered chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-entered:
		g.free++
		v.inside--
	default:
		v.waiting.Remove(place)
		g.sitOut(v)
	}
	g.admit()
	g.forget(v)
}

// admit lets in waiting callers while there are places for them.
func (g *Gate) admit() {
	for {
		v := g.next()
		if v == nil {
			return
		}
		g.enter(v)
		close(v.waiting.Remove(v.waiting.Front()).(chan struct{}))
		g.turns.MoveToBack(v.turn)
		g.sitOut(v)
	}
}

// next returns the owner whose turn it is, nil if there is no place for one.
func (g *Gate) next() *visitors {
	var first *visitors
	for e := g.turns.Front(); e != nil && g.free > 0; e = e.Next() {
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

// sitOut removes an owner without waiting callers from the turns.
func (g *Gate) sitOut(v *visitors) {
	if v.turn != nil && v.waiting.Len() == 0 {
		g.turns.Remove(v.turn)
		v.turn = nil
	}
}

// forget removes an owner without places and waiting callers.
func (g *Gate) forget(v *visitors) {
	if v.inside == 0 && v.waiting.Len() == 0 {
		delete(g.owners, v.owner)
	}
}
