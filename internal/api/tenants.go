package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

type tenant struct {
	ID        string            `json:"id" example:"acme"`
	Name      string            `json:"name" example:"Acme Ltd"`
	Metadata  map[string]string `json:"metadata"`
	Limits    heldLimits        `json:"limits" doc:"The limits that this tenant has values of its own for."`
	Effective heldLimits        `json:"effective_limits" doc:"All limits as they hold for this tenant: its own values, and the server's where it has none. 0 means that there is no limit."`
	CreatedAt time.Time         `json:"created_at"`
	UpdatedAt time.Time         `json:"updated_at"`
}

func (a *api) wireTenant(t *bellwire.Tenant) tenant {
	return tenant{
		ID: t.ID, Name: t.Name, Metadata: t.Metadata, Limits: wireOwn(t.Limits), Effective: wireHeld(a.svc.LimitsOf(t)),
		CreatedAt: t.CreatedAt.UTC(), UpdatedAt: t.UpdatedAt.UTC(),
	}
}

type newTenant struct {
	ID       string            `json:"id" pattern:"^[A-Za-z0-9_-]{1,64}$" example:"acme" doc:"Chosen by you."`
	Name     string            `json:"name,omitzero" maxLength:"256" example:"Acme Ltd" doc:"For people."`
	Metadata map[string]string `json:"metadata,omitzero" doc:"At most 50 entries of your own."`
	Limits   ownLimits         `json:"limits,omitzero" doc:"Values of its own for limits of the server."`
}

type tenantChange struct {
	Name     clearable[string]            `json:"name,omitzero" example:"Acme Ltd" doc:"null clears it."`
	Metadata clearable[map[string]string] `json:"metadata,omitzero" doc:"Replaces all entries; null clears them."`
	Limits   clearable[ownLimits]         `json:"limits,omitzero" doc:"Values of its own for limits of the server, others stay as they are; null takes one away, or all."`
}

func (c *tenantChange) limits() map[string]*float64 {
	if c.Limits.given == nil {
		return nil
	}
	return *c.Limits.given
}

const tagTenants = "Tenants"

func (a *api) tenants() {
	type created struct {
		Input body[newTenant]
	}
	route(a, service.Manage, huma.Operation{
		OperationID: "create-tenant", Method: http.MethodPost, Path: "/tenants", Tags: []string{tagTenants},
		Summary: "Create a tenant", DefaultStatus: http.StatusCreated, Errors: []int{http.StatusConflict},
		Description: "For admin keys. Answers 409 if the id is taken.",
	}, func(ctx context.Context, c service.Caller, in *created) (*output[tenant], error) {
		t, err := a.svc.CreateTenant(ctx, c, service.NewTenant{
			ID: in.Input.value.ID, Name: in.Input.value.Name, Metadata: in.Input.value.Metadata,
			Limits: in.Input.value.Limits,
		})
		return answer(t, err, a.wireTenant)
	})

	route(a, service.Manage, huma.Operation{
		OperationID: "list-tenants", Method: http.MethodGet, Path: "/tenants", Tags: []string{tagTenants},
		Summary: "List tenants", Description: "For admin keys.",
	}, func(ctx context.Context, c service.Caller, in *Paging) (*output[list[tenant]], error) {
		return paged(ctx, a, *in, func(page bellwire.Page) (*bellwire.List[*bellwire.Tenant], error) {
			return a.svc.Tenants(ctx, c, page)
		}, a.wireTenant)
	})

	route(a, service.Manage, huma.Operation{
		OperationID: "get-tenant", Method: http.MethodGet, Path: "/tenants/{tenant}", Tags: []string{tagTenants},
		Summary: "Get a tenant",
	}, func(ctx context.Context, c service.Caller, in *InTenant) (*output[tenant], error) {
		t, err := a.svc.Tenant(ctx, c, in.Tenant)
		return answer(t, err, a.wireTenant)
	})

	type changed struct {
		InTenant
		Input body[tenantChange]
	}
	route(a, service.Manage, huma.Operation{
		OperationID: "update-tenant", Method: http.MethodPatch, Path: "/tenants/{tenant}", Tags: []string{tagTenants},
		Summary: "Change a tenant", Errors: []int{http.StatusConflict},
		Description: "For admin keys. Only the given members change.",
	}, func(ctx context.Context, c service.Caller, in *changed) (*output[tenant], error) {
		t, err := a.svc.UpdateTenant(ctx, c, in.Tenant, service.TenantChange{
			Name: in.Input.value.Name.given, Metadata: in.Input.value.Metadata.given,
			Limits: in.Input.value.limits(), ResetLimits: in.Input.value.Limits.null,
		})
		return answer(t, err, a.wireTenant)
	})

	route(a, service.Manage, huma.Operation{
		OperationID: "delete-tenant", Method: http.MethodDelete, Path: "/tenants/{tenant}", Tags: []string{tagTenants},
		Summary:     "Delete a tenant",
		Description: "For admin keys. Its keys, endpoints, events and deliveries go with it; open deliveries are canceled.",
	}, func(ctx context.Context, c service.Caller, in *InTenant) (*struct{}, error) {
		return nil, a.svc.DeleteTenant(ctx, c, in.Tenant)
	})
}

// answer wraps one thing, unless there is an error.
func answer[S, T any](from S, err error, wire func(S) T) (*output[T], error) {
	if err != nil {
		return nil, err
	}
	return &output[T]{Body: wire(from)}, nil
}
