package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

const tagEndpoints = "Endpoints"

// EndpointSecret is a secret that receivers verify deliveries with.
type EndpointSecret struct {
	Secret    string `json:"secret,omitzero" example:"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD" doc:"The secret with which receivers verify deliveries."`
	PublicKey string `json:"public_key,omitzero" example:"whpk_MCowBQYDK2VwAyEAe8Qd" doc:"The ed25519 public key, if the endpoint signs with one."`
}

func wireSecret(s service.LiveSecret) EndpointSecret {
	return EndpointSecret{Secret: s.Secret, PublicKey: s.PublicKey}
}

// EndpointSecrets are all secrets that sign deliveries.
type EndpointSecrets struct {
	EndpointSecret
	Secrets []signingSecret `json:"secrets" doc:"All secrets that sign, newest first. There are several during an overlap."`
}

type signingSecret struct {
	EndpointSecret
	ExpiresAt *time.Time `json:"expires_at" nullable:"true" doc:"When it stops to sign; null for the newest secret."`
	Imported  bool       `json:"imported,omitzero" doc:"Whether another system made the secret, in a form that the dialect does not give to its own. Omitted if not."`
}

func wireSecrets(s *service.EndpointSecret) EndpointSecrets {
	wire := EndpointSecrets{EndpointSecret: wireSecret(s.LiveSecret), Secrets: make([]signingSecret, len(s.Live))}
	for i, live := range s.Live {
		wire.Secrets[i] = signingSecret{EndpointSecret: wireSecret(live), ExpiresAt: expiry(live), Imported: live.Imported}
	}
	return wire
}

// RotatedSecret is a new secret, with the expiry of the previous one.
type RotatedSecret struct {
	EndpointSecret
	PreviousExpiresAt *time.Time `json:"previous_expires_at" nullable:"true" doc:"When the previous secret stops to sign; null if it has stopped."`
}

func wireRotation(s *service.EndpointSecret) RotatedSecret {
	wire := RotatedSecret{EndpointSecret: wireSecret(s.LiveSecret)}
	if len(s.Live) > 1 {
		wire.PreviousExpiresAt = expiry(s.Live[1])
	}
	return wire
}

func expiry(s service.LiveSecret) *time.Time {
	if s.ExpiresAt.IsZero() {
		return nil
	}
	return new(s.ExpiresAt.UTC())
}

type createdEndpoint struct {
	Endpoint
	EndpointSecret
}

// patch is a change of an endpoint, and what it starts.
type patch struct {
	EndpointChange
	Replay string `json:"replay,omitzero" example:"missed" doc:"missed: with the status enabled, also starts a replay of what the endpoint has missed since its attempts began to fail in a row, or it was paused or disabled. Both are done or neither."`
}

func (p *patch) input() service.EndpointInput {
	in := p.EndpointChange.input()
	in.Replay = p.Replay
	return in
}

type changedEndpoint struct {
	Endpoint
	Replay *Job `json:"replay,omitzero" doc:"The job that the change has started, if it has started one."`
}

func wireChangedEndpoint(ep *service.Endpoint) changedEndpoint {
	wire := changedEndpoint{Endpoint: wireEndpoint(ep)}
	if ep.Replay != nil {
		wire.Replay = new(wireJob(ep.Replay))
	}
	return wire
}

type rotation struct {
	Overlap value[bellwire.Duration] `json:"overlap,omitzero" example:"24h" doc:"How long the previous secret continues to sign, such as 24h (the default) or 0s. In dialects whose deliveries carry one signature, it must be 0s, which is the default there."`
}

type test struct {
	Type string `json:"type,omitzero" example:"invoice.paid" doc:"The event type whose example is delivered; by default one that the endpoint subscribes to."`
}

// TestReceipt identifies what a test has made.
type TestReceipt struct {
	Event    bellwire.EventID    `json:"event" example:"evt_0198c7a3f2e47d0a9b1c2d3e4f506172"`
	Delivery bellwire.DeliveryID `json:"delivery" example:"dlv_0198c7a3f2e47d0a9b1c2d3e4f506173" doc:"Get this delivery to see the response."`
	Type     string              `json:"type" example:"invoice.paid"`
}

