package main

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// However many ask, the store is asked once a second, and by one at a time.
func TestGlance(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		fault := errors.New("away")
		g := newGlance(time.Minute, func(ctx context.Context) (int, error) {
			asked++
			if err := sleep(ctx, 100*time.Millisecond); err != nil {
				return 0, err
			}
			return asked, fault
		})
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if n, err := g.look(t.Context()); n != 1 || err != fault {
					t.Errorf("%d, %v", n, err)
				}
			})
		}
		all.Wait()
		time.Sleep(glanceEvery - time.Millisecond)
		if n, _ := g.look(t.Context()); n != 1 {
			t.Errorf("asked %d times within a second", n)
		}
		time.Sleep(time.Millisecond)
		// Who asks and goes away does not take the answer from others.
		gone, cancel := context.WithCancel(t.Context())
		all.Go(func() { g.look(gone) })
		synctest.Wait()
		cancel()
		if n, err := g.look(t.Context()); n != 2 || err != fault {
			t.Errorf("%d, %v", n, err)
		}
		all.Wait()
	})
}

// Who waits for another's question to be answered waits no longer than it wants to.
func TestGlanceKeepsToTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGlance(time.Minute, func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		})
		var first sync.WaitGroup
		first.Go(func() { g.look(t.Context()) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := g.look(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		first.Wait()
		if time.Since(start) != time.Minute {
			t.Errorf("the question was given up after %s", time.Since(start))
		}
	})
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
