package directory

import (
	"context"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"weak"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/filter"
	"github.com/bellwire/bellwire/internal/limits"
)

// compiledFilter is the filter of an endpoint.
type compiledFilter struct {
	program *filter.Program // nil if it can no longer be compiled, which counts as a failure
	skip    bool            // events for which it has no answer are not delivered
}

// compileFilter returns the filter of an endpoint, or nil if it has none.
func (d *Directory) compileFilter(ctx context.Context, ep *bellwire.Endpoint) *compiledFilter {
	if ep.Filter == "" {
		return nil
	}
	program, _, err := d.programs.get(ep.Filter)
	if err != nil {
		d.logger.LogAttrs(ctx, slog.LevelError, "filter of an endpoint cannot be compiled",
			slog.String("endpoint", ep.ID), slog.String("tenant", ep.Tenant), slog.Any("error", err))
	}
	return &compiledFilter{program: program, skip: ep.OnError == bellwire.OnErrorSkip}
}

// Filter returns the filter with a text, and reports whether it had to be compiled, because no endpoint in memory has it.
func (d *Directory) Filter(text string) (program *filter.Program, compiled bool, err error) {
	return d.programs.get(text)
}

// programs are the compiled filters that are in use, by their text. They are dropped with the last tenant that uses them.
type programs struct {
	mu     sync.Mutex
	byText map[string]weak.Pointer[filter.Program]
}

// get returns a filter, and reports whether it had to be compiled.
func (p *programs) get(text string) (program *filter.Program, compiled bool, err error) {
	p.mu.Lock()
	known := p.byText[text].Value()
	p.mu.Unlock()
	if known != nil {
		return known, false, nil
	}
	program, err = filter.Compile(text)
	if err != nil {
		return nil, true, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.byText[text].Value(); known != nil {
		return known, true, nil
	}
	if p.byText == nil {
		p.byText = make(map[string]weak.Pointer[filter.Program])
	}
	p.byText[text] = weak.Make(program)
	runtime.AddCleanup(program, p.drop, text)
	return program, true, nil
}

// drop forgets a filter that is no longer in use, unless it was compiled again.
func (p *programs) drop(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byText[text].Value() == nil {
		delete(p.byText, text)
	}
}

// Recipients implements bellwire.Subscriptions.
func (t *Tenant) Recipients(ctx context.Context, events []bellwire.NewEvent, targets [][]*bellwire.Target, o bellwire.Observer) error {
	turn := filterTurn{tenant: t, left: limits.ShortFilterSteps, total: limits.AllFilterSteps}
	defer turn.end()
	for i := range events {
		e := &events[i].Event
		if e.Problem != "" {
			targets[i] = nil
			continue
		}
		found := t.subscribers(e.Type)
		targets[i] = found.targets
		if found.filters == nil {
			continue
		}
		passed, err := turn.filter(ctx, found, e, o)
		if err != nil {
			return err
		}
		targets[i] = passed
	}
	return nil
}

// Gets reports whether the endpoint with the id gets an event, as Recipients decides it.
func (t *Tenant) Gets(ctx context.Context, endpoint string, e *bellwire.Event, o bellwire.Observer) (bool, error) {
	found := t.subscribers(e.Type)
	at := slices.IndexFunc(found.targets, func(target *bellwire.Target) bool { return target.Endpoint.ID == endpoint })
	if at < 0 || e.Problem != "" {
		return false, nil
	}
	if found.filters == nil {
		return true, nil
	}
	turn := filterTurn{tenant: t, left: limits.ShortFilterSteps, total: limits.AllFilterSteps}
	defer turn.end()
	passed, err := turn.filter(ctx, subscribers{targets: found.targets[at : at+1], filters: found.filters[at : at+1]}, e, o)
	return len(passed) > 0, err
}

// BeginFilters waits for a tenant's turn to evaluate filters. The caller must call end after limits.FilterTurnSteps.
func (d *Directory) BeginFilters(ctx context.Context, tenant string) (end func(), err error) {
	return d.enterChecks(ctx, tenant)
}

// filterTurn evaluates the filters of one publication. When that takes long, it waits for the tenant's turn.
type filterTurn struct {
	tenant *Tenant
	left   int // steps left before it must wait, again
	total  int // steps left of the publication
	leave  func()
}

// filter returns those of the subscribers whose filters let the event pass.
func (turn *filterTurn) filter(ctx context.Context, from subscribers, e *bellwire.Event, o bellwire.Observer) ([]*bellwire.Target, error) {
	evaluation := filter.Begin(e)
	defer evaluation.End()
	var older olderData
	defer func() { older.end() }()
	passed := make([]*bellwire.Target, 0, len(from.targets))
	for i, target := range from.targets {
		if from.filters[i] == nil {
			passed = append(passed, target)
			continue
		}
		if turn.left <= 0 {
			if err := turn.await(ctx); err != nil {
				return nil, err
			}
		}
		sees := evaluation
		if turn.total > 0 && target.Endpoint.GetsOlder(e) {
			var err error
			var steps int
			if sees, steps, err = older.evaluation(ctx, target, e, evaluation); err != nil {
				return nil, err
			}
			turn.left -= steps
			turn.total -= steps
		}
		if turn.passes(from.filters[i], sees, target.Endpoint, o) {
			passed = append(passed, target)
		}
	}
	return passed, nil
}

// olderData are the evaluations of an event in older versions, by their number. An evaluation is nil if the data cannot be
// converted.
type olderData map[int]*filter.Evaluation

// evaluation returns the evaluation of the event in the version that the target gets, and how many steps its conversion took. A
// filter is over what its endpoint receives.
func (o *olderData) evaluation(ctx context.Context, target *bellwire.Target, e *bellwire.Event, published *filter.Evaluation) (of *filter.Evaluation, steps int, err error) {
	conversion, err := target.Versions.Conversion(ctx, target.Endpoint, e)
	if err != nil || conversion == nil {
		return published, 0, err
	}
	known, ok := (*o)[conversion.Number()]
	if ok {
		return known, 0, nil
	}
	if *o == nil {
		*o = make(olderData)
	}
	converted, steps, err := conversion.Convert(e)
	if err == nil {
		known = filter.Begin(converted)
	}
	(*o)[conversion.Number()] = known
	return known, steps, nil
}

func (o olderData) end() {
	for _, evaluation := range o {
		if evaluation != nil {
			evaluation.End()
		}
	}
}

// passes reports whether a filter lets the event pass. If it has no answer, or the event is nil because its data cannot be
// converted, on_error decides.
func (turn *filterTurn) passes(f *compiledFilter, evaluation *filter.Evaluation, ep *bellwire.Endpoint, o bellwire.Observer) bool {
	if f.program != nil && evaluation != nil && turn.total > 0 {
		before := evaluation.Steps()
		matched, err := evaluation.Match(f.program)
		steps := evaluation.Steps() - before
		turn.left -= steps
		turn.total -= steps - limits.StepsPerFilter
		if err == nil {
			return matched
		}
	}
	o.FilterFailed(ep, !f.skip)
	return !f.skip
}

func (turn *filterTurn) await(ctx context.Context) (err error) {
	turn.end()
	if ctx.Err() != nil {
		return leftError(context.Cause(ctx))
	}
	turn.leave, err = turn.tenant.directory.enterChecks(ctx, turn.tenant.ID)
	turn.left = limits.FilterTurnSteps
	return err
}

func (turn *filterTurn) end() {
	if turn.leave != nil {
		turn.leave()
		turn.leave = nil
	}
}
