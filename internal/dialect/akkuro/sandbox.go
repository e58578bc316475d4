package akkuro

import (
	"net/http"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
)

// SandboxPrefix is where the sandbox issues tokens.
const SandboxPrefix = "authentication/token"

// tokenLifetime is how long a token of the sandbox is valid.
const tokenLifetime = time.Hour

// issued is the answer with a token (RFC 6749, 5.1). The vendor's page does not show its own.
type issued struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
}

// issueTokens adds the vendor's call for a token. A tenant's key is the client.
func (f *front) issueTokens(routes *httpx.Front) {
	routes.Handle("GET /authentication/token/{broker}/{label}", func(w http.ResponseWriter, r *http.Request) error {
		c, err := f.client(r)
		if err != nil {
			return err
		}
		if err := httpx.Confirm(r, c.Owner()); err != nil {
			return err
		}
		if err := f.svc.PermitOwn(r.Context(), c, service.Change); err != nil {
			return err
		}
		if err := f.svc.Record(r.Context(), c, service.AuditNote{Tenant: c.Tenant}); err != nil {
			return err
		}
		groups, err := f.groups(r, c)
		if err != nil {
			return err
		}
		text, err := f.dialect.Tokens.Issue(c.Tenant, groups, tokenLifetime)
		if err != nil {
			return err
		}
		return httpx.WriteJSON(w, http.StatusOK, issued{AccessToken: text, TokenType: "Bearer", ExpiresIn: int(tokenLifetime.Seconds())})
	})
}

// client returns the caller whose key's id and secret are the client id and the client secret.
func (f *front) client(r *http.Request) (service.Caller, error) {
	id, secret, ok := r.BasicAuth()
	if !ok || len(r.Header["Authorization"]) != 1 {
		return service.Caller{}, bellwire.Errorf(bellwire.CodeUnauthenticated, "the Authorization header must be given once, as Basic and the client id and secret")
	}
	c, err := f.svc.AuthenticateKey(r.Context(), id, secret)
	if bellwire.CodeOf(err) == bellwire.CodeUnauthenticated {
		return c, bellwire.Wrap(bellwire.CodeUnauthenticated, err, "the client id or the client secret is not valid")
	}
	return c, err
}

// groups returns all functional groups: keys are not restricted to any.
func (f *front) groups(r *http.Request, c service.Caller) ([]string, error) {
	types, err := f.endpoints.Types(r.Context(), c, "")
	if err != nil {
		return nil, err
	}
	var groups []string
	for _, t := range types {
		if segment(t.Group) {
			groups = append(groups, t.Group)
		}
	}
	return groups, nil
}
