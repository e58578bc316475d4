package directory

import (
	"context"
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds on the cost of looking up keys that may not exist. Anybody can invent any number of them.
const (
	unprovenLookups = 4               // at the same time, of keys that were never found
	unknownHolds    = 5 * time.Second // how long a missing key is remembered; nobody can know the id of a key that is created in the meantime
	maxRememberKeys = 8_000           // in each generation of recent
)

// keyLookups is a store that bounds look-ups of keys. Keys that were never found are looked up a few at a time, so that they do not
// delay others. Missing keys are not looked up again for a while.
type keyLookups struct {
	bellwire.Configuration
	places chan struct{}

	mu      sync.Mutex
	found   recent
	unknown recent
}

func newKeyLookups(store bellwire.Configuration) *keyLookups {
	return &keyLookups{
		Configuration: store, places: make(chan struct{}, unprovenLookups), unknown: recent{holds: unknownHolds},
	}
}

// Key returns a key.
func (s *keyLookups) Key(ctx context.Context, id bellwire.KeyID) (*bellwire.Key, error) {
	s.mu.Lock()
	found, unknown := s.found.has(id), s.unknown.has(id)
	s.mu.Unlock()
	switch {
	case unknown:
		return nil, bellwire.NotFound("key", id.String())
	case !found:
		select {
		case s.places <- struct{}{}:
			defer func() { <-s.places }()
		case <-ctx.Done():
			return nil, &bellwire.Error{
				Code:       bellwire.CodeRateLimited,
				Message:    "too many unknown keys are being tried; try again shortly",
				RetryAfter: time.Second, Err: ctx.Err(),
			}
		}
	}
	key, err := s.Configuration.Key(ctx, id)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		s.found.add(id)
	case bellwire.CodeOf(err) == bellwire.CodeNotFound:
		s.unknown.add(id)
	}
	return key, err
}

// recent remembers ids in two generations. When the young one is full or too old, it replaces the old one.
type recent struct {
	holds      time.Duration // zero means any time
	begun      time.Time
	young, old map[bellwire.KeyID]struct{}
}

func (r *recent) has(id bellwire.KeyID) bool {
	r.rotate()
	_, young := r.young[id]
	_, old := r.old[id]
	return young || old
}

func (r *recent) add(id bellwire.KeyID) {
	r.rotate()
	r.young[id] = struct{}{}
}

// rotate starts a new generation if it is time.
func (r *recent) rotate() {
	age := time.Since(r.begun)
	switch {
	case r.young != nil && len(r.young) < maxRememberKeys && (r.holds == 0 || age < r.holds):
		return
	case r.holds > 0 && age >= 2*r.holds:
		r.old = nil
	default:
		r.old = r.young
	}
	r.young, r.begun = make(map[bellwire.KeyID]struct{}), time.Now()
}
