package akkuro

import (
	"log/slog"
	"mime"
	"net/http"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
)

// Segment is the second segment of all paths; the first is a functional group.
const Segment = "events"

// Front returns the management API. A nil logger discards its records.
func (d Dialect) Front(svc *service.Service, log *slog.Logger) http.Handler {
	f := &front{svc: svc, endpoints: svc.ForDialect(Name), dialect: d, versions: d.Versions}
	if len(f.versions) == 0 {
		f.versions = versions{DefaultVersion}
	}
	routes := httpx.NewFront(log, fail)
	routes.Handle("GET /{group}/events/event-types", f.eventTypes)
	routes.Handle("POST /{group}/events/{event}/endpoints", f.register)
	routes.Handle("GET /{group}/events/{event}/endpoints", f.list)
	routes.Handle("GET /{group}/events/{event}/token/{id}", f.token)
	routes.Handle("PUT /{group}/events/{event}/endpoints/{id}", f.update)
	routes.Handle("DELETE /{group}/events/{event}/endpoints/{id}", f.delete)
	routes.Handle("GET /{group}/events/{event}/example", f.example)
	return routes
}

type front struct {
	svc       *service.Service
	endpoints *service.DialectService
	dialect   Dialect
	versions  versions
}

// enter tells who asks, and for which tenant, and makes sure that what is served is what is wanted.
func (f *front) enter(r *http.Request, need service.Permission) (service.Caller, string, error) {
	c, err := f.authenticate(r)
	if err != nil {
		return c, "", err
	}
	if err := httpx.Confirm(r, c.Owner()); err != nil {
		return c, "", err
	}
	if err := f.versions.check(r.Header["Accept"]); err != nil {
		return c, "", err
	}
	tenant, err := service.TenantOf(c)
	if err != nil {
		return c, "", err
	}
	return c, tenant, f.endpoints.Permit(c, need, tenant)
}

// authenticate takes a JSON Web Token or a key. They are told apart by the two dots of a token, which no key has that is
// made here.
func (f *front) authenticate(r *http.Request) (service.Caller, error) {
	text, err := httpx.Bearer(r)
	if err != nil {
		return service.Caller{}, err
	}
	if f.dialect.Tokens == nil || strings.Count(text, ".") != 2 {
		return f.svc.Authenticate(r.Context(), text)
	}
	tenant, err := f.dialect.Tokens.Tenant(r.Context(), text)
	if err != nil {
		return service.Caller{}, err
	}
	return f.svc.TrustTenant(r.Context(), tenant)
}

func (f *front) eventTypes(w http.ResponseWriter, r *http.Request) error {
	c, _, err := f.enter(r, service.Read)
	if err != nil {
		return err
	}
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

// group returns the event types of the group that the path names: none of one that cannot stand in a path, which is no
// group of the vendor's.
func (f *front) group(r *http.Request, c service.Caller) ([]*bellwire.EventType, error) {
	group := r.PathValue("group")
	if !segment(group) {
		return nil, nil
	}
	return f.endpoints.Types(r.Context(), c, group)
}

// eventType returns the event type that the path names.
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

func (f *front) register(w http.ResponseWriter, r *http.Request) error {
	c, tenant, err := f.enter(r, service.Change)
	if err != nil {
		return err
	}
	in, err := f.read(r)
	if err != nil {
		return err
	}
	t, err := f.eventType(r, c)
	if err != nil {
		return err
	}
	k, err := f.endpoints.Create(r.Context(), c, tenant, service.EndpointInput{URL: &in.URI.Value, Events: &[]string{t.Name}})
	if err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusCreated, show(k))
}

func (f *front) list(w http.ResponseWriter, r *http.Request) error {
	c, tenant, err := f.enter(r, service.Read)
	if err != nil {
		return err
	}
	all, err := f.endpoints.List(r.Context(), c, tenant)
	if err != nil {
		return err
	}
	shown := []endpoint{}
	for _, k := range all {
		if check(r, k) == nil {
			shown = append(shown, show(k))
		}
	}
	if len(shown) == 0 { // an event that has been archived may still have endpoints
		if _, err := f.eventType(r, c); err != nil {
			return err
		}
	}
	return httpx.WriteJSON(w, http.StatusOK, shown)
}

func (f *front) token(w http.ResponseWriter, r *http.Request) error {
	c, tenant, err := f.enter(r, service.Change)
	if err != nil {
		return err
	}
	k, err := f.endpoints.Get(r.Context(), c, tenant, r.PathValue("id"))
	if err != nil {
		return err
	}
	if err := check(r, k); err != nil {
		return err
	}
	return httpx.WriteJSON(w, http.StatusOK, secret{Token: k.Secret})
}

func (f *front) update(w http.ResponseWriter, r *http.Request) error {
	c, tenant, err := f.enter(r, service.Change)
	if err != nil {
		return err
	}
	in, err := f.read(r)
	if err != nil {
		return err
	}
	_, err = f.endpoints.Update(r.Context(), c, tenant, r.PathValue("id"), func(k *service.EndpointView) (service.EndpointInput, error) {
		return service.EndpointInput{URL: &in.URI.Value}, check(r, k)
	})
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (f *front) delete(w http.ResponseWriter, r *http.Request) error {
	c, tenant, err := f.enter(r, service.Change)
	if err != nil {
		return err
	}
	_, err = f.endpoints.Delete(r.Context(), c, tenant, r.PathValue("id"), func(k *service.EndpointView) error { return check(r, k) })
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (f *front) example(w http.ResponseWriter, r *http.Request) error {
	c, _, err := f.enter(r, service.Read)
	if err != nil {
		return err
	}
	t, err := f.eventType(r, c)
	if err != nil {
		return err
	}
	body, err := f.dialect.example(r.PathValue("group"), t)
	if err != nil {
		return err
	}
	return httpx.WriteBody(w, http.StatusOK, body)
}

// read reads the body of registering and updating.
func (f *front) read(r *http.Request) (*input, error) {
	if f.dialect.Strict {
		if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
			return nil, bellwire.Errorf(bellwire.CodeMalformed, "The body is not declared as JSON; send it with Content-Type: application/json.")
		}
	}
	body, err := httpx.ReadBody(r, httpx.MaxSmallBody)
	if err != nil {
		return nil, err
	}
	return parse(body)
}

// check refuses an endpoint that is not the path's: the same id below another event or group is not there.
func check(r *http.Request, k *service.EndpointView) error {
	if k.Extra[extraPath] != pathOf(r.PathValue("group"), r.PathValue("event")) {
		return bellwire.NotFound("endpoint", k.ID)
	}
	return nil
}
