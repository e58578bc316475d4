package declared

import (
	"cmp"
	"crypto/ed25519"
	"crypto/hmac"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/receive"
)

// Verifier verifies deliveries as a receiver does, which knows the file and the endpoint's secrets. It is safe for concurrent use.
type Verifier struct {
	// Now returns the time with which that of a delivery is compared. Nil: time.Now.
	Now func() time.Time
	// Tolerance is the greatest difference of these times. Zero: receive.DefaultTolerance.
	Tolerance time.Duration

	dialect *Dialect
	secrets []string
	keys    [][]byte // of HMACs, or public keys
	headers []pattern
	formats []pattern          // of the dialect's signatures
	eaches  []pattern          // of one of several signatures
	fields  map[string]segment // of the form that is the body; nil: none
}

var _ receive.Verifier = (*Verifier)(nil)

// Verifier returns a verifier of deliveries that were signed with one of the secrets. It returns an error of code invalid if a
// secret does not have the form of the file, or if deliveries do not contain all that is signed.
func (d *Dialect) Verifier(secrets ...string) (*Verifier, error) {
	v := &Verifier{dialect: d, secrets: secrets, fields: d.fields()}
	for _, secret := range secrets {
		if err := d.form.check(d.name, secret); err != nil {
			return nil, err
		}
		raw, ok := d.form.verifies(secret)
		if !ok {
			return nil, bellwire.Invalid("secret", "cannot sign in the dialect %s", d.name)
		}
		v.keys = append(v.keys, raw)
	}
	for i := range d.headers {
		v.headers = append(v.headers, newPattern(d.headers[i].template))
	}
	for i := range d.signatures {
		v.formats = append(v.formats, newPattern(d.signatures[i].format))
		v.eaches = append(v.eaches, newPattern(d.signatures[i].each))
	}
	return v, v.checkContents()
}

// values returns the values that deliveries contain, those of signatures first.
func (v *Verifier) values() (list []segment) {
	for _, patterns := range [][]pattern{v.formats, v.headers} {
		for i := range patterns {
			list = append(list, patterns[i].values...)
		}
	}
	return slices.AppendSeq(list, maps.Values(v.fields))
}

// contained returns the first segment of a delivery with a value, or a segment without a value.
func (v *Verifier) contained(value value) segment {
	values := v.values()
	if i := slices.IndexFunc(values, func(s segment) bool { return s.value == value }); i >= 0 {
		return values[i]
	}
	return segment{}
}

// checkContents refuses dialects that sign what their deliveries do not contain. The endpoint's URL is known from ReceivedAt.
func (v *Verifier) checkContents() error {
	contained := v.values()
	for i := range v.dialect.signatures {
		for _, s := range v.dialect.signatures[i].content {
			switch {
			case s.value == valueNone, s.value == valueBody, slices.Contains(contained, s):
			case s.value == valueEndpointURL && v.dialect.receiverURL != "":
			case s.value == valueEndpointURL:
				return bellwire.Invalid("url", "must be given, because %s signs the endpoint's URL with each delivery", v.dialect.name)
			default:
				return bellwire.Invalid("dialect", "%s signs more than its deliveries contain, so they cannot be verified here; verify them with the vendor's library", v.dialect.name)
			}
		}
	}
	return nil
}

// reading is what the headers of a delivery have.
type reading struct {
	values     map[segment]string
	signatures [][]string // of each header with signatures
}

// Verify verifies a delivery. Of the event it returns what headers and fields of a form contain, and the body if that is the event's data.
func (v *Verifier) Verify(h http.Header, body []byte) (*receive.Delivery, error) {
	found, err := v.read(h, body)
	if err != nil {
		return nil, err
	}
	for i := range v.dialect.signatures {
		if !v.signed(i, found, body) {
			return nil, fmt.Errorf("%w: %s", receive.ErrSignature, v.dialect.signatures[i].header)
		}
	}
	for i := range v.dialect.secrets {
		header := &v.dialect.secrets[i]
		if !v.hasSecret(header, h.Get(header.name)) {
			return nil, fmt.Errorf("%w: %s has another secret", receive.ErrSignature, header.name)
		}
	}
	return v.delivery(found, body)
}

// read reads the headers of a delivery, and its body if that is a form.
func (v *Verifier) read(h http.Header, body []byte) (*reading, error) {
	found := &reading{values: make(map[segment]string)}
	v.dialect.withURL(found.values)
	for i := range v.headers {
		if err := v.headers[i].read(v.dialect.headers[i].name, h, found.values); err != nil {
			return nil, err
		}
	}
	for i := range v.formats {
		if err := v.formats[i].read(v.dialect.signatures[i].header, h, found.values); err != nil {
			return nil, err
		}
		found.signatures = append(found.signatures, v.signaturesIn(i, found.values))
	}
	if v.fields == nil {
		return found, nil
	}
	return found, readForm(body, v.fields, found.values)
}

// signaturesIn takes the signatures of a header out of the values.
func (v *Verifier) signaturesIn(n int, values map[segment]string) (list []string) {
	s := &v.dialect.signatures[n]
	of := segment{value: valueSignature}
	if s.each != nil {
		of = segment{value: valueSignatures}
	}
	text := values[of]
	delete(values, of)
	if s.each == nil {
		return []string{text}
	}
	for one := range strings.SplitSeq(text, s.separator) {
		list = append(list, v.eaches[n].signature(one))
	}
	return list
}

