package directory

import (
	"context"
	"sync"
	"time"

	"github.com/bellwire/bellwire"
)

// Bounds on what looking up keys costs that nobody has shown to be good. Anybody can send as many as he likes.
const (
	strangers       = 4               // looked up at the same time
	unknownHolds    = 5 * time.Second // that there is no such key; a key's id is told to nobody before there is the key
	maxRememberKeys = 8_000           // in each half of what is remembered
)

// strangersKeys is a store that looks up few keys at the same time which it has not found before, so that these cannot
// keep others waiting, and those that are not there once in a while only.
type strangersKeys struct {
	bellwire.Configuration
	places chan struct{}

	mu      sync.Mutex
	found   recent
	unknown recent
}

func newStrangersKeys(store bellwire.Configuration) *strangersKeys {
	return &strangersKeys{
		Configuration: store, places: make(chan struct{}, strangers), unknown: recent{holds: unknownHolds},
	}
}

// Key returns a key.
func (s *strangersKeys) Key(ctx context.Context, id bellwire.KeyID) (*bellwire.Key, error) {
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
				Message:    "Too many unknown keys are being tried. Try again shortly.",
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

// recent remembers ids in two halves, and forgets the older half when the younger one is full, or old.
type recent struct {
	holds      time.Duration // zero: for any time
	begun      time.Time
	young, old map[bellwire.KeyID]struct{}
}

func (r *recent) has(id bellwire.KeyID) bool {
	r.turn()
	_, young := r.young[id]
	_, old := r.old[id]
	return young || old
}

func (r *recent) add(id bellwire.KeyID) {
	r.turn()
	r.young[id] = struct{}{}
}

func (r *recent) turn() {
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
