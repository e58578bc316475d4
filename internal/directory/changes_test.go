package directory_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/standard"
	"github.com/bellwire/bellwire/internal/directory"
	"github.com/bellwire/bellwire/internal/limits"
)

// countingKeyring counts the secrets that are opened.
type countingKeyring struct {
	plainKeyring
	opened *atomic.Int64
}

func (k countingKeyring) OpenCredentials(id string, sealed []byte) (*bellwire.Credentials, error) {
	k.opened.Add(1)
	return k.plainKeyring.OpenCredentials(id, sealed)
}

// A change of one endpoint among many has one endpoint read and its secrets opened, for matching, and for sending to any
// of them.
func TestChangeReloadsOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	s := newStore()
	for i := range 500 {
		s.put(endpoint(fmt.Sprint("ep", i), "*"))
	}
	opened := new(atomic.Int64)
	d := directory.New(directory.Config{
		Store: s, Keyring: countingKeyring{opened: opened},
		Dialects: map[string]bellwire.Dialect{standard.Name: standard.Dialect{}},
	})
	mustTenant(t, d)
	s.endpointsRead.Store(0)
	s.reads.Store(0)
	opened.Store(0)
	for change, want := range map[string]int{"changed": 500, "deleted": 499, "new": 500} {
		ep := endpoint("ep7", "order.*")
		switch change {
		case "deleted":
			ep = endpoint("ep8", "*")
			ep.Deleted = true
		case "new":
			ep = endpoint("ep1000", "*")
		}
		before, secrets := s.endpointsRead.Load(), opened.Load()
		reads, length := s.reads.Load(), mustTenant(t, d).Len()
		s.put(ep)
		d.ForgetEndpoint(ep.ID)
		d.ForgetTenant("acme")
		tenant := mustTenant(t, d)
		for i := range 500 {
			if _, err := d.Target(t.Context(), fmt.Sprint("ep", i)); err != nil && i != 8 {
				t.Fatal(err)
			}
		}
		if read := s.endpointsRead.Load() - before; read != 1 {
			t.Errorf("%s: %d endpoints were read", change, read)
		}
		if n := opened.Load() - secrets; n > 1 {
			t.Errorf("%s: %d secrets were opened", change, n)
		}
		if n := s.reads.Load() - reads; n > 2 { // the tenant, and the deleted endpoint
			t.Errorf("%s: the store was read %d times", change, n)
		}
		if grown := tenant.Len() - length; grown != want-500 && change != "new" || change == "new" && grown != 1 {
			t.Errorf("%s: there are %d more endpoints", change, grown)
		}
	}
	if got := len(mustTenant(t, d).Match("invoice.paid")); got != 499 {
		t.Errorf("%d endpoints match, want 499: all but the changed one", got)
	}
}

// Descriptions and metadata take no memory.
func TestTargetsAreWithoutWhatPeopleRead(t *testing.T) {
	t.Parallel()
	s := newStore()
	ep := endpoint("a", "*")
	ep.Description, ep.Metadata = "for people", map[string]string{"a": "b"}
	s.put(ep)
	d := newDirectory(s)
	target, err := d.Target(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if target.Endpoint.Description != "" || target.Endpoint.Metadata != nil {
		t.Errorf("the target carries %q and %v", target.Endpoint.Description, target.Endpoint.Metadata)
	}
}

// After any changes in any order, a directory has the same content as a new one.
func TestChangesLeadToWhatThereIs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := newStore()
		s.put(endpoint("ep0", "*"))
		d := newDirectory(s)
		for range rapid.IntRange(1, 12).Draw(rt, "rounds") {
			for range rapid.IntRange(0, 4).Draw(rt, "changes") {
				ep := endpoint(fmt.Sprint("ep", rapid.IntRange(0, 5).Draw(rt, "endpoint")), rapid.SampledFrom([]string{"*", "a.*", "a.b"}).Draw(rt, "pattern"))
				ep.Deleted = rapid.Bool().Draw(rt, "deleted")
				if rapid.IntRange(0, 5).Draw(rt, "disabled") == 0 {
					ep.Status = bellwire.EndpointDisabled
				}
				s.put(ep)
			}
			if rapid.Bool().Draw(rt, "purge") { // what was deleted leaves no trace
				s.mu.Lock()
				maps.DeleteFunc(s.endpoints, func(_ string, ep *bellwire.Endpoint) bool { return ep.Deleted })
				s.mu.Unlock()
			}
			d.ForgetTenant("acme")
			got, err := d.Tenant(t.Context(), "acme")
			if err != nil {
				rt.Fatal(err)
			}
			want, err := newDirectory(s).Tenant(t.Context(), "acme")
			if err != nil {
				rt.Fatal(err)
			}
			if diff := cmp.Diff(ids(want.Targets()), ids(got.Targets())); diff != "" || got.Len() != want.Len() || got.Revision != want.Revision {
				rt.Fatalf("the endpoints: %s", diff)
			}
			for _, name := range []string{"a.b", "a.c", "x"} {
				if diff := cmp.Diff(ids(want.Match(name)), ids(got.Match(name))); diff != "" {
					rt.Fatalf("who gets %s: %s", name, diff)
				}
			}
			for _, target := range got.Targets() {
				if single, err := d.Target(t.Context(), target.Endpoint.ID); err != nil || single != target {
					rt.Fatalf("%s is known twice: %v", target.Endpoint.ID, err)
				}
			}
		}
	})
}

