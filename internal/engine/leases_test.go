package engine_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// leased is a store whose leases have a term, as where there are several nodes.
type leased struct {
	bellwire.Store

	mu        sync.Mutex
	away      bool // nobody can renew
	nameTaken bool // another process has the node's name
	surplus   []int
	handed    []int
	lost      []int
	taken     []bellwire.Takeover // by the next renewal
	cut       bool                // the connection for leases was cut: the next use of it fails
}

func (s *leased) ReleaseLeases(ctx context.Context, node string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cut {
		s.cut = false
		return bellwire.Errorf(bellwire.CodeUnavailable, "the connection was cut")
	}
	return s.Store.ReleaseLeases(ctx, node)
}

func (s *leased) RenewLeases(ctx context.Context, node string) (*bellwire.Leases, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return nil, bellwire.Errorf(bellwire.CodeUnavailable, "the database is away")
	}
	if s.nameTaken {
		return nil, bellwire.Errorf(bellwire.CodeConflict, "another process serves as the node")
	}
	l, err := s.Store.RenewLeases(ctx, node)
	if err != nil {
		return nil, err
	}
	l.Term = 6 * time.Second
	l.Acquired, s.taken = s.taken, nil
	for _, shard := range s.lost {
		l.Epochs[shard] = 0
	}
	for shard := range l.Epochs {
		if slices.Contains(s.handed, shard) {
			l.Epochs[shard] = 0
		} else if slices.Contains(s.surplus, shard) {
			l.ToRelease = append(l.ToRelease, shard)
		}
	}
	return l, nil
}

func (s *leased) HandOver(_ context.Context, _ string, shards []int, _ bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handed = append(s.handed, shards...)
	return nil
}

func (s *leased) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *leased) handedOver() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.handed)
}

// leasing has the world's engine renew leases.
func leasing(w *world) *leased {
	s := new(leased)
	w.stop()
	w.wrap = func(store bellwire.Store) bellwire.Store { s.Store = store; return s }
	w.start()
	return s
}

// A node whose connection was cut just before it ends still gives up its leases, so that others need not wait for them.
func TestLeasesAreReleasedOverANewConnection(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		s := leasing(w)
		s.change(func() { s.cut = true })
		w.stop()
		if s.cut {
			t.Error("the leases were not released")
		}
		w.start()
	})
}

// A node that cannot renew its leases sends nothing more before they end, and goes on when it can.
func TestNothingIsSentWithoutLease(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		s := leasing(w)
		r := w.receiver("a", answers(200))
		w.endpoint("a")
		s.change(func() { s.away = true })
		w.pass(5500 * time.Millisecond)
		w.publish(3)
		must(t, w.engine.Ready())
		w.pass(time.Minute)
		if n := len(r.got()); n != 0 {
			t.Fatalf("%d requests were made without a lease", n)
		}
		if err := w.engine.Ready(); bellwire.CodeOf(err) != bellwire.CodeUnavailable || w.engine.Stats().OwnedShards != 0 {
			t.Errorf("a node that sends nothing for want of leases has %d shards, and is ready: %v", w.engine.Stats().OwnedShards, err)
		}
		if age := w.engine.Stats().LeaseAge; age < time.Minute {
			t.Errorf("its leases are %s old", age)
		}
		s.change(func() { s.away = false })
		w.pass(2 * time.Second)
		must(t, w.engine.Ready())
		if stats := w.engine.Stats(); stats.LeaseAge > 2*time.Second || stats.Nodes != 1 {
			t.Errorf("its leases are %s old then, and there are %d nodes", stats.LeaseAge, stats.Nodes)
		}
		if n := w.engine.Stats().OwnedShards; n != bellwire.Shards {
			t.Errorf("it has %d shards", n)
		}
		if n := len(r.got()); n != 3 {
			t.Fatalf("%d requests were made once there was one", n)
		}
	})
}

// A shard that must move to another node is released once its attempts in flight are recorded, or at once if it has none.
// Nothing more is sent in it.
func TestShardsAreHandedOverWhenQuiet(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		s := leasing(w)
		release := make(chan struct{})
		r := w.receiver("slow", func(_ int, _ http.ResponseWriter, req *http.Request) {
			select {
			case <-release:
			case <-req.Context().Done():
			}
		})
		ep := w.endpoint("slow", func(ep *bellwire.Endpoint) { ep.MaxInFlight = 1 })
		busy := bellwire.ShardOf(ep.ID)
		quiet := (busy + 1) % bellwire.Shards
		w.publish(2)
		w.pass(0)
		s.change(func() { s.surplus = []int{busy, quiet} })
		w.pass(3 * time.Second)
		if got := s.handedOver(); !slices.Equal(got, []int{quiet}) {
			t.Fatalf("while a request is under way in %d, %v are handed over", busy, got)
		}
		close(release)
		w.pass(0)
		if got := s.handedOver(); !slices.Equal(got, []int{quiet, busy}) {
			t.Fatalf("once it has ended %v are handed over", got)
		}
		w.publish(1)
		w.pass(time.Minute)
		if n := len(r.got()); n != 1 {
			t.Errorf("%d requests were made, also for what is another node's", n)
		}
		if counts := w.statuses(ep.ID); counts[bellwire.DeliverySucceeded] != 1 || counts[bellwire.DeliveryPending] != 2 {
			t.Errorf("the deliveries are %v", counts)
		}
	})
}

// changes records the reported changes of shards.
type changes struct {
	bellwire.NopObserver

	mu    sync.Mutex
	notes []string
}

func (c *changes) note(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.notes = append(c.notes, fmt.Sprintf(format, args...))
}

func (c *changes) TookOver(t bellwire.Takeover) { c.note("took %d of %s: %s", t.Shards, t.From, t.Why) }
func (c *changes) HandedOver(shards int)        { c.note("handed over %d", shards) }
func (c *changes) LostShards(shards int)        { c.note("lost %d", shards) }

func (c *changes) since() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	notes := c.notes
	c.notes = nil
	return notes
}

// Whoever watches a node learns when shards come and go.
func TestChangesOfOwnersAreReported(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		seen := new(changes)
		w.config.Observer = seen
		s := leasing(w)
		expect := func(when string, want ...string) {
			t.Helper()
			w.pass(3 * time.Second)
			if got := seen.since(); !slices.Equal(got, want) {
				t.Errorf("%s: %q, want %q", when, got, want)
			}
		}
		expect("a usual renewal")
		s.change(func() { s.taken = []bellwire.Takeover{{Shards: 128, From: "b", Why: bellwire.TakeoverExpired}} })
		expect("another node has died", "took 128 of b: expired")
		s.change(func() { s.surplus = []int{7, 8} })
		expect("another node was added", "handed over 2")
		s.change(func() { s.lost = []int{1, 2, 3} })
		expect("others took this one for dead", "lost 3")
	})
}

// A node whose name another process has owns nothing, and says that it is not ready.
func TestSecondNodeOfANameIsNotReady(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		s := leasing(w)
		s.change(func() { s.nameTaken = true })
		w.pass(10 * time.Second)
		if err := w.engine.Ready(); bellwire.CodeOf(err) != bellwire.CodeUnavailable || w.engine.Stats().OwnedShards != 0 {
			t.Errorf("it has %d shards, and is ready: %v", w.engine.Stats().OwnedShards, err)
		}
		s.change(func() { s.nameTaken = false })
		w.pass(2 * time.Second)
		must(t, w.engine.Ready())
	})
}
