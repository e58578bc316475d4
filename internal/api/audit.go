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
	At            time.Time        `json:"at" doc:"Of the first request."`
	LastAt        time.Time        `json:"last_at" doc:"Of the last request."`
	Count         int              `json:"count" example:"1" doc:"How many equal requests the entry stands for: those within a minute are one entry."`
	Tenant        string           `json:"tenant" example:"acme"`
	Key           *bellwire.KeyID  `json:"key" nullable:"true" example:"key_0198c7a3f2e47d0a9b1c2d3e4f506172" doc:"The key that asked; null: the configured admin key."`
	Method        string           `json:"method" example:"GET"`
	Path          string           `json:"path" example:"/v1/events"`
	Principal     string           `json:"principal" example:"support-jane" doc:"On whose behalf, in the caller's words."`
	Justification string           `json:"justification" example:"ticket-4711" doc:"Why, in the caller's words."`
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
		Tenant string `query:"tenant" example:"acme" doc:"Only what was asked of this tenant."`
	}
	route(a, service.Manage, huma.Operation{
		OperationID: "list-audit", Method: http.MethodGet, Path: "/audit", Tags: []string{tagAudit},
		Summary:     "List the audit log",
		Description: "For admin keys. Requests to the APIs of dialects whose callers must say on whose behalf they ask, and why.",
	}, func(ctx context.Context, c service.Caller, in *listed) (*output[list[auditEntry]], error) {
		return paged(ctx, a, in.Paging, func(page bellwire.Page) (*bellwire.List[*bellwire.AuditEntry], error) {
			return a.svc.AuditLog(ctx, c, in.Tenant, page)
		}, wireAuditEntry)
	})
}
