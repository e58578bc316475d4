package engine_test

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire"
)

// leased is a store whose leases have a term, as where there are several nodes.
type leased struct {
	bellwire.Store

	mu      sync.Mutex
	away    bool // nobody can renew
	surplus []int
	handed  []int
}

func (s *leased) RenewLeases(ctx context.Context, node string) (*bellwire.Leases, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return nil, bellwire.Errorf(bellwire.CodeUnavailable, "The database is away.")
	}
	l, err := s.Store.RenewLeases(ctx, node)
	if err != nil {
		return nil, err
	}
	l.Term = 6 * time.Second
	for shard := range l.Epochs {
		if slices.Contains(s.handed, shard) {
			l.Epochs[shard] = 0
		} else if slices.Contains(s.surplus, shard) {
			l.Surplus = append(l.Surplus, shard)
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

// A node that cannot renew its leases sends nothing more before they end, and goes on when it can.
func TestNothingIsSentWithoutLease(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		s := leasing(w)
		r := w.receiver("a", answers(200))
		w.endpoint("a")
		s.change(func() { s.away = true })
		w.pass(5500 * time.Millisecond)
		w.publish(3)
		w.pass(time.Minute)
		if n := len(r.got()); n != 0 {
			t.Fatalf("%d requests were made without a lease", n)
		}
		s.change(func() { s.away = false })
		w.pass(2 * time.Second)
		if n := len(r.got()); n != 3 {
			t.Fatalf("%d requests were made once there was one", n)
		}
	})
}

// A shard that another node is to have is handed over when what is under way in it is recorded, and the others at once;
// nothing more is sent in it.
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
