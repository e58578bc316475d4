package engine

import (
	"context"
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine/lanes"
)

// expiryPause is the least pause between two looks: another transaction may hold what has expired.
const expiryPause = 20 * time.Millisecond

// expirer ends deliveries whose events have expired, whatever they wait for. It knows when the next one expires of those that the
// store has and of those that this node publishes, and looks once in lanes.ScanInterval for those of other nodes. All nodes try.
type expirer struct {
	store     Store
	scheduler *lanes.Scheduler
	observer  bellwire.Observer
	clock     clock
	wake      chan struct{} // capacity 1

	mu   sync.Mutex
	next time.Time // when the next delivery expires, by the clock; zero: it is not known that any does
}

// published records that an event that expires at the given time was stored.
func (x *expirer) published(at time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.next.IsZero() || at.Before(x.next) {
		x.next = at
		poke(x.wake)
	}
}

// run ends what expires until ctx ends.
func (x *expirer) run(ctx context.Context) {
	for {
		if err := x.expire(ctx); err != nil {
			reportStore(ctx, x.observer, "end expired deliveries", err)
			if !sleep(ctx, storePause) {
				return
			}
			continue
		}
		if !x.pause(ctx) {
			return
		}
	}
}

// pause waits until something expires or the store must be asked again, and reports whether ctx let it.
func (x *expirer) pause(ctx context.Context) bool {
	for {
		x.mu.Lock()
		wait := lanes.ScanInterval
		if !x.next.IsZero() {
			wait = min(wait, max(x.next.Sub(x.clock()), expiryPause))
		}
		x.mu.Unlock()
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
			return true
		case <-x.wake:
			timer.Stop() // something expires earlier
		case <-ctx.Done():
			timer.Stop()
			return false
		}
	}
}

// expire ends what has expired.
func (x *expirer) expire(ctx context.Context) error {
	for more := true; more; {
		x.mu.Lock()
		x.next = time.Time{} // what is published from here on sets it again
		x.mu.Unlock()
		ended, err := x.step(ctx)
		if err != nil {
			return err
		}
		x.follow(ended)
		x.report(ended.Deliveries)
		more = ended.More
	}
	return nil
}

func (x *expirer) step(ctx context.Context) (*bellwire.EndedExpired, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return x.store.EndExpired(ctx, x.clock.now(), cancelChunk)
}

// follow drops what was ended from the lanes, and lets what waited behind it proceed.
func (x *expirer) follow(ended *bellwire.EndedExpired) {
	endpoints := make(map[string]bool)
	for _, d := range ended.Deliveries {
		x.scheduler.Forget(d.Endpoint, d.ID)
		endpoints[d.Endpoint] = true
	}
	for endpoint := range endpoints {
		x.scheduler.Wake(endpoint)
	}
	if !ended.Next.IsZero() {
		x.published(ended.Next)
	}
}

// report tells the observer of deliveries that have ended.
func (x *expirer) report(ended []bellwire.ExpiredDelivery) {
	now := x.clock.now()
	of := make(map[string][]bellwire.ExpiredDelivery) // by endpoint
	for _, d := range ended {
		of[d.Endpoint] = append(of[d.Endpoint], d)
	}
	for _, deliveries := range of {
		first := deliveries[0]
		ep := &bellwire.Endpoint{ID: first.Endpoint, Tenant: first.Tenant, Dialect: first.Dialect}
		for _, d := range deliveries {
			x.observer.Ended(ep, bellwire.DeliveryCanceled, max(now.Sub(d.Began), 0), nil) // the clock may have been set back
		}
		x.observer.EventsExpired(ep, len(deliveries))
	}
}
