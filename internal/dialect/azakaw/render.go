package azakaw

import (
	"net/http"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/envelope"
)

// typeMember is the first field of a body: the event type.
const typeMember = "Type"

// contentType is shared by all requests: nothing changes a header value in place.
var contentType = []string{"application/json"}

// renderer renders deliveries.
type renderer struct{}

// AppendBody appends {"Type", …} (Azakaw guide, section "Webhook Request Body"), with the fields of the data byte for byte. A Type
// member in the data must be the event type, and is not repeated.
func (renderer) AppendBody(dst []byte, m *bellwire.Message) ([]byte, error) {
	members, err := envelope.Object(Name, m.Event.Data)
	if err != nil {
		return nil, err
	}
	members, err = envelope.Without(Name, members, typeMember, m.Event.Type)
	if err != nil {
		return nil, err
	}
	dst = append(dst, `{"Type":"`...)
	dst = append(dst, m.Event.Type...) // its characters need no escapes
	dst = append(dst, '"')
	if len(members) > 0 {
		dst = append(dst, ',')
		dst = append(dst, members...)
	}
	return append(dst, '}'), nil
}

// SameBody returns true: the body depends on the event alone.
func (renderer) SameBody() bool { return true }

// SetHeaders sets the content type. azakaw documents no other header.
func (renderer) SetHeaders(h http.Header, _ *bellwire.Message, _ []byte) {
	h["Content-Type"] = contentType
}

// Classify reports any 2xx as acknowledged.
func (renderer) Classify(status int) bellwire.Verdict { return bellwire.Classify2xx(status) }

// HonorsRetryAfter returns false: the header is ignored in favor of the configuration's RetryInterval.
func (renderer) HonorsRetryAfter() bool { return false }
