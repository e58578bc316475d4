package verify_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/verify"
	"github.com/bellwire/bellwire/receive"
	"github.com/bellwire/bellwire/receive/sign"
)

const (
	id   = "evt_0198c7a3f2e47d0a9b1c2d3e4f506172"
	unix = int64(1709287200)
)

var (
	rawKey      = []byte("a key? of 32 bytes for the tests")
	otherRawKey = []byte("another key of 32 bytes for test")
	private     = ed25519.NewKeyFromSeed(rawKey)
	public      = sign.FormatPublicKey(private.Public().(ed25519.PublicKey))
	otherPublic = sign.FormatPublicKey(ed25519.NewKeyFromSeed(otherRawKey).Public().(ed25519.PublicKey))
)

// signing is a dialect that signs.
type signing struct {
	name, secret, other string
	body                string
	send                func(body []byte) http.Header
	open                func(secrets ...string) (receive.Verifier, error)
	text                string // what the computed signature is of, before the body
	key                 []byte
}

var dialects = []signing{
	{
		name: "standard", secret: sign.FormatSecret(rawKey), other: sign.FormatSecret(otherRawKey), key: rawKey,
		body: `{"type":"order.created","timestamp":"2024-03-01T09:59:59.5Z","data":{"id":9007199254740993,"amount":1.00,"name":"Zoë <b>","path":"a/b"}}`,
		text: fmt.Sprintf("%s.%d.", id, unix),
		send: func(body []byte) http.Header { return standardHeader(rawKey, body) },
		open: func(secrets ...string) (receive.Verifier, error) { return receive.Standard(secrets...) },
	},
	{
		name: "lemon", secret: hex.EncodeToString(rawKey), other: hex.EncodeToString(otherRawKey), key: []byte(hex.EncodeToString(rawKey)),
		body: `{"id":"evt_1","type":"account.created","created_at":"2024-03-01T09:59:59.500000+00:00","context":{"account":"cusa_1","name":"Zoë <b>","path":"a/b"}}`,
		text: fmt.Sprintf("%d.", unix),
		send: func(body []byte) http.Header {
			return http.Header{"Lmg-Signature": {string(sign.NewMAC([]byte(hex.EncodeToString(rawKey))).AppendLemon(nil, unix, body))}}
		},
		open: func(secrets ...string) (receive.Verifier, error) { return receive.Lemon(secrets...) },
	},
	{
		name: "atelio", secret: sign.FormatSecret(rawKey), other: sign.FormatSecret(otherRawKey), key: []byte(sign.FormatSecret(rawKey)),
		body: `{"event": "card.created", "card_id": "c_1", "name": "Zo\u00eb <b>", "path": "a/b", "occurred_at": "2024-03-01T09:59:59.500000+00:00"}`,
		text: fmt.Sprintf("%d.", unix),
		send: func(body []byte) http.Header {
			return http.Header{"Bond-Signature": {string(sign.NewMAC([]byte(sign.FormatSecret(rawKey))).AppendBond(nil, unix, body))}}
		},
		open: func(secrets ...string) (receive.Verifier, error) { return receive.Atelio(secrets...) },
	},
}

func standardHeader(key, body []byte) http.Header {
	return http.Header{
		"Webhook-Id":        {id},
		"Webhook-Timestamp": {strconv.FormatInt(unix, 10)},
		"Webhook-Signature": {string(sign.NewMAC(key).AppendV1(nil, id, unix, body))},
	}
}

// question returns a delivery that is verified.
func (d *signing) question() verify.Question {
	return verify.Question{
		Dialect: d.name, Header: d.send([]byte(d.body)), Body: []byte(d.body), Secrets: []string{d.secret},
		ReceivedAt: time.Unix(unix+2, 0), New: d.open,
	}
}

