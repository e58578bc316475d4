package sign_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/receive/sign"
)

// The first vector is the vendor's, of https://developer.lemon.markets/docs/webhooks-implementation; the second one was
// computed with other tools.
var lemonVectors = []struct {
	secret string
	unix   int64
	body   string
	want   string
}{
	{strings.Repeat("0", 64), 0, "{}", "t=0,v1=3523dcc0013f08dfa1855772441107330218793f399d7452bd3ff2159c6e0285"},
	{
		strings.Repeat("00112233445566778899aabbccddeeff", 2), 1709287200,
		`{"id":"evt_0123456789abcdef0123456789abcdef","type":"account.created","created_at":"2024-03-01T10:00:00.000000+00:00","context":{"account":"cusa_fedcba9876543210fedcba9876543210"}}`,
		"t=1709287200,v1=2ad21dd229f4c87070e52990b93d8e4dd9d58baf1cabe71da4bddf283e28d0b8",
	},
}

func TestLemonOnThePublishedVectors(t *testing.T) {
	t.Parallel()
	for _, v := range lemonVectors {
		mac, err := sign.NewLemonMAC(v.secret)
		if err != nil {
			t.Fatal(err)
		}
		if got := mac.AppendLemon([]byte("x "), v.unix, []byte(v.body)); string(got) != "x "+v.want {
			t.Errorf("got %q, want %q", got, v.want)
		}
	}
}

func TestLemonEqualsPlainHMAC(t *testing.T) {
	t.Parallel()
	r := random(t)
	for range 200 {
		secret := hex.EncodeToString(randomBytes(r, sign.LemonSecretBytes))
		unix := r.Int64N(1 << 40)
		body := randomBytes(r, r.IntN(200))
		plain := hmac.New(sha256.New, []byte(secret))
		plain.Write([]byte(strconv.FormatInt(unix, 10) + "." + string(body)))
		sum := plain.Sum(nil)
		mac, err := sign.NewLemonMAC(secret)
		if err != nil {
			t.Fatal(err)
		}
		want := "t=" + strconv.FormatInt(unix, 10) + ",v1=" + hex.EncodeToString(sum)
		if got := mac.AppendLemon(nil, unix, body); string(got) != want {
			t.Fatalf("got %q, want %q", got, want)
		}
		if !mac.VerifyLemon([][]byte{nil, sum[1:], sum}, unix, body) {
			t.Fatal("what is signed is not verified")
		}
		if mac.VerifyLemon([][]byte{nil, sum[1:]}, unix, body) || mac.VerifyLemon([][]byte{sum}, unix+1, body) ||
			mac.VerifyLemon([][]byte{sum}, unix, append(body, ' ')) {
			t.Fatal("something else is verified")
		}
	}
}

func TestLemonRefusesSecrets(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", strings.Repeat("0", 63), strings.Repeat("0", 65), strings.Repeat("0", 66), strings.Repeat("A", 64), strings.Repeat("g", 64),
		strings.Repeat("0", 63) + "\n", "whsec_" + strings.Repeat("0", 58), strings.Repeat("é", 32),
	} {
		t.Run(text, func(t *testing.T) {
			if mac, err := sign.NewLemonMAC(text); err != sign.ErrLemonSecret || mac != nil {
				t.Errorf("%q: %v", text, err)
			}
		})
	}
}
