package service

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
)

// maxAttemptsShown is the number of a delivery's attempts that are shown: all those of a retry policy, and as many manual ones.
const maxAttemptsShown = 2 * bellwire.MaxRetries

// Event returns an event.
func (s *Service) Event(ctx context.Context, c Caller, tenant string, id bellwire.EventID) (*bellwire.Event, error) {
	ctx, end, err := s.beginRead(ctx, c, Read, tenant)
	if err != nil {
		return nil, err
	}
	defer end()
	e, err := s.store.Event(ctx, tenant, id)
	if err != nil {
		return nil, err
	}
	return shownEvent(c, e), nil
}

// Events lists events of f.Tenant.
func (s *Service) Events(ctx context.Context, c Caller, f bellwire.EventFilter, page bellwire.Page) (*bellwire.List[*bellwire.Event], error) {
	if err := authorizeIn(c, Read, f.Tenant); err != nil {
		return nil, err
	}
	if err := checkPage(&page); err != nil {
		return nil, err
	}
	if !f.Since.IsZero() {
		return s.FindEvents(ctx, c, f, func(*bellwire.Event) bool { return true }, page)
	}
	return s.readEvents(ctx, c, f, page)
}

// readEvents reads a page of events.
func (s *Service) readEvents(ctx context.Context, c Caller, f bellwire.EventFilter, page bellwire.Page) (*bellwire.List[*bellwire.Event], error) {
	ctx, end, err := s.beginRead(ctx, c, Read, f.Tenant)
	if err != nil {
		return nil, err
	}
	defer end()
	events, err := s.store.Events(ctx, f, fitted(ctx, page))
	if err != nil {
		return nil, err
	}
	return shownEvents(c, events), nil
}

// clockSkew is how far the clock of the node that made an event's id can be behind that of another node, by which the event's
// CreatedAt may be later than the time in its id.
const clockSkew = 10 * time.Second

// Bounds on what is searched for one page of matches.
const (
	maxSearched         = 2000 // events, or deliveries
	maxSearchedAttempts = 1000 // deliveries with their newest attempts
	maxSearchedBytes    = 4 * bellwire.MaxPageBytes
)

// FindEvents lists events of f.Tenant for which match returns true. A page ends early, with a cursor, after many events without a
// match. f.Since is compared with the events' CreatedAt. The store compares it with their ids, so more than is wanted is read.
func (s *Service) FindEvents(ctx context.Context, c Caller, f bellwire.EventFilter, match func(*bellwire.Event) bool, page bellwire.Page) (*bellwire.List[*bellwire.Event], error) {
	if err := authorizeIn(c, Read, f.Tenant); err != nil {
		return nil, err
	}
	if err := checkPage(&page); err != nil {
		return nil, err
	}
	since := f.Since
	if !since.IsZero() {
		f.Since = since.Add(-clockSkew)
	}
	read := func(page bellwire.Page) (*bellwire.List[*bellwire.Event], error) {
		return s.readEvents(ctx, c, f, page)
	}
	return search(read, func(e *bellwire.Event) bool { return !e.CreatedAt.Before(since) && match(e) }, page)
}

// Containing returns a match for FindEvents: of events whose data contains a text, as it was published, in upper or lower case.
func Containing(text string) func(*bellwire.Event) bool {
	wanted := bytes.ToLower([]byte(text))
	return func(e *bellwire.Event) bool { return bytes.Contains(bytes.ToLower(e.Data), wanted) }
}

// search lists those that match of the events that read reads in pages, up to the bounds on what is searched.
func search(read func(bellwire.Page) (*bellwire.List[*bellwire.Event], error), match func(*bellwire.Event) bool, page bellwire.Page) (*bellwire.List[*bellwire.Event], error) {
	found := &bellwire.List[*bellwire.Event]{Items: []*bellwire.Event{}}
	size, searched, searchedBytes := 0, 0, 0
	// Pages double in size: a small first page is enough if most events match, and few reads are needed if few do.
	limit := page.Limit
	for searched < maxSearched && searchedBytes < maxSearchedBytes && size < bellwire.MaxPageBytes {
		events, err := read(bellwire.Page{Limit: limit, After: page.After})
		if err != nil {
			return nil, err
		}
		if len(events.Items) == 0 {
			return &bellwire.List[*bellwire.Event]{Items: found.Items, Next: events.Next}, nil // the store has searched as much as it may
		}
		for i, e := range events.Items {
			searched++
			searchedBytes += len(e.Data)
			if !match(e) {
				continue
			}
			found.Items = append(found.Items, e)
			size += len(e.Data)
			if len(found.Items) < page.Limit {
				continue
			}
			if events.Next != "" || i+1 < len(events.Items) {
				found.Next = bellwire.EventCursor(e.ID)
			}
			return found, nil
		}
		if events.Next == "" {
			return found, nil
		}
		page.After = events.Next
		limit = min(2*limit, MaxPageLimit)
	}
	found.Next = page.After
	return found, nil
}

