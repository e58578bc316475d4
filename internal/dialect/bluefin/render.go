package bluefin

import (
	"bytes"
	"encoding/hex"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/envelope"
)

// The members of the data of accountUpdates: the update records, or those of the payload itself.
const (
	updatesMember  = "updates"
	updateIDMember = "updateId"
	urlMember      = "url"
)

// contentType is shared by all requests: nothing changes a header value in place.
var contentType = []string{"application/json"}

// renderer makes the notifications of one webhook.
type renderer struct {
	webhook []byte // from behind the notification's id to before the event's name
	link    []byte // from behind the update's id to before the same id in the URL
}

func newRenderer(publicURL string, ep *bellwire.Endpoint) (*renderer, error) {
	id, err := jsontext.AppendQuote(nil, ep.ID)
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeInternal, err, "The endpoint's id cannot be written as JSON.")
	}
	link, err := jsontext.AppendQuote(nil, publicURL+updatesPath(ep.Tenant))
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeInternal, err, "The public URL cannot be written as JSON.")
	}
	return &renderer{
		webhook: append(append([]byte(`","wbhid":`), id...), `,"event":"`...),
		link:    append([]byte(`","url":`), link[:len(link)-1]...), // the update's id ends the text
	}, nil
}

// updatesPath is where an account's updates are.
func updatesPath(account string) string {
	return "/" + Prefix + "/accounts/" + account + "/account-updater/updates/"
}

// AppendBody appends {"id", "wbhid", "event", "payload"}. The payload of accountUpdates is a link to the records, if there
// are any; otherwise it is the data as it was published.
func (r *renderer) AppendBody(dst []byte, m *bellwire.Message) ([]byte, error) {
	members, err := envelope.Object(Name, m.Event.Data)
	if err != nil {
		return nil, err
	}
	dst = append(dst, `{"id":"`+notificationPrefix...)
	dst = hex.AppendEncode(dst, m.Delivery[:])
	dst = append(dst, r.webhook...)
	dst = append(dst, m.Event.Type...) // it has no character that JSON would escape
	dst = append(dst, `","payload":`...)
	if m.Event.Type != accountUpdates {
		return r.appendData(dst, m), nil
	}
	if _, found := updates(members); !found {
		if !linked(members) {
			return nil, bellwire.Errorf(bellwire.CodeInvalid,
				"The dialect %s needs in the data %s, an array of update records, or %s and %s of an update that the platform serves; nothing was sent.",
				Name, updatesMember, updateIDMember, urlMember)
		}
		return r.appendData(dst, m), nil
	}
	dst = append(dst, `{"updateId":"`+updatePrefix...)
	dst = hex.AppendEncode(dst, m.Event.ID[:])
	dst = append(dst, r.link...)
	dst = append(dst, updatePrefix...)
	dst = hex.AppendEncode(dst, m.Event.ID[:])
	return append(dst, `"}}`...), nil
}

// appendData ends a body with the data as its payload.
func (*renderer) appendData(dst []byte, m *bellwire.Message) []byte {
	return append(append(dst, bytes.TrimSpace(m.Event.Data)...), '}')
}

// updates finds the array of update records in the members of the data of accountUpdates.
func updates(members []byte) (records []byte, found bool) {
	records, found = envelope.Find(members, updatesMember)
	return records, found && records[0] == '['
}

// linked reports whether data is the payload itself, of an update that the platform serves.
func linked(members []byte) bool {
	for _, name := range []string{updateIDMember, urlMember} {
		value, _ := envelope.Find(members, name)
		if text, ok := envelope.Text(value); !ok || text == "" {
			return false
		}
	}
	return true
}

// SameBody reports that each body has the webhook's id and the notification's.
func (*renderer) SameBody() bool { return false }

// SetHeaders says that the body is JSON; Bluefin documents nothing more.
func (*renderer) SetHeaders(h http.Header, _ *bellwire.Message, _ []byte) {
	h["Content-Type"] = contentType
}

// Classify takes any 2xx as acknowledged.
func (*renderer) Classify(status int) bellwire.Verdict { return bellwire.Classify2xx(status) }

// RetryAfter tells that the header is heeded.
func (*renderer) RetryAfter() bool { return true }
