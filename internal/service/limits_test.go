package service_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/directory"
	"github.com/bellwire/bellwire/internal/limits"
	"github.com/bellwire/bellwire/internal/service"
)

// rated does one thing at whatever rate the caller asks for.
type rated struct {
	name string
	call func(e *env, c service.Caller, tenant string, ep *service.Endpoint, d *bellwire.Delivery) error
}

var (
	probing = rated{"test_rate", func(e *env, c service.Caller, tenant string, ep *service.Endpoint, _ *bellwire.Delivery) error {
		_, err := e.TestEndpoint(e.t.Context(), c, tenant, ep.ID, "")
		return err
	}}
	retrying = rated{"retry_rate", func(e *env, c service.Caller, tenant string, _ *service.Endpoint, d *bellwire.Delivery) error {
		_, err := e.RetryDelivery(e.t.Context(), c, tenant, d.ID, false)
		return err
	}}
	changing = []rated{
		{"create", func(e *env, c service.Caller, tenant string, _ *service.Endpoint, _ *bellwire.Delivery) error {
			_, _, err := e.CreateEndpoint(e.t.Context(), c, tenant, minimal())
			return err
		}},
		{"create in a dialect", func(e *env, c service.Caller, tenant string, _ *service.Endpoint, _ *bellwire.Delivery) error {
			_, err := e.ForDialect("bare").Create(e.t.Context(), c, tenant, minimal())
			return err
		}},
		{"update", func(e *env, c service.Caller, tenant string, ep *service.Endpoint, _ *bellwire.Delivery) error {
			_, err := e.UpdateEndpoint(e.t.Context(), c, tenant, ep.ID, service.EndpointInput{Description: new("x")})
			return err
		}},
		{"update in a dialect", func(e *env, c service.Caller, tenant string, ep *service.Endpoint, _ *bellwire.Delivery) error {
			_, err := e.ForDialect("standard").Update(e.t.Context(), c, tenant, ep.ID, func(*service.EndpointView) (service.EndpointInput, error) {
				return service.EndpointInput{}, nil
			})
			return err
		}},
		{"rotate", func(e *env, c service.Caller, tenant string, ep *service.Endpoint, _ *bellwire.Delivery) error {
			_, err := e.RotateSecret(e.t.Context(), c, tenant, ep.ID, new(time.Duration(0)))
			return err
		}},
		{"delete", func(e *env, c service.Caller, tenant string, _ *service.Endpoint, _ *bellwire.Delivery) error {
			return e.DeleteEndpoint(e.t.Context(), c, tenant, "gone")
		}},
		{"delete in a dialect", func(e *env, c service.Caller, tenant string, _ *service.Endpoint, _ *bellwire.Delivery) error {
			_, err := e.ForDialect("standard").Delete(e.t.Context(), c, tenant, "gone", nil)
			return err
		}},
	}
)

// served has a tenant with an endpoint and a delivery to it.
func (e *env) served(tenant string) (*service.Endpoint, *bellwire.Delivery) {
	ep := e.endpoint(tenant)
	return ep, e.delivery(tenant, ep.ID)
}

// wantRateLimited holds err against a rate that is used up.
func wantRateLimited(t testing.TB, err error, name string, after time.Duration) {
	t.Helper()
	var known *bellwire.Error
	if !errors.As(err, &known) || known.Code != bellwire.CodeRateLimited || known.RetryAfter != after || !strings.Contains(known.Message, `the limit "`+name+`" allows`) {
		t.Errorf("got %v, want that %s is used up for %v", err, name, after)
	}
}

// inBubble runs a test with a service in a bubble of its own, where time is the test's.
func inBubble(t *testing.T, test func(t *testing.T, e *env)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { test(t, newEnv(t)) })
}

