package rules

import (
	"cmp"
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

// Queue is how many deliveries wait for an endpoint, which a store knows by a number.
type Queue struct {
	Endpoint int64
	Count    int
}

// MostWaiting returns the endpoints for which most deliveries wait, the greatest first, each counted to most. It returns up to twice
// limit, because the store leaves out deleted ones. Each of the functions reads an index that is ordered by endpoint: it counts the
// next so many deliveries to the given endpoint and those with greater numbers, one Queue for each endpoint.
func MostWaiting(most, limit int, indexes []func(from int64, deliveries int) ([]Queue, error)) ([]Queue, error) {
	walks := make([]*walk, len(indexes))
	for i, read := range indexes {
		walks[i] = &walk{read: read, most: most}
		if err := walks[i].fill(); err != nil {
			return nil, err
		}
	}
	var found []Queue
	for {
		next, err := merge(walks)
		if err != nil {
			return nil, err
		}
		if next.Count == 0 {
			return longest(found, 2*limit), nil
		}
		next.Count = min(next.Count, most)
		if found = append(found, next); len(found) >= 4*limit {
			found = longest(found, 2*limit)
		}
	}
}

func longest(queues []Queue, limit int) []Queue {
	slices.SortFunc(queues, func(a, b Queue) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(b.Endpoint, a.Endpoint))
	})
	return queues[:min(len(queues), limit)]
}

// merge returns the first queue of all walks, with what each of them has of it. Its count is 0 if there is no more.
func merge(walks []*walk) (first Queue, err error) {
	for _, w := range walks {
		if len(w.queues) > 0 && (first.Count == 0 || w.queues[0].Endpoint < first.Endpoint) {
			first = Queue{w.queues[0].Endpoint, 1}
		}
	}
	if first.Count == 0 {
		return first, nil
	}
	first.Count = 0
	for _, w := range walks {
		if len(w.queues) == 0 || w.queues[0].Endpoint != first.Endpoint {
			continue
		}
		first.Count += w.queues[0].Count
		w.queues = w.queues[1:]
		if err := w.fill(); err != nil {
			return first, err
		}
	}
	return first, nil
}

// walk goes through an index by many deliveries at a time. An endpoint of which it has counted most is passed over with one step,
// so that the cost depends on endpoints where queues are long, and on deliveries where they are short.
type walk struct {
	read   func(from int64, deliveries int) ([]Queue, error)
	most   int
	from   int64
	ended  bool
	queues []Queue // that are counted
}

// fill counts more queues if none are left.
func (w *walk) fill() (err error) {
	if len(w.queues) > 0 || w.ended {
		return nil
	}
	deliveries := 4 * w.most
	if w.queues, err = w.read(w.from, deliveries); err != nil {
		return err
	}
	for _, q := range w.queues {
		deliveries -= q.Count
	}
	if w.ended = deliveries > 0; w.ended {
		return nil
	}
	last := len(w.queues) - 1
	if w.from = w.queues[last].Endpoint + 1; w.queues[last].Count < w.most { // there may be more of it
		w.from--
		w.queues = w.queues[:last]
	}
	return nil
}
