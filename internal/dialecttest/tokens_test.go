package dialecttest_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/akkuro"
	"github.com/bellwire/bellwire/internal/dialect/azakaw"
	"github.com/bellwire/bellwire/internal/dialecttest"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/internal/token"
)

// TestKeysInTheFormOfTokens: keys of other systems are accepted, whatever they look like, beside tokens.
func TestKeysInTheFormOfTokens(t *testing.T) {
	t.Parallel()
	away := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(away.Close)
	for issuer, config := range map[string]token.Config{
		"shared secret":  {Secret: jwtSecret, Audience: jwtAudience},
		"issuer is away": {JWKSURL: away.URL, Audience: jwtAudience},
	} {
		tokens, err := token.New(config)
		if err != nil {
			t.Fatal(err)
		}
		for name, front := range map[string]dialecttest.Config{
			"GET /payments/events/card.created/endpoints": {
				Dialect: akkuro.Dialect{},
				Front: func(svc *service.Service) http.Handler {
					return akkuro.Dialect{PublicURL: "http://x", Tokens: tokens}.Front(svc, nil)
				},
			},
			"GET /webhooks": {
				Dialect: azakaw.Dialect{},
				Front:   func(svc *service.Service) http.Handler { return azakaw.Dialect{Tokens: tokens}.Front(svc, nil) },
			},
		} {
			t.Run(issuer+" "+name, func(t *testing.T) {
				t.Parallel()
				w := dialecttest.New(t, front)
				w.PutType("card.created", service.EventTypeInput{Group: "payments"})
				refused := http.StatusUnauthorized
				if config.Secret == "" {
					refused = http.StatusServiceUnavailable
				}
				call := func(secret string) *httptest.ResponseRecorder {
					method, path, _ := strings.Cut(name, " ")
					return w.Call("none", method, path, http.Header{"Authorization": {"Bearer " + secret}}, "")
				}
				head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","kid":"theirs"}`))
				if config.Secret != "" {
					head = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256"}`))
				}
				for _, c := range []struct {
					secret  string
					unknown int // the status before the key exists
				}{
					{"sk.live.0123456789", 401}, {"...........", 401}, {"e30.e30.signature", 401}, {"bearer.two", 401},
					{head + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"a"}`)) + "." + strings.Repeat("A", 86), refused},
				} {
					if got := call(c.secret + "x"); got.Code != c.unknown {
						t.Errorf("%s, which nobody has: %d %s", c.secret, got.Code, got.Body)
					}
					if _, _, err := w.Service.CreateKey(t.Context(), dialecttest.Admin, w.Tenant, service.NewKey{Role: bellwire.RoleTenantRead, Secret: c.secret}); err != nil {
						t.Fatal(err)
					}
					if got := call(c.secret); got.Code != 200 {
						t.Errorf("%s: %d %s", c.secret, got.Code, got.Body)
					}
				}
			})
		}
	}
}

// TestExpiredKeysInTheFormOfTokens says of a key that it has expired, as of a token.
func TestExpiredKeysInTheFormOfTokens(t *testing.T) {
	t.Parallel()
	w := dialecttest.New(t, fronts(t)[akkuro.Name].config)
	secret := unsigned(w)
	made, _, err := w.Service.CreateKey(t.Context(), dialecttest.Admin, w.Tenant, service.NewKey{Role: bellwire.RoleTenant, Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	key, err := w.Store.Key(t.Context(), made.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Service.DeleteKey(t.Context(), dialecttest.Admin, w.Tenant, made.ID); err != nil {
		t.Fatal(err)
	}
	key.ExpiresAt = key.CreatedAt.Add(-time.Hour)
	if err := w.Store.CreateKey(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	answer := w.Call("none", "GET", "/payments/events/card.created/endpoints", http.Header{"Authorization": {"Bearer " + secret}}, "")
	if answer.Code != 401 || !strings.Contains(answer.Body.String(), "the token has expired") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}
