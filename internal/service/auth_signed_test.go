package service_test

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/internal/share"
)

func TestSignedRequests(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	key, secret, err := e.CreateKey(t.Context(), admin, tenant, service.NewKey{Role: bellwire.RoleTenant, HMAC: true})
	if err != nil {
		t.Fatal(err)
	}
	plain, _, err := e.CreateKey(t.Context(), admin, tenant, service.NewKey{Role: bellwire.RoleTenant})
	if err != nil {
		t.Fatal(err)
	}
	good := service.SignedRequest{Key: key.ID.String(), Nonce: "one", At: time.Now()}
	signed := func(s string) bool { return s == secret }

	// These errors are returned without the signed body.
	for name, change := range map[string]func(r *service.SignedRequest){
		"too long ago":                   func(r *service.SignedRequest) { r.At = r.At.Add(-10*time.Second - service.SignatureWindow) },
		"in the future":                  func(r *service.SignedRequest) { r.At = r.At.Add(10*time.Second + service.SignatureWindow) },
		"a year long past":               func(r *service.SignedRequest) { r.At = time.Unix(0, 0) },
		"no nonce":                       func(r *service.SignedRequest) { r.Nonce = "" },
		"a long nonce":                   func(r *service.SignedRequest) { r.Nonce = strings.Repeat("x", 129) },
		"no text for a nonce":            func(r *service.SignedRequest) { r.Nonce = "\xff" },
		"no key":                         func(r *service.SignedRequest) { r.Key = "" },
		"an unknown key":                 func(r *service.SignedRequest) { r.Key = strings.Repeat("0", 32) },
		"a key whose secret is not kept": func(r *service.SignedRequest) { r.Key = plain.ID.String() },
	} {
		t.Run(name, func(t *testing.T) {
			r := good
			change(&r)
			if _, err := e.ClaimSigned(t.Context(), r); bellwire.CodeOf(err) != bellwire.CodeUnauthenticated {
				t.Errorf("%s: %v", name, err)
			}
		})
	}

	claim := func(change func(*service.SignedRequest)) *service.Claim {
		t.Helper()
		r := good
		change(&r)
		c, err := e.ClaimSigned(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if c.Owner() != tenant {
			t.Errorf("it claims to be %q", c.Owner())
		}
		return c
	}
	same := func(*service.SignedRequest) {}
	for _, c := range []struct {
		name   string
		change func(r *service.SignedRequest)
		verify func(string) bool
		code   bellwire.Code
	}{
		{"a bad signature, which must not use up the nonce", same, func(string) bool { return false }, bellwire.CodeUnauthenticated},
		{"good", same, signed, ""},
		{"again", same, signed, bellwire.CodeUnauthenticated},
		{"with another nonce", func(r *service.SignedRequest) { r.Nonce = "two" }, signed, ""},
		{"as a bare UUID", func(r *service.SignedRequest) { r.Nonce, r.Key = "three", uuid.UUID(key.ID).String() }, signed, ""},
		{"signed almost SignatureWindow ago", func(r *service.SignedRequest) {
			r.Nonce, r.At = "four", r.At.Add(10*time.Second-service.SignatureWindow)
		}, signed, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			caller, err := claim(c.change).Prove(t.Context(), c.verify)
			if bellwire.CodeOf(err) != c.code {
				t.Errorf("%s: %v, want the code %q", c.name, err, c.code)
			}
			if err == nil && (caller.Key != key.ID || caller.Role != bellwire.RoleTenant || caller.Tenant != tenant) {
				t.Errorf("%s: %+v", c.name, caller)
			}
		})
	}
	late := claim(func(r *service.SignedRequest) { r.Nonce = "nine" })
	if err := e.DeleteKey(t.Context(), admin, tenant, key.ID); err != nil {
		t.Fatal(err)
	}
	_, err = late.Prove(t.Context(), signed)
	wantCode(t, err, bellwire.CodeUnauthenticated, "")
}

func TestAuthenticateKey(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	tenant := e.tenant("acme")
	key, secret, err := e.CreateKey(t.Context(), admin, tenant, service.NewKey{Role: bellwire.RoleTenant})
	if err != nil {
		t.Fatal(err)
	}
	_, other, err := e.CreateKey(t.Context(), admin, tenant, service.NewKey{Role: bellwire.RoleTenant})
	if err != nil {
		t.Fatal(err)
	}
	bare := hex.EncodeToString(key.ID[:])
	for _, id := range []string{key.ID.String(), bare, uuid.UUID(key.ID).String(), strings.ToUpper(bare)} {
		t.Run(id, func(t *testing.T) {
			c, err := e.AuthenticateKey(t.Context(), id, secret)
			if err != nil || c.Key != key.ID || c.Tenant != tenant {
				t.Errorf("%s: %+v, %v", id, c, err)
			}
		})
	}
	for id, with := range map[string]string{
		key.ID.String(): other, "": secret, "key_": secret, bare[1:]: secret, "api_" + bare: secret,
		strings.ReplaceAll(uuid.UUID(key.ID).String(), "-", "x"): secret, strings.Repeat("0", 32): secret,
	} {
		t.Run(id, func(t *testing.T) {
			_, err := e.AuthenticateKey(t.Context(), id, with)
			wantCode(t, err, bellwire.CodeUnauthenticated, "")
		})
	}
}

