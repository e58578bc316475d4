package atelio

import (
	"net/http"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/envelope"
	"github.com/bellwire/bellwire/receive/sign"
)

// The members that a delivered body has beside those of the event's data.
const (
	eventMember    = "event"       // in front
	occurredMember = "occurred_at" // at the end, unless data has one itself
)

// occurredLayout is how Python's datetime.isoformat writes a time in UTC, always with its six digits.
const occurredLayout = "2006-01-02T15:04:05.000000+00:00"

// contentType is shared by all requests: nothing changes a header value in place.
var contentType = []string{"application/json"}

// renderer makes the requests of deliveries to one endpoint.
type renderer struct {
	mac *sign.MAC
}

// AppendBody appends {"event", …, "occurred_at"} in the form of Python's json.dumps, with the members of data in between.
// An event among them is the one in front.
func (*renderer) AppendBody(dst []byte, m *bellwire.Message) ([]byte, error) {
	all, err := envelope.Object(Name, m.Event.Data)
	if err != nil {
		return nil, err
	}
	members, err := envelope.Without(Name, all, eventMember, m.Event.Type)
	if err != nil {
		return nil, err
	}
	dst = append(dst, `{"event": "`...)
	dst = append(dst, m.Event.Type...) // it has no character that JSON would escape
	dst = append(dst, '"')
	if len(members) > 0 {
		data := []byte(m.Event.Data)
		if len(members) < len(all) {
			data = slices.Concat([]byte{'{'}, members, []byte{'}'})
		}
		dst = append(dst, ',')
		brace := len(dst)
		dst = sign.AppendPythonJSON(dst, data)
		dst[brace] = ' '       // instead of the object's own beginning
		dst = dst[:len(dst)-1] // and without its end
	}
	if !envelope.Has(members, occurredMember) {
		dst = append(dst, `, "`+occurredMember+`": "`...)
		// A first attempt knows the time to the nanosecond, a later one as the store kept it: six digits are the same.
		dst = m.Event.Time().UTC().Truncate(time.Microsecond).AppendFormat(dst, occurredLayout)
		dst = append(dst, '"')
	}
	return append(dst, '}'), nil
}

// SameBody reports that bodies depend on the event alone.
func (*renderer) SameBody() bool { return true }

// SetHeaders signs the body.
func (r *renderer) SetHeaders(h http.Header, m *bellwire.Message, body []byte) {
	var room [160]byte
	h["Content-Type"] = contentType
	h[signatureHeader] = []string{string(r.mac.AppendBond(room[:0], m.SentAt.Unix(), body))}
}

// Classify takes 200 and 201 as acknowledged, and nothing else.
func (*renderer) Classify(status int) bellwire.Verdict {
	if status == http.StatusOK || status == http.StatusCreated {
		return bellwire.Acknowledged
	}
	return bellwire.Failed
}

// RetryAfter tells that the header is heeded.
func (*renderer) RetryAfter() bool { return true }
