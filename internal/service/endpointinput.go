package service

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

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
	MinTimeout     = time.Second
	MaxTimeout     = time.Minute
	MinAutoDisable = time.Second
	MaxAutoDisable = 365 * 24 * time.Hour
)

// EndpointInput creates or changes an endpoint. Nil fields are set to their defaults when the endpoint is created, and stay
// unchanged when it is changed.
type EndpointInput struct {
	URL              *string
	Description      *string
	Dialect          *string
	Events           *[]string
	Filter           *string // empty removes the filter
	OnError          *bellwire.OnError
	Retry            *bellwire.RetryPolicy
	Auth             *bellwire.Auth
	Headers          *[]bellwire.Header
	RateLimit        *float64 // events per second, above 0
	NoRateLimit      bool     // removes the rate limit
	MaxInFlight      *int
	Timeout          *time.Duration
	AutoDisableAfter *time.Duration // 0: never
	Ordering         *bellwire.Ordering
	Signing          *bellwire.Signing
	Status           *bellwire.EndpointStatus
	StatusReason     *string // why it is paused or disabled; nil with another Status: empty
	// Reenable enables an endpoint that Bellwire has disabled. It is for front ends of dialects whose vendors have no status: their
	// customers can do it by a change of the URL only.
	Reenable bool
	Replay   string // bellwire.SelectMissed replays what an endpoint has missed when Status enables it again; empty: nothing
	// Secret is the caller's own secret, instead of a generated one. It replaces all present ones at once, unlike
	// RotateSecret.
	Secret   *string
	Metadata *map[string]string
	Versions map[string]int     // of event types, by their names; those that it does not have stay
	Extra    *map[string]string // for front ends of dialects only
	// Unlisted are names that Events may contain although the catalogue does not have them. They are for front ends of
	// dialects whose vendors once had such event types.
	Unlisted []string
	// Accepted is called when the input of a new endpoint is accepted, before the endpoint is stored. Its error prevents that. Nil: nothing.
	Accepted func() error

	Origins *Origins // of a new endpoint

	id     string           // of a new endpoint
	coming *coming          // what the same import creates; nil: nothing
	held   *bellwire.Limits // of a tenant that may not be stored yet; nil: that of the directory
	vendor bool             // the input is from a dialect's front end, whose callers may not browse the catalogue
}

// apply applies the input to an endpoint and its credentials, checks the result, and seals the credentials into the endpoint.
// After an error, neither must be used.
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
		if err := s.leaveDialect(ctx, ep, before.Dialect, in); err != nil {
			return err
		}
	}
	err = bellwire.Join(
		s.applyURL(ep, in.URL),
		applyTarget(ep, in),
		s.applyRetry(ctx, ep, in),
		applySettings(ep, in),
		applyTimes(ep, in),
		s.applyEvents(ctx, ep, in),
		s.applyVersions(ctx, ep, in),
		s.applyFilter(ctx, ep, &before, in),
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
	if err := dialect.Normalize(ep, c, in.coming.groupOf(catalogue.Group)); err != nil {
		return err
	}
	return s.seal(ctx, ep, c)
}

// leaveDialect removes the settings of an endpoint's old dialect: its specific ones, and the default retry policy, timeout and
// auto_disable_after, which the new dialect's defaults replace.
func (s *Service) leaveDialect(ctx context.Context, ep *bellwire.Endpoint, old string, in *EndpointInput) error {
	ep.Extra = nil
	left := s.dialects[old]
	if left == nil {
		return nil
	}
	from, err := s.defaults(ctx, ep.Tenant, left, in)
	if err != nil {
		return err
	}
	to, err := s.defaults(ctx, ep.Tenant, s.dialects[ep.Dialect], in)
	if err != nil {
		return err
	}
	if reflect.DeepEqual(ep.Retry, from.Retry) {
		ep.Retry = to.Retry
	}
	if ep.Timeout == from.Timeout {
		ep.Timeout = to.Timeout
	}
	if ep.AutoDisableAfter == from.AutoDisableAfter {
		ep.AutoDisableAfter = to.AutoDisableAfter
	}
	return nil
}

// defaults returns the settings of a tenant's endpoint of a dialect that has none of its own.
func (s *Service) defaults(ctx context.Context, tenant string, d bellwire.Dialect, in *EndpointInput) (bellwire.Defaults, error) {
	held, err := s.limitsFor(ctx, tenant, in)
	if err != nil {
		return bellwire.Defaults{}, err
	}
	return held.Settings.Of(d.Name()).Defaults(d.Defaults()), nil
}

// applyURL sets the URL. The present URL is accepted even if it is no longer allowed, because some APIs require it in every
// change, including one that only disables the endpoint. Its address is still checked when it is dialed.
func (s *Service) applyURL(ep *bellwire.Endpoint, given *string) error {
	switch {
	case given == nil && ep.URL == "":
		return bellwire.Invalid("url", "is required")
	case given == nil, ep.URL != "" && *given == ep.URL:
		return nil
	}
	url, err := s.usableURL(*given)
	if err != nil {
		return err
	}
	ep.URL = url
	return nil
}

// usableURL returns a URL as an endpoint has it. It refuses one that no endpoint may have.
func (s *Service) usableURL(given string) (string, error) {
	url, err := destination.NormalizeURL(given)
	if err != nil || s.guard == nil {
		return url, err
	}
	return url, s.guard.CheckURL(url)
}

