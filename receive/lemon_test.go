package receive_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/receive"
)

var (
	lemonSecret = strings.Repeat("00112233445566778899aabbccddeeff", 2)
	otherLemon  = strings.Repeat("0", 64)
	lemonSentAt = time.Unix(1709287200, 0).UTC()
)

const (
	lemonBody = `{"id":"evt_0123456789abcdef0123456789abcdef","type":"account.created","created_at":"2024-03-01T10:00:00.000000+00:00","context":{"account":"cusa_fedcba9876543210fedcba9876543210"}}`
	// Computed with other tools; see TestLemonOnThePublishedVectors of package sign too.
	lemonSignature = "t=1709287200,v1=2ad21dd229f4c87070e52990b93d8e4dd9d58baf1cabe71da4bddf283e28d0b8"
)

func ExampleLemon() {
	verifier, err := receive.Lemon("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")
	if err != nil {
		panic(err)
	}
	header := http.Header{}
	header.Set("LMG-Signature", "t=1709287200,v1=2ad21dd229f4c87070e52990b93d8e4dd9d58baf1cabe71da4bddf283e28d0b8")
	body := []byte(`{"id":"evt_0123456789abcdef0123456789abcdef","type":"account.created",` +
		`"created_at":"2024-03-01T10:00:00.000000+00:00","context":{"account":"cusa_fedcba9876543210fedcba9876543210"}}`)

	verifier.Now = func() time.Time { return time.Unix(1709287210, 0) } // so that this old delivery is accepted

	d, err := verifier.Verify(header, body)
	if err != nil {
		panic(err)
	}
	fmt.Println(d.ID, d.Type, string(d.Data))
	// Output:
	// evt_0123456789abcdef0123456789abcdef account.created {"account":"cusa_fedcba9876543210fedcba9876543210"}
}

// lemonHeaders signs with the standard library alone.
func lemonHeaders(secret string, at time.Time, body string) http.Header {
	unix := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(unix + "." + body))
	return lemonHeader("t=" + unix + ",v1=" + hex.EncodeToString(mac.Sum(nil)))
}

func lemonHeader(value string) http.Header {
	h := http.Header{}
	h.Set("lmg-signature", value)
	return h
}

// lemonVerifier returns a verifier whose clock stands at the given time.
func lemonVerifier(t testing.TB, now time.Time, secrets ...string) *receive.LemonVerifier {
	t.Helper()
	v, err := receive.Lemon(secrets...)
	if err != nil {
		t.Fatal(err)
	}
	v.Now = func() time.Time { return now }
	return v
}

