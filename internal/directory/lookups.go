package directory

import (
	"context"
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Bounds on the cost of looking up keys and sessions that may not exist. Anybody can invent any number of them.
const (
	unprovenLookups = 4     // at the same time, of ids that were never found
	maxRemembered   = 8_000 // ids in each generation of recent
)

// Lookups bounds look-ups by ids that callers send before they are authenticated. Ids that were never found are looked up a few at a
// time, so that they do not delay others. That an id is missing is not remembered: another node may create it at any moment.
type Lookups[ID comparable] struct {
	kind   string
	places chan struct{}

	mu    sync.Mutex
	found recent[ID]
}

// NewLookups returns Lookups of a kind of thing, such as "key".
func NewLookups[ID comparable](kind string) *Lookups[ID] {
	return &Lookups[ID]{kind: kind, places: make(chan struct{}, unprovenLookups)}
}

// Find calls read, which looks up an id.
func (l *Lookups[ID]) Find(ctx context.Context, id ID, read func() error) error {
	if l.wasFound(id) {
		err := read()
		if bellwire.CodeOf(err) == bellwire.CodeNotFound { // from now on it is like any id that somebody invents
			l.forget(id)
		}
		return err
	}
	err := l.FindUnproven(ctx, read)
	if err == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.found.add(id)
	}
	return err
}

func (l *Lookups[ID]) wasFound(id ID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.found.has(id)
}

func (l *Lookups[ID]) forget(id ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.found.remove(id)
}

// FindUnproven is Find for ids that anybody may know. They are looked up a few at a time even if they were found before.
func (l *Lookups[ID]) FindUnproven(ctx context.Context, read func() error) error {
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
	return read()
}

// recent remembers ids in two generations. When the young one is full, it replaces the old one.
type recent[ID comparable] struct{ young, old map[ID]struct{} }

func (r *recent[ID]) has(id ID) bool {
	_, young := r.young[id]
	_, old := r.old[id]
	return young || old
}

func (r *recent[ID]) add(id ID) {
	if r.young == nil || len(r.young) >= maxRemembered {
		r.young, r.old = make(map[ID]struct{}), r.young
	}
	r.young[id] = struct{}{}
}

func (r *recent[ID]) remove(id ID) {
	delete(r.young, id)
	delete(r.old, id)
}
