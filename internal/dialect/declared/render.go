package declared

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/envelope"
)

// maxBody bounds a request body, in bytes.
const maxBody = 32 << 20

// lastYear is the last year with four digits.
const lastYear = 9999

// renderer renders deliveries to one endpoint.
type renderer struct {
	*Dialect
	endpoint string
	tenant   string
	url      string
	keys     []key // newest first

	permission *bellwire.Permission // nil: none is needed
}

var _ bellwire.Permitted = (*renderer)(nil)

// Permission returns the endpoint's permission, nil if none is needed.
func (r *renderer) Permission() *bellwire.Permission { return r.permission }

// AppendBody renders the body.
func (r *renderer) AppendBody(dst []byte, m *bellwire.Message) ([]byte, error) {
	if r.needsYear {
		if _, err := appendTime(nil, m.Event.Time(), encodeDefault); err != nil {
			return nil, err
		}
	}
	begin := len(dst)
	var err error
	for i := range r.body {
		s := &r.body[i]
		if s.value == valueNone {
			dst = append(dst, s.literal...)
		} else if dst, err = r.append(dst, s, m); err != nil {
			return nil, err
		}
		if len(dst)-begin > maxBody {
			return nil, bellwire.Errorf(bellwire.CodeInvalid, "the body would have more than %d MiB in the dialect %s; nothing was sent", maxBody>>20, r.name)
		}
	}
	return dst, nil
}

// SameBody reports whether the body depends on the event alone.
func (r *renderer) SameBody() bool { return r.sameBody }

// SetHeaders sets the content type, the headers of the file and those with signatures.
func (r *renderer) SetHeaders(h http.Header, m *bellwire.Message, body []byte) {
	h["Content-Type"] = r.contentType
	values := make([]string, len(r.headers)+len(r.signatures))
	for i := range r.headers {
		header := &r.headers[i]
		if header.fixed != nil {
			h[header.name] = header.fixed
			continue
		}
		var room [96]byte
		values[i] = string(r.appendText(room[:0], header.template, m))
		h[header.name] = values[i : i+1 : i+1]
	}
	for i := range r.signatures {
		at := len(r.headers) + i
		values[at] = r.sign(&r.signatures[i], i, m, body)
		h[r.signatures[i].header] = values[at : at+1 : at+1]
	}
}

// Classify returns the verdict of the file on a status.
func (r *renderer) Classify(status int) bellwire.Verdict {
	if status < 0 || status >= len(r.verdicts) {
		return bellwire.Failed
	}
	return r.verdicts[status]
}

// HonorsRetryAfter reports whether the Retry-After header is honored.
func (r *renderer) HonorsRetryAfter() bool { return r.retryAfter }

// appendText renders a template whose values cannot fail.
func (r *renderer) appendText(dst []byte, t template, m *bellwire.Message) []byte {
	for i := range t {
		if t[i].value == valueNone {
			dst = append(dst, t[i].literal...)
			continue
		}
		if with, err := r.append(dst, &t[i], m); err == nil { // AppendBody has refused times that cannot be written
			dst = with
		}
	}
	return dst
}

// append appends a value of the message or of the endpoint.
func (r *renderer) append(dst []byte, s *segment, m *bellwire.Message) ([]byte, error) {
	switch s.value {
	case valueEventID:
		if s.encoding == encodeDefault {
			return m.Event.ID.AppendText(dst)
		}
		return appendUUID(dst, m.Event.ID, s.encoding), nil
	case valueDeliveryID:
		if s.encoding == encodeDefault {
			return m.Delivery.AppendText(dst)
		}
		return appendUUID(dst, m.Delivery, s.encoding), nil
	case valueEventType:
		return r.appendEncoded(dst, m.Event.Type, s.encoding)
	case valueEndpointID:
		return r.appendEncoded(dst, r.endpoint, s.encoding)
	case valueEndpointURL:
		return r.appendEncoded(dst, r.url, s.encoding)
	case valueTenantID:
		return r.appendEncoded(dst, r.tenant, s.encoding)
	case valueServerURL:
		return r.appendEncoded(dst, r.server.URL, s.encoding)
	case valueServerHost:
		return r.appendEncoded(dst, r.server.Host, s.encoding)
	case valueEventTime:
		return appendTime(dst, m.Event.Time(), s.encoding)
	case valueEventCreatedAt:
		return appendTime(dst, m.Event.CreatedAt, s.encoding)
	case valueSentAt:
		return appendTime(dst, m.SentAt, s.encoding)
	case valueData:
		return r.appendData(dst, m.Event.Data, s.encoding)
	case valueMembers:
		return r.appendFields(dst, m.Event.Data)
	case valueObject:
		if _, err := envelope.Object(r.name, m.Event.Data); err != nil {
			return nil, err
		}
		return append(dst, m.Event.Data...), nil
	}
	return dst, nil
}

