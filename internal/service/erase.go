package service

import (
	"context"
	"log/slog"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// EraseEvent removes the data of an event. The rest of the event stays, and says who erased the data. Its open deliveries are
// canceled, and nothing of it is delivered any more. Its error has CodeConflict if deliveries of the event are still being stored.
func (s *Service) EraseEvent(ctx context.Context, c Caller, tenant string, id bellwire.EventID) error {
	if err := s.requireTenant(ctx, c, Manage, tenant); err != nil {
		return err
	}
	by := bellwire.Erasure{At: now(), By: c.actor(ctx)}
	erased, err := s.store.EraseEvent(s.audit(ctx, c, tenant, "event.erase", id.String(), nil, nil), tenant, id, by)
	if err != nil || erased.Before {
		return err
	}
	for _, endpoint := range erased.Endpoints {
		s.engine.ForgetEvent(endpoint, id)
	}
	for _, endpoint := range erased.Canceled {
		s.countCanceled(ctx, endpoint, 1, bellwire.CanceledErased)
	}
	s.changed(ctx, c, "event.erase", slog.String("tenant", tenant), slog.String("event", id.String()))
	return nil
}

// shownEvent returns an event as the caller may see it.
func shownEvent(c Caller, e *bellwire.Event) *bellwire.Event {
	if e.Erased != nil {
		e.Erased.By = actorFor(c, e.Erased.By)
	}
	return e
}

// shownEvents returns events as the caller may see them.
func shownEvents(c Caller, list *bellwire.List[*bellwire.Event]) *bellwire.List[*bellwire.Event] {
	for _, e := range list.Items {
		shownEvent(c, e)
	}
	return list
}
