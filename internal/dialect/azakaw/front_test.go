package azakaw_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/azakaw"
	"github.com/bellwire/bellwire/internal/dialecttest"
	"github.com/bellwire/bellwire/internal/httpx"
	"github.com/bellwire/bellwire/internal/service"
)

func newWorld(t testing.TB) *dialecttest.World {
	t.Helper()
	return dialecttest.New(t, dialecttest.Config{
		Dialect:   azakaw.Dialect{},
		Front:     func(svc *service.Service) http.Handler { return azakaw.Dialect{}.Front(svc, nil) },
		Catalogue: azakaw.Catalogue,
		OwnWords:  []string{"tenant"},
	})
}

type step = dialecttest.Step

// done, made and refused are the answers 200, 201 and those of errors.
func done(result string) string {
	return `{"version":null,"statusCode":200,"messages":["Processed successfully"],"result":` + result + `}`
}

func made(result string) string { return strings.Replace(done(result), "200", "201", 1) }

func refused(status, message string) string {
	return `{"version":null,"statusCode":` + status + `,"messages":["` + message + `"],"result":null}`
}

// plain is a configuration with its defaults.
const plain = `{"id":"{id}","tenantId":"acme","retryCount":3,"retryInterval":60,` +
	`"webhookBaseUrl":"https://example.com/api","webhookRelativePath":"/webhook/events","isActive":true,` +
	`"authType":"None","authSettings":null}`

const minimal = `{"webhookBaseUrl":"https://example.com/api","webhookRelativePath":"/webhook/events"}`

