package directory_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/standard"
	"github.com/bellwire/bellwire/internal/directory"
)

// fakeStore is the part of a store's configuration that a Directory reads, with counted and held up reads.
type fakeStore struct {
	bellwire.Configuration

	mu        sync.Mutex
	tenants   map[string]*bellwire.Tenant
	endpoints map[string]*bellwire.Endpoint
	keys      map[bellwire.KeyID]*bellwire.Key
	types     []*bellwire.EventType
	revision  int64

	changedTypes []*bellwire.EventType // since any revision

	reads         atomic.Int64
	endpointsRead atomic.Int64 // by EndpointsSince

	entered chan struct{} // if set: told of each read after it has its answer
	resume  chan struct{} // if set: what a read waits for before it returns
}

func newStore() *fakeStore {
	return &fakeStore{
		tenants:   map[string]*bellwire.Tenant{},
		endpoints: map[string]*bellwire.Endpoint{},
		keys:      map[bellwire.KeyID]*bellwire.Key{},
	}
}

func (s *fakeStore) read(ctx context.Context, f func() error) error {
	s.reads.Add(1)
	s.mu.Lock()
	err := f()
	s.mu.Unlock()
	if s.entered == nil {
		return err
	}
	s.entered <- struct{}{}
	select {
	case <-s.resume:
	case <-ctx.Done():
		return ctx.Err()
	}
	return err
}

func (s *fakeStore) EndpointsSince(ctx context.Context, id string, revision int64) (c *bellwire.EndpointChanges, err error) {
	err = s.read(ctx, func() error {
		stored, ok := s.tenants[id]
		if !ok {
			return bellwire.NotFound("tenant", id)
		}
		copied := *stored
		c = &bellwire.EndpointChanges{Tenant: &copied, Since: revision}
		for _, ep := range s.endpoints {
			if ep.Tenant != id {
				continue
			}
			if !ep.Deleted {
				c.Total++
			}
			if ep.Revision > revision && (revision > 0 || !ep.Deleted) {
				c.Changed = append(c.Changed, ep)
			}
		}
		s.endpointsRead.Add(int64(len(c.Changed)))
		return nil
	})
	return c, err
}

func (s *fakeStore) Tenant(ctx context.Context, id string) (t *bellwire.Tenant, err error) {
	err = s.read(ctx, func() error {
		stored, ok := s.tenants[id]
		if !ok {
			return bellwire.NotFound("tenant", id)
		}
		copied := *stored
		t = &copied
		return nil
	})
	return t, err
}

func (s *fakeStore) EndpointsByID(ctx context.Context, ids []string) (found []*bellwire.Endpoint, err error) {
	err = s.read(ctx, func() error {
		for _, id := range ids {
			if ep := s.endpoints[id]; ep != nil {
				found = append(found, ep)
			}
		}
		return nil
	})
	return found, err
}

func (s *fakeStore) Endpoint(ctx context.Context, id string) (ep *bellwire.Endpoint, err error) {
	err = s.read(ctx, func() error {
		stored, ok := s.endpoints[id]
		if !ok {
			return bellwire.NotFound("endpoint", id)
		}
		ep = stored
		return nil
	})
	return ep, err
}

func (s *fakeStore) Key(ctx context.Context, id bellwire.KeyID) (key *bellwire.Key, err error) {
	err = s.read(ctx, func() error {
		stored, ok := s.keys[id]
		if !ok {
			return bellwire.NotFound("key", id.String())
		}
		key = stored
		return nil
	})
	return key, err
}

func (s *fakeStore) CatalogueSince(ctx context.Context, revision int64) (c *bellwire.CatalogueChanges, err error) {
	err = s.read(ctx, func() error {
		c = &bellwire.CatalogueChanges{Revision: s.revision, Since: revision, Changed: s.types}
		if revision > 0 {
			c.Changed = s.changedTypes
		}
		return nil
	})
	return c, err
}

func (s *fakeStore) put(ep *bellwire.Endpoint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tenants[ep.Tenant]
	if t == nil {
		t = &bellwire.Tenant{ID: ep.Tenant}
		s.tenants[ep.Tenant] = t
	}
	t.Revision++
	changed := *ep
	changed.Revision = t.Revision
	s.endpoints[ep.ID] = &changed
}

// plainKeyring opens blobs that are not encrypted.
type plainKeyring struct{}

