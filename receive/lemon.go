package receive

import (
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

// lemonHeader carries the time of an attempt and its signature.
const lemonHeader = "LMG-Signature"

// LemonVerifier verifies deliveries in lemon.markets' form
// (https://developer.lemon.markets/docs/webhooks-implementation). It is safe for concurrent use as long as its fields
// are not changed.
type LemonVerifier struct {
	// Tolerance is the largest difference between a delivery's time and the clock, in either direction.
	Tolerance time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time

	secrets []*sign.MAC
}

var _ Verifier = (*LemonVerifier)(nil)

// Lemon returns a verifier that accepts signatures made with the webhook's secret (64 hex digits), or with one of another form
// that Bellwire has imported. While a secret is replaced, give both.
func Lemon(secrets ...string) (*LemonVerifier, error) {
	if len(secrets) == 0 {
		return nil, errors.New("at least one secret is required")
	}
	v := &LemonVerifier{Tolerance: DefaultTolerance}
	for _, text := range secrets {
		secret, err := sign.NewTextMAC(text)
		if err != nil {
			return nil, err
		}
		v.secrets = append(v.secrets, secret)
	}
	return v, nil
}

// Verify checks the header LMG-Signature and reads the event. Timestamp is created_at, and Data the context.
func (v *LemonVerifier) Verify(h http.Header, body []byte) (*Delivery, error) {
	unix, signatures, err := parseLemonHeader(h.Get(lemonHeader))
	if err != nil {
		return nil, err
	}
	sentAt := time.Unix(unix, 0).UTC()
	if err := checkTime(sentAt, v.Now, v.Tolerance); err != nil {
		return nil, err
	}
	if !v.signed(signatures, unix, body) {
		return nil, ErrSignature
	}
	d, err := readLemon(body)
	if err != nil {
		return nil, err
	}
	d.SentAt = sentAt
	return d, nil
}

// signed reports whether one of the signatures was made with one of the secrets.
func (v *LemonVerifier) signed(signatures [][]byte, unix int64, body []byte) bool {
	for _, secret := range v.secrets {
		if secret.VerifyLemon(signatures, unix, body) {
			return true
		}
	}
	return false
}

// parseLemonHeader parses "t=1709287200,v1=2ad21d…". It ignores parts with other names, which may be meant for newer
// receivers.
func parseLemonHeader(value string) (unix int64, signatures [][]byte, err error) {
	timed := false
	for part := range strings.SplitSeq(value, ",") {
		name, text, _ := strings.Cut(part, "=")
		switch name {
		case "t":
			parsed, ok := parseUnix(text)
			if !ok || timed {
				return 0, nil, fmt.Errorf("%w: t of %s must be a number of seconds since 1970, given once", ErrHeader, lemonHeader)
			}
			unix, timed = parsed, true
		case "v1":
			raw, err := hex.DecodeString(text)
			if err == nil && len(raw) == sha256.Size && len(signatures) < maxSignatures {
				signatures = append(signatures, raw)
			}
		}
	}
	if !timed || len(signatures) == 0 {
		return 0, nil, fmt.Errorf("%w: %s must have t and v1", ErrHeader, lemonHeader)
	}
	return unix, signatures, nil
}

// readLemon reads the event in a body.
func readLemon(body []byte) (*Delivery, error) {
	var in struct {
		ID        string          `json:"id"`
		Type      string          `json:"type"`
		CreatedAt time.Time       `json:"created_at"`
		Context   json.RawMessage `json:"context"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBody, err)
	}
	if in.ID == "" || in.Type == "" || in.CreatedAt.IsZero() || in.Context == nil {
		return nil, fmt.Errorf("%w: id, type, created_at and context are required", ErrBody)
	}
	return &Delivery{ID: in.ID, Type: in.Type, Timestamp: in.CreatedAt.UTC(), Data: in.Context}, nil
}
