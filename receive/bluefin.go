package receive

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// BluefinVerifier verifies notifications in the form of Bluefin PayConex. They are not signed: the id of one of the
// receiver's webhooks is the only proof of where a notification comes from, and an old one that is sent again is not
// recognized. Trust what is behind the URL in the payload of an ACCOUNT_UPDATER_BATCH_UPDATES: it is requested with an
// API key. A BluefinVerifier is safe for concurrent use.
type BluefinVerifier struct {
	webhooks [][]byte
}

var _ Verifier = (*BluefinVerifier)(nil)

// Bluefin returns a verifier for notifications of the webhooks with the given ids, such as
// "wbh_5249941f13564471b3be9f96a6d532c1".
func Bluefin(webhooks ...string) (*BluefinVerifier, error) {
	if len(webhooks) == 0 {
		return nil, errors.New("at least one webhook id is required")
	}
	v := &BluefinVerifier{}
	for _, id := range webhooks {
		if id == "" {
			return nil, errors.New("webhook id must not be empty")
		}
		v.webhooks = append(v.webhooks, []byte(id))
	}
	return v, nil
}

// Verify checks the webhook's id and reads the notification. ID is the notification's: it differs between the webhooks
// that receive an event, and is the same in every attempt. Timestamp and SentAt are zero; Data is the payload.
func (v *BluefinVerifier) Verify(_ http.Header, body []byte) (*Delivery, error) {
	var in struct {
		ID      string          `json:"id"`
		Webhook string          `json:"wbhid"`
		Event   string          `json:"event"`
		Payload json.RawMessage `json:"payload"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBody, err)
	}
	if in.ID == "" || in.Webhook == "" || in.Event == "" || !bytes.HasPrefix(in.Payload, []byte("{")) {
		return nil, fmt.Errorf("%w: id, wbhid, event and payload are required", ErrBody)
	}
	if !v.knows([]byte(in.Webhook)) {
		return nil, fmt.Errorf("%w: wbhid is not one of the receiver's webhooks", ErrSignature)
	}
	return &Delivery{ID: in.ID, Type: in.Event, Data: in.Payload}, nil
}

// knows reports whether a webhook is one of the receiver's, in constant time.
func (v *BluefinVerifier) knows(webhook []byte) bool {
	found := 0
	for _, id := range v.webhooks {
		found |= subtle.ConstantTimeCompare(id, webhook)
	}
	return found == 1
}
