package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

// adminStub is a publisherStub whose callers are admins.
type adminStub struct{ publisherStub }

func (*adminStub) Authenticate(context.Context, string) (service.Caller, error) {
	return service.Caller{Role: bellwire.RoleAdmin}, nil
}

func (*adminStub) Permit(context.Context, service.Caller, service.Permission, string) error {
	return nil
}

// Bodies of all requests wait for their turn before they are parsed, and end it.
func TestBodiesTakeTurns(t *testing.T) {
	t.Parallel()
	for _, request := range []struct{ method, path string }{
		{"POST", "/api/v1/tenants/acme/endpoints"},
		{"PATCH", "/api/v1/tenants/acme"},
		{"POST", "/api/v1/tenants/acme/endpoints/ep_1/test"}, // whose body can be left out
	} {
		stub := new(adminStub)
		a := newStubbed(stub)
		ask := func() int {
			r := httptest.NewRequest(request.method, request.path, strings.NewReader("{"))
			r.Header.Set("Authorization", "Bearer key")
			w := httptest.NewRecorder()
			a.handler().ServeHTTP(w, r)
			return w.Code
		}
		if status := ask(); status != http.StatusBadRequest || stub.read != 0 {
			t.Errorf("%s: %d, and a turn of %d bytes has not ended", request.path, status, stub.read)
		}
		stub.full = true
		if status := ask(); status != http.StatusTooManyRequests {
			t.Errorf("%s while all turns are taken: %d", request.path, status)
		}
	}
}
