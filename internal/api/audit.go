package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

const tagAudit = "Audit"

// auditEntry is an entry of the audit log on the wire.
type auditEntry struct {
	ID            bellwire.AuditID `json:"id" example:"aud_0198c7a3f2e47d0a9b1c2d3e4f506172"`
	At            time.Time        `json:"at" doc:"Time of the first request."`
	LastAt        time.Time        `json:"last_at" doc:"Time of the last request."`
	Count         int              `json:"count" example:"1" doc:"Number of equal requests within a minute, which share an entry."`
	Tenant        string           `json:"tenant" example:"acme"`
	Key           *bellwire.KeyID  `json:"key" nullable:"true" example:"key_0198c7a3f2e47d0a9b1c2d3e4f506172" doc:"The key that was used; null for the configured admin key."`
	Method        string           `json:"method" example:"GET"`
	Path          string           `json:"path" example:"/v1/events"`
	Principal     string           `json:"principal" example:"support-jane" doc:"The person on whose behalf, as given by the caller."`
	Justification string           `json:"justification" example:"ticket-4711" doc:"The reason, as given by the caller."`
}

func wireAuditEntry(e *bellwire.AuditEntry) auditEntry {
	wire := auditEntry{
		ID: e.ID, At: e.At.UTC(), LastAt: e.LastAt.UTC(), Count: e.Count, Tenant: e.Tenant, Method: e.Method, Path: e.Path,
		Principal: e.Principal, Justification: e.Justification,
	}
	if !e.Key.IsZero() {
		wire.Key = &e.Key
	}
	return wire
}

func (a *api) audit() {
	type listed struct {
		Paging
		Tenant string `query:"tenant" example:"acme" doc:"Only requests to this tenant."`
	}
	route(a, service.Manage, huma.Operation{
		OperationID: "list-audit", Method: http.MethodGet, Path: "/audit", Tags: []string{tagAudit},
		Summary:     "List the audit log",
		Description: "For admin keys. Lists requests to the APIs of dialects whose callers must name a person and a reason.",
	}, func(ctx context.Context, c service.Caller, in *listed) (*output[list[auditEntry]], error) {
		return paged(ctx, a, in.Paging, func(page bellwire.Page) (*bellwire.List[*bellwire.AuditEntry], error) {
			return a.svc.AuditLog(ctx, c, in.Tenant, page)
		}, wireAuditEntry)
	})
}