// Delivery returns a delivery with its attempts, oldest first.
func (s *Service) Delivery(ctx context.Context, c Caller, tenant string, id bellwire.DeliveryID) (*bellwire.Delivery, []*bellwire.Attempt, error) {
	ctx, end, err := s.beginRead(ctx, c, Read, tenant)
	if err != nil {
		return nil, nil, err
	}
	defer end()
	d, err := s.store.Delivery(ctx, tenant, id)
	if err != nil {
		return nil, nil, err
	}
	attempts, err := s.store.Attempts(ctx, id, maxAttemptsShown)
	if err != nil {
		return nil, nil, err
	}
	if !c.may(ReadSecrets) {
		for _, a := range attempts {
			hideURL(a)
		}
	}
	return d, attempts, nil
}

// Deliveries lists deliveries of f.Tenant.
func (s *Service) Deliveries(ctx context.Context, c Caller, f bellwire.DeliveryFilter, page bellwire.Page) (*bellwire.List[*bellwire.Delivery], error) {
	ctx, end, err := s.beginRead(ctx, c, Read, f.Tenant)
	if err != nil {
		return nil, err
	}
	defer end()
	if err := checkPage(&page); err != nil {
		return nil, err
	}
	if f.Status != "" && !slices.Contains(bellwire.DeliveryStatuses, f.Status) {
		return nil, bellwire.Invalid("status", "must be %s", bellwire.OneOf(bellwire.DeliveryStatuses))
	}
	return s.store.Deliveries(ctx, f, fitted(ctx, page))
}

// RetryDelivery requests one more attempt at once, whatever the status of the delivery. With restart, the whole retry schedule
// begins again instead. Its error has CodeConflict if the endpoint is disabled or deleted, or if the schedule cannot begin again.
func (s *Service) RetryDelivery(ctx context.Context, c Caller, tenant string, id bellwire.DeliveryID, restart bool) (*bellwire.Delivery, error) {
	end, err := s.beginSend(ctx, c, Redeliver, tenant, limits.RetryRate)
	if err != nil {
		return nil, err
	}
	defer end()
	d, err := s.store.Delivery(ctx, tenant, id)
	if err != nil {
		return nil, err
	}
	ep, err := s.store.Endpoint(ctx, d.Endpoint)
	if err != nil && bellwire.CodeOf(err) != bellwire.CodeNotFound {
		return nil, err
	}
	if err != nil || ep.Deleted {
		return nil, bellwire.Errorf(bellwire.CodeConflict, "endpoint %q of the delivery was deleted, so nothing can be sent to it", d.Endpoint)
	}
	if err := refuseDisabled(ep); err != nil {
		return nil, err
	}
	if bellwire.Expired(d.ExpiresAt, now()) {
		return nil, bellwire.RefuseExpired(id, d.ExpiresAt)
	}
	restart = restart && !d.Test // a test has no schedule: its retry is another test
	audited := s.audit(ctx, c, tenant, bellwire.AuditRetry, id.String(), map[string]any{"status": d.Status}, map[string]any{"restart": restart})
	if restart {
		d, err = s.store.RestartDelivery(audited, tenant, id, now())
	} else {
		d, err = s.store.RequestRetry(audited, tenant, id)
	}
	if err != nil {
		return nil, err
	}
	s.engine.Refresh(d.Endpoint)
	return d, nil
}

// CancelDelivery ends an open delivery. Its error has CodeConflict if the delivery has ended already.
func (s *Service) CancelDelivery(ctx context.Context, c Caller, tenant string, id bellwire.DeliveryID) (*bellwire.Delivery, error) {
	if err := s.requireTenant(ctx, c, Redeliver, tenant); err != nil {
		return nil, err
	}
	canceled := map[string]any{"status": bellwire.DeliveryCanceled}
	d, err := s.store.CancelDelivery(s.audit(ctx, c, tenant, bellwire.AuditCancel, id.String(), nil, canceled), tenant, id, bellwire.ReasonCanceledOnRequest, now())
	if err != nil {
		return nil, err
	}
	s.engine.Forget(d.Endpoint, id)
	s.countCanceled(ctx, d.Endpoint, 1, bellwire.CanceledOnRequest)
	return d, nil
}

// countCanceled counts deliveries to an endpoint that were canceled. They are canceled, also if the endpoint cannot be read.
func (s *Service) countCanceled(ctx context.Context, endpoint string, deliveries int, cause bellwire.CancelCause) {
	target, err := s.directory.Target(ctx, endpoint)
	if err != nil {
		s.logger.LogAttrs(ctx, slog.LevelWarn, "canceled deliveries not counted", slog.String("endpoint", endpoint), slog.Any("error", err))
		return
	}
	s.engine.Canceled(target.Endpoint.Dialect, deliveries, cause)
}

func refuseDisabled(ep *bellwire.Endpoint) error {
	if ep.Status != bellwire.EndpointDisabled {
		return nil
	}
	return bellwire.Errorf(bellwire.CodeConflict, "endpoint %q is disabled; enable it first", ep.ID)
}
