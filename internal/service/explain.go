package service

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/filter"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/match"
)

// Explain returns an event, and says for each endpoint of the tenant what became of the event there. The page is of endpoints,
// newest first. Deleted endpoints are among them while they have a history.
func (s *Service) Explain(ctx context.Context, c Caller, tenant string, id bellwire.EventID, page bellwire.Page) (*bellwire.Event, *bellwire.List[*bellwire.Explanation], error) {
	if err := authorizeIn(c, Read, tenant); err != nil {
		return nil, nil, err
	}
	if err := checkPage(&page); err != nil {
		return nil, nil, err
	}
	ctx, end, err := s.beginRead(ctx, c, Read, tenant)
	if err != nil {
		return nil, nil, err
	}
	defer end()
	e, err := s.store.Explain(ctx, tenant, id, fitted(ctx, page))
	if err != nil {
		return nil, nil, err
	}
	t, err := s.store.Tenant(ctx, tenant)
	if err != nil {
		return nil, nil, err
	}
	again := s.filtersAgain(e.Event)
	defer again.end()
	explained := mapList(&e.Endpoints, func(at *bellwire.EndpointAt) *bellwire.Explanation {
		for _, standing := range []*bellwire.Standing{at.Then, at.Now} {
			if standing != nil {
				standing.By = actorFor(c, standing.By)
			}
		}
		x := explain(ctx, e, at, again)
		explainTenant(x, at, t)
		return x
	})
	return shownEvent(c, e.Event), explained, again.err
}

// maxOutcomes is how many deliveries of an event in a list are looked at.
const maxOutcomes = 100

// EventOutcomes counts what became of events that the caller has listed: those of a tenant, or of all tenants if it is empty, which
// is for operators.
func (s *Service) EventOutcomes(ctx context.Context, c Caller, tenant string, events []*bellwire.Event) (map[bellwire.EventID]*bellwire.EventOutcomes, error) {
	ctx, end, err := s.beginSearch(ctx, c, tenant)
	if err != nil {
		return nil, err
	}
	defer end()
	ids := make([]bellwire.EventID, len(events))
	for i, e := range events {
		ids[i] = e.ID
	}
	return s.store.EventOutcomes(ctx, ids, maxOutcomes)
}

// filtersAgain evaluates filters again, each on the event as its endpoint gets it. That is part of the read, so it takes no longer than
// a read may, and limits.ExplainSteps at most.
type filtersAgain struct {
	service *Service
	event   *bellwire.Event
	steps   int                // left
	seen    map[int]eventAgain // by version; 0: as it was published
	err     error              // the first one of reading the catalogue
}

// eventAgain is an event in a version, or why there is none.
type eventAgain struct {
	evaluation *filter.Evaluation
	err        error
}

// filtersAgain returns the filters of an event. The caller must call end.
func (s *Service) filtersAgain(e *bellwire.Event) *filtersAgain {
	return &filtersAgain{service: s, event: e, steps: limits.ExplainSteps, seen: map[int]eventAgain{0: {evaluation: filter.Begin(e)}}}
}

func (f *filtersAgain) end() {
	for _, again := range f.seen {
		if again.evaluation != nil {
			again.evaluation.End()
		}
	}
}

// explain evaluates the filter of a standing. A filter that can no longer be compiled has failed, and so has one over data that cannot
// be converted. The result is zero if no steps are left, or no time.
func (f *filtersAgain) explain(ctx context.Context, then *bellwire.Standing) filter.Explanation {
	if f.steps <= 0 || ctx.Err() != nil {
		return filter.Explanation{}
	}
	failed := func(problem string) filter.Explanation {
		return filter.Explanation{Outcome: filter.Failed, Condition: then.Filter, Problem: problem}
	}
	program, compiled, err := f.service.directory.Filter(then.Filter)
	if compiled {
		f.steps -= limits.CompileSteps * len(then.Filter)
	}
	if err != nil {
		return failed("it cannot be compiled")
	}
	evaluation, err := f.seenAt(ctx, then)
	if err != nil {
		return failed(reasonOf(err))
	}
	before := evaluation.Steps()
	found := evaluation.Explain(program)
	f.steps -= evaluation.Steps() - before
	return found
}

// seenAt returns the event as an endpoint with the standing gets it.
func (f *filtersAgain) seenAt(ctx context.Context, then *bellwire.Standing) (*filter.Evaluation, error) {
	ep := &bellwire.Endpoint{Catalogue: then.Catalogue, Versions: then.Versions}
	if !ep.GetsOlder(f.event) {
		return f.seen[0].evaluation, nil
	}
	conversion, err := f.service.directory.Conversion(ctx, ep, f.event)
	if err != nil {
		f.err = cmp.Or(f.err, err)
		return nil, err
	}
	if conversion == nil {
		return f.seen[0].evaluation, nil
	}
	known, ok := f.seen[conversion.Number()]
	if !ok {
		converted, steps, err := conversion.Convert(f.event)
		f.steps -= steps
		if known.err = err; err == nil {
			known.evaluation = filter.Begin(converted)
		}
		f.seen[conversion.Number()] = known
	}
	return known.evaluation, known.err
}

