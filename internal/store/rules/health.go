package rules

import (
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Waiting adds up the deliveries that wait for an endpoint, which a store keeps in several indexes. Of each it reads one more
// than Limit.
type Waiting struct {
	Limit  int
	count  int
	oldest time.Time
	due    time.Time
}

// Add adds what one index has: how many, when the first of their events was accepted, and when the first of them is due.
func (w *Waiting) Add(count int, oldest, due time.Time) {
	w.count += count
	w.oldest, w.due = bellwire.Earlier(w.oldest, oldest), bellwire.Earlier(w.due, due)
}

// Health returns the health of the endpoint, whose shard is in the given epoch.
func (w *Waiting) Health(h *bellwire.Health, epoch int64) bellwire.EndpointHealth {
	all := bellwire.EndpointHealth{
		Health: *h, Waiting: min(w.count, w.Limit), WaitingCapped: w.count > w.Limit, OldestWaitingAt: w.oldest, NextAttemptAt: w.due,
	}
	if h.Epoch != epoch {
		all.BreakerOpen, all.HeldUntil = false, time.Time{} // another process, or another node, sends now
	}
	if !w.due.IsZero() && all.HeldUntil.After(w.due) {
		all.NextAttemptAt = all.HeldUntil
	}
	return all
}
