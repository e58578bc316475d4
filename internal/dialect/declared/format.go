package declared

import (
	"fmt"
	"net/http"
	"time"

	"github.com/bellwire/bellwire/internal/verify"
)

// Format returns how the dialect signs, for finding out why a signature is refused. It returns an error of code invalid if deliveries
// do not contain all that is signed.
func (d *Dialect) Format() (*verify.Format, error) {
	v, err := d.Verifier()
	if err != nil {
		return nil, err
	}
	return &verify.Format{Secret: d.form.explained(d.name), Read: v.headersOf}, nil
}

// explained returns the form of secrets for people who verify with them.
func (f *form) explained(dialect string) verify.SecretForm {
	e := verify.SecretForm{
		Prefix: f.prefix, Key: f.verifies, Public: f.pair(),
		Check: func(secret string) error { return f.check(dialect, secret) },
		IsKey: "The key is the text of the secret.",
	}
	switch {
	case f.pair():
		e.IsKey = "The public key is the endpoint's secret, as its API shows it."
	case f.signs == keyIsUnprefixed && f.prefix != "":
		e.IsKey = fmt.Sprintf("The key is the text of the secret after its prefix %s.", f.prefix)
	case f.signs == keyIsBytes && f.prefix != "":
		e.IsKey = fmt.Sprintf("The key is the bytes for which the %s after the prefix %s stands.", f.name, f.prefix)
	case f.signs == keyIsBytes:
		e.IsKey = fmt.Sprintf("The key is the bytes for which the %s stands.", f.name)
	case f.prefix != "":
		e.IsKey = fmt.Sprintf("The key is the text of the secret, with its prefix %s.", f.prefix)
	}
	return e
}

// headersOf returns what the headers of a delivery say about its signatures.
func (v *Verifier) headersOf(h http.Header, body []byte) (*verify.Headers, error) {
	found, err := v.read(h, body)
	if err != nil {
		return nil, err
	}
	read := new(verify.Headers)
	if read.SentAt, err = v.sentAt(found); err != nil {
		return nil, err
	}
	for i := range v.dialect.signatures {
		s := &v.dialect.signatures[i]
		signed := verify.Signed{Header: s.header, Hash: s.algorithm.hash, Parts: v.parts(s.content, found)}
		for _, text := range found.signatures[i] {
			if raw, ok := s.decode(text); ok {
				signed.Signatures = append(signed.Signatures, raw)
			}
		}
		read.Signed = append(read.Signed, signed)
	}
	return read, nil
}

// parts returns the parts of what is signed, with the values of a delivery.
func (v *Verifier) parts(content template, found *reading) []verify.Part {
	list := make([]verify.Part, len(content))
	for i, s := range content {
		switch s.value {
		case valueNone:
			list[i] = verify.Part{Text: s.literal}
		case valueBody:
			list[i] = verify.Part{Body: true}
		case valueEndpointURL:
			list[i] = verify.Part{Name: s.name(), Text: found.values[s], Others: v.dialect.otherURLs(s.encoding)}
		default:
			list[i] = verify.Part{Name: s.name(), Text: found.values[s], Write: s.writeTime()}
		}
	}
	return list
}

// name returns the name of a value as templates have it, without its encoding.
func (s segment) name() string {
	for name, known := range names {
		if known.value == s.value {
			return "{" + name + "}"
		}
	}
	return ""
}

// writeTime returns what writes a time in the form of the value, nil if it is no time.
func (s segment) writeTime() func(time.Time) string {
	switch s.value {
	case valueEventTime, valueEventCreatedAt, valueSentAt:
		return func(at time.Time) string {
			text, err := appendTime(nil, at, s.encoding)
			if err != nil {
				return "" // it has no year of four digits
			}
			return string(text)
		}
	}
	return nil
}
