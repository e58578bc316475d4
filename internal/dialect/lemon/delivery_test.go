package lemon_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/lemon"
	"github.com/bellwire/bellwire/internal/dialect/standard"
	"github.com/bellwire/bellwire/internal/dialecttest"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/receive"
)

var goldenSecret = strings.Repeat("00112233445566778899aabbccddeeff", 2)

func golden(t testing.TB, data string) *bellwire.Message {
	t.Helper()
	id, err := bellwire.ParseID[bellwire.EventKind]("evt_0123456789abcdef0123456789abcdef")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2024, 3, 1, 12, 0, 0, 999, time.FixedZone("", 2*60*60)) // what is below microseconds is not shown
	return &bellwire.Message{
		Event:  &bellwire.Event{ID: id, Type: "account.created", Data: []byte(data), CreatedAt: at, OccurredAt: at.Add(-time.Hour)},
		SentAt: at,
	}
}

func credentials(secrets ...bellwire.Secret) *bellwire.Credentials {
	return &bellwire.Credentials{Secrets: secrets}
}

// The signature was computed with other tools. TestLemonOnThePublishedVectors has the vendor's vector.
func TestGoldenExample(t *testing.T) {
	t.Parallel()
	body, header := dialecttest.Render(t, lemon.Dialect{}, &bellwire.Endpoint{}, credentials(
		bellwire.Secret{Value: goldenSecret}, bellwire.Secret{Value: strings.Repeat("0", 64), ExpiresAt: time.Now().Add(time.Hour)},
	), golden(t, `{"account":"cusa_fedcba9876543210fedcba9876543210"}`))
	const want = `{"id":"evt_0123456789abcdef0123456789abcdef","type":"account.created","created_at":"2024-03-01T10:00:00.000000+00:00","context":{"account":"cusa_fedcba9876543210fedcba9876543210"}}`
	if string(body) != want {
		t.Errorf("%s", body)
	}
	if diff := cmp.Diff(http.Header{
		"Content-Type":  {"application/json"},
		"LMG-Signature": {"t=1709287200,v1=2ad21dd229f4c87070e52990b93d8e4dd9d58baf1cabe71da4bddf283e28d0b8"},
	}, header); diff != "" {
		t.Error(diff)
	}
}

func TestContextIsByteForByte(t *testing.T) {
	t.Parallel()
	renderer := bind(t)
	for _, data := range []string{`{}`, `{ }`, `{"n":1E400,"s":"\u00e9\/","a":[1.0,-0]}`, "{\n\t\"z\": 1,\r \"a\": {\"id\":\"x\"}}", `{"a":1,"a":2}`} {
		t.Run(data, func(t *testing.T) {
			body, err := renderer.AppendBody([]byte("before"), golden(t, data))
			if err != nil || !strings.HasPrefix(string(body), `before{"id":"evt_`) || !strings.HasSuffix(string(body), `,"context":`+data+`}`) {
				t.Errorf("%s: %s, %v", data, body, err)
			}
		})
	}
	for _, data := range []string{`null`, `[]`, `"x"`, `1`, `true`} {
		t.Run(data, func(t *testing.T) {
			if _, err := renderer.AppendBody(nil, golden(t, data)); bellwire.CodeOf(err) != bellwire.CodeInvalid {
				t.Errorf("%s: %v", data, err)
			}
		})
	}
}

func bind(t testing.TB) bellwire.Renderer {
	t.Helper()
	renderer, err := lemon.Dialect{}.Bind(nil, credentials(bellwire.Secret{Value: goldenSecret}))
	if err != nil {
		t.Fatal(err)
	}
	return renderer
}

