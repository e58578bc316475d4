package service_test

import (
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

// TestRefusedCallsAreAudited: a call beyond the caller's permissions has an entry of the caller's tenant, and equal ones share it.
func TestRefusedCallsAreAudited(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.limited("acme", map[string]float64{"audit_entries": 100})
	c := service.Caller{Role: bellwire.RoleTenantRead, Tenant: tenant, Key: bellwire.NewID[bellwire.KeyKind](time.Now())}
	call := bellwire.Call{Origin: bellwire.Origin{RequestID: "r1", Address: "192.0.2.1"}, Method: "DELETE", Path: "/api/v1/tenants/acme"}
	ctx := bellwire.WithCall(t.Context(), call)
	for range 3 {
		wantCode(t, e.Permit(ctx, c, service.Change, tenant), bellwire.CodeForbidden, "")
	}
	wantCode(t, e.Permit(ctx, c, service.Read, "other"), bellwire.CodeNotFound, "")
	if err := e.Permit(ctx, c, service.Read, tenant); err != nil {
		t.Fatal(err)
	}
	list, err := e.AuditLog(t.Context(), admin, bellwire.AuditFilter{Key: c.Key}, bellwire.Page{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	var refused []bellwire.Code
	requests := 0
	for _, entry := range list.Items {
		refused = append(refused, entry.Refused)
		requests += entry.Count
		if entry.Tenant != tenant || entry.Method != call.Method || entry.Path != call.Path || entry.Actor.Origin != call.Origin || entry.Action != "" {
			t.Errorf("%+v", entry)
		}
	}
	// A minute may have ended in between.
	if n := len(list.Items); n < 2 || n > 4 || requests != 4 || refused[0] != bellwire.CodeNotFound || refused[n-1] != bellwire.CodeForbidden {
		t.Errorf("%d requests in entries that say %v", requests, refused)
	}
}

// TestFloodOfRefusedCallsIsBounded: more calls than the rate, each another one, leave no more entries than a day's share, and do not
// displace those of changes.
func TestFloodOfRefusedCallsIsBounded(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.limited("acme", map[string]float64{"audit_entries": 100})
	c := service.Caller{Role: bellwire.RoleTenantRead, Tenant: tenant, Key: bellwire.NewID[bellwire.KeyKind](time.Now())}
	for n := range 500 {
		ctx := bellwire.WithCall(t.Context(), bellwire.Call{Path: "/" + string(rune('0'+n))})
		wantCode(t, e.Permit(ctx, c, service.Change, tenant), bellwire.CodeForbidden, "")
	}
	if _, err := e.UpdateTenant(t.Context(), admin, tenant, service.TenantChange{Name: new("New")}); err != nil {
		t.Fatal(err)
	}
	list, err := e.AuditLog(t.Context(), admin, bellwire.AuditFilter{Tenant: tenant}, bellwire.Page{Limit: service.MaxPageLimit})
	if err != nil || list.Items[0].Action != "tenant.update" {
		t.Fatal(list, err)
	}
	refused := 0
	for _, entry := range list.Items {
		if entry.Refused != "" {
			refused++
		}
	}
	if refused == 0 || refused > 100 {
		t.Errorf("%d entries about refused calls", refused)
	}
}