func TestConfigurations(t *testing.T) {
	t.Parallel()
	dialecttest.Run(t, newWorld(t), []step{
		{Name: "none yet", Do: "GET /webhooks", Status: 200, Want: done(`[]`)},
		{Name: "create", Do: "POST /webhooks", Body: minimal, Status: 201,
			Want: made(strings.Replace(plain, "{id}", "<id:uuid>", 1)), WantHeader: []string{"Content-Type: application/json", "Cache-Control: no-store"}},
		{Name: "get", Do: "GET /webhooks/{id}", Status: 200, Want: done(plain)},
		{Name: "with a token in it", Do: "POST /webhooks", Status: 201, Want: `<any>"id":"<token:any>"<any>`,
			Body: `{"webhookBaseUrl":"https://example.com","webhookRelativePath":"/in/xoGkL29dkf83JdkfQw0sdlf3?key=a"}`},
		{Name: "without the token", Key: "tenant-read", Do: "GET /webhooks/{token}", Status: 200,
			Want: `<any>"webhookBaseUrl":"https://example.com"<any>"webhookRelativePath":"/in/[redacted]?key=[redacted]"<any>`},
		{Name: "without it", Do: "DELETE /webhooks/{token}", Status: 200, Want: `<any>`},
		{Name: "get with less", Key: "tenant-read", Do: "GET /webhooks/{id}", Status: 200, Want: done(plain)},
		{Name: "all nine, in azakaw's own case", Do: "POST /webhooks", Status: 201,
			Body: `{"Id":"","TenantId":"acme","RetryCount":5,"RetryInterval":"00:01:30","WebhookBaseUrl":"https://example.com/",` +
				`"WebhookRelativePath":"in","IsActive":false,"AuthType":"ApiKey","AuthSettings":{"ApiKey":"your-api-key"}}`,
			Want: made(`{"id":"<second:uuid>","tenantId":"acme","retryCount":5,"retryInterval":90,"webhookBaseUrl":"https://example.com/",` +
				`"webhookRelativePath":"in","isActive":false,"authType":"ApiKey","authSettings":{"apiKey":"********","header":"X-API-Key"}}`)},
		{Name: "list, oldest first", Do: "GET /webhooks", Status: 200, Want: done(`[` + plain + `,<any>"id":"{second}"<any>]`), Key: "tenant-read"},
		{Name: "another URL alone", Do: "PUT /webhooks/{second}", Status: 200, Body: `{"webhookBaseUrl":"https://example.com/v2"}`,
			Want: done(`{"id":"{second}","tenantId":"acme","retryCount":5,"retryInterval":90,"webhookBaseUrl":"https://example.com/v2",` +
				`"webhookRelativePath":"in","isActive":false,"authType":"ApiKey","authSettings":{"apiKey":"********","header":"X-API-Key"}}`)},
		{Name: "another count, and another header with its key", Do: "PUT /webhooks/{second}", Status: 200,
			Body: `{"webhookBaseUrl":"https://example.com/v2","retryCount":4,"authSettings":{"apiKey":"new","header":"X-Own"}}`,
			Want: done(`{"id":"{second}","tenantId":"acme","retryCount":4,"retryInterval":90,"webhookBaseUrl":"https://example.com/v2",` +
				`"webhookRelativePath":"in","isActive":false,"authType":"ApiKey","authSettings":{"apiKey":"********","header":"X-Own"}}`)},
		{Name: "the key of another header is not kept", Do: "PUT /webhooks/{second}", Status: 400,
			Body: `{"webhookBaseUrl":"https://example.com/v2","authSettings":{"header":"X-Other"}}`, Want: refused("400", "authSettings.apiKey is required")},
		{Name: "another interval and key", Do: "PUT /webhooks/{second}", Status: 200,
			Body: `{"webhookBaseUrl":"https://example.com/v2","retryInterval":7,"authType":"ApiKey","authSettings":{"apiKey":"newer"}}`,
			Want: done(`{"id":"{second}","tenantId":"acme","retryCount":4,"retryInterval":7,"webhookBaseUrl":"https://example.com/v2",` +
				`"webhookRelativePath":"in","isActive":false,"authType":"ApiKey","authSettings":{"apiKey":"********","header":"X-Own"}}`)},
		{Name: "the samples of the seed", Do: "PUT /webhooks/{second}", Status: 200,
			Body: `{"webhookRelativePath":"","retryCount":3,"retryInterval":60,"isActive":true,"webhookBaseUrl":"https://example.com/","authType":"Basic","authSettings":{"username":"your-username","password":"your-password"}}`,
			Want: done(`{"id":"{second}","tenantId":"acme","retryCount":3,"retryInterval":60,"webhookBaseUrl":"https://example.com/",` +
				`"webhookRelativePath":"","isActive":true,"authType":"Basic","authSettings":{"username":"your-username","password":"********"}}`)},
		{Name: "what was read can be written", Do: "PUT /webhooks/{second}", Status: 200,
			Body: `{"id":"{second}","tenantId":"acme","retryCount":0,"retryInterval":60,"webhookBaseUrl":"https://example.com/",` +
				`"webhookRelativePath":"","isActive":true,"authType":"basic","authSettings":{"username":"your-username","password":"********"}}`,
			Want: done(`{"id":"{second}","tenantId":"acme","retryCount":0,"retryInterval":60,"webhookBaseUrl":"https://example.com/",` +
				`"webhookRelativePath":"","isActive":true,"authType":"Basic","authSettings":{"username":"your-username","password":"********"}}`)},
		{Name: "a mask is no password of another user", Do: "PUT /webhooks/{second}", Status: 400,
			Body: `{"webhookBaseUrl":"https://example.com/","authType":"Basic","authSettings":{"username":"other","password":"********"}}`,
			Want: refused("400", "authSettings.password is required")},
		{Name: "another password", Do: "PUT /webhooks/{second}", Status: 200,
			Body: `{"webhookBaseUrl":"https://example.com/","authSettings":{"password":"new"}}`,
			Want: done(`<any>"authType":"Basic","authSettings":{"username":"your-username","password":"********"}}`)},
		{Name: "no credentials any more", Do: "PUT /webhooks/{second}", Status: 200,
			Body: `{"webhookBaseUrl":"https://example.com/","authType":"None"}`, Want: done(`<any>"isActive":true,"authType":"None","authSettings":null}`)},
		{Name: "delete", Do: "DELETE /webhooks/{id}", Status: 200, Want: done(`null`)},
		{Name: "it is gone", Do: "GET /webhooks/{id}", Status: 404, Want: refused("404", `webhook configuration \"{id}\" does not exist`)},
		{Name: "and stays so", Do: "DELETE /webhooks/{id}", Status: 404, Want: refused("404", `webhook configuration \"{id}\" does not exist`)},
		{Name: "nor can it be replaced", Do: "PUT /webhooks/{id}", Body: minimal, Status: 404, Want: refused("404", `webhook configuration \"{id}\" does not exist`)},
	})
}

