package main

import (
	"context"
	"time"
)

// glanceEvery is how often the store is asked what anybody may ask without a key.
const glanceEvery = time.Second

// glance caches an answer of the store for a second, and asks for it once at a time. So requests that need no key cost the
// database no more however often they come.
type glance[T any] struct {
	ask     func(context.Context) (T, error)
	timeout time.Duration // of asking
	turn    chan struct{} // holds a token while the members below are looked at

	at    time.Time // when it was answered last; zero: never
	value T
	err   error
}

func newGlance[T any](timeout time.Duration, ask func(context.Context) (T, error)) *glance[T] {
	return &glance[T]{ask: ask, timeout: timeout, turn: make(chan struct{}, 1)}
}

// look returns the answer. It may be a second old.
func (g *glance[T]) look(ctx context.Context) (T, error) {
	select {
	case g.turn <- struct{}{}:
		defer func() { <-g.turn }()
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
	if g.at.IsZero() || time.Since(g.at) >= glanceEvery {
		// Others wait for the answer too, so it must not end with the first caller's context.
		asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.timeout)
		defer cancel()
		g.value, g.err = g.ask(asking)
		g.at = time.Now()
	}
	return g.value, g.err
}
