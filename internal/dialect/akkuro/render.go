package akkuro

import (
	"net/http"
	"net/url"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// contentType is shared by all requests: nothing changes a header value in place.
var contentType = []string{"application/json"}

// occurredOn is the form of times that Akkuro documents for its whole platform: UTC, three digits.
const occurredOn = "2006-01-02T15:04:05.000Z"

// lastYear is the last one that the form has room for.
const lastYear = 9999

// renderer makes the requests of deliveries to one endpoint.
type renderer struct {
	endpointURI []byte // in quotes
}

func (d Dialect) renderer(path, id string) (*renderer, error) {
	uri, err := jsontext.AppendQuote(nil, d.PublicURL+"/"+path+"/endpoints/"+url.PathEscape(id))
	if err != nil {
		return nil, bellwire.Wrap(bellwire.CodeInvalid, err, "The address of this server is not UTF-8 text; change --public-url.")
	}
	return &renderer{endpointURI: uri}, nil
}

// AppendBody appends {"meta", "data"}, with data as it was published.
func (r *renderer) AppendBody(dst []byte, m *bellwire.Message) ([]byte, error) {
	at := m.Event.Time().UTC()
	if year := at.Year(); year < 0 || year > lastYear {
		return nil, bellwire.Errorf(bellwire.CodeInvalid, "The event's time has no form in RFC 3339.")
	}
	dst = append(dst, `{"meta":{"id":"`...)
	dst = append(dst, uuid.UUID(m.Event.ID).String()...)
	dst = append(dst, `","eventName":"`...)
	dst = append(dst, m.Event.Type...) // it has no character that JSON would escape
	dst = append(dst, `","eventEndpointUri":`...)
	dst = append(dst, r.endpointURI...)
	dst = append(dst, `,"occurredOn":"`...)
	dst = at.Truncate(time.Millisecond).AppendFormat(dst, occurredOn)
	dst = append(dst, `"},"data":`...)
	dst = append(dst, m.Event.Data...)
	return append(dst, '}'), nil
}

// SameBody reports that each body has the endpoint's address.
func (*renderer) SameBody() bool { return false }

// SetHeaders says that the body is JSON. The token is among the headers that Dialect.Headers returns.
func (*renderer) SetHeaders(h http.Header, _ *bellwire.Message, _ []byte) {
	h["Content-Type"] = contentType
}

// Classify takes any 2xx as acknowledged.
func (*renderer) Classify(status int) bellwire.Verdict { return bellwire.Classify2xx(status) }

// RetryAfter tells that the header is heeded.
func (*renderer) RetryAfter() bool { return true }

// The placeholders in the example of a body.
var (
	exampleEvent    = bellwire.EventID(uuid.MustParse("018cc251-f400-7000-8000-000000000001"))
	exampleEndpoint = "659200800000000000000001"
	exampleTime     = time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC) // which both ids begin with
)

// example returns the body that a delivery of the event type has.
func (d Dialect) example(group string, t *bellwire.EventType) ([]byte, error) {
	r, err := d.renderer(pathOf(group, t.Name), exampleEndpoint)
	if err != nil {
		return nil, err
	}
	data := []byte(t.Example)
	if len(data) == 0 {
		data = []byte("null")
	}
	return r.AppendBody(nil, &bellwire.Message{
		Event: &bellwire.Event{ID: exampleEvent, Type: t.Name, Data: data, CreatedAt: exampleTime},
	})
}
