package directory

import (
	"context"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/filter"
	"github.com/bellwire/bellwire/internal/limits"
)

// siftBytes is how much data Sift reads, beside the last event.
const siftBytes = 4 << 20

// JobFilter implements bellwire.Subscriptions.
func (t *Tenant) JobFilter(text string) (bellwire.JobFilter, error) {
	if text == "" {
		return nil, nil
	}
	program, _, err := t.directory.programs.get(text)
	if err != nil {
		return nil, err
	}
	return func(e *bellwire.Event) (takes bool, steps int) {
		evaluation := filter.Begin(e)
		defer evaluation.End()
		matched, err := evaluation.Match(program)
		return err == nil && matched, evaluation.Steps()
	}, nil
}

// Sift implements bellwire.Subscriptions.
func (t *Tenant) Sift(ctx context.Context, s bellwire.Sieve, found *bellwire.Selected) (skipped int, err error) {
	asks := s.Missing && s.Endpoint.Filter != ""
	if s.Filter == nil && !asks && s.Outcome == "" {
		return 0, nil
	}
	last, err := lastAttempts(ctx, &s, found)
	if err != nil {
		return 0, err
	}
	var kept []bellwire.JobItem
	bytes, steps := 0, 0
	for i, item := range found.Items {
		if bytes >= siftBytes || steps >= limits.FilterTurnSteps {
			found.Last, found.More = found.Items[i-1].Event, true
			break
		}
		if s.Outcome != "" && last[item.Delivery].Outcome != s.Outcome {
			skipped++
			continue
		}
		asksEndpoint := asks && item.Delivery.IsZero()
		if s.Filter == nil && !asksEndpoint {
			kept = append(kept, item)
			continue
		}
		e, err := s.Event(ctx, t.ID, item.Event)
		if bellwire.CodeOf(err) == bellwire.CodeNotFound || err == nil && e.Erased != nil {
			skipped++
			continue
		}
		if err != nil {
			return 0, err
		}
		bytes += len(e.Data)
		takes := true
		if s.Filter != nil {
			var spent int
			takes, spent = s.Filter(e)
			steps += spent
		}
		if takes && asksEndpoint {
			if takes, err = t.Gets(ctx, s.Endpoint.ID, e, s.Observer); err != nil {
				return 0, err
			}
		}
		if !takes {
			skipped++
			continue
		}
		kept = append(kept, item)
	}
	found.Items = kept
	return skipped, nil
}

// lastAttempts returns the results of the newest attempts of what was found, if a job selects by them.
func lastAttempts(ctx context.Context, s *bellwire.Sieve, found *bellwire.Selected) (map[bellwire.DeliveryID]bellwire.AttemptResult, error) {
	if s.Outcome == "" {
		return nil, nil
	}
	ids := make([]bellwire.DeliveryID, len(found.Items))
	for i, item := range found.Items {
		ids[i] = item.Delivery
	}
	return s.Attempts(ctx, ids)
}
