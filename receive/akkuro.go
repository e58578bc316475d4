package receive

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// AkkuroVerifier verifies deliveries in Akkuro's form. They are not signed: the endpoint's token is the only proof of
// where a delivery comes from, and an old delivery that is sent again is not recognized. An AkkuroVerifier is safe for
// concurrent use.
type AkkuroVerifier struct {
	tokens tokens
}

var _ Verifier = (*AkkuroVerifier)(nil)

// akkuroHeader carries the token.
const akkuroHeader = "X-Event-Token"

// Akkuro returns a verifier that accepts the endpoint's token. While a token is replaced, give both.
func Akkuro(tokens ...string) (*AkkuroVerifier, error) {
	accepted, err := newTokens("token", tokens)
	if err != nil {
		return nil, err
	}
	return &AkkuroVerifier{tokens: accepted}, nil
}

// Verify checks the token and reads the event. SentAt is zero.
func (v *AkkuroVerifier) Verify(h http.Header, body []byte) (*Delivery, error) {
	token := h.Get(akkuroHeader)
	if token == "" {
		return nil, fmt.Errorf("%w: %s is required", ErrHeader, akkuroHeader)
	}
	if !v.tokens.contain(token) {
		return nil, fmt.Errorf("%w: %s is not the endpoint's token", ErrSignature, akkuroHeader)
	}
	return readAkkuro(body)
}

// readAkkuro reads the event in a body.
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
		return nil, fmt.Errorf("%w: meta.id, meta.eventName and data are required", ErrBody)
	}
	return &Delivery{ID: in.Meta.ID, Type: in.Meta.EventName, Timestamp: in.Meta.OccurredOn, Data: in.Data}, nil
}
