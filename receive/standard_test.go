package receive_test

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/receive"
	"github.com/bellwire/bellwire/receive/sign"
)

const (
	secret      = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	otherSecret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
	privateKey  = "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk="
	body        = `{"type":"card.created","timestamp":"2026-05-04T01:02:01.123456Z","data":{"id": "c_1", "limit": 1E400}}`
)

var sentAt = time.Date(2026, 5, 4, 1, 3, 1, 0, time.UTC)

func publicKey(t testing.TB) string {
	t.Helper()
	key, err := sign.PublicKeyOf(privateKey)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// signed makes the headers of a delivery, signed with the given secrets and private keys.
func signed(t testing.TB, id string, at time.Time, body string, keys ...string) http.Header {
	t.Helper()
	var signatures []string
	for _, text := range keys {
		if strings.HasPrefix(text, sign.PrivateKeyPrefix) {
			key, err := sign.ParsePrivateKey(text)
			if err != nil {
				t.Fatal(err)
			}
			signatures = append(signatures, string(sign.AppendV1a(nil, key, id, at.Unix(), []byte(body))))
			continue
		}
		signatures = append(signatures, "v1,"+hmacOf(t, text, id, strconv.FormatInt(at.Unix(), 10), body))
	}
	return header(id, strconv.FormatInt(at.Unix(), 10), strings.Join(signatures, " "))
}

// hmacOf signs with the standard library alone, so that more than package sign's own signatures are verified.
func hmacOf(t testing.TB, secret, id, timestamp, body string) string {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "." + body))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func header(id, timestamp, signatures string) http.Header {
	h := http.Header{}
	h.Set("webhook-id", id)
	h.Set("webhook-timestamp", timestamp)
	h.Set("webhook-signature", signatures)
	return h
}

// verifier returns a verifier whose clock stands at the given time.
func verifier(t testing.TB, now time.Time, keys ...string) *receive.StandardVerifier {
	t.Helper()
	v, err := receive.Standard(keys...)
	if err != nil {
		t.Fatal(err)
	}
	v.Now = func() time.Time { return now }
	return v
}

