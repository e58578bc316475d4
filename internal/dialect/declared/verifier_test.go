package declared

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/receive"
)

// TestVerifier sends a request of each shipped dialect, and of one with ed25519, to a verifier of the same file; then the same request
// with each part changed.
func TestVerifier(t *testing.T) {
	t.Parallel()
	list, err := Shipped()
	if err != nil {
		t.Fatal(err)
	}
	list = append(list, parse(t, `
dialect: pair
body: "{data}"
headers: {X-Id: "{event.id}", X-Type: "{event.type}", X-At: "{sent_at}"}
secret: {form: ed25519, encoding: base64, prefix: pk_}
signatures: [{header: X-Signature, algorithm: ed25519, encoding: base64, content: "{event.id}.{sent_at}.{body}"}]
`), parse(t, `
dialect: bearer
body: "{data}"
headers: {X-Token: "Token {secret}"}
secret: {form: hex, bytes: 16}
`))
	for _, d := range list {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			checkVerifier(t, d)
		})
	}
}

func checkVerifier(t *testing.T, d *Dialect) {
	if !d.form.exists() {
		if _, err := d.Verifier("a secret"); bellwire.CodeOf(err) != bellwire.CodeInvalid {
			t.Errorf("a secret of a dialect without secrets is accepted: %v", err)
		}
		return
	}
	secret, other := newSecret(t, d), newSecret(t, d)
	if d.SignsURL() {
		if _, err := d.Verifier(secret.Value); bellwire.CodeOf(err) != bellwire.CodeInvalid {
			t.Errorf("without the URL: error = %v", err)
		}
		d = d.ReceivedAt(sampleEndpoint().URL)
	}
	v, err := d.Verifier(other.Value, secret.Value)
	if err != nil {
		t.Fatal(err)
	}
	m := sampleMessage()
	v.Now = func() time.Time { return m.SentAt }
	sent, body, err := request(t, d, m, secret)
	if err != nil {
		t.Fatal(err)
	}
	h := make(http.Header) // as a server reads them
	for name := range sent {
		h.Set(name, sent[name][0])
	}
	for _, header := range d.Headers(&bellwire.Credentials{Secrets: []bellwire.Secret{secret}}) {
		h.Set(header.Name, header.Value)
	}
	got, err := v.Verify(h, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	if v.contained(valueEventType).value != valueNone && got.Type != m.Event.Type || v.contained(valueEventID).value != valueNone && got.ID == "" {
		t.Errorf("the delivery is %+v", got)
	}
	if len(d.signatures) > 0 {
		refused(t, v, h, body+" ", receive.ErrSignature)
	}
	for _, name := range slices.Concat(d.secretHeaders(), d.signatureHeaders()) {
		without := h.Clone()
		without.Del(name)
		refused(t, v, without, body, receive.ErrHeader, receive.ErrSignature)
	}
	if stranger, err := d.Verifier(other.Value); err != nil {
		t.Error(err)
	} else {
		stranger.Now = v.Now
		refused(t, stranger, h, body, receive.ErrSignature)
	}
	if v.contained(valueSentAt).value != valueNone {
		v.Now = func() time.Time { return m.SentAt.Add(receive.DefaultTolerance + time.Second) }
		refused(t, v, h, body, receive.ErrTimestamp)
	}
}

func (d *Dialect) secretHeaders() (names []string) {
	for _, h := range d.secrets {
		names = append(names, h.name)
	}
	return names
}

func (d *Dialect) signatureHeaders() (names []string) {
	for _, s := range d.signatures {
		names = append(names, s.header)
	}
	return names
}

func newSecret(t *testing.T, d *Dialect) bellwire.Secret {
	t.Helper()
	secret, err := d.NewSecret(bellwire.SigningHMAC)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// refused checks that a request is refused for one of the reasons.
func refused(t *testing.T, v *Verifier, h http.Header, body string, reasons ...error) {
	t.Helper()
	_, err := v.Verify(h, []byte(body))
	if !slices.ContainsFunc(reasons, func(reason error) bool { return errors.Is(err, reason) }) {
		t.Errorf("error = %v, want one of %v", err, reasons)
	}
}
