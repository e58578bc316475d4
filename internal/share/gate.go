package share

import (
	"container/list"
	"context"
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// gateRetryAfter is when an owner who has too much waiting at a Gate may try again.
const gateRetryAfter = time.Second

// Gate lets so many in at a time. Those of one owner wait in their order, and owners take turns; one who has nobody
// inside comes before those who have. While there is more than one place, the last free one is kept for such an owner.
// It is safe for concurrent use.
type Gate struct {
	most int // that wait, of one owner

	mu     sync.Mutex
	free   int
	places int
	owners map[string]*visitors // those with somebody inside or waiting
	turns  list.List            // of *visitors: those with somebody waiting, the next one first
}

// visitors are what one owner has at a Gate.
type visitors struct {
	owner   string
	inside  int
	waiting list.List     // of chan struct{}: closed when it is let in
	turn    *list.Element // nil: nobody waits
}

// NewGate makes a Gate with so many places, at which so many of one owner may wait.
func NewGate(places, waiting int) *Gate {
	return &Gate{most: waiting, free: places, places: places, owners: make(map[string]*visitors)}
}

// Enter waits until an owner's turn has come, and returns what ends it, to be called once. CodeRateLimited: too many of
// the owner wait already. CodeCanceled: ctx ended before.
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

// fits reports whether one more of an owner may be inside.
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

// giveUp takes back one who waits. Should it have been let in meanwhile, its place goes to the next.
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

// admit lets in those whose turn it is, for as long as there are places for them.
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

// next returns the owner whose turn it is, nil if there is no place for any.
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

// sitOut takes an owner of whom nobody waits out of the turns.
func (g *Gate) sitOut(v *visitors) {
	if v.turn != nil && v.waiting.Len() == 0 {
		g.turns.Remove(v.turn)
		v.turn = nil
	}
}

// forget drops an owner who has nobody at the gate.
func (g *Gate) forget(v *visitors) {
	if v.inside == 0 && v.waiting.Len() == 0 {
		delete(g.owners, v.owner)
	}
}
