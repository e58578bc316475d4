package api

import (
	"context"
	"maps"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/service"
)

type tenant struct {
	ID        string            `json:"id" example:"acme"`
	Name      string            `json:"name" example:"Acme Ltd"`
	Metadata  map[string]string `json:"metadata"`
	Limits    heldLimits        `json:"limits" doc:"The tenant's own values of limits."`
	Effective heldLimits        `json:"effective_limits" doc:"All limits of this tenant: its own values, and the server's for the others. 0 means no limit."`
	CreatedAt time.Time         `json:"created_at"`
	UpdatedAt time.Time         `json:"updated_at"`

	Status       bellwire.TenantStatus `json:"status" enum:"active,paused" doc:"paused: nothing is sent to the tenant's endpoints, and everything waits. Events are still taken."`
	StatusReason string                `json:"status_reason" example:"the invoice is overdue" doc:"Why the tenant is paused, as you said; empty if it is not."`
	StatusSince  *time.Time            `json:"status_since" doc:"When the tenant was last paused or resumed; null: never."`

	PublishRate *float64 `json:"publish_rate" nullable:"true" doc:"The tenant's own limits.publish_rate; null if the server's applies."`

	OperationalEvents bool `json:"operational_events" doc:"Whether Bellwire publishes operational events about the tenant to the tenant itself."`

	Dialects dialectsSettings `json:"dialects" doc:"The tenant's own settings of dialects, by name, over those of the server."`
}

func (a *api) wireTenant(t *bellwire.Tenant) tenant {
	wire := tenant{
		ID: t.ID, Name: t.Name, Metadata: t.Metadata, Limits: wireOwn(t.Limits), Effective: wireHeld(a.svc.LimitsOf(t)),
		CreatedAt: t.CreatedAt.UTC(), UpdatedAt: t.UpdatedAt.UTC(), Status: t.Status(), StatusReason: t.StatusReason,
		OperationalEvents: t.OperationalEvents, Dialects: wireDialects(t.Dialects),
	}
	if rate, own := t.Limits[limitPublishRate]; own {
		wire.PublishRate = &rate
	}
	if !t.StatusSince.IsZero() {
		wire.StatusSince = new(t.StatusSince.UTC())
	}
	return wire
}

// TenantStatus has the fields that pause a tenant. It is exported because huma describes no other embedded structs.
type TenantStatus struct {
	Status       value[bellwire.TenantStatus] `json:"status,omitzero" enum:"active,paused" doc:"paused: nothing is sent to the tenant's endpoints, and everything waits, tests and manual retries too. Events are still taken. active sends what waits."`
	StatusReason clearable[string]            `json:"status_reason,omitzero" example:"the invoice is overdue" doc:"Why the tenant is paused. The tenant sees it. null removes it; the end of the pause does too."`
}

// TenantRate has the one limit of a tenant that is also a field of its own. It is exported because huma describes no other
// embedded structs.
type TenantRate struct {
	PublishRate clearable[float64] `json:"publish_rate,omitzero" example:"100" doc:"The same as limits.publish_rate: events per second that may be published through the API; 0 for no limit. null restores the server's value."`
}

// within returns the limits with the rate. If they have it too, it must be the same.
func (r *TenantRate) within(own ownLimits) (ownLimits, error) {
	if r.PublishRate.given == nil {
		return own, nil
	}
	rate := r.PublishRate.given
	if r.PublishRate.null {
		rate = nil
	}
	limit := limits.Find(limitPublishRate)
	if rate != nil && !limit.Allows(*rate) {
		return nil, bellwire.Invalid(limitPublishRate, "must be %s", limit.Range())
	}
	if other, twice := own[limitPublishRate]; twice && !equal(rate, other) {
		return nil, bellwire.Invalid(limitPublishRate, "must not differ from limits.publish_rate, which is the same limit")
	}
	merged := ownLimits{limitPublishRate: rate}
	maps.Copy(merged, own)
	return merged, nil
}

const limitPublishRate = "publish_rate"

// equal reports whether both are nil, or both have the same value.
func equal(a, b *float64) bool { return a == b || a != nil && b != nil && *a == *b }

