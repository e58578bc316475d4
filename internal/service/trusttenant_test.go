package service_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

func TestTrustTenant(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	c, err := e.TrustTenant(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(service.Caller{Role: bellwire.RoleTenant, Tenant: tenant}, c, cmpopts.IgnoreUnexported(service.Caller{})); diff != "" {
		t.Error(diff)
	}
	c, err = e.TrustTenant(t.Context(), "nobody")
	if bellwire.CodeOf(err) != bellwire.CodeForbidden || c.Role != "" {
		t.Errorf("a tenant that is not there: %+v, %v", c, err)
	}
}
