package receive

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// AkkuroVerifier verifies deliveries in Akkuro's form. They are not signed: the endpoint's token is all that tells where they
// come from, and nothing tells an old delivery from a new one. It is safe for concurrent use.
type AkkuroVerifier struct {
	hashes [][sha256.Size]byte // of the tokens that are good
}

var _ Verifier = (*AkkuroVerifier)(nil)

// akkuroHeader carries the token.
const akkuroHeader = "X-Event-Token"

// Akkuro makes a verifier from the endpoint's token. Several are good while one is replaced by another.
func Akkuro(tokens ...string) (*AkkuroVerifier, error) {
	if len(tokens) == 0 {
		return nil, errors.New("no token to verify with")
	}
	v := &AkkuroVerifier{}
	for _, token := range tokens {
		if token == "" {
			return nil, errors.New("an empty token verifies nothing")
		}
		v.hashes = append(v.hashes, sha256.Sum256([]byte(token)))
	}
	return v, nil
}

// Verify checks the token and reads the event. Its SentAt is not told.
func (v *AkkuroVerifier) Verify(h http.Header, body []byte, _ time.Time) (*Delivery, error) {
	token := h.Get(akkuroHeader)
	if token == "" {
		return nil, fmt.Errorf("%w: there is no %s", ErrHeader, akkuroHeader)
	}
	hash, good := sha256.Sum256([]byte(token)), 0
	for i := range v.hashes {
		good |= subtle.ConstantTimeCompare(hash[:], v.hashes[i][:])
	}
	if good == 0 {
		return nil, fmt.Errorf("%w: the value of %s is not the endpoint's token", ErrSignature, akkuroHeader)
	}
	return readAkkuro(body)
}

// readAkkuro reads what a body says of its event.
func readAkkuro(body []byte) (*Delivery, error) {
	var in struct {
		Meta struct {
			ID         string    `json:"id"`
			EventName  string    `json:"eventName"`
			OccurredOn time.Time `json:"occurredOn"`
		} `json:"meta"`
		Data json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBody, err)
	}
	if in.Meta.ID == "" || in.Meta.EventName == "" || in.Data == nil {
		return nil, fmt.Errorf("%w: it has no meta.id, no meta.eventName or no data", ErrBody)
	}
	return &Delivery{ID: in.Meta.ID, Type: in.Meta.EventName, Timestamp: in.Meta.OccurredOn, Data: in.Data}, nil
}
