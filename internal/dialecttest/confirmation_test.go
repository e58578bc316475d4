package dialecttest_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/api"
	"github.com/bellwire/bellwire/internal/dialect/akkuro"
	"github.com/bellwire/bellwire/internal/dialect/atelio"
	"github.com/bellwire/bellwire/internal/dialect/azakaw"
	"github.com/bellwire/bellwire/internal/dialect/bluefin"
	"github.com/bellwire/bellwire/internal/dialect/lemon"
	"github.com/bellwire/bellwire/internal/dialect/standard"
	"github.com/bellwire/bellwire/internal/dialecttest"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/internal/token"
)

// unreadBody is a body that must not be read.
type unreadBody struct {
	t    *testing.T
	what string
}

func (b unreadBody) Read([]byte) (int, error) {
	b.t.Errorf("%s: the body is read", b.what)
	return 0, http.ErrBodyReadAfterClose
}

func (b unreadBody) Close() error { return nil }

const (
	jwtSecret   = "a secret of thirty-two characters"
	jwtAudience = "https://bellwire.example"
)

// unsigned returns a token with valid claims and an invalid signature.
func unsigned(w *dialecttest.World) string {
	part := base64.RawURLEncoding.EncodeToString
	claims := fmt.Sprintf(`{"aud":%q,"exp":%d,"tenant":%q}`, jwtAudience, time.Now().Add(time.Hour).Unix(), w.Tenant)
	return part([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + part([]byte(claims)) + "." + part(make([]byte, 32))
}

func payconex(id string, at time.Time, nonce string) string {
	return fmt.Sprintf(`Hmac id="%s", nonce="%s", timestamp="%d", response="%064x"`, id, nonce, at.Unix(), 0)
}

// callers are callers that a front end must refuse. Each function sets the credentials.
type callers map[string]func(r *http.Request, w *dialecttest.World)

func header(name string, value func(w *dialecttest.World) string) func(*http.Request, *dialecttest.World) {
	return func(r *http.Request, w *dialecttest.World) { r.Header.Set(name, value(w)) }
}

// bearers are callers of front ends that accept an API key as a bearer token.
func bearerTokens() callers {
	return callers{
		"nobody":           func(*http.Request, *dialecttest.World) {},
		"another scheme":   header("Authorization", func(w *dialecttest.World) string { return "Basic " + w.Keys["tenant"].Secret }),
		"no key":           header("Authorization", func(*dialecttest.World) string { return "Bearer x" }),
		"another's secret": header("Authorization", func(w *dialecttest.World) string { return "Bearer " + w.Keys["wrong"].Secret }),
		"an unknown key": header("Authorization", func(w *dialecttest.World) string {
			return "Bearer bwk_" + strings.Repeat("0", 32) + w.Keys["tenant"].Secret[len("bwk_")+32:]
		}),
		"two keys": func(r *http.Request, w *dialecttest.World) {
			r.Header["Authorization"] = []string{"Bearer " + w.Keys["tenant"].Secret, "Bearer " + w.Keys["tenant"].Secret}
		},
	}
}

func (c callers) and(more callers) callers {
	for name, caller := range more {
		c[name] = caller
	}
	return c
}

// front is a front end and the callers that it must refuse.
type front struct {
	config  dialecttest.Config
	callers callers
}

// fronts returns all front ends, by name.
func fronts(t *testing.T) map[string]front {
	t.Helper()
	tokens, err := token.New(token.Config{Secret: jwtSecret, Audience: jwtAudience})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]front{
		"native": {
			dialecttest.Config{
				Dialect: standard.Dialect{},
				Front:   func(svc *service.Service) http.Handler { return api.New(svc, api.Options{}) },
			},
			bearerTokens(),
		},
		akkuro.Name: {
			dialecttest.Config{
				Dialect: akkuro.Dialect{PublicURL: "http://x"},
				Front: func(svc *service.Service) http.Handler {
					return akkuro.Dialect{PublicURL: "http://x", Tokens: tokens}.Front(svc, nil)
				},
			},
			bearerTokens().and(callers{"a token": header("Authorization", func(w *dialecttest.World) string { return "Bearer " + unsigned(w) })}),
		},
		azakaw.Name: {
			dialecttest.Config{
				Dialect: azakaw.Dialect{},
				Front:   func(svc *service.Service) http.Handler { return azakaw.Dialect{}.Front(svc, nil) },
			},
			bearerTokens(),
		},
		lemon.Name: {
			dialecttest.Config{
				Dialect: lemon.Dialect{}, Sandbox: true,
				Front: func(svc *service.Service) http.Handler { return lemon.Dialect{}.Front(svc, nil) },
			},
			bearerTokens(),
		},
		atelio.Name: {
			dialecttest.Config{
				Dialect: atelio.Dialect{},
				Front:   func(svc *service.Service) http.Handler { return atelio.Dialect{}.Front(svc, nil) },
			},
			bearerTokens().and(callers{
				"another key's id": func(r *http.Request, w *dialecttest.World) {
					r.Header.Set("Identity", w.Keys["other"].ID.String())
					r.Header.Set("Authorization", w.Keys["tenant"].Secret)
				},
			}),
		},
		bluefin.Name: {
			dialecttest.Config{
				Dialect: bluefin.Dialect{}, Tenant: "123456789012", Other: "210987654321",
				Front: func(svc *service.Service) http.Handler { return bluefin.Dialect{Basic: true}.Front(svc, nil) },
			},
			bearerTokens().and(callers{
				"an unknown id": header("Authorization", func(*dialecttest.World) string {
					return payconex("api_"+strings.Repeat("0", 32), time.Now(), "n")
				}),
				"a key that cannot sign": header("Authorization", func(w *dialecttest.World) string {
					return payconex(w.Keys["publisher"].ID.String(), time.Now(), "n")
				}),
				"an old time": header("Authorization", func(w *dialecttest.World) string {
					return payconex(w.Keys["tenant"].ID.String(), time.Now().Add(-time.Hour), "n")
				}),
				"a long nonce": header("Authorization", func(w *dialecttest.World) string {
					return payconex(w.Keys["tenant"].ID.String(), time.Now(), strings.Repeat("n", 129))
				}),
				"no signature": header("Authorization", func(w *dialecttest.World) string {
					return fmt.Sprintf(`Hmac id="%s", nonce="n", timestamp="%d"`, w.Keys["tenant"].ID, time.Now().Unix())
				}),
				"a wrong password": func(r *http.Request, w *dialecttest.World) {
					r.SetBasicAuth(w.Keys["tenant"].ID.String(), w.Keys["other"].Secret)
				},
			}),
		},
	}
}

// No route of any front end reads the body before the caller is authenticated.
func TestCallersAreConfirmedBeforeBodiesAreRead(t *testing.T) {
	t.Parallel()
	for name, front := range fronts(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := dialecttest.New(t, front.config)
			routes := routesOf(t, w, name)
			if len(routes) < 4 {
				t.Fatalf("there are only the routes %q", routes)
			}
			for _, route := range routes {
				if strings.HasSuffix(route, "-sessions/exchange") {
					continue // the code in the body is all that authenticates it; it is small
				}
				for who, identify := range front.callers {
					method, path, _ := strings.Cut(route, " ")
					r := httptest.NewRequest(method, path, nil)
					r.Body, r.ContentLength = unreadBody{t, route + " by " + who}, 1000
					identify(r, w)
					answer := httptest.NewRecorder()
					w.Handler.ServeHTTP(answer, r)
					if answer.Code != http.StatusUnauthorized && answer.Code != http.StatusForbidden {
						t.Errorf("%s by %s: %d %s", route, who, answer.Code, answer.Body)
					}
				}
			}
		})
	}
}

