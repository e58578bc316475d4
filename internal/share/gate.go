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

// linesOf is the ratio of the waiting callers that an owner may have to those that a line may have.
const linesOf = 16

// Gate is a semaphore that is fair between owners. Callers of one owner wait in lines, and those of one line in order; owners take
// turns, and so do the lines of an owner. An owner without a place comes before those that have one. If there is more than one place,
// the last free one is reserved for such an owner. A place that its owner has left can rest: the owner has it until its rest ends, and
// meanwhile it is lent to owners without a place. A Gate is safe for concurrent use.
type Gate struct {
	most int // waiting callers of one line

	mu      sync.Mutex
	free    int // negative if resting places are lent
	resting int // places that are left, and that their owners still have
	places  int
	owners  map[string]*visitors // those with a place or waiting callers
	turns   list.List            // of *visitors with waiting callers, the next one first
}

// visitors are the callers of one owner.
type visitors struct {
	owner   string
	inside  int // places, resting ones included
	waiting int
	lines   map[string]*line
	order   list.List     // of *line, the next one first
	turn    *list.Element // nil if none waits
}

// line is callers of one owner who wait in order.
type line struct {
	name    string
	waiting list.List     // of *Place
	turn    *list.Element // in the order of lines
}

// Place is a place at a Gate.
type Place struct {
	gate    *Gate
	of      *visitors
	line    *line         // while it is waited for
	waits   *list.Element // the same
	entered chan struct{} // closed to let a caller in; nil: it did not wait
	left    bool
}

// NewGate returns a Gate with the given number of places, at which each line of an owner may have the given number of waiting callers.
func NewGate(places, waiting int) *Gate {
	return &Gate{most: waiting, free: places, places: places, owners: make(map[string]*visitors)}
}

// Enter waits for a place, and returns the function that releases it. Its error has CodeRateLimited if too many callers of the owner
// are waiting, and CodeCanceled if ctx ended before there was a place.
func (g *Gate) Enter(ctx context.Context, owner string) (leave func(), err error) {
	place, err := g.EnterLine(ctx, owner, "")
	if err != nil {
		return nil, err
	}
	return place.Leave, nil
}

// EnterLine is Enter for a caller that waits in a line of its owner's callers.
func (g *Gate) EnterLine(ctx context.Context, owner, name string) (*Place, error) {
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

// ErrLate is wrapped by an error of EnterWithin or EnterLineWithin if the turn has not come in time. Its code is CodeRateLimited.
var ErrLate = errors.New("the turn has not come in time")

// EnterWithin is Enter with a limit on the time to wait.
func (g *Gate) EnterWithin(ctx context.Context, owner string, patience time.Duration) (leave func(), err error) {
	place, err := g.EnterLineWithin(ctx, owner, "", patience)
	if err != nil {
		return nil, err
	}
	return place.Leave, nil
}

// EnterLineWithin is EnterLine with a limit on the time to wait.
func (g *Gate) EnterLineWithin(ctx context.Context, owner, name string, patience time.Duration) (*Place, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, ErrLate)
	defer cancel()
	return g.EnterLine(ctx, owner, name)
}

// Leave releases the place. Only the first call of Leave or LeaveAfter has an effect.
func (p *Place) Leave() { p.LeaveAfter(0) }

// LeaveAfter has the place rest for a while before it is released.
func (p *Place) LeaveAfter(rest time.Duration) {
	g := p.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	if p.left {
		return
	}
	p.left = true
	if rest <= 0 {
		g.release(p.of)
		return
	}
	g.resting++
	time.AfterFunc(rest, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.resting--
		g.release(p.of)
	})
	g.admit()
}

// fits reports whether an owner may have another place.
func (g *Gate) fits(v *visitors) bool {
	switch {
	case v.inside == 0:
		return g.free+g.resting > 0
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

// push has a caller wait in a line of its owner, unless too many do.
func (g *Gate) push(p *Place, name string) bool {
	v := p.of
	l := v.lines[name]
	if l != nil && l.waiting.Len() >= g.most || v.waiting >= linesOf*g.most {
		return false
	}
	if l == nil {
		if v.lines == nil {
			v.lines = make(map[string]*line)
		}
		l = &line{name: name}
		l.turn = v.order.PushBack(l)
		v.lines[name] = l
	}
	p.entered = make(chan struct{})
	p.line, p.waits = l, l.waiting.PushBack(p)
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
		l := v.order.Front().Value.(*line)
		v.order.MoveToBack(l.turn)
		p := l.waiting.Front().Value.(*Place)
		g.remove(p)
		close(p.entered)
	}
}

// next returns the owner whose turn it is, nil if there is no place for one.
func (g *Gate) next() *visitors {
	var first *visitors
	for e := g.turns.Front(); e != nil && g.free+g.resting > 0; e = e.Next() {
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

// remove removes a waiting caller from its line, and lines and owners without waiting callers from the turns.
func (g *Gate) remove(p *Place) {
	v, l := p.of, p.line
	l.waiting.Remove(p.waits)
	p.line, p.waits = nil, nil
	v.waiting--
	if l.waiting.Len() == 0 {
		v.order.Remove(l.turn)
		delete(v.lines, l.name)
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
