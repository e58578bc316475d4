package share_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/share"
)

func enter(t *testing.T, g *share.Gate, owner string) (leave func()) {
	t.Helper()
	leave, err := g.Enter(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	return leave
}

// One owner has a hundred waiting. Another's come in at once, each time: a place is kept for it.
func TestGateKeepsAPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := share.NewGate(3, 100)
		var crowd sync.WaitGroup
		for range 100 {
			crowd.Go(func() {
				leave := enter(t, g, "crowd")
				time.Sleep(time.Second)
				leave()
			})
		}
		synctest.Wait()
		for range 20 {
			start := time.Now()
			enter(t, g, "other")()
			if waited := time.Since(start); waited > 0 {
				t.Errorf("it waited for %v", waited)
			}
			time.Sleep(100 * time.Millisecond)
		}
		crowd.Wait()
	})
}

// Owners who all have many waiting take turns, however many each has.
func TestGateTakesTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := share.NewGate(1, 100)
		leave := enter(t, g, "first")
		var (
			all   sync.WaitGroup
			order []string
		)
		come := func(owner string, n int) {
			for range n {
				all.Go(func() {
					leave := enter(t, g, owner)
					order = append(order, owner)
					leave()
				})
			}
			synctest.Wait()
		}
		come("many", 50)
		come("few", 2)
		come("one", 1)
		leave()
		all.Wait()
		if want := []string{"many", "few", "one", "many", "few", "many"}; !slices.Equal(order[:6], want) {
			t.Errorf("they came in as %v, want %v", order[:6], want)
		}
	})
}

func TestGateRefusesTooManyOfAnOwner(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := share.NewGate(1, 2)
		leave := enter(t, g, "crowd")
		var waiting sync.WaitGroup
		for range 2 {
			waiting.Go(func() { enter(t, g, "crowd")() })
		}
		synctest.Wait()
		_, err := g.Enter(t.Context(), "crowd")
		if bellwire.CodeOf(err) != bellwire.CodeRateLimited {
			t.Errorf("one too many: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := g.Enter(ctx, "other"); bellwire.CodeOf(err) != bellwire.CodeCanceled {
			t.Errorf("one who went away: %v", err)
		}
		leave()
		waiting.Wait()
		enter(t, g, "crowd")()
	})
}

// The queues of an owner take turns, however many wait in each, and a full queue keeps no other from waiting.
func TestLinesTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := share.NewGate(1, 3)
		leave := enter(t, g, "operator")
		var (
			all   sync.WaitGroup
			order []string
		)
		for _, queue := range []string{"many", "many", "many", "few", "few", "one"} {
			all.Go(func() {
				place, err := g.EnterQueue(t.Context(), "operator", queue)
				if err != nil {
					t.Error(err)
					return
				}
				order = append(order, queue)
				place.Leave()
			})
			synctest.Wait()
		}
		if _, err := g.EnterQueue(t.Context(), "operator", "many"); bellwire.CodeOf(err) != bellwire.CodeRateLimited {
			t.Errorf("one too many in a queue: %v", err)
		}
		leave()
		all.Wait()
		if want := []string{"many", "few", "one", "many", "few", "many"}; !slices.Equal(order, want) {
			t.Errorf("they came in as %v, want %v", order, want)
		}
	})
}

// The places of two owners rest. Each waits for the end of its own rest, and a third owner does not wait.
func TestRestingPlacesAreLent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := share.NewGate(2, 10)
		for _, owner := range []string{"a", "b"} {
			place, err := g.EnterQueue(t.Context(), owner, "")
			if err != nil {
				t.Fatal(err)
			}
			place.LeaveAfter(time.Minute)
		}
		start := time.Now()
		leave := enter(t, g, "c")
		if waited := time.Since(start); waited > 0 {
			t.Errorf("an owner without a place waited for %v while two places rested", waited)
		}
		leave()
		enter(t, g, "a")()
		if waited := time.Since(start); waited != time.Minute {
			t.Errorf("an owner whose place rested for a minute had another after %v", waited)
		}
	})
}

// visit is a caller of a Gate: when it comes, how long it waits, stays, and has its place rest.
type visit struct {
	owner, queue             string
	at, patience, stay, rest time.Duration
}

func drawVisits(t *rapid.T) []visit {
	ms := func(most int, what string) time.Duration {
		return time.Duration(rapid.IntRange(0, most).Draw(t, what)) * time.Millisecond
	}
	visits := make([]visit, rapid.IntRange(1, 40).Draw(t, "visits"))
	for i := range visits {
		visits[i] = visit{
			owner: fmt.Sprint(rapid.IntRange(0, 3).Draw(t, "owner")), queue: fmt.Sprint(rapid.IntRange(0, 2).Draw(t, "queue")),
			at: ms(50, "at"), patience: ms(500, "patience"), stay: ms(50, "stay"), rest: ms(50, "rest"),
		}
	}
	return visits
}

// crowd is what a test knows of the callers of a Gate.
type crowd struct {
	mu      sync.Mutex
	running int            // callers inside
	held    map[string]int // places of each owner, resting ones included
	waiting map[string]int // callers of each owner
}

func (c *crowd) change(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

// visit visits a gate.
func (c *crowd) visit(ctx context.Context, g *share.Gate, v visit) {
	time.Sleep(v.at)
	c.change(func() { c.waiting[v.owner]++ })
	place, err := g.EnterQueueWithin(ctx, v.owner, v.queue, v.patience)
	c.change(func() { c.waiting[v.owner]-- })
	if err != nil {
		return
	}
	c.change(func() { c.running++; c.held[v.owner]++ })
	time.Sleep(v.stay)
	c.change(func() { c.running-- })
	place.LeaveAfter(v.rest)
	place.Leave() // a second time changes nothing
	time.Sleep(v.rest)
	c.change(func() { c.held[v.owner]-- })
}

// check checks what holds whenever nothing is moving.
func (c *crowd) check(t *testing.T, places int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	held := 0
	for _, n := range c.held {
		held += n
	}
	if c.running > places {
		t.Errorf("%d are inside, of %d", c.running, places)
	}
	for owner, n := range c.waiting {
		switch free := places - held; {
		case n == 0:
		case c.held[owner] == 0 && c.running < places:
			t.Errorf("an owner without a place waits while %d of %d are inside", c.running, places)
		case free > 1 || free == 1 && places == 1:
			t.Errorf("an owner with %d places waits while %d of %d are free", c.held[owner], free, places)
		}
	}
}

// Whatever owners come, stay, have their places rest and go away: there are never more inside than places; an owner without a place
// waits only while all places are used; others wait only while no place is free but the reserved one; and in the end all places are free.
func TestGateIsFair(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		places, visits := rapid.IntRange(1, 4).Draw(rt, "places"), drawVisits(rt)
		synctest.Test(t, func(t *testing.T) {
			g := share.NewGate(places, 40)
			c := &crowd{held: make(map[string]int), waiting: make(map[string]int)}
			var all sync.WaitGroup
			for _, v := range visits {
				all.Go(func() { c.visit(t.Context(), g, v) })
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				all.Wait()
			}()
			for settled := false; !settled; {
				select {
				case <-done:
					settled = true
				case <-time.After(time.Millisecond):
				}
				synctest.Wait()
				c.check(t, places)
			}
			for i := range places {
				if _, err := g.EnterWithin(t.Context(), fmt.Sprint("new", i), time.Millisecond); err != nil {
					t.Errorf("place %d of %d is lost: %v", i, places, err)
				}
			}
		})
	})
}
