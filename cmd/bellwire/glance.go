package main

import (
	"context"
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// How an answer of the store is cached.
const (
	glanceEvery    = time.Second            // the store is asked once in
	glancePatience = 500 * time.Millisecond // for an answer, while there is a good one
	glanceHolds    = 10 * time.Second       // a good answer, while the store is too busy for another
)

// glance caches an answer of the store for a second, and asks for it once at a time. So requests that need no key cost the
// database no more however often they come. While the store takes its time, the last good answer goes on to hold for
// a while: being busy is no fault.
type glance[T any] struct {
	ask     func(context.Context) (T, error)
	timeout time.Duration // of asking
	asking  sync.WaitGroup

	mu      sync.Mutex
	settled bool
	flight  chan struct{} // closed when the question under way has been answered; nil: there is none
	at      time.Time     // when there was an answer last; zero: never
	value   T
	err     error
}

func newGlance[T any](timeout time.Duration, ask func(context.Context) (T, error)) *glance[T] {
	return &glance[T]{ask: ask, timeout: timeout}
}

// look returns the answer. It may be a second old.
func (g *glance[T]) look(ctx context.Context) (T, error) {
	g.mu.Lock()
	if g.settled || !g.at.IsZero() && time.Since(g.at) < glanceEvery {
		defer g.mu.Unlock()
		return g.value, g.err
	}
	if g.flight == nil {
		g.flight = make(chan struct{})
		g.asking.Go(g.renew)
	}
	flight, last, good := g.flight, g.value, g.holds()
	g.mu.Unlock()
	var enough <-chan time.Time
	if good {
		patience := time.NewTimer(glancePatience)
		defer patience.Stop()
		enough = patience.C
	}
	select {
	case <-flight:
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.value, g.err
	case <-enough:
		return last, nil
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// holds reports whether the last answer is a good one that still counts. g.mu is held.
func (g *glance[T]) holds() bool {
	return g.err == nil && !g.at.IsZero() && time.Since(g.at) < glanceHolds
}

// renew asks the store, for all who want to know.
func (g *glance[T]) renew() {
	ctx, cancel := context.WithTimeout(context.Background(), g.timeout)
	defer cancel()
	value, err := g.ask(ctx)
	g.mu.Lock()
	defer g.mu.Unlock()
	if late := err != nil && ctx.Err() != nil; !late || !g.holds() {
		g.value, g.err, g.at = value, err, time.Now()
	}
	close(g.flight)
	g.flight = nil
}

// settle waits for the question under way, and has none asked any more.
func (g *glance[T]) settle() {
	g.mu.Lock()
	g.settled, g.err = true, bellwire.Errorf(bellwire.CodeUnavailable, "The server is shutting down.")
	g.mu.Unlock()
	g.asking.Wait()
}
