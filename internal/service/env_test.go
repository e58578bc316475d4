package service_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/destination"
	"github.com/bellwire/bellwire/internal/dialect/standard"
	"github.com/bellwire/bellwire/internal/directory"
	"github.com/bellwire/bellwire/internal/engine"
	"github.com/bellwire/bellwire/internal/seal"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/internal/sqlitetest"
	"github.com/bellwire/bellwire/internal/store/sqlite"
)

// tampered is a store that a test can have fail, and whose reads it can count.
type tampered struct {
	bellwire.Store

	stale   atomic.Int64 // how many updates are yet refused with CodeStale
	breaks  atomic.Bool  // tenants cannot be read any more once one was updated
	broken  atomic.Bool
	reads   atomic.Int64 // of what the directory caches
	digests atomic.Int64 // calls of Digests
	asked   atomic.Int64 // calls of Session

	large atomic.Int64 // bytes that another endpoint of each tenant has, as far as the directory is concerned
}

func (s *tampered) refuse() error {
	if s.stale.Add(-1) >= 0 {
		return bellwire.Errorf(bellwire.CodeStale, "somebody was faster")
	}
	return nil
}

func (s *tampered) UpdateEndpoint(ctx context.Context, ep *bellwire.Endpoint, note bellwire.ChangeNote) error {
	if err := s.refuse(); err != nil {
		return err
	}
	return s.Store.UpdateEndpoint(ctx, ep, note)
}

func (s *tampered) UpdateTenant(ctx context.Context, t *bellwire.Tenant) error {
	if err := s.refuse(); err != nil {
		return err
	}
	err := s.Store.UpdateTenant(ctx, t)
	s.broken.Store(s.breaks.Load())
	return err
}

func (s *tampered) Key(ctx context.Context, id bellwire.KeyID) (*bellwire.Key, error) {
	s.reads.Add(1)
	return s.Store.Key(ctx, id)
}

func (s *tampered) Tenant(ctx context.Context, id string) (*bellwire.Tenant, error) {
	s.reads.Add(1)
	return s.Store.Tenant(ctx, id)
}

func (s *tampered) EndpointsSince(ctx context.Context, tenant string, revision int64) (*bellwire.EndpointChanges, error) {
	if s.broken.Load() {
		return nil, bellwire.Errorf(bellwire.CodeUnavailable, "the database cannot be read")
	}
	changes, err := s.Store.EndpointsSince(ctx, tenant, revision)
	if left := int(s.large.Load()); left > 0 && err == nil {
		large := &bellwire.Endpoint{ID: "large", Tenant: tenant, Dialect: standard.Name, Status: bellwire.EndpointPaused, Extra: map[string]string{}}
		for ; left > 0; left -= len(mebibyte) {
			large.Extra[strconv.Itoa(left)] = mebibyte[:min(left, len(mebibyte))]
		}
		changes.Changed = append(changes.Changed, large)
		changes.Total++
	}
	return changes, err
}

var mebibyte = strings.Repeat("x", 1<<20)

func (s *tampered) CatalogueSince(ctx context.Context, revision int64) (*bellwire.CatalogueChanges, error) {
	s.reads.Add(1)
	return s.Store.CatalogueSince(ctx, revision)
}

func (s *tampered) Digests(ctx context.Context, tenant string, keys []string) (map[string][32]byte, error) {
	s.digests.Add(1)
	return s.Store.Digests(ctx, tenant, keys)
}

func (s *tampered) Session(ctx context.Context, id bellwire.SessionID) (*bellwire.Session, error) {
	s.asked.Add(1)
	return s.Store.Session(ctx, id)
}

func (s *tampered) EventType(ctx context.Context, name string) (*bellwire.EventType, error) {
	s.reads.Add(1)
	return s.Store.EventType(ctx, name)
}

// fakeEngine stores events and delivers nothing.
type fakeEngine struct {
	nodes atomic.Int64 // 0: one

	store     bellwire.Store
	directory *directory.Directory
	before    func() // runs before each publish is stored

	mu        sync.Mutex
	refreshed map[string]int
	forgotten map[bellwire.DeliveryID]bool
	canceled  []string
	tests     []engine.Draft
}

