package receive

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// AzakawVerifier verifies deliveries in azakaw's form. They are not signed: a webhook's API key, or its user name and
// password, is all that tells where they come from, and nothing tells an old delivery from a new one. It is safe for
// concurrent use.
type AzakawVerifier struct {
	header string
	hashes [][sha256.Size]byte // of the values that are good
}

var _ Verifier = (*AzakawVerifier)(nil)

// DefaultAzakawHeader carries the API key unless the webhook says otherwise.
const DefaultAzakawHeader = "X-API-Key"

// AzakawAPIKey makes a verifier for webhooks with an API key in the given header, DefaultAzakawHeader if empty. Several
// keys are good while one is replaced by another.
func AzakawAPIKey(header string, keys ...string) (*AzakawVerifier, error) {
	if header == "" {
		header = DefaultAzakawHeader
	}
	return newAzakaw(header, keys)
}

// AzakawBasic makes a verifier for webhooks with a user name and a password.
func AzakawBasic(username, password string) (*AzakawVerifier, error) {
	if username == "" {
		return nil, errors.New("no user name to verify with")
	}
	pair := base64.StdEncoding.EncodeToString([]byte(username + ":" + password))
	return newAzakaw("Authorization", []string{"Basic " + pair})
}

func newAzakaw(header string, good []string) (*AzakawVerifier, error) {
	if len(good) == 0 {
		return nil, errors.New("no key to verify with")
	}
	v := &AzakawVerifier{header: header}
	for _, value := range good {
		if value == "" {
			return nil, errors.New("an empty key verifies nothing")
		}
		v.hashes = append(v.hashes, sha256.Sum256([]byte(value)))
	}
	return v, nil
}

// Verify checks the key and reads the event. Its ID, Timestamp and SentAt are not told; Data is the members of the body
// without Type.
func (v *AzakawVerifier) Verify(h http.Header, body []byte, _ time.Time) (*Delivery, error) {
	value := h.Get(v.header)
	if value == "" {
		return nil, fmt.Errorf("%w: there is no %s", ErrHeader, v.header)
	}
	hash, good := sha256.Sum256([]byte(value)), 0
	for i := range v.hashes {
		good |= subtle.ConstantTimeCompare(hash[:], v.hashes[i][:])
	}
	if good == 0 {
		return nil, fmt.Errorf("%w: the value of %s is not the webhook's", ErrSignature, v.header)
	}
	return readAzakaw(body)
}

// readAzakaw reads what a body says of its event. The type is its first member, so that what follows is the data, byte
// for byte.
func readAzakaw(body []byte) (*Delivery, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	open, err := dec.Token()
	if err != nil || open != json.Delim('{') {
		return nil, fmt.Errorf("%w: it is no object", ErrBody)
	}
	name, err := dec.Token()
	if err != nil || name != "Type" {
		return nil, fmt.Errorf("%w: it does not begin with its type", ErrBody)
	}
	value, err := dec.Token()
	eventType, text := value.(string)
	if err != nil || !text || eventType == "" || !json.Valid(body) {
		return nil, fmt.Errorf("%w: it has no type", ErrBody)
	}
	rest := bytes.TrimLeft(body[dec.InputOffset():], " \t\r\n")
	rest = bytes.TrimPrefix(rest, []byte(","))
	return &Delivery{Type: eventType, Data: json.RawMessage("{" + strings.TrimRight(string(rest), " \t\r\n"))}, nil
}
