package share_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
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

// Whatever owners come, stay and go away, there are never more inside than places, and in the end all places are free.
func TestGateReleasesAllPlaces(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		places := rapid.IntRange(1, 4).Draw(rt, "places")
		type visit struct{ at, stay, patience time.Duration }
		visits := make(map[string][]visit)
		ms := rapid.IntRange(1, 50)
		for i := range rapid.IntRange(1, 40).Draw(rt, "visits") {
			owner := fmt.Sprint(i % 4)
			visits[owner] = append(visits[owner], visit{
				time.Duration(ms.Draw(rt, "at")) * time.Millisecond, time.Duration(ms.Draw(rt, "stay")) * time.Millisecond,
				time.Duration(ms.Draw(rt, "patience")) * 10 * time.Millisecond,
			})
		}
		synctest.Test(t, func(t *testing.T) {
			g := share.NewGate(places, 40)
			var (
				inside atomic.Int64
				all    sync.WaitGroup
			)
			for owner, list := range visits {
				for _, v := range list {
					all.Go(func() {
						time.Sleep(v.at)
						ctx, cancel := context.WithTimeout(t.Context(), v.patience)
						defer cancel()
						leave, err := g.Enter(ctx, owner)
						if err != nil {
							return
						}
						if n := inside.Add(1); n > int64(places) {
							t.Errorf("%d are inside, of %d", n, places)
						}
						time.Sleep(v.stay)
						inside.Add(-1)
						leave()
						leave() // a second time changes nothing
					})
				}
			}
			all.Wait()
			for i := range places {
				ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				if _, err := g.Enter(ctx, fmt.Sprint("new", i)); err != nil {
					t.Errorf("place %d of %d is lost: %v", i, places, err)
				}
				cancel()
			}
		})
	})
}
