package service_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/standard"
	"github.com/bellwire/bellwire/internal/directory"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/seal"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/internal/share"
)

// slowStore is a store whose lists of one tenant end when they are let go.
type slowStore struct {
	bellwire.Store
	slow  string
	free  chan struct{}
	order chan string  // of the tenants whose lists begin
	under atomic.Int64 // lists of the slow tenant that are under way
}

func newSlowStore(slow string) *slowStore {
	return &slowStore{slow: slow, free: make(chan struct{}), order: make(chan string, 1000)}
}

func (s *slowStore) wait(ctx context.Context, tenant string) error {
	s.order <- tenant
	if tenant != s.slow {
		return nil
	}
	s.under.Add(1)
	defer s.under.Add(-1)
	select {
	case <-s.free:
		return nil
	case <-ctx.Done():
		return bellwire.Wrap(bellwire.CodeUnavailable, ctx.Err(), "the operation took too long")
	}
}

func (s *slowStore) Deliveries(ctx context.Context, f bellwire.DeliveryFilter, _ bellwire.Page) (*bellwire.List[*bellwire.Delivery], error) {
	return &bellwire.List[*bellwire.Delivery]{}, s.wait(ctx, f.Tenant)
}

// Events has two pages.
func (s *slowStore) Events(ctx context.Context, f bellwire.EventFilter, page bellwire.Page) (*bellwire.List[*bellwire.Event], error) {
	list := &bellwire.List[*bellwire.Event]{Items: []*bellwire.Event{{}}}
	if page.After == "" {
		list.Next = bellwire.EventCursor(bellwire.EventID{1})
	}
	return list, s.wait(ctx, f.Tenant)
}

func (s *slowStore) Tenant(_ context.Context, id string) (*bellwire.Tenant, error) {
	return &bellwire.Tenant{ID: id}, nil
}

// TenantEndpoints finds no endpoint.
func (s *slowStore) TenantEndpoints(context.Context, string) (*bellwire.Tenant, []*bellwire.Endpoint, error) {
	return nil, nil, nil
}

func (s *slowStore) Key(_ context.Context, id bellwire.KeyID) (*bellwire.Key, error) {
	return nil, bellwire.NotFound("key", id.String())
}