// Each rate lets a burst by, refuses the next at once, and lets one by again when its time has come. Another tenant does
// not notice.
func TestRatesOfTestsAndRetries(t *testing.T) {
	inBubble(t, func(t *testing.T, e *env) {
		for _, r := range []rated{probing, retrying} {
			name := r.name
			busy := e.limited("busy-"+name, map[string]float64{name: 2})
			other := e.limited("other-"+name, map[string]float64{name: 2})
			ep, d := e.served(busy)
			otherEndpoint, otherDelivery := e.served(other)
			burst := limits.Find(name).Burst(2)
			for i := range burst {
				if err := r.call(e, admin, busy, ep, d); err != nil {
					t.Fatalf("%s: number %d of %d: %v", name, i+1, burst, err)
				}
			}
			wantRateLimited(t, r.call(e, admin, busy, ep, d), name, 500*time.Millisecond)
			wantRateLimited(t, r.call(e, service.Caller{Role: bellwire.RoleTenant, Tenant: busy}, busy, ep, d), name, 500*time.Millisecond)
			if err := r.call(e, admin, other, otherEndpoint, otherDelivery); err != nil {
				t.Errorf("%s of another tenant: %v", name, err)
			}
			time.Sleep(500 * time.Millisecond)
			if err := r.call(e, admin, busy, ep, d); err != nil {
				t.Errorf("%s after its time has come: %v", name, err)
			}
			wantRateLimited(t, r.call(e, admin, busy, ep, d), name, 500*time.Millisecond)
		}
	})
}

// All changes, in all dialects, are one rate of the tenant's own callers. Operators are not bound by it.
func TestRateOfChanges(t *testing.T) {
	inBubble(t, func(t *testing.T, e *env) {
		tenant := e.limited("acme", map[string]float64{"change_rate": 1})
		ep, d := e.served(tenant)
		own := service.Caller{Role: bellwire.RoleTenant, Tenant: tenant}
		for i := range limits.ChangeRate.Burst(1) {
			change := changing[i%len(changing)]
			if err := change.call(e, own, tenant, ep, d); err != nil && bellwire.CodeOf(err) != bellwire.CodeNotFound {
				t.Fatalf("%s, number %d: %v", change.name, i+1, err)
			}
		}
		for _, change := range changing {
			wantRateLimited(t, change.call(e, own, tenant, ep, d), "change_rate", time.Second)
			if err := change.call(e, admin, tenant, ep, d); err != nil && bellwire.CodeOf(err) != bellwire.CodeNotFound {
				t.Errorf("%s by an operator: %v", change.name, err)
			}
		}
		if _, err := e.Service.Endpoint(t.Context(), own, tenant, ep.ID); err != nil {
			t.Errorf("looking is no change: %v", err)
		}
	})
}

// Requests with any key of a tenant count together, whichever way they prove it. Others' do not, and no stranger can use
// them up.
func TestRateOfRequests(t *testing.T) {
	inBubble(t, func(t *testing.T, e *env) {
		ctx := t.Context()
		tenant := e.limited("acme", map[string]float64{"request_rate": 0.5})
		first, second := e.key(tenant, bellwire.RoleTenant), e.key(tenant, bellwire.RoleTenantRead)
		signer, secret, err := e.CreateKey(ctx, admin, tenant, service.NewKey{Role: bellwire.RoleTenant, HMAC: true})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		signed := func(good bool) error {
			n++
			claim, err := e.ClaimSigned(ctx, service.SignedRequest{Key: signer.ID.String(), Nonce: fmt.Sprint(n), At: time.Now()})
			if err == nil {
				_, err = claim.Prove(ctx, func(string) bool { return good })
			}
			return err
		}
		ways := []func() error{
			func() error { _, err := e.Authenticate(ctx, first); return err },
			func() error { _, err := e.Authenticate(ctx, second); return err },
			func() error { _, err := e.AuthenticatePublisher(ctx, first); return err },
			func() error { _, err := e.AuthenticateKey(ctx, signer.ID.String(), secret); return err },
			func() error { return signed(true) },
			func() error { _, err := e.TrustTenant(ctx, tenant); return err },
		}
		for range 100 {
			wantCode(t, signed(false), bellwire.CodeUnauthenticated, "")
		}
		for i := range limits.RequestRate.Burst(0.5) {
			if err := ways[i%len(ways)](); err != nil {
				t.Fatalf("request %d: %v", i+1, err)
			}
		}
		for _, way := range ways {
			wantRateLimited(t, way(), "request_rate", 2*time.Second)
		}
		e.tenant("other")
		if _, err := e.TrustTenant(ctx, "other"); err != nil {
			t.Errorf("another tenant: %v", err)
		}
		_, err = e.TrustTenant(ctx, "nobody")
		wantCode(t, err, bellwire.CodeForbidden, "")
		time.Sleep(2 * time.Second)
		if err := ways[0](); err != nil {
			t.Errorf("after its time has come: %v", err)
		}
	})
}

