package declared

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/bellwire/bellwire/internal/bellwire"
)

func TestShippedFiles(t *testing.T) {
	t.Parallel()
	list, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range list {
		if d.name != ShippedNames()[i] {
			t.Errorf("the file %s.yaml declares %s", ShippedNames()[i], d.name)
		}
		if len(d.vectors) == 0 || d.description == "" {
			t.Errorf("%s has no test vectors or no description", d.name)
		}
		secret := newSecret(t, d)
		if d.form.exists() && d.CheckSecret(secret.Value) != nil {
			t.Errorf("%s: a new secret does not have the form: %v", d.name, d.CheckSecret(secret.Value))
		}
		if err := bellwire.CheckEndpointID(d.NewEndpointID(time.Now())); err != nil {
			t.Error(err)
		}
	}
}

// parse parses a file that must be good.
func parse(t testing.TB, text string) *Dialect {
	t.Helper()
	d, err := Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// request makes a request to an endpoint with secrets.
func request(t testing.TB, d *Dialect, m *bellwire.Message, secrets ...bellwire.Secret) (http.Header, string, error) {
	t.Helper()
	ep := sampleEndpoint()
	r, err := d.At(sampleServer).Bind(&ep, &bellwire.Credentials{Secrets: secrets})
	if err != nil {
		return nil, "", err
	}
	body, err := r.AppendBody([]byte("before"), m)
	if err != nil {
		return nil, "", err
	}
	h := make(http.Header)
	r.SetHeaders(h, m, body[len("before"):])
	return h, string(body[len("before"):]), nil
}

func TestValues(t *testing.T) {
	t.Parallel()
	d := parse(t, `
dialect: values
content_type: text/plain
body: "{{id} {{}} {} { {event.id} {event.id:hex} {event.id:uuid} {delivery.id} {event.type} {tenant.id} {endpoint.id} {server.url} {server.host:percent} {data} {data:json} {data:form} {data:base64}"
headers:
  X-Times: "{event.time} {event.time:unix} {event.time:unix_ms} {event.time:rfc3339_s} {event.time:rfc3339_ms} {event.time:rfc3339_us} {event.time:rfc3339_us_offset} {event.created_at:rfc3339}"
`)
	m := sampleMessage()
	m.Event.OccurredAt = sampleTime.Add(3 * time.Nanosecond).In(time.FixedZone("", 3600))
	m.Event.Data = []byte(`{"a b": "é\n"}`)
	h, body, err := request(t, d, m)
	if err != nil {
		t.Fatal(err)
	}
	want := `{id} {{}} {} { evt_018df94b3e0070008000000000000001 018df94b3e0070008000000000000001 018df94b-3e00-7000-8000-000000000001 dlv_018df94b3e0070008000000000000002 ` +
		`order.paid acme ep_018df94b3e0070008000000000000003 https://hooks.example.com hooks.example.com {"a b": "é\n"} {\"a b\": \"é\\n\"} ` +
		`%7B%22a+b%22%3A+%22%C3%A9%5Cn%22%7D eyJhIGIiOiAiw6lcbiJ9`
	if diff := cmp.Diff(want, body); diff != "" {
		t.Error(diff)
	}
	times := "2024-03-01T10:00:00.123456Z 1709287200 1709287200123 2024-03-01T10:00:00Z 2024-03-01T10:00:00.123Z 2024-03-01T10:00:00.123456Z " +
		"2024-03-01T10:00:00.123456+00:00 2024-03-01T10:00:00.123456Z"
	if diff := cmp.Diff(times, strings.Join(h["X-Times"], "")); diff != "" {
		t.Error(diff)
	}
}

const members = `
dialect: members
body: '{"Type":"{event.type}"{data.members}}'
`

// What an event cannot be sent for ends its delivery, with the reason.
func TestEventsThatCannotBeSent(t *testing.T) {
	t.Parallel()
	d, timed := parse(t, members), parse(t, "dialect: timed\nbody: '{data}'\nheaders: {X-Time: '{event.time}'}")
	for _, c := range []struct {
		name    string
		dialect *Dialect
		data    string
		at      time.Time
		want    string // a body, or a reason
		refused bool
	}{
		{"members", d, `{ "b":1.0, "a":"\u0041" }`, time.Time{}, `{"Type":"order.paid", "b":1.0, "a":"\u0041" }`, false},
		{"none", d, ` { } `, time.Time{}, `{"Type":"order.paid"}`, false},
		{"a list", d, `[]`, time.Time{}, "the event's data is not an object, as the dialect members requires; nothing was sent", true},
		{"a field twice", d, `{"\u0054ype":1}`, time.Time{}, `the event's data has the field "Type", which messages of the dialect members have already; nothing was sent`, true},
		{"a late year", timed, `1`, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "the time of the event is outside the years 0 to 9999", true},
		{"too large", parse(t, "dialect: large\nbody: '[{data},{data},{data},{data}]'"), `"` + strings.Repeat("a", maxBody/4) + `"`, time.Time{},
			"the body would have more than 32 MiB in the dialect large; nothing was sent", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := sampleMessage()
			m.Event.Data, m.Event.OccurredAt = []byte(c.data), c.at
			_, body, err := request(t, c.dialect, m)
			if (err != nil) != c.refused || c.refused && (bellwire.CodeOf(err) != bellwire.CodeInvalid || err.Error() != c.want) {
				t.Fatalf("%v", err)
			}
			if !c.refused && body != c.want {
				t.Errorf("got %s, want %s", body, c.want)
			}
		})
	}
}

