package azakaw_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/dialect/azakaw"
	"github.com/bellwire/bellwire/internal/dialecttest"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/internal/token"
	"github.com/bellwire/bellwire/receive"
)

func newTokens(t *testing.T, now func() time.Time) *token.Verifier {
	t.Helper()
	tokens, err := token.New(token.Config{Secret: "a secret of thirty-two characters", Audience: "azakaw", TenantClaim: "tenantId", Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func newTokenWorld(t *testing.T, sandbox bool, tokens *token.Verifier) *dialecttest.World {
	t.Helper()
	d := azakaw.Dialect{Tokens: tokens}
	return dialecttest.New(t, dialecttest.Config{
		Dialect: d, Front: func(svc *service.Service) http.Handler { return d.Front(svc, nil) }, Catalogue: azakaw.Catalogue, OwnWords: []string{"tenant"},
		Sandbox: sandbox,
	})
}

// TestQuickStart makes the calls of azakaw's pages in order: a token, a configuration with an API key, an event.
func TestQuickStart(t *testing.T) {
	t.Parallel()
	w := newTokenWorld(t, true, newTokens(t, nil))
	receiver := dialecttest.NewReceiver(t)
	w.Vars["url"], w.Vars["app"], w.Vars["secret"] = receiver.URL, w.Keys["tenant"].ID.String(), w.Keys["tenant"].Secret
	const get = "POST /api/AppSessionManager/GetAppToken"
	const invalid = "appId, appSecret or tenantId is not valid"
	bearer := []string{"Authorization: Bearer {jwt}"}
	dialecttest.Run(t, w, []step{
		{Name: "token", Key: "none", Do: get, Body: `{"appId":"{app}","appSecret":"{secret}","tenantId":"acme"}`, Status: 200, Want: done(`{"token":"<jwt:any>"}`)},
		{Name: "wrong secret", Key: "none", Do: get, Body: `{"appId":"{app}","appSecret":"x","tenantId":"acme"}`, Status: 401, Want: refused("401", invalid)},
		{Name: "another tenant", Key: "none", Do: get, Body: `{"appId":"{app}","appSecret":"{secret}","tenantId":"other"}`, Status: 401, Want: refused("401", invalid)},
		{Name: "no tenant", Key: "none", Do: get, Body: `{"appId":"{app}","appSecret":"{secret}"}`, Status: 400, Want: refused("400", "tenantId is required")},
		{Name: "configure", Key: "none", Do: "POST /webhooks", Header: bearer, Status: 201, Want: `<any>"id":"<id:uuid>","tenantId":"acme"<any>`,
			Body: `{"WebhookBaseUrl":"{url}/api","WebhookRelativePath":"/webhook/events","authType":"ApiKey","authSettings":{"apiKey":"your-api-key"}}`},
	})
	const data = `{"Type":"RiskAssessmentCalculated","RiskAssessmentId":"12345","SubmissionId":"67890","Risk":"Low","ClientRating":"Retail"}`
	w.Publish("RiskAssessmentCalculated", data)
	verifier, err := receive.AzakawAPIKey("", "your-api-key")
	if err != nil {
		t.Fatal(err)
	}
	arrival := receiver.Next()
	if _, err := verifier.Verify(arrival.Header, arrival.Body); err != nil || arrival.Target != "/api/webhook/events" || string(arrival.Body) != data {
		t.Errorf("%s %s: %v", arrival.Target, arrival.Body, err)
	}
	dialecttest.Run(t, w, []step{{Name: "delete", Key: "none", Do: "DELETE /webhooks/{id}", Header: bearer, Status: 200, Want: done("null")}})
}

// TestTokens: tokens of a platform's own issuer are accepted, and issued in the sandbox only.
func TestTokens(t *testing.T) {
	t.Parallel()
	w := newTokenWorld(t, false, newTokens(t, nil))
	issue := func(tenant string, age time.Duration) string {
		t.Helper()
		text, err := newTokens(t, func() time.Time { return time.Now().Add(-age) }).Issue(tenant, nil, 24*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return "Authorization: Bearer " + text
	}
	valid := issue("acme", 0)
	list := func(name, header string, status int, want string) step {
		return step{Name: name, Key: "none", Do: "GET /webhooks", Header: []string{header}, Status: status, Want: want}
	}
	dialecttest.Run(t, w, []step{
		list("valid", valid, 200, done("[]")),
		list("a day old", issue("acme", 25*time.Hour), 401, refused("401", "the token has expired")),
		list("unknown tenant", issue("nobody", 0), 403, refused("403", "the token does not permit this operation")),
		list("changed", valid+"A", 401, refused("401", "the signature of the token is not valid")),
		{Name: "a key", Do: "GET /webhooks", Status: 200, Want: done("[]")},
		{Name: "no sandbox", Key: "none", Do: "POST /api/AppSessionManager/GetAppToken", Body: "{}", Status: 404, Want: "<any>"},
	})
}
