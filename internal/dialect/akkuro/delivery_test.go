package akkuro_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/akkuro"
	"github.com/bellwire/bellwire/internal/dialect/standard"
	"github.com/bellwire/bellwire/internal/dialecttest"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/receive"
)

const sampleToken = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

// sample returns an endpoint after Normalize.
func sample(t testing.TB) (*bellwire.Endpoint, *bellwire.Credentials) {
	t.Helper()
	ep := &bellwire.Endpoint{ID: "65e1a3c0fc423348d145db01", Signing: bellwire.SigningHMAC, Events: []string{"counterparty.merged"}}
	c := &bellwire.Credentials{Secrets: []bellwire.Secret{{Value: sampleToken}}}
	if err := dialect.Normalize(ep, c, func(string) string { return "counterparty-management" }); err != nil {
		t.Fatal(err)
	}
	return ep, c
}

func message(t testing.TB, data string) *bellwire.Message {
	t.Helper()
	return &bellwire.Message{Event: &bellwire.Event{
		ID: bellwire.EventID(uuid.MustParse("0198f2b4-c1d2-7a3b-8c4d-5e6f70819203")), Type: "counterparty.merged", Data: []byte(data),
		CreatedAt: time.Date(2024, 3, 1, 12, 0, 0, 123999999, time.FixedZone("", 2*60*60)),
	}}
}

