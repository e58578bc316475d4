package receive

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// BluefinVerifier reads notifications in the form of Bluefin PayConex. They are not signed: that a notification names a
// webhook of the receiver's is all that tells where it comes from, and nothing tells an old one from a new one. What an
// ACCOUNT_UPDATER_BATCH_UPDATES is about is behind the URL in its payload, which is asked for with an API key: trust
// what is there. The verifier is safe for concurrent use.
type BluefinVerifier struct {
	webhooks [][]byte
}

var _ Verifier = (*BluefinVerifier)(nil)

// Bluefin makes a verifier for notifications of the webhooks with the given ids, such as
// "wbh_5249941f13564471b3be9f96a6d532c1".
func Bluefin(webhooks ...string) (*BluefinVerifier, error) {
	if len(webhooks) == 0 {
		return nil, errors.New("no webhook's id to verify with")
	}
	v := &BluefinVerifier{}
	for _, id := range webhooks {
		if id == "" {
			return nil, errors.New("an empty id is no webhook's")
		}
		v.webhooks = append(v.webhooks, []byte(id))
	}
	return v, nil
}

// notification is a delivery's body.
type notification struct {
	ID      string          `json:"id"`
	Webhook string          `json:"wbhid"`
	Event   string          `json:"event"`
	Payload json.RawMessage `json:"payload"`
}

// Verify checks which webhook the notification is of, and reads it. ID is the notification's: each webhook has one of its
// own for the same event, and it is the same on every attempt. Timestamp and SentAt are not told; Data is the payload.
func (v *BluefinVerifier) Verify(_ http.Header, body []byte, _ time.Time) (*Delivery, error) {
	var n notification
	if err := json.Unmarshal(body, &n); err != nil {
		return nil, fmt.Errorf("%w: it is no notification", ErrBody)
	}
	if n.ID == "" || n.Webhook == "" || n.Event == "" || !bytes.HasPrefix(n.Payload, []byte("{")) {
		return nil, fmt.Errorf("%w: id, wbhid, event or payload is missing", ErrBody)
	}
	good := 0
	for _, id := range v.webhooks {
		good |= subtle.ConstantTimeCompare(id, []byte(n.Webhook))
	}
	if good == 0 {
		return nil, fmt.Errorf("%w: the notification is of another webhook", ErrSignature)
	}
	return &Delivery{ID: n.ID, Type: n.Event, Data: n.Payload}, nil
}