func (plainKeyring) OpenCredentials(_ string, sealed []byte) (*bellwire.Credentials, error) {
	if string(sealed) == "broken" {
		return nil, bellwire.Wrap(bellwire.CodeUnavailable, errors.New("/etc/bellwire.keyset: decryption failed"), "It does not open.")
	}
	secret, err := standard.Dialect{}.NewSecret(bellwire.SigningHMAC)
	if err != nil {
		return nil, err
	}
	return &bellwire.Credentials{
		Secrets: []bellwire.Secret{secret},
		Auth:    bellwire.Auth{Type: bellwire.AuthBasic, Username: "Aladdin", Password: "open sesame"},
		Headers: []bellwire.Header{{Name: "X-Own", Value: "1"}},
	}, nil
}

func newDirectory(s *fakeStore) *directory.Directory {
	return directory.New(directory.Config{
		Store: s, Keyring: plainKeyring{},
		Dialects: map[string]bellwire.Dialect{standard.Name: standard.Dialect{}},
	})
}

func endpoint(id string, events ...string) *bellwire.Endpoint {
	return &bellwire.Endpoint{
		ID: id, Tenant: "acme", URL: "https://example.com/" + id, Dialect: standard.Name, Events: events,
		Signing: bellwire.SigningHMAC, Status: bellwire.EndpointEnabled, Sealed: []byte("sealed"),
	}
}

func ids(targets []*bellwire.Target) map[string]bool {
	set := map[string]bool{}
	for _, t := range targets {
		set[t.Endpoint.ID] = true
	}
	return set
}

func mustTenant(t *testing.T, d *directory.Directory) *directory.Tenant {
	t.Helper()
	tenant, err := d.Tenant(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	return tenant
}

func TestMatch(t *testing.T) {
	t.Parallel()
	s := newStore()
	s.put(endpoint("all", "*"))
	s.put(endpoint("exact", "order.created"))
	s.put(endpoint("other", "invoice.*"))
	paused := endpoint("paused", "order.*")
	paused.Status = bellwire.EndpointPaused
	s.put(paused)
	disabled := endpoint("disabled", "*")
	disabled.Status = bellwire.EndpointDisabled
	s.put(disabled)
	deleted := endpoint("deleted", "*")
	deleted.Deleted = true
	s.put(deleted)

	tenant := mustTenant(t, newDirectory(s))
	want := map[string]bool{"all": true, "exact": true, "paused": true}
	if diff := cmp.Diff(want, ids(tenant.Match("order.created"))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]bool{"all": true}, ids(tenant.Match("order"))); diff != "" {
		t.Error(diff)
	}
	for i := range 5000 {
		if got := tenant.Match(fmt.Sprintf("t%d", i)); len(got) != 1 {
			t.Fatalf("t%d matches %d endpoints", i, len(got))
		}
	}
}

func TestRepeatedMatchAllocatesNothing(t *testing.T) {
	s := newStore()
	s.put(endpoint("all", "*"))
	tenant := mustTenant(t, newDirectory(s))
	if n := testing.AllocsPerRun(100, func() { tenant.Match("order.created") }); n != 0 {
		t.Errorf("it allocates %v times", n)
	}
}

