package bluefin

import (
	"bytes"
	"encoding/hex"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/envelope"
)

// The fields of the data of accountUpdates: either the update records, or the fields of the payload itself.
const (
	updatesMember  = "updates"
	updateIDMember = "updateId"
	urlMember      = "url"
)

// contentType is shared by all requests: nothing changes a header value in place.
var contentType = []string{"application/json"}

// renderer renders the notifications of one webhook.
type renderer struct {
	webhook []byte // between the notification's id and the event's name
	link    []byte // between the update's id and the same id in the URL
}

func newRenderer(publicURL string, ep *bellwire.Endpoint) (*renderer, error) {
	id, err := jsontext.AppendQuote(nil, ep.ID)
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeInternal, err, "the id of the endpoint cannot be encoded as JSON")
	}
	link, err := jsontext.AppendQuote(nil, publicURL+updatesPath(ep.Tenant))
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeInternal, err, "--public-url cannot be encoded as JSON")
	}
	return &renderer{
		webhook: append(append([]byte(`","wbhid":`), id...), `,"event":"`...),
		link:    append([]byte(`","url":`), link[:len(link)-1]...), // without the closing quote: the update's id follows
	}, nil
}

// updatesPath returns the path of an account's updates, with a slash at its end.
func updatesPath(account string) string {
	return "/" + Prefix + "/accounts/" + account + "/account-updater/updates/"
}

// AppendBody appends {"id", "wbhid", "event", "payload"} (Bluefin guide, section "Receiving Webhook Notifications"). If the data has update
// records, the payload is a link to them. Otherwise the payload is the data.
func (r *renderer) AppendBody(dst []byte, m *bellwire.Message) ([]byte, error) {
	members, err := envelope.Object(Name, m.Event.Data)
	if err != nil {
		return nil, err
	}
	dst = append(dst, `{"id":"`+notificationPrefix...)
	dst = hex.AppendEncode(dst, m.Delivery[:])
	dst = append(dst, r.webhook...)
	dst = append(dst, m.Event.Type...) // its characters need no escapes
	dst = append(dst, `","payload":`...)
	if m.Event.Type != accountUpdates {
		return r.appendData(dst, m), nil
	}
	if _, found := updates(members); !found {
		if !linked(members) {
			return nil, bellwire.Errorf(bellwire.CodeInvalid,
				"the event's data has neither the array %[2]q nor both %[3]q and %[4]q, as the dialect %[1]s requires; nothing was sent",
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

// appendData appends the data as the payload, and ends the body.
func (*renderer) appendData(dst []byte, m *bellwire.Message) []byte {
	return append(append(dst, bytes.TrimSpace(m.Event.Data)...), '}')
}

// updates returns the array of update records from the fields of the data of accountUpdates.
func updates(members []byte) (records []byte, found bool) {
	records, found = envelope.Find(members, updatesMember)
	return records, found && records[0] == '['
}

// linked reports whether the data is a payload itself, of an update that the platform serves.
func linked(members []byte) bool {
	for _, name := range []string{updateIDMember, urlMember} {
		value, _ := envelope.Find(members, name)
		if text, ok := envelope.Text(value); !ok || text == "" {
			return false
		}
	}
	return true
}

// SameBody returns false: the body contains the ids of the webhook and of the notification.
func (*renderer) SameBody() bool { return false }

// SetHeaders sets the content type. Bluefin documents no other header.
func (*renderer) SetHeaders(h http.Header, _ *bellwire.Message, _ []byte) {
	h["Content-Type"] = contentType
}

// Classify reports any 2xx as acknowledged.
func (*renderer) Classify(status int) bellwire.Verdict { return bellwire.Classify2xx(status) }

// HonorsRetryAfter returns true: the header is honored.
func (*renderer) HonorsRetryAfter() bool { return true }
