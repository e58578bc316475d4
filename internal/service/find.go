package service

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// EventsByKey lists the event of f.Tenant that was published with an idempotency key, if it is among those that f selects. It is
// found as long as its key is kept.
func (s *Service) EventsByKey(ctx context.Context, c Caller, f bellwire.EventFilter, key string) (*bellwire.List[*bellwire.Event], error) {
	if err := authorizeIn(c, Read, f.Tenant); err != nil {
		return nil, err
	}
	ctx, end, err := s.beginRead(ctx, c, Read, f.Tenant)
	if err != nil {
		return nil, err
	}
	defer end()
	list := new(bellwire.List[*bellwire.Event])
	id, err := s.store.EventByKey(ctx, f.Tenant, key)
	var e *bellwire.Event
	if err == nil {
		e, err = s.store.Event(ctx, f.Tenant, id)
	}
	switch {
	case bellwire.CodeOf(err) == bellwire.CodeNotFound:
		return list, nil
	case err != nil:
		return nil, err
	}
	at := e.ID.Time()
	if (f.Type == "" || f.Type == e.Type) && !at.Before(f.Since.Truncate(time.Millisecond)) && (f.Until.IsZero() || at.Before(f.Until.Truncate(time.Millisecond))) {
		list.Items = append(list.Items, e)
	}
	return list, nil
}

// DeliveryQuery selects deliveries. Zero members select all.
type DeliveryQuery struct {
	bellwire.DeliveryFilter
	Type  string    // of the event
	Since time.Time // the event was accepted at or after, to the millisecond
	Until time.Time // the event was accepted before
}

// FindDeliveries lists deliveries of q.Tenant. A page ends early, with a cursor, after many deliveries of other types.
func (s *Service) FindDeliveries(ctx context.Context, c Caller, q DeliveryQuery, page bellwire.Page) (*bellwire.List[*bellwire.Delivery], error) {
	if err := authorizeIn(c, Read, q.Tenant); err != nil {
		return nil, err
	}
	if err := checkPage(&page); err != nil {
		return nil, err
	}
	if q.Status != "" && !slices.Contains(bellwire.DeliveryStatuses, q.Status) {
		return nil, bellwire.Invalid("status", "must be %s", bellwire.OneOf(bellwire.DeliveryStatuses))
	}
	first := bellwire.FirstID[bellwire.DeliveryKind](q.Since)
	if page.After == "" && !q.Until.IsZero() {
		page.After = bellwire.DeliveryCursor(bellwire.FirstID[bellwire.DeliveryKind](q.Until))
	}
	found := &bellwire.List[*bellwire.Delivery]{Items: []*bellwire.Delivery{}}
	limit := page.Limit // doubled, as in FindEvents
	for searched := 0; searched < maxSearched; limit = min(2*limit, MaxPageLimit) {
		list, err := s.Deliveries(ctx, c, q.DeliveryFilter, bellwire.Page{Limit: limit, After: page.After})
		if err != nil {
			return nil, err
		}
		for i, d := range list.Items {
			if !q.Since.IsZero() && bytes.Compare(d.ID[:], first[:]) < 0 {
				return found, nil
			}
			searched++
			if q.Type != "" && d.EventType != q.Type {
				continue
			}
			found.Items = append(found.Items, d)
			if len(found.Items) < page.Limit {
				continue
			}
			if list.Next != "" || i+1 < len(list.Items) {
				found.Next = bellwire.DeliveryCursor(d.ID)
			}
			return found, nil
		}
		if list.Next == "" {
			return found, nil
		}
		page.After = list.Next
	}
	found.Next = page.After
	return found, nil
}