func TestTarget(t *testing.T) {
	t.Parallel()
	s := newStore()
	s.put(endpoint("good", "*"))
	broken := endpoint("broken", "*")
	broken.Sealed = []byte("broken")
	s.put(broken)
	foreign := endpoint("foreign", "*")
	foreign.Dialect = "unheard-of"
	s.put(foreign)
	unbindable := endpoint("unbindable", "*")
	unbindable.Signing = "none"
	s.put(unbindable)
	deleted := endpoint("deleted", "*")
	deleted.Deleted = true
	deleted.Sealed = nil
	s.put(deleted)
	d := newDirectory(s)

	if got := len(mustTenant(t, d).Match("x")); got != 4 {
		t.Errorf("matched %d endpoints, want 4: one that cannot be served must not break the others", got)
	}
	message := &bellwire.Message{Event: &bellwire.Event{Type: "x", Data: []byte("1")}}
	for _, id := range []string{"broken", "foreign", "unbindable", "deleted"} {
		t.Run(id, func(t *testing.T) {
			target, err := d.Target(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			want := bellwire.CodeInvalid
			switch id {
			case "broken", "foreign":
				want = bellwire.CodeUnavailable // this node's fault, and not the endpoint's
			case "deleted":
				want = bellwire.CodeNotFound
			}
			var refused *bellwire.Error
			if _, err = target.Renderer.AppendBody(nil, message); !errors.As(err, &refused) || refused.Code != want {
				t.Errorf("%s: rendering gives %v, want %s", id, err, want)
			} else if strings.Contains(refused.Message, "/") {
				t.Errorf("%s: the tenant is told %q", id, refused.Message)
			}
		})
	}
	target, err := d.Target(t.Context(), "good")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := target.Renderer.AppendBody(nil, message); err != nil {
		t.Error(err)
	}
	// The example of RFC 7617, section 2.
	want := []bellwire.Header{{Name: "Authorization", Value: "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}, {Name: "X-Own", Value: "1"}}
	if diff := cmp.Diff(want, target.Headers); diff != "" {
		t.Error(diff)
	}
	if target.Timeout != bellwire.DefaultTimeout || target.Endpoint.Sealed != nil {
		t.Errorf("timeout %v, sealed %q", target.Timeout, target.Endpoint.Sealed)
	}
	if _, err := d.Target(t.Context(), "none"); bellwire.CodeOf(err) != bellwire.CodeNotFound {
		t.Errorf("unknown endpoint: %v", err)
	}
}

func TestPrefetchReadsTogether(t *testing.T) {
	t.Parallel()
	s := newStore()
	deleted := endpoint("deleted", "*")
	deleted.Deleted = true
	for _, ep := range []*bellwire.Endpoint{endpoint("a", "*"), endpoint("b", "*"), deleted} {
		s.put(ep)
	}
	d := newDirectory(s)
	prefetch := func() (reads int64) {
		t.Helper()
		before := s.reads.Load()
		if err := d.Prefetch(t.Context(), []string{"a", "unknown", "b", "deleted"}); err != nil {
			t.Fatal(err)
		}
		return s.reads.Load() - before
	}
	if n := prefetch(); n != 2 {
		t.Errorf("%d reads, want one of endpoints and one of their tenant", n)
	}
	before := s.reads.Load()
	for _, id := range []string{"a", "b", "deleted"} {
		if target, err := d.Target(t.Context(), id); err != nil || target.Endpoint.ID != id {
			t.Errorf("%s: %+v, %v", id, target, err)
		}
	}
	if n := s.reads.Load() - before; n != 0 {
		t.Errorf("%d reads of prefetched endpoints", n)
	}
	if n := prefetch(); n != 0 {
		t.Errorf("%d reads, although only one is missing, which Target reads", n)
	}
	if _, err := d.Target(t.Context(), "unknown"); bellwire.CodeOf(err) != bellwire.CodeNotFound {
		t.Errorf("unknown endpoint: %v", err)
	}
	d.ForgetTenant("acme")
	if n := prefetch(); n != 2 {
		t.Errorf("%d reads after the tenant was forgotten, want 2", n)
	}
}

// An endpoint that changes while it is prefetched is read again.
func TestStalePrefetchIsNotKept(t *testing.T) {
	t.Parallel()
	s := newStore()
	s.put(endpoint("a", "*"))
	s.put(endpoint("b", "*"))
	s.entered, s.resume = make(chan struct{}), make(chan struct{})
	d := newDirectory(s)
	var g errgroup.Group
	g.Go(func() error { return d.Prefetch(t.Context(), []string{"a", "b"}) })
	<-s.entered
	changed := endpoint("a", "*")
	changed.URL = "https://example.com/changed"
	s.put(changed)
	d.ForgetEndpoint("a")
	close(s.resume)
	go func() {
		for range s.entered { // the reads that follow
		}
	}()
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if target, err := d.Target(t.Context(), "a"); err != nil || target.Endpoint.URL != changed.URL {
		t.Errorf("got %+v, %v", target, err)
	}
	close(s.entered)
}

// An operator's key that was read before the catalogue may have been deleted before the revision that publishes are held
// to, so that they would not find out.
func TestOperatorsKeysAreNoOlderThanTheCatalogue(t *testing.T) {
	t.Parallel()
	s := newStore()
	id := bellwire.KeyID{2}
	s.keys[id] = &bellwire.Key{ID: id}
	d := newDirectory(s)
	read := func() error { _, err := d.Key(t.Context(), id); return err }
	if err := read(); err != nil {
		t.Fatal(err)
	}
	delete(s.keys, id)
	if _, err := d.Catalogue(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := read(); bellwire.CodeOf(err) != bellwire.CodeNotFound {
		t.Errorf("the deleted key is answered with %v", err)
	}
}

func TestCached(t *testing.T) {
	t.Parallel()
	s := newStore()
	s.put(endpoint("a", "*"))
	id := bellwire.KeyID{1}
	s.keys[id] = &bellwire.Key{ID: id, Tenant: "acme"}
	operator := bellwire.KeyID{2}
	s.keys[operator] = &bellwire.Key{ID: operator}
	d := newDirectory(s)
	readAll := func() {
		mustTenant(t, d)
		for _, load := range []func() error{
			func() error { _, err := d.Target(t.Context(), "a"); return err },
			func() error { _, err := d.Key(t.Context(), id); return err },
			func() error { _, err := d.Catalogue(t.Context()); return err }, // what the operator's keys are no older than
			func() error { _, err := d.Key(t.Context(), operator); return err },
		} {
			if err := load(); err != nil {
				t.Fatal(err)
			}
		}
	}
	steps := []struct {
		name   string
		forget func()
		reads  int64
	}{
		{"first", func() {}, 4}, // the target came with its tenant
		{"again", func() {}, 0},
		{"another tenant forgotten", func() { d.ForgetTenant("other") }, 0},
		{"tenant forgotten", func() { d.ForgetTenant("acme") }, 2},
		{"endpoint forgotten", func() { d.ForgetEndpoint("a") }, 2},
		{"catalogue forgotten", d.ForgetCatalogue, 2},
	}
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			step.forget()
			before := s.reads.Load()
			readAll()
			if got := s.reads.Load() - before; got != step.reads {
				t.Errorf("%s: %d reads, want %d", step.name, got, step.reads)
			}
		})
	}
}

func TestMissesAreNotCached(t *testing.T) {
	t.Parallel()
	s := newStore()
	d := newDirectory(s)
	if _, err := d.Tenant(t.Context(), "acme"); bellwire.CodeOf(err) != bellwire.CodeNotFound {
		t.Fatal(err)
	}
	s.put(endpoint("a", "*"))
	mustTenant(t, d)
}

func TestConcurrentMissesLoadOnce(t *testing.T) {
	t.Parallel()
	s := newStore()
	s.put(endpoint("a", "*"))
	s.entered, s.resume = make(chan struct{}), make(chan struct{})
	d := newDirectory(s)
	canceling, leave := context.WithCancel(t.Context())
	var g errgroup.Group
	g.Go(func() error {
		if _, err := d.Tenant(canceling, "acme"); bellwire.CodeOf(err) != bellwire.CodeCanceled {
			return fmt.Errorf("who left got %v", err)
		}
		return nil
	})
	<-s.entered
	leave()
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	for range 8 {
		g.Go(func() error { _, err := d.Tenant(t.Context(), "acme"); return err })
	}
	close(s.resume) // what was begun for the one who left is finished for the others
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if n := s.reads.Load(); n != 1 {
		t.Errorf("%d reads, want 1", n)
	}
}

// A load that began before a change must neither be cached nor shared with callers that come after the change.
func TestStaleLoadIsNotKept(t *testing.T) {
	t.Parallel()
	s := newStore()
	s.put(endpoint("a", "*"))
	s.entered, s.resume = make(chan struct{}), make(chan struct{})
	d := newDirectory(s)
	var g errgroup.Group
	load := func(want int64) {
		g.Go(func() error {
			tenant, err := d.Tenant(t.Context(), "acme")
			if err == nil && tenant.Revision != want {
				err = fmt.Errorf("got revision %d, want %d", tenant.Revision, want)
			}
			return err
		})
	}
	load(1)
	<-s.entered
	s.put(endpoint("b", "*"))
	d.ForgetTenant("acme")
	load(2) // does not join the first, and waits for its end
	load(2)
	s.resume <- struct{}{}
	<-s.entered
	s.resume <- struct{}{}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if tenant := mustTenant(t, d); tenant.Revision != 2 || s.reads.Load() != 2 {
		t.Errorf("revision %d after %d reads, want 2 after 2", tenant.Revision, s.reads.Load())
	}
}

// Whoever asks after a change was made and forgotten sees that change or a later one.
func TestReadYourWrites(t *testing.T) {
	t.Parallel()
	s := newStore()
	s.put(endpoint("a", "*"))
	d := newDirectory(s)
	var g errgroup.Group
	var forgotten atomic.Int64
	for range 4 {
		g.Go(func() error {
			for range 2000 {
				least := forgotten.Load()
				tenant, err := d.Tenant(t.Context(), "acme")
				if err != nil {
					return err
				}
				if tenant.Revision < least {
					return fmt.Errorf("revision %d after %d was forgotten", tenant.Revision, least)
				}
			}
			return nil
		})
	}
	g.Go(func() error {
		for revision := range int64(500) {
			s.put(endpoint("a", "*"))
			d.ForgetTenant("acme")
			forgotten.Store(revision + 2)
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
}

func TestStoreErrorsAreNotKept(t *testing.T) {
	t.Parallel()
	s := newStore()
	d := newDirectory(s)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("left"))
	if _, err := d.Catalogue(ctx); err != nil && bellwire.CodeOf(err) != bellwire.CodeCanceled {
		t.Errorf("got %v", err)
	}
	if _, err := d.Catalogue(t.Context()); err != nil {
		t.Error(err)
	}
}
