package telemetry

import (
	"log/slog"
	"sync"
	"time"
)

// authenticationLogInterval is the least time between two log records of failed authentication: keys are guessed thousands
// of times a second. The metric counts them all.
const authenticationLogInterval = 10 * time.Second

// AuthenticationFailed counts a request that was refused for its credentials, and logs one now and then with how many there
// were since. It is never given the credentials.
func (o *Observer) AuthenticationFailed(frontEnd, reason, from string) {
	o.metrics.authentication.WithLabelValues(frontEnd, reason).Inc()
	if n := o.refused.due(time.Now()); n > 0 {
		o.log.Warn("authentication failed", slog.String("front_end", frontEnd), slog.String("reason", reason),
			slog.String("from", from), slog.Int("since_last", n))
	}
}

// tally counts events that are too frequent to be logged one by one.
type tally struct {
	interval time.Duration

	mu    sync.Mutex
	next  time.Time
	count int
}

// due counts one event. It returns how many there were since it last returned a number, or 0 if that was less than the
// interval ago.
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
