package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

// rawJSON is any JSON value, unchanged.
type rawJSON struct{ jsontext.Value }

// Schema allows anything.
func (rawJSON) Schema(huma.Registry) *huma.Schema { return &huma.Schema{} }

type eventType struct {
	Name        string    `json:"name" example:"invoice.paid"`
	Group       string    `json:"group" example:"billing"`
	Description string    `json:"description" example:"An invoice was paid in full."`
	Schema      rawJSON   `json:"schema" doc:"The JSON Schema for the data; null if any data is allowed."`
	Example     rawJSON   `json:"example" doc:"The data that a test delivers; null if there is none."`
	Archived    bool      `json:"archived" doc:"Archived types cannot be published, and endpoints can no longer subscribe to them."`
	Version     int       `json:"version" example:"1" doc:"The newest version, which is published; schema and example are its."`
	Older       []older   `json:"older_versions" doc:"The versions before it, the first one first."`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

// older is a version of an event type before the newest, on the wire.
type older struct {
	Version   int        `json:"version" example:"1"`
	Schema    rawJSON    `json:"schema" doc:"The JSON Schema for the data; null if any data is allowed."`
	Example   rawJSON    `json:"example" doc:"Such data; null if there is none."`
	Converter string     `json:"converter" example:"data.without([\"currency\"])" doc:"The CEL expression that makes this version's data of that of the next version."`
	Until     *time.Time `json:"until" doc:"When the next version was added; null if that is not known."`
}

func wireOlder(t *bellwire.EventType) []older {
	wire := make([]older, len(t.Older))
	for i, v := range t.Older {
		wire[i] = older{i + 1, rawJSON{jsontext.Value(v.Schema)}, rawJSON{jsontext.Value(v.Example)}, v.Converter, nil}
		if !v.Until.IsZero() {
			wire[i].Until = new(v.Until.UTC())
		}
	}
	return wire
}

func wireEventType(t *bellwire.EventType) eventType {
	return eventType{
		Version: t.Newest().Of(), Older: wireOlder(t),
		Name: t.Name, Group: t.Group, Description: t.Description,
		Schema: rawJSON{jsontext.Value(t.Schema)}, Example: rawJSON{jsontext.Value(t.Example)},
		Archived: t.Archived, CreatedAt: t.CreatedAt.UTC(), UpdatedAt: t.UpdatedAt.UTC(),
	}
}

// EventTypeInput has the fields of an event type. It is exported because other structs embed it.
type EventTypeInput struct {
	Description string  `json:"description,omitzero" example:"An invoice was paid in full."`
	Group       string  `json:"group,omitzero" example:"billing"`
	Schema      rawJSON `json:"schema,omitzero" example:"{\"type\":\"object\"}" doc:"A JSON Schema (2020-12) for the data; omitted or null to allow any data."`
	Example     rawJSON `json:"example,omitzero" example:"{\"invoice\":\"in_123\"}" doc:"The data that a test of an endpoint delivers."`
	Archived    bool    `json:"archived,omitzero" doc:"Archived types cannot be published, and endpoints can no longer subscribe to them."`
}

// subscriptions say how many endpoints subscribe to each event type, on the wire.
type subscriptions struct {
	Data   []subscription `json:"data" doc:"By name, with one entry for each event type of the catalogue."`
	Capped bool           `json:"capped" doc:"Whether only the newest 10,000 endpoints were counted, because there are more."`
}

type subscription struct {
	EventType string `json:"event_type" example:"invoice.paid"`
	Endpoints int    `json:"endpoints" doc:"Number of endpoints of all tenants that are not disabled and subscribe to it, by its name or a pattern."`
}

const tagEventTypes = "Event types"

func (a *api) eventTypes() {
	type Named struct {
		Name string `path:"name" example:"invoice.paid" doc:"The event type's name."`
	}
	type put struct {
		Named
		Conditional
		Force bool `query:"force" doc:"Change the schema even if that breaks what readers rely on."`
		Input body[EventTypeInput]
	}
	route(a, service.Manage, huma.Operation{
		OperationID: "put-event-type", Method: http.MethodPut, Path: "/event-types/{name}", Tags: []string{tagEventTypes},
		Summary: "Create or replace an event type", Errors: []int{http.StatusConflict, http.StatusPreconditionFailed},
		Description: "For admin keys. Responds with 201 if the type was created, and 200 if it was replaced. " +
			"A name has 1 to 128 of the characters `A-Z a-z 0-9 . _ : -`. The schema is that of the newest version. If it no longer guarantees " +
			"what the present one does, and endpoints that subscribe rely on it, it is refused with the code `breaking_change`: " +
			"add a version instead, or repeat it with `force=true`.",
	}, func(ctx context.Context, c service.Caller, in *put) (*putOutput[eventType], error) {
		ctx, err := in.when(ctx)
		if err != nil {
			return nil, err
		}
		v := in.Input.value
		t, created, err := a.svc.PutEventType(ctx, c, in.Name, service.EventTypeInput{
			Description: v.Description, Group: v.Group, Archived: v.Archived,
			Schema: []byte(v.Schema.Value), Example: []byte(v.Example.Value), Force: in.Force,
		})
		return replaced(t, created, err, service.EventTypeVersion, wireEventType)
	})
	documentStatus(a.huma.OpenAPI(), http.MethodPut, base+"/event-types/{name}", http.StatusCreated)

	a.typeVersions()

	route(a, service.ReadCatalogue, huma.Operation{
		OperationID: "list-event-types", Method: http.MethodGet, Path: "/event-types", Tags: []string{tagEventTypes},
		Summary: "List event types", Description: "For every key.",
	}, func(ctx context.Context, c service.Caller, in *Paging) (*output[list[eventType]], error) {
		return paged(ctx, a, *in, func(page bellwire.Page) (*bellwire.List[*bellwire.EventType], error) {
			return a.svc.EventTypes(ctx, c, page)
		}, wireEventType)
	})

	route(a, service.ReadCatalogue, huma.Operation{
		OperationID: "get-event-type", Method: http.MethodGet, Path: "/event-types/{name}", Tags: []string{tagEventTypes},
		Summary: "Get an event type", Description: "For every key.",
	}, func(ctx context.Context, c service.Caller, in *Named) (*tagged[eventType], error) {
		t, err := a.svc.EventType(ctx, c, in.Name)
		return answerTagged(t, err, service.EventTypeVersion, wireEventType)
	})

	route(a, service.Manage, huma.Operation{
		OperationID: "list-subscriptions", Method: http.MethodGet, Path: "/subscriptions", Tags: []string{tagEventTypes},
		Summary:     "Count the endpoints that subscribe to each event type",
		Description: "For admin keys. Filters of endpoints do not count. `GET /endpoints?event_type=…` lists them.",
	}, func(ctx context.Context, c service.Caller, _ *struct{}) (*output[subscriptions], error) {
		counted, capped, err := a.svc.Subscriptions(ctx, c)
		return answer(counted, err, func(counted []service.Subscription) subscriptions {
			wire := subscriptions{Data: make([]subscription, len(counted)), Capped: capped}
			for i, s := range counted {
				wire.Data[i] = subscription(s)
			}
			return wire
		})
	})

	route(a, service.Manage, huma.Operation{
		OperationID: "delete-event-type", Method: http.MethodDelete, Path: "/event-types/{name}", Tags: []string{tagEventTypes},
		Summary: "Delete an event type",
		Description: "For admin keys. Events of the type can no longer be published, even if endpoints subscribe to it. " +
			"Existing events remain and are still delivered. To keep the type visible, archive it instead.",
	}, func(ctx context.Context, c service.Caller, in *Named) (*struct{}, error) {
		return nil, a.svc.DeleteEventType(ctx, c, in.Name)
	})
}
