package azakaw

import (
	"log/slog"
	"net/http"

	"github.com/go-json-experiment/json"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/internal/token"
)

// Prefix is where the configuration API is: /webhooks.
const Prefix = "webhooks"

// processed is the message of azakaw's successful answers (its page on authentication).
const processed = "Processed successfully"

// Front returns the configuration API, which is Bellwire's own: azakaw publishes none. A nil logger discards its records.
func (d Dialect) Front(svc *service.Service, log *slog.Logger) http.Handler {
	f := &front{svc: svc, endpoints: svc.ForDialect(Name), tokens: d.Tokens}
	routes := httpx.NewFront(log, fail)
	routes.Handle("GET /webhooks", httpx.Authorized(f.authorize, service.Read, f.list))
	routes.Handle("POST /webhooks", httpx.Authorized(f.authorize, service.Change, f.create))
	routes.Handle("GET /webhooks/{id}", httpx.Authorized(f.authorize, service.Read, f.get))
	routes.Handle("PUT /webhooks/{id}", httpx.Authorized(f.authorize, service.Change, f.replace))
	routes.Handle("DELETE /webhooks/{id}", httpx.Authorized(f.authorize, service.Change, f.delete))
	if svc.Sandbox() && d.Tokens != nil && d.Tokens.CanIssue() {
		f.issueTokens(routes)
	}
	return routes
}

type front struct {
	svc       *service.Service
	endpoints *service.DialectService
	tokens    *token.Verifier // nil: none are accepted
}

// authorize authenticates the caller, and refuses one that lacks the permission.
func (f *front) authorize(r *http.Request, need service.Permission) (service.Caller, error) {
	c, err := f.authenticate(r)
	if err != nil {
		return c, err
	}
	if err := httpx.Confirm(r, c.Owner()); err != nil {
		return c, err
	}
	return c, f.svc.PermitOwn(r.Context(), c, need)
}

// authenticate accepts a JSON Web Token or an API key.
func (f *front) authenticate(r *http.Request) (service.Caller, error) {
	text, err := httpx.Bearer(r)
	if err != nil {
		return service.Caller{}, bellwire.Wrap(bellwire.CodeUnauthenticated, err, "the Authorization header must be given once, as Bearer <token>")
	}
	if f.tokens == nil || !token.HasForm(text) {
		return f.svc.TokenOrKey(r.Context(), text, nil)
	}
	return f.svc.TokenOrKey(r.Context(), text, func() (service.Caller, error) {
		tenant, err := f.tokens.Tenant(r.Context(), text)
		if err != nil {
			return service.Caller{}, err
		}
		return f.svc.TrustTenant(r.Context(), tenant)
	})
}

func (f *front) list(w http.ResponseWriter, r *http.Request, c service.Caller) error {
	all, err := f.endpoints.List(r.Context(), c, c.Tenant)
	if err != nil {
		return err
	}
	shown := make([]configuration, len(all))
	for i, k := range all {
		shown[i] = show(k)
	}
	return answer(w, http.StatusOK, shown)
}

func (f *front) create(w http.ResponseWriter, r *http.Request, c service.Caller) error {
	in, err := read(r)
	if err != nil {
		return err
	}
	settings, err := f.endpoints.Settings(r.Context(), c.Tenant)
	if err != nil {
		return err
	}
	wanted, err := in.wanted(c.Tenant, "", nil, settings)
	if err != nil {
		return err
	}
	k, err := f.endpoints.Create(r.Context(), c, c.Tenant, wanted)
	if err != nil {
		return err
	}
	return answer(w, http.StatusCreated, show(k))
}

func (f *front) get(w http.ResponseWriter, r *http.Request, c service.Caller) error {
	id := r.PathValue("id")
	k, err := f.endpoints.Get(r.Context(), c, c.Tenant, id)
	if err != nil {
		return noConfiguration(id, err)
	}
	return answer(w, http.StatusOK, show(k))
}

func (f *front) replace(w http.ResponseWriter, r *http.Request, c service.Caller) error {
	in, err := read(r)
	if err != nil {
		return err
	}
	settings, err := f.endpoints.Settings(r.Context(), c.Tenant)
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	k, err := f.endpoints.Update(r.Context(), c, c.Tenant, id, func(was *service.EndpointView) (service.EndpointInput, error) {
		return in.wanted(c.Tenant, id, was, settings)
	})
	if err != nil {
		return noConfiguration(id, err)
	}
	return answer(w, http.StatusOK, show(k))
}

func (f *front) delete(w http.ResponseWriter, r *http.Request, c service.Caller) error {
	id := r.PathValue("id")
	if _, err := f.endpoints.Delete(r.Context(), c, c.Tenant, id, nil); err != nil {
		return noConfiguration(id, err)
	}
	return answer(w, http.StatusOK, nil)
}

// read reads a body. The case of names does not matter, so that azakaw's own (RetryCount) match too.
func read(r *http.Request) (*input, error) {
	body, err := httpx.ReadBody(r, httpx.MaxSmallBody)
	if err != nil {
		return nil, err
	}
	return parse(body)
}

func parse(body []byte) (*input, error) {
	in := new(input)
	fits, misfits := httpx.ParseFitting(body, in, json.MatchCaseInsensitiveNames(true))
	if !fits {
		return nil, misfits
	}
	in.misfits = misfits
	return in, nil
}

func answer(w http.ResponseWriter, status int, result any) error {
	return httpx.WriteJSON(w, status, reply{StatusCode: status, Messages: []string{processed}, Result: result})
}