func TestClassify(t *testing.T) {
	t.Parallel()
	strict, err := lemon.Dialect{StrictAck: true}.Bind(nil, credentials(bellwire.Secret{Value: goldenSecret}))
	if err != nil {
		t.Fatal(err)
	}
	for status, want := range map[int][2]bellwire.Verdict{
		200: {bellwire.Acknowledged, bellwire.Acknowledged}, 201: {bellwire.Acknowledged, bellwire.Failed}, 204: {bellwire.Acknowledged, bellwire.Failed},
		301: {bellwire.Failed, bellwire.Failed}, 404: {bellwire.Failed, bellwire.Failed}, 410: {bellwire.Failed, bellwire.Failed}, 500: {bellwire.Failed, bellwire.Failed},
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			if got := [2]bellwire.Verdict{bind(t).Classify(status), strict.Classify(status)}; got != want {
				t.Errorf("%d: %v", status, got)
			}
		})
	}
	if !bind(t).HonorsRetryAfter() {
		t.Error("Retry-After is not heeded")
	}
}

// Retries are a minute apart, doubling up to an hour, for a day. The timeout is the vendor's 10 seconds.
func TestDefaults(t *testing.T) {
	t.Parallel()
	d := lemon.Dialect{}.Defaults()
	if d.Timeout != 10*time.Second {
		t.Errorf("the time limit is %s", d.Timeout)
	}
	var total time.Duration
	var first []time.Duration
	for n := 1; ; n++ {
		delay, more := d.Retry.Delay(n, 0.5)
		if !more {
			break
		}
		if total += delay; n <= 8 {
			first = append(first, delay/time.Minute)
		}
	}
	if !slices.Equal(first, []time.Duration{1, 2, 4, 8, 16, 32, 60, 60}) || total > 24*time.Hour || total < 23*time.Hour {
		t.Errorf("the first delays are %v minutes, all together %s", first, total)
	}
}

// A delivery that fails twice: all attempts have the same body, and each signs its own time.
func TestDelivery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receiver := dialecttest.NewReceiver(t)
	w.Vars["url"] = receiver.URL
	run(t, w, step{Name: "create", Do: "POST /v1/webhooks", Body: `{"url":"{url}/in?a=b","events":["account.created"]}`, Status: 201,
		Want: `{"events":["account.created"],"id":"<id:any>","signature_secret":"<secret:hex64>","url":"{url}/in?a=b"}`})
	if _, err := w.Native(w.Vars["id"], service.EndpointInput{Retry: &bellwire.RetryPolicy{Schedule: []bellwire.Duration{bellwire.Duration(time.Millisecond), bellwire.Duration(time.Second)}}}); err != nil {
		t.Fatal(err)
	}
	verifier, err := receive.Lemon(w.Vars["secret"])
	if err != nil {
		t.Fatal(err)
	}
	const data = `{"account": "cusa_33531f7f801d4ce997747470ab7208fd"}`
	receiver.Answer(500, 410, 204)
	event := w.Publish("account.created", data)
	var bodies, signatures []string
	for range 3 {
		arrival := receiver.Next()
		if arrival.Method != "POST" || arrival.Target != "/in?a=b" || arrival.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s %v", arrival.Method, arrival.Target, arrival.Header)
		}
		d, err := verifier.Verify(arrival.Header, arrival.Body)
		if err != nil || d.ID != event.String() || d.Type != "account.created" || string(d.Data) != data || arrival.At.Sub(d.Timestamp) > time.Minute {
			t.Errorf("%+v, %v", d, err)
		}
		if !independently(w.Vars["secret"], arrival.Header.Get("LMG-Signature"), arrival.Body) {
			t.Errorf("%s does not sign %s", arrival.Header.Get("LMG-Signature"), arrival.Body)
		}
		bodies, signatures = append(bodies, string(arrival.Body)), append(signatures, arrival.Header.Get("LMG-Signature"))
	}
	if bodies[0] != bodies[1] || bodies[0] != bodies[2] {
		t.Errorf("the bodies are %q", bodies)
	}
	if signatures[0] == signatures[2] {
		t.Errorf("a second later the signature is the same, %s", signatures[2])
	}
	for _, ended := range w.Deliveries(event) {
		if ended.Status != bellwire.DeliverySucceeded || len(ended.Attempts) != 3 {
			t.Errorf("%+v", ended.Delivery)
		}
	}
}

