package declared

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/verify"
	"github.com/bellwire/bellwire/receive"
)

// delivered is a delivery as a receiver got it.
type delivered struct {
	dialect *Dialect
	secret  bellwire.Secret
	header  http.Header
	body    string
	at      time.Time
}

// deliver makes a delivery of a dialect.
func deliver(t *testing.T, d *Dialect) *delivered {
	t.Helper()
	got := &delivered{dialect: d, secret: newSecret(t, d), header: make(http.Header)}
	m := sampleMessage()
	got.at = m.SentAt
	sent, body, err := request(t, d, m, got.secret)
	if err != nil {
		t.Fatal(err)
	}
	got.body = body
	for name := range sent { // as a server reads them
		got.header.Set(name, sent[name][0])
	}
	for _, header := range d.Headers(&bellwire.Credentials{Secrets: []bellwire.Secret{got.secret}}) {
		got.header.Set(header.Name, header.Value)
	}
	return got
}

// question asks about the delivery, which is verified.
func (g *delivered) question(t *testing.T) verify.Question {
	t.Helper()
	format, err := g.dialect.Format()
	if err != nil {
		t.Fatal(err)
	}
	return verify.Question{
		Dialect: g.dialect.name, Header: g.header.Clone(), Body: []byte(g.body), Secrets: []string{g.secret.Value}, ReceivedAt: g.at.Add(time.Second),
		Format: format, New: func(secrets ...string) (receive.Verifier, error) {
			v, err := g.dialect.Verifier(secrets...)
			if err != nil {
				return nil, err
			}
			v.Tolerance = math.MaxInt64
			return v, nil
		},
	}
}

// wants checks that a question is answered with one mistake, or with none.
func wants(t *testing.T, q verify.Question, mistake verify.Mistake, found string) {
	t.Helper()
	answer, err := verify.Check(q)
	if err != nil {
		t.Error(err)
		return
	}
	for _, secret := range q.Secrets {
		if strings.Contains(fmt.Sprint(answer.Findings), strings.TrimSpace(secret)) {
			t.Errorf("the secret is in %+v", answer.Findings)
		}
	}
	switch {
	case mistake == "" && len(answer.Findings) == 0:
	case len(answer.Findings) != 1 || answer.Findings[0].Mistake != mistake || !strings.Contains(answer.Findings[0].Found, found) || answer.Findings[0].Fix == "":
		t.Errorf("got %+v, want %q with %q", answer.Findings, mistake, found)
	}
}

// TestMistakes makes the usual mistakes with deliveries of declared dialects.
func TestMistakes(t *testing.T) {
	t.Parallel()
	shipped, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	pair := parse(t, `
dialect: pair
body: "{data}"
headers: {X-Id: "{event.id}"}
secret: {form: ed25519, encoding: base64, prefix: pk_}
signatures: [{header: X-Signature, algorithm: ed25519, encoding: base64, content: "{event.id}.{body}"}]
`)
	two := parse(t, `
dialect: two
body: "{data}"
headers: {X-At: "{sent_at:unix_ms}", X-Token: "Token {secret}"}
secret: {form: hex, key: bytes}
signatures:
  - {header: X-Old, algorithm: sha1, encoding: base64, content: "{body}"}
  - {header: X-New, algorithm: sha512, encoding: base64url, content: "{sent_at:unix_ms}{body}{sent_at:unix_ms}"}
`)
	for _, d := range append(shipped, pair, two) {
		if !d.Signs() || d.SignsURL() {
			continue // see TestSignedURL
		}
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			g := deliver(t, d)
			wants(t, g.question(t), "", "")

			q := g.question(t)
			q.Secrets = []string{newSecret(t, d).Value}
			wants(t, q, verify.MistakeSecret, "another secret")
			q.Endpoint = []string{g.secret.Value}
			wants(t, q, verify.MistakeSecret, "it was replaced")

			q = g.question(t)
			q.Secrets = []string{g.secret.Value + "\n"}
			wants(t, q, verify.MistakeSecret, "white space")
			if prefix := d.form.prefix; prefix != "" {
				q.Secrets = []string{strings.TrimPrefix(g.secret.Value, prefix)}
				wants(t, q, verify.MistakeSecret, "without its prefix "+prefix)
			}

			q = g.question(t)
			q.Body = append(q.Body, '\n')
			wants(t, q, verify.MistakeBody, "a line break at the end")
			q.Body = []byte("{}")
			if answer, err := verify.Check(q); err != nil || len(answer.Findings) != 1 {
				t.Errorf("another body: %+v, %v", answer, err)
			}

			q = g.question(t)
			q.Header.Del(d.signatures[0].header)
			wants(t, q, verify.MistakeHeader, d.signatures[0].header)

			q = g.question(t)
			q.ReceivedAt = g.at.Add(time.Hour)
			if d.name == "github" || d.name == "shopify" || d.name == "pair" { // which send no time
				wants(t, q, "", "")
			} else {
				wants(t, q, verify.MistakeTime, "1h0m0s before it was received")
			}
		})
	}
	t.Run("a secret in a header", func(t *testing.T) {
		t.Parallel()
		q := deliver(t, two).question(t)
		q.Header.Set("X-Token", "Token x")
		wants(t, q, verify.MistakeSecret, "X-Token has another secret")
	})
	t.Run("headers of another dialect", func(t *testing.T) {
		t.Parallel()
		q := deliver(t, pair).question(t)
		q.Header = http.Header{"Stripe-Signature": {"t=1,v1=00"}}
		answer, err := verify.Check(q)
		if err != nil || len(answer.Findings) != 1 || !strings.Contains(answer.Findings[0].Fix, "--dialect stripe") {
			t.Errorf("got %+v, %v", answer, err)
		}
	})
}

