package token_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"
	"github.com/lestrrat-go/jwx/v3/jwt"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/token"
)

const secret = "0123456789abcdef0123456789abcdef"

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func clock() time.Time { return now }

// sign returns a token with changed claims. A nil value removes a claim.
func sign(t testing.TB, algorithm jwa.SignatureAlgorithm, key any, change map[string]any) string {
	t.Helper()
	claims := map[string]any{"aud": "bellwire", "tenant": "acme", "exp": now.Add(time.Minute).Unix()}
	for name, value := range change {
		claims[name] = value
		if value == nil {
			delete(claims, name)
		}
	}
	tok := jwt.New()
	for name, value := range claims {
		must(t, tok.Set(name, value))
	}
	signed, err := jwt.Sign(tok, jwt.WithKey(algorithm, key))
	must(t, err)
	return string(signed)
}

func TestSharedSecret(t *testing.T) {
	t.Parallel()
	v, err := token.New(token.Config{Secret: secret, Audience: "bellwire", Now: clock})
	must(t, err)
	hmac := func(change map[string]any) string { return sign(t, jwa.HS256(), []byte(secret), change) }
	good := hmac(nil)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	for _, c := range []struct {
		name, token string
		code        bellwire.Code
	}{
		{"good", good, ""},
		{"HS512", sign(t, jwa.HS512(), []byte(secret), nil), ""},
		{"one of several audiences", hmac(map[string]any{"aud": []string{"x", "bellwire"}}), ""},
		{"just expired, within the clocks' difference", hmac(map[string]any{"exp": now.Add(-time.Second).Unix()}), ""},
		{"expired", hmac(map[string]any{"exp": now.Add(-time.Hour).Unix()}), bellwire.CodeUnauthenticated},
		{"without an end", hmac(map[string]any{"exp": nil}), bellwire.CodeUnauthenticated},
		{"not yet", hmac(map[string]any{"nbf": now.Add(time.Hour).Unix()}), bellwire.CodeUnauthenticated},
		{"another audience", hmac(map[string]any{"aud": "x"}), bellwire.CodeUnauthenticated},
		{"no audience", hmac(map[string]any{"aud": nil}), bellwire.CodeUnauthenticated},
		{"no tenant", hmac(map[string]any{"tenant": nil}), bellwire.CodeUnauthenticated},
		{"no tenant's id", hmac(map[string]any{"tenant": "a/b"}), bellwire.CodeUnauthenticated},
		{"a number for tenant", hmac(map[string]any{"tenant": 7}), bellwire.CodeUnauthenticated},
		{"another secret", sign(t, jwa.HS256(), []byte(strings.ToUpper(secret)), nil), bellwire.CodeUnauthenticated},
		{"a public key's algorithm", sign(t, jwa.RS256(), rsaKey, nil), bellwire.CodeUnauthenticated},
		{"none", unsigned(t, "none"), bellwire.CodeUnauthenticated},
		{"None", unsigned(t, "None"), bellwire.CodeUnauthenticated},
		{"HS256 without signature", unsigned(t, "HS256"), bellwire.CodeUnauthenticated},
		{"something that must be understood", critical(t, []string{"cnf"}), bellwire.CodeUnauthenticated},
		{"nothing that must be understood", critical(t, []string{}), bellwire.CodeUnauthenticated},
		{"changed", tampered(good), bellwire.CodeUnauthenticated},
		{"empty", "", bellwire.CodeUnauthenticated},
		{"a key of ours", "bwk_0123", bellwire.CodeUnauthenticated},
		{"too long", good + strings.Repeat("A", 20_000), bellwire.CodeUnauthenticated},
	} {
		t.Run(c.name, func(t *testing.T) {
			tenant, err := v.Tenant(t.Context(), c.token)
			if bellwire.CodeOf(err) != c.code || err == nil && tenant != "acme" {
				t.Errorf("%s: %q, %v", c.name, tenant, err)
			}
		})
	}
}

func unsigned(t *testing.T, algorithm string) string {
	t.Helper()
	head, err := json.Marshal(map[string]string{"alg": algorithm, "typ": "JWT"})
	must(t, err)
	claims, err := json.Marshal(map[string]any{"aud": "bellwire", "tenant": "acme", "exp": now.Add(time.Minute).Unix()})
	must(t, err)
	enc := base64.RawURLEncoding
	return enc.EncodeToString(head) + "." + enc.EncodeToString(claims) + "."
}

// critical returns a valid token whose header has critical extensions.
func critical(t *testing.T, names []string) string {
	t.Helper()
	head, err := json.Marshal(map[string]any{"alg": "HS256", "crit": names, "cnf": "x"})
	must(t, err)
	claims, err := json.Marshal(map[string]any{"aud": "bellwire", "tenant": "acme", "exp": now.Add(time.Minute).Unix()})
	must(t, err)
	enc := base64.RawURLEncoding
	text := enc.EncodeToString(head) + "." + enc.EncodeToString(claims)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return text + "." + enc.EncodeToString(mac.Sum(nil))
}

