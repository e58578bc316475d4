package atelio

import (
	"bytes"
	"net/http"
	"time"

	"github.com/bellwire/bellwire"
	"github.com/bellwire/bellwire/internal/envelope"
	"github.com/bellwire/bellwire/internal/sign"
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
func (*renderer) AppendBody(dst []byte, m *bellwire.Message) ([]byte, error) {
	members, err := envelope.Object(Name, m.Event.Data)
	if err != nil {
		return nil, err
	}
	if has(members, eventMember) {
		return nil, bellwire.Errorf(bellwire.CodeInvalid,
			"The dialect %s writes the event's type as %s, and the event's data has such a member too; nothing was sent.", Name, eventMember)
	}
	dst = append(dst, `{"event": "`...)
	dst = append(dst, m.Event.Type...) // it has no character that JSON would escape
	dst = append(dst, '"')
	if len(members) > 0 {
		dst = append(dst, ',')
		brace := len(dst)
		dst = sign.AppendPythonJSON(dst, m.Event.Data)
		dst[brace] = ' '       // instead of the object's own beginning
		dst = dst[:len(dst)-1] // and without its end
	}
	if !has(members, occurredMember) {
		dst = append(dst, `, "`+occurredMember+`": "`...)
		// A first attempt knows the time to the nanosecond, a later one as the store kept it: six digits are the same.
		dst = m.Event.Time().UTC().Truncate(time.Microsecond).AppendFormat(dst, occurredLayout)
		dst = append(dst, '"')
	}
	return append(dst, '}'), nil
}

// has tells whether there is a member of the given name. It goes through them only if the name is there at all, or may be
// behind escapes.
func has(members []byte, name string) bool {
	return (bytes.Contains(members, []byte(name)) || bytes.IndexByte(members, '\\') >= 0) && envelope.Has(members, name)
}

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
