package receive

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/bellwire/bellwire/receive/sign"
)

// bondHeader carries the time of an attempt and its signatures.
const bondHeader = "Bond-Signature"

// AtelioVerifier verifies deliveries in the form of Atelio, formerly Bond. It is safe for concurrent use as long as its
// fields are not changed.
type AtelioVerifier struct {
	// Tolerance is the largest difference between a delivery's time and the clock, in either direction.
	// Atelio documents none.
	Tolerance time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time

	secrets []*sign.MAC
}

var _ Verifier = (*AtelioVerifier)(nil)

// Atelio returns a verifier that accepts signatures made with the subscription's secret ("whsec_…"), or with one of another
// form that Bellwire has imported. While a secret is replaced, give both.
func Atelio(secrets ...string) (*AtelioVerifier, error) {
	if len(secrets) == 0 {
		return nil, errors.New("at least one secret is required")
	}
	v := &AtelioVerifier{Tolerance: DefaultTolerance}
	for _, secret := range secrets {
		mac, err := sign.NewTextMAC(secret)
		if err != nil {
			return nil, err
		}
		v.secrets = append(v.secrets, mac)
	}
	return v, nil
}

// Verify checks the header Bond-Signature and reads the event. It checks v2, which signs the body as it came, or v1 if
// there is no v2. ID is empty: the vendor recommends recognizing events by Type and Timestamp. Data is the body without
// event, and without occurred_at if that is a time, which is then the Timestamp.
func (v *AtelioVerifier) Verify(h http.Header, body []byte) (*Delivery, error) {
	s, err := parseBond(h.Get(bondHeader))
	if err != nil {
		return nil, err
	}
	sentAt := time.Unix(s.unix, 0).UTC()
	if err := checkTime(sentAt, v.Now, v.Tolerance); err != nil {
		return nil, err
	}
	if !v.signed(s, body) {
		return nil, ErrSignature
	}
	d, err := readAtelio(body)
	if err != nil {
		return nil, err
	}
	d.SentAt = sentAt
	return d, nil
}

// signed reports whether the signature that counts was made with one of the secrets.
func (v *AtelioVerifier) signed(s *bondSignature, body []byte) bool {
	for _, secret := range v.secrets {
		if s.v2 != nil && secret.VerifyBondV2(s.v2, s.unix, body) || s.v2 == nil && secret.VerifyBondV1(s.v1, s.unix, body) {
			return true
		}
	}
	return false
}

// bondSignature is a parsed Bond-Signature.
type bondSignature struct {
	unix   int64  // seconds
	v1, v2 []byte // nil if absent
}

// parseBond parses "t=…,v1=…,v2=…". It ignores parts with other names, which may be meant for newer receivers.
func parseBond(header string) (*bondSignature, error) {
	s := &bondSignature{unix: -1}
	for part := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch {
		case name == "t" && s.unix < 0:
			unix, ok := parseUnix(value)
			if !ok {
				return nil, fmt.Errorf("%w: t of %s must be a number of seconds since 1970", ErrHeader, bondHeader)
			}
			s.unix = unix
		case name == "v1" && s.v1 == nil:
			s.v1 = bondDigest(value)
		case name == "v2" && s.v2 == nil:
			s.v2 = bondDigest(value)
		case name == "t" || name == "v1" || name == "v2":
			return nil, fmt.Errorf("%w: %s must have %s once", ErrHeader, bondHeader, name)
		}
	}
	if s.unix < 0 || len(s.v1)+len(s.v2) == 0 {
		return nil, fmt.Errorf("%w: %s must have t, and v1 or v2", ErrHeader, bondHeader)
	}
	return s, nil
}

// bondDigest parses a signature. It returns an empty one, which matches nothing, for any other text, so that a
// malformed v2 does not make v1 count.
func bondDigest(text string) []byte {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != sha256.Size {
		return []byte{}
	}
	return raw
}

// readAtelio reads the event in a body.
func readAtelio(body []byte) (*Delivery, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') || !json.Valid(body) {
		return nil, fmt.Errorf("%w: body must be a JSON object", ErrBody)
	}
	d, data := &Delivery{}, []byte{'{'}
	for dec.More() {
		begin := dec.InputOffset()
		name, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrBody, err)
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrBody, err)
		}
		if d.setAtelio(name, value) {
			continue
		}
		if len(data) > 1 {
			data = append(data, ", "...)
		}
		data = append(data, bytes.TrimLeft(body[begin:dec.InputOffset()], ", \t\r\n")...)
	}
	if d.Type == "" {
		return nil, fmt.Errorf("%w: event is required", ErrBody)
	}
	d.Data = append(data, '}')
	return d, nil
}

// setAtelio sets the field of d that a field of a body belongs to, and reports whether there is one.
func (d *Delivery) setAtelio(name json.Token, value json.RawMessage) bool {
	switch name {
	case "event":
		return json.Unmarshal(value, &d.Type) == nil
	case "occurred_at":
		return json.Unmarshal(value, &d.Timestamp) == nil && !d.Timestamp.IsZero()
	}
	return false
}
