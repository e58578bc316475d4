package service

import (
	"context"
	"net/url"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/engine"
	"github.com/bellwire/bellwire/internal/limits"
)

// CheckedURL is what a check of a URL has found.
type CheckedURL struct {
	URL string // as an endpoint would have it
	engine.Reached
}

// CheckURL finds out whether an endpoint may have a URL, and connects to its host as deliveries would. It sends no request. It
// counts as a test, and takes the place of a probe.
func (s *Service) CheckURL(ctx context.Context, c Caller, tenant, given string) (*CheckedURL, error) {
	if err := authorizeIn(c, Change, tenant); err != nil {
		return nil, err
	}
	usable, err := s.usableURL(given)
	if err != nil {
		return nil, err
	}
	target, err := url.Parse(usable)
	if err != nil {
		return nil, bellwire.Invalid("url", "must be an absolute http or https URL")
	}
	if err := s.allow(ctx, limits.TestRate, tenant); err != nil {
		return nil, err
	}
	leave, err := s.probes.Enter(ctx, tenant)
	if err != nil {
		return nil, err
	}
	defer leave()
	if err := s.requireTenant(ctx, c, Change, tenant); err != nil {
		return nil, err
	}
	reached, err := s.engine.Reach(ctx, target)
	if err != nil {
		return nil, err
	}
	return &CheckedURL{usable, *reached}, nil
}
