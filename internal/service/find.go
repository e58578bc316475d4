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
	if selects(&f, e) {
		list.Items = append(list.Items, shownEvent(c, e))
	}
	return list, nil
}

// EventQuery selects events of all tenants, or of Tenant unless that is empty. Zero fields select all.
type EventQuery struct {
	bellwire.EventFilter
	Key  string // the idempotency key with which the event was published
	Text string // the data contains, as Containing says
	Data bool   // whether the events are wanted with their data
}

// FindAllEvents lists events. A page ends early, with a cursor, after many events that q does not select, or many tenants that do
// not have the key. With a key, those of the newest tenants come first.
func (s *Service) FindAllEvents(ctx context.Context, c Caller, q EventQuery, page bellwire.Page) (*bellwire.List[*bellwire.Event], error) {
	if err := authorize(c, Manage); err != nil {
		return nil, err
	}
	if err := checkPage(&page); err != nil {
		return nil, err
	}
	events, err := s.allEvents(ctx, c, &q, page)
	if err != nil {
		return nil, err
	}
	if !q.Data {
		for _, e := range events.Items {
			e.Data = nil
		}
	}
	return shownEvents(c, events), nil
}

func (s *Service) allEvents(ctx context.Context, c Caller, q *EventQuery, page bellwire.Page) (*bellwire.List[*bellwire.Event], error) {
	switch {
	case q.Text != "" && q.Key == "":
		return s.searchAllEvents(ctx, c, q, page)
	case q.Tenant != "" && q.Key != "":
		return s.EventsByKey(ctx, c, q.EventFilter, q.Key)
	case q.Tenant != "":
		return s.Events(ctx, c, q.EventFilter, page)
	}
	ctx, end, err := s.acquireRead(ctx, c)
	if err != nil {
		return nil, err
	}
	defer end()
	if q.Key == "" {
		return s.store.AllEvents(ctx, q.EventFilter, q.Data, fitted(ctx, page))
	}
	events, err := s.store.EventsByKey(ctx, q.Key, q.Data, fitted(ctx, page))
	if err != nil {
		return nil, err
	}
	events.Items = slices.DeleteFunc(events.Items, func(e *bellwire.Event) bool { return !selects(&q.EventFilter, e) })
	return events, nil
}

// searchAllEvents lists the events whose data contains q.Text.
func (s *Service) searchAllEvents(ctx context.Context, c Caller, q *EventQuery, page bellwire.Page) (*bellwire.List[*bellwire.Event], error) {
	if q.Tenant != "" {
		return s.FindEvents(ctx, c, q.EventFilter, Containing(q.Text), page)
	}
	all := EventQuery{EventFilter: q.EventFilter, Data: true}
	return search(func(page bellwire.Page) (*bellwire.List[*bellwire.Event], error) {
		return s.allEvents(ctx, c, &all, page)
	}, Containing(q.Text), page)
}

// selects reports whether a filter selects an event of its tenant.
func selects(f *bellwire.EventFilter, e *bellwire.Event) bool {
	at := e.ID.Time()
	return (f.Type == "" || f.Type == e.Type) && !at.Before(f.Since.Truncate(time.Millisecond)) &&
		(f.Until.IsZero() || at.Before(f.Until.Truncate(time.Millisecond)))
}

// DeliveryQuery selects deliveries. Zero fields select all.
type DeliveryQuery struct {
	bellwire.DeliveryFilter
	Type    string           // of the event
	Since   time.Time        // the event was accepted at or after, to the millisecond
	Until   time.Time        // the event was accepted before
	Dialect string           // of the endpoint as it is now
	Outcome bellwire.Outcome // of the newest attempt

	types map[string]int // the keys are the only types of events; nil for all
}

// FindDeliveries lists deliveries of q.Tenant. A page ends early, with a cursor, after many deliveries that q does not select.
func (s *Service) FindDeliveries(ctx context.Context, c Caller, q DeliveryQuery, page bellwire.Page) (*bellwire.List[*ListedDelivery], error) {
	if err := authorizeIn(c, Read, q.Tenant); err != nil {
		return nil, err
	}
	return s.listDeliveries(ctx, c, q, page)
}

// FindAllDeliveries is FindDeliveries over all tenants, or in q.Tenant unless that is empty.
func (s *Service) FindAllDeliveries(ctx context.Context, c Caller, q DeliveryQuery, page bellwire.Page) (*bellwire.List[*ListedDelivery], error) {
	if err := authorize(c, Manage); err != nil {
		return nil, err
	}
	if q.Tenant == "" && !q.Job.IsZero() {
		tenant, err := s.store.TenantOf(ctx, bellwire.KindJob, q.Job)
		switch {
		case bellwire.CodeOf(err) == bellwire.CodeNotFound:
			return new(bellwire.List[*ListedDelivery]), nil
		case err != nil:
			return nil, err
		}
		q.Tenant = tenant
	}
	if q.Tenant == "" && q.Endpoint != "" {
		ep, err := s.store.Endpoint(ctx, q.Endpoint)
		switch {
		case bellwire.CodeOf(err) == bellwire.CodeNotFound:
			return new(bellwire.List[*ListedDelivery]), nil
		case err != nil:
			return nil, err
		}
		q.Tenant = ep.Tenant
	}
	return s.listDeliveries(ctx, c, q, page)
}

