// Package dialecttest is for the tests of dialects: a whole server without its command line, on a database of its own,
// scenario tables for a management API, and a receiver for deliveries.
package dialecttest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/catalogue"
	"github.com/bellwire/bellwire/internal/destination"
	"github.com/bellwire/bellwire/internal/dialect/standard"
	"github.com/bellwire/bellwire/internal/directory"
	"github.com/bellwire/bellwire/internal/engine"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/seal"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/internal/store/sqlite"
)

// Config is what a World is made of. Dialect and Front are required.
type Config struct {
	Dialect bellwire.Dialect
	// Front makes the management API. It is served as it is: paths are those of the vendor.
	Front func(svc *service.Service) http.Handler
	// Authorize puts a key into a request; nil: Authorization: Bearer and the secret.
	Authorize func(r *http.Request, body []byte, k Key)
	// Catalogue is the dialect's file of event types, which are all put into the catalogue; nil: none.
	Catalogue []byte
	// Tenant is the first tenant's id, "acme" if empty, and Other that of the second one, "other" if empty.
	Tenant, Other string
	Sandbox       bool
}

// Key is a key that steps of a scenario use by its name: "tenant" and "tenant-read" belong to World.Tenant, "stranger" to
// World.Other, "admin" and "publisher" to the operator. All tenants' keys can sign requests. "wrong" is nobody's key, and
// "none" stands for no key at all: Authorize is not called.
type Key struct {
	ID     bellwire.KeyID
	Secret string
}

// World is a server with two tenants.
type World struct {
	T       testing.TB
	Service *service.Service
	Store   bellwire.Store
	Handler http.Handler // the dialect's front end
	Tenant  string
	Other   string
	Keys    map[string]Key
	Vars    map[string]string // what scenarios have saved, by name

	authorize func(r *http.Request, body []byte, k Key)
}

// Admin is the caller who may do everything.
var Admin = service.Caller{Role: bellwire.RoleAdmin}

const adminKey = "an-admin-key-for-tests"

