package standard_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/receive/sign"
)

const (
	sharedSecret  = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	privateKey    = "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk="
	earlierSecret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"

	// Computed with other tools (Python's hmac, openssl pkeyutl) from "id.timestamp.body".
	goldenSignature = "v1,KwQBOE0MAi/5pT+y/zae7f6H2lrWk8fW6LVRY9ymakc= " +
		"v1a,dfWk70iUABm9gC23oQ5v/5x6A1kqOq8deNepHoJAzH/ZACRn8H3jkrfADl3nX0Oz4CaiLIGhdFT5K1pnkfRWBQ== " +
		"v1,ylASqnQuNSBpM3atCvRkxXw2cKlxkoMYUIqfH36Uj9E="
)

// moment is the time of the golden example. The store does not keep its nanoseconds.
var moment = time.Date(2026, 5, 4, 3, 2, 1, 123456789, time.FixedZone("", 2*60*60))

func fieldOf(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var e *bellwire.Error
	if !errors.As(err, &e) || e.Code != bellwire.CodeInvalid {
		t.Errorf("%v is no *Error with CodeInvalid", err)
		return ""
	}
	return e.Field
}

func bind(t testing.TB, signing bellwire.Signing, secrets ...bellwire.Secret) bellwire.Renderer {
	t.Helper()
	r, err := dialect.Bind(&bellwire.Endpoint{Signing: signing}, &bellwire.Credentials{Secrets: secrets})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func message(t testing.TB, data string) *bellwire.Message {
	t.Helper()
	id, err := bellwire.ParseID[bellwire.EventKind]("evt_0198f2b4c1d27a3b8c4d5e6f70819203")
	if err != nil {
		t.Fatal(err)
	}
	return &bellwire.Message{
		Event:  &bellwire.Event{ID: id, Type: "card.created", Data: []byte(data), CreatedAt: moment},
		SentAt: moment.Add(time.Minute),
	}
}

func render(t testing.TB, r bellwire.Renderer, m *bellwire.Message) (http.Header, []byte) {
	t.Helper()
	body, err := r.AppendBody(nil, m)
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	r.SetHeaders(h, m, body)
	return h, body
}

func TestGoldenExample(t *testing.T) {
	t.Parallel()
	r := bind(t, bellwire.SigningBoth, bellwire.Secret{Value: sharedSecret, PrivateKey: privateKey},
		bellwire.Secret{Value: earlierSecret, ExpiresAt: moment.Add(time.Hour)})
	h, body := render(t, r, message(t, `{"id": "c_1", "limit": 1.0}`))

	const wantBody = `{"type":"card.created","timestamp":"2026-05-04T01:02:01.123456Z","data":{"id": "c_1", "limit": 1.0}}`
	if string(body) != wantBody {
		t.Errorf("the body is %s", body)
	}
	want := http.Header{
		"Content-Type":      {"application/json"},
		"Webhook-Id":        {"evt_0198f2b4c1d27a3b8c4d5e6f70819203"},
		"Webhook-Timestamp": {"1777856581"},
		"Webhook-Signature": {goldenSignature},
	}
	if diff := cmp.Diff(want, h); diff != "" {
		t.Error(diff)
	}
}

func TestVerifiedByTheReferenceLibrary(t *testing.T) {
	t.Parallel()
	secret, err := dialect.NewSecret(bellwire.SigningBoth)
	if err != nil {
		t.Fatal(err)
	}
	earlier := bellwire.Secret{Value: earlierSecret, ExpiresAt: time.Now().Add(time.Hour)}
	m := message(t, `{"a":1}`)
	m.SentAt = time.Now()
	h, body := render(t, bind(t, bellwire.SigningBoth, secret, earlier), m)
	for _, key := range []string{secret.Value, earlier.Value} {
		reference, err := standardwebhooks.NewWebhook(key)
		if err != nil {
			t.Fatal(err)
		}
		if err := reference.Verify(body, h); err != nil {
			t.Error(err)
		}
		if reference.Verify(append(bytes.Clone(body), ' '), h) == nil {
			t.Error("a changed body was verified")
		}
	}
}

// Every secret that has not expired signs with every scheme, newest first.
func TestWhichSecretsSign(t *testing.T) {
	t.Parallel()
	m := message(t, `null`)
	newest := bellwire.Secret{Value: sharedSecret, PrivateKey: privateKey}
	earlier := func(left time.Duration) bellwire.Secret {
		return bellwire.Secret{Value: earlierSecret, ExpiresAt: m.SentAt.Add(left)}
	}
	other, err := dialect.NewSecret(bellwire.SigningBoth)
	if err != nil {
		t.Fatal(err)
	}
	other.ExpiresAt = m.SentAt.Add(time.Hour)
	_, body := render(t, bind(t, bellwire.SigningHMAC, newest), m)
	v1 := func(s bellwire.Secret) string {
		shared, err := sign.ParseSecret(s.Value)
		if err != nil {
			t.Fatal(err)
		}
		return string(sign.NewMAC(shared).AppendV1(nil, m.Event.ID.String(), m.SentAt.Unix(), body))
	}
	v1a := func(s bellwire.Secret) string {
		key, err := sign.ParsePrivateKey(s.PrivateKey)
		if err != nil {
			t.Fatal(err)
		}
		return string(sign.AppendV1a(nil, key, m.Event.ID.String(), m.SentAt.Unix(), body))
	}
	for _, tc := range []struct {
		name    string
		signing bellwire.Signing
		secrets []bellwire.Secret
		want    []string
	}{
		{"hmac", bellwire.SigningHMAC, []bellwire.Secret{newest}, []string{v1(newest)}},
		{"ed25519", bellwire.SigningEd25519, []bellwire.Secret{newest}, []string{v1a(newest)}},
		{"both", bellwire.SigningBoth, []bellwire.Secret{newest}, []string{v1(newest), v1a(newest)}},
		{"overlap", bellwire.SigningHMAC, []bellwire.Secret{newest, earlier(1)}, []string{v1(newest), v1(earlier(1))}},
		{"overlap at its end", bellwire.SigningHMAC, []bellwire.Secret{newest, earlier(0)}, []string{v1(newest)}},
		{"overlap past", bellwire.SigningHMAC, []bellwire.Secret{newest, earlier(-1)}, []string{v1(newest)}},
		{
			"overlap of both", bellwire.SigningBoth, []bellwire.Secret{newest, other, earlier(1)},
			[]string{v1(newest), v1a(newest), v1(other), v1a(other), v1(earlier(1))},
		},
		{"overlap without a key", bellwire.SigningEd25519, []bellwire.Secret{newest, earlier(1)}, []string{v1a(newest)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h, _ := render(t, bind(t, tc.signing, tc.secrets...), m)
			if diff := cmp.Diff(tc.want, strings.Split(h.Get("Webhook-Signature"), " ")); diff != "" {
				t.Errorf("%s:\n%s", tc.name, diff)
			}
		})
	}
}

func TestDataIsDeliveredByteForByte(t *testing.T) {
	t.Parallel()
	r := bind(t, bellwire.SigningHMAC, bellwire.Secret{Value: sharedSecret})
	for _, data := range []string{
		`1E400`, `1.0`, `-0`, `"\u00e9"`, `"é"`, `"\/<>&` + "\u2028" + `"`, `{ "b" : 1 ,` + "\n\t" + `"a" : [ ] }`, `null`, `"bare"`, `true`,
		`{"a":1,"a":2}`, `123456789012345678901234567890`, `"\ud800"`,
	} {
		t.Run(data, func(t *testing.T) {
			_, body := render(t, r, message(t, data))
			if !strings.HasSuffix(string(body), `,"data":`+data+`}`) {
				t.Errorf("%s became %s", data, body)
			}
			if !json.Valid(body) {
				t.Errorf("%s is not JSON", body)
			}
		})
	}
}

func TestAnyJSONSurvives(t *testing.T) {
	t.Parallel()
	r := bind(t, bellwire.SigningHMAC, bellwire.Secret{Value: sharedSecret})
	rapid.Check(t, func(t *rapid.T) {
		data := jsonText(3).Draw(t, "data")
		name := rapid.String().Draw(t, "type") // also names that no catalogue takes
		m := &bellwire.Message{Event: &bellwire.Event{Type: name, Data: []byte(data), CreatedAt: moment, OccurredAt: moment}}
		prefix := []byte("before")
		body, err := r.AppendBody(prefix, m)
		if err != nil {
			t.Fatal(err)
		}
		body = bytes.TrimPrefix(body, prefix)
		var read struct {
			Type      string
			Timestamp time.Time
			Data      json.RawMessage
		}
		if err := json.Unmarshal(body, &read); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if read.Type != name || string(read.Data) != data || !read.Timestamp.Equal(moment.Truncate(time.Microsecond)) {
			t.Fatalf("%q with %s became %s", name, data, body)
		}
		if again, err := r.AppendBody(nil, m); err != nil || !bytes.Equal(again, body) {
			t.Fatalf("a second attempt sends %s, %v", again, err)
		}
	})
}

// jsonText draws JSON that encoding again would change.
func jsonText(depth int) *rapid.Generator[string] {
	text := rapid.Map(rapid.String(), func(s string) string {
		quoted, _ := json.Marshal(s) // a string always has a form in JSON
		return string(quoted)
	})
	leaf := rapid.OneOf(
		text,
		rapid.StringMatching(`-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,9})?([eE][+-]?[0-9]{1,4})?`),
		rapid.SampledFrom([]string{"null", "true", "false", `"\u00e9\/"`}),
	)
	if depth == 0 {
		return leaf
	}
	space := rapid.SampledFrom([]string{"", " ", "\n\t"})
	inner := jsonText(depth - 1)
	return rapid.OneOf(leaf, rapid.Custom(func(t *rapid.T) string {
		gap := space.Draw(t, "space")
		object := rapid.Bool().Draw(t, "object")
		parts := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
			value := inner.Draw(t, "value")
			if object {
				return text.Draw(t, "name") + gap + ":" + gap + value
			}
			return value
		}), 0, 4).Draw(t, "parts")
		joined := gap + strings.Join(parts, gap+","+gap) + gap
		if object {
			return "{" + joined + "}"
		}
		return "[" + joined + "]"
	}))
}