// signed reports whether one of the secrets made one of the signatures in a header.
func (v *Verifier) signed(n int, found *reading, body []byte) bool {
	s := &v.dialect.signatures[n]
	var content []byte
	for _, part := range s.content {
		switch part.value {
		case valueNone:
			content = append(content, part.literal...)
		case valueBody:
			content = append(content, body...)
		default:
			content = append(content, found.values[part]...)
		}
	}
	for _, key := range v.keys {
		for _, signature := range found.signatures[n] {
			if s.made(key, content, signature) {
				return true
			}
		}
	}
	return false
}

// made reports whether a key made a signature of some content.
func (s *scheme) made(key, content []byte, signature string) bool {
	if s.algorithm.hash == nil {
		raw, ok := s.decode(signature)
		return ok && ed25519.Verify(key, content, raw)
	}
	mac := hmac.New(s.algorithm.hash, key)
	mac.Write(content)
	return hmac.Equal(s.encode(nil, mac.Sum(nil)), []byte(signature))
}

// decode returns the bytes of a signature.
func (s *scheme) decode(signature string) (raw []byte, ok bool) {
	for _, decode := range []func(string) ([]byte, error){
		hex.DecodeString, base64.StdEncoding.DecodeString, base64.RawURLEncoding.DecodeString,
	} {
		raw, err := decode(signature)
		if err == nil && string(s.encode(nil, raw)) == signature {
			return raw, true
		}
	}
	return nil, false
}

// hasSecret reports whether a header has one of the secrets.
func (v *Verifier) hasSecret(h *header, value string) bool {
	return slices.ContainsFunc(v.secrets, func(secret string) bool { return hmac.Equal([]byte(h.withSecret(secret)), []byte(value)) })
}

// delivery returns what is known of a verified delivery, unless it is too old or from the future.
func (v *Verifier) delivery(found *reading, body []byte) (*receive.Delivery, error) {
	d := &receive.Delivery{
		ID:   found.values[v.contained(valueEventID)],
		Type: found.values[v.contained(valueEventType)],
	}
	var err error
	if d.SentAt, err = v.sentAt(found); err != nil {
		return nil, err
	}
	if len(v.dialect.body) == 1 && v.dialect.body[0] == (segment{value: valueData}) {
		d.Data = body
	}
	if data, has := found.values[segment{value: valueData}]; has {
		d.Data = []byte(data)
	}
	now := time.Now
	if v.Now != nil {
		now = v.Now
	}
	if at := now(); !d.SentAt.IsZero() && at.Sub(d.SentAt).Abs() > cmp.Or(v.Tolerance, receive.DefaultTolerance) {
		return nil, fmt.Errorf("%w: sent at %s, received at %s", receive.ErrTimestamp, d.SentAt.Format(time.RFC3339), at.UTC().Format(time.RFC3339))
	}
	return d, nil
}

// sentAt returns the time of the attempt, zero if no header has it.
func (v *Verifier) sentAt(found *reading) (at time.Time, err error) {
	s := v.contained(valueSentAt)
	if s.value == valueNone {
		return at, nil
	}
	if at, err = readTime(found.values[s], s.encoding); err != nil {
		return at, fmt.Errorf("%w: the time %.64q", receive.ErrHeader, found.values[s])
	}
	return at, nil
}

// readTime reads a time as appendTime writes it.
func readTime(text string, e encoding) (time.Time, error) {
	switch e {
	case encodeUnix, encodeUnixMilli:
		n, err := strconv.ParseInt(text, 10, 64)
		if e == encodeUnix {
			return time.Unix(n, 0).UTC(), err
		}
		return time.UnixMilli(n).UTC(), err
	}
	return time.Parse(time.RFC3339Nano, text)
}

// pattern finds the values in a text that a template made.
type pattern struct {
	expression *regexp.Regexp
	values     []segment // of its groups
}

func newPattern(t template) pattern {
	var (
		p    pattern
		text strings.Builder
	)
	for _, s := range t {
		if s.value == valueNone {
			text.WriteString(regexp.QuoteMeta(s.literal))
			continue
		}
		text.WriteString("(.+?)")
		p.values = append(p.values, s)
	}
	p.expression = regexp.MustCompile("^(?s:" + text.String() + ")$")
	return p
}

// read adds the values in a header to those that were found. A header without values may have been changed on the way.
func (p *pattern) read(name string, h http.Header, found map[segment]string) error {
	if len(p.values) == 0 {
		return nil
	}
	groups := p.expression.FindStringSubmatch(h.Get(name))
	if groups == nil {
		return fmt.Errorf("%w: %s", receive.ErrHeader, name)
	}
	for i, s := range p.values {
		if before, has := found[s]; has && before != groups[i+1] {
			return fmt.Errorf("%w: %s has another value than the header before it", receive.ErrHeader, name)
		}
		found[s] = groups[i+1]
	}
	return nil
}

// signature returns the signature in one of several, empty if there is none.
func (p *pattern) signature(text string) string {
	groups := p.expression.FindStringSubmatch(text)
	if groups == nil {
		return ""
	}
	for i, s := range p.values {
		if s.value == valueSignature {
			return groups[i+1]
		}
	}
	return ""
}