func (s *Service) findDeliveries(ctx context.Context, c Caller, q DeliveryQuery, page bellwire.Page) (*bellwire.List[*bellwire.Delivery], error) {
	if err := bellwire.Join(checkPage(&page), s.checkDeliveryQuery(&q)); err != nil {
		return nil, err
	}
	if page.After == "" && !q.Until.IsZero() {
		page.After = bellwire.DeliveryCursor(bellwire.FirstID[bellwire.DeliveryKind](q.Until))
	}
	found := &bellwire.List[*bellwire.Delivery]{Items: []*bellwire.Delivery{}}
	most := maxSearched
	if q.Outcome != "" {
		most = maxSearchedAttempts
	}
	limit := page.Limit // doubled, as in FindEvents
	for searched := 0; searched < most; limit = min(2*limit, MaxPageLimit) {
		list, err := s.selectedDeliveries(ctx, c, &q, bellwire.Page{Limit: limit, After: page.After})
		if err != nil {
			return nil, err
		}
		searched += limit
		for i, d := range list.Items {
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

func (s *Service) checkDeliveryQuery(q *DeliveryQuery) error {
	var faults []error
	if q.Status != "" && !slices.Contains(bellwire.DeliveryStatuses, q.Status) {
		faults = append(faults, bellwire.Invalid("status", "must be %s", bellwire.OneOf(bellwire.DeliveryStatuses)))
	}
	return bellwire.Join(append(faults, checkOutcome(q.Outcome), s.checkDialect(q.Dialect))...)
}

// checkOutcome checks the filter of a list.
func checkOutcome(o bellwire.Outcome) error {
	if o == "" || slices.Contains(bellwire.Outcomes, o) {
		return nil
	}
	return bellwire.Invalid("outcome", "must be %s", bellwire.OneOf(bellwire.Outcomes))
}

// selectedDeliveries reads a page of deliveries and keeps those that q selects.
func (s *Service) selectedDeliveries(ctx context.Context, c Caller, q *DeliveryQuery, page bellwire.Page) (*bellwire.List[*bellwire.Delivery], error) {
	ctx, end, err := s.beginSearch(ctx, c, q.Tenant)
	if err != nil {
		return nil, err
	}
	defer end()
	var list *bellwire.List[*bellwire.Delivery]
	if q.Tenant == "" {
		list, err = s.store.AllDeliveries(ctx, fitted(ctx, page))
	} else {
		list, err = s.store.Deliveries(ctx, q.indexed(), fitted(ctx, page))
	}
	if err != nil {
		return nil, err
	}
	if !q.Since.IsZero() {
		first := bellwire.FirstID[bellwire.DeliveryKind](q.Since)
		older := func(d *bellwire.Delivery) bool { return bytes.Compare(d.ID[:], first[:]) < 0 }
		if i := slices.IndexFunc(list.Items, older); i >= 0 {
			list.Items, list.Next = list.Items[:i], ""
		}
	}
	list.Items = slices.DeleteFunc(list.Items, func(d *bellwire.Delivery) bool {
		if _, wanted := q.types[d.EventType]; q.types != nil && !wanted {
			return true
		}
		return q.Type != "" && d.EventType != q.Type || q.Status != "" && d.Status != q.Status ||
			q.Endpoint != "" && d.Endpoint != q.Endpoint || !q.Job.IsZero() && d.Job != q.Job
	})
	if err := s.keepDialect(ctx, list, q.Dialect); err != nil {
		return nil, err
	}
	return list, s.keepOutcome(ctx, list, q.Outcome)
}

// indexed returns the filter for which the store has an index: an event has fewer deliveries than a job.
func (q *DeliveryQuery) indexed() bellwire.DeliveryFilter {
	f := q.DeliveryFilter
	switch {
	case !f.Event.IsZero():
		f.Job = bellwire.JobID{}
	case !f.Job.IsZero():
		f.Endpoint = ""
	}
	return f
}

// beginSearch begins a read of a tenant, or of all tenants if it is empty.
func (s *Service) beginSearch(ctx context.Context, c Caller, tenant string) (reading context.Context, end func(), err error) {
	if tenant != "" {
		return s.beginRead(ctx, c, Read, tenant)
	}
	if err := authorize(c, Manage); err != nil {
		return nil, nil, err
	}
	return s.acquireRead(ctx, c)
}

// keepDialect removes deliveries to endpoints of other dialects from a list, unless dialect is empty.
func (s *Service) keepDialect(ctx context.Context, list *bellwire.List[*bellwire.Delivery], dialect string) error {
	if dialect == "" || len(list.Items) == 0 {
		return nil
	}
	var ids []string
	for _, d := range list.Items {
		ids = append(ids, d.Endpoint)
	}
	slices.Sort(ids)
	endpoints, err := s.store.EndpointsByID(ctx, slices.Compact(ids))
	if err != nil {
		return err
	}
	dialects := make(map[string]string, len(endpoints))
	for _, ep := range endpoints {
		dialects[ep.ID] = ep.Dialect
	}
	list.Items = slices.DeleteFunc(list.Items, func(d *bellwire.Delivery) bool { return dialects[d.Endpoint] != dialect })
	return nil
}

// keepOutcome removes deliveries whose newest attempt had another outcome from a list, unless outcome is empty.
func (s *Service) keepOutcome(ctx context.Context, list *bellwire.List[*bellwire.Delivery], outcome bellwire.Outcome) error {
	if outcome == "" || len(list.Items) == 0 {
		return nil
	}
	ids := make([]bellwire.DeliveryID, len(list.Items))
	for i, d := range list.Items {
		ids[i] = d.ID
	}
	attempts, err := s.store.LastAttempts(ctx, ids)
	if err != nil {
		return err
	}
	list.Items = slices.DeleteFunc(list.Items, func(d *bellwire.Delivery) bool { return attempts[d.ID].Outcome != outcome })
	return nil
}
