package service

import (
	"context"
	"maps"
	"slices"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// ListedDelivery is a delivery in a list.
type ListedDelivery struct {
	*bellwire.Delivery
	Wait *bellwire.Wait          // what it waits for; nil if it has ended
	Last *bellwire.AttemptResult // of its newest attempt; nil if there was none
}

// listDeliveries lists deliveries with what they wait for and how their newest attempts ended.
func (s *Service) listDeliveries(ctx context.Context, c Caller, q DeliveryQuery, page bellwire.Page) (*bellwire.List[*ListedDelivery], error) {
	found, err := s.findDeliveries(ctx, c, q, page)
	if err != nil {
		return nil, err
	}
	list := &bellwire.List[*ListedDelivery]{Items: make([]*ListedDelivery, len(found.Items)), Next: found.Next}
	if len(found.Items) == 0 {
		return list, nil
	}
	ctx, end, err := s.beginSearch(ctx, c, q.Tenant)
	if err != nil {
		return nil, err
	}
	defer end()
	waits, err := s.waits(ctx, c, found.Items)
	if err != nil {
		return nil, err
	}
	last, err := s.lastAttempts(ctx, c, found.Items)
	if err != nil {
		return nil, err
	}
	for i, d := range found.Items {
		list.Items[i] = &ListedDelivery{Delivery: d, Wait: waits[i]}
		if result, attempted := last[d.ID]; attempted {
			list.Items[i].Last = &result
		}
	}
	return list, nil
}

// lastAttempts returns the results of the newest attempts of some deliveries, as the caller may see them.
func (s *Service) lastAttempts(ctx context.Context, c Caller, deliveries []*bellwire.Delivery) (map[bellwire.DeliveryID]bellwire.AttemptResult, error) {
	var attempted []bellwire.DeliveryID
	endpoints := make(map[string]bool)
	for _, d := range deliveries {
		if d.Attempts > 0 {
			attempted = append(attempted, d.ID)
			endpoints[d.Endpoint] = true
		}
	}
	if len(attempted) == 0 {
		return nil, nil
	}
	last, err := s.store.LastAttempts(ctx, attempted)
	if err != nil || c.may(ReadSecrets) {
		return last, err
	}
	hidden, err := s.hiddenOf(ctx, slices.Collect(maps.Keys(endpoints)))
	if err != nil {
		return nil, err
	}
	for _, d := range deliveries {
		if result, ok := last[d.ID]; ok {
			result.Error = bellwire.HideIn(result.Error, hidden[d.Endpoint])
			last[d.ID] = result
		}
	}
	return last, nil
}

// hiddenOf returns the secrets in the URLs of some endpoints.
func (s *Service) hiddenOf(ctx context.Context, ids []string) (map[string][]string, error) {
	endpoints, err := s.store.EndpointsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	hidden := make(map[string][]string, len(endpoints))
	for _, ep := range endpoints {
		_, hidden[ep.ID] = bellwire.MaskURL(ep.URL)
	}
	return hidden, nil
}
