package service

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/destination"
	"github.com/bellwire/bellwire/internal/limits"
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

	vendor bool // the input is from a dialect's front end, whose callers may not browse the catalogue
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
	err = bellwire.Join(
		s.applyURL(ep, in.URL),
		applyTarget(ep, in),
		s.applyRetry(ctx, ep, in),
		applyLimits(ep, in),
		s.applyEvents(ctx, ep, in),
		applyCredentials(c, in),
	)
	if err != nil {
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
	switch {
	case given == nil && ep.URL == "":
		return bellwire.Invalid("url", "is required")
	case given == nil, ep.URL != "" && *given == ep.URL:
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
	var faults []error
	if in.Description != nil {
		faults = append(faults, checkLines("description", *in.Description, MaxDescriptionLength))
		ep.Description = *in.Description
	}
	if in.Metadata != nil {
		faults = append(faults, checkMetadata("metadata", *in.Metadata))
		ep.Metadata = *in.Metadata
	}
	if in.Extra != nil {
		faults = append(faults, checkExtra(*in.Extra))
		ep.Extra = *in.Extra
	}
	return bellwire.Join(faults...)
}

// checkExtra refuses texts that cannot be stored. The front ends of dialects have bounded the number of members.
func checkExtra(extra map[string]string) error {
	for name, value := range extra {
		if name == "" {
			return bellwire.Invalid("extra", "must not have an empty name")
		}
		if err := checkText("extra", value, bellwire.MaxURLLength); err != nil {
			return err
		}
	}
	return nil
}

// applyRetry sets when the endpoint's deliveries are attempted again. The policy that it has already can stay, whatever is
// allowed now; the engine holds it to the limit.
func (s *Service) applyRetry(ctx context.Context, ep *bellwire.Endpoint, in *EndpointInput) error {
	given := in.Retry
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
	source := "limit " + strconv.Quote(limits.MinRetryDelay.Name)
	if in.vendor {
		source = "" // its customers do not know the limits
	}
	if err := given.CheckDelays(held.MinRetryDelay, source); err != nil {
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
	var faults []error
	if in.RateLimit != nil {
		if !(*in.RateLimit >= MinRateLimit && *in.RateLimit <= MaxRateLimit) {
			faults = append(faults, bellwire.Invalid("rate_limit", "must be between %s and %s events per second", bellwire.Number(MinRateLimit), bellwire.Number(MaxRateLimit)))
		}
		ep.RateLimit = *in.RateLimit
	}
	if in.MaxInFlight != nil {
		if *in.MaxInFlight < 1 || *in.MaxInFlight > MaxMaxInFlight {
			faults = append(faults, bellwire.Invalid("max_in_flight", "must be between 1 and %s", bellwire.Number(MaxMaxInFlight)))
		}
		ep.MaxInFlight = *in.MaxInFlight
	}
	if in.Status != nil {
		ep.StatusReason = "" // the tenant chose it, not Bellwire
	}
	return bellwire.Join(append(faults,
		choose("ordering", &ep.Ordering, in.Ordering, bellwire.OrderingNone, bellwire.OrderingFIFO),
		choose("signing", &ep.Signing, in.Signing, bellwire.SigningHMAC, bellwire.SigningEd25519, bellwire.SigningBoth),
		choose("status", &ep.Status, in.Status, bellwire.EndpointEnabled, bellwire.EndpointPaused, bellwire.EndpointDisabled),
	)...)
}

// choose sets a member to the value given, if any, and if it is one of the choices.
func choose[T ~string](field string, member, given *T, choices ...T) error {
	if given == nil {
		return nil
	}
	if !slices.Contains(choices, *given) {
		return bellwire.Invalid(field, "must be %s", bellwire.OneOf(choices))
	}
	*member = *given
	return nil
}

// applyEvents sets what the endpoint subscribes to. What it is subscribed to already can stay, whatever became of the type.
func (s *Service) applyEvents(ctx context.Context, ep *bellwire.Endpoint, in *EndpointInput) error {
	switch {
	case in.Events == nil && ep.Events == nil:
		return bellwire.Invalid("events", "is required, with at least one event type or pattern")
	case in.Events == nil:
		return nil
	}
	patterns := *in.Events
	if len(patterns) < 1 || len(patterns) > MaxPatterns {
		return bellwire.Invalid("events", "must have 1 to %d entries, but has %s", MaxPatterns, bellwire.Number(len(patterns)))
	}
	accepted := slices.Concat(in.Unlisted, ep.Events)
	var faults []error
	for i, text := range patterns {
		field := fmt.Sprintf("events[%d]", i)
		if slices.Contains(patterns[:i], text) {
			faults = append(faults, bellwire.Invalid(field, "repeats %.128q", text))
			continue
		}
		faults = append(faults, s.checkPattern(ctx, field, text, accepted, !in.vendor))
	}
	ep.Events = patterns
	return bellwire.Join(faults...)
}

// checkPattern refuses a pattern that cannot be read, and the name of an event type that cannot be subscribed to, unless it is
// among those accepted anyway.
func (s *Service) checkPattern(ctx context.Context, field, text string, accepted []string, mayBrowse bool) error {
	pattern, err := match.Parse(text)
	if err != nil {
		return inField(field, err)
	}
	if !pattern.Exact() || slices.Contains(accepted, text) {
		return nil
	}
	_, err = s.usableType(ctx, field, text, mayBrowse)
	return err
}
