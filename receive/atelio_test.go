package receive_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/receive"
)

const (
	atelioSecret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
	atelioBody   = `{"event": "kyc.verification.success", "customer_id": "11111111-2222-4333-8444-555555555555", "occurred_at": "2024-03-01T10:00:00.000000+00:00"}`
	atelioDigest = "6cfb888092004fa439581941e2dda3911f2e3387ed5de1554f162bf5503fd437"
)

var atelioNow = time.Unix(1709287260, 0)

func signatureHeader(value string) http.Header { return http.Header{"Bond-Signature": {value}} }

// A delivery of Atelio's is known by what happened and when: it has no id.
func ExampleAtelio() {
	verifier, err := receive.Atelio("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX")
	if err != nil {
		panic(err)
	}
	header := http.Header{}
	header.Set("Bond-Signature", "t=1709287200,v1="+atelioDigest+",v2="+atelioDigest)
	body := []byte(`{"event": "kyc.verification.success", "customer_id": "11111111-2222-4333-8444-555555555555", "occurred_at": "2024-03-01T10:00:00.000000+00:00"}`)
	verifier.Now = func() time.Time { return time.Unix(1709287260, 0) } // so that this old delivery is accepted

	d, err := verifier.Verify(header, body)
	if err != nil {
		panic(err)
	}
	fmt.Println(d.Type, d.Timestamp.UTC(), string(d.Data))
	// Output:
	// kyc.verification.success 2024-03-01 10:00:00 +0000 UTC {"customer_id": "11111111-2222-4333-8444-555555555555"}
}

func TestAtelio(t *testing.T) {
	t.Parallel()
	compact := strings.NewReplacer(": ", ":", ", ", ",").Replace(atelioBody)
	const compactV2 = "4f7804963bab42ee3c9a74a89f68d0c2e8a4016e7468e51989b7a42836c858d7"
	for _, c := range []struct {
		name, header, body string
		at                 time.Time
		want               error
	}{
		{"both", "t=1709287200,v1=" + atelioDigest + ",v2=" + atelioDigest, atelioBody, atelioNow, nil},
		{"v1 alone", "t=1709287200,v1=" + atelioDigest, atelioBody, atelioNow, nil},
		{"v2 alone, and of the future", "t=1709287200, v2=" + atelioDigest + ",v3=x", atelioBody, atelioNow, nil},
		{"compact", "t=1709287200,v1=" + atelioDigest + ",v2=" + compactV2, compact, atelioNow, nil},
		{"compact, v1 alone", "t=1709287200,v1=" + atelioDigest, compact, atelioNow, nil},
		{"v2 decides", "t=1709287200,v1=" + atelioDigest + ",v2=" + atelioDigest, compact, atelioNow, receive.ErrSignature},
		{"bad v2", "t=1709287200,v1=" + atelioDigest + ",v2=00", atelioBody, atelioNow, receive.ErrSignature},
		{"changed", "t=1709287200,v1=" + atelioDigest + ",v2=" + atelioDigest, atelioBody + " ", atelioNow, receive.ErrSignature},
		{"no JSON by v1", "t=1709287200,v1=" + atelioDigest, atelioBody + "}", atelioNow, receive.ErrSignature},
		{"another time", "t=1709287201,v2=" + atelioDigest, atelioBody, atelioNow, receive.ErrSignature},
		{"old", "t=1709287200,v2=" + atelioDigest, atelioBody, atelioNow.Add(5 * time.Minute), receive.ErrTimestamp},
		{"of the future", "t=1709287200,v2=" + atelioDigest, atelioBody, atelioNow.Add(-7 * time.Minute), receive.ErrTimestamp},
		{"no header", "", atelioBody, atelioNow, receive.ErrHeader},
		{"no time", "v2=" + atelioDigest, atelioBody, atelioNow, receive.ErrHeader},
		{"no signature", "t=1709287200", atelioBody, atelioNow, receive.ErrHeader},
		{"two", "t=1709287200,v2=" + atelioDigest + ",v2=" + atelioDigest, atelioBody, atelioNow, receive.ErrHeader},
		{"two times", "t=1709287200,t=1709287200,v2=" + atelioDigest, atelioBody, atelioNow, receive.ErrHeader},
		{"odd time", "t=01709287200,v2=" + atelioDigest, atelioBody, atelioNow, receive.ErrHeader},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v, err := receive.Atelio("whsec_BBECAwQFBgcICQoLDA0ODxAREhMUFRYX", atelioSecret)
			if err != nil {
				t.Fatal(err)
			}
			v.Now = func() time.Time { return c.at }
			d, err := v.Verify(signatureHeader(c.header), []byte(c.body))
			if !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Fatalf("%v, want %v", err, c.want)
			}
			if c.want == nil && (d.Type != "kyc.verification.success" || d.Timestamp.Unix() != 1709287200 || d.SentAt.Unix() != 1709287200) {
				t.Errorf("%+v", d)
			}
		})
	}
	for _, secrets := range [][]string{nil, {""}, {"whsec_"}, {"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX\n"}} {
		t.Run(fmt.Sprint(secrets), func(t *testing.T) {
			if _, err := receive.Atelio(secrets...); err == nil {
				t.Errorf("%q is taken for secrets", secrets)
			}
		})
	}
}

// FuzzAtelio makes sure that no header is taken for a good one, and that none ends the receiver.
func FuzzAtelio(f *testing.F) {
	for _, header := range []string{
		"t=1709287200,v1=" + atelioDigest + ",v2=" + atelioDigest, "t=,v1=,v2=", "t=-1,v2=00", "v1", "=,=,", "t=1709287200,v2=" + strings.ToUpper(atelioDigest),
	} {
		f.Add(header, atelioBody)
	}
	f.Add("t=1709287200,v1=00", `{"a":"\ud800`)
	v, err := receive.Atelio(atelioSecret)
	if err != nil {
		f.Fatal(err)
	}
	v.Now = func() time.Time { return atelioNow }
	f.Fuzz(func(t *testing.T, header, body string) {
		d, err := v.Verify(signatureHeader(header), []byte(body))
		if err == nil && (!strings.Contains(strings.ToLower(header), atelioDigest) || d.Type != "kyc.verification.success") {
			t.Errorf("%q is taken as the signature of %q", header, body)
		}
	})
}
