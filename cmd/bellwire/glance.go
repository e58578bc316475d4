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
	glancePatience = 500 * time.Millisecond // of a caller, if there is an earlier good answer
	glanceHolds    = 10 * time.Second       // for a good answer, while the store is too busy to give another
)

// glance caches an answer of the store for a second, and asks one question at a time, so that frequent requests without a
// key do not burden the database. While the store is slow, the last good answer stays valid for a while: being busy is not
// a fault.
type glance[T any] struct {
	ask     func(context.Context) (T, error)
	timeout time.Duration // of a question
	every   time.Duration // between two questions
	asking  sync.WaitGroup

	mu      sync.Mutex
	settled bool
	flight  chan struct{} // closed when the current question has been answered; nil: there is none
	at      time.Time     // of the last answer; zero: none yet
	value   T
	err     error
}

func newGlance[T any](timeout time.Duration, ask func(context.Context) (T, error)) *glance[T] {
	return &glance[T]{ask: ask, timeout: timeout, every: glanceEvery}
}

// look returns an answer that is not older than the time between two questions, or the last good one while the store is slow.
func (g *glance[T]) look(ctx context.Context) (T, error) {
	g.mu.Lock()
	if g.settled || !g.at.IsZero() && time.Since(g.at) < g.every {
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

// holds reports whether the last answer is good and still valid. g.mu must be held.
func (g *glance[T]) holds() bool {
	return g.err == nil && !g.at.IsZero() && time.Since(g.at) < glanceHolds
}

// renew asks the store, on behalf of all callers.
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

// settle waits for the current question, and prevents further ones.
func (g *glance[T]) settle() {
	g.mu.Lock()
	g.settled, g.err = true, bellwire.Errorf(bellwire.CodeUnavailable, "the server is shutting down")
	g.mu.Unlock()
	g.asking.Wait()
}