// independently verifies a signature with the standard library only.
func independently(secret, header string, body []byte) bool {
	unix, signature, _ := strings.Cut(strings.TrimPrefix(header, "t="), ",v1=")
	if _, err := strconv.ParseInt(unix, 10, 64); err != nil {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(append([]byte(unix+"."), body...))
	return hex.EncodeToString(mac.Sum(nil)) == signature
}

// A delivery that the dialect cannot send ends at once, with the reason. Other endpoints get the event.
func TestUnsendableEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receiver := dialecttest.NewReceiver(t)
	w.Vars["url"] = receiver.URL
	run(t, w, step{Name: "create", Do: "POST /v1/webhooks", Body: `{"url":"{url}","events":["account.created"]}`, Status: 201, Want: "<any>"})
	if _, _, err := w.Service.CreateEndpoint(t.Context(), dialecttest.Admin, w.Tenant, service.EndpointInput{
		URL: &receiver.URL, Events: &[]string{"*"}, Dialect: new("standard"),
	}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, ended := range w.Deliveries(w.Publish("account.created", `"text"`)) {
		got = append(got, string(ended.Status)+" "+ended.Reason)
	}
	slices.Sort(got)
	want := []string{"exhausted the event's data is not an object, as the dialect lemon requires; nothing was sent", "succeeded "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Endpoints that the native API creates or moves are shown and deliver like the vendor's. It refuses those that this dialect
// cannot represent.
func TestMoving(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receiver := dialecttest.NewReceiver(t)
	create := func(in service.EndpointInput) (string, string) {
		ep, secret, err := w.Service.CreateEndpoint(t.Context(), dialecttest.Admin, w.Tenant, in)
		if err != nil {
			t.Fatal(err)
		}
		return ep.ID, secret.Secret
	}
	w.Vars["url"] = receiver.URL
	native, secret := create(service.EndpointInput{URL: &receiver.URL, Events: &[]string{"account.created"}, Dialect: new("lemon")})
	w.Vars["native"], w.Vars["secret"] = native, secret
	run(t, w, []step{
		{Name: "made natively", Do: "GET /v1/webhooks", Status: 200, Want: `{"data":[{"events":["account.created"],"id":"wbh_<number:hex32>","signature_secret":"{secret}","url":"{url}"}],` + noMore},
		{Name: "its id", Do: "DELETE /v1/webhooks/{native}", Status: 204},
	}...)

	moved, _ := create(service.EndpointInput{URL: &receiver.URL, Events: &[]string{"account.created", "order.executed"}})
	w.Vars["moved"] = moved
	run(t, w, []step{
		{Name: "not there yet", Do: "GET /v1/webhooks", Status: 200, Want: `{"data":[],` + noMore},
		{Name: "nor to be deleted", Do: "DELETE /v1/webhooks/{moved}", Status: 404, Want: message("Webhook not found")},
	}...)
	ep, err := w.Native(moved, service.EndpointInput{Dialect: new(lemon.Name)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(lemon.Dialect{}.Defaults().Retry, ep.Retry); diff != "" {
		t.Errorf("it has kept the other dialect's retry policy: %s", diff)
	}
	run(t, w, step{Name: "moved", Do: "GET /v1/webhooks", Status: 200,
		Want: `{"data":[{"events":["account.created","order.executed"],"id":"{moved}","signature_secret":"<secret:hex64>","url":"{url}"}],` + noMore})
	event := w.Publish("order.executed", `{"order":"ord_1"}`)
	arrival := receiver.Next()
	if !independently(w.Vars["secret"], arrival.Header.Get("LMG-Signature"), arrival.Body) || !shape.Match(arrival.Body) {
		t.Errorf("%v %s", arrival.Header, arrival.Body)
	}
	w.Deliveries(event)
	run(t, w, step{Name: "deleted under its own id", Do: "DELETE /v1/webhooks/{moved}", Status: 204})

	for name, c := range map[string]struct {
		in    service.EndpointInput
		field string
	}{
		"wildcard":   {service.EndpointInput{Events: &[]string{"account.created", "order.*"}}, "events[1]"},
		"everything": {service.EndpointInput{Events: &[]string{"*"}}, "events[0]"},
		"signing":    {service.EndpointInput{Events: &[]string{"account.created"}, Signing: new(bellwire.SigningBoth)}, "signing"},
		"header": {service.EndpointInput{Events: &[]string{"account.created"}, Headers: &[]bellwire.Header{{Name: "lmg-signature", Value: "x"}}},
			"headers.lmg-signature"},
		"key": {service.EndpointInput{Events: &[]string{"account.created"}, Auth: &bellwire.Auth{Type: bellwire.AuthAPIKey, Header: "LMG-Signature", Key: "x"}},
			"auth.header"},
	} {
		t.Run(name, func(t *testing.T) {
			c.in.URL = &receiver.URL
			id, _ := create(c.in)
			_, err := w.Native(id, service.EndpointInput{Dialect: new(lemon.Name)})
			wantField(t, name, err, c.field)
			c.in.Dialect = new(lemon.Name)
			_, _, err = w.Service.CreateEndpoint(t.Context(), dialecttest.Admin, w.Tenant, c.in)
			wantField(t, name, err, c.field)
		})
	}
	_, _, err = w.Service.CreateEndpoint(t.Context(), dialecttest.Admin, w.Tenant, service.EndpointInput{
		URL: &receiver.URL, Events: &[]string{"account.created"}, Dialect: new(lemon.Name), Secret: new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
	})
	wantField(t, "secret", err, "secret")
}

func wantField(t *testing.T, name string, err error, field string) {
	t.Helper()
	known, ok := err.(*bellwire.Error)
	if !ok || known.Code != bellwire.CodeInvalid || known.Field != field {
		t.Errorf("%s: %v, want a refusal of %s", name, err, field)
	}
}

// After a rotation the newest secret signs, and the list shows it.
func TestRotation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	receiver := dialecttest.NewReceiver(t)
	w.Vars["url"] = receiver.URL
	run(t, w, step{Name: "create", Do: "POST /v1/webhooks", Body: `{"url":"{url}","events":["account.created"]}`, Status: 201, Want: `{<any>"id":"<id:any>",<any>}`})
	_, err := w.Service.RotateSecret(t.Context(), dialecttest.Admin, w.Tenant, w.Vars["id"], new(time.Hour))
	if known, ok := errors.AsType[*bellwire.Error](err); !ok || known.Code != bellwire.CodeInvalid || known.Field != "overlap" {
		t.Errorf("an overlap: %v", err)
	}
	rotated, err := w.Service.RotateSecret(t.Context(), dialecttest.Admin, w.Tenant, w.Vars["id"], nil)
	if err != nil {
		t.Fatal(err)
	}
	w.Vars["secret"] = rotated.Secret
	run(t, w, step{Name: "list", Do: "GET /v1/webhooks", Status: 200, Want: `{"data":[{<any>"signature_secret":"{secret}"<any>}],` + noMore})
	w.Publish("account.created", `{}`)
	arrival := receiver.Next()
	if !independently(rotated.Secret, arrival.Header.Get("LMG-Signature"), arrival.Body) {
		t.Errorf("%v", arrival.Header)
	}
}

func BenchmarkRender(b *testing.B) {
	data := `{"account":"cusa_33531f7f801d4ce997747470ab7208fd","x":"` + strings.Repeat("x", 400) + `"}`
	shared, err := standard.Dialect{}.NewSecret(bellwire.SigningHMAC)
	if err != nil {
		b.Fatal(err)
	}
	other, err := standard.Dialect{}.Bind(&bellwire.Endpoint{Signing: bellwire.SigningHMAC}, credentials(shared))
	if err != nil {
		b.Fatal(err)
	}
	for name, renderer := range map[string]bellwire.Renderer{"lemon": bind(b), "standard": other} {
		b.Run(name, func(b *testing.B) {
			m, body := golden(b, data), make([]byte, 0, 1024)
			b.ReportAllocs()
			for b.Loop() {
				if body, err = renderer.AppendBody(body[:0], m); err != nil {
					b.Fatal(err)
				}
				renderer.SetHeaders(http.Header{}, m, body)
			}
		})
	}
}