// NewTenant is a tenant to be created. It is exported because other structs embed it.
type NewTenant struct {
	ID       string            `json:"id" pattern:"^[A-Za-z0-9_-]{1,64}$" example:"acme" doc:"The id, which you choose."`
	Name     string            `json:"name,omitzero" maxLength:"256" example:"Acme Ltd" doc:"A name for people."`
	Metadata map[string]string `json:"metadata,omitzero" doc:"Up to 50 entries of your own."`
	Limits   ownLimits         `json:"limits,omitzero" doc:"The tenant's own values of limits."`
	TenantStatus
	TenantRate
	OperationalEvents value[bool]      `json:"operational_events,omitzero" doc:"Whether Bellwire publishes operational events about the tenant, such as bellwire.endpoint.failing, to the tenant itself, whose endpoints can subscribe to them. The tenant bellwire gets those about all tenants."`
	Dialects          dialectsSettings `json:"dialects,omitzero" doc:"The tenant's own settings of dialects, by name, over those of the server."`
}

// wholeTenant has the settings of a tenant whose id is in the path.
type wholeTenant struct {
	Name     string            `json:"name,omitzero" maxLength:"256" example:"Acme Ltd" doc:"A name for people."`
	Metadata map[string]string `json:"metadata,omitzero" doc:"Up to 50 entries of your own."`
	Limits   ownLimits         `json:"limits,omitzero" doc:"The tenant's own values of limits."`
	TenantStatus
	TenantRate
	OperationalEvents value[bool]      `json:"operational_events,omitzero" doc:"Whether Bellwire publishes operational events about the tenant, such as bellwire.endpoint.failing, to the tenant itself, whose endpoints can subscribe to them. The tenant bellwire gets those about all tenants."`
	Dialects          dialectsSettings `json:"dialects,omitzero" doc:"The tenant's own settings of dialects, by name, over those of the server."`
}

type tenantChange struct {
	Name     clearable[string]            `json:"name,omitzero" example:"Acme Ltd" doc:"null removes it."`
	Metadata clearable[map[string]string] `json:"metadata,omitzero" doc:"Replaces all entries; null removes them."`
	Limits   clearable[ownLimits]         `json:"limits,omitzero" doc:"The tenant's own values of limits. Others stay unchanged; null removes one, or all."`
	TenantStatus
	TenantRate
	OperationalEvents value[bool]                 `json:"operational_events,omitzero" doc:"Whether Bellwire publishes operational events about the tenant, such as bellwire.endpoint.failing, to the tenant itself, whose endpoints can subscribe to them. The tenant bellwire gets those about all tenants."`
	Dialects          clearable[dialectsSettings] `json:"dialects,omitzero" doc:"The tenant's own settings of dialects, by name. Those of a given dialect are replaced as a whole, and others stay; null removes those of one, or of all."`
}

func (c *tenantChange) dialects() bellwire.SettingsByDialect {
	if c.Dialects.given == nil {
		return nil
	}
	return c.Dialects.given.settings()
}

func (c *tenantChange) ownLimits() ownLimits {
	if c.Limits.given == nil {
		return nil
	}
	return *c.Limits.given
}

const tagTenants = "Tenants"

