package akkuro_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/akkuro"
	"github.com/bellwire/bellwire/internal/dialecttest"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/internal/token"
)

// TestIssuerAndScopes: a token is for the functional groups of its claim, and from the issuer of the operator.
func TestIssuerAndScopes(t *testing.T) {
	t.Parallel()
	tokens, err := token.New(token.Config{Secret: jwtSecret, Audience: audience, Issuer: "https://issuer.example", ScopeClaim: "groups"})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorldWith(t, akkuro.Dialect{PublicURL: publicURL, Tokens: tokens})
	head := map[string]any{"alg": "HS256", "typ": "JWT"}
	signed := func(change map[string]any) string {
		all := map[string]any{"iss": "https://issuer.example", "groups": "process-orchestration"}
		for name, value := range change {
			all[name] = value
		}
		return jwt(t, head, claims(all), hs256([]byte(jwtSecret)))
	}
	const denied = "the token does not permit this operation"
	dialecttest.Run(t, w, []step{
		asCaller("its group", signed(nil), 200, ""),
		asCaller("several groups", signed(map[string]any{"groups": "counterparty-management process-orchestration"}), 200, ""),
		asCaller("a list of groups", signed(map[string]any{"groups": []any{"process-orchestration", 1}}), 200, ""),
		asCaller("another group", signed(map[string]any{"groups": "counterparty-management"}), 403, denied),
		asCaller("a part of the name", signed(map[string]any{"groups": "process"}), 403, denied),
		asCaller("no groups", signed(map[string]any{"groups": ""}), 403, denied),
		asCaller("no claim", signed(map[string]any{"groups": nil}), 403, denied),
		asCaller("a claim of another form", signed(map[string]any{"groups": map[string]any{"process-orchestration": true}}), 403, denied),
		asCaller("another issuer", signed(map[string]any{"iss": "https://other.example"}), 401, "the token is from another issuer"),
		asCaller("no issuer", signed(map[string]any{"iss": nil}), 401, "the token is from another issuer"),
		asCaller("a key is for all groups", w.Keys["tenant"].Secret, 200, ""),
	})
}

// TestProvisioning: the first valid token of a tenant creates it.
func TestProvisioning(t *testing.T) {
	t.Parallel()
	tokens, err := token.New(token.Config{Secret: jwtSecret, Audience: audience})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorldWith(t, akkuro.Dialect{PublicURL: publicURL, Tokens: tokens, Provision: true})
	head := map[string]any{"alg": "HS256", "typ": "JWT"}
	first := jwt(t, head, claims(map[string]any{"tenant": "new"}), hs256([]byte(jwtSecret)))
	forged := jwt(t, head, claims(map[string]any{"tenant": "forged"}), hs256([]byte("another secret of enough bytes...")))
	dialecttest.Run(t, w, []step{
		asCaller("first", first, 200, ""), asCaller("again", first, 200, ""),
		asCaller("forged", forged, 401, "the signature of the token is not valid"),
	})
	if _, err := w.Service.Tenant(t.Context(), dialecttest.Admin, "new"); err != nil {
		t.Error(err)
	}
	if _, err := w.Service.Tenant(t.Context(), dialecttest.Admin, "forged"); bellwire.CodeOf(err) != bellwire.CodeNotFound {
		t.Errorf("a forged token: %v", err)
	}
	log, err := w.Service.AuditLog(t.Context(), dialecttest.Admin, bellwire.AuditFilter{Tenant: "new"}, bellwire.Page{})
	if err != nil || len(log.Items) != 1 || log.Items[0].Action != "tenant.create" {
		t.Errorf("the audit log: %+v, %v", log, err)
	}
}

// TestQuickStart makes the calls of the vendor's pages in order: a token, the registration, a delivery with its token, and the end.
func TestQuickStart(t *testing.T) {
	t.Parallel()
	tokens, err := token.New(token.Config{Secret: jwtSecret, Audience: audience, ScopeClaim: "groups"})
	if err != nil {
		t.Fatal(err)
	}
	d := akkuro.Dialect{PublicURL: publicURL, Tokens: tokens}
	w := dialecttest.New(t, dialecttest.Config{
		Dialect: d, Front: func(svc *service.Service) http.Handler { return d.Front(svc, nil) }, Catalogue: akkuro.Catalogue, Sandbox: true,
		Authorize: func(r *http.Request, _ []byte, k dialecttest.Key) { r.SetBasicAuth(k.ID.String(), k.Secret) },
	})
	receiver := dialecttest.NewReceiver(t)
	w.Vars["url"] = receiver.URL
	const get = "GET /authentication/token/broker-key/label-reference-id"
	bearer := append([]string{"Authorization: Bearer {jwt}"}, seedHeader...)
	dialecttest.Run(t, w, []step{
		{Name: "token", Do: get, Status: 200, Want: `{"access_token":"<jwt:any>","token_type":"Bearer","expires_in":3600}`},
		{Name: "wrong secret", Key: "wrong", Do: get, Status: 401, WantHeader: []string{"WWW-Authenticate: Bearer"},
			Want: problem(401, "/authentication/token/broker-key/label-reference-id", "the client id or the client secret is not valid")},
		{Name: "no secret", Key: "none", Do: get, Status: 401, Want: "<any>"},
		{Name: "operator", Key: "publisher", Do: get, Status: 403, Want: "<any>"},
		{Name: "reader", Key: "tenant-read", Do: get, Status: 403, Want: "<any>"},
		{Name: "event types", Key: "none", Do: "GET /counterparty-management/events/event-types", Header: bearer, Status: 200, Want: seedTypes},
		{Name: "register", Key: "none", Do: "POST " + endpoints, Header: bearer, Body: `{"uri":"{url}/webhooks?event=counterparty.merged"}`, Status: 201,
			Want: `{"id":"<id:hex24>","eventName":"counterparty.merged","createdOn":"<instant>","token":"<secret:base64>","uri":"{url}/webhooks?event=counterparty.merged"}`},
		{Name: "its token", Key: "none", Do: "GET " + merged + "/token/{id}", Header: bearer, Status: 200, Want: `{"token":"{secret}"}`},
	})
	w.Publish("counterparty.merged", `{"id":"4f7c1f5e-0000-4000-8000-000000000001"}`)
	if got := receiver.Next(); got.Header.Get("X-Event-Token") != w.Vars["secret"] || got.Target != "/webhooks?event=counterparty.merged" {
		t.Errorf("delivered to %s with %v", got.Target, got.Header)
	}
	dialecttest.Run(t, w, []step{{Name: "delete", Key: "none", Do: "DELETE " + endpoints + "/{id}", Header: bearer, Status: 204}})
}

// TestSandboxOnly: there are no tokens to be had outside of the sandbox, or where an issuer makes them.
func TestSandboxOnly(t *testing.T) {
	t.Parallel()
	own, err := token.New(token.Config{Secret: jwtSecret, Audience: audience})
	if err != nil {
		t.Fatal(err)
	}
	published, err := token.New(token.Config{JWKSURL: "https://issuer.example/jwks.json", Audience: audience})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []akkuro.Dialect{{Tokens: own}, {Tokens: published}, {}} {
		w := dialecttest.New(t, dialecttest.Config{
			Dialect: d, Front: func(svc *service.Service) http.Handler { return d.Front(svc, nil) }, Sandbox: d.Tokens != own,
		})
		dialecttest.Run(t, w, []step{{Name: "token", Do: "GET /authentication/token/a/b", Status: 404, Want: "<any>"}})
	}
	if _, err := published.Issue("acme", nil, time.Hour); err == nil {
		t.Error("a verifier without secret issues a token")
	}
}
