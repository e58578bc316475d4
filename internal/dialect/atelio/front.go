package atelio

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
)

// Prefix is where the API is: /api/v0.1.
const Prefix = "api/v0.1"

// Front returns the management API. A nil logger discards its records.
func (d Dialect) Front(svc *service.Service, log *slog.Logger) http.Handler {
	f := &front{svc: svc, endpoints: svc.ForDialect(Name), expand: d.ExpandWildcards}
	routes := httpx.NewFront(log, fail)
	routes.Handle("POST /api/v0.1/webhooks", httpx.Authorized(f.authorize, service.Change, f.create))
	routes.Handle("GET /api/v0.1/webhooks", httpx.Authorized(f.authorize, service.Read, f.list))
	routes.Handle("PATCH /api/v0.1/webhooks/{webhook_id}", httpx.Authorized(f.authorize, service.Change, f.update))
	routes.Handle("DELETE /api/v0.1/webhooks/{webhook_id}", httpx.Authorized(f.authorize, service.Change, f.remove))
	return routes
}

type front struct {
	svc       *service.Service
	endpoints *service.DialectService
	expand    bool
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

func (f *front) authenticate(r *http.Request) (service.Caller, error) {
	identity, err := httpx.Single(r, "Identity")
	if err != nil {
		return service.Caller{}, err
	}
	authorization, err := httpx.Single(r, "Authorization")
	if err != nil {
		return service.Caller{}, err
	}
	secret := credential(authorization)
	if identity == "" || secret == "" {
		return service.Caller{}, bellwire.Errorf(bellwire.CodeUnauthenticated, "headers Identity and Authorization are required")
	}
	c, err := f.svc.AuthenticateKey(r.Context(), identity, secret)
	if errors.Is(err, service.ErrKeyExpired) {
		return c, bellwire.Wrap(bellwire.CodeUnauthenticated, err, "the API key of the headers Identity and Authorization has expired")
	}
	if bellwire.CodeOf(err) == bellwire.CodeUnauthenticated {
		return c, bellwire.Wrap(bellwire.CodeUnauthenticated, err, "headers Identity and Authorization are not those of a valid API key")
	}
	return c, err
}

// credential returns the key of an Authorization header. Atelio's pages show it both bare and behind "Bearer".
func credential(authorization string) string {
	scheme, key, found := strings.Cut(authorization, " ")
	if found && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(key)
	}
	return authorization
}

func (f *front) create(w http.ResponseWriter, r *http.Request, c service.Caller) error {
	in, err := f.read(r, c)
	if err != nil {
		return err
	}
	wanted, err := in.creation()
	if err != nil {
		return err
	}
	k, err := f.endpoints.Create(r.Context(), c, c.Tenant, wanted)
	if err != nil {
		return err
	}
	return answer(w, k)
}

func (f *front) list(w http.ResponseWriter, r *http.Request, c service.Caller) error {
	known, err := f.endpoints.List(r.Context(), c, c.Tenant)
	if err != nil {
		return err
	}
	shown := all{Subscriptions: make([]subscription, len(known))}
	for i, k := range known {
		shown.Subscriptions[i] = show(k)
	}
	return httpx.WriteJSON(w, http.StatusOK, shown)
}

func (f *front) update(w http.ResponseWriter, r *http.Request, c service.Caller) error {
	in, err := f.read(r, c)
	if err != nil {
		return err
	}
	id := r.PathValue("webhook_id")
	if in.empty() {
		k, err := f.endpoints.Get(r.Context(), c, c.Tenant, id)
		if err != nil {
			return noWebhook(id, err)
		}
		return answer(w, k)
	}
	k, err := f.endpoints.Update(r.Context(), c, c.Tenant, id, func(was *service.EndpointView) (service.EndpointInput, error) {
		return in.change(statusOf(was.Status)), nil
	})
	if err != nil {
		return noWebhook(id, err)
	}
	return answer(w, k)
}

func (f *front) remove(w http.ResponseWriter, r *http.Request, c service.Caller) error {
	id := r.PathValue("webhook_id")
	k, err := f.endpoints.Delete(r.Context(), c, c.Tenant, id, nil)
	if err != nil {
		return noWebhook(id, err)
	}
	return answer(w, k)
}

// read reads a body, and expands its wildcards if the dialect does so.
func (f *front) read(r *http.Request, c service.Caller) (*input, error) {
	body, err := httpx.ReadBody(r, httpx.MaxSmallBody)
	if err != nil {
		return nil, err
	}
	if body, err = f.endpoints.WithoutReadOnly(r.Context(), c.Tenant, body, "id", "secret", "created_time", "updated_time"); err != nil {
		return nil, err
	}
	in, err := parse(body)
	if err != nil || !f.expand || !in.Events.Given {
		return in, err
	}
	types, err := f.endpoints.Types(r.Context(), c, "")
	if err != nil {
		return nil, err
	}
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = t.Name
	}
	slices.Sort(names)
	in.Events.Value, err = expand(in.Events.Value, names)
	return in, err
}

func parse(body []byte) (*input, error) {
	in := new(input)
	if err := httpx.ParseJSON(body, in); err != nil {
		return nil, err
	}
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("null")) {
		return nil, bellwire.Errorf(bellwire.CodeInvalid, "the body must be a JSON object")
	}
	return in, in.check()
}

func answer(w http.ResponseWriter, k *service.EndpointView) error {
	return httpx.WriteJSON(w, http.StatusOK, one{show(k)})
}
