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

// AtelioVerifier verifies deliveries in Atelio's form (formerly Bond's). It is safe for concurrent use as long as its
// fields are not changed.
type AtelioVerifier struct {
	// Tolerance is how far a delivery's time may be from the receiver's clock, in either direction. Atelio names none.
	Tolerance time.Duration

	secrets []*sign.MAC
}

var _ Verifier = (*AtelioVerifier)(nil)

// Atelio makes a verifier from a subscription's secret ("whsec_…"), or from several while one is replaced by another.
func Atelio(secrets ...string) (*AtelioVerifier, error) {
	if len(secrets) == 0 {
		return nil, errors.New("no secret to verify with")
	}
	v := &AtelioVerifier{Tolerance: DefaultTolerance}
	for _, secret := range secrets {
		if !strings.HasPrefix(secret, sign.SecretPrefix) || secret == sign.SecretPrefix {
			return nil, fmt.Errorf("a secret begins with %q, which is a part of it", sign.SecretPrefix)
		}
		v.secrets = append(v.secrets, sign.NewMAC([]byte(secret)))
	}
	return v, nil
}

// Verify checks the header Bond-Signature and reads the event: by v2, which is over the body as it came, or by v1 if there
// is no v2. ID is not told; the vendor's advice is to know what was seen by Type and Timestamp. Data is the members of the
// body without event, and without occurred_at if that is a time: Timestamp has it then.
func (v *AtelioVerifier) Verify(h http.Header, body []byte, now time.Time) (*Delivery, error) {
	s, err := parseBond(h.Get("Bond-Signature"))
	if err != nil {
		return nil, err
	}
	sentAt := time.Unix(s.unix, 0).UTC()
	if now.Sub(sentAt).Abs() > v.Tolerance {
		return nil, fmt.Errorf("%w: it says %s, and it is %s", ErrTimestamp, sentAt.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
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

func (v *AtelioVerifier) signed(s *bondSignature, body []byte) bool {
	for _, secret := range v.secrets {
		if s.v2 != nil && secret.VerifyBondV2(s.v2, s.unix, body) || s.v2 == nil && secret.VerifyBondV1(s.v1, s.unix, body) {
			return true
		}
	}
	return false
}

// bondSignature is what the header says.
type bondSignature struct {
	unix   int64  // seconds
	v1, v2 []byte // nil: not there
}

// parseBond reads "t=…,v1=…,v2=…". Parts of other names may be meant for newer receivers and are passed over.
func parseBond(header string) (*bondSignature, error) {
	s := &bondSignature{unix: -1}
	for part := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch {
		case name == "t" && s.unix < 0:
			unix, err := parseUnix(value)
			if err != nil {
				return nil, fmt.Errorf("%w: t of Bond-Signature is not a number of seconds since 1970", ErrHeader)
			}
			s.unix = unix
		case name == "v1" && s.v1 == nil:
			s.v1 = bondDigest(value)
		case name == "v2" && s.v2 == nil:
			s.v2 = bondDigest(value)
		case name == "t" || name == "v1" || name == "v2":
			return nil, fmt.Errorf("%w: Bond-Signature has %s twice", ErrHeader, name)
		}
	}
	if s.unix < 0 || len(s.v1)+len(s.v2) == 0 {
		return nil, fmt.Errorf("%w: Bond-Signature is missing, or has no t or no signature", ErrHeader)
	}
	return s, nil
}

// bondDigest reads a signature. What is none is one that nothing has, so that a bad v2 is not passed over for v1.
func bondDigest(text string) []byte {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != sha256.Size {
		return []byte{}
	}
	return raw
}

// readAtelio reads what a body says of its event.
func readAtelio(body []byte) (*Delivery, error) {
	if !json.Valid(body) {
		return nil, fmt.Errorf("%w: it is not JSON", ErrBody)
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil, fmt.Errorf("%w: it is no object", ErrBody)
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
		if d.told(name, value) {
			continue
		}
		if len(data) > 1 {
			data = append(data, ", "...)
		}
		data = append(data, bytes.TrimLeft(body[begin:dec.InputOffset()], ", \t\r\n")...)
	}
	if d.Type == "" {
		return nil, fmt.Errorf("%w: it has no event", ErrBody)
	}
	d.Data = append(data, '}')
	return d, nil
}

// told takes a member that a field of d has room for.
func (d *Delivery) told(name json.Token, value json.RawMessage) bool {
	switch name {
	case "event":
		return json.Unmarshal(value, &d.Type) == nil
	case "occurred_at":
		return json.Unmarshal(value, &d.Timestamp) == nil && !d.Timestamp.IsZero()
	}
	return false
}
