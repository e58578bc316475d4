package telemetry

import (
	"sync"
	"time"
)

// Bounds of what firsts remembers.
const (
	maxFirsts      = 1000
	firstsInterval = time.Hour
)

// firsts finds the first event of each kind in an hour. After maxFirsts kinds it ignores further ones until the hour is over.
// The zero value is ready for use.
type firsts struct {
	mu    sync.Mutex
	since time.Time
	seen  map[string]struct{}
}

// first reports whether an event is the first of its kind.
func (f *firsts) first(now time.Time, kind string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now.Sub(f.since) >= firstsInterval {
		f.since, f.seen = now, make(map[string]struct{})
	}
	if _, known := f.seen[kind]; known || len(f.seen) >= maxFirsts {
		return false
	}
	f.seen[kind] = struct{}{}
	return true
}
