package directory_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/directory"
)

// slowKeys is a store that has the given keys and takes a second for each look-up.
type slowKeys struct {
	bellwire.Configuration

	mu            sync.Mutex
	good          map[bellwire.KeyID]bool
	reads         int
	at, atOneTime int
}

func (s *slowKeys) Key(ctx context.Context, id bellwire.KeyID) (*bellwire.Key, error) {
	s.mu.Lock()
	s.reads++
	s.at++
	s.atOneTime = max(s.atOneTime, s.at)
	good := s.good[id]
	s.mu.Unlock()
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at--
	if !good {
		return nil, bellwire.NotFound("key", id.String())
	}
	return &bellwire.Key{ID: id, Tenant: "acme"}, ctx.Err()
}

// Callers with unknown keys wait for each other. A caller with a known key does not wait for them, even if the key must be
// read again.
func TestUnknownKeysWaitForEachOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		known := bellwire.KeyID{1}
		s := &slowKeys{good: map[bellwire.KeyID]bool{known: true}}
		d := directory.New(directory.Config{Store: s})
		ask := func(id bellwire.KeyID, want bellwire.Code) time.Duration {
			t.Helper()
			start := time.Now()
			if _, err := d.Key(t.Context(), id); bellwire.CodeOf(err) != want {
				t.Errorf("%v, want %q", err, want)
			}
			return time.Since(start)
		}
		ask(known, "")
		s.reads, s.atOneTime = 0, 0
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() { ask(bellwire.KeyID{2, byte(i)}, bellwire.CodeNotFound) })
		}
		synctest.Wait()
		if s.atOneTime != 4 {
			t.Errorf("%d unknown keys are looked up at the same time", s.atOneTime)
		}
		d.ForgetTenant("acme")
		if took := ask(known, ""); took != time.Second {
			t.Errorf("the known key took %s", took)
		}
		all.Wait()
		for i := range 100 { // more than can be looked up until one is given up
			all.Go(func() { _, _ = d.Key(t.Context(), bellwire.KeyID{3, byte(i)}) })
		}
		synctest.Wait()
		ask(bellwire.KeyID{4}, bellwire.CodeRateLimited)
		all.Wait()
	})
}

// A key that another node makes is found at once, whoever asked for it before, even if a look-up is under way that does not find it.
func TestNewKeysAreFoundAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		id := bellwire.KeyID{1}
		s := &slowKeys{good: map[bellwire.KeyID]bool{}}
		d := directory.New(directory.Config{Store: s})
		var early sync.WaitGroup
		early.Go(func() {
			if _, err := d.Key(t.Context(), id); bellwire.CodeOf(err) != bellwire.CodeNotFound {
				t.Errorf("asked too early: %v", err)
			}
		})
		synctest.Wait()
		s.mu.Lock()
		s.good[id] = true
		s.mu.Unlock()
		if _, err := d.Key(t.Context(), id); err != nil {
			t.Error(err)
		}
		early.Wait()
	})
}

// slowTenants is a store in which tenants exist or not, and which takes a second for each look-up.
type slowTenants struct {
	bellwire.Configuration
	exist atomic.Bool
}

func (s *slowTenants) look(id string) error {
	exist := s.exist.Load()
	time.Sleep(time.Second)
	if !exist {
		return bellwire.NotFound("tenant", id)
	}
	return nil
}

func (s *slowTenants) Tenant(_ context.Context, id string) (*bellwire.Tenant, error) {
	return &bellwire.Tenant{ID: id}, s.look(id)
}

func (s *slowTenants) EndpointsSince(_ context.Context, id string, _ int64) (*bellwire.EndpointChanges, error) {
	return &bellwire.EndpointChanges{Tenant: &bellwire.Tenant{ID: id, Revision: 1}}, s.look(id)
}

// A tenant that another node makes is found at once, too.
func TestNewTenantsAreFoundAtOnce(t *testing.T) {
	t.Parallel()
	for name, find := range map[string]func(context.Context, *directory.Directory) error{
		"tenant": func(ctx context.Context, d *directory.Directory) error { _, err := d.Tenant(ctx, "acme"); return err },
		"limits": func(ctx context.Context, d *directory.Directory) error { _, err := d.Limits(ctx, "acme"); return err },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := new(slowTenants)
				d := directory.New(directory.Config{Store: s})
				var early sync.WaitGroup
				early.Go(func() {
					if err := find(t.Context(), d); bellwire.CodeOf(err) != bellwire.CodeNotFound {
						t.Errorf("asked too early: %v", err)
					}
				})
				synctest.Wait()
				s.exist.Store(true)
				if err := find(t.Context(), d); err != nil {
					t.Error(err)
				}
				early.Wait()
			})
		})
	}
}

// Ids that anybody may know are looked up a few at a time, even those that were found.
func TestUnprovenIDsAreLookedUpAFewAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lookups := directory.NewLookups[int]("session")
		var reading atomic.Int64
		free := make(chan struct{})
		find := func() {
			if err := lookups.FindUnproven(t.Context(), func() error { reading.Add(1); <-free; return nil }); err != nil {
				t.Error(err)
			}
		}
		var all sync.WaitGroup
		all.Go(find)
		synctest.Wait()
		free <- struct{}{}
		all.Wait()
		reading.Store(0)
		for range 20 {
			all.Go(find)
		}
		synctest.Wait()
		if n := reading.Load(); n != 4 {
			t.Errorf("%d look-ups at the same time, want 4", n)
		}
		close(free)
		all.Wait()
	})
}

// An id that was found, and exists no more, is looked up a few times at a time, like those that never existed.
func TestDeletedIDsAreLookedUpAFewAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		lookups := directory.NewLookups[int]("key")
		if err := lookups.Find(t.Context(), 1, func() error { return nil }); err != nil {
			t.Fatal(err)
		}
		missing := bellwire.Errorf(bellwire.CodeNotFound, "key not found")
		if err := lookups.Find(t.Context(), 1, func() error { return missing }); !errors.Is(err, missing) {
			t.Fatalf("the look-up of the deleted id says %v", err)
		}
		var reading atomic.Int64
		free := make(chan struct{})
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				_ = lookups.Find(t.Context(), 1, func() error { reading.Add(1); <-free; return missing }) // some may be refused
			})
		}
		synctest.Wait()
		if n := reading.Load(); n != 4 {
			t.Errorf("%d look-ups at the same time, want 4", n)
		}
		close(free)
		all.Wait()
	})
}