// An operator's keys are not counted, however often they ask.
func TestOperatorsAreNotCounted(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	secret := e.key("", bellwire.RolePublisher)
	for range 3 * limits.RequestRate.Burst(limits.RequestRate.Default) {
		if _, err := e.Authenticate(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
	}
}

// Each of four nodes takes a quarter of the rate of events, until three of them are gone.
func TestRateOfEventsOverNodes(t *testing.T) {
	inBubble(t, func(t *testing.T, e *env) {
		tenant := e.limited("acme", map[string]float64{"publish_rate": 10})
		e.engine.nodes.Store(4)
		batch := make([]service.Draft, limits.MaxBatchEvents)
		for i := range batch {
			batch[i] = draft
		}
		if _, err := e.PublishBatch(t.Context(), admin, tenant, batch); err != nil {
			t.Fatal(err)
		}
		_, err := e.Publish(t.Context(), admin, tenant, draft)
		wantRateLimited(t, err, "publish_rate", 400*time.Millisecond)
		accepted := func(during time.Duration) (n int) {
			for begin := time.Now(); time.Since(begin) < during; time.Sleep(10 * time.Millisecond) {
				if _, err := e.Publish(t.Context(), admin, tenant, draft); err == nil {
					n++
				}
			}
			return n
		}
		if n := accepted(20 * time.Second); n < 49 || n > 50 {
			t.Errorf("one of four nodes takes %d events in 20 s, want 50", n)
		}
		e.engine.nodes.Store(1)
		if n := accepted(20 * time.Second); n < 199 || n > 200 {
			t.Errorf("the only node takes %d events in 20 s, want 200", n)
		}
	})
}

// Events count one by one, a batch as many as it has; a refused one stores nothing.
func TestRateOfEvents(t *testing.T) {
	inBubble(t, func(t *testing.T, e *env) {
		ctx := t.Context()
		tenant := e.limited("acme", map[string]float64{"publish_rate": 10})
		batch := make([]service.Draft, limits.MaxBatchEvents)
		for i := range batch {
			batch[i] = draft
		}
		if _, err := e.PublishBatch(ctx, admin, tenant, batch[1:]); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Publish(ctx, admin, tenant, draft); err != nil {
			t.Fatal(err)
		}
		_, err := e.Publish(ctx, admin, tenant, draft)
		wantRateLimited(t, err, "publish_rate", 100*time.Millisecond)
		_, err = e.PublishBatch(ctx, admin, tenant, batch[:5])
		wantRateLimited(t, err, "publish_rate", 500*time.Millisecond)
		if n, err := e.store.CountEvents(ctx, tenant, 5000); err != nil || n != len(batch) {
			t.Errorf("%d events are stored, want %d, %v", n, len(batch), err)
		}
		other := e.tenant("other")
		for range 2 {
			if _, err := e.PublishBatch(ctx, admin, other, batch); err != nil {
				t.Errorf("a tenant without a limit: %v", err)
			}
		}
		time.Sleep(500 * time.Millisecond)
		if _, err = e.PublishBatch(ctx, admin, tenant, batch[:5]); err != nil {
			t.Errorf("after their time has come: %v", err)
		}
	})
}

// The limit on stored events is exact for single events and batches, and there is room again when some are purged.
func TestStoredEvents(t *testing.T) {
	inBubble(t, func(t *testing.T, e *env) {
		ctx := t.Context()
		tenant := e.tenant("acme")
		publish := func(n int) error {
			batch := make([]service.Draft, n)
			for i := range batch {
				batch[i] = draft
			}
			_, err := e.PublishBatch(ctx, admin, tenant, batch)
			return err
		}
		wantFull := func(err error) {
			t.Helper()
			wantRateLimited(t, err, "stored_events", 10*time.Second)
		}
		if err := publish(4); err != nil {
			t.Fatal(err)
		}
		five := 5.0
		if _, err := e.UpdateTenant(ctx, admin, tenant, service.TenantChange{Limits: map[string]*float64{"stored_events": &five}}); err != nil {
			t.Fatal(err)
		}
		wantFull(publish(2))
		if err := publish(1); err != nil {
			t.Fatalf("the fifth of five: %v", err)
		}
		wantFull(publish(1))
		wantCode(t, publish(6), bellwire.CodeTooLarge, "events")
		other := e.tenant("other")
		if _, err := e.Publish(ctx, admin, other, draft); err != nil {
			t.Errorf("another tenant: %v", err)
		}
		time.Sleep(time.Hour)
		wantFull(publish(1))
		if n, err := e.store.Purge(ctx, time.Now(), time.Now().Add(-time.Minute), 1000); err != nil || n == 0 {
			t.Fatalf("%d rows were purged, %v", n, err)
		}
		time.Sleep(4 * time.Second)
		wantRateLimited(t, publish(1), "stored_events", 6*time.Second)
		time.Sleep(6 * time.Second)
		if err := publish(5); err != nil {
			t.Errorf("after all were purged: %v", err)
		}
		wantFull(publish(1))
	})
}

// Events that another node accepts are seen at the next count.
func TestStoredEventsOfOtherNodes(t *testing.T) {
	inBubble(t, func(t *testing.T, e *env) {
		ctx := t.Context()
		tenant := e.limited("acme", map[string]float64{"stored_events": 10})
		node, err := service.New(e.config)
		if err != nil {
			t.Fatal(err)
		}
		for range 9 {
			if _, err := node.Publish(ctx, admin, tenant, draft); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := e.Publish(ctx, admin, tenant, draft); err != nil {
			t.Fatal(err)
		}
		_, err = e.Publish(ctx, admin, tenant, draft)
		wantRateLimited(t, err, "stored_events", 10*time.Second)
		time.Sleep(time.Minute)
		_, err = node.Publish(ctx, admin, tenant, draft)
		wantRateLimited(t, err, "stored_events", 10*time.Second)
	})
}

func TestKeyLimit(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.limited("acme", map[string]float64{"keys": 2})
	first, _, err := e.CreateKey(t.Context(), admin, tenant, service.NewKey{Role: bellwire.RoleTenant})
	if err != nil {
		t.Fatal(err)
	}
	e.key(tenant, bellwire.RoleTenant)
	_, _, err = e.CreateKey(t.Context(), admin, tenant, service.NewKey{Role: bellwire.RoleTenant})
	wantCode(t, err, bellwire.CodeConflict, "")
	if err := e.DeleteKey(t.Context(), admin, tenant, first.ID); err != nil {
		t.Fatal(err)
	}
	e.key(tenant, bellwire.RoleTenant)
	for range 3 {
		e.key("", bellwire.RolePublisher)
	}
}

func TestEventTypeLimit(t *testing.T) {
	t.Parallel()
	held := *limits.Default()
	held.EventTypes = 2
	e := newEnv(t, func(c *service.Config) {
		c.Directory = directory.New(directory.Config{Store: c.Store, Keyring: c.Keyring, Dialects: c.Dialects, Limits: &held})
	})
	e.putType("second", service.EventTypeInput{})
	_, _, err := e.PutEventType(t.Context(), admin, "third", service.EventTypeInput{})
	wantCode(t, err, bellwire.CodeConflict, "")
	e.putType("second", service.EventTypeInput{Description: "It can be replaced."})
}

// The bytes of all endpoints together are counted as the store counts them, up to the limit exactly.
func TestConfigurationBytes(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	ctx := t.Context()
	const limit = 256 << 10
	tenant := e.limited("acme", map[string]float64{"configuration_bytes": limit})
	used := func() int {
		t.Helper()
		usage, err := e.store.Usage(ctx, tenant)
		if err != nil {
			t.Fatal(err)
		}
		return usage.Configuration
	}
	describe := func(ep *service.Endpoint, bytes int) error {
		_, err := e.UpdateEndpoint(ctx, admin, tenant, ep.ID, service.EndpointInput{Description: new(strings.Repeat("x", bytes))})
		return err
	}
	create := func(in service.EndpointInput) error {
		_, _, err := e.CreateEndpoint(ctx, admin, tenant, in)
		return err
	}
	last := e.endpoint(tenant)
	overhead := used()
	large := minimal()
	metadata := map[string]string{}
	for i := range 50 {
		metadata[fmt.Sprint(i)] = strings.Repeat("<", 512) // six bytes each, as they are stored
	}
	large.Metadata = &metadata
	if err := create(large); err != nil {
		t.Fatal(err)
	}
	wantCode(t, create(large), bellwire.CodeConflict, "")
	rest := limit - used()
	for ; rest > 4096; rest = limit - used() {
		in := minimal()
		in.Description = new(strings.Repeat("x", min(4096, rest-overhead)))
		if err := create(in); err != nil {
			t.Fatalf("%d bytes are left: %v", rest, err)
		}
	}
	if err := describe(last, rest); err != nil {
		t.Fatalf("the last %d bytes: %v", rest, err)
	}
	if n := used(); n != limit {
		t.Errorf("%d bytes are stored, want %d", n, limit)
	}
	wantCode(t, describe(last, rest+1), bellwire.CodeConflict, "")
	wantCode(t, create(minimal()), bellwire.CodeConflict, "")
	e.putType("card.paid", service.EventTypeInput{})
	if _, err := e.AddVersion(ctx, admin, "card.paid", service.NewVersion{Converter: "data"}); err != nil {
		t.Fatal(err)
	}
	_, err := e.UpdateEndpoint(ctx, admin, tenant, last.ID, service.EndpointInput{Versions: map[string]int{"card.paid": 2}})
	wantCode(t, err, bellwire.CodeConflict, "")

	setLimit := func(bytes float64) {
		t.Helper()
		if _, err := e.UpdateTenant(ctx, admin, tenant, service.TenantChange{Limits: map[string]*float64{"configuration_bytes": &bytes}}); err != nil {
			t.Fatal(err)
		}
	}
	setLimit(2 * limit)
	if err := create(large); err != nil {
		t.Fatal(err)
	}
	setLimit(limit)
	if err := describe(last, 0); err != nil {
		t.Errorf("what is too much cannot become less: %v", err)
	}
	wantCode(t, describe(last, 1), bellwire.CodeConflict, "")
}

// A tenant's endpoints take no more memory than its share of the cache, whatever its limits. What is too much can become less.
func TestConfigurationInMemoryIsBounded(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	ctx := t.Context()
	acme := e.limited("acme", map[string]float64{"configuration_bytes": 64 << 20})
	other := e.limited("other", nil) // its limits keep it small enough
	ids := map[string]string{acme: e.endpoint(acme).ID, other: e.endpoint(other).ID}
	subscribe := func(tenant string, patterns int) error {
		t.Helper()
		var events []string
		for i := range patterns {
			events = append(events, fmt.Sprint("event", i, ".*"))
		}
		_, err := e.UpdateEndpoint(ctx, admin, tenant, ids[tenant], service.EndpointInput{Events: &events})
		return err
	}
	if err := subscribe(acme, 10); err != nil {
		t.Fatal(err)
	}
	read, err := e.engine.directory.Tenant(ctx, acme)
	if err != nil {
		t.Fatal(err)
	}
	small := read.Bytes()
	for name, tc := range map[string]struct {
		large int
		more  bellwire.Code
	}{
		"some is left": {limits.TenantConfiguration - 4*small, ""},
		"all is used":  {limits.TenantConfiguration - small, bellwire.CodeConflict},
		"too much":     {limits.TenantConfiguration, bellwire.CodeConflict},
	} {
		t.Run(name, func(t *testing.T) {
			e.store.large.Store(int64(tc.large))
			e.engine.directory.ForgetTenant(acme)
			defer e.store.large.Store(0)
			wantCode(t, subscribe(acme, 11), tc.more, "")
			wantCode(t, subscribe(acme, 9), "", "")
			wantCode(t, subscribe(other, 20), "", "")
			e.store.large.Store(0)
			wantCode(t, subscribe(acme, 10), "", "")
			wantCode(t, subscribe(other, 1), "", "")
		})
	}
}

// New texts have no control characters, in every front end; lines and tabs are for descriptions and values.
func TestControlCharacters(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	ctx := t.Context()
	tenant := e.tenant("acme")
	ep := e.endpoint(tenant)
	texts := map[string]func(string) error{
		"name of a tenant": func(s string) error {
			_, err := e.CreateTenant(ctx, admin, service.NewTenant{ID: "new", Name: s})
			return err
		},
		"name of a tenant that is there": func(s string) error {
			_, err := e.UpdateTenant(ctx, admin, tenant, service.TenantChange{Name: &s})
			return err
		},
		"metadata name of a tenant": func(s string) error {
			_, err := e.UpdateTenant(ctx, admin, tenant, service.TenantChange{Metadata: &map[string]string{s: "v"}})
			return err
		},
		"name of a key": func(s string) error {
			_, _, err := e.CreateKey(ctx, admin, tenant, service.NewKey{Name: s, Role: bellwire.RoleTenant})
			return err
		},
		"group of an event type": func(s string) error {
			_, _, err := e.PutEventType(ctx, admin, "a", service.EventTypeInput{Group: s})
			return err
		},
	}
	lines := map[string]func(string) error{
		"metadata of a tenant": func(s string) error {
			_, err := e.UpdateTenant(ctx, admin, tenant, service.TenantChange{Metadata: &map[string]string{"k": s}})
			return err
		},
		"description of an event type": func(s string) error {
			_, _, err := e.PutEventType(ctx, admin, "a", service.EventTypeInput{Description: s})
			return err
		},
		"description of an endpoint": func(s string) error {
			_, err := e.UpdateEndpoint(ctx, admin, tenant, ep.ID, service.EndpointInput{Description: &s})
			return err
		},
		"description of a dialect's endpoint": func(s string) error {
			in := minimal()
			in.Description = &s
			_, err := e.ForDialect("bare").Create(ctx, admin, tenant, in)
			return err
		},
		"metadata of an endpoint": func(s string) error {
			_, err := e.UpdateEndpoint(ctx, admin, tenant, ep.ID, service.EndpointInput{Metadata: &map[string]string{"k": s}})
			return err
		},
	}
	bad := []string{"a\x01b", "\x00", "\x7f", "\u0085", "\x1b[0m"}
	for name, set := range texts {
		t.Run(name, func(t *testing.T) {
			for _, text := range append(bad, "a\nb", "a\tb") {
				if err := set(text); bellwire.CodeOf(err) != bellwire.CodeInvalid || !strings.Contains(err.Error(), "control characters") {
					t.Errorf("the %s takes %q: %v", name, text, err)
				}
			}
			if err := set("Ünïcode & <b> 🙂"); err != nil {
				t.Errorf("the %s: %v", name, err)
			}
		})
	}
	for name, set := range lines {
		t.Run(name, func(t *testing.T) {
			for _, text := range bad {
				if err := set(text); bellwire.CodeOf(err) != bellwire.CodeInvalid || !strings.Contains(err.Error(), "control characters") {
					t.Errorf("the %s takes %q: %v", name, text, err)
				}
			}
			if err := set("one\n\ttwo\r\nthree"); err != nil {
				t.Errorf("the %s: %v", name, err)
			}
		})
	}
}

// An endpoint that got control characters before they were refused is shown, and its other fields can be changed.
func TestStoredControlCharactersStay(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	ctx := t.Context()
	const old = "a\x01b"
	tenant := &bellwire.Tenant{ID: "acme", Name: old, Metadata: map[string]string{"k": old}}
	if err := e.store.CreateTenant(ctx, tenant); err != nil {
		t.Fatal(err)
	}
	ep := e.endpoint(tenant.ID)
	stored, err := e.store.Endpoint(ctx, ep.ID)
	if err != nil {
		t.Fatal(err)
	}
	stored.Description, stored.Metadata = old, map[string]string{"k": old}
	if err := e.store.UpdateEndpoint(ctx, stored, bellwire.ChangeNote{}); err != nil {
		t.Fatal(err)
	}
	changed, err := e.UpdateEndpoint(ctx, admin, tenant.ID, ep.ID, service.EndpointInput{MaxInFlight: new(3)})
	if err != nil || changed.Description != old || changed.Metadata["k"] != old {
		t.Errorf("%+v, %v", changed, err)
	}
	renamed, err := e.UpdateTenant(ctx, admin, tenant.ID, service.TenantChange{Name: new("new")})
	if err != nil || renamed.Metadata["k"] != old {
		t.Errorf("%+v, %v", renamed, err)
	}
}

// A tenant's own values replace the server's one by one, until they are taken away. Others are refused by name.
func TestLimitsOfATenant(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	ctx := t.Context()
	tenant := e.limited("acme", map[string]float64{"endpoints": 1, "test_rate": 5})
	ep := e.endpoint(tenant)
	change := func(in service.TenantChange) *bellwire.Limits {
		t.Helper()
		changed, err := e.UpdateTenant(ctx, admin, tenant, in)
		if err != nil {
			t.Fatal(err)
		}
		target, err := e.config.Directory.Target(ctx, ep.ID)
		if err != nil {
			t.Fatal(err)
		}
		held, err := e.config.Directory.Limits(ctx, tenant)
		if err != nil || *held != *e.LimitsOf(changed) || *target.Limits != *held {
			t.Fatalf("the directory has %+v and %+v, want %+v, %v", held, target.Limits, e.LimitsOf(changed), err)
		}
		return held
	}
	two := 2.0
	before := e.engine.refreshes(ep.ID)
	held := change(service.TenantChange{Limits: map[string]*float64{"endpoints": &two, "min_retry_delay": &two}})
	if held.Endpoints != 2 || held.TestRate != 5 || held.MinRetryDelay != 2*time.Second || held.RetryRate != limits.RetryRate.Default {
		t.Errorf("%+v", held)
	}
	if e.engine.refreshes(ep.ID) == before {
		t.Error("the engine was not told")
	}
	held = change(service.TenantChange{Limits: map[string]*float64{"endpoints": nil}})
	if held.Endpoints != int(limits.Endpoints.Default) || held.TestRate != 5 {
		t.Errorf("%+v", held)
	}
	if held = change(service.TenantChange{Name: new("x")}); held.TestRate != 5 {
		t.Errorf("a new name took the limits: %+v", held)
	}
	held = change(service.TenantChange{ResetLimits: true, Limits: map[string]*float64{"keys": &two}})
	if held.TestRate != limits.TestRate.Default || held.Keys != 2 {
		t.Errorf("%+v", held)
	}
	zero, half := 0.0, 0.5
	for name, value := range map[string]*float64{
		"endpoints": &zero, "keys": &half, "min_retry_delay": &zero, "nothing": &two, "event_types": &two,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := e.UpdateTenant(ctx, admin, tenant, service.TenantChange{Limits: map[string]*float64{name: value}})
			wantCode(t, err, bellwire.CodeInvalid, "limits."+name)
			_, err = e.CreateTenant(ctx, admin, service.NewTenant{ID: "new", Limits: map[string]*float64{name: value}})
			wantCode(t, err, bellwire.CodeInvalid, "limits."+name)
		})
	}
	_, err := e.UpdateTenant(context.Background(), service.Caller{Role: bellwire.RoleTenant, Tenant: tenant}, tenant, service.TenantChange{Limits: map[string]*float64{"keys": &two}})
	wantCode(t, err, bellwire.CodeForbidden, "")
}

