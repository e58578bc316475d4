package service

import (
	"context"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/filter"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/match"
)

// applyFilter sets the filter. It is checked against the schemas of the event types that the endpoint subscribes to when either of
// them changes. Otherwise the present filter is accepted, even if a schema has changed since.
func (s *Service) applyFilter(ctx context.Context, ep, before *bellwire.Endpoint, in *EndpointInput) error {
	wrong := choose("on_error", &ep.OnError, in.OnError, bellwire.OnErrorDeliver, bellwire.OnErrorSkip)
	if in.Filter != nil {
		ep.Filter = *in.Filter
	}
	if ep.Filter == "" || ep.Filter == before.Filter && in.Events == nil {
		return wrong
	}
	patterns, err := match.Compile(ep.Events)
	if err != nil {
		return wrong // a fault of the events, which is reported with them
	}
	program, err := s.checkFilter(ctx, ep.Tenant, ep.Filter, patterns.Match)
	if err == nil && ep.Filter != before.Filter {
		err = s.checkFilterRoom(ctx, ep.Tenant, program)
	}
	return bellwire.Join(wrong, err)
}

// checkFilter compiles a filter, and checks it against the schemas of the event types that it will see.
func (s *Service) checkFilter(ctx context.Context, tenant, text string, sees func(eventType string) bool) (*filter.Program, error) {
	catalogue, err := s.directory.Catalogue(ctx)
	if err != nil {
		return nil, err
	}
	var seen []*bellwire.EventType
	size := 0
	for _, name := range catalogue.Names() {
		t, _ := catalogue.Type(name)
		if !t.Archived && sees(name) {
			seen = append(seen, &t.EventType)
			size += len(t.Schema)
		}
	}
	end, err := s.directory.BeginReading(ctx, tenant, size)
	if err != nil {
		return nil, err
	}
	defer end()
	return filter.New(text, seen)
}

// checkFilterRoom refuses a filter with which those of the tenant's endpoints would take too much memory.
func (s *Service) checkFilterRoom(ctx context.Context, tenant string, p *filter.Program) error {
	t, err := s.directory.Tenant(ctx, tenant)
	if err != nil {
		return err
	}
	held, err := s.directory.Limits(ctx, tenant)
	if err != nil {
		return err
	}
	if t.FilterBytes(p) <= limits.FilterMemory*held.ConfigurationBytes {
		return nil
	}
	return bellwire.Errorf(bellwire.CodeConflict,
		"the filters of the tenant's endpoints would take too much memory for the limit %q; simplify filters, or use the same one for several endpoints, which counts once",
		limits.ConfigurationBytes.Name)
}