// Each part is normalized, so that both join to the normalized URL.
func TestPartsAreNormalized(t *testing.T) {
	t.Parallel()
	dialecttest.Run(t, newWorld(t), []step{{
		Name: "create", Do: "POST /webhooks", Status: 201, Want: made(strings.Replace(plain, "{id}", "<id:uuid>", 1)),
		Body: `{"webhookBaseUrl":" https://EXAMPLE.com/api","webhookRelativePath":"/webhook/events\n"}`,
	}})
}

// The operator can require longer intervals. The error names azakaw's field.
func TestRetriesAreNotFasterThanAllowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	change := service.TenantChange{Limits: map[string]*float64{"min_retry_delay": new(300.0)}}
	if _, err := w.Service.UpdateTenant(t.Context(), dialecttest.Admin, w.Tenant, change); err != nil {
		t.Fatal(err)
	}
	dialecttest.Run(t, w, []step{
		{Name: "too fast", Do: "POST /webhooks", Body: `{"webhookBaseUrl":"https://example.com","retryInterval":299}`, Status: 400,
			Want: refused("400", `retryInterval must be at least 5m`)},
		{Name: "the default is the vendor's", Do: "POST /webhooks", Body: minimal, Status: 201, Want: made(strings.Replace(plain, "{id}", "<id:uuid>", 1))},
		{Name: "as slow as it must be", Do: "POST /webhooks", Body: `{"webhookBaseUrl":"https://example.com","retryInterval":300}`, Status: 201, Want: "<any>"},
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dialecttest.Run(t, w, []step{{Name: "create", Do: "POST /webhooks", Body: minimal, Status: 201,
		Want: made(strings.Replace(plain, "{id}", "<id:uuid>", 1))}})
	for _, c := range []struct{ name, body, message string }{
		{"nothing", ``, `the body is empty; it must be JSON`},
		{"broken", `{`, `the body is not JSON: unexpected end in line 1, column 2`},
		{"no object", `[]`, `the body must be an object`},
		{"no URL", `{}`, `webhookBaseUrl is required`},
		{"null", `{"webhookBaseUrl":null}`, `webhookBaseUrl must not be null`},
		{"a number", `{"webhookBaseUrl":7}`, `webhookBaseUrl must be a string`},
		{"no scheme", `{"webhookBaseUrl":"example.com"}`, `webhookBaseUrl must be an absolute http or https URL, such as https://example.com/hooks`},
		{"private", `{"webhookBaseUrl":"https://10.1/","webhookRelativePath":"/x"}`, `webhookBaseUrl must lead to a public address; 10.1 is private, reserved or not allowed on this server`},
		{"query in front of a path", `{"webhookBaseUrl":"https://example.com/a?b=c","webhookRelativePath":"/d"}`,
			`webhookBaseUrl must not have a query if there is a webhookRelativePath; put the query there`},
		{"unknown", `{"webhookBaseUrl":"https://example.com","url":""}`, `url is not a known field`},
		{"twice", `{"webhookBaseUrl":"https://example.com","webhookBaseUrl":""}`, `webhookBaseUrl is given twice`},
		{"retries", `{"webhookBaseUrl":"https://example.com","retryCount":101}`, `retryCount must be between 0 and 100`},
		{"retries as text", `{"webhookBaseUrl":"https://example.com","retryCount":"3"}`, `retryCount must be a whole number`},
		{"negative", `{"webhookBaseUrl":"https://example.com","retryCount":-1}`, `retryCount must be between 0 and 100`},
		{"no interval", `{"webhookBaseUrl":"https://example.com","retryInterval":0}`, `retryInterval must be at least 1 second if there are retries`},
		{"a fraction of a second", `{"webhookBaseUrl":"https://example.com","retryInterval":1.5}`,
			`retryInterval must be a whole number of seconds between 0 and 2,592,000, or text in the form hh:mm:ss`},
		{"odd interval", `{"webhookBaseUrl":"https://example.com","retryInterval":"1m"}`,
			`retryInterval must be a whole number of seconds between 0 and 2,592,000, or text in the form hh:mm:ss`},
		{"auth", `{"webhookBaseUrl":"https://example.com","authType":"OAuth"}`, `authType must be None, ApiKey or Basic`},
		{"no key", `{"webhookBaseUrl":"https://example.com","authType":"ApiKey"}`, `authSettings.apiKey is required`},
		{"empty key", `{"webhookBaseUrl":"https://example.com","authType":"ApiKey","authSettings":{"apiKey":""}}`, `authSettings.apiKey must not be empty`},
		{"own header", `{"webhookBaseUrl":"https://example.com","authType":"ApiKey","authSettings":{"apiKey":"k","header":"Host"}}`,
			`authSettings.header must not name the header \"Host\", which is a part of every request`},
		{"no user", `{"webhookBaseUrl":"https://example.com","authType":"Basic","authSettings":{"password":"p"}}`, `authSettings.username is required`},
		{"mixed", `{"webhookBaseUrl":"https://example.com","authType":"Basic","authSettings":{"username":"u","password":"p","apiKey":"k"}}`,
			`authSettings.apiKey must not be given if authType is Basic`},
		{"settings without type", `{"webhookBaseUrl":"https://example.com","authSettings":{"apiKey":"k"}}`, `authSettings.apiKey must not be given if authType is None`},
		{"another's tenant", `{"webhookBaseUrl":"https://example.com","tenantId":"other"}`, `tenantId must be your own tenant id`},
		{"settings of an unknown type", `{"webhookBaseUrl":"https://example.com","authType":7,"authSettings":{"apiKey":"k"}}`, `authType must be a string`},
		{"faults of form and of meaning", `{"WebhookBaseUrl":7,"retryCount":-1,"authType":true}`,
			`WebhookBaseUrl must be a string","authType must be a string","retryCount must be between 0 and 100`},
		{"several faults", `{"webhookBaseUrl":"x","id":"y","tenantId":"z","retryCount":-1,"authType":"OAuth"}`,
			`id is assigned by the server and cannot be changed","tenantId must be your own tenant id","` +
				`webhookBaseUrl must be an absolute http or https URL, such as https://example.com/hooks","` +
				`retryCount must be between 0 and 100","authType must be None, ApiKey or Basic`},
		{"own id", `{"webhookBaseUrl":"https://example.com","id":"x"}`, `id is assigned by the server and cannot be changed`},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, do := range []string{"POST /webhooks", "PUT /webhooks/{id}"} {
				dialecttest.Run(t, w, []step{{Name: c.name, Do: do, Body: c.body, Status: 400, Want: refused("400", c.message)}})
			}
		})
	}
	large := strings.Repeat(" ", httpx.MaxSmallBody) + minimal
	dialecttest.Run(t, w, []step{
		{Name: "too large", Do: "POST /webhooks", Body: large, Status: 413, Want: refused("413", "the body must have at most 65,536 bytes")},
		{Name: "nothing has changed", Do: "GET /webhooks", Status: 200, Want: done(`[` + plain + `]`)},
		{Name: "another path", Do: "GET /webhooks/a/b", Status: 404, Want: refused("404", "path /webhooks/a/b does not exist")},
		{Name: "another method", Do: "PATCH /webhooks/{id}", Status: 405, Want: refused("405", "method PATCH is not allowed for this path; use DELETE, GET, HEAD, PUT"),
			WantHeader: []string{"Allow: DELETE, GET, HEAD, PUT"}},
	})
}