// applyTarget sets the description, the metadata and the dialect's specific settings.
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

// Bounds on what a dialect keeps of its own with an endpoint. Imports have any names.
const (
	maxExtra     = 16
	maxExtraName = 64
)

// checkExtra refuses what no dialect keeps, and texts that cannot be stored.
func checkExtra(extra map[string]string) error {
	if len(extra) > maxExtra {
		return bellwire.Invalid("extra", "must have at most %d entries, but has %d", maxExtra, len(extra))
	}
	for name, value := range extra {
		if name == "" || len(name) > maxExtraName || strings.ContainsFunc(name, func(c rune) bool { return c <= ' ' || c > '~' }) {
			return bellwire.Invalid("extra", "must have names of 1 to %d printable ASCII characters without spaces", maxExtraName)
		}
		if err := checkText("extra", value, bellwire.MaxURLLength); err != nil {
			return err
		}
	}
	return nil
}

// applyRetry sets the retry policy. The present policy is accepted even if it is no longer allowed; the engine applies the limit
// to it.
func (s *Service) applyRetry(ctx context.Context, ep *bellwire.Endpoint, in *EndpointInput) error {
	given := in.Retry
	if given == nil || reflect.DeepEqual(*given, ep.Retry) {
		return nil
	}
	if err := given.Check(); err != nil {
		return err
	}
	held, err := s.limitsFor(ctx, ep.Tenant, in)
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

// applySettings sets the rate limit, the requests in flight, the ordering, the signing and the status.
func applySettings(ep *bellwire.Endpoint, in *EndpointInput) error {
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
	if in.Status != nil && *in.Status != ep.Status {
		ep.StatusReason = ""
	}
	if in.Replay != "" && in.Replay != bellwire.SelectMissed {
		faults = append(faults, bellwire.Invalid("replay", "must be %q", bellwire.SelectMissed))
	}
	if in.Replay != "" && (in.Status == nil || *in.Status != bellwire.EndpointEnabled) {
		faults = append(faults, bellwire.Invalid("replay", "must be together with the status %q", bellwire.EndpointEnabled))
	}
	return bellwire.Join(append(faults,
		choose("ordering", &ep.Ordering, in.Ordering, bellwire.OrderingNone, bellwire.OrderingFIFO, bellwire.OrderingKey),
		choose("signing", &ep.Signing, in.Signing, bellwire.SigningHMAC, bellwire.SigningEd25519, bellwire.SigningBoth),
		choose("status", &ep.Status, in.Status, bellwire.EndpointEnabled, bellwire.EndpointPaused, bellwire.EndpointDisabled),
		applyStatusReason(ep, in.StatusReason),
	)...)
}

// applyStatusReason sets why the endpoint is paused or disabled.
func applyStatusReason(ep *bellwire.Endpoint, reason *string) error {
	if reason == nil {
		return nil
	}
	if ep.Status == bellwire.EndpointEnabled && *reason != "" {
		return bellwire.Invalid("status_reason", "must be left out unless the endpoint is paused or disabled")
	}
	ep.StatusReason = *reason
	return checkLine("status_reason", *reason, bellwire.MaxNameLength)
}

// applyTimes sets the timeout, and when the endpoint is disabled because it fails.
func applyTimes(ep *bellwire.Endpoint, in *EndpointInput) error {
	var faults []error
	if t := in.Timeout; t != nil {
		if *t < MinTimeout || *t > MaxTimeout {
			faults = append(faults, bellwire.Invalid("timeout", "must be between %s and %s", bellwire.Duration(MinTimeout), bellwire.Duration(MaxTimeout)))
		}
		ep.Timeout = *t
	}
	if t := in.AutoDisableAfter; t != nil {
		if *t != 0 && (*t < MinAutoDisable || *t > MaxAutoDisable) {
			faults = append(faults, bellwire.Invalid("auto_disable_after", "must be 0s, for never, or between %s and %s",
				bellwire.Duration(MinAutoDisable), bellwire.Duration(MaxAutoDisable)))
		}
		ep.AutoDisableAfter = *t
	}
	return bellwire.Join(faults...)
}

// choose sets a setting to the given value, unless that is nil. It refuses a value that is not one of the choices.
func choose[T ~string](field string, setting, given *T, choices ...T) error {
	if given == nil {
		return nil
	}
	if !slices.Contains(choices, *given) {
		return bellwire.Invalid(field, "must be %s", bellwire.OneOf(choices))
	}
	*setting = *given
	return nil
}

// applyEvents sets the subscriptions. Present ones are accepted even if their event type is gone.
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
		faults = append(faults, s.checkPattern(ctx, field, text, accepted, in.vendor))
	}
	ep.Events = patterns
	return bellwire.Join(faults...)
}

// checkPattern refuses a pattern that cannot be parsed, and the name of an event type that endpoints cannot subscribe to, unless
// it is one of those accepted. To a vendor's customers, Bellwire's own event types do not exist.
func (s *Service) checkPattern(ctx context.Context, field, text string, accepted []string, vendor bool) error {
	pattern, err := match.Parse(text)
	switch {
	case err != nil:
		return inField(field, err)
	case slices.Contains(accepted, text):
		return nil
	case vendor && bellwire.IsOperational(text):
		return unknownType(field, text, nil, false)
	case !pattern.Exact():
		return nil
	}
	_, err = s.usableType(ctx, field, text, !vendor)
	return err
}
