package engine

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine/lanes"
)

// leaseKeeper keeps this node's leases on shards.
type leaseKeeper struct {
	store     Store
	scheduler *lanes.Scheduler
	scanner   *scanner
	forwarder *forwarder
	observer  bellwire.Observer
	node      string        // the name of this node in the store
	changed   chan struct{} // capacity 1: other nodes changed leases

	renewed atomic.Pointer[time.Time] // time of the last renewal
}

// validUntil returns when leases requested at the given time can no longer be relied on: well before they end, by this node's
// monotonic clock.
func validUntil(l *bellwire.Leases, asked time.Time) time.Time {
	if l.Term == 0 {
		return time.Time{}
	}
	return asked.Add(l.Term * 2 / 3)
}

// begin acquires leases for the first time.
func (k *leaseKeeper) begin(ctx context.Context) error {
	asked := time.Now()
	leases, err := k.store.RenewLeases(ctx, k.node)
	if err != nil {
		return err
	}
	k.set(leases, asked)
	return nil
}

// run renews the node's leases until ctx ends, also while the engine drains, and hands over shards that other nodes are to have.
// If renewing fails for too long, the scheduler stops sending by itself.
func (k *leaseKeeper) run(ctx context.Context) {
	term := k.scheduler.Leases().Term
	if term == 0 {
		return // the store has one node, and its leases do not end
	}
	timer := time.NewTicker(term / 4)
	defer timer.Stop()
	var gained time.Time
	for {
		select {
		case <-timer.C:
			gained = k.renew(ctx, term, gained)
		case <-k.changed:
			gained = k.renew(ctx, term, gained)
		case <-k.scheduler.ShardsIdle():
		case <-ctx.Done():
			return
		}
		k.handOver(ctx, term)
	}
}

// renew renews the leases once. It takes and returns when the node last gained a shard: for a while after that, what the
// previous owner stored can still come to light without a notification.
func (k *leaseKeeper) renew(ctx context.Context, term time.Duration, gained time.Time) time.Time {
	asked := time.Now()
	renewing, cancel := context.WithTimeout(ctx, term/2) // a renewal that hangs must leave time for another
	leases, err := k.store.RenewLeases(renewing, k.node)
	cancel()
	if bellwire.CodeOf(err) == bellwire.CodeConflict {
		if _, lost := k.scheduler.SetLeases(&bellwire.Leases{Term: term}, asked); lost > 0 {
			k.observer.LostShards(lost)
		}
	}
	if err != nil {
		reportStore(ctx, k.observer, "renew leases", err)
		return gained
	}
	if k.set(leases, asked) {
		gained = asked
	}
	if asked.Sub(gained) < storeTimeout {
		k.scanner.tryScan(ctx)
	}
	return gained
}

// set takes over leases that were requested at the given time, and reports whether they include shards that this node did not
// have.
func (k *leaseKeeper) set(leases *bellwire.Leases, asked time.Time) (gained bool) {
	k.renewed.Store(&asked) // before there are leases, which makes age read it
	gained, lost := k.scheduler.SetLeases(leases, validUntil(leases, asked))
	k.forwarder.setLeases(leases)
	for _, t := range leases.Acquired {
		k.observer.TookOver(t)
	}
	if lost > 0 {
		k.observer.LostShards(lost)
	}
	return gained
}

// lapsed returns the term of the leases if they have not been renewed within it, else 0.
func (k *leaseKeeper) lapsed() time.Duration {
	if term := k.scheduler.Leases().Term; k.age() > term {
		return term
	}
	return 0
}

// age returns how long ago the leases were renewed; 0 if they do not end.
func (k *leaseKeeper) age() time.Duration {
	if k.scheduler.Leases().Term == 0 {
		return 0
	}
	return time.Since(*k.renewed.Load())
}

// handOver hands over the shards that other nodes are to have and in which nothing is pending here.
func (k *leaseKeeper) handOver(ctx context.Context, term time.Duration) {
	shards, draining := k.scheduler.Idle()
	if len(shards) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, term/2)
	defer cancel()
	if err := k.store.HandOver(ctx, k.node, shards, draining); err != nil {
		if !errors.Is(ctx.Err(), context.Canceled) {
			k.observer.StoreFailed("hand shards over", err)
		}
		return // it is tried again after the next renewal, or when another shard is idle
	}
	k.scheduler.HandedOver(shards)
	k.observer.HandedOver(len(shards))
}

// end releases the leases.
func (k *leaseKeeper) end(ctx context.Context) error {
	err := k.store.ReleaseLeases(ctx, k.node)
	if bellwire.CodeOf(err) == bellwire.CodeUnavailable && ctx.Err() == nil {
		err = k.store.ReleaseLeases(ctx, k.node) // a broken connection is noticed when it is used
	}
	return err
}
