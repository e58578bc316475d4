package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
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

// While the store is too busy to answer, the last good answer counts, for a while. A fault counts at once.
func TestGlanceOfABusyStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var (
			busy  = false
			fault error
		)
		g := newGlance(2*time.Second, func(ctx context.Context) (int, error) {
			if busy {
				<-ctx.Done()
				return 0, ctx.Err()
			}
			return 1, fault
		})
		if _, err := g.look(t.Context()); err != nil {
			t.Fatal(err)
		}
		busy = true
		start := time.Now()
		for time.Since(start) < glanceHolds-glancePatience {
			time.Sleep(glancePatience)
			asked := time.Now()
			if n, err := g.look(t.Context()); n != 1 || err != nil || time.Since(asked) > glancePatience {
				t.Errorf("after %s: %d, %v, in %s", asked.Sub(start), n, err, time.Since(asked))
			}
		}
		time.Sleep(2 * time.Second)
		if _, err := g.look(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
		time.Sleep(glanceEvery)
		busy = false
		if _, err := g.look(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(glanceEvery)
		fault = errors.New("away")
		if _, err := g.look(t.Context()); err != fault {
			t.Errorf("a fault: %v", err)
		}
	})
}

// A count that takes long is made seldom, and beside those who ask: they get the one before. A count that fails is repeated soon,
// and they get the fault. Scrapes, which read the last count, wait for nothing.
func TestGlanceOfALongCount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const took = 4 * time.Second
		var (
			mu     sync.Mutex
			counts int
			fault  error
		)
		breaks := func(err error) {
			mu.Lock()
			defer mu.Unlock()
			fault = err
		}
		g := newBacklog(func(ctx context.Context) (*bellwire.Backlog, error) {
			if err := sleep(ctx, took); err != nil {
				return nil, err
			}
			mu.Lock()
			defer mu.Unlock()
			counts++
			return &bellwire.Backlog{Open: counts, CountedAt: time.Now()}, fault
		})
		defer g.settle()
		if b, err := g.last(); b != nil || bellwire.CodeOf(err) != bellwire.CodeUnavailable {
			t.Errorf("before the first count: %v, %v", b, err)
		}
		g.keepUp(backlogEvery)
		synctest.Wait()
		if b, err := g.last(); b != nil || bellwire.CodeOf(err) != bellwire.CodeUnavailable {
			t.Errorf("during the first count: %v, %v", b, err)
		}
		start := time.Now()
		const between = (backlogRests + 1) * took
		for time.Sleep(took + 1); time.Since(start) < time.Hour; time.Sleep(15 * time.Second) {
			asked := time.Now()
			if b, err := g.last(); err != nil || asked.Sub(b.CountedAt) > between || time.Since(asked) != 0 {
				t.Fatalf("scraped after %s: %+v, %v, in %s", asked.Sub(start), b, err, time.Since(asked))
			}
			if b, err := g.look(t.Context()); err != nil || asked.Sub(b.CountedAt) > between || time.Since(asked) > backlogPatience {
				t.Fatalf("asked after %s: %+v, %v, in %s", asked.Sub(start), b, err, time.Since(asked))
			}
		}
		mu.Lock()
		if most := int(time.Hour/between) + 1; counts < most-1 || counts > most {
			t.Errorf("%d counts were made in an hour, want %d", counts, most)
		}
		mu.Unlock()
		away := errors.New("away")
		breaks(away)
		time.Sleep(between)
		for range 10 {
			if _, err := g.last(); err != away {
				t.Errorf("scraped: %v", err)
			}
			if _, err := g.look(t.Context()); err != away {
				t.Errorf("asked: %v", err)
			}
			time.Sleep(time.Second)
		}
		breaks(nil)
		time.Sleep(backlogEvery + 2*took)
		if _, err := g.last(); err != nil {
			t.Errorf("after the fault: %v", err)
		}
		// Nobody waits for a count when the server is shut down.
		time.Sleep(between - took/2)
		now := time.Now()
		if g.settle(); time.Since(now) != 0 {
			t.Errorf("settled after %s", time.Since(now))
		}
	})
}

// Nothing is asked of a store that is being closed.
func TestGlanceAfterClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		g := newGlance(time.Minute, func(context.Context) (int, error) {
			asked++
			time.Sleep(time.Second)
			return asked, nil
		})
		go g.look(t.Context())
		synctest.Wait()
		start := time.Now()
		g.settle()
		if time.Since(start) != time.Second {
			t.Errorf("settled after %s", time.Since(start))
		}
		time.Sleep(time.Minute)
		if _, _ = g.look(t.Context()); asked != 1 {
			t.Errorf("asked %d times", asked)
		}
	})
}

// However many scrape at the same time, a page is made for all of them, and none that is older than the question.
func TestScrapes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		made := 0
		var current atomic.Int64
		s := newScrapes(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			made++
			seen := current.Load()
			time.Sleep(time.Millisecond)
			w.Header().Set("Content-Type", "text/plain")
			fmt.Fprint(w, seen)
		}))
		var all sync.WaitGroup
		start := time.Now()
		for i := range 1000 {
			all.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				current.Store(int64(i))
				answer := httptest.NewRecorder()
				s.ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
				var seen int
				if _, err := fmt.Sscan(answer.Body.String(), &seen); err != nil || seen < i || answer.Header().Get("Content-Type") != "text/plain" {
					t.Errorf("asked at %d, and shown %q", i, answer.Body)
				}
			})
		}
		all.Wait()
		if most := int(time.Since(start)/scrapeEvery) + scrapeBurst; made > most {
			t.Errorf("%d pages were made in %s", made, time.Since(start))
		}
	})
}

// Scrapers that come one after another do not wait for each other's pages to grow old.
func TestScrapesDoNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newScrapes(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(time.Millisecond) }))
		for range 100 {
			for range scrapeBurst {
				asked := time.Now()
				s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/metrics", nil))
				if took := time.Since(asked); took != time.Millisecond {
					t.Fatalf("a scrape took %s", took)
				}
			}
			time.Sleep(scrapeBurst * scrapeEvery)
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
