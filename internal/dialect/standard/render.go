package standard

import (
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/receive/sign"
)

// contentType is shared by all requests: nothing changes a header value in place.
var contentType = []string{"application/json"}

// renderer renders deliveries to one endpoint.
type renderer struct {
	signers []signer // newest first
}

// AppendBody appends {"type", "timestamp", "data"}. The data is the published one, byte for byte.
func (*renderer) AppendBody(dst []byte, m *bellwire.Message) ([]byte, error) {
	dst = append(dst, `{"type":`...)
	dst, err := jsontext.AppendQuote(dst, m.Event.Type)
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeInvalid, err, "the event type is not UTF-8 text")
	}
	dst = append(dst, `,"timestamp":"`...)
	// Before the first attempt the time has nanoseconds, later it has what the store kept.
	dst, err = m.Event.Time().UTC().Truncate(time.Microsecond).AppendText(dst)
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeInvalid, err, "the time of the event cannot be written in RFC 3339")
	}
	dst = append(dst, `","data":`...)
	dst = append(dst, m.Event.Data...)
	return append(dst, '}'), nil
}

// SameBody returns true: the body depends on the event alone.
func (*renderer) SameBody() bool { return true }

// SetHeaders sets the event's id, and signs the body with every secret that has not expired.
func (r *renderer) SetHeaders(h http.Header, m *bellwire.Message, body []byte) {
	id, unix := m.Event.ID.String(), m.SentAt.Unix()
	values := [...]string{id, strconv.FormatInt(unix, 10), r.signatures(m.SentAt, id, unix, body)}
	h["Content-Type"] = contentType
	h["Webhook-Id"] = values[0:1:1]
	h["Webhook-Timestamp"] = values[1:2:2]
	h["Webhook-Signature"] = values[2:3:3]
}

func (r *renderer) signatures(at time.Time, id string, unix int64, body []byte) string {
	var room [256]byte // enough for two secrets, each with both schemes
	dst := room[:0]
	for i := range r.signers {
		s := &r.signers[i]
		if s.expired(at) {
			continue
		}
		if s.shared != nil {
			dst = append(s.shared.AppendV1(dst, id, unix, body), ' ')
		}
		if s.private != nil {
			dst = append(sign.AppendV1a(dst, s.private, id, unix, body), ' ')
		}
	}
	return string(dst[:len(dst)-1]) // the newest secret always signs: see newSigners
}

// Classify reports any 2xx as acknowledged, and 410 as gone: the endpoint is disabled.
func (*renderer) Classify(status int) bellwire.Verdict {
	switch {
	case status >= 200 && status <= 299:
		return bellwire.Acknowledged
	case status == http.StatusGone:
		return bellwire.Gone
	}
	return bellwire.Failed
}

// HonorsRetryAfter returns true: the header is honored.
func (*renderer) HonorsRetryAfter() bool { return true }
