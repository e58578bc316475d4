package directory

import (
	"context"
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds on the cost of looking up keys and sessions that may not exist. Anybody can invent any number of them.
const (
	unprovenLookups = 4               // at the same time, of ids that were never found
	unknownHolds    = 5 * time.Second // how long a missing id is remembered; nobody can know the id of what is created in the meantime
	maxRemembered   = 8_000           // ids in each generation of recent
)

// Lookups bounds look-ups by ids that callers send before they are authenticated. Ids that were never found are looked up a few at a
// time, so that they do not delay others. Missing ones are not looked up again for a while.
type Lookups[ID comparable] struct {
	kind   string
	places chan struct{}

	mu      sync.Mutex
	found   recent[ID]
	unknown recent[ID]
}

// NewLookups returns Lookups of a kind of thing, such as "key".
func NewLookups[ID comparable](kind string) *Lookups[ID] {
	return &Lookups[ID]{kind: kind, places: make(chan struct{}, unprovenLookups), unknown: recent[ID]{holds: unknownHolds}}
}

// Find calls read, which looks up an id, unless it is known to be missing. An error of read with CodeNotFound says that it is.
func (l *Lookups[ID]) Find(ctx context.Context, id ID, read func() error) error {
	l.mu.Lock()
	found := l.found.has(id)
	l.mu.Unlock()
	return l.find(ctx, id, found, read)
}

// FindUnproven is Find for ids that anybody may know. They are looked up a few at a time even if they were found before.
func (l *Lookups[ID]) FindUnproven(ctx context.Context, id ID, read func() error) error {
	return l.find(ctx, id, false, read)
}

func (l *Lookups[ID]) find(ctx context.Context, id ID, proven bool, read func() error) error {
	l.mu.Lock()
	unknown := l.unknown.has(id)
	l.mu.Unlock()
	switch {
	case unknown:
		return bellwire.Errorf(bellwire.CodeNotFound, "%s does not exist", l.kind)
	case !proven:
		select {
		case l.places <- struct{}{}:
			defer func() { <-l.places }()
		case <-ctx.Done():
			return &bellwire.Error{
				Code:       bellwire.CodeRateLimited,
				Message:    "too many unknown " + l.kind + "s are being tried; try again shortly",
				RetryAfter: time.Second, Err: ctx.Err(),
			}
		}
	}
	err := read()
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil:
		l.found.add(id)
	case bellwire.CodeOf(err) == bellwire.CodeNotFound:
		l.unknown.add(id)
	}
	return err
}

// Forget forgets that an id is missing. It is for things whose id was known before they were made.
func (l *Lookups[ID]) Forget(id ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.unknown.young, id)
	delete(l.unknown.old, id)
}

// keyLookups is a store that bounds look-ups of keys.
type keyLookups struct {
	bellwire.Configuration
	lookups *Lookups[bellwire.KeyID]
}

func newKeyLookups(store bellwire.Configuration) *keyLookups {
	return &keyLookups{store, NewLookups[bellwire.KeyID]("key")}
}

// Key returns a key.
func (s *keyLookups) Key(ctx context.Context, id bellwire.KeyID) (key *bellwire.Key, err error) {
	err = s.lookups.Find(ctx, id, func() error {
		key, err = s.Configuration.Key(ctx, id)
		return err
	})
	return key, err
}

// recent remembers ids in two generations. When the young one is full or too old, it replaces the old one.
type recent[ID comparable] struct {
	holds      time.Duration // zero means any time
	begun      time.Time
	young, old map[ID]struct{}
}

func (r *recent[ID]) has(id ID) bool {
	r.rotate()
	_, young := r.young[id]
	_, old := r.old[id]
	return young || old
}

func (r *recent[ID]) add(id ID) {
	r.rotate()
	r.young[id] = struct{}{}
}

// rotate starts a new generation if it is time.
func (r *recent[ID]) rotate() {
	age := time.Since(r.begun)
	switch {
	case r.young != nil && len(r.young) < maxRemembered && (r.holds == 0 || age < r.holds):
		return
	case r.holds > 0 && age >= 2*r.holds:
		r.old = nil
	default:
		r.old = r.young
	}
	r.young, r.begun = make(map[ID]struct{}), time.Now()
}
