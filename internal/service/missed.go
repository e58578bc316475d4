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
// it was paused or disabled, which was at stopped, or before it was created.
func (s *Service) missedSince(ctx context.Context, ep *bellwire.Endpoint) (since, stopped time.Time, err error) {
	health, err := s.store.Health(ctx, []string{ep.ID}, 1)
	if err != nil {
		return since, stopped, err
	}
	if since, err = s.failingSince(ctx, ep, &health[0].Health); err != nil {
		return since, stopped, err
	}
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
		since = bellwire.Earlier(since, stop.At)
	}
	if since.IsZero() {
		return since, stopped, &bellwire.Error{
			Code:    bellwire.CodeConflict,
			Message: "endpoint \"" + ep.ID + "\" is enabled and does not fail, so that nothing says since when it has missed events",
			Hint:    "Create a replay with the status \"missed\" and a time.",
		}
	}
	return bellwire.Later(since, ep.CreatedAt), stopped, nil
}

// failingSince returns a time before which the deliveries had begun that failed in the present run of failures; zero: nothing
// fails. The first one that failed is not always the first one that began, because attempts take time.
func (s *Service) failingSince(ctx context.Context, ep *bellwire.Endpoint, h *bellwire.Health) (since time.Time, err error) {
	if h.State == bellwire.HealthFailing {
		since = h.Since
	}
	if h.Failures > 0 {
		begun, err := s.firstFailedBegan(ctx, ep, h)
		if err != nil {
			return since, err
		}
		since = bellwire.Earlier(bellwire.Earlier(since, h.FirstFailureAt), begun)
	}
	if since.IsZero() {
		return since, nil
	}
	return since.Add(-ep.Timeout), nil
}

// firstFailedBegan returns when the delivery began with which the run of failures began; zero: it is deleted. Its event may have been
// accepted long before, if that was imported, replayed or to be delivered later.
func (s *Service) firstFailedBegan(ctx context.Context, ep *bellwire.Endpoint, h *bellwire.Health) (began time.Time, err error) {
	of := bellwire.DeliveryFilter{Tenant: ep.Tenant, Endpoint: ep.ID, Event: bellwire.EventID(h.FirstFailed)}
	list, err := s.store.Deliveries(ctx, of, bellwire.Page{Limit: MaxPageLimit})
	if err != nil {
		return began, err
	}
	for _, d := range list.Items {
		for _, at := range []time.Time{d.CreatedAt, d.NotBefore, d.RestartedAt} {
			if !at.After(h.FirstFailureAt) {
				began = bellwire.Later(began, at)
			}
		}
	}
	return began, nil
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
