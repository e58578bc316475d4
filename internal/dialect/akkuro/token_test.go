package akkuro_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/akkuro"
	"github.com/bellwire/bellwire/internal/dialecttest"
	"github.com/bellwire/bellwire/internal/token"
)

const (
	audience  = "webhooks.example.test"
	jwtSecret = "a shared secret of enough bytes.."
)

// claims returns the claims of a valid token with changes.
func claims(change map[string]any) map[string]any {
	all := map[string]any{"aud": audience, "tenant": "acme", "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix()}
	for name, value := range change {
		all[name] = value
		if value == nil {
			delete(all, name)
		}
	}
	return all
}

func encode(t testing.TB, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// jwt returns a signed token (RFC 7515), built with the standard library only.
func jwt(t testing.TB, header map[string]any, claims map[string]any, sign func(input []byte) []byte) string {
	t.Helper()
	input := encode(t, header) + "." + encode(t, claims)
	return input + "." + base64.RawURLEncoding.EncodeToString(sign([]byte(input)))
}

func hs256(key []byte) func([]byte) []byte {
	return func(input []byte) []byte {
		mac := hmac.New(sha256.New, key)
		mac.Write(input)
		return mac.Sum(nil)
	}
}

func rs256(t testing.TB, key *rsa.PrivateKey) func([]byte) []byte {
	return func(input []byte) []byte {
		sum := sha256.Sum256(input)
		signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return signature
	}
}

func unsigned([]byte) []byte { return nil }

// asCaller returns a step that lists the event types with a token.
func asCaller(name, text string, status int, want string) step {
	s := step{Name: name, Key: "none", Do: "GET /process-orchestration/events/event-types", Header: []string{"Authorization: Bearer " + text}, Status: status}
	if status == 200 {
		s.Want = `["process.status-changed"]`
		return s
	}
	s.Want = problem(status, "/process-orchestration/events/event-types", want)
	if status == 401 {
		s.WantHeader = []string{"WWW-Authenticate: Bearer"}
	}
	return s
}

func TestSharedSecretTokens(t *testing.T) {
	t.Parallel()
	tokens, err := token.New(token.Config{Secret: jwtSecret, Audience: audience})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorldWith(t, akkuro.Dialect{PublicURL: publicURL, Tokens: tokens})
	head := map[string]any{"alg": "HS256", "typ": "JWT"}
	signed := func(change map[string]any) string { return jwt(t, head, claims(change), hs256([]byte(jwtSecret))) }
	hour := time.Hour
	dialecttest.Run(t, w, []step{
		asCaller("good", signed(nil), 200, ""),
		asCaller("expired", signed(map[string]any{"exp": time.Now().Add(-hour).Unix()}), 401, "the token has expired"),
		asCaller("endless", signed(map[string]any{"exp": nil}), 401, "the token has no expiration time"),
		asCaller("not yet", signed(map[string]any{"nbf": time.Now().Add(hour).Unix()}), 401, "the token is not valid yet"),
		asCaller("wrong audience", signed(map[string]any{"aud": "another"}), 401, "the token is for another audience"),
		asCaller("no audience", signed(map[string]any{"aud": nil}), 401, "the token is for another audience"),
		asCaller("no tenant", signed(map[string]any{"tenant": nil}), 401, "the token does not name a customer"),
		asCaller("tenant of no form", signed(map[string]any{"tenant": "a b"}), 401, "the token does not name a customer"),
		asCaller("unknown tenant", signed(map[string]any{"tenant": "nobody"}), 403, "the token does not permit this operation"),
		asCaller("another secret", jwt(t, head, claims(nil), hs256([]byte("another secret of enough bytes..."))), 401, "the signature of the token is not valid"),
		asCaller("none", jwt(t, map[string]any{"alg": "none"}, claims(nil), unsigned), 401, "the token must be signed with HMAC"),
		asCaller("None", jwt(t, map[string]any{"alg": "NONE"}, claims(nil), unsigned), 401, "the token is not a signed JSON Web Token"),
		asCaller("no signature", jwt(t, head, claims(nil), unsigned), 401, "the token is not a signed JSON Web Token"),
		asCaller("dots", "..", 401, "the token is not valid"),
		asCaller("nonsense", "a.b.c", 401, "the token is not valid"),
		asCaller("two parts", "a.b", 401, "the token is not valid"),
	})
	// A token has the permissions of a tenant key.
	as := func(tenant string, s step) step {
		s.Key, s.Header = "none", []string{"Authorization: Bearer " + signed(map[string]any{"tenant": tenant})}
		return s
	}
	dialecttest.Run(t, w, []step{
		as("acme", register),
		as("acme", unchanged),
		unchanged, // for a key of the same tenant
		as("other", step{Name: "another tenant", Do: "GET " + endpoints, Status: 200, Want: "[]"}),
		as("other", refused("another tenant", "GET "+merged+"/token/{id}", "", 404, `endpoint \"{id}\" does not exist`)),
		as("other", refused("another tenant", "PUT "+endpoints+"/{id}", body, 404, `endpoint \"{id}\" does not exist`)),
		as("other", refused("another tenant", "DELETE "+endpoints+"/{id}", "", 404, `endpoint \"{id}\" does not exist`)),
		as("acme", unchanged),
		as("acme", step{Name: "delete", Do: "DELETE " + endpoints + "/{id}", Status: 204}),
	})
}

// issuer publishes public keys (RFC 7517).
type issuer struct {
	mu      sync.Mutex
	keys    []map[string]any
	fetched int
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.fetched++
	_ = json.NewEncoder(w).Encode(map[string]any{"keys": i.keys})
}

func (i *issuer) publish(id string, key *rsa.PublicKey) {
	i.mu.Lock()
	defer i.mu.Unlock()
	b64 := base64.RawURLEncoding.EncodeToString
	i.keys = []map[string]any{{"kty": "RSA", "kid": id, "use": "sig", "n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes())}}
}

func newRSA(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestHistoryNamesTheCaller registers endpoints with a token and with a key.
func TestHistoryNamesTheCaller(t *testing.T) {
	t.Parallel()
	tokens, err := token.New(token.Config{Secret: jwtSecret, Audience: audience})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorldWith(t, akkuro.Dialect{PublicURL: publicURL, Tokens: tokens})
	signed := jwt(t, map[string]any{"alg": "HS256", "typ": "JWT"}, claims(nil), hs256([]byte(jwtSecret)))
	origin := bellwire.Origin{RequestID: "r1", Address: "192.0.2.1"}
	for key, want := range map[string]bellwire.Actor{
		"none":   {Kind: bellwire.ActorVouched, Role: bellwire.RoleTenant, Origin: origin},
		"tenant": {Kind: bellwire.ActorKey, Key: w.Keys["tenant"].ID, Role: bellwire.RoleTenant, Origin: origin},
	} {
		header := http.Header{"X-Request-Id": {"r1"}}
		if key == "none" {
			header.Set("Authorization", "Bearer "+signed)
		}
		answer := w.Call(key, "POST", endpoints, header, body)
		var made struct{ ID string }
		if err := json.Unmarshal(answer.Body.Bytes(), &made); err != nil || answer.Code != 201 {
			t.Fatalf("%d %s: %v", answer.Code, answer.Body, err)
		}
		list, err := w.Service.EndpointHistory(t.Context(), dialecttest.Admin, w.Tenant, made.ID, bellwire.Page{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, list.Items[0].Actor); diff != "" {
			t.Errorf("%s: %s", key, diff)
		}
	}
}

func TestPublishedKeys(t *testing.T) {
	t.Parallel()
	first, second := newRSA(t), newRSA(t)
	keys := &issuer{}
	keys.publish("first", &first.PublicKey)
	server := httptest.NewServer(keys)
	t.Cleanup(server.Close)
	var (
		mu      sync.Mutex
		elapsed time.Duration
	)
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return time.Now().Add(elapsed)
	}
	tokens, err := token.New(token.Config{JWKSURL: server.URL, Audience: audience, TenantClaim: "label", Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorldWith(t, akkuro.Dialect{PublicURL: publicURL, Tokens: tokens})
	label := map[string]any{"label": "acme", "tenant": "other"}
	by := func(id string, key *rsa.PrivateKey, change map[string]any) string {
		all := claims(label)
		for name, value := range change {
			all[name] = value
		}
		return jwt(t, map[string]any{"alg": "RS256", "kid": id}, all, rs256(t, key))
	}
	public, err := x509.MarshalPKIXPublicKey(&first.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	asPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	confused := func(key []byte) string {
		return jwt(t, map[string]any{"alg": "HS256", "kid": "first"}, claims(label), hs256(key))
	}
	dialecttest.Run(t, w, []step{
		asCaller("good", by("first", first, nil), 200, ""),
		asCaller("the public key as a shared secret, DER", confused(public), 401, "the token must be signed with a public-key algorithm"),
		asCaller("the public key as a shared secret, PEM", confused(asPEM), 401, "the token must be signed with a public-key algorithm"),
		asCaller("the public key as a shared secret, modulus", confused(first.N.Bytes()), 401, "the token must be signed with a public-key algorithm"),
		asCaller("none", jwt(t, map[string]any{"alg": "none", "kid": "first"}, claims(label), unsigned), 401, "the token must be signed with a public-key algorithm"),
		asCaller("signed by another", by("first", second, nil), 401, "the signature of the token is not valid"),
		asCaller("unknown kid", by("second", second, nil), 401, "the token is signed with an unknown key"),
		asCaller("expired", by("first", first, map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}), 401, "the token has expired"),
		asCaller("a number for the tenant", by("first", first, map[string]any{"label": 7}), 401, "the token does not name a customer"),
	})
	// The issuer replaces its key. The first token of the new key fetches it.
	keys.publish("second", &second.PublicKey)
	mu.Lock()
	elapsed = time.Minute
	mu.Unlock()
	dialecttest.Run(t, w, []step{
		asCaller("the new key", by("second", second, nil), 200, ""),
		asCaller("the old key", by("first", first, nil), 401, "the token is signed with an unknown key"),
		{Name: "the tenant of the claim", Key: "none", Header: []string{"Authorization: Bearer " + by("second", second, nil)},
			Do: "POST " + endpoints, Body: body, Status: 201, Want: fresh(shown)},
		unchanged,
	})
	keys.mu.Lock()
	defer keys.mu.Unlock()
	if keys.fetched != 2 {
		t.Errorf("the keys were fetched %d times", keys.fetched)
	}
}

// If the issuer cannot be reached, the answer is 503.
func TestIssuerAway(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	tokens, err := token.New(token.Config{JWKSURL: server.URL, Audience: audience})
	server.Close()
	if err != nil {
		t.Fatal(err)
	}
	w := newWorldWith(t, akkuro.Dialect{PublicURL: publicURL, Tokens: tokens})
	s := asCaller("away", jwt(t, map[string]any{"alg": "RS256", "kid": "x"}, claims(nil), hs256(nil)), 503, "the service is temporarily unavailable; try again later")
	s.WantHeader = []string{"Retry-After: 1", "Content-Type: application/problem+json"}
	dialecttest.Run(t, w, []step{s, {Name: "keys are good", Do: "GET " + endpoints, Status: 200, Want: "[]"}})
}

// Without an issuer every token is refused.
func TestNoIssuer(t *testing.T) {
	t.Parallel()
	text := jwt(t, map[string]any{"alg": "HS256"}, claims(nil), hs256(nil))
	dialecttest.Run(t, newWorld(t), []step{asCaller("token", text, 401, "the token is not valid")})
}
