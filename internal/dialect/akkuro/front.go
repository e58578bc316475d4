package akkuro

import (
	"log/slog"
	"mime"
	"net/http"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/internal/token"
)

// Segment is the second segment of all paths; the first is a functional group.
const Segment = "events"

// Front returns the management API. A nil logger discards its records.
func (d Dialect) Front(svc *service.Service, log *slog.Logger) http.Handler {
	f := &front{svc: svc, endpoints: svc.ForDialect(Name), dialect: d, versions: d.Versions}
	if len(f.versions) == 0 {
		f.versions = versions{{Name: DefaultVersion}}
	}
	routes := httpx.NewFront(log, fail)
	routes.Handle("GET /{group}/events/event-types", httpx.Authorized(f.authorize, service.Read, f.eventTypes))
	routes.Handle("POST /{group}/events/{event}/endpoints", httpx.Authorized(f.authorize, service.Change, f.register))
	routes.Handle("GET /{group}/events/{event}/endpoints", httpx.Authorized(f.authorize, service.Read, f.list))
	routes.Handle("GET /{group}/events/{event}/token/{id}", httpx.Authorized(f.authorize, service.Change, f.token))
	routes.Handle("PUT /{group}/events/{event}/endpoints/{id}", httpx.Authorized(f.authorize, service.Change, f.update))
	routes.Handle("DELETE /{group}/events/{event}/endpoints/{id}", httpx.Authorized(f.authorize, service.Change, f.delete))
	routes.Handle("GET /{group}/events/{event}/example", httpx.Authorized(f.authorize, service.Read, f.example))
	if svc.Sandbox() && d.Tokens != nil && d.Tokens.CanIssue() {
		f.issueTokens(routes)
	}
	return routes
}

type front struct {
	svc       *service.Service
	endpoints *service.DialectService
	dialect   Dialect
	versions  versions
}

// authorize authenticates the caller, and refuses one that lacks the permission or asks for a version that is not served.
func (f *front) authorize(r *http.Request, need service.Permission) (service.Caller, error) {
	c, err := f.authenticate(r)
	if err != nil {
		return c, err
	}
	if err := httpx.Confirm(r, c.Owner()); err != nil {
		return c, err
	}
	if _, err := f.versions.choose(r.Header["Accept"]); err != nil {
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
	if f.dialect.Tokens == nil || !token.HasForm(text) {
		return f.svc.TokenOrKey(r.Context(), text, nil)
	}
	return f.svc.TokenOrKey(r.Context(), text, func() (service.Caller, error) { return f.verify(r, text) })
}

// verify returns the caller that a JSON Web Token names.
func (f *front) verify(r *http.Request, text string) (service.Caller, error) {
	claims, err := f.dialect.Tokens.Claims(r.Context(), text)
	if err != nil {
		return service.Caller{}, err
	}
	if group := r.PathValue("group"); !claims.Allow(group) {
		return service.Caller{}, bellwire.Errorf(bellwire.CodeForbidden, "the token is not for the functional group %q", group)
	}
	if f.dialect.Provision {
		return f.svc.ProvisionTenant(r.Context(), claims.Tenant)
	}
	return f.svc.TrustTenant(r.Context(), claims.Tenant)
}

func (f *front) eventTypes(w http.ResponseWriter, r *http.Request, c service.Caller) error {
	types, err := f.group(r, c)
	if err != nil {
		return err
	}
	if len(types) == 0 {
		return bellwire.NotFound("functional group", r.PathValue("group"))
	}
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = t.Name
	}
	return httpx.WriteJSON(w, http.StatusOK, names)
}

// group returns the event types of the path's group. A group that needs escapes in a path is not the vendor's, and has none.
func (f *front) group(r *http.Request, c service.Caller) ([]*bellwire.EventType, error) {
	group := r.PathValue("group")
	if !segment(group) {
		return nil, nil
	}
	return f.endpoints.Types(r.Context(), c, group)
}