type missed struct {
	JobCount
	Since     time.Time  `json:"since" doc:"Events accepted at or after this time are counted: a little before the first failed attempt in a row, or when the endpoint was paused or disabled, whichever came first."`
	StoppedAt *time.Time `json:"stopped_at" nullable:"true" doc:"When the endpoint was paused or disabled; null if it is enabled."`
}

type probe struct {
	TestReceipt
	Attempt
}

// OfEndpoint has the parameters of operations on an endpoint.
type OfEndpoint struct {
	InTenant
	ID string `path:"id" example:"ep_0198c7a3f2e47d0a9b1c2d3e4f506172" doc:"The endpoint's id."`
}

// EndpointFilter has the filters of lists of endpoints.
type EndpointFilter struct {
	Health    string `query:"health" enum:"healthy,failing,recovering,idle" doc:"Endpoints with this health."`
	Status    string `query:"status" enum:"enabled,paused,disabled" doc:"Endpoints with this status."`
	Dialect   string `query:"dialect" doc:"Endpoints of this dialect."`
	Waiting   bool   `query:"waiting" doc:"With true: only endpoints for which deliveries wait."`
	Sort      string `query:"sort" enum:"waiting" doc:"waiting: the endpoints for which deliveries wait, those with most first, counted up to 10,000. Over all tenants, the 10,000 with most, counted a moment ago. Left out: newest first."`
	EventType string `query:"event_type" example:"invoice.paid" doc:"Endpoints that subscribe to this event type, by its name or a pattern, whatever their filters say."`
}

func (f *EndpointFilter) query(tenant string) service.EndpointQuery {
	return service.EndpointQuery{EventType: f.EventType, Sort: f.Sort, EndpointFilter: bellwire.EndpointFilter{
		Tenant: tenant, Health: bellwire.HealthState(f.Health), Status: bellwire.EndpointStatus(f.Status), Dialect: f.Dialect, Waiting: f.Waiting,
	}}
}

// shortLists describes lists of endpoints that are searched.
const shortLists = "With `event_type`, and with filters beside `sort`, a page can end early, even without any endpoints, where few match: `next_cursor` continues it."