// One tenant's changes must not have others' configuration read again and again.
func TestAChangeOfOneTenantLeavesOthersCached(t *testing.T) {
	t.Parallel()
	s := newStore()
	s.put(endpoint("a", "*"))
	id := bellwire.KeyID{1}
	s.keys[id] = &bellwire.Key{ID: id, Tenant: "acme"}
	s.entered, s.resume = make(chan struct{}), make(chan struct{})
	d := newDirectory(s)
	for name, read := range map[string]func() error{
		"the tenant": func() error { _, err := d.Tenant(t.Context(), "acme"); return err },
		"the key":    func() error { _, err := d.Key(t.Context(), id); return err },
	} {
		var g errgroup.Group
		g.Go(read)
		<-s.entered
		d.ForgetTenant("other") // while it is being read
		d.ForgetEndpoint("others")
		s.resume <- struct{}{}
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		before := s.reads.Load()
		if err := read(); err != nil || s.reads.Load() != before {
			t.Errorf("%s is read again: %v", name, err)
		}
	}
}

// A deleted key must not come back when its tenant is read again.
func TestAKeyIsForgottenWithItsTenant(t *testing.T) {
	t.Parallel()
	s := newStore()
	s.put(endpoint("a", "*"))
	id := bellwire.KeyID{1}
	s.keys[id] = &bellwire.Key{ID: id, Tenant: "acme"}
	d := newDirectory(s)
	mustTenant(t, d)
	if _, err := d.Key(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	delete(s.keys, id)
	d.ForgetTenant("acme")
	mustTenant(t, d)
	if _, err := d.Key(t.Context(), id); bellwire.CodeOf(err) != bellwire.CodeNotFound {
		t.Errorf("the deleted key is answered with %v", err)
	}
}

// However many tenants' changes are to be read, a few at a time are, and none twice at once.
func TestLoadsAreBounded(t *testing.T) {
	t.Parallel()
	s := newStore()
	const tenants = 3 * limits.ConfigurationLoads
	for i := range tenants {
		ep := endpoint(fmt.Sprint("ep", i), "*")
		ep.Tenant = fmt.Sprint("t", i)
		s.put(ep)
	}
	s.entered, s.resume = make(chan struct{}, 3*tenants), make(chan struct{})
	d := newDirectory(s)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var g errgroup.Group
	for i := range tenants {
		for range 3 {
			g.Go(func() error { _, err := d.Tenant(ctx, fmt.Sprint("t", i)); return err })
		}
	}
	for range limits.ConfigurationLoads {
		<-s.entered
	}
	if n := s.reads.Load(); n != limits.ConfigurationLoads {
		t.Errorf("%d are being read", n)
	}
	for range tenants {
		s.resume <- struct{}{}
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if n := s.reads.Load(); n != tenants {
		t.Errorf("%d reads of %d tenants", n, tenants)
	}
}

// BenchmarkChange measures a change of one endpoint of a tenant with many.
func BenchmarkChange(b *testing.B) {
	for _, n := range []int{10, 1000} {
		b.Run(fmt.Sprintf("endpoints=%d", n), func(b *testing.B) {
			s := newStore()
			for i := range n {
				patterns := make([]string, 100)
				for k := range patterns {
					patterns[k] = fmt.Sprintf("group%d.created%d", k, i)
				}
				s.put(endpoint(fmt.Sprint("ep", i), patterns...))
			}
			d := newDirectory(s)
			changed := slices.Collect(maps.Values(s.endpoints))[0]
			if _, err := d.Tenant(b.Context(), "acme"); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				s.put(changed)
				d.ForgetTenant("acme")
				tenant, err := d.Tenant(b.Context(), "acme")
				if err != nil {
					b.Fatal(err)
				}
				tenant.Match("group1.created1")
			}
		})
	}
}