func tampered(good string) string {
	parts := strings.Split(good, ".")
	claims := base64.RawURLEncoding.EncodeToString([]byte(`{"aud":"bellwire","tenant":"other","exp":9999999999}`))
	return parts[0] + "." + claims + "." + parts[2]
}

// issuer publishes keys and counts requests for them.
type issuer struct {
	keys  atomic.Pointer[jwk.Set]
	asked atomic.Int64
	down  atomic.Bool
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	i.asked.Add(1)
	if i.down.Load() {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	_ = json.NewEncoder(w).Encode(*i.keys.Load())
}

// publish publishes the public halves of keys.
func (i *issuer) publish(t *testing.T, keys ...jwk.Key) {
	t.Helper()
	set := jwk.NewSet()
	for _, key := range keys {
		public, err := jwk.PublicKeyOf(key)
		must(t, err)
		must(t, set.AddKey(public))
	}
	i.keys.Store(&set)
}

func newKey(t *testing.T, id string) jwk.Key {
	t.Helper()
	raw, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	key, err := jwk.Import(raw)
	must(t, err)
	must(t, key.Set(jwk.KeyIDKey, id))
	return key
}

func TestKeySet(t *testing.T) {
	t.Parallel()
	at := now
	source := &issuer{}
	server := httptest.NewServer(source)
	defer server.Close()
	v, err := token.New(token.Config{JWKSURL: server.URL, Audience: "bellwire", Now: func() time.Time { return at }})
	must(t, err)
	first, second := newKey(t, "one"), newKey(t, "two")
	source.publish(t, first)
	ask := func(key jwk.Key) bellwire.Code {
		t.Helper()
		_, err := v.Tenant(t.Context(), sign(t, jwa.ES256(), key, map[string]any{"exp": now.Add(time.Hour).Unix()}))
		return bellwire.CodeOf(err)
	}
	want := func(what string, got, want bellwire.Code, asked int64) {
		t.Helper()
		if got != want || source.asked.Load() != asked {
			t.Errorf("%s: %q, want %q; the issuer was asked %d times, want %d", what, got, want, source.asked.Load(), asked)
		}
	}

	source.down.Store(true)
	want("no keys yet", ask(first), bellwire.CodeUnavailable, 1)
	want("and not tried again at once", ask(first), bellwire.CodeUnavailable, 1)
	source.down.Store(false)
	at = at.Add(2 * time.Second)
	want("first use", ask(first), "", 2)
	want("kept", ask(first), "", 2)
	want("an unknown key, soon after", ask(second), bellwire.CodeUnauthenticated, 2)
	at = at.Add(11 * time.Second)
	source.publish(t, first, second)
	want("a new key is looked for", ask(second), "", 3)
	at = at.Add(11 * time.Second)
	source.down.Store(true)
	want("nobody knows whether it is a key", ask(newKey(t, "three")), bellwire.CodeUnavailable, 4)
	want("nor soon after", ask(newKey(t, "three")), bellwire.CodeUnavailable, 4)
	at = at.Add(11 * time.Minute)
	want("old keys are better than none", ask(first), "", 5)
	source.down.Store(false)
	source.publish(t, second)
	at = at.Add(11 * time.Minute)
	want("a key that was taken back", ask(first), bellwire.CodeUnauthenticated, 6)

	// A token cannot make a public key a shared secret.
	raw, err := json.Marshal(second)
	must(t, err)
	confused, err := jws.Sign([]byte(`{"aud":"bellwire","tenant":"acme","exp":9999999999}`), jws.WithKey(jwa.HS256(), raw))
	must(t, err)
	if _, err := v.Tenant(t.Context(), string(confused)); bellwire.CodeOf(err) != bellwire.CodeUnauthenticated {
		t.Errorf("a public key was taken for a shared secret: %v", err)
	}
	if _, err := v.Tenant(t.Context(), unsigned(t, "none")); bellwire.CodeOf(err) != bellwire.CodeUnauthenticated {
		t.Errorf("no signature was taken for one: %v", err)
	}
}

// hanging is an issuer that answers when the test lets it.
type hanging struct {
	*issuer
	hold atomic.Pointer[chan struct{}] // nil: it answers at once
}

func (h *hanging) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if hold := h.hold.Load(); hold != nil {
		h.asked.Add(1)
		<-*hold
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	h.issuer.ServeHTTP(w, r)
}

// TestKnownKeysDoNotWait checks that tokens with a known key are answered while a fetch for an unknown key hangs, and that
// there is one fetch for all.
func TestKnownKeysDoNotWait(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		age  time.Duration
		code bellwire.Code
	}{
		{"fresh", 11 * time.Second, ""},
		{"to be fetched again", 6 * time.Minute, ""},
		{"old", 11 * time.Minute, ""},
		{"too old", 25 * time.Hour, bellwire.CodeUnavailable},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var at atomic.Int64
			source := &hanging{issuer: &issuer{}}
			server := httptest.NewServer(source)
			defer server.Close()
			v, err := token.New(token.Config{JWKSURL: server.URL, Audience: "bellwire", Now: func() time.Time {
				return now.Add(time.Duration(at.Load()))
			}})
			must(t, err)
			known := newKey(t, "known")
			source.publish(t, known)
			ask := func(key jwk.Key) bellwire.Code {
				_, err := v.Tenant(t.Context(), sign(t, jwa.ES256(), key, map[string]any{"exp": now.Add(48 * time.Hour).Unix()}))
				return bellwire.CodeOf(err)
			}
			if code := ask(known); code != "" {
				t.Fatal(code)
			}

			hold := make(chan struct{})
			var once sync.Once
			release := func() { once.Do(func() { close(hold) }) }
			defer release()
			source.hold.Store(&hold)
			at.Store(int64(c.age))
			var strangers sync.WaitGroup
			var answered atomic.Int64
			for range 8 {
				key := newKey(t, "other")
				strangers.Go(func() {
					if code := ask(key); code != bellwire.CodeUnavailable {
						t.Errorf("a stranger's token: %q", code)
					}
					answered.Add(1)
				})
			}
			for deadline := time.Now().Add(time.Minute); source.asked.Load() < 2; time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("no fetch began")
				}
			}
			if c.code == "" {
				// Of an old key this takes the patience of a second, and strangers wait for five.
				if code := ask(known); code != "" || answered.Load() > 0 {
					t.Errorf("a known key: %q, after %d strangers", code, answered.Load())
				}
			}
			release()
			strangers.Wait()
			if code := ask(known); code != c.code {
				t.Errorf("after the fetch failed: %q, want %q", code, c.code)
			}
			if asked := source.asked.Load(); asked != 2 {
				t.Errorf("the issuer was asked %d times, want 2", asked)
			}
		})
	}
}