// explain says what became of an event at an endpoint.
func explain(ctx context.Context, e *bellwire.Explained, at *bellwire.EndpointAt, again *filtersAgain) *bellwire.Explanation {
	x := &bellwire.Explanation{Endpoint: at.Endpoint, Delivery: at.Delivery}
	switch {
	case at.Delivery != nil:
		explainDelivery(ctx, x, e, at, again)
	case e.Unmatched:
		x.Fate, x.Reason = bellwire.FatePending, "the event waits to be matched with endpoints"
	case at.Then == nil && at.Begins.Action == bellwire.ChangeCreated:
		x.Fate, x.Since = bellwire.FateCreatedLater, at.Begins.At
		x.Reason = "the endpoint was created at " + moment(at.Begins.At) + ", after the event"
	case e.Event.Problem != "":
		x.Fate, x.Reason = bellwire.FateCanceled, "the event was not sent to any endpoint: "+e.Event.Problem
	case e.Event.Test:
		x.Fate, x.Reason = bellwire.FateNotSubscribed, "the event is a test of another endpoint"
	case e.Event.Imported:
		x.Fate, x.Reason = bellwire.FateNotSubscribed, "the event was imported, and imported events are sent to nobody; a replay sends it"
	case at.Then == nil:
		x.Fate = bellwire.FateUnknown
		x.Reason = "the endpoint's history begins at " + moment(at.Begins.At) + ", after the event"
	default:
		explainNone(ctx, x, e, at.Then, again)
	}
	return x
}

// explainDelivery explains an event that has a delivery to the endpoint.
func explainDelivery(ctx context.Context, x *bellwire.Explanation, e *bellwire.Explained, at *bellwire.EndpointAt, again *filtersAgain) {
	d := at.Delivery
	x.Fate, x.Reason = fates[d.Status], d.Reason
	if d.Replay {
		x.Reason = replayed(d)
	}
	if x.Reason == "" && at.Then != nil && at.Then.Filter != "" && e.Event.Erased == nil {
		if found := again.explain(ctx, at.Then); found.Outcome == filter.Failed {
			x.Reason = "the endpoint's filter had no answer for the event, because " + found.Problem + ": " + found.Condition
		}
	}
	switch {
	case e.Event.DeliverAt.After(now()) && d.Status == bellwire.DeliveryPending:
		x.Reason = "the event is to be delivered at " + moment(e.Event.DeliverAt)
	case !at.Ahead.IsZero():
		x.Reason = "behind " + at.Ahead.String() + ", an earlier delivery with the same ordering_key"
	}
	switch {
	case d.Status.Open() && at.Now.Deleted:
		stand(x, "the endpoint was deleted", at.Now, "; the delivery is about to be canceled")
	case d.Status.Open() && at.Now.Status == bellwire.EndpointDisabled && !d.OpenTest():
		stand(x, "the endpoint was disabled", at.Now, "; the delivery is about to be canceled")
	case d.Status.Open() && at.Now.Status == bellwire.EndpointPaused && !d.OpenTest():
		x.Fate = bellwire.FatePaused
		stand(x, "the endpoint was paused", at.Now, "")
	case d.Status != bellwire.DeliveryCanceled || d.UpdatedAt.Before(at.Now.Since):
	case at.Now.Deleted && d.Reason == bellwire.ReasonEndpointDeleted:
		stand(x, "the endpoint was deleted", at.Now, "")
	case !at.Now.Deleted && at.Now.Status == bellwire.EndpointDisabled && d.Reason == bellwire.ReasonDisabledFor(at.Now.Reason):
		stand(x, "the endpoint was disabled", at.Now, "")
	}
}

// explainTenant says that an open delivery waits because its tenant is paused, unless it is about to be canceled.
func explainTenant(x *bellwire.Explanation, at *bellwire.EndpointAt, t *bellwire.Tenant) {
	if !t.Paused || at.Delivery == nil || !at.Delivery.Status.Open() {
		return
	}
	if at.Now.Deleted || at.Now.Status == bellwire.EndpointDisabled && !at.Delivery.OpenTest() {
		return
	}
	x.Fate, x.Since, x.By = bellwire.FatePaused, t.StatusSince, nil
	x.Reason = "the tenant was paused at " + moment(t.StatusSince)
	if t.StatusReason != "" {
		x.Reason += ": " + t.StatusReason
	}
}

