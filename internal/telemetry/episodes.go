package telemetry

import (
	"sync"
	"time"
)

// episodeGap is the time without a fault after which the next one begins a new episode.
const episodeGap = 5 * time.Minute

// episodes distinguishes the beginning of a fault from its continuation. It keeps every kind, so there must be few. The zero
// value is ready for use.
type episodes struct {
	mu   sync.Mutex
	last map[string]time.Time // by kind
}

// begins records a fault, and reports whether it begins an episode.
func (e *episodes) begins(now time.Time, kind string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	last, known := e.last[kind]
	if e.last == nil {
		e.last = make(map[string]time.Time)
	}
	e.last[kind] = now
	return !known || now.Sub(last) >= episodeGap
}
