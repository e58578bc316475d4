package azakaw

import (
	"net/http"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/envelope"
)

// typeMember names the event's type, in front of the members of its data.
const typeMember = "Type"

// contentType is shared by all requests: nothing changes a header value in place.
var contentType = []string{"application/json"}

// renderer makes the requests of deliveries.
type renderer struct{}

// AppendBody appends {"Type", …} with the members of data as they were published. A Type among them is the one in front.
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
	dst = append(dst, m.Event.Type...) // it has no character that JSON would escape
	dst = append(dst, '"')
	if len(members) > 0 {
		dst = append(dst, ',')
		dst = append(dst, members...)
	}
	return append(dst, '}'), nil
}

// SameBody reports that bodies depend on the event alone.
func (renderer) SameBody() bool { return true }

// SetHeaders says that the body is JSON; azakaw documents nothing more.
func (renderer) SetHeaders(h http.Header, _ *bellwire.Message, _ []byte) {
	h["Content-Type"] = contentType
}

// Classify takes any 2xx as acknowledged.
func (renderer) Classify(status int) bellwire.Verdict { return bellwire.Classify2xx(status) }

// RetryAfter tells that the header is not heeded: the configuration's RetryInterval is.
func (renderer) RetryAfter() bool { return false }
