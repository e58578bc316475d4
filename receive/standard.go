package receive

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bellwire/bellwire/receive/sign"
)

// DefaultTolerance is how far a delivery's time may be from the receiver's clock, unless the verifier says
// otherwise. The reference libraries of Standard Webhooks have the same.
const DefaultTolerance = 5 * time.Minute

// maxSignatures bounds, for each version, what a stranger can make a receiver compute. A sender adds one for
// each secret that is being rotated.
const maxSignatures = 16

// StandardVerifier verifies deliveries in the form of Standard Webhooks (https://www.standardwebhooks.com).
// It is safe for concurrent use as long as its fields are not changed.
type StandardVerifier struct {
	// Tolerance is how far a delivery's time may be from the receiver's clock, in either direction.
	Tolerance time.Duration

	secrets    []*sign.MAC
	publicKeys []ed25519.PublicKey
}

var _ Verifier = (*StandardVerifier)(nil)

// Standard makes a verifier from the endpoint's keys: shared secrets ("whsec_…"), public keys ("whpk_…"), or
// several of them while a secret is rotated. A delivery is good if a signature by one of them is.
func Standard(keys ...string) (*StandardVerifier, error) {
	if len(keys) == 0 {
		return nil, fmt.Errorf("no key to verify with: %w", sign.ErrSecret)
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
		secret, err := sign.ParseSecret(text)
		if err != nil {
			return nil, err
		}
		v.secrets = append(v.secrets, sign.NewMAC(secret))
	}
	return v, nil
}

// Verify checks the headers webhook-id, webhook-timestamp and webhook-signature against the body, and reads
// the event in it.
func (v *StandardVerifier) Verify(h http.Header, body []byte, now time.Time) (*Delivery, error) {
	id, sentAt, err := v.Check(h, body, now)
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

// Check is Verify for those who keep the body as it came or read it in their own way: it returns the event's id
// and when the attempt was made, and never ErrBody.
func (v *StandardVerifier) Check(h http.Header, body []byte, now time.Time) (id string, sentAt time.Time, err error) {
	head, err := parseStandardHeader(h)
	if err != nil {
		return "", time.Time{}, err
	}
	sentAt = time.Unix(head.unix, 0).UTC()
	if now.Sub(sentAt).Abs() > v.Tolerance {
		return "", time.Time{}, fmt.Errorf("%w: it says %s, and it is %s", ErrTimestamp, sentAt.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	if !v.signed(head, body) {
		return "", time.Time{}, ErrSignature
	}
	return head.id, sentAt, nil
}

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

// standardHeader is what Standard Webhooks says in headers.
type standardHeader struct {
	id      string
	unix    int64    // seconds
	v1, v1a [][]byte // signatures
}

func parseStandardHeader(h http.Header) (*standardHeader, error) {
	id := h.Get("Webhook-Id")
	// A full stop in an id would let what is signed be cut in another way.
	if id == "" || strings.Contains(id, ".") {
		return nil, fmt.Errorf("%w: webhook-id is missing or has a full stop", ErrHeader)
	}
	unix, err := parseUnix(h.Get("Webhook-Timestamp"))
	if err != nil {
		return nil, err
	}
	v1, v1a := parseSignatures(h.Get("Webhook-Signature"))
	if len(v1)+len(v1a) == 0 {
		return nil, fmt.Errorf("%w: webhook-signature has no signature of a version known here", ErrHeader)
	}
	return &standardHeader{id: id, unix: unix, v1: v1, v1a: v1a}, nil
}

// parseUnix reads seconds since 1970 in the one spelling that is signed: no sign, no leading zero. Twelve
// digits last for thirty thousand years.
func parseUnix(text string) (int64, error) {
	unix, err := strconv.ParseInt(text, 10, 64)
	if err != nil || unix < 0 || len(text) > 12 || strconv.FormatInt(unix, 10) != text {
		return 0, fmt.Errorf("%w: webhook-timestamp is missing or is not a number of seconds since 1970", ErrHeader)
	}
	return unix, nil
}

// parseSignatures reads a list like "v1,K5oZ… v1a,hnO3…". What is of an unknown version or form is passed
// over: it may be meant for newer receivers.
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

// readStandard reads what a body says of its event.
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
		return nil, fmt.Errorf("%w: it has no type or no data", ErrBody)
	}
	return &Delivery{Type: in.Type, Timestamp: in.Timestamp, Data: in.Data}, nil
}
