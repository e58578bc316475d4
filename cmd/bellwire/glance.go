package main

import (
	"context"
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Durations for caching an answer of the store.
const (
	glanceEvery    = time.Second            // between two questions to the store
	glancePatience = 500 * time.Millisecond // of a caller, if there is an earlier answer
	glanceHolds    = 10 * time.Second       // for an answer, while the store is too busy to give another
)

// glance caches an answer of the store for a second, and asks one question at a time, so that frequent requests without a
// key do not burden the database. While the store is slow, the last good answer stays valid for a while: being busy is not
// a fault.
type glance[T any] struct {
	ask      func(context.Context) (T, error)
	timeout  time.Duration // of a question
	every    time.Duration // between two questions, at least
	rests    int           // how many times as long as an answer took no other question is asked
	patience time.Duration // of a caller, if there is an earlier answer
	keeps    time.Duration // an answer, while there is no other
	asking   sync.WaitGroup
	stop     context.Context
	cancel   context.CancelFunc // of stop

	mu      sync.Mutex
	settled bool
	flight  chan struct{} // closed when the current question has been answered; nil: there is none
	at      time.Time     // of the last answer; zero: none yet
	next    time.Time     // when another question may be asked
	value   T
	err     error
}

func newGlance[T any](timeout time.Duration, ask func(context.Context) (T, error)) *glance[T] {
	g := &glance[T]{ask: ask, timeout: timeout, every: glanceEvery, patience: glancePatience, keeps: glanceHolds}
	g.stop, g.cancel = context.WithCancel(context.Background())
	return g
}

// look returns an answer that is not older than the time between two questions, or the last one while the store is slow.
func (g *glance[T]) look(ctx context.Context) (T, error) {
	g.mu.Lock()
	if g.settled || g.holds() && time.Now().Before(g.next) {
		defer g.mu.Unlock()
		return g.value, g.err
	}
	flight, last, fault, holds := g.begin(), g.value, g.err, g.holds()
	g.mu.Unlock()
	var enough <-chan time.Time
	if holds {
		patience := time.NewTimer(g.patience)
		defer patience.Stop()
		enough = patience.C
	}
	select {
	case <-flight:
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.value, g.err
	case <-enough:
		return last, fault
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// last returns the last answer, and asks nothing. It fails if there is none yet.
func (g *glance[T]) last() (T, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.at.IsZero() && g.err == nil {
		var none T
		return none, bellwire.Errorf(bellwire.CodeUnavailable, "the store has not answered yet")
	}
	return g.value, g.err
}

// keepUp asks at once, and again and again, so that the last answer is never much older than the given time. It ends with settle.
func (g *glance[T]) keepUp(every time.Duration) {
	g.asking.Go(func() {
		for {
			g.mu.Lock()
			if g.settled {
				g.mu.Unlock()
				return
			}
			flight := g.begin()
			g.mu.Unlock()
			<-flight
			g.mu.Lock()
			rest := max(every, time.Until(g.next))
			g.mu.Unlock()
			select {
			case <-time.After(rest):
			case <-g.stop.Done():
			}
		}
	})
}

// begin asks a question, unless one is being asked, and returns what is closed when it has been answered. g.mu must be held.
func (g *glance[T]) begin() chan struct{} {
	if g.flight == nil {
		g.flight = make(chan struct{})
		g.asking.Go(g.renew)
	}
	return g.flight
}

// holds reports whether the last answer is still valid. g.mu must be held.
func (g *glance[T]) holds() bool { return !g.at.IsZero() && time.Since(g.at) < g.keeps }

// renew asks the store, on behalf of all callers.
func (g *glance[T]) renew() {
	ctx, cancel := context.WithTimeout(g.stop, g.timeout)
	defer cancel()
	asked := time.Now()
	value, err := g.ask(ctx)
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	if late := err != nil && ctx.Err() != nil; !g.settled && !(late && g.err == nil && g.holds()) {
		g.value, g.err, g.at = value, err, now
	}
	g.next = now.Add(g.every)
	if err == nil {
		g.next = now.Add(max(g.every, time.Duration(g.rests)*now.Sub(asked)))
	}
	close(g.flight)
	g.flight = nil
}

// settle ends the current question, and prevents further ones.
func (g *glance[T]) settle() {
	g.mu.Lock()
	g.settled, g.err = true, bellwire.Errorf(bellwire.CodeUnavailable, "the server is shutting down")
	g.mu.Unlock()
	g.cancel()
	g.asking.Wait()
}