// check returns the only mistake, or an empty one. No text may have a secret.
func check(t *testing.T, q verify.Question) verify.Finding {
	t.Helper()
	answer, err := verify.Check(q)
	if err != nil {
		t.Fatal(err)
	}
	texts := fmt.Sprint(answer.Findings)
	for _, secret := range append(q.Secrets, q.Endpoint...) {
		if bare := strings.Trim(strings.TrimPrefix(secret, sign.SecretPrefix), "\n "); len(bare) > 6 && strings.Contains(texts, bare) {
			t.Errorf("a secret is in %s", texts)
		}
	}
	if len(answer.Findings) > 1 {
		t.Errorf("several mistakes: %+v", answer.Findings)
	}
	if len(answer.Findings) == 0 {
		return verify.Finding{}
	}
	if answer.Findings[0].Fix == "" {
		t.Errorf("no fix: %+v", answer.Findings)
	}
	return answer.Findings[0]
}

// wants compares a finding with a mistake, and a part of what was found.
func wants(t *testing.T, got verify.Finding, mistake verify.Mistake, found string) {
	t.Helper()
	if got.Mistake != mistake || !strings.Contains(got.Found, found) {
		t.Errorf("got %q, %q; want %q, %q", got.Mistake, got.Found, mistake, found)
	}
}

// Each of the five usual mistakes is named in each dialect that signs.
func TestMistakes(t *testing.T) {
	t.Parallel()
	for _, d := range dialects {
		for _, c := range []struct {
			name    string
			change  func(q *verify.Question)
			mistake verify.Mistake
			found   string
		}{
			{"none", func(*verify.Question) {}, "", ""},
			{"two secrets", func(q *verify.Question) { q.Secrets = []string{d.other, d.secret} }, "", ""},
			{"endpoint's secret", func(q *verify.Question) { q.Secrets, q.Endpoint = nil, []string{d.secret} }, "", ""},

			{"other secret", func(q *verify.Question) { q.Secrets = []string{d.other} }, verify.MistakeSecret, "most likely made with another secret"},
			{"replaced secret", func(q *verify.Question) { q.Secrets, q.Endpoint = []string{d.other}, []string{d.secret} }, verify.MistakeSecret, "was replaced, has expired"},
			{"line break after secret", func(q *verify.Question) { q.Secrets = []string{d.secret + "\n"} }, verify.MistakeSecret, "white space or quotes"},
			{"quoted secret", func(q *verify.Question) { q.Secrets = []string{`"` + d.secret + `"`} }, verify.MistakeSecret, "white space or quotes"},
			{"malformed secret", func(q *verify.Question) { q.Secrets = []string{"hunter2"} }, verify.MistakeSecret, "secret must b"},

			{"line break after body", func(q *verify.Question) { q.Body = append(q.Body, '\n') }, verify.MistakeBody, "line break at the end of the body was not signed"},
			{"CRLF after body", func(q *verify.Question) { q.Body = append(q.Body, "\r\n"...) }, verify.MistakeBody, "line break at the end of the body was not signed"},
			{"byte order mark", func(q *verify.Question) { q.Body = append([]byte("\xef\xbb\xbf"), q.Body...) }, verify.MistakeBody, "byte order mark"},
			{"pretty printed", func(q *verify.Question) { q.Body = pretty(q.Body) }, verify.MistakeBody, "parsed and encoded again"},
			{"in base64", func(q *verify.Question) { q.Body = base64.StdEncoding.AppendEncode(nil, q.Body) }, verify.MistakeBody, "base64"},
			{"JSON string", func(q *verify.Question) { q.Body, _ = json.Marshal(string(q.Body)) }, verify.MistakeBody, "JSON string"},
			{"empty", func(q *verify.Question) { q.Body = nil }, verify.MistakeBody, "empty"},
			{"not JSON", func(q *verify.Question) { q.Body = []byte("[object Object]") }, verify.MistakeBody, "not JSON"},
			{"cut off", func(q *verify.Question) { q.Body = q.Body[:20] }, verify.MistakeBody, "not JSON"},
			{"other length", func(q *verify.Question) {
				q.Body = []byte(`{"a":1}`)
				q.Header.Set("Content-Length", "123")
			}, verify.MistakeBody, "7 bytes, but 123"},
			{"other data", func(q *verify.Question) {
				q.Body, q.Endpoint = bytes.ReplaceAll(q.Body, []byte("a/b"), []byte("a/c")), q.Secrets
			}, verify.MistakeBody, "none of the endpoint's secrets"},

			{"too old", func(q *verify.Question) { q.ReceivedAt = time.Unix(unix+301, 0) }, verify.MistakeTime, "5m1s before"},
			{"old enough", func(q *verify.Question) { q.ReceivedAt = time.Unix(unix+300, 0) }, "", ""},
			{"in the future", func(q *verify.Question) { q.ReceivedAt = time.Unix(unix-3600, 0) }, verify.MistakeTime, "1h0m0s after"},

			{"no headers", func(q *verify.Question) { q.Header = http.Header{} }, verify.MistakeHeader, ""},
		} {
			t.Run(d.name+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				q := d.question()
				c.change(&q)
				wants(t, check(t, q), c.mistake, c.found)
			})
		}
	}
}