// eventType returns the event type of the path.
func (f *front) eventType(r *http.Request, c service.Caller) (*bellwire.EventType, error) {
	types, err := f.group(r, c)
	if err != nil {
		return nil, err
	}
	event := r.PathValue("event")
	for _, t := range types {
		if t.Name == event {
			return t, nil
		}
	}
	return nil, bellwire.Errorf(bellwire.CodeNotFound, "event %q does not exist in this functional group", event)
}

func (f *front) register(w http.ResponseWriter, r *http.Request, c service.Caller) error {
	in, err := f.read(r, c)
	if err != nil {
		return err
	}
	t, err := f.eventType(r, c)
	if err != nil {
		return err
	}
	v, err := f.versions.choose(r.Header["Accept"])
	if err != nil {
		return err
	}
	made := service.EndpointInput{URL: &in.URI.Value, Events: &[]string{t.Name}}
	if number := v.of(t); number > 0 {
		made.Versions = map[string]int{t.Name: number}
	}
	k, err := f.endpoints.Create(r.Context(), c, c.Tenant, made)
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusCreated, show(k))
}

func (f *front) list(w http.ResponseWriter, r *http.Request, c service.Caller) error {
	all, err := f.endpoints.List(r.Context(), c, c.Tenant)
	if err != nil {
		return err
	}
	shown := []endpoint{}
	for _, k := range all {
		if check(r, k) == nil {
			shown = append(shown, show(k))
		}
	}
	if len(shown) == 0 { // an archived event type may still have endpoints
		if _, err := f.eventType(r, c); err != nil {
			return err
		}
	}
	return httpx.WriteJSON(w, http.StatusOK, shown)
}

func (f *front) token(w http.ResponseWriter, r *http.Request, c service.Caller) error {
	k, err := f.endpoints.Get(r.Context(), c, c.Tenant, r.PathValue("id"))
	if err != nil {
		return err
	}
	if err := check(r, k); err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, secret{Token: k.Secret})
}

func (f *front) update(w http.ResponseWriter, r *http.Request, c service.Caller) error {
	in, err := f.read(r, c)
	if err != nil {
		return err
	}
	_, err = f.endpoints.Update(r.Context(), c, c.Tenant, r.PathValue("id"), func(k *service.EndpointView) (service.EndpointInput, error) {
		return service.EndpointInput{URL: &in.URI.Value, Reenable: true}, check(r, k)
	})
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (f *front) delete(w http.ResponseWriter, r *http.Request, c service.Caller) error {
	_, err := f.endpoints.Delete(r.Context(), c, c.Tenant, r.PathValue("id"), func(k *service.EndpointView) error { return check(r, k) })
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (f *front) example(w http.ResponseWriter, r *http.Request, c service.Caller) error {
	t, err := f.eventType(r, c)
	if err != nil {
		return err
	}
	v, err := f.versions.choose(r.Header["Accept"])
	if err != nil {
		return err
	}
	shown := *t
	if number := v.of(t); number > 0 {
		shown.Example = t.Older[number-1].Example
	}
	body, err := f.dialect.example(r.PathValue("group"), &shown)
	if err != nil {
		return err
	}
	return httpx.WriteBody(w, http.StatusOK, body)
}

// read reads the body of POST and PUT.
func (f *front) read(r *http.Request, c service.Caller) (*input, error) {
	if f.dialect.Strict {
		if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
			return nil, bellwire.Errorf(bellwire.CodeMalformed, "the body must be sent with Content-Type: application/json")
		}
	}
	body, err := httpx.ReadBody(r, httpx.MaxSmallBody)
	if err != nil {
		return nil, err
	}
	if body, err = f.endpoints.WithoutReadOnly(r.Context(), c.Tenant, body, "id", "eventName", "createdOn", "token"); err != nil {
		return nil, err
	}
	return parse(body)
}

// check refuses an endpoint of another event or group than the path's: it does not exist there.
func check(r *http.Request, k *service.EndpointView) error {
	if k.Extra[extraPath] != pathOf(r.PathValue("group"), r.PathValue("event")) {
		return bellwire.NotFound("endpoint", k.ID)
	}
	return nil
}