func TestMessage(t *testing.T) {
	t.Parallel()
	ep, c := sample(t)
	got, header := dialecttest.Render(t, dialect, ep, c, message(t, `{"id": "4f7c1f5e-0000-4000-8000-000000000001"}`))
	want := `{"meta":{"id":"0198f2b4-c1d2-7a3b-8c4d-5e6f70819203","eventName":"counterparty.merged",` +
		`"eventEndpointUri":"https://api.eu.example.test/counterparty-management/events/counterparty.merged/endpoints/65e1a3c0fc423348d145db01",` +
		`"occurredOn":"2024-03-01T10:00:00.123Z"},"data":{"id": "4f7c1f5e-0000-4000-8000-000000000001"}}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(http.Header{"Content-Type": {"application/json"}, "X-Event-Token": {sampleToken}}, header); diff != "" {
		t.Error(diff)
	}
}

func TestOccurredOn(t *testing.T) {
	t.Parallel()
	ep, c := sample(t)
	renderer, err := dialect.Bind(ep, c)
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[time.Time]string{
		time.Date(2024, 3, 1, 10, 0, 0, 0, time.UTC):         "2024-03-01T10:00:00.000Z",
		time.Date(2024, 3, 1, 10, 0, 0, 120e6, time.UTC):     "2024-03-01T10:00:00.120Z",
		time.Date(1969, 12, 31, 23, 59, 59, 1, time.UTC):     "1969-12-31T23:59:59.000Z",
		time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC): "9999-12-31T23:59:59.999Z",
	} {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			m := message(t, "1")
			m.Event.OccurredAt = at
			if got, err := renderer.AppendBody(nil, m); err != nil || !strings.Contains(string(got), `"occurredOn":"`+want+`"}`) {
				t.Errorf("%s: %s, %v", at, got, err)
			}
		})
	}
	m := message(t, "1")
	m.Event.OccurredAt = time.Date(9999, 12, 31, 23, 30, 0, 0, time.FixedZone("", -60*60))
	if _, err := renderer.AppendBody(nil, m); bellwire.CodeOf(err) != bellwire.CodeInvalid {
		t.Errorf("the year 10000: %v", err)
	}
}

// The data is delivered byte for byte. All attempts have the same body, although the store rounds the time.
func TestAnyDataSurvives(t *testing.T) {
	t.Parallel()
	ep, c := sample(t)
	renderer, err := dialect.Bind(ep, c)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := receive.Akkuro(sampleToken)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		text, _ := json.Marshal(rapid.String().Draw(rt, "text")) // text always has a form
		data := rapid.SampledFrom([]string{
			`1E400`, `1.0`, `null`, `"\u00e9\/"`, string(text), `[` + string(text) + ` ,1]`, `{"meta" : {} ,` + "\n" + ` "a":` + string(text) + `}`,
		}).Draw(rt, "data")
		m := message(t, data)
		m.Event.CreatedAt = time.Unix(rapid.Int64Range(0, 1<<32).Draw(rt, "second"), rapid.Int64Range(0, 999_999_999).Draw(rt, "nanosecond"))
		prefix := []byte("before")
		got, err := renderer.AppendBody(bytes.Clone(prefix), m)
		if err != nil || !bytes.HasPrefix(got, prefix) {
			rt.Fatal(string(got), err)
		}
		got = got[len(prefix):]
		m.Event.CreatedAt = m.Event.CreatedAt.Truncate(time.Microsecond)
		if again, err := renderer.AppendBody(nil, m); err != nil || !bytes.Equal(again, got) {
			rt.Fatalf("a second attempt sends %s, %v", again, err)
		}
		d, err := verifier.Verify(http.Header{"X-Event-Token": {sampleToken}}, got)
		if err != nil || string(d.Data) != data || d.Type != m.Event.Type || !d.Timestamp.Equal(m.Event.CreatedAt.Truncate(time.Millisecond)) {
			rt.Fatalf("%s with %s became %+v, %v", data, got, d, err)
		}
	})
}

// An endpoint of the vendor's API gets the published event with its token, and a retry has the same body.
func TestDelivery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receiver := dialecttest.NewReceiver(t)
	w.Vars["url"] = receiver.URL
	dialecttest.Run(t, w, []step{{
		Name: "register", Do: "POST " + endpoints, Body: `{"uri":"{url}/hooks?event=counterparty.merged&x=%20"}`, Status: 201,
		Want: `{"id":"<id:hex24>","eventName":"counterparty.merged","createdOn":"<instant>","token":"<token:base64>","uri":"{url}/hooks?event=counterparty.merged&x=%20"}`,
	}})
	if _, err := w.Native(w.Vars["id"], service.EndpointInput{Retry: &bellwire.RetryPolicy{Schedule: []bellwire.Duration{bellwire.Duration(time.Millisecond)}}}); err != nil {
		t.Fatal(err)
	}
	receiver.Answer(410, 202)
	event := w.Publish("counterparty.merged", `{"id": 1.0}`)
	w.Publish("counterparty_master.consolidated", `{"id":2}`) // that nobody has registered for
	first, second := receiver.Next(), receiver.Next()
	want := `{"meta":{"id":"` + uuid.UUID(event).String() + `","eventName":"counterparty.merged","eventEndpointUri":"` + publicURL +
		w.Fill(endpoints+"/{id}") + `","occurredOn":"` + occurred(t, w, event) + `"},"data":{"id": 1.0}}`
	for _, a := range []*dialecttest.Arrival{first, second} {
		if diff := cmp.Diff(want, string(a.Body)); diff != "" {
			t.Error(diff)
		}
		if a.Method != "POST" || a.Target != "/hooks?event=counterparty.merged&x=%20" {
			t.Errorf("%s %s", a.Method, a.Target)
		}
		if got := a.Header["X-Event-Token"]; len(got) != 1 || got[0] != w.Vars["token"] {
			t.Errorf("the token is %q, want %q", got, w.Vars["token"])
		}
		if got := a.Header["Content-Type"]; len(got) != 1 || got[0] != "application/json" {
			t.Errorf("the content type is %q", got)
		}
	}
	verifier, err := receive.Akkuro(w.Vars["token"])
	if err != nil {
		t.Fatal(err)
	}
	d, err := verifier.Verify(second.Header, second.Body)
	if err != nil || d.ID != uuid.UUID(event).String() || string(d.Data) != `{"id": 1.0}` {
		t.Errorf("%+v, %v", d, err)
	}
	ended := w.Deliveries(event)[w.Vars["id"]]
	if ended == nil || ended.Status != bellwire.DeliverySucceeded || len(ended.Attempts) != 2 {
		t.Fatalf("%+v", ended)
	}
	for _, attempt := range ended.Attempts {
		redacted := false
		for _, h := range attempt.Request.Headers {
			if strings.Contains(h.Value, w.Vars["token"]) {
				t.Errorf("the attempt shows the token in %s", h.Name)
			}
			redacted = redacted || strings.EqualFold(h.Name, "X-Event-Token") && h.Value == bellwire.Redacted
		}
		if !redacted {
			t.Errorf("the attempt does not show that there is a token: %v", attempt.Request.Headers)
		}
	}
	receiver.None()
}

// occurred returns an event's time in the form of bodies.
func occurred(t *testing.T, w *dialecttest.World, id bellwire.EventID) string {
	t.Helper()
	event, err := w.Service.Event(t.Context(), dialecttest.Admin, w.Tenant, id)
	if err != nil {
		t.Fatal(err)
	}
	return event.CreatedAt.UTC().Truncate(time.Millisecond).Format("2006-01-02T15:04:05.000Z")
}

// Endpoints that come from the native API keep their ids.
func TestDeliveryAfterMoves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receiver := dialecttest.NewReceiver(t)
	ep, _, err := w.Service.CreateEndpoint(t.Context(), dialecttest.Admin, w.Tenant, service.EndpointInput{
		URL: &receiver.URL, Events: &[]string{"process.status-changed"},
	})
	if err != nil {
		t.Fatal(err)
	}
	native, _, err := w.Service.CreateEndpoint(t.Context(), dialecttest.Admin, w.Tenant, service.EndpointInput{
		URL: new(receiver.URL + "/native"), Events: &[]string{"process.status-changed"}, Dialect: new(akkuro.Name), Secret: new(sampleToken),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Native(ep.ID, service.EndpointInput{Dialect: new(akkuro.Name)}); err != nil {
		t.Fatal(err)
	}
	w.Publish("process.status-changed", `[true]`)
	for range 2 {
		a := receiver.Next()
		id := ep.ID
		if a.Target == "/native" {
			id = native.ID
		}
		w.Vars["id"] = id
		dialecttest.Run(t, w, []step{{
			Name: "token", Do: "GET /process-orchestration/events/process.status-changed/token/{id}", Status: 200, Want: `{"token":"<token:base64>"}`,
		}})
		if got := a.Header.Get("X-Event-Token"); got != w.Vars["token"] {
			t.Errorf("%s: the token is %s", a.Target, got)
		}
		if uri := publicURL + "/process-orchestration/events/process.status-changed/endpoints/" + id; !strings.Contains(string(a.Body), `"`+uri+`"`) ||
			!strings.HasSuffix(string(a.Body), `"data":[true]}`) {
			t.Errorf("%s: %s", a.Target, a.Body)
		}
	}
	if _, err := w.Native(ep.ID, service.EndpointInput{Dialect: new(standard.Name)}); err != nil {
		t.Fatal(err)
	}
	w.Publish("process.status-changed", `[false]`)
	for range 2 {
		if a := receiver.Next(); (a.Target == "/native") == (a.Header.Get("X-Event-Token") == "") || (a.Target == "/native") == (a.Header.Get("Webhook-Id") != "") {
			t.Errorf("%s: %v", a.Target, a.Header)
		}
	}
}

// After a rotation only the new token is sent: the header has room for one.
func TestRotation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receiver := dialecttest.NewReceiver(t)
	w.Vars["url"] = receiver.URL
	dialecttest.Run(t, w, []step{{
		Name: "register", Do: "POST " + endpoints, Body: `{"uri":"{url}"}`, Status: 201,
		Want: strings.Replace(fresh(shown), uri, "{url}", 1),
	}})
	rotated, err := w.Service.RotateSecret(t.Context(), dialecttest.Admin, w.Tenant, w.Vars["id"], nil)
	if err != nil || rotated.Secret == w.Vars["token"] || dialect.CheckSecret(rotated.Secret) != nil {
		t.Fatalf("the new secret is no token: %v", err)
	}
	w.Vars["token"] = rotated.Secret
	dialecttest.Run(t, w, []step{{Name: "token", Do: "GET " + merged + "/token/{id}", Status: 200, Want: `{"token":"{token}"}`}})
	w.Publish("counterparty.merged", `1`)
	if got := receiver.Next().Header["X-Event-Token"]; len(got) != 1 || got[0] != rotated.Secret {
		t.Error("the token sent is not the new one")
	}
}

const exampleBody = `{"meta":{"id":"018cc251-f400-7000-8000-000000000001","eventName":"counterparty.merged",` +
	`"eventEndpointUri":"https://api.eu.example.test/counterparty-management/events/counterparty.merged/endpoints/659200800000000000000001",` +
	`"occurredOn":"2024-01-01T00:00:00.000Z"},"data":{"id":"4f7c1f5e-0000-4000-8000-000000000001"}}`

// The example equals a delivery, except for ids and time.
func TestExample(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receiver := dialecttest.NewReceiver(t)
	w.PutType("bare", service.EventTypeInput{Group: "counterparty-management"})
	w.PutType("spaced", service.EventTypeInput{Group: "counterparty-management", Example: []byte(`{ "b": 1E2, "a": "\u00e9" }`)})
	dialecttest.Run(t, w, []step{
		{Name: "example", Key: "tenant-read", Do: "GET " + merged + "/example", Status: 200, Want: exampleBody, WantHeader: []string{"Content-Type: application/json"}},
		{Name: "without one", Do: "GET " + events + "/bare/example", Status: 200, Want: `{"meta":{<any>},"data":null}`},
		{Name: "as it was written", Do: "GET " + events + "/spaced/example", Status: 200, Want: `{"meta":{<any>},"data":{ "b": 1E2, "a": "\u00e9" }}`},
	})
	w.Vars["url"] = receiver.URL
	dialecttest.Run(t, w, []step{{Name: "register", Do: "POST " + endpoints, Body: `{"uri":"{url}"}`, Status: 201, Want: `{"id":"<id:hex24>",<any>`}})
	event := w.Publish("counterparty.merged", `{"id":"4f7c1f5e-0000-4000-8000-000000000001"}`)
	want := strings.NewReplacer(
		"018cc251-f400-7000-8000-000000000001", uuid.UUID(event).String(), "659200800000000000000001", w.Vars["id"],
		"2024-01-01T00:00:00.000Z", occurred(t, w, event),
	).Replace(exampleBody)
	if diff := cmp.Diff(want, string(receiver.Next().Body)); diff != "" {
		t.Error(diff)
	}
}

func TestIDsAndTokens(t *testing.T) {
	t.Parallel()
	now := time.Date(2025, 8, 4, 7, 35, 3, 482836300, time.UTC)
	ids, tokens := map[string]bool{}, map[string]bool{}
	for range 1000 {
		id := dialect.NewEndpointID(now)
		secret, err := dialect.NewSecret(bellwire.SigningHMAC)
		if err != nil || dialect.CheckSecret(secret.Value) != nil || len(secret.Value) != 44 {
			t.Fatalf("a new secret is no token: %v", err)
		}
		if second, err := strconv.ParseInt(id[:8], 16, 64); err != nil || second != now.Unix() || len(id) != 24 || id != strings.ToLower(id) {
			t.Fatalf("the id is %s", id)
		}
		ids[id], tokens[secret.Value] = true, true
	}
	if len(ids) != 1000 || len(tokens) != 1000 {
		t.Error("ids or tokens repeat")
	}
	for _, good := range []string{
		"aSTYanRlQ9HiCub5TNPVSZ5frY2htZnRShroZp5wJfM=", "uUhvrPup1En9s1aLkgxtSB/kDDjWmba4TB+g/5w6LQc=", sampleToken,
	} {
		if err := dialect.CheckSecret(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "string", sampleToken[:43], sampleToken + "=", strings.Replace(sampleToken, "8=", "9=", 1), sampleToken[:10] + "\n" + sampleToken[10:],
		base64.StdEncoding.EncodeToString(make([]byte, 31)), base64.StdEncoding.EncodeToString(make([]byte, 33)), strings.Repeat("_", 43) + "=",
	} {
		t.Run(bad, func(t *testing.T) {
			if err := dialect.CheckSecret(bad); bellwire.CodeOf(err) != bellwire.CodeInvalid || bad != "" && strings.Contains(err.Error(), bad) {
				t.Errorf("%q: %v", bad, err)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff(bellwire.Defaults{Retry: bellwire.StandardRetryPolicy(), Timeout: 10 * time.Second}, dialect.Defaults()); diff != "" {
		t.Error(diff)
	}
	ep, c := sample(t)
	renderer, err := dialect.Bind(ep, c)
	if err != nil {
		t.Fatal(err)
	}
	for status, want := range map[int]bellwire.Verdict{
		200: bellwire.Acknowledged, 202: bellwire.Acknowledged, 299: bellwire.Acknowledged,
		199: bellwire.Failed, 301: bellwire.Failed, 401: bellwire.Failed, 410: bellwire.Failed, 500: bellwire.Failed,
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			if got := renderer.Classify(status); got != want {
				t.Errorf("%d: %v", status, got)
			}
		})
	}
	if !renderer.HonorsRetryAfter() || dialect.Name() != "akkuro" {
		t.Error("Retry-After is not heeded, or the name is another")
	}
	if _, err := dialect.Bind(ep, &bellwire.Credentials{}); bellwire.CodeOf(err) != bellwire.CodeInvalid {
		t.Errorf("an endpoint without token is bound: %v", err)
	}
	if headers := dialect.Headers(&bellwire.Credentials{}); len(headers) > 0 {
		t.Errorf("no token is sent as %v", headers)
	}
}

func BenchmarkRender(b *testing.B) {
	ep, c := sample(b)
	secret, err := standard.Dialect{}.NewSecret(bellwire.SigningHMAC)
	if err != nil {
		b.Fatal(err)
	}
	for _, bench := range []struct {
		dialect bellwire.Dialect
		c       *bellwire.Credentials
	}{{dialect, c}, {standard.Dialect{}, &bellwire.Credentials{Secrets: []bellwire.Secret{secret}}}} {
		b.Run(bench.dialect.Name(), func(b *testing.B) {
			renderer, err := bench.dialect.Bind(ep, bench.c)
			if err != nil {
				b.Fatal(err)
			}
			m := message(b, `{"a":"`+strings.Repeat("x", 500)+`"}`)
			m.SentAt = time.Unix(1777856581, 0)
			h, got := http.Header{}, []byte(nil)
			b.ReportAllocs()
			for b.Loop() {
				if got, err = renderer.AppendBody(got[:0], m); err != nil {
					b.Fatal(err)
				}
				renderer.SetHeaders(h, m, got)
			}
		})
	}
}