func TestVerifyAcceptsValidDeliveries(t *testing.T) {
	t.Parallel()
	want := &receive.Delivery{
		ID: "evt_1", Type: "card.created", SentAt: sentAt, Data: []byte(`{"id": "c_1", "limit": 1E400}`),
		Timestamp: time.Date(2026, 5, 4, 1, 2, 1, 123456000, time.UTC),
	}
	for _, tc := range []struct {
		name   string
		keys   []string // of the receiver
		signed []string // by the sender
	}{
		{"hmac", []string{secret}, []string{secret}},
		{"ed25519", []string{publicKey(t)}, []string{privateKey}},
		{"both, hmac known", []string{secret}, []string{privateKey, secret}},
		{"both, ed25519 known", []string{publicKey(t)}, []string{secret, privateKey}},
		{"sender rotates", []string{otherSecret}, []string{secret, otherSecret}},
		{"receiver rotates", []string{secret, otherSecret}, []string{otherSecret}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := verifier(t, sentAt, tc.keys...).Verify(signed(t, "evt_1", sentAt, body, tc.signed...), []byte(body))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// Check accepts what Verify accepts, and bodies that are signed but are not events.
func TestCheckLeavesTheBodyUnread(t *testing.T) {
	t.Parallel()
	for _, body := range []string{body, "{", ""} {
		id, at, err := verifier(t, sentAt, secret).Check(signed(t, "evt_1", sentAt, body, secret), []byte(body))
		if id != "evt_1" || !at.Equal(sentAt) || err != nil {
			t.Errorf("%q: got %q, %v, %v", body, id, at, err)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	good := signed(t, "evt_1", sentAt, body, secret)
	signature, unix := good.Get("webhook-signature"), good.Get("webhook-timestamp")
	without := func(name string) http.Header {
		h := good.Clone()
		h.Del(name)
		return h
	}
	empty := `{"timestamp":"2026-05-04T01:02:01Z","data":1}`
	for _, tc := range []struct {
		name string
		h    http.Header
		body string
		now  time.Time
		want error
	}{
		{"no headers", http.Header{}, body, sentAt, receive.ErrHeader},
		{"no id", without("webhook-id"), body, sentAt, receive.ErrHeader},
		{"no timestamp", without("webhook-timestamp"), body, sentAt, receive.ErrHeader},
		{"no signature", without("webhook-signature"), body, sentAt, receive.ErrHeader},
		{"id with a full stop", header("evt.1", unix, signature), body, sentAt, receive.ErrHeader},
		{"timestamp is text", header("evt_1", "now", signature), body, sentAt, receive.ErrHeader},
		{"timestamp in another spelling", header("evt_1", "+"+unix, signature), body, sentAt, receive.ErrHeader},
		{"timestamp with a leading zero", header("evt_1", "0"+unix, signature), body, sentAt, receive.ErrHeader},
		{"timestamp is negative", header("evt_1", "-1", signature), body, sentAt, receive.ErrHeader},
		{"timestamp is huge", header("evt_1", "9223372036854775807", signature), body, sentAt, receive.ErrHeader},
		{"signature of an unknown version", header("evt_1", unix, "v2"+signature[2:]), body, sentAt, receive.ErrHeader},
		{"signature is cut off", header("evt_1", unix, signature[:20]), body, sentAt, receive.ErrHeader},
		{"signature is empty", header("evt_1", unix, "v1,"), body, sentAt, receive.ErrHeader},
		{"too old", good, body, sentAt.Add(5*time.Minute + time.Second), receive.ErrTimestamp},
		{"too new", good, body, sentAt.Add(-5*time.Minute - time.Second), receive.ErrTimestamp},
		{"far from now", header("evt_1", "999999999999", signature), body, sentAt, receive.ErrTimestamp},
		{"other id", header("evt_2", unix, signature), body, sentAt, receive.ErrSignature},
		{"other timestamp", header("evt_1", strconv.FormatInt(sentAt.Unix()+1, 10), signature), body, sentAt, receive.ErrSignature},
		{"other body", good, body + " ", sentAt, receive.ErrSignature},
		{"other secret", signed(t, "evt_1", sentAt, body, otherSecret), body, sentAt, receive.ErrSignature},
		{"other key", signed(t, "evt_1", sentAt, body, privateKey), body, sentAt, receive.ErrSignature},
		{"not JSON", signed(t, "evt_1", sentAt, "{", secret), "{", sentAt, receive.ErrBody},
		{"no object", signed(t, "evt_1", sentAt, "[]", secret), "[]", sentAt, receive.ErrBody},
		{"no type", signed(t, "evt_1", sentAt, empty, secret), empty, sentAt, receive.ErrBody},
		{"no data", signed(t, "evt_1", sentAt, `{"type":"a"}`, secret), `{"type":"a"}`, sentAt, receive.ErrBody},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			v := verifier(t, tc.now, secret)
			d, err := v.Verify(tc.h, []byte(tc.body))
			if !errors.Is(err, tc.want) || d != nil {
				t.Errorf("got %v, want %v", err, tc.want)
			}
			if tc.want == receive.ErrBody {
				return
			}
			if id, at, err := v.Check(tc.h, []byte(tc.body)); !errors.Is(err, tc.want) || id != "" || !at.IsZero() {
				t.Errorf("Check returns %q, %v, %v, want %v", id, at, err, tc.want)
			}
		})
	}
}

func TestTolerance(t *testing.T) {
	t.Parallel()
	h := signed(t, "evt_1", sentAt, body, secret)
	for _, off := range []time.Duration{5 * time.Minute, -5 * time.Minute} {
		if _, err := verifier(t, sentAt.Add(off), secret).Verify(h, []byte(body)); err != nil {
			t.Errorf("%s off: %v", off, err)
		}
	}
	v := verifier(t, sentAt.Add(2*time.Second), secret)
	v.Tolerance = time.Second
	if _, err := v.Verify(h, []byte(body)); !errors.Is(err, receive.ErrTimestamp) {
		t.Errorf("got %v", err)
	}
}

// A public key must not be taken for a secret: it is known to all, so anyone could sign with it.
func TestPublicKeysAreNotSecrets(t *testing.T) {
	t.Parallel()
	key, err := sign.ParsePublicKey(publicKey(t))
	if err != nil {
		t.Fatal(err)
	}
	forged := string(sign.NewMAC(key).AppendV1(nil, "evt_1", sentAt.Unix(), []byte(body)))
	h := header("evt_1", strconv.FormatInt(sentAt.Unix(), 10), forged)
	if _, err := verifier(t, sentAt, publicKey(t)).Verify(h, []byte(body)); !errors.Is(err, receive.ErrSignature) {
		t.Errorf("got %v", err)
	}
}

func TestOnlySoManySignaturesAreLookedAt(t *testing.T) {
	t.Parallel()
	h := signed(t, "evt_1", sentAt, body, secret)
	junk := "v1," + base64.StdEncoding.EncodeToString(make([]byte, 32)) + " "
	for n, want := range map[int]error{15: nil, 16: receive.ErrSignature} {
		crowded := header("evt_1", h.Get("webhook-timestamp"), strings.Repeat(junk, n)+h.Get("webhook-signature"))
		if _, err := verifier(t, sentAt, secret).Verify(crowded, []byte(body)); !errors.Is(err, want) {
			t.Errorf("behind %d others: %v", n, err)
		}
	}
}

func TestAnyDataIsHandedOnByteForByte(t *testing.T) {
	t.Parallel()
	for _, data := range []string{`null`, `"bare"`, `1.0`, `"\u00e9"`, `{ "a" : [ 1E400 ] }`} {
		t.Run(data, func(t *testing.T) {
			body := `{"type":"a","timestamp":"2026-05-04T01:02:01Z","data":` + data + `}`
			d, err := verifier(t, sentAt, secret).Verify(signed(t, "evt_1", sentAt, body, secret), []byte(body))
			if err != nil || string(d.Data) != data {
				t.Errorf("%s: got %+v, %v", data, d, err)
			}
		})
	}
}

// Secrets that another system made, and Bellwire has imported, are shorter or longer, or without padding.
func TestStandardTakesImportedSecrets(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"whsec_MDEyMzQ1Njc4OWFiY2RlZg==", "whsec_MDEyMzQ1Njc4OWFiY2RlZg", "whsec_" + strings.Repeat("QUJD", 100)} {
		key, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.TrimPrefix(text, "whsec_"), "="))
		if err != nil {
			t.Fatal(err)
		}
		v, err := receive.Standard(text)
		if err != nil {
			t.Fatal(text, err)
		}
		v.Now = func() time.Time { return sentAt }
		signature := string(sign.NewMAC(key).AppendV1(nil, "evt_1", sentAt.Unix(), []byte(body)))
		if _, err := v.Verify(header("evt_1", strconv.FormatInt(sentAt.Unix(), 10), signature), []byte(body)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestStandardRefusesKeys(t *testing.T) {
	t.Parallel()
	for _, keys := range [][]string{nil, {""}, {"secret"}, {secret, "whsec_x"}, {"whpk_x"}, {privateKey}} {
		t.Run(fmt.Sprint(keys), func(t *testing.T) {
			if _, err := receive.Standard(keys...); err == nil {
				t.Errorf("%q is taken", keys)
			}
		})
	}
}

func FuzzVerify(f *testing.F) {
	h := signed(f, "evt_1", sentAt, body, secret, privateKey)
	f.Add("evt_1", h.Get("webhook-timestamp"), h.Get("webhook-signature"), body)
	f.Add("", "", "", "")
	f.Add("a.b", "-1", "v1,, v1 v1a,=", "null")
	f.Add("evt_1", "1777856581", "v1,"+base64.StdEncoding.EncodeToString(make([]byte, ed25519.SignatureSize)), "{}")
	v := verifier(f, sentAt, secret, publicKey(f))
	f.Fuzz(func(t *testing.T, id, timestamp, signatures, body string) {
		h := header(id, timestamp, signatures)
		d, err := v.Verify(h, []byte(body))
		if (err == nil) != (d != nil) {
			t.Fatalf("got %v and %v", d, err)
		}
		known := errors.Is(err, receive.ErrHeader) || errors.Is(err, receive.ErrTimestamp) ||
			errors.Is(err, receive.ErrSignature) || errors.Is(err, receive.ErrBody)
		if err != nil && !known {
			t.Fatalf("an error of no kind: %v", err)
		}
		// Without an ed25519 signature, one by the secret must have been accepted.
		if err == nil && !strings.Contains(signatures, "v1a,") && !strings.Contains(signatures, hmacOf(t, secret, id, timestamp, body)) {
			t.Fatal("there is no signature by the secret")
		}
	})
}

// Without a clock of its own a verifier uses the machine's.
func TestVerifierUsesTheMachinesClock(t *testing.T) {
	t.Parallel()
	v, err := receive.Standard(secret)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(signed(t, "evt_1", time.Now(), body, secret), []byte(body)); err != nil {
		t.Errorf("now: %v", err)
	}
	if _, err := v.Verify(signed(t, "evt_1", time.Now().Add(-time.Hour), body, secret), []byte(body)); !errors.Is(err, receive.ErrTimestamp) {
		t.Errorf("an hour ago: %v", err)
	}
}
