package telemetry

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// sampler bounds the rate of log records, and counts those that are left out.
type sampler struct {
	limiter *rate.Limiter

	mu      sync.Mutex
	omitted int
}

// allow reports whether a record may be written, and how many were left out before it.
func (s *sampler) allow(now time.Time) (omitted int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.limiter.AllowN(now, 1) {
		s.omitted++
		return 0, false
	}
	omitted, s.omitted = s.omitted, 0
	return omitted, true
}
