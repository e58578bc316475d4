package directory_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/directory"
)

// failures counts the filters that failed.
type failures struct {
	bellwire.NopObserver
	mu sync.Mutex
	of map[string]bool // by endpoint, whether it was delivered all the same
}

func (f *failures) FilterFailed(ep *bellwire.Endpoint, delivered bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.of[ep.ID] = delivered
}

func filtered(id, filter string, onError bellwire.OnError) *bellwire.Endpoint {
	ep := endpoint(id, "order.*")
	ep.Filter, ep.OnError = filter, onError
	return ep
}

func recipients(t *testing.T, tenant *directory.Tenant, o bellwire.Observer, data ...string) [][]*bellwire.Target {
	t.Helper()
	events := make([]bellwire.NewEvent, len(data))
	for i := range data {
		events[i].Event = bellwire.Event{Type: "order.paid", Data: []byte(data[i])}
	}
	targets := make([][]*bellwire.Target, len(events))
	if err := tenant.Recipients(t.Context(), events, targets, o); err != nil {
		t.Fatal(err)
	}
	return targets
}

func TestRecipients(t *testing.T) {
	t.Parallel()
	s := newStore()
	s.put(endpoint("all", "*"))
	s.put(endpoint("other", "invoice.*"))
	s.put(filtered("large", "data.amount > 100", bellwire.OnErrorDeliver))
	s.put(filtered("small", "data.amount <= 100", bellwire.OnErrorSkip))
	s.put(filtered("broken", "data.amount >", bellwire.OnErrorDeliver))
	s.put(filtered("brokenToo", "data.amount >", bellwire.OnErrorSkip))
	disabled := filtered("disabled", "true", bellwire.OnErrorDeliver)
	disabled.Status = bellwire.EndpointDisabled
	s.put(disabled)
	tenant := mustTenant(t, newDirectory(s))
	for data, want := range map[string]map[string]bool{
		`{"amount": 500}`:    {"all": true, "large": true, "broken": true},
		`{"amount": 5}`:      {"all": true, "small": true, "broken": true},
		`{"amount": "many"}`: {"all": true, "large": true, "broken": true},
		`{}`:                 {"all": true, "large": true, "broken": true},
	} {
		if diff := cmp.Diff(want, ids(recipients(t, tenant, bellwire.NopObserver{}, data)[0])); diff != "" {
			t.Errorf("%s: %s", data, diff)
		}
	}
	o := &failures{of: map[string]bool{}}
	recipients(t, tenant, o, `{}`)
	if diff := cmp.Diff(map[string]bool{"large": true, "small": false, "broken": true, "brokenToo": false}, o.of); diff != "" {
		t.Error(diff)
	}
	problem := []bellwire.NewEvent{{Event: bellwire.Event{Type: "order.paid", Problem: "does not fit"}}}
	targets := make([][]*bellwire.Target, 1)
	if err := tenant.Recipients(t.Context(), problem, targets, o); err != nil || targets[0] != nil {
		t.Errorf("an event with a problem has the recipients %v (%v)", targets[0], err)
	}
}

func TestRecipientsWithoutFiltersAllocateNothing(t *testing.T) {
	s := newStore()
	s.put(endpoint("all", "*"))
	s.put(filtered("filtered", "true", bellwire.OnErrorDeliver))
	tenant := mustTenant(t, newDirectory(s))
	events := []bellwire.NewEvent{{Event: bellwire.Event{Type: "invoice.paid"}}}
	targets := make([][]*bellwire.Target, 1)
	ctx := t.Context()
	var o bellwire.Observer = bellwire.NopObserver{}
	if n := testing.AllocsPerRun(100, func() {
		if err := tenant.Recipients(ctx, events, targets, o); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("it allocates %v times", n)
	}
}

func TestEqualFiltersAreSharedAndDropped(t *testing.T) {
	t.Parallel()
	s := newStore()
	for i := range 100 {
		s.put(filtered(fmt.Sprint("same", i), "data.amount > 100", bellwire.OnErrorDeliver))
	}
	d := newDirectory(s)
	tenant := mustTenant(t, d)
	one := tenant.FilterBytes(nil)
	if one == 0 || one > 10_000 {
		t.Errorf("100 equal filters take %d bytes, want those of one", one)
	}
	s.put(filtered("another", "data.amount > 200", bellwire.OnErrorDeliver))
	d.ForgetTenant("acme")
	if got := mustTenant(t, d).FilterBytes(nil); got != 2*one {
		t.Errorf("with another one filters take %d bytes, want %d", got, 2*one)
	}
	if n := d.CompiledFilters(); n != 2 {
		t.Errorf("%d filters are kept, want 2", n)
	}
	runtime.KeepAlive(tenant)
	for i := range 100 {
		s.put(endpoint(fmt.Sprint("same", i), "*"))
	}
	s.put(endpoint("another", "*"))
	d.ForgetTenant("acme")
	mustTenant(t, d)
	tenant = nil
	for d.CompiledFilters() > 0 { // until the collector has dropped them; the test's deadline is the limit
		runtime.GC()
		runtime.Gosched()
	}
}

// TestFiltersThatTakeLongTakeTurns has more filters evaluated than a publication may without waiting, and without end.
func TestFiltersThatTakeLongTakeTurns(t *testing.T) {
	t.Parallel()
	s := newStore()
	const many = 500
	for i := range many {
		s.put(filtered(fmt.Sprint("ep", i), fmt.Sprintf("data.exists(a, data.exists(b, a + b == %d))", -i-1), bellwire.OnErrorSkip))
	}
	tenant := mustTenant(t, newDirectory(s))
	o := &failures{of: map[string]bool{}}
	data := "[" + strings.Repeat("1,", 45) + "1]"
	if got := len(recipients(t, tenant, o, data)[0]); got != 0 {
		t.Errorf("%d endpoints get the event, want none", got)
	}
	if len(o.of) == 0 || len(o.of) == many {
		t.Errorf("%d of %d filters were given up, want those beyond the bound of a publication", len(o.of), many)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	events := []bellwire.NewEvent{{Event: bellwire.Event{Type: "order.paid", Data: []byte(data)}}}
	if err := tenant.Recipients(ctx, events, make([][]*bellwire.Target, 1), o); err == nil {
		t.Error("filters that take long were evaluated for a caller that has left")
	}
}