func appendUUID(dst []byte, id [16]byte, e encoding) []byte {
	if e == encodeHex {
		return hex.AppendEncode(dst, id[:])
	}
	return append(dst, uuid.UUID(id).String()...)
}

// The forms of times, in UTC.
const (
	layoutSeconds      = "2006-01-02T15:04:05Z"
	layoutMillis       = "2006-01-02T15:04:05.000Z"
	layoutMicros       = "2006-01-02T15:04:05.000000Z"
	layoutMicrosOffset = "2006-01-02T15:04:05.000000-07:00"
)

func appendTime(dst []byte, t time.Time, e encoding) ([]byte, error) {
	switch e {
	case encodeUnix:
		return strconv.AppendInt(dst, t.Unix(), 10), nil
	case encodeUnixMilli:
		return strconv.AppendInt(dst, t.UnixMilli(), 10), nil
	}
	// Before the first attempt the time has nanoseconds, later it has what the store kept.
	t = t.UTC().Truncate(time.Microsecond)
	if year := t.Year(); year < 0 || year > lastYear {
		return nil, bellwire.Errorf(bellwire.CodeInvalid, "the time of the event is outside the years 0 to 9999")
	}
	switch e {
	case encodeSeconds:
		return t.AppendFormat(dst, layoutSeconds), nil
	case encodeMillis:
		return t.AppendFormat(dst, layoutMillis), nil
	case encodeMicros:
		return t.AppendFormat(dst, layoutMicros), nil
	case encodeMicrosOffset:
		return t.AppendFormat(dst, layoutMicrosOffset), nil
	}
	return t.AppendFormat(dst, time.RFC3339Nano), nil
}

// appendEncoded appends a text.
func (r *renderer) appendEncoded(dst []byte, text string, e encoding) ([]byte, error) {
	switch e {
	case encodeJSON:
		return r.appendJSON(dst, text)
	case encodeForm, encodePercent:
		return appendPercent(dst, text, e == encodeForm), nil
	}
	return append(dst, text...), nil
}

// appendJSON appends a text as the inside of a JSON string.
func (r *renderer) appendJSON(dst []byte, text string) ([]byte, error) {
	begin := len(dst)
	quoted, err := jsontext.AppendQuote(dst, text)
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeInvalid, err, "the event has text that is not UTF-8, which the dialect %s cannot write as JSON; nothing was sent", r.name)
	}
	copy(quoted[begin:], quoted[begin+1:])
	return quoted[:len(quoted)-2], nil
}

// appendData appends the event's data: byte for byte, unless the template asks for an encoding.
func (r *renderer) appendData(dst, published []byte, e encoding) ([]byte, error) {
	switch e {
	case encodeJSON:
		return r.appendJSON(dst, string(published))
	case encodeForm, encodePercent:
		return appendPercent(dst, string(published), e == encodeForm), nil
	case encodeBase64:
		return base64.StdEncoding.AppendEncode(dst, published), nil
	}
	return append(dst, published...), nil
}

// appendFields appends a comma and the fields of the event's data, or nothing if it has none. It refuses data that is not an
// object, and fields that the template writes itself.
func (r *renderer) appendFields(dst, published []byte) ([]byte, error) {
	members, err := envelope.Object(r.name, published)
	if err != nil {
		return nil, err
	}
	for _, name := range r.ownMembers {
		if envelope.Has(members, name) {
			return nil, bellwire.Errorf(bellwire.CodeInvalid,
				"the event's data has the field %q, which messages of the dialect %s have already; nothing was sent", name, r.name)
		}
	}
	if len(bytes.TrimSpace(members)) == 0 {
		return dst, nil
	}
	return append(append(dst, ','), members...), nil
}

const upperHex = "0123456789ABCDEF"

// appendPercent appends a text in percent-encoding: everything but letters, digits, "-", ".", "_" and "~" is escaped (RFC 3986). In
// a form, a space is "+".
func appendPercent(dst []byte, text string, form bool) []byte {
	for i := range len(text) {
		c := text[i]
		switch {
		case letter(c) || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~':
			dst = append(dst, c)
		case c == ' ' && form:
			dst = append(dst, '+')
		default:
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}
