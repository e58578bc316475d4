package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bellwire/bellwire/internal/service"
)

// NewVersionInput is a version to be added to an event type. It is exported because other structs embed it.
type NewVersionInput struct {
	Schema    rawJSON `json:"schema,omitzero" example:"{\"type\":\"object\"}" doc:"A JSON Schema (2020-12) for the data; omitted or null to allow any data."`
	Example   rawJSON `json:"example,omitzero" example:"{\"invoice\":\"in_123\",\"currency\":\"EUR\"}" doc:"The data that a test of an endpoint delivers. The converter is tried on it."`
	Converter string  `json:"converter" example:"data.without([\"currency\"])" doc:"A CEL expression over data, type, id and occurred_at that makes data of the version before."`
}

type converterInput struct {
	Converter string `json:"converter" example:"data.without([\"currency\"])" doc:"A CEL expression over data, type, id and occurred_at that makes the version's data of that of the next version."`
}

func (a *api) typeVersions() {
	type Named struct {
		Name string `path:"name" example:"invoice.paid" doc:"The event type's name."`
	}
	type added struct {
		Named
		Conditional
		Input body[NewVersionInput]
	}
	route(a, service.Manage, huma.Operation{
		OperationID: "add-event-type-version", Method: http.MethodPost, Path: "/event-types/{name}/versions", Tags: []string{tagEventTypes},
		Summary: "Add a version of an event type", DefaultStatus: http.StatusCreated, Errors: []int{http.StatusConflict, http.StatusPreconditionFailed},
		Description: "For admin keys. From then on, events are published in the new version. Endpoints that exist get the version before, which " +
			"the converter makes of it, until they are moved; new endpoints get the new one.",
	}, func(ctx context.Context, c service.Caller, in *added) (*tagged[eventType], error) {
		ctx, err := in.when(ctx)
		if err != nil {
			return nil, err
		}
		v := in.Input.value
		t, err := a.svc.AddVersion(ctx, c, in.Name, service.NewVersion{
			Schema: []byte(v.Schema.Value), Example: []byte(v.Example.Value), Converter: v.Converter,
		})
		return answerTagged(t, err, service.EventTypeVersion, wireEventType)
	})

	type replaced struct {
		Named
		Version int `path:"version" minimum:"1" example:"1" doc:"The number of the version."`
		Conditional
		Input body[converterInput]
	}
	route(a, service.Manage, huma.Operation{
		OperationID: "put-event-type-converter", Method: http.MethodPut, Path: "/event-types/{name}/versions/{version}/converter", Tags: []string{tagEventTypes},
		Summary: "Replace the converter to a version", Errors: []int{http.StatusPreconditionFailed},
		Description: "For admin keys. Deliveries that are attempted from then on are made with it.",
	}, func(ctx context.Context, c service.Caller, in *replaced) (*tagged[eventType], error) {
		ctx, err := in.when(ctx)
		if err != nil {
			return nil, err
		}
		t, err := a.svc.PutConverter(ctx, c, in.Name, in.Version, in.Input.value.Converter)
		return answerTagged(t, err, service.EventTypeVersion, wireEventType)
	})
}

// typeVersion is the version of an event type that an endpoint gets, on the wire.
type typeVersion struct {
	EventType string `json:"event_type" example:"invoice.paid"`
	Version   int    `json:"version" example:"1" doc:"The version that the endpoint gets."`
	Newest    int    `json:"newest" example:"2" doc:"The version that is published."`
	Chosen    bool   `json:"chosen" doc:"Whether it was chosen for the endpoint; else it was the newest when the endpoint was created."`
}

type typeVersions struct {
	Data []typeVersion `json:"data" doc:"By name."`
}

func wireEndpointVersions(versions []service.TypeVersion) typeVersions {
	wire := typeVersions{Data: make([]typeVersion, len(versions))}
	for i, v := range versions {
		wire.Data[i] = typeVersion(v)
	}
	return wire
}

func (a *api) endpointVersions(one string) {
	route(a, service.Read, huma.Operation{
		OperationID: "list-endpoint-versions", Method: http.MethodGet, Path: one + "/versions", Tags: []string{tagEndpoints},
		Summary:     "List the versions that an endpoint gets",
		Description: "Of the event types that it subscribes to and that have several versions. To move it, change its versions.",
	}, func(ctx context.Context, c service.Caller, in *OfEndpoint) (*output[typeVersions], error) {
		versions, err := a.svc.EndpointVersions(ctx, c, in.Tenant, in.ID)
		return answer(versions, err, wireEndpointVersions)
	})
}