func (e *fakeEngine) Publish(ctx context.Context, p *engine.Publication) ([]engine.Receipt, error) {
	revision, err := p.Checks.Check(ctx, false)
	if err == nil {
		receipts, err := e.append(ctx, p, revision)
		if bellwire.CodeOf(err) != bellwire.CodeStale {
			return receipts, err
		}
	} else if bellwire.CodeOf(err) != bellwire.CodeStale {
		return nil, err
	}
	e.directory.ForgetCatalogueAt(revision)
	if _, err := p.Checks.Check(ctx, true); err != nil {
		return nil, err
	}
	return e.append(ctx, p, 0)
}

// append stores a publication that was checked against a revision of the catalogue.
func (e *fakeEngine) append(ctx context.Context, p *engine.Publication, revision int64) ([]engine.Receipt, error) {
	if e.before != nil {
		e.before()
	}
	tenant, err := e.directory.Tenant(ctx, p.Tenant)
	if err != nil {
		return nil, err
	}
	a := &bellwire.Append{TenantRevision: tenant.Revision, OperatorRevision: revision}
	for _, d := range p.Events {
		at := time.Now().UTC()
		ev := &bellwire.NewEvent{Event: bellwire.Event{
			ID: bellwire.NewID[bellwire.EventKind](at), Tenant: p.Tenant, Type: d.Type, Data: d.Data,
			IdempotencyKey: d.IdempotencyKey, OccurredAt: d.OccurredAt, DeliverAt: d.DeliverAt, ExpiresAt: d.ExpiresAt, OrderingKey: d.OrderingKey, CreatedAt: at,
		}, Digest: bellwire.Digest(d.Type, d.Data)}
		for _, target := range tenant.Match(d.Type) {
			ev.Deliveries = append(ev.Deliveries, bellwire.NewDelivery{
				ID: bellwire.DeliveryOf(ev.Event.ID, len(ev.Deliveries)), Endpoint: target.Endpoint.ID,
			})
		}
		ev.Event.Deliveries = len(ev.Deliveries)
		a.Events = append(a.Events, ev)
	}
	results, err := e.store.AppendEvents(ctx, []*bellwire.Append{a})
	if err != nil {
		return nil, err
	}
	if results[0].Err != nil {
		return nil, results[0].Err
	}
	receipts := make([]engine.Receipt, len(results[0].Events))
	for i, r := range results[0].Events {
		receipts[i] = engine.Receipt{Event: r.ID, Deliveries: r.Deliveries, Duplicate: r.Duplicate}
	}
	return receipts, nil
}

func (e *fakeEngine) Test(_ context.Context, _, _ string, d engine.Draft) (bellwire.EventID, bellwire.DeliveryID, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tests = append(e.tests, d)
	return bellwire.NewID[bellwire.EventKind](time.Now()), bellwire.NewID[bellwire.DeliveryKind](time.Now()), nil
}

func (e *fakeEngine) Refresh(endpoint string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refreshed[endpoint]++
}

func (*fakeEngine) WakeJobs() {}

func (*fakeEngine) Reach(context.Context, *url.URL) (*engine.Reached, error) {
	return &engine.Reached{Outcome: bellwire.OutcomeOK}, nil
}

func (e *fakeEngine) Nodes() int { return max(1, int(e.nodes.Load())) }

func (e *fakeEngine) LeaseAge() time.Duration { return 0 }

func (e *fakeEngine) Blocked(string, bellwire.Trigger) (bellwire.WaitReason, time.Time) {
	return bellwire.WaitQueued, time.Time{}
}

func (e *fakeEngine) ForgetEvent(string, bellwire.EventID) {}

func (e *fakeEngine) Canceled(dialect string, deliveries int, cause bellwire.CancelCause) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.canceled = append(e.canceled, fmt.Sprintf("%d in %s: %s", deliveries, dialect, cause))
}

func (e *fakeEngine) Forget(_ string, id bellwire.DeliveryID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.forgotten[id] = true
}

func (e *fakeEngine) refreshes(endpoint string) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.refreshed[endpoint]
}

// env is a Service on a store of its own, with the catalogue's type "order.created".
type env struct {
	*service.Service
	t       testing.TB
	config  service.Config
	store   *tampered
	engine  *fakeEngine
	keyring *seal.Keyring
}

var admin = service.Caller{Role: bellwire.RoleAdmin}

const orderSchema = `{"type": "object", "properties": {"amount": {"type": "number"}}}`

