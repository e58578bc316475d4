package receive

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// AzakawVerifier verifies deliveries in azakaw's form. They are not signed: the webhook's API key, or its user name and
// password, is the only proof of where a delivery comes from, and an old delivery that is sent again is not recognized.
// An AzakawVerifier is safe for concurrent use.
type AzakawVerifier struct {
	header string
	tokens tokens
}

var _ Verifier = (*AzakawVerifier)(nil)

// DefaultAzakawHeader carries the API key unless the webhook names another header.
const DefaultAzakawHeader = "X-API-Key"

// AzakawAPIKey returns a verifier for webhooks with an API key in the given header, DefaultAzakawHeader if empty. While
// a key is replaced, give both.
func AzakawAPIKey(header string, keys ...string) (*AzakawVerifier, error) {
	if header == "" {
		header = DefaultAzakawHeader
	}
	return newAzakaw(header, keys...)
}

// AzakawBasic returns a verifier for webhooks with a user name and a password.
func AzakawBasic(username, password string) (*AzakawVerifier, error) {
	if username == "" {
		return nil, errors.New("user name must not be empty")
	}
	pair := base64.StdEncoding.EncodeToString([]byte(username + ":" + password))
	return newAzakaw("Authorization", "Basic "+pair)
}

func newAzakaw(header string, values ...string) (*AzakawVerifier, error) {
	accepted, err := newTokens("API key", values)
	if err != nil {
		return nil, err
	}
	return &AzakawVerifier{header: header, tokens: accepted}, nil
}

// Verify checks the key and reads the event. ID, Timestamp and SentAt are zero; Data is the body without the field Type.
func (v *AzakawVerifier) Verify(h http.Header, body []byte) (*Delivery, error) {
	value := h.Get(v.header)
	if value == "" {
		return nil, fmt.Errorf("%w: %s is required", ErrHeader, v.header)
	}
	if !v.tokens.contain(value) {
		return nil, fmt.Errorf("%w: %s is not the webhook's", ErrSignature, v.header)
	}
	return readAzakaw(body)
}

// readAzakaw reads the event in a body. The type is the first field, so that what follows it is the data, byte for byte.
func readAzakaw(body []byte) (*Delivery, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	open, err := dec.Token()
	if err != nil || open != json.Delim('{') {
		return nil, fmt.Errorf("%w: body must be a JSON object", ErrBody)
	}
	name, err := dec.Token()
	if err != nil || name != "Type" {
		return nil, fmt.Errorf("%w: Type must be the first field", ErrBody)
	}
	value, err := dec.Token()
	eventType, text := value.(string)
	if err != nil || !text || eventType == "" || !json.Valid(body) {
		return nil, fmt.Errorf("%w: Type must be a string", ErrBody)
	}
	rest := bytes.TrimLeft(body[dec.InputOffset():], " \t\r\n")
	rest = bytes.TrimPrefix(rest, []byte(","))
	data := append([]byte{'{'}, bytes.TrimRight(rest, " \t\r\n")...)
	return &Delivery{Type: eventType, Data: data}, nil
}