// TestAlgorithmAndUseOfKeysAreEnforced checks that a published key's "alg" and "use" are enforced.
func TestAlgorithmAndUseOfKeysAreEnforced(t *testing.T) {
	t.Parallel()
	raw, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	for _, c := range []struct {
		name string
		say  map[string]any
		code bellwire.Code
	}{
		{"nothing", nil, ""},
		{"this", map[string]any{jwk.AlgorithmKey: jwa.RS256(), jwk.KeyUsageKey: "sig"}, ""},
		{"another algorithm", map[string]any{jwk.AlgorithmKey: jwa.PS256()}, bellwire.CodeUnauthenticated},
		{"another use", map[string]any{jwk.KeyUsageKey: "enc"}, bellwire.CodeUnauthenticated},
	} {
		t.Run(c.name, func(t *testing.T) {
			key, err := jwk.Import(raw)
			must(t, err)
			for name, value := range c.say {
				must(t, key.Set(name, value))
			}
			source := &issuer{}
			source.publish(t, key)
			server := httptest.NewServer(source)
			v, err := token.New(token.Config{JWKSURL: server.URL, Audience: "bellwire", Now: clock})
			must(t, err)
			if _, err := v.Tenant(t.Context(), sign(t, jwa.RS256(), raw, nil)); bellwire.CodeOf(err) != c.code {
				t.Errorf("%s: %v, want %q", c.name, err, c.code)
			}
			server.Close()
		})
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for _, c := range []token.Config{
		{}, {Secret: secret}, {Secret: "short", Audience: "a"}, {JWKSURL: "https://x", Secret: secret, Audience: "a"},
		{JWKSURL: "x", Audience: "a"}, {JWKSURL: "https://x"},
	} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			if _, err := token.New(c); bellwire.CodeOf(err) != bellwire.CodeInvalid {
				t.Errorf("%+v: %v", c, err)
			}
		})
	}
}

func FuzzTenant(f *testing.F) {
	v, err := token.New(token.Config{Secret: secret, Audience: "bellwire", Now: clock})
	if err != nil {
		f.Fatal(err)
	}
	good := sign(f, jwa.HS256(), []byte(secret), nil)
	for _, text := range []string{good, tampered(good), "", "..", "a.b.c", good[:40]} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tenant, err := v.Tenant(t.Context(), text)
		if err == nil && tenant != "acme" || err != nil && bellwire.CodeOf(err) != bellwire.CodeUnauthenticated {
			t.Errorf("%q: %q, %v", text, tenant, err)
		}
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestHasForm(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"eyJhbGciOiJIUzI1NiJ9.e30.AA": true, "eyJhbGciOiJub25lIn0..": true, "eyJhbGciOiJIUzI1NiJ9.e30": false,
		"eyJhbGciOiJIUzI1NiJ9.e30.AA.AA": false, "e30.e30.AA": false, "eyJhbGciOjF9.e30.AA": false, "W10.e30.AA": false,
		"bnVsbA.e30.AA": false, "eyJhbGciOiJIUzI1NiJ9=.e30.AA": false, "..": false, "a.b.c": false, "": false,
	} {
		if got := token.HasForm(text); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}
