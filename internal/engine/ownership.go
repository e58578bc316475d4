package engine

import (
	"context"
	"errors"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
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

// failed reports that the store failed, unless that was because the engine is being closed.
func (e *Engine) failed(ctx context.Context, operation string, err error) {
	if ctx.Err() == nil {
		e.observer.StoreFailed(operation, err)
	}
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
	timer := time.NewTicker(scanEvery)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-e.missed:
		case <-ctx.Done():
			return
		}
		if err := e.scan(ctx); err != nil {
			e.failed(ctx, "scan for due deliveries", err)
		}
	}
}

// noticed acts on what another node did.
func (e *Engine) noticed(n bellwire.Notification) {
	if n.Tenant != "" {
		e.directory.ForgetTenant(n.Tenant)
	}
	if n.Configuration {
		e.directory.ForgetCatalogue()
	}
	if n.Leases || n.Missed {
		poke(e.leasesChanged)
	}
	if n.Missed {
		poke(e.missed)
	}
	if (n.Unmatched || n.Missed) && e.matcher != nil {
		poke(e.matcher.wake)
	}
	if n.FanOut || n.Missed {
		poke(e.fanOut.wake)
	}
	for _, endpoint := range n.Endpoints {
		e.scheduler.refresh(endpoint)
	}
}

// keepLeases renews the node's leases until ctx ends, also while the engine drains, and hands over shards that
// another node is to have. When renewing fails for too long, the scheduler stops sending by itself.
func (e *Engine) keepLeases(ctx context.Context, term time.Duration) {
	timer := time.NewTicker(term / 4)
	defer timer.Stop()
	var gained time.Time
	for {
		select {
		case <-timer.C:
			gained = e.renew(ctx, term, gained)
		case <-e.leasesChanged:
			gained = e.renew(ctx, term, gained)
		case <-e.scheduler.quieted:
		case <-ctx.Done():
			return
		}
		e.handOver(ctx, term)
	}
}

// renew renews the leases once. It takes and returns when the node last gained a shard: for a while from then on what
// the owner before stored can still come to light, without notice.
func (e *Engine) renew(ctx context.Context, term time.Duration, gained time.Time) time.Time {
	asked := time.Now()
	renewing, cancel := context.WithTimeout(ctx, term/2) // one that hangs must leave time for another
	leases, err := e.store.RenewLeases(renewing, e.node)
	cancel()
	if bellwire.CodeOf(err) == bellwire.CodeConflict {
		e.scheduler.own(&bellwire.Leases{Term: term}, asked)
	}
	if err != nil {
		e.failed(ctx, "renew leases", err)
		return gained
	}
	if e.own(leases, asked) {
		gained = asked
	}
	if asked.Sub(gained) < storeTimeout {
		if err := e.scan(ctx); err != nil {
			e.failed(ctx, "scan for due deliveries", err)
		}
	}
	return gained
}

// own takes over leases that were asked for at the given time, and reports whether there are shards among them that this
// node did not have.
func (e *Engine) own(leases *bellwire.Leases, asked time.Time) (gained bool) {
	e.renewed.Store(&asked) // first: Ready reads it once there are leases
	gained, lost := e.scheduler.own(leases, validUntil(leases, asked))
	for _, t := range leases.Taken {
		e.observer.TookOver(t)
	}
	if lost > 0 {
		e.observer.Lost(lost)
	}
	return gained
}

// handOver gives away the shards that another node is to have and in which nothing is under way here.
func (e *Engine) handOver(ctx context.Context, term time.Duration) {
	shards, leaving := e.scheduler.quiet()
	if len(shards) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, term/2)
	defer cancel()
	if err := e.store.HandOver(ctx, e.node, shards, leaving); err != nil {
		if !errors.Is(ctx.Err(), context.Canceled) {
			e.observer.StoreFailed("hand shards over", err)
		}
		return // with the next renewal, or when another one is quiet
	}
	e.scheduler.handedOver(shards)
	e.observer.HandedOver(len(shards))
}

// ownership is the shards that a node sends for, and until when.
type ownership struct {
	leases     *bellwire.Leases
	validUntil time.Time // when the leases may have been lost; zero: never
}

// lasts tells whether the leases can be relied on.
func (o *ownership) lasts(now time.Time) bool {
	return o.validUntil.IsZero() || now.Before(o.validUntil)
}

// count returns how many shards the node holds at now, 0 if its leases have lapsed.
func (o *ownership) count(now time.Time) (shards int) {
	if !o.lasts(now) {
		return 0
	}
	for _, epoch := range o.leases.Epochs {
		if epoch != 0 {
			shards++
		}
	}
	return shards
}

// mine tells whether this node owns an endpoint in an epoch still. It takes no lock, because it is asked at the last
// moment before each request.
func (s *scheduler) mine(endpoint string, epoch int64) bool {
	o := s.ownership.Load()
	return o.leases.Epoch(endpoint) == epoch && o.lasts(time.Now())
}

// owned returns the leases as they are, without the shards that are to be handed over.
func (s *scheduler) owned() *bellwire.Leases { return s.ownership.Load().leases }

// own takes over new leases. Lanes of shards that were lost are dropped as they are: their new owner's
// epoch has freed what was in them. So are those of shards to be handed over, which are not used again in this epoch.
func (s *scheduler) own(leases *bellwire.Leases, validUntil time.Time) (gained bool, lost int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, shard := range leases.Surplus {
		s.leaving[shard] = leases.Epochs[shard]
	}
	now, before := *leases, s.owned()
	for shard, epoch := range leases.Epochs {
		if s.leaving[shard] == epoch {
			now.Epochs[shard] = 0
		} else {
			s.leaving[shard] = 0
		}
		gained = gained || now.Epochs[shard] != 0 && now.Epochs[shard] != before.Epochs[shard]
		if before.Epochs[shard] != 0 && epoch == 0 {
			lost++
		}
	}
	s.ownership.Store(&ownership{&now, validUntil})
	for _, l := range s.lanes {
		if before.Epochs[l.shard] != now.Epochs[l.shard] {
			s.drop(l)
		}
	}
	s.dispatch(time.Now())
	return gained, lost
}

// surrender has all shards handed over.
func (s *scheduler) surrender() {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.ownership.Load()
	for shard, epoch := range o.leases.Epochs {
		if epoch != 0 {
			s.leaving[shard] = epoch
		}
	}
	s.ownership.Store(&ownership{&bellwire.Leases{Term: o.leases.Term}, o.validUntil})
	poke(s.quieted)
}

// quiet returns the shards that are to be handed over and in which nothing is under way, and whether that is because
// the node drains.
func (s *scheduler) quiet() (shards []int, leaving bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for shard, epoch := range s.leaving {
		if epoch != 0 && s.underWay[shard] == 0 {
			shards = append(shards, shard)
		}
	}
	return shards, s.draining
}

// handedOver takes note that shards are given away.
func (s *scheduler) handedOver(shards []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, shard := range shards {
		s.leaving[shard] = 0
	}
}

// begun and over count what is under way in a lane's shard: places for what is being stored, attempts, and results that
// are not in the store yet.
func (s *scheduler) begun(l *lane) { s.underWay[l.shard]++ }

func (s *scheduler) over(l *lane) {
	if s.underWay[l.shard]--; s.underWay[l.shard] == 0 && s.leaving[l.shard] != 0 {
		poke(s.quieted)
	}
}
