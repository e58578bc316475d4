package lemon

import (
	"net/http"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/envelope"
	"github.com/bellwire/bellwire/receive/sign"
)

// contentType is shared by all requests: nothing changes a header value in place.
var contentType = []string{"application/json"}

// renderer renders deliveries to one endpoint.
type renderer struct {
	mac       *sign.MAC
	strictAck bool
}

// AppendBody appends the event, byte for byte as GET /v1/events lists it.
func (*renderer) AppendBody(dst []byte, m *bellwire.Message) ([]byte, error) {
	if _, err := envelope.Object(Name, m.Event.Data); err != nil {
		return nil, err
	}
	return appendEvent(dst, m.Event), nil
}

// appendEvent appends {"id", "type", "created_at", "context"} (lemon.markets guide, section "Trigger the Webhook"). The context is the
// published data.
func appendEvent(dst []byte, e *bellwire.Event) []byte {
	dst = append(dst, `{"id":"`...)
	dst, _ = e.ID.AppendText(dst) // never fails
	dst = append(dst, `","type":"`...)
	dst = append(dst, e.Type...) // its characters need no escapes
	dst = append(dst, `","created_at":"`...)
	dst = appendTime(dst, e.CreatedAt)
	dst = append(dst, `","context":`...)
	dst = append(dst, e.Data...)
	return append(dst, '}')
}

// appendTime appends a time in the vendor's form: UTC, six digits, +00:00.
func appendTime(dst []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000000-07:00")
}

// SameBody returns true: the body depends on the event alone.
func (*renderer) SameBody() bool { return true }

// SetHeaders signs the body and the time of this attempt.
func (r *renderer) SetHeaders(h http.Header, m *bellwire.Message, body []byte) {
	var room [128]byte
	h["Content-Type"] = contentType
	// Set would send the name as Lmg-Signature. Some receivers look for the vendor's spelling.
	h[SignatureHeader] = []string{string(r.mac.AppendLemon(room[:0], m.SentAt.Unix(), body))}
}

// Classify reports any 2xx as acknowledged, or 200 only if strictAck is set.
func (r *renderer) Classify(status int) bellwire.Verdict {
	if r.strictAck && status != http.StatusOK {
		return bellwire.Failed
	}
	return bellwire.Classify2xx(status)
}

// HonorsRetryAfter returns true: the header is honored.
func (*renderer) HonorsRetryAfter() bool { return true }