// slowService is a service on a slow store. Its engine takes manual retries only.
func slowService(t *testing.T, s bellwire.Store, reads int) *service.Service {
	t.Helper()
	keyring, _, err := seal.OpenKeyring(filepath.Join(t.TempDir(), "keyset"))
	if err != nil {
		t.Fatal(err)
	}
	svc, err := service.New(service.Config{
		Store: s, Shared: true, Reads: reads, Keyring: keyring, Engine: &fakeEngine{refreshed: make(map[string]int)},
		Directory: directory.New(directory.Config{Store: s, Keyring: keyring}),
		Dialects:  map[string]bellwire.Dialect{standard.Name: standard.Dialect{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return svc
}

func reader(tenant string) service.Caller {
	return service.Caller{Role: bellwire.RoleTenantRead, Tenant: tenant}
}

// TestReadersOfOneTenantDelayNoOthers has a hundred readers of one tenant, none of whom gets an answer. Others read, keys
// are looked up, and operators read, all at once.
func TestReadersOfOneTenantDelayNoOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newSlowStore("crowd")
		svc := slowService(t, store, 3)
		read := func(c service.Caller, tenant string) error {
			_, err := svc.Deliveries(t.Context(), c, bellwire.DeliveryFilter{Tenant: tenant}, bellwire.Page{})
			return err
		}
		answers := make(chan error, 100)
		var crowd sync.WaitGroup
		for range cap(answers) {
			crowd.Go(func() { answers <- read(reader("crowd"), "crowd") })
		}
		synctest.Wait()
		const inside = 2 // the last place is kept for others
		if under := store.under.Load(); under != inside {
			t.Errorf("%d of its reads are under way, want %d", under, inside)
		}
		if refused := len(answers); refused != cap(answers)-inside-limits.ReadsOf {
			t.Errorf("%d were refused", refused)
		}
		for range len(answers) {
			wantCode(t, <-answers, bellwire.CodeRateLimited, "")
		}
		start := time.Now()
		for range 10 {
			if err := read(reader("other"), "other"); err != nil {
				t.Errorf("another tenant's read: %v", err)
			}
			if err := read(admin, "other"); err != nil {
				t.Errorf("an operator's read: %v", err)
			}
			_, err := svc.Authenticate(t.Context(), "bwk_"+strings.Repeat("0", 32)+"_"+strings.Repeat("x", 43))
			wantCode(t, err, bellwire.CodeUnauthenticated, "")
		}
		if waited := time.Since(start); waited > 0 {
			t.Errorf("they waited for %v", waited)
		}
		crowd.Wait()
		slow, refused := 0, 0
		for len(answers) > 0 {
			switch err := <-answers; bellwire.CodeOf(err) {
			case bellwire.CodeUnavailable:
				slow++
			case bellwire.CodeRateLimited:
				refused++
			default:
				t.Errorf("one of the crowd: %v", err)
			}
		}
		if slow < 2*inside || slow+refused != inside+limits.ReadsOf {
			t.Errorf("%d reads took too long, and %d were refused", slow, refused)
		}
	})
}

// TestSearchesTakeTurns has a search go back into line after each page that it reads.
func TestSearchesTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newSlowStore("crowd")
		svc := slowService(t, store, 1)
		var all sync.WaitGroup
		all.Go(func() {
			_, err := svc.FindEvents(t.Context(), reader("crowd"), bellwire.EventFilter{Tenant: "crowd"},
				func(*bellwire.Event) bool { return false }, bellwire.Page{})
			if err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		all.Go(func() {
			if _, err := svc.Events(t.Context(), reader("other"), bellwire.EventFilter{Tenant: "other"}, bellwire.Page{}); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		close(store.free)
		all.Wait()
		order := []string{<-store.order, <-store.order, <-store.order}
		if want := []string{"crowd", "other", "crowd"}; !slices.Equal(order, want) {
			t.Errorf("the reads were of %v, want %v", order, want)
		}
	})
}

// endlessStore is a store with endless pages of large events.
type endlessStore struct {
	*slowStore
	pages int
}

func (s *endlessStore) Events(context.Context, bellwire.EventFilter, bellwire.Page) (*bellwire.List[*bellwire.Event], error) {
	s.pages++
	large := &bellwire.Event{Data: make([]byte, bellwire.MaxPageBytes)}
	return &bellwire.List[*bellwire.Event]{Items: []*bellwire.Event{large}, Next: bellwire.EventCursor(bellwire.EventID{byte(s.pages)})}, nil
}

// TestSearchesEndAtTheirBytes has a search find nothing among large events. It gives up for now, and can be gone on with.
func TestSearchesEndAtTheirBytes(t *testing.T) {
	t.Parallel()
	store := &endlessStore{slowStore: newSlowStore("")}
	svc := slowService(t, store, 1)
	found, err := svc.FindEvents(t.Context(), reader("acme"), bellwire.EventFilter{Tenant: "acme"},
		func(*bellwire.Event) bool { return false }, bellwire.Page{})
	if err != nil || len(found.Items) != 0 || found.Next != bellwire.EventCursor(bellwire.EventID{4}) || store.pages != 4 {
		t.Errorf("after %d pages: %+v, %v", store.pages, found, err)
	}
}

// A long read keeps its place for a pause, in which the tenant's next read waits and another tenant's does not.
func TestLongReadsPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newSlowStore("crowd")
		svc := slowService(t, store, 2)
		read := func(tenant string) (waited time.Duration) {
			began := time.Now()
			if _, err := svc.Deliveries(t.Context(), reader(tenant), bellwire.DeliveryFilter{Tenant: tenant}, bellwire.Page{}); err != nil {
				t.Error(err)
			}
			return time.Since(began)
		}
		var crowd sync.WaitGroup
		crowd.Go(func() { read("crowd") })
		time.Sleep(limits.LongRead)
		close(store.free)
		crowd.Wait()
		if waited := read("other"); waited != 0 {
			t.Errorf("another tenant waited for %v", waited)
		}
		if waited := read("crowd"); waited != (limits.LongReadPart-1)*limits.LongRead {
			t.Errorf("the tenant's next read waited for %v", waited)
		}
		if waited := read("crowd"); waited != 0 {
			t.Errorf("a read after a short one waited for %v", waited)
		}
	})
}

// A count before a job is a read: the next one of the tenant waits for the rest of a long one, and one of another tenant does not.
func TestCountsWaitForLongReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newSlowStore("crowd")
		svc := slowService(t, store, 2)
		count := func(tenant string) (waited time.Duration) {
			began := time.Now()
			owner := service.Caller{Tenant: tenant, Role: bellwire.RoleTenant}
			if _, err := svc.CountJob(t.Context(), owner, tenant, service.JobInput{Kind: bellwire.JobRetry}); err != nil {
				t.Error(err)
			}
			return time.Since(began)
		}
		var crowd sync.WaitGroup
		crowd.Go(func() {
			if _, err := svc.Deliveries(t.Context(), reader("crowd"), bellwire.DeliveryFilter{Tenant: "crowd"}, bellwire.Page{}); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(limits.LongRead)
		close(store.free)
		crowd.Wait()
		if waited := count("other"); waited != 0 {
			t.Errorf("another tenant's count waited for %v", waited)
		}
		if waited := count("crowd"); waited != (limits.LongReadPart-1)*limits.LongRead {
			t.Errorf("the tenant's count waited for %v", waited)
		}
	})
}