var (
	dialectRoute  = regexp.MustCompile(`routes\.Handle\("([A-Z]+ [^"]+)"`)
	pathParameter = regexp.MustCompile(`\{[^}]+\}`)
)

// routesOf returns the routes of a front end: of the native API from its OpenAPI document, and of a dialect from its source.
func routesOf(t *testing.T, w *dialecttest.World, name string) (routes []string) {
	t.Helper()
	if name != "native" {
		source, err := os.ReadFile("../dialect/" + name + "/front.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range dialectRoute.FindAllSubmatch(source, -1) {
			routes = append(routes, pathParameter.ReplaceAllString(string(found[1]), "x"))
		}
		return routes
	}
	answer := httptest.NewRecorder()
	w.Handler.ServeHTTP(answer, httptest.NewRequest("GET", "/openapi.json", nil))
	var document struct{ Paths map[string]map[string]any }
	if err := json.Unmarshal(answer.Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	for path, operations := range document.Paths {
		for method := range operations {
			routes = append(routes, strings.ToUpper(method)+" "+pathParameter.ReplaceAllString(path, "x"))
		}
	}
	return routes
}

// authorizing returns the configuration of a front end with the credentials that it wants.
func authorizing(t *testing.T, name string) dialecttest.Config {
	t.Helper()
	config := fronts(t)[name].config
	switch name {
	case atelio.Name:
		config.Authorize = func(r *http.Request, _ []byte, k dialecttest.Key) {
			r.Header.Set("Identity", k.ID.String())
			r.Header.Set("Authorization", k.Secret)
		}
	case bluefin.Name:
		config.Authorize = func(r *http.Request, _ []byte, k dialecttest.Key) { r.SetBasicAuth(k.ID.String(), k.Secret) }
	}
	return config
}

// privacy are the headers that lemon.markets wants in every request.
var privacy = http.Header{"Lmg-Data-Privacy-Access-Principal": {"p"}, "Lmg-Data-Privacy-Access-Justification": {"j"}}

// limited returns a world whose tenant has a limit of its own.
func limited(t *testing.T, config dialecttest.Config, limit string, value float64) *dialecttest.World {
	t.Helper()
	w := dialecttest.New(t, config)
	_, err := w.Service.UpdateTenant(t.Context(), dialecttest.Admin, w.Tenant, service.TenantChange{Limits: map[string]*float64{limit: &value}})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// Every front end of a vendor refuses one webhook too many in its own words, which name no limit of the operator.
func TestTooManyWebhooksInEveryShape(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		path, body, want string
		status           int
	}{
		akkuro.Name: {"/payments/events/card.created/endpoints", `{"uri":"https://example.com"}`,
			`{"type":"about:blank","title":"Unprocessable Entity","status":422,"detail":"the limit for webhook endpoints is reached; delete one first","instance":"/payments/events/card.created/endpoints","traceId":"<any>"}`, 422},
		atelio.Name: {"/api/v0.1/webhooks", `{"url":"https://example.com","events":["*"]}`,
			`{"Message":"the account's limit for webhook subscriptions is reached; delete or shorten one first","Status":400,"Code":"webhooks_err","Type":"Request Error"}`, 400},
		azakaw.Name: {"/webhooks", `{"webhookBaseUrl":"https://example.com"}`,
			`{"version":null,"statusCode":409,"messages":["the limit for webhook configurations is reached; delete one first"],"result":null}`, 409},
		lemon.Name: {"/v1/webhooks", `{"url":"https://example.com","events":["card.created"]}`,
			`{"message":"the limit for webhooks is reached; delete one first"}`, 422},
		bluefin.Name: {"/api/v4/accounts/123456789012/webhooks", `{"url":"https://example.com","event":"ACCOUNT_UPDATER_BATCH_UPDATES"}`,
			`{"message":"Invalid Input","traceId":"<uuid>","errorType":"invalid_request","errorCode":40001,"value":"The request contained invalid data","source":"request","details":[{"message":"the limit for webhooks is reached; delete one first","source":"request","value":null}]}`, 422},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := limited(t, authorizing(t, name), "endpoints", 1)
			for _, eventType := range []string{"card.created", "ACCOUNT_UPDATER_BATCH_UPDATES"} {
				w.PutType(eventType, service.EventTypeInput{Group: "payments"})
			}
			if first := w.Call("tenant", "POST", c.path, privacy, c.body); first.Code >= 300 {
				t.Fatalf("%d %s", first.Code, first.Body)
			}
			step := dialecttest.Step{Name: "one too many", Do: "POST " + c.path, Body: c.body, Status: c.status, Want: c.want}
			for header, values := range privacy {
				step.Header = append(step.Header, header+": "+values[0])
			}
			dialecttest.Run(t, w, []dialecttest.Step{step})
		})
	}
}

