package service

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// The most deliveries that are counted as waiting for an endpoint. A list has many endpoints, so it counts fewer for each.
const (
	maxWaiting       = 10_000
	maxWaitingListed = 1_000
)

// endpointStatuses lists all statuses of an endpoint.
var endpointStatuses = []bellwire.EndpointStatus{bellwire.EndpointEnabled, bellwire.EndpointPaused, bellwire.EndpointDisabled}

// checkEndpointFilter refuses filters that no endpoint can match.
func (s *Service) checkEndpointFilter(f *bellwire.EndpointFilter) error {
	var faults []error
	if f.Status != "" && !slices.Contains(endpointStatuses, f.Status) {
		faults = append(faults, bellwire.Invalid("status", "must be %s", bellwire.OneOf(endpointStatuses)))
	}
	faults = append(faults, s.checkDialect(f.Dialect))
	if f.Health != "" && !slices.Contains(bellwire.HealthStates, f.Health) {
		faults = append(faults, bellwire.Invalid("health", "must be %s", bellwire.OneOf(bellwire.HealthStates)))
	}
	return bellwire.Join(faults...)
}

// checkDialect checks the filter of a list.
func (s *Service) checkDialect(name string) error {
	if name == "" || s.dialects[name] != nil {
		return nil
	}
	return bellwire.Invalid("dialect", "must be %s", bellwire.OneOf(slices.Sorted(maps.Keys(s.dialects))))
}

// Dialects returns the names of the dialects that endpoints can have, those that files declare too.
func (s *Service) Dialects(c Caller) ([]string, error) {
	if err := authorize(c, Read); err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(s.dialects)), nil
}

// shownWithHealth returns endpoints with their health as the caller may see them. It counts up to limit of the deliveries that
// wait for each.
func (s *Service) shownWithHealth(ctx context.Context, c Caller, limit int, endpoints []*bellwire.Endpoint) ([]*Endpoint, error) {
	ids := make([]string, len(endpoints))
	for i, ep := range endpoints {
		ids[i] = ep.ID
	}
	all, err := s.store.Health(ctx, ids, limit)
	if err != nil {
		return nil, err
	}
	shown, at := make([]*Endpoint, len(endpoints)), now()
	for i, ep := range endpoints {
		health := all[i].At(at)
		if ep.Status != bellwire.EndpointEnabled {
			health.NextAttemptAt = time.Time{}
		}
		shown[i] = s.shown(ctx, c, ep, health)
	}
	return shown, nil
}
