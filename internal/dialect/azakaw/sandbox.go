package azakaw

import (
	"net/http"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
)

// SandboxPrefix is where the sandbox issues tokens (azakaw's page on authentication).
const SandboxPrefix = "api/AppSessionManager"

// tokenLifetime is how long a token is valid, as azakaw's are.
const tokenLifetime = 24 * time.Hour

// appInput is the body of GetAppToken.
type appInput struct {
	AppID     httpx.Optional[string] `json:"appId"`
	AppSecret httpx.Optional[string] `json:"appSecret"`
	TenantID  httpx.Optional[string] `json:"tenantId"`
}

// appToken is the result of GetAppToken.
type appToken struct {
	Token string `json:"token"`
}

// issueTokens adds azakaw's call for a token. A tenant's key is the app.
func (f *front) issueTokens(routes *httpx.Front) {
	routes.Handle("POST /api/AppSessionManager/GetAppToken", func(w http.ResponseWriter, r *http.Request) error {
		var in appInput
		if err := httpx.DecodeJSON(r, httpx.MaxSmallBody, &in, json.MatchCaseInsensitiveNames(true)); err != nil {
			return err
		}
		err := bellwire.Join(httpx.Require("appId", in.AppID.Given), httpx.Require("appSecret", in.AppSecret.Given), httpx.Require("tenantId", in.TenantID.Given))
		if err != nil {
			return err
		}
		c, err := f.svc.AuthenticateKey(r.Context(), in.AppID.Value, in.AppSecret.Value)
		if bellwire.CodeOf(err) == bellwire.CodeUnauthenticated || err == nil && c.Tenant != in.TenantID.Value {
			return bellwire.Wrap(bellwire.CodeUnauthenticated, err, "appId, appSecret or tenantId is not valid")
		}
		if err != nil {
			return err
		}
		if err := f.svc.PermitOwn(r.Context(), c, service.Change); err != nil {
			return err
		}
		if err := f.svc.Record(r.Context(), c, service.AuditNote{Tenant: c.Tenant}); err != nil {
			return err
		}
		text, err := f.tokens.Issue(c.Tenant, nil, tokenLifetime)
		if err != nil {
			return err
		}
		return answer(w, http.StatusOK, appToken{Token: text})
	})
}
