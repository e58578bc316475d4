package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

// change is a change of an endpoint on the wire.
type change struct {
	At     time.Time             `json:"at"`
	Action bellwire.ChangeAction `json:"action" enum:"created,updated,deleted,found" doc:"found: the state that the endpoint had when Bellwire began to keep its history."`
	By     actor                 `json:"by"`
	Before fieldValues           `json:"before" doc:"The fields that changed, with their values before. All fields of an endpoint that was deleted."`
	After  fieldValues           `json:"after" doc:"The fields that changed, with their values after. All fields of an endpoint that was created. Secrets are never shown: one that changed is [changed]."`
}

// actor is the originator of a change on the wire.
type actor struct {
	Kind      bellwire.ActorKind  `json:"kind" enum:"key,configured,vouched,bellwire,unknown" doc:"key: an API key. configured: the configured admin key. vouched: a caller whom a dialect's API authenticated without a key. bellwire: Bellwire itself. unknown: the change was made before Bellwire kept histories."`
	Key       *bellwire.KeyID     `json:"key" nullable:"true" example:"key_0198c7a3f2e47d0a9b1c2d3e4f506172" doc:"The key; null without one. Tenants are not shown keys of operators."`
	KeyName   string              `json:"key_name,omitempty" example:"billing service" doc:"The key's name; omitted if it has none, or was deleted."`
	Session   *bellwire.SessionID `json:"session,omitempty" example:"ses_0198c7a3f2e47d0a9b1c2d3e4f506172" doc:"The session in a browser in which it was made, if it was; key has made the session."`
	Role      bellwire.Role       `json:"role,omitempty" enum:"admin,publisher,tenant,tenant-read,portal"`
	RequestID string              `json:"request_id,omitempty" doc:"The X-Request-Id of the request."`
	Address   string              `json:"address,omitempty" example:"192.0.2.7" doc:"From where the request came. Tenants are not shown addresses of operators."`
	Reason    string              `json:"reason,omitempty" doc:"Why Bellwire made the change."`
}

// fieldValues is a JSON object of fields of an endpoint.
type fieldValues json.RawMessage

// Schema is an object of any values.
func (fieldValues) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: true,
		Examples: []any{map[string]any{"status": "paused"}},
	}
}

// MarshalJSONTo writes the object as it is.
func (m fieldValues) MarshalJSONTo(enc *jsontext.Encoder) error {
	return enc.WriteValue(jsontext.Value(m))
}

func wireChange(c *bellwire.Change) change {
	return change{
		At: c.At.UTC(), Action: c.Action, By: wireActor(c.Actor),
		Before: fieldValues(c.Before), After: fieldValues(c.After),
	}
}

func wireActor(a bellwire.Actor) actor {
	wire := actor{Kind: a.Kind, KeyName: a.KeyName, Role: a.Role, RequestID: a.RequestID, Address: a.Address, Reason: a.Reason}
	if !a.Key.IsZero() {
		wire.Key = &a.Key
	}
	if !a.Session.IsZero() {
		wire.Session = &a.Session
	}
	return wire
}

func (a *api) history(one string) {
	type listed struct {
		OfEndpoint
		Paging
	}
	a.endpointVersions(one)
	route(a, service.Read, huma.Operation{
		OperationID: "list-endpoint-history", Method: http.MethodGet, Path: one + "/history", Tags: []string{tagEndpoints},
		Summary: "List the changes of an endpoint",
		Description: "Newest first: who changed what, when and from where, also of an endpoint that has been deleted. " +
			"An endpoint keeps its newest 1,000 changes, up to 512 KiB; a tenant keeps those of the 1,000 endpoints that were deleted last.",
	}, func(ctx context.Context, c service.Caller, in *listed) (*output[list[change]], error) {
		return paged(ctx, a, in.Paging, func(page bellwire.Page) (*bellwire.List[*bellwire.Change], error) {
			return a.svc.EndpointHistory(ctx, c, in.Tenant, in.ID, page)
		}, wireChange)
	})
}
