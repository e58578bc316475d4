package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bellwire/bellwire/internal/bellwire"
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

	route(a, service.Manage, huma.Operation{
		OperationID: "list-event-type-versions", Method: http.MethodGet, Path: "/event-types/{name}/versions", Tags: []string{tagEventTypes},
		Summary:     "Count the endpoints of each version of an event type",
		Description: "For admin keys. Shows which old versions are still read. All endpoints of all tenants are counted, whatever their filters say.",
	}, func(ctx context.Context, c service.Caller, in *Named) (*output[versionCounts], error) {
		counts, err := a.svc.CountVersions(ctx, c, in.Name)
		return answer(counts, err, wireVersionCounts)
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

// versionCounts say how many endpoints get each version of an event type, on the wire.
type versionCounts struct {
	Data []versionCount `json:"data" doc:"By version, the first one first."`
}

type versionCount struct {
	Version   int `json:"version" example:"1"`
	Endpoints int `json:"endpoints" example:"12" doc:"Number of endpoints of all tenants that subscribe to the type, by its name or a pattern, and get this version of it."`
	Disabled  int `json:"disabled" example:"2" doc:"How many of them are disabled."`
}

func wireVersionCounts(counts []service.VersionCount) versionCounts {
	wire := versionCounts{Data: make([]versionCount, len(counts))}
	for i, c := range counts {
		wire.Data[i] = versionCount(c)
	}
	return wire
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

// versionTrial is a choice of versions to be tried.
type versionTrial struct {
	Versions map[string]int `json:"versions" example:"{\"invoice.paid\":2}" doc:"The numbers of versions, by event type."`
	Limit    *int           `json:"limit,omitempty" example:"5" doc:"Number of events: 1 to 20; default 5."`
}

type versionPreviews struct {
	Data []versionPreview `json:"data" doc:"Newest first."`
}

// versionPreview is an event in two versions, on the wire.
type versionPreview struct {
	Delivery  bellwire.DeliveryID `json:"delivery" example:"dlv_0198c7a3f2e47d0a9b1c2d3e4f506173"`
	Event     bellwire.EventID    `json:"event" example:"evt_0198c7a3f2e47d0a9b1c2d3e4f506172"`
	EventType string              `json:"event_type" example:"invoice.paid"`
	Before    previewBody         `json:"before" doc:"What the newest attempt has sent, made again; or what would be sent now, if there was none."`
	After     previewBody         `json:"after" doc:"What would be sent with the versions that are tried."`
}

type previewBody struct {
	Version     int    `json:"version,omitzero" example:"1" doc:"The version of the data; absent if there is no body."`
	ContentType string `json:"content_type,omitzero" example:"application/json"`
	Body        string `json:"body,omitzero" doc:"Absent if none can be made."`
	Problem     string `json:"problem,omitzero" example:"data.amount does not exist" doc:"Why there is no body, why it is not the one that was sent, or why its data does not fit the schema of the version."`
}

func wireVersionPreviews(previews []*service.VersionPreview) versionPreviews {
	wire := versionPreviews{Data: make([]versionPreview, len(previews))}
	for i, p := range previews {
		wire.Data[i] = versionPreview{
			Delivery: p.Delivery.ID, Event: p.Delivery.Event, EventType: p.Delivery.EventType, Before: wirePreviewBody(&p.Before), After: wirePreviewBody(&p.After),
		}
	}
	return wire
}

func wirePreviewBody(b *service.PreviewBody) previewBody {
	wire := previewBody{Problem: b.Problem}
	if b.RequestBody != nil {
		wire.Version, wire.ContentType, wire.Body = b.Version, b.ContentType, string(b.Body)
	}
	return wire
}

func (a *api) endpointVersions(one string) {
	type tried struct {
		OfEndpoint
		Input body[versionTrial]
	}
	single(a, service.Read, huma.Operation{
		OperationID: "preview-endpoint-versions", Method: http.MethodPost, Path: one + "/versions/preview", Tags: []string{tagEndpoints},
		Summary: "Preview other versions for an endpoint",
		Description: "Shows the last events of these types that the endpoint got, as they were sent and as they would be sent in other versions. " +
			"Changes and sends nothing. There are fewer events than `limit` if there are no more, or if they are large or take long to convert.",
	}, func(ctx context.Context, c service.Caller, in *tried) (*output[versionPreviews], error) {
		previews, err := a.svc.PreviewVersions(ctx, c, in.Tenant, in.ID, service.VersionTrial(in.Input.value))
		size := 0
		for _, p := range previews {
			size += p.Before.Size() + p.After.Size()
		}
		if err == nil {
			err = callOf(ctx).charge(size)
		}
		return answer(previews, err, wireVersionPreviews)
	})
	route(a, service.Read, huma.Operation{
		OperationID: "list-endpoint-versions", Method: http.MethodGet, Path: one + "/versions", Tags: []string{tagEndpoints},
		Summary:     "List the versions that an endpoint gets",
		Description: "Of the event types that it subscribes to and that have several versions. To move it, change its versions.",
	}, func(ctx context.Context, c service.Caller, in *OfEndpoint) (*output[typeVersions], error) {
		versions, err := a.svc.EndpointVersions(ctx, c, in.Tenant, in.ID)
		return answer(versions, err, wireEndpointVersions)
	})
}