// Once new limits are stored, the change has succeeded, even if nothing can be read any more; the engine takes the limits up.
func TestChangedLimitsAreNoErrorOnceStored(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	ep := e.endpoint(tenant)
	before := e.engine.refreshes(ep.ID)
	e.store.breaks.Store(true)
	rate := 5.0
	changed, err := e.UpdateTenant(t.Context(), admin, tenant, service.TenantChange{Limits: map[string]*float64{"retry_rate": &rate}})
	if err != nil || changed.Limits["retry_rate"] != rate {
		t.Errorf("got %v, %v", changed, err)
	}
	if e.engine.refreshes(ep.ID) != before+1 {
		t.Error("the engine was not told of the new limits")
	}
	name := "Acme"
	if _, err := e.UpdateTenant(t.Context(), admin, tenant, service.TenantChange{Limits: map[string]*float64{"retry_rate": nil}, Name: &name}); bellwire.CodeOf(err) != bellwire.CodeUnavailable {
		t.Errorf("a change whose endpoints cannot be read: %v", err)
	}
	e.store.broken.Store(false)
	if stored, err := e.Tenant(t.Context(), admin, tenant); err != nil || stored.Name != "" || stored.Limits["retry_rate"] != rate {
		t.Errorf("a refused change was stored: %+v, %v", stored, err)
	}
}
