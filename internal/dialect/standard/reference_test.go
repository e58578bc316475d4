package standard_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/receive"
	"github.com/bellwire/bellwire/receive/sign"
)

// The reference library and the server make the same signatures, and package receive verifies both.
func TestSignaturesOfTheReferenceLibrary(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), sign.MinSecret, sign.MaxSecret).Draw(t, "key")
		id := rapid.StringMatching(`[^.]+`).Draw(t, "id")
		at := time.Unix(rapid.Int64Range(0, 1<<38).Draw(t, "unix"), 0)
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		reference, err := standardwebhooks.NewWebhookRaw(key)
		if err != nil {
			t.Fatal(err)
		}
		want, err := reference.Sign(id, at, body)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(sign.NewMAC(key).AppendV1(nil, id, at.Unix(), body)); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
		verifier, err := receive.Standard(sign.FormatSecret(key))
		if err != nil {
			t.Fatal(err)
		}
		verifier.Now = func() time.Time { return at }
		h := http.Header{}
		h.Set("webhook-id", id)
		h.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
		h.Set("webhook-signature", want)
		if got, sentAt, err := verifier.Check(h, body); err != nil || got != id || !sentAt.Equal(at) {
			t.Fatalf("got %q, %s, %v", got, sentAt, err)
		}
	})
}
