package bluefin_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/bluefin"
	"github.com/bellwire/bellwire/internal/dialect/standard"
	"github.com/bellwire/bellwire/internal/dialecttest"
)

const (
	publicURL = "https://hooks.example.test"

	accountUpdates  = "ACCOUNT_UPDATER_BATCH_UPDATES"
	batchSettlement = "PAYCONEX_BATCH_SETTLEMENT"

	webhookID = "wbh_5249941f13564471b3be9f96a6d532c1"
)

var dialect = bluefin.Dialect{PublicURL: publicURL}

func message(t testing.TB, eventType, data string) *bellwire.Message {
	t.Helper()
	event, err := bellwire.ParseID[bellwire.EventKind]("evt_0198f2b4c1d27a3b8c4d5e6f70819203")
	if err != nil {
		t.Fatal(err)
	}
	delivery, err := bellwire.ParseID[bellwire.DeliveryKind]("dlv_0198f2b4c1d27a3b8c4d5e6f70819204")
	if err != nil {
		t.Fatal(err)
	}
	return &bellwire.Message{
		Event:    &bellwire.Event{ID: event, Type: eventType, Data: []byte(data), CreatedAt: time.Unix(1e9, 1)},
		Delivery: delivery,
		SentAt:   time.Unix(1e9, 2),
	}
}

func endpoint() *bellwire.Endpoint {
	return &bellwire.Endpoint{ID: webhookID, Tenant: "120000000007", Events: []string{accountUpdates}, Signing: bellwire.SigningHMAC}
}

// The seed's notification, with real values in its URL.
func TestNotificationOfUpdates(t *testing.T) {
	t.Parallel()
	m := message(t, accountUpdates, ` { "updates" : [ {"oldExpiry":"1230"} ] } `)
	body, h := dialecttest.Render(t, dialect, endpoint(), &bellwire.Credentials{}, m)
	const want = `{"id":"not_0198f2b4c1d27a3b8c4d5e6f70819204","wbhid":"wbh_5249941f13564471b3be9f96a6d532c1",` +
		`"event":"ACCOUNT_UPDATER_BATCH_UPDATES","payload":{"updateId":"aupres_0198f2b4c1d27a3b8c4d5e6f70819203",` +
		`"url":"https://hooks.example.test/api/v4/accounts/120000000007/account-updater/updates/aupres_0198f2b4c1d27a3b8c4d5e6f70819203"}}`
	if string(body) != want {
		t.Errorf("the body is\n%s\nwant\n%s", body, want)
	}
	if diff := cmp.Diff(http.Header{"Content-Type": {"application/json"}}, h); diff != "" {
		t.Error(diff)
	}
	m.SentAt = m.SentAt.Add(time.Hour)
	if again, _ := dialecttest.Render(t, dialect, endpoint(), &bellwire.Credentials{}, m); string(again) != want {
		t.Errorf("a later attempt sends %s", again)
	}
}

func TestPayloadIsDataByteForByte(t *testing.T) {
	t.Parallel()
	for _, data := range []string{
		`{}`, `{ }`, `{"batchId":"\u0031\/","n":1E400,"a":1.0,"a":-0}`, "{\n\t\"updates\" : null }", `{"x":"é<>&` + "\u2028" + `"}`,
	} {
		t.Run(data, func(t *testing.T) {
			body, _ := dialecttest.Render(t, dialect, endpoint(), &bellwire.Credentials{}, message(t, batchSettlement, data))
			if !strings.HasSuffix(string(body), `","event":"PAYCONEX_BATCH_SETTLEMENT","payload":`+data+`}`) || !json.Valid(body) {
				t.Errorf("%s became %s", data, body)
			}
		})
	}
}

func TestUnsendableEvents(t *testing.T) {
	t.Parallel()
	r, err := dialect.Bind(endpoint(), &bellwire.Credentials{})
	if err != nil {
		t.Fatal(err)
	}
	for eventType, datas := range map[string][]string{
		accountUpdates:  {`null`, `[]`, `{}`, `{"updates":{}}`, `{"updates":null}`, `{"update":[]}`, `"updates"`, `{"updateId":"aupres_1"}`, `{"url":"https://x.test/"}`, `{"updateId":1,"url":"x"}`, `{"updateId":"","url":"x"}`},
		batchSettlement: {`null`, `[]`, `1`, `"{}"`},
	} {
		for _, data := range datas {
			if _, err := r.AppendBody(nil, message(t, eventType, data)); bellwire.CodeOf(err) != bellwire.CodeInvalid {
				t.Errorf("%s with %s: %v", eventType, data, err)
			}
		}
	}
}