// Every front end answers a caller that exceeds its rate in its own shape, and says when to try again.
func TestTooManyRequestsInEveryShape(t *testing.T) {
	t.Parallel()
	const sentence = `"too many requests; try again in [0-9]+ s"`
	for name, want := range map[string]struct{ path, body string }{
		"native":     {"/api/v1/tenants/acme/endpoints", `{"type":"/docs#error-rate_limited","title":"Too many requests","status":429,"code":"rate_limited","detail":"the limit \\"request_rate\\" allows .*}`},
		akkuro.Name:  {"/group/events/event-types", `{"type":"about:blank","title":"Too Many Requests","status":429,"detail":` + sentence + `,"instance":"/group/events/event-types","traceId":"[0-9a-f]+"}`},
		azakaw.Name:  {"/webhooks", `{"version":null,"statusCode":429,"messages":\[` + sentence + `\],"result":null}`},
		lemon.Name:   {"/v1/webhooks", `{"message":` + sentence + `}`},
		atelio.Name:  {"/api/v0.1/webhooks", `{"Message":` + sentence + `,"Status":429,"Code":"invalid_request","Type":"Request Error"}`},
		bluefin.Name: {"/api/v4/accounts/123456789012/webhooks", `{"message":"Too Many Requests","traceId":"[0-9a-f-]+","errorType":"invalid_request","errorCode":40001,"value":null,"source":null,"details":\[{"message":` + sentence + `,"source":"request","value":null}\]}`},
	} {
		t.Run(name, func(t *testing.T) {
			w := limited(t, authorizing(t, name), "request_rate", 0.001)
			w.Call("tenant", "GET", want.path, privacy, "")
			answer := w.Call("tenant", "GET", want.path, privacy, "")
			if answer.Code != http.StatusTooManyRequests || answer.Header().Get("Retry-After") == "" ||
				!regexp.MustCompile("^"+want.body+"$").MatchString(strings.TrimSpace(answer.Body.String())) {
				t.Errorf("%s: %d %v %s", name, answer.Code, answer.Header(), answer.Body)
			}
		})
	}
}