// replayed says that a job has made the delivery, and why it ended if its status does not tell.
func replayed(d *bellwire.Delivery) string {
	reason := "replayed by job " + d.Job.String()
	if d.Reason == "" || d.Reason == bellwire.ReasonReplayed {
		return reason
	}
	return reason + "; " + d.Reason
}

var fates = map[bellwire.DeliveryStatus]bellwire.Fate{
	bellwire.DeliveryPending:   bellwire.FatePending,
	bellwire.DeliveryRetrying:  bellwire.FateRetrying,
	bellwire.DeliverySucceeded: bellwire.FateDelivered,
	bellwire.DeliveryExhausted: bellwire.FateExhausted,
	bellwire.DeliveryCanceled:  bellwire.FateCanceled,
}

// explainNone explains an event that has no delivery to the endpoint, by the endpoint's standing when the event was stored. All
// that can keep an event from an endpoint is here, in the order in which it is asked.
func explainNone(ctx context.Context, x *bellwire.Explanation, e *bellwire.Explained, then *bellwire.Standing, again *filtersAgain) {
	switch {
	case then.Deleted:
		x.Fate = bellwire.FateDeleted
		stand(x, "the endpoint was deleted", then, "")
	case then.Status == bellwire.EndpointDisabled:
		x.Fate = bellwire.FateDisabled
		stand(x, "the endpoint had been disabled", then, "")
	case !matches(then.Events, e.Event.Type):
		x.Fate, x.Reason = bellwire.FateNotSubscribed, notSubscribed(then.Events, e.Event.Type)
	case e.FanningOut && then.Filter != "":
		x.Fate, x.Reason = bellwire.FatePending, "the event has so many deliveries that not all are stored yet; the endpoint's filter decides whether this is one of them"
	case e.FanningOut:
		x.Fate, x.Reason = bellwire.FatePending, "the event has so many deliveries that this one is not stored yet"
	case then.Filter != "":
		x.Fate, x.Reason = bellwire.FateFiltered, filtered(ctx, then, again)
	default:
		x.Fate, x.Reason = bellwire.FateNotSubscribed, "the endpoint was changed while the event was being stored, and did not match before"
	}
}

// matches reports whether one of the patterns matches an event type. Stored patterns can always be compiled.
func matches(patterns []string, eventType string) bool {
	compiled, err := match.Compile(patterns)
	return err == nil && compiled.Match(eventType)
}

// maxPatternsShown is how many of an endpoint's patterns a reason names.
const maxPatternsShown = 5

func notSubscribed(patterns []string, eventType string) string {
	shown := patterns[:min(len(patterns), maxPatternsShown)]
	more := ""
	if n := len(patterns) - len(shown); n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("the endpoint's events were %s%s, and none of them matches %s", strings.Join(shown, ", "), more, eventType)
}

// stand explains a fate by a standing: since when it holds, and who is responsible.
func stand(x *bellwire.Explanation, what string, standing *bellwire.Standing, end string) {
	x.Since, x.By = standing.Since, &standing.By
	x.Reason = what + " at " + moment(standing.Since) + by(standing.By)
	if standing.Reason != "" {
		x.Reason += ": " + standing.Reason
	}
	x.Reason += end
}

// by names an actor in a sentence.
func by(a bellwire.Actor) string {
	switch {
	case a.Role == bellwire.RolePortal:
		return " in the portal session " + a.Session.String()
	case a.Kind == bellwire.ActorKey && !a.Key.IsZero():
		return " by the " + string(a.Role) + " key " + a.Key.String()
	case a.Kind == bellwire.ActorKey:
		return " by an operator"
	case a.Kind == bellwire.ActorConfigured:
		return " by an operator with the configured admin key"
	case a.Kind == bellwire.ActorVouched:
		return " by a caller of the dialect's API"
	case a.Kind == bellwire.ActorBellwire:
		return " by Bellwire (" + a.Reason + ")"
	}
	return " or before"
}

// filtered explains an event that an endpoint's filter has kept from it. That follows from there being no delivery, although all
// else would have let the event pass.
func filtered(ctx context.Context, then *bellwire.Standing, again *filtersAgain) string {
	if again.event.Erased != nil {
		return "the endpoint's filter did not match the event, whose data was erased since: " + then.Filter
	}
	found := again.explain(ctx, then)
	switch found.Outcome {
	case filter.Unmatched:
		return "the endpoint's filter did not match the event: " + found.Condition
	case filter.Failed:
		return "the endpoint's filter had no answer for the event, because " + found.Problem + ": " + found.Condition
	}
	return "the endpoint's filter did not match the event: " + then.Filter
}

func moment(at time.Time) string { return at.UTC().Format(time.RFC3339) }
