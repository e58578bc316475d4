package share_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/share"
)

// After any sequence of acquiring and releasing by several owners, no unit is lost or given twice, no owner has more than
// half, and no owner below its share is refused.
func TestPoolIsFair(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(1, 200).Draw(t, "total")
		reserve := rapid.Int64Range(0, total/4).Draw(t, "reserve")
		owners := rapid.IntRange(1, 6).Draw(t, "owners")
		pool := share.NewPool(total, reserve)
		held := make(map[string]int64)
		free := total
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			owner := fmt.Sprint(rapid.IntRange(1, owners).Draw(t, "owner"))
			if rapid.Bool().Draw(t, "give") && held[owner] > 0 {
				n := rapid.Int64Range(1, held[owner]).Draw(t, "given")
				pool.Give(owner, n)
				held[owner] -= n
				free += n
				continue
			}
			n := rapid.Int64Range(1, total).Draw(t, "wanted")
			before := held[owner]
			fits := pool.Fits(owner, n)
			took := pool.Take(owner, n)
			if took {
				held[owner] += n
				free -= n
			}
			switch {
			case fits != took:
				t.Errorf("Fits returned %v, and Take %v", fits, took)
			case took && before > 0 && 2*held[owner] > total:
				t.Errorf("an owner who had %d has %d of %d", before, held[owner], total)
			case took && before > 0 && free < reserve:
				t.Errorf("an owner who had %d took of the reserve: %d are free, %d reserved", before, free, reserve)
			case !took && before == 0 && n <= free:
				t.Errorf("an owner who has nothing was refused %d of %d", n, free)
			case !took && n <= free && before+n <= free-n && free-n >= reserve:
				t.Errorf("an owner who has %d was refused %d of %d", before, n, free)
			}
			if pool.Free() != free || pool.Held(owner) != held[owner] || free < 0 {
				t.Fatalf("%d are free, the owner has %d; want %d and %d", pool.Free(), pool.Held(owner), free, held[owner])
			}
		}
	})
}

// Owners who take one unit after the other, whenever they may, end with equal shares, and leave as much to one who comes.
func TestPoolConverges(t *testing.T) {
	t.Parallel()
	for owners := 1; owners <= 8; owners++ {
		const total, reserve = 1000, 100
		pool := share.NewPool(total, reserve)
		for range total {
			for o := range owners {
				pool.Take(fmt.Sprint(o), 1)
			}
		}
		for o := range owners {
			if held := pool.Held(fmt.Sprint(o)); held < (total-reserve)/int64(owners+1)-int64(owners) {
				t.Errorf("one of %d owners has %d of %d", owners, held, total)
			}
		}
		if pool.Free() < reserve || !pool.Take("newcomer", reserve) {
			t.Errorf("beside %d owners a newcomer finds %d", owners, pool.Free())
		}
	}
}

func TestPoolRefusesFalseReturns(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("an owner could give back what it did not have")
		}
	}()
	share.NewPool(10, 1).Give("nobody", 1)
}