func TestAuditLog(t *testing.T) {
	t.Parallel()
	e := newEnv(t, func(c *service.Config) { c.AuditRetention = time.Hour })
	tenant := e.limited("acme", map[string]float64{"audit_entries": 100})
	c := service.Caller{Role: bellwire.RoleTenant, Tenant: tenant, Key: bellwire.NewID[bellwire.KeyKind](time.Now())}
	note := service.AuditNote{Tenant: tenant, Principal: "support-jane", Justification: "ticket-17"}
	ctx := bellwire.WithCall(t.Context(), bellwire.Call{Method: "GET", Path: "/v1/events", Origin: bellwire.Origin{Address: "192.0.2.1"}})
	if err := e.Record(ctx, c, note); err != nil {
		t.Fatal(err)
	}
	for field, bad := range map[string]service.AuditNote{
		"principal":     {Tenant: tenant, Principal: strings.Repeat("x", bellwire.MaxAuditText+1)},
		"justification": {Tenant: tenant, Justification: "\xff"},
	} {
		wantCode(t, e.Record(t.Context(), c, bad), bellwire.CodeInvalid, field)
	}
	reader := service.Caller{Role: bellwire.RoleTenantRead, Tenant: tenant, Key: bellwire.NewID[bellwire.KeyKind](time.Now())}
	for n := range 99 {
		other := note
		other.Justification = strconv.Itoa(n)
		if n == 87 { // keys that only read leave an eighth of 100
			wantCode(t, e.Record(t.Context(), reader, other), bellwire.CodeRateLimited, "")
		}
		if err := e.Record(t.Context(), c, other); err != nil {
			t.Fatal(err)
		}
	}
	other := note
	other.Justification = "one too many"
	full := e.Record(t.Context(), c, other)
	wantCode(t, full, bellwire.CodeRateLimited, "")
	if known := (*bellwire.Error)(nil); !errors.As(full, &known) || known.RetryAfter <= 0 {
		t.Errorf("it does not say when there is room again: %v", full)
	}
	list, err := e.AuditLog(t.Context(), admin, bellwire.AuditFilter{Tenant: tenant, Key: c.Key}, bellwire.Page{Limit: service.MaxPageLimit})
	if err != nil || len(list.Items) != 100 {
		t.Fatal(list, err)
	}
	got := list.Items[99]
	if got.Key != c.Key || got.Principal != note.Principal || got.Justification != note.Justification ||
		got.Path != "/v1/events" || got.Method != "GET" || got.Actor.Address != "192.0.2.1" || got.Tenant != tenant || got.ExpiresAt.Sub(got.At) != time.Hour {
		t.Errorf("%+v", got)
	}
}

// chargedStore is a store that keeps in whose turns changes wait that are part of authenticating a request.
type chargedStore struct {
	bellwire.Store
	owners []string
}

func (s *chargedStore) note(ctx context.Context) {
	caller, _ := share.CallerOf(ctx)
	s.owners = append(s.owners, caller.Owner)
}

func (s *chargedStore) UseNonce(ctx context.Context, key bellwire.KeyID, nonce string, until time.Time) error {
	s.note(ctx)
	return s.Store.UseNonce(ctx, key, nonce, until)
}

func (s *chargedStore) ExchangeSession(ctx context.Context, x *bellwire.Exchange) (*bellwire.Session, error) {
	s.note(ctx)
	return s.Store.ExchangeSession(ctx, x)
}

func (s *chargedStore) CreateTenant(ctx context.Context, t *bellwire.Tenant) error {
	s.note(ctx)
	return s.Store.CreateTenant(ctx, t)
}

// What is written while a request is authenticated waits in the turns of its tenant, not with that of strangers.
func TestAuthenticationWaitsInTheTenantsTurns(t *testing.T) {
	t.Parallel()
	store := new(chargedStore)
	e := newEnv(t, func(c *service.Config) { store.Store, c.Store = c.Store, store })
	e.tenant("acme")
	key, _, err := e.CreateKey(t.Context(), admin, "acme", service.NewKey{Role: bellwire.RoleTenant, HMAC: true})
	if err != nil {
		t.Fatal(err)
	}
	_, code, err := e.CreatePortalSession(t.Context(), service.Caller{Role: bellwire.RoleTenant, Tenant: "acme", Key: key.ID}, "acme", service.NewPortalSession{})
	if err != nil {
		t.Fatal(err)
	}
	anonymous := share.WithCaller(t.Context(), func() share.Caller { return share.Caller{} })
	for name, authenticate := range map[string]func() error{
		"acme": func() error {
			claim, err := e.ClaimSigned(anonymous, service.SignedRequest{Key: key.ID.String(), Nonce: "one", At: time.Now()})
			if err == nil {
				_, err = claim.Prove(anonymous, func(string) bool { return true })
			}
			return err
		},
		"acme in its portal": func() error {
			_, _, err := e.ExchangePortalCode(anonymous, code, service.Client{})
			return err
		},
		"globex": func() error {
			_, err := e.ProvisionTenant(anonymous, "globex")
			return err
		},
	} {
		store.owners = nil
		if err := authenticate(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if want, _, _ := strings.Cut(name, " "); !slices.Equal(store.owners, []string{want}) {
			t.Errorf("%s: in the turns of %q, want %q", name, store.owners, want)
		}
	}
}