func TestCallers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dialecttest.Run(t, w, []step{{Name: "create", Do: "POST /webhooks", Body: minimal, Status: 201,
		Want: made(strings.Replace(plain, "{id}", "<id:uuid>", 1))}})
	for _, route := range []struct {
		do    string
		reads bool
	}{
		{"GET /webhooks", true}, {"POST /webhooks", false}, {"GET /webhooks/{id}", true},
		{"PUT /webhooks/{id}", false}, {"DELETE /webhooks/{id}", false},
	} {
		t.Run(route.do, func(t *testing.T) {
			// The body is broken: it is checked after the permission.
			steps := []step{
				{Name: "no key", Key: "none", Do: route.do, Body: "{", Status: 401, WantHeader: []string{`WWW-Authenticate: Bearer realm="azakaw"`},
					Want: refused("401", "the Authorization header must be given once, as Bearer <any>")},
				{Name: "wrong key", Key: "wrong", Do: route.do, Body: "{", Status: 401,
					Want: refused("401", "the token is not valid")},
				{Name: "expired key", Key: "expired", Do: route.do, Body: "{", Status: 401, Want: refused("401", "the token has expired")},
				{Name: "operator", Key: "admin", Do: route.do, Body: "{", Status: 403, Want: refused("403", "the token does not permit this operation")},
				{Name: "publisher", Key: "publisher", Do: route.do, Body: "{", Status: 403, Want: refused("403", "the token does not permit this operation")},
			}
			if !route.reads {
				steps = append(steps, step{Name: "reader", Key: "tenant-read", Do: route.do, Body: "{", Status: 403, Want: refused("403", "the token does not permit this operation")})
			}
			if strings.Contains(route.do, "{id}") {
				steps = append(steps, step{Name: "other", Key: "other", Do: route.do, Body: minimal, Status: 404,
					Want: refused("404", `webhook configuration \"{id}\" does not exist`)})
			}
			dialecttest.Run(t, w, steps)
		})
	}
	dialecttest.Run(t, w, []step{
		{Name: "a stranger's list", Key: "other", Do: "GET /webhooks", Status: 200, Want: done(`[]`)},
		{Name: "nothing has changed", Do: "GET /webhooks", Status: 200, Want: done(`[` + plain + `]`)},
	})
}

