// Package dialecttest helps to test dialects. It has a World, which is a server with a database of its own, tables of calls to
// a management API, and a Receiver of deliveries.
package dialecttest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"slices"
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
	"github.com/bellwire/bellwire/internal/sqlitetest"
	"github.com/bellwire/bellwire/internal/store/sqlite"
)

// Config configures a World. Dialect and Front are required.
type Config struct {
	Dialect bellwire.Dialect
	// Front returns the management API, with the vendor's paths.
	Front func(svc *service.Service) http.Handler
	// Authorize adds the credentials of a key to a request. Default: Authorization: Bearer and the secret.
	Authorize func(r *http.Request, body []byte, k Key)
	// Catalogue is a catalogue file, whose event types are all created; nil: none.
	Catalogue []byte
	// Tenant and Other are the ids of the two tenants. Default: "acme" and "other".
	Tenant, Other string
	Sandbox       bool
	// OwnWords are words of the operator that are also the vendor's, and may be in its errors.
	OwnWords []string
}

// Key is an API key, which steps name: "tenant" and "tenant-read" belong to World.Tenant, "other" to World.Other, "admin"
// and "publisher" to the operator. Tenants' keys can sign requests. "wrong" has a wrong secret, and "expired" has expired. With "none" Authorize is not
// called.
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
	Vars    map[string]string // values that steps have saved, by name

	dialect   string
	authorize func(r *http.Request, body []byte, k Key)
	ownWords  []string
}

// Admin is a caller with all permissions.
var Admin = service.Caller{Role: bellwire.RoleAdmin}

const adminKey = "an-admin-key-for-tests"

// New starts a World. It ends with the test.
func New(t testing.TB, c Config) *World {
	t.Helper()
	folder := t.TempDir()
	database := filepath.Join(folder, "test.db")
	sqlitetest.Create(t, database)
	store, err := sqlite.Open(t.Context(), database, sqlite.Options{NoSync: true})
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
		Keys: map[string]Key{"admin": {Secret: adminKey}}, Vars: map[string]string{}, dialect: c.Dialect.Name(), authorize: c.Authorize, ownWords: c.OwnWords,
	}
	if w.authorize == nil {
		w.authorize = func(r *http.Request, _ []byte, k Key) { r.Header.Set("Authorization", "Bearer "+k.Secret) }
	}
	w.createFixtures(c.Catalogue)
	return w
}

// createFixtures creates the tenants, keys and event types.
func (w *World) createFixtures(file []byte) {
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
		{"other", w.Other, bellwire.RoleTenant},
		{"publisher", "", bellwire.RolePublisher},
	} {
		made, secret, err := w.Service.CreateKey(w.T.Context(), Admin, k.tenant, service.NewKey{Role: k.role, HMAC: k.tenant != ""})
		check(w.T, err)
		w.Keys[k.name] = Key{ID: made.ID, Secret: secret}
	}
	nobody := w.Keys["tenant"]
	nobody.Secret = nobody.Secret[:len(nobody.Secret)-4] + "AAAA"
	w.Keys["wrong"] = nobody
	w.Keys["expired"] = w.expiredKey()
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

// expiredKey returns a key of the tenant that has expired.
func (w *World) expiredKey() Key {
	made, secret, err := w.Service.CreateKey(w.T.Context(), Admin, w.Tenant, service.NewKey{Role: bellwire.RoleTenant, HMAC: true})
	check(w.T, err)
	key, err := w.Store.Key(w.T.Context(), made.ID)
	check(w.T, err)
	check(w.T, w.Service.DeleteKey(w.T.Context(), Admin, w.Tenant, made.ID))
	key.ExpiresAt = key.CreatedAt.Add(-time.Hour)
	check(w.T, w.Store.CreateKey(w.T.Context(), key))
	return Key{ID: made.ID, Secret: secret}
}

// PutType creates or replaces an event type. The example must match the schema.
func (w *World) PutType(name string, in service.EventTypeInput) {
	w.T.Helper()
	_, _, err := w.Service.PutEventType(w.T.Context(), Admin, name, in)
	check(w.T, err)
}

// Set sets the settings of the dialect for the tenant.
func (w *World) Set(settings bellwire.DialectSettings) {
	w.T.Helper()
	_, err := w.Service.UpdateTenant(w.T.Context(), Admin, w.Tenant, service.TenantChange{Dialects: bellwire.SettingsByDialect{w.dialect: &settings}})
	check(w.T, err)
}

// Native changes an endpoint through the native API.
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

// Deliveries waits until all deliveries of an event have ended, and returns them by endpoint.
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

// Ended is a delivery that has ended, with its attempts.
type Ended struct {
	*bellwire.Delivery
	Attempts []*bellwire.Attempt
}

// Call sends a request with the named key.
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
	checkWords(w.T, answer, path+body, w.ownWords)
	if r.Method != http.MethodGet && answer.Code < http.StatusMultipleChoices {
		w.checkAudit(r)
	}
	return answer
}

// checkAudit checks that the audit log has a request that was carried out.
func (w *World) checkAudit(r *http.Request) {
	w.T.Helper()
	list, err := w.Service.AuditLog(w.T.Context(), Admin, bellwire.AuditFilter{}, bellwire.Page{Limit: service.MaxPageLimit})
	check(w.T, err)
	recorded := slices.ContainsFunc(list.Items, func(e *bellwire.AuditEntry) bool {
		return e.Refused == "" && e.Method == r.Method && e.Path == r.URL.EscapedPath() && e.Actor.Address != "" && e.Actor.RequestID != ""
	})
	if !recorded {
		w.T.Errorf("the audit log does not have %s %s", r.Method, r.URL.Path)
	}
}
