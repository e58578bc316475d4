package sign_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/receive/sign"
)

// The vectors were computed with other tools (Python's hmac) from Bluefin's own samples of the scheme.
func TestPayConexVectors(t *testing.T) {
	t.Parallel()
	const (
		secret = "fedcba9876543210fedcba9876543210"
		path   = "/api/v4/accounts/123456789012/webhooks"
		at     = "1709287200"
	)
	nonce := strings.Repeat("ab", 32)
	for _, v := range []struct{ method, target, body, want string }{
		{
			"POST", path, `{"url":"https://hooks.example.test/pcx","event":"ACCOUNT_UPDATER_BATCH_UPDATES"}`,
			"1472c4b2bd26c24a68d9c1440a4474a4c11839f274c16efe202e04271beff2cd",
		},
		{"GET", path, "", "f368609c9389c377cb9020d3a3045f187a40d42bceefd1b20f0c5793b9b613e6"},
	} {
		if got := hex.EncodeToString(sign.PayConex(secret, v.method, v.target, nonce, at, []byte(v.body))); got != v.want {
			t.Errorf("%s %s: %s, want %s", v.method, v.target, got, v.want)
		}
	}
}

// Every part of a request changes the signature.
func TestPayConexCoversAll(t *testing.T) {
	t.Parallel()
	seen := map[string][]string{}
	for _, v := range [][]string{
		{"s", "GET", "/a", "n", "1", ""}, {"S", "GET", "/a", "n", "1", ""}, {"s", "HEAD", "/a", "n", "1", ""},
		{"s", "GET", "/a?page=2", "n", "1", ""}, {"s", "GET", "/A", "n", "1", ""}, {"s", "GET", "/a", "N", "1", ""},
		{"s", "GET", "/a", "n", "01", ""}, {"s", "GET", "/a", "n", "1", "{}"}, {"s", "GET", "/a", "n", "1", "{} "},
	} {
		t.Run(fmt.Sprint(v), func(t *testing.T) {
			sum := string(sign.PayConex(v[0], v[1], v[2], v[3], v[4], []byte(v[5])))
			if other, taken := seen[sum]; taken {
				t.Errorf("%q and %q are signed alike", v, other)
			}
			seen[sum] = v
		})
	}
}