func pretty(body []byte) []byte {
	var b bytes.Buffer
	json.Indent(&b, body, "", "  ")
	return b.Bytes()
}

// A body is recognized after the encoders of several languages, if they keep its numbers.
func TestBodiesOfEncoders(t *testing.T) {
	t.Parallel()
	d := dialects[0]
	const head = `{"type":"order.created","timestamp":"2024-03-01T09:59:59.5Z","data":`
	for _, c := range []struct{ name, signed, given string }{
		{"JSON.stringify", head + `{"a": "x", "b": [1, 2]}}`, head + `{"a":"x","b":[1,2]}}`},
		{"Go map", head + `{"a":"x"}}`, `{"data":{"a":"x"},"timestamp":"2024-03-01T09:59:59.5Z","type":"order.created"}`},
		{"Go map of spaced data", head + `{"a": "x"}}`, `{"data":{"a":"x"},"timestamp":"2024-03-01T09:59:59.5Z","type":"order.created"}`},
		{"Go HTML escapes", head + `{"a":"<&>"}}`, head + `{"a":"\u003c\u0026\u003e"}}`},
		{"signed HTML escapes", head + `{"a":"\u003c\u0026\u003e"}}`, head + `{"a":"<&>"}}`},
		{"json.dumps", head + `{"a":"é","b":1}}`, string(sign.AppendPython(nil, []byte(head+`{"a":"é","b":1}}`)))},
		{"PHP", head + `{"a":"é/x"}}`, head + `{"a":"\u00e9\/x"}}`},
		{"signed by PHP", head + `{"a":"\u00e9\/x"}}`, head + `{"a":"é/x"}}`},
		{"signed ASCII", head + `{"a":"\u00e9"}}`, head + `{"a":"é"}}`},
		{"signed pretty data", head + "{\n  \"a\": \"x\"\n}}", head + `{"a":"x"}}`},
		{"LF for CRLF", head + "{\r\n\"a\":\"x\"\r\n}}", head + "{\n\"a\":\"x\"\n}}"},
		{"CRLF for LF", head + "{\n\"a\":\"x\"\n}}", head + "{\r\n\"a\":\"x\"\r\n}}"},
		{"signed line break", head + "{}}\n", head + "{}}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			q := d.question()
			q.Header, q.Body = d.send([]byte(c.signed)), []byte(c.given)
			got := check(t, q)
			if got.Mistake != verify.MistakeBody || strings.HasPrefix(got.Found, "the body is printed") {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// Forms of a secret that belong to one dialect.
func TestFormsOfSecrets(t *testing.T) {
	t.Parallel()
	standard, lemon, atelio := dialects[0], dialects[1], dialects[2]
	bare := strings.TrimPrefix(standard.secret, sign.SecretPrefix)
	for _, c := range []struct {
		name   string
		of     signing
		secret string
		found  string
	}{
		{"without prefix", standard, bare, "without its prefix"},
		{"without prefix and padding", standard, strings.TrimRight(bare, "="), "without its prefix"},
		{"unpadded, in quotes", standard, `"` + strings.TrimRight(standard.secret, "=") + `"`, "around"},
		{"with v1", standard, "v1," + standard.secret, `"v1,"`},
		{"in the alphabet of URLs", standard, strings.NewReplacer("+", "-", "/", "_").Replace(standard.secret), "alphabet"},
		{"upper case", lemon, strings.ToUpper(lemon.secret), "lower case"},
		{"with prefix", lemon, sign.SecretPrefix + lemon.secret, "whsec_"},
		{"without prefix", atelio, bare, "without its prefix"},
	} {
		t.Run(c.of.name+"/"+c.name, func(t *testing.T) {
			t.Parallel()
			q := c.of.question()
			q.Secrets = []string{c.secret}
			wants(t, check(t, q), verify.MistakeSecret, c.found)
		})
	}
}

// The mistake in the receiver's own code shows in the signature that it computes.
func TestComputed(t *testing.T) {
	t.Parallel()
	for _, d := range dialects {
		bare := strings.TrimPrefix(d.secret, sign.SecretPrefix)
		for _, c := range []struct {
			name       string
			key        []byte
			text, body string
			mistake    verify.Mistake
		}{
			{"right", d.key, d.text, d.body, ""},
			{"other key", otherRawKey, d.text, d.body, verify.MistakeContent},
			{"wrongly decoded key", map[string][]byte{"standard": []byte(d.secret), "lemon": rawKey, "atelio": rawKey}[d.name], d.text, d.body, verify.MistakeSecret},
			{"key without prefix", map[string][]byte{"standard": []byte(bare), "lemon": rawKey, "atelio": []byte(bare)}[d.name], d.text, d.body, verify.MistakeSecret},
			{"pretty printed", d.key, d.text, string(pretty([]byte(d.body))), verify.MistakeBody},
			{"only the body", d.key, "", d.body, verify.MistakeContent},
			{"milliseconds", d.key, strings.Replace(d.text, fmt.Sprintf("%d.", unix), fmt.Sprintf("%d000.", unix), 1), d.body, verify.MistakeContent},
			{"time of reception", d.key, strings.Replace(d.text, strconv.FormatInt(unix, 10), strconv.FormatInt(unix+2, 10), 1), d.body, verify.MistakeContent},
			{"time of the event", d.key, strings.Replace(d.text, strconv.FormatInt(unix, 10), strconv.FormatInt(unix-1, 10), 1), d.body, verify.MistakeContent},
		} {
			t.Run(d.name+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				q := d.question()
				mac := hmac.New(sha256.New, c.key)
				fmt.Fprintf(mac, "%s%s", c.text, c.body)
				for _, q.Computed = range []string{hex.EncodeToString(mac.Sum(nil)), "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))} {
					wants(t, check(t, q), c.mistake, "")
				}
			})
		}
	}
}

func TestComputedOfStandard(t *testing.T) {
	t.Parallel()
	d := dialects[0]
	for text, found := range map[string]string{
		fmt.Sprintf("%d.", unix):           "no webhook-id",
		id + ".":                           "no webhook-timestamp",
		fmt.Sprintf("%d.%s.", unix, id):    "wrong order",
		fmt.Sprintf("%s%d", id, unix):      "no full stops",
		fmt.Sprintf("%s.%d000.", id, unix): "milliseconds",
	} {
		t.Run(found, func(t *testing.T) {
			t.Parallel()
			q := d.question()
			mac := hmac.New(sha256.New, d.key)
			fmt.Fprintf(mac, "%s%s", text, d.body)
			q.Computed = hex.EncodeToString(mac.Sum(nil))
			wants(t, check(t, q), verify.MistakeContent, found)
		})
	}
	q := d.question()
	for _, q.Computed = range []string{"hunter2", "v1,", "00"} {
		if answer, err := verify.Check(q); err == nil {
			t.Errorf("computed %q: %+v", q.Computed, answer)
		}
	}
}

// What is before the body in the signed text can be wrong in the request too: something replaced a header.
func TestReplacedHeaders(t *testing.T) {
	t.Parallel()
	standard, lemon := dialects[0], dialects[1]
	q := standard.question()
	q.Header["Webhook-Id"] = []string{"proxy-1", id}
	wants(t, check(t, q), verify.MistakeContent, "several headers webhook-id")

	q = standard.question()
	q.Header.Set("Date", time.Unix(unix, 0).UTC().Format(http.TimeFormat))
	q.Header.Set("Webhook-Timestamp", strconv.FormatInt(unix+1, 10))
	wants(t, check(t, q), verify.MistakeContent, "header Date")

	q = lemon.question()
	q.Header.Set("Date", time.Unix(unix, 0).UTC().Format(http.TimeFormat))
	q.Header.Set("LMG-Signature", strings.Replace(q.Header.Get("LMG-Signature"), "t=1709287200", "t=1709287201", 1))
	wants(t, check(t, q), verify.MistakeContent, "header Date")
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		of         signing
		change     func(h http.Header)
		found, fix string
	}{
		{"no id", dialects[0], func(h http.Header) { h.Del("Webhook-Id") }, "webhook-id", "proxy"},
		{"no timestamp", dialects[0], func(h http.Header) { h.Del("Webhook-Timestamp") }, "webhook-timestamp", "proxy"},
		{"milliseconds", dialects[0], func(h http.Header) { h.Set("Webhook-Timestamp", "1709287200000") }, "webhook-timestamp", "milliseconds"},
		{"no version", dialects[0], func(h http.Header) { h.Set("Webhook-Signature", h.Get("Webhook-Signature")[3:]) }, "webhook-signature", "version before the comma"},
		{"CGI", dialects[0], func(h http.Header) { h["HTTP_WEBHOOK_ID"] = h["Webhook-Id"]; h.Del("Webhook-Id") }, "webhook-id", "HTTP_WEBHOOK_ID"},
		{"svix", dialects[0], func(h http.Header) { h["Svix-Id"] = h["Webhook-Id"]; h.Del("Webhook-Id") }, "webhook-id", "Svix-Id"},
		{"other dialect", dialects[0], func(h http.Header) { clear(h); h.Set("LMG-Signature", "t=1,v1=00") }, "webhook-id", "--dialect lemon"},
		{"no t", dialects[1], func(h http.Header) { h.Set("LMG-Signature", h.Get("LMG-Signature")[13:]) }, "must have t and v1", "proxy"},
		{"t of milliseconds", dialects[1], func(h http.Header) { h.Set("LMG-Signature", "t=1709287200000,v1=00") }, "number of seconds", "proxy"},
		{"no t", dialects[2], func(h http.Header) { h.Set("Bond-Signature", h.Get("Bond-Signature")[13:]) }, "must have t", "proxy"},
		{"t twice", dialects[2], func(h http.Header) { h.Set("Bond-Signature", "t=1,t=1") }, "once", "proxy"},
	} {
		t.Run(c.of.name+"/"+c.name, func(t *testing.T) {
			t.Parallel()
			q := c.of.question()
			c.change(q.Header)
			got := check(t, q)
			wants(t, got, verify.MistakeHeader, c.found)
			if !strings.Contains(got.Fix, c.fix) {
				t.Errorf("the fix is %q, want %q", got.Fix, c.fix)
			}
		})
	}
}

// Public keys verify v1a, and only that.
func TestPublicKeys(t *testing.T) {
	t.Parallel()
	d := dialects[0]
	v1a := string(sign.AppendV1a(nil, private, id, unix, []byte(d.body)))
	for _, c := range []struct {
		name, signature, secret string
		mistake                 verify.Mistake
		found                   string
	}{
		{"right", v1a, public, "", ""},
		{"spaced", v1a, public + " ", verify.MistakeSecret, "white space"},
		{"other", v1a, otherPublic, verify.MistakeSecret, "another secret"},
		{"secret for v1a", v1a, d.secret, verify.MistakeSecret, "ed25519 (v1a) only"},
		{"key for v1", d.question().Header.Get("Webhook-Signature"), public, verify.MistakeSecret, "HMAC (v1) only"},
		{"key with line break in body", v1a, public, verify.MistakeBody, "line break"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			q := d.question()
			q.Secrets = []string{c.secret}
			q.Header.Set("Webhook-Signature", c.signature)
			if c.mistake == verify.MistakeBody {
				q.Body = append(q.Body, '\n')
			}
			wants(t, check(t, q), c.mistake, c.found)
		})
	}
}

// Two mistakes at a time are found, and one beside an old timestamp.
func TestSeveralMistakes(t *testing.T) {
	t.Parallel()
	q := dialects[0].question()
	q.Secrets = []string{q.Secrets[0] + "\n"}
	q.Body = append(q.Body, '\n')
	q.ReceivedAt = q.ReceivedAt.Add(time.Hour)
	answer, err := verify.Check(q)
	if err != nil {
		t.Fatal(err)
	}
	var got []verify.Mistake
	for _, finding := range answer.Findings {
		got = append(got, finding.Mistake)
	}
	if fmt.Sprint(got) != "[secret body timestamp]" || !answer.SentAt.Equal(time.Unix(unix, 0)) {
		t.Errorf("got %v at %s", got, answer.SentAt)
	}
}

// Atelio's v1 counts if there is no v2. It is of the text that Python makes of the body, so that a changed encoding changes nothing.
func TestAtelioV1(t *testing.T) {
	t.Parallel()
	q := dialects[2].question()
	v1, _, _ := strings.Cut(q.Header.Get("Bond-Signature"), ",v2=")
	q.Header.Set("Bond-Signature", v1)
	q.Body = pretty(q.Body)
	wants(t, check(t, q), "", "")
	q.Body = append([]byte("\xef\xbb\xbf"), q.Body...)
	wants(t, check(t, q), verify.MistakeBody, "byte order mark")
}

// Dialects that do not sign have a token.
func TestTokens(t *testing.T) {
	t.Parallel()
	akkuro := verify.Question{
		Dialect: "akkuro", Header: http.Header{"X-Event-Token": {"a-token"}}, Secrets: []string{"a-token"},
		Body: []byte(`{"meta":{"id":"1","eventName":"a","occurredOn":"2024-03-01T09:59:59Z"},"data":{}}`),
		New:  func(secrets ...string) (receive.Verifier, error) { return receive.Akkuro(secrets...) },
	}
	azakaw := verify.Question{
		Dialect: "azakaw", Header: http.Header{"X-Api-Key": {"a-token"}}, Secrets: []string{"a-token"}, Body: []byte(`{"Type":"a"}`),
		New: func(secrets ...string) (receive.Verifier, error) { return receive.AzakawAPIKey("", secrets...) },
	}
	bluefin := verify.Question{
		Dialect: "bluefin", Header: http.Header{}, Secrets: []string{"a-token"}, Body: []byte(`{"id":"1","wbhid":"a-token","event":"E","payload":{}}`),
		New: func(secrets ...string) (receive.Verifier, error) { return receive.Bluefin(secrets...) },
	}
	for _, q := range []verify.Question{akkuro, azakaw, bluefin} {
		for _, c := range []struct {
			name     string
			secrets  []string
			endpoint []string
			body     string
			mistake  verify.Mistake
			found    string
		}{
			{"right", []string{"a-token"}, nil, "", "", ""},
			{"one of two", []string{"other", "a-token"}, nil, "", "", ""},
			{"other", []string{"other"}, nil, "", verify.MistakeSecret, "is not"},
			{"replaced", []string{"other"}, []string{"a-token"}, "", verify.MistakeSecret, "was replaced"},
			{"line break", []string{"a-token\n"}, nil, "", verify.MistakeSecret, "white space"},
			{"body", []string{"a-token"}, nil, "x", verify.MistakeBody, "not a message"},
		} {
			t.Run(q.Dialect+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				q := q
				q.Secrets, q.Endpoint = c.secrets, c.endpoint
				if c.body != "" {
					q.Body = []byte(c.body)
				}
				wants(t, check(t, q), c.mistake, c.found)
			})
		}
		computed := q
		computed.Computed = hex.EncodeToString(rawKey)
		if _, err := verify.Check(computed); err == nil {
			t.Errorf("%s has no signatures to compute", q.Dialect)
		}
	}
	akkuro.Header = http.Header{"Webhook-Signature": {"v1,x"}}
	if got := check(t, akkuro); got.Mistake != verify.MistakeHeader || !strings.Contains(got.Fix, "--dialect standard") {
		t.Errorf("got %+v", got)
	}
}
