package service_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
)

func TestFrontEndsSeeOnlyTheirDialect(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	c := service.Caller{Role: bellwire.RoleTenant, Tenant: tenant}
	reader := service.Caller{Role: bellwire.RoleTenantRead, Tenant: tenant}
	own, foreign := e.ForDialect("standard"), e.ForDialect("bare")
	first, err := own.Create(t.Context(), c, tenant, minimal())
	if err != nil || first.Secret == "" {
		t.Fatal(first, err)
	}
	second, err := own.Create(t.Context(), c, tenant, minimal())
	if err != nil {
		t.Fatal(err)
	}
	bare, err := foreign.Create(t.Context(), c, tenant, minimal())
	if err != nil || bare.Secret != "" || bare.Dialect != "bare" {
		t.Fatal(bare, err)
	}
	ids := func(s *service.DialectService) (ids []string) {
		t.Helper()
		list, err := s.List(t.Context(), reader, tenant)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range list {
			ids = append(ids, k.ID)
			if k.Secret != "" && k.Secret != bellwire.Redacted || k.Sealed != nil {
				t.Errorf("a key that may only read sees the secret of %s", k.ID)
			}
		}
		return ids
	}
	if diff := cmp.Diff([]string{first.ID, second.ID}, ids(own)); diff != "" {
		t.Errorf("oldest first: %s", diff)
	}
	if diff := cmp.Diff([]string{bare.ID}, ids(foreign)); diff != "" {
		t.Error(diff)
	}
	asked := false
	decide := func(*service.EndpointView) (service.EndpointInput, error) {
		asked = true
		return service.EndpointInput{}, nil
	}
	_, err = foreign.Get(t.Context(), c, tenant, first.ID)
	wantCode(t, err, bellwire.CodeNotFound, "")
	_, err = foreign.Update(t.Context(), c, tenant, first.ID, decide)
	wantCode(t, err, bellwire.CodeNotFound, "")
	_, err = foreign.Delete(t.Context(), c, tenant, first.ID, nil)
	wantCode(t, err, bellwire.CodeNotFound, "")
	if asked {
		t.Error("an endpoint of another dialect was shown")
	}
	refusal := bellwire.NotFound("registration", first.ID)
	_, err = own.Delete(t.Context(), c, tenant, first.ID, func(*service.EndpointView) error { return refusal })
	wantCode(t, err, bellwire.CodeNotFound, "")
	was, err := own.Delete(t.Context(), c, tenant, first.ID, nil)
	if err != nil || was.Secret != first.Secret {
		t.Errorf("what was deleted is not told as it was: %v", err)
	}
	if diff := cmp.Diff([]string{second.ID}, ids(own)); diff != "" {
		t.Error(diff)
	}
}

func TestUpdateRepeatsAfterConcurrentChange(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	standard := e.ForDialect("standard")
	k, err := standard.Create(t.Context(), admin, tenant, minimal())
	if err != nil {
		t.Fatal(err)
	}
	e.store.stale.Store(2)
	asked := 0
	updated, err := standard.Update(t.Context(), admin, tenant, k.ID, func(was *service.EndpointView) (service.EndpointInput, error) {
		asked++
		return service.EndpointInput{Description: new(was.Description + "x")}, nil
	})
	if err != nil || asked != 3 || updated.Description != "x" {
		t.Errorf("asked %d times: %+v, %v", asked, updated, err)
	}
	_, err = standard.Update(t.Context(), admin, tenant, k.ID, func(*service.EndpointView) (service.EndpointInput, error) {
		return service.EndpointInput{}, bellwire.Invalid("x", "no")
	})
	wantCode(t, err, bellwire.CodeInvalid, "x")
}

func TestPermitOwn(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	if err := e.PermitOwn(t.Context(), service.Caller{Role: bellwire.RoleTenant, Tenant: "acme"}, service.Change); err != nil {
		t.Error(err)
	}
	for _, c := range []service.Caller{admin, {Role: bellwire.RoleTenantRead, Tenant: "acme"}} {
		wantCode(t, e.PermitOwn(t.Context(), c, service.Change), bellwire.CodeForbidden, "")
	}
}

func TestEventTypesOfFrontEnds(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	for _, name := range []string{"z", "m", "a"} {
		e.putType(name, service.EventTypeInput{Group: "letters"})
	}
	e.putType("m", service.EventTypeInput{Group: "letters", Archived: true})
	names := func(group string) (names []string) {
		t.Helper()
		types, err := e.ForDialect("standard").Types(t.Context(), admin, group)
		if err != nil {
			t.Fatal(err)
		}
		for _, eventType := range types {
			names = append(names, eventType.Name)
		}
		return names
	}
	if diff := cmp.Diff([]string{"z", "a"}, names("letters")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"order.created", "z", "a"}, names("")); diff != "" {
		t.Error(diff)
	}
	if got := names("none"); got != nil {
		t.Error(got)
	}
}

func TestTriggerOnlyInTheSandbox(t *testing.T) {
	t.Parallel()
	closed := newEnv(t)
	closed.tenant("acme")
	c := service.Caller{Role: bellwire.RoleTenant, Tenant: "acme"}
	_, err := closed.ForDialect("standard").Trigger(t.Context(), c, "acme", draft)
	wantCode(t, err, bellwire.CodeForbidden, "")

	open := newEnv(t, func(config *service.Config) { config.Sandbox = true })
	open.tenant("acme")
	open.endpoint("acme")
	r, err := open.ForDialect("standard").Trigger(t.Context(), c, "acme", draft)
	if err != nil || r.Deliveries != 1 || !open.Sandbox() {
		t.Error(r, err)
	}
	_, err = open.ForDialect("standard").Trigger(t.Context(), c, "acme", service.Draft{Type: "none", Data: []byte("1")})
	wantCode(t, err, bellwire.CodeInvalid, "type")
	_, err = open.ForDialect("standard").Trigger(t.Context(), service.Caller{Role: bellwire.RoleTenantRead, Tenant: "acme"}, "acme", draft)
	wantCode(t, err, bellwire.CodeForbidden, "")
}

