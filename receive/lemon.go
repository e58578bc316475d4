package receive

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/bellwire/bellwire/receive/sign"
)

// lemonHeader carries the time of an attempt and its signature.
const lemonHeader = "LMG-Signature"

// LemonVerifier verifies deliveries in lemon.markets' form
// (https://developer.lemon.markets/docs/webhooks-implementation). It is safe for concurrent use as long as its fields are
// not changed.
type LemonVerifier struct {
	// Tolerance is how far a delivery's time may be from the receiver's clock, in either direction.
	Tolerance time.Duration

	secrets []*sign.MAC
}

var _ Verifier = (*LemonVerifier)(nil)

// Lemon makes a verifier from the webhook's signature secret, or several of them while one is replaced by another. A
// delivery is good if a signature by one of them is.
func Lemon(secrets ...string) (*LemonVerifier, error) {
	if len(secrets) == 0 {
		return nil, fmt.Errorf("no secret to verify with: %w", sign.ErrLemonSecret)
	}
	v := &LemonVerifier{Tolerance: DefaultTolerance}
	for _, text := range secrets {
		secret, err := sign.NewLemonMAC(text)
		if err != nil {
			return nil, err
		}
		v.secrets = append(v.secrets, secret)
	}
	return v, nil
}

// Verify checks the header LMG-Signature against the body, and reads the event in it. Its Timestamp is created_at, its
// Data the context.
func (v *LemonVerifier) Verify(h http.Header, body []byte, now time.Time) (*Delivery, error) {
	unix, signatures, err := parseLemonHeader(h.Get(lemonHeader))
	if err != nil {
		return nil, err
	}
	sentAt := time.Unix(unix, 0).UTC()
	if now.Sub(sentAt).Abs() > v.Tolerance {
		return nil, fmt.Errorf("%w: it says %s, and it is %s", ErrTimestamp, sentAt.Format(time.RFC3339), now.UTC().Format(time.RFC3339))
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

func (v *LemonVerifier) signed(signatures [][]byte, unix int64, body []byte) bool {
	for _, secret := range v.secrets {
		if secret.VerifyLemon(signatures, unix, body) {
			return true
		}
	}
	return false
}

// parseLemonHeader reads "t=1709287200,v1=2ad21d…". Parts of other names are passed over: they may be meant for newer
// receivers.
func parseLemonHeader(value string) (unix int64, signatures [][]byte, err error) {
	timed := false
	for part := range strings.SplitSeq(value, ",") {
		name, text, _ := strings.Cut(part, "=")
		switch name {
		case "t":
			if unix, err = parseUnix(text); err != nil || timed {
				return 0, nil, fmt.Errorf("%w: the t of %s is not a number of seconds since 1970, or is there twice", ErrHeader, lemonHeader)
			}
			timed = true
		case "v1":
			raw, err := hex.DecodeString(text)
			if err == nil && len(raw) == sha256.Size && len(signatures) < maxSignatures {
				signatures = append(signatures, raw)
			}
		}
	}
	if !timed || len(signatures) == 0 {
		return 0, nil, fmt.Errorf("%w: %s is missing, or has no t or no v1", ErrHeader, lemonHeader)
	}
	return unix, signatures, nil
}

// readLemon reads what a body says of its event.
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
		return nil, fmt.Errorf("%w: it has no id, type, created_at or context", ErrBody)
	}
	return &Delivery{ID: in.ID, Type: in.Type, Timestamp: in.CreatedAt.UTC(), Data: in.Context}, nil
}