func (a *api) endpoints() {
	const all, one = "/tenants/{tenant}/endpoints", "/tenants/{tenant}/endpoints/{id}"

	type created struct {
		InTenant
		Input body[NewEndpoint]
	}
	route(a, service.Change, huma.Operation{
		OperationID: "create-endpoint", Method: http.MethodPost, Path: all, Tags: []string{tagEndpoints},
		Summary: "Create an endpoint", DefaultStatus: http.StatusCreated, Errors: []int{http.StatusConflict},
		Description: "Admin keys can also give `id`, `created_at` and `secrets`, as the endpoint had them on another server. " +
			"The response has the endpoint's `secret`, and with ed25519 its `public_key`, with which receivers verify deliveries.",
	}, func(ctx context.Context, c service.Caller, in *created) (*output[createdEndpoint], error) {
		ep, secret, err := a.svc.CreateEndpoint(ctx, c, in.Tenant, in.Input.value.input())
		if err != nil {
			return nil, err
		}
		return &output[createdEndpoint]{Body: createdEndpoint{wireEndpoint(ep), wireSecret(secret.LiveSecret)}}, nil
	})
	a.putEndpoint(one)

	type listed struct {
		InTenant
		EndpointFilter
		Paging
	}
	route(a, service.Read, huma.Operation{
		OperationID: "list-endpoints", Method: http.MethodGet, Path: all, Tags: []string{tagEndpoints},
		Summary: "List endpoints", Description: "Secrets are not shown. " + shortLists,
	}, func(ctx context.Context, c service.Caller, in *listed) (*output[list[EndpointWithHealth]], error) {
		return paged(ctx, a, in.Paging, func(page bellwire.Page) (*bellwire.List[*service.Endpoint], error) {
			return a.svc.Endpoints(ctx, c, in.query(in.Tenant), page)
		}, wireEndpointWithHealth)
	})

	type listedAll struct {
		Tenant string `query:"tenant" doc:"Endpoints of this tenant."`
		EndpointFilter
		Paging
	}
	route(a, service.Manage, huma.Operation{
		OperationID: "list-all-endpoints", Method: http.MethodGet, Path: "/endpoints", Tags: []string{tagEndpoints},
		Summary: "List the endpoints of all tenants", Description: "For admin keys. Secrets are not shown. " + shortLists,
	}, func(ctx context.Context, c service.Caller, in *listedAll) (*output[list[EndpointWithHealth]], error) {
		return paged(ctx, a, in.Paging, func(page bellwire.Page) (*bellwire.List[*service.Endpoint], error) {
			return a.svc.AllEndpoints(ctx, c, in.query(in.Tenant), page)
		}, wireEndpointWithHealth)
	})

	route(a, service.Read, huma.Operation{
		OperationID: "get-endpoint", Method: http.MethodGet, Path: one, Tags: []string{tagEndpoints},
		Summary: "Get an endpoint", Description: "Secrets are not shown.",
	}, func(ctx context.Context, c service.Caller, in *OfEndpoint) (*tagged[EndpointWithHealth], error) {
		ep, err := a.svc.Endpoint(ctx, c, in.Tenant, in.ID)
		return answerTagged(ep, err, endpointVersion, wireEndpointWithHealth)
	})

	type changed struct {
		OfEndpoint
		Conditional
		Input body[patch]
	}
	route(a, service.Change, huma.Operation{
		OperationID: "update-endpoint", Method: http.MethodPatch, Path: one, Tags: []string{tagEndpoints},
		Summary: "Change an endpoint", Errors: []int{http.StatusConflict, http.StatusPreconditionFailed},
		Description: "Only the given fields change; null clears where the field says so. Paused endpoints keep their " +
			"deliveries for later; disabling cancels those that are open. With `replay`, an endpoint that is enabled and does not fail is a conflict.",
	}, func(ctx context.Context, c service.Caller, in *changed) (*tagged[changedEndpoint], error) {
		ctx, err := in.when(ctx)
		if err != nil {
			return nil, err
		}
		ep, err := a.svc.UpdateEndpoint(ctx, c, in.Tenant, in.ID, in.Input.value.input())
		return answerTagged(ep, err, endpointVersion, wireChangedEndpoint)
	})

	route(a, service.Change, huma.Operation{
		OperationID: "delete-endpoint", Method: http.MethodDelete, Path: one, Tags: []string{tagEndpoints},
		Summary: "Delete an endpoint", Description: "Its open deliveries are canceled.",
	}, func(ctx context.Context, c service.Caller, in *OfEndpoint) (*struct{}, error) {
		return nil, a.svc.DeleteEndpoint(ctx, c, in.Tenant, in.ID)
	})

	route(a, service.Redeliver, huma.Operation{
		OperationID: "count-missed", Method: http.MethodGet, Path: one + "/missed", Tags: []string{tagEndpoints},
		Summary: "Count what an endpoint has missed", Errors: []int{http.StatusConflict},
		Description: "Counts what a change with `replay` would send as it enables the endpoint. An endpoint that is enabled and does not fail is a conflict.",
	}, func(ctx context.Context, c service.Caller, in *OfEndpoint) (*output[missed], error) {
		n, err := a.svc.CountMissed(ctx, c, in.Tenant, in.ID)
		return answer(n, err, func(n *service.Missed) missed {
			return missed{JobCount{n.Total, n.Bound}, n.Since.UTC(), timeOrNull(n.StoppedAt)}
		})
	})

	a.history(one)
	a.secrets(one)

	type tested struct {
		OfEndpoint
		Input optionalBody[test]
	}
	route(a, service.Test, huma.Operation{
		OperationID: "test-endpoint", Method: http.MethodPost, Path: one + "/test", Tags: []string{tagEndpoints},
		Summary: "Test an endpoint", DefaultStatus: http.StatusAccepted,
		Description: "Delivers the example of an event type to this endpoint only, in one attempt, also while it is paused or disabled.",
	}, func(ctx context.Context, c service.Caller, in *tested) (*output[TestReceipt], error) {
		t, err := a.svc.TestEndpoint(ctx, c, in.Tenant, in.ID, in.Input.value.Type)
		return answer(t, err, func(t service.TestReceipt) TestReceipt { return TestReceipt(t) })
	})
	route(a, service.Test, huma.Operation{
		OperationID: "probe-endpoint", Method: http.MethodPost, Path: one + "/probe", Tags: []string{tagEndpoints},
		Summary: "Probe an endpoint", Errors: []int{http.StatusConflict},
		Description: "Delivers the example of an event type to this endpoint only, in one attempt on a new connection, and responds " +
			"with the attempt once it has ended. A probe is a test in every other respect: it is sent also while the endpoint is paused or disabled.",
	}, func(ctx context.Context, c service.Caller, in *tested) (*output[probe], error) {
		p, err := a.svc.ProbeEndpoint(ctx, c, in.Tenant, in.ID, in.Input.value.Type)
		return answer(p, err, func(p *service.Probe) probe { return probe{TestReceipt(p.TestReceipt), wireAttempt(p.Attempt)} })
	})
}