const rotating = `
dialect: rotating
body: "{data}"
secret: {form: hex, bytes: 16, key: bytes, overlap: 2h}
signatures:
  - {header: X-Several, algorithm: sha512, encoding: base64url, content: "{sent_at:unix}.{body}", format: "{signatures}", each: "v1,{signature}", separator: " "}
  - {header: X-One, algorithm: sha256, encoding: hex, content: "{body}"}
`

func TestRotation(t *testing.T) {
	t.Parallel()
	d, m := parse(t, rotating), sampleMessage()
	if got := d.Defaults().Overlap; got != 2*time.Hour {
		t.Errorf("the overlap is %s", got)
	}
	newest := bellwire.Secret{Value: strings.Repeat("11", 16)}
	older := bellwire.Secret{Value: strings.Repeat("22", 16), ExpiresAt: m.SentAt.Add(time.Second)}
	expired := bellwire.Secret{Value: strings.Repeat("33", 16), ExpiresAt: m.SentAt}
	alone := func(secret bellwire.Secret) http.Header {
		secret.ExpiresAt = time.Time{}
		h, _, err := request(t, d, m, secret)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	h, _, err := request(t, d, m, newest, older, expired)
	if err != nil {
		t.Fatal(err)
	}
	if want := alone(newest)["X-Several"][0] + " " + alone(older)["X-Several"][0]; h["X-Several"][0] != want {
		t.Errorf("got %s, want %s", h["X-Several"][0], want)
	}
	if want := alone(newest)["X-One"][0]; h["X-One"][0] != want {
		t.Errorf("got %s, want %s", h["X-One"][0], want)
	}
	for _, secrets := range [][]bellwire.Secret{nil, {older}, {{Value: "zz"}}} {
		if _, _, err := request(t, d, m, secrets...); bellwire.CodeOf(err) != bellwire.CodeInvalid || strings.Contains(err.Error(), "zz") {
			t.Errorf("%v", err)
		}
	}
}

// The second vector of RFC 8032, section 7.1.
const pair = `
dialect: pair
body: "{data}"
secret: {form: ed25519, encoding: base64}
signatures: [{header: X-Signature-Ed25519, algorithm: ed25519, encoding: hex, content: "{body}"}]
vectors:
  - secrets: [4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb]
    body: r
    expect:
      headers: {X-Signature-Ed25519: 92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00}
`

func TestKeyPairs(t *testing.T) {
	t.Parallel()
	d, m := parse(t, pair), sampleMessage()
	made := newSecret(t, d)
	h, body, err := request(t, d, m, made)
	if err != nil {
		t.Fatal(err)
	}
	public, err := d.form.encoding.decode(made.Value)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := hex.DecodeString(h["X-Signature-Ed25519"][0])
	if err != nil || !ed25519.Verify(public, []byte(body), signature) {
		t.Errorf("the signature is wrong: %v", err)
	}
	other := newSecret(t, d)
	mixed := bellwire.Secret{Value: made.Value, PrivateKey: other.PrivateKey}
	if err := d.Normalize(&bellwire.Endpoint{Signing: bellwire.SigningHMAC}, &bellwire.Credentials{Secrets: []bellwire.Secret{mixed}}, nil); bellwire.CodeOf(err) != bellwire.CodeInvalid {
		t.Errorf("another's private key: %v", err)
	}
	if d.CheckSecret(made.Value) != nil || d.CheckSecret("x") == nil {
		t.Error("public keys are checked wrongly")
	}
}

func TestSecretHeaders(t *testing.T) {
	t.Parallel()
	d := parse(t, "dialect: token\nbody: '{data}'\nheaders: {X-Event-Token: 'Token {secret}'}\nsecret: {form: base64, prefix: tok_}")
	made := newSecret(t, d)
	c := &bellwire.Credentials{Secrets: []bellwire.Secret{made}}
	want := []bellwire.Header{{Name: "X-Event-Token", Value: "Token " + made.Value}}
	if diff := cmp.Diff(want, d.Headers(c)); diff != "" {
		t.Error(diff)
	}
	c.Headers = []bellwire.Header{{Name: "x-event-token", Value: "mine"}}
	if err := d.Normalize(&bellwire.Endpoint{Signing: bellwire.SigningHMAC}, c, nil); bellwire.CodeOf(err) != bellwire.CodeInvalid {
		t.Errorf("the endpoint's own header: %v", err)
	}
}

// TestOwnAuthorization: a dialect that sets Authorization itself refuses an authentication that it would not send.
func TestOwnAuthorization(t *testing.T) {
	t.Parallel()
	d := parse(t, "dialect: token\nbody: '{data}'\nheaders: {authorization: 'Token {secret}'}\nsecret: {form: base64}")
	made := newSecret(t, d)
	for auth, field := range map[bellwire.Auth]string{
		{Type: bellwire.AuthBearer, Token: "t"}:                            "auth.type",
		{Type: bellwire.AuthBasic, Username: "u"}:                          "auth.type",
		{Type: bellwire.AuthAPIKey, Header: "Authorization", Key: "k"}:     "auth.header",
		{Type: bellwire.AuthAPIKey, Header: "X-Authorization", Key: "key"}: "",
		{Type: bellwire.AuthNone}:                                          "",
		{}:                                                                 "",
	} {
		c := &bellwire.Credentials{Secrets: []bellwire.Secret{made}, Auth: auth}
		err := d.Normalize(&bellwire.Endpoint{Signing: bellwire.SigningHMAC}, c, nil)
		var refused *bellwire.Error
		if errors.As(err, &refused); (err != nil) != (field != "") || err != nil && (refused.Code != bellwire.CodeInvalid || refused.Field != field) {
			t.Errorf("%s: %v, want a fault of %q", auth.Type, err, field)
		}
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	d := parse(t, `
dialect: settings
body: "{data}"
acknowledge: [200, 3xx]
gone: 410
retry: {interval: 10s, count: 3}
timeout: 3s
honor_retry_after: false
endpoint_id: we_
batch: off
`)
	r, err := d.Bind(&bellwire.Endpoint{}, &bellwire.Credentials{})
	if err != nil {
		t.Fatal(err)
	}
	for status, want := range map[int]bellwire.Verdict{
		200: bellwire.Acknowledged, 201: bellwire.Failed, 300: bellwire.Acknowledged, 399: bellwire.Acknowledged, 400: bellwire.Failed,
		410: bellwire.Gone, 599: bellwire.Failed, 600: bellwire.Failed, 999: bellwire.Failed, -1: bellwire.Failed,
	} {
		if got := r.Classify(status); got != want {
			t.Errorf("%d: %v, want %v", status, got, want)
		}
	}
	want := bellwire.Defaults{Retry: bellwire.RetryPolicy{Interval: bellwire.Duration(10 * time.Second), Count: 3}, Timeout: 3 * time.Second, AutoDisableAfter: 120 * time.Hour}
	if diff := cmp.Diff(want, d.Defaults()); diff != "" {
		t.Error(diff)
	}
	if r.HonorsRetryAfter() || !strings.HasPrefix(d.NewEndpointID(time.Now()), "we_") || !r.SameBody() {
		t.Error("a setting has no effect")
	}
	if own := parse(t, "dialect: own\nbody: '{\"id\":\"{delivery.id}\"}'"); own.sameBody {
		t.Error("the body of each delivery is its own")
	}
}

func TestCheckSecret(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		form, secret string
		good         bool
	}{
		{"{form: hex, bytes: 16}", strings.Repeat("0a", 16), true},
		{"{form: hex, bytes: 16}", strings.Repeat("0A", 16), false},
		{"{form: hex, bytes: 16}", strings.Repeat("0a", 17), false},
		{"{form: hex, bytes: 16, max: 17}", strings.Repeat("0a", 17), true},
		{"{form: base64, prefix: whsec_, bytes: 24}", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", true},
		{"{form: base64, prefix: whsec_, bytes: 24}", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false},
		{"{form: base64, prefix: whsec_, bytes: 24}", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZI\no2LaLaSw", false},
		{"{form: base64url, bytes: 16}", "AAAAAAAAAAAAAAAAAAAAAA", true},
		{"{form: base64url, bytes: 16}", "AAAAAAAAAAAAAAAAAAAAAB", false},
		{"{form: text}", "Grüße, Welt", true},
		{"{form: text}", "short", false},
		{"{form: text}", "eight\x00ch", false},
		{"{form: text}", "\xff\xffabcdefgh", false},
	} {
		t.Run(c.form+c.secret, func(t *testing.T) {
			t.Parallel()
			d := parse(t, "dialect: a\nbody: '{data}'\nsecret: "+c.form+"\nsignatures: [{header: X, algorithm: sha1, encoding: hex, content: '{body}'}]")
			err := d.CheckSecret(c.secret)
			if (err == nil) != c.good {
				t.Errorf("%v", err)
			}
			if err != nil && (bellwire.CodeOf(err) != bellwire.CodeInvalid || strings.Contains(err.Error(), c.secret)) {
				t.Errorf("%v", err)
			}
		})
	}
}

// badFile has faults of all kinds.
const badFile = `dialect: Bad Name
dialekt: x
body: |
  {"id":{event.idd},"at":"{sent_at}","x":{event.id:rot13}}
content_type: not a type
headers:
  Host: x
  "X Y": "1"
  X-Data: "{data}"
  X-A: "é"
  x-a: b
  X-Token: "{secret} {event.id}"
secret:
  form: hex
  bites: 3
  bytes: 3
  encoding: hex
signatures:
  - header: X-A
    algorithm: md5
    encoding: hexx
    content: "{event.id}"
    format: "{signatures}{signature}"
  - header: X-B
    algorithm: ed25519
    encoding: hex
    content: x
    format: v={signatures}
acknowledge: [200, 2000, 9xx]
gone: 200
retry:
  interval: 5x
  counts: 3
timeout: 2m
honor_retry_after: maybe
endpoint_id: Webhook
batch: on
vectors:
  - name: without expectations
    event: {id: x, kind: y}
`

func TestFaults(t *testing.T) {
	t.Parallel()
	_, err := Parse("bad.yaml", []byte(badFile))
	golden(t, "faults.golden", err.Error()+"\n")
	for name, c := range map[string]struct{ text, want string }{
		"empty":          {"", "bad.yaml: must be a YAML mapping that begins with dialect: NAME"},
		"a list":         {"- a", "bad.yaml: must be a YAML mapping that begins with dialect: NAME"},
		"no YAML":        {"dialect: a\nbody: [", "bad.yaml:2: not YAML: did not find expected node content"},
		"two documents":  {"dialect: a\n---\ndialect: b\n", "bad.yaml:2: must be one YAML document: remove what follows the line ---"},
		"an alias":       {"dialect: &a x\nbody: *a", "bad.yaml:2: body must not be an alias; write the value again"},
		"twice":          {"dialect: a\nbody: '1'\nbody: '2'", "bad.yaml:3: body is given twice, first in line 2"},
		"a merge":        {"dialect: a\nbody: '1'\n<<: {batch: off}", "bad.yaml:3: the file must have keys that are names"},
		"not JSON":       {"dialect: a\nbody: '{\"a\":{data}'", "bad.yaml:2: body must be JSON, but is {\"a\":{}"},
		"a name twice":   {"dialect: a\nbody: '{\"a\":1,\"a\":{data}}'", "bad.yaml:2: body must be JSON, but is {\"a\":1,\"a\":{}}"},
		"not an object":  {"dialect: a\nbody: '[1{data.members}]'", "bad.yaml:2: body must be an object to have {data.members}"},
		"much data":      {"dialect: a\nbody: '[{data},{data},{data},{data},{data}]'", "bad.yaml:2: body must have the event's data at most 4 times"},
		"not closed":     {"dialect: a\nbody: '{data'", "bad.yaml:2: body has {data without a closing brace; write {{ for a brace before a letter"},
		"a form":         {"dialect: a\ncontent_type: application/x-www-form-urlencoded\nbody: 'a={data}'", "bad.yaml:3: body must have the data as {data:form} with the content type application/x-www-form-urlencoded"},
		"large":          {"# " + strings.Repeat("x", maxFile), "bad.yaml: must have at most 64 KiB"},
		"a long body":    {"dialect: a\nbody: '" + strings.Repeat("1", maxTemplate+1) + "'", "bad.yaml:2: body must have at most 16384 bytes"},
		"no signature":   {"dialect: a\nbody: '{data}'\nsecret: {form: hex}", "bad.yaml:1: signatures is required, because secret.form is hex and no header has {secret}"},
		"no secret":      {"dialect: a\nbody: '{data}'\nsignatures: [{header: X, algorithm: sha1, encoding: hex, content: '{body}'}]", "bad.yaml:3: signatures must not be given without secret"},
		"nothing signed": {"dialect: a\nbody: '{data}'\nsecret: {form: hex}\nsignatures: [{header: X, algorithm: sha1, encoding: hex, content: '{event.id}'}]", "bad.yaml:4: signatures[0].content must have {body} or {data}; otherwise the signature does not protect the message"},
		"an encoding":    {"dialect: a\nbody: '{data}'\nsecret: {form: ed25519, encoding: base6F}\nsignatures: [{header: X, algorithm: ed25519, encoding: hex, content: '{body}'}]\nvectors: [{secrets: [" + strings.Repeat("4c", 32) + "], expect: {body: x}}]", "bad.yaml:3: secret.encoding must be base64, base64url or hex (did you mean \"base64\"?)"},
		"controls":       {"dialect: a\nbody: '{data}'\ndescription: \"\\e[31mred\"\n\"\\e[31m\u202e\": 1", "bad.yaml:3: description must have printable characters in one line\nbad.yaml:4: \\x1b[31m\\u202e is not a known key"},
		"a credential":   {"dialect: a\nbody: '{data}'\nheaders: {authorization: Bearer x}", "bad.yaml:3: headers.authorization must have {secret}, because other text is shown with attempts; otherwise use the auth of endpoints"},
		"many headers":   {"dialect: a\nbody: '{data}'\nheaders:\n" + manyHeaders(), "bad.yaml:4: headers must have at most 20 entries"},
		"two origins":    {"dialect: a\nbody: '{data}'\nhandshake: {origin: 'a.example, *'}", "bad.yaml:3: handshake.origin must be a DNS name, such as hooks.example.com or {server.host}"},
		"a separator":    {"dialect: a\nbody: '{data}'\nsecret: {form: hex}\nsignatures: [{header: X, algorithm: sha1, encoding: hex, content: '{body}', format: '{signatures}', separator: ee}]", "bad.yaml:4: signatures[0].separator must have a character that signatures do not have, so that receivers can tell them apart"},
		"a wrong vector": {"dialect: a\nbody: '{data}'\nvectors: [{expect: {body: '1', headers: {X: '1'}}}]", "bad.yaml:3: vectors[0].expect.body is \"1\", but the dialect makes \"{\\\"id\\\": 42, \\\"total\\\": 19.90}\"\nbad.yaml:3: vectors[0].expect.headers.X is a header that deliveries do not have"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse("bad.yaml", []byte(c.text))
			if err == nil || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func manyHeaders() string {
	var text strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&text, "  X-%d: a\n", i)
	}
	return text.String()
}

// golden compares a text with that of a file in testdata, or writes the file if UPDATE is set.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("b.yaml", "dialect: beta\nbody: '{data}'")
	write("a.yml", "dialect: alpha\nbody: '{data}'")
	write("README.md", "no YAML: [")
	write(".hidden.yaml", "no YAML: [")
	list, err := Load(folder, []string{"standard"})
	if err != nil || len(list) != 2 || list[0].name != "alpha" || list[1].file != filepath.Join(folder, "b.yaml") {
		t.Fatalf("%v, %v", list, err)
	}
	before := Digest(list)
	write("c.yaml", "dialect: alpha\nbody: '{data}'")
	write("d.yaml", "dialect: standard\nbody: '{data}'")
	write("e.yaml", "dialect: e\nbodi: x")
	_, err = Load(folder, []string{"standard"})
	faults, ok := errors.AsType[Faults](err)
	want := strings.ReplaceAll(`F/c.yaml: dialect must have another name than alpha, which is that of F/a.yml
F/d.yaml: dialect must have another name than standard, which is built in
F/e.yaml:1: body is required
F/e.yaml:2: bodi is not a known key (did you mean "body"?)`, "F", folder)
	if !ok || faults.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	for _, name := range []string{"c.yaml", "d.yaml", "e.yaml"} {
		if err := os.Remove(filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	write("b.yaml", "dialect: beta\nbody: '[{data}]'")
	if list, err = Load(folder, nil); err != nil || Digest(list) == before {
		t.Errorf("the digest of other files is the same, %v", err)
	}
	if _, err := Load(filepath.Join(folder, "none"), nil); err == nil {
		t.Error("a folder that does not exist is loaded")
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range ShippedNames() {
		text, err := files.ReadFile("files/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	for _, text := range []string{badFile, members, rotating, pair} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Parse("fuzz.yaml", []byte(text))
		if err != nil {
			if _, ok := errors.AsType[Faults](err); !ok {
				t.Fatal(err)
			}
			return
		}
		if d.timeout < minTimeout || d.retry.Check() != nil || !hasForm(d.name, nameForm, maxDialectName) {
			t.Error("it has impossible settings")
		}
		samples, err := d.Samples()
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range samples {
			if s.Err == nil && d.isJSON() && !jsontext.Value(s.Body).IsValid() {
				t.Errorf("it makes %q", s.Body)
			}
			for _, h := range s.Headers {
				if strings.ContainsAny(h.Value, "\r\n\x00") {
					t.Errorf("it has the header %s: %q", h.Name, h.Value)
				}
			}
		}
	})
}

// FuzzCompile compares a template with the same text in which all names are replaced one by one.
func FuzzCompile(f *testing.F) {
	for _, text := range []string{"", "{", "{{", "{{{data}}", "{{a}{event.id}", `{"a":{data}}`, "{data", "{event.time:unix}{event.idd}", "{{{{data}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		compiled, faults := compile(text, inBody)
		if len(faults) > 0 {
			return
		}
		rest := text
		for _, s := range compiled {
			if s.value == valueNone {
				continue
			}
			_, after, found := strings.Cut(rest, "}")
			if !found {
				t.Fatalf("%q has more values than braces", text)
			}
			rest = after
		}
		if !compiled.has(valueData, valueMembers) && !strings.Contains(text, "{") {
			if literal, ok := compiled.literal(); !ok || literal != text {
				t.Errorf("%q became %q", text, literal)
			}
		}
	})
}

func BenchmarkRenderAndSign(b *testing.B) {
	list, err := Shipped()
	if err != nil {
		b.Fatal(err)
	}
	for _, d := range list {
		b.Run(d.name, func(b *testing.B) {
			secret, err := d.NewSecret(bellwire.SigningHMAC)
			if err != nil {
				b.Fatal(err)
			}
			ep := sampleEndpoint()
			r, err := d.Bind(&ep, &bellwire.Credentials{Secrets: []bellwire.Secret{secret}})
			if err != nil {
				b.Fatal(err)
			}
			m, h := sampleMessage(), make(http.Header)
			m.Event.Data = []byte(`{"text":"` + strings.Repeat("x", 500) + `"}`)
			buffer := make([]byte, 0, 4096)
			b.ReportAllocs()
			for b.Loop() {
				body, err := r.AppendBody(buffer[:0], m)
				if err != nil {
					b.Fatal(err)
				}
				r.SetHeaders(h, m, body)
			}
		})
	}
}
