package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

// explanation says what became of an event at an endpoint, on the wire.
type explanation struct {
	Endpoint string               `json:"endpoint" example:"ep_0198c7a3f2e47d0a9b1c2d3e4f506172"`
	Outcome  bellwire.Fate        `json:"outcome" enum:"delivered,pending,retrying,exhausted,canceled,paused,not_subscribed,filtered,disabled,created_later,deleted,unknown" doc:"paused: the delivery waits because the endpoint or the tenant is paused. not_subscribed, filtered, disabled, created_later and deleted: there is no delivery, because of what the endpoint was when the event was stored. unknown: the endpoint's history does not reach back to the event."`
	Reason   string               `json:"reason" doc:"Why, in words; empty if the outcome says it all."`
	Delivery *bellwire.DeliveryID `json:"delivery" nullable:"true" example:"dlv_0198c7a3f2e47d0a9b1c2d3e4f506173" doc:"null if there is none. Of several deliveries, the one that succeeded, or else the latest."`
	Job      *bellwire.JobID      `json:"job,omitempty" example:"job_0198c7a3f2e47d0a9b1c2d3e4f506175" doc:"If the delivery is a replay, the job that made it."`
	Since    *time.Time           `json:"since,omitempty" doc:"When the endpoint was paused, disabled, deleted or created, if that is the reason."`
	By       *actor               `json:"by,omitempty" doc:"Who did that."`
}

func wireExplanation(x *bellwire.Explanation) explanation {
	wire := explanation{Endpoint: x.Endpoint, Outcome: x.Fate, Reason: x.Reason}
	if x.Delivery != nil {
		wire.Delivery = &x.Delivery.ID
		if x.Delivery.Replay {
			wire.Job = &x.Delivery.Job
		}
	}
	if !x.Since.IsZero() {
		wire.Since = new(x.Since.UTC())
	}
	if x.By != nil {
		wire.By = new(wireActor(*x.By))
	}
	return wire
}

// explainedEvent is an event with the first page of its explanations. It encodes itself as an event does.
type explainedEvent struct {
	Event
	Endpoints           []explanation `json:"endpoints" doc:"What became of the event at each endpoint that the tenant has, and at deleted ones, newest first. There can be more: see endpoints_next_cursor."`
	EndpointsNextCursor *string       `json:"endpoints_next_cursor" nullable:"true" doc:"If there are more endpoints, the cursor for the rest of them in GET …/events/{id}/endpoints; else null."`
}

func (e explainedEvent) appendJSON(b []byte) ([]byte, error) {
	b, err := e.Event.appendJSON(b)
	if err != nil {
		return nil, err
	}
	rest, err := marshal(nil, struct {
		Endpoints           []explanation `json:"endpoints"`
		EndpointsNextCursor *string       `json:"endpoints_next_cursor"`
	}{e.Endpoints, e.EndpointsNextCursor})
	if err != nil {
		return nil, err
	}
	b[len(b)-1] = ','
	return append(b, rest[1:]...), nil
}

// OfEvent has the parameters of operations on an event.
type OfEvent struct {
	InTenant
	ID string `path:"id" example:"evt_0198c7a3f2e47d0a9b1c2d3e4f506172" doc:"The event's id."`
}

func (in *OfEvent) id() (bellwire.EventID, error) {
	var id bellwire.EventID
	if id.UnmarshalText([]byte(in.ID)) != nil {
		return id, bellwire.NotFound("event", in.ID)
	}
	return id, nil
}

// explainedEndpoints is how many endpoints an event is answered with.
const explainedEndpoints = 100

func (a *api) explanations() {
	const one, endpoints = "/tenants/{tenant}/events/{id}", "/tenants/{tenant}/events/{id}/endpoints"

	route(a, service.Read, huma.Operation{
		OperationID: "get-event", Method: http.MethodGet, Path: one, Tags: []string{tagEvents},
		Summary:     "Get an event",
		Description: "Says what became of it at each endpoint, and why: also where there is no delivery.",
	}, func(ctx context.Context, c service.Caller, in *OfEvent) (*output[explainedEvent], error) {
		id, err := in.id()
		if err != nil {
			return nil, err
		}
		e, explained, err := a.svc.Explain(ctx, c, in.Tenant, id, bellwire.Page{Limit: explainedEndpoints})
		if err == nil {
			err = callOf(ctx).charge(len(e.Data))
		}
		if err != nil {
			return nil, err
		}
		rest, err := wireList(a, callOf(ctx).url.Path+"/endpoints?", explained, wireExplanation)
		if err != nil {
			return nil, err
		}
		return &output[explainedEvent]{Body: explainedEvent{wireEvent(e), rest.Data, rest.NextCursor}}, nil
	})

	type listed struct {
		OfEvent
		Paging
	}
	route(a, service.Read, huma.Operation{
		OperationID: "list-event-endpoints", Method: http.MethodGet, Path: endpoints, Tags: []string{tagEvents},
		Summary:     "List what became of an event at each endpoint",
		Description: "Like `endpoints` of the event, for tenants with more endpoints than that shows.",
	}, func(ctx context.Context, c service.Caller, in *listed) (*output[list[explanation]], error) {
		id, err := in.id()
		if err != nil {
			return nil, err
		}
		return paged(ctx, a, in.Paging, func(page bellwire.Page) (*bellwire.List[*bellwire.Explanation], error) {
			_, explained, err := a.svc.Explain(ctx, c, in.Tenant, id, page)
			return explained, err
		}, wireExplanation)
	})
}
