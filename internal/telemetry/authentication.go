package telemetry

import (
	"log/slog"
	"sync"
	"time"
)

// authenticationLogInterval is the minimum time between two log records about failed authentication. Keys may be guessed
// thousands of times a second; the metric counts them all.
const authenticationLogInterval = 10 * time.Second

// AuthenticationFailed counts a request with wrong credentials. It logs one in authenticationLogInterval, with the number
// since the last one. It never receives the credentials.
func (o *Observer) AuthenticationFailed(frontEnd, reason, from string) {
	o.metrics.authentication.WithLabelValues(frontEnd, reason).Inc()
	if n := o.refused.due(time.Now()); n > 0 {
		o.log.Warn("authentication failed", slog.String("front_end", frontEnd), slog.String("reason", reason),
			slog.String("from", from), slog.Int("since_last", n))
	}
}

// tally counts events that are too frequent to log one by one.
type tally struct {
	interval time.Duration

	mu    sync.Mutex
	next  time.Time
	count int
}

// due counts one event. It returns the number of events since it last returned one, or 0 if that was less than the interval
// ago.
func (t *tally) due(now time.Time) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count++
	if now.Before(t.next) {
		return 0
	}
	n := t.count
	t.count, t.next = 0, now.Add(t.interval)
	return n
}
