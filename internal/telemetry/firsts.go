package telemetry

import (
	"sync"
	"time"
)

// What firsts remember: how much, and for how long.
const (
	maxFirsts      = 1000
	firstsInterval = time.Hour
)

// firsts finds the first event of each kind within an hour. After maxFirsts kinds it finds no more until the hour is over.
// The zero value is ready for use.
type firsts struct {
	mu    sync.Mutex
	since time.Time
	seen  map[string]struct{}
}

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
