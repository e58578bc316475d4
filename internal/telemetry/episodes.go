package telemetry

import (
	"sync"
	"time"
)

// episodeGap is how long a fault must be away so that the next one is a new episode.
const episodeGap = 5 * time.Minute

// episodes tells the beginning of a fault from its continuation. There must be few kinds. The zero value is ready for use.
type episodes struct {
	mu   sync.Mutex
	last map[string]time.Time // by kind
}

// begins reports whether a fault at now is the first of an episode.
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
