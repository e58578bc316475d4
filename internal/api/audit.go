package api

import (
	"context"
	"encoding/json"
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
	Action        string           `json:"action" example:"endpoint.update" doc:"What was done; empty for a call that was refused, and for a request to a dialect whose callers must name a person."`
	Subject       string           `json:"subject" example:"ep_0198c7a3f2e47d0a9b1c2d3e4f506172" doc:"The id of what the action is about."`
	Refused       *bellwire.Code   `json:"refused" nullable:"true" example:"forbidden" doc:"The error code with which the call was refused, because the key may not make it; null for what was not refused."`
	By            actor            `json:"by" doc:"Who made the change or the request."`
	Before        fieldValues      `json:"before" doc:"Fields before the change, without secrets. Of an endpoint, empty fields are left out, and a long value is given by its size."`
	After         fieldValues      `json:"after" doc:"Fields after the change, in the form of those before it."`
}

func wireAuditEntry(e *bellwire.AuditEntry) auditEntry {
	wire := auditEntry{
		ID: e.ID, At: e.At.UTC(), LastAt: e.LastAt.UTC(), Count: e.Count, Tenant: e.Tenant, Method: e.Method, Path: e.Path,
		Principal: e.Principal, Justification: e.Justification,
	}
	wire.Action, wire.Subject, wire.Before, wire.After = e.Action, e.Subject, orEmptyObject(e.Before), orEmptyObject(e.After)
	if !e.Key.IsZero() {
		wire.Key = &e.Key
	}
	if e.Refused != "" {
		wire.Refused = &e.Refused
	}
	switch {
	case e.Actor.Kind != "":
		wire.By = wireActor(e.Actor)
	case e.Key.IsZero():
		wire.By = wireActor(bellwire.Actor{Kind: bellwire.ActorConfigured})
	default:
		wire.By = wireActor(bellwire.Actor{Kind: bellwire.ActorKey, Key: e.Key, KeyName: e.Actor.KeyName})
	}
	return wire
}

func orEmptyObject(fields json.RawMessage) fieldValues {
	if len(fields) == 0 {
		return fieldValues("{}")
	}
	return fieldValues(fields)
}

func (a *api) audit() {
	type listed struct {
		Paging
		Tenant string `query:"tenant" example:"acme" doc:"Only what concerns this tenant."`
		Key    string `query:"key" example:"key_0198c7a3f2e47d0a9b1c2d3e4f506172" doc:"Only what was done with this key."`
		Since  string `query:"since" example:"2026-01-31T12:30:00Z" doc:"At or after this time."`
		Until  string `query:"until" example:"2026-02-01T00:00:00Z" doc:"Before this time."`
	}
	route(a, service.Manage, huma.Operation{
		OperationID: "list-audit", Method: http.MethodGet, Path: "/audit", Tags: []string{tagAudit},
		Summary: "List the audit log",
		Description: "For admin keys. Lists the calls of the native API and those of dialects, except publishing and plain reads: changes, retries, tests, jobs, " +
			"disclosed secrets, requests to dialects whose callers must name a person and a reason, and calls that were refused because the key may not make them. Entries are kept for `--audit-retention`, also when their tenant has been deleted.",
	}, func(ctx context.Context, c service.Caller, in *listed) (*output[list[auditEntry]], error) {
		f, err := auditFilter(in.Tenant, in.Key, in.Since, in.Until)
		if err != nil {
			return nil, err
		}
		return paged(ctx, a, in.Paging, func(page bellwire.Page) (*bellwire.List[*bellwire.AuditEntry], error) {
			return a.svc.AuditLog(ctx, c, f, page)
		}, wireAuditEntry)
	})
}

func auditFilter(tenant, key, since, until string) (f bellwire.AuditFilter, err error) {
	f.Tenant = tenant
	var faults [3]error
	if key != "" && f.Key.UnmarshalText([]byte(key)) != nil {
		faults[0] = bellwire.Invalid("key", "must be a key's id, such as key_0198c7a3f2e47d0a9b1c2d3e4f506172")
	}
	f.Since, faults[1] = parseTime("since", since)
	f.Until, faults[2] = parseTime("until", until)
	return f, bellwire.Join(faults[:]...)
}