// TestComputedMistakes makes the usual mistakes in code that computes a signature.
func TestComputedMistakes(t *testing.T) {
	t.Parallel()
	shipped, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	byName := make(map[string]*delivered)
	for _, d := range shipped {
		byName[d.name] = deliver(t, d)
	}
	digest := func(new func() hash.Hash, key []byte, text string) string {
		mac := hmac.New(new, key)
		mac.Write([]byte(text))
		return hex.EncodeToString(mac.Sum(nil))
	}
	slack, stripe, github := byName["slack"], byName["stripe"], byName["github"]
	key := []byte(slack.secret.Value)
	raw, err := hex.DecodeString(slack.secret.Value)
	if err != nil {
		t.Fatal(err)
	}
	unix := fmt.Sprint(slack.at.Unix())
	for _, c := range []struct {
		name     string
		of       *delivered
		computed string
		mistake  verify.Mistake
		found    string
	}{
		{"right", slack, "v0=" + digest(sha256.New, key, "v0:"+unix+":"+slack.body), "", ""},
		{"body alone", slack, digest(sha256.New, key, slack.body), verify.MistakeContent, "only the body"},
		{"no version", slack, digest(sha256.New, key, unix+":"+slack.body), verify.MistakeContent, `does not have "v0:"`},
		{"no time", slack, digest(sha256.New, key, "v0:"+slack.body), verify.MistakeContent, `does not have {sent_at} and ":"`},
		{"no colons", slack, digest(sha256.New, key, unix+slack.body), verify.MistakeContent, "none of its fixed parts"},
		{"milliseconds", slack, digest(sha256.New, key, "v0:"+unix+"000:"+slack.body), verify.MistakeContent, "in milliseconds"},
		{"receiver's time", slack, digest(sha256.New, key, fmt.Sprintf("v0:%d:", slack.at.Unix()+1)+slack.body), verify.MistakeContent, "at which the delivery was received"},
		{"decoded secret", slack, digest(sha256.New, raw, "v0:"+unix+":"+slack.body), verify.MistakeSecret, "decoded as hex"},
		{"encoded again", slack, digest(sha256.New, key, "v0:"+unix+":"+strings.ReplaceAll(slack.body, ",", ", ")), verify.MistakeContent, "none of the usual"},
		{"another", slack, strings.Repeat("0", 64), verify.MistakeContent, "none of the usual"},
		{"stripe's key without prefix", stripe, digest(sha256.New, []byte(strings.TrimPrefix(stripe.secret.Value, "whsec_")), fmt.Sprint(stripe.at.Unix(), ".")+stripe.body), verify.MistakeSecret, "after its prefix"},
		{"the older header", github, "sha1=" + digest(sha1.New, []byte(github.secret.Value), github.body), "", ""},
		{"base64", github, base64.StdEncoding.EncodeToString(func() []byte {
			mac := hmac.New(sha256.New, []byte(github.secret.Value))
			mac.Write([]byte(github.body))
			return mac.Sum(nil)
		}()), "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			q := c.of.question(t)
			q.Computed = c.computed
			wants(t, q, c.mistake, c.found)
		})
	}
	q := slack.question(t)
	q.Computed = "abc"
	if _, err := verify.Check(q); err == nil || !strings.Contains(err.Error(), "32 bytes") {
		t.Errorf("a signature of another size: %v", err)
	}
}

// TestSignedURL takes another URL for that of the receiver, whose dialect signs it with the fields of a form.
func TestSignedURL(t *testing.T) {
	t.Parallel()
	shipped, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(shipped, (*Dialect).SignsURL)
	g := deliver(t, shipped[i])
	const scheme = "https"
	own := sampleEndpoint().URL
	if !strings.HasPrefix(own, scheme+"://") {
		t.Fatalf("the sample has the URL %s", own)
	}
	for _, c := range []struct{ url, found string }{
		{own, ""},
		{strings.Replace(own, scheme, "http", 1), "{endpoint.url} in the signed text is the URL with https"},
		{own + "?more=1", "the URL without its query"},
		{own + "/", "the URL without the slash at its end"},
		{"https://example.net/", "another secret"},
	} {
		g.dialect = shipped[i].ReceivedAt(c.url)
		mistake := verify.MistakeContent
		switch c.found {
		case "":
			mistake = ""
		case "another secret":
			mistake = verify.MistakeSecret
		}
		wants(t, g.question(t), mistake, c.found)
	}
	g.dialect = shipped[i].ReceivedAt(own)
	for _, body := range []string{g.body + "&More=1", strings.Replace(g.body, "&", "&Data=x&", 1), "{}", strings.ReplaceAll(g.body, "%", "%%")} {
		q := g.question(t)
		q.Body = []byte(body)
		wants(t, q, verify.MistakeBody, "the body is not a message of this dialect")
	}
	q := g.question(t)
	q.Body = []byte(strings.Replace(g.body, "Data=", "Data=x", 1))
	wants(t, q, verify.MistakeSecret, "another secret")
}