func TestLemonAcceptsValidDeliveries(t *testing.T) {
	t.Parallel()
	want := &receive.Delivery{
		ID: "evt_0123456789abcdef0123456789abcdef", Type: "account.created", SentAt: lemonSentAt, Timestamp: lemonSentAt,
		Data: []byte(`{"account":"cusa_fedcba9876543210fedcba9876543210"}`),
	}
	_, v1, _ := strings.Cut(lemonSignature, ",")
	for name, tc := range map[string]struct {
		secrets []string
		header  http.Header
	}{
		"the vector":         {[]string{lemonSecret}, lemonHeader(lemonSignature)},
		"independent code":   {[]string{lemonSecret}, lemonHeaders(lemonSecret, lemonSentAt, lemonBody)},
		"receiver rotates":   {[]string{otherLemon, lemonSecret}, lemonHeader(lemonSignature)},
		"other parts":        {[]string{lemonSecret}, lemonHeader("v0=1," + lemonSignature + ",v2=zz,")},
		"several signatures": {[]string{lemonSecret}, lemonHeader("t=1709287200,v1=" + strings.Repeat("0", 64) + "," + v1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := lemonVerifier(t, lemonSentAt.Add(time.Minute), tc.secrets...).Verify(tc.header, []byte(lemonBody))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestLemonRefuses(t *testing.T) {
	t.Parallel()
	signed := func(body string) http.Header { return lemonHeaders(lemonSecret, lemonSentAt, body) }
	good, far := lemonHeader(lemonSignature), lemonSentAt.Add(5*time.Minute+time.Second)
	unix, v1, _ := strings.Cut(lemonSignature, ",")
	for _, tc := range []struct {
		name   string
		header http.Header
		body   string
		now    time.Time
		want   error
	}{
		{"no header", http.Header{}, lemonBody, lemonSentAt, receive.ErrHeader},
		{"no time", lemonHeader(v1), lemonBody, lemonSentAt, receive.ErrHeader},
		{"two times", lemonHeader("t=0," + lemonSignature), lemonBody, lemonSentAt, receive.ErrHeader},
		{"no signature", lemonHeader(unix), lemonBody, lemonSentAt, receive.ErrHeader},
		{"signature cut off", lemonHeader(lemonSignature[:40]), lemonBody, lemonSentAt, receive.ErrHeader},
		{"signature of another version", lemonHeader(unix + ",v2" + v1[2:]), lemonBody, lemonSentAt, receive.ErrHeader},
		{"time in another spelling", lemonHeader("t=0" + unix[2:] + "," + v1), lemonBody, lemonSentAt, receive.ErrHeader},
		{"time is text", lemonHeader("t=now," + v1), lemonBody, lemonSentAt, receive.ErrHeader},
		{"too old", good, lemonBody, far, receive.ErrTimestamp},
		{"too new", lemonHeaders(lemonSecret, far, lemonBody), lemonBody, lemonSentAt, receive.ErrTimestamp},
		{"other time", lemonHeader("t=1709287201," + v1), lemonBody, lemonSentAt, receive.ErrSignature},
		{"other body", good, lemonBody + " ", lemonSentAt, receive.ErrSignature},
		{"other secret", lemonHeaders(otherLemon, lemonSentAt, lemonBody), lemonBody, lemonSentAt, receive.ErrSignature},
		{"not JSON", signed("{"), "{", lemonSentAt, receive.ErrBody},
		{"no object", signed("[]"), "[]", lemonSentAt, receive.ErrBody},
		{"no fields", signed("{}"), "{}", lemonSentAt, receive.ErrBody},
		{"time is no time", signed(`{"created_at":"x"}`), `{"created_at":"x"}`, lemonSentAt, receive.ErrBody},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			d, err := lemonVerifier(t, tc.now, lemonSecret).Verify(tc.header, []byte(tc.body))
			if !errors.Is(err, tc.want) || d != nil {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}

func TestLemonOnTheVendorsVector(t *testing.T) {
	t.Parallel()
	// The body of the vector is not an event, so the error is about the body: the signature was accepted.
	h := lemonHeader("t=0,v1=3523dcc0013f08dfa1855772441107330218793f399d7452bd3ff2159c6e0285")
	if _, err := lemonVerifier(t, time.Unix(0, 0), otherLemon).Verify(h, []byte("{}")); !errors.Is(err, receive.ErrBody) {
		t.Errorf("got %v", err)
	}
}

func TestLemonRefusesSecrets(t *testing.T) {
	t.Parallel()
	for _, secrets := range [][]string{nil, {""}, {"secret"}, {lemonSecret, "0"}, {lemonSecret + "\n"}, {strings.Repeat("x", 513)}} {
		t.Run(fmt.Sprint(secrets), func(t *testing.T) {
			if _, err := receive.Lemon(secrets...); err == nil {
				t.Errorf("%q is taken", secrets)
			}
		})
	}
}

func FuzzLemon(f *testing.F) {
	f.Add(lemonSignature, lemonBody)
	f.Add("", "")
	f.Add("t=1,t=2,v1=,v1", "{}")
	f.Add("t=1709287200,v1="+strings.Repeat("0", 64), "null")
	v := lemonVerifier(f, lemonSentAt, lemonSecret)
	f.Fuzz(func(t *testing.T, value, body string) {
		d, err := v.Verify(lemonHeader(value), []byte(body))
		if (err == nil) != (d != nil) {
			t.Fatalf("got %v and %v", d, err)
		}
		known := errors.Is(err, receive.ErrHeader) || errors.Is(err, receive.ErrTimestamp) ||
			errors.Is(err, receive.ErrSignature) || errors.Is(err, receive.ErrBody)
		if err != nil && !known {
			t.Fatalf("an error of no kind: %v", err)
		}
		if err == nil && (body != lemonBody || !strings.Contains(strings.ToLower(value), lemonSignature[len(lemonSignature)-64:])) {
			t.Fatalf("%q is good for %q", value, body)
		}
	})
}