// Changes through the native API are shown as far as azakaw's API can, and stay when a client sends them back.
func TestNativeChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dialecttest.Run(t, w, []step{{Name: "create", Do: "POST /webhooks", Body: minimal, Status: 201,
		Want: made(strings.Replace(plain, "{id}", "<id:uuid>", 1))}})
	id := w.Vars["id"]
	schedule := bellwire.RetryPolicy{Schedule: []bellwire.Duration{5.005e9, 60e9}}
	if _, err := w.Native(id, service.EndpointInput{
		URL: new("https://other.example/x?y=/z"), Retry: &schedule, Events: &[]string{"Risk*"}, Status: new(bellwire.EndpointPaused),
	}); err != nil {
		t.Fatal(err)
	}
	shown := `{"id":"{id}","tenantId":"acme","retryCount":2,"retryInterval":5.005,"webhookBaseUrl":"https://other.example",` +
		`"webhookRelativePath":"/x?y=/z","isActive":false,"authType":"None","authSettings":null}`
	dialecttest.Run(t, w, []step{
		{Name: "shown", Do: "GET /webhooks/{id}", Status: 200, Want: done(shown)},
		{Name: "sent back", Do: "PUT /webhooks/{id}", Body: shown, Status: 200, Want: done(shown)},
	})
	ep, err := w.Service.Endpoint(t.Context(), dialecttest.Admin, w.Tenant, id)
	if err != nil {
		t.Fatal(err)
	}
	if len(ep.Retry.Schedule) != 2 || ep.Events[0] != "Risk*" || ep.Status != bellwire.EndpointPaused {
		t.Errorf("a configuration that was sent back has lost %+v", ep.Endpoint)
	}
	for field, in := range map[string]service.EndpointInput{
		"signing":   {Signing: new(bellwire.SigningBoth)},
		"auth.type": {Auth: &bellwire.Auth{Type: bellwire.AuthBearer, Token: "t"}},
		"secret":    {Secret: new("s")},
	} {
		if _, err := w.Native(id, in); bellwire.CodeOf(err) != bellwire.CodeInvalid || !strings.HasPrefix(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// An endpoint that moves to another dialect gets a secret and the default policy of that dialect.
func TestMoves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made, secret, err := w.Service.CreateEndpoint(t.Context(), dialecttest.Admin, w.Tenant, service.EndpointInput{
		URL: new("https://example.com/hooks"), Events: &[]string{"*"},
	})
	if err != nil || secret.Secret == "" {
		t.Fatal(secret, err)
	}
	w.Vars["id"] = made.ID
	dialecttest.Run(t, w, []step{{Name: "of another dialect", Do: "GET /webhooks/{id}", Status: 404, Want: refused("404", `webhook configuration \"{id}\" does not exist`)}})
	moved, err := w.Native(made.ID, service.EndpointInput{Dialect: new(azakaw.Name)})
	if err != nil || moved.Retry.Count != 3 {
		t.Fatal(moved, err)
	}
	dialecttest.Run(t, w, []step{{Name: "moved", Do: "GET /webhooks/{id}", Status: 200,
		Want: done(strings.NewReplacer("https://example.com/api", "https://example.com", "/webhook/events", "/hooks").Replace(plain))}})
	back, err := w.Native(made.ID, service.EndpointInput{Dialect: new("standard")})
	if err != nil || len(back.Extra) > 0 || len(back.Retry.Schedule) == 0 {
		t.Fatal(back, err)
	}
	now, err := w.Service.EndpointSecret(t.Context(), dialecttest.Admin, w.Tenant, made.ID)
	if err != nil || now.Secret == "" || now.Secret == secret.Secret {
		t.Errorf("the secret after the way back is not a new one (%v)", err)
	}
}

// Every error is in the words of a customer.
func TestErrorsUseTheVendorsWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dialecttest.Run(t, w, []step{{Name: "create", Do: "POST /webhooks", Body: minimal, Status: 201, Want: made(strings.Replace(plain, "{id}", "<id:uuid>", 1))}})
	const url = `"webhookBaseUrl":"https://example.com"`
	var bodies []string
	for _, rest := range []string{
		`"retryCount":-1`, `"retryCount":101`, `"retryCount":1.5`, `"retryInterval":0`, `"retryInterval":-1`, `"retryInterval":1e9`, `"retryInterval":"x"`,
		`"authType":"bearer"`, `"authType":"ApiKey"`, `"authType":"ApiKey","authSettings":{"apiKey":""}`, `"authType":"ApiKey","authSettings":{"apiKey":"a","header":""}`,
		`"authType":"ApiKey","authSettings":{"apiKey":"a","header":"Host"}`, `"authType":"ApiKey","authSettings":{"apiKey":"a","header":"webhook-id"}`,
		`"authType":"ApiKey","authSettings":{"apiKey":"a","header":"a b"}`, `"authType":"ApiKey","authSettings":{"apiKey":"a\n"}`,
		`"authType":"ApiKey","authSettings":{"apiKey":" a"}`, `"authType":"ApiKey","authSettings":{"apiKey":"[redacted]"}`,
		`"authType":"ApiKey","authSettings":{"apiKey":"` + strings.Repeat("x", 5000) + `"}`, `"authType":"ApiKey","authSettings":{"apiKey":"a","username":"u"}`,
		`"authType":"Basic","authSettings":{"username":"","password":"p"}`, `"authType":"Basic","authSettings":{"username":"a:b","password":"p"}`,
		`"authType":"Basic","authSettings":{"username":"u"}`, `"authSettings":{"apiKey":"x"}`, `"id":"x"`, `"tenantId":"x"`, `"isActive":1`, `"webhookRelativePath":"` + strings.Repeat("x", 3000) + `"`,
	} {
		bodies = append(bodies, `{`+url+`,`+rest+`}`)
	}
	bodies = append(bodies, `{"webhookBaseUrl":"{bad}"}`, `{"webhookBaseUrl":"https://example.com/?a","webhookRelativePath":"b"}`)
	dialecttest.Abuse(t, w, nil, []string{
		"POST /webhooks", "PUT /webhooks/{id}", "PUT /webhooks/x", "DELETE /webhooks/x", "GET /webhooks/x", "PATCH /webhooks/{id}", "GET /webhooks/a/b",
	}, bodies...)
}