// A notification is JSON with the given public URL and ids, whatever they are.
func TestNotificationIsJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		d := bluefin.Dialect{PublicURL: "https://" + rapid.String().Draw(rt, "host")}
		ep := endpoint()
		ep.ID = rapid.StringMatching(`[a-z]{0,4}_?[0-9a-f]{24,36}`).Draw(rt, "id")
		ep.Tenant = rapid.StringMatching(`[A-Za-z0-9_-]{1,64}`).Draw(rt, "tenant")
		body, _ := dialecttest.Render(t, d, ep, &bellwire.Credentials{}, message(t, accountUpdates, `{"updates":[]}`))
		var got struct {
			ID, Wbhid, Event string
			Payload          struct{ UpdateID, URL string }
		}
		if err := json.Unmarshal(body, &got); err != nil {
			rt.Fatalf("%s: %v", body, err)
		}
		want := d.PublicURL + "/api/v4/accounts/" + ep.Tenant + "/account-updater/updates/" + got.Payload.UpdateID
		if got.Wbhid != ep.ID || got.Payload.URL != want {
			rt.Fatalf("%s: want %s", body, want)
		}
	})
}

func TestSettle(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		events  []string
		signing bellwire.Signing
		field   string
	}{
		{"one event", []string{accountUpdates}, bellwire.SigningHMAC, ""},
		{"one of the platform's own", []string{"card.created"}, bellwire.SigningHMAC, ""},
		{"two events", []string{accountUpdates, batchSettlement}, bellwire.SigningHMAC, "events"},
		{"a prefix", []string{"PAYCONEX_*"}, bellwire.SigningHMAC, "events"},
		{"everything", []string{"*"}, bellwire.SigningHMAC, "events"},
		{"another signature", []string{accountUpdates}, bellwire.SigningEd25519, "signing"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ep := endpoint()
			ep.Events, ep.Signing = tc.events, tc.signing
			err := dialect.Normalize(ep, &bellwire.Credentials{}, func(string) string { return "" })
			if got := field(t, err); got != tc.field {
				t.Errorf("%s: %v", tc.name, err)
			}
		})
	}
}

func field(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	known, ok := err.(*bellwire.Error)
	if !ok || known.Code != bellwire.CodeInvalid {
		t.Fatalf("%v is no *Error with CodeInvalid", err)
	}
	return known.Field
}

func TestDialectHasNoSecrets(t *testing.T) {
	t.Parallel()
	if s, err := dialect.NewSecret(bellwire.SigningHMAC); s != (bellwire.Secret{}) || err != nil {
		t.Errorf("a secret was made: %v", err)
	}
	if field(t, dialect.CheckSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")) != "secret" {
		t.Error("a secret was taken")
	}
	if h := dialect.Headers(&bellwire.Credentials{}); len(h) > 0 {
		t.Errorf("headers: %v", h)
	}
}

func TestClassify(t *testing.T) {
	t.Parallel()
	r, err := dialect.Bind(endpoint(), &bellwire.Credentials{})
	if err != nil {
		t.Fatal(err)
	}
	for status, want := range map[int]bellwire.Verdict{
		200: bellwire.Acknowledged, 201: bellwire.Acknowledged, 204: bellwire.Acknowledged, 299: bellwire.Acknowledged,
		302: bellwire.Failed, 400: bellwire.Failed, 404: bellwire.Failed, 410: bellwire.Failed, 429: bellwire.Failed, 500: bellwire.Failed,
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			if got := r.Classify(status); got != want {
				t.Errorf("Classify(%d) = %d, want %d", status, got, want)
			}
		})
	}
	if !r.HonorsRetryAfter() {
		t.Error("Retry-After is not heeded")
	}
}

// BenchmarkRender also measures the dialect standard, for comparison.
func BenchmarkRender(b *testing.B) {
	filler := strings.Repeat("x", 500)
	for _, bench := range []struct {
		name string
		bellwire.Dialect
		eventType, data string
	}{
		{"standard", standard.Dialect{}, batchSettlement, `{"a":"` + filler + `"}`},
		{"settlement", dialect, batchSettlement, `{"a":"` + filler + `"}`},
		{"updates", dialect, accountUpdates, `{"updates":[{"a":"` + filler + `"}]}`},
	} {
		b.Run(bench.name, func(b *testing.B) {
			secret, err := bench.NewSecret(bellwire.SigningHMAC)
			if err != nil {
				b.Fatal(err)
			}
			c := &bellwire.Credentials{}
			if secret != (bellwire.Secret{}) {
				c.Secrets = []bellwire.Secret{secret}
			}
			r, err := bench.Bind(endpoint(), c)
			if err != nil {
				b.Fatal(err)
			}
			m := message(b, bench.eventType, bench.data)
			h, body := http.Header{}, []byte(nil)
			b.ReportAllocs()
			for b.Loop() {
				if body, err = r.AppendBody(body[:0], m); err != nil {
					b.Fatal(err)
				}
				r.SetHeaders(h, m, body)
			}
		})
	}
}
