package service

import (
	"context"
	"fmt"
	"time"

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
	if ep.Filter == "" || ep.Filter == before.Filter && in.Events == nil && in.Versions == nil {
		return wrong
	}
	patterns, err := match.Compile(ep.Events)
	if err != nil {
		return wrong // a fault of the events, which is reported with them
	}
	program, err := s.checkFilter(ctx, ep, ep.Tenant, ep.Filter, patterns.Match)
	if err == nil && ep.Filter != before.Filter && !in.coming.isComing(ep.Tenant) {
		err = s.checkFilterRoom(ctx, ep.Tenant, program)
	}
	return bellwire.Join(wrong, err)
}

// checkFilter compiles a filter, and checks it against the schemas of the event types that it will see, in the versions that the
// endpoint gets; without an endpoint in the newest.
func (s *Service) checkFilter(ctx context.Context, ep *bellwire.Endpoint, tenant, text string, sees func(eventType string) bool) (*filter.Program, error) {
	catalogue, err := s.directory.Catalogue(ctx)
	if err != nil {
		return nil, err
	}
	var seen []*bellwire.EventType
	size := 0
	for _, name := range catalogue.Names() {
		t, _ := catalogue.Type(name)
		if !t.Archived && sees(name) {
			seen = append(seen, seenBy(ep, t))
			size += len(seen[len(seen)-1].Schema)
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

// Bounds on what a filter is tried on.
const (
	DefaultTrial = 100  // events
	MaxTrial     = 1000 // events
	maxExamples  = 3    // of each outcome
)

// FilterTrial is a filter to be tried on the newest stored events.
type FilterTrial struct {
	Filter   string
	Types    []string // patterns of the events to try it on; nil for all
	Limit    *int     // number of these events; nil for DefaultTrial
	Endpoint string   // that gets the events in its versions; empty: they are as they were published
}

// TriedFilter says how many events a filter chooses. Fewer events than asked for are tried if the tenant has no more, or if it
// takes too long to find or to evaluate them.
type TriedFilter struct {
	Matched, Unmatched, Errors int
	Examples                   []FilterExample // the newest ones of each outcome
}

// FilterExample is an event that a filter was tried on.
type FilterExample struct {
	Event *bellwire.Event
	filter.Explanation
}

// TryFilter evaluates a filter on a tenant's newest events, and sends nothing.
func (s *Service) TryFilter(ctx context.Context, c Caller, tenant string, in FilterTrial) (*TriedFilter, error) {
	if err := authorizeIn(c, Read, tenant); err != nil {
		return nil, err
	}
	if err := s.checkTrials(tenant); err != nil {
		return nil, err
	}
	limit := DefaultTrial
	if in.Limit != nil {
		limit = *in.Limit
	}
	if limit < 1 || limit > MaxTrial {
		return nil, bellwire.Invalid("limit", "must be between 1 and %s", bellwire.Number(MaxTrial))
	}
	sees, err := trialTypes(in.Types)
	if err != nil {
		return nil, err
	}
	var ep *bellwire.Endpoint
	if in.Endpoint != "" {
		if ep, err = s.endpointToRead(ctx, c, tenant, in.Endpoint); err != nil {
			return nil, err
		}
	}
	checked := func(eventType string) bool { return in.Types != nil && sees(eventType) }
	program, err := s.checkFilter(ctx, ep, tenant, in.Filter, checked)
	if err != nil {
		return nil, err
	}
	end, err := s.beginTrial(ctx, tenant)
	if err != nil {
		return nil, err
	}
	defer end()
	trial := &trial{service: s, endpoint: ep, program: program, sees: sees, limit: limit, steps: limits.AllFilterSteps}
	return &trial.result, s.readTrial(ctx, c, tenant, trial)
}

// checkTrials refuses a trial of a filter or of versions if the tenant has no steps left for it.
func (s *Service) checkTrials(tenant string) error {
	wait, ok := s.mayTry(tenant)
	if ok {
		return nil
	}
	return &bellwire.Error{
		Code:       bellwire.CodeRateLimited,
		Message:    "filters or versions were tried on the tenant's events for too long; try again in " + inSeconds(wait) + ", with a simpler filter or on fewer events",
		RetryAfter: wait,
	}
}

// mayTry reports whether a tenant has steps left for a trial, or else when it will have some.
func (s *Service) mayTry(tenant string) (wait time.Duration, ok bool) {
	return s.trials.Allow(tenant, limits.TrialSteps, limits.TrialStepsBurst, 1)
}

// beginTrial waits until a filter or versions may be tried on a tenant's events. Trials keep events in memory while they wait for the
// tenant's turns, so few run at a time. The caller must call end.
func (s *Service) beginTrial(ctx context.Context, tenant string) (end func(), err error) {
	end, err = s.trialPlaces.EnterWithin(ctx, tenant, limits.TrialWait)
	if err != nil {
		return nil, err
	}
	if err := s.checkTrials(tenant); err != nil { // trials before this one may have used up the steps
		end()
		return nil, err
	}
	return end, nil
}

// trialTypes returns which event types a filter is tried on: all without patterns.
func trialTypes(texts []string) (sees func(eventType string) bool, err error) {
	if texts == nil {
		return func(string) bool { return true }, nil
	}
	if len(texts) < 1 || len(texts) > MaxPatterns {
		return nil, bellwire.Invalid("types", "must have 1 to %d entries, but has %s", MaxPatterns, bellwire.Number(len(texts)))
	}
	var faults []error
	for i, text := range texts {
		if _, err := match.Parse(text); err != nil {
			faults = append(faults, inField(fmt.Sprintf("types[%d]", i), err))
		}
	}
	if err := bellwire.Join(faults...); err != nil {
		return nil, err
	}
	patterns, err := match.Compile(texts)
	if err != nil {
		return nil, inField("types", err)
	}
	return patterns.Match, nil
}

// readTrial tries a filter on pages of events, newest first.
func (s *Service) readTrial(ctx context.Context, c Caller, tenant string, t *trial) error {
	page := bellwire.Page{Limit: min(t.limit, MaxPageLimit)}
	for t.searched < maxSearched && t.bytes < maxSearchedBytes {
		events, err := s.readEvents(ctx, c, bellwire.EventFilter{Tenant: tenant}, page)
		if err != nil {
			return err
		}
		if err := s.tryPage(ctx, tenant, t, events.Items); err != nil {
			return err
		}
		if t.done() || events.Next == "" {
			return nil
		}
		page = bellwire.Page{Limit: MaxPageLimit, After: events.Next}
	}
	return nil
}

// tryPage tries a filter on some events, in the turns of their tenant.
func (s *Service) tryPage(ctx context.Context, tenant string, t *trial, events []*bellwire.Event) error {
	for len(events) > 0 && !t.done() {
		end, err := s.directory.BeginFilters(ctx, tenant)
		if err != nil {
			return err
		}
		turn := limits.FilterTurnSteps
		for ; turn > 0 && len(events) > 0 && !t.done(); events = events[1:] {
			steps, err := t.try(ctx, events[0])
			if err != nil {
				end()
				return err
			}
			turn -= steps
		}
		end()
		s.trials.Take(tenant, limits.TrialSteps, limits.TrialStepsBurst, limits.FilterTurnSteps-turn)
		if _, ok := s.mayTry(tenant); !ok {
			t.steps = 0
		}
	}
	return nil
}

// trial is a filter that is being tried.
type trial struct {
	service  *Service
	endpoint *bellwire.Endpoint // that gets the events; nil: they are as they were published
	program  *filter.Program
	sees     func(eventType string) bool
	limit    int
	steps    int // left of all evaluations
	result   TriedFilter

	searched, bytes int // events and their data that were looked at
}

func (t *trial) done() bool {
	return t.result.Matched+t.result.Unmatched+t.result.Errors >= t.limit || t.steps <= 0
}

// try evaluates the filter on an event, and returns how many steps that took.
func (t *trial) try(ctx context.Context, e *bellwire.Event) (steps int, err error) {
	t.searched++
	t.bytes += len(e.Data)
	if e.Test || e.Erased != nil || !t.sees(e.Type) {
		return 0, nil
	}
	explained, steps, err := t.explain(ctx, e)
	if err != nil {
		return steps, err
	}
	t.steps -= steps
	count := map[filter.Outcome]*int{filter.Matched: &t.result.Matched, filter.Unmatched: &t.result.Unmatched, filter.Failed: &t.result.Errors}[explained.Outcome]
	if *count++; *count <= maxExamples {
		t.result.Examples = append(t.result.Examples, FilterExample{Event: e, Explanation: explained})
	}
	return steps, nil
}

// explain evaluates the filter on an event as the endpoint gets it, and returns how many steps that took.
func (t *trial) explain(ctx context.Context, e *bellwire.Event) (of filter.Explanation, steps int, err error) {
	if t.endpoint != nil {
		e, steps, err = t.service.convert(ctx, t.endpoint, e)
		if bellwire.CodeOf(err) == bellwire.CodeInvalid {
			return filter.Explanation{Outcome: filter.Failed, Condition: t.program.String(), Problem: reasonOf(err)}, steps, nil
		}
		if err != nil {
			return of, steps, err
		}
	}
	evaluation := filter.Begin(e)
	defer evaluation.End()
	of = evaluation.Explain(t.program)
	return of, steps + evaluation.Steps(), nil
}