// CatalogueSince finds nothing.
func (s *slowStore) CatalogueSince(context.Context, int64) (*bellwire.CatalogueChanges, error) {
	return &bellwire.CatalogueChanges{}, nil
}

// Of many trials of a tenant, a few have events in memory. Another tenant's does not wait, and those whose turn comes after the
// tenant's steps are used up read nothing.
func TestFewTrialsHaveEventsInMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newSlowStore("crowd")
		svc := slowService(t, store, 100)
		try := func(tenant string) error {
			_, err := svc.TryFilter(t.Context(), reader(tenant), tenant, service.FilterTrial{Filter: "true"})
			return err
		}
		const trials, inside = 20, limits.Trials - 1
		answers := make(chan error, trials)
		var crowd sync.WaitGroup
		for range trials {
			crowd.Go(func() { answers <- try("crowd") })
		}
		synctest.Wait()
		if under := store.under.Load(); under != inside {
			t.Errorf("%d trials of a tenant read events, want %d", under, inside)
		}
		if err := try("other"); err != nil {
			t.Errorf("another tenant's trial: %v", err)
		}
		svc.SpendTrials("crowd", 20*limits.TrialStepsBurst)
		before := len(store.order)
		close(store.free)
		crowd.Wait()
		refused := 0
		for range trials {
			if err := <-answers; bellwire.CodeOf(err) == bellwire.CodeRateLimited {
				refused++
			}
		}
		if refused != trials-inside || len(store.order) != before {
			t.Errorf("%d of the trials that waited were refused, and %d pages were read", refused, len(store.order)-before)
		}
	})
}

// pagingStore is a store that keeps the pages that its lists were asked for.
type pagingStore struct {
	*slowStore
	pages []bellwire.Page
}

func (s *pagingStore) Tenants(_ context.Context, page bellwire.Page) (*bellwire.List[*bellwire.Tenant], error) {
	s.pages = append(s.pages, page)
	return &bellwire.List[*bellwire.Tenant]{}, nil
}

func (s *pagingStore) EventTypes(_ context.Context, page bellwire.Page) (*bellwire.List[*bellwire.EventType], error) {
	s.pages = append(s.pages, page)
	return &bellwire.List[*bellwire.EventType]{}, nil
}

func (s *pagingStore) Keys(_ context.Context, _ string, page bellwire.Page) (*bellwire.List[*bellwire.Key], error) {
	s.pages = append(s.pages, page)
	return &bellwire.List[*bellwire.Key]{}, nil
}

func (s *pagingStore) AuditEntries(_ context.Context, _ bellwire.AuditFilter, page bellwire.Page) (*bellwire.List[*bellwire.AuditEntry], error) {
	s.pages = append(s.pages, page)
	return &bellwire.List[*bellwire.AuditEntry]{}, nil
}

func (s *pagingStore) Endpoints(_ context.Context, _ bellwire.EndpointFilter, page bellwire.Page) (*bellwire.List[*bellwire.Endpoint], error) {
	s.pages = append(s.pages, page)
	return &bellwire.List[*bellwire.Endpoint]{}, nil
}

func (s *pagingStore) Health(context.Context, []string, int) ([]bellwire.EndpointHealth, error) {
	return nil, nil
}

func (s *pagingStore) EndpointHistory(_ context.Context, _, _ string, page bellwire.Page) (*bellwire.List[*bellwire.Change], error) {
	s.pages = append(s.pages, page)
	return &bellwire.List[*bellwire.Change]{}, nil
}

func (s *pagingStore) Deliveries(_ context.Context, _ bellwire.DeliveryFilter, page bellwire.Page) (*bellwire.List[*bellwire.Delivery], error) {
	s.pages = append(s.pages, page)
	return &bellwire.List[*bellwire.Delivery]{}, nil
}

func (s *pagingStore) Events(_ context.Context, _ bellwire.EventFilter, page bellwire.Page) (*bellwire.List[*bellwire.Event], error) {
	s.pages = append(s.pages, page)
	return &bellwire.List[*bellwire.Event]{}, nil
}

func (s *pagingStore) Explain(_ context.Context, _ string, _ bellwire.EventID, page bellwire.Page) (*bellwire.Explained, error) {
	s.pages = append(s.pages, page)
	return nil, bellwire.NotFound("event", "")
}