func (a *api) tenants() {
	type created struct {
		Input body[NewTenant]
	}
	route(a, service.Manage, huma.Operation{
		OperationID: "create-tenant", Method: http.MethodPost, Path: "/tenants", Tags: []string{tagTenants},
		Summary: "Create a tenant", DefaultStatus: http.StatusCreated, Errors: []int{http.StatusConflict},
		Description: "For admin keys. Responds with 409 if the id is taken.",
	}, func(ctx context.Context, c service.Caller, in *created) (*output[tenant], error) {
		v := in.Input.value
		own, err := v.within(v.Limits)
		if err != nil {
			return nil, err
		}
		t, err := a.svc.CreateTenant(ctx, c, service.NewTenant{
			ID: v.ID, Name: v.Name, Metadata: v.Metadata, Limits: own, Status: v.Status.given, StatusReason: v.StatusReason.given,
			OperationalEvents: v.OperationalEvents.given, Dialects: v.Dialects.settings(),
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
	}, func(ctx context.Context, c service.Caller, in *InTenant) (*tagged[tenant], error) {
		t, err := a.svc.Tenant(ctx, c, in.Tenant)
		return answerTagged(t, err, service.TenantVersion, a.wireTenant)
	})

	type put struct {
		InTenant
		Conditional
		Input body[wholeTenant]
	}
	route(a, service.Manage, huma.Operation{
		OperationID: "put-tenant", Method: http.MethodPut, Path: "/tenants/{tenant}", Tags: []string{tagTenants},
		Summary: "Create or replace a tenant", Errors: []int{http.StatusConflict, http.StatusPreconditionFailed},
		Description: "For admin keys. Responds with 201 if the tenant was created, and 200 if its name, metadata, limits and settings of dialects were replaced; " +
			"the ones that are left out become empty. A `status` or `operational_events` that is left out stays as it is.",
	}, func(ctx context.Context, c service.Caller, in *put) (*putOutput[tenant], error) {
		ctx, err := in.when(ctx)
		if err != nil {
			return nil, err
		}
		v := in.Input.value
		own, err := v.within(v.Limits)
		if err != nil {
			return nil, err
		}
		t, created, err := a.svc.PutTenant(ctx, c, service.NewTenant{
			ID: in.Tenant, Name: v.Name, Metadata: v.Metadata, Limits: own, Status: v.Status.given, StatusReason: v.StatusReason.given,
			OperationalEvents: v.OperationalEvents.given, Dialects: v.Dialects.settings(),
		})
		return replaced(t, created, err, service.TenantVersion, a.wireTenant)
	})
	documentStatus(a.huma.OpenAPI(), http.MethodPut, base+"/tenants/{tenant}", http.StatusCreated)

	type changed struct {
		InTenant
		Conditional
		Input body[tenantChange]
	}
	route(a, service.Manage, huma.Operation{
		OperationID: "update-tenant", Method: http.MethodPatch, Path: "/tenants/{tenant}", Tags: []string{tagTenants},
		Summary: "Change a tenant", Errors: []int{http.StatusConflict, http.StatusPreconditionFailed},
		Description: "For admin keys. Only the given fields change.",
	}, func(ctx context.Context, c service.Caller, in *changed) (*tagged[tenant], error) {
		ctx, err := in.when(ctx)
		if err != nil {
			return nil, err
		}
		v := in.Input.value
		own, err := v.within(v.ownLimits())
		if err != nil {
			return nil, err
		}
		t, err := a.svc.UpdateTenant(ctx, c, in.Tenant, service.TenantChange{
			Name: v.Name.given, Metadata: v.Metadata.given, Limits: own, ResetLimits: v.Limits.null,
			Status: v.Status.given, StatusReason: v.StatusReason.given, OperationalEvents: v.OperationalEvents.given,
			Dialects: v.dialects(), ResetDialects: v.Dialects.null,
		})
		return answerTagged(t, err, service.TenantVersion, a.wireTenant)
	})

	route(a, service.Manage, huma.Operation{
		OperationID: "delete-tenant", Method: http.MethodDelete, Path: "/tenants/{tenant}", Tags: []string{tagTenants},
		Summary: "Delete a tenant", Errors: []int{http.StatusConflict},
		Description: "For admin keys. Deletes the tenant's keys, endpoints, events and deliveries too; open deliveries are canceled. " +
			"All of it gets 404 at once. Its rows are removed from the database in the background. The header `Bellwire-Gone-By` says when they will be gone, as an estimate; " +
			"it is missing if there are too many to say. Until then, the 404 of `GET` on the tenant says so too. " +
			"The tenant bellwire, to which operational events are published, cannot be deleted (409).",
	}, func(ctx context.Context, c service.Caller, in *InTenant) (*deletedTenant, error) {
		if err := a.svc.DeleteTenant(ctx, c, in.Tenant); err != nil {
			return nil, err
		}
		at, err := a.svc.TenantGoneBy(ctx, c, in.Tenant)
		if err != nil || at.IsZero() {
			return nil, nil // the tenant is deleted, and nothing can be said about its rows
		}
		return &deletedTenant{GoneBy: at.UTC().Format(time.RFC3339)}, nil
	})
}

// deletedTenant is the answer to the deletion of a tenant.
type deletedTenant struct {
	GoneBy string `header:"Bellwire-Gone-By" doc:"When the tenant's rows will be gone from the database, as an estimate." example:"2026-01-31T13:30:00Z"`
}

// answer returns the output for a result, unless there is an error.
func answer[S, T any](from S, err error, wire func(S) T) (*output[T], error) {
	if err != nil {
		return nil, err
	}
	return &output[T]{Body: wire(from)}, nil
}
