package service

import (
	"context"
	"encoding/json"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// enableMargin is how long after the decision to enable an endpoint events may still be accepted that it does not get. The replay
// looks at them too; it passes over those that the endpoint gets.
const enableMargin = time.Minute

// updateAndReplay stores a change that enables an endpoint, together with the replay of what it has missed. before is the
// endpoint without the change.
func (s *Service) updateAndReplay(ctx context.Context, c Caller, before, ep *bellwire.Endpoint, note bellwire.ChangeNote) (*bellwire.Job, error) {
	ctx, end, err := s.beginRead(ctx, c, Change, ep.Tenant)
	if err != nil {
		return nil, err
	}
	defer end()
	j, _, err := s.replayMissed(ctx, before, ep)
	if err != nil {
		return nil, err
	}
	bounds, err := s.jobBounds(ctx, ep.Tenant)
	if err != nil {
		return nil, err
	}
	ctx = s.auditChange(ctx, c, "endpoint.update", ep, note, j.ID)
	return j, s.store.UpdateEndpointWithJob(ctx, ep, note, j, bounds)
}

// replayMissed returns the replay of what an endpoint has missed, with its total, and when the endpoint was paused or disabled: zero
// if it is enabled. before is the endpoint without the change that enables it.
func (s *Service) replayMissed(ctx context.Context, before, ep *bellwire.Endpoint) (j *bellwire.Job, stopped time.Time, err error) {
	j = newJob(ep.Tenant, bellwire.JobReplay, ep.ID)
	if j.Params.Since, stopped, err = s.missedSince(ctx, before); err != nil {
		return nil, stopped, err
	}
	j.Params.Until = j.Params.Until.Add(enableMargin)
	j.Params.Choose(j.Kind, bellwire.SelectMissed)
	return j, stopped, s.count(ctx, j, ep)
}

// Missed is what an endpoint has missed.
type Missed struct {
	JobCount
	Since     time.Time
	StoppedAt time.Time // when it was paused or disabled; zero: it is enabled
}

// CountMissed counts what the replay would be about that UpdateEndpoint can begin as it enables the endpoint.
func (s *Service) CountMissed(ctx context.Context, c Caller, tenant, id string) (*Missed, error) {
	ctx, end, err := s.beginRead(ctx, c, Redeliver, tenant)
	if err != nil {
		return nil, err
	}
	defer end()
	ep, err := s.endpoint(ctx, tenant, id)
	if err != nil {
		return nil, err
	}
	j, stopped, err := s.replayMissed(ctx, ep, ep)
	if err != nil {
		return nil, err
	}
	n, err := s.sift(ctx, j, []*bellwire.Endpoint{ep})
	if err != nil {
		return nil, err
	}
	return &Missed{*n, j.Params.Since, stopped}, nil
}

// missedSince returns a time before which the endpoint has missed nothing: before its attempts began to fail in a row, and before
// it was paused or disabled, which was at stopped.
func (s *Service) missedSince(ctx context.Context, ep *bellwire.Endpoint) (since, stopped time.Time, err error) {
	health, err := s.store.Health(ctx, []string{ep.ID}, 1)
	if err != nil {
		return since, stopped, err
	}
	since = failingSince(&health[0].Health, ep.Timeout)
	if ep.Status != bellwire.EndpointEnabled {
		stop, err := s.stopOf(ctx, ep)
		if err != nil {
			return since, stopped, err
		}
		stopped = stop.At
		if stop.Actor.Kind == bellwire.ActorBellwire && since.IsZero() {
			// A new URL has begun its health anew since Bellwire disabled it.
			stop.At = stop.At.Add(-ep.AutoDisableAfter)
		}
		since = earlier(since, stop.At)
	}
	if since.IsZero() {
		return since, stopped, &bellwire.Error{
			Code:    bellwire.CodeConflict,
			Message: "endpoint \"" + ep.ID + "\" is enabled and does not fail, so that nothing says since when it has missed events",
			Hint:    "Create a replay with the status \"missed\" and a time.",
		}
	}
	return since, stopped, nil
}

// failingSince returns a time before which all events were accepted that failed in the present run of failures; zero: nothing
// fails. The first event that failed is not always the first one of those that were accepted, because attempts take time.
func failingSince(h *bellwire.Health, timeout time.Duration) (since time.Time) {
	if h.State == bellwire.HealthFailing {
		since = h.Since
	}
	if h.Failures > 0 {
		since = earlier(since, h.FirstFailureAt)
		since = earlier(since, h.FirstFailed.Time())
	}
	if since.IsZero() {
		return since
	}
	return since.Add(-timeout)
}

// earlier returns the earlier one of two times, of which a zero one does not count.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// stopOf returns the change that paused or disabled an endpoint when it was last enabled, or the oldest one that its history has.
func (s *Service) stopOf(ctx context.Context, ep *bellwire.Endpoint) (stop bellwire.Change, err error) {
	for page := (bellwire.Page{Limit: MaxPageLimit}); ; {
		list, err := s.store.EndpointHistory(ctx, ep.Tenant, ep.ID, page)
		if err != nil {
			return stop, err
		}
		for _, change := range list.Items {
			var had struct {
				Status bellwire.EndpointStatus `json:"status"`
			}
			if err := json.Unmarshal(change.Before, &had); err != nil {
				return stop, bellwire.Wrap(bellwire.CodeInternal, err, "the history of endpoint %q cannot be read", ep.ID)
			}
			if stop = *change; had.Status == bellwire.EndpointEnabled {
				return stop, nil
			}
		}
		if page.After = list.Next; page.After == "" {
			return stop, nil
		}
	}
}