// Only short pages are read for a caller whose earlier answers fill its share.
func TestPagesAreShortWithoutRoom(t *testing.T) {
	t.Parallel()
	lists := map[string]func(context.Context, *service.Service, bellwire.Page) error{
		"tenants": func(ctx context.Context, svc *service.Service, page bellwire.Page) error {
			_, err := svc.Tenants(ctx, admin, page)
			return err
		},
		"event types": func(ctx context.Context, svc *service.Service, page bellwire.Page) error {
			_, err := svc.EventTypes(ctx, admin, page)
			return err
		},
		"keys": func(ctx context.Context, svc *service.Service, page bellwire.Page) error {
			_, err := svc.Keys(ctx, admin, "acme", page)
			return err
		},
		"audit log": func(ctx context.Context, svc *service.Service, page bellwire.Page) error {
			_, err := svc.AuditLog(ctx, admin, bellwire.AuditFilter{Tenant: "acme"}, page)
			return err
		},
		"endpoints": func(ctx context.Context, svc *service.Service, page bellwire.Page) error {
			_, err := svc.AllEndpoints(ctx, admin, service.EndpointQuery{}, page)
			return err
		},
		"history": func(ctx context.Context, svc *service.Service, page bellwire.Page) error {
			_, err := svc.EndpointHistory(ctx, admin, "acme", "e", page)
			return err
		},
		"deliveries": func(ctx context.Context, svc *service.Service, page bellwire.Page) error {
			_, err := svc.Deliveries(ctx, admin, bellwire.DeliveryFilter{Tenant: "acme"}, page)
			return err
		},
		"events": func(ctx context.Context, svc *service.Service, page bellwire.Page) error {
			_, err := svc.Events(ctx, admin, bellwire.EventFilter{Tenant: "acme"}, page)
			return err
		},
		"explain": func(ctx context.Context, svc *service.Service, page bellwire.Page) error {
			if _, _, err := svc.Explain(ctx, admin, "acme", bellwire.EventID{}, page); bellwire.CodeOf(err) != bellwire.CodeNotFound {
				return err
			}
			return nil
		},
	}
	for name, list := range lists {
		t.Run(name, func(t *testing.T) {
			store := &pagingStore{slowStore: newSlowStore("")}
			svc := slowService(t, store, 1)
			for _, room := range []bool{true, false} {
				if err := list(share.WithRoom(t.Context(), func() bool { return room }), svc, bellwire.Page{Limit: 7}); err != nil {
					t.Fatal(err)
				}
			}
			want := []bellwire.Page{{Limit: 7}, {Limit: 7, Bytes: limits.ShortPage}}
			if !slices.Equal(store.pages, want) {
				t.Errorf("the pages were %+v, want %+v", store.pages, want)
			}
		})
	}
}

// crowdedStore is a store in which manual retries of one tenant do not end.
type crowdedStore struct {
	*slowStore
}

func (s *crowdedStore) Delivery(ctx context.Context, tenant string, _ bellwire.DeliveryID) (*bellwire.Delivery, error) {
	if err := s.wait(ctx, tenant); err != nil {
		return nil, err
	}
	return &bellwire.Delivery{Tenant: tenant}, nil
}

func (s *crowdedStore) Endpoint(_ context.Context, id string) (*bellwire.Endpoint, error) {
	return &bellwire.Endpoint{ID: id, Status: bellwire.EndpointEnabled}, nil
}

func (s *crowdedStore) RequestRetry(_ context.Context, tenant string, _ bellwire.DeliveryID) (*bellwire.Delivery, error) {
	return &bellwire.Delivery{Tenant: tenant}, nil
}

// TestManualRetriesOfOneTenantHoldUpNobodyElse has a hundred manual retries of one tenant, none of which ends.
func TestManualRetriesOfOneTenantHoldUpNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &crowdedStore{newSlowStore("crowd")}
		svc := slowService(t, store, 1)
		retry := func(tenant string) error {
			_, err := svc.RetryDelivery(t.Context(), admin, tenant, bellwire.DeliveryID{1}, false)
			return err
		}
		answers := make(chan error, 100)
		var crowd sync.WaitGroup
		for range cap(answers) {
			crowd.Go(func() { answers <- retry("crowd") })
		}
		synctest.Wait()
		if under := store.under.Load(); under != int64(limits.Sends()-1) {
			t.Errorf("%d of its retries are under way, want all places but one of %d", under, limits.Sends())
		}
		if err := retry("other"); err != nil {
			t.Errorf("another tenant's retry: %v", err)
		}
		time.Sleep(limits.SendWait)
		synctest.Wait()
		if late := len(answers); late != cap(answers)-(limits.Sends()-1) {
			t.Errorf("%d were refused because they had waited too long", late)
		}
		for range len(answers) {
			wantCode(t, <-answers, bellwire.CodeRateLimited, "")
		}
		close(store.free)
		crowd.Wait()
		for range len(answers) {
			if err := <-answers; err != nil {
				t.Error(err)
			}
		}
	})
}
