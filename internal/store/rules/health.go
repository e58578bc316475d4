package rules

import (
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Waiting adds up the deliveries that wait for an endpoint, which a store keeps in several indexes. Of each it reads one more
// than Limit.
type Waiting struct {
	Limit  int
	Oldest time.Time // when the oldest of the events was accepted; zero: nothing waits
	count  int
	due    time.Time
}

// Add adds what one index has: how many, and when the first of them is due.
func (w *Waiting) Add(count int, due time.Time) {
	w.count += count
	w.due = bellwire.Earlier(w.due, due)
}

// Health returns the health of the endpoint, whose shard is in the given epoch.
func (w *Waiting) Health(h *bellwire.Health, epoch int64) bellwire.EndpointHealth {
	all := bellwire.EndpointHealth{
		Health: *h, Waiting: min(w.count, w.Limit), WaitingCapped: w.count > w.Limit, OldestWaitingAt: w.Oldest, NextAttemptAt: w.due,
	}
	if h.Epoch != epoch {
		all.BreakerOpen, all.HeldUntil = false, time.Time{} // another process, or another node, sends now
	}
	if !w.due.IsZero() && all.HeldUntil.After(w.due) {
		all.NextAttemptAt = all.HeldUntil
	}
	return all
}

// MostWaiting keeps the endpoints for which most deliveries wait.
type MostWaiting struct {
	Limit int
	found []bellwire.Waiting
}

// Add adds an endpoint. Those for which nothing waits are left out.
func (m *MostWaiting) Add(w bellwire.Waiting) {
	if w.Count == 0 {
		return
	}
	if m.found = append(m.found, w); len(m.found) >= 2*m.Limit {
		m.found = m.Sorted()
	}
}

// Sorted returns them, the one with most first.
func (m *MostWaiting) Sorted() []bellwire.Waiting {
	slices.SortFunc(m.found, bellwire.Waiting.Compare)
	return m.found[:min(len(m.found), m.Limit)]
}