func TestFindEvents(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	var published []bellwire.EventID
	for batch := range 5 { // more than one page looks at
		var drafts []service.Draft
		for n := range 500 {
			drafts = append(drafts, service.Draft{Type: "order.created", Data: fmt.Appendf(nil, `{"amount":%d}`, batch*500+n)})
		}
		receipts, err := e.PublishBatch(t.Context(), admin, tenant, drafts)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range receipts {
			published = append(published, r.Event)
		}
	}
	// Ids made within a millisecond have no order, so the expected order is that of the store's own lists.
	for _, oldestFirst := range []bool{false, true} {
		f := bellwire.EventFilter{Tenant: tenant, OldestFirst: oldestFirst}
		var want []bellwire.EventID
		rare := func(ev *bellwire.Event) bool { return len(ev.Data) > 2 && ev.Data[len(ev.Data)-2] == '7' }
		for page := (bellwire.Page{Limit: 100}); ; {
			list, err := e.store.Events(t.Context(), f, page)
			if err != nil {
				t.Fatal(err)
			}
			for _, ev := range list.Items {
				if rare(ev) {
					want = append(want, ev.ID)
				}
			}
			if page.After = list.Next; list.Next == "" {
				break
			}
		}
		for _, limit := range []int{1, 7, 250} {
			var got []bellwire.EventID
			for page := (bellwire.Page{Limit: limit}); ; {
				list, err := e.FindEvents(t.Context(), admin, f, rare, page)
				if err != nil || len(list.Items) > limit {
					t.Fatal(len(list.Items), err)
				}
				for _, ev := range list.Items {
					got = append(got, ev.ID)
				}
				if page.After = list.Next; list.Next == "" {
					break
				}
			}
			if diff := cmp.Diff(want, got); diff != "" || len(got) != len(published)/10 {
				t.Errorf("oldest first %v, limit %d: %d events: %s", oldestFirst, limit, len(got), diff)
			}
		}
	}
	none := func(*bellwire.Event) bool { return false }
	list, err := e.FindEvents(t.Context(), admin, bellwire.EventFilter{Tenant: tenant}, none, bellwire.Page{Limit: 1})
	if err != nil || len(list.Items) > 0 || list.Next == "" {
		t.Errorf("a page that found nothing among many has to end: %+v, %v", list, err)
	}
}

func TestFindEventsSinceIsExact(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	r, err := e.Publish(t.Context(), admin, tenant, draft)
	if err != nil {
		t.Fatal(err)
	}
	ev, err := e.Event(t.Context(), admin, tenant, r.Event)
	if err != nil {
		t.Fatal(err)
	}
	all := func(*bellwire.Event) bool { return true }
	for since, want := range map[time.Duration]int{0: 1, time.Microsecond: 0, -time.Microsecond: 1} {
		f := bellwire.EventFilter{Tenant: tenant, Since: ev.CreatedAt.Add(since)}
		list, err := e.FindEvents(t.Context(), admin, f, all, bellwire.Page{})
		if err != nil || len(list.Items) != want {
			t.Errorf("%s after it was taken: %d events, %v", since, len(list.Items), err)
		}
	}
}

// The clock of one node is behind that of another. An event that it takes is later than that node's all the same.
func TestEventsSinceOfNodesWithOtherClocks(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	acme, err := e.store.Tenant(t.Context(), e.tenant("acme"))
	if err != nil {
		t.Fatal(err)
	}
	take := func(at time.Time) bellwire.AppendedEvent {
		results, err := e.store.AppendEvents(t.Context(), []*bellwire.Append{{TenantRevision: acme.Revision, Events: []*bellwire.NewEvent{{Event: bellwire.Event{
			ID: bellwire.NewID[bellwire.EventKind](at), Tenant: acme.ID, Type: draft.Type, Data: draft.Data, CreatedAt: at,
		}}}}})
		if err != nil || results[0].Err != nil {
			t.Fatal(err, results)
		}
		return results[0].Events[0]
	}
	at := time.Now()
	first := take(at)
	later := take(at.Add(-5 * time.Second))
	lists := map[string]func(bellwire.EventFilter) (*bellwire.List[*bellwire.Event], error){
		"Events": func(f bellwire.EventFilter) (*bellwire.List[*bellwire.Event], error) {
			return e.Events(t.Context(), admin, f, bellwire.Page{})
		},
		"FindEvents": func(f bellwire.EventFilter) (*bellwire.List[*bellwire.Event], error) {
			return e.FindEvents(t.Context(), admin, f, func(*bellwire.Event) bool { return true }, bellwire.Page{})
		},
		"FindAllEvents": func(f bellwire.EventFilter) (*bellwire.List[*bellwire.Event], error) {
			return e.FindAllEvents(t.Context(), admin, service.EventQuery{EventFilter: f}, bellwire.Page{})
		},
	}
	for name, list := range lists {
		for since, want := range map[time.Time]int{first.CreatedAt: 2, later.CreatedAt: 1, later.CreatedAt.Add(time.Microsecond): 0} {
			if got, err := list(bellwire.EventFilter{Tenant: acme.ID, Since: since}); err != nil || len(got.Items) != want {
				t.Errorf("%s: %d events since %s, want %d: %v", name, len(got.Items), since, want, err)
			}
		}
	}
}
