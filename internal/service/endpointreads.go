package service

import (
	"context"
	"log/slog"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// Endpoint is an endpoint without its secrets: Sealed is nil, the secret fields of Auth are empty, and the values of Headers are
// redacted.
type Endpoint struct {
	bellwire.Endpoint
	Auth    bellwire.Auth
	Headers []bellwire.Header
	Health  *bellwire.EndpointHealth // nil in answers to changes
	Replay  *bellwire.Job            // started by the change; nil: none
}

// Endpoint returns an endpoint.
func (s *Service) Endpoint(ctx context.Context, c Caller, tenant, id string) (*Endpoint, error) {
	ctx, end, err := s.beginRead(ctx, c, Read, tenant)
	if err != nil {
		return nil, err
	}
	defer end()
	ep, err := s.endpoint(ctx, tenant, id)
	if err != nil {
		return nil, err
	}
	shown, err := s.shownWithHealth(ctx, c, maxWaiting, []*bellwire.Endpoint{ep})
	if err != nil {
		return nil, err
	}
	return shown[0], nil
}

// EndpointQuery selects endpoints. Zero fields select all.
type EndpointQuery struct {
	bellwire.EndpointFilter
	EventType string // that their patterns match
	Sort      string // empty: newest first; or SortWaiting
}

// Endpoints lists endpoints of f.Tenant. A page ends early, with a cursor, after many endpoints that f does not select.
func (s *Service) Endpoints(ctx context.Context, c Caller, f EndpointQuery, page bellwire.Page) (*bellwire.List[*Endpoint], error) {
	ctx, end, err := s.beginRead(ctx, c, Read, f.Tenant)
	if err != nil {
		return nil, err
	}
	defer end()
	return s.readEndpoints(ctx, c, f, page)
}

// AllEndpoints lists endpoints of all tenants, or of f.Tenant unless that is empty.
func (s *Service) AllEndpoints(ctx context.Context, c Caller, f EndpointQuery, page bellwire.Page) (*bellwire.List[*Endpoint], error) {
	if f.Tenant != "" {
		return s.Endpoints(ctx, c, f, page)
	}
	if err := authorize(c, Manage); err != nil {
		return nil, err
	}
	ctx, end, err := s.acquireRead(ctx, c)
	if err != nil {
		return nil, err
	}
	defer end()
	return s.readEndpoints(ctx, c, f, page)
}

// readEndpoints reads a page of endpoints with their health.
func (s *Service) readEndpoints(ctx context.Context, c Caller, f EndpointQuery, page bellwire.Page) (*bellwire.List[*Endpoint], error) {
	if err := bellwire.Join(checkPage(&page), s.checkEndpointFilter(&f.EndpointFilter)); err != nil {
		return nil, err
	}
	switch f.Sort {
	case "":
	case SortWaiting:
		return s.readMostWaiting(ctx, c, &f, page)
	default:
		return nil, bellwire.Invalid("sort", "must be %q", SortWaiting)
	}
	f.Now = now()
	endpoints, err := s.findEndpoints(ctx, &f, fitted(ctx, page))
	if err != nil {
		return nil, err
	}
	shown, err := s.shownWithHealth(ctx, c, maxWaitingListed, endpoints.Items)
	if err != nil {
		return nil, err
	}
	return &bellwire.List[*Endpoint]{Items: shown, Next: endpoints.Next}, nil
}

// findEndpoints reads a page of the endpoints that f selects. The store does not know patterns, so that it reads on while less than
// half of a page was found.
func (s *Service) findEndpoints(ctx context.Context, f *EndpointQuery, page bellwire.Page) (*bellwire.List[*bellwire.Endpoint], error) {
	if f.EventType == "" {
		return s.store.Endpoints(ctx, f.EndpointFilter, page)
	}
	found := new(bellwire.List[*bellwire.Endpoint])
	for searched, most := 0, page.Limit; searched < maxSearched && len(found.Items) <= most/2; {
		page.Limit = most - len(found.Items)
		list, err := s.store.Endpoints(ctx, f.EndpointFilter, page)
		if err != nil {
			return nil, err
		}
		searched += len(list.Items)
		for _, ep := range list.Items {
			if matches(ep.Events, f.EventType) {
				found.Items = append(found.Items, ep)
			}
		}
		if found.Next = list.Next; found.Next == "" {
			return found, nil
		}
		page.After = list.Next
	}
	return found, nil
}

// shown returns an endpoint as the caller may see it. If its credentials cannot be opened, it is shown without them.
func (s *Service) shown(ctx context.Context, c Caller, ep *bellwire.Endpoint, h bellwire.EndpointHealth) *Endpoint {
	credentials, err := s.keyring.OpenCredentials(ep.ID, ep.Sealed)
	if err != nil {
		s.logger.LogAttrs(ctx, slog.LevelError, "credentials cannot be opened",
			slog.String("endpoint", ep.ID), slog.Any("error", err))
		credentials = &bellwire.Credentials{}
	}
	shown := show(ep, credentials)
	shown.Health = &h
	if !c.may(ReadSecrets) {
		var hidden []string
		shown.URL, hidden = bellwire.MaskURL(ep.URL)
		h.LastError = bellwire.HideIn(h.LastError, hidden)
	}
	return shown
}

// showTo is show for a caller of a change.
func showTo(c Caller, ep *bellwire.Endpoint, credentials *bellwire.Credentials) *Endpoint {
	shown := show(ep, credentials)
	if !c.may(ReadSecrets) {
		shown.URL, _ = bellwire.MaskURL(ep.URL)
	}
	return shown
}

func show(ep *bellwire.Endpoint, c *bellwire.Credentials) *Endpoint {
	shown := &Endpoint{
		Endpoint: *ep,
		Auth:     bellwire.Auth{Type: c.Auth.Type, Header: c.Auth.Header, Username: c.Auth.Username},
		Headers:  make([]bellwire.Header, len(c.Headers)),
	}
	shown.Sealed = nil
	for i, h := range c.Headers {
		shown.Headers[i] = bellwire.Header{Name: h.Name, Value: bellwire.Redacted}
	}
	return shown
}
