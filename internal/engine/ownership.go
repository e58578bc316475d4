package engine

import (
	"context"
	"time"

	"github.com/bellwire/bellwire"
)

// scanEvery is how often the store is asked for endpoints with something due. It is a safety net: in the
// normal course the engine knows of everything that becomes due, by its own writes or by a notice.
const scanEvery = time.Minute

// validUntil returns when leases asked for at the given time can no longer be relied on: well before they
// end, by this node's monotonic clock.
func validUntil(l *bellwire.Leases, asked time.Time) time.Time {
	if l.Term == 0 {
		return time.Time{}
	}
	return asked.Add(l.Term * 2 / 3)
}

// scan finds what is due in the shards of this node.
func (e *Engine) scan(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	due, err := e.store.DueEndpoints(ctx, e.scheduler.owned())
	if err != nil {
		return err
	}
	for i := range due {
		due[i].At = e.clock.local(due[i].At)
	}
	e.scheduler.found(due)
	return nil
}

// watch learns what other nodes do, and scans at times.
func (e *Engine) watch(ctx context.Context) {
	e.background.Go(func() {
		for ctx.Err() == nil {
			err := e.store.Watch(ctx, e.noticed)
			if err == nil || ctx.Err() != nil {
				return
			}
			e.observer.StoreFailed("watch other nodes", err)
			sleep(ctx, claimerPause)
		}
	})
	for sleep(ctx, scanEvery) {
		if err := e.scan(ctx); err != nil {
			e.observer.StoreFailed("scan for due deliveries", err)
		}
	}
}

// noticed acts on what another node did.
func (e *Engine) noticed(n bellwire.Notice) {
	if n.Tenant != "" {
		e.directory.ForgetTenant(n.Tenant)
	}
	if n.Configuration {
		e.directory.ForgetCatalogue()
	}
	for _, endpoint := range n.Endpoints {
		e.scheduler.refresh(endpoint)
	}
}

// keepLeases renews the node's leases until ctx ends. When that fails for too long, the scheduler stops
// sending by itself.
func (e *Engine) keepLeases(ctx context.Context, term time.Duration) {
	for sleep(ctx, term/4) {
		asked := time.Now()
		leases, err := e.store.RenewLeases(ctx, e.node)
		if err != nil {
			e.observer.StoreFailed("renew leases", err)
			continue
		}
		if !e.scheduler.own(leases, validUntil(leases, asked)) {
			continue
		}
		if err := e.scan(ctx); err != nil {
			e.observer.StoreFailed("scan for due deliveries", err)
		}
	}
}

// owned returns the leases as they are.
func (s *scheduler) owned() *bellwire.Leases {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.leases
}
