package service

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/destination"
	"github.com/bellwire/bellwire/internal/match"
)

// Bounds on endpoints.
const (
	MaxPatterns    = 100
	MaxMaxInFlight = 1024
	MinRateLimit   = 0.001 // events a second
	MaxRateLimit   = 1e6
)

// EndpointInput is what a caller says about an endpoint, to create or to change it. Nil members are left
// at their defaults when it is created, and as they are when it is changed.
type EndpointInput struct {
	URL         *string
	Description *string
	Dialect     *string
	Events      *[]string
	Retry       *bellwire.RetryPolicy
	Auth        *bellwire.Auth
	Headers     *[]bellwire.Header
	RateLimit   *float64 // events a second, above 0
	NoRateLimit bool     // takes the rate limit away
	MaxInFlight *int
	Ordering    *bellwire.Ordering
	Signing     *bellwire.Signing
	Status      *bellwire.EndpointStatus
	// Secret is the caller's own instead of a made one. On a change it replaces all there are at once;
	// RotateSecret lets both sign for a while.
	Secret   *string
	Metadata *map[string]string
	Extra    *map[string]string // for front ends of dialects only
	// Unlisted are names that Events may have although they are not in the catalogue; for front ends of dialects whose
	// vendors once had such event types.
	Unlisted []string
}

// apply changes an endpoint and its credentials as the input says, checks the whole, and seals the
// credentials into it. After an error neither is of use.
func (s *Service) apply(ctx context.Context, ep *bellwire.Endpoint, c *bellwire.Credentials, in *EndpointInput) error {
	before := *ep
	if in.Dialect != nil {
		ep.Dialect = *in.Dialect
	}
	dialect, err := s.dialect(ep.Dialect)
	if err != nil {
		return err
	}
	if before.Dialect != ep.Dialect {
		s.leaveDialect(ep, before.Dialect)
	}
	if err := s.applyURL(ep, in.URL); err != nil {
		return err
	}
	if err := applyTarget(ep, in); err != nil {
		return err
	}
	if err := s.applyRetry(ctx, ep, in.Retry); err != nil {
		return err
	}
	if err := applyLimits(ep, in); err != nil {
		return err
	}
	if in.Events != nil {
		if err := s.checkEvents(ctx, *in.Events, slices.Concat(in.Unlisted, before.Events)); err != nil {
			return err
		}
		ep.Events = *in.Events
	}
	if err := applyCredentials(c, in); err != nil {
		return err
	}
	if err := chooseSecrets(dialect, ep, c, in.Secret, before.Dialect != ep.Dialect); err != nil {
		return err
	}
	catalogue, err := s.directory.Catalogue(ctx)
	if err != nil {
		return err
	}
	if err := dialect.Normalize(ep, c, catalogue.Group); err != nil {
		return err
	}
	return s.seal(ctx, ep, c)
}

// leaveDialect takes from an endpoint what it has of the dialect that it comes from: what only that one knows, and the
// default retry policy, in whose place the new one's comes.
func (s *Service) leaveDialect(ep *bellwire.Endpoint, old string) {
	ep.Extra = nil
	from, to := s.dialects[old], s.dialects[ep.Dialect]
	if from != nil && reflect.DeepEqual(ep.Retry, from.Defaults().Retry) {
		ep.Retry = to.Defaults().Retry
	}
}

// applyURL sets where the endpoint is. A URL that the endpoint has already can stay, whatever is allowed now: some APIs
// demand it in every change, also in one that only switches the endpoint off. It is still looked at when it is dialled.
func (s *Service) applyURL(ep *bellwire.Endpoint, given *string) error {
	if given == nil || ep.URL != "" && *given == ep.URL {
		return nil
	}
	url, err := destination.NormalizeURL(*given)
	if err != nil {
		return err
	}
	if s.guard != nil {
		if err := s.guard.CheckURL(url); err != nil {
			return err
		}
	}
	ep.URL = url
	return nil
}

