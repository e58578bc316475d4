package atelio

import (
	"net/http"
	"slices"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/envelope"
	"github.com/bellwire/bellwire/receive/sign"
)

// The fields of a delivered body that are not from the event's data.
const (
	eventMember    = "event"       // the first
	occurredMember = "occurred_at" // the last, unless the data has it
)

// occurredLayout is the form of Python's datetime.isoformat for a time in UTC, always with six digits.
const occurredLayout = "2006-01-02T15:04:05.000000+00:00"

// contentType is shared by all requests: nothing changes a header value in place.
var contentType = []string{"application/json"}

// renderer renders deliveries to one endpoint.
type renderer struct {
	mac *sign.MAC
}

// AppendBody appends {"event", …, "occurred_at"} in the form of Python's json.dumps, with the fields of the data in
// between. An event field in the data must be the event type, and is not repeated.
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
	dst = append(dst, m.Event.Type...) // its characters need no escapes
	dst = append(dst, '"')
	if len(members) > 0 {
		data := []byte(m.Event.Data)
		if len(members) < len(all) {
			data = slices.Concat([]byte{'{'}, members, []byte{'}'})
		}
		dst = append(dst, ',')
		brace := len(dst)
		dst = sign.AppendPythonJSON(dst, data)
		dst[brace] = ' '       // in place of the object's opening brace
		dst = dst[:len(dst)-1] // without its closing brace
	}
	if !envelope.Has(members, occurredMember) {
		dst = append(dst, `, "`+occurredMember+`": "`...)
		// Before the first attempt the time has nanoseconds, later it has what the store kept: six digits are the same.
		dst = m.Event.Time().UTC().Truncate(time.Microsecond).AppendFormat(dst, occurredLayout)
		dst = append(dst, '"')
	}
	return append(dst, '}'), nil
}

// SameBody returns true: the body depends on the event alone.
func (*renderer) SameBody() bool { return true }

// SetHeaders signs the body.
func (r *renderer) SetHeaders(h http.Header, m *bellwire.Message, body []byte) {
	var room [160]byte
	h["Content-Type"] = contentType
	h[signatureHeader] = []string{string(r.mac.AppendBond(room[:0], m.SentAt.Unix(), body))}
}

// Classify reports 200 and 201 as acknowledged, and every other status as failed.
func (*renderer) Classify(status int) bellwire.Verdict {
	if status == http.StatusOK || status == http.StatusCreated {
		return bellwire.Acknowledged
	}
	return bellwire.Failed
}

// HonorsRetryAfter returns true: the header is honored.
func (*renderer) HonorsRetryAfter() bool { return true }