func TestTheTimeOfTheEventIsSent(t *testing.T) {
	t.Parallel()
	r := bind(t, bellwire.SigningHMAC, bellwire.Secret{Value: sharedSecret})
	m := message(t, `1`)
	m.Event.OccurredAt = time.Date(2020, 1, 2, 3, 4, 5, 0, time.FixedZone("", -60*60))
	if _, body := render(t, r, m); !strings.Contains(string(body), `"timestamp":"2020-01-02T04:04:05Z"`) {
		t.Errorf("the body is %s", body)
	}
	m.Event.OccurredAt = time.Date(9999, 12, 31, 23, 30, 0, 0, time.FixedZone("", -60*60))
	if _, err := r.AppendBody(nil, m); bellwire.CodeOf(err) != bellwire.CodeInvalid {
		t.Errorf("the year 10000: %v", err)
	}
}

func TestClassify(t *testing.T) {
	t.Parallel()
	r := bind(t, bellwire.SigningHMAC, bellwire.Secret{Value: sharedSecret})
	for status, want := range map[int]bellwire.Verdict{
		199: bellwire.Failed, 200: bellwire.Acknowledged, 204: bellwire.Acknowledged, 299: bellwire.Acknowledged,
		301: bellwire.Failed, 304: bellwire.Failed, 400: bellwire.Failed, 404: bellwire.Failed, 409: bellwire.Failed,
		410: bellwire.Gone, 411: bellwire.Failed, 429: bellwire.Failed, 500: bellwire.Failed, 503: bellwire.Failed,
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

func BenchmarkRenderAndSign(b *testing.B) {
	for _, signing := range []bellwire.Signing{bellwire.SigningHMAC, bellwire.SigningEd25519} {
		b.Run(string(signing), func(b *testing.B) {
			r := bind(b, signing, bellwire.Secret{Value: sharedSecret, PrivateKey: privateKey})
			m := message(b, `{"a":"`+strings.Repeat("x", 500)+`"}`)
			h, body := http.Header{}, []byte(nil)
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if body, err = r.AppendBody(body[:0], m); err != nil {
					b.Fatal(err)
				}
				r.SetHeaders(h, m, body)
			}
		})
	}
}
