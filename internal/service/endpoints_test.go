package service_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/destination"
	"github.com/bellwire/bellwire/internal/service"
)

func TestCreateEndpoint(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	got, secret, err := e.CreateEndpoint(t.Context(), admin, tenant, minimal())
	if err != nil {
		t.Fatal(err)
	}
	want := &service.Endpoint{
		Endpoint: bellwire.Endpoint{
			ID: got.ID, Tenant: tenant, URL: "https://example.com/hooks", Dialect: "standard", Events: []string{"order.*"}, OnError: bellwire.OnErrorDeliver,
			Retry: bellwire.StandardRetryPolicy(), MaxInFlight: 64,
			Timeout: 15 * time.Second, AutoDisableAfter: 120 * time.Hour, Ordering: bellwire.OrderingNone,
			Signing: bellwire.SigningHMAC, Status: bellwire.EndpointEnabled,
			CreatedAt: got.CreatedAt, UpdatedAt: got.CreatedAt, Revision: got.Revision, Catalogue: got.Catalogue,
		},
		Auth:    bellwire.Auth{Type: bellwire.AuthNone},
		Headers: []bellwire.Header{},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !strings.HasPrefix(secret.Secret, "whsec_") || secret.PublicKey != "" {
		t.Errorf("secret %+v", secret)
	}
	revealed, err := e.EndpointSecret(t.Context(), admin, tenant, got.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(secret, revealed); diff != "" {
		t.Error(diff)
	}
	read, err := e.Endpoint(t.Context(), admin, tenant, got.ID)
	if err != nil {
		t.Fatal(err)
	}
	if read.Health.State != bellwire.HealthIdle || got.Health != nil {
		t.Errorf("the health of a new endpoint is %+v, and in the answer to its creation %+v", read.Health, got.Health)
	}
	read.Health = nil
	if diff := cmp.Diff(got, read); diff != "" {
		t.Error(diff)
	}
	if e.engine.refreshes(got.ID) == 0 {
		t.Error("the engine was not told")
	}
}

func TestEndpointLimit(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.limited("acme", map[string]float64{"endpoints": 2})
	first := e.endpoint(tenant)
	e.endpoint(tenant)
	_, _, err := e.CreateEndpoint(t.Context(), admin, tenant, minimal())
	wantCode(t, err, bellwire.CodeConflict, "")
	if err := e.DeleteEndpoint(t.Context(), admin, tenant, first.ID); err != nil {
		t.Fatal(err)
	}
	e.endpoint(tenant)
}

func TestCredentialsAreNotShown(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	in := minimal()
	in.Auth = &bellwire.Auth{Type: bellwire.AuthBasic, Username: "bell", Password: "top-secret"}
	in.Headers = headers("X-Own", "top-secret")
	created, _, err := e.CreateEndpoint(t.Context(), admin, tenant, in)
	if err != nil {
		t.Fatal(err)
	}
	updated, err := e.UpdateEndpoint(t.Context(), admin, tenant, created.ID, service.EndpointInput{Description: new("x")})
	if err != nil {
		t.Fatal(err)
	}
	list, err := e.Endpoints(t.Context(), admin, service.EndpointQuery{EndpointFilter: bellwire.EndpointFilter{Tenant: tenant}}, bellwire.Page{})
	if err != nil {
		t.Fatal(err)
	}
	for _, ep := range []*service.Endpoint{created, updated, list.Items[0]} {
		if text := fmt.Sprintf("%+v", *ep); strings.Contains(text, "top-secret") || strings.Contains(text, "whsec_") || ep.Sealed != nil {
			t.Errorf("it shows secrets: %s", text)
		}
		if ep.Auth.Username != "bell" || ep.Headers[0] != (bellwire.Header{Name: "X-Own", Value: bellwire.Redacted}) {
			t.Errorf("it hides what is no secret: %+v", ep)
		}
	}
	target, err := e.config.Directory.Target(t.Context(), created.ID)
	if err != nil {
		t.Fatal(err)
	}
	want := []bellwire.Header{{Name: "Authorization", Value: "Basic YmVsbDp0b3Atc2VjcmV0"}, {Name: "X-Own", Value: "top-secret"}}
	if diff := cmp.Diff(want, target.Headers); diff != "" {
		t.Error(diff)
	}
}

// Vendors' APIs demand the URL in every change. One from before the rule must not keep a customer from switching off.
func TestUpdateKeepsAURLThatIsRefusedNow(t *testing.T) {
	t.Parallel()
	e := newEnv(t, func(c *service.Config) { c.Guard = nil })
	tenant := e.tenant("acme")
	private, other := "https://10.0.0.1/Hooks", "https://10.0.0.2/"
	in := minimal()
	in.URL = &private
	ep, _, err := e.CreateEndpoint(t.Context(), admin, tenant, in)
	if err != nil {
		t.Fatal(err)
	}
	e.config.Guard = destination.New(destination.Config{})
	guarded, err := service.New(e.config)
	if err != nil {
		t.Fatal(err)
	}
	off := service.EndpointInput{URL: &private, Status: new(bellwire.EndpointDisabled)}
	got, err := guarded.UpdateEndpoint(t.Context(), admin, tenant, ep.ID, off)
	if err != nil {
		t.Fatal(err)
	}
	if got.URL != private || got.Status != bellwire.EndpointDisabled {
		t.Errorf("%s, %s", got.URL, got.Status)
	}
	_, err = guarded.UpdateEndpoint(t.Context(), admin, tenant, ep.ID, service.EndpointInput{URL: &other})
	wantCode(t, err, bellwire.CodeInvalid, "url")
}

func TestUpdateEndpoint(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.putType("order.paid", service.EventTypeInput{})
	tenant := e.tenant("acme")
	in := minimal()
	in.RateLimit, in.Events = new(5.0), &[]string{"order.paid"}
	ep, secret, err := e.CreateEndpoint(t.Context(), admin, tenant, in)
	if err != nil {
		t.Fatal(err)
	}
	update := func(in service.EndpointInput) *service.Endpoint {
		t.Helper()
		if ep, err = e.UpdateEndpoint(t.Context(), admin, tenant, ep.ID, in); err != nil {
			t.Fatal(err)
		}
		return ep
	}
	before := ep.Revision
	if update(service.EndpointInput{URL: new("https://example.org")}); ep.URL != "https://example.org" || ep.RateLimit != 5 || ep.Revision <= before {
		t.Errorf("got %+v", ep)
	}
	if update(service.EndpointInput{NoRateLimit: true}); ep.RateLimit != 0 {
		t.Errorf("rate limit %v", ep.RateLimit)
	}
	// An existing subscription stays valid when its type is archived.
	e.putType("order.paid", service.EventTypeInput{Archived: true})
	update(service.EndpointInput{Events: &[]string{"order.created", "order.paid"}})
	target, err := e.config.Directory.Target(t.Context(), ep.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(ep.Events, target.Endpoint.Events); diff != "" {
		t.Errorf("the directory has an old endpoint:\n%s", diff)
	}
	still, err := e.EndpointSecret(t.Context(), admin, tenant, ep.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(secret, still); diff != "" {
		t.Errorf("the secret changed:\n%s", diff)
	}
}

func TestStatusReasonIsCleared(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	ep := e.endpoint(tenant)
	stored, err := e.store.Endpoint(t.Context(), ep.ID)
	if err != nil {
		t.Fatal(err)
	}
	stored.Status, stored.StatusReason = bellwire.EndpointDisabled, bellwire.ReasonEndpointGone
	if err := e.store.UpdateEndpoint(t.Context(), stored, bellwire.ChangeNote{}); err != nil {
		t.Fatal(err)
	}
	got, err := e.UpdateEndpoint(t.Context(), admin, tenant, ep.ID, service.EndpointInput{Description: new("x")})
	if err != nil || got.StatusReason != bellwire.ReasonEndpointGone {
		t.Fatalf("got %+v, %v", got, err)
	}
	got, err = e.UpdateEndpoint(t.Context(), admin, tenant, ep.ID, service.EndpointInput{Status: new(bellwire.EndpointEnabled)})
	if err != nil || got.StatusReason != "" || got.Status != bellwire.EndpointEnabled {
		t.Fatalf("got %+v, %v", got, err)
	}
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	const own = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	in := minimal()
	in.Secret, in.Signing = new(own), new(bellwire.SigningBoth)
	ep, secret, err := e.CreateEndpoint(t.Context(), admin, tenant, in)
	if err != nil {
		t.Fatal(err)
	}
	if secret.Secret != own || !strings.HasPrefix(secret.PublicKey, "whpk_") {
		t.Errorf("secret %+v", secret)
	}
	reveal := func() *service.EndpointSecret {
		t.Helper()
		s, err := e.EndpointSecret(t.Context(), admin, tenant, ep.ID)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	change := func(in service.EndpointInput) {
		t.Helper()
		if _, err := e.UpdateEndpoint(t.Context(), admin, tenant, ep.ID, in); err != nil {
			t.Fatal(err)
		}
	}
	change(service.EndpointInput{Signing: new(bellwire.SigningHMAC)})
	if got := reveal(); got.Secret != own || got.PublicKey != "" {
		t.Errorf("with hmac: %+v", got)
	}
	change(service.EndpointInput{Signing: new(bellwire.SigningEd25519)})
	if got := reveal(); got.LiveSecret != secret.LiveSecret {
		t.Errorf("back with ed25519: %+v, want %+v", got, secret)
	}
	change(service.EndpointInput{Dialect: new("bare")})
	if got := reveal(); got.LiveSecret != (service.LiveSecret{}) || len(got.Live) > 0 {
		t.Errorf("in a dialect without secrets: %+v", got)
	}
	_, err = e.RotateSecret(t.Context(), admin, tenant, ep.ID, nil)
	wantCode(t, err, bellwire.CodeConflict, "")
	change(service.EndpointInput{Dialect: new("standard"), Signing: new(bellwire.SigningHMAC)})
	made := reveal()
	if made.Secret == own || !strings.HasPrefix(made.Secret, "whsec_") {
		t.Errorf("back in a dialect with secrets: %+v", made)
	}
	change(service.EndpointInput{Secret: new(own)})
	if got := reveal(); got.Secret != own {
		t.Errorf("own secret: %+v", got)
	}
}

// signatures returns how many signatures a delivery to the endpoint would carry at a time.
func (e *env) signatures(endpoint string, at time.Time) int {
	e.t.Helper()
	target, err := e.config.Directory.Target(e.t.Context(), endpoint)
	if err != nil {
		e.t.Fatal(err)
	}
	h := http.Header{}
	target.Renderer.SetHeaders(h, &bellwire.Message{Event: &bellwire.Event{Type: "x"}, SentAt: at}, []byte("{}"))
	return len(strings.Fields(h.Get("Webhook-Signature")))
}

// The shown ed25519 public key verifies the endpoint's signatures.
func TestPublicKeyVerifies(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	in := minimal()
	in.Signing = new(bellwire.SigningEd25519)
	ep, secret, err := e.CreateEndpoint(t.Context(), admin, e.tenant("acme"), in)
	if err != nil {
		t.Fatal(err)
	}
	public, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret.PublicKey, "whpk_"))
	if err != nil || len(public) != ed25519.PublicKeySize {
		t.Fatalf("public key %q, %v", secret.PublicKey, err)
	}
	target, err := e.config.Directory.Target(t.Context(), ep.ID)
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	target.Renderer.SetHeaders(h, &bellwire.Message{Event: &bellwire.Event{Type: "x"}, SentAt: time.Now()}, []byte("{}"))
	signature, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(h.Get("Webhook-Signature"), "v1a,"))
	if err != nil {
		t.Fatal(err)
	}
	signed := h.Get("Webhook-Id") + "." + h.Get("Webhook-Timestamp") + ".{}"
	if !ed25519.Verify(public, []byte(signed), signature) {
		t.Error("it does not verify")
	}
}

func TestRotateSecret(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	ep := e.endpoint(tenant)
	rotate := func(overlap *time.Duration) *service.EndpointSecret {
		t.Helper()
		s, err := e.RotateSecret(t.Context(), admin, tenant, ep.ID, overlap)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := rotate(nil)
	for after, want := range map[time.Duration]int{0: 2, 23 * time.Hour: 2, 25 * time.Hour: 1} {
		if got := e.signatures(ep.ID, time.Now().Add(after)); got != want {
			t.Errorf("%v after: %d signatures, want %d", after, got, want)
		}
	}
	second := rotate(new(48 * time.Hour))
	if first.Secret == second.Secret {
		t.Error("the secret stayed")
	}
	if got := e.signatures(ep.ID, time.Now().Add(25*time.Hour)); got != 2 {
		t.Errorf("the first one's end moved: %d signatures", got)
	}
	rotate(nil)
	fifth := rotate(nil)
	live := []string{fifth.Live[1].ExpiresAt.Format(time.RFC3339), fifth.Live[4].ExpiresAt.Format(time.RFC3339)}
	for i, s := range fifth.Live {
		if s.ExpiresAt.IsZero() != (i == 0) || i > 0 && time.Until(s.ExpiresAt) > 24*time.Hour {
			t.Errorf("secret %d ends at %v", i, s.ExpiresAt)
		}
	}
	_, err := e.RotateSecret(t.Context(), admin, tenant, ep.ID, nil)
	wantCode(t, err, bellwire.CodeConflict, "")
	for _, end := range live {
		if !strings.Contains(err.Error(), end) {
			t.Errorf("%v\ndoes not say that a secret signs until %s", err, end)
		}
	}
	if got := e.signatures(ep.ID, time.Now()); got != 5 {
		t.Errorf("%d signatures after the refused rotation, want 5", got)
	}
	kept, err := e.EndpointSecret(t.Context(), admin, tenant, ep.ID)
	if err != nil || !reflect.DeepEqual(kept, fifth) {
		t.Errorf("%+v, %v, want %+v", kept, err, fifth)
	}
	if last := rotate(new(time.Duration(0))); len(last.Live) != 1 {
		t.Errorf("%d secrets sign after a rotation without overlap, want 1", len(last.Live))
	}
	if got := e.signatures(ep.ID, time.Now()); got != 1 {
		t.Errorf("%d signatures after a rotation without overlap, want 1", got)
	}
	for _, overlap := range []time.Duration{-1, 30*24*time.Hour + 1} {
		_, err := e.RotateSecret(t.Context(), admin, tenant, ep.ID, &overlap)
		wantCode(t, err, bellwire.CodeInvalid, "overlap")
	}
}

func TestDisableAndDeleteCancel(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	status := func(d *bellwire.Delivery) (bellwire.DeliveryStatus, string) {
		t.Helper()
		got, _, err := e.Delivery(t.Context(), admin, tenant, d.ID)
		if err != nil {
			t.Fatal(err)
		}
		return got.Status, got.Reason
	}
	ep := e.endpoint(tenant)
	d := e.delivery(tenant, ep.ID)
	if _, err := e.UpdateEndpoint(t.Context(), admin, tenant, ep.ID, service.EndpointInput{Status: new(bellwire.EndpointPaused)}); err != nil {
		t.Fatal(err)
	}
	if s, _ := status(d); s != bellwire.DeliveryPending {
		t.Errorf("paused: %s", s)
	}
	if _, err := e.UpdateEndpoint(t.Context(), admin, tenant, ep.ID, service.EndpointInput{Status: new(bellwire.EndpointDisabled)}); err != nil {
		t.Fatal(err)
	}
	if s, reason := status(d); s != bellwire.DeliveryCanceled || reason != bellwire.ReasonEndpointDisabled {
		t.Errorf("disabled: %s, %s", s, reason)
	}
	_, err := e.RetryDelivery(t.Context(), admin, tenant, d.ID, false)
	wantCode(t, err, bellwire.CodeConflict, "")
	if _, err = e.TestEndpoint(t.Context(), admin, tenant, ep.ID, ""); err != nil {
		t.Errorf("a test of a disabled endpoint: %v", err)
	}

	ep = e.endpoint(tenant)
	d = e.delivery(tenant, ep.ID)
	if err := e.DeleteEndpoint(t.Context(), admin, tenant, ep.ID); err != nil {
		t.Fatal(err)
	}
	if s, reason := status(d); s != bellwire.DeliveryCanceled || reason != bellwire.ReasonEndpointDeleted {
		t.Errorf("deleted: %s, %s", s, reason)
	}
	_, err = e.RetryDelivery(t.Context(), admin, tenant, d.ID, false)
	wantCode(t, err, bellwire.CodeConflict, "")
	_, err = e.Endpoint(t.Context(), admin, tenant, ep.ID)
	wantCode(t, err, bellwire.CodeNotFound, "")
}

func TestStaleUpdatesAreRepeated(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	ep := e.endpoint(tenant)
	for refusals, want := range map[int64]bellwire.Code{1: "", 9: "", 1000: bellwire.CodeUnavailable} {
		calls := map[string]func() error{
			"endpoint": func() error {
				_, err := e.UpdateEndpoint(t.Context(), admin, tenant, ep.ID, service.EndpointInput{Description: new("x")})
				return err
			},
			"secret": func() error { _, err := e.RotateSecret(t.Context(), admin, tenant, ep.ID, nil); return err },
			"tenant": func() error {
				_, err := e.UpdateTenant(t.Context(), admin, tenant, service.TenantChange{Name: new("Acme")})
				return err
			},
		}
		for name, call := range calls {
			e.store.stale.Store(refusals)
			if err := call(); bellwire.CodeOf(err) != want {
				t.Errorf("%s refused %d times: got %v, want %q", name, refusals, err, want)
			}
		}
		e.store.stale.Store(0)
	}
}

// Changes of different fields by many at once are all kept.
func TestConcurrentUpdates(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	ep := e.endpoint(tenant)
	var g errgroup.Group
	for _, in := range []service.EndpointInput{
		{URL: new("https://example.org")}, {Description: new("new")}, {MaxInFlight: new(3)}, {RateLimit: new(2.0)},
		{Metadata: &map[string]string{"a": "b"}}, {Ordering: new(bellwire.OrderingFIFO)},
	} {
		g.Go(func() error {
			_, err := e.UpdateEndpoint(t.Context(), admin, tenant, ep.ID, in)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	got, err := e.Endpoint(t.Context(), admin, tenant, ep.ID)
	if err != nil {
		t.Fatal(err)
	}
	if got.URL != "https://example.org" || got.Description != "new" || got.MaxInFlight != 3 || got.RateLimit != 2 ||
		got.Metadata["a"] != "b" || got.Ordering != bellwire.OrderingFIFO {
		t.Errorf("a change was lost: %+v", got)
	}
}

// However many change one endpoint at the same moment, all get through.
func TestManyConcurrentUpdates(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	ep := e.endpoint(tenant)
	var g errgroup.Group
	for i := range 40 {
		g.Go(func() error {
			_, err := e.UpdateEndpoint(t.Context(), admin, tenant, ep.ID, service.EndpointInput{MaxInFlight: new(i + 1)})
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
}

// The limit holds for concurrent creations.
func TestConcurrentCreatesKeepTheLimit(t *testing.T) {
	t.Parallel()
	const limit = 5
	e := newEnv(t)
	tenant := e.limited("acme", map[string]float64{"endpoints": limit})
	var created atomic.Int64
	var g errgroup.Group
	for range 30 {
		g.Go(func() error {
			_, _, err := e.CreateEndpoint(t.Context(), admin, tenant, service.EndpointInput{URL: new("https://example.com"), Events: &[]string{"*"}})
			switch bellwire.CodeOf(err) {
			case "":
				created.Add(1)
			case bellwire.CodeConflict:
			default:
				return err
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	if n := created.Load(); n != limit {
		t.Errorf("%d endpoints were created, and %d are the most there can be", n, limit)
	}
}

func TestTestEndpoint(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.putType("a.first", service.EventTypeInput{})
	e.putType("order.archived", service.EventTypeInput{Archived: true})
	tenant := e.tenant("acme")
	ep := e.endpoint(tenant)
	got, err := e.TestEndpoint(t.Context(), admin, tenant, ep.ID, "")
	if err != nil || got.Type != "order.created" || got.Event.IsZero() || got.Delivery.IsZero() {
		t.Fatalf("got %+v, %v", got, err)
	}
	if data := string(e.engine.tests[0].Data); data != `{"amount": 1.0}` {
		t.Errorf("it delivers %s, not the example", data)
	}
	if got, err = e.TestEndpoint(t.Context(), admin, tenant, ep.ID, "a.first"); err != nil || string(e.engine.tests[1].Data) != "null" {
		t.Errorf("got %+v, %v, data %s", got, err, e.engine.tests[1].Data)
	}
	for _, name := range []string{"order.lost", "order.archived"} {
		_, err = e.TestEndpoint(t.Context(), admin, tenant, ep.ID, name)
		wantCode(t, err, bellwire.CodeInvalid, "type")
	}
	in := minimal()
	in.Events = &[]string{"invoice.*"}
	lonely, _, err := e.CreateEndpoint(t.Context(), admin, tenant, in)
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.TestEndpoint(t.Context(), admin, tenant, lonely.ID, "")
	wantCode(t, err, bellwire.CodeInvalid, "type")
}

// TestTestsHaveAnExample: a test delivers the newest example that becomes data of the endpoint's version, also if later versions have none.
func TestTestsHaveAnExample(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		examples [3]string // of the versions 1 to 3; the endpoint gets version 1
		data     string
		version  int
	}{
		"newest":  {[3]string{`1`, `2`, `3`}, "3", 3},
		"between": {[3]string{`1`, `2`, ``}, "2", 2},
		"its own": {[3]string{`1`, ``, ``}, "1", 1},
		"none":    {[3]string{}, "null", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t)
			e.putType("order.paid", service.EventTypeInput{Example: []byte(tc.examples[0])})
			tenant := e.tenant("acme")
			ep := e.endpoint(tenant)
			for _, example := range tc.examples[1:] {
				if _, err := e.AddVersion(t.Context(), admin, "order.paid", service.NewVersion{Example: []byte(example), Converter: "data + 0"}); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := e.TestEndpoint(t.Context(), admin, tenant, ep.ID, "order.paid"); err != nil {
				t.Fatal(err)
			}
			if got := e.engine.tests[0]; string(got.Data) != tc.data || got.Version.Of() != tc.version {
				t.Errorf("it delivers %s in version %d, want %s in version %d", got.Data, got.Version.Of(), tc.data, tc.version)
			}
		})
	}
}