func (a *api) secrets(one string) {
	route(a, service.ReadSecrets, huma.Operation{
		OperationID: "get-endpoint-secret", Method: http.MethodGet, Path: one + "/secret", Tags: []string{tagEndpoints},
		Summary: "Get an endpoint's secret", Description: "For admin and tenant keys.",
	}, func(ctx context.Context, c service.Caller, in *OfEndpoint) (*output[EndpointSecrets], error) {
		s, err := a.svc.EndpointSecret(ctx, c, in.Tenant, in.ID)
		return answer(s, err, wireSecrets)
	})

	type rotated struct {
		OfEndpoint
		Input optionalBody[rotation]
	}
	route(a, service.Change, huma.Operation{
		OperationID: "rotate-endpoint-secret", Method: http.MethodPost, Path: one + "/secret/rotate", Tags: []string{tagEndpoints},
		Summary: "Rotate an endpoint's secret", Errors: []int{http.StatusConflict},
		Description: "Returns a new secret. Until the overlap ends, deliveries carry the signatures of both secrets. " +
			"At most 5 secrets can sign at the same time; another one is a conflict.",
	}, func(ctx context.Context, c service.Caller, in *rotated) (*output[RotatedSecret], error) {
		overlap := (*time.Duration)(in.Input.value.Overlap.given)
		s, err := a.svc.RotateSecret(ctx, c, in.Tenant, in.ID, overlap)
		return answer(s, err, wireRotation)
	})
}

// putEndpoint adds the operation that creates or replaces an endpoint.
func (a *api) putEndpoint(one string) {
	type put struct {
		OfEndpoint
		Conditional
		Input body[wholeEndpoint]
	}
	route(a, service.Change, huma.Operation{
		OperationID: "put-endpoint", Method: http.MethodPut, Path: one, Tags: []string{tagEndpoints},
		Summary: "Create or replace an endpoint", Errors: []int{http.StatusConflict, http.StatusPreconditionFailed},
		Description: "Responds with 201 if the endpoint was created, and 200 if all its settings were replaced: those that are left out get their defaults, " +
			"except `dialect`, `status`, `status_reason`, `secret` and `versions`, which stay as they are. Ids are unique over all tenants. With a tenant's key, the id must have the form of " +
			"generated ones, such as `ep_` and the 32 hex digits of a UUID; with an admin key, 1 to 64 of the characters `A-Z a-z 0-9 _ -`. " +
			"The id of a deleted endpoint is a conflict until its deliveries have passed their retention.",
	}, func(ctx context.Context, c service.Caller, in *put) (*putOutput[createdEndpoint], error) {
		ctx, err := in.when(ctx)
		if err != nil {
			return nil, err
		}
		ep, secret, created, err := a.svc.PutEndpoint(ctx, c, in.Tenant, in.ID, in.Input.value.input())
		return replaced(ep, created, err, endpointVersion, func(ep *service.Endpoint) createdEndpoint {
			return createdEndpoint{wireEndpoint(ep), wireSecret(secret.LiveSecret)}
		})
	})
	documentStatus(a.huma.OpenAPI(), http.MethodPut, base+one, http.StatusCreated)
}
