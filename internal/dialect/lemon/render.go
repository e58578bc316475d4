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

// renderer makes the requests of deliveries to one endpoint.
type renderer struct {
	mac       *sign.MAC
	strictAck bool
}

// AppendBody appends the event as GET /v1/events shows it.
func (*renderer) AppendBody(dst []byte, m *bellwire.Message) ([]byte, error) {
	if _, err := envelope.Object(Name, m.Event.Data); err != nil {
		return nil, err
	}
	return appendEvent(dst, m.Event), nil
}

// appendEvent appends {"id", "type", "created_at", "context"} with data as it was published.
func appendEvent(dst []byte, e *bellwire.Event) []byte {
	dst = append(dst, `{"id":"`...)
	dst, _ = e.ID.AppendText(dst) // never fails
	dst = append(dst, `","type":"`...)
	dst = append(dst, e.Type...) // it has no character that JSON would escape
	dst = append(dst, `","created_at":"`...)
	dst = appendTime(dst, e.CreatedAt)
	dst = append(dst, `","context":`...)
	dst = append(dst, e.Data...)
	return append(dst, '}')
}

// appendTime appends a time as the vendor writes it: in UTC, with six digits, the zone as an offset.
func appendTime(dst []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000000-07:00")
}

// SameBody reports that bodies depend on the event alone.
func (*renderer) SameBody() bool { return true }

// SetHeaders signs the body with the time of this attempt.
func (r *renderer) SetHeaders(h http.Header, m *bellwire.Message, body []byte) {
	var room [128]byte
	h["Content-Type"] = contentType
	// The map is written to as it is, because Set would send the name as Lmg-Signature, which a receiver that knows the
	// vendor's requests may not look for.
	h[SignatureHeader] = []string{string(r.mac.AppendLemon(room[:0], m.SentAt.Unix(), body))}
}

// Classify takes any 2xx as acknowledged, or 200 alone.
func (r *renderer) Classify(status int) bellwire.Verdict {
	if r.strictAck && status != http.StatusOK {
		return bellwire.Failed
	}
	return bellwire.Classify2xx(status)
}

// RetryAfter tells that the header is heeded.
func (*renderer) RetryAfter() bool { return true }
