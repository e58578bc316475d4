package dialecttest_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/akkuro"
	"github.com/bellwire/bellwire/internal/dialect/atelio"
	"github.com/bellwire/bellwire/internal/dialect/lemon"
	"github.com/bellwire/bellwire/internal/dialect/standard"
)

// TestImportedSecrets signs with secrets that other systems have made, and compares with a plain HMAC.
func TestImportedSecrets(t *testing.T) {
	t.Parallel()
	const text = "a secret of 2019!"
	sum := func(key, content string) []byte {
		m := hmac.New(sha256.New, []byte(key))
		m.Write([]byte(content))
		return m.Sum(nil)
	}
	at := time.Unix(1_700_000_000, 0)
	event := &bellwire.Event{ID: bellwire.NewID[bellwire.EventKind](at), Type: "a", Data: []byte(`{"n":1}`), CreatedAt: at}
	for _, c := range []struct {
		dialect bellwire.SecretImporter
		good    []string
		header  string
		want    func(body string) string // of the first good one
		refused []string
	}{
		{
			dialect: standard.Dialect{}, header: "webhook-signature",
			good: []string{"whsec_" + strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(text)), "="), "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 512))},
			want: func(body string) string {
				return "v1," + base64.StdEncoding.EncodeToString(sum(text, event.ID.String()+".1700000000."+body))
			},
			refused: []string{text, "whsec_AAAA", "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 513)), "whsec_\n" + base64.StdEncoding.EncodeToString([]byte(text))},
		},
		{
			dialect: lemon.Dialect{}, header: lemon.SignatureHeader, good: []string{text, strings.Repeat("A", 64)},
			want: func(body string) string { return fmt.Sprintf("t=1700000000,v1=%x", sum(text, "1700000000."+body)) },
		},
		{
			dialect: atelio.Dialect{}, header: "Bond-Signature", good: []string{text, "whsec_short"},
			want: func(body string) string { return fmt.Sprintf("v2=%x", sum(text, "1700000000."+body)) },
		},
		{
			dialect: akkuro.Dialect{}, header: "X-Event-Token", good: []string{text, "token/with=signs"},
			want: func(string) string { return text },
		},
	} {
		t.Run(c.dialect.Name(), func(t *testing.T) {
			for _, bad := range append(c.refused, "", "1234567", strings.Repeat("x", 10_000), "line\nbreak", "caf\u00e9-caf\u00e9", " padded with spaces ") {
				if err := c.dialect.CheckImportedSecret(bad); bellwire.CodeOf(err) != bellwire.CodeInvalid || bad != "" && strings.Contains(err.Error(), bad) {
					t.Errorf("%.20q: %v", bad, err)
				}
			}
			for _, good := range c.good {
				if err := c.dialect.CheckImportedSecret(good); err != nil || c.dialect.CheckSecret(good) == nil {
					t.Errorf("%.20q: %v", good, err)
				}
			}
			credentials := &bellwire.Credentials{Secrets: []bellwire.Secret{{Value: c.good[0], Imported: true}}}
			ep := &bellwire.Endpoint{ID: "e", URL: "https://example.com/", Events: []string{"a"}, Signing: bellwire.SigningHMAC, Extra: map[string]string{"path": "/g/events/a"}}
			renderer, err := c.dialect.Bind(ep, credentials)
			if err != nil {
				t.Fatal(err)
			}
			message := &bellwire.Message{Event: event, SentAt: at}
			body, err := renderer.AppendBody(nil, message)
			if err != nil {
				t.Fatal(err)
			}
			headers := make(http.Header)
			renderer.SetHeaders(headers, message, body)
			for _, h := range c.dialect.Headers(credentials) {
				headers[h.Name] = []string{h.Value}
			}
			got := ""
			for name, values := range headers {
				if strings.EqualFold(name, c.header) {
					got = values[0]
				}
			}
			if want := c.want(string(body)); !strings.HasSuffix(got, want) {
				t.Errorf("%s is %q, not %q", c.header, got, want)
			}
		})
	}
}
