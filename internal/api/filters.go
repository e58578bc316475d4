package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

// filterTrial is a filter to be tried.
type filterTrial struct {
	Filter   value[string]   `json:"filter,omitzero" example:"data.amount > 100" doc:"The filter, as an endpoint would have it."`
	Types    value[[]string] `json:"types,omitzero" example:"invoice.*" doc:"Patterns of the events to try it on, like those of an endpoint; the filter is checked against the schemas of these types. By default all events, without a check against schemas."`
	Endpoint string          `json:"endpoint,omitempty" example:"ep_0198c7a3f2e47d0a9b1c2d3e4f506172" doc:"The endpoint that would have the filter: it is tried on the events in the versions that this endpoint gets. By default events are as they were published."`
	Limit    value[int]      `json:"limit,omitzero" example:"100" doc:"Number of events: 1 to 1,000; default 100."`
}

// TransformSchema marks the required field.
func (filterTrial) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Required = []string{"filter"}
	return s
}

// triedFilter is what a filter makes of events.
type triedFilter struct {
	Matched   int             `json:"matched" example:"12" doc:"Number of events that the endpoint would get."`
	Unmatched int             `json:"unmatched" example:"87" doc:"Number of events that it would not get."`
	Errors    int             `json:"errors" example:"1" doc:"Number of events for which the filter has no answer; on_error decides."`
	Examples  []filterExample `json:"examples" doc:"Up to three events of each kind, newest first."`
}

type filterExample struct {
	Event     bellwire.EventID `json:"event" example:"evt_0198c7a3f2e47d0a9b1c2d3e4f506172"`
	Type      string           `json:"type" example:"invoice.paid"`
	CreatedAt time.Time        `json:"created_at" doc:"When Bellwire accepted the event."`
	Outcome   string           `json:"outcome" enum:"matched,unmatched,error"`
	Condition string           `json:"condition,omitzero" example:"data.amount > 100" doc:"The condition that decided, unless the event matched."`
	Problem   string           `json:"problem,omitzero" example:"data.amount does not exist" doc:"Why the condition has no answer."`
}

func wireTriedFilter(t *service.TriedFilter) triedFilter {
	wire := triedFilter{Matched: t.Matched, Unmatched: t.Unmatched, Errors: t.Errors, Examples: make([]filterExample, len(t.Examples))}
	for i, e := range t.Examples {
		wire.Examples[i] = filterExample{
			Event: e.Event.ID, Type: e.Event.Type, CreatedAt: e.Event.CreatedAt.UTC(),
			Outcome: string(e.Outcome), Condition: e.Condition, Problem: e.Problem,
		}
	}
	return wire
}

func (a *api) filters() {
	type tried struct {
		InTenant
		Input body[filterTrial]
	}
	single(a, service.Read, huma.Operation{
		OperationID: "try-filter", Method: http.MethodPost, Path: "/tenants/{tenant}/filters/try", Tags: []string{tagEndpoints},
		Summary: "Try a filter",
		Description: "Evaluates a filter on the newest stored events, and sends nothing. Fewer events than `limit` are tried if there " +
			"are no more, or if it takes too long to find or to evaluate them.",
	}, func(ctx context.Context, c service.Caller, in *tried) (*output[triedFilter], error) {
		given := in.Input.value
		if given.Filter.given == nil {
			return nil, bellwire.Invalid("filter", "is required")
		}
		trial := service.FilterTrial{Filter: *given.Filter.given, Limit: given.Limit.given, Endpoint: given.Endpoint}
		if given.Types.given != nil {
			trial.Types = *given.Types.given
		}
		result, err := a.svc.TryFilter(ctx, c, in.Tenant, trial)
		return answer(result, err, wireTriedFilter)
	})
}
