package api

import (
	"context"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

// found is a thing that has an id, on the wire.
type found struct {
	Kind    bellwire.Kind `json:"kind" enum:"event,delivery,endpoint,job,bulk_job,key,tenant"`
	Tenant  *string       `json:"tenant" nullable:"true" example:"acme" doc:"The tenant that it belongs to, or that it is; null for a key of operators and a job over all tenants."`
	ID      string        `json:"id" example:"evt_0198c7a3f2e47d0a9b1c2d3e4f506172" doc:"In the form of this API."`
	Path    string        `json:"path" example:"/api/v1/tenants/acme/events/evt_0198c7a3f2e47d0a9b1c2d3e4f506172" doc:"Where this API has it. An endpoint that was deleted has only its history there, at /history behind the path."`
	Deleted bool          `json:"deleted" doc:"Whether it is an endpoint that was deleted. Deliveries of it may be left."`
}

// collections are the names in paths of what a tenant has.
var collections = map[bellwire.Kind]string{
	bellwire.KindEvent: "events", bellwire.KindDelivery: "deliveries", bellwire.KindEndpoint: "endpoints",
	bellwire.KindJob: "jobs", bellwire.KindBulkJob: "bulk-jobs", bellwire.KindKey: "keys",
}

func wireFound(f service.Found) found {
	wire := found{Kind: f.Kind, Tenant: orNull(f.Tenant), ID: f.ID, Path: base, Deleted: f.Deleted}
	if f.Tenant != "" {
		wire.Path += "/tenants/" + url.PathEscape(f.Tenant)
	}
	if name := collections[f.Kind]; name != "" {
		wire.Path += "/" + name + "/" + url.PathEscape(f.ID)
	}
	return wire
}

// foundList has all that has an id on the wire.
type foundList struct {
	Data []found `json:"data" doc:"Usually one. There are several if a tenant, an endpoint and other things were given the same id."`
}

func (a *api) ids() {
	type named struct {
		ID string `path:"id" example:"evt_0198c7a3f2e47d0a9b1c2d3e4f506172" doc:"An id of an event, a delivery, an endpoint, a job, a key or a tenant, also in the form in which a dialect shows it."`
	}
	route(a, service.Read, huma.Operation{
		OperationID: "find-id", Method: http.MethodGet, Path: "/ids/{id}", Tags: []string{tagServer},
		Summary:     "Find what has an id",
		Description: "Tells what an id is of, and of which tenant. Tenants' keys find only what is theirs. Responds with 404 if nothing has the id.",
	}, func(ctx context.Context, c service.Caller, in *named) (*output[foundList], error) {
		all, err := a.svc.FindID(ctx, c, in.ID)
		return answer(all, err, func(all []service.Found) foundList {
			wire := foundList{Data: make([]found, len(all))}
			for i, f := range all {
				wire.Data[i] = wireFound(f)
			}
			return wire
		})
	})
}
