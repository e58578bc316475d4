package receive

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bellwire/bellwire/receive/sign"
)

// maxSignatures bounds the signatures of one version that a request can make a receiver check. A sender adds one for
// each secret that is being rotated.
const maxSignatures = 16

// StandardVerifier verifies deliveries in the form of Standard Webhooks (https://www.standardwebhooks.com). It is safe
// for concurrent use as long as its fields are not changed.
type StandardVerifier struct {
	// Tolerance is the largest difference between a delivery's time and the clock, in either direction.
	Tolerance time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time

	secrets    []*sign.MAC
	publicKeys []ed25519.PublicKey
}

var _ Verifier = (*StandardVerifier)(nil)

// Standard returns a verifier that accepts signatures made with one of the endpoint's keys: shared secrets ("whsec_…")
// or public keys ("whpk_…"). While a secret is rotated, give both. A secret can be one that Bellwire has imported.
func Standard(keys ...string) (*StandardVerifier, error) {
	if len(keys) == 0 {
		return nil, errors.New("at least one secret or public key is required")
	}
	v := &StandardVerifier{Tolerance: DefaultTolerance}
	for _, text := range keys {
		if strings.HasPrefix(text, sign.PublicKeyPrefix) {
			key, err := sign.ParsePublicKey(text)
			if err != nil {
				return nil, err
			}
			v.publicKeys = append(v.publicKeys, key)
			continue
		}
		secret, err := sign.ParseAnySecret(text)
		if err != nil {
			return nil, err
		}
		v.secrets = append(v.secrets, sign.NewMAC(secret))
	}
	return v, nil
}

// Verify checks the headers webhook-id, webhook-timestamp and webhook-signature, and reads the event.
func (v *StandardVerifier) Verify(h http.Header, body []byte) (*Delivery, error) {
	id, sentAt, err := v.Check(h, body)
	if err != nil {
		return nil, err
	}
	d, err := readStandard(body)
	if err != nil {
		return nil, err
	}
	d.ID, d.SentAt = id, sentAt
	return d, nil
}

// Check is Verify for receivers that read the body themselves. It returns the event's id and the time of the attempt,
// and never ErrBody.
func (v *StandardVerifier) Check(h http.Header, body []byte) (id string, sentAt time.Time, err error) {
	head, err := parseStandardHeader(h)
	if err != nil {
		return "", time.Time{}, err
	}
	sentAt = time.Unix(head.unix, 0).UTC()
	if err := checkTime(sentAt, v.Now, v.Tolerance); err != nil {
		return "", time.Time{}, err
	}
	if !v.signed(head, body) {
		return "", time.Time{}, ErrSignature
	}
	return head.id, sentAt, nil
}

// signed reports whether one of the signatures was made with one of the keys.
func (v *StandardVerifier) signed(head *standardHeader, body []byte) bool {
	for _, secret := range v.secrets {
		if secret.VerifyV1(head.v1, head.id, head.unix, body) {
			return true
		}
	}
	for _, key := range v.publicKeys {
		if sign.VerifyV1a(key, head.v1a, head.id, head.unix, body) {
			return true
		}
	}
	return false
}

// standardHeader is what Standard Webhooks puts into headers.
type standardHeader struct {
	id      string
	unix    int64    // seconds
	v1, v1a [][]byte // signatures
}

func parseStandardHeader(h http.Header) (*standardHeader, error) {
	id := h.Get("Webhook-Id")
	// With a full stop in the id, the signed text "id.timestamp.body" could be split in another way.
	if id == "" || strings.Contains(id, ".") {
		return nil, fmt.Errorf("%w: webhook-id is required and must not contain a full stop", ErrHeader)
	}
	unix, ok := parseUnix(h.Get("Webhook-Timestamp"))
	if !ok {
		return nil, fmt.Errorf("%w: webhook-timestamp must be a number of seconds since 1970", ErrHeader)
	}
	v1, v1a := parseSignatures(h.Get("Webhook-Signature"))
	if len(v1)+len(v1a) == 0 {
		return nil, fmt.Errorf("%w: webhook-signature must have a signature of version v1 or v1a", ErrHeader)
	}
	return &standardHeader{id: id, unix: unix, v1: v1, v1a: v1a}, nil
}

// parseUnix parses seconds since 1970 in the one spelling that is signed: without a sign and leading zeros. Twelve digits
// last for thirty thousand years.
func parseUnix(text string) (int64, bool) {
	unix, err := strconv.ParseInt(text, 10, 64)
	if err != nil || unix < 0 || len(text) > 12 || strconv.FormatInt(unix, 10) != text {
		return 0, false
	}
	return unix, true
}

// parseSignatures parses a list such as "v1,K5oZ… v1a,hnO3…". It ignores signatures of another version or form, which
// may be meant for newer receivers.
func parseSignatures(list string) (v1, v1a [][]byte) {
	for item := range strings.SplitSeq(list, " ") {
		version, encoded, _ := strings.Cut(item, ",")
		switch version {
		case sign.V1:
			v1 = appendSignature(v1, encoded, sha256.Size)
		case sign.V1a:
			v1a = appendSignature(v1a, encoded, ed25519.SignatureSize)
		}
	}
	return v1, v1a
}

func appendSignature(found [][]byte, encoded string, size int) [][]byte {
	if len(found) == maxSignatures || len(encoded) != base64.StdEncoding.EncodedLen(size) {
		return found
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || len(raw) != size {
		return found
	}
	return append(found, raw)
}

// readStandard reads the event in a body.
func readStandard(body []byte) (*Delivery, error) {
	var in struct {
		Type      string          `json:"type"`
		Timestamp time.Time       `json:"timestamp"`
		Data      json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBody, err)
	}
	if in.Type == "" || in.Data == nil {
		return nil, fmt.Errorf("%w: type and data are required", ErrBody)
	}
	return &Delivery{Type: in.Type, Timestamp: in.Timestamp, Data: in.Data}, nil
}
