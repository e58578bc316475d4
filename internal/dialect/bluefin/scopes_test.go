package bluefin_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialecttest"
	"github.com/bellwire/bellwire/internal/service"
)

// TestScopes: a key with scopes may do what they say, and nothing elsewhere.
func TestScopes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	for name, scopes := range map[string][]string{
		"all": {"pcx:webhooks:*"}, "create": {"pcx:webhooks:create"}, "read": {"pcx:webhooks:read"}, "update": {"pcx:webhooks:update"},
		"delete": {"pcx:webhooks:delete"}, "updates": {"pcx:account_updater:results:read"}, "two": {"pcx:webhooks:read", "pcx:webhooks:delete"},
	} {
		made, secret, err := w.Service.CreateKey(t.Context(), dialecttest.Admin, w.Tenant, service.NewKey{Role: bellwire.RoleTenant, HMAC: true, Scopes: scopes})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(scopes, made.Scopes.List()); diff != "" {
			t.Error(diff)
		}
		w.Keys[name] = dialecttest.Key{ID: made.ID, Secret: secret}
		c, err := w.Service.Authenticate(t.Context(), secret)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Service.Endpoint(t.Context(), c, w.Tenant, "any"); bellwire.CodeOf(err) != bellwire.CodeForbidden {
			t.Errorf("%s: the native API: %v", name, err)
		}
	}
	for _, call := range []struct {
		do, body string
		status   int
		scopes   []string // that permit it
	}{
		{"POST " + webhooks, seedBody, 201, []string{"all", "create"}},
		{"GET " + webhooks, "", 200, []string{"all", "read", "two"}},
		{"GET " + webhooks + "/wbh_{id}", "", 200, []string{"all", "read", "two"}},
		{"PATCH " + webhooks + "/wbh_{id}", seedPatch, 200, []string{"all", "update"}},
		{"GET /api/v4/accounts/" + w.Tenant + "/account-updater/updates/aupres_00000000000000000000000000000000", "", 404, []string{"updates"}},
		{"DELETE " + webhooks + "/wbh_{id}", "", 204, []string{"all", "delete", "two"}},
	} {
		permitted := map[string]bool{}
		for _, name := range call.scopes {
			permitted[name] = true
		}
		for _, name := range []string{"all", "create", "read", "update", "delete", "updates", "two"} {
			steps := []dialecttest.Step{
				{Name: "a webhook", Do: "POST " + webhooks, Body: seedBody, Status: 201, Want: shown(hook, accountUpdates, "wbh_<id:hex32>")},
				{Name: name, Key: name, Do: call.do, Body: call.body, Status: call.status, Want: "<any>"},
			}
			if !permitted[name] {
				steps[1].Status, steps[1].Want = 403, `{"message":"Unauthorized",<any>"errorType":"authorization","errorCode":40003,<any>`
			}
			dialecttest.Run(t, w, steps)
		}
	}
}

// TestReadOnlyMembers: a webhook can be sent back as it was read, if the settings say so.
func TestReadOnlyMembers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, false)
	was := shown(hook, accountUpdates, "wbh_<id:hex32>")
	again := dialecttest.Step{Name: "send it back", Do: "PATCH " + webhooks + "/wbh_{id}", Body: shown(hook, accountUpdates, "wbh_{id}")}
	refused, taken := again, again
	refused.Status, refused.Want = 422, "<any>"
	taken.Status, taken.Want = 200, again.Body
	dialecttest.Run(t, w, []dialecttest.Step{{Name: "create", Do: "POST " + webhooks, Body: seedBody, Status: 201, Want: was}, refused})
	w.Set(bellwire.DialectSettings{IgnoreReadOnly: new(true)})
	unknown := again
	unknown.Body, unknown.Status, unknown.Want = `{"id":1,"url":"`+hook+`","event":"`+accountUpdates+`","random":1}`, 422, "<any>random<any>"
	dialecttest.Run(t, w, []dialecttest.Step{taken, unknown})
}