func newEnv(t testing.TB, adapt ...func(*service.Config)) *env {
	t.Helper()
	dir := t.TempDir()
	database := filepath.Join(dir, "bellwire.db")
	sqlitetest.Create(t, database)
	store, err := sqlite.Open(t.Context(), database, sqlite.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	keyring, _, err := seal.OpenKeyring(filepath.Join(dir, "keyset"))
	if err != nil {
		t.Fatal(err)
	}
	dialects := map[string]bellwire.Dialect{standard.Name: standard.Dialect{}, "bare": bare{}}
	e := &env{t: t, store: &tampered{Store: store}, keyring: keyring}
	known := directory.New(directory.Config{Store: e.store, Keyring: keyring, Dialects: dialects})
	e.engine = &fakeEngine{
		store: e.store, directory: known,
		refreshed: map[string]int{}, forgotten: map[bellwire.DeliveryID]bool{},
	}
	e.config = service.Config{Store: e.store, Directory: known, Engine: e.engine, Keyring: keyring, Dialects: dialects, Guard: destination.New(destination.Config{})}
	for _, f := range adapt {
		f(&e.config)
	}
	if e.Service, err = service.New(e.config); err != nil {
		t.Fatal(err)
	}
	e.putType("order.created", service.EventTypeInput{Schema: []byte(orderSchema), Example: []byte(`{"amount": 1.0}`)})
	return e
}

func (e *env) putType(name string, in service.EventTypeInput) {
	e.t.Helper()
	if _, _, err := e.PutEventType(e.t.Context(), admin, name, in); err != nil {
		e.t.Fatal(err)
	}
}

func (e *env) tenant(id string) string {
	e.t.Helper()
	if _, err := e.CreateTenant(e.t.Context(), admin, service.NewTenant{ID: id}); err != nil {
		e.t.Fatal(err)
	}
	return id
}

// limited makes a tenant with limits of its own.
func (e *env) limited(id string, own map[string]float64) string {
	e.t.Helper()
	values := make(map[string]*float64)
	for name, value := range own {
		values[name] = &value
	}
	if _, err := e.CreateTenant(e.t.Context(), admin, service.NewTenant{ID: id, Limits: values}); err != nil {
		e.t.Fatal(err)
	}
	return id
}

func (e *env) key(tenant string, role bellwire.Role) string {
	e.t.Helper()
	_, secret, err := e.CreateKey(e.t.Context(), admin, tenant, service.NewKey{Role: role})
	if err != nil {
		e.t.Fatal(err)
	}
	return secret
}

func (e *env) endpoint(tenant string) *service.Endpoint {
	e.t.Helper()
	ep, _, err := e.CreateEndpoint(e.t.Context(), admin, tenant, minimal())
	if err != nil {
		e.t.Fatal(err)
	}
	return ep
}

// delivery publishes an event and returns the delivery that it makes.
func (e *env) delivery(tenant, endpoint string) *bellwire.Delivery {
	e.t.Helper()
	r, err := e.Publish(e.t.Context(), admin, tenant, service.Draft{Type: "order.created", Data: []byte(`{}`)})
	if err != nil {
		e.t.Fatal(err)
	}
	list, err := e.Deliveries(e.t.Context(), admin, bellwire.DeliveryFilter{Tenant: tenant, Event: r.Event, Endpoint: endpoint}, bellwire.Page{})
	if err != nil || len(list.Items) != 1 {
		e.t.Fatalf("deliveries: %v, %v", list, err)
	}
	return list.Items[0]
}

// minimal is the least that an endpoint needs.
func minimal() service.EndpointInput {
	return service.EndpointInput{URL: new("https://example.com/hooks"), Events: &[]string{"order.*"}}
}

// bare is a dialect that signs nothing and takes one pattern only.
type bare struct{ standard.Dialect }

func (bare) Name() string { return "bare" }

func (bare) NewSecret(bellwire.Signing) (bellwire.Secret, error) { return bellwire.Secret{}, nil }

func (bare) PublicKey(bellwire.Secret) string { return "" }

func (bare) CheckSecret(string) error { return bellwire.Invalid("secret", "must not be set") }

func (bare) Normalize(ep *bellwire.Endpoint, _ *bellwire.Credentials, _ func(string) string) error {
	if len(ep.Events) != 1 {
		return bellwire.Invalid("events", "must have one entry")
	}
	return nil
}

// wantCode holds err against a code, which is empty for success, and a field.
func wantCode(t testing.TB, err error, code bellwire.Code, field string) {
	t.Helper()
	var known *bellwire.Error
	errors.As(err, &known)
	got := ""
	if known != nil {
		got = known.Field
	}
	if bellwire.CodeOf(err) != code || got != field {
		t.Errorf("got %v, want the code %q and the field %q", fmt.Sprint(err), code, field)
	}
}