// applyTarget sets what the endpoint is.
func applyTarget(ep *bellwire.Endpoint, in *EndpointInput) error {
	if in.Description != nil {
		if err := checkLines("description", *in.Description, MaxDescriptionLength); err != nil {
			return err
		}
		ep.Description = *in.Description
	}
	if in.Metadata != nil {
		if err := checkMetadata("metadata", *in.Metadata); err != nil {
			return err
		}
		ep.Metadata = *in.Metadata
	}
	if in.Extra != nil {
		for name, value := range *in.Extra { // front ends of dialects have bounded what there is
			if name == "" {
				return bellwire.Invalid("extra", "A member has a name.")
			}
			if err := checkText("extra", value, bellwire.MaxURLLength); err != nil {
				return err
			}
		}
		ep.Extra = *in.Extra
	}
	return nil
}

// applyRetry sets when the endpoint's deliveries are attempted again. The policy that it has already can stay, whatever is
// allowed now; the engine holds it to the limit.
func (s *Service) applyRetry(ctx context.Context, ep *bellwire.Endpoint, given *bellwire.RetryPolicy) error {
	if given == nil || reflect.DeepEqual(*given, ep.Retry) {
		return nil
	}
	if err := given.Check(); err != nil {
		return err
	}
	held, err := s.directory.Limits(ctx, ep.Tenant)
	if err != nil {
		return err
	}
	if err := given.CheckDelays(held.MinRetryDelay); err != nil {
		return err
	}
	ep.Retry = *given
	return nil
}

// applyLimits sets how the endpoint is served.
func applyLimits(ep *bellwire.Endpoint, in *EndpointInput) error {
	if in.NoRateLimit {
		ep.RateLimit = 0
	}
	if in.RateLimit != nil {
		if !(*in.RateLimit >= MinRateLimit && *in.RateLimit <= MaxRateLimit) {
			return bellwire.Invalid("rate_limit", "It must be between %g and 1,000,000 events a second.", MinRateLimit)
		}
		ep.RateLimit = *in.RateLimit
	}
	if in.MaxInFlight != nil {
		if *in.MaxInFlight < 1 || *in.MaxInFlight > MaxMaxInFlight {
			return bellwire.Invalid("max_in_flight", "It must be between 1 and %d.", MaxMaxInFlight)
		}
		ep.MaxInFlight = *in.MaxInFlight
	}
	if err := choose("ordering", &ep.Ordering, in.Ordering, bellwire.OrderingNone, bellwire.OrderingFIFO); err != nil {
		return err
	}
	if err := choose("signing", &ep.Signing, in.Signing, bellwire.SigningHMAC, bellwire.SigningEd25519, bellwire.SigningBoth); err != nil {
		return err
	}
	if in.Status != nil {
		ep.StatusReason = "" // the tenant chose it, not Bellwire
	}
	return choose("status", &ep.Status, in.Status, bellwire.EndpointEnabled, bellwire.EndpointPaused, bellwire.EndpointDisabled)
}

// choose sets a member to the value given, if any, and if it is one of the choices.
func choose[T ~string](field string, member, given *T, choices ...T) error {
	if given == nil {
		return nil
	}
	if !slices.Contains(choices, *given) {
		return bellwire.Invalid(field, "It must be %s.", alternatives(choices))
	}
	*member = *given
	return nil
}

// checkEvents refuses patterns that cannot be read, and names that cannot be subscribed to. Those that are good anyway,
// such as what was subscribed to before, can stay, whatever became of them.
func (s *Service) checkEvents(ctx context.Context, patterns, good []string) error {
	if len(patterns) < 1 || len(patterns) > MaxPatterns {
		return bellwire.Invalid("events", "It must have 1 to %d entries; here are %d.", MaxPatterns, len(patterns))
	}
	for i, text := range patterns {
		field := fmt.Sprintf("events[%d]", i)
		pattern, err := match.Parse(text)
		if err != nil {
			return inField(field, err)
		}
		if slices.Contains(patterns[:i], text) {
			return bellwire.Invalid(field, "%q is there twice.", text)
		}
		if !pattern.Exact() || slices.Contains(good, text) {
			continue
		}
		if _, err := s.usableType(ctx, field, text); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) dialectNames() string {
	return strings.Join(slices.Sorted(maps.Keys(s.dialects)), ", ")
}