// New starts a World. It ends with the test.
func New(t testing.TB, c Config) *World {
	t.Helper()
	folder := t.TempDir()
	store, err := sqlite.Open(t.Context(), filepath.Join(folder, "test.db"), sqlite.Options{NoSync: true})
	check(t, err)
	t.Cleanup(func() { check(t, store.Close()) })
	keyring, _, err := seal.OpenKeyring(filepath.Join(folder, "test.keyset"))
	check(t, err)
	dialects := map[string]bellwire.Dialect{standard.Name: standard.Dialect{}, c.Dialect.Name(): c.Dialect}
	held := limits.Default()
	held.MinRetryDelay = time.Millisecond // so that tests see retries
	known := directory.New(directory.Config{Store: store, Keyring: keyring, Dialects: dialects, Limits: held})
	guard := destination.New(destination.Config{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	running := engine.New(engine.Config{
		Store: store, Directory: known, UserAgent: "Bellwire/test",
		Guard: guard,
	})
	check(t, running.Start(context.WithoutCancel(t.Context())))
	t.Cleanup(func() { check(t, running.Close(context.WithoutCancel(t.Context()))) })
	svc, err := service.New(service.Config{
		Store: store, Directory: known, Engine: running, Keyring: keyring, Dialects: dialects,
		AdminKey: adminKey, Sandbox: c.Sandbox, Guard: guard,
	})
	check(t, err)
	w := &World{
		T: t, Service: svc, Store: store, Handler: httpx.Observe(discard, c.Front(svc)),
		Tenant: or(c.Tenant, "acme"), Other: or(c.Other, "other"),
		Keys: map[string]Key{"admin": {Secret: adminKey}}, Vars: map[string]string{}, authorize: c.Authorize,
	}
	if w.authorize == nil {
		w.authorize = func(r *http.Request, _ []byte, k Key) { r.Header.Set("Authorization", "Bearer "+k.Secret) }
	}
	w.furnish(c.Catalogue)
	return w
}

// furnish makes tenants, keys and event types.
func (w *World) furnish(file []byte) {
	w.T.Helper()
	for _, id := range []string{w.Tenant, w.Other} {
		_, err := w.Service.CreateTenant(w.T.Context(), Admin, service.NewTenant{ID: id})
		check(w.T, err)
	}
	for _, k := range []struct {
		name, tenant string
		role         bellwire.Role
	}{
		{"tenant", w.Tenant, bellwire.RoleTenant},
		{"tenant-read", w.Tenant, bellwire.RoleTenantRead},
		{"stranger", w.Other, bellwire.RoleTenant},
		{"publisher", "", bellwire.RolePublisher},
	} {
		made, secret, err := w.Service.CreateKey(w.T.Context(), Admin, k.tenant, service.NewKey{Role: k.role, HMAC: k.tenant != ""})
		check(w.T, err)
		w.Keys[k.name] = Key{ID: made.ID, Secret: secret}
	}
	nobody := w.Keys["tenant"]
	nobody.Secret = nobody.Secret[:len(nobody.Secret)-4] + "AAAA"
	w.Keys["wrong"] = nobody
	if file == nil {
		return
	}
	types, err := catalogue.Parse(file)
	check(w.T, err)
	for _, t := range types.EventTypes {
		w.PutType(t.Name, service.EventTypeInput{
			Group: t.Group, Description: t.Description, Schema: []byte(t.Schema), Example: []byte(t.Example),
		})
	}
}

// PutType puts an event type into the catalogue. The example must fit the schema.
func (w *World) PutType(name string, in service.EventTypeInput) {
	w.T.Helper()
	_, _, err := w.Service.PutEventType(w.T.Context(), Admin, name, in)
	check(w.T, err)
}

// Native changes an endpoint as PATCH of the native API does.
func (w *World) Native(id string, in service.EndpointInput) (*service.Endpoint, error) {
	return w.Service.UpdateEndpoint(w.T.Context(), Admin, w.Tenant, id, in)
}

// Publish publishes an event of the tenant and returns its id.
func (w *World) Publish(eventType, data string) bellwire.EventID {
	w.T.Helper()
	r, err := w.Service.Publish(w.T.Context(), Admin, w.Tenant, service.Draft{Type: eventType, Data: []byte(data)})
	check(w.T, err)
	return r.Event
}

// Deliveries returns an event's deliveries with their attempts once all of them have ended.
func (w *World) Deliveries(event bellwire.EventID) map[string]*Ended {
	w.T.Helper()
	all := map[string]*Ended{}
	w.Eventually("all deliveries have ended", func() bool {
		clear(all)
		list, err := w.Service.Deliveries(w.T.Context(), Admin, bellwire.DeliveryFilter{Tenant: w.Tenant, Event: event}, bellwire.Page{Limit: service.MaxPageLimit})
		check(w.T, err)
		for _, d := range list.Items {
			delivery, attempts, err := w.Service.Delivery(w.T.Context(), Admin, w.Tenant, d.ID)
			check(w.T, err)
			if delivery.Status.Open() {
				return false
			}
			all[d.Endpoint] = &Ended{Delivery: delivery, Attempts: attempts}
		}
		return len(all) > 0
	})
	return all
}

// Ended is a delivery that has ended.
type Ended struct {
	*bellwire.Delivery
	Attempts []*bellwire.Attempt
}

// Call sends a request as the holder of the named key.
func (w *World) Call(key, method, path string, header http.Header, body string) *httptest.ResponseRecorder {
	w.T.Helper()
	r := newRequest(w.T, method, path, body)
	for name, values := range header {
		r.Header[name] = values
	}
	if key != "none" {
		k, known := w.Keys[key]
		if !known {
			w.T.Fatalf("there is no key %q", key)
		}
		w.authorize(r, []byte(body), k)
	}
	answer := httptest.NewRecorder()
	w.Handler.ServeHTTP(answer, r)
	checkWords(w.T, answer, path+body)
	return answer
}
