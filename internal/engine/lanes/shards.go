package lanes

import (
	"maps"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// ownership holds the shards that a node sends for, and until when.
type ownership struct {
	leases     *bellwire.Leases // without the shards to be handed over
	validUntil time.Time        // when the leases may have been lost; zero: never
}

// valid reports whether the leases can be relied on.
func (o *ownership) valid(now time.Time) bool {
	return o.validUntil.IsZero() || now.Before(o.validUntil)
}

// count returns how many shards the node holds at now, or 0 if its leases have lapsed.
func (o *ownership) count(now time.Time) (shards int) {
	if !o.valid(now) {
		return 0
	}
	for _, epoch := range o.leases.Epochs {
		if epoch != 0 {
			shards++
		}
	}
	return shards
}

// Owns reports whether this node still owns an endpoint in an epoch. It takes no lock, because it is called at the last moment
// before each request.
func (s *Scheduler) Owns(endpoint string, epoch int64) bool {
	o := s.ownership.Load()
	return o.leases.Epoch(endpoint) == epoch && o.valid(time.Now())
}

// Leases returns the leases, without the shards that are to be handed over.
func (s *Scheduler) Leases() *bellwire.Leases { return s.ownership.Load().leases }

// SetLeases replaces the leases. It drops the lanes of lost shards with what is in them: the epoch of the new owner has freed
// those deliveries. It also drops the lanes of shards to be handed over, which are not used again in this epoch.
func (s *Scheduler) SetLeases(leases *bellwire.Leases, validUntil time.Time) (gained bool, lost int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, shard := range leases.ToRelease {
		s.toRelease[shard] = leases.Epochs[shard]
	}
	current, before := *leases, s.Leases()
	for shard, epoch := range leases.Epochs {
		if s.toRelease[shard] == epoch {
			current.Epochs[shard] = 0
		} else {
			s.toRelease[shard] = 0
		}
		gained = gained || current.Epochs[shard] != 0 && current.Epochs[shard] != before.Epochs[shard]
		if before.Epochs[shard] != 0 && epoch == 0 {
			lost++
		}
	}
	s.ownership.Store(&ownership{&current, validUntil})
	for _, l := range s.lanes {
		if before.Epochs[l.shard] != current.Epochs[l.shard] {
			s.drop(l)
		}
	}
	if before.Epochs != current.Epochs {
		maps.DeleteFunc(s.records, func(endpoint string, _ record) bool {
			shard := bellwire.ShardOf(endpoint)
			return before.Epochs[shard] != current.Epochs[shard]
		})
	}
	s.dispatch(time.Now())
	return gained, lost
}

// Drain stops all sending and releases what is queued. If the node has leases that end, all of its shards are to be handed
// over.
func (s *Scheduler) Drain() {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = true
	for _, l := range s.lanes {
		s.evict(l, now)
		s.evictManual(l)
	}
	if s.Leases().Term > 0 {
		s.releaseShards()
	}
}

func (s *Scheduler) releaseShards() {
	o := s.ownership.Load()
	for shard, epoch := range o.leases.Epochs {
		if epoch != 0 {
			s.toRelease[shard] = epoch
		}
	}
	s.ownership.Store(&ownership{&bellwire.Leases{Term: o.leases.Term}, o.validUntil})
	poke(s.shardsIdle)
}

// Idle returns the shards that are to be handed over and in which nothing is pending, and reports whether the node drains.
func (s *Scheduler) Idle() (shards []int, draining bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for shard, epoch := range s.toRelease {
		if epoch != 0 && s.pending[shard] == 0 {
			shards = append(shards, shard)
		}
	}
	return shards, s.draining
}

// ShardsIdle signals that Idle has more shards.
func (s *Scheduler) ShardsIdle() <-chan struct{} { return s.shardsIdle }

// HandedOver records that shards were handed over.
func (s *Scheduler) HandedOver(shards []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, shard := range shards {
		s.toRelease[shard] = 0
	}
}

// addPending and donePending count what is pending in a lane's shard: places for what is being stored, attempts, and results
// that are not in the store yet.
func (s *Scheduler) addPending(l *lane) { s.pending[l.shard]++ }

func (s *Scheduler) donePending(l *lane) {
	if s.pending[l.shard]--; s.pending[l.shard] == 0 && s.toRelease[l.shard] != 0 {
		poke(s.shardsIdle)
	}
}
